package doctor

import (
	"errors"
	"strings"
	"testing"
	"time"

	"authbird/clients"
	"authbird/clients/authentik"
	"authbird/clients/netbird"
	"authbird/clients/oidc"
	"authbird/facts"
)

const (
	testClientID = "the-client-id-of-the-provider"
	testPassword = "the-app-password-of-the-service-account"
	testIssuer   = "https://auth.example.com/application/o/netbird/"
)

const goodManagement = `{
 "DataStoreEncryptionKey": "0123456789abcdef",
 "HttpConfig": {"AuthIssuer": "` + testIssuer + `", "AuthAudience": "` + testClientID + `", "AuthUserIDClaim": "sub"},
 "IdpManagerConfig": {"ManagerType": "authentik", "ClientConfig": {"ClientID": "` + testClientID + `"},
   "ExtraConfig": {"Username": "Netbird", "Password": "` + testPassword + `"}},
 "DeviceAuthorizationFlow": {"Provider": "hosted", "ProviderConfig": {"ClientID": "` + testClientID + `"}},
 "PKCEAuthorizationFlow": {"ProviderConfig": {"ClientID": "` + testClientID + `", "RedirectURLs": ["http://localhost:53000"], "DisablePromptLogin": true}}
}`

const goodEnv = `NETBIRD_AUTH_OIDC_CONFIGURATION_ENDPOINT="` + testIssuer + `.well-known/openid-configuration"
NETBIRD_AUTH_CLIENT_ID="` + testClientID + `"
NETBIRD_AUTH_SUPPORTED_SCOPES="openid profile email offline_access api"
NETBIRD_AUTH_AUDIENCE="` + testClientID + `"
NETBIRD_AUTH_DEVICE_AUTH_CLIENT_ID="` + testClientID + `"
NETBIRD_AUTH_DEVICE_AUTH_AUDIENCE="` + testClientID + `"
NETBIRD_AUTH_REDIRECT_URI="/auth"
NETBIRD_AUTH_SILENT_REDIRECT_URI="/silent-auth"
NETBIRD_MGMT_IDP="authentik"
NETBIRD_IDP_MGMT_CLIENT_ID="` + testClientID + `"
NETBIRD_IDP_MGMT_EXTRA_USERNAME="Netbird"
NETBIRD_IDP_MGMT_EXTRA_PASSWORD="` + testPassword + `"
NETBIRD_AUTH_PKCE_DISABLE_PROMPT_LOGIN=true
`

// hostFacts are those of a standalone connection that works.
func hostFacts() *facts.Facts {
	f := &facts.Facts{Ask: facts.Ask{ClientID: testClientID}}
	f.Authentik.Discovery = facts.Of(oidc.Discovery{Issuer: testIssuer, URL: testIssuer + ".well-known/openid-configuration"}, nil)
	f.Local.AppPassword = facts.Of(testPassword, nil)
	f.Local.Management = facts.Of([]byte(goodManagement), nil)
	f.Local.EnvFile = facts.Of([]byte(goodEnv), nil)
	return f
}

func hostCase() Case {
	return Case{Standalone: true, Proven: Proven{Account: "Netbird"}, Here: Locally{EnvFile: "setup.env", Management: "management.json", Log: "management.log"}}
}

// noSecretIn fails where a text that people read holds a secret of the files.
func noSecretIn(t *testing.T, o Outcome, secrets ...string) {
	t.Helper()
	for _, s := range append(secrets, testPassword) {
		if strings.Contains(o.Evidence+o.Cause+o.Hits+o.Advice, s) {
			t.Errorf("a secret is told: %+v", o)
		}
	}
}

type flawRow struct{ old, new, says string }

func TestEachMistakeInManagementJSONIsNamed(t *testing.T) {
	for _, r := range []flawRow{
		{"", "", ""},
		{`"IdpManagerConfig"`, `"EmbeddedIdP": {"Enabled": true}, "IdpManagerConfig"`, "turns the embedded IdP on"},
		{testIssuer, "null", "has no issuer"},
		{testIssuer, strings.TrimSuffix(testIssuer, "/"), "byte for byte"},
		{`"DataStoreEncryptionKey": "0123456789abcdef"`, `"DataStoreEncryptionKey": ""`, "lost the key"},
		{`"AuthAudience": "` + testClientID, `"AuthAudience": "a-client-secret-by-mistake`, "audience"},
		{`"ManagerType": "authentik"`, `"ManagerType": "none"`, "read users"},
		{`"ClientConfig": {"ClientID": "` + testClientID, `"ClientConfig": {"ClientID": "another`, "client id of the service account"},
		{`"Provider": "hosted", "ProviderConfig": {"ClientID": "` + testClientID, `"Provider": "hosted", "ProviderConfig": {"ClientID": "another`, "sign-ins with a code"},
		{`"PKCEAuthorizationFlow": {"ProviderConfig": {"ClientID": "` + testClientID, `"PKCEAuthorizationFlow": {"ProviderConfig": {"ClientID": "another`, "NetBird's own clients"},
		{`"Username": "Netbird"`, `"Username": "admin"`, "user name"},
		{testPassword, "the-password-of-the-account-itself", "app password"},
		{`"AuthUserIDClaim": "sub"`, `"AuthUserIDClaim": "email"`, "another claim"},
		{"http://localhost:53000", "https://netbird.example.com/cb", "no address on the machine itself"},
		{`"DisablePromptLogin": true`, `"DisablePromptLogin": false`, "prompt=login"},
		{"{", "[", "no JSON"},
	} {
		f := hostFacts()
		f.Local.Management.Value = []byte(strings.Replace(goodManagement, r.old, r.new, 1))
		o := managementJSON(f, hostCase())
		if want := map[bool]Verdict{true: OK, false: Fail}[r.says == ""]; o.Verdict != want || !strings.Contains(o.Cause, r.says) || strings.Contains(o.Evidence, " more") {
			t.Errorf("%s → %s: %s, %q, %q", r.old, r.new, o.Verdict, o.Cause, o.Evidence)
		}
		noSecretIn(t, o, "a-client-secret-by-mistake", "the-password-of-the-account-itself")
	}
}

func TestEachMistakeInSetupEnvIsNamed(t *testing.T) {
	for _, r := range []flawRow{
		{"", "", ""},
		{"NETBIRD_AUTH_AUDIENCE=\"" + testClientID, "NETBIRD_AUTH_AUDIENCE=\"a-client-secret-by-mistake", "audience"},
		{"NETBIRD_AUTH_CLIENT_ID=\"" + testClientID, "NETBIRD_AUTH_CLIENT_ID=\"another", "client id in setup.env"},
		{"NETBIRD_AUTH_DEVICE_AUTH_CLIENT_ID=\"" + testClientID, "NETBIRD_AUTH_DEVICE_AUTH_CLIENT_ID=\"", "client id for sign-ins with a code"},
		{"NETBIRD_AUTH_DEVICE_AUTH_AUDIENCE=\"" + testClientID, "NETBIRD_AUTH_DEVICE_AUTH_AUDIENCE=\"other", "audience for sign-ins with a code"},
		{"NETBIRD_MGMT_IDP=\"authentik\"", "NETBIRD_MGMT_IDP=\"none\"", "read users"},
		{"NETBIRD_IDP_MGMT_CLIENT_ID=\"" + testClientID, "NETBIRD_IDP_MGMT_CLIENT_ID=\"other", "client id of the service account"},
		{"EXTRA_USERNAME=\"Netbird", "EXTRA_USERNAME=\"admin", "user name"},
		{testPassword, "the-password-of-the-account-itself", "app password"},
		{"/netbird/.well-known", "/netbird//.well-known", "discovery document"},
		{`REDIRECT_URI="/auth"`, `REDIRECT_URI="/peers"`, "redirect paths"},
		{" offline_access", "", "offline_access"},
		{"PROMPT_LOGIN=true", "PROMPT_LOGIN=false", "prompt=login"},
		{"NETBIRD_MGMT_IDP=\"authentik\"", "NETBIRD_MGMT_IDP=\"authentik", "bash can't read"},
	} {
		f := hostFacts()
		f.Local.EnvFile.Value = []byte(strings.Replace(goodEnv, r.old, r.new, 1))
		o := setupEnv(f, hostCase())
		if want := map[bool]Verdict{true: OK, false: Fail}[r.says == ""]; o.Verdict != want || !strings.Contains(o.Cause, r.says) || strings.Contains(o.Evidence, " more") {
			t.Errorf("%s → %s: %s, %q, %q", r.old, r.new, o.Verdict, o.Cause, o.Evidence)
		}
		noSecretIn(t, o, "a-client-secret-by-mistake", "the-password-of-the-account-itself")
	}
}

// Lines as NetBird's servers print them.
func TestEachTellingLineOfALogIsNamed(t *testing.T) {
	for line, says := range map[string]string{
		`ERRO management/server/http/middleware/auth_middleware.go:89: Error when validating JWT claims: key is not a valid RSA public key`:  "not RSA",
		`ERRO Error parsing token, error: unable to find appropriate key`:                                                                    "reads the keys once",
		`ERRO parsing token: Token used before issued`:                                                                                       "clock",
		`WARN failed warming up cache: unable to get authentik token, statusCode 400`:                                                        "refuses the service account",
		`WARN failed warming up cache due to error: 403 Forbidden`:                                                                           "may not read users",
		`Error: failed retrieving a new idp manager with err: authentik IdP configuration is incomplete, ClientID is missing`:                "could not be read",
		`Error: failed reading provided config file: invalid character '<' looking for beginning of value while fetching OIDC configuration`: "something else than JSON",
		`ERRO user does not belong to any of the allowed JWT groups`:                                                                         "shut somebody out",
		`time="2026-11-24" level=error msg="Unregistered redirect_uri (\"http://localhost:53000\")."`:                                        "doesn't know the address",
		`ERRO validate token: token has invalid claims: invalid issuer`:                                                                      "issuer in NetBird's configuration",
		`ERRO validate token: invalid audience`:                                                                                              "audience in NetBird's configuration",
		`WARN device authorization: slow_down`:                                                                                               "20 sign-ins",
		`ERRO oauth2: "unsupported_grant_type" "Invalid grant_type for provider"`:                                                            "no grant types",
		`ERRO failed to get OIDC configuration: Get "https://auth.example.com/application/o/netbird/": tls: failed to verify certificate: x509: certificate signed by unknown authority`: "trust Authentik's certificate",
		`ERRO fetching OIDC configuration: dial tcp: lookup auth.example.com on 127.0.0.11:53: no such host`:                                                                             "doesn't know Authentik's name",
		`INFO management started; all is well`: "",
		`ERRO peer x509: unrelated`:            "",
	} {
		f := hostFacts()
		f.Local.Log = facts.Of([]byte("2026-11-24T10:00:00Z INFO started\n"+line+" password="+testPassword+"\x1b[2J\n2026-11-24T10:00:02Z INFO later\n"), nil)
		o := netBirdLog(f, hostCase())
		if want := map[bool]Verdict{true: OK, false: Warn}[says == ""]; o.Verdict != want || !strings.Contains(o.Cause, says) {
			t.Errorf("%s: %s, %q", line, o.Verdict, o.Cause)
		}
		if noSecretIn(t, o); strings.Contains(o.Evidence, "\x1b") {
			t.Errorf("%q reaches the screen", o.Evidence)
		}
	}
}

// Files that can't be read are said to be so, and nothing is guessed.
func TestAFileThatCannotBeRead(t *testing.T) {
	f := hostFacts()
	denied := errors.New("permission denied")
	f.Local.Management, f.Local.Log = facts.Of[[]byte](nil, denied), facts.Of[[]byte](nil, denied)
	for name, o := range map[string]Outcome{"management.json": managementJSON(f, hostCase()), "log": netBirdLog(f, hostCase()), "config.yaml": combinedFile(f, hostCase())} {
		if o.Verdict != Unknown || !strings.Contains(o.Evidence, "permission denied") {
			t.Errorf("%s: %+v", name, o)
		}
	}
}

func TestTheSigningCertificatesEnd(t *testing.T) {
	now := time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)
	for end, want := range map[string]Verdict{"2026-11-01T00:00:00Z": Warn, "2026-12-01T00:00:00Z": Warn, "2027-11-24T00:00:00Z": OK, "": Unknown} {
		f := &facts.Facts{At: now, Ask: facts.Ask{ClientID: testClientID}}
		f.Authentik.Providers = facts.Of([]authentik.Provider{{PK: 1, ClientID: testClientID, SigningKey: "key"}}, nil)
		f.Authentik.Keys = facts.Of([]authentik.KeyPair{{PK: "key", Name: "mine", CertExpiry: end}}, nil)
		if o := signingCertificate(f); o.Verdict != want || o.Verdict == Warn && o.Advice == "" {
			t.Errorf("%q: %+v", end, o)
		}
	}
}

// A hanging embedded IdP is told from a NetBird that doesn't answer.
func TestAnEmbeddedIdPThatHangs(t *testing.T) {
	hangs := &clients.Error{Kind: clients.Unreachable, Server: "NetBird", Op: "read the embedded IdP's discovery", Message: "no answer in 20s"}
	f := &facts.Facts{}
	f.NetBird.Instance, f.NetBird.Me = facts.Of(netbird.Instance{}, nil), facts.Of(netbird.User{ID: "1"}, nil)
	f.NetBird.Accounts = facts.Of([]netbird.Account{{}}, nil)
	f.NetBird.Embedded, f.NetBird.Providers = facts.Of(netbird.EmbeddedIdP{}, error(hangs)), facts.Of[[]netbird.IdentityProvider](nil, hangs)
	if o := embeddedIdP(f, Case{}); o.Verdict != Fail || !strings.Contains(o.Cause, "hangs") || o.Advice == "" {
		t.Errorf("%+v", o)
	}
	f.NetBird.Instance.Err = hangs
	if o := embeddedIdP(f, Case{}); o.Verdict == Fail && strings.Contains(o.Cause, "hangs") {
		t.Errorf("of a NetBird that doesn't answer it says %q", o.Cause)
	}
}

// The last way in is warned of before it breaks.
func TestTheOnlyConnectorIsWarnedOf(t *testing.T) {
	for name, c := range map[string]struct {
		off        bool
		connectors int
		want       Verdict
	}{"local login is on": {false, 1, OK}, "another connector": {true, 2, OK}, "the only way in": {true, 1, Warn}} {
		f := &facts.Facts{}
		f.NetBird.Accounts = facts.Of([]netbird.Account{{Settings: netbird.Settings{LocalAuthDisabled: c.off}}}, nil)
		f.NetBird.Providers = facts.Of(make([]netbird.IdentityProvider, c.connectors), nil)
		if o := onlyConnector(f); o.Verdict != c.want {
			t.Errorf("%s: %+v", name, o)
		}
	}
}
