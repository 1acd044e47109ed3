package authentik

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// reservedSlugs are the ones that the OAuth2 endpoints have; they are refused
// from 2025.12 on.
var reservedSlugs = []string{"authorize", "token", "device", "userinfo", "introspect", "revoke"}

func (s *Server) showApp(a *application) map[string]any {
	m := map[string]any{"pk": a.PK, "name": a.Name, "slug": a.Slug, "provider": nil, "provider_obj": nil,
		"backchannel_providers": append([]int{}, a.Backchannel...), "backchannel_providers_obj": []any{}, "launch_url": nil,
		"open_in_new_tab": a.OpenInNewTab, "meta_launch_url": a.LaunchURL, "meta_description": a.Description,
		"meta_publisher": a.Publisher, "policy_engine_mode": a.PolicyMode, "group": a.Group}
	p := s.st.provByPK[a.Provider]
	if p != nil {
		m["provider"], m["provider_obj"] = p.PK, s.showProviderBriefly(p)
	}
	m["launch_url"] = launchURL(a, p)
	if s.version.from(2025, 12) {
		m["meta_icon"], m["meta_icon_url"] = a.Icon, orNull(a.Icon)
	} else {
		m["meta_icon"] = orNull(a.Icon)
	}
	if s.version.from(2026, 2) {
		m["meta_icon_themed_urls"] = nil
	}
	if s.version.from(2026, 5) {
		m["meta_hide"] = a.Hide
	}
	return m
}

// launchURL is the one that was set, or the place of the provider's first
// redirect URI.
func launchURL(a *application, p *provider) any {
	if a.LaunchURL != "" {
		return a.LaunchURL
	}
	if p == nil || len(p.RedirectURIs) == 0 {
		return nil
	}
	scheme, rest, ok := strings.Cut(p.RedirectURIs[0].URL, "://")
	if !ok {
		return nil
	}
	host, _, _ := strings.Cut(rest, "/")
	return scheme + "://" + host
}

func (c *call) readApp(a *application, partial bool) map[string]any {
	f, st := c.form(partial), c.s.st
	f.text("name", &a.Name, textRule{required: true})
	// From 2025.12 on the model checks the slug, with quotes of its own, where
	// before the field did.
	newer, open, shut, longest := c.s.version.from(2025, 12), `"`, `"`, 50
	if newer {
		open, shut, longest = "“", "”", 0
	}
	f.text("slug", &a.Slug, textRule{required: true, max: longest, check: func(slug string) string {
		if text := slugRule(open, shut)(slug); text != "" {
			return text
		}
		if slices.Contains(reservedSlugs, slug) && newer {
			return "The slug '" + slug + "' is reserved and cannot be used for applications."
		}
		if other := st.appBySlug[slug]; other != nil && other.PK != a.PK {
			return "Application with this slug already exists."
		}
		return ""
	}})
	f.numberPK("provider", &a.Provider, false, true, func(pk int) bool { return st.provByPK[pk] != nil })
	if other := st.appByProv[a.Provider]; a.Provider != 0 && other != nil && other.PK != a.PK {
		f.fail("provider", "Application with this provider already exists.")
	}
	f.numberPKs("backchannel_providers", &a.Backchannel, func(pk int) bool { return st.provByPK[pk] != nil })
	f.flag("open_in_new_tab", &a.OpenInNewTab)
	f.text("meta_launch_url", &a.LaunchURL, textRule{blank: true, check: launchRule})
	if c.s.version.from(2025, 12) {
		f.text("meta_icon", &a.Icon, textRule{blank: true})
	}
	f.text("meta_description", &a.Description, textRule{blank: true})
	f.text("meta_publisher", &a.Publisher, textRule{blank: true})
	f.choice("policy_engine_mode", &a.PolicyMode, false, policyModes...)
	f.text("group", &a.Group, textRule{blank: true})
	f.flag("meta_hide", &a.Hide)
	if f.bad() {
		return f.errs
	}
	return nil
}

// launchRule takes what is a URL once its placeholders are filled in.
func launchRule(s string) string {
	if strings.Contains(s, "%(") || strings.HasPrefix(s, "blank://") {
		return ""
	}
	return urlRule(s)
}

// byAppName are all applications in the order of the list.
func (st *state) byAppName() []*application {
	if st.appOrder == nil {
		st.appOrder = sorted(st.apps, by(func(a *application) string { return a.Name }))
	}
	return st.appOrder
}

// listApplications is unusable for lookups, as the real one: without
// superuser_full_list the results of the first request for a page are kept for
// the user and answer every later one, whatever its filters, and they lack
// what the user may not open.
func listApplications(c *call) reply {
	l := lister[application]{
		rows: c.s.st.byAppName(),
		order: map[string]func(a, b *application) int{
			"name": by(func(a *application) string { return a.Name }), "slug": by(func(a *application) string { return a.Slug }),
		},
		search: func(a *application) []string { return []string{a.Name, a.Slug, a.Description, a.Publisher, a.Group} },
		filters: map[string]func(*application, string) bool{
			"name": same(func(a *application) string { return a.Name }), "slug": same(func(a *application) string { return a.Slug }),
			"group":           same(func(a *application) string { return a.Group }),
			"meta_launch_url": same(func(a *application) string { return a.LaunchURL }),
		},
		show: func(a *application) any { return c.s.showApp(a) },
	}
	if slug := c.last("slug"); slug != "" {
		l.rows = []*application{}
		if a := c.s.st.appBySlug[slug]; a != nil {
			l.rows = []*application{a}
		}
	}
	if strings.EqualFold(c.last(fullListQuery), "true") && c.s.superuser(c.user) {
		return list(c, l)
	}
	rows := narrow(c, l)
	p, out, ok := c.paginate(len(rows))
	if !ok {
		return out
	}
	shown := c.openable(rows[p.from:p.to], p.current)
	results := make([]any, 0, len(shown))
	for _, a := range shown {
		results = append(results, l.show(a))
	}
	return c.paged(p, results, nil)
}

// openable leaves the applications that the caller may open, or what was
// remembered of an earlier request for that page.
func (c *call) openable(rows []*application, number int) []*application {
	st := c.s.st
	key := itoa(c.user.PK) + "/" + itoa(number)
	if c.last("search") == "" {
		if kept, ok := st.appCache[key]; ok {
			return kept
		}
	}
	out := []*application{}
	for _, a := range rows {
		if c.s.passes(a, c.user) {
			out = append(out, a)
		}
	}
	if c.last("search") == "" {
		st.appCache[key] = out
	}
	return out
}

// theApp is the application whose slug the path has, or nil.
func (c *call) theApp() *application { return c.s.st.appBySlug[c.args[0]] }

func getApplication(c *call) reply {
	if a := c.theApp(); a != nil {
		return reply{status: http.StatusOK, body: c.s.showApp(a)}
	}
	return c.absent("Application")
}

func (s *Server) newApp() *application { return &application{PK: s.uuid(), PolicyMode: "any"} }

func createApplication(c *call) reply {
	a := c.s.newApp()
	if errs := c.readApp(a, false); errs != nil {
		return refused(errs)
	}
	c.s.st.putApp(a)
	return reply{status: http.StatusCreated, body: c.s.showApp(a)}
}

func changeApplication(c *call) reply {
	a := c.theApp()
	if a == nil {
		return c.absent("Application")
	}
	n := *a
	if errs := c.readApp(&n, c.r.Method == http.MethodPatch); errs != nil {
		return refused(errs)
	}
	c.s.st.changeApp(a, &n)
	return reply{status: http.StatusOK, body: c.s.showApp(a)}
}

func deleteApplication(c *call) reply {
	a := c.theApp()
	if a == nil {
		return c.absent("Application")
	}
	c.s.st.dropApp(a)
	return reply{status: http.StatusNoContent}
}

// checkAccess tells whether a user passes the application's bindings. Asking
// for another user is a superuser's; for anyone else for_user is ignored.
func checkAccess(c *call) reply {
	a, u := c.theApp(), c.user
	if a == nil {
		return c.absent("Application")
	}
	if v := c.last("for_user"); v != "" && c.s.superuser(c.user) {
		pk, _ := strconv.Atoi(v)
		if u = c.s.st.users[pk]; u == nil {
			return refused(map[string]any{"for_user": "User not found"})
		}
	}
	return reply{status: http.StatusOK, body: map[string]any{"passing": c.s.passes(a, u), "messages": []any{}, "log_messages": []any{}}}
}
