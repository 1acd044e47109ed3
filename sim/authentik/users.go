package authentik

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	pathUsers           = "users"
	pathServiceAccounts = "goauthentik.io/service-accounts"
	typeInternal        = "internal"
	typeServiceAccount  = "service_account"
	typeOutpost         = "internal_service_account"
	tokenExpires        = "goauthentik.io/user/token-expires"
)

var userTypes = []string{typeInternal, "external", typeServiceAccount, typeOutpost}

// newUser makes a user and gives it its ids. It isn't stored yet.
func (s *Server) newUser(username, name, email string) *user {
	now := s.now()
	u := &user{PK: s.st.nextUser, UUID: s.uuid(), Username: username, Name: name, Email: email,
		Path: pathUsers, Type: typeInternal, Active: true, Attributes: map[string]any{},
		Joined: now, PasswordSet: now, Changed: now}
	s.st.nextUser++
	sum := sha256.Sum256([]byte(strconv.Itoa(u.PK) + "-" + s.st.uidSalt))
	u.UID = hex.EncodeToString(sum[:])
	return u
}

func stamp(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Format("2006-01-02T15:04:05.000000Z")
}

func avatar(u *user) string {
	initials := strings.ToUpper(u.Username[:min(2, len(u.Username))])
	svg := fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" width="64px" height="64px"><text x="50%%" y="50%%">%s</text></svg>`, initials)
	return "data:image/svg+xml;base64," + base64.StdEncoding.EncodeToString([]byte(svg))
}

// showUser is a user as lists and single reads have it.
func (s *Server) showUser(u *user) map[string]any {
	groups, objs := []string{}, []any{}
	for _, g := range sorted(s.st.groupsOf[u.PK], by(func(g *group) string { return g.Name })) {
		groups = append(groups, g.PK)
		objs = append(objs, s.showGroupBriefly(g))
	}
	m := map[string]any{"pk": u.PK, "username": u.Username, "name": u.Name, "is_active": u.Active,
		"last_login": stamp(u.LastLogin), "is_superuser": s.superuser(u), "groups": groups, "groups_obj": objs,
		"email": u.Email, "avatar": avatar(u), "attributes": u.Attributes, "uid": u.UID, "path": u.Path,
		"type": u.Type, "uuid": u.UUID}
	if s.version.from(2025, 2) {
		m["password_change_date"] = stamp(u.PasswordSet)
	}
	if s.version.from(2025, 4) {
		m["date_joined"] = stamp(u.Joined)
	}
	if s.version.from(2025, 8) {
		m["last_updated"] = stamp(u.Changed)
	}
	if s.version.from(2025, 12) {
		roles, objs := []string{}, []any{}
		for _, r := range s.st.roles {
			if slices.Contains(u.Roles, r.PK) {
				roles = append(roles, r.PK)
				objs = append(objs, showRole(r))
			}
		}
		m["roles"], m["roles_obj"] = roles, objs
	}
	return m
}

var userModels = autocomplete("authentik_core.user", map[string]any{
	"username": modelField("str", false), "name": modelField("str", false), "email": modelField("str", false),
	"path": modelField("str", false), "is_active": modelField("bool", true),
	"type":       map[string]any{"type": "str", "nullable": false, "options": userTypes},
	"attributes": modelRelation("authentik_core.user_attributes"),
})

func modelField(kind string, nullable bool) map[string]any {
	return map[string]any{"type": kind, "nullable": nullable, "options": nil}
}

func modelRelation(to string) map[string]any {
	return map[string]any{"type": "relation", "nullable": false, "options": nil, "relation": to}
}

func autocomplete(model string, fields map[string]any) map[string]any {
	return map[string]any{"current_model": model, "models": map[string]any{model: fields}}
}

// usersByName returns all users in the order of the list.
func (st *state) usersByName() []*user {
	if st.userOrder == nil {
		st.userOrder = make([]*user, 0, len(st.users))
		for _, u := range st.users {
			st.userOrder = append(st.userOrder, u)
		}
		slices.SortFunc(st.userOrder, by(func(u *user) string { return u.Username }))
	}
	return st.userOrder
}

// candidates narrows the users by what there is an index for.
func (st *state) candidates(c *call) []*user {
	if name := c.last("username"); name != "" {
		if u := st.usersBy[name]; u != nil {
			return []*user{u}
		}
		return []*user{}
	}
	if mail := c.last("email"); mail != "" {
		out := []*user{}
		for _, pk := range st.usersMail[mail] {
			out = append(out, st.users[pk])
		}
		return sorted(out, by(func(u *user) string { return u.Username }))
	}
	return st.usersByName()
}

func listUsers(c *call) reply {
	s := c.s
	text := func(f func(*user) string) func(a, b *user) int { return by(f) }
	return list(c, lister[user]{
		rows: s.st.candidates(c),
		order: map[string]func(a, b *user) int{
			"username": text(func(u *user) string { return u.Username }), "name": text(func(u *user) string { return u.Name }),
			"email": text(func(u *user) string { return u.Email }), "pk": by(func(u *user) int { return u.PK }),
			"last_login":  by(func(u *user) int64 { return u.LastLogin.UnixNano() }),
			"date_joined": by(func(u *user) int64 { return u.Joined.UnixNano() }),
		},
		search: func(u *user) []string { return []string{u.Username, u.Name, u.Email, u.UUID} },
		filters: map[string]func(*user, string) bool{
			"username": same(func(u *user) string { return u.Username }), "name": same(func(u *user) string { return u.Name }),
			"email": same(func(u *user) string { return u.Email }), "uuid": same(func(u *user) string { return u.UUID }),
			"path": same(func(u *user) string { return u.Path }), "type": func(u *user, _ string) bool { return slices.Contains(c.q["type"], u.Type) },
			"path_startswith": func(u *user, v string) bool { return strings.HasPrefix(u.Path, v) },
			"is_active":       flag(func(u *user) bool { return u.Active }), "is_superuser": flag(s.superuser),
			"groups_by_name": func(u *user, _ string) bool {
				return slices.ContainsFunc(s.st.groupsOf[u.PK], func(g *group) bool { return slices.Contains(c.q["groups_by_name"], g.Name) })
			},
			"groups_by_pk": func(u *user, _ string) bool {
				return slices.ContainsFunc(s.st.groupsOf[u.PK], func(g *group) bool { return slices.Contains(c.q["groups_by_pk"], g.PK) })
			},
		},
		models: userModels,
		show:   func(u *user) any { return s.showUser(u) },
	})
}

// theUser is the user whose number the path has, or nil.
func (c *call) theUser() *user {
	pk, err := strconv.Atoi(c.args[0])
	if err != nil {
		return nil
	}
	return c.s.st.users[pk]
}

func getUser(c *call) reply {
	if u := c.theUser(); u != nil {
		return reply{status: http.StatusOK, body: c.s.showUser(u)}
	}
	return c.absent("User")
}

// readUser checks a body and applies it to u; groups are the ones asked for,
// nil if none were named.
func (c *call) readUser(u *user, partial bool) (groups []string, errs map[string]any) {
	f, st := c.form(partial), c.s.st
	f.text("username", &u.Username, textRule{required: true, max: 150, check: func(name string) string {
		if other := st.usersBy[name]; other != nil && other.PK != u.PK {
			return "This field must be unique."
		}
		return ""
	}})
	f.text("name", &u.Name, textRule{required: true, blank: true})
	f.text("email", &u.Email, textRule{blank: true, max: 254, check: emailRule})
	f.text("path", &u.Path, textRule{})
	f.choice("type", &u.Type, false, userTypes...)
	f.flag("is_active", &u.Active)
	f.object("attributes", &u.Attributes)
	f.pks("groups", &groups, func(pk string) bool { return st.group(pk) != nil })
	if c.s.version.from(2025, 12) {
		f.pks("roles", &u.Roles, func(pk string) bool { return st.role(pk) != nil })
	}
	if f.bad() {
		return nil, f.errs
	}
	return groups, nil
}

func createUser(c *call) reply {
	st := c.s.st
	next := st.nextUser
	u := c.s.newUser("", "", "")
	groups, errs := c.readUser(u, false)
	if errs != nil {
		st.nextUser = next
		return refused(errs)
	}
	st.putUser(u)
	c.s.setGroups(u, groups)
	return reply{status: http.StatusCreated, body: c.s.showUser(u)}
}

func changeUser(c *call) reply {
	u := c.theUser()
	if u == nil {
		return c.absent("User")
	}
	n := *u
	groups, errs := c.readUser(&n, c.r.Method == http.MethodPatch)
	if errs != nil {
		return refused(errs)
	}
	n.Changed = c.s.now()
	st := c.s.st
	delete(st.usersBy, u.Username)
	st.forgetMail(u)
	*u = n
	st.putUser(u)
	if groups != nil {
		c.s.setGroups(u, groups)
	}
	return reply{status: http.StatusOK, body: c.s.showUser(u)}
}

func (s *Server) setGroups(u *user, pks []string) {
	for _, g := range slices.Clone(s.st.groupsOf[u.PK]) {
		if !slices.Contains(pks, g.PK) {
			s.st.leave(g, u.PK)
		}
	}
	for _, pk := range pks {
		s.st.join(s.st.group(pk), u.PK)
	}
	s.st.forgetLists()
}

func deleteUser(c *call) reply {
	u := c.theUser()
	if u == nil {
		return c.absent("User")
	}
	c.s.st.dropUser(u)
	return reply{status: http.StatusNoContent}
}

func setPassword(c *call) reply {
	u := c.theUser()
	if u == nil {
		return c.absent("User")
	}
	f := c.form(false)
	var password string
	f.text("password", &password, textRule{required: true, raw: true})
	if f.bad() {
		return refused(f.errs)
	}
	u.Password, u.PasswordSet = password, c.s.now()
	c.s.record(c, "password_set", "authentik.events.signals", c.user, nil)
	return reply{status: http.StatusNoContent}
}

// systemPermissions is what users/me lists for an administrator.
func (s *Server) systemPermissions() []string {
	if !s.version.from(2025, 6) {
		return []string{"access_admin_interface", "delete_role", "change_role", "edit_system_settings", "assign_role_permissions",
			"view_system_settings", "view_role", "view_system_info", "add_role", "unassign_role_permissions"}
	}
	return []string{"access_admin_interface", "view_media_files", "delete_initialpermissions", "manage_media_files", "add_role",
		"change_initialpermissions", "edit_system_settings", "view_system_settings", "delete_role", "view_initialpermissions",
		"change_role", "unassign_role_permissions", "assign_role_permissions", "add_initialpermissions", "view_role", "view_system_info"}
}

func usersMe(c *call) reply {
	s, u := c.s, c.user
	groups := []any{}
	for _, g := range sorted(s.st.groupsOf[u.PK], by(func(g *group) string { return g.Name })) {
		groups = append(groups, map[string]any{"name": g.Name, "pk": g.PK})
	}
	permissions := []string{}
	for _, p := range s.systemPermissions() {
		if s.holds(u, "authentik_rbac."+p) {
			permissions = append(permissions, p)
		}
	}
	me := map[string]any{"pk": u.PK, "username": u.Username, "name": u.Name, "is_active": u.Active,
		"is_superuser": s.superuser(u), "groups": groups, "email": u.Email, "avatar": avatar(u), "uid": u.UID,
		"settings": map[string]any{}, "type": u.Type, "system_permissions": permissions}
	if s.version.from(2025, 12) {
		roles := []any{}
		for _, r := range sorted(s.rolesOf(u), by(func(r *role) string { return r.Name })) {
			roles = append(roles, map[string]any{"name": r.Name, "pk": r.PK})
		}
		me["roles"] = roles
	}
	return reply{status: http.StatusOK, body: map[string]any{"user": me}}
}
