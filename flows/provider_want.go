package flows

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"authbird/clients/authentik"
	"authbird/doctor"
	"authbird/facts"
)

// authenticationFlow is the flow that the documentation has people choose.
const authenticationFlow = "default-authentication-flow"

// connectorMappings are the scope mappings that NetBird's connector needs:
// without email and name a login ends in an error page.
var connectorMappings = []string{authentik.ScopeOpenID, authentik.ScopeEmail, authentik.ScopeProfile}

// connectorProvider is the provider that the answers ask for in connector mode.
func (w *Work) connectorProvider(f *facts.Facts) (authentik.ProviderSpec, error) {
	spec, err := w.baseProvider(f, connectorMappings)
	if err != nil {
		return spec, err
	}
	spec.ClientType = "confidential"
	spec.ClientSecret = f.Local.ClientSecret.Value
	spec.GrantTypes = []string{authentik.GrantAuthorizationCode, authentik.GrantRefreshToken}
	for _, uri := range connectorRedirects(f) {
		spec.RedirectURIs = append(spec.RedirectURIs, authentik.RedirectURI{MatchingMode: "strict", URL: uri})
	}
	return spec, nil
}

// connectorRedirects are where NetBird's embedded IdP sends people back to
// after a login and after a logout.
func connectorRedirects(f *facts.Facts) []string {
	e := f.NetBird.Embedded.Value
	return []string{e.RedirectURI(), e.LogoutURI()}
}

// baseProvider is what both modes want of a provider.
func (w *Work) baseProvider(f *facts.Facts, mappings []string) (authentik.ProviderSpec, error) {
	spec := authentik.ProviderSpec{Name: w.Answers.Name, ClientID: w.clientID(), IncludeClaimsInIDToken: true}
	key, ok := doctor.SigningKey(f, w.Answers.SigningKey)
	if !ok {
		return spec, errors.New("there is no RSA certificate to sign with in Authentik")
	}
	spec.SigningKey = key.PK
	for _, m := range f.Authentik.Mappings.Value {
		if slices.Contains(mappings, m.Managed) {
			spec.PropertyMappings = append(spec.PropertyMappings, m.PK)
		}
	}
	if len(spec.PropertyMappings) < len(mappings) {
		return spec, errors.New("one of its own scope mappings is missing in Authentik")
	}
	for slug, pk := range map[string]*string{
		authenticationFlow: &spec.AuthenticationFlow, w.Answers.AuthorizationFlow: &spec.AuthorizationFlow,
		authentik.InvalidationFlowSlug: &spec.InvalidationFlow,
	} {
		if *pk = flowPK(f, slug); *pk == "" {
			return spec, fmt.Errorf("there is no flow %q in Authentik", slug)
		}
	}
	return spec, nil
}

func flowPK(f *facts.Facts, slug string) string {
	for _, flow := range f.Authentik.Flows.Value {
		if flow.Slug == slug {
			return flow.PK
		}
	}
	return ""
}

func flowSlug(f *facts.Facts, pk string) string {
	for _, flow := range f.Authentik.Flows.Value {
		if flow.PK == pk {
			return flow.Slug
		}
	}
	return pk
}

// providerChange is one field of a provider that must change.
type providerChange struct {
	Field
	key    string // the API's name of it
	value  any
	before any
}

// remember adds what the field holds now, as JSON, to what Undo restores. A
// secret is never remembered.
func (c providerChange) remember(before map[string]string) map[string]string {
	text, err := json.Marshal(c.before)
	if c.before == nil || err != nil {
		return before
	}
	if before == nil {
		before = map[string]string{}
	}
	before[c.key] = string(text)
	return before
}

// providerChanges compares a provider that stands with the wanted one. Lists
// are only ever added to, and flows left as a person set them: what somebody
// else relies on stays. A foreign provider keeps its client id and secret, and
// one that was taken over keeps its authorization flow.
func providerChanges(f *facts.Facts, have authentik.Provider, want authentik.ProviderSpec, ours, made bool) []providerChange {
	var out []providerChange
	add := func(name, key, have, wanted string, value, before any) {
		out = append(out, providerChange{Field{Name: name, Have: have, Want: wanted}, key, value, before})
	}
	if have.ClientType != want.ClientType {
		add("client type", "client_type", have.ClientType, want.ClientType, want.ClientType, have.ClientType)
	}
	if ours && want.ClientSecret != "" && have.ClientSecret != want.ClientSecret {
		add("client secret", "client_secret", "another one", "the one in the keystore", want.ClientSecret, nil)
	}
	if !usableKey(f, have.SigningKey, want.SigningKey) {
		add("signing key", "signing_key", keyName(f, have.SigningKey), keyName(f, want.SigningKey), want.SigningKey, orNull(have.SigningKey))
	}
	if have.EncryptionKey != "" {
		add("encryption key", "encryption_key", keyName(f, have.EncryptionKey), "none", nil, have.EncryptionKey)
	}
	if missing := lacking(have.PropertyMappings, want.PropertyMappings); len(missing) > 0 {
		add("scope mappings", "property_mappings", mappingNames(f, have.PropertyMappings), mappingNames(f, append(slices.Clone(have.PropertyMappings), missing...)),
			append(slices.Clone(have.PropertyMappings), missing...), have.PropertyMappings)
	}
	if !have.IncludeClaimsInIDToken {
		add("claims in the id_token", "include_claims_in_id_token", "no", "yes", true, false)
	}
	if want.SubMode != "" && have.SubMode != want.SubMode {
		add("subject mode", "sub_mode", have.SubMode, want.SubMode, want.SubMode, have.SubMode)
	}
	if want.AccessCodeValidity != "" && have.AccessCodeValidity != want.AccessCodeValidity {
		add("access code validity", "access_code_validity", have.AccessCodeValidity, want.AccessCodeValidity, want.AccessCodeValidity, have.AccessCodeValidity)
	}
	if made && have.AuthorizationFlow != want.AuthorizationFlow {
		add("authorization flow", "authorization_flow", flowSlug(f, have.AuthorizationFlow), flowSlug(f, want.AuthorizationFlow), want.AuthorizationFlow, have.AuthorizationFlow)
	}
	if have.IssuerMode == "global" {
		add("issuer mode", "issuer_mode", "global", "per provider", "per_provider", "global")
	}
	if have.GrantTypes != nil {
		if missing := lacking(have.GrantTypes, want.GrantTypes); len(missing) > 0 {
			all := append(slices.Clone(have.GrantTypes), missing...)
			add("grant types", "grant_types", strings.Join(have.GrantTypes, " "), strings.Join(all, " "), all, have.GrantTypes)
		}
	}
	return out
}

// usableKey says whether the key that is set may stay: it is the wanted one, or
// nobody named one and it is RSA.
func usableKey(f *facts.Facts, have, want string) bool {
	if have == want {
		return true
	}
	for _, k := range f.Authentik.Keys.Value {
		if k.PK == have {
			return f.Ask.SigningKey == "" && (k.KeyType == "rsa" || k.KeyType == "")
		}
	}
	return false
}

// orNull is a reference as the API has it: null for none.
func orNull(pk string) any {
	if pk == "" {
		return json.RawMessage("null")
	}
	return pk
}

func keyName(f *facts.Facts, pk string) string {
	if pk == "" {
		return "none"
	}
	for _, k := range f.Authentik.Keys.Value {
		if k.PK == pk {
			return k.Name
		}
	}
	return pk
}

func mappingNames(f *facts.Facts, pks []string) string {
	names := make([]string, 0, len(pks))
	for _, pk := range pks {
		name := pk
		for _, m := range f.Authentik.Mappings.Value {
			if m.PK == pk {
				name = m.ScopeName
			}
		}
		names = append(names, name)
	}
	slices.Sort(names)
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, " ")
}

// lacking is what want has and have does not.
func lacking(have, want []string) []string {
	var out []string
	for _, w := range want {
		if !slices.Contains(have, w) {
			out = append(out, w)
		}
	}
	return out
}
