package authentik

import (
	"fmt"
	"html"
	"net/http"
	"strings"
)

func jsonText(v any) string { return fmt.Sprint(v) }

// replaceApp puts an application's name into a flow's title.
func replaceApp(title, app string) string { return strings.ReplaceAll(title, "%(app)s", app) }

// flowPage is a flow without script: one plain form a stage, that a person or
// a few lines of HTTP can fill in. The real server serves a program there that
// drives the executor; both work here on the same session.
func (c *call) flowPage(slug string) reply {
	f := c.s.st.flowBySlug(slug)
	if f == nil {
		return notFoundPage()
	}
	if c.r.Method != http.MethodGet && c.r.Method != http.MethodHead && c.r.Method != http.MethodPost {
		return reply{status: http.StatusMethodNotAllowed, header: map[string]string{"Allow": "GET, POST, HEAD, OPTIONS"}}
	}
	if !c.applies(f) && c.browserUser() == nil {
		return c.toLogin(c.r.URL.RequestURI())
	}
	s := c.startSession()
	p := c.planFor(s, f)
	if c.isForm() {
		return c.submit(s, f, p)
	}
	return c.showForm(s, f, p, "")
}

// submit takes a plain form.
func (c *call) submit(s *session, f *flow, p *plan) reply {
	form := c.r.PostForm
	switch p.stage {
	case stageName, stagePassword:
		c.identify(p, strings.TrimSpace(form.Get("uid_field")))
		if !c.passwordFits(f, p, form.Get("password")) {
			p.stage = stageName
			return c.showForm(s, f, p, "Invalid password")
		}
		return c.loggedIn(s, f, p)
	case stageConsent:
		if form.Get("token") != p.token {
			return c.showForm(s, f, p, "This form is out of date; please confirm again.")
		}
		c.s.st.consents[p.consentKey()] = true
		p.stage = stageDone
	case stageDeviceCode:
		d := c.s.deviceByUserCode(form.Get("code"))
		if d == nil {
			return c.showForm(s, f, p, "Invalid code")
		}
		delete(s.plans, f.Slug)
		return c.startDevice(s, c.s.st.users[s.user], d)
	}
	return c.showForm(s, f, p, "")
}

// showForm shows the form of the present stage, or does what needs none.
func (c *call) showForm(s *session, f *flow, p *plan, problem string) reply {
	var fields, button string
	title := f.Title
	if p.ask != nil {
		title = replaceApp(title, p.ask.app.Name)
	}
	switch p.stage {
	case stageName, stagePassword:
		fields = `<p><label>Email or Username <input name="uid_field" autocomplete="username" autofocus required value="` + html.EscapeString(p.username) + `"></label></p>
<p><label>Password <input name="password" type="password" autocomplete="current-password" required></label></p>`
		button = "Log in"
	case stageMFA, stageLogin:
		return c.loggedIn(s, f, p)
	case stageConsent:
		fields = "<p>You're about to sign into " + html.EscapeString(p.ask.app.Name) + `.</p><input type="hidden" name="token" value="` + p.token + `">`
		button = "Continue"
	case stageDeviceCode:
		fields = `<p><label>Device Code <input name="code" inputmode="numeric" autofocus required></label></p>`
		button = "Continue"
	case stageDone:
		delete(s.plans, f.Slug)
		if p.device != nil {
			p.device.user, p.device.at = s.user, s.loggedIn
			return page(http.StatusOK, "authentik", "You've successfully authenticated your device.")
		}
		to, ok := c.fulfil(s, p)
		if !ok {
			return denied()
		}
		return redirect(to)
	default:
		delete(s.plans, f.Slug)
		return page(http.StatusOK, "authentik", "Flow does not apply to current user.")
	}
	if problem != "" {
		problem = `<p role="alert">` + html.EscapeString(problem) + "</p>\n"
	}
	return reply{status: http.StatusOK, page: "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>" + html.EscapeString(title) +
		" - authentik</title></head><body><h1>" + html.EscapeString(title) + "</h1>\n" + problem + "<form method=\"post\">\n" + fields +
		"\n<p><button type=\"submit\">" + button + "</button></p>\n</form></body></html>\n"}
}

// loggedIn ends a login and leads on.
func (c *call) loggedIn(s *session, f *flow, p *plan) reply {
	to, ok := c.finishLogin(s, f, p)
	if !ok {
		return denied()
	}
	return redirect(to)
}
