package authentik

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

func showRole(r *role) map[string]any { return map[string]any{"pk": r.PK, "name": r.Name} }

func (s *Server) newRole(name string) *role {
	r := &role{PK: s.uuid(), Name: name, Permissions: map[string]bool{}}
	s.st.roles = append(s.st.roles, r)
	return r
}

// managedRole gives a user the role that holds the permissions on single
// objects, which exists from 2025.12 on.
func (s *Server) managedRole(u *user) {
	if !s.version.from(2025, 12) {
		return
	}
	name := "ak-managed-role--user-" + strconv.Itoa(u.PK)
	if find(s.st.roles, func(r *role) bool { return r.Name == name }) == nil {
		u.Roles = append(u.Roles, s.newRole(name).PK)
	}
}

func listRoles(c *call) reply {
	rows := c.s.st.roles
	return list(c, lister[role]{
		rows:   sorted(rows, by(func(r *role) string { return r.Name })),
		order:  map[string]func(a, b *role) int{"name": by(func(r *role) string { return r.Name })},
		search: func(r *role) []string { return []string{r.Name} },
		filters: map[string]func(*role, string) bool{
			"name":            same(func(r *role) string { return r.Name }),
			"managed__isnull": flag(func(r *role) bool { return !strings.HasPrefix(r.Name, "ak-managed-role--") }),
		},
		show: func(r *role) any { return showRole(r) },
	})
}

func getRole(c *call) reply {
	if r := c.s.st.role(c.args[0]); r != nil {
		return reply{status: http.StatusOK, body: showRole(r)}
	}
	return c.absent("Role")
}

func (c *call) readRole(r *role, partial bool) map[string]any {
	f := c.form(partial)
	f.text("name", &r.Name, textRule{required: true, max: 150, check: func(name string) string {
		if find(c.s.st.roles, func(x *role) bool { return x.Name == name && x.PK != r.PK }) != nil {
			return "Role with this name already exists."
		}
		return ""
	}})
	if f.bad() {
		return f.errs
	}
	return nil
}

func createRole(c *call) reply {
	r := &role{}
	if errs := c.readRole(r, false); errs != nil {
		return refused(errs)
	}
	return reply{status: http.StatusCreated, body: showRole(c.s.newRole(r.Name))}
}

func changeRole(c *call) reply {
	r := c.s.st.role(c.args[0])
	if r == nil {
		return c.absent("Role")
	}
	n := *r
	if errs := c.readRole(&n, c.r.Method == http.MethodPatch); errs != nil {
		return refused(errs)
	}
	*r = n
	return reply{status: http.StatusOK, body: showRole(r)}
}

func deleteRole(c *call) reply {
	st := c.s.st
	r := st.role(c.args[0])
	if r == nil {
		return c.absent("Role")
	}
	st.roles = slices.DeleteFunc(st.roles, func(x *role) bool { return x == r })
	without := func(pks []string) []string {
		return slices.DeleteFunc(pks, func(pk string) bool { return pk == r.PK })
	}
	for _, g := range st.groups {
		g.Roles = without(g.Roles)
	}
	for _, u := range st.users {
		if len(u.Roles) > 0 {
			u.Roles = without(u.Roles)
		}
	}
	return reply{status: http.StatusNoContent}
}

// models are those whose permissions can be given here.
var models = []string{
	"authentik_brands.brand", "authentik_core.application", "authentik_core.group", "authentik_core.provider",
	"authentik_core.token", "authentik_core.user", "authentik_crypto.certificatekeypair", "authentik_events.event",
	"authentik_flows.flow", "authentik_policies.policybinding", "authentik_providers_oauth2.oauth2provider",
	"authentik_providers_oauth2.scopemapping", "authentik_rbac.role",
}

// extraPermissions don't follow the pattern of action and model.
var extraPermissions = []string{
	"authentik_core.add_user_to_group", "authentik_core.remove_user_from_group", "authentik_core.reset_user_password",
	"authentik_core.impersonate", "authentik_core.set_token_key", "authentik_core.view_token_key",
	"authentik_rbac.access_admin_interface", "authentik_rbac.assign_role_permissions", "authentik_rbac.unassign_role_permissions",
	"authentik_rbac.view_system_info", "authentik_rbac.view_system_settings", "authentik_rbac.edit_system_settings",
}

// permissions lists every permission that can be given to a role.
func permissions() []string {
	out := slices.Clone(extraPermissions)
	for _, m := range models {
		app, name, _ := strings.Cut(m, ".")
		for _, action := range []string{"add", "change", "delete", "view"} {
			out = append(out, app+"."+action+"_"+name)
		}
	}
	slices.Sort(out)
	return out
}

// readPermissions reads the permissions of a body, each of which must exist.
func (c *call) readPermissions() ([]string, map[string]any) {
	f := c.form(false)
	items, ok := f.items("permissions", true)
	if !ok {
		return nil, f.errs
	}
	known := permissions()
	out := []string{}
	for i, v := range items {
		name, _ := v.(string)
		if !slices.Contains(known, name) {
			return nil, map[string]any{"permissions": map[string]any{strconv.Itoa(i): []string{strconv.Quote(name) + " is not a valid choice."}}}
		}
		out = append(out, name)
	}
	return out, nil
}

func assignPermissions(c *call) reply {
	r := c.s.st.role(c.args[0])
	if r == nil {
		return c.absent("Role")
	}
	names, errs := c.readPermissions()
	if errs != nil {
		return refused(errs)
	}
	known, ids := permissions(), []any{}
	for _, name := range names {
		r.Permissions[name] = true
		ids = append(ids, map[string]any{"id": strconv.Itoa(slices.Index(known, name) + 1)})
	}
	return reply{status: http.StatusOK, body: ids}
}

func unassignPermissions(c *call) reply {
	r := c.s.st.role(c.args[0])
	if r == nil {
		return c.absent("Role")
	}
	names, errs := c.readPermissions()
	if errs != nil {
		return refused(errs)
	}
	for _, name := range names {
		delete(r.Permissions, name)
	}
	return reply{status: http.StatusNoContent}
}

type permission struct {
	id        int
	name      string
	app, code string
}

// listPermissions lists permissions. ?user= finds none, whoever is asked for,
// because users hold them by roles only; from 2026.2 on it is ignored. ?role= lists a role's.
func listPermissions(c *call) reply {
	var rows []*permission
	r := c.s.st.role(c.last("role"))
	for i, full := range permissions() {
		app, code, _ := strings.Cut(full, ".")
		switch {
		case c.last("user") != "" && !c.s.version.from(2026, 2), c.last("role") != "" && (r == nil || !r.Permissions[full]):
			continue
		}
		rows = append(rows, &permission{id: i + 1, name: full, app: app, code: code})
	}
	return list(c, lister[permission]{
		rows:   rows,
		search: func(p *permission) []string { return []string{p.code, p.app} },
		filters: map[string]func(*permission, string) bool{
			"codename":                same(func(p *permission) string { return p.code }),
			"content_type__app_label": same(func(p *permission) string { return p.app }),
		},
		show: func(p *permission) any { return showPermission(p) },
	})
}

func showPermission(p *permission) map[string]any {
	_, model, _ := strings.Cut(p.code, "_")
	return map[string]any{"id": p.id, "name": "Can " + strings.ReplaceAll(p.code, "_", " "), "codename": p.code, "model": model,
		"app_label": p.app, "app_label_verbose": strings.ReplaceAll(p.app, "_", " "), "model_verbose": model}
}

// listRolePermissions lists permissions on single objects, of which there are
// none here.
func listRolePermissions(c *call) reply { return list(c, lister[permission]{}) }

// listAssigned lists the roles that hold permissions on ?model=.
func listAssigned(c *call) reply {
	if !c.may("authentik_rbac.view_role") {
		return forbidden()
	}
	model := c.last("model")
	if model == "" {
		return wrong("model", "This field is required.")
	}
	app, name, _ := strings.Cut(model, ".")
	var rows []*role
	for _, r := range c.s.st.roles {
		for p := range r.Permissions {
			if strings.HasPrefix(p, app+".") && strings.HasSuffix(p, "_"+name) {
				rows = append(rows, r)
				break
			}
		}
	}
	return list(c, lister[role]{
		rows: sorted(rows, by(func(r *role) string { return r.Name })),
		show: func(r *role) any {
			held := []any{}
			for i, full := range permissions() {
				if r.Permissions[full] && strings.HasPrefix(full, app+".") {
					_, code, _ := strings.Cut(full, ".")
					held = append(held, showPermission(&permission{id: i + 1, app: app, code: code}))
				}
			}
			return map[string]any{"role_pk": r.PK, "name": r.Name, "object_permissions": []any{}, "model_permissions": held}
		},
	})
}
