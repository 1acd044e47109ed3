package authentik

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	api "goauthentik.io/api/v3"

	"authbird/clients"
)

const tokens = "/core/tokens/"

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

// UnmarshalJSON takes the owner's name out of the object beside it.
func (t *Token) UnmarshalJSON(raw []byte) error {
	type plain Token
	wire := struct {
		*plain
		UserObj struct {
			Username string `json:"username"`
		} `json:"user_obj"`
	}{plain: (*plain)(t)}
	if err := json.Unmarshal(raw, &wire); err != nil {
		return err
	}
	t.Username = wire.UserObj.Username
	return nil
}

// TokenFilter narrows a list of tokens; empty fields don't.
type TokenFilter struct {
	Identifier, Intent, Username string
}

func (f TokenFilter) query() url.Values {
	q := url.Values{"ordering": {"identifier"}}
	for name, value := range map[string]string{"identifier": f.Identifier, "intent": f.Intent, "user__username": f.Username} {
		if value != "" {
			q.Set(name, value)
		}
	}
	return q
}

// keep drops what a server gives that doesn't know the filter.
func (f TokenFilter) keep(all []Token) []Token {
	return slices.DeleteFunc(all, func(t Token) bool {
		return f.Identifier != "" && t.Identifier != f.Identifier || f.Intent != "" && t.Intent != f.Intent ||
			f.Username != "" && t.Username != f.Username
	})
}

// Tokens is the tokens that the filter leaves, at most 1,000. With a limited token the server shows just its owner's.
func (c *Client) Tokens(ctx context.Context, f TokenFilter) ([]Token, error) {
	all, err := list[Token](ctx, c, "read the tokens", tokens, f.query())
	return f.keep(all), err
}

// TokensAtAGlance is the first hundred of the tokens that the filter leaves, in one request. More reports that
// there are others: an administrator sees everybody's.
func (c *Client) TokensAtAGlance(ctx context.Context, f TokenFilter) (found []Token, more bool, err error) {
	q := f.query()
	q.Set("page_size", strconv.Itoa(pageSize))
	p, err := readPage[Token](ctx, c, "read the tokens", tokens, q)
	return f.keep(p.Results), p.Pagination.Next >= 1, err
}

// Token reads one. Absent where there is none.
func (c *Client) Token(ctx context.Context, identifier string) (Token, error) {
	const op = "read the token"
	var t Token
	at, err := tokenPath(op, identifier)
	if err == nil {
		err = c.get(ctx, op, at, nil, &t)
	}
	return t, err
}

func tokenPath(op, identifier string) (string, error) {
	id, err := segment(op, identifier)
	return tokens + id + "/", err
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
	var made Token
	err := c.send(ctx, "create the token", http.MethodPost, tokens, struct {
		TokenSpec
		Expiring bool `json:"expiring"`
	}{TokenSpec: t}, &made)
	return made, taken(ctx, err, map[string]lookup{"identifier": func(ctx context.Context) (bool, error) {
		return one(c.Token(ctx, t.Identifier))
	}})
}

// SetTokenKey makes key the token's key, at once.
func (c *Client) SetTokenKey(ctx context.Context, identifier, key string) error {
	const op = "set the token's key"
	if _, err := segment(op, identifier); err != nil {
		return err
	}
	_, err := c.generated(op, key).CoreApi.CoreTokensSetKeyCreate(ctx, identifier).
		TokenSetKeyRequest(api.TokenSetKeyRequest{Key: key}).Execute()
	return c.settled(op, err)
}

// ViewTokenKey reads the key. Authentik logs that it was viewed.
func (c *Client) ViewTokenKey(ctx context.Context, identifier string) (string, error) {
	const op = "read the token's key"
	if _, err := segment(op, identifier); err != nil {
		return "", err
	}
	view, _, err := c.generated(op).CoreApi.CoreTokensViewKeyRetrieve(ctx, identifier).Execute()
	if err = c.settled(op, err); err != nil {
		return "", err
	}
	return view.Key, nil
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

// UpdateToken changes one. Refused, before anything is sent, where the change names no user or no intent.
func (c *Client) UpdateToken(ctx context.Context, identifier string, change TokenChange) (Token, error) {
	const op = "change the token"
	var t Token
	at, err := tokenPath(op, identifier)
	if err != nil {
		return t, err
	}
	if change.User == 0 || change.Intent == "" {
		return t, &clients.Error{Kind: clients.Refused, Server: product, Op: op, Message: "a change must name the token's user and intent"}
	}
	err = c.send(ctx, op, http.MethodPatch, at, change, &t)
	return t, err
}

// DeleteToken removes one.
func (c *Client) DeleteToken(ctx context.Context, identifier string) error {
	const op = "delete the token"
	if _, err := segment(op, identifier); err != nil {
		return err
	}
	_, err := c.generated(op).CoreApi.CoreTokensDestroy(ctx, identifier).Execute()
	return c.settled(op, err)
}
