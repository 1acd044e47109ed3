package netbird

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/netbirdio/netbird/shared/management/http/api"
)

// userAnswer is a user as the API shows him. A standalone installation takes
// name and e-mail from its identity provider, see profiles.
func userAnswer(u *user, caller string) api.User {
	status := api.UserStatusActive
	if u.blocked {
		status = api.UserStatusBlocked
	}
	groups := u.autoGroups
	if groups == nil {
		groups = []string{}
	}
	a := api.User{
		Id: u.id, Name: u.name, Email: u.email, Role: u.role, AutoGroups: groups, Status: status,
		IsCurrent: ptr(u.id == caller), IsServiceUser: ptr(u.service), IsBlocked: u.blocked,
		PendingApproval: u.pending, Issued: ptr("api"), LastLogin: &time.Time{},
	}
	if c := connectorOf(u.id); c != "" {
		a.IdpId = &c
	}
	return a
}

// shown are the users that a caller may see: all of the account, or himself.
func (s *Server) shown(c *call) ([]user, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	allowed, err := s.check(c, "users", opRead)
	if err != nil {
		return nil, refuse(http.StatusForbidden, "failed to validate user permissions: %s", err)
	}
	var out []user
	for _, u := range s.st.usersOf(c.accountID) {
		if allowed || u.id == c.user {
			out = append(out, *u)
		}
	}
	return out, nil
}

func (s *Server) listUsers(c *call) (any, error) {
	users, err := s.shown(c)
	if err != nil {
		return nil, err
	}
	known, err := s.profiles(c.r.Context(), c.accountID)
	if err != nil {
		return nil, err
	}
	filter := c.r.URL.Query().Get("service_user")
	service, err := strconv.ParseBool(filter)
	if filter != "" && err != nil {
		return nil, refuse(http.StatusUnprocessableEntity, "invalid service_user query parameter")
	}
	out := []api.User{}
	for _, u := range users {
		if filter == "" || service == u.service {
			out = append(out, known.show(u, c.user))
		}
	}
	return out, nil
}

func (s *Server) currentUser(c *call) (any, error) {
	s.mu.Lock()
	u := s.st.user(c.user)
	switch {
	case u == nil:
		s.mu.Unlock()
		return nil, userNotFound(c.user)
	case u.blocked:
		s.mu.Unlock()
		return nil, refuse(http.StatusForbidden, "user is blocked")
	case u.service:
		s.mu.Unlock()
		return nil, errDenied
	}
	me := *u
	restricted := (me.role == "user" || me.role == "billing_admin") && s.st.account(c.accountID).settings.RegularUsersViewBlocked
	s.mu.Unlock()

	answer, err := s.oneUser(c, me)
	if err != nil {
		return nil, err
	}
	answer.Permissions = &api.UserPermissions{IsRestricted: restricted, Modules: permissionsOf(me.role)}
	if answer.Permissions.Modules == nil {
		answer.Permissions.Modules = map[string]map[string]bool{}
	}
	return answer, nil
}

// oneUser shows one user with what the identity provider says about him.
func (s *Server) oneUser(c *call, u user) (api.User, error) {
	known, err := s.profiles(c.r.Context(), c.accountID)
	if err != nil {
		return api.User{}, err
	}
	return known.showOne(u, c.user), nil
}

func (s *Server) createUser(c *call) (any, error) {
	var req api.UserCreateRequest
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	role, ok := knownRole(req.Role)
	if !ok {
		return nil, refuse(http.StatusUnprocessableEntity, "unknown user role %s", req.Role)
	}
	u := &user{role: role, autoGroups: req.AutoGroups, service: req.IsServiceUser}
	if req.Name != nil {
		u.name = *req.Name
	}
	if req.Email != nil {
		u.email = *req.Email
	}
	if req.IsServiceUser {
		return s.createServiceUser(c, u)
	}
	if !s.opt().embedded() {
		return s.inviteOutside(c, u)
	}
	s.idpStorage(c.r.Context())
	return s.createLocalUser(c, u)
}

func (s *Server) createServiceUser(c *call, u *user) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.may(c, "users", opCreate); err != nil {
		return nil, err
	}
	if u.role == "owner" {
		return nil, refuse(http.StatusUnprocessableEntity, "can't create a service user with owner role")
	}
	u.id, u.accountID, u.email, u.created = newUUID(s.rand), c.accountID, "", s.now()
	s.st.users = append(s.st.users, u)
	s.note(u.accountID, c.user, u.id, "Service user created", "service.user.create", map[string]string{"name": u.name})
	return userAnswer(u, c.user), nil
}

func checkInvite(u *user) error {
	switch {
	case u.name == "":
		return refuse(http.StatusUnprocessableEntity, "name can't be empty")
	case u.email == "":
		return refuse(http.StatusUnprocessableEntity, "email can't be empty")
	case u.role == "owner":
		return refuse(http.StatusUnprocessableEntity, "can't invite a user with owner role")
	}
	return nil
}

func (s *Server) createLocalUser(c *call, u *user) (any, error) {
	if err := checkInvite(u); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.may(c, "users", opCreate); err != nil {
		return nil, err
	}
	if s.localAuthOff() {
		return nil, refuse(http.StatusPreconditionFailed, "local user creation is disabled - use an external identity provider")
	}
	for _, other := range s.st.usersOf(c.accountID) {
		if strings.EqualFold(other.email, u.email) {
			return nil, refuse(http.StatusConflict, "can't invite a user with an existing NetBird account")
		}
	}
	if s.st.passwordByEmail(u.email) != nil {
		return nil, errInternal
	}
	secret := newPassword(s.rand)
	u.id, u.accountID, u.created = s.addPassword(u.email, u.name, secret), c.accountID, s.now()
	s.st.users = append(s.st.users, u)
	s.note(u.accountID, c.user, u.id, "User created", "user.create", nil)
	answer := userAnswer(u, c.user)
	answer.IdpId, answer.Password = nil, &secret
	return answer, nil
}

func (s *Server) inviteUser(c *call) (any, error) {
	if st := s.opt().Standalone; !s.opt().embedded() && (st == nil || st.Manager == nil) {
		return nil, refuse(http.StatusPreconditionFailed, "IdP manager must be enabled to send user invites")
	}
	s.mu.Lock()
	err := s.may(c, "users", opCreate)
	s.mu.Unlock()
	if err != nil {
		return nil, err
	}
	known, err := s.profiles(c.r.Context(), c.accountID)
	if err != nil {
		return nil, err
	}
	// The embedded identity provider has no such list, so there nobody is found.
	if _, ok := known.find(user{id: c.path["user"]}); !ok {
		return nil, refuse(http.StatusNotFound, "user account %s doesn't exist", c.path["user"])
	}
	return nil, refuse(http.StatusPreconditionFailed, "can't invite a user with an activated NetBird account")
}

func (s *Server) updateUser(c *call) (any, error) {
	s.mu.Lock()
	u, err := s.changeUser(c)
	if err != nil {
		s.mu.Unlock()
		return nil, err
	}
	updated := *u
	s.mu.Unlock()
	known, err := s.profiles(c.r.Context(), c.accountID)
	if err != nil {
		return nil, err
	}
	return known.show(updated, c.user), nil
}

func (s *Server) changeUser(c *call) (*user, error) {
	id := c.path["user"]
	if s.st.user(id) == nil {
		return nil, userNotFound(id)
	}
	var req api.UserRequest
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	if req.AutoGroups == nil {
		return nil, refuse(http.StatusBadRequest, "auto_groups field can't be absent")
	}
	role, ok := knownRole(req.Role)
	if !ok {
		return nil, refuse(http.StatusUnprocessableEntity, "invalid user role")
	}
	if err := s.may(c, "users", opCreate); err != nil {
		return nil, err
	}
	me, u := s.st.user(c.user), s.st.user(id)
	if err := s.checkUserChange(me, u, role, req); err != nil {
		return nil, fmt.Errorf("failed to process update for user %s: %w", id, err)
	}
	before := *u
	u.role, u.blocked, u.autoGroups = role, req.IsBlocked, req.AutoGroups
	if me.role == "owner" && me.id != u.id && role == "owner" {
		me.role = "admin"
	}
	s.noteUserChange(c.user, before, u)
	return u, nil
}

func (s *Server) checkUserChange(me, u *user, role string, req api.UserRequest) error {
	forbidden := func(why string) error { return refuse(http.StatusForbidden, "%s", why) }
	switch {
	case u.accountID != me.accountID:
		return refuse(http.StatusUnprocessableEntity, "user account ID mismatch")
	case !me.adminPower():
		return forbidden("only admins and owners can update users")
	case me.id == u.id && u.blocked != req.IsBlocked:
		return forbidden("admins can't block or unblock themselves")
	case me.id == u.id && role != me.role:
		return forbidden("admins can't change their role")
	case me.role != "owner" && u.role == "owner" && role != u.role:
		return forbidden("only owners can remove owner role from their user")
	case u.role == "owner" && req.IsBlocked && !u.blocked:
		return forbidden("unable to block owner user")
	case me.role != "owner" && role == "owner" && role != u.role:
		return forbidden("only owners can add owner role to other users")
	case u.service && role == "owner":
		return forbidden("can't update a service user with owner role")
	}
	a := s.st.account(u.accountID)
	for _, id := range req.AutoGroups {
		switch g := a.group(id); {
		case g == nil:
			return refuse(http.StatusUnprocessableEntity, "provided group ID %s in the user %s update doesn't exist", id, u.id)
		case g.name == "All":
			return refuse(http.StatusUnprocessableEntity, "can't add All group to the user")
		}
	}
	return nil
}

func (s *Server) noteUserChange(by string, before user, u *user) {
	if before.blocked != u.blocked {
		if u.blocked {
			s.note(u.accountID, by, u.id, "User blocked", "user.block", nil)
		} else {
			s.note(u.accountID, by, u.id, "User unblocked", "user.unblock", nil)
		}
	}
	if before.role != u.role {
		s.note(u.accountID, by, u.id, "User role updated", "user.role.update", map[string]string{"role": u.role})
	}
	s.noteGroups(by, u, before.autoGroups)
}

// noteGroups writes which groups a user was given or lost.
func (s *Server) noteGroups(by string, u *user, before []string) {
	a := s.st.account(u.accountID)
	write := func(id, activity, code string) {
		g := a.group(id)
		if g == nil {
			return
		}
		meta := map[string]string{"group": g.name, "group_id": g.id, "is_service_user": strconv.FormatBool(u.service), "user_name": serviceName(u)}
		s.note(u.accountID, by, u.id, activity, code, meta)
	}
	for _, id := range u.autoGroups {
		if !slices.Contains(before, id) {
			write(id, "Group added to user", "user.group.add")
		}
	}
	for _, id := range before {
		if !slices.Contains(u.autoGroups, id) {
			write(id, "Group removed from user", "user.group.delete")
		}
	}
}

// serviceName is the name of a service user; people have none of that kind.
func serviceName(u *user) string {
	if u.service {
		return u.name
	}
	return ""
}

func (s *Server) approveUser(c *call) (any, error) {
	s.mu.Lock()
	u, err := s.pendingUser(c, opUpdate)
	if err != nil {
		s.mu.Unlock()
		return nil, err
	}
	u.blocked, u.pending = false, false
	s.note(u.accountID, c.user, u.id, "User approved", "user.approve", nil)
	approved := *u
	s.mu.Unlock()
	return s.oneUser(c, approved)
}

// pendingUser is the user of the path, who must be waiting for approval.
func (s *Server) pendingUser(c *call, op operation) (*user, error) {
	if err := s.may(c, "users", op); err != nil {
		return nil, err
	}
	u := s.st.user(c.path["user"])
	if u == nil || u.accountID != c.accountID {
		return nil, userNotFound(c.path["user"])
	}
	if !u.pending {
		return nil, refuse(http.StatusUnprocessableEntity, "user %s is not pending approval", u.id)
	}
	return u, nil
}

func (s *Server) rejectUser(c *call) (any, error) {
	u, err := s.pendingUser(c, opDelete)
	if err != nil {
		return nil, err
	}
	if _, err := s.deleteUser(c); err != nil {
		return nil, err
	}
	s.note(c.accountID, c.user, u.id, "User rejected", "user.reject", nil)
	return struct{}{}, nil
}

func (s *Server) deleteUser(c *call) (any, error) {
	id := c.path["user"]
	if id == c.user {
		return nil, refuse(http.StatusUnprocessableEntity, "self deletion is not allowed")
	}
	if err := s.may(c, "users", opDelete); err != nil {
		return nil, err
	}
	u := s.st.user(id)
	if u == nil || u.accountID != c.accountID {
		return nil, userNotFound(id)
	}
	if u.role == "owner" {
		return nil, refuse(http.StatusForbidden, "can't delete a user with the owner role")
	}
	s.st.users = slices.DeleteFunc(s.st.users, func(x *user) bool { return x == u })
	if u.service {
		s.note(c.accountID, c.user, id, "Service user deleted", "service.user.delete", map[string]string{"name": u.name, "created_at": u.created.String()})
		return struct{}{}, nil
	}
	s.forgetPassword(id)
	s.note(c.accountID, c.user, id, "User deleted", "user.delete",
		map[string]string{"name": u.name, "email": u.email, "issued": "api", "created_at": u.created.String()})
	return struct{}{}, nil
}

// forgetPassword removes the local user behind a NetBird user, if he is one.
func (s *Server) forgetPassword(id string) {
	if local, connector, ok := parsePair(id); ok && connector == localConnector {
		s.st.passwords = slices.DeleteFunc(s.st.passwords, func(p *password) bool { return p.id == local })
	}
}
