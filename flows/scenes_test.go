package flows_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"authbird/clients/authentik"
	"authbird/clients/netbird"
	"authbird/doctor"
	"authbird/flows"
	simauthentik "authbird/sim/authentik"
	"authbird/sim/fault"
	simnetbird "authbird/sim/netbird"
	"authbird/state"
)

// scene is one way in which a connection breaks, and what must be said of it:
// one check that fails (or warns), and no other.
type scene struct {
	row     string // of the catalogue of failures
	name    string
	mode    state.Mode
	version string // of Authentik
	netbird simnetbird.Options
	spoil   func(l *lab) error
	check   string // the id that must not be ok
	verdict doctor.Verdict
	says    string // a part of the cause
	repair  string // what --fix does; "" is advice
	advice  string // a part of it
	uncured bool   // the repair is worth a try, and doesn't help here
	// ours: only who made the connection can know; of another the doctor says
	// nothing wrong.
	ours  bool
	found string // what it names there instead
	// after is what a person does between the repair and the second look.
	after func(l *lab) error
}

const (
	fails = doctor.Fail
	warns = doctor.Warn
)

// connectorID is the lab's connector in NetBird.
func (l *lab) connectorID() string {
	l.t.Helper()
	all, err := l.netbirdClient().IdentityProviders(l.t.Context())
	if err != nil || len(all) == 0 {
		l.t.Fatalf("connectors %v, %v", all, err)
	}
	return all[0].ID
}

func (l *lab) provider(fields map[string]any) error {
	return l.authentik.SetProvider("NetBird", fields)
}

func redirects(mode string, urls ...string) map[string]any {
	list := []authentik.RedirectURI{}
	for _, u := range urls {
		list = append(list, authentik.RedirectURI{MatchingMode: mode, URL: u})
	}
	return map[string]any{"redirect_uris": list}
}

// settings changes the account's settings as an owner would.
func (l *lab) settings(changes map[string]any) error {
	accounts, err := l.netbirdClient().Accounts(l.t.Context())
	if err != nil {
		return err
	}
	raw, err := netbird.PatchSettings(accounts[0].Raw, changes)
	if err != nil {
		return err
	}
	return l.netbirdClient().SaveAccount(l.t.Context(), accounts[0].ID, raw)
}

// ssoUser puts somebody into NetBird who came through Authentik.
func (l *lab) ssoUser(u simnetbird.User) error {
	id := l.authentik.AddUser(simauthentik.User{Username: u.Name, Name: u.Name, Email: u.Email})
	have, err := l.authentikClient().ProvidersByName(l.t.Context(), "NetBird")
	if err != nil {
		return err
	}
	claims, err := l.authentikClient().PreviewClaims(l.t.Context(), have[0].PK, id)
	if err != nil {
		return err
	}
	u.ID = simnetbird.Subject(claims["sub"].(string), l.connectorID())
	u.ID, err = l.netbird.AddUser(u)
	if err == nil && u.Role == "owner" {
		err = l.netbird.SetOwner(u.ID)
	}
	return err
}

// edit changes setup.env.
func (l *lab) edit(old, new string) error {
	data, err := os.ReadFile(l.answers.EnvFile)
	if err != nil {
		return err
	}
	if !strings.Contains(string(data), old) {
		return errors.New("setup.env has no " + old)
	}
	return os.WriteFile(l.answers.EnvFile, []byte(strings.Replace(string(data), old, new, 1)), 0o600)
}

// log is a scene that NetBird's log tells of.
func logged(row, line, says string) scene {
	return scene{row: row, name: "log: " + line, mode: state.Standalone, check: "netbird-log", verdict: warns, says: says,
		spoil: func(l *lab) error {
			l.options.NetBirdLog = l.t.TempDir() + "/management.log"
			return os.WriteFile(l.options.NetBirdLog, []byte("2026-11-24T10:00:00Z INFO management started\n2026-11-24T10:00:01Z ERRO "+line+"\n"), 0o600)
		}}
}

const appPasswordToken = "service-account-netbird-password"

var connectorScenes = []scene{
	{row: "4", name: "a slash too many", spoil: func(l *lab) error {
		return l.provider(redirects("strict", l.answers.NetBirdURL+"/oauth2/callback/", l.answers.NetBirdURL+"/oauth2/logout/callback"))
	}, check: "redirect-uri", verdict: fails, says: "slash", repair: "redirect-uri"},
	{row: "4", name: "another host", spoil: func(l *lab) error {
		return l.provider(redirects("strict", "https://old.example.com/oauth2/callback", l.answers.NetBirdURL+"/oauth2/logout/callback"))
	}, check: "redirect-uri", verdict: fails, says: "doesn't list", repair: "redirect-uri"},
	{row: "4", name: "none at all", spoil: func(l *lab) error { return l.provider(redirects("strict")) },
		check: "redirect-uri", verdict: fails, says: "lists no redirect URI", repair: "redirect-uri"},
	{row: "6", name: "no signing key", spoil: func(l *lab) error { return l.authentik.DropSigningKey("NetBird") },
		check: "signing-key", verdict: fails, says: "no signing key", repair: "provider.signing_key"},
	{row: "9", name: "an account without a domain", spoil: func(l *lab) error { return l.netbird.SetAccount("", "") },
		check: "netbird-domain", verdict: fails, says: "no private domain", advice: "install NetBird again"},
	{row: "10", name: "no way from NetBird to Authentik", spoil: func(l *lab) error {
		return l.netbird.CutOff(errors.New("dial tcp 192.0.2.1:443: connect: connection refused"))
	}, check: "reach", verdict: fails, says: "can't reach Authentik", advice: "hairpin"},
	{row: "11", name: "somebody waits for approval", spoil: func(l *lab) error {
		return l.ssoUser(simnetbird.User{Name: "alice", Email: "alice@example.com", Pending: true})
	}, check: "approval", verdict: fails, says: "wait for an administrator's approval", repair: "approval"},
	{row: "12", name: "groups in another claim", spoil: func(l *lab) error {
		return l.settings(map[string]any{"jwt_groups_enabled": true, "jwt_groups_claim_name": "roles"})
	}, check: "group-sync", verdict: fails, says: "a claim that Authentik doesn't send", repair: "group-sync.jwt_groups_claim_name"},
	{row: "13", name: "the embedded IdP is off", spoil: func(l *lab) error {
		return l.netbird.Reconfigure(func(o *simnetbird.Options) { o.EmbeddedIdPOff = true })
	}, check: "netbird-embedded", verdict: fails, says: "embedded IdP is off", advice: "standalone"},
	{row: "16", name: "an EC key", spoil: func(l *lab) error { return l.authentik.UseECKey("NetBird") },
		check: "signing-key", verdict: warns, says: "not RSA", advice: "restart NetBird"},
	{row: "17", name: "clocks apart", spoil: func(l *lab) error { l.skew("authentik", time.Minute); return nil },
		check: "clocks", verdict: warns, says: "apart", advice: "NTP"},
	{row: "18", name: "no grant types", version: "2026.5.0", spoil: func(l *lab) error { return l.provider(map[string]any{"grant_types": []string{}}) },
		check: "grant-types", verdict: fails, says: "2026.5", repair: "provider.grant_types"},
	{row: "19", name: "somebody is there twice", spoil: func(l *lab) error {
		return l.ssoUser(simnetbird.User{Name: "owner", Email: "owner@example.com"})
	}, check: "duplicate-users", verdict: warns, says: "twice", advice: "one of the two"},
	{row: "20", name: "local login is off, and the owner local", spoil: func(l *lab) error {
		return l.netbird.Reconfigure(func(o *simnetbird.Options) { o.LocalAuthDisabled = true })
	}, check: "owner-login", verdict: fails, says: "its owner has no other", advice: "turn local login on"},
	{row: "22", name: "groups that may log in shut the owner out", spoil: func(l *lab) error {
		if err := l.ssoUser(simnetbird.User{Name: "boss", Email: "boss@example.com", Role: "owner"}); err != nil {
			return err
		}
		return l.settings(map[string]any{"jwt_groups_enabled": true, "jwt_groups_claim_name": "groups", "jwt_allow_groups": []string{"staff"}})
	}, check: "allow-groups", verdict: fails, says: "shuts its own owner out", repair: "group-sync.jwt_allow_groups"},
	{row: "24", name: "the logout's address is missing", spoil: func(l *lab) error {
		return l.provider(redirects("strict", l.answers.NetBirdURL+"/oauth2/callback"))
	}, check: "logout-redirect", verdict: fails, says: "after a logout", repair: "redirect-uri"},
	{row: "25", name: "a page instead of the discovery document", spoil: func(l *lab) error {
		return l.faults["authentik"].Order(fault.Fault{Path: "/application/o/netbird/.well-known/**", Kind: fault.HTML, Status: http.StatusOK, Times: -1, Body: "<title>Just a moment...</title>"})
	}, check: "discovery", verdict: fails, says: "stands in front of it", advice: "curl"},
	{row: "27", name: "the issuer lost its slash", spoil: func(l *lab) error {
		return l.netbird.EditConnector(l.connectorID(), func(c *simnetbird.Connector) { c.Issuer = strings.TrimSuffix(c.Issuer, "/") })
	}, check: "issuer", verdict: fails, says: "slash", repair: "connector", after: func(l *lab) error { return l.netbird.Restart() }},
	{row: "27", name: "the issuer is global", spoil: func(l *lab) error { return l.provider(map[string]any{"issuer_mode": "global"}) },
		check: "issuer-mode", verdict: fails, says: "Authentik's address alone", repair: "provider.issuer_mode"},
	{row: "29", name: "Authentik is down", spoil: func(l *lab) error {
		return l.faults["authentik"].Order(fault.Fault{Kind: fault.CutBefore, Times: -1})
	}, check: "authentik-answers", verdict: fails, says: "Authentik", advice: "check --authentik-url"},
	{row: "-", name: "NetBird is down", spoil: func(l *lab) error {
		return l.faults["netbird"].Order(fault.Fault{Kind: fault.CutBefore, Times: -1})
	}, check: "netbird-answers", verdict: fails, says: "NetBird", advice: "check --netbird-url"},
	{row: "31", name: "NetBird 0.71.0", spoil: func(l *lab) error {
		return l.netbird.Reconfigure(func(o *simnetbird.Options) { o.Version = "0.71.0" })
	}, check: "netbird-version", verdict: fails, says: "0.71.0", advice: "update"},
	{row: "32", name: "NetBird 0.63.0", spoil: func(l *lab) error {
		return l.netbird.Reconfigure(func(o *simnetbird.Options) { o.Version = "0.63.0" })
	}, check: "netbird-version", verdict: warns, says: "0.63.0", advice: "update"},
	{row: "33", name: "users of a connector that is gone", spoil: func(l *lab) error {
		_, err := l.netbird.AddUser(simnetbird.User{ID: simnetbird.Subject("1", "authentik-gone"), Name: "eve", Email: "eve@example.com"})
		return err
	}, check: "strangers", verdict: warns, says: "no longer stands", advice: "delete the old users"},
	{row: "34", name: "a group of NetBird's own under the same name", spoil: func(l *lab) error {
		if err := l.netbird.AddGroup("authentik Admins"); err != nil {
			return err
		}
		return l.settings(map[string]any{"jwt_groups_enabled": true, "jwt_groups_claim_name": "groups"})
	}, check: "group-names", verdict: warns, says: "under the names", advice: "rename"},
	{row: "39", name: "no mapping for e-mail", spoil: func(l *lab) error { return l.authentik.RemoveMapping("NetBird", "email") },
		check: "claims", verdict: fails, says: "isn't told who logs in", repair: "provider.property_mappings"},
	{row: "39", name: "claims left out of the id_token", spoil: func(l *lab) error { return l.provider(map[string]any{"include_claims_in_id_token": false}) },
		check: "claims", verdict: fails, says: "out of the id_token", repair: "provider.include_claims_in_id_token"},
	{row: "42", name: "encrypted tokens", spoil: func(l *lab) error { return l.authentik.UseEncryptionKey("NetBird") },
		check: "encryption", verdict: fails, says: "encrypts", repair: "provider.encryption_key"},
	{row: "45", name: "another provider has taken the name", spoil: func(l *lab) error {
		have, err := l.authentikClient().ProvidersByName(l.t.Context(), "NetBird")
		if err != nil {
			return err
		}
		return l.provider(map[string]any{"client_id": "somebody-elses-" + have[0].ClientID[:8]})
	}, check: "provider", verdict: fails, says: "stands in the way", repair: "provider", found: "connector fail", after: func(l *lab) error { return l.netbird.Restart() }},
	{row: "docs 2", name: "the application is not linked", spoil: func(l *lab) error { return l.authentik.Unlink("netbird") },
		check: "application", verdict: fails, says: "not linked", repair: "application"},
	{row: "-", name: "the client secret was changed in Authentik", spoil: func(l *lab) error { return l.provider(map[string]any{"client_secret": "another-secret-0123456789"}) },
		ours: true, check: "client-secret", verdict: fails, says: "it was changed in Authentik", repair: "provider.client_secret"},
	{row: "-", name: "the connector is gone", spoil: func(l *lab) error { return l.netbird.DropConnector(l.connectorID()) },
		check: "connector", verdict: fails, says: "no longer has the connector", repair: "connector"},
	{row: "-", name: "the provider is gone", spoil: func(l *lab) error {
		have, err := l.authentikClient().ProvidersByName(l.t.Context(), "NetBird")
		if err != nil {
			return err
		}
		return l.authentikClient().DeleteProvider(l.t.Context(), have[0].PK)
	}, check: "provider", verdict: fails, says: "is gone from Authentik", repair: "provider"},
	{row: "-", name: "the application is gone", spoil: func(l *lab) error { return l.authentikClient().DeleteApplication(l.t.Context(), "netbird") },
		check: "application", verdict: fails, says: "is gone", repair: "application"},
	{row: "13", name: "config.yaml: an issuer that is served nowhere", spoil: func(l *lab) error {
		l.options.NetBirdConfig = l.t.TempDir() + "/config.yaml"
		return os.WriteFile(l.options.NetBirdConfig, []byte("server:\n  auth:\n    issuer: https://netbird.example.com/auth\n"), 0o600)
	}, check: "config-yaml", verdict: fails, says: "doesn't end in /oauth2", advice: "restart NetBird"},
	{row: "23", name: "config.yaml: no address for the clients", spoil: func(l *lab) error {
		l.options.NetBirdConfig = l.t.TempDir() + "/config.yaml"
		return os.WriteFile(l.options.NetBirdConfig, []byte("server:\n  auth:\n    cliRedirectURIs: [http://127.0.0.1:53000/]\n"), 0o600)
	}, check: "config-yaml", verdict: fails, says: "http://localhost:53000/", advice: "restart NetBird"},
	{row: "20", name: "this connector is the only login", spoil: func(l *lab) error {
		if err := l.ssoUser(simnetbird.User{Name: "boss", Email: "boss@example.com", Role: "owner"}); err != nil {
			return err
		}
		return l.netbird.Reconfigure(func(o *simnetbird.Options) { o.LocalAuthDisabled = true })
	}, check: "last-way-in", verdict: warns, says: "only login", advice: "personal access token"},
	{row: "-", name: "the embedded IdP refuses to begin a login", spoil: func(l *lab) error {
		return l.faults["netbird"].Order(fault.Fault{Path: "/oauth2/auth/**", Kind: fault.HTML, Status: http.StatusBadRequest, Body: "Connector failed to initialize", Times: -1})
	}, check: "login-start", verdict: fails, says: "doesn't begin a login", advice: "restart NetBird"},
	{row: "-", name: "a redirect URI that is too wide", spoil: func(l *lab) error {
		return l.provider(redirects("regex", "http://.*"))
	}, check: "redirect-too-wide", verdict: warns, says: "so wide", advice: "narrow"},
}

var standaloneScenes = []scene{
	{row: "1", name: "another app password", spoil: func(l *lab) error { return l.authentik.SetTokenKey(appPasswordToken, "the-account-password-0123") },
		check: "app-password", verdict: fails, says: "refuses the password", repair: "app-password"},
	{row: "1", name: "no such service account", spoil: func(l *lab) error {
		u, err := l.authentikClient().UserByName(l.t.Context(), "Netbird")
		if err != nil {
			return err
		}
		return l.authentikClient().DeleteUser(l.t.Context(), u.PK)
	}, check: "service-account", verdict: fails, says: "no service account", repair: "service-account"},
	{row: "1", name: "the service account is switched off", spoil: func(l *lab) error { return l.authentik.SetActive("Netbird", false) },
		check: "service-account", verdict: fails, says: "switched off", repair: "service-account"},
	{row: "2", name: "the service account isn't in the group", spoil: func(l *lab) error { return l.authentik.BindGroup("netbird", "staff") },
		check: "access", verdict: fails, says: "for a group only", repair: "access"},
	{row: "3", name: "no mapping for Authentik's API", spoil: func(l *lab) error { return l.authentik.RemoveMapping("NetBird", "goauthentik.io/api") },
		check: "api-scope", verdict: fails, says: "goauthentik.io/api", repair: "provider.property_mappings"},
	{row: "3", name: "the service account may not read users", spoil: func(l *lab) error { return l.authentik.Leave("authentik Admins", "Netbird") },
		check: "user-rights", verdict: fails, says: "may not read users", repair: "rights"},
	{row: "4", name: "a pattern saved as strict", spoil: func(l *lab) error {
		return l.provider(redirects("strict", `https://netbird\.example\.com/.*`, "http://localhost:53000"))
	}, check: "redirect-uri", verdict: fails, says: "saved as strict", repair: "redirect-uri"},
	{row: "5", name: "the API is not behind the proxy", spoil: func(l *lab) error { return l.apiAtItsOldPort() },
		check: "api-port", verdict: fails, says: "not where the proxy", advice: "NETBIRD_MGMT_API_PORT=443"},
	{row: "6", name: "no signing key", spoil: func(l *lab) error { return l.authentik.DropSigningKey("NetBird") },
		check: "signing-key", verdict: fails, says: "no signing key", repair: "provider.signing_key"},
	{row: "7", name: "no device code flow", spoil: func(l *lab) error { return l.authentik.SetBrand("authentik-default", "") },
		check: "device-flow", verdict: fails, says: "no device code flow", repair: "brand"},
	{row: "8", name: "another flow for device codes", spoil: func(l *lab) error { return l.authentik.SetBrand("authentik-default", "default-password-change") },
		check: "device-flow", verdict: fails, says: "for something else", repair: "brand"},
	{row: "9", name: "an account without a domain", spoil: func(l *lab) error { return l.netbird.SetAccount("", "") },
		check: "netbird-domain", verdict: fails, says: "no private domain", advice: "install NetBird again"},
	{row: "15", name: "no mapping for offline_access", spoil: func(l *lab) error { return l.authentik.RemoveMapping("NetBird", "offline_access") },
		check: "offline-access", verdict: fails, says: "offline_access", repair: "provider.property_mappings"},
	{row: "16", name: "an EC key", spoil: func(l *lab) error { return l.authentik.UseECKey("NetBird") },
		check: "signing-key", verdict: fails, says: "not RSA", repair: "provider.signing_key"},
	{row: "17", name: "Authentik's clock is ahead", spoil: func(l *lab) error { l.skew("authentik", time.Minute); return nil },
		check: "clocks", verdict: fails, says: "apart", advice: "NTP"},
	{row: "18", name: "no grant types", version: "2026.5.0", spoil: func(l *lab) error { return l.provider(map[string]any{"grant_types": []string{}}) },
		check: "grant-types", verdict: fails, says: "2026.5", repair: "provider.grant_types"},
	{row: "21", name: "the dashboard's addresses are not listed", spoil: func(l *lab) error {
		return l.provider(redirects("strict", "https://netbird.example.com/nb-auth", "http://localhost:53000"))
	}, check: "redirect-uri", verdict: fails, says: "/auth", repair: "redirect-uri"},
	{row: "21", name: "other paths in setup.env", spoil: func(l *lab) error {
		return l.edit(`NETBIRD_AUTH_REDIRECT_URI="/auth"`, `NETBIRD_AUTH_REDIRECT_URI="/peers"`)
	},
		check: "setup-env", verdict: fails, says: "redirect paths", repair: "setup-env"},
	{row: "23", name: "the clients' address is missing", spoil: func(l *lab) error {
		return l.provider(redirects("regex", `https://netbird\.example\.com/.*`))
	}, check: "client-redirect", verdict: fails, says: "http://localhost:53000", repair: "redirect-uri"},
	{row: "23", name: "the clients' address has a slash too many", spoil: func(l *lab) error {
		return l.provider(redirects("strict", "https://netbird.example.com/auth", "https://netbird.example.com/silent-auth", "http://localhost:53000/"))
	}, check: "client-redirect", verdict: fails, says: "http://localhost:53000,", repair: "redirect-uri"},
	{row: "11", name: "somebody waits for approval", spoil: func(l *lab) error {
		_, err := l.netbird.AddUser(simnetbird.User{ID: "17", Name: "alice", Email: "alice@example.com", Pending: true})
		return err
	}, check: "approval", verdict: fails, says: "wait for an administrator's approval", repair: "approval"},
	{row: "19", name: "somebody is there twice", spoil: func(l *lab) error {
		_, err := l.netbird.AddUser(simnetbird.User{ID: "17", Name: "owner", Email: "owner@example.com"})
		return err
	}, check: "duplicate-users", verdict: warns, says: "twice", advice: "one of the two"},
	{row: "25", name: "a page instead of the discovery document", spoil: func(l *lab) error {
		return l.faults["authentik"].Order(fault.Fault{Path: "/application/o/netbird/.well-known/**", Kind: fault.HTML, Status: http.StatusOK, Times: -1, Body: "<title>Just a moment...</title>"})
	}, check: "discovery", verdict: fails, says: "stands in front of it", advice: "curl"},
	{row: "27", name: "another address of the discovery document in setup.env", spoil: func(l *lab) error {
		return l.edit("/application/o/netbird/.well-known", "/application/o/netbird//.well-known")
	}, check: "setup-env", verdict: fails, says: "discovery document", repair: "setup-env"},
	{row: "39", name: "no mapping for e-mail", spoil: func(l *lab) error { return l.authentik.RemoveMapping("NetBird", "email") },
		check: "claims", verdict: fails, says: "isn't told who logs in", repair: "provider.property_mappings"},
	{row: "27", name: "the issuer is global", spoil: func(l *lab) error { return l.provider(map[string]any{"issuer_mode": "global"}) },
		check: "issuer-mode", verdict: fails, says: "Authentik's address alone", repair: "provider.issuer_mode"},
	{row: "28", name: "an issuer by http", spoil: func(l *lab) error { return l.behindTLS() },
		check: "discovery", verdict: fails, says: "X-Forwarded-Proto", advice: "X-Forwarded-Proto: https"},
	{row: "30", name: "the secret for the audience", spoil: func(l *lab) error {
		return l.edit(`NETBIRD_AUTH_AUDIENCE="`, `NETBIRD_AUTH_AUDIENCE="not-`)
	}, check: "setup-env", verdict: fails, says: "audience", repair: "setup-env"},
	{row: "14", name: "login asked for twice", spoil: func(l *lab) error {
		return l.edit("NETBIRD_AUTH_PKCE_DISABLE_PROMPT_LOGIN=true", "NETBIRD_AUTH_PKCE_DISABLE_PROMPT_LOGIN=false")
	}, check: "setup-env", verdict: fails, says: "prompt=login", repair: "setup-env"},
	{row: "35", name: "an app password that expired", spoil: func(l *lab) error { return l.authentik.ExpireToken(appPasswordToken, time.Now().Add(-time.Hour)) },
		check: "app-password-end", verdict: fails, says: "has expired", repair: "app-password"},
	{row: "35", name: "an app password that will expire", spoil: func(l *lab) error {
		return l.authentik.ExpireToken(appPasswordToken, time.Now().Add(48*time.Hour))
	}, check: "app-password-end", verdict: warns, says: "expires soon", repair: "app-password"},
	{row: "36", name: "an Authentik that refuses client_credentials", version: "2026.8.0", spoil: func(l *lab) error {
		return l.faults["authentik"].Order(fault.Fault{Method: "POST", Path: "/application/o/token/", Kind: fault.Status, Status: 400, Body: `{"error": "invalid_grant"}`, Times: -1})
	}, check: "app-password", verdict: fails, says: "August 2026", repair: "app-password", uncured: true},
	{row: "37", name: "another subject mode, nobody has logged in", spoil: func(l *lab) error { return l.provider(map[string]any{"sub_mode": "hashed_user_id"}) },
		check: "subject-mode", verdict: fails, says: "otherwise than by their ID", repair: "provider.sub_mode"},
	{row: "37", name: "another subject mode, people have logged in", spoil: func(l *lab) error {
		have, err := l.authentikClient().ProvidersByName(l.t.Context(), "NetBird")
		if err != nil {
			return err
		}
		if err := l.authentik.NoteLogin(have[0].ClientID, "akadmin", "192.0.2.7"); err != nil {
			return err
		}
		return l.provider(map[string]any{"sub_mode": "hashed_user_id"})
	}, check: "subject-mode", verdict: fails, says: "otherwise than by their ID", advice: "logged in already"},
	{row: "38", name: "another brand answers", spoil: func(l *lab) error { return l.authentik.SetBrand("127.0.0.1", "") },
		check: "device-flow", verdict: fails, says: "another brand", repair: "brand"},
	{row: "40", name: "codes live for a minute", spoil: func(l *lab) error { return l.provider(map[string]any{"access_code_validity": "minutes=1"}) },
		check: "code-validity", verdict: fails, says: "1m0s only", repair: "provider.access_code_validity"},
	{row: "41", name: "everybody comes from the proxy", spoil: func(l *lab) error {
		for _, name := range []string{"ann", "ben", "cid"} {
			l.authentik.AddUser(simauthentik.User{Username: name})
			if err := l.authentik.NoteLogin("other", name, "10.0.0.2"); err != nil {
				return err
			}
		}
		return nil
	}, check: "device-limit", verdict: warns, says: "at one address", advice: "X-Forwarded-For"},
	{row: "42", name: "encrypted tokens", spoil: func(l *lab) error { return l.authentik.UseEncryptionKey("NetBird") },
		check: "encryption", verdict: fails, says: "encrypts", repair: "provider.encryption_key"},
	{row: "-", name: "a provider that expects a secret", spoil: func(l *lab) error { return l.provider(map[string]any{"client_type": "confidential"}) },
		check: "client-type", verdict: fails, says: "expects a client secret", repair: "provider.client_type"},
	logged("26", `unable to find appropriate key`, "reads the keys once"),
	logged("16", `error parsing token: key is not a valid RSA public key`, "not RSA"),
	logged("17", `Token used before issued`, "clock"),
	logged("1", `unable to get authentik token, statusCode 400`, "refuses the service account"),
	logged("3", `failed warming up cache: 403 Forbidden`, "may not read users"),
	logged("25", `authentik IdP configuration is incomplete, ClientID is missing`, "discovery document"),
	logged("31", `Unregistered redirect_uri ("/oauth2/device/callback").`, "0.71.0"),
	logged("41", `device code: slow_down`, "20 sign-ins"),
}

// sceneLab is a setup that works, with NetBird at hand in both modes.
func sceneLab(t *testing.T, s scene) *lab {
	t.Helper()
	l := newLab(t, labOptions{version: s.version, netbird: s.netbird, mode: s.mode})
	if s.mode == state.Standalone {
		l.answers.NetBirdDomain = "netbird.example.com"
		l.answers.EnvFile = t.TempDir() + "/setup.env"
	}
	l.mustRun()
	return l
}

func TestEachFailureIsNamedAndCured(t *testing.T) {
	t.Parallel()
	for _, s := range connectorScenes {
		s.mode = state.Connector
		t.Run("connector "+s.row+" "+s.name, func(t *testing.T) { t.Parallel(); s.play(t) })
	}
	for _, s := range standaloneScenes {
		s.mode = state.Standalone
		t.Run("standalone "+s.row+" "+s.name, func(t *testing.T) { t.Parallel(); s.play(t) })
	}
}

// play spoils a setup that works, and looks.
func (s scene) play(t *testing.T) {
	l := sceneLab(t, s)
	for _, r := range trouble(l.diagnose()) {
		t.Fatalf("before: %s is %s: %s %s", r.ID, r.Verdict, r.Cause, r.Evidence)
	}
	if err := s.spoil(l); err != nil {
		t.Fatal(err)
	}
	since := l.requests()
	d := l.diagnose()
	if n := l.requests() - since; n > 32 {
		t.Errorf("%d requests", n)
	}
	s.judge(t, d)
	s.judgeFound(t, l)
	if s.repair == "" {
		return
	}
	if err := l.fix(d); err != nil || s.uncured {
		if got := flows.StopOf(err); !s.uncured || got.Reason != flows.NotProven {
			t.Errorf("repair: %v", err)
		}
		return
	}
	if s.after != nil {
		if err := s.after(l); err != nil {
			t.Fatal(err)
		}
	}
	for _, r := range trouble(l.diagnose()) {
		t.Errorf("after the repair: %s is %s: %s %s", r.ID, r.Verdict, r.Cause, r.Evidence)
	}
}

// judge compares the diagnosis with the scene: its check, and no other.
func (s scene) judge(t *testing.T, d *flows.Diagnosis) {
	t.Helper()
	found := false
	for _, r := range trouble(d) {
		switch {
		case r.ID == s.check:
			found = true
			if r.Verdict != s.verdict || !strings.Contains(r.Cause, s.says) || r.Repair != s.repair || !strings.Contains(r.Advice, s.advice) {
				t.Errorf("%s is %s\n cause  %s\n seen   %s\n repair %q, advice %q", r.ID, r.Verdict, r.Cause, r.Evidence, r.Repair, r.Advice)
			}
			if r.Repair == "" && r.Advice == "" && r.Verdict == doctor.Fail {
				t.Errorf("%s says not what to do", r.ID)
			}
		case r.Verdict == doctor.Fail || r.Verdict == doctor.Warn:
			t.Errorf("also %s is %s: %s %s", r.ID, r.Verdict, r.Cause, r.Evidence)
		}
	}
	if !found {
		t.Errorf("%s is ok", s.check)
	}
}

// judgeFound looks at the same as at a connection that authbird did not make.
func (s scene) judgeFound(t *testing.T, l *lab) {
	t.Helper()
	d, err := l.diagnoseFound()
	if err != nil {
		t.Errorf("found: %v", err)
		return
	}
	var named []string
	for _, r := range trouble(d) {
		if r.Verdict == doctor.Fail || r.Verdict == doctor.Warn {
			named = append(named, r.ID+" "+string(r.Verdict))
		}
	}
	want := s.check + " " + string(s.verdict)
	if s.ours || s.found != "" {
		want = s.found
	}
	if got := strings.Join(named, ", "); got != want {
		t.Errorf("found, it names %q, want %q\n%s", got, want, tellAll(d))
	}
}

func tellAll(d *flows.Diagnosis) string {
	var b strings.Builder
	for _, r := range trouble(d) {
		fmt.Fprintf(&b, "%s is %s: %s | %s | %s %s\n", r.ID, r.Verdict, r.Cause, r.Evidence, r.Repair, r.Advice)
	}
	return b.String()
}

// fix carries out all repairs that a diagnosis names.
func (l *lab) fix(d *flows.Diagnosis) error {
	l.t.Helper()
	r, err := l.bench.PlanRepair(l.t.Context(), d, l.tokens, nil)
	if err != nil {
		l.t.Fatalf("plan: %v\n%s", err, strings.Join(flows.StopOf(err).Hints, "\n"))
	}
	defer r.Close()
	r.Adopt = func(_ context.Context, about flows.About, f flows.Finding) error { return nil }
	if !r.Plan().Changes() {
		l.t.Error("the plan changes nothing")
	}
	_, err = r.Carry(l.t.Context())
	return err
}
