package authentik

import "context"

// Application is what a person sees and may open, and what hands out a provider.
type Application struct {
	PK               string `json:"pk"`
	Name             string `json:"name"`
	Slug             string `json:"slug"`
	Provider         int    `json:"provider"` // pk, 0 for none
	LaunchURL        string `json:"meta_launch_url"`
	PolicyEngineMode string `json:"policy_engine_mode"` // "any" or "all" of the bindings
}

// Application reads the one of that slug (case matters). Absent where there is none.
func (c *Client) Application(ctx context.Context, slug string) (Application, error) {
	return Application{}, errLater
}

// ApplicationSpec is an application to create.
type ApplicationSpec struct {
	Name      string `json:"name"`
	Slug      string `json:"slug"`
	LaunchURL string `json:"meta_launch_url,omitempty"`
}

// ProviderSpec is a provider to create. GrantTypes must be set: see the Grant constants.
type ProviderSpec struct {
	Name                   string        `json:"name"`
	AuthenticationFlow     string        `json:"authentication_flow,omitempty"` // pks
	AuthorizationFlow      string        `json:"authorization_flow"`
	InvalidationFlow       string        `json:"invalidation_flow"`
	ClientType             string        `json:"client_type"`
	ClientID               string        `json:"client_id"`
	ClientSecret           string        `json:"client_secret,omitempty"`
	RedirectURIs           []RedirectURI `json:"redirect_uris"`
	SigningKey             string        `json:"signing_key,omitempty"`
	PropertyMappings       []string      `json:"property_mappings"`
	SubMode                string        `json:"sub_mode,omitempty"`
	IncludeClaimsInIDToken bool          `json:"include_claims_in_id_token"`
	AccessCodeValidity     string        `json:"access_code_validity,omitempty"`
	GrantTypes             []string      `json:"grant_types"`
}

// Transaction is provider, application and bindings, made together or not at all.
type Transaction struct {
	Application ApplicationSpec
	Provider    ProviderSpec
	Groups      []string // pks of the groups that may open the application; none: everyone
}

// CreateApplication is the transactional create. It never changes what stands: a slug, provider name or client id
// that is taken is Conflict, with the fields "app.slug", "provider.name", "provider.client_id". The server tells no
// ids: find what was made by its client id.
func (c *Client) CreateApplication(ctx context.Context, t Transaction) error { return errLater }

// UpdateApplication sends just the changed fields, under the API's own names.
func (c *Client) UpdateApplication(ctx context.Context, slug string, changes map[string]any) (Application, error) {
	return Application{}, errLater
}

// DeleteApplication removes it; its provider stays.
func (c *Client) DeleteApplication(ctx context.Context, slug string) error { return errLater }

// Binding lets a group, user or policy say who may open its target.
type Binding struct {
	PK        string `json:"pk"`
	Target    string `json:"target"` // the application's pk
	Group     string `json:"group"`  // pk, "" for none
	GroupName string `json:"-"`
	User      int    `json:"user"`   // pk, 0 for none
	Policy    string `json:"policy"` // pk, "" for none
	Negate    bool   `json:"negate"`
	Enabled   bool   `json:"enabled"`
	Order     int    `json:"order"`
}

// Bindings is what is bound to the target, an application's pk.
func (c *Client) Bindings(ctx context.Context, target string) ([]Binding, error) {
	return nil, errLater
}

// CreateBinding binds a group to the target. The server accepts duplicates: list first.
func (c *Client) CreateBinding(ctx context.Context, target, group string, order int) (Binding, error) {
	return Binding{}, errLater
}

// DeleteBinding removes one.
func (c *Client) DeleteBinding(ctx context.Context, pk string) error { return errLater }

// Access is whether a user may open an application.
type Access struct {
	Passing  bool     `json:"passing"`
	Messages []string `json:"messages"`
}

// CheckAccess asks whether that user may open the application. The server honours the user for superusers only
// and silently answers for the caller otherwise: ask Me first.
func (c *Client) CheckAccess(ctx context.Context, slug string, userPK int) (Access, error) {
	return Access{}, errLater
}
