package authentik_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"authbird/clients"
	"authbird/clients/authentik"
	simauthentik "authbird/sim/authentik"
	"authbird/sim/fault"
)

const adminToken = "admin-token-0123456789"

var versions = []string{"2024.12.3", "2025.12.0-rc1", "2026.2.0-rc1", "2026.5.0", "2026.8.1"}

func simulated(t *testing.T, version string) (*authentik.Client, *simauthentik.Server, *fault.Faults) {
	t.Helper()
	faults := fault.New()
	s := simauthentik.New(simauthentik.Options{Version: version, Token: adminToken, Faults: faults})
	return at(t, s, adminToken), s, faults
}

// transaction is one that the server will take.
func transaction(t *testing.T, c *authentik.Client, name, slug, clientID string) authentik.Transaction {
	t.Helper()
	flows := must(c.Flows(t.Context()))(t)
	slugged := func(slug string) string {
		i := slices.IndexFunc(flows, func(f authentik.Flow) bool { return f.Slug == slug })
		if i < 0 {
			t.Fatalf("no flow %s", slug)
		}
		return flows[i].PK
	}
	return authentik.Transaction{
		Application: authentik.ApplicationSpec{Name: name, Slug: slug},
		Provider: authentik.ProviderSpec{Name: name, ClientType: "confidential", ClientID: clientID, ClientSecret: "client-secret-0123",
			AuthorizationFlow: slugged("default-provider-authorization-explicit-consent"), InvalidationFlow: slugged(authentik.InvalidationFlowSlug),
			RedirectURIs: []authentik.RedirectURI{{MatchingMode: "strict", URL: "https://netbird.example.com/oauth2/callback"}},
			SigningKey:   must(c.SigningKeys(t.Context()))(t)[0].PK, IncludeClaimsInIDToken: true,
			GrantTypes: []string{authentik.GrantAuthorizationCode, authentik.GrantRefreshToken}},
	}
}

func TestALifeOnEachVersion(t *testing.T) {
	for _, version := range versions {
		t.Run(version, func(t *testing.T) {
			ctx := t.Context()
			c, _, _ := simulated(t, version)
			if v := must(c.Version(ctx))(t); v != version {
				t.Errorf("version %s", v)
			}
			g := must(c.CreateGroup(ctx, "netbird-users", nil, nil))(t)
			tx := transaction(t, c, "NetBird", "netbird", "cid")
			tx.Groups = []string{g.PK}
			if err := c.CreateApplication(ctx, tx); err != nil {
				t.Fatal(err)
			}
			p := must(c.ProvidersByClientID(ctx, "cid"))(t)[0]
			a := must(c.Application(ctx, "netbird"))(t)
			if a.Provider != p.PK || p.AssignedApplicationSlug != "netbird" || p.ClientSecret != "client-secret-0123" || must(c.Provider(ctx, p.PK))(t).Name != "NetBird" {
				t.Errorf("application %+v, provider %+v", a, p)
			}
			if knows := strings.HasPrefix(version, "2026.5") || strings.HasPrefix(version, "2026.8"); knows != (len(p.GrantTypes) == 2) {
				t.Errorf("grant types %v on %s", p.GrantTypes, version)
			}
			b := must(c.Bindings(ctx, a.PK))(t)
			if len(b) != 1 || b[0].Group != g.PK || b[0].GroupName != "netbird-users" {
				t.Errorf("bindings %+v", b)
			}
			changed := must(c.UpdateProvider(ctx, p.PK, map[string]any{"sub_mode": "user_id", "client_secret": "another-secret"}))(t)
			if changed.SubMode != "user_id" || changed.ClientSecret != "another-secret" || len(changed.RedirectURIs) != 1 {
				t.Errorf("changed %+v", changed)
			}
			accounts(t, c, g)
			deviceFlow(t, c)

			more := must(c.CreateBinding(ctx, a.PK, g.PK, 1))(t)
			for _, err := range []error{c.DeleteBinding(ctx, more.PK), c.DeleteApplication(ctx, "netbird"), c.DeleteProvider(ctx, p.PK), c.DeleteGroup(ctx, g.PK)} {
				if err != nil {
					t.Error(err)
				}
			}
			_, err := c.Application(ctx, "netbird")
			wantKind(t, err, clients.Absent)
			wantKind(t, c.DeleteProvider(ctx, p.PK), clients.Absent)
		})
	}
}

// accounts makes a service account with least rights, and takes it back.
func accounts(t *testing.T, c *authentik.Client, g authentik.Group) {
	ctx := t.Context()
	sa := must(c.CreateServiceAccount(ctx, "Netbird"))(t)
	id := authentik.TokenIdentifier("Netbird")
	if err := c.SetTokenKey(ctx, id, "our-own-key-0123456789"); err != nil {
		t.Fatal(err)
	}
	if key := must(c.ViewTokenKey(ctx, id))(t); key != "our-own-key-0123456789" {
		t.Errorf("key %s", key)
	}
	tok := must(c.Token(ctx, id))(t)
	if tok.User != sa.PK || tok.Username != "Netbird" || tok.Expiring {
		t.Errorf("token %+v", tok)
	}
	about := "made by a test"
	tok = must(c.UpdateToken(ctx, id, authentik.TokenChange{User: tok.User, Intent: tok.Intent, Description: &about}))(t)
	if tok.Description != about || tok.User != sa.PK || tok.Intent != authentik.IntentAppPassword {
		t.Errorf("token after a change %+v", tok)
	}
	_, err := c.UpdateToken(ctx, id, authentik.TokenChange{Description: &about})
	wantKind(t, err, clients.Refused)

	role := must(c.CreateRole(ctx, "NetBird directory reader"))(t)
	if err := c.AssignPermissions(ctx, role.PK, "authentik_core.view_user"); err != nil {
		t.Fatal(err)
	}
	if p := must(c.RolePermissions(ctx, role.PK))(t); !slices.Equal(p, []string{"authentik_core.view_user"}) {
		t.Errorf("permissions %v", p)
	}
	if r := must(c.RolesByName(ctx, "NetBird directory reader"))(t); len(r) != 1 || r[0] != role {
		t.Errorf("roles %+v", r)
	}
	readers := must(c.CreateGroup(ctx, "readers", []int{sa.PK}, []string{role.PK}))(t)
	for range 2 {
		if err := c.AddGroupUser(ctx, g.PK, sa.PK); err != nil {
			t.Error(err)
		}
	}
	u := must(c.UserByName(ctx, "Netbird"))(t)
	if u.PK != sa.PK || u.Type != "service_account" || !slices.Contains(u.Groups, g.PK) || !slices.Contains(u.Groups, readers.PK) {
		t.Errorf("user %+v", u)
	}
	if err := c.RemoveGroupUser(ctx, g.PK, sa.PK); err != nil {
		t.Error(err)
	}
	if u := must(c.User(ctx, sa.PK))(t); slices.Contains(u.Groups, g.PK) {
		t.Errorf("still in the group: %+v", u)
	}
	api := must(c.CreateToken(ctx, authentik.TokenSpec{Identifier: "authbird", Intent: authentik.IntentAPI, Description: "x"}))(t)
	if api.Expiring || api.Username != "akadmin" {
		t.Errorf("token %+v", api)
	}
	own := must(c.Tokens(ctx, authentik.TokenFilter{Username: "akadmin", Intent: authentik.IntentAPI}))(t)
	if !slices.ContainsFunc(own, func(t authentik.Token) bool { return t.Identifier == "authbird" }) || slices.ContainsFunc(own, func(t authentik.Token) bool { return t.Username != "akadmin" }) {
		t.Errorf("own tokens %+v", own)
	}
	fresh := c.WithToken(must(c.ViewTokenKey(ctx, "authbird"))(t))
	if me := must(fresh.Me(ctx))(t); me.Username != "akadmin" {
		t.Errorf("the new token is %+v's", me)
	}
	for _, err := range []error{c.ActivateUser(ctx, sa.PK, false), c.DeleteToken(ctx, "authbird"), c.DeleteGroup(ctx, readers.PK), c.DeleteRole(ctx, role.PK), c.DeleteUser(ctx, sa.PK)} {
		if err != nil {
			t.Error(err)
		}
	}
	_, err = fresh.Me(ctx)
	wantKind(t, err, clients.Unauthorised)
	_, err = c.UserByName(ctx, "Netbird")
	wantKind(t, err, clients.Absent)
}

func deviceFlow(t *testing.T, c *authentik.Client) {
	ctx := t.Context()
	f := must(c.CreateFlow(ctx, authentik.FlowSpec{Name: "device", Slug: "our-device-flow", Title: "Device", Designation: "stage_configuration",
		Authentication: "require_authenticated"}))(t)
	brand := must(c.Brands(ctx, must(c.CurrentBrand(ctx))(t).MatchedDomain))(t)[0]
	if b := must(c.SetBrandDeviceFlow(ctx, brand.UUID, &f.PK))(t); b.FlowDeviceCode != f.PK {
		t.Errorf("brand %+v", b)
	}
	if b := must(c.CurrentBrand(ctx))(t); b.FlowDeviceCode != "our-device-flow" {
		t.Errorf("brand in force %+v", b)
	}
	if b := must(c.SetBrandDeviceFlow(ctx, brand.UUID, nil))(t); b.FlowDeviceCode != "" {
		t.Errorf("brand %+v", b)
	}
	if err := c.DeleteFlow(ctx, f.Slug); err != nil {
		t.Error(err)
	}
}

// TestWhatIsTaken: a create that is refused is a conflict only where the object that is in the way can be seen.
func TestWhatIsTaken(t *testing.T) {
	for _, version := range versions {
		t.Run(version, func(t *testing.T) {
			ctx := t.Context()
			c, _, _ := simulated(t, version)
			tx := transaction(t, c, "NetBird", "netbird", "cid")
			if err := c.CreateApplication(ctx, tx); err != nil {
				t.Fatal(err)
			}
			try := func(name, slug, id string) error {
				other := tx
				other.Application = authentik.ApplicationSpec{Name: name, Slug: slug}
				other.Provider.Name, other.Provider.ClientID = name, id
				return c.CreateApplication(ctx, other)
			}
			if e := wantKind(t, try("Other", "netbird", "other"), clients.Conflict); len(e.Fields["app.slug"]) == 0 {
				t.Errorf("fields %v", e.Fields)
			}
			if e := wantKind(t, try("NetBird", "other", "other"), clients.Conflict); len(e.Fields["provider.name"]) == 0 {
				t.Errorf("fields %v", e.Fields)
			}
			if e := wantKind(t, try("Other", "other", "cid"), clients.Conflict); len(e.Fields["provider.client_id"]) == 0 {
				t.Errorf("fields %v", e.Fields)
			}
			wantKind(t, try("Other", "not a slug!", "other"), clients.Refused)
			if n := len(must(c.ProvidersByName(ctx, "Other"))(t)); n != 0 {
				t.Errorf("a refused create left %d providers", n)
			}

			_, err := c.CreateProvider(ctx, tx.Provider)
			wantKind(t, err, clients.Conflict)
			_, err = c.CreateApplicationFor(ctx, tx.Application, must(c.ProvidersByName(ctx, "NetBird"))(t)[0].PK)
			wantKind(t, err, clients.Conflict)
			must(c.CreateServiceAccount(ctx, "Netbird"))(t)
			_, err = c.CreateServiceAccount(ctx, "Netbird")
			wantKind(t, err, clients.Conflict)
			_, err = c.CreateServiceAccount(ctx, "NETBIRD")
			wantKind(t, err, clients.Conflict)
			must(c.CreateGroup(ctx, "g", nil, nil))(t)
			_, err = c.CreateGroup(ctx, "g", nil, nil)
			wantKind(t, err, clients.Conflict)
			_, err = c.CreateToken(ctx, authentik.TokenSpec{Identifier: authentik.TokenIdentifier("Netbird"), Intent: authentik.IntentAPI})
			wantKind(t, err, clients.Conflict)
			_, err = c.CreateFlow(ctx, authentik.FlowSpec{Name: "x", Slug: "default-authentication-flow", Title: "x", Designation: "authorization", Authentication: "none"})
			wantKind(t, err, clients.Conflict)
			_, err = c.CreateFlow(ctx, authentik.FlowSpec{Name: "x", Slug: "y", Title: "x", Designation: "nonsense", Authentication: "none"})
			wantKind(t, err, clients.Refused)
		})
	}
}

func TestProvidersThatMustNotBeMade(t *testing.T) {
	c, _, faults := simulated(t, "")
	tx := transaction(t, c, "NetBird", "netbird", "cid")
	faults.Forget()
	noGrants, noURIs := tx, tx
	noGrants.Provider.GrantTypes, noURIs.Provider.RedirectURIs = nil, nil
	for _, bad := range []authentik.Transaction{noGrants, noURIs} {
		wantKind(t, c.CreateApplication(t.Context(), bad), clients.Refused)
		_, err := c.CreateProvider(t.Context(), bad.Provider)
		wantKind(t, err, clients.Refused)
	}
	if n := len(faults.Requests()); n != 0 {
		t.Errorf("%d requests for what must not be made", n)
	}
}

// TestALargeServer: 50,000 users and 5,000 applications change neither the number of requests nor, much, their size.
func TestALargeServer(t *testing.T) {
	ctx := t.Context()
	s := simauthentik.New(simauthentik.Options{Token: adminToken})
	s.AddMany(50_000, 5_000)
	s.AddUser(simauthentik.User{Username: "Netbird", Type: "service_account", Groups: []string{"everyone"}})
	server := httptest.NewServer(s)
	defer server.Close()
	var requests, received int64
	tr, err := clients.New(clients.Options{Trace: func(x clients.Exchange) { requests++; received += x.Received }})
	if err != nil {
		t.Fatal(err)
	}
	defer tr.CloseIdle()
	c, err := authentik.New(server.URL, adminToken, tr)
	if err != nil {
		t.Fatal(err)
	}
	tx := transaction(t, c, "NetBird", "netbird", "cid")
	if err := c.CreateApplication(ctx, tx); err != nil {
		t.Fatal(err)
	}
	for name, look := range map[string]func() error{
		"user by name":          func() error { _, err := c.UserByName(ctx, "Netbird"); return err },
		"provider by name":      func() error { _, err := c.ProvidersByName(ctx, "NetBird"); return err },
		"provider by client id": func() error { _, err := c.ProvidersByClientID(ctx, "cid"); return err },
		"application":           func() error { _, err := c.Application(ctx, "netbird"); return err },
		"group by name":         func() error { _, err := c.GroupsByName(ctx, "everyone"); return err },
		"groups to choose from": func() error { _, _, err := c.Groups(ctx, ""); return err },
		"the users, as NetBird": func() error { _, err := c.UsersPage(ctx, 1); return err },
		"flows":                 func() error { _, err := c.Flows(ctx); return err },
		"tokens of the caller":  func() error { _, err := c.Tokens(ctx, authentik.TokenFilter{Username: "akadmin"}); return err },
	} {
		requests, received = 0, 0
		if err := look(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if requests != 1 || received > 150_000 {
			t.Errorf("%s: %d requests, %d bytes", name, requests, received)
		}
	}
	_, err = c.UserByName(ctx, "nobody at all")
	wantKind(t, err, clients.Absent)
}

func TestLostAnswers(t *testing.T) {
	ctx := t.Context()
	c, _, faults := simulated(t, "")
	tx := transaction(t, c, "NetBird", "netbird", "cid")
	for kind, made := range map[fault.Kind]bool{"cut-before": false, "cut-after": true} {
		if err := faults.Order(fault.Fault{Method: http.MethodPut, Path: "/api/v3/core/transactional/**", Kind: kind}); err != nil {
			t.Fatal(err)
		}
		wantKind(t, c.CreateApplication(ctx, tx), clients.Unknown)
		if got := len(must(c.ProvidersByClientID(ctx, "cid"))(t)) == 1; got != made {
			t.Errorf("%s: made %v, want %v", kind, got, made)
		}
		if made {
			_ = c.DeleteApplication(ctx, "netbird")
			_ = c.DeleteProvider(ctx, must(c.ProvidersByClientID(ctx, "cid"))(t)[0].PK)
		}
	}
	if err := faults.Order(fault.Fault{Method: http.MethodPost, Kind: "cut-before"}); err != nil {
		t.Fatal(err)
	}
	wantKind(t, c.AddGroupUser(ctx, "0b0b0b0b-0000-4000-8000-000000000000", 3), clients.Unknown) // a generated call, too
}
