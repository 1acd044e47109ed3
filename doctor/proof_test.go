package doctor

import (
	"strings"
	"testing"

	"authbird/clients"
	"authbird/clients/authentik"
	"authbird/clients/netbird"
	"authbird/clients/oidc"
	"authbird/facts"
)

const issuer = "https://auth.example.com/application/o/netbird/"

func proven() Proven {
	return Proven{ConnectorID: "authentik-1", ClientID: "cid", Issuer: issuer, RedirectURI: "https://netbird.example.com/oauth2/callback",
		Registered: []string{"https://netbird.example.com/oauth2/callback"}, RedirectFix: "redirect-uri", Account: "Netbird"}
}

// working is what a proof reads where all works, in both modes.
func working() *facts.Facts {
	f := healthy()
	f.Authentik.Discovery = facts.Of(oidc.Discovery{Base: "https://auth.example.com", Issuer: issuer,
		Scopes: []string{"openid", "email", "profile", "offline_access", "goauthentik.io/api"}}, nil)
	f.Proof.Keys = facts.Of([]oidc.Key{{Type: "RSA"}}, nil)
	f.Proof.Allowed = facts.Of(oidc.Authorization{Verdict: oidc.Allowed}, nil)
	f.Proof.Refused = facts.Of(oidc.Authorization{Verdict: oidc.RedirectRefused}, nil)
	f.Proof.Redirects = []facts.Redirect{
		{URI: "https://netbird.example.com/auth", Fact: facts.Of(oidc.Authorization{Verdict: oidc.Allowed}, nil)},
		{URI: "http://localhost:53000", Fact: facts.Of(oidc.Authorization{Verdict: oidc.Allowed}, nil)},
	}
	f.Proof.Twin = facts.Redirect{URI: "https://netbirdxexample.com/auth", Fact: facts.Of(oidc.Authorization{Verdict: oidc.RedirectRefused}, nil)}
	f.Proof.Secret = facts.Of(oidc.SecretProbe{Verdict: oidc.SecretAccepted}, nil)
	f.Proof.Start = facts.Of(netbird.LoginStart{Origin: "https://auth.example.com", ClientID: "cid", RedirectURI: "https://netbird.example.com/oauth2/callback"}, nil)
	f.Proof.Token = facts.Of(oidc.ServiceToken{Token: "t", Scope: "goauthentik.io/api", HasScope: true}, nil)
	f.Proof.Users = facts.Of([]authentik.User{{PK: 1}}, nil)
	f.Proof.Device = facts.Of(oidc.Device{}, nil)
	f.NetBird.Providers = facts.Of([]netbird.IdentityProvider{{ID: "authentik-1", Issuer: issuer}}, nil)
	f.Ask.ClientID = "cid"
	f.Authentik.Providers = facts.Of([]authentik.Provider{{PK: 1, ClientID: "cid", ClientType: "public", SubMode: "user_id", AccessCodeValidity: "minutes=10",
		IncludeClaimsInIDToken: true, GrantTypes: []string{authentik.GrantAuthorizationCode, authentik.GrantRefreshToken, authentik.GrantClientCredentials, authentik.GrantPassword, authentik.GrantDeviceCode}}}, nil)
	f.Authentik.Account = facts.Of(authentik.User{PK: 5, Username: "Netbird", Active: true, Type: "service_account", Groups: []string{"g"}}, nil)
	f.Authentik.Application = facts.Of(authentik.Application{Provider: 1}, nil)
	f.Authentik.Brand = facts.Of(authentik.CurrentBrand{MatchedDomain: "authentik-default", FlowDeviceCode: "default-device-code-flow"}, nil)
	f.Authentik.Brands = facts.Of([]authentik.Brand{{UUID: "b", Domain: "authentik-default"}}, nil)
	f.Authentik.Flows.Value = append(f.Authentik.Flows.Value, authentik.Flow{Slug: "default-device-code-flow", Designation: "stage_configuration", Authentication: "require_authenticated"})
	return f
}

type proofRow struct {
	spoil  func(*facts.Facts)
	check  string
	repair string
}

func judgeRows(t *testing.T, checks []Check, rows map[string]proofRow) {
	t.Helper()
	for name, c := range rows {
		t.Run(name, func(t *testing.T) {
			f := working()
			c.spoil(f)
			failed := 0
			for _, r := range Judge(checks, f) {
				if r.Verdict != Fail {
					continue
				}
				failed++
				if r.ID != c.check || r.Repair != c.repair || r.Cause == "" {
					t.Errorf("%s fails with repair %q (%s); want %s with repair %q", r.ID, r.Repair, r.Cause, c.check, c.repair)
				}
			}
			if want := map[bool]int{true: 0, false: 1}[c.check == ""]; failed != want {
				t.Errorf("%d checks fail, want %d", failed, want)
			}
		})
	}
}

func TestProof(t *testing.T) {
	judgeRows(t, Proof(proven()), map[string]proofRow{
		"all works": {func(*facts.Facts) {}, "", ""},
		"the application is gone": {func(f *facts.Facts) {
			f.Authentik.Discovery = fault[oidc.Discovery](clients.Absent)
		}, "proof-discovery", "application"},
		"the discovery names another host": {func(f *facts.Facts) { f.Authentik.Discovery.Value.Foreign = []string{"issuer"} }, "proof-discovery", ""},
		"there is no signing key":          {func(f *facts.Facts) { f.Proof.Keys.Value = nil }, "proof-keys", "provider"},
		"the signing key is an EC key":     {func(f *facts.Facts) { f.Proof.Keys.Value = []oidc.Key{{Type: "EC"}} }, "proof-keys", "provider"},
		"the redirect URI is refused":      {func(f *facts.Facts) { f.Proof.Allowed.Value.Verdict = oidc.RedirectRefused }, "proof-redirect", "redirect-uri"},
		"the client id is unknown":         {func(f *facts.Facts) { f.Proof.Allowed.Value.Verdict = oidc.ClientUnknown }, "proof-redirect", "provider"},
		"the provider is not linked":       {func(f *facts.Facts) { f.Proof.Allowed.Value.Verdict = oidc.NotLinked }, "proof-redirect", "application"},
		"a look-alike is accepted":         {func(f *facts.Facts) { f.Proof.Refused.Value.Verdict = oidc.Allowed }, "proof-look-alike", "redirect-uri"},
		"the client secret is wrong":       {func(f *facts.Facts) { f.Proof.Secret.Value.Verdict = oidc.SecretWrong }, "proof-secret", "provider"},
		"the connector is gone":            {func(f *facts.Facts) { f.NetBird.Providers.Value = nil }, "proof-connector", "connector"},
		"the connector's issuer lost a slash": {func(f *facts.Facts) {
			f.NetBird.Providers.Value[0].Issuer = "https://auth.example.com/application/o/netbird"
		}, "proof-connector", "connector"},
		"NetBird sends people elsewhere":       {func(f *facts.Facts) { f.Proof.Start.Value.RedirectURI = "https://other/callback" }, "proof-login", "redirect-uri"},
		"logins still go to the old client id": {func(f *facts.Facts) { f.Proof.Start.Value.ClientID = "old" }, "proof-login", ""},
		"logins still go to another Authentik": {func(f *facts.Facts) { f.Proof.Start.Value.Origin = "https://old.example.com" }, "proof-login", ""},
	})
}

func TestStandaloneProof(t *testing.T) {
	noToken := func(f *facts.Facts) {
		f.Proof.Token = facts.Of(oidc.ServiceToken{}, error(&clients.Error{Kind: clients.Refused, Op: "get a token"}))
		f.Proof.Users = facts.Fact[[]authentik.User]{}
	}
	judgeRows(t, StandaloneProof(proven()), map[string]proofRow{
		"all works": {func(*facts.Facts) {}, "", ""},
		"the issuer is http behind https": {func(f *facts.Facts) {
			f.Authentik.Discovery.Value.Issuer = "http://auth.example.com/application/o/netbird/"
		}, "proof-discovery", ""},
		"the clients' redirect URI is refused": {func(f *facts.Facts) { f.Proof.Redirects[1].Value.Verdict = oidc.RedirectRefused }, "proof-redirect", "redirect-uri"},
		"the app password is wrong":            {noToken, "proof-service-account", "app-password"},
		"the app password has expired": {func(f *facts.Facts) {
			noToken(f)
			f.Authentik.Passwords = facts.Of([]authentik.Token{{Expiring: true, Expires: f.At.Add(-1)}}, nil)
		}, "proof-service-account", "app-password"},
		"the account is gone": {func(f *facts.Facts) {
			noToken(f)
			f.Authentik.Account = fault[authentik.User](clients.Absent)
		}, "proof-service-account", "service-account"},
		"the account is switched off": {func(f *facts.Facts) { noToken(f); f.Authentik.Account.Value.Active = false }, "proof-service-account", "service-account"},
		"the account is outside the bound group": {func(f *facts.Facts) {
			noToken(f)
			f.Authentik.Bindings = facts.Of([]authentik.Binding{{Group: "other", Enabled: true}}, nil)
		}, "proof-service-account", "access"},
		"the application has no provider": {func(f *facts.Facts) { noToken(f); f.Authentik.Application.Value.Provider = 0 }, "proof-service-account", "application"},
		"the API scope is missing":        {func(f *facts.Facts) { f.Proof.Token.Value.Scope = "" }, "proof-service-account", "provider"},
		"the API scope is missing on an old server": {func(f *facts.Facts) {
			f.Proof.Token.Value.Scope, f.Proof.Token.Value.HasScope = "", false
			f.Proof.Users = fault[[]authentik.User](clients.Unauthorised)
		}, "proof-users", "provider"},
		"the account may not read users":    {func(f *facts.Facts) { f.Proof.Users = fault[[]authentik.User](clients.Forbidden) }, "proof-users", "rights"},
		"the brand has no device code flow": {func(f *facts.Facts) { f.Authentik.Brand.Value.FlowDeviceCode = "" }, "proof-device", "brand"},
		"the brand's device code flow is one for something else": {func(f *facts.Facts) {
			last := len(f.Authentik.Flows.Value) - 1
			f.Authentik.Flows.Value[last].Stages = []string{"totp"}
		}, "proof-device", "brand"},
		"the device code flow is on another brand": {func(f *facts.Facts) {
			f.Authentik.Brand.Value = authentik.CurrentBrand{MatchedDomain: "example.com"}
			f.Authentik.Brands.Value[0].FlowDeviceCode = "f"
		}, "proof-device", "brand"},
		"a web page answers as the discovery document": {func(f *facts.Facts) {
			f.Authentik.Discovery = fault[oidc.Discovery](clients.WrongServer)
			f.Proof = facts.Proof{}
		}, "proof-discovery", ""},
		"tokens are encrypted":               {func(f *facts.Facts) { f.Authentik.Providers.Value[0].EncryptionKey = "k" }, "proof-provider", "provider"},
		"the subject is a hash":              {func(f *facts.Facts) { f.Authentik.Providers.Value[0].SubMode = "hashed_user_id" }, "proof-provider", "provider"},
		"codes live for a minute":            {func(f *facts.Facts) { f.Authentik.Providers.Value[0].AccessCodeValidity = "minutes=1" }, "proof-provider", "provider"},
		"the provider expects a secret":      {func(f *facts.Facts) { f.Authentik.Providers.Value[0].ClientType = "confidential" }, "proof-provider", "provider"},
		"the provider allows no grant types": {func(f *facts.Facts) { f.Authentik.Providers.Value[0].GrantTypes = []string{} }, "proof-provider", "provider"},
		"offline_access is missing":          {func(f *facts.Facts) { f.Authentik.Discovery.Value.Scopes = []string{"openid", "email", "profile"} }, "proof-provider", "provider"},
	})
}

// What Authentik calls invalid_grant has seven causes, and each is named.
func TestWhyTheServiceAccountGetsNoToken(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(*facts.Facts)
		says  string
	}{
		"nothing else is wrong":    {func(*facts.Facts) {}, "refuses the app password of the service account"},
		"the release is suspect":   {func(f *facts.Facts) { f.Authentik.Version.Value = "2026.5.1" }, "Authentik 2026.5.1 itself"},
		"no grant type is allowed": {func(f *facts.Facts) { f.Authentik.Providers.Value[0].GrantTypes = []string{} }, "doesn't allow the grant types"},
		"the account isn't there":  {func(f *facts.Facts) { f.Authentik.Account = fault[authentik.User](clients.Absent) }, `no user "Netbird"`},
		"the account is outside it": {func(f *facts.Facts) {
			f.Authentik.Bindings = facts.Of([]authentik.Binding{{Group: "other", Enabled: true}}, nil)
		}, "isn't in it"},
	} {
		t.Run(name, func(t *testing.T) {
			f := working()
			f.Proof.Token = facts.Of(oidc.ServiceToken{}, error(&clients.Error{Kind: clients.Refused, Op: "get a token"}))
			c.spoil(f)
			if o := proofToken(f, proven()); o.Verdict != Fail || !strings.Contains(o.Cause, c.says) {
				t.Errorf("%s: %q, want it to say %q", o.Verdict, o.Cause, c.says)
			}
		})
	}
}

// What keeps a setup from being proven as a whole, and is no failure of it.
func TestStandaloneProofWarns(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(*facts.Facts)
		check string
	}{
		"Authentik begins no more sign-ins with a code": {func(f *facts.Facts) { f.Proof.Device = fault[oidc.Device](clients.NotNow) }, "proof-device"},
		"a bare dot in the pattern":                     {func(f *facts.Facts) { f.Proof.Twin.Value.Verdict = oidc.Allowed }, "proof-look-alike"},
	} {
		t.Run(name, func(t *testing.T) {
			f := working()
			c.spoil(f)
			for _, r := range Judge(StandaloneProof(proven()), f) {
				if want := map[bool]Verdict{true: Warn, false: OK}[r.ID == c.check]; r.Verdict != want {
					t.Errorf("%s: %s (%s), want %s", r.ID, r.Verdict, r.Cause, want)
				}
			}
		})
	}
}

func TestTwin(t *testing.T) {
	for uri, want := range map[string]string{
		"https://netbird.example.com/auth": "https://netbirdxexample.com/auth",
		"https://localhost/auth":           "",
	} {
		if got := Twin(uri); got != want {
			t.Errorf("Twin(%s) is %q, want %q", uri, got, want)
		}
	}
}

func TestLastWayIn(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(*facts.Facts)
		want  Verdict
	}{
		"local login is on": {func(*facts.Facts) {}, OK},
		"local login is off, another connector": {func(f *facts.Facts) {
			f.NetBird.Accounts.Value[0].Settings.LocalAuthDisabled = true
			f.NetBird.Providers.Value = append(f.NetBird.Providers.Value, netbird.IdentityProvider{ID: "x"})
		}, OK},
		"local login is off, no other connector": {func(f *facts.Facts) { f.NetBird.Accounts.Value[0].Settings.LocalAuthDisabled = true }, Fail},
	} {
		t.Run(name, func(t *testing.T) {
			f := working()
			f.NetBird.Users = facts.Of([]netbird.User{{IdPID: "authentik-1"}}, nil)
			c.spoil(f)
			results := Judge(LastWayIn("authentik-1"), f)
			if results[0].Verdict != c.want {
				t.Errorf("%s (%s), want %s", results[0].Verdict, results[0].Cause, c.want)
			}
			if results[1].Verdict != Warn {
				t.Errorf("the users of the connector are not warned of: %+v", results[1])
			}
		})
	}
}
