package authentik

import (
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

const providerModel = "authentik_providers_oauth2.oauth2provider"

// The grants of the token endpoint.
const (
	grantCode        = "authorization_code"
	grantRefresh     = "refresh_token"
	grantImplicit    = "implicit"
	grantClient      = "client_credentials"
	grantPassword    = "password"
	grantDevice      = "urn:ietf:params:oauth:grant-type:device_code"
	grantHybrid      = "hybrid"
	subHashed        = "hashed_user_id"
	issuerPerApp     = "per_provider"
	issuerGlobal     = "global"
	confidential     = "confidential"
	public           = "public"
	matchingStrict   = "strict"
	matchingRegex    = "regex"
	fullListQuery    = "superuser_full_list"
	modelProviderKey = "provider_model"
)

var (
	grantTypes = []string{grantCode, grantRefresh, grantImplicit, grantHybrid, grantClient, grantPassword, grantDevice}
	subModes   = []string{subHashed, "user_id", "user_uuid", "user_username", "user_email", "user_upn"}
)

func itoa(n int) string { return strconv.Itoa(n) }

// knowsGrants tells whether providers have grant_types, which are enforced
// then, and empty unless they were sent.
func (v version) knowsGrants() bool { return v.from(2026, 5) }

// showProviderBriefly is a provider as applications and the list of all
// providers have it.
func (s *Server) showProviderBriefly(p *provider) map[string]any {
	m := map[string]any{"pk": p.PK, "name": p.Name, "authentication_flow": orNull(p.AuthenticationFlow),
		"authorization_flow": p.AuthorizationFlow, "invalidation_flow": orNull(p.InvalidationFlow),
		"property_mappings": append([]string{}, p.Mappings...), "component": "ak-provider-oauth2-form",
		"assigned_application_slug": nil, "assigned_application_name": nil, "verbose_name": "OAuth2/OpenID Provider",
		"verbose_name_plural": "OAuth2/OpenID Providers", "meta_model_name": providerModel}
	if a := s.st.appByProv[p.PK]; a != nil {
		m["assigned_application_slug"], m["assigned_application_name"] = a.Slug, a.Name
	}
	return m
}

func (s *Server) showProvider(p *provider) map[string]any {
	m := s.showProviderBriefly(p)
	uris := []any{}
	for _, u := range p.RedirectURIs {
		one := map[string]any{"matching_mode": u.Mode, "url": u.URL}
		if s.version.from(2026, 5) {
			one["redirect_uri_type"] = u.Type
		}
		uris = append(uris, one)
	}
	m["client_type"], m["client_id"], m["client_secret"] = p.ClientType, p.ClientID, p.ClientSecret
	m["access_code_validity"], m["access_token_validity"], m["refresh_token_validity"] = p.CodeValidity, p.AccessValidity, p.RefreshValidity
	m["include_claims_in_id_token"], m["signing_key"], m["encryption_key"] = p.ClaimsInIDToken, orNull(p.SigningKey), orNull(p.EncryptionKey)
	m["redirect_uris"], m["sub_mode"], m["issuer_mode"] = uris, p.SubMode, p.IssuerMode
	m["jwt_federation_sources"], m["jwt_federation_providers"] = append([]string{}, p.FederationSources...), append([]int{}, p.FederationProviders...)
	if s.version.from(2025, 10) {
		m["logout_uri"], m["logout_method"], m["refresh_token_threshold"] = p.LogoutURI, p.LogoutMethod, p.RefreshThreshold
	}
	if s.version.knowsGrants() {
		m["grant_types"] = append([]string{}, p.GrantTypes...)
	}
	return m
}

func (s *Server) newProvider() *provider {
	return &provider{ClientType: confidential, ClientID: s.text(40, letters), ClientSecret: s.text(128, letters),
		CodeValidity: "minutes=1", AccessValidity: "hours=1", RefreshValidity: "days=30", RefreshThreshold: "seconds=0",
		ClaimsInIDToken: true, LogoutMethod: "backchannel", SubMode: subHashed, IssuerMode: issuerPerApp, GrantTypes: []string{}}
}

func (c *call) readProvider(p *provider, partial bool) map[string]any {
	f, st := c.form(partial), c.s.st
	isFlow := func(pk string) bool { return st.flow(pk) != nil }
	isKey := func(pk string) bool { return st.key(pk) != nil }
	f.text("name", &p.Name, textRule{required: true, check: func(name string) string {
		if other := st.provByName[name]; other != nil && other.PK != p.PK {
			return "provider with this name already exists."
		}
		return ""
	}})
	f.pk("authentication_flow", &p.AuthenticationFlow, false, true, isFlow)
	f.pk("authorization_flow", &p.AuthorizationFlow, true, false, isFlow)
	f.pk("invalidation_flow", &p.InvalidationFlow, true, false, isFlow)
	f.pks("property_mappings", &p.Mappings, func(pk string) bool { return st.mapping(pk) != nil })
	f.choice("client_type", &p.ClientType, false, confidential, public)
	f.text("client_id", &p.ClientID, textRule{max: 255, check: func(id string) string {
		if other := st.provByID[id]; other != nil && other.PK != p.PK {
			return "OAuth2/OpenID Provider with this Client ID already exists."
		}
		return ""
	}})
	f.text("client_secret", &p.ClientSecret, textRule{blank: true, max: 255})
	f.text("access_code_validity", &p.CodeValidity, textRule{check: durationRule})
	f.text("access_token_validity", &p.AccessValidity, textRule{check: durationRule})
	f.text("refresh_token_validity", &p.RefreshValidity, textRule{check: durationRule})
	f.flag("include_claims_in_id_token", &p.ClaimsInIDToken)
	f.pk("signing_key", &p.SigningKey, false, true, isKey)
	f.pk("encryption_key", &p.EncryptionKey, false, true, isKey)
	f.redirectURIs(&p.RedirectURIs)
	f.choice("sub_mode", &p.SubMode, false, subModes...)
	f.choice("issuer_mode", &p.IssuerMode, false, issuerGlobal, issuerPerApp)
	f.numberPKs("jwt_federation_providers", &p.FederationProviders, func(pk int) bool { return st.provByPK[pk] != nil })
	if c.s.version.from(2025, 10) {
		f.text("logout_uri", &p.LogoutURI, textRule{blank: true})
		f.choice("logout_method", &p.LogoutMethod, false, "backchannel", "frontchannel")
		f.text("refresh_token_threshold", &p.RefreshThreshold, textRule{check: durationRule})
	}
	if c.s.version.knowsGrants() {
		f.texts("grant_types", &p.GrantTypes, grantTypes...)
	}
	if f.bad() {
		return f.errs
	}
	return nil
}

// redirectURIs reads the list of URIs. Duplicates and what is no URL at all
// are taken; only a pattern must be one.
func (f *form) redirectURIs(to *[]redirectURI) {
	const name = "redirect_uris"
	v, ok := f.value(name, true, false)
	if !ok {
		return
	}
	items, isList := v.([]any)
	if !isList {
		f.errs[name] = map[string]any{"non_field_errors": []string{`Expected a list of items but got type "` + pythonType(v) + `".`}}
		return
	}
	out, errs, bad := []redirectURI{}, []any{}, false
	for _, item := range items {
		m, isMap := item.(map[string]any)
		if !isMap {
			errs, bad = append(errs, map[string]any{"non_field_errors": []string{"Invalid data. Expected a dictionary, but got " + pythonType(item) + "."}}), true
			continue
		}
		one := &form{s: f.s, in: m, errs: map[string]any{}}
		u := redirectURI{Type: "authorization"}
		one.choice("matching_mode", &u.Mode, true, matchingStrict, matchingRegex)
		one.text("url", &u.URL, textRule{required: true})
		bad = bad || one.bad()
		errs, out = append(errs, one.errs), append(out, u)
	}
	if bad {
		f.errs[name] = errs
		return
	}
	for _, u := range out {
		if u.Mode == matchingRegex && pattern(u.URL) == nil {
			f.fail(name, "Invalid Regex Pattern: "+u.URL)
			return
		}
	}
	*to = out
}

// pattern compiles a pattern that must match the whole, or returns nil.
func pattern(text string) *regexp.Regexp {
	re, err := regexp.Compile(`^(?:` + text + `)$`)
	if err != nil {
		return nil
	}
	return re
}

// allows tells whether a redirect URI is on the provider's list: byte for byte
// or by a pattern that matches all of it.
func (p *provider) allows(uri string) bool {
	return slices.ContainsFunc(p.RedirectURIs, func(u redirectURI) bool {
		if u.Mode == matchingStrict {
			return u.URL == uri
		}
		re := pattern(u.URL)
		return re != nil && re.MatchString(uri)
	})
}

// theProvider is the provider whose number the path has, or nil.
func (c *call) theProvider() *provider {
	pk, err := strconv.Atoi(c.args[0])
	if err != nil {
		return nil
	}
	return c.s.st.provByPK[pk]
}

func (c *call) providerRows() []*provider {
	st := c.s.st
	one := func(p *provider) []*provider {
		if p == nil {
			return []*provider{}
		}
		return []*provider{p}
	}
	if id := c.last("client_id"); id != "" {
		return one(st.provByID[id])
	}
	if name := c.last("name"); name != "" {
		return one(st.provByName[name])
	}
	return sorted(st.providers, by(func(p *provider) string { return p.Name }))
}

func listProviders(c *call) reply {
	st := c.s.st
	for _, filter := range []string{"authorization_flow", "signing_key", "property_mappings", "application"} {
		v := strings.ToLower(c.last(filter))
		known := map[string]bool{"authorization_flow": st.flow(v) != nil, "signing_key": st.key(v) != nil,
			"property_mappings": st.mapping(v) != nil, "application": st.appByPK[v] != nil}
		if v != "" && !known[filter] {
			return badChoice(filter, "That choice")
		}
	}
	text := func(field func(*provider) string) func(a, b *provider) int { return by(field) }
	return list(c, lister[provider]{
		rows: c.providerRows(),
		order: map[string]func(a, b *provider) int{
			"name": text(func(p *provider) string { return p.Name }), "client_id": text(func(p *provider) string { return p.ClientID }),
			"pk": by(func(p *provider) int { return p.PK }), "id": by(func(p *provider) int { return p.PK }),
		},
		search: func(p *provider) []string { return []string{p.Name} },
		filters: map[string]func(*provider, string) bool{
			"name": same(func(p *provider) string { return p.Name }), "client_id": same(func(p *provider) string { return p.ClientID }),
			"client_type": same(func(p *provider) string { return p.ClientType }), "sub_mode": same(func(p *provider) string { return p.SubMode }),
			"issuer_mode": same(func(p *provider) string { return p.IssuerMode }), "signing_key": same(func(p *provider) string { return p.SigningKey }),
			"authorization_flow": same(func(p *provider) string { return p.AuthorizationFlow }),
			"property_mappings":  func(p *provider, v string) bool { return slices.Contains(p.Mappings, v) },
			"application":        func(p *provider, v string) bool { return st.appByPK[v].Provider == p.PK },
		},
		show: func(p *provider) any { return c.s.showProvider(p) },
	})
}

// listAllProviders lists providers of all kinds, of which there is one here.
// It has no filter by name.
func listAllProviders(c *call) reply {
	rows := slices.Clone(c.s.st.providers)
	if c.last("search") != "" {
		slices.Reverse(rows)
	}
	return list(c, lister[provider]{
		rows: rows,
		order: map[string]func(a, b *provider) int{
			"name": by(func(p *provider) string { return p.Name }), "pk": by(func(p *provider) int { return p.PK }),
		},
		search: func(p *provider) []string { return []string{p.Name} },
		filters: map[string]func(*provider, string) bool{
			"application__isnull": flag(func(p *provider) bool { return c.s.st.appByProv[p.PK] == nil }),
			"backchannel":         flag(func(*provider) bool { return false }),
		},
		show: func(p *provider) any { return c.s.showProviderBriefly(p) },
	})
}

func getProvider(c *call) reply {
	if p := c.theProvider(); p != nil {
		return reply{status: http.StatusOK, body: c.s.showProvider(p)}
	}
	return c.absent("OAuth2Provider")
}

func createProvider(c *call) reply {
	p := c.s.newProvider()
	if errs := c.readProvider(p, false); errs != nil {
		return refused(errs)
	}
	c.s.addProvider(p)
	return reply{status: http.StatusCreated, body: c.s.showProvider(p)}
}

func (s *Server) addProvider(p *provider) {
	p.PK = s.st.nextProvider
	s.st.nextProvider++
	s.st.putProvider(p)
}

func changeProvider(c *call) reply {
	p := c.theProvider()
	if p == nil {
		return c.absent("OAuth2Provider")
	}
	n := *p
	if errs := c.readProvider(&n, c.r.Method == http.MethodPatch); errs != nil {
		return refused(errs)
	}
	c.s.st.changeProvider(p, &n)
	return reply{status: http.StatusOK, body: c.s.showProvider(p)}
}

func deleteProvider(c *call) reply {
	p := c.theProvider()
	if p == nil {
		return c.absent("OAuth2Provider")
	}
	c.s.st.dropProvider(p)
	c.s.st.forgetLists()
	return reply{status: http.StatusNoContent}
}

func setupURLs(c *call) reply {
	p := c.theProvider()
	if p == nil {
		return c.absent("OAuth2Provider")
	}
	o := c.base() + "/application/o/"
	m := map[string]any{"issuer": nil, "authorize": o + "authorize/", "token": o + "token/", "user_info": o + "userinfo/",
		"provider_info": nil, "logout": nil}
	if a := c.s.st.appByProv[p.PK]; a != nil {
		m["issuer"], m["provider_info"] = c.issuer(p), o+a.Slug+"/.well-known/openid-configuration"
		m["logout"], m["jwks"] = o+a.Slug+"/end-session/", o+a.Slug+"/jwks/"
	}
	return reply{status: http.StatusOK, body: m}
}

// previewUser shows the claims that a user's ID token would have.
func previewUser(c *call) reply {
	p, u := c.theProvider(), c.user
	if p == nil {
		return c.absent("OAuth2Provider")
	}
	if v := c.last("for_user"); v != "" {
		pk, _ := strconv.Atoi(v)
		if u = c.s.st.users[pk]; u == nil {
			return wrong("for_user", "User not found")
		}
	}
	now := c.s.now()
	claims := c.idClaims(p, u, now, now.Add(tokenLife), now)
	c.scopeClaims(p, u, c.providerScopes(p), claims)
	return reply{status: http.StatusOK, body: map[string]any{"preview": claims}}
}
