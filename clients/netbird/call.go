package netbird

import (
	"context"
	"net/http"

	"authbird/clients"
)

// call is one request of the API; path begins with /api.
func (c *Client) call(op, method, path string) clients.Call {
	return clients.Call{Server: "NetBird", Op: op, Method: method, URL: c.base + path, Token: c.token}
}

func (c *Client) get(ctx context.Context, op, path string, out any) error {
	_, err := c.tr.JSON(ctx, c.call(op, http.MethodGet, path), nil, out)
	return err
}

// send makes one change; secrets must not come back in an error.
func (c *Client) send(ctx context.Context, op, method, path string, in, out any, secrets ...string) error {
	call := c.call(op, method, path)
	call.Secrets = secrets
	_, err := c.tr.JSON(ctx, call, in, out)
	return err
}
