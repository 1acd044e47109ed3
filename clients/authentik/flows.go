package authentik

import "context"

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
func (c *Client) Flows(ctx context.Context) ([]Flow, error) { return nil, errLater }

// FlowSpec is a flow to create.
type FlowSpec struct {
	Name           string `json:"name"`
	Slug           string `json:"slug"`
	Title          string `json:"title"`
	Designation    string `json:"designation"`
	Authentication string `json:"authentication"`
}

// CreateFlow makes a flow without stages. A slug that is taken is Conflict.
func (c *Client) CreateFlow(ctx context.Context, f FlowSpec) (Flow, error) { return Flow{}, errLater }

// DeleteFlow removes the flow of that slug.
func (c *Client) DeleteFlow(ctx context.Context, slug string) error { return errLater }

// CurrentBrand is the brand in force at the host that was asked. Flows are named by slug here, "" for none.
type CurrentBrand struct {
	MatchedDomain      string `json:"matched_domain"`
	FlowDeviceCode     string `json:"flow_device_code"`
	FlowAuthentication string `json:"flow_authentication"`
}

// CurrentBrand asks without a token, as a browser would.
func (c *Client) CurrentBrand(ctx context.Context) (CurrentBrand, error) {
	return CurrentBrand{}, errLater
}

// Brand is one brand as an admin sees it. Flows are named by pk here, "" for none.
type Brand struct {
	UUID           string `json:"brand_uuid"`
	Domain         string `json:"domain"`
	Default        bool   `json:"default"`
	FlowDeviceCode string `json:"flow_device_code"`
}

// Brands is the brand of that domain, exactly; an empty domain lists them all.
func (c *Client) Brands(ctx context.Context, domain string) ([]Brand, error) { return nil, errLater }

// SetBrandDeviceFlow sets the flow (by pk) for the device code, nil for none.
func (c *Client) SetBrandDeviceFlow(ctx context.Context, uuid string, flowPK *string) (Brand, error) {
	return Brand{}, errLater
}
