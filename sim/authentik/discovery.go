package authentik

import (
	"net/http"
	"strings"
)

// issuer is the provider's issuer as this request reached the server, with the
// slash at its end.
func (c *call) issuer(p *provider) string {
	if p.IssuerMode == issuerGlobal {
		return c.base() + "/"
	}
	a := c.s.st.appByProv[p.PK]
	if a == nil {
		return c.base() + "/"
	}
	return c.base() + "/application/o/" + a.Slug + "/"
}

// signs returns the provider's signing key, or nil.
func (s *Server) signs(p *provider) *keyPair {
	if k := s.st.key(p.SigningKey); k != nil && k.HasKey {
		return k
	}
	return nil
}

// providerScopes are the scopes of a provider's mappings.
func (c *call) providerScopes(p *provider) []string {
	out := []string{}
	for _, pk := range p.Mappings {
		if m := c.s.st.mapping(pk); m != nil {
			out = append(out, m.Scope)
		}
	}
	return out
}

func (c *call) discovery(a *application, p *provider) reply {
	o := c.base() + "/application/o/"
	alg := "HS256"
	if k := c.s.signs(p); k != nil {
		alg = k.algorithm()
	}
	claims := []string{"sub", "iss", "aud", "exp", "iat", "auth_time", "acr", "amr", "nonce"}
	for _, scope := range c.providerScopes(p) {
		claims = append(claims, claimNames[scope]...)
	}
	m := map[string]any{
		"issuer": c.issuer(p), "authorization_endpoint": o + "authorize/", "token_endpoint": o + "token/",
		"userinfo_endpoint": o + "userinfo/", "end_session_endpoint": o + a.Slug + "/end-session/",
		"introspection_endpoint": o + "introspect/", "revocation_endpoint": o + "revoke/",
		"device_authorization_endpoint": o + "device/", "jwks_uri": o + a.Slug + "/jwks/",
		"response_types_supported":              []string{"code", "id_token", "id_token token", "code token", "code id_token", "code id_token token"},
		"response_modes_supported":              []string{"query", "fragment", "form_post"},
		"grant_types_supported":                 []string{grantCode, grantRefresh, grantImplicit, grantClient, grantPassword, grantDevice},
		"id_token_signing_alg_values_supported": []string{alg}, "subject_types_supported": []string{"public"},
		"token_endpoint_auth_methods_supported": []string{"client_secret_post", "client_secret_basic"},
		"acr_values_supported":                  []string{acr}, "scopes_supported": c.providerScopes(p),
		"request_parameter_supported": false, "claims_supported": claims, "claims_parameter_supported": false,
		"code_challenge_methods_supported": []string{"plain", "S256"},
	}
	if c.s.version.knowsGrants() {
		m["grant_types_supported"] = append([]string{}, p.GrantTypes...)
	}
	if c.s.version.from(2025, 8) {
		m["backchannel_logout_supported"], m["backchannel_logout_session_supported"] = true, true
	}
	if c.s.st.key(p.EncryptionKey) != nil {
		m["id_token_encryption_alg_values_supported"] = []string{"RSA-OAEP-256"}
		m["id_token_encryption_enc_values_supported"] = []string{"A256CBC-HS512"}
	}
	return reply{status: http.StatusOK, body: m, plain: true}
}

// jwks has the provider's keys, and without a signing key not even an empty
// list of them.
func (c *call) jwks(p *provider) reply {
	m := map[string]any{}
	var keys []any
	if k := c.s.signs(p); k != nil {
		keys = append(keys, k.jwk(c.s.version))
	}
	if k := c.s.st.key(p.EncryptionKey); k != nil && k.HasKey {
		enc := k.jwk(c.s.version)
		enc["use"], enc["alg"] = "enc", "RSA-OAEP-256"
		keys = append(keys, enc)
	}
	if keys != nil {
		m["keys"] = keys
	}
	return reply{status: http.StatusOK, body: m, plain: true}
}

// endSession logs the browser out and sends it back if the provider knows the
// place.
func (c *call) endSession(p *provider) reply {
	c.logOut()
	if to := c.last("post_logout_redirect_uri"); to != "" && p.allows(to) {
		if state := c.last("state"); state != "" {
			to += map[bool]string{true: "&", false: "?"}[strings.Contains(to, "?")] + "state=" + quote(state, "")
		}
		return redirect(to)
	}
	return page(http.StatusOK, "authentik", "You have been logged out.")
}
