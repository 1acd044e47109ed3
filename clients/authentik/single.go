package authentik

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
)

// CreateProvider makes a provider alone: for an application that stands there already. A name or client id that is
// taken is Conflict.
func (c *Client) CreateProvider(ctx context.Context, p ProviderSpec) (Provider, error) {
	var made Provider
	err := c.send(ctx, "create the provider", http.MethodPost, "providers/oauth2/", p, &made, p.ClientSecret)
	return made, err
}

// CreateApplicationFor makes an application for a provider that stands there already. A slug that is taken is
// Conflict.
func (c *Client) CreateApplicationFor(ctx context.Context, a ApplicationSpec, provider int) (Application, error) {
	body := struct {
		ApplicationSpec
		Provider int `json:"provider"`
	}{a, provider}
	var made Application
	err := c.send(ctx, "create the application", http.MethodPost, "core/applications/", body, &made)
	return made, err
}

// ActivateUser lets the user sign in, or no longer.
func (c *Client) ActivateUser(ctx context.Context, pk int, active bool) error {
	return c.send(ctx, "switch the user on or off", http.MethodPatch, userPath(pk), map[string]bool{"is_active": active}, nil)
}

// UsersPage is one page of the users, from 1, as NetBird reads them.
func (c *Client) UsersPage(ctx context.Context, number int) ([]User, error) {
	p, err := list[User](ctx, c, "read the users", "core/users/", url.Values{"page": {strconv.Itoa(number)}})
	return p.Results, err
}
