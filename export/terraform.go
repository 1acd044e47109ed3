package export

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"

	"authbird/facts"
)

// tfType is how Terraform's providers call a kind of object: the resource's
// type and its arguments, by the documentation of goauthentik/authentik and
// netbirdio/netbird.
type tfType struct {
	name    string
	args    []string
	renamed map[string]string // the API's name → the argument's
	asJSON  []string          // arguments that take JSON as text
	uuid    string            // the attribute that holds the object's own uuid
}

var tfTypes = map[kind]tfType{
	kindProvider: {name: "authentik_provider_oauth2", renamed: map[string]string{"redirect_uris": "allowed_redirect_uris"},
		args: []string{"name", "client_id", "client_secret", "client_type", "authentication_flow", "authorization_flow", "invalidation_flow",
			"property_mappings", "signing_key", "encryption_key", "allowed_redirect_uris", "sub_mode", "issuer_mode", "include_claims_in_id_token",
			"access_code_validity", "access_token_validity", "refresh_token_validity", "refresh_token_threshold", "logout_uri", "logout_method",
			"jwt_federation_sources", "jwt_federation_providers", "grant_types"}},
	kindApplication: {name: "authentik_application", uuid: "uuid", renamed: map[string]string{"provider": "protocol_provider"},
		args: []string{"name", "slug", "protocol_provider", "backchannel_providers", "open_in_new_tab", "meta_launch_url", "meta_icon",
			"meta_description", "meta_publisher", "meta_hide", "policy_engine_mode", "group"}},
	kindBinding: {name: "authentik_policy_binding",
		args: []string{"target", "group", "user", "policy", "order", "enabled", "negate", "timeout", "failure_result"}},
	kindRole:    {name: "authentik_rbac_role", args: []string{"name"}},
	kindGroup:   {name: "authentik_group", args: []string{"name", "is_superuser", "parents", "attributes", "roles"}, asJSON: []string{"attributes"}},
	kindAccount: {name: "authentik_user", args: []string{"username", "name", "is_active", "groups", "roles", "email", "attributes", "path", "type"}, asJSON: []string{"attributes"}},
	kindToken:   {name: "authentik_token", args: []string{"identifier", "user", "intent", "description", "expires", "expiring"}},
	kindFlow: {name: "authentik_flow", uuid: "uuid",
		args: []string{"name", "slug", "title", "designation", "authentication", "background", "policy_engine_mode", "compatibility_mode", "layout", "denied_action"}},
	kindBrand: {name: "authentik_brand", asJSON: []string{"attributes"},
		args: []string{"domain", "default", "branding_title", "branding_logo", "branding_favicon", "branding_custom_css",
			"branding_default_flow_background", "flow_authentication", "flow_invalidation", "flow_recovery", "flow_unenrollment",
			"flow_user_settings", "flow_device_code", "flow_lockdown", "default_application", "web_certificate", "client_certificates", "attributes"}},
	kindConnector: {name: "netbird_identity_provider", args: []string{"type", "name", "issuer", "client_id", "client_secret"}},
	kindSettings: {name: "netbird_account_settings",
		args: []string{"auto_update_version", "dns_domain", "groups_propagation_enabled", "jwt_allow_groups", "jwt_groups_claim_name",
			"jwt_groups_enabled", "lazy_connection_enabled", "network_range", "network_traffic_logs_enabled", "network_traffic_logs_groups",
			"network_traffic_packet_counter_enabled", "peer_approval_enabled", "peer_expose_enabled", "peer_expose_groups",
			"peer_inactivity_expiration", "peer_inactivity_expiration_enabled", "peer_login_expiration", "peer_login_expiration_enabled",
			"regular_users_view_blocked", "routing_peer_dns_resolution_enabled", "user_approval_required"}},
}

// tfConnectorTypes are those that the provider netbirdio/netbird takes, up to
// its 0.0.9. "authentik" is none of them, and a connector's type can't change.
var tfConnectorTypes = []string{"entra", "google", "microsoft", "oidc", "okta", "pocketid", "zitadel"}

// tfWriter collects the parts of the text.
type tfWriter struct {
	standing facts.Standing
	data     map[string]string // the data sources that are needed: address → text
	labels   map[string]string // type and name of each → its label
	main     strings.Builder
}

func terraform(s facts.Standing, all []resource) string {
	w := &tfWriter{standing: s, data: map[string]string{}, labels: map[string]string{}}
	netbird := false
	for _, r := range all {
		if r.kind == kindConnector && !slices.Contains(tfConnectorTypes, text(r.fields["type"])) {
			w.outside(r)
			continue
		}
		netbird = netbird || r.kind == kindConnector || r.kind == kindSettings
		w.resource(r)
	}
	var b strings.Builder
	b.WriteString(heading(s, "For Terraform 1.5 or later, or OpenTofu: terraform init, terraform plan.",
		"The plan imports what stands; the secrets are variables (TF_VAR_client_secret and so on), and after that in Terraform's state."))
	b.WriteString("\n" + w.head(all, netbird) + "\n")
	for _, address := range sortedKeys(w.data) {
		b.WriteString(w.data[address] + "\n")
	}
	b.WriteString(w.main.String())
	return strings.TrimRight(b.String(), "\n") + "\n"
}

// head is the providers and the variables.
func (w *tfWriter) head(all []resource, netbird bool) string {
	f := hclwrite.NewEmptyFile()
	required := f.Body().AppendNewBlock("terraform", nil).Body().AppendNewBlock("required_providers", nil).Body()
	provider := func(source, version string) cty.Value {
		m := map[string]cty.Value{"source": cty.StringVal(source)}
		if version != "" {
			m["version"] = cty.StringVal(version)
		}
		return cty.ObjectVal(m)
	}
	required.SetAttributeValue("authentik", provider("goauthentik/authentik", authentikProvider(w.standing.AuthentikVersion)))
	if netbird {
		required.SetAttributeValue("netbird", provider("netbirdio/netbird", ""))
	}
	variable := func(name, description string) {
		f.Body().AppendNewline()
		v := f.Body().AppendNewBlock("variable", []string{name}).Body()
		v.SetAttributeRaw("type", word("string"))
		v.SetAttributeValue("sensitive", cty.True)
		v.SetAttributeValue("description", cty.StringVal(description))
	}
	variable("authentik_token", "API token of an administrator of Authentik")
	if netbird {
		variable("netbird_token", "personal access token of an administrator of NetBird")
	}
	if usesSecret(all, clientSecret) {
		variable(string(clientSecret), "client secret of the provider; authbird keeps it as client-secret")
	}
	f.Body().AppendNewline()
	ak := f.Body().AppendNewBlock("provider", []string{"authentik"}).Body()
	ak.SetAttributeValue("url", cty.StringVal(w.standing.AuthentikURL))
	ak.SetAttributeRaw("token", word("var.authentik_token"))
	if netbird {
		f.Body().AppendNewline()
		nb := f.Body().AppendNewBlock("provider", []string{"netbird"}).Body()
		nb.SetAttributeValue("management_url", cty.StringVal(w.standing.NetBirdURL))
		nb.SetAttributeRaw("token", word("var.netbird_token"))
	}
	return string(hclwrite.Format(f.Bytes()))
}

var release = regexp.MustCompile(`^(\d{4})\.(\d{1,2})`)

// authentikProvider is which versions of the provider fit the server: they are
// numbered alike.
func authentikProvider(server string) string {
	m := release.FindStringSubmatch(server)
	if m == nil {
		return ""
	}
	return "~> " + m[1] + "." + m[2] + ".0"
}

func usesSecret(all []resource, s secret) bool {
	return slices.ContainsFunc(all, func(r resource) bool { return r.fields["client_secret"] == s })
}

// word is a part of the language that is no literal.
func word(text string) hclwrite.Tokens {
	return hclwrite.Tokens{{Type: hclsyntax.TokenIdent, Bytes: []byte(text)}}
}

// resource writes one resource, its import, and what Terraform has no argument
// for.
func (w *tfWriter) resource(r resource) {
	t := tfTypes[r.kind]
	f := hclwrite.NewEmptyFile()
	imp := f.Body().AppendNewBlock("import", nil).Body()
	imp.SetAttributeRaw("to", word(t.name+"."+r.label))
	imp.SetAttributeValue("id", cty.StringVal(r.id))
	f.Body().AppendNewline()
	body := f.Body().AppendNewBlock("resource", []string{t.name, r.label}).Body()
	var without []string
	for _, name := range r.names() {
		value, arg := r.fields[name], name
		if t.renamed[name] != "" {
			arg = t.renamed[name]
		}
		switch {
		case r.kind == kindRole && name == "permissions":
			continue // resources of their own
		case value == nil:
			without = append(without, name+": none")
			continue
		case !slices.Contains(t.args, arg):
			without = append(without, name+": "+told(value))
			continue
		case slices.Contains(t.asJSON, arg):
			body.SetAttributeRaw(arg, jsonencode(value))
			continue
		}
		body.SetAttributeRaw(arg, w.tokens(r.kind, name, value))
	}
	w.main.WriteString(withoutArgument(r, without))
	w.main.Write(hclwrite.Format(f.Bytes()))
	w.main.WriteString("\n")
	if r.kind == kindRole {
		w.permissions(r)
	}
}

func told(v any) string {
	if s, ok := v.(secret); ok {
		return "a secret (" + string(s) + "), which the resource has no argument for"
	}
	return plain(v)
}

// withoutArgument is a comment of what a resource doesn't hold.
func withoutArgument(r resource, without []string) string {
	for _, name := range sortedKeys(r.told) {
		without = append(without, name+": "+plain(r.told[name]))
	}
	if len(without) == 0 {
		return ""
	}
	return comment(append([]string{"Also so on the server, and in no argument below:"}, without...)...)
}

// permissions writes a role's permissions. The provider can't import them; to
// give a role what it has already changes nothing.
func (w *tfWriter) permissions(r resource) {
	list, _ := r.fields["permissions"].([]any)
	for i, p := range list {
		f := hclwrite.NewEmptyFile()
		body := f.Body().AppendNewBlock("resource", []string{"authentik_rbac_permission_role", fmt.Sprintf("%s_%d", r.label, i+1)}).Body()
		body.SetAttributeRaw("role", word("authentik_rbac_role."+r.label+".id"))
		body.SetAttributeValue("permission", cty.StringVal(text(p)))
		w.main.WriteString(comment("The provider has no import for this; to give a role what it has already changes nothing."))
		w.main.Write(hclwrite.Format(f.Bytes()))
		w.main.WriteString("\n")
	}
}

// outside tells of a connector whose type the provider doesn't know.
func (w *tfWriter) outside(r resource) {
	lines := []string{
		fmt.Sprintf("NetBird's connector %q (%s) is of the type %q, which the provider netbirdio/netbird doesn't take (it takes %s).",
			plain(r.fields["name"]), r.id, plain(r.fields["type"]), strings.Join(tfConnectorTypes, ", ")),
		"So it stays outside of Terraform. A connector's type can't be changed; one that authbird makes with",
		"--connector-type oidc can be kept by Terraform. It stands with:",
	}
	for _, name := range r.names() {
		if _, hidden := r.fields[name].(secret); !hidden {
			lines = append(lines, "  "+name+" = "+plain(r.fields[name]))
		}
	}
	w.main.WriteString(comment(lines...) + "\n")
}

// tokens writes a value.
func (w *tfWriter) tokens(k kind, field string, v any) hclwrite.Tokens {
	switch x := v.(type) {
	case ref:
		return w.reference(k, field, x)
	case secret:
		return word("var." + string(x))
	case []any:
		var items []hclwrite.Tokens
		for _, one := range x {
			items = append(items, w.tokens(k, field, one))
		}
		return hclwrite.TokensForTuple(items)
	case map[string]any:
		var attrs []hclwrite.ObjectAttrTokens
		for _, name := range sortedKeys(x) {
			attrs = append(attrs, hclwrite.ObjectAttrTokens{Name: hclwrite.TokensForIdentifier(name), Value: w.tokens(k, field, x[name])})
		}
		return hclwrite.TokensForObject(attrs)
	case json.Number:
		return word(x.String())
	}
	return hclwrite.TokensForValue(literal(v))
}

func literal(v any) cty.Value {
	switch x := v.(type) {
	case bool:
		return cty.BoolVal(x)
	case string:
		return cty.StringVal(x)
	}
	return cty.NullVal(cty.DynamicPseudoType)
}

// jsonencode writes an object as a call of the function of that name.
func jsonencode(v any) hclwrite.Tokens {
	return hclwrite.TokensForFunctionCall("jsonencode", jsonTokens(v))
}

func jsonTokens(v any) hclwrite.Tokens {
	switch x := v.(type) {
	case map[string]any:
		var attrs []hclwrite.ObjectAttrTokens
		for _, name := range sortedKeys(x) {
			attrs = append(attrs, hclwrite.ObjectAttrTokens{Name: hclwrite.TokensForValue(cty.StringVal(name)), Value: jsonTokens(x[name])})
		}
		return hclwrite.TokensForObject(attrs)
	case []any:
		var items []hclwrite.Tokens
		for _, one := range x {
			items = append(items, jsonTokens(one))
		}
		return hclwrite.TokensForTuple(items)
	case json.Number:
		return word(x.String())
	}
	return hclwrite.TokensForValue(literal(v))
}

// reference names another resource, or a data source that finds what stands
// outside; where neither can be, the id stands as it is.
func (w *tfWriter) reference(k kind, field string, r ref) hclwrite.Tokens {
	if r.kind != "" {
		t := tfTypes[r.kind]
		attr := "id"
		if r.whole {
			attr = t.uuid
		}
		return word(t.name + "." + labelOf(r.kind) + "." + attr)
	}
	source := map[string]struct{ typ, by string }{
		"flow": {"authentik_flow", "slug"}, "mapping": {"authentik_property_mapping_provider_scope", "managed"},
		"key": {"authentik_certificate_key_pair", "name"}, "group": {"authentik_group", "name"},
	}[r.what]
	if r.name == "" || source.typ == "" {
		if r.what == "account" || r.what == "provider" { // numbers
			return word(r.id)
		}
		return hclwrite.TokensForValue(cty.StringVal(r.id))
	}
	if r.what == "mapping" && !strings.HasPrefix(r.name, "goauthentik.io/") {
		source.by = "name"
	}
	label := w.dataLabel(source.typ, r.name)
	f := hclwrite.NewEmptyFile()
	body := f.Body().AppendNewBlock("data", []string{source.typ, label}).Body()
	body.SetAttributeValue(source.by, cty.StringVal(r.name))
	switch r.what {
	case "key": // neither belongs into Terraform's state
		body.SetAttributeValue("fetch_key", cty.False)
		body.SetAttributeValue("fetch_certificate", cty.False)
	case "group":
		body.SetAttributeValue("include_users", cty.False)
	}
	w.data[source.typ+"."+label] = string(hclwrite.Format(f.Bytes()))
	return word("data." + source.typ + "." + label + ".id")
}

var notLabel = regexp.MustCompile(`[^a-zA-Z0-9_]+`)

// dataLabel is a name that Terraform takes, and that no other data source has.
func (w *tfWriter) dataLabel(typ, name string) string {
	of := typ + " " + name
	if label, known := w.labels[of]; known {
		return label
	}
	label := strings.TrimPrefix(strings.ToLower(name), "goauthentik.io/providers/oauth2/scope-")
	label = strings.Trim(notLabel.ReplaceAllString(label, "_"), "_")
	if !hclsyntax.ValidIdentifier(label) {
		label = "x_" + label
	}
	free := label
	for n := 2; w.data[typ+"."+free] != ""; n++ {
		free = fmt.Sprintf("%s_%d", label, n)
	}
	w.labels[of] = free
	return free
}
