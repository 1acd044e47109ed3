package netbird

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// operation is what someone wants to do with a module.
type operation string

const (
	opRead   operation = "read"
	opCreate operation = "create"
	opUpdate operation = "update"
	opDelete operation = "delete"
)

func modules() []string {
	return []string{
		"accounts", "agent_network", "agent_network.budgets", "agent_network.guardrails", "agent_network.logs",
		"agent_network.policies", "agent_network.providers", "agent_network.settings", "agent_network.usage",
		"dns", "events", "groups", "identity_providers", "nameservers", "networks", "pats", "peers", "policies",
		"remote_jobs", "routes", "services", "settings", "setup_keys", "users",
	}
}

// mayDo says whether a role has an operation on a module. known is false for a
// role that has no permissions at all.
func mayDo(role, module string, op operation) (allowed, known bool) {
	switch role {
	case "owner":
		return true, true
	case "admin":
		return module != "accounts" || op == opRead, true
	case "auditor":
		return op == opRead, true
	case "network_admin":
		return networkAdminMay(module, op), true
	case "user":
		return false, true
	}
	return false, false
}

func networkAdminMay(module string, op operation) bool {
	switch module {
	case "networks", "groups", "dns", "nameservers", "policies", "routes", "pats":
		return true
	case "settings", "accounts", "events", "users", "setup_keys", "peers", "identity_providers":
		return op == opRead
	}
	return false
}

// permissionsOf is the table that a person's own entry carries.
func permissionsOf(role string) map[string]map[string]bool {
	if _, known := mayDo(role, "", opRead); !known {
		return nil
	}
	out := map[string]map[string]bool{}
	for _, m := range modules() {
		out[m] = map[string]bool{}
		for _, op := range []operation{opRead, opCreate, opUpdate, opDelete} {
			out[m][string(op)], _ = mayDo(role, m, op)
		}
	}
	return out
}

// check is the question that every handler asks first. Its error is not yet
// the answer: most handlers wrap it, see may.
func (s *Server) check(c *call, module string, op operation) (bool, error) {
	u := s.st.user(c.user)
	switch {
	case u == nil:
		return false, userNotFound(c.user)
	case u.blocked && u.pending:
		return false, refuse(http.StatusForbidden, "user is pending approval")
	case u.blocked:
		return false, refuse(http.StatusForbidden, "user is blocked")
	case u.accountID != c.accountID:
		return false, refuse(http.StatusForbidden, "user is not part of this account")
	case op == opRead && u.service:
		return true, nil
	}
	allowed, known := mayDo(u.role, module, op)
	if !known {
		return false, refuse(http.StatusNotFound, "user role: %s not found", u.role)
	}
	return allowed, nil
}

// may is check as most handlers answer it: a caller about whom something is
// wrong is refused with 403 and the reason.
func (s *Server) may(c *call, module string, op operation) error {
	allowed, err := s.check(c, module, op)
	if err != nil {
		return refuse(http.StatusForbidden, "failed to validate user permissions: %s", err)
	}
	if !allowed {
		return errDenied
	}
	return nil
}

// mayWrapped is check for the handlers that keep the status of what is wrong.
func (s *Server) mayWrapped(c *call, module string, op operation) error {
	allowed, err := s.check(c, module, op)
	if err != nil {
		return fmt.Errorf("failed to validate user permissions: %w", err)
	}
	if !allowed {
		return errDenied
	}
	return nil
}

func knownRole(role string) (string, bool) {
	role = strings.ToLower(role)
	return role, slices.Contains([]string{"owner", "admin", "user", "billing_admin", "auditor", "network_admin"}, role)
}
