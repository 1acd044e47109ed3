package authentik

import (
	"context"
	"time"
)

// User is a person or a service account.
type User struct {
	PK        int       `json:"pk"`
	Username  string    `json:"username"`
	Name      string    `json:"name"`
	Email     string    `json:"email"`
	Active    bool      `json:"is_active"`
	Superuser bool      `json:"is_superuser"`
	Type      string    `json:"type"`   // "internal", "external", "service_account", …
	Groups    []string  `json:"groups"` // pks
	LastLogin time.Time `json:"last_login"`
}

// UserByName reads the user of exactly that name (case matters). Absent where there is none.
func (c *Client) UserByName(ctx context.Context, username string) (User, error) {
	return User{}, errLater
}

// User reads one. Absent where there is none.
func (c *Client) User(ctx context.Context, pk int) (User, error) { return User{}, errLater }

// DeleteUser removes one, with its tokens.
func (c *Client) DeleteUser(ctx context.Context, pk int) error { return errLater }

// ServiceAccount is a new service account, with the app password that the server made for it: a secret, to be
// replaced by our own at once (SetTokenKey on its TokenIdentifier).
type ServiceAccount struct {
	PK       int    `json:"user_pk"`
	Username string `json:"username"`
	Token    string `json:"token"`
}

// TokenIdentifier is the identifier of the app password that the server makes with a service account.
func TokenIdentifier(serviceAccount string) string { return "" }

// CreateServiceAccount makes one, without a group, with an app password that doesn't expire. A name that is taken,
// also in another case, is Conflict.
func (c *Client) CreateServiceAccount(ctx context.Context, name string) (ServiceAccount, error) {
	return ServiceAccount{}, errLater
}

// Group is a group without its members: there may be 50,000. Membership is in User.Groups.
type Group struct {
	PK        string   `json:"pk"`
	Name      string   `json:"name"`
	Superuser bool     `json:"is_superuser"`
	Roles     []string `json:"roles"` // pks
}

// GroupsByName is the groups of exactly that name (case matters); up to 2025.6 there may be several.
func (c *Client) GroupsByName(ctx context.Context, name string) ([]Group, error) {
	return nil, errLater
}

// Groups is one page for a person to choose from: at most 50, by name, those that search finds.
// More reports that there are others.
func (c *Client) Groups(ctx context.Context, search string) (groups []Group, more bool, err error) {
	return nil, false, errLater
}

// CreateGroup makes a group with those users and roles. A name that is taken is Conflict.
func (c *Client) CreateGroup(ctx context.Context, name string, users []int, roles []string) (Group, error) {
	return Group{}, errLater
}

// DeleteGroup removes one; its members stay.
func (c *Client) DeleteGroup(ctx context.Context, pk string) error { return errLater }

// AddGroupUser puts the user into the group; also where it is in already.
func (c *Client) AddGroupUser(ctx context.Context, groupPK string, userPK int) error { return errLater }

// RemoveGroupUser takes the user out of the group; also where it is out already.
func (c *Client) RemoveGroupUser(ctx context.Context, groupPK string, userPK int) error {
	return errLater
}

// Role is a bundle of permissions.
type Role struct {
	PK   string `json:"pk"`
	Name string `json:"name"`
}

// RolesByName is the role of exactly that name: none or one.
func (c *Client) RolesByName(ctx context.Context, name string) ([]Role, error) { return nil, errLater }

// CreateRole makes an empty role. A name that is taken is Conflict.
func (c *Client) CreateRole(ctx context.Context, name string) (Role, error) { return Role{}, errLater }

// AssignPermissions gives the role permissions such as "authentik_core.view_user"; also those it has.
func (c *Client) AssignPermissions(ctx context.Context, rolePK string, permissions ...string) error {
	return errLater
}

// RolePermissions is the permissions that the role has on whole models, such as "authentik_core.view_user".
func (c *Client) RolePermissions(ctx context.Context, rolePK string) ([]string, error) {
	return nil, errLater
}

// DeleteRole removes one.
func (c *Client) DeleteRole(ctx context.Context, pk string) error { return errLater }

// Event is one line of Authentik's event log.
type Event struct {
	PK       string    `json:"pk"`
	Action   string    `json:"action"`
	Created  time.Time `json:"created"`
	User     EventUser `json:"user"`
	ClientIP string    `json:"client_ip"`
	// Application names what was authorised, for the action authorize_application; "" otherwise.
	Application string `json:"-"`
	// ClientID is the client id in the request behind the event, "" where it had none.
	ClientID string `json:"-"`
}

// EventUser is who caused an event.
type EventUser struct {
	PK       int    `json:"pk"`
	Username string `json:"username"`
	Email    string `json:"email"`
}

// Events is the newest events of one action ("authorize_application", "login", "secret_view"), newest first.
func (c *Client) Events(ctx context.Context, action string, limit int) ([]Event, error) {
	return nil, errLater
}
