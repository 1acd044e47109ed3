package authentik

import (
	"net/http"
	"net/url"
	"slices"
)

// The stages of the flows that can be walked through here.
const (
	stageName       = "ak-stage-identification"
	stagePassword   = "ak-stage-password"
	stageMFA        = "mfa" // asks nothing here, and costs one redirect
	stageLogin      = "login"
	stageConsent    = "ak-stage-consent"
	stageDone       = "done"
	stageDeviceCode = "ak-provider-oauth2-device-code"
	stageDeviceEnd  = "ak-provider-oauth2-device-code-finish"
	flowRedirect    = "xak-flow-redirect"
	deniedComponent = "ak-stage-access-denied"
)

// flowQuery is the query of the page that drives the executor, which carries
// it along in a parameter of its own; nil elsewhere.
func (c *call) flowQuery() url.Values {
	if !c.q.Has("query") {
		return nil
	}
	q, err := url.ParseQuery(c.q.Get("query"))
	if err != nil {
		return nil
	}
	return q
}

// executor answers the API by which a browser's page walks through a flow.
func (c *call) executor(slug string) reply {
	allow := map[string]string{"Allow": "GET, POST, HEAD, OPTIONS"}
	f := c.s.st.flowBySlug(slug)
	if f == nil {
		return notFoundPage()
	}
	s := c.startSession()
	var out reply
	switch c.r.Method {
	case http.MethodGet, http.MethodHead:
		out = c.look(s, f)
	case http.MethodPost:
		if bad, ok := c.readBody(); !ok {
			return bad
		}
		out = c.solve(s, f)
	default:
		out = detail(http.StatusMethodNotAllowed, `Method "`+c.r.Method+`" not allowed.`)
	}
	if out.header == nil {
		out.header = map[string]string{}
	}
	out.header["Allow"] = allow["Allow"]
	out.plain = true
	return out
}

// planFor returns how far the browser is in a flow, and begins at its start.
func (c *call) planFor(s *session, f *flow) *plan {
	p := s.plans[f.Slug]
	if p == nil {
		p = &plan{}
		if f.Designation == "authentication" {
			p.stage = stageName
		}
		s.plans[f.Slug] = p
	}
	if p.stage == "" && p.ask != nil {
		p.stage = stageConsent
		if c.s.st.consents[p.consentKey()] && !slices.Contains(p.ask.prompt, "consent") {
			p.stage = stageDone
		}
	}
	return p
}

// next is where the flow leads to, from the page's query.
func (c *call) next() string {
	if q := c.flowQuery(); q != nil {
		return safeNext(q.Get("next"))
	}
	return safeNext(c.last("next"))
}

func (c *call) again() reply { return redirect(c.r.URL.RequestURI()) }

// look shows the present stage, or does what needs nobody.
func (c *call) look(s *session, f *flow) reply {
	p := c.planFor(s, f)
	switch p.stage {
	case stageMFA:
		p.stage = stageLogin
		return c.again()
	case stageLogin:
		if to, ok := c.finishLogin(s, f, p); ok {
			return c.to(to)
		}
		return c.refuse(f)
	case stageDone:
		if p.device != nil {
			return c.endDevice(s, f, p)
		}
		delete(s.plans, f.Slug)
		if to, ok := c.fulfil(s, p); ok {
			return c.to(to)
		}
		return c.refuse(f)
	case "":
		delete(s.plans, f.Slug)
		return c.refuse(f)
	}
	return c.show(f, p, nil)
}

func (c *call) to(where string) reply {
	return reply{status: http.StatusOK, body: map[string]any{"component": flowRedirect, "to": where}}
}

func (c *call) refuse(f *flow) reply {
	return c.challenge(f, deniedComponent, map[string]any{"error_message": "Flow does not apply to current user."})
}

// finishLogin logs in who proved itself, unless the account went meanwhile.
func (c *call) finishLogin(s *session, f *flow, p *plan) (to string, ok bool) {
	delete(s.plans, f.Slug)
	u := c.s.st.users[p.user]
	if u == nil {
		return "", false
	}
	c.logIn(s, u)
	return c.next(), true
}

func (c *call) endDevice(s *session, f *flow, p *plan) reply {
	delete(s.plans, f.Slug)
	p.device.user, p.device.at = s.user, s.loggedIn
	return c.challenge(f, stageDeviceEnd, map[string]any{})
}

// challenge is what the page must show.
func (c *call) challenge(f *flow, component string, fields map[string]any) reply {
	background := f.Background
	if background == "" {
		background = flowBackground
	}
	cancel := "/flows/-/cancel/"
	if q := c.flowQuery(); q.Get("next") != "" && c.s.version.from(2025, 12) {
		cancel += "?next=" + quote(q.Get("next"), "")
	}
	title := f.Title
	if app, ok := fields["app"].(string); ok {
		title = replaceApp(title, app)
		delete(fields, "app")
	}
	info := map[string]any{"title": title, "background": background, "cancel_url": cancel, "layout": f.Layout}
	if c.s.version.from(2026, 2) {
		info["background_themed_urls"] = nil
	}
	fields["flow_info"], fields["component"] = info, component
	return reply{status: http.StatusOK, body: fields}
}

// show is the challenge of the present stage, with what was wrong with the
// last answer to it.
func (c *call) show(f *flow, p *plan, errs map[string]any) reply {
	v := c.s.version
	m := map[string]any{}
	if errs != nil {
		m["response_errors"] = errs
	}
	switch p.stage {
	case stageName:
		m["user_fields"], m["password_fields"], m["allow_show_password"] = []string{"email", "username"}, false, false
		m["flow_designation"], m["captcha_stage"], m["primary_action"] = f.Designation, nil, "Log in"
		m["sources"], m["show_source_labels"] = []any{}, false
		if s := c.session(); s != nil && s.wanted != "" {
			m["application_pre"] = s.wanted
		}
		if v.from(2025, 4) {
			m["enable_remember_me"] = false
		}
		if v.from(2025, 12) {
			m["passkey_challenge"] = nil
		}
	case stagePassword:
		m["pending_user"], m["pending_user_avatar"], m["allow_show_password"] = p.username, avatar(&user{Username: p.username}), false
	case stageConsent:
		permissions := []any{}
		for _, scope := range p.ask.scopes {
			if mp := find(c.s.st.mappings, func(x *mapping) bool { return x.Scope == scope }); mp != nil {
				permissions = append(permissions, map[string]any{"name": mp.Description, "id": scope})
			}
		}
		m["pending_user"], m["pending_user_avatar"] = p.username, avatar(&user{Username: p.username})
		m["header_text"], m["permissions"] = "You're about to sign into "+p.ask.app.Name+".", permissions
		m["additional_permissions"], m["token"], m["app"] = []any{}, p.token, p.ask.app.Name
	}
	return c.challenge(f, p.stage, m)
}

func fieldError(field, text, code string) map[string]any {
	return map[string]any{field: []any{map[string]any{"string": text, "code": code}}}
}

// solve takes the answer to the present stage.
func (c *call) solve(s *session, f *flow) reply {
	p := c.planFor(s, f)
	text := func(name string) string { v, _ := c.body[name].(string); return v }
	required := func(name string) reply { return c.show(f, p, fieldError(name, "This field is required.", "required")) }
	switch p.stage {
	case stageName:
		if text("uid_field") == "" {
			return required("uid_field")
		}
		c.identify(p, text("uid_field"))
		p.stage = stagePassword
	case stagePassword:
		if text("password") == "" {
			return required("password")
		}
		if !c.passwordFits(f, p, text("password")) {
			return c.show(f, p, fieldError("password", "Invalid password", "invalid"))
		}
		p.stage = stageMFA
	case stageConsent:
		if text("token") != p.token {
			return c.show(f, p, fieldError("token", "Invalid consent token, re-showing prompt", "invalid"))
		}
		c.s.st.consents[p.consentKey()] = true
		p.stage = stageDone
	case stageDeviceCode:
		d := c.s.deviceByUserCode(text("code"))
		if _, isNumber := c.body["code"]; isNumber && d == nil {
			d = c.s.deviceByUserCode(jsonText(c.body["code"]))
		}
		if d == nil {
			return c.show(f, p, fieldError("code", "Invalid code", "invalid"))
		}
		delete(s.plans, f.Slug)
		out := c.startDevice(s, c.s.st.users[s.user], d)
		if to := out.header["Location"]; to != "" {
			return c.to(to)
		}
		return out
	default:
		return c.look(s, f)
	}
	return c.again()
}

// identify takes a user name or an e-mail address. A name that nobody has goes
// on to the password as any other.
func (c *call) identify(p *plan, typed string) {
	p.username, p.user = typed, 0
	u := c.s.st.usersBy[typed]
	if pks := c.s.st.usersMail[typed]; u == nil && len(pks) > 0 {
		u = c.s.st.users[pks[0]]
	}
	if u != nil {
		p.user, p.username = u.PK, u.Username
	}
}

// passwordFits checks a password, and records it where it doesn't.
func (c *call) passwordFits(f *flow, p *plan, password string) bool {
	u := c.s.st.users[p.user]
	if u != nil && u.Active && u.Password != "" && u.Password == password {
		return true
	}
	stage := modelOf("authentik_stages_password", "passwordstage", "default-authentication-password", "")
	if len(f.Stages) > 0 {
		stage["pk"] = f.Stages[min(1, len(f.Stages)-1)]
	}
	c.s.record(c, "login_failed", "authentik.events.signals", u, map[string]any{"password": "********************", "username": p.username, "stage": stage})
	return false
}

// applies tells whether a flow may be walked through by this browser.
func (c *call) applies(f *flow) bool {
	need := f.Authn == "require_authenticated" || f.Authn == "require_superuser"
	u := c.browserUser()
	return !(need && u == nil) && !(f.Authn == "require_unauthenticated" && u != nil) &&
		slices.Contains(designations, f.Designation)
}
