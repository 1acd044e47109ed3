package netbird

import (
	"context"
	"net/http"
	"net/url"
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
	var u api.User
	err := c.get(ctx, "ask whose the token is", "/api/users/current", &u)
	return readUser(u), err
}

func readUser(u api.User) User {
	out := User{ID: u.Id, Name: u.Name, Email: u.Email, Role: u.Role, Status: string(u.Status), Blocked: u.IsBlocked, PendingApproval: u.PendingApproval}
	if u.IdpId != nil {
		out.IdPID = *u.IdpId
	}
	out.Current = u.IsCurrent != nil && *u.IsCurrent
	out.ServiceUser = u.IsServiceUser != nil && *u.IsServiceUser
	if u.LastLogin != nil {
		out.LastLogin = *u.LastLogin
	}
	if u.Permissions != nil {
		out.Permissions = u.Permissions.Modules
	}
	return out
}

func (c *Client) users(ctx context.Context, query string) ([]User, error) {
	var answer []api.User
	if err := c.get(ctx, "read the users", "/api/users"+query, &answer); err != nil {
		return nil, err
	}
	out := make([]User, 0, len(answer))
	for _, u := range answer {
		out = append(out, readUser(u))
	}
	return out, nil
}

func userPath(id string) string { return "/api/users/" + url.PathEscape(id) }

// Users is all users, or all that the token may see.
func (c *Client) Users(ctx context.Context) ([]User, error) { return c.users(ctx, "") }

// ServiceUsers is the service users alone: where the own entry of a service user's token is found.
func (c *Client) ServiceUsers(ctx context.Context) ([]User, error) {
	return c.users(ctx, "?service_user=true")
}

// ApproveUser lets in a user who waits for approval. Refused where the user doesn't wait.
func (c *Client) ApproveUser(ctx context.Context, id string) (User, error) {
	var u api.User
	err := c.send(ctx, "approve the user", http.MethodPost, userPath(id)+"/approve", struct{}{}, &u)
	return readUser(u), err
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
	var answer []api.PersonalAccessToken
	if err := c.get(ctx, "read the tokens", userPath(userID)+"/tokens", &answer); err != nil {
		return nil, err
	}
	out := make([]Token, 0, len(answer))
	for _, t := range answer {
		out = append(out, readToken(t))
	}
	return out, nil
}

func readToken(t api.PersonalAccessToken) Token {
	out := Token{ID: t.Id, Name: t.Name, Created: t.CreatedAt, Expires: t.ExpirationDate}
	if t.LastUsed != nil {
		out.LastUsed = *t.LastUsed
	}
	return out
}

// NewToken is a token with its key, which no API gives back: a secret.
type NewToken struct {
	Token
	Key string
}

// CreateToken makes a personal access token that lives that many days, 1 to 365. Names need not be unique.
func (c *Client) CreateToken(ctx context.Context, userID, name string, days int) (NewToken, error) {
	var made api.PersonalAccessTokenGenerated
	err := c.send(ctx, "make a token", http.MethodPost, userPath(userID)+"/tokens", api.PersonalAccessTokenRequest{Name: name, ExpiresIn: days}, &made)
	return NewToken{Token: readToken(made.PersonalAccessToken), Key: made.PlainToken}, err
}

// DeleteToken removes one.
func (c *Client) DeleteToken(ctx context.Context, userID, tokenID string) error {
	return c.send(ctx, "delete the token", http.MethodDelete, userPath(userID)+"/tokens/"+url.PathEscape(tokenID), nil, nil)
}
