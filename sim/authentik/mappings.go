package authentik

import (
	"net/http"
	"slices"
)

const managedPrefix = "goauthentik.io/providers/oauth2/scope-"

func showMapping(m *mapping) any {
	out := map[string]any{"pk": m.PK, "managed": nil, "name": m.Name, "expression": m.Expression,
		"component": "ak-property-mapping-provider-scope-form", "verbose_name": "Scope Mapping", "verbose_name_plural": "Scope Mappings",
		"meta_model_name": "authentik_providers_oauth2.scopemapping", "scope_name": m.Scope, "description": m.Description}
	if m.Managed != "" {
		out["managed"] = m.Managed
	}
	return out
}

func listMappings(c *call) reply {
	for _, v := range c.q["managed"] {
		if v != "" && find(c.s.st.mappings, func(m *mapping) bool { return m.Managed == v }) == nil {
			return badChoice("managed", v)
		}
	}
	text := func(field func(*mapping) string) func(a, b *mapping) int { return by(field) }
	return list(c, lister[mapping]{
		rows: sorted(c.s.st.mappings, by(func(m *mapping) string { return m.Scope })),
		order: map[string]func(a, b *mapping) int{
			"scope_name": text(func(m *mapping) string { return m.Scope }), "name": text(func(m *mapping) string { return m.Name }),
		},
		search: func(m *mapping) []string { return []string{m.Name, m.Scope} },
		filters: map[string]func(*mapping, string) bool{
			"scope_name": same(func(m *mapping) string { return m.Scope }), "name": same(func(m *mapping) string { return m.Name }),
			"managed":         func(m *mapping, _ string) bool { return slices.Contains(c.q["managed"], m.Managed) },
			"managed__isnull": flag(func(m *mapping) bool { return m.Managed == "" }),
		},
		show: func(m *mapping) any { return showMapping(m) },
	})
}

func getMapping(c *call) reply {
	if m := c.s.st.mapping(c.args[0]); m != nil {
		return reply{status: http.StatusOK, body: showMapping(m)}
	}
	return c.absent("ScopeMapping")
}

func (c *call) readMapping(m *mapping, partial bool) map[string]any {
	f := c.form(partial)
	f.text("name", &m.Name, textRule{required: true, check: func(name string) string {
		if find(c.s.st.mappings, func(x *mapping) bool { return x.Name == name && x.PK != m.PK }) != nil {
			return "property mapping with this name already exists."
		}
		return ""
	}})
	f.text("expression", &m.Expression, textRule{required: true})
	f.text("scope_name", &m.Scope, textRule{required: true})
	f.text("description", &m.Description, textRule{blank: true})
	if f.bad() {
		return f.errs
	}
	return nil
}

func createMapping(c *call) reply {
	m := &mapping{PK: c.s.uuid()}
	if errs := c.readMapping(m, false); errs != nil {
		return refused(errs)
	}
	c.s.st.mappings = append(c.s.st.mappings, m)
	return reply{status: http.StatusCreated, body: showMapping(m)}
}

func changeMapping(c *call) reply {
	m := c.s.st.mapping(c.args[0])
	if m == nil {
		return c.absent("ScopeMapping")
	}
	n := *m
	if errs := c.readMapping(&n, c.r.Method == http.MethodPatch); errs != nil {
		return refused(errs)
	}
	*m = n
	return reply{status: http.StatusOK, body: showMapping(m)}
}

func deleteMapping(c *call) reply {
	st := c.s.st
	m := st.mapping(c.args[0])
	if m == nil {
		return c.absent("ScopeMapping")
	}
	st.dropMapping(m)
	return reply{status: http.StatusNoContent}
}

func (st *state) dropMapping(m *mapping) {
	st.mappings = slices.DeleteFunc(st.mappings, func(x *mapping) bool { return x == m })
	for _, p := range st.providers {
		p.Mappings = slices.DeleteFunc(p.Mappings, func(pk string) bool { return pk == m.PK })
	}
}
