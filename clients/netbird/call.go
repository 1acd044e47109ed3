package netbird

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"authbird/clients"
)

const product = "NetBird"

// call is one request of the API; path begins with /api.
func (c *Client) call(op, method, path string) clients.Call {
	return clients.Call{Server: product, Op: op, Method: method, URL: c.base + path, Token: *c.token.Load()}
}

func (c *Client) get(ctx context.Context, op, path string, out any) error {
	_, err := c.tr.JSON(ctx, c.call(op, http.MethodGet, path), nil, out)
	return classify(err)
}

// send makes one change; secrets must not come back in an error.
func (c *Client) send(ctx context.Context, op, method, path string, in, out any, secrets ...string) error {
	call := c.call(op, method, path)
	call.Secrets = secrets
	_, err := c.tr.JSON(ctx, call, in, out)
	return classify(err)
}

// told are refusals that NetBird answers with 500, by the end of their (never translated) texts. Any other 500 on a
// write leaves its outcome unknown.
var told = map[string]clients.Kind{
	"failed to update connector: not found":              clients.Absent,
	"connector type change not allowed":                  clients.Refused,
	"identity provider management requires embedded idp": clients.Unsupported,
}

// classify gives the 500s that are refusals their kind.
func classify(err error) error {
	var e *clients.Error
	if !errors.As(err, &e) || e.Status != http.StatusInternalServerError {
		return err
	}
	for text, kind := range told {
		if strings.HasSuffix(e.Message, text) {
			changed := *e
			changed.Kind = kind
			return &changed
		}
	}
	return err
}

// segment is an id as one part of a path. Those that a path would swallow name no object.
func segment(op, id string) (string, error) {
	if id == "" || id == "." || id == ".." {
		return "", &clients.Error{Kind: clients.Absent, Server: product, Op: op, Message: "no object has that id"}
	}
	return url.PathEscape(id), nil
}

// problem is an error of that call that the answer's content gives rise to.
func problem(call clients.Call, kind clients.Kind, status int, sentence string) error {
	return &clients.Error{Kind: kind, Server: product, Op: call.Op, Method: call.Method, URL: clients.Redact(call.URL),
		Status: status, Message: sentence}
}
