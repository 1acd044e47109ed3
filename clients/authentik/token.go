package authentik

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
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
func (c *Client) Tokens(ctx context.Context, f TokenFilter) ([]Token, error) {
	q := url.Values{"page_size": {"100"}, "ordering": {"identifier"}}
	for name, value := range map[string]string{"identifier": f.Identifier, "intent": f.Intent, "user__username": f.Username} {
		if value != "" {
			q.Set(name, value)
		}
	}
	p, err := list[Token](ctx, c, "look for tokens", "core/tokens/", q)
	return only(p.Results, func(t Token) bool {
		return (f.Identifier == "" || t.Identifier == f.Identifier) && (f.Intent == "" || t.Intent == f.Intent) && (f.Username == "" || t.Username == f.Username)
	}), err
}

// UnmarshalJSON reads the owner's name out of the object that a token holds.
func (t *Token) UnmarshalJSON(data []byte) error {
	type plain Token
	both := struct {
		*plain
		Owner struct {
			Username string `json:"username"`
		} `json:"user_obj"`
	}{plain: (*plain)(t)}
	err := json.Unmarshal(data, &both)
	t.Username = both.Owner.Username
	return err
}

func tokenPath(identifier string) string { return "core/tokens/" + url.PathEscape(identifier) + "/" }

// Token reads one. Absent where there is none.
func (c *Client) Token(ctx context.Context, identifier string) (Token, error) {
	var t Token
	err := c.get(ctx, "read the token", tokenPath(identifier), nil, &t)
	return t, err
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
	body := struct {
		TokenSpec
		Expiring bool `json:"expiring"`
	}{TokenSpec: t}
	var made Token
	err := c.send(ctx, "create the token", http.MethodPost, "core/tokens/", body, &made)
	return made, err
}

// SetTokenKey makes key the token's key, at once.
func (c *Client) SetTokenKey(ctx context.Context, identifier, key string) error {
	return c.send(ctx, "set the token's key", http.MethodPost, tokenPath(identifier)+"set_key/", map[string]string{"key": key}, nil, key)
}

// ViewTokenKey reads the key. Authentik logs that it was viewed.
func (c *Client) ViewTokenKey(ctx context.Context, identifier string) (string, error) {
	var answer struct {
		Key string `json:"key"`
	}
	err := c.get(ctx, "read the token's key", tokenPath(identifier)+"view_key/", nil, &answer)
	return answer.Key, err
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
	var t Token
	err := c.send(ctx, "change the token", http.MethodPatch, tokenPath(identifier), change, &t)
	return t, err
}

// DeleteToken removes one.
func (c *Client) DeleteToken(ctx context.Context, identifier string) error {
	return c.remove(ctx, "delete the token", tokenPath(identifier))
}
