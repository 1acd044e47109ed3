package authentik

import "context"

// CreateProvider makes a provider alone: for an application that stands there already. A name or client id that is
// taken is Conflict.
func (c *Client) CreateProvider(ctx context.Context, p ProviderSpec) (Provider, error) {
	return Provider{}, errLater
}

// CreateApplicationFor makes an application for a provider that stands there already. A slug that is taken is
// Conflict.
func (c *Client) CreateApplicationFor(ctx context.Context, a ApplicationSpec, provider int) (Application, error) {
	return Application{}, errLater
}

// ActivateUser lets the user sign in, or no longer.
func (c *Client) ActivateUser(ctx context.Context, pk int, active bool) error { return errLater }

// UsersPage is one page of the users, from 1, as NetBird reads them.
func (c *Client) UsersPage(ctx context.Context, page int) ([]User, error) { return nil, errLater }
