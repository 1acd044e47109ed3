package authentik

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"
	"time"
)

// accessToken is one that was handed out.
type accessToken struct {
	provider, user int
	scopes         []string
	nonce          string
	expires        time.Time
}

func (a *accessToken) allows(scope string) bool { return slices.Contains(a.scopes, scope) }

// tokenErrors are the errors of the token endpoint with their descriptions.
var tokenErrors = map[string]string{
	"invalid_request":        "The request is otherwise malformed",
	"invalid_client":         "Client authentication failed (e.g., unknown client, no client authentication included, or unsupported authentication method)",
	"invalid_grant":          "The provided authorization grant or refresh token is invalid, expired, revoked, does not match the redirection URI used in the authorization request, or was issued to another client",
	"unsupported_grant_type": "The authorization grant type is not supported by the authorization server",
	"authorization_pending":  "The authorization request is still pending as the end user hasn't yet completed the user-interaction steps",
	"access_denied":          "The authorization request was denied.",
	"expired_token":          "The \"device_code\" has expired, and the device authorization session has concluded.  The client MAY commence a new device authorization request but SHOULD wait for user interaction before restarting to avoid unnecessary polling.",
	"slow_down":              "A variant of \"authorization_pending\", the authorization request isstill pending and polling should continue, but the interval MUSTbe increased by 5 seconds for this and all subsequent requests.",
}

func (c *call) tokenError(status int, code string) reply {
	m := map[string]any{"error": code, "error_description": tokenErrors[code]}
	if c.s.version.from(2025, 10) {
		m["request_id"] = c.id
	}
	return reply{status: status, body: m, plain: true}
}

// clientAuth reads the client's id and secret from the form or, if it has
// neither, from the header.
func (c *call) clientAuth() (id, secret string) {
	id, secret = c.r.PostForm.Get("client_id"), c.r.PostForm.Get("client_secret")
	if kind, coded, ok := strings.Cut(c.r.Header.Get("Authorization"), " "); ok && id == "" && strings.EqualFold(kind, "basic") {
		if raw, err := base64.StdEncoding.DecodeString(coded); err == nil {
			id, secret, _ = strings.Cut(string(raw), ":")
		}
	}
	return id, secret
}

// token answers the token endpoint.
func (c *call) token() reply {
	bad := func(code string) reply { return c.tokenError(http.StatusBadRequest, code) }
	if !c.isForm() {
		return bad("invalid_request")
	}
	id, secret := c.clientAuth()
	p := c.s.st.provByID[id]
	if p == nil {
		return bad("invalid_client")
	}
	kind := c.r.PostForm.Get("grant_type")
	if (kind == grantCode || kind == grantRefresh) && p.ClientType == confidential &&
		subtle.ConstantTimeCompare([]byte(p.ClientSecret), []byte(secret)) == 0 {
		return bad("invalid_client")
	}
	if c.s.version.knowsGrants() && slices.Contains(grantTypes, kind) && !slices.Contains(p.GrantTypes, kind) {
		return bad("invalid_grant")
	}
	scopes := c.overlap(p, strings.Fields(c.r.PostForm.Get("scope")), false)
	var out reply
	var why string
	switch kind {
	case grantCode:
		out, why = c.codeGrant(p)
	case grantRefresh:
		out, why = c.refreshGrant(p, scopes)
	case grantClient, grantPassword:
		out, why = c.clientGrant(p, secret, scopes)
	case grantDevice:
		out, why = c.deviceGrant(p)
	default:
		why = "unsupported_grant_type"
	}
	if why != "" {
		return bad(why)
	}
	out.header = map[string]string{"Cache-Control": "no-store", "Pragma": "no-cache"}
	return out
}

func (c *call) codeGrant(p *provider) (reply, string) {
	form, st := c.r.PostForm, c.s.st
	code := form.Get("code")
	if code == "" {
		return reply{}, "invalid_grant"
	}
	if !p.allows(form.Get("redirect_uri")) {
		return reply{}, "invalid_client"
	}
	g := st.codes[code]
	if g == nil || g.provider != p.PK || st.users[g.user] == nil || !c.s.now().Before(g.expires) || !g.proven(form.Get("code_verifier")) {
		return reply{}, "invalid_grant"
	}
	delete(st.codes, code)
	return c.issue(p, g), ""
}

// proven checks PKCE: a challenge needs its verifier, and a verifier needs a
// challenge.
func (g *grant) proven(verifier string) bool {
	if g.challenge == "" {
		return verifier == ""
	}
	if g.challengeMethod == "S256" {
		sum := sha256.Sum256([]byte(verifier))
		verifier = b64(sum[:])
	}
	return verifier == g.challenge
}

func (c *call) refreshGrant(p *provider, scopes []string) (reply, string) {
	g := c.s.st.refresh[c.r.PostForm.Get("refresh_token")]
	if g == nil || g.provider != p.PK || g.revoked || !c.s.now().Before(g.expires) || c.s.st.users[g.user] == nil {
		return reply{}, "invalid_grant"
	}
	g.revoked = true
	next := *g
	next.revoked = false
	if len(scopes) > 0 {
		next.scopes = scopes
	}
	return c.issue(p, &next), ""
}

// clientGrant is what NetBird does: a name and an app password, no matter
// which secret. Without a name, the client's own secret makes a user for it.
func (c *call) clientGrant(p *provider, secret string, scopes []string) (reply, string) {
	name, password := c.r.PostForm.Get("username"), c.r.PostForm.Get("password")
	if name == "" && secret == p.ClientSecret {
		u, why := c.generatedUser(p)
		if why != "" {
			return reply{}, why
		}
		return c.issueDirect(p, u, scopes), ""
	}
	if name == "" {
		raw, err := base64.StdEncoding.DecodeString(secret)
		if err != nil {
			return reply{}, "invalid_grant"
		}
		name, password, _ = strings.Cut(string(raw), ":")
	}
	st := c.s.st
	u, t := st.usersBy[name], st.tokensKey[password]
	a := st.appByProv[p.PK]
	if u == nil || !u.Active || t == nil || t.Intent != intentAppPassword || t.User != u.PK || t.expired(c.s.now()) || a == nil || !c.s.passes(a, u) {
		return reply{}, "invalid_grant"
	}
	c.s.record(c, "login", "authentik.providers.oauth2.views.token", u, map[string]any{"auth_method": "token",
		"auth_method_args": map[string]any{"identifier": t.Identifier}, "application": modelOf("authentik_core", "application", a.Name, a.PK)})
	return c.issueDirect(p, u, scopes), ""
}

// generatedUser is the account that a client gets which proves itself by its
// secret alone.
func (c *call) generatedUser(p *provider) (*user, string) {
	st := c.s.st
	a := st.appByProv[p.PK]
	if a == nil {
		return nil, "invalid_grant"
	}
	name := "ak-" + p.Name + "-client_credentials"
	u := st.usersBy[name]
	if u == nil {
		u = c.s.newUser(name, "Autogenerated user from application "+a.Name+" (client credentials)", "")
		u.Type, u.Path = typeServiceAccount, "goauthentik.io/apps/"+a.Slug
		u.Attributes = map[string]any{"goauthentik.io/user/generated": true}
		st.putUser(u)
	}
	u.LastLogin = c.s.now()
	if !c.s.passes(a, u) {
		return nil, "invalid_grant"
	}
	return u, ""
}

// issueDirect hands out tokens for a user who is no one's browser.
func (c *call) issueDirect(p *provider, u *user, scopes []string) reply {
	return c.tokens(p, u, &grant{scopes: scopes, authenticated: c.s.now()}, false)
}

func (c *call) issue(p *provider, g *grant) reply {
	return c.tokens(p, c.s.st.users[g.user], g, slices.Contains(g.scopes, "offline_access"))
}

// tokens makes the answer of the token endpoint.
func (c *call) tokens(p *provider, u *user, g *grant, withRefresh bool) reply {
	now, s := c.s.now(), c.s
	valid := life(p.AccessValidity)
	claims := c.idClaims(p, u, now, now.Add(valid), g.authenticated)
	if g.sid != "" {
		claims["amr"], claims["sid"] = []string{"pwd"}, g.sid
	}
	if g.nonce != "" {
		claims["nonce"] = g.nonce
	}
	if p.ClaimsInIDToken {
		c.scopeClaims(p, u, g.scopes, claims)
	}
	idToken := s.jwt(p, claims)
	claims["azp"], claims["uid"] = p.ClientID, s.text(40, letters)
	if s.version.from(2025, 6) {
		claims["scope"] = strings.Join(g.scopes, " ")
	}
	access := s.jwt(p, claims)
	s.st.access[access] = &accessToken{provider: p.PK, user: u.PK, scopes: g.scopes, nonce: g.nonce, expires: now.Add(valid)}
	s.forgetExpired()
	m := map[string]any{"access_token": access, "token_type": "Bearer", "expires_in": int(valid.Seconds()), "id_token": idToken}
	if s.version.from(2025, 6) {
		m["scope"] = strings.Join(g.scopes, " ")
	}
	if withRefresh {
		next := *g
		next.provider, next.user, next.expires = p.PK, u.PK, now.Add(life(p.RefreshValidity))
		key := s.text(128, letters)
		s.st.refresh[key] = &next
		m["refresh_token"] = key
	}
	return reply{status: http.StatusOK, body: m, plain: true}
}

// keepTokens is how many access tokens there may be before old ones go.
const keepTokens = 4096

func (s *Server) forgetExpired() {
	if len(s.st.access) <= keepTokens {
		return
	}
	for key, a := range s.st.access {
		if !s.now().Before(a.expires) {
			delete(s.st.access, key)
		}
	}
}

// sid is the session's id as tokens tell it.
func sid(s *session) string {
	sum := sha256.Sum256([]byte(s.key))
	return hex.EncodeToString(sum[:])
}

// bearerToken is the access token of the request, if it has a good one.
func (c *call) bearerToken() *accessToken {
	_, key, _ := strings.Cut(c.r.Header.Get("Authorization"), " ")
	if key == "" && c.isForm() {
		key = c.r.PostForm.Get("access_token")
	}
	a := c.s.st.access[strings.TrimSpace(key)]
	if a == nil || !c.s.now().Before(a.expires) || c.s.st.users[a.user] == nil || c.s.st.provByPK[a.provider] == nil {
		return nil
	}
	return a
}

func (c *call) userinfo() reply {
	a := c.bearerToken()
	if a == nil {
		return reply{status: http.StatusUnauthorized, header: map[string]string{
			"WWW-Authenticate": `error="invalid_token", error_description="The access token provided is expired, revoked, malformed, or invalid for other reasons"`}}
	}
	p, u := c.s.st.provByPK[a.provider], c.s.st.users[a.user]
	claims := map[string]any{"sub": subject(p, u)}
	c.scopeClaims(p, u, a.scopes, claims)
	if a.nonce != "" {
		claims["nonce"] = a.nonce
	}
	return reply{status: http.StatusOK, body: claims, plain: true}
}

func (c *call) introspect() reply {
	inactive := reply{status: http.StatusOK, body: map[string]any{"active": false}, plain: true}
	if !c.isForm() {
		return inactive
	}
	id, secret := c.clientAuth()
	p, a := c.s.st.provByID[id], c.s.st.access[c.r.PostForm.Get("token")]
	if p == nil || p.ClientSecret != secret || a == nil || a.provider != p.PK || !c.s.now().Before(a.expires) {
		return inactive
	}
	u := c.s.st.users[a.user]
	return reply{status: http.StatusOK, plain: true, body: map[string]any{"active": true, "scope": strings.Join(a.scopes, " "),
		"client_id": p.ClientID, "iss": c.issuer(p), "sub": subject(p, u), "aud": p.ClientID, "exp": a.expires.Unix()}}
}

func (c *call) revoke() reply {
	if !c.isForm() {
		return c.tokenError(http.StatusBadRequest, "invalid_request")
	}
	id, secret := c.clientAuth()
	p := c.s.st.provByID[id]
	if p == nil || p.ClientType == confidential && p.ClientSecret != secret {
		return c.tokenError(http.StatusUnauthorized, "invalid_client")
	}
	key := c.r.PostForm.Get("token")
	if a := c.s.st.access[key]; a != nil && a.provider == p.PK {
		delete(c.s.st.access, key)
	}
	if g := c.s.st.refresh[key]; g != nil && g.provider == p.PK {
		g.revoked = true
	}
	return reply{status: http.StatusOK, body: map[string]any{}, plain: true}
}
