package netbird

import (
	"net/http"
	"slices"

	"github.com/netbirdio/netbird/shared/management/http/api"
)

func (s *Server) listGroups(c *call) (any, error) {
	if err := s.mayGroups(c); err != nil {
		return nil, err
	}
	a := s.st.account(c.accountID)
	out := []api.Group{}
	name := c.r.URL.Query().Get("name")
	for _, g := range a.groups {
		if name == "" || g.name == name {
			out = append(out, groupAnswer(g))
		}
	}
	if name != "" && len(out) == 0 {
		return nil, groupNotFound(name)
	}
	return out, nil
}

// mayGroups is check without a wrapping, as reading groups answers it.
func (s *Server) mayGroups(c *call) error {
	allowed, err := s.check(c, "groups", opRead)
	if err != nil {
		return err
	}
	if !allowed {
		return errDenied
	}
	return nil
}

func (s *Server) getGroup(c *call) (any, error) {
	if err := s.mayGroups(c); err != nil {
		return nil, err
	}
	g := s.st.account(c.accountID).group(c.path["group"])
	if g == nil {
		return nil, groupNotFound(c.path["group"])
	}
	return groupAnswer(g), nil
}

func (s *Server) createGroup(c *call) (any, error) {
	var req api.GroupRequest
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	if req.Name == "" {
		return nil, refuse(http.StatusUnprocessableEntity, "group name shouldn't be empty")
	}
	if err := s.may(c, "groups", opCreate); err != nil {
		return nil, err
	}
	a := s.st.account(c.accountID)
	if a.groupNamed(req.Name) != nil {
		return nil, refuse(http.StatusConflict, "group with name %s already exists", req.Name)
	}
	g := &group{id: s.proc.next(s.now()), name: req.Name, issued: "api"}
	a.groups = append(a.groups, g)
	s.note(a.id, c.user, g.id, "Group created", "group.add", map[string]string{"name": g.name})
	return groupAnswer(g), nil
}

func (s *Server) deleteGroup(c *call) (any, error) {
	if err := s.may(c, "groups", opDelete); err != nil {
		return nil, err
	}
	a := s.st.account(c.accountID)
	g := a.group(c.path["group"])
	switch {
	case g == nil:
		return nil, refuseAsIs("group: %s not found", c.path["group"])
	case g.name == "All":
		return nil, refuseAsIs("deleting group ALL is not allowed")
	}
	for _, u := range s.st.usersOf(a.id) {
		if slices.Contains(u.autoGroups, g.id) {
			return nil, refuseAsIs("group has been linked to user: %s", u.id)
		}
	}
	a.groups = slices.DeleteFunc(a.groups, func(x *group) bool { return x == g })
	s.note(a.id, c.user, g.id, "Group deleted", "group.delete", map[string]string{"name": g.name})
	return struct{}{}, nil
}

func groupNotFound(id string) error { return refuse(http.StatusNotFound, "group: %s not found", id) }

func groupAnswer(g *group) api.Group {
	return api.Group{Id: g.id, Name: g.name, Issued: ptr(api.GroupIssued(g.issued))}
}
