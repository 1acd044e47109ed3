// Package authentik is a thin client of Authentik's API, as far as authbird needs it, for versions 2024.12 to 2026.8.
//
// It promises: lookups by exact key use the server's filters and check what comes back, since Authentik silently
// ignores a filter it doesn't know; nothing is read page by page to find one object; unknown enum values and new
// fields of a newer server survive a read; every failure is a *clients.Error with a kind. It refuses to decide:
// it knows no flow, no plan and no wish, and changes only what it is told.
package authentik

import (
	"context"
	"errors"
	"net/http"

	"authbird/clients"
)

// Client speaks to one Authentik with one token. It is safe for concurrent use.
type Client struct {
	base, token string
	tr          *clients.Transport
}

// New makes a client of the Authentik at base (as clients.BaseURL gives it). The token may be empty for what is public.
func New(base, token string, tr *clients.Transport) (*Client, error) {
	at, err := clients.BaseURL(base)
	if err != nil {
		return nil, err
	}
	return &Client{base: at, token: token, tr: tr}, nil
}

// BaseURL is scheme://host[:port], without a slash at the end.
func (c *Client) BaseURL() string { return c.base }

// WithToken is the same server with another token: what a rotation proves the new one with.
func (c *Client) WithToken(token string) *Client {
	return &Client{base: c.base, token: token, tr: c.tr}
}

// Hello is what anyone may learn of a server.
type Hello struct {
	Meta        clients.Meta
	IsAuthentik bool // the answer bears Authentik's mark, the header x-authentik-id
}

// Hello asks without a token. An answer that is not Authentik's is an error of kind WrongServer, with Meta filled.
func (c *Client) Hello(ctx context.Context) (Hello, error) {
	call := c.call("ask who is there", http.MethodGet, "root/config/", nil)
	call.Token = ""
	var config map[string]any
	a, err := c.tr.JSON(ctx, call, nil, &config)
	h := Hello{Meta: a.Meta, IsAuthentik: a.Header.Get(mark) != ""}
	if err == nil && !h.IsAuthentik {
		err = &clients.Error{Kind: clients.WrongServer, Server: "Authentik", Op: call.Op, Method: call.Method, URL: call.URL, Status: a.Status,
			Message: "what answers is not Authentik"}
	}
	return h, err
}

// Me is whom the token belongs to.
type Me struct {
	PK                int        `json:"pk"`
	Username          string     `json:"username"`
	Name              string     `json:"name"`
	Email             string     `json:"email"`
	Superuser         bool       `json:"is_superuser"`
	Type              string     `json:"type"`
	Groups            []GroupRef `json:"groups"`
	SystemPermissions []string   `json:"system_permissions"`
}

// GroupRef names a group.
type GroupRef struct {
	PK   string `json:"pk"`
	Name string `json:"name"`
}

// Me says whom the token belongs to. Any valid token may ask, so it settles whether a 403 elsewhere meant a bad
// token (then this is Unauthorised too) or a missing right.
func (c *Client) Me(ctx context.Context) (Me, error) {
	var answer struct {
		User Me `json:"user"`
	}
	err := c.get(ctx, "ask whose the token is", "core/users/me/", nil, &answer)
	if clients.KindOf(err) == clients.Forbidden { // any valid token may ask this
		var e *clients.Error
		errors.As(err, &e)
		e.Kind = clients.Unauthorised
	}
	return answer.User, err
}

// Settle asks Me where err is a 403 whose reason was not clear (its text was localised), and gives err back with
// the kind that it has: Unauthorised or Forbidden. Any other error comes back as it is.
func (c *Client) Settle(ctx context.Context, err error) error {
	var e *clients.Error
	if !errors.As(err, &e) || e.Kind != clients.Forbidden {
		return err
	}
	if _, meErr := c.Me(ctx); clients.KindOf(meErr) == clients.Unauthorised {
		e.Kind = clients.Unauthorised
	}
	return err
}

// Version is the server's version, such as "2025.12.0-rc1". Any valid token may ask.
func (c *Client) Version(ctx context.Context) (string, error) {
	var answer struct {
		Current string `json:"version_current"`
	}
	err := c.get(ctx, "read the version", "admin/version/", nil, &answer)
	return answer.Current, err
}
