package authentik

import (
	"net/http"
	"slices"
)

// showGroupBriefly is a group inside of another object.
func (s *Server) showGroupBriefly(g *group) map[string]any {
	m := map[string]any{"pk": g.PK, "num_pk": g.NumPK, "name": g.Name, "is_superuser": g.Superuser, "attributes": g.Attributes}
	if !s.version.from(2025, 12) {
		m["parent"], m["parent_name"] = s.parent(g)
	}
	return m
}

// parent is the one group above, as versions before 2025.12 know it.
func (s *Server) parent(g *group) (pk, name any) {
	if len(g.Parents) == 0 {
		return nil, nil
	}
	if p := s.st.group(g.Parents[0]); p != nil {
		return p.PK, p.Name
	}
	return nil, nil
}

func (s *Server) showGroup(g *group, members bool) map[string]any {
	m := s.showGroupBriefly(g)
	m["users"], m["users_obj"] = slices.Clone(g.Users), nil
	if g.Users == nil {
		m["users"] = []int{}
	}
	if members {
		objs := make([]any, 0, len(g.Users))
		for _, pk := range g.Users {
			u := s.st.users[pk]
			objs = append(objs, map[string]any{"pk": u.PK, "username": u.Username, "name": u.Name, "is_active": u.Active,
				"last_login": stamp(u.LastLogin), "email": u.Email, "attributes": u.Attributes, "uid": u.UID})
		}
		m["users_obj"] = objs
	}
	roles, objs := []string{}, []any{}
	for _, r := range s.st.roles {
		if slices.Contains(g.Roles, r.PK) {
			roles, objs = append(roles, r.PK), append(objs, showRole(r))
		}
	}
	m["roles"], m["roles_obj"] = roles, objs
	if s.version.from(2026, 2) {
		m["inherited_roles_obj"] = nil
	}
	if s.version.from(2025, 12) {
		children := []string{}
		for _, other := range s.st.groups {
			if slices.Contains(other.Parents, g.PK) {
				children = append(children, other.PK)
			}
		}
		m["parents"], m["parents_obj"] = append([]string{}, g.Parents...), nil
		m["children"], m["children_obj"] = children, nil
	}
	return m
}

var groupModels = autocomplete("authentik_core.group", map[string]any{
	"name": modelField("str", false), "is_superuser": modelField("bool", true),
	"attributes": modelRelation("authentik_core.group_attributes"),
})

func listGroups(c *call) reply {
	s := c.s
	members := c.last("include_users") != "false"
	return list(c, lister[group]{
		rows: sorted(s.st.groups, by(func(g *group) string { return g.Name })),
		order: map[string]func(a, b *group) int{
			"name": by(func(g *group) string { return g.Name }),
		},
		search: func(g *group) []string { return []string{g.Name} },
		filters: map[string]func(*group, string) bool{
			"name": same(func(g *group) string { return g.Name }), "is_superuser": flag(func(g *group) bool { return g.Superuser }),
			"members_by_username": func(g *group, v string) bool {
				u := s.st.usersBy[v]
				return u != nil && slices.Contains(s.st.groupsOf[u.PK], g)
			},
		},
		models: groupModels,
		show:   func(g *group) any { return s.showGroup(g, members) },
	})
}

func getGroup(c *call) reply {
	g := c.s.st.group(c.args[0])
	if g == nil {
		return c.absent("Group")
	}
	return reply{status: http.StatusOK, body: c.s.showGroup(g, c.last("include_users") != "false")}
}

// groupTaken words the refusal of a group's name in the client's language.
func (c *call) groupTaken() string {
	if !c.s.version.from(2025, 12) {
		return "This field must be unique."
	}
	return c.translate("Group with this name already exists.")
}

func (c *call) readGroup(g *group, partial bool) (users []int, errs map[string]any) {
	f, st := c.form(partial), c.s.st
	isGroup := func(pk string) bool { return st.group(pk) != nil }
	f.text("name", &g.Name, textRule{required: true, check: func(name string) string {
		if find(st.groups, func(x *group) bool { return x.Name == name && x.PK != g.PK }) != nil {
			return c.groupTaken()
		}
		return ""
	}})
	f.flag("is_superuser", &g.Superuser)
	f.object("attributes", &g.Attributes)
	f.numberPKs("users", &users, func(pk int) bool { return st.users[pk] != nil })
	f.pks("roles", &g.Roles, func(pk string) bool { return st.role(pk) != nil })
	if c.s.version.from(2025, 12) {
		f.pks("parents", &g.Parents, isGroup)
	} else {
		above := ""
		f.pk("parent", &above, false, true, isGroup)
		if _, given := f.in["parent"]; given {
			g.Parents = nil
			if above != "" {
				g.Parents = []string{above}
			}
		}
	}
	if f.bad() {
		return nil, f.errs
	}
	return users, nil
}

func (s *Server) newGroup(name string, superuser bool) *group {
	g := &group{PK: s.uuid(), NumPK: 10000 + s.number(90000), Name: name, Superuser: superuser, Attributes: map[string]any{}}
	s.st.groups = append(s.st.groups, g)
	return g
}

func createGroup(c *call) reply {
	g := &group{Attributes: map[string]any{}}
	users, errs := c.readGroup(g, false)
	if errs != nil {
		return refused(errs)
	}
	g.PK, g.NumPK = c.s.uuid(), 10000+c.s.number(90000)
	c.s.st.groups = append(c.s.st.groups, g)
	for _, pk := range users {
		c.s.st.join(g, pk)
	}
	return reply{status: http.StatusCreated, body: c.s.showGroup(g, true)}
}

func changeGroup(c *call) reply {
	st := c.s.st
	g := st.group(c.args[0])
	if g == nil {
		return c.absent("Group")
	}
	n := *g
	users, errs := c.readGroup(&n, c.r.Method == http.MethodPatch)
	if errs != nil {
		return refused(errs)
	}
	*g = n
	if users != nil {
		for _, pk := range slices.Clone(g.Users) {
			if !slices.Contains(users, pk) {
				st.leave(g, pk)
			}
		}
		for _, pk := range users {
			st.join(g, pk)
		}
	}
	st.forgetLists()
	return reply{status: http.StatusOK, body: c.s.showGroup(g, true)}
}

func deleteGroup(c *call) reply {
	st := c.s.st
	g := st.group(c.args[0])
	if g == nil {
		return c.absent("Group")
	}
	for _, pk := range slices.Clone(g.Users) {
		st.leave(g, pk)
	}
	st.groups = slices.DeleteFunc(st.groups, func(x *group) bool { return x == g })
	for _, x := range st.groups {
		x.Parents = slices.DeleteFunc(x.Parents, func(pk string) bool { return pk == g.PK })
	}
	st.bindings = slices.DeleteFunc(st.bindings, func(b *binding) bool { return b.Group == g.PK })
	st.forgetLists()
	return reply{status: http.StatusNoContent}
}

func groupAddUser(c *call) reply    { return c.member((*state).join) }
func groupRemoveUser(c *call) reply { return c.member((*state).leave) }

// member changes one membership. That it stood so before is no error.
func (c *call) member(change func(*state, *group, int)) reply {
	st := c.s.st
	g := st.group(c.args[0])
	if g == nil {
		return c.absent("Group")
	}
	missing := detail(http.StatusNotFound, "Not found.")
	if c.body["pk"] == nil && !c.s.version.from(2025, 12) {
		return missing
	}
	f, pk := c.form(false), 0
	f.number("pk", &pk, true, 0)
	if f.bad() {
		return refused(f.errs)
	}
	if st.users[pk] == nil {
		return missing
	}
	change(st, g, pk)
	st.forgetLists()
	return reply{status: http.StatusNoContent}
}
