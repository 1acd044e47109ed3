package authentik

import (
	"net/http"
	"strings"
)

// apiScope lets an access token be used on the API.
const apiScope = "goauthentik.io/api"

// authenticate finds out who asks. The second result is false if the request
// was refused with the first. A request without credentials is nobody's, and
// not refused here.
func (c *call) authenticate() (reply, bool) {
	header := strings.TrimSpace(c.r.Header.Get("Authorization"))
	if header == "" {
		if s := c.session(); s != nil && s.user != 0 {
			c.user = c.s.st.users[s.user]
		}
		return reply{}, true
	}
	kind, key, _ := strings.Cut(header, " ")
	if !strings.EqualFold(kind, "bearer") {
		if c.s.version.from(2025, 2) {
			return reply{}, true
		}
		return detail(http.StatusForbidden, "Unsupported authentication type"), false
	}
	if key == "" {
		return reply{}, true
	}
	if c.user = c.s.bearer(key); c.user == nil {
		return detail(http.StatusForbidden, "Token invalid/expired"), false
	}
	return reply{}, true
}

// bearer returns whose token key is: an API token's key, or an access token
// with the API's scope.
func (s *Server) bearer(key string) *user {
	st := s.st
	pk := 0
	if t := st.tokensKey[key]; t != nil && t.Intent == intentAPI && !t.expired(s.now()) {
		pk = t.User
	} else if a := st.access[key]; a != nil && a.allows(apiScope) && s.now().Before(a.expires) {
		pk = a.user
	}
	if u := st.users[pk]; u != nil && u.Active {
		return u
	}
	return nil
}

// may tells whether the caller holds a permission.
func (c *call) may(permission string) bool {
	return c.user != nil && c.s.holds(c.user, permission)
}

func (s *Server) holds(u *user, permission string) bool {
	if s.superuser(u) {
		return true
	}
	for _, r := range s.rolesOf(u) {
		if r.Permissions[permission] {
			return true
		}
	}
	return false
}

// superuser tells whether one of the user's groups, or a group above it, makes
// superusers.
func (s *Server) superuser(u *user) bool {
	for _, g := range s.allGroups(u) {
		if g.Superuser {
			return true
		}
	}
	return false
}

// allGroups returns the user's groups and those above them.
func (s *Server) allGroups(u *user) []*group {
	out := append([]*group(nil), s.st.groupsOf[u.PK]...)
	seen := map[*group]bool{}
	for _, g := range out {
		seen[g] = true
	}
	for i := 0; i < len(out); i++ {
		for _, pk := range out[i].Parents {
			if g := s.st.group(pk); g != nil && !seen[g] {
				seen[g] = true
				out = append(out, g)
			}
		}
	}
	return out
}

// rolesOf returns the roles that a user has by itself and by its groups.
func (s *Server) rolesOf(u *user) []*role {
	have := map[string]bool{}
	for _, pk := range u.Roles {
		have[pk] = true
	}
	for _, g := range s.allGroups(u) {
		for _, pk := range g.Roles {
			have[pk] = true
		}
	}
	if len(have) == 0 {
		return nil
	}
	var out []*role
	for _, r := range s.st.roles {
		if have[r.PK] {
			out = append(out, r)
		}
	}
	return out
}
