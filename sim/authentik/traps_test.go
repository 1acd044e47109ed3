package authentik

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

type tokenView struct {
	Intent   string `json:"intent"`
	User     int    `json:"user"`
	Expires  *string
	Expiring bool
}

func TestTokenTraps(t *testing.T) {
	w := newWorld(t, "")
	svc := w.sim.AddUser(User{Username: "Netbird"})
	const path = "/api/v3/core/tokens/"
	make := map[string]any{"identifier": "pw", "intent": "app_password", "user": svc, "expiring": false}
	var got tokenView
	w.admin("POST", path, make, &got)
	if got != (tokenView{Intent: "app_password", User: svc}) {
		t.Errorf("made %+v", got)
	}
	w.admin("PATCH", path+"pw/", map[string]any{"description": "careless"}, &got)
	if got.Intent != "api" || got.User == svc {
		t.Errorf("a PATCH without user and intent left %+v", got)
	}
	w.admin("PATCH", path+"pw/", map[string]any{"user": svc, "intent": "app_password"}, &got)
	if got.Intent != "app_password" || got.User != svc {
		t.Errorf("a PATCH with both left %+v", got)
	}
	err := w.sim.Request("POST", path, map[string]any{"identifier": "late", "intent": "app_password", "expires": time.Now().Add(time.Hour)}, nil)
	if err == nil || !strings.Contains(err.Error(), "exceeds maximum lifetime") {
		t.Errorf("a long life: %v", err)
	}
	w.admin("POST", path, map[string]any{"identifier": "short", "intent": "api", "expires": "2040-01-01T00:00:00Z"}, &got)
	if at, err := time.Parse(time.RFC3339, *got.Expires); err != nil || time.Until(at) > tokenLife {
		t.Errorf("an API token lives until %v", *got.Expires)
	}
}

func TestServiceAccountWithOurOwnKey(t *testing.T) {
	w := newWorld(t, "")
	w.link(nil)
	var made struct{ Token string }
	w.admin("POST", "/api/v3/core/users/service_account/", map[string]any{"name": "Netbird", "expiring": false}, &made)
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {"cid"}, "username": {"Netbird"}, "scope": {"goauthentik.io/api"}}
	try := func(password string) tokens {
		form.Set("password", password)
		return w.token(form)
	}
	if got := try(made.Token); got.Access == "" {
		t.Fatalf("the server's own key: %+v", got)
	}
	w.admin("POST", "/api/v3/core/tokens/service-account-netbird-password/set_key/", map[string]any{"key": "ours"}, nil)
	if got := try(made.Token); got.Error != "invalid_grant" {
		t.Errorf("the old key: %+v", got)
	}
	got := try("ours")
	if resp := w.call("GET", "/api/v3/core/users/?page=1", got.Access, nil, nil); resp.StatusCode != 403 {
		t.Errorf("without rights: %s", resp.Status)
	}
	var role, group struct{ PK string }
	w.admin("POST", "/api/v3/rbac/roles/", map[string]any{"name": "reader"}, &role)
	w.admin("POST", "/api/v3/rbac/permissions/assigned_by_roles/"+role.PK+"/assign/", map[string]any{"permissions": []string{"authentik_core.view_user"}}, nil)
	w.admin("POST", "/api/v3/core/groups/", map[string]any{"name": "readers", "users": []int{w.sim.st.usersBy["Netbird"].PK}, "roles": []string{role.PK}}, &group)
	for path, want := range map[string]int{"/api/v3/core/users/?page=1": 200, "/api/v3/core/groups/": 403, "/api/v3/providers/oauth2/": 403} {
		if resp := w.call("GET", path, got.Access, nil, nil); resp.StatusCode != want {
			t.Errorf("%s: %s, want %d", path, resp.Status, want)
		}
	}
	if err := w.sim.RemoveMapping("NetBird", "goauthentik.io/api"); err != nil {
		t.Fatal(err)
	}
	got = try("ours")
	if got.Scope == nil || *got.Scope != "" {
		t.Errorf("without the mapping: scope %v", got.Scope)
	}
	if resp := w.call("GET", "/api/v3/core/users/?page=1", got.Access, nil, nil); resp.StatusCode != 403 {
		t.Errorf("without the scope: %s", resp.Status)
	}
	if err := w.sim.BindGroup("netbird", "people"); err != nil {
		t.Fatal(err)
	}
	if got := try("ours"); got.Error != "invalid_grant" {
		t.Errorf("out of the bound group: %+v", got)
	}
}

func TestApplicationListIsUnusable(t *testing.T) {
	w := newWorld(t, "")
	w.link(nil)
	type page struct {
		Pagination struct{ Count int }
		Results    []struct{ Slug string }
	}
	ask := func(query string) page {
		var out page
		w.admin("GET", "/api/v3/core/applications/"+query, nil, &out)
		return out
	}
	if got := ask("?slug=nothing"); got.Pagination.Count != 0 || len(got.Results) != 0 {
		t.Errorf("first: %+v", got)
	}
	if got := ask(""); got.Pagination.Count != 1 || len(got.Results) != 0 {
		t.Errorf("the cache of the first: %+v", got)
	}
	if got := ask("?superuser_full_list=true&slug=netbird"); len(got.Results) != 1 {
		t.Errorf("the full list: %+v", got)
	}
	if err := w.sim.BindGroup("netbird", "people"); err != nil {
		t.Fatal(err)
	}
	if got := ask(""); len(got.Results) != 0 {
		t.Errorf("what the admin may not open: %+v", got)
	}
}

func TestSecretProbeBySecretAndPlace(t *testing.T) {
	w := newWorld(t, "")
	w.link(nil)
	probe := func(secret, place string) string {
		form := codeForm("bogus")
		form.Set("client_secret", secret)
		form.Set("redirect_uri", place)
		return w.token(form).Error
	}
	for _, tt := range []struct{ secret, place, want string }{
		{"secret", callback, "invalid_grant"}, {"wrong", callback, "invalid_client"}, {"secret", "https://elsewhere.example/", "invalid_client"},
	} {
		if got := probe(tt.secret, tt.place); got != tt.want {
			t.Errorf("%s at %s: %s, want %s", tt.secret, tt.place, got, tt.want)
		}
	}
}

func TestUnknownChoicesOfFilters(t *testing.T) {
	w := newWorld(t, "")
	for _, path := range []string{
		"propertymappings/provider/scope/?managed=goauthentik.io/nothing",
		"policies/bindings/?target=00000000-0000-0000-0000-000000000000",
		"flows/instances/?designation=nothing",
	} {
		if err := w.sim.Request("GET", apiPrefix+path, nil, nil); err == nil || !strings.Contains(err.Error(), "Select a valid choice.") {
			t.Errorf("%s: %v", path, err)
		}
	}
	var out struct{ Results []any }
	w.admin("GET", apiPrefix+"flows/instances/?nonsense=1", nil, &out)
	if len(out.Results) != 14 {
		t.Errorf("an unknown filter left %d flows", len(out.Results))
	}
}

func TestBrandsByHost(t *testing.T) {
	for version, want := range map[string]string{"2025.12.0-rc1": "example.com", "2026.2.0-rc1": "authentik-default"} {
		w := newWorld(t, version)
		if err := w.sim.SetBrand("example.com", ""); err != nil {
			t.Fatal(err)
		}
		if got := w.sim.brandFor("notexample.com:443").Domain; got != want {
			t.Errorf("%s: notexample.com has brand %s, want %s", version, got, want)
		}
		if got := w.sim.brandFor("auth.example.com").Domain; got != "example.com" {
			t.Errorf("%s: auth.example.com has brand %s", version, got)
		}
	}
}

func TestGrantTypesAreEnforcedFrom2026_5(t *testing.T) {
	for _, tt := range []struct {
		version string
		grants  []string
		to      string
		err     string
	}{
		{"2026.5.0", []string{}, callback + "?error=invalid_request&error_description=The%20request%20is%20otherwise%20malformed&state=st", "invalid_grant"},
		{"2026.5.0", []string{grantCode}, "/if/flow/", "invalid_grant"},
		{"2026.2.0-rc1", []string{}, "/if/flow/", "invalid_grant"},
	} {
		w := newWorld(t, tt.version)
		w.link(map[string]any{"grant_types": tt.grants})
		resp := w.call("GET", strings.TrimPrefix(authorizeURL(w.url, nil), w.url), "", nil, nil)
		if to := resp.Header.Get("Location"); !strings.HasPrefix(to, tt.to) {
			t.Errorf("%s %v: to %s", tt.version, tt.grants, to)
		}
		if got := w.token(codeForm("bogus")); got.Error != tt.err {
			t.Errorf("%s %v: %+v", tt.version, tt.grants, got)
		}
		var shown map[string]any
		w.admin("GET", "/api/v3/providers/oauth2/1/", nil, &shown)
		if _, has := shown["grant_types"]; has != (tt.version == "2026.5.0") {
			t.Errorf("%s shows grant_types: %v", tt.version, has)
		}
	}
}

func TestFieldsByVersion(t *testing.T) {
	for version, want := range map[string][]string{
		"2024.12.3":     {},
		"2025.6.4":      {"date_joined", "password_change_date"},
		"2025.12.0-rc1": {"date_joined", "last_updated", "password_change_date", "roles", "roles_obj"},
		"nonsense":      {},
	} {
		w := newWorld(t, version)
		var got map[string]any
		w.admin("GET", "/api/v3/core/users/5/", nil, &got)
		have := []string{}
		for _, k := range []string{"date_joined", "last_updated", "password_change_date", "roles", "roles_obj"} {
			if _, ok := got[k]; ok {
				have = append(have, k)
			}
		}
		if !slices.Equal(have, want) {
			t.Errorf("%s: a user has %v, want %v", version, have, want)
		}
		var about map[string]any
		w.admin("GET", "/api/v3/admin/version/", nil, &about)
		if about["version_current"] != version {
			t.Errorf("%s reports %v", version, about["version_current"])
		}
	}
}

func TestAnotherUsersKey(t *testing.T) {
	for version, want := range map[string]int{"2025.12.0-rc1": 404, "2026.2.0-rc1": 403} {
		w := newWorld(t, version)
		key, err := w.sim.AddToken(Token{Identifier: "alices", User: "alice"})
		if err != nil {
			t.Fatal(err)
		}
		if resp := w.call("GET", "/api/v3/core/tokens/authentik-bootstrap-token/view_key/", key, nil, nil); resp.StatusCode != want {
			t.Errorf("%s: %s, want %d", version, resp.Status, want)
		}
	}
}
