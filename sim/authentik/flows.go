package authentik

import (
	"net/http"
	"slices"
)

const flowBackground = "/static/dist/assets/images/flow_background.jpg"

var (
	designations    = []string{"authentication", "authorization", "invalidation", "enrollment", "unenrollment", "recovery", "stage_configuration"}
	authentications = []string{"none", "require_authenticated", "require_unauthenticated", "require_superuser", "require_redirect", "require_outpost"}
	layouts         = []string{"stacked", "content_left", "content_right", "sidebar_left", "sidebar_right"}
	deniedActions   = []string{"message_continue", "message", "continue"}
	policyModes     = []string{"all", "any"}
)

func (s *Server) showFlow(f *flow) map[string]any {
	m := map[string]any{"pk": f.PK, "policybindingmodel_ptr_id": f.BindingPK, "name": f.Name, "slug": f.Slug, "title": f.Title,
		"designation": f.Designation, "background": f.Background, "stages": append([]string{}, f.Stages...),
		"policies": append([]string{}, f.Policies...), "cache_count": 0, "policy_engine_mode": f.PolicyMode,
		"compatibility_mode": f.Compatible, "export_url": apiPrefix + "flows/instances/" + f.Slug + "/export/",
		"layout": f.Layout, "denied_action": f.Denied, "authentication": f.Authn}
	background := f.Background
	if background == "" {
		background = flowBackground
	}
	if s.version.from(2025, 12) {
		m["background_url"] = background
	} else {
		m["background"] = background
	}
	if s.version.from(2026, 2) {
		m["background_themed_urls"] = nil
	}
	return m
}

func (s *Server) newFlow() *flow {
	return &flow{PK: s.uuid(), BindingPK: s.uuid(), PolicyMode: "any", Layout: "stacked", Denied: "message_continue", Authn: "none"}
}

func listFlows(c *call) reply {
	if d := c.last("designation"); d != "" && !slices.Contains(designations, d) {
		return badChoice("designation", d)
	}
	text := func(field func(*flow) string) func(a, b *flow) int { return by(field) }
	return list(c, lister[flow]{
		rows: sorted(c.s.st.flows, by(func(f *flow) string { return f.Slug })),
		order: map[string]func(a, b *flow) int{
			"slug": text(func(f *flow) string { return f.Slug }), "name": text(func(f *flow) string { return f.Name }),
		},
		search: func(f *flow) []string { return []string{f.Name, f.Slug, f.Designation, f.Title} },
		filters: map[string]func(*flow, string) bool{
			"slug": same(func(f *flow) string { return f.Slug }), "name": same(func(f *flow) string { return f.Name }),
			"flow_uuid": same(func(f *flow) string { return f.PK }), "designation": same(func(f *flow) string { return f.Designation }),
			"denied_action": same(func(f *flow) string { return f.Denied }),
		},
		show: func(f *flow) any { return c.s.showFlow(f) },
	})
}

func getFlow(c *call) reply {
	if f := c.s.st.flowBySlug(c.args[0]); f != nil {
		return reply{status: http.StatusOK, body: c.s.showFlow(f)}
	}
	return c.absent("Flow")
}

func (c *call) readFlow(fl *flow, partial bool) map[string]any {
	f := c.form(partial)
	f.text("name", &fl.Name, textRule{required: true})
	f.text("slug", &fl.Slug, textRule{required: true, max: 50, check: func(slug string) string {
		if text := slugRule(`"`, `"`)(slug); text != "" {
			return text
		}
		if other := c.s.st.flowBySlug(slug); other != nil && other.PK != fl.PK {
			return "Flow with this slug already exists."
		}
		return ""
	}})
	f.text("title", &fl.Title, textRule{required: true})
	f.choice("designation", &fl.Designation, true, designations...)
	f.choice("policy_engine_mode", &fl.PolicyMode, false, policyModes...)
	f.flag("compatibility_mode", &fl.Compatible)
	shapes := layouts
	if c.s.version.from(2026, 2) {
		shapes = append(slices.Clone(layouts), "sidebar_left_frame_background", "sidebar_right_frame_background")
	}
	f.choice("layout", &fl.Layout, false, shapes...)
	f.choice("denied_action", &fl.Denied, false, deniedActions...)
	f.choice("authentication", &fl.Authn, false, authentications...)
	if c.s.version.from(2025, 12) {
		f.text("background", &fl.Background, textRule{blank: true})
	}
	if f.bad() {
		return f.errs
	}
	return nil
}

func createFlow(c *call) reply {
	f := c.s.newFlow()
	if errs := c.readFlow(f, false); errs != nil {
		return refused(errs)
	}
	c.s.st.flows = append(c.s.st.flows, f)
	return reply{status: http.StatusCreated, body: c.s.showFlow(f)}
}

func changeFlow(c *call) reply {
	f := c.s.st.flowBySlug(c.args[0])
	if f == nil {
		return c.absent("Flow")
	}
	n := *f
	if errs := c.readFlow(&n, c.r.Method == http.MethodPatch); errs != nil {
		return refused(errs)
	}
	*f = n
	return reply{status: http.StatusOK, body: c.s.showFlow(f)}
}

// deleteFlow removes a flow. What used it is left without, and a provider that
// can't be without goes with it.
func deleteFlow(c *call) reply {
	st := c.s.st
	f := st.flowBySlug(c.args[0])
	if f == nil {
		return c.absent("Flow")
	}
	st.flows = slices.DeleteFunc(st.flows, func(x *flow) bool { return x == f })
	for _, b := range st.brands {
		for name, pk := range b.Flows {
			if pk == f.PK {
				b.Flows[name] = ""
			}
		}
	}
	for _, p := range slices.Clone(st.providers) {
		switch f.PK {
		case p.AuthorizationFlow:
			st.dropProvider(p)
		case p.AuthenticationFlow:
			p.AuthenticationFlow = ""
		case p.InvalidationFlow:
			p.InvalidationFlow = ""
		}
	}
	return reply{status: http.StatusNoContent}
}

// usedBy tells what a delete would touch.
func usedBy(c *call) reply {
	st, out := c.s.st, []any{}
	use := func(app, model, pk, name, action string) {
		out = append(out, map[string]any{"app": app, "model_name": model, "pk": pk, "name": name, "action": action})
	}
	switch c.args[0] + "/" + c.args[1] {
	case "flows/instances":
		f := st.flowBySlug(c.args[2])
		if f == nil {
			return c.absent("Flow")
		}
		if !c.may("authentik_flows.view_flow") {
			return forbidden()
		}
		for _, b := range st.brands {
			for _, field := range brandFlows {
				if b.Flows[field] == f.PK {
					use("authentik_brands", "brand", b.UUID, b.label(), "set_null")
				}
			}
		}
		for _, p := range st.providers {
			if p.AuthenticationFlow == f.PK || p.InvalidationFlow == f.PK {
				use("authentik_core", "provider", itoa(p.PK), p.Name, "set_null")
			}
			if p.AuthorizationFlow == f.PK {
				use("authentik_core", "provider", itoa(p.PK), p.Name, "cascade")
			}
		}
	case "providers/oauth2":
		c.args = c.args[2:]
		p := c.theProvider()
		if p == nil {
			return c.absent("OAuth2Provider")
		}
		if !c.may("authentik_providers_oauth2.view_oauth2provider") {
			return forbidden()
		}
		for _, pk := range p.Mappings {
			use("authentik_core", "propertymapping", pk, "Property Mapping "+st.mapping(pk).Name, "cascade_many")
		}
	default:
		return notFoundPage()
	}
	return reply{status: http.StatusOK, body: out}
}
