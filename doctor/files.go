package doctor

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"authbird/clients"
	"authbird/facts"
	"authbird/hostfiles"
)

// files asks what NetBird's own files say, where they are at hand.
func (c Case) files() []Question {
	var out []Question
	if c.Here.EnvFile != "" {
		out = append(out, ask(1, "setup-env", "setup.env is as NetBird needs it", Here, func(f *facts.Facts) Outcome { return setupEnv(f, c) }))
	}
	switch {
	case hostfiles.IsCombined(c.Here.Management):
		out = append(out, ask(1, "config-yaml", "config.yaml is as NetBird needs it", Here, func(f *facts.Facts) Outcome { return combinedFile(f, c) }))
	case c.Here.Management != "":
		out = append(out, ask(1, "management-json", "management.json is as NetBird needs it", Here, func(f *facts.Facts) Outcome { return managementJSON(f, c) }))
	}
	if c.Here.Log != "" {
		out = append(out, ask(1, "netbird-log", "NetBird's log names no failure of a login", Here, func(f *facts.Facts) Outcome { return netBirdLog(f, c) }))
	}
	return out
}

func unreadable(name string, err error) Outcome {
	return Outcome{Verdict: Unknown, Evidence: clients.Clean(name + ": " + err.Error())}
}

// flaw is one thing wrong in a file.
type flaw struct {
	wrong                bool
	evidence, cause, hit string
}

// judged tells of the first thing wrong, and how many more there are.
func judged(name, repair, advice string, flaws []flaw) Outcome {
	var o Outcome
	n := 0
	for _, x := range flaws {
		if !x.wrong {
			continue
		}
		if n++; n == 1 {
			o = Outcome{Verdict: Fail, Evidence: clients.CleanN(x.evidence, 200), Cause: x.cause, Hits: x.hit, Repair: repair, Advice: advice}
		}
	}
	switch {
	case n == 0:
		return ok(clients.Clean(name))
	case n > 1:
		o.Evidence += fmt.Sprintf("; %d more", n-1)
	}
	return o
}

// shownValue is a value that may be a secret by mistake: only what it is
// compared with is told.
func shownValue(key, have string) string {
	if have == "" {
		return key + " is not set"
	}
	return key + " is set to something else"
}

func setupEnv(f *facts.Facts, c Case) Outcome {
	name := c.Here.EnvFile
	if err := f.Local.EnvFile.Err; errors.Is(err, fs.ErrNotExist) {
		return Outcome{Verdict: Warn, Evidence: clients.Clean(name), Cause: "setup.env is gone; NetBird runs on what configure.sh made of it, until that is run again", Repair: "setup-env"}
	} else if err != nil {
		return unreadable(name, err)
	}
	env, err := hostfiles.Read(f.Local.EnvFile.Value)
	if err != nil {
		return Outcome{Verdict: Fail, Evidence: clients.Clean(err.Error()), Cause: "bash can't read setup.env, so configure.sh fails", Hits: "NetBird can't be set up anew", Advice: "mend that line"}
	}
	id := f.Ask.ClientID
	port := first(env["NETBIRD_MGMT_API_PORT"], "33073")
	differs := func(key, want string) bool { return want != "" && env[key] != want }
	o := judged(name, "setup-env", "then run configure.sh, and NetBird's containers again", []flaw{
		{differs("NETBIRD_AUTH_AUDIENCE", id), shownValue("NETBIRD_AUTH_AUDIENCE", env["NETBIRD_AUTH_AUDIENCE"]), "the audience in setup.env is not the client id (an old page of Authentik's had the client secret there)", "people get \"401 token invalid\""},
		{differs("NETBIRD_AUTH_CLIENT_ID", id), shownValue("NETBIRD_AUTH_CLIENT_ID", env["NETBIRD_AUTH_CLIENT_ID"]), "the client id in setup.env is not that of the provider", "every login ends at \"Client ID Error\""},
		{differs("NETBIRD_AUTH_DEVICE_AUTH_CLIENT_ID", id), shownValue("NETBIRD_AUTH_DEVICE_AUTH_CLIENT_ID", env["NETBIRD_AUTH_DEVICE_AUTH_CLIENT_ID"]), "the client id for sign-ins with a code in setup.env is not that of the provider", "signing machines in with a code fails"},
		{differs("NETBIRD_AUTH_DEVICE_AUTH_AUDIENCE", id), shownValue("NETBIRD_AUTH_DEVICE_AUTH_AUDIENCE", env["NETBIRD_AUTH_DEVICE_AUTH_AUDIENCE"]), "the audience for sign-ins with a code in setup.env is not the client id", "machines that were signed in with a code are refused"},
		{env["NETBIRD_MGMT_IDP"] != "authentik", "NETBIRD_MGMT_IDP is " + first(env["NETBIRD_MGMT_IDP"], "not set"), "setup.env doesn't let NetBird read users from Authentik", "NetBird shows no names"},
		{differs("NETBIRD_IDP_MGMT_CLIENT_ID", id), shownValue("NETBIRD_IDP_MGMT_CLIENT_ID", env["NETBIRD_IDP_MGMT_CLIENT_ID"]), "the client id of the service account in setup.env is not that of the provider", noToken},
		{differs("NETBIRD_IDP_MGMT_EXTRA_USERNAME", c.Account), shownValue("NETBIRD_IDP_MGMT_EXTRA_USERNAME", env["NETBIRD_IDP_MGMT_EXTRA_USERNAME"]), "the user name in setup.env is not the service account's", noToken},
		{differs("NETBIRD_IDP_MGMT_EXTRA_PASSWORD", c.knownPassword(f, env)), shownValue("NETBIRD_IDP_MGMT_EXTRA_PASSWORD", env["NETBIRD_IDP_MGMT_EXTRA_PASSWORD"]), "the app password in setup.env is not the service account's", noToken},
		{differs("NETBIRD_AUTH_OIDC_CONFIGURATION_ENDPOINT", f.Authentik.Discovery.Value.URL), "NETBIRD_AUTH_OIDC_CONFIGURATION_ENDPOINT is " + first(env["NETBIRD_AUTH_OIDC_CONFIGURATION_ENDPOINT"], "not set"), "the address of the discovery document in setup.env is another one", "NetBird compares the issuer byte for byte and refuses every token"},
		{env["NETBIRD_AUTH_REDIRECT_URI"] != "/auth" || env["NETBIRD_AUTH_SILENT_REDIRECT_URI"] != "/silent-auth", "NETBIRD_AUTH_REDIRECT_URI is " + first(env["NETBIRD_AUTH_REDIRECT_URI"], "not set") + ", NETBIRD_AUTH_SILENT_REDIRECT_URI is " + first(env["NETBIRD_AUTH_SILENT_REDIRECT_URI"], "not set"), "the dashboard's redirect paths in setup.env are not /auth and /silent-auth", "people see 404, or go round in circles, after the login"},
		{!strings.Contains(env["NETBIRD_AUTH_SUPPORTED_SCOPES"], "offline_access"), "NETBIRD_AUTH_SUPPORTED_SCOPES is " + first(env["NETBIRD_AUTH_SUPPORTED_SCOPES"], "not set"), "setup.env doesn't ask for offline_access", "people are logged out after an hour"},
		{env["NETBIRD_AUTH_PKCE_DISABLE_PROMPT_LOGIN"] != "true", "NETBIRD_AUTH_PKCE_DISABLE_PROMPT_LOGIN is " + first(env["NETBIRD_AUTH_PKCE_DISABLE_PROMPT_LOGIN"], "not set"), "NetBird asks Authentik for a new login each time (prompt=login)", "people have to sign in twice, and logins by other services break off"},
	})
	if o.Verdict != OK {
		return o
	}
	at := portOf(c.NetBirdURL)
	if c.AskNetBird && f.NetBird.Instance.OK() && at == "443" && port != at {
		return Outcome{Verdict: Fail, Evidence: "NETBIRD_MGMT_API_PORT is " + clients.CleanN(port, 20) + ", and the API answers at " + at, Cause: "setup.env gives the dashboard a port for the API at which the proxy doesn't serve it",
			Hits: "the dashboard hangs at /peers, with a CORS or TLS error", Advice: "set NETBIRD_MGMT_API_PORT=443 and NETBIRD_SIGNAL_PORT=443 in setup.env, run configure.sh, and NetBird's containers again"}
	}
	return o
}

// knownPassword is the app password that setup.env should hold, "" where that
// isn't known or it was left out on purpose.
func (c Case) knownPassword(f *facts.Facts, env map[string]string) string {
	if !f.Local.AppPassword.OK() || c.OmitsPassword && env["NETBIRD_IDP_MGMT_EXTRA_PASSWORD"] == "" {
		return ""
	}
	return f.Local.AppPassword.Value
}

func portOf(url string) string {
	_, rest, _ := strings.Cut(url, "://")
	host, _, _ := strings.Cut(rest, "/")
	if i := strings.LastIndex(host, ":"); i > 0 && !strings.HasSuffix(host, "]") {
		return host[i+1:]
	}
	if strings.HasPrefix(url, "http://") {
		return "80"
	}
	return "443"
}

func managementJSON(f *facts.Facts, c Case) Outcome {
	name := c.Here.Management
	if err := f.Local.Management.Err; err != nil {
		return unreadable(name, err)
	}
	m, err := hostfiles.ReadManagement(f.Local.Management.Value)
	if err != nil {
		return Outcome{Verdict: Fail, Evidence: clients.Clean(err.Error()), Cause: "management.json is no JSON that NetBird can read", Hits: "NetBird doesn't start", Advice: "mend it, or put the backup beside it back"}
	}
	if !c.Standalone {
		if m.EmbeddedIdP {
			return ok(clients.Clean(name))
		}
		return Outcome{Verdict: Unknown, Evidence: "it turns the embedded IdP off, or says nothing of it"}
	}
	d := f.Authentik.Discovery.Value
	id := f.Ask.ClientID
	other := func(have, want string) bool { return want != "" && have != want }
	password := ""
	if f.Local.AppPassword.OK() {
		password = f.Local.AppPassword.Value
	}
	return judged(name, "management-json", "then restart NetBird", []flaw{
		{m.EmbeddedIdP, ".EmbeddedIdP.Enabled is true", "management.json turns the embedded IdP on, which overrules Authentik", "the login page is NetBird's own"},
		{m.Issuer == "" || m.Issuer == "null", ".HttpConfig.AuthIssuer is " + first(m.Issuer, "empty"), "management.json has no issuer: configure.sh could not read Authentik's discovery document when it made the file", "every login fails"},
		{!m.EncryptionKey, ".DataStoreEncryptionKey is empty", "management.json lost the key that NetBird's database is encrypted with: configure.sh was run where it didn't find the old file", "everybody, with tokens too, gets \"401 token invalid\""},
		{m.Issuer != "" && m.Issuer != "null" && other(m.Issuer, d.Issuer), ".HttpConfig.AuthIssuer is " + m.Issuer, "the issuer in management.json is not Authentik's, byte for byte", "every login fails with \"401 token invalid\""},
		{other(m.Audience, id), shownValue(".HttpConfig.AuthAudience", m.Audience), "the audience in management.json is not the client id (an old page of Authentik's had the client secret there)", "people get \"401 token invalid\""},
		{other(m.PKCEClientID, id), shownValue(".PKCEAuthorizationFlow.ProviderConfig.ClientID", m.PKCEClientID), "the client id for NetBird's own clients in management.json is not that of the provider", "logins from NetBird's desktop and mobile clients end at \"Client ID Error\""},
		{m.DeviceProvider == "hosted" && other(m.DeviceClientID, id), shownValue(".DeviceAuthorizationFlow.ProviderConfig.ClientID", m.DeviceClientID), "the client id for sign-ins with a code in management.json is not that of the provider", "signing machines in with a code fails"},
		{m.ManagerType != "authentik", ".IdpManagerConfig.ManagerType is " + first(m.ManagerType, "empty"), "management.json doesn't let NetBird read users from Authentik", "NetBird shows no names"},
		{other(m.ClientID, id), shownValue(".IdpManagerConfig.ClientConfig.ClientID", m.ClientID), "the client id of the service account in management.json is not that of the provider", noToken},
		{other(m.ServiceAccount, c.Account), shownValue(".IdpManagerConfig.ExtraConfig.Username", m.ServiceAccount), "the user name in management.json is not the service account's", noToken},
		{other(m.Password, password), shownValue(".IdpManagerConfig.ExtraConfig.Password", m.Password), "the app password in management.json is not the service account's", noToken},
		{m.UserIDClaim != "" && m.UserIDClaim != "sub", ".HttpConfig.AuthUserIDClaim is " + m.UserIDClaim, "management.json has NetBird take people's ids from another claim than Authentik's sub", "NetBird can't look people up"},
		{len(m.RedirectURLs) > 0 && !anyLoopback(m.RedirectURLs), ".PKCEAuthorizationFlow.ProviderConfig.RedirectURLs is " + strings.Join(m.RedirectURLs, ", "), "management.json names no address on the machine itself for NetBird's clients", "logins from NetBird's desktop and mobile clients fail"},
		{!m.DisablePromptLogin, ".PKCEAuthorizationFlow.ProviderConfig.DisablePromptLogin is false", "NetBird asks Authentik for a new login each time (prompt=login)", "people have to sign in twice, and logins by other services break off"},
	})
}

func anyLoopback(list []string) bool {
	for _, u := range list {
		if strings.HasPrefix(u, "http://localhost:") || strings.HasPrefix(u, "http://127.0.0.1:") {
			return true
		}
	}
	return false
}

// symptom is a line of NetBird's log and what is behind it.
type symptom struct {
	says        string // a part of the line, in lower case
	near        string // words, any of which must be in it too; "" for none
	cause, hits string
	advice      string
}

// symptoms are the lines that people quote, the telling ones first.
var symptoms = []symptom{
	{"key is not a valid rsa public key", "", "the provider signs with a key that is not RSA", "every login fails", "authbird doctor --fix gives the provider an RSA key"},
	{"unable to find appropriate key", "", "Authentik's signing key was changed, and NetBird reads the keys once, when it starts", "every login fails until NetBird restarts", "restart NetBird; set NETBIRD_MGMT_IDP_SIGNKEY_REFRESH=true in setup.env so that it looks again by itself"},
	{"token used before issued", "", "the clock of Authentik runs ahead of NetBird's", "logins fail, often just the first try", "let both hosts keep time by NTP"},
	{"unable to get authentik token", "", "Authentik refuses the service account: another password than its app password, another name, or a group that it isn't in", "people get \"401 token invalid\"", "authbird doctor with a token for Authentik tells which"},
	{"403 forbidden", "cache idp authentik users", "the service account may not read users, or the provider lacks the scope mapping goauthentik.io/api", "people get \"401 token invalid\"", "authbird doctor with a token for Authentik tells which"},
	{"idp configuration is incomplete", "", "management.json was made while Authentik's discovery document could not be read", "NetBird doesn't start", "run configure.sh again once the document answers"},
	{"invalid character", "oidc idp token configuration issuer", "something else than JSON answered where NetBird looked for Authentik's discovery document or for a token", "NetBird doesn't start, or can't read users", "open the discovery document with curl from NetBird's host"},
	{"user does not belong to any of the allowed jwt groups", "", "NetBird's list of groups that may log in (JWT allow groups) shut somebody out", "they get \"401 token invalid\"", "authbird doctor with a token for NetBird looks whether it is the owner"},
	{"unregistered redirect_uri", "", "NetBird's embedded IdP doesn't know the address that a login should end at; NetBird 0.71.0 makes that mistake by itself", "that login fails", "update NetBird, or add the address to its configuration"},
	{"invalid issuer", "", "the issuer in NetBird's configuration is not Authentik's, byte for byte", "every login fails", "the slash at its end counts"},
	{"invalid audience", "", "the audience in NetBird's configuration is not the client id", "every login fails", "NETBIRD_AUTH_AUDIENCE is the client id, not the client secret"},
	{"slow_down", "", "Authentik's limit of about 20 sign-ins with a code an hour for each address was reached", "signing machines in with a code fails for a while", "wait, and let the proxy pass on the clients' addresses"},
	{"invalid grant_type for provider", "", "the provider allows no grant types, as those made by API since Authentik 2026.5", "every login fails", "authbird doctor --fix sets them"},
	{"x509:", "authentik openid issuer oidc idp", "NetBird doesn't trust Authentik's certificate", "NetBird can't reach Authentik", "give Authentik a public certificate, or put its CA into NetBird's container"},
	{"no such host", "authentik openid issuer oidc idp", "NetBird's container doesn't know Authentik's name", "NetBird can't reach Authentik", "check the container's DNS"},
}

// netBirdLog warns, no more: a line may be older than what was mended since.
func netBirdLog(f *facts.Facts, c Case) Outcome {
	if err := f.Local.Log.Err; err != nil {
		return unreadable(c.Here.Log, err)
	}
	for _, s := range symptoms {
		if line, n := lastLine(f.Local.Log.Value, s); n > 0 {
			evidence := clients.CleanN(secretless(line, f), 240)
			if n > 1 {
				evidence += fmt.Sprintf(" (%d times)", n)
			}
			return Outcome{Verdict: Warn, Evidence: evidence, Cause: s.cause, Hits: s.hits, Advice: s.advice}
		}
	}
	return ok("none of the known lines")
}

// lastLine is the newest line that tells of a symptom, and how many do.
func lastLine(log []byte, s symptom) (line string, n int) {
	lines := bufio.NewScanner(bytes.NewReader(log))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if lower := strings.ToLower(lines.Text()); strings.Contains(lower, s.says) && s.fits(lower) {
			line, n = lines.Text(), n+1
		}
	}
	return line, n
}

func (s symptom) fits(line string) bool {
	for word := range strings.FieldsSeq(s.near) {
		if strings.Contains(line, word) {
			return true
		}
	}
	return s.near == ""
}

// secretless takes out of a line what must not be shown.
func secretless(line string, f *facts.Facts) string {
	for _, secret := range []string{f.Local.AppPassword.Value, f.Local.ClientSecret.Value} {
		if secret != "" {
			line = strings.ReplaceAll(line, secret, "***")
		}
	}
	return line
}
