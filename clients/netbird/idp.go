package netbird

import "context"

// Types of a connector that authbird makes.
const (
	TypeAuthentik = "authentik"
	TypeOIDC      = "oidc"
)

// IdentityProvider is a connector. Its secret is in no answer.
type IdentityProvider struct {
	ID       string
	Type     string
	Name     string
	Issuer   string // byte for byte what the provider's discovery says
	ClientID string
}

// IdentityProviderSpec is a connector to create or to change.
type IdentityProviderSpec struct {
	Type         string // can't be changed later
	Name         string
	Issuer       string
	ClientID     string
	ClientSecret string // on a change, empty keeps the old one
}

// IdentityProviders is all connectors. It is empty, too, where the embedded provider is off.
func (c *Client) IdentityProviders(ctx context.Context) ([]IdentityProvider, error) {
	return nil, errLater
}

// IdentityProvider reads one. Absent where there is none.
func (c *Client) IdentityProvider(ctx context.Context, id string) (IdentityProvider, error) {
	return IdentityProvider{}, errLater
}

// CreateIdentityProvider makes a connector. NetBird fetches the issuer's discovery and checks nothing else: neither
// the credentials nor whether an equal connector stands there.
func (c *Client) CreateIdentityProvider(ctx context.Context, s IdentityProviderSpec) (IdentityProvider, error) {
	return IdentityProvider{}, errLater
}

// UpdateIdentityProvider changes a connector. If it has been opened since NetBird started (by a login, or a look at
// its login page), logins use the old values until NetBird restarts. Absent where there is none.
func (c *Client) UpdateIdentityProvider(ctx context.Context, id string, s IdentityProviderSpec) (IdentityProvider, error) {
	return IdentityProvider{}, errLater
}

// DeleteIdentityProvider removes one. A connector that replaces it makes every user a new one.
func (c *Client) DeleteIdentityProvider(ctx context.Context, id string) error { return errLater }

// Reach is whether NetBird's own network reaches an address.
type Reach struct {
	Reached        bool   // something answered NetBird by HTTP at that address with what Authentik would say (404)
	Status         int    // the HTTP status that NetBird got, 0 where it told none
	LooksAuthentik bool   // the page that it got names Authentik
	Said           string // NetBird's reason, in its words, cut
}

// ProbeReach asks NetBird for a connector whose issuer doesn't exist (<authentik>/application/o/<random>/). NetBird
// fetches it and must refuse, and says what it met: a test of the way from there, which changes nothing.
func (c *Client) ProbeReach(ctx context.Context, issuer string) (Reach, error) {
	return Reach{}, errLater
}
