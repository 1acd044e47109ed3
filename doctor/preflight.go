package doctor

import (
	"fmt"
	"strings"
	"time"

	"authbird/clients"
	"authbird/clients/authentik"
	"authbird/facts"
)

// Wants is what a preflight needs to know of the answers.
type Wants struct {
	AuthorizationFlow  string // slug
	AuthenticationFlow string // slug
	SigningKey         string // name; empty: the first RSA key
	Groups             []string
	Mappings           []string // managed names
	AllowHTTP          bool
	AuthentikURL       string
	NetBirdURL         string
}

// Preflight is what must hold before a connector setup writes anything.
func Preflight(w Wants) []Check {
	return []Check{
		{"authentik-answers", "Authentik answers", Authentik, func(f *facts.Facts) Outcome { return authentikAnswers(f, w) }},
		{"authentik-token", "the token is good at Authentik", Authentik, func(f *facts.Facts) Outcome { return authentikToken(f, w) }},
		{"authentik-version", "Authentik's version is supported", Authentik, authentikVersion},
		{"authentik-rights", "the token may set this up", Authentik, authentikRights},
		{"authentik-token-end", "the token lives long enough", Authentik, authentikTokenEnd},
		{"authentik-flows", "the flows exist", Authentik, func(f *facts.Facts) Outcome { return authentikFlows(f, w) }},
		{"authentik-mappings", "the scope mappings exist", Authentik, func(f *facts.Facts) Outcome { return authentikMappings(f, w) }},
		{"authentik-key", "there is an RSA signing key", Authentik, func(f *facts.Facts) Outcome { return authentikKey(f, w) }},
		{"authentik-groups", "the groups exist", Authentik, func(f *facts.Facts) Outcome { return authentikGroups(f, w) }},
		{"netbird-answers", "NetBird answers", NetBird, func(f *facts.Facts) Outcome { return netBirdAnswers(f, w) }},
		{"netbird-token", "the token is good at NetBird", NetBird, func(f *facts.Facts) Outcome { return netBirdToken(f, w) }},
		{"netbird-version", "NetBird's version is supported", NetBird, netBirdVersion},
		{"netbird-rights", "the token may make connectors", NetBird, netBirdRights},
		{"netbird-embedded", "NetBird's embedded IdP is on", NetBird, func(f *facts.Facts) Outcome { return netBirdEmbedded(f, w) }},
		{"netbird-domain", "NetBird's account has a domain", NetBird, netBirdDomain},
		{"netbird-approval", "whether new users must be approved", NetBird, netBirdApproval},
		{"clocks", "the clocks agree", Between, clocks},
		{"reach", "NetBird reaches Authentik", Between, reach},
	}
}

func ok(evidence string) Outcome { return Outcome{Verdict: OK, Evidence: evidence} }

// unread is the outcome of a check whose fact could not be read for a reason
// that another check already names.
func unread(err error) Outcome {
	if err == nil {
		return Outcome{Verdict: Unknown}
	}
	return Outcome{Verdict: Unknown, Evidence: clients.Clean(err.Error())}
}

// unreadAt is the outcome of a check whose fact could not be read: a failure of
// its own, unless the server or the token is to blame, which other checks name.
func unreadAt(healthy bool, err error) Outcome {
	if !healthy || err == nil {
		return unread(err)
	}
	return failed(err, "")
}

// authentikHealthy and netBirdHealthy say whether the server answers and knows
// the token.
func authentikHealthy(f *facts.Facts) bool { return f.Authentik.Hello.OK() && f.Authentik.Me.OK() }

func netBirdHealthy(f *facts.Facts) bool { return f.NetBird.Instance.OK() && f.NetBird.Me.OK() }

// failed is the outcome where a server could not be asked.
func failed(err error, advice string) Outcome {
	o := Outcome{Verdict: Fail, Cause: clients.Clean(err.Error()), Advice: advice}
	switch clients.KindOf(err) {
	case clients.Unauthorised, clients.Forbidden:
		o.Blame = NotAllowed
	default:
		o.Blame = Unreachable
	}
	return o
}

func authentikAnswers(f *facts.Facts, w Wants) Outcome {
	if o, bad := insecure(w.AuthentikURL, w); bad {
		return o
	}
	if err := f.Authentik.Hello.Err; err != nil {
		return failed(err, unreachableAdvice(err, "--authentik-url", w.AuthentikURL))
	}
	return ok(certificate(f.Authentik.Hello.Value.Meta))
}

func netBirdAnswers(f *facts.Facts, w Wants) Outcome {
	if o, bad := insecure(w.NetBirdURL, w); bad {
		return o
	}
	if err := f.NetBird.Instance.Err; err != nil {
		if f.NetBird.Accounts.OK() { // it answers as NetBird does, and doesn't know what it is asked
			return Outcome{Verdict: Fail, Blame: Person, Evidence: clients.Clean(err.Error()), Cause: "this NetBird is too old: authbird needs " + oldestNetBird + " or later",
				Advice: "update NetBird first"}
		}
		return failed(err, unreachableAdvice(err, "--netbird-url", w.NetBirdURL))
	}
	return ok(certificate(f.NetBird.Instance.Value.Meta))
}

// unreachableAdvice tells an untrusted certificate from a wrong address.
func unreachableAdvice(err error, flag, url string) string {
	if strings.Contains(err.Error(), "certificate") {
		return "if that certificate is your own, name its authority with --ca-file"
	}
	return "check " + flag + ", and open " + url + " from this machine"
}

func insecure(url string, w Wants) (Outcome, bool) {
	if w.AllowHTTP || !clients.InsecureBeyondLoopback(url) {
		return Outcome{}, false
	}
	return Outcome{Verdict: Fail, Cause: url + " is http: tokens and secrets would cross the network in the clear",
		Advice: "use its https address, or --allow-http if this network is yours alone"}, true
}

func certificate(m clients.Meta) string {
	if m.CertNotAfter.IsZero() {
		return ""
	}
	return "certificate good until " + m.CertNotAfter.Format("2 January 2006")
}

func authentikToken(f *facts.Facts, w Wants) Outcome {
	if err := f.Authentik.Me.Err; err != nil {
		if f.Authentik.Hello.Err != nil {
			return unread(nil)
		}
		if !aboutToken(err) {
			return failed(err, unreachableAdvice(err, "--authentik-url", w.AuthentikURL))
		}
		return failed(err, "make an API token in Authentik: Directory, Tokens and App passwords, Create, intent API Token; it goes into AUTHENTIK_TOKEN or --authentik-token-file")
	}
	return ok("it is " + clients.Clean(f.Authentik.Me.Value.Username) + "'s")
}

// aboutToken says that the server refused the token, rather than not answering
// as it should.
func aboutToken(err error) bool {
	k := clients.KindOf(err)
	return k == clients.Unauthorised || k == clients.Forbidden
}

// TokenEnd is when the token in use ends, as far as it can be told: Authentik
// doesn't say which of the owner's API tokens it is, so only if none of them
// ends, or there is just one, the answer is known. Zero: never.
func TokenEnd(tokens []authentik.Token) (end time.Time, known bool) {
	for _, t := range tokens {
		if !t.Expiring {
			continue
		}
		if len(tokens) > 1 {
			return time.Time{}, false
		}
		end = t.Expires
	}
	return end, len(tokens) > 0
}

// enoughTime is what a setup with a person at the keys may take.
const enoughTime = 10 * time.Minute

func authentikTokenEnd(f *facts.Facts) Outcome {
	if !f.Authentik.Me.OK() || !f.Authentik.Tokens.OK() {
		return unread(nil)
	}
	var own []authentik.Token
	for _, t := range f.Authentik.Tokens.Value {
		if t.User == f.Authentik.Me.Value.PK {
			own = append(own, t)
		}
	}
	end, known := TokenEnd(own)
	switch {
	case !known:
		return ok("")
	case end.IsZero():
		return ok("it doesn't expire")
	case end.Sub(f.At) < enoughTime:
		return Outcome{Verdict: Warn, Evidence: end.Format(time.RFC3339), Cause: fmt.Sprintf("the Authentik token ends in %s", end.Sub(f.At).Round(time.Minute)),
			Advice: "if it ends under way, make another and run authbird resume"}
	}
	return ok("it ends in " + end.Sub(f.At).Round(time.Minute).String())
}

// The versions of Authentik that authbird was made for.
const (
	oldestAuthentik, newestAuthentik = "2024.12", "2026.8"
	oldestNetBird, newestNetBird     = "0.62", "0.78"
)

func authentikVersion(f *facts.Facts) Outcome {
	if !f.Authentik.Version.OK() {
		return unreadAt(authentikHealthy(f), f.Authentik.Version.Err)
	}
	return versionBetween("Authentik", f.Authentik.Version.Value, oldestAuthentik, newestAuthentik)
}

func versionBetween(product, have, oldest, newest string) Outcome {
	shown := clients.CleanN(have, 40)
	if olderThan(have, oldest) {
		return Outcome{Verdict: Fail, Evidence: shown, Cause: fmt.Sprintf("%s %s is too old: authbird needs %s or later", product, shown, oldest),
			Advice: "update " + product + " first"}
	}
	if olderThan(newest, have) {
		return Outcome{Verdict: Warn, Evidence: shown, Cause: fmt.Sprintf("%s %s is newer than authbird knows (%s): every step is still checked after it was done", product, shown, newest)}
	}
	return ok(shown)
}

// authentikRights holds for an administrator, and for anybody else if all that
// a setup reads could be read.
func authentikRights(f *facts.Facts) Outcome {
	if !f.Authentik.Me.OK() {
		return unread(nil)
	}
	if f.Authentik.Me.Value.Superuser {
		return ok("an administrator's")
	}
	var lacks []string
	for what, err := range map[string]error{
		"flows": f.Authentik.Flows.Err, "scope mappings": f.Authentik.Mappings.Err,
		"certificates": f.Authentik.Keys.Err, "providers": f.Authentik.Providers.Err,
	} {
		if clients.KindOf(err) == clients.Forbidden {
			lacks = append(lacks, what)
		}
	}
	who := clients.Clean(f.Authentik.Me.Value.Username)
	if len(lacks) > 0 {
		return Outcome{Verdict: Fail, Blame: NotAllowed, Evidence: who + " may not read " + sorted(lacks),
			Cause: "the Authentik token of " + who + " lacks rights: it may not read " + sorted(lacks), Advice: "use a token of an administrator (a member of authentik Admins)"}
	}
	return Outcome{Verdict: Warn, Evidence: who + " is no administrator", Cause: "the Authentik token belongs to " + who + ", who is no administrator; whether it may create is seen when it does"}
}

func authentikFlows(f *facts.Facts, w Wants) Outcome {
	if !f.Authentik.Flows.OK() {
		return unreadAt(authentikHealthy(f), f.Authentik.Flows.Err)
	}
	for _, slug := range []string{w.AuthenticationFlow, w.AuthorizationFlow, authentik.InvalidationFlowSlug} {
		if slug != "" && !hasFlow(f, slug) {
			return Outcome{Verdict: Fail, Evidence: "no flow has the slug " + slug, Cause: fmt.Sprintf("Authentik has no flow %q", slug),
				Advice: "choose another with --authorization-flow, or have Authentik's default blueprints applied again"}
		}
	}
	return ok("")
}

func hasFlow(f *facts.Facts, slug string) bool {
	for _, flow := range f.Authentik.Flows.Value {
		if flow.Slug == slug {
			return true
		}
	}
	return false
}

func authentikMappings(f *facts.Facts, w Wants) Outcome {
	if !f.Authentik.Mappings.OK() {
		return unreadAt(authentikHealthy(f), f.Authentik.Mappings.Err)
	}
	have := map[string]bool{}
	for _, m := range f.Authentik.Mappings.Value {
		have[m.Managed] = true
	}
	for _, name := range w.Mappings {
		if !have[name] {
			short := strings.TrimPrefix(name, "goauthentik.io/providers/oauth2/scope-")
			return Outcome{Verdict: Fail, Evidence: "no mapping is managed as " + name, Cause: fmt.Sprintf("Authentik lacks its own scope mapping %q", short),
				Advice: "in Authentik, apply the blueprint \"System - OAuth2 Provider - Scopes\" again"}
		}
	}
	return ok("")
}

func authentikKey(f *facts.Facts, w Wants) Outcome {
	if !f.Authentik.Keys.OK() {
		return unreadAt(authentikHealthy(f), f.Authentik.Keys.Err)
	}
	key, found := SigningKey(f, w.SigningKey)
	switch {
	case !found && w.SigningKey != "":
		return Outcome{Verdict: Fail, Cause: fmt.Sprintf("Authentik has no certificate named %q with a private key", clients.Clean(w.SigningKey)), Advice: "choose another with --signing-key"}
	case !found:
		return Outcome{Verdict: Fail, Cause: "Authentik has no RSA certificate to sign with; NetBird refuses any other kind",
			Advice: "in Authentik: System, Certificates, Generate, key type RSA"}
	case key.KeyType != "" && key.KeyType != "rsa":
		return Outcome{Verdict: Fail, Evidence: clients.Clean(key.KeyType), Cause: fmt.Sprintf("the certificate %q is not RSA, and NetBird refuses any other kind", clients.Clean(key.Name)), Advice: "choose an RSA one with --signing-key"}
	}
	if end, err := time.Parse(time.RFC3339, key.CertExpiry); err == nil && end.Before(f.At) {
		return Outcome{Verdict: Warn, Evidence: clients.Clean(key.Name), Cause: fmt.Sprintf("the certificate %q expired on %s; it still signs", clients.Clean(key.Name), end.Format(time.DateOnly))}
	}
	return ok(clients.Clean(key.Name))
}

// SigningKey is the key pair of that name or, where none is named, Authentik's
// self-signed one or the first RSA one.
func SigningKey(f *facts.Facts, name string) (authentik.KeyPair, bool) {
	var first authentik.KeyPair
	for _, k := range f.Authentik.Keys.Value {
		rsa := k.KeyType == "rsa" || k.KeyType == ""
		switch {
		case name != "" && k.Name == name, name == "" && rsa && k.Name == "authentik Self-signed Certificate":
			return k, true
		case name == "" && rsa && first.PK == "":
			first = k
		}
	}
	return first, first.PK != ""
}

func authentikGroups(f *facts.Facts, w Wants) Outcome {
	for _, name := range w.Groups {
		g := f.Authentik.Groups[name]
		if g.Err != nil {
			return unreadAt(authentikHealthy(f), g.Err)
		}
		if len(g.Value) == 0 {
			return Outcome{Verdict: Fail, Cause: fmt.Sprintf("Authentik has no group %q (upper and lower case count)", clients.Clean(name)), Advice: "make the group in Authentik, or name another"}
		}
	}
	return ok("")
}
