package authentik

import (
	"net/http"
	"strings"
)

// verb is what one method of an API address does.
type verb struct {
	run func(*call) reply
	// need is the permission that the caller must hold, "" for none beyond
	// being someone.
	need string
	// open lets callers in that are nobody.
	open bool
}

// endpoint is an address of the API; {} stands for one segment of its path.
type endpoint struct {
	segments []string
	verbs    map[string]verb
	// object is set for addresses of one object: there a caller that is nobody
	// is told that it may not, instead of that it is nobody.
	object bool
}

const apiPrefix = "/api/v3/"

// methodOrder is the order of an Allow header.
var methodOrder = []string{"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"}

func (e *endpoint) allow() string {
	var out []string
	for _, m := range methodOrder {
		_, own := e.verbs[m]
		_, get := e.verbs["GET"]
		if own || m == "HEAD" && get || m == "OPTIONS" {
			out = append(out, m)
		}
	}
	return strings.Join(out, ", ")
}

func (s *Server) route(path string) (*endpoint, []string) {
	given := strings.Split(path, "/")
next:
	for i := range s.routes {
		e := &s.routes[i]
		if len(e.segments) != len(given) {
			continue
		}
		var args []string
		for j, want := range e.segments {
			switch {
			case want == "{}" && given[j] != "":
				args = append(args, given[j])
			case want != given[j]:
				continue next
			}
		}
		return e, args
	}
	return nil, nil
}

// answer finds who is asked for and lets them answer.
func (s *Server) answer(c *call) reply {
	path := c.r.URL.Path
	rest, ok := strings.CutPrefix(path, apiPrefix)
	if !ok {
		return c.web(path)
	}
	if slug, ok := strings.CutPrefix(rest, "flows/executor/"); ok && strings.HasSuffix(slug, "/") {
		return c.executor(strings.TrimSuffix(slug, "/"))
	}
	e, args := s.route(rest)
	if e == nil {
		switch {
		case rest == "":
			return page(http.StatusOK, "API Browser - authentik", "API Browser")
		case c.r.Method != http.MethodGet && c.r.Method != http.MethodHead:
			return reply{status: http.StatusMethodNotAllowed, header: map[string]string{"Allow": "GET, HEAD, OPTIONS"}}
		}
		return notFoundPage()
	}
	c.args = args
	out := c.api(e)
	if out.header == nil {
		out.header = map[string]string{}
	}
	if out.page == "" {
		out.header["Allow"] = e.allow()
	}
	if out.status == http.StatusNoContent {
		out.body = nil
	}
	return out
}

// api does what comes before every API answer: who asks, may they, does the
// address know the method, can the body be read.
func (c *call) api(e *endpoint) reply {
	if !c.acceptsJSON() {
		return detail(http.StatusNotAcceptable, "Could not satisfy the request Accept header.")
	}
	if out, ok := c.authenticate(); !ok {
		return out
	}
	method := c.r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	v, known := e.verbs[method]
	if !v.open && c.user == nil {
		if e.object && known {
			return forbidden()
		}
		return detail(http.StatusForbidden, "Authentication credentials were not provided.")
	}
	if !known {
		return detail(http.StatusMethodNotAllowed, `Method "`+c.r.Method+`" not allowed.`)
	}
	if v.need != "" && !c.may(v.need) {
		return forbidden()
	}
	if method != http.MethodGet && method != http.MethodDelete {
		if out, ok := c.readBody(); !ok {
			return out
		}
	}
	return v.run(c)
}

func forbidden() reply {
	return detail(http.StatusForbidden, "You do not have permission to perform this action.")
}

// absent is the 404 for an object; kind is its model's name.
func (c *call) absent(kind string) reply {
	if c.s.version.from(2025, 4) {
		return detail(http.StatusNotFound, "No "+kind+" matches the given query.")
	}
	return detail(http.StatusNotFound, "Not found.")
}

func at(path string, verbs map[string]verb) endpoint {
	e := endpoint{segments: strings.Split(path, "/"), verbs: verbs}
	e.object = strings.Contains(path, "{}")
	return e
}

// endpoints lists the API.
func (s *Server) endpoints() []endpoint {
	type m = map[string]verb
	crud := func(path, model string, list, create, get, change, remove func(*call) reply) []endpoint {
		app, name, _ := strings.Cut(model, ".")
		need := func(action string) string { return app + "." + action + "_" + name }
		one := m{"GET": {run: get, need: need("view")}, "PUT": {run: change, need: need("change")},
			"PATCH": {run: change, need: need("change")}, "DELETE": {run: remove, need: need("delete")}}
		return []endpoint{
			at(path, m{"GET": {run: list, need: need("view")}, "POST": {run: create, need: need("add")}}),
			at(path+"{}/", one),
		}
	}
	out := []endpoint{
		at("root/config/", m{"GET": {run: rootConfig, open: true}}),
		at("admin/version/", m{"GET": {run: adminVersion}}),
		at("admin/system/", m{"GET": {run: adminSystem, need: "authentik_rbac.view_system_info"}}),
		at("core/users/me/", m{"GET": {run: usersMe}}),
		at("core/users/service_account/", m{"POST": {run: createServiceAccount, need: "authentik_core.add_user"}}),
		at("core/users/{}/set_password/", m{"POST": {run: setPassword, need: "authentik_core.reset_user_password"}}),
		at("core/groups/{}/add_user/", m{"POST": {run: groupAddUser, need: "authentik_core.add_user_to_group"}}),
		at("core/groups/{}/remove_user/", m{"POST": {run: groupRemoveUser, need: "authentik_core.remove_user_from_group"}}),
		at("core/tokens/", m{"GET": {run: listTokens}, "POST": {run: createToken}}),
		at("core/tokens/{}/", m{"GET": {run: getToken}, "PUT": {run: changeToken}, "PATCH": {run: changeToken}, "DELETE": {run: deleteToken}}),
		at("core/tokens/{}/view_key/", m{"GET": {run: viewTokenKey}}),
		at("core/tokens/{}/set_key/", m{"POST": {run: setTokenKey}}),
		at("core/applications/", m{"GET": {run: listApplications}, "POST": {run: createApplication, need: "authentik_core.add_application"}}),
		at("core/applications/{}/check_access/", m{"GET": {run: checkAccess}}),
		at("core/transactional/applications/", m{"PUT": {run: transactionalCreate}}),
		at("core/brands/current/", m{"GET": {run: currentBrand, open: true}}),
		at("providers/all/", m{"GET": {run: listAllProviders, need: "authentik_core.view_provider"}}),
		at("providers/oauth2/{}/setup_urls/", m{"GET": {run: setupURLs, need: "authentik_providers_oauth2.view_oauth2provider"}}),
		at("providers/oauth2/{}/preview_user/", m{"GET": {run: previewUser, need: "authentik_providers_oauth2.view_oauth2provider"}}),
		at("crypto/certificatekeypairs/generate/", m{"POST": {run: generateKeyPair, need: "authentik_crypto.add_certificatekeypair"}}),
		at("rbac/permissions/", m{"GET": {run: listPermissions}}),
		at("rbac/permissions/assigned_by_roles/", m{"GET": {run: listAssigned}}),
		at("rbac/permissions/roles/", m{"GET": {run: listRolePermissions}}),
		at("rbac/permissions/assigned_by_roles/{}/assign/", m{"POST": {run: assignPermissions, need: "authentik_rbac.assign_role_permissions"}}),
		at("rbac/permissions/assigned_by_roles/{}/unassign/", m{"PATCH": {run: unassignPermissions, need: "authentik_rbac.unassign_role_permissions"}}),
		at("{}/{}/{}/used_by/", m{"GET": {run: usedBy}}),
	}
	out = append(out, crud("core/users/", "authentik_core.user", listUsers, createUser, getUser, changeUser, deleteUser)...)
	out = append(out, crud("core/groups/", "authentik_core.group", listGroups, createGroup, getGroup, changeGroup, deleteGroup)...)
	apps := crud("core/applications/", "authentik_core.application", listApplications, createApplication, getApplication, changeApplication, deleteApplication)
	out = append(out, apps[1])
	out = append(out, crud("core/brands/", "authentik_brands.brand", listBrands, createBrand, getBrand, changeBrand, deleteBrand)...)
	out = append(out, crud("providers/oauth2/", "authentik_providers_oauth2.oauth2provider", listProviders, createProvider, getProvider, changeProvider, deleteProvider)...)
	out = append(out, crud("flows/instances/", "authentik_flows.flow", listFlows, createFlow, getFlow, changeFlow, deleteFlow)...)
	out = append(out, crud("propertymappings/provider/scope/", "authentik_providers_oauth2.scopemapping", listMappings, createMapping, getMapping, changeMapping, deleteMapping)...)
	out = append(out, crud("crypto/certificatekeypairs/", "authentik_crypto.certificatekeypair", listKeyPairs, createKeyPair, getKeyPair, changeKeyPair, deleteKeyPair)...)
	out = append(out, crud("policies/bindings/", "authentik_policies.policybinding", listBindings, createBinding, getBinding, changeBinding, deleteBinding)...)
	out = append(out, crud("rbac/roles/", "authentik_rbac.role", listRoles, createRole, getRole, changeRole, deleteRole)...)
	events := crud("events/events/", "authentik_events.event", listEvents, refuseMethod, getEvent, refuseMethod, refuseMethod)
	delete(events[1].verbs, "PUT")
	delete(events[1].verbs, "PATCH")
	return append(out, events...)
}

// refuseMethod stands for writes that the simulator has no use for.
func refuseMethod(c *call) reply {
	return detail(http.StatusMethodNotAllowed, `Method "`+c.r.Method+`" not allowed.`)
}
