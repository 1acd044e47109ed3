package authentik

import (
	"context"
	"time"
)

// What a token may be used for.
const (
	IntentAPI         = "api"
	IntentAppPassword = "app_password"
)

// Token is a token without its key.
type Token struct {
	PK          string `json:"pk"`
	Identifier  string `json:"identifier"`
	Intent      string `json:"intent"`
	User        int    `json:"user"` // pk
	Username    string `json:"-"`
	Description string `json:"description"`
	Managed     string `json:"managed"`
	Expiring    bool   `json:"expiring"`
	// Expires means something only where Expiring holds; else it may be any date. Zero where the server says none.
	Expires time.Time `json:"expires"`
}

// TokenFilter narrows a list of tokens; empty fields don't.
type TokenFilter struct {
	Identifier, Intent, Username string
}

// Tokens is the tokens that the filter leaves. With a limited token the server shows just its owner's.
func (c *Client) Tokens(ctx context.Context, f TokenFilter) ([]Token, error) { return nil, errLater }

// Token reads one. Absent where there is none.
func (c *Client) Token(ctx context.Context, identifier string) (Token, error) {
	return Token{}, errLater
}

// TokenSpec is a token to create. It never expires: a chosen life is authbird's own due date.
type TokenSpec struct {
	Identifier  string `json:"identifier"`
	Intent      string `json:"intent"`
	User        int    `json:"user,omitempty"` // pk; 0: the caller
	Description string `json:"description"`
}

// CreateToken makes one, with a key that the server chose. An identifier that is taken is Conflict.
func (c *Client) CreateToken(ctx context.Context, t TokenSpec) (Token, error) {
	return Token{}, errLater
}

// SetTokenKey makes key the token's key, at once.
func (c *Client) SetTokenKey(ctx context.Context, identifier, key string) error { return errLater }

// ViewTokenKey reads the key. Authentik logs that it was viewed.
func (c *Client) ViewTokenKey(ctx context.Context, identifier string) (string, error) {
	return "", errLater
}

// TokenChange is what UpdateToken sends. User and Intent must be what they are (or shall be): without them the
// server moves the token to the caller and makes an API token of it.
type TokenChange struct {
	User        int     `json:"user"`
	Intent      string  `json:"intent"`
	Identifier  *string `json:"identifier,omitempty"`
	Description *string `json:"description,omitempty"`
	Expiring    *bool   `json:"expiring,omitempty"`
}

// UpdateToken changes one.
func (c *Client) UpdateToken(ctx context.Context, identifier string, change TokenChange) (Token, error) {
	return Token{}, errLater
}

// DeleteToken removes one.
func (c *Client) DeleteToken(ctx context.Context, identifier string) error { return errLater }
