package export

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"authbird/clients/authentik"
	"authbird/facts"
)

// kind is what a resource is, whatever a format calls it.
type kind string

const (
	kindProvider    kind = "provider"
	kindApplication kind = "application"
	kindBinding     kind = "binding"
	kindRole        kind = "role"
	kindGroup       kind = "group"
	kindAccount     kind = "account"
	kindToken       kind = "token"
	kindFlow        kind = "flow"
	kindBrand       kind = "brand"
	kindConnector   kind = "connector"
	kindSettings    kind = "settings"
)

// ref is a field that names another object: one of this export by its kind, or
// one that stands outside of it by its name.
type ref struct {
	kind  kind   // of this export; "" for one outside
	what  string // outside: "flow", "mapping", "key", "group"
	name  string // outside: slug, managed name or name
	id    string // as the server names it
	whole bool   // by the object's own uuid where its number is another (applications, flows)
}

// secret is a field whose value is not told.
type secret string

// The secrets that an export has variables for.
const (
	clientSecret secret = "client_secret"
	appPassword  secret = "app_password"
)

// resource is one object with its fields under the API's names. A value is
// nil, a string, a bool, a json.Number, a []any, a map[string]any, a ref or a
// secret.
type resource struct {
	kind   kind
	label  string // unique in the export
	id     string // for an import
	fields map[string]any
	told   map[string]any // what the server tells and nobody can set
}

// names are the resource's fields in the order in which they are written.
func (r resource) names() []string { return slices.Sorted(maps.Keys(r.fields)) }

// settable are the fields that Authentik's API takes, by the kind of object:
// those of its published request schemas from 2024.12 to 2026.8. Whatever else
// an object has is told and can't be set.
var settable = map[kind][]string{
	kindProvider: {"name", "authentication_flow", "authorization_flow", "invalidation_flow", "property_mappings", "client_type",
		"client_id", "client_secret", "access_code_validity", "access_token_validity", "refresh_token_validity",
		"refresh_token_threshold", "include_claims_in_id_token", "signing_key", "encryption_key", "redirect_uris", "logout_uri",
		"logout_method", "sub_mode", "issuer_mode", "jwt_federation_sources", "jwt_federation_providers", "grant_types"},
	kindApplication: {"name", "slug", "provider", "backchannel_providers", "open_in_new_tab", "meta_launch_url", "meta_icon",
		"meta_description", "meta_publisher", "meta_hide", "policy_engine_mode", "group"},
	kindBinding: {"policy", "group", "user", "target", "negate", "enabled", "order", "timeout", "failure_result"},
	kindRole:    {"name", "permissions"},
	kindGroup:   {"name", "is_superuser", "parent", "parents", "attributes", "roles"},
	kindAccount: {"username", "name", "is_active", "groups", "roles", "email", "attributes", "path", "type"},
	kindToken:   {"identifier", "intent", "user", "description", "expires", "expiring", "key"},
	kindFlow: {"name", "slug", "title", "designation", "background", "policy_engine_mode", "compatibility_mode", "layout",
		"denied_action", "authentication"},
	kindBrand: {"domain", "default", "branding_title", "branding_logo", "branding_favicon", "branding_custom_css",
		"branding_default_flow_background", "flow_authentication", "flow_invalidation", "flow_recovery", "flow_unenrollment",
		"flow_user_settings", "flow_device_code", "flow_lockdown", "default_application", "web_certificate", "client_certificates", "attributes"},
}

// ownWords are what an object tells of itself that says nothing about how it
// is set up: what it is called in forms, the objects behind its references,
// pictures, and dates.
var ownWords = []string{"pk", "num_pk", "brand_uuid", "uuid", "uid", "component", "verbose_name", "verbose_name_plural", "meta_model_name",
	"assigned_application_slug", "assigned_application_name", "assigned_backchannel_application_slug", "assigned_backchannel_application_name",
	"provider_obj", "backchannel_providers_obj", "policy_obj", "group_obj", "user_obj", "groups_obj", "roles_obj", "users_obj", "parents_obj",
	"children", "children_obj", "parent_name", "launch_url", "meta_icon_url", "meta_icon_themed_urls", "branding_logo_themed_urls", "branding_favicon_themed_urls",
	"branding_default_flow_background_themed_urls", "avatar", "last_login", "date_joined", "password_change_date", "last_updated", "background_url",
	"background_themed_urls", "cache_count", "export_url", "policybindingmodel_ptr_id", "expires_in"}

// split puts an object's fields into those that can be set and those that are
// told.
func split(k kind, o authentik.Object) (fields, told map[string]any) {
	fields, told = map[string]any{}, map[string]any{}
	for name, value := range o {
		switch {
		case slices.Contains(settable[k], name) && (value != nil || refersTo[k][name] != "" || k == kindBinding):
			fields[name] = value
		case !slices.Contains(ownWords, name):
			told[name] = value
		}
	}
	return fields, told
}

// resources are the setup's objects, each after those that it refers to.
func resources(s facts.Standing) []resource {
	b := &builder{s: s}
	b.add(kindFlow, "slug", s.Flow)
	provider := b.add(kindProvider, "pk", s.Provider)
	if provider != nil && provider.fields["client_type"] == "confidential" {
		provider.fields["client_secret"] = clientSecret
	}
	b.add(kindApplication, "slug", s.Application)
	if role := b.add(kindRole, "pk", s.Role); role != nil {
		role.fields["permissions"] = texts(s.Permissions)
	}
	b.add(kindGroup, "pk", s.Group)
	b.add(kindAccount, "pk", s.Account)
	if token := b.add(kindToken, "identifier", s.Token); token != nil {
		token.fields["key"] = appPassword
		if token.fields["expiring"] == false { // then the date says nothing, and Authentik may refuse it
			token.told["expires"] = token.fields["expires"]
			delete(token.fields, "expires")
		}
	}
	for i, o := range s.Bindings {
		if binding := b.add(kindBinding, "pk", o); binding != nil {
			binding.label = fmt.Sprintf("netbird_%d", i+1)
		}
	}
	b.add(kindBrand, "brand_uuid", s.Brand)
	if c := s.Connector; c != nil {
		b.all = append(b.all, resource{kind: kindConnector, label: "authentik", id: c.ID, fields: map[string]any{
			"type": c.Type, "name": c.Name, "issuer": c.Issuer, "client_id": c.ClientID, "client_secret": clientSecret,
		}})
	}
	if s.Settings != nil {
		b.settings()
	}
	return b.all
}

func texts(list []string) []any {
	out := make([]any, 0, len(list))
	for _, x := range list {
		out = append(out, x)
	}
	return out
}

// labelOf is what the one object of a kind is called in an export.
func labelOf(k kind) string {
	switch k {
	case kindFlow:
		return "device_code"
	case kindRole, kindGroup:
		return "reader"
	}
	return "netbird"
}

// builder makes resources of objects.
type builder struct {
	s   facts.Standing
	all []resource
}

// add makes a resource of an object, where there is one.
func (b *builder) add(k kind, id string, o authentik.Object) *resource {
	if o == nil {
		return nil
	}
	r := resource{kind: k, label: labelOf(k), id: text(o[id])}
	r.fields, r.told = split(k, o)
	for name, value := range r.fields {
		r.fields[name] = b.refer(k, name, value)
	}
	b.all = append(b.all, r)
	return &b.all[len(b.all)-1]
}

// refersTo says what a field names, by kind of object and field.
var refersTo = map[kind]map[string]string{
	kindProvider: {"authentication_flow": "flow", "authorization_flow": "flow", "invalidation_flow": "flow",
		"property_mappings": "mapping", "signing_key": "key", "encryption_key": "key"},
	kindApplication: {"provider": "provider"},
	kindBinding:     {"target": "application", "group": "group", "user": "account"},
	kindGroup:       {"roles": "role"},
	kindAccount:     {"groups": "group", "roles": "role"},
	kindToken:       {"user": "account"},
	kindBrand: {"flow_authentication": "flow", "flow_invalidation": "flow", "flow_recovery": "flow", "flow_unenrollment": "flow",
		"flow_user_settings": "flow", "flow_device_code": "flow", "flow_lockdown": "flow", "default_application": "application",
		"web_certificate": "key", "client_certificates": "key"},
}

// refer makes references of the ids in a field.
func (b *builder) refer(k kind, name string, value any) any {
	what := refersTo[k][name]
	if what == "" || value == nil || value == "" {
		return value
	}
	if list, ok := value.([]any); ok {
		out := make([]any, 0, len(list))
		for _, v := range list {
			out = append(out, b.resolve(what, text(v)))
		}
		return out
	}
	return b.resolve(what, text(value))
}

// resolve finds what an id names: an object of this export, one outside of it
// whose name is known, or else nothing but the id.
func (b *builder) resolve(what, id string) ref {
	r := ref{what: what, id: id}
	own := map[string]struct {
		kind kind
		pk   string
	}{
		"provider": {kindProvider, text(b.s.Provider["pk"])}, "application": {kindApplication, text(b.s.Application["pk"])},
		"account": {kindAccount, text(b.s.Account["pk"])}, "role": {kindRole, text(b.s.Role["pk"])},
		"group": {kindGroup, text(b.s.Group["pk"])}, "flow": {kindFlow, text(b.s.Flow["pk"])},
	}
	if o := own[what]; o.pk != "" && o.pk == id {
		r.kind, r.whole = o.kind, what == "application" || what == "flow"
		return r
	}
	r.name = map[string]map[string]string{"flow": b.s.Flows, "mapping": b.s.Mappings, "key": b.s.Keys, "group": b.s.Names}[what][id]
	return r
}

// settings makes a resource of NetBird's account, with the settings that stand
// in an object of their own beside the others.
func (b *builder) settings() {
	r := resource{kind: kindSettings, label: "netbird", id: b.s.NetBirdAccount, fields: map[string]any{}, told: map[string]any{}}
	for name, value := range b.s.Settings {
		switch {
		case name == "extra":
			inner, _ := value.(map[string]any)
			maps.Copy(r.fields, inner)
		case name == "embedded_idp_enabled" || name == "local_auth_disabled":
			r.told[name] = value
		default:
			r.fields[name] = value
		}
	}
	b.all = append(b.all, r)
}

// text is an id as text.
func text(v any) string {
	switch x := v.(type) {
	case string:
		return x
	case json.Number:
		return x.String()
	}
	return ""
}

// plain is a value as one line of JSON, for a comment or a shell.
func plain(v any) string {
	switch x := v.(type) {
	case ref:
		return first(x.name, x.id)
	case secret:
		return ""
	case []any:
		out := make([]any, 0, len(x))
		for _, one := range x {
			if r, ok := one.(ref); ok {
				one = first(r.name, r.id)
			}
			out = append(out, one)
		}
		v = out
	case string:
		return x
	}
	raw, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(raw)
}

func first(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
