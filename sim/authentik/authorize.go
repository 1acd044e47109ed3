package authentik

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// ask is an authorization that a browser asks for.
type ask struct {
	provider                   int
	app                        *application
	redirect, state, nonce     string
	mode                       string // query or fragment
	scopes                     []string
	challenge, challengeMethod string
	prompt                     []string
}

// grant is what an authorization code or a refresh token stands for.
type grant struct {
	provider, user             int
	scopes                     []string
	nonce, sid                 string
	challenge, challengeMethod string
	authenticated, expires     time.Time
	revoked                    bool
}

// What an authorize request is told that names a wrong client or a wrong
// place: it can't be sent anywhere, so a person reads it.
var (
	clientError   = [2]string{"Client ID Error", "The client identifier (client_id) is missing or invalid."}
	redirectError = [2]string{"Redirect URI Error", "The request fails due to a missing, invalid, or mismatching redirection URI (redirect_uri)."}
)

// authorizeErrors are the descriptions of errors that go back to the client.
var authorizeErrors = map[string]string{
	"login_required":            "The Authorization Server requires End-User authentication",
	"consent_required":          "The Authorization Server requires End-Userconsent",
	"unsupported_response_type": "The authorization server does not support obtaining an authorization code using this method",
	"invalid_request":           "The request is otherwise malformed",
	"request_not_supported":     "The provider does not support use of the request parameter",
}

func badRequest(why [2]string) reply {
	out := page(http.StatusBadRequest, "authentik", why[0])
	out.page = strings.Replace(out.page, "</body>", "<p>"+why[1]+"</p></body>", 1)
	return out
}

// sendError takes an error back to the client.
func (a *ask) sendError(code string) reply {
	mark := "?"
	if strings.Contains(a.redirect, "?") {
		mark = "&"
	}
	to := a.redirect + mark + "error=" + code + "&error_description=" + quote(authorizeErrors[code], "")
	if a.state != "" {
		to += "&state=" + quote(a.state, "")
	}
	return redirect(to)
}

func denied() reply {
	return page(http.StatusOK, "Permission denied - authentik", "Permission denied")
}

// authorize answers the authorization endpoint.
func (c *call) authorize() reply {
	raw := c.r.URL.RawQuery
	if c.isForm() {
		raw = c.r.PostForm.Encode()
	}
	q, err := url.ParseQuery(raw)
	if err != nil || len(q) == 0 {
		return notFoundPage()
	}
	p, a, out := c.readAsk(q)
	if a == nil {
		return out
	}
	u := c.browserUser()
	if slices.Contains(a.prompt, "none") && u == nil {
		return a.sendError("login_required")
	}
	a.app = c.s.st.appByProv[p.PK]
	if a.app == nil {
		return denied()
	}
	if u == nil {
		c.startSession().wanted = a.app.Name
		return c.loginFor(p, raw)
	}
	if !c.s.passes(a.app, u) {
		return denied()
	}
	s := c.session()
	if slices.Contains(a.prompt, "login") && (s.prompted == "" || s.prompted == s.loginID) {
		s.prompted = s.loginID
		s.wanted = a.app.Name
		return c.loginFor(p, raw)
	}
	f := c.s.st.flow(p.AuthorizationFlow)
	if f == nil {
		return denied()
	}
	if slices.Contains(a.prompt, "none") && c.consents(f, a) {
		return a.sendError("consent_required")
	}
	next := &plan{ask: a, user: u.PK, username: u.Username, token: c.s.uuid()}
	if !c.consents(f, a) {
		to, _ := c.fulfil(s, next)
		return redirect(to)
	}
	s.plans[f.Slug] = next
	return redirect("/if/flow/" + f.Slug + "/?" + encode(pairs(raw)))
}

// readAsk checks what a client asks for, in the real server's order: the
// client, the place to go back to, and only then what can be told there.
func (c *call) readAsk(q url.Values) (*provider, *ask, reply) {
	st := c.s.st
	p := st.provByID[q.Get("client_id")]
	if p == nil {
		return nil, nil, badRequest(clientError)
	}
	a := &ask{provider: p.PK, redirect: q.Get("redirect_uri"), state: q.Get("state"), nonce: q.Get("nonce"), mode: "query",
		challenge: q.Get("code_challenge"), challengeMethod: q.Get("code_challenge_method"), prompt: strings.Fields(q.Get("prompt"))}
	if a.redirect == "" {
		return nil, nil, badRequest(redirectError)
	}
	if len(p.RedirectURIs) == 0 {
		// The trap: whoever comes first names the place.
		p.RedirectURIs = []redirectURI{{Mode: matchingStrict, URL: a.redirect, Type: "authorization"}}
	}
	scheme, _, _ := strings.Cut(a.redirect, ":")
	if !p.allows(a.redirect) || slices.Contains([]string{"javascript", "data", "vbscript"}, strings.ToLower(scheme)) {
		return nil, nil, badRequest(redirectError)
	}
	if q.Get("response_type") != "code" {
		return nil, nil, a.sendError("unsupported_response_type")
	}
	if c.s.version.knowsGrants() && !slices.Contains(p.GrantTypes, grantCode) {
		return nil, nil, a.sendError("invalid_request")
	}
	if q.Get("response_mode") == "fragment" {
		a.mode = "fragment"
	}
	a.scopes = c.overlap(p, strings.Fields(q.Get("scope")), true)
	if a.challengeMethod == "" {
		a.challengeMethod = "plain"
	}
	if a.challenge != "" && a.challengeMethod != "plain" && a.challengeMethod != "S256" {
		return nil, nil, a.sendError("invalid_request")
	}
	if q.Has("request") {
		return nil, nil, a.sendError("request_not_supported")
	}
	return p, a, reply{}
}

// overlap drops, without a word, the scopes that the provider has no mapping
// for. With all set, asking for none means all of them.
func (c *call) overlap(p *provider, asked []string, all bool) []string {
	out := []string{}
	for _, scope := range c.providerScopes(p) {
		if (slices.Contains(asked, scope) || all && len(asked) == 0) && !slices.Contains(out, scope) {
			out = append(out, scope)
		}
	}
	slices.Sort(out)
	return out
}

// loginFor sends the browser to the login and then back to this request.
func (c *call) loginFor(p *provider, raw string) reply {
	next := c.r.URL.Path + "?" + encode(pairs(raw))
	f := c.s.st.flow(p.AuthenticationFlow)
	if f == nil || c.s.version.from(2025, 12) && !c.s.version.from(2026, 2) {
		// The provider's own flow was forgotten in 2025.12.
		f = c.loginFlow()
	}
	if !c.s.version.from(2025, 12) {
		if f != nil {
			c.startSession().login = f.Slug
		}
		return c.toLogin(next)
	}
	if f == nil {
		return notFoundPage()
	}
	delete(c.startSession().plans, f.Slug)
	return redirect("/if/flow/" + f.Slug + "/?" + encode(append(pairs(raw), pair{"next", next})))
}

// consents tells whether an authorization flow asks for consent.
func (c *call) consents(f *flow, a *ask) bool {
	return len(f.Stages) > 0 || slices.Contains(a.prompt, "consent")
}

// consentKey is under what a consent is remembered.
func (p *plan) consentKey() string {
	return itoa(p.user) + " " + p.ask.app.PK + " " + strings.Join(p.ask.scopes, " ")
}

// fulfil makes the code and sends the browser back with it. What was deleted
// meanwhile can't be signed in to.
func (c *call) fulfil(s *session, done *plan) (to string, ok bool) {
	a, st := done.ask, c.s.st
	p := st.provByPK[a.provider]
	if p == nil || c.browserUser() == nil {
		return "", false
	}
	f := st.flow(p.AuthorizationFlow)
	code := c.s.hex(16)
	st.codes[code] = &grant{provider: p.PK, user: s.user, scopes: a.scopes, nonce: a.nonce, sid: sid(s), challenge: a.challenge,
		challengeMethod: a.challengeMethod, authenticated: s.loggedIn, expires: c.s.now().Add(life(p.CodeValidity))}
	c.s.record(c, "authorize_application", "authentik.providers.oauth2.views.authorize", st.users[s.user], map[string]any{
		"authorized_application": modelOf("authentik_core", "application", a.app.Name, a.app.PK),
		"flow":                   strings.ReplaceAll(f.PK, "-", ""), "scopes": strings.Join(a.scopes, " ")})
	answer := encode([]pair{{"code", code}, {"state", a.state}})
	if a.mode == "fragment" {
		return a.redirect + "#" + answer, true
	}
	if strings.Contains(a.redirect, "?") {
		return a.redirect + "&" + answer, true
	}
	return a.redirect + "?" + answer, true
}
