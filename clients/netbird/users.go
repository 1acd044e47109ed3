package netbird

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/netbirdio/netbird/shared/management/http/api"
)

// User is a person or a service user.
type User struct {
	ID              string
	Name            string
	Email           string
	Role            string // "owner", "admin", "user", …
	Status          string
	IdPID           string // the connector that the user comes by; "local", or "" where unknown
	Blocked         bool
	PendingApproval bool
	Current         bool // the token's own
	ServiceUser     bool
	LastLogin       time.Time
	// Permissions by module and right ("identity_providers", "create"), in the answer of CurrentUser only.
	Permissions map[string]map[string]bool
}

// May reports whether the user has that right on that module. Only CurrentUser's answer can tell.
func (u User) May(module, right string) bool { return u.Permissions[module][right] }

// CurrentUser is whom the token belongs to. Forbidden for tokens of service users: ask Users, and take the one
// that is Current.
func (c *Client) CurrentUser(ctx context.Context) (User, error) {
	var u user
	err := c.get(ctx, "ask whose the token is", "/api/users/current", &u)
	return u.read(), err
}

// user is a user on the wire. Permissions are read leniently: they grow with each version.
type user struct {
	api.User
	Permissions json.RawMessage `json:"permissions"`
}

func (u user) read() User {
	out := User{ID: u.Id, Name: u.Name, Email: u.Email, Role: u.Role, Status: string(u.Status), Blocked: u.IsBlocked, PendingApproval: u.PendingApproval}
	out.IdPID, out.LastLogin = value(u.IdpId), value(u.LastLogin)
	out.Current, out.ServiceUser = value(u.IsCurrent), value(u.IsServiceUser)
	out.Permissions = permissions(u.Permissions)
	return out
}

// permissions takes what is said with yes or no; anything else is no right.
func permissions(raw json.RawMessage) map[string]map[string]bool {
	var said struct {
		Modules map[string]any `json:"modules"`
	}
	if json.Unmarshal(raw, &said) != nil || said.Modules == nil {
		return nil
	}
	all := make(map[string]map[string]bool, len(said.Modules))
	for module, rights := range said.Modules {
		granted := map[string]bool{}
		byName, _ := rights.(map[string]any)
		for right, yes := range byName {
			if yes == true {
				granted[right] = true
			}
		}
		all[module] = granted
	}
	return all
}

// value is what p points to, or nothing.
func value[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

// usersLimit is the longest list of users in bytes: NetBird knows no pages, and 50,000 users take some 20 MB.
const usersLimit = 64 << 20

func (c *Client) users(ctx context.Context, query string) ([]User, error) {
	call := c.call("read the users", http.MethodGet, "/api/users"+query)
	call.Limit = usersLimit
	var answer []user
	if _, err := c.tr.JSON(ctx, call, nil, &answer); err != nil {
		return nil, err
	}
	out := make([]User, len(answer))
	for i, u := range answer {
		out[i] = u.read()
	}
	return out, nil
}

// Users is all users, or all that the token may see.
func (c *Client) Users(ctx context.Context) ([]User, error) { return c.users(ctx, "") }

// ServiceUsers is the service users alone: where the own entry of a service user's token is found.
func (c *Client) ServiceUsers(ctx context.Context) ([]User, error) {
	return c.users(ctx, "?service_user=true")
}

// ApproveUser lets in a user who waits for approval. Refused where the user doesn't wait.
func (c *Client) ApproveUser(ctx context.Context, id string) (User, error) {
	const op = "approve the user"
	var u user
	at, err := userPath(op, id)
	if err == nil {
		err = c.send(ctx, op, http.MethodPost, at+"/approve", nil, &u)
	}
	return u.read(), err
}

// Token is a personal access token without its key.
type Token struct {
	ID       string
	Name     string
	Created  time.Time
	Expires  time.Time
	LastUsed time.Time // zero: never
}

// Tokens is the personal access tokens of that user.
func (c *Client) Tokens(ctx context.Context, userID string) ([]Token, error) {
	const op = "read the tokens"
	var answer []api.PersonalAccessToken
	at, err := userPath(op, userID)
	if err == nil {
		err = c.get(ctx, op, at+"/tokens", &answer)
	}
	if err != nil {
		return nil, err
	}
	out := make([]Token, 0, len(answer))
	for _, t := range answer {
		out = append(out, readToken(t))
	}
	return out, nil
}

func readToken(t api.PersonalAccessToken) Token {
	return Token{ID: t.Id, Name: t.Name, Created: t.CreatedAt, Expires: t.ExpirationDate, LastUsed: value(t.LastUsed)}
}

// NewToken is a token with its key, which no API gives back: a secret.
type NewToken struct {
	Token
	Key string
}

// CreateToken makes a personal access token that lives that many days, 1 to 365. Names need not be unique.
func (c *Client) CreateToken(ctx context.Context, userID, name string, days int) (NewToken, error) {
	const op = "make a token"
	var made api.PersonalAccessTokenGenerated
	at, err := userPath(op, userID)
	if err != nil {
		return NewToken{}, err
	}
	err = c.send(ctx, op, http.MethodPost, at+"/tokens", api.PersonalAccessTokenRequest{Name: name, ExpiresIn: days}, &made)
	return NewToken{Token: readToken(made.PersonalAccessToken), Key: made.PlainToken}, err
}

// DeleteToken removes one.
func (c *Client) DeleteToken(ctx context.Context, userID, tokenID string) error {
	const op = "delete the token"
	at, err := userPath(op, userID)
	if err != nil {
		return err
	}
	id, err := segment(op, tokenID)
	if err != nil {
		return err
	}
	return c.send(ctx, op, http.MethodDelete, at+"/tokens/"+id, nil, nil)
}

func userPath(op, id string) (string, error) {
	at, err := segment(op, id)
	return "/api/users/" + at, err
}
