package authentik_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"authbird/clients"
	"authbird/clients/authentik"
)

// TestNamesStayInTheirPlace: an id or slug is one part of a path, whatever is in it, and one that a path would
// swallow is never asked for.
func TestNamesStayInTheirPlace(t *testing.T) {
	var mu sync.Mutex
	var seen []string
	c := at(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		seen = append(seen, r.URL.EscapedPath())
		mu.Unlock()
		says(200, "{}")(w, r)
	}), "t")
	calls := map[string]func(context.Context, string) error{
		"/api/v3/core/applications/%/":                         func(ctx context.Context, s string) error { _, err := c.Application(ctx, s); return err },
		"/api/v3/core/applications/%/check_access/":            func(ctx context.Context, s string) error { _, err := c.CheckAccess(ctx, s, 1); return err },
		"/api/v3/core/applications/%/ DELETE":                  c.DeleteApplication,
		"/api/v3/flows/instances/%/":                           c.DeleteFlow,
		"/api/v3/policies/bindings/%/":                         c.DeleteBinding,
		"/api/v3/core/groups/%/":                               c.DeleteGroup,
		"/api/v3/core/groups/%/add_user/":                      func(ctx context.Context, s string) error { return c.AddGroupUser(ctx, s, 1) },
		"/api/v3/core/groups/%/remove_user/":                   func(ctx context.Context, s string) error { return c.RemoveGroupUser(ctx, s, 1) },
		"/api/v3/rbac/roles/%/":                                c.DeleteRole,
		"/api/v3/rbac/permissions/assigned_by_roles/%/assign/": func(ctx context.Context, s string) error { return c.AssignPermissions(ctx, s, "x") },
		"/api/v3/core/tokens/%/":                               func(ctx context.Context, s string) error { _, err := c.Token(ctx, s); return err },
		"/api/v3/core/tokens/%/ DELETE":                        c.DeleteToken,
		"/api/v3/core/tokens/%/set_key/":                       func(ctx context.Context, s string) error { return c.SetTokenKey(ctx, s, "k") },
		"/api/v3/core/tokens/%/view_key/":                      func(ctx context.Context, s string) error { _, err := c.ViewTokenKey(ctx, s); return err },
		"/api/v3/core/brands/%/":                               func(ctx context.Context, s string) error { _, err := c.SetBrandDeviceFlow(ctx, s, nil); return err },
	}
	for path, call := range calls {
		seen = nil
		if err := call(t.Context(), "a/../b?c#d e%2f"); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		want := strings.Replace(strings.Fields(path)[0], "%", "a%2F..%2Fb%3Fc%23d%20e%252f", 1)
		if len(seen) != 1 || seen[0] != want {
			t.Errorf("asked for %q, want %q", seen, want)
		}
		seen = nil
		for _, name := range []string{"", ".", ".."} {
			wantKind(t, call(t.Context(), name), clients.Absent)
		}
		if len(seen) != 0 {
			t.Errorf("%s: asked for %q", path, seen)
		}
	}
}

// TestSecretsInRequestsStayInside: a server that answers a bad request with the whole of it.
func TestSecretsInRequestsStayInside(t *testing.T) {
	const secret = "Sekret-4711-<&>"
	c := at(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		told, _ := json.Marshal(map[string]any{"detail": string(body) + strings.ToLower(string(body)) + r.Header.Get("Authorization")})
		says(http.StatusBadRequest, string(told))(w, r)
	}), "the-token-4711")
	ctx := t.Context()
	spec := authentik.ProviderSpec{ClientSecret: secret, GrantTypes: []string{"x"}, RedirectURIs: []authentik.RedirectURI{{URL: "https://x"}}}
	_, update := c.UpdateProvider(ctx, 1, map[string]any{"client_secret": secret})
	_, create := c.CreateProvider(ctx, spec)
	for name, err := range map[string]error{
		"transaction": c.CreateApplication(ctx, authentik.Transaction{Provider: spec}), "update": update, "create": create,
		"key": c.SetTokenKey(ctx, "x", secret),
	} {
		if wantKind(t, err, clients.Refused); err == nil || strings.Contains(strings.ToLower(err.Error()), "4711") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
