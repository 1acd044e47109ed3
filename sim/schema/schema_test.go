package schema

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

const flowPK = "00000000-0000-4000-8000-000000000000"

// ask sends a request through a checker and returns what came through and what
// was reported.
func ask(wrap func(http.Handler, func(error)) http.Handler, method, path, body string) (through string, found error) {
	h := wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		through = string(b)
	}), func(err error) { found = err })
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(method, path, strings.NewReader(body)))
	return through, found
}

const provider = `{"name": "N", "authorization_flow": "` + flowPK + `", "invalidation_flow": "` + flowPK + `", "redirect_uris": [{"matching_mode": "strict", "url": "https://x/"}]`

func TestAuthentik(t *testing.T) {
	for _, tt := range []struct {
		method, path, body, want string
	}{
		{"POST", "/api/v3/providers/oauth2/", provider + `}`, ""},
		{"POST", "/api/v3/providers/oauth2/", provider + `, "grant_types": ["refresh_token"]}`, ""},
		{"POST", "/api/v3/providers/oauth2/", provider + `, "grant_kinds": []}`, `"grant_kinds" isn't in the schema`},
		{"POST", "/api/v3/providers/oauth2/", `{"name": "N"}`, "authorization_flow"},
		{"PATCH", "/api/v3/providers/oauth2/3/", `{"sub_mode": "nonsense"}`, "sub_mode"},
		{"PATCH", "/api/v3/providers/oauth2/3/", `{"redirect_uris": [{"matching_mode": "strict", "uri": "x"}]}`, "url"},
		{"PUT", "/api/v3/core/transactional/applications/", `{"app": {"name": "N", "slug": "n"}, "provider_model": "authentik_providers_oauth2.oauth2provider", "provider": ` + provider + `}, "policy_bindings": [{"group": "` + flowPK + `", "order": 0}]}`, ""},
		{"PUT", "/api/v3/core/transactional/applications/", `{"app": {"name": "N"}, "provider_model": "authentik_providers_oauth2.oauth2provider", "provider": ` + provider + `}}`, "slug"},
		{"PUT", "/api/v3/core/transactional/applications/", `{"app": {"name": "N", "slug": "n"}, "provider_model": "authentik_providers_oauth2.oauth2provider"}`, "provider is missing"},
		{"POST", "/api/v3/core/tokens/x/set_key/", `{"key": "k"}`, ""},
		{"DELETE", "/api/v3/core/tokens/x/", "", ""},
		{"POST", "/api/v3/core/nonsense/", `{}`, "no such address"},
		{"POST", "/application/o/token/", "grant_type=x", ""},
		{"GET", "/api/v3/core/nonsense/", "", ""},
	} {
		expect(t, Authentik, tt.method, tt.path, tt.body, tt.want)
	}
}

func TestNetBird(t *testing.T) {
	const idp = `"name": "A", "issuer": "https://a/", "client_id": "c", "client_secret": "s"}`
	for _, tt := range []struct {
		method, path, body, want string
	}{
		{"POST", "/api/identity-providers", `{"type": "oidc", ` + idp, ""},
		{"POST", "/api/identity-providers", `{"type": "authentik", ` + idp, ""},
		{"POST", "/api/identity-providers", `{"type": "keyclock", ` + idp, "enum"},
		{"PUT", "/api/identity-providers/x", `{"type": "oidc", "secret": "s", ` + idp, `"secret" isn't in the schema`},
		{"POST", "/api/users/x/approve", "", ""},
		{"POST", "/api/users/x/tokens", `{"name": "t"}`, "expires_in"},
		{"GET", "/api/accounts", "", ""},
	} {
		expect(t, NetBird, tt.method, tt.path, tt.body, tt.want)
	}
}

func expect(t *testing.T, wrap func(http.Handler, func(error)) http.Handler, method, path, body, want string) {
	t.Helper()
	through, err := ask(wrap, method, path, body)
	switch {
	case want == "" && err != nil:
		t.Errorf("%s %s %s: %v", method, path, body, err)
	case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
		t.Errorf("%s %s %s: %v, want %q", method, path, body, err, want)
	}
	if through != body {
		t.Errorf("%s %s: %q came through, sent %q", method, path, through, body)
	}
}
