package authentik

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"authbird/clients"
)

// mark is the header that each answer of an Authentik bears.
const mark = "X-Authentik-Id"

// call is one request of the API; path begins below /api/v3/.
func (c *Client) call(op, method, path string, query url.Values) clients.Call {
	at := c.base + "/api/v3/" + path
	if len(query) > 0 {
		at += "?" + query.Encode()
	}
	return clients.Call{Server: "Authentik", Op: op, Method: method, URL: at, Token: c.token, Mark: mark}
}

// get reads one object.
func (c *Client) get(ctx context.Context, op, path string, query url.Values, out any) error {
	_, err := c.tr.JSON(ctx, c.call(op, http.MethodGet, path, query), nil, out)
	return c.kind(err)
}

// send makes one change; secrets must not come back in an error.
func (c *Client) send(ctx context.Context, op, method, path string, in, out any, secrets ...string) error {
	call := c.call(op, method, path, nil)
	call.Secrets = secrets
	_, err := c.tr.JSON(ctx, call, in, out)
	return c.kind(err)
}

// remove deletes one object.
func (c *Client) remove(ctx context.Context, op, path string) error {
	return c.send(ctx, op, http.MethodDelete, path, nil, nil)
}

// page is one page of a list.
type page[T any] struct {
	Pagination struct {
		Next json.Number `json:"next"`
	} `json:"pagination"`
	Results []T `json:"results"`
}

func (p page[T]) more() bool {
	n := p.Pagination.Next.String()
	return n != "" && n != "0" && n != "0.0"
}

// list reads the first page of what the filters leave.
func list[T any](ctx context.Context, c *Client, op, path string, query url.Values) (page[T], error) {
	var p page[T]
	err := c.get(ctx, op, path, query, &p)
	return p, err
}

// only keeps what has the key that was asked for: a filter that a server doesn't know it ignores without a word.
func only[T any](items []T, is func(T) bool) []T {
	var out []T
	for _, item := range items {
		if is(item) {
			out = append(out, item)
		}
	}
	return out
}

// unique names the fields that must be unique, as they stand in refusals.
var unique = map[string]bool{
	"name": true, "slug": true, "client_id": true, "identifier": true, "username": true, "provider": true,
	"app.slug": true, "provider.name": true, "provider.client_id": true, "non_field_errors": true,
}

// kind makes the kind of a refusal more exact: Authentik says 403 of a bad token too, and 400 of what is taken. The
// texts may be localised, so a 403 that none of the known ones explains stays Forbidden; Settle asks.
func (c *Client) kind(err error) error {
	var e *clients.Error
	if !errors.As(err, &e) {
		return err
	}
	switch {
	case e.Kind == clients.Forbidden && badToken(e.Fields["detail"]):
		e.Kind = clients.Unauthorised
	case e.Kind == clients.Refused && e.Status == http.StatusBadRequest && e.Method != http.MethodPatch && allUnique(e.Fields):
		e.Kind = clients.Conflict
	}
	return err
}

func badToken(texts []string) bool {
	for _, t := range texts {
		if strings.Contains(t, "Token invalid") || strings.Contains(t, "credentials were not provided") {
			return true
		}
	}
	return false
}

func allUnique(fields map[string][]string) bool {
	for name := range fields {
		if !unique[name] {
			return false
		}
	}
	return len(fields) > 0
}
