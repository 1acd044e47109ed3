// Package netbird is a thin client of a self-hosted NetBird's management API and of its embedded identity
// provider, as far as authbird needs them, for versions 0.62 to 0.78.
//
// It promises: whatever a newer server adds survives a read, and the account's settings are sent back whole;
// server text is cut before the page that NetBird quotes in it; no call asks for offline_access, which can hang the
// embedded provider. It refuses to hide what NetBird doesn't check: two equal connectors are accepted, so
// a create is sent once and never again by itself.
package netbird

import (
	"context"
	"errors"

	"authbird/clients"
)

var errLater = errors.New("not built yet")

// Client speaks to one NetBird. It is safe for concurrent use.
type Client struct {
	base, token string
	tr          *clients.Transport
}

// New makes a client of the NetBird at base (as clients.BaseURL gives it). The token, a personal access token or
// a JWT, may be empty for what is public.
func New(base, token string, tr *clients.Transport) (*Client, error) {
	return &Client{base: base, token: token, tr: tr}, nil
}

// BaseURL is scheme://host[:port], without a slash at the end.
func (c *Client) BaseURL() string { return c.base }

// SetToken makes the client use another token from now on: the one that a sign-in brought.
func (c *Client) SetToken(token string) { c.token = token }

// WithToken is the same server with another token.
func (c *Client) WithToken(token string) *Client {
	return &Client{base: c.base, token: token, tr: c.tr}
}

// Instance is what anyone may learn of a server.
type Instance struct {
	SetupRequired bool         // no owner yet; also false where the embedded provider is off
	Process       Process      // the process that answered; its zero value where a proxy hides it
	Meta          clients.Meta // clock, certificate
}

// Process tells one run of a NetBird server from the next, by the X-Request-Id of its answers (an xid).
type Process struct {
	ID      string // machine and process part, in hex; "" where there is none
	Counter uint32 // grows by the requests served; begins anywhere
}

// SameRun reports whether p, seen after q, comes from the same run of the server. Known is false where one of
// them tells nothing.
func (p Process) SameRun(q Process) (same, known bool) { return false, false }

// Instance asks without a token. What answers otherwise than NetBird does is WrongServer, with Meta filled.
func (c *Client) Instance(ctx context.Context) (Instance, error) { return Instance{}, errLater }

// Version is the management server's version, such as "0.77.1". Unsupported before v0.64.2, which has no such call.
func (c *Client) Version(ctx context.Context) (string, error) { return "", errLater }

// Owner is what Setup made.
type Owner struct {
	UserID string
	Email  string
}

// Setup creates the owner of a fresh instance; the password has 8 to 72 characters. It never asks for a token in
// the same step: that leaves an account without a domain. Conflict where the setup was done already.
func (c *Client) Setup(ctx context.Context, email, name, password string) (Owner, error) {
	return Owner{}, errLater
}
