package export

import (
	"slices"
	"testing"

	"authbird/sim/schema"
)

// TestWhatCanBeSetIsWhatThePublishedSchemaTakes keeps the list of fields in
// line with Authentik's own.
func TestWhatCanBeSetIsWhatThePublishedSchemaTakes(t *testing.T) {
	for k, of := range map[kind]struct {
		request string
		extra   []string // that we know and the schema doesn't: of older and newer servers, and of blueprints
		left    []string // that are no setting: dates, and what Authentik keeps for itself
	}{
		kindProvider:    {request: "OAuth2ProviderRequest"},
		kindApplication: {request: "ApplicationRequest", extra: []string{"meta_hide"}},
		kindBinding:     {request: "PolicyBindingRequest"},
		kindRole:        {request: "RoleRequest", extra: []string{"permissions"}},
		kindGroup:       {request: "GroupRequest", extra: []string{"parent"}, left: []string{"users"}},
		kindAccount:     {request: "UserRequest", left: []string{"last_login"}},
		kindToken:       {request: "TokenRequest", extra: []string{"key"}, left: []string{"managed"}},
		kindFlow:        {request: "FlowRequest"},
		kindBrand:       {request: "BrandRequest", extra: []string{"flow_lockdown"}},
	} {
		fields, err := schema.AuthentikFields(of.request)
		if err != nil {
			t.Fatal(err)
		}
		for _, field := range fields {
			if !slices.Contains(settable[k], field) && !slices.Contains(of.left, field) {
				t.Errorf("%s: the schema takes %s, and it is not exported", k, field)
			}
		}
		for _, field := range settable[k] {
			if !slices.Contains(fields, field) && !slices.Contains(of.extra, field) {
				t.Errorf("%s: %s is exported, and the schema doesn't take it", k, field)
			}
		}
	}
}
