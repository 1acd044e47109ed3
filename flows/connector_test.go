package flows_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"authbird/clients"
	"authbird/clients/authentik"
	"authbird/clients/netbird"
	"authbird/doctor"
	"authbird/flows"
	"authbird/sim/fault"
	simnetbird "authbird/sim/netbird"
	"authbird/state"
)

func (l *lab) authentikClient() *authentik.Client {
	l.t.Helper()
	tr, err := clients.New(clients.Options{})
	if err != nil {
		l.t.Fatal(err)
	}
	c, err := authentik.New(l.answers.AuthentikURL, adminToken, tr)
	if err != nil {
		l.t.Fatal(err)
	}
	return c
}

func (l *lab) netbirdClient() *netbird.Client {
	l.t.Helper()
	tr, err := clients.New(clients.Options{})
	if err != nil {
		l.t.Fatal(err)
	}
	c, err := netbird.New(l.answers.NetBirdURL, ownerToken, tr)
	if err != nil {
		l.t.Fatal(err)
	}
	return c
}

func TestConnectorOnEveryVersion(t *testing.T) {
	for _, version := range []string{"2024.12.3", "2025.6.4", "2025.12.0-rc1", "2026.2.0-rc1", "2026.5.0", "2026.8.1"} {
		t.Run(version, func(t *testing.T) {
			l := newLab(t, labOptions{version: version, schemas: true})
			l.mustRun()
			l.standsOnce()
			l.mustRun()
			l.standsOnce()
		})
	}
}

// standsOnce checks that provider, application and connector stand, once each,
// and as they must be.
func (l *lab) standsOnce() {
	l.t.Helper()
	ctx := l.t.Context()
	providers, err := l.authentikClient().ProvidersByName(ctx, "NetBird")
	if err != nil || len(providers) != 1 {
		l.t.Fatalf("%d providers, %v; want one", len(providers), err)
	}
	p := providers[0]
	want := []authentik.RedirectURI{
		{MatchingMode: "strict", URL: l.answers.NetBirdURL + "/oauth2/callback"},
		{MatchingMode: "strict", URL: l.answers.NetBirdURL + "/oauth2/logout/callback"},
	}
	if !slices.Equal(p.RedirectURIs, want) || p.ClientType != "confidential" || p.SigningKey == "" || len(p.PropertyMappings) != 3 || p.AssignedApplicationSlug != "netbird" {
		l.t.Errorf("provider %+v", p)
	}
	connectors, err := l.netbirdClient().IdentityProviders(ctx)
	if err != nil || len(connectors) != 1 {
		l.t.Fatalf("%d connectors, %v; want one", len(connectors), err)
	}
	c := connectors[0]
	if c.Issuer != l.answers.AuthentikURL+"/application/o/netbird/" || c.ClientID != p.ClientID || c.Type != "authentik" {
		l.t.Errorf("connector %+v", c)
	}
}

// The latency makes it clear which requests go out together.
const latency = 150 * time.Millisecond

func (l *lab) slow() {
	for _, f := range l.faults {
		f.SetLatency(latency)
	}
}

// costs runs and compares what it took with a limit.
func (l *lab) costs(requests, chain int) {
	l.t.Helper()
	l.slow()
	since := l.requests()
	l.mustRun()
	n, c := l.requests()-since, l.chain(since)
	l.t.Logf("%d requests, %d in sequence", n, c)
	if n > requests || c > chain {
		l.t.Errorf("%d requests, %d in sequence; want at most %d and %d", n, c, requests, chain)
	}
}

func TestWhatAConnectorSetupCosts(t *testing.T) {
	t.Parallel()
	l := newLab(t, labOptions{})
	l.costs(28, 5)
	l.costs(22, 2)
}

func TestTheLoginStartIsTheLastRequest(t *testing.T) {
	l := newLab(t, labOptions{})
	l.mustRun()
	requests := l.faults["netbird"].Requests()
	for i, r := range requests {
		if strings.HasPrefix(r.Path, "/oauth2/auth/") && i < len(requests)-2 {
			t.Errorf("%s is request %d of %d", r.Path, i+1, len(requests))
		}
	}
}

func TestPlanChangesNothing(t *testing.T) {
	l := newLab(t, labOptions{})
	before := l.authentik.Snapshot()
	s, err := l.bench.Open(t.Context(), setupName, l.answers, l.tokens)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	p, err := s.Plan(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !p.Changes() {
		t.Error("a fresh setup has nothing to do")
	}
	embedded := l.answers.NetBirdURL + "/oauth2"
	want := map[string]string{
		"redirect URIs":      embedded + "/callback, " + embedded + "/logout/callback",
		"signing key":        "authentik Self-signed Certificate",
		"authorization flow": "default-provider-authorization-explicit-consent",
		"scope mappings":     "email openid profile",
	}
	for _, step := range p.Steps {
		for _, f := range step.Finding.Fields {
			if f.Have != "" || f.Want != want[f.Name] {
				t.Errorf("the plan has %+v, want %q", f, want[f.Name])
			}
			delete(want, f.Name)
		}
	}
	if len(want) > 0 {
		t.Errorf("the plan hides %v", want)
	}
	if !sameWorld(before, l.authentik.Snapshot()) {
		t.Error("planning changed something at Authentik")
	}
	if connectors, err := l.netbirdClient().IdentityProviders(t.Context()); err != nil || len(connectors) != 0 {
		t.Errorf("planning left %v (%v) at NetBird", connectors, err)
	}
	if setups, err := l.bench.State.List(); err != nil || len(setups) != 0 {
		t.Errorf("planning left the setups %v (%v)", setups, err)
	}
}

func TestAForeignProviderIsTakenOverOnlyOnAYes(t *testing.T) {
	l := newLab(t, labOptions{})
	l.mustRun()
	// The same servers, and another machine: no journal.
	other := newLab(t, labOptions{})
	other.answers, other.tokens = l.answers, l.tokens
	before := l.authentik.Snapshot()
	err := other.run(t.Context(), nil)
	if s := flows.StopOf(err); s.Reason != flows.NeedsDecision {
		t.Fatalf("got %v, want a question", err)
	}
	if !sameWorld(before, l.authentik.Snapshot()) {
		t.Error("the answer no left a trace")
	}
	other.adopt = true
	other.mustRun()
	l.standsOnce()
}

func TestWhatAPersonChangedIsPutBackWhenTheySaySo(t *testing.T) {
	l := newLab(t, labOptions{})
	l.mustRun()
	c := l.authentikClient()
	p, err := c.ProvidersByName(t.Context(), "NetBird")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.UpdateProvider(t.Context(), p[0].PK, map[string]any{"signing_key": nil, "redirect_uris": []any{}}); err != nil {
		t.Fatal(err)
	}
	l.mustRun()
	l.standsOnce()
}

func TestTakingBackLeavesTheServersAsTheyWere(t *testing.T) {
	l := newLab(t, labOptions{})
	before := l.authentik.Snapshot()
	l.mustRun()
	s, err := l.bench.Open(t.Context(), setupName, l.answers, l.tokens)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.Remove(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	if !sameWorld(before, l.authentik.Snapshot()) {
		t.Error("something was left at Authentik")
	}
	if connectors, err := l.netbirdClient().IdentityProviders(t.Context()); err != nil || len(connectors) != 0 {
		t.Errorf("left at NetBird: %v, %v", connectors, err)
	}
}

func TestPreflightStopsBeforeAnyWrite(t *testing.T) {
	for name, c := range map[string]struct {
		options labOptions
		spoil   func(*lab)
		reason  flows.Reason
		says    string
	}{
		"the embedded IdP is off":      {labOptions{netbird: simnetbird.Options{EmbeddedIdPOff: true}}, nil, flows.NeedsPerson, "embedded IdP"},
		"the account has no domain":    {labOptions{netbird: simnetbird.Options{DomainlessAccount: true}}, nil, flows.NeedsPerson, "domain"},
		"the Authentik token is wrong": {labOptions{}, func(l *lab) { l.tokens.Authentik = "wrong" }, flows.NotAuthorised, "token"},
		"the NetBird token is wrong":   {labOptions{}, func(l *lab) { l.tokens.NetBird = "nbp_wrong" }, flows.NotAuthorised, "NetBird"},
		"the flow doesn't exist":       {labOptions{}, func(l *lab) { l.answers.AuthorizationFlow = "nope" }, flows.NeedsPerson, "nope"},
		"Authentik is too old":         {labOptions{version: "2024.10.1"}, nil, flows.NeedsPerson, "too old"},
		"Authentik is down": {labOptions{}, func(l *lab) {
			_ = l.faults["authentik"].Order(fault.Fault{Kind: fault.CutBefore, Times: -1})
		}, flows.CannotReach, "Authentik"},
		"NetBird is a proxy's page": {labOptions{}, func(l *lab) {
			_ = l.faults["netbird"].Order(fault.Fault{Kind: fault.HTML, Times: -1})
		}, flows.CannotReach, "NetBird"},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t, c.options)
			if c.spoil != nil {
				c.spoil(l)
			}
			err := l.run(t.Context(), nil)
			var s *flows.Stopped
			if !errors.As(err, &s) || s.Reason != c.reason || !strings.Contains(err.Error(), c.says) {
				t.Fatalf("got %v, want reason %d and %q", err, c.reason, c.says)
			}
			if s.PartWay() {
				t.Errorf("something stands: %v", s.Stands)
			}
		})
	}
}

func TestARetryInTheSameSessionProvesAnew(t *testing.T) {
	l := newLab(t, labOptions{})
	s, err := l.bench.Open(t.Context(), setupName, l.answers, l.tokens)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := l.faults["netbird"].Order(fault.Fault{Method: "POST", Path: "/api/identity-providers", Skip: 1, Kind: fault.Status, Status: 403}); err != nil {
		t.Fatal(err)
	}
	for try := range 2 {
		p, err := s.Plan(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		results, err := s.Carry(t.Context(), p)
		if try == 0 {
			if err == nil {
				t.Fatal("the ordered fault did nothing")
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range results {
			if r.Verdict != doctor.OK {
				t.Errorf("%s: %s %s", r.ID, r.Verdict, r.Cause)
			}
		}
	}
}

func TestAnotherGroupTakesTheFormerOnesPlace(t *testing.T) {
	l := newLab(t, labOptions{})
	c := l.authentikClient()
	for _, name := range []string{"staff", "guests"} {
		if _, err := c.CreateGroup(t.Context(), name, nil, nil); err != nil {
			t.Fatal(err)
		}
	}
	for _, groups := range [][]string{{"staff"}, {"guests"}, nil} {
		l.answers.AllowGroups = groups
		l.mustRun()
		app, err := c.Application(t.Context(), "netbird")
		if err != nil {
			t.Fatal(err)
		}
		bindings, err := c.Bindings(t.Context(), app.PK)
		if err != nil || len(bindings) != len(groups) {
			t.Errorf("with %v there are %d bindings (%v)", groups, len(bindings), err)
		}
	}
}

func TestAChangedConnectorAsksForARestart(t *testing.T) {
	l := newLab(t, labOptions{})
	l.mustRun()
	c := l.authentikClient()
	providers, err := c.ProvidersByName(t.Context(), "NetBird")
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(c.DeleteApplication(t.Context(), "netbird"), c.DeleteProvider(t.Context(), providers[0].PK)); err != nil {
		t.Fatal(err)
	}
	other := newLab(t, labOptions{}) // another machine: it makes a new client id
	other.answers, other.tokens, other.adopt = l.answers, l.tokens, true
	other.bench.Rand = seeded("elsewhere")
	err = other.run(t.Context(), nil)
	if s := flows.StopOf(err); s.Reason != flows.NeedsPerson || !strings.Contains(err.Error(), "restart") {
		t.Fatalf("got %v, want a restart asked for", err)
	}
	if err := l.netbird.Restart(); err != nil {
		t.Fatal(err)
	}
	other.mustRun()
}

func TestWhatASetupIsFoundByCannotBeChanged(t *testing.T) {
	for name, change := range map[string]func(*state.Answers){
		"the slug":         func(a *state.Answers) { a.Slug = "other" },
		"the name":         func(a *state.Answers) { a.Name = "Other" },
		"the type":         func(a *state.Answers) { a.ConnectorType = "oidc" },
		"Authentik":        func(a *state.Answers) { a.AuthentikURL = "https://other.example.com" },
		"an empty name":    func(a *state.Answers) { a.Name = "" },
		"an unusable slug": func(a *state.Answers) { a.Slug = "../../x" },
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t, labOptions{})
			l.mustRun()
			before := l.authentik.Snapshot()
			change(&l.answers)
			if s := flows.StopOf(l.run(t.Context(), nil)); s == nil || s.Reason != flows.NeedsPerson {
				t.Errorf("got %v, want a stop", s)
			}
			if !sameWorld(before, l.authentik.Snapshot()) {
				t.Error("something was changed")
			}
		})
	}
}
