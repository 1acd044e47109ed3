package authentik

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"authbird/clients"
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
	const op = "look for the user"
	p, err := list[User](ctx, c, op, "core/users/", url.Values{"username": {username}})
	if err != nil {
		return User{}, err
	}
	for _, u := range p.Results {
		if u.Username == username {
			return u, nil
		}
	}
	return User{}, &clients.Error{Kind: clients.Absent, Server: "Authentik", Op: op, Method: http.MethodGet,
		Message: "there is no user " + strconv.Quote(clients.Clean(username))}
}

// User reads one. Absent where there is none.
func (c *Client) User(ctx context.Context, pk int) (User, error) {
	var u User
	err := c.get(ctx, "read the user", userPath(pk), nil, &u)
	return u, err
}

func userPath(pk int) string { return "core/users/" + strconv.Itoa(pk) + "/" }

// DeleteUser removes one, with its tokens.
func (c *Client) DeleteUser(ctx context.Context, pk int) error {
	return c.remove(ctx, "delete the user", userPath(pk))
}

// ServiceAccount is a new service account, with the app password that the server made for it: a secret, to be
// replaced by our own at once (SetTokenKey on its TokenIdentifier).
type ServiceAccount struct {
	PK       int    `json:"user_pk"`
	Username string `json:"username"`
	Token    string `json:"token"`
}

// TokenIdentifier is the identifier of the app password that the server makes with a service account.
func TokenIdentifier(serviceAccount string) string {
	return "service-account-" + strings.ToLower(serviceAccount) + "-password"
}

// CreateServiceAccount makes one, without a group, with an app password that doesn't expire. A name that is taken,
// also in another case, is Conflict.
func (c *Client) CreateServiceAccount(ctx context.Context, name string) (ServiceAccount, error) {
	var made ServiceAccount
	body := map[string]any{"name": name, "create_group": false, "expiring": false}
	err := c.send(ctx, "create the service account", http.MethodPost, "core/users/service_account/", body, &made)
	return made, err
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
	p, err := list[Group](ctx, c, "look for the group", "core/groups/", url.Values{"name": {name}, "include_users": {"false"}})
	return only(p.Results, func(g Group) bool { return g.Name == name }), err
}

// Groups is one page for a person to choose from: at most 50, by name, those that search finds.
// More reports that there are others.
func (c *Client) Groups(ctx context.Context, search string) (groups []Group, more bool, err error) {
	q := url.Values{"page_size": {"50"}, "ordering": {"name"}, "include_users": {"false"}}
	if search != "" {
		q.Set("search", search)
	}
	p, err := list[Group](ctx, c, "look for groups", "core/groups/", q)
	return p.Results, p.more(), err
}

// CreateGroup makes a group with those users and roles. A name that is taken is Conflict.
func (c *Client) CreateGroup(ctx context.Context, name string, users []int, roles []string) (Group, error) {
	body := map[string]any{"name": name}
	if len(users) > 0 {
		body["users"] = users
	}
	if len(roles) > 0 {
		body["roles"] = roles
	}
	var made Group
	err := c.send(ctx, "create the group", http.MethodPost, "core/groups/", body, &made)
	return made, err
}

func groupPath(pk string) string { return "core/groups/" + url.PathEscape(pk) + "/" }

// DeleteGroup removes one; its members stay.
func (c *Client) DeleteGroup(ctx context.Context, pk string) error {
	return c.remove(ctx, "delete the group", groupPath(pk))
}

// AddGroupUser puts the user into the group; also where it is in already.
func (c *Client) AddGroupUser(ctx context.Context, groupPK string, userPK int) error {
	return c.send(ctx, "put the user into the group", http.MethodPost, groupPath(groupPK)+"add_user/", map[string]int{"pk": userPK}, nil)
}

// RemoveGroupUser takes the user out of the group; also where it is out already.
func (c *Client) RemoveGroupUser(ctx context.Context, groupPK string, userPK int) error {
	return c.send(ctx, "take the user out of the group", http.MethodPost, groupPath(groupPK)+"remove_user/", map[string]int{"pk": userPK}, nil)
}

// Role is a bundle of permissions.
type Role struct {
	PK   string `json:"pk"`
	Name string `json:"name"`
}

// RolesByName is the role of exactly that name: none or one.
func (c *Client) RolesByName(ctx context.Context, name string) ([]Role, error) {
	p, err := list[Role](ctx, c, "look for the role", "rbac/roles/", url.Values{"name": {name}})
	return only(p.Results, func(r Role) bool { return r.Name == name }), err
}

func rolePath(pk string) string { return "rbac/roles/" + url.PathEscape(pk) + "/" }

// CreateRole makes an empty role. A name that is taken is Conflict.
func (c *Client) CreateRole(ctx context.Context, name string) (Role, error) {
	var made Role
	err := c.send(ctx, "create the role", http.MethodPost, "rbac/roles/", map[string]string{"name": name}, &made)
	return made, err
}

// AssignPermissions gives the role permissions such as "authentik_core.view_user"; also those it has.
func (c *Client) AssignPermissions(ctx context.Context, rolePK string, permissions ...string) error {
	return c.send(ctx, "give the role its permissions", http.MethodPost, "rbac/permissions/assigned_by_roles/"+url.PathEscape(rolePK)+"/assign/",
		map[string]any{"permissions": permissions}, nil)
}

// RolePermissions is the permissions that the role has on whole models, such as "authentik_core.view_user".
func (c *Client) RolePermissions(ctx context.Context, rolePK string) ([]string, error) {
	type permission struct {
		App      string `json:"app_label"`
		Codename string `json:"codename"`
	}
	p, err := list[permission](ctx, c, "read the role's permissions", "rbac/permissions/", url.Values{"role": {rolePK}, "page_size": {"100"}})
	var out []string
	for _, x := range p.Results {
		out = append(out, x.App+"."+x.Codename)
	}
	return out, err
}

// DeleteRole removes one.
func (c *Client) DeleteRole(ctx context.Context, pk string) error {
	return c.remove(ctx, "delete the role", rolePath(pk))
}

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
	p, err := list[Event](ctx, c, "read the events", "events/events/",
		url.Values{"action": {action}, "ordering": {"-created"}, "page_size": {strconv.Itoa(limit)}})
	return only(p.Results, func(e Event) bool { return e.Action == action }), err
}

// UnmarshalJSON reads what was authorised, and for which client, out of the event's context, whose shape is the
// action's.
func (e *Event) UnmarshalJSON(data []byte) error {
	type plain Event
	both := struct {
		*plain
		Context json.RawMessage `json:"context"`
	}{plain: (*plain)(e)}
	if err := json.Unmarshal(data, &both); err != nil {
		return err
	}
	var about struct {
		Application struct {
			Name string `json:"name"`
		} `json:"authorized_application"`
		Request struct {
			Args struct {
				ClientID string `json:"client_id"`
			} `json:"args"`
		} `json:"http_request"`
	}
	if json.Unmarshal(both.Context, &about) == nil { // another shape tells neither
		e.Application, e.ClientID = about.Application.Name, about.Request.Args.ClientID
	}
	return nil
}
