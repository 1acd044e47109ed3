package authentik

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"authbird/clients"
)

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
	var a Application
	err := c.get(ctx, "read the application", applicationPath(slug), nil, &a)
	return a, err
}

func applicationPath(slug string) string { return "core/applications/" + url.PathEscape(slug) + "/" }

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
func (c *Client) CreateApplication(ctx context.Context, t Transaction) error {
	body := struct {
		App      ApplicationSpec `json:"app"`
		Model    string          `json:"provider_model"`
		Provider ProviderSpec    `json:"provider"`
		Bindings []groupBinding  `json:"policy_bindings,omitempty"`
	}{t.Application, "authentik_providers_oauth2.oauth2provider", t.Provider, nil}
	for i, group := range t.Groups {
		body.Bindings = append(body.Bindings, newGroupBinding("", group, i))
	}
	var answer struct {
		Applied bool `json:"applied"`
	}
	const op = "create the provider and the application"
	err := c.send(ctx, op, http.MethodPut, "core/transactional/applications/", body, &answer, t.Provider.ClientSecret)
	if err == nil && !answer.Applied {
		return &clients.Error{Kind: clients.Unknown, Server: "Authentik", Op: op, Method: http.MethodPut, Message: "the answer doesn't say that it was applied"}
	}
	return err
}

// groupBinding is a binding of a group as it is created.
type groupBinding struct {
	Target  string `json:"target,omitempty"`
	Group   string `json:"group"`
	Order   int    `json:"order"`
	Negate  bool   `json:"negate"`
	Enabled bool   `json:"enabled"`
	Timeout int    `json:"timeout"`
}

func newGroupBinding(target, group string, order int) groupBinding {
	return groupBinding{Target: target, Group: group, Order: order, Enabled: true, Timeout: 30}
}

// UpdateApplication sends just the changed fields, under the API's own names.
func (c *Client) UpdateApplication(ctx context.Context, slug string, changes map[string]any) (Application, error) {
	var a Application
	err := c.send(ctx, "change the application", http.MethodPatch, applicationPath(slug), changes, &a)
	return a, err
}

// DeleteApplication removes it; its provider stays.
func (c *Client) DeleteApplication(ctx context.Context, slug string) error {
	return c.remove(ctx, "delete the application", applicationPath(slug))
}

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
	p, err := list[Binding](ctx, c, "read who may open the application", "policies/bindings/", url.Values{"target": {target}, "ordering": {"order"}, "page_size": {"100"}})
	return only(p.Results, func(b Binding) bool { return b.Target == target }), err
}

// CreateBinding binds a group to the target. The server accepts duplicates: list first.
func (c *Client) CreateBinding(ctx context.Context, target, group string, order int) (Binding, error) {
	var b Binding
	err := c.send(ctx, "bind the group to the application", http.MethodPost, "policies/bindings/", newGroupBinding(target, group, order), &b)
	return b, err
}

// DeleteBinding removes one.
func (c *Client) DeleteBinding(ctx context.Context, pk string) error {
	return c.remove(ctx, "delete the binding", "policies/bindings/"+url.PathEscape(pk)+"/")
}

// Access is whether a user may open an application.
type Access struct {
	Passing  bool     `json:"passing"`
	Messages []string `json:"messages"`
}

// CheckAccess asks whether that user may open the application. The server honours the user for superusers only
// and silently answers for the caller otherwise: ask Me first.
func (c *Client) CheckAccess(ctx context.Context, slug string, userPK int) (Access, error) {
	var a Access
	err := c.get(ctx, "ask who may open the application", applicationPath(slug)+"check_access/", url.Values{"for_user": {strconv.Itoa(userPK)}}, &a)
	return a, err
}
