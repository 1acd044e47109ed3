// Package authentik is a thin client of Authentik's API, as far as authbird needs it, for versions 2024.12 to 2026.8.
//
// It promises: lookups by exact key use the server's filters and check what comes back, since Authentik silently
// ignores a filter it doesn't know; nothing is read page by page to find one object; unknown enum values and new
// fields of a newer server survive a read; every failure is a *clients.Error with a kind. It refuses to decide:
// it knows no flow, no plan and no wish, and changes only what it is told.
//
// The generated client (goauthentik.io/api/v3) makes the calls whose answers hold nothing that a newer server could
// say differently. Where it would choke on an enum value that it doesn't know, or couldn't send a field that a newer
// server wants, there are small structs here instead.
package authentik

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	api "goauthentik.io/api/v3"

	"authbird/clients"
)

const (
	product = "Authentik"
	mark    = "X-Authentik-Id" // every answer of Authentik bears it, errors and pages too
)

// Client speaks to one Authentik with one token. It is safe for concurrent use.
type Client struct {
	base, token string
	tr          *clients.Transport
}

// New makes a client of the Authentik at base (as clients.BaseURL gives it). The token may be empty for what is public.
func New(base, token string, tr *clients.Transport) (*Client, error) {
	base, err := clients.BaseURL(base)
	if err != nil {
		return nil, err
	}
	return &Client{base: base, token: token, tr: tr}, nil
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
	IsAuthentik bool // the answer bears Authentik's mark, the header x-authentik-id, or is its public configuration
}

// Hello asks without a token. An answer that is not Authentik's is an error of kind WrongServer, with Meta filled.
func (c *Client) Hello(ctx context.Context) (Hello, error) {
	var config struct {
		Capabilities []string `json:"capabilities"`
	}
	call := c.call("find Authentik", http.MethodGet, "/root/config/", nil)
	call.Token = ""
	a, err := c.tr.JSON(ctx, call, nil, &config)
	h := Hello{Meta: a.Meta, IsAuthentik: a.Header.Get(mark) != "" || err == nil && config.Capabilities != nil}
	if err == nil && !h.IsAuthentik {
		err = &clients.Error{Kind: clients.WrongServer, Server: product, Op: call.Op, Method: call.Method, URL: call.URL,
			Status: a.Status, Message: "what answers is not Authentik"}
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
	err := c.get(ctx, "see whom the token belongs to", "/core/users/me/", nil, &answer)
	if clients.KindOf(err) == clients.Forbidden { // whoever has a valid token may ask this
		err = withKind(err, clients.Unauthorised)
	}
	return answer.User, err
}

// Version is the server's version, such as "2025.12.0-rc1". Any valid token may ask.
func (c *Client) Version(ctx context.Context) (string, error) {
	const op = "read the version"
	v, _, err := c.generated(op).AdminApi.AdminVersionRetrieve(ctx).Execute()
	if err = c.settled(op, err); err != nil {
		return "", err
	}
	return clients.CleanN(v.VersionCurrent, 60), nil
}

// call is a request to the API with the client's token.
func (c *Client) call(op, method, path string, q url.Values) clients.Call {
	at := c.base + "/api/v3" + path
	if len(q) > 0 {
		at += "?" + q.Encode()
	}
	return clients.Call{Server: product, Op: op, Method: method, URL: at, Token: c.token, Mark: mark}
}

func (c *Client) get(ctx context.Context, op, path string, q url.Values, out any) error {
	_, err := c.tr.JSON(ctx, c.call(op, http.MethodGet, path, q), nil, out)
	return classify(err)
}

// send writes. The secrets are values in the body that no error may show.
func (c *Client) send(ctx context.Context, op, method, path string, in, out any, secrets ...string) error {
	call := c.call(op, method, path, nil)
	call.Secrets = secrets
	_, err := c.tr.JSON(ctx, call, in, out)
	return classify(err)
}

// generated is the generated client over our transport, for one call. Making one costs a few allocations.
func (c *Client) generated(op string, secrets ...string) *api.APIClient {
	conf := api.NewConfiguration()
	conf.Servers = api.ServerConfigurations{{URL: c.base + "/api/v3"}}
	conf.HTTPClient = c.tr.HTTPClient(clients.Call{Server: product, Op: op, Token: c.token, Mark: mark, Secrets: secrets})
	return api.NewAPIClient(conf)
}

// settled makes the error of a generated call one of ours. What is none of ours arose after a good answer.
func (c *Client) settled(op string, err error) error {
	var ours *clients.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &ours):
		return classify(ours)
	}
	return &clients.Error{Kind: clients.WrongServer, Server: product, Op: op, URL: c.base, Message: "the answer is not what this call answers"}
}

// segment is an id or slug as one part of a path. Those that a path would swallow name no object.
func segment(op, id string) (string, error) {
	if id == "" || id == "." || id == ".." {
		return "", absent(op, "no object has that name")
	}
	return url.PathEscape(id), nil
}
