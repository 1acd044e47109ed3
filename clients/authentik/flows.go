package authentik

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
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
	var all []Flow
	for n := 1; ; n++ {
		q := url.Values{"page_size": {"100"}, "ordering": {"slug"}}
		if n > 1 {
			q.Set("page", strconv.Itoa(n))
		}
		p, err := list[Flow](ctx, c, "look for the flows", "flows/instances/", q)
		all = append(all, p.Results...)
		if err != nil || !p.more() {
			return all, err
		}
	}
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
	err := c.send(ctx, "create the flow", http.MethodPost, "flows/instances/", f, &made)
	return made, err
}

// DeleteFlow removes the flow of that slug.
func (c *Client) DeleteFlow(ctx context.Context, slug string) error {
	return c.remove(ctx, "delete the flow", "flows/instances/"+url.PathEscape(slug)+"/")
}

// CurrentBrand is the brand in force at the host that was asked. Flows are named by slug here, "" for none.
type CurrentBrand struct {
	MatchedDomain      string `json:"matched_domain"`
	FlowDeviceCode     string `json:"flow_device_code"`
	FlowAuthentication string `json:"flow_authentication"`
}

// CurrentBrand asks without a token, as a browser would.
func (c *Client) CurrentBrand(ctx context.Context) (CurrentBrand, error) {
	call := c.call("ask which brand is in force", http.MethodGet, "core/brands/current/", nil)
	call.Token = ""
	var b CurrentBrand
	_, err := c.tr.JSON(ctx, call, nil, &b)
	return b, c.kind(err)
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
	q := url.Values{"page_size": {"100"}}
	if domain != "" {
		q.Set("domain", domain)
	}
	p, err := list[Brand](ctx, c, "look for the brands", "core/brands/", q)
	return only(p.Results, func(b Brand) bool { return domain == "" || b.Domain == domain }), err
}

// SetBrandDeviceFlow sets the flow (by pk) for the device code, nil for none.
func (c *Client) SetBrandDeviceFlow(ctx context.Context, uuid string, flowPK *string) (Brand, error) {
	var b Brand
	err := c.send(ctx, "set the brand's device code flow", http.MethodPatch, "core/brands/"+url.PathEscape(uuid)+"/", map[string]any{"flow_device_code": flowPK}, &b)
	return b, err
}
