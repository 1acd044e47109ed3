package authentik_test

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"authbird/clients"
	"authbird/clients/authentik"
)

var both = []string{"authentik-2024.12.3", "authentik-2025.12"}

// TestRecordedRefusals: what real servers said to what must not succeed.
func TestRecordedRefusals(t *testing.T) {
	me := func(ctx context.Context, c *authentik.Client) error { _, err := c.Me(ctx); return err }
	providers := func(ctx context.Context, c *authentik.Client) error {
		_, err := c.ProvidersByName(ctx, "x")
		return err
	}
	app := func(ctx context.Context, c *authentik.Client) error { _, err := c.Application(ctx, "nope"); return err }
	rows := map[string]struct {
		exchange string
		call     func(context.Context, *authentik.Client) error
		kind     clients.Kind
		says     string
	}{
		"a bad token is unauthorised, though it is a 403":    {"ident-core_users_me-badtoken", me, clients.Unauthorised, "Token invalid/expired"},
		"no token is unauthorised":                           {"ident-core_users_me-notoken", me, clients.Unauthorised, "credentials were not provided"},
		"a bad token reads no list":                          {"ident-admin_version-badtoken", providers, clients.Unauthorised, ""},
		"a limited token is forbidden":                       {"limited-GET-providers_oauth2", providers, clients.Forbidden, "You do not have permission"},
		"an application that isn't there is absent":          {"conn-app-get-missing", app, clients.Absent, ""},
		"a path that this version doesn't know":              {"ident-api-unknown", me, clients.Unsupported, ""},
		"a method that this version doesn't know":            {"ident-method-not-allowed", me, clients.Unsupported, ""},
		"the browsable API is not the API":                   {"ident-api-root", me, clients.WrongServer, "API Browser"},
		"a redirect to the login is not the API":             {"ident-root", me, clients.WrongServer, "/flows/-/default/authentication/"},
		"a page past the end is absent":                      {"pagination-beyond", func(ctx context.Context, c *authentik.Client) error { _, err := c.UsersPage(ctx, 9); return err }, clients.Absent, ""},
		"an error page of the server is no answer to a read": {"ident-admin_system-good", me, 0, ""},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			for _, version := range both {
				if row.kind == 0 { // 500 on 2024.12 only
					if version == both[0] {
						wantKind(t, row.call(t.Context(), at(t, recorded(t, version, row.exchange), "t")), clients.Unreachable)
					}
					continue
				}
				err := row.call(t.Context(), at(t, recorded(t, version, row.exchange), "t"))
				wantKind(t, err, row.kind)
				if err == nil || !strings.Contains(err.Error(), row.says) {
					t.Errorf("%s: %v, want %q in it", version, err, row.says)
				}
			}
		})
	}
}

func TestRecordedAnswers(t *testing.T) {
	ctx := t.Context()
	for _, version := range both {
		t.Run(version, func(t *testing.T) {
			client := func(name string) *authentik.Client { return at(t, recorded(t, version, name), "t") }
			login := func(name string) *authentik.Client {
				return at(t, recorded(t, version+"-transactions-login-rights", name), "t")
			}
			m := must(client("ident-core_users_me-good").Me(ctx))(t)
			if !m.Superuser || m.Username != "akadmin" || m.PK == 0 || m.Groups[0].Name != "authentik Admins" {
				t.Errorf("me %+v", m)
			}
			if v := must(client("ident-admin_version-good").Version(ctx))(t); !strings.HasPrefix(v, strings.TrimPrefix(version, "authentik-")) {
				t.Errorf("version %s", v)
			}
			h := must(client("ident-root_config-notoken").Hello(ctx))(t)
			if !h.IsAuthentik || h.Meta.Status != 200 {
				t.Errorf("hello %+v", h)
			}
			keys := must(client("certs-all").SigningKeys(ctx))(t)
			if len(keys) != 1 || keys[0].KeyType != "rsa" || keys[0].CertExpiry == "" || !keys[0].HasKey {
				t.Errorf("keys %+v", keys)
			}
			flows := must(login("flows-one-list").Flows(ctx))(t)
			if len(flows) < 10 || flows[0].Slug != "default-authentication-flow" || flows[0].Designation != "authentication" {
				t.Errorf("flows %+v", flows)
			}
			p := must(login("tx-provider-by-client-id").ProvidersByClientID(ctx, "cid-netbird"))(t)
			if len(p) != 1 || p[0].GrantTypes != nil || p[0].AssignedApplicationSlug != "netbird" || p[0].EncryptionKey != "" || !p[0].IncludeClaimsInIDToken {
				t.Errorf("provider %+v", p)
			}
			want := []authentik.RedirectURI{{MatchingMode: "strict", URL: "https://netbird.example.com/oauth2/callback"},
				{MatchingMode: "strict", URL: "https://netbird.example.com/oauth2/logout/callback"}}
			if d := cmp.Diff(want, p[0].RedirectURIs); d != "" {
				t.Error(d)
			}
			if m := must(login("scopes-managed").ScopeMappings(ctx, authentik.ScopeProfile, "unheard-of", authentik.ScopeOpenID))(t); len(m) != 2 ||
				m[0].ScopeName != "profile" || m[1].ScopeName != "openid" {
				t.Errorf("mappings %+v", m)
			}
			tok := must(login("sa-token").Token(ctx, "service-account-netbird-password"))(t)
			if tok.Username != "Netbird" || tok.Intent != authentik.IntentAppPassword || tok.Expiring || tok.Expires.IsZero() {
				t.Errorf("token %+v", tok)
			}
			if key := must(login("sa-view-key").ViewTokenKey(ctx, "x"))(t); key != "ourOwnKey0123456789" {
				t.Errorf("key %s", key)
			}
			if err := login("sa-set-key").SetTokenKey(ctx, "x", "ourOwnKey0123456789"); err != nil {
				t.Error(err)
			}
			events := must(login("events-authorize").Events(ctx, "authorize_application", 5))(t)
			if len(events) != 1 || events[0].User.Username != "alice" || events[0].Application != "NetBird" || events[0].ClientID != "cid-netbird" || events[0].Created.IsZero() {
				t.Errorf("events %+v", events)
			}
			if e := must(login("events-login").Events(ctx, "login", 5))(t); len(e) == 0 || e[0].User.Username != "alice" {
				t.Errorf("logins %+v", e)
			}
			b := must(client("pol-bind-list").Bindings(ctx, bindingTarget(t, version)))(t)
			if len(b) != 3 || b[0].GroupName != "netbird-users" || b[0].User != 0 || !b[0].Enabled {
				t.Errorf("bindings %+v", b)
			}
			if a := must(client("pol-check-denied").CheckAccess(ctx, "netbird-sa", 5))(t); a.Passing {
				t.Errorf("access %+v", a)
			}
			if b := must(client("brand-current-after").CurrentBrand(ctx))(t); b.FlowDeviceCode != "default-device-code-flow" || b.MatchedDomain != "authentik-default" {
				t.Errorf("brand in force %+v", b)
			}
			if b := must(client("brand-by-domain").Brands(ctx, "authentik-default"))(t); len(b) != 1 || !b[0].Default || b[0].UUID == "" || b[0].FlowDeviceCode != "" {
				t.Errorf("brands %+v", b)
			}
			if c := must(client("conn-preview").PreviewClaims(ctx, 4, 5))(t); c["email"] != "plain@example.com" {
				t.Errorf("claims %v", c)
			}
		})
	}
}

// bindingTarget is the application that the recorded bindings belong to.
func bindingTarget(t *testing.T, version string) string {
	return must(at(t, recorded(t, version, "pol-app"), "t").Application(t.Context(), "netbird-sa"))(t).PK
}

func TestTheFilterThatAServerIgnores(t *testing.T) {
	const one = `{"pk": 1, "name": "NetBird"}, {"pk": 2, "name": "netbird"}`
	rows := map[string]struct {
		next, look string
		kind       clients.Kind
		found      int
	}{
		"what is on the only page is found":                    {"0", "NetBird", 0, 1},
		"what is not on the only page is not there":            {"0", "other", 0, 0},
		"what is on the first page is found":                   {"2", "netbird", 0, 1},
		"what is not on the first page may be on the second":   {"2", "other", clients.Unsupported, 0},
		"no next page at all is the last":                      {"null", "other", 0, 0},
		"spaces around a provider's name are trimmed as there": {"0", " NetBird ", 0, 1},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			c := at(t, says(200, `{"pagination": {"next": `+row.next+`}, "results": [`+one+`]}`), "t")
			found, err := c.ProvidersByName(t.Context(), row.look)
			wantKind(t, err, row.kind)
			if len(found) != row.found {
				t.Errorf("found %+v", found)
			}
		})
	}
	_, err := at(t, says(200, `{"detail": "no list"}`), "t").ProvidersByName(t.Context(), "x")
	wantKind(t, err, clients.WrongServer)
}

func TestLocalisedForbiddenIsSettledByAsking(t *testing.T) {
	ctx := t.Context()
	const french = `{"detail":"Informations d'authentification non fournies."}`
	bad := at(t, says(403, french), "t")
	_, err := bad.ProvidersByName(ctx, "x")
	wantKind(t, err, clients.Forbidden)
	wantKind(t, bad.Settle(ctx, err), clients.Unauthorised)

	right := at(t, says(200, `{"user": {"pk": 1}}`), "t")
	wantKind(t, right.Settle(ctx, err), clients.Forbidden)
	plain := &clients.Error{Kind: clients.Refused}
	if got := bad.Settle(ctx, plain); got != error(plain) {
		t.Errorf("settled %v", got)
	}
}

func TestHelloToOthers(t *testing.T) {
	h, err := at(t, says(200, `{"setup_required": false}`), "").Hello(t.Context())
	if err != nil || !h.IsAuthentik {
		t.Errorf("the mark alone must do: %+v, %v", h, err)
	}
	rows := map[string]exchange{
		"another product":               {Status: 200, Header: map[string]string{"Content-Type": "application/json"}, Body: []byte(`{"setup_required": false}`)},
		"a web page":                    {Status: 200, Header: map[string]string{"Content-Type": "text/html"}, Body: []byte(`{"html_title": "Nextcloud"}`)},
		"a login in front of it":        {Status: 302, Header: map[string]string{"Location": "https://sso.example.com/login"}, Body: []byte(`""`)},
		"a password box in front of it": {Status: 401, Header: map[string]string{"Content-Type": "text/html"}, Body: []byte(`{"html_title": "401"}`)},
	}
	for name, x := range rows {
		t.Run(name, func(t *testing.T) {
			h, err := at(t, x.serveFunc(), "").Hello(t.Context())
			wantKind(t, err, clients.WrongServer)
			if h.IsAuthentik || h.Meta.Status != x.Status {
				t.Errorf("hello %+v", h)
			}
		})
	}
}
