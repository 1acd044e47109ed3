package authentik

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	api "goauthentik.io/api/v3"
)

const (
	users  = "/core/users/"
	groups = "/core/groups/"
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
	found, err := exact(ctx, c, op, users, "username", username, func(u User) string { return u.Username })
	if err != nil {
		return User{}, err
	}
	if len(found) == 0 {
		return User{}, absent(op, "no user has that name")
	}
	return found[0], nil
}

// UsersByEmail reads the users of exactly that address; there may be several.
func (c *Client) UsersByEmail(ctx context.Context, email string) ([]User, error) {
	return exact(ctx, c, "look for the user by e-mail", users, "email", email, func(u User) string { return u.Email })
}

// User reads one. Absent where there is none.
func (c *Client) User(ctx context.Context, pk int) (User, error) {
	var u User
	err := c.get(ctx, "read the user", users+strconv.Itoa(pk)+"/", nil, &u)
	return u, err
}

// UsersPage is one page of the users, from 1, asked for as NetBird asks. Absent beyond the last.
func (c *Client) UsersPage(ctx context.Context, page int) ([]User, error) {
	p, err := readPage[User](ctx, c, "read the users as NetBird does", users, url.Values{"page": {strconv.Itoa(page)}})
	return p.Results, err
}

// ActivateUser lets the user sign in, or no longer.
func (c *Client) ActivateUser(ctx context.Context, pk int, active bool) error {
	return c.send(ctx, "change the user", http.MethodPatch, users+strconv.Itoa(pk)+"/", map[string]any{"is_active": active}, nil)
}

// DeleteUser removes one, with its tokens.
func (c *Client) DeleteUser(ctx context.Context, pk int) error {
	const op = "delete the user"
	_, err := c.generated(op).CoreApi.CoreUsersDestroy(ctx, int32(pk)).Execute()
	return c.settled(op, err)
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
	err := c.send(ctx, "create the service account", http.MethodPost, users+"service_account/",
		map[string]any{"name": name, "create_group": false, "expiring": false}, &made)
	stands := func(ctx context.Context) (bool, error) {
		if yes, err := one(c.UserByName(ctx, name)); yes || err != nil {
			return yes, err
		}
		return one(c.Token(ctx, TokenIdentifier(name)))
	}
	return made, taken(ctx, err, map[string]lookup{"name": stands, "non_field_errors": stands})
}

// Group is a group without its members: there may be 50,000. Membership is in User.Groups.
type Group struct {
	PK        string   `json:"pk"`
	Name      string   `json:"name"`
	Superuser bool     `json:"is_superuser"`
	Roles     []string `json:"roles"` // pks
}

// Group reads one, by its pk. Absent where there is none.
func (c *Client) Group(ctx context.Context, pk string) (Group, error) {
	const op = "read the group"
	var g Group
	at, err := segment(op, pk)
	if err == nil {
		err = c.get(ctx, op, groups+at+"/", url.Values{"include_users": {"false"}}, &g)
	}
	return g, err
}

// GroupsByName is the groups of exactly that name (case matters); up to 2025.6 there may be several.
func (c *Client) GroupsByName(ctx context.Context, name string) ([]Group, error) {
	return exact(ctx, c, "look for the group", groups, "name", name, func(g Group) string { return g.Name }, "include_users", "false")
}

// GroupMembers is the first page of the users that are in a group themselves.
func (c *Client) GroupMembers(ctx context.Context, pk string) ([]User, error) {
	p, err := readPage[User](ctx, c, "read the group's members", users, url.Values{"groups_by_pk": {pk}, "page_size": {"100"}})
	return p.Results, err
}

// Groups is one page for a person to choose from: at most 50, by name, those that search finds.
// More reports that there are others.
func (c *Client) Groups(ctx context.Context, search string) (found []Group, more bool, err error) {
	q := url.Values{"ordering": {"name"}, "page_size": {"50"}, "include_users": {"false"}}
	if search != "" {
		q.Set("search", search)
	}
	p, err := readPage[Group](ctx, c, "read the groups", groups, q)
	return p.Results, p.Pagination.Next >= 1, err
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
	err := c.send(ctx, "create the group", http.MethodPost, groups, body, &made)
	return made, taken(ctx, err, map[string]lookup{"name": func(ctx context.Context) (bool, error) {
		return some(c.GroupsByName(ctx, name))
	}})
}

// DeleteGroup removes one; its members stay.
func (c *Client) DeleteGroup(ctx context.Context, pk string) error {
	const op = "delete the group"
	if _, err := segment(op, pk); err != nil {
		return err
	}
	_, err := c.generated(op).CoreApi.CoreGroupsDestroy(ctx, pk).Execute()
	return c.settled(op, err)
}

// AddGroupUser puts the user into the group; also where it is in already.
func (c *Client) AddGroupUser(ctx context.Context, groupPK string, userPK int) error {
	const op = "add the user to the group"
	if _, err := segment(op, groupPK); err != nil {
		return err
	}
	_, err := c.generated(op).CoreApi.CoreGroupsAddUserCreate(ctx, groupPK).
		UserAccountRequest(api.UserAccountRequest{Pk: int32(userPK)}).Execute()
	return c.settled(op, err)
}

// RemoveGroupUser takes the user out of the group; also where it is out already.
func (c *Client) RemoveGroupUser(ctx context.Context, groupPK string, userPK int) error {
	const op = "take the user out of the group"
	if _, err := segment(op, groupPK); err != nil {
		return err
	}
	_, err := c.generated(op).CoreApi.CoreGroupsRemoveUserCreate(ctx, groupPK).
		UserAccountRequest(api.UserAccountRequest{Pk: int32(userPK)}).Execute()
	return c.settled(op, err)
}
