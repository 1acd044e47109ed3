package authentik

import (
	"strings"
	"time"
)

// firstFlows are the flows of a new server: slug, name, title, designation,
// authentication, and how many stages and policies there are.
var firstFlows = []struct {
	slug, name, title, designation, authn string
	stages, policies                      int
}{
	{"default-authentication-flow", "Welcome to authentik!", "Welcome to authentik!", "authentication", "none", 4, 0},
	{"default-authenticator-static-setup", "default-authenticator-static-setup", "Setup Static OTP Tokens", "stage_configuration", "require_authenticated", 1, 0},
	{"default-authenticator-totp-setup", "default-authenticator-totp-setup", "Set up Two-Factor authentication", "stage_configuration", "require_authenticated", 1, 0},
	{"default-authenticator-webauthn-setup", "default-authenticator-webauthn-setup", "Setup WebAuthn", "stage_configuration", "require_authenticated", 1, 0},
	{"default-invalidation-flow", "Logout", "Default Invalidation Flow", "invalidation", "none", 1, 0},
	{"default-password-change", "Change Password", "Change password", "stage_configuration", "require_authenticated", 2, 0},
	{"default-provider-authorization-explicit-consent", "Authorize Application", "Redirecting to %(app)s", "authorization", "require_authenticated", 1, 0},
	{"default-provider-authorization-implicit-consent", "Authorize Application", "Redirecting to %(app)s", "authorization", "require_authenticated", 0, 0},
	{"default-provider-invalidation-flow", "Logged out of application", "You've logged out of %(app)s.", "invalidation", "none", 0, 0},
	{"default-source-authentication", "Welcome to authentik!", "Welcome to authentik!", "authentication", "require_unauthenticated", 1, 1},
	{"default-source-enrollment", "Welcome to authentik! Please select a username.", "Welcome to authentik! Please select a username.", "enrollment", "none", 3, 1},
	{"default-source-pre-authentication", "Pre-Authentication", "Pre-authentication", "stage_configuration", "none", 0, 0},
	{"default-user-settings-flow", "User settings", "Update your info", "stage_configuration", "require_authenticated", 2, 0},
	{"initial-setup", "default-oobe-setup", "Welcome to authentik!", "stage_configuration", "none", 3, 1},
}

// firstMappings are the managed scope mappings: the last part of what manages
// them, name, scope, description and expression.
var firstMappings = []struct{ managed, name, scope, description, expression string }{
	{"openid", "OpenID 'openid'", "openid", "", "# This scope is required by the OpenID-spec, and must as such exist in authentik.\n# The scope by itself does not grant any information\nreturn {}"},
	{"email", "OpenID 'email'", "email", "Email address", "return {\n    \"email\": request.user.email,\n    \"email_verified\": %s\n}"},
	{"profile", "OpenID 'profile'", "profile", "General Profile Information", "return {\n    # Because authentik only saves the user's full name, and has no concept of first and last names,\n    # the full name is used as given name.\n    # You can override this behaviour in custom mappings, i.e. `request.user.name.split(\" \")`\n    \"name\": request.user.name,\n    \"given_name\": request.user.name,\n    \"preferred_username\": request.user.username,\n    \"nickname\": request.user.username,\n    \"groups\": [group.name for group in request.user.ak_groups.all()],\n}"},
	{"offline_access", "OpenID 'offline_access'", "offline_access", "Access to request new tokens without interaction", "# This scope grants the application a refresh token that can be used to refresh user data\n# and let the application access authentik without the users interaction\nreturn {}"},
	{"entitlements", "Application Entitlements", "entitlements", "Application entitlements", "entitlements = [entitlement.name for entitlement in request.user.app_entitlements(provider.application)]\nreturn {\n    \"entitlements\": entitlements,\n    \"roles\": entitlements,\n}"},
	{"authentik_api", "authentik API access", "goauthentik.io/api", "authentik API Access on behalf of your user", "# This scope grants the application the ability to access the authentik API\n# on behalf of the authorizing user\nreturn {}"},
	{"proxy", "Proxy outpost", "ak_proxy", "authentik Proxy - User information", "# This mapping is used by the authentik proxy. It passes extra user attributes,\n# which are used for example for the HTTP-Basic Authentication mapping.\nreturn {\n    \"ak_proxy\": {\n        \"user_attributes\": request.user.group_attributes(request),\n        \"is_superuser\": request.user.is_superuser,\n    }\n}"},
}

// firstState is a server after its first start.
func (s *Server) firstState(key string) *state {
	s.st = newState()
	st := s.st
	st.uidSalt = s.hex(16)
	for _, f := range firstFlows {
		n := s.newFlow()
		n.Slug, n.Name, n.Title, n.Designation, n.Authn = f.slug, f.name, f.title, f.designation, f.authn
		for range f.stages {
			n.Stages = append(n.Stages, s.uuid())
		}
		for range f.policies {
			n.Policies = append(n.Policies, s.uuid())
		}
		st.flows = append(st.flows, n)
	}
	if !s.version.from(2025, 4) {
		st.flowBySlug("default-authenticator-totp-setup").Title = "Setup Two-Factor authentication"
	}
	verified := "True"
	if s.version.from(2025, 10) {
		verified = "False"
	}
	for _, m := range firstMappings {
		managed := managedPrefix + m.managed
		if m.managed == "proxy" {
			managed = "goauthentik.io/providers/proxy/scope-proxy"
		}
		st.mappings = append(st.mappings, &mapping{PK: s.uuid(), Managed: managed, Name: "authentik default OAuth Mapping: " + m.name,
			Scope: m.scope, Description: m.description, Expression: strings.Replace(m.expression, "%s", verified, 1)})
	}
	s.newKeyPair("authentik Self-signed Certificate", "rsa", 365)
	b := s.newBrand("authentik-default")
	b.Default = true
	for field, slug := range map[string]string{"flow_authentication": "default-authentication-flow",
		"flow_invalidation": "default-invalidation-flow", "flow_user_settings": "default-user-settings-flow"} {
		b.Flows[field] = st.flowBySlug(slug).PK
	}
	st.brands = append(st.brands, b)
	s.firstUsers(key)
	return st
}

// firstUsers makes akadmin with its token and the embedded outpost's account.
func (s *Server) firstUsers(key string) {
	st := s.st
	outpost := s.uuid()
	adminPK, outpostPK := 3, 4
	if !s.version.from(2025, 2) {
		adminPK, outpostPK = 4, 2
	}
	admins := s.newGroup("authentik Admins", true)
	st.nextUser = adminPK
	admin := s.newUser("akadmin", "authentik Default Admin", "admin@example.com")
	st.putUser(admin)
	st.join(admins, admin.PK)
	boot := s.newToken("authentik-bootstrap-token", intentAPI, admin)
	boot.Key, boot.Expiring = key, false
	st.putToken(boot)
	st.nextUser = outpostPK
	account := s.newUser("ak-outpost-"+strings.ReplaceAll(outpost, "-", ""), "Outpost authentik Embedded Outpost Service-Account", "")
	account.Type, account.Path = typeOutpost, "goauthentik.io/outposts"
	st.putUser(account)
	s.managedRole(account)
	t := s.newToken("ak-outpost-"+outpost+"-api", intentAPI, account)
	t.Managed, t.Description = "goauthentik.io/outpost/"+t.Identifier, "Autogenerated by authentik for Outpost authentik Embedded Outpost"
	t.Expiring, t.Expires = false, time.Time{}
	st.putToken(t)
	st.nextUser = 5
}
