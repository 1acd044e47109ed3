package oidc_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"authbird/clients"
	"authbird/clients/authentik"
	"authbird/clients/oidc"
	simauthentik "authbird/sim/authentik"
	"authbird/sim/fault"
)

const (
	admin    = "admin-token-0123456789"
	secret   = "client-secret-0123"
	callback = "https://netbird.example.com/oauth2/callback"
)

var versions = []string{"2024.12.3", "2025.12.0-rc1", "2026.2.0-rc1", "2026.5.0"}

// world is a simulated Authentik with a provider and application named netbird.
type world struct {
	sim    *simauthentik.Server
	faults *fault.Faults
	ak     *authentik.Client
	oidc   *oidc.Client
	base   string
}

func transport(t *testing.T) *clients.Transport {
	t.Helper()
	tr, err := clients.New(clients.Options{Wait: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tr.CloseIdle)
	return tr
}

func build(t *testing.T, version string) world {
	t.Helper()
	ctx := t.Context()
	w := world{faults: fault.New()}
	w.sim = simauthentik.New(simauthentik.Options{Version: version, Token: admin, Faults: w.faults})
	server := httptest.NewServer(w.sim)
	t.Cleanup(server.Close)
	w.base = server.URL
	tr := transport(t)
	w.oidc = oidc.New(tr)
	var err error
	if w.ak, err = authentik.New(w.base, admin, tr); err != nil {
		t.Fatal(err)
	}
	flows := must(w.ak.Flows(ctx))(t)
	pk := func(slug string) string {
		return flows[slices.IndexFunc(flows, func(f authentik.Flow) bool { return f.Slug == slug })].PK
	}
	var mappings []string
	for _, m := range must(w.ak.ScopeMappings(ctx, authentik.ScopeOpenID, authentik.ScopeEmail, authentik.ScopeProfile, authentik.ScopeAPI))(t) {
		mappings = append(mappings, m.PK)
	}
	err = w.ak.CreateApplication(ctx, authentik.Transaction{
		Application: authentik.ApplicationSpec{Name: "NetBird", Slug: "netbird"},
		Provider: authentik.ProviderSpec{Name: "NetBird", ClientType: "confidential", ClientID: "cid", ClientSecret: secret,
			AuthorizationFlow: pk("default-provider-authorization-explicit-consent"), InvalidationFlow: pk(authentik.InvalidationFlowSlug),
			RedirectURIs: []authentik.RedirectURI{{MatchingMode: "strict", URL: callback}}, PropertyMappings: mappings,
			SigningKey: must(w.ak.SigningKeys(ctx))(t)[0].PK, IncludeClaimsInIDToken: true, SubMode: "user_id",
			GrantTypes: []string{authentik.GrantAuthorizationCode, authentik.GrantClientCredentials, authentik.GrantDeviceCode}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func wantKind(t *testing.T, err error, want clients.Kind) {
	t.Helper()
	if got := clients.KindOf(err); got != want {
		t.Errorf("kind %v, want %v: %v", got, want, err)
	}
}

func TestDiscoveryAndKeys(t *testing.T) {
	for _, version := range versions {
		t.Run(version, func(t *testing.T) {
			ctx := t.Context()
			w := build(t, version)
			d := must(w.oidc.Discover(ctx, w.base, "netbird"))(t)
			if d.Issuer != w.base+"/application/o/netbird/" || len(d.Foreign) != 0 || !slices.Contains(d.SigningAlgs, "RS256") {
				t.Errorf("discovery %+v", d)
			}
			c := oidc.Endpoints(w.base, "netbird")
			if c.Issuer != d.Issuer || c.URL != d.URL || c.TokenEndpoint != d.TokenEndpoint || c.AuthEndpoint != d.AuthEndpoint || c.DeviceEndpoint != d.DeviceEndpoint || c.JWKSURI != d.JWKSURI {
				t.Errorf("by convention %+v\nin truth      %+v", c, d)
			}
			keys := must(w.oidc.Keys(ctx, d))(t)
			if len(keys) != 1 || keys[0].Type != "RSA" || keys[0].Alg != "RS256" || keys[0].Use != "sig" || keys[0].ID == "" {
				t.Errorf("keys %+v", keys)
			}
			if err := w.sim.UseECKey("NetBird"); err != nil {
				t.Fatal(err)
			}
			if keys := must(w.oidc.Keys(ctx, d))(t); len(keys) != 1 || keys[0].Type != "EC" {
				t.Errorf("keys %+v", keys)
			}
			if err := w.sim.DropSigningKey("NetBird"); err != nil {
				t.Fatal(err)
			}
			d = must(w.oidc.Discover(ctx, w.base, "netbird"))(t)
			if keys := must(w.oidc.Keys(ctx, d))(t); len(keys) != 0 || !slices.Contains(d.SigningAlgs, "HS256") {
				t.Errorf("without a signing key: keys %+v, algorithms %v", keys, d.SigningAlgs)
			}
			if err := w.sim.Unlink("netbird"); err != nil {
				t.Fatal(err)
			}
			_, err := w.oidc.Discover(ctx, w.base, "netbird")
			wantKind(t, err, clients.Absent)
			_, err = w.oidc.Discover(ctx, w.base, "../../x")
			wantKind(t, err, clients.Absent)
		})
	}
}

// TestAuthorizeProbe: each row is a login and what is wrong with it; nothing is stored, whatever is asked.
func TestAuthorizeProbe(t *testing.T) {
	rows := map[string]struct {
		prepare func(*simauthentik.Server) error
		request oidc.AuthorizeRequest
		want    oidc.AuthorizeVerdict
		says    string
	}{
		"all is well":                                  {nil, oidc.AuthorizeRequest{ClientID: "cid", RedirectURI: callback, Registered: 1}, oidc.Allowed, "login_required"},
		"another redirect URI":                         {nil, oidc.AuthorizeRequest{ClientID: "cid", RedirectURI: "https://evil.example/", Registered: 1}, oidc.RedirectRefused, "Redirect URI Error"},
		"a redirect URI with a slash too much":         {nil, oidc.AuthorizeRequest{ClientID: "cid", RedirectURI: callback + "/", Registered: 1}, oidc.RedirectRefused, ""},
		"an unknown client":                            {nil, oidc.AuthorizeRequest{ClientID: "nobody", RedirectURI: callback, Registered: 1}, oidc.ClientUnknown, "Client ID Error"},
		"a provider without an application looks well": {func(s *simauthentik.Server) error { return s.Unlink("netbird") }, oidc.AuthorizeRequest{ClientID: "cid", RedirectURI: callback, Registered: 1}, oidc.Allowed, ""},
		"a provider without redirect URIs": {func(s *simauthentik.Server) error {
			return s.SetProvider("NetBird", map[string]any{"redirect_uris": []any{}})
		}, oidc.AuthorizeRequest{ClientID: "cid", RedirectURI: callback}, oidc.Unclear, "not asked"},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			for _, version := range versions {
				w := build(t, version)
				if row.prepare != nil {
					if err := row.prepare(w.sim); err != nil {
						t.Fatal(err)
					}
				}
				before := must(w.ak.ProvidersByClientID(t.Context(), "cid"))(t)[0]
				got := must(w.oidc.Authorize(t.Context(), oidc.Endpoints(w.base, "netbird"), row.request))(t)
				if got.Verdict != row.want || !strings.Contains(got.Evidence, row.says) || got.Evidence == "" {
					t.Errorf("%s: %+v, want %v with %q", version, got, row.want, row.says)
				}
				after := must(w.ak.ProvidersByClientID(t.Context(), "cid"))(t)[0]
				if len(before.RedirectURIs) != len(after.RedirectURIs) {
					t.Errorf("%s: asking left %+v", version, after.RedirectURIs)
				}
			}
		})
	}
}

// TestAuthorizeAnswersOfOthers: what is not clearly Authentik's word is no verdict.
func TestAuthorizeAnswersOfOthers(t *testing.T) {
	rows := map[string]struct {
		status         int
		location, page string
		mark           bool
		want           oidc.AuthorizeVerdict
	}{
		"to Authentik's login":                       {302, "/flows/-/default/authentication/?next=x", "", true, oidc.Allowed},
		"back, for a person must consent":            {302, callback + "?error=consent_required", "", true, oidc.Allowed},
		"back, with another error":                   {302, callback + "?error=invalid_request&error_description=x", "", true, oidc.Unclear},
		"to an address that merely begins like ours": {302, callback + ".evil.example/?error=login_required", "", true, oidc.Unclear},
		"to a login in front of Authentik":           {302, "https://sso.example.com/login", "", false, oidc.Unclear},
		"nowhere":                                    {302, "", "", true, oidc.Unclear},
		"Authentik's page that says no":              {200, "", "<title>Permission denied - authentik</title>", true, oidc.NotLinked},
		"a page that isn't Authentik's":              {200, "", "<title>Nextcloud</title>", false, oidc.Unclear},
		"a refusal in a language that we don't know": {400, "", "<title>authentik</title>Fehler", true, oidc.Unclear},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Query().Get("prompt") != "none" {
					t.Error("the probe could reach a login")
				}
				if row.mark {
					w.Header().Set("X-Authentik-Id", "1")
				}
				if row.location != "" {
					w.Header().Set("Location", row.location)
				}
				w.Header().Set("Content-Type", "text/html")
				w.WriteHeader(row.status)
				_, _ = w.Write([]byte(row.page))
			}))
			defer server.Close()
			got := must(oidc.New(transport(t)).Authorize(t.Context(), oidc.Endpoints(server.URL, "x"), oidc.AuthorizeRequest{ClientID: "c", RedirectURI: callback, Registered: 1}))(t)
			if got.Verdict != row.want || got.Evidence == "" {
				t.Errorf("%+v, want %v", got, row.want)
			}
		})
	}
}

func TestProbeSecret(t *testing.T) {
	for _, version := range versions {
		w := build(t, version)
		d := oidc.Endpoints(w.base, "netbird")
		for try, want := range map[string]oidc.SecretVerdict{secret: oidc.SecretAccepted, "wrong-secret-0123": oidc.SecretWrong} {
			p := must(w.oidc.ProbeSecret(t.Context(), d, "cid", try, callback))(t)
			if p.Verdict != want || p.Evidence == "" {
				t.Errorf("%s: %+v, want %v", version, p, want)
			}
		}
		if p := must(w.oidc.ProbeSecret(t.Context(), d, "nobody", secret, callback))(t); p.Verdict != oidc.SecretWrong {
			t.Errorf("%s: an unknown client: %+v", version, p)
		}
		if err := w.faults.Order(fault.Fault{Path: "/application/o/token/", Kind: "cut-after"}); err != nil {
			t.Fatal(err)
		}
		p, err := w.oidc.ProbeSecret(t.Context(), d, "cid", secret, callback)
		wantKind(t, err, clients.Unknown)
		if p.Verdict != oidc.SecretUnclear {
			t.Errorf("%s: a verdict without an answer: %+v", version, p)
		}
	}
}

// TestServiceToken replays NetBird's own calls: the token, and the users read with it.
func TestServiceToken(t *testing.T) {
	const password, scope = "our-app-password-0123", "goauthentik.io/api"
	for _, version := range versions {
		t.Run(version, func(t *testing.T) {
			ctx := t.Context()
			w := build(t, version)
			d := must(w.oidc.Discover(ctx, w.base, "netbird"))(t)
			sa := must(w.ak.CreateServiceAccount(ctx, "Netbird"))(t)
			if err := w.ak.SetTokenKey(ctx, authentik.TokenIdentifier("Netbird"), password); err != nil {
				t.Fatal(err)
			}
			tok := must(w.oidc.ServiceToken(ctx, d, "cid", "Netbird", password, scope))(t)
			if tok.Token == "" || tok.Expires != time.Hour || tok.HasScope && tok.Scope != scope {
				t.Errorf("token %+v", tok)
			}
			claims := must(w.oidc.Verify(ctx, d, "cid", tok.Token))(t)
			if claims.Issuer != d.Issuer || !slices.Contains(claims.Audience, "cid") || claims.Subject == "" || claims.IssuedAt.IsZero() {
				t.Errorf("claims %+v", claims)
			}
			_, err := w.ak.WithToken(tok.Token).UsersPage(ctx, 1)
			wantKind(t, err, clients.Forbidden)
			admins := must(w.ak.GroupsByName(ctx, "authentik Admins"))(t)[0]
			if err := w.ak.AddGroupUser(ctx, admins.PK, sa.PK); err != nil {
				t.Fatal(err)
			}
			if u := must(w.ak.WithToken(tok.Token).UsersPage(ctx, 1))(t); len(u) == 0 {
				t.Error("no users")
			}
			_, err = w.oidc.ServiceToken(ctx, d, "cid", "Netbird", "wrong-password-0123", scope)
			wantKind(t, err, clients.Refused)
			var e *clients.Error
			if errors.As(err, &e); e.Fields["error"][0] != "invalid_grant" || strings.Contains(err.Error(), "wrong-password-0123") {
				t.Errorf("%v", err)
			}
			if err := w.sim.RemoveMapping("NetBird", scope); err != nil {
				t.Fatal(err)
			}
			tok = must(w.oidc.ServiceToken(ctx, d, "cid", "Netbird", password, scope))(t)
			if tok.Scope != "" {
				t.Errorf("scope %q without its mapping", tok.Scope)
			}
			_, err = w.ak.WithToken(tok.Token).UsersPage(ctx, 1)
			wantKind(t, err, clients.Unauthorised)
		})
	}
}

func TestVerifyAsNetBirdDoes(t *testing.T) {
	ctx := t.Context()
	w := build(t, "")
	d := must(w.oidc.Discover(ctx, w.base, "netbird"))(t)
	must(w.ak.CreateServiceAccount(ctx, "Netbird"))(t)
	if err := w.ak.SetTokenKey(ctx, authentik.TokenIdentifier("Netbird"), "our-app-password-0123"); err != nil {
		t.Fatal(err)
	}
	token := func() string {
		return must(w.oidc.ServiceToken(ctx, d, "cid", "Netbird", "our-app-password-0123", "openid"))(t).Token
	}
	good := token()
	must(w.oidc.Verify(ctx, d, "cid", good))(t)
	refused := func(what string, d oidc.Discovery, client, token string) {
		t.Helper()
		_, err := w.oidc.Verify(ctx, d, client, token)
		if wantKind(t, err, clients.Refused); err == nil || strings.Contains(err.Error(), token) {
			t.Errorf("%s: %v", what, err)
		}
	}
	other := d
	other.Issuer = strings.TrimSuffix(d.Issuer, "/")
	refused("another client", d, "somebody", good)
	refused("an issuer without its slash", other, "cid", good)
	refused("another signature", d, "cid", good[:len(good)-6]+"AAAAAA")
	refused("no token", d, "cid", "nonsense")
	if err := w.sim.UseECKey("NetBird"); err != nil {
		t.Fatal(err)
	}
	refused("an EC key", d, "cid", token())
	if err := w.sim.DropSigningKey("NetBird"); err != nil {
		t.Fatal(err)
	}
	refused("no signing key", d, "cid", token())

	if err := w.faults.Order(fault.Fault{Path: "/application/o/netbird/jwks/", Kind: "cut-before", Times: -1}); err != nil {
		t.Fatal(err)
	}
	_, err := w.oidc.Verify(ctx, d, "cid", good)
	wantKind(t, err, clients.Unreachable)
}

func TestStartDevice(t *testing.T) {
	w := build(t, "")
	d := oidc.Endpoints(w.base, "netbird")
	dev := must(w.oidc.StartDevice(t.Context(), d, "cid", "openid"))(t)
	if dev.UserCode == "" || dev.Interval != 5*time.Second || dev.ExpiresIn <= 0 || !strings.HasPrefix(dev.CompleteURL, w.base) {
		t.Errorf("device %+v", dev)
	}
	_, err := w.oidc.StartDevice(t.Context(), d, "nobody", "openid")
	wantKind(t, err, clients.Refused)
	if err := w.faults.Order(fault.Fault{Kind: "rate-limit", Times: -1}); err != nil {
		t.Fatal(err)
	}
	_, err = w.oidc.StartDevice(t.Context(), d, "cid", "openid")
	wantKind(t, err, clients.NotNow)
}

// TestAddressesElsewhere: a discovery that points to another host is told, and nothing is sent there.
func TestAddressesElsewhere(t *testing.T) {
	ctx := t.Context()
	hits := 0
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hits++ }))
	defer elsewhere.Close()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		e := elsewhere.URL
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"issuer": "` + e + `/", "authorization_endpoint": "` + e + `/a", "token_endpoint": "` + e + `/t", "device_authorization_endpoint": "` + e + `/d", "jwks_uri": "` + e + `/k"}`))
	}))
	defer server.Close()
	c := oidc.New(transport(t))
	d := must(c.Discover(ctx, server.URL, "netbird"))(t)
	if len(d.Foreign) != 5 || d.Issuer != elsewhere.URL+"/" {
		t.Errorf("discovery %+v", d)
	}
	_, keys := c.Keys(ctx, d)
	_, authorize := c.Authorize(ctx, d, oidc.AuthorizeRequest{ClientID: "c", RedirectURI: callback, Registered: 1})
	_, probe := c.ProbeSecret(ctx, d, "c", secret, callback)
	_, service := c.ServiceToken(ctx, d, "c", "u", "p", "s")
	_, device := c.StartDevice(ctx, d, "c", "s")
	_, verify := c.Verify(ctx, d, "c", "a.b.c")
	for name, err := range map[string]error{"keys": keys, "authorize": authorize, "secret": probe, "service": service, "device": device, "verify": verify} {
		if wantKind(t, err, clients.WrongServer); err == nil || !strings.Contains(err.Error(), server.URL) {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err := c.Keys(ctx, oidc.Discovery{Base: server.URL})
	wantKind(t, err, clients.Unsupported)
	if hits != 0 {
		t.Errorf("%d requests went elsewhere", hits)
	}
}

func TestDiscoveriesThatAreNone(t *testing.T) {
	answer := func(status int, contentType, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", contentType)
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		}
	}
	for name, h := range map[string]http.HandlerFunc{
		"a page": answer(200, "text/html", "<title>x</title>"), "nothing of use": answer(200, "application/json", "{}"),
		"a list": answer(200, "application/json", "[]"), "a 404 that isn't Authentik's": answer(404, "text/html", "<title>nginx</title>"),
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(h)
			defer server.Close()
			_, err := oidc.New(transport(t)).Discover(t.Context(), server.URL, "netbird")
			wantKind(t, err, clients.WrongServer)
		})
	}
}
