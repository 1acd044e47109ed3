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
	"fmt"
	"net/http"
	"sync/atomic"

	"github.com/netbirdio/netbird/shared/management/http/api"
	"github.com/rs/xid"

	"authbird/clients"
)

// Client speaks to one NetBird. It is safe for concurrent use.
type Client struct {
	base  string
	token atomic.Pointer[string]
	tr    *clients.Transport
}

// New makes a client of the NetBird at base (as clients.BaseURL gives it). The token, a personal access token or
// a JWT, may be empty for what is public.
func New(base, token string, tr *clients.Transport) (*Client, error) {
	at, err := clients.BaseURL(base)
	if err != nil {
		return nil, err
	}
	c := &Client{base: at, tr: tr}
	c.SetToken(token)
	return c, nil
}

// BaseURL is scheme://host[:port], without a slash at the end.
func (c *Client) BaseURL() string { return c.base }

// SetToken makes the client use another token from now on: the one that a sign-in brought.
func (c *Client) SetToken(token string) { c.token.Store(&token) }

// WithToken is the same server with another token.
func (c *Client) WithToken(token string) *Client {
	other := &Client{base: c.base, tr: c.tr}
	other.SetToken(token)
	return other
}

// At is a client of the server at another address, without a token: it is not known yet who is there.
func (c *Client) At(base string) (*Client, error) { return New(base, "", c.tr) }

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

// mostRequests is how far the counter may go between two looks of one run. It has three bytes and begins anywhere, so
// a restart that leaves the process id as it was lands within by chance once in 256 times.
const mostRequests = 1 << 16

// mostAtOnce is the same for two looks with a few seconds between them.
const mostAtOnce = 1 << 12

// SameRun reports whether p, seen after q, comes from the same run of the server. Known is false where one of
// them tells nothing. In a container the server is process 1 in each of its lives: there only the counter jumps.
func (p Process) SameRun(q Process) (same, known bool) { return p.within(q, mostRequests) }

// SameRunAtOnce is SameRun where q was seen a moment before p, so that hardly a request can have come between them.
func (p Process) SameRunAtOnce(q Process) (same, known bool) { return p.within(q, mostAtOnce) }

func (p Process) within(q Process, most uint32) (same, known bool) {
	if p.ID == "" || q.ID == "" {
		return false, false
	}
	ahead := (p.Counter - q.Counter) & 0xffffff
	return p.ID == q.ID && ahead < most, true
}

// processOf reads machine, process and counter out of an X-Request-Id.
func processOf(h http.Header) Process {
	id, err := xid.FromString(h.Get("X-Request-Id"))
	if err != nil {
		return Process{}
	}
	return Process{ID: fmt.Sprintf("%x%04x", id.Machine(), id.Pid()), Counter: uint32(id.Counter())}
}

const notNetBird = "what answers is not NetBird, is one older than 0.62, or something stands in front of it"

// Instance asks without a token. What answers otherwise than NetBird does is WrongServer, with Meta filled.
func (c *Client) Instance(ctx context.Context) (Instance, error) { return c.instance(ctx, false) }

// Glance is Instance in one attempt, for whoever watches a restart: an attempt that failed says that it is under way.
func (c *Client) Glance(ctx context.Context) (Instance, error) { return c.instance(ctx, true) }

func (c *Client) instance(ctx context.Context, once bool) (Instance, error) {
	call := c.call("find NetBird", http.MethodGet, "/api/instance")
	call.Token, call.Once = "", once
	var answer struct {
		SetupRequired *bool `json:"setup_required"`
	}
	a, err := c.tr.JSON(ctx, call, nil, &answer)
	i := Instance{Meta: a.Meta, Process: processOf(a.Header)}
	if err == nil && answer.SetupRequired == nil {
		err = problem(call, clients.WrongServer, a.Status, notNetBird)
	}
	switch clients.KindOf(err) {
	case 0:
	case clients.Unsupported, clients.Absent, clients.Unauthorised, clients.Forbidden: // NetBird answers anyone here
		return i, problem(call, clients.WrongServer, a.Status, notNetBird)
	default:
		return i, err
	}
	i.SetupRequired = *answer.SetupRequired
	return i, nil
}

// Version is the management server's version, such as "0.77.1". Unsupported before v0.64.2, which has no such call.
func (c *Client) Version(ctx context.Context) (string, error) {
	var answer api.InstanceVersionInfo
	err := c.get(ctx, "read the version", "/api/instance/version", &answer)
	return clients.CleanN(answer.ManagementCurrentVersion, 60), err
}

// Owner is what Setup made.
type Owner struct {
	UserID string
	Email  string
}

// Setup creates the owner of a fresh instance; the password has 8 to 72 characters. It never asks for a token in
// the same step: that leaves an account without a domain. Conflict where the setup was done already.
func (c *Client) Setup(ctx context.Context, email, name, password string) (Owner, error) {
	call := c.call("create the owner", http.MethodPost, "/api/setup")
	call.Token, call.Secrets = "", []string{password}
	var answer api.SetupResponse
	_, err := c.tr.JSON(ctx, call, api.SetupRequest{Email: email, Name: name, Password: password}, &answer)
	return Owner{UserID: answer.UserId, Email: answer.Email}, err
}
