package authentik

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// web answers what isn't the API.
func (c *call) web(path string) reply {
	switch path {
	case "/":
		if c.browserUser() == nil {
			return c.toLogin("/")
		}
		return page(http.StatusOK, "authentik", "You are logged in.")
	case "/-/health/live/", "/-/health/ready/":
		return reply{status: http.StatusOK, header: map[string]string{"Content-Type": "text/html; charset=utf-8"}}
	case "/flows/-/default/authentication/":
		return c.defaultLogin()
	case "/flows/-/default/invalidation/":
		c.logOut()
		return page(http.StatusOK, "authentik", "You have been logged out.")
	case "/flows/-/cancel/":
		return page(http.StatusOK, "authentik", "Cancelled.")
	case "/device":
		return c.devicePage()
	}
	if slug, ok := strings.CutPrefix(path, "/if/flow/"); ok && strings.HasSuffix(slug, "/") {
		return c.flowPage(strings.TrimSuffix(slug, "/"))
	}
	if rest, ok := strings.CutPrefix(path, "/application/o/"); ok {
		return c.oauth(rest)
	}
	return notFoundPage()
}

// oauth answers the OAuth2 endpoints.
func (c *call) oauth(rest string) reply {
	only := func(methods ...string) *reply {
		if slices.Contains(methods, c.r.Method) || c.r.Method == http.MethodHead && slices.Contains(methods, http.MethodGet) {
			return nil
		}
		return &reply{status: http.StatusMethodNotAllowed, header: map[string]string{"Allow": strings.Join(append(methods, "OPTIONS"), ", ")}}
	}
	run := func(answer func() reply, methods ...string) reply {
		if no := only(methods...); no != nil {
			return *no
		}
		return answer()
	}
	switch rest {
	case "authorize/":
		return run(c.authorize, http.MethodGet, http.MethodPost)
	case "token/":
		return run(c.token, http.MethodPost)
	case "device/":
		return run(c.deviceAuthorization, http.MethodPost)
	case "userinfo/":
		return run(c.userinfo, http.MethodGet, http.MethodPost)
	case "introspect/":
		return run(c.introspect, http.MethodPost)
	case "revoke/":
		return run(c.revoke, http.MethodPost)
	}
	slug, what, _ := strings.Cut(rest, "/")
	a := c.s.st.appBySlug[slug]
	if a == nil || c.s.st.provByPK[a.Provider] == nil {
		return notFoundPage()
	}
	p := c.s.st.provByPK[a.Provider]
	switch what {
	case "":
		if strings.HasSuffix(rest, "/") {
			return redirect("/application/o/" + slug + "/.well-known/openid-configuration")
		}
	case ".well-known/openid-configuration":
		return run(func() reply { return c.discovery(a, p) }, http.MethodGet)
	case "jwks/":
		return run(func() reply { return c.jwks(p) }, http.MethodGet)
	case "end-session/":
		return c.endSession(p)
	}
	return notFoundPage()
}

// pair is one parameter of a query, in its place.
type pair struct{ key, value string }

// pairs takes a query apart and keeps its order.
func pairs(raw string) []pair {
	var out []pair
	for part := range strings.SplitSeq(raw, "&") {
		if part == "" {
			continue
		}
		k, v, _ := strings.Cut(part, "=")
		key, err1 := url.QueryUnescape(k)
		value, err2 := url.QueryUnescape(v)
		if err1 == nil && err2 == nil {
			out = append(out, pair{key, value})
		}
	}
	return out
}

func encode(ps []pair) string {
	parts := make([]string, len(ps))
	for i, p := range ps {
		parts[i] = url.QueryEscape(p.key) + "=" + url.QueryEscape(p.value)
	}
	return strings.Join(parts, "&")
}

// quote escapes all but letters, digits, "-._~" and what is safe.
func quote(s, safe string) string {
	var b strings.Builder
	for i := range len(s) {
		switch ch := s[i]; {
		case strings.IndexByte(letters+"-._~"+safe, ch) >= 0:
			b.WriteByte(ch)
		default:
			b.WriteByte('%')
			b.WriteByte("0123456789ABCDEF"[ch>>4])
			b.WriteByte("0123456789ABCDEF"[ch&15])
		}
	}
	return b.String()
}

// toLogin sends a browser to the login, and back to where it wanted to go.
func (c *call) toLogin(next string) reply {
	return redirect("/flows/-/default/authentication/?next=" + quote(next, "/"))
}

// loginFlow is the flow that logs people in at this host.
func (c *call) loginFlow() *flow {
	if b := c.s.brandFor(c.r.Host); b != nil {
		if f := c.s.st.flow(b.Flows["flow_authentication"]); f != nil {
			return f
		}
	}
	return find(c.s.st.flows, func(f *flow) bool { return f.Designation == "authentication" })
}

func (c *call) defaultLogin() reply {
	f := c.loginFlow()
	if s := c.session(); s != nil && c.s.st.flowBySlug(s.login) != nil {
		f = c.s.st.flowBySlug(s.login)
	}
	if f == nil {
		return notFoundPage()
	}
	delete(c.startSession().plans, f.Slug)
	to := "/if/flow/" + f.Slug + "/"
	if next := c.last("next"); next != "" {
		to += "?next=" + quote(next, "")
	}
	return redirect(to)
}

// safeNext is where a login leads to: a place on this server, or its start.
func safeNext(next string) string {
	if strings.HasPrefix(next, "/") && !strings.HasPrefix(next, "//") && !strings.HasPrefix(next, "/\\") {
		return next
	}
	return "/"
}
