package authentik

import (
	"context"
	"net/http"
	"net/url"
)

// Flow is one of Authentik's flows.
type Flow struct {
	PK             string   `json:"pk"`
	Slug           string   `json:"slug"`
	Name           string   `json:"name"`
	Title          string   `json:"title"`
	Designation    string   `json:"designation"`
	Authentication string   `json:"authentication"`
	Stages         []string `json:"stages"` // their pks
}

// Flows is all of them, ordered by slug, in one request (reading flows is dear: 0.7 s each time).
func (c *Client) Flows(ctx context.Context) ([]Flow, error) {
	return list[Flow](ctx, c, "read the flows", "/flows/instances/", url.Values{"ordering": {"slug"}})
}

// FlowSpec is a flow to create.
type FlowSpec struct {
	Name           string `json:"name"`
	Slug           string `json:"slug"`
	Title          string `json:"title"`
	Designation    string `json:"designation"`
	Authentication string `json:"authentication"`
}

// CreateFlow makes a flow without stages. A slug that is taken is Conflict.
func (c *Client) CreateFlow(ctx context.Context, f FlowSpec) (Flow, error) {
	var made Flow
	err := c.send(ctx, "create the flow", http.MethodPost, "/flows/instances/", f, &made)
	return made, taken(ctx, err, map[string]lookup{"slug": func(ctx context.Context) (bool, error) {
		return some(exact(ctx, c, "look for the flow", "/flows/instances/", "slug", f.Slug, func(f Flow) string { return f.Slug }))
	}})
}

// DeleteFlow removes the flow of that slug.
func (c *Client) DeleteFlow(ctx context.Context, slug string) error {
	const op = "delete the flow"
	if _, err := segment(op, slug); err != nil {
		return err
	}
	_, err := c.generated(op).FlowsApi.FlowsInstancesDestroy(ctx, slug).Execute()
	return c.settled(op, err)
}

// CurrentBrand is the brand in force at the host that was asked. Flows are named by slug here, "" for none.
type CurrentBrand struct {
	MatchedDomain      string `json:"matched_domain"`
	FlowDeviceCode     string `json:"flow_device_code"`
	FlowAuthentication string `json:"flow_authentication"`
}

// CurrentBrand asks without a token, as a browser would.
func (c *Client) CurrentBrand(ctx context.Context) (CurrentBrand, error) {
	var b CurrentBrand
	err := c.WithToken("").get(ctx, "read the brand in force", "/core/brands/current/", nil, &b)
	return b, err
}

// Brand is one brand as an admin sees it. Flows are named by pk here, "" for none.
type Brand struct {
	UUID           string `json:"brand_uuid"`
	Domain         string `json:"domain"`
	Default        bool   `json:"default"`
	FlowDeviceCode string `json:"flow_device_code"`
}

// Brands is the brand of that domain, exactly; an empty domain lists them all.
func (c *Client) Brands(ctx context.Context, domain string) ([]Brand, error) {
	const op, path = "read the brands", "/core/brands/"
	if domain == "" {
		return list[Brand](ctx, c, op, path, nil)
	}
	return exact(ctx, c, op, path, "domain", domain, func(b Brand) string { return b.Domain })
}

// SetBrandDeviceFlow sets the flow (by pk) for the device code, nil for none.
func (c *Client) SetBrandDeviceFlow(ctx context.Context, uuid string, flowPK *string) (Brand, error) {
	const op = "set the brand's device code flow"
	var b Brand
	id, err := segment(op, uuid)
	if err != nil {
		return b, err
	}
	err = c.send(ctx, op, http.MethodPatch, "/core/brands/"+id+"/", map[string]any{"flow_device_code": flowPK}, &b)
	return b, err
}
