package authentik

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"authbird/clients"
)

const (
	applications = "/core/applications/"
	bindings     = "/policies/bindings/"
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

// Application reads the one of that slug (case matters). Absent where there is none. Never looked for in the list:
// that is cached without regard to filters, and hides what the admin may not open.
func (c *Client) Application(ctx context.Context, slug string) (Application, error) {
	const op = "read the application"
	var a Application
	at, err := applicationPath(op, slug)
	if err == nil {
		err = c.get(ctx, op, at, nil, &a)
	}
	return a, err
}

func applicationPath(op, slug string) (string, error) {
	id, err := segment(op, slug)
	return applications + id + "/", err
}

// ApplicationSpec is an application to create.
type ApplicationSpec struct {
	Name      string `json:"name"`
	Slug      string `json:"slug"`
	LaunchURL string `json:"meta_launch_url,omitempty"`
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
	const op = "create provider and application"
	if err := t.Provider.complete(op); err != nil {
		return err
	}
	body := map[string]any{
		"app":            t.Application,
		"provider_model": "authentik_providers_oauth2.oauth2provider",
		"provider":       t.Provider,
	}
	if len(t.Groups) > 0 {
		bound := make([]any, len(t.Groups))
		for i, group := range t.Groups {
			bound[i] = groupBinding(group, i)
		}
		body["policy_bindings"] = bound
	}
	var answer struct {
		Applied bool `json:"applied"`
	}
	err := c.send(ctx, op, http.MethodPut, "/core/transactional/applications/", body, &answer, t.Provider.ClientSecret)
	if err == nil && !answer.Applied {
		err = &clients.Error{Kind: clients.Refused, Server: product, Op: op, Status: http.StatusOK, Message: "the server applied nothing"}
	}
	unique := c.providerLookups("provider.", t.Provider)
	unique["app.slug"] = c.applicationLookup(t.Application.Slug)
	return taken(ctx, err, unique)
}

func (c *Client) applicationLookup(slug string) lookup {
	return func(ctx context.Context) (bool, error) { return one(c.Application(ctx, slug)) }
}

// CreateApplicationFor makes an application for a provider that stands there already. A slug that is taken is
// Conflict, and so is a provider that has an application.
func (c *Client) CreateApplicationFor(ctx context.Context, a ApplicationSpec, provider int) (Application, error) {
	var made Application
	err := c.send(ctx, "create the application", http.MethodPost, applications, struct {
		ApplicationSpec
		Provider int `json:"provider"`
	}{a, provider}, &made)
	return made, taken(ctx, err, map[string]lookup{
		"slug": c.applicationLookup(a.Slug),
		"provider": func(ctx context.Context) (bool, error) {
			p, err := c.Provider(ctx, provider)
			return p.AssignedApplicationSlug != "", err
		},
	})
}

// UpdateApplication sends just the changed fields, under the API's own names.
func (c *Client) UpdateApplication(ctx context.Context, slug string, changes map[string]any) (Application, error) {
	const op = "change the application"
	var a Application
	at, err := applicationPath(op, slug)
	if err == nil {
		err = c.send(ctx, op, http.MethodPatch, at, changes, &a)
	}
	return a, err
}

// DeleteApplication removes it; its provider stays.
func (c *Client) DeleteApplication(ctx context.Context, slug string) error {
	const op = "delete the application"
	if _, err := segment(op, slug); err != nil {
		return err
	}
	_, err := c.generated(op).CoreApi.CoreApplicationsDestroy(ctx, slug).Execute()
	return c.settled(op, err)
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

// UnmarshalJSON takes the group's name out of the object beside it.
func (b *Binding) UnmarshalJSON(raw []byte) error {
	type plain Binding
	wire := struct {
		*plain
		GroupObj *Group `json:"group_obj"`
	}{plain: (*plain)(b)}
	if err := json.Unmarshal(raw, &wire); err != nil {
		return err
	}
	if wire.GroupObj != nil {
		b.GroupName = wire.GroupObj.Name
	}
	return nil
}

// Bindings is what is bound to the target, an application's pk.
func (c *Client) Bindings(ctx context.Context, target string) ([]Binding, error) {
	all, err := list[Binding](ctx, c, "read the bindings", bindings, url.Values{"target": {target}, "ordering": {"order"}})
	return slices.DeleteFunc(all, func(b Binding) bool { return b.Target != target }), err
}

// CreateBinding binds a group to the target. The server accepts duplicates: list first.
func (c *Client) CreateBinding(ctx context.Context, target, group string, order int) (Binding, error) {
	var made Binding
	body := groupBinding(group, order)
	body["target"] = target
	err := c.send(ctx, "bind the group to the application", http.MethodPost, bindings, body, &made)
	return made, err
}

func groupBinding(group string, order int) map[string]any {
	return map[string]any{"group": group, "order": order, "negate": false, "enabled": true, "timeout": 30, "failure_result": false}
}

// DeleteBinding removes one.
func (c *Client) DeleteBinding(ctx context.Context, pk string) error {
	const op = "delete the binding"
	if _, err := segment(op, pk); err != nil {
		return err
	}
	_, err := c.generated(op).PoliciesApi.PoliciesBindingsDestroy(ctx, pk).Execute()
	return c.settled(op, err)
}

// Access is whether a user may open an application.
type Access struct {
	Passing  bool     `json:"passing"`
	Messages []string `json:"messages"`
}

// CheckAccess asks whether that user may open the application. The server honours the user for superusers only
// and silently answers for the caller otherwise: ask Me first.
func (c *Client) CheckAccess(ctx context.Context, slug string, userPK int) (Access, error) {
	const op = "check who may open the application"
	var a Access
	at, err := applicationPath(op, slug)
	if err == nil {
		err = c.get(ctx, op, at+"check_access/", url.Values{"for_user": {strconv.Itoa(userPK)}}, &a)
	}
	return a, err
}
