package doctor

import (
	"strings"
	"testing"
	"time"

	"authbird/clients"
	"authbird/clients/authentik"
	"authbird/clients/netbird"
	"authbird/facts"
)

// healthy is what a preflight reads where all is well.
func healthy() *facts.Facts {
	yes := true
	f := &facts.Facts{At: time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)}
	f.Authentik.Hello = facts.Of(authentik.Hello{IsAuthentik: true}, nil)
	f.Authentik.Me = facts.Of(authentik.Me{PK: 1, Username: "akadmin", Superuser: true}, nil)
	f.Authentik.Version = facts.Of("2025.12.0-rc1", nil)
	f.Authentik.Flows = facts.Of([]authentik.Flow{{PK: "a", Slug: "authn"}, {PK: "b", Slug: "authz"}, {PK: "c", Slug: authentik.InvalidationFlowSlug}}, nil)
	f.Authentik.Mappings = facts.Of([]authentik.ScopeMapping{{PK: "m", Managed: authentik.ScopeOpenID}}, nil)
	f.Authentik.Keys = facts.Of([]authentik.KeyPair{{PK: "e", Name: "curve", KeyType: "ec"}, {PK: "k", Name: "authentik Self-signed Certificate", KeyType: "rsa"}}, nil)
	f.Authentik.Tokens = facts.Of([]authentik.Token{{User: 1}}, nil)
	f.NetBird.Instance = facts.Of(netbird.Instance{}, nil)
	f.NetBird.Version = facts.Of("0.77.1", nil)
	f.NetBird.Me = facts.Of(netbird.User{ID: "o", Role: "owner"}, nil)
	f.NetBird.Accounts = facts.Of([]netbird.Account{{Domain: "example.com", DomainCategory: "private", Settings: netbird.Settings{EmbeddedIdP: &yes}}}, nil)
	f.NetBird.Embedded = facts.Of(netbird.EmbeddedIdP{Issuer: "https://netbird.example.com/oauth2"}, nil)
	f.NetBird.Reach = facts.Of(netbird.Reach{Reached: true, LooksAuthentik: true}, nil)
	return f
}

func wants() Wants {
	return Wants{AuthorizationFlow: "authz", AuthenticationFlow: "authn", Mappings: []string{authentik.ScopeOpenID},
		AuthentikURL: "https://auth.example.com", NetBirdURL: "https://netbird.example.com"}
}

func fault[T any](kind clients.Kind) facts.Fact[T] {
	var none T
	return facts.Of(none, error(&clients.Error{Kind: kind, Op: "ask"}))
}

func TestPreflight(t *testing.T) {
	for name, c := range map[string]struct {
		spoil   func(*facts.Facts, *Wants)
		check   string // the one check that isn't ok; "" for none
		verdict Verdict
		blame   Blame
	}{
		"all is well": {func(*facts.Facts, *Wants) {}, "", OK, 0},
		"Authentik is down": {func(f *facts.Facts, _ *Wants) {
			f.Authentik = facts.Authentik{Hello: fault[authentik.Hello](clients.Unreachable), Me: fault[authentik.Me](clients.Unreachable),
				Version: fault[string](clients.Unreachable), Flows: fault[[]authentik.Flow](clients.Unreachable)}
		}, "authentik-answers", Fail, Unreachable},
		"the Authentik token is no good": {func(f *facts.Facts, _ *Wants) {
			f.Authentik.Me = fault[authentik.Me](clients.Unauthorised)
		}, "authentik-token", Fail, NotAllowed},
		"the Authentik token may not read providers": {func(f *facts.Facts, _ *Wants) {
			f.Authentik.Me.Value.Superuser = false
			f.Authentik.Providers = fault[[]authentik.Provider](clients.Forbidden)
		}, "authentik-rights", Fail, NotAllowed},
		"Authentik is too old":          {func(f *facts.Facts, _ *Wants) { f.Authentik.Version.Value = "2024.10.5" }, "authentik-version", Fail, Standing},
		"Authentik is newer than known": {func(f *facts.Facts, _ *Wants) { f.Authentik.Version.Value = "2027.2.0" }, "authentik-version", Warn, Standing},
		"the token ends in two minutes": {func(f *facts.Facts, _ *Wants) {
			f.Authentik.Tokens.Value = []authentik.Token{{User: 1, Expiring: true, Expires: f.At.Add(2 * time.Minute)}}
		}, "authentik-token-end", Warn, Standing},
		"the authorization flow is gone":        {func(_ *facts.Facts, w *Wants) { w.AuthorizationFlow = "nope" }, "authentik-flows", Fail, Standing},
		"a scope mapping is gone":               {func(f *facts.Facts, _ *Wants) { f.Authentik.Mappings.Value = nil }, "authentik-mappings", Fail, Standing},
		"there are only EC keys":                {func(f *facts.Facts, _ *Wants) { f.Authentik.Keys.Value = f.Authentik.Keys.Value[:1] }, "authentik-key", Fail, Standing},
		"the chosen key is an EC key":           {func(_ *facts.Facts, w *Wants) { w.SigningKey = "curve" }, "authentik-key", Fail, Standing},
		"the chosen group is missing":           {func(_ *facts.Facts, w *Wants) { w.Groups = []string{"staff"} }, "authentik-groups", Fail, Standing},
		"Authentik is http on another host":     {func(_ *facts.Facts, w *Wants) { w.AuthentikURL = "http://auth.example.com" }, "authentik-answers", Fail, Standing},
		"NetBird has no owner yet":              {func(f *facts.Facts, _ *Wants) { f.NetBird.Instance.Value.SetupRequired = true }, "netbird-token", Fail, Standing},
		"the NetBird token is a mere user's":    {func(f *facts.Facts, _ *Wants) { f.NetBird.Me.Value.Role = "user" }, "netbird-rights", Fail, NotAllowed},
		"NetBird is too old":                    {func(f *facts.Facts, _ *Wants) { f.NetBird.Version.Value = "0.61.9" }, "netbird-version", Fail, Standing},
		"NetBird is too old to say its version": {func(f *facts.Facts, _ *Wants) { f.NetBird.Version = fault[string](clients.Unsupported) }, "", OK, 0},
		"the embedded IdP is off, by its settings": {func(f *facts.Facts, _ *Wants) {
			f.NetBird.Accounts.Value[0].Settings.EmbeddedIdP = new(bool)
		}, "netbird-embedded", Fail, Standing},
		"the embedded IdP is off, by its silence": {func(f *facts.Facts, _ *Wants) {
			f.NetBird.Accounts.Value[0].Settings.EmbeddedIdP = nil
			f.NetBird.Embedded = fault[netbird.EmbeddedIdP](clients.Absent)
		}, "netbird-embedded", Fail, Standing},
		"the embedded IdP is on, and not at its place": {func(f *facts.Facts, _ *Wants) { f.NetBird.Embedded = fault[netbird.EmbeddedIdP](clients.Absent) }, "netbird-embedded", Fail, Standing},
		"a page stands before Authentik's users":       {func(f *facts.Facts, _ *Wants) { f.Authentik.Me = fault[authentik.Me](clients.WrongServer) }, "authentik-token", Fail, Unreachable},
		"the account has no domain":                    {func(f *facts.Facts, _ *Wants) { f.NetBird.Accounts.Value[0].Domain = "" }, "netbird-domain", Fail, Standing},
		"new users must be approved":                   {func(f *facts.Facts, _ *Wants) { f.NetBird.Accounts.Value[0].Settings.UserApprovalRequired = true }, "netbird-approval", Warn, Standing},
		"NetBird's issuer is another address": {func(f *facts.Facts, _ *Wants) {
			f.NetBird.Embedded.Value.Issuer = "https://vpn.example.com/oauth2"
		}, "netbird-embedded", Fail, Standing},
		"NetBird shows no account":       {func(f *facts.Facts, _ *Wants) { f.NetBird.Accounts.Value = nil }, "netbird-domain", Fail, Standing},
		"something else answers NetBird": {func(f *facts.Facts, _ *Wants) { f.NetBird.Reach.Value.LooksAuthentik = false }, "reach", Warn, Standing},
		"NetBird cannot reach Authentik": {func(f *facts.Facts, _ *Wants) {
			f.NetBird.Reach.Value = netbird.Reach{Said: "connect: connection refused"}
		}, "reach", Fail, Standing},
	} {
		t.Run(name, func(t *testing.T) {
			f, w := healthy(), wants()
			c.spoil(f, &w)
			for _, r := range Judge(Preflight(w), f) {
				switch {
				case r.ID == c.check:
					if r.Verdict != c.verdict || r.Blame != c.blame || r.Cause == "" {
						t.Errorf("%s: %s, blame %d, cause %q; want %s, blame %d and a cause", r.ID, r.Verdict, r.Blame, r.Cause, c.verdict, c.blame)
					}
				case r.Verdict == Fail || r.Verdict == Warn:
					t.Errorf("%s: %s (%s), want no other finding", r.ID, r.Verdict, r.Cause)
				}
			}
		})
	}
}

// TestAdviceFitsTheCause: nobody is sent to make a token where a page stands in
// front of the server, or to the standalone mode where a proxy hides /oauth2.
func TestAdviceFitsTheCause(t *testing.T) {
	page := func(f *facts.Facts) { f.Authentik.Me = fault[authentik.Me](clients.WrongServer) }
	stopped := func(f *facts.Facts) { f.NetBird.Me = fault[netbird.User](clients.Unreachable) }
	for _, c := range []struct {
		check, has, hasNot string
		spoil              func(*facts.Facts)
	}{
		{"authentik-token", "--authentik-url", "API token", page},
		{"authentik-token", "API token", "--authentik-url", func(f *facts.Facts) { f.Authentik.Me = fault[authentik.Me](clients.Unauthorised) }},
		{"netbird-token", "--netbird-url", "personal access token", stopped},
		{"netbird-token", "personal access token", "--netbird-url", func(f *facts.Facts) { f.NetBird.Me = fault[netbird.User](clients.Unauthorised) }},
		{"netbird-embedded", "/oauth2", "standalone", func(f *facts.Facts) { f.NetBird.Embedded = fault[netbird.EmbeddedIdP](clients.Absent) }},
		{"netbird-embedded", "standalone", "/oauth2", func(f *facts.Facts) { f.NetBird.Accounts.Value[0].Settings.EmbeddedIdP = new(bool) }},
	} {
		f := healthy()
		c.spoil(f)
		for _, r := range Judge(Preflight(wants()), f) {
			if r.ID == c.check && (!strings.Contains(r.Advice, c.has) || strings.Contains(r.Advice, c.hasNot)) {
				t.Errorf("%s: advice %q, want %q in it and %q not", r.ID, r.Advice, c.has, c.hasNot)
			}
		}
	}
}

func TestOlderThan(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"2024.10.5", "2024.12", true}, {"2024.12.3", "2024.12", false}, {"2026.8", "2026.8.3", false},
		{"2025.12.0-rc1", "2026.2", true}, {"0.9.1", "0.62", true}, {"0.77.1", "0.62", false}, {"development", "0.62", false},
	} {
		if got := olderThan(c.a, c.b); got != c.want {
			t.Errorf("olderThan(%q, %q) = %t", c.a, c.b, got)
		}
	}
}
