package authentik

import (
	"net/http"
	"slices"
	"strings"
)

func (s *Server) showBinding(b *binding) map[string]any {
	m := map[string]any{"pk": b.PK, "policy": orNull(b.Policy), "group": orNull(b.Group), "user": nil, "policy_obj": nil,
		"group_obj": nil, "user_obj": nil, "target": b.Target, "negate": b.Negate, "enabled": b.Enabled, "order": b.Order,
		"timeout": b.Timeout, "failure_result": b.FailureResult}
	if g := s.st.group(b.Group); g != nil {
		if m["group_obj"] = s.showGroupBriefly(g); !s.version.from(2025, 12) {
			m["group_obj"] = s.showGroup(g, true)
		}
	}
	if u := s.st.users[b.User]; u != nil {
		m["user"] = u.PK
		m["user_obj"] = s.showUser(u)
		if s.version.from(2025, 12) {
			m["user_obj"] = map[string]any{"pk": u.PK, "username": u.Username, "name": u.Name, "is_active": u.Active,
				"last_login": stamp(u.LastLogin), "email": u.Email, "attributes": u.Attributes, "uid": u.UID}
		}
	}
	return m
}

// isTarget tells whether something can be bound to pk.
func (st *state) isTarget(pk string) bool {
	return st.appByPK[pk] != nil || find(st.flows, func(f *flow) bool { return f.BindingPK == pk }) != nil
}

func listBindings(c *call) reply {
	st := c.s.st
	target := strings.ToLower(c.last("target"))
	if target != "" && !st.isTarget(target) {
		return badChoice("target", "That choice")
	}
	return list(c, lister[binding]{
		rows:  sorted(st.bindings, by(func(b *binding) string { return b.Target }), by(func(b *binding) int { return b.Order })),
		order: map[string]func(a, b *binding) int{"order": by(func(b *binding) int { return b.Order })},
		filters: map[string]func(*binding, string) bool{
			"target":  func(b *binding, _ string) bool { return b.Target == target },
			"enabled": flag(func(b *binding) bool { return b.Enabled }), "policy__isnull": flag(func(b *binding) bool { return b.Policy == "" }),
			"order":   func(b *binding, v string) bool { return itoa(b.Order) == v },
			"timeout": func(b *binding, v string) bool { return itoa(b.Timeout) == v },
		},
		show: func(b *binding) any { return c.s.showBinding(b) },
	})
}

func (c *call) theBinding() *binding {
	return find(c.s.st.bindings, func(b *binding) bool { return b.PK == c.args[0] })
}

func getBinding(c *call) reply {
	if b := c.theBinding(); b != nil {
		return reply{status: http.StatusOK, body: c.s.showBinding(b)}
	}
	return c.absent("PolicyBinding")
}

// readBinding checks a body; within a transaction the target is the new
// application and isn't read.
func (c *call) readBinding(b *binding, partial, withTarget bool) map[string]any {
	f, st := c.form(partial), c.s.st
	f.pk("policy", &b.Policy, false, true, func(string) bool { return false })
	f.pk("group", &b.Group, false, true, func(pk string) bool { return st.group(pk) != nil })
	f.numberPK("user", &b.User, false, true, func(pk int) bool { return st.users[pk] != nil })
	if withTarget {
		f.pk("target", &b.Target, true, false, st.isTarget)
	}
	f.flag("negate", &b.Negate)
	f.flag("enabled", &b.Enabled)
	f.number("order", &b.Order, true, -1<<31)
	f.number("timeout", &b.Timeout, false, 0)
	f.flag("failure_result", &b.FailureResult)
	if f.bad() {
		return f.errs
	}
	set := 0
	for _, is := range []bool{b.Group != "", b.Policy != "", b.User != 0} {
		if is {
			set++
		}
	}
	switch {
	case set > 1:
		f.fail("non_field_errors", "Only one of 'group', 'policy', 'user' can be set.")
	case set == 0:
		f.fail("non_field_errors", "One of 'group', 'policy', 'user' must be set.")
	}
	if f.bad() {
		return f.errs
	}
	return nil
}

func (s *Server) newBinding() *binding {
	return &binding{PK: s.uuid(), Enabled: true, Timeout: 30}
}

func createBinding(c *call) reply {
	b := c.s.newBinding()
	if errs := c.readBinding(b, false, true); errs != nil {
		return refused(errs)
	}
	c.s.st.bindings = append(c.s.st.bindings, b)
	c.s.st.forgetLists()
	return reply{status: http.StatusCreated, body: c.s.showBinding(b)}
}

func changeBinding(c *call) reply {
	b := c.theBinding()
	if b == nil {
		return c.absent("PolicyBinding")
	}
	n := *b
	if errs := c.readBinding(&n, c.r.Method == http.MethodPatch, true); errs != nil {
		return refused(errs)
	}
	*b = n
	c.s.st.forgetLists()
	return reply{status: http.StatusOK, body: c.s.showBinding(b)}
}

func deleteBinding(c *call) reply {
	st, b := c.s.st, c.theBinding()
	if b == nil {
		return c.absent("PolicyBinding")
	}
	st.bindings = slices.DeleteFunc(st.bindings, func(x *binding) bool { return x == b })
	st.forgetLists()
	return reply{status: http.StatusNoContent}
}

// passes tells whether a user may use an application. Without bindings
// everyone may; with them superusers must belong as well.
func (s *Server) passes(a *application, u *user) bool {
	verdicts, any := 0, false
	all := true
	for _, b := range s.st.bindings {
		if b.Target != a.PK || !b.Enabled {
			continue
		}
		verdicts++
		ok := b.User != 0 && b.User == u.PK
		if b.Group != "" {
			ok = slices.ContainsFunc(s.allGroups(u), func(g *group) bool { return g.PK == b.Group })
		}
		ok = ok != b.Negate
		any, all = any || ok, all && ok
	}
	if verdicts == 0 {
		return true
	}
	if a.PolicyMode == "all" {
		return all
	}
	return any
}
