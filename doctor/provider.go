package doctor

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"authbird/clients"
	"authbird/clients/authentik"
	"authbird/facts"
)

// repairProvider names the repair of one field of the provider: the step, and
// the field by the API's name for it.
func repairProvider(field string) string { return "provider." + field }

// provider asks of the fields of the provider that have a check of their own.
func (c Case) provider() []Question {
	after := []string{idAuthentik, idAuthToken, idProvider}
	out := []Question{
		ask(1, idEncryption, "NetBird can read the tokens", Authentik, encryptionKey, after...),
		ask(1, idGrants, "the provider allows NetBird's ways to log in", Authentik, func(f *facts.Facts) Outcome { return grantTypes(f, c) }, after...),
		ask(1, "issuer-mode", "the provider has an issuer of its own", Authentik, issuerMode, after...),
		ask(1, "claims", "NetBird is told name and address", Authentik, claims, append(after, idApplication, idDiscovery)...),
	}
	if !c.Standalone {
		return out
	}
	return append(out,
		ask(1, "offline-access", "people stay logged in", Authentik, offlineAccess, append(after, idApplication, idDiscovery)...),
		ask(1, "client-type", "the provider is a public client", Authentik, clientType, after...),
		ask(1, "subject-mode", "NetBird can look people up", Authentik, func(f *facts.Facts) Outcome { return subjectMode(f) }, after...),
		ask(1, "code-validity", "there is time to enter a code", Authentik, codeValidity, after...),
		ask(1, "device-flow", "a sign-in with a code leads somewhere", Authentik, deviceCodeFlow, idAuthentik),
		ask(1, "device-limit", "the limit on sign-ins with a code counts each client", Authentik, sharedAddress, idAuthentik, idAuthToken),
	)
}

// stands gives the provider, and otherwise the outcome of a check that needs it.
func stands(f *facts.Facts) (authentik.Provider, Outcome, bool) {
	if !f.Authentik.Providers.OK() {
		return authentik.Provider{}, unread(f.Authentik.Providers.Err), false
	}
	p := f.Provider()
	return p, unread(nil), p.PK != 0
}

func providerStands(f *facts.Facts, c Case) Outcome {
	if !f.Authentik.Providers.OK() {
		return unreadAt(authentikHealthy(f), f.Authentik.Providers.Err)
	}
	if p := f.Provider(); p.PK != 0 {
		return ok(clients.Clean(p.Name))
	}
	switch {
	case f.Ask.ClientID == "" && !c.Standalone && f.NetBird.Providers.OK():
		return Outcome{Verdict: Unknown, Evidence: "NetBird has no connector that leads to one"} // told there
	case f.Ask.ClientID == "":
		return Outcome{Verdict: Fail, Cause: "which provider NetBird uses could not be found", Hits: "nothing that depends on it could be looked at",
			Advice: "name the application with --slug"}
	}
	o := Outcome{Verdict: Fail, Evidence: "no provider has the client id " + clients.CleanN(f.Ask.ClientID, 48),
		Cause: "the provider that NetBird uses is gone from Authentik", Hits: "every login ends at \"Client ID Error\"", Repair: "provider"}
	for _, p := range f.Authentik.Providers.Value {
		if p.Name == f.Ask.Name {
			o.Evidence = fmt.Sprintf("a provider %q stands there with another client id, %s", clients.Clean(p.Name), clients.CleanN(p.ClientID, 48))
			o.Cause = "the provider that NetBird uses is gone, and another one of its name stands in the way of making it again"
		}
	}
	return o
}

func applicationLinked(f *facts.Facts) Outcome {
	app := f.Authentik.Application
	if f.Ask.Slug == "" {
		return unread(nil) // of a connection that could not be found
	}
	if app.Absent() && authentikHealthy(f) {
		return Outcome{Verdict: Fail, Evidence: "no application has the slug " + clients.Clean(f.Ask.Slug), Cause: "the application that hands out the provider is gone",
			Hits: "every login ends at \"Permission denied\", and NetBird finds no discovery document", Repair: "application"}
	}
	if !app.OK() {
		return unreadAt(authentikHealthy(f), app.Err)
	}
	p, o, is := stands(f)
	if !is {
		return o
	}
	if app.Value.Provider == p.PK {
		return ok(clients.Clean(app.Value.Slug) + " hands out " + clients.Clean(p.Name))
	}
	out := Outcome{Verdict: Fail, Evidence: fmt.Sprintf("the application %s has the provider number %d, not %d", clients.Clean(app.Value.Slug), app.Value.Provider, p.PK),
		Cause: "the application is linked to another provider than NetBird uses", Hits: "every login fails", Repair: "application"}
	if app.Value.Provider == 0 {
		out.Evidence = "the application " + clients.Clean(app.Value.Slug) + " has no provider"
		out.Cause = "the application is not linked to the provider"
		out.Hits = "every login ends at \"Permission denied\", and NetBird finds no discovery document"
	}
	return out
}

func discoveryFit(f *facts.Facts) Outcome {
	d := f.Authentik.Discovery
	switch {
	case !d.Read:
		return unread(nil)
	case d.Absent():
		return Outcome{Verdict: Fail, Cause: "Authentik has no discovery document for the application", Hits: "every login fails", Repair: "application"}
	case clients.KindOf(d.Err) == clients.WrongServer:
		return Outcome{Verdict: Fail, Evidence: clients.Clean(d.Err.Error()), Cause: "what answers at the address of the discovery document is not the document: a proxy, a login page or a firewall stands in front of it",
			Hits: "NetBird doesn't start (\"invalid character\", \"IdP configuration is incomplete\"), or calls the issuer unreachable", Advice: "open " + clients.Clean(d.Value.URL) + " with curl, and let it through to Authentik"}
	case d.Err != nil:
		return failed(d.Err, "")
	}
	return foreignIssuer(f)
}

// foreignIssuer judges where the document points to: NetBird compares the
// issuer byte for byte, and people are sent to the addresses in it.
func foreignIssuer(f *facts.Facts) Outcome {
	d := f.Authentik.Discovery.Value
	evidence := "issuer " + clients.Clean(d.Issuer)
	switch {
	case strings.HasPrefix(d.Base, "https://") && strings.HasPrefix(d.Issuer, "http://"):
		return Outcome{Verdict: Fail, Evidence: evidence, Cause: "Authentik's issuer is http although it is reached over https: the proxy in front of it doesn't pass on X-Forwarded-Proto",
			Hits: "NetBird refuses every token", Advice: "let the proxy send X-Forwarded-Proto: https"}
	case len(d.Foreign) > 0:
		return Outcome{Verdict: Fail, Evidence: evidence, Cause: "Authentik's discovery names another address than the one you gave",
			Hits:   "NetBird compares the issuer byte for byte, and browsers are sent to that other address",
			Advice: "let the proxy in front of Authentik pass on Host and X-Forwarded-Proto, or use the address that Authentik names"}
	}
	return ok(evidence)
}

// signingKey judges by the provider and, where that may not be read, by the
// public key set.
func signingKey(f *facts.Facts, c Case) Outcome {
	if p, _, is := stands(f); is {
		switch kind := keyType(f, p.SigningKey); {
		case p.SigningKey == "":
			return noSigningKey("the provider has no signing key")
		case kind != "" && kind != "rsa":
			return c.notRSA("the provider's signing key is of type " + clients.Clean(kind))
		}
	}
	keys := f.Proof.Keys
	switch {
	case !keys.OK():
		return failedOrUnread(keys.Err)
	case len(keys.Value) == 0:
		return noSigningKey("the key set is empty")
	}
	for _, k := range keys.Value {
		if k.Type == "RSA" {
			return ok("RS256, key " + clients.CleanN(k.ID, 12))
		}
	}
	return c.notRSA("the key set has the type " + clients.Clean(keys.Value[0].Type))
}

func noSigningKey(evidence string) Outcome {
	return Outcome{Verdict: Fail, Evidence: evidence, Cause: "the provider has no signing key, so Authentik signs with the client secret (HS256), which NetBird refuses",
		Hits: "every login fails without a word, or with \"401 token invalid\"", Repair: repairProvider("signing_key")}
}

// notRSA is fatal to a standalone NetBird. The embedded IdP takes other keys, but
// goes by the algorithms that it read when it first used the connector: so it
// needs a restart after a change of the kind, in either direction.
func (c Case) notRSA(evidence string) Outcome {
	if !c.Standalone {
		return Outcome{Verdict: Warn, Evidence: evidence, Cause: "the provider's signing key is not RSA; NetBird's embedded IdP takes that, but after a change of the kind only once it has restarted",
			Advice: "if logins fail since the key was changed, restart NetBird"}
	}
	return Outcome{Verdict: Fail, Evidence: evidence, Cause: "the provider's signing key is not RSA, and NetBird takes every key that comes with a certificate for RSA",
		Hits: "every login fails; NetBird logs \"key is not a valid RSA public key\"", Repair: repairProvider("signing_key")}
}

// keyType is the type of a key pair, "" where it isn't known.
func keyType(f *facts.Facts, pk string) string {
	for _, k := range f.Authentik.Keys.Value {
		if k.PK == pk {
			return k.KeyType
		}
	}
	return ""
}

// soon is how long before an end it is told.
const soon = 30 * 24 * time.Hour

func signingCertificate(f *facts.Facts) Outcome {
	p, o, is := stands(f)
	if !is || p.SigningKey == "" {
		return o
	}
	for _, k := range f.Authentik.Keys.Value {
		end, err := time.Parse(time.RFC3339, k.CertExpiry)
		if k.PK != p.SigningKey || err != nil {
			continue
		}
		name, day := clients.Clean(k.Name), end.Format("2 January 2006")
		switch {
		case end.Before(f.At):
			return Outcome{Verdict: Warn, Evidence: name + ", until " + day, Cause: "the signing certificate has expired; NetBird doesn't look at that, so logins go on", Advice: "renew it in Authentik when it suits you (System, Certificates)"}
		case end.Sub(f.At) < soon:
			return Outcome{Verdict: Warn, Evidence: name + ", until " + day, Cause: "the signing certificate expires soon; NetBird doesn't look at that, so logins will go on", Advice: "renew it in Authentik when it suits you (System, Certificates)"}
		}
		return ok(name + ", until " + day)
	}
	return unread(nil)
}

func encryptionKey(f *facts.Facts) Outcome {
	p, o, is := stands(f)
	switch {
	case !is:
		return o
	case p.EncryptionKey != "":
		return Outcome{Verdict: Fail, Evidence: "the provider has an encryption key", Cause: "Authentik encrypts the tokens, and NetBird can't read them", Hits: "every login fails", Repair: repairProvider("encryption_key")}
	}
	return ok("not encrypted")
}

func grantTypes(f *facts.Facts, c Case) Outcome {
	p, o, is := stands(f)
	if !is {
		return o
	}
	if p.GrantTypes == nil {
		return ok("this version doesn't limit them")
	}
	need := []string{authentik.GrantAuthorizationCode, authentik.GrantRefreshToken}
	if c.Standalone {
		need = append(need, authentik.GrantClientCredentials, authentik.GrantPassword, authentik.GrantDeviceCode)
	}
	var lacks []string
	for _, g := range need {
		if !slices.Contains(p.GrantTypes, g) {
			lacks = append(lacks, g[strings.LastIndex(g, ":")+1:])
		}
	}
	if len(lacks) == 0 {
		return ok("")
	}
	return Outcome{Verdict: Fail, Evidence: "it lacks " + sorted(lacks), Cause: "the provider doesn't allow the grant types that NetBird uses; since Authentik 2026.5 a provider made by API allows none",
		Hits: "logins end at \"Invalid grant_type for provider\"", Repair: repairProvider("grant_types")}
}

func issuerMode(f *facts.Facts) Outcome {
	p, o, is := stands(f)
	switch {
	case !is:
		return o
	case p.IssuerMode == "global":
		return Outcome{Verdict: Fail, Evidence: "issuer mode global", Cause: "the provider calls itself by Authentik's address alone, where there is no discovery document",
			Hits: "NetBird compares the issuer with the one it was given, and refuses every token", Repair: repairProvider("issuer_mode")}
	}
	return ok("")
}

// lackingScopes is what of the scopes the provider has no mapping for. The
// discovery names those of a person's own mappings too.
func lackingScopes(f *facts.Facts, need ...string) (lacks []string, known bool) {
	if !f.Authentik.Discovery.OK() || len(f.Authentik.Discovery.Value.Scopes) == 0 {
		return nil, false
	}
	for _, s := range need {
		if !slices.Contains(f.Authentik.Discovery.Value.Scopes, s) {
			lacks = append(lacks, s)
		}
	}
	return lacks, true
}

func claims(f *facts.Facts) Outcome {
	if p, _, is := stands(f); is && !p.IncludeClaimsInIDToken {
		return Outcome{Verdict: Fail, Evidence: "claims are left out of the id_token", Cause: "the provider leaves name and address out of the id_token, where NetBird looks for them",
			Hits: "logins end at an error page (missing \"name\" claim)", Repair: repairProvider("include_claims_in_id_token")}
	}
	lacks, known := lackingScopes(f, "openid", "email", "profile")
	switch {
	case !known:
		return unread(nil)
	case len(lacks) > 0:
		return Outcome{Verdict: Fail, Evidence: "no scope mapping for " + sorted(lacks), Cause: "the provider lacks scope mappings, so NetBird isn't told who logs in",
			Hits: "logins end at an error page (missing \"name\" or \"email\" claim)", Repair: repairProvider("property_mappings")}
	}
	return ok("openid, email, profile")
}

func offlineAccess(f *facts.Facts) Outcome {
	lacks, known := lackingScopes(f, "offline_access")
	switch {
	case !known:
		return unread(nil)
	case len(lacks) > 0:
		return Outcome{Verdict: Fail, Evidence: "no scope mapping for offline_access", Cause: "the provider lacks the scope mapping offline_access, so no login can be renewed",
			Hits: "people are logged out, or get \"401\", after an hour", Repair: repairProvider("property_mappings")}
	}
	return ok("")
}

func clientType(f *facts.Facts) Outcome {
	p, o, is := stands(f)
	switch {
	case !is:
		return o
	case p.ClientType != "public":
		return Outcome{Verdict: Fail, Evidence: "client type " + clients.Clean(p.ClientType), Cause: "the provider expects a client secret, which NetBird's dashboard and clients don't have",
			Hits: "logins fail after the password (invalid_client)", Repair: repairProvider("client_type")}
	}
	return ok("public")
}

// subjectMode can be mended as long as nobody has logged in: afterwards it
// would make everybody a new user.
func subjectMode(f *facts.Facts) Outcome {
	p, o, is := stands(f)
	if !is {
		return o
	}
	if p.SubMode == "user_id" {
		return ok("the user's ID")
	}
	out := Outcome{Verdict: Fail, Evidence: "subject mode " + clients.Clean(p.SubMode), Cause: "the provider names people otherwise than by their ID, and NetBird looks them up by that number",
		Hits: "NetBird can't find people in Authentik, and shows no names"}
	for _, e := range f.Authentik.Events.Value {
		if e.ClientID == p.ClientID || e.ClientID == "" && e.Application == p.AssignedApplicationName && e.Application != "" {
			out.Advice = "people have logged in already, and would come back as new users: decide when, then set the subject mode to \"Based on the User's ID\" in Authentik"
			return out
		}
	}
	if !f.Authentik.Events.OK() {
		out.Advice = "if nobody has logged in yet, set the subject mode to \"Based on the User's ID\" in Authentik; afterwards people come back as new users"
		return out
	}
	out.Repair = repairProvider("sub_mode")
	return out
}

// enoughCode is how long the documentation lets a code live.
const enoughCode = 10 * time.Minute

func codeValidity(f *facts.Facts) Outcome {
	p, o, is := stands(f)
	if !is {
		return o
	}
	d, known := validity(p.AccessCodeValidity)
	if known && d < enoughCode {
		return Outcome{Verdict: Fail, Evidence: "access code validity " + clients.Clean(p.AccessCodeValidity), Cause: "codes live for " + d.String() + " only, and so does the code of a machine that is signed in",
			Hits: "whoever needs longer, for a second factor say, has to start over", Repair: repairProvider("access_code_validity")}
	}
	return ok(clients.Clean(p.AccessCodeValidity))
}

// validity reads Authentik's way to write a duration: hours=3;minutes=1.
func validity(text string) (d time.Duration, known bool) {
	units := map[string]time.Duration{"weeks": 7 * 24 * time.Hour, "days": 24 * time.Hour, "hours": time.Hour, "minutes": time.Minute,
		"seconds": time.Second, "milliseconds": time.Millisecond, "microseconds": time.Microsecond}
	for part := range strings.SplitSeq(text, ";") {
		unit, number, _ := strings.Cut(strings.TrimSpace(part), "=")
		n, err := strconv.ParseFloat(number, 64)
		if units[unit] == 0 || err != nil {
			return 0, false
		}
		d += time.Duration(n * float64(units[unit]))
	}
	return d, true
}
