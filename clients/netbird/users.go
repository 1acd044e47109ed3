package netbird

import (
	"context"
	"time"
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
func (c *Client) CurrentUser(ctx context.Context) (User, error) { return User{}, errLater }

// Users is all users, or all that the token may see.
func (c *Client) Users(ctx context.Context) ([]User, error) { return nil, errLater }

// ServiceUsers is the service users alone: where the own entry of a service user's token is found.
func (c *Client) ServiceUsers(ctx context.Context) ([]User, error) { return nil, errLater }

// ApproveUser lets in a user who waits for approval. Refused where the user doesn't wait.
func (c *Client) ApproveUser(ctx context.Context, id string) (User, error) { return User{}, errLater }

// Token is a personal access token without its key.
type Token struct {
	ID       string
	Name     string
	Created  time.Time
	Expires  time.Time
	LastUsed time.Time // zero: never
}

// Tokens is the personal access tokens of that user.
func (c *Client) Tokens(ctx context.Context, userID string) ([]Token, error) { return nil, errLater }

// NewToken is a token with its key, which no API gives back: a secret.
type NewToken struct {
	Token
	Key string
}

// CreateToken makes a personal access token that lives that many days, 1 to 365. Names need not be unique.
func (c *Client) CreateToken(ctx context.Context, userID, name string, days int) (NewToken, error) {
	return NewToken{}, errLater
}

// DeleteToken removes one.
func (c *Client) DeleteToken(ctx context.Context, userID, tokenID string) error { return errLater }
