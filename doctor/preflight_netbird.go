package doctor

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"authbird/clients"
	"authbird/clients/netbird"
	"authbird/facts"
)

func netBirdToken(f *facts.Facts, w Wants) Outcome {
	if f.NetBird.Instance.Err != nil {
		return unread(nil)
	}
	if f.NetBird.Instance.OK() && f.NetBird.Instance.Value.SetupRequired {
		return Outcome{Verdict: Fail, Cause: "this NetBird is fresh: it has no owner yet",
			Advice: "create the owner in authbird's screens (authbird setup connector in a terminal), or on NetBird's own setup page"}
	}
	if err := f.NetBird.Me.Err; err != nil {
		if !aboutToken(err) {
			return failed(err, unreachableAdvice(err, "--netbird-url", w.NetBirdURL))
		}
		return failed(err, "make a personal access token in NetBird's dashboard (Team, Users, your own entry); it goes into NETBIRD_TOKEN or --netbird-token-file")
	}
	return ok("it is " + clients.Clean(first(f.NetBird.Me.Value.Name, f.NetBird.Me.Value.Email, f.NetBird.Me.Value.ID)) + "'s")
}

func netBirdVersion(f *facts.Facts) Outcome {
	if clients.KindOf(f.NetBird.Version.Err) == clients.Unsupported {
		return ok("before 0.64.2")
	}
	if !f.NetBird.Version.OK() {
		return unreadAt(netBirdHealthy(f), f.NetBird.Version.Err)
	}
	return versionBetween("NetBird", f.NetBird.Version.Value, oldestNetBird, newestNetBird)
}

func netBirdRights(f *facts.Facts) Outcome {
	if !f.NetBird.Me.OK() {
		return unread(nil)
	}
	me := f.NetBird.Me.Value
	who := clients.Clean(first(me.Name, me.Email, me.ID))
	if MayMakeConnectors(me) {
		return ok(clients.Clean(me.Role))
	}
	return Outcome{Verdict: Fail, Blame: NotAllowed, Evidence: "role " + clients.Clean(me.Role),
		Cause:  fmt.Sprintf("the NetBird token of %s has the role %q, which may not make identity providers", who, clients.Clean(me.Role)),
		Advice: "use a token of an owner or an admin"}
}

// MayMakeConnectors says whether a user's role lets it make identity providers.
// A service user of any role may list them, so a list proves nothing.
func MayMakeConnectors(u netbird.User) bool {
	return u.Role == "owner" || u.Role == "admin" || u.May("identity_providers", "create")
}

func netBirdEmbedded(f *facts.Facts, w Wants) Outcome {
	on := false
	for _, a := range f.NetBird.Accounts.Value {
		if said := a.Settings.EmbeddedIdP; said != nil && !*said {
			return embeddedOff()
		}
		on = on || a.Settings.EmbeddedIdP != nil
	}
	if f.NetBird.Embedded.Absent() && netBirdHealthy(f) {
		if on {
			return embeddedElsewhere(w)
		}
		return embeddedOff()
	}
	if !f.NetBird.Embedded.OK() {
		return unreadAt(netBirdHealthy(f), f.NetBird.Embedded.Err)
	}
	issuer := clients.Clean(f.NetBird.Embedded.Value.Issuer)
	if !clients.SameOrigin(issuer, w.NetBirdURL) {
		return Outcome{Verdict: Fail, Evidence: "issuer " + issuer, Cause: "NetBird's embedded IdP calls itself " + issuer + ", which is not the address that you gave",
			Hits: "people are sent back to its own address", Advice: "use that address with --netbird-url, or mend the issuer in NetBird's configuration"}
	}
	return ok("issuer " + issuer)
}

// embeddedElsewhere is the outcome where NetBird says that its embedded IdP is
// on, and nothing is to be had at its place.
func embeddedElsewhere(w Wants) Outcome {
	return Outcome{Verdict: Fail, Cause: "NetBird says that its embedded IdP is on, but there is none at " + w.NetBirdURL + "/oauth2",
		Hits: "no login by a connector can begin", Advice: "its issuer must end in /oauth2 at the root (auth.issuer in config.yaml), and a proxy in front of NetBird must pass /oauth2 on"}
}

func embeddedOff() Outcome {
	return Outcome{Verdict: Fail, Cause: "NetBird's embedded IdP is off, so it can have no connectors",
		Hits: "this NetBird was installed with an identity provider of its own", Advice: "use the standalone mode, or move NetBird to its embedded IdP (NetBird's tools/idp-migrate)"}
}

func netBirdDomain(f *facts.Facts) Outcome {
	if !f.NetBird.Accounts.OK() {
		return unreadAt(netBirdHealthy(f), f.NetBird.Accounts.Err)
	}
	if len(f.NetBird.Accounts.Value) == 0 {
		return Outcome{Verdict: Fail, Cause: "NetBird shows this token no account, so its domain can't be checked", Advice: "use a token of an owner or an admin"}
	}
	for _, a := range f.NetBird.Accounts.Value {
		if a.Domain == "" || a.DomainCategory != "private" {
			return Outcome{Verdict: Fail, Evidence: fmt.Sprintf("domain %q, category %q", clients.Clean(a.Domain), clients.Clean(a.DomainCategory)),
				Cause:  "NetBird's account has no private domain, so everybody who comes by the connector would get an account of their own, as its owner",
				Hits:   "nobody would see your network; no API repairs it",
				Advice: "the account was made by a setup that created a token at once (create_pat); install NetBird again, and create the owner with authbird"}
		}
	}
	return ok("")
}

func netBirdApproval(f *facts.Facts) Outcome {
	for _, a := range f.NetBird.Accounts.Value {
		if a.Settings.UserApprovalRequired {
			return Outcome{Verdict: Warn, Evidence: "user_approval_required is on",
				Cause: "new users wait for an administrator's approval before they are let in", Advice: "approve the first one here after its login, or in NetBird's dashboard"}
		}
	}
	return ok("")
}

// maxSkew is how far clocks may be apart before logins can fail: NetBird checks
// a token's time of issue without leeway, and a Date header counts whole
// seconds.
const maxSkew = 5 * time.Second

func clocks(f *facts.Facts) Outcome {
	if !f.Authentik.Hello.OK() || !f.NetBird.Instance.OK() {
		return unread(nil)
	}
	ours, ok1 := f.Authentik.Hello.Value.Meta.ClockDifference()
	theirs, ok2 := f.NetBird.Instance.Value.Meta.ClockDifference()
	if !ok1 || !ok2 {
		return Outcome{Verdict: Unknown, Evidence: "a server sends no Date"}
	}
	apart := ours - theirs
	seen := fmt.Sprintf("Authentik's clock is %s ahead of NetBird's", apart.Round(100*time.Millisecond))
	if apart.Abs() > maxSkew {
		return Outcome{Verdict: Warn, Evidence: seen, Cause: fmt.Sprintf("the clocks of Authentik and NetBird are %s apart", apart.Abs().Round(time.Second)),
			Hits: "NetBird refuses tokens that seem to come from the future (\"Token used before issued\")", Advice: "let both hosts keep time by NTP"}
	}
	return ok("")
}

func reach(f *facts.Facts) Outcome {
	if !f.NetBird.Reach.Read {
		return ok("not asked: the connector was made before, which proved it")
	}
	if clients.KindOf(f.NetBird.Reach.Err) == clients.Unsupported {
		return Outcome{Verdict: Unknown, Evidence: "this NetBird, older than 0.62.2, doesn't look at an issuer when a connector is made"}
	}
	if err := f.NetBird.Reach.Err; err != nil {
		return unreadAt(netBirdHealthy(f), err)
	}
	r := f.NetBird.Reach.Value
	if r.Reached && !r.LooksAuthentik {
		return Outcome{Verdict: Warn, Evidence: r.Said, Cause: "something answers NetBird at Authentik's address, but it can't be told that it is Authentik",
			Advice: "if the next step fails, look what NetBird's container reaches at that address"}
	}
	if r.Reached {
		return ok("NetBird got Authentik's answer")
	}
	return Outcome{Verdict: Fail, Evidence: r.Said, Cause: "NetBird can't reach Authentik from its own network: " + r.Said,
		Hits: "no login through Authentik can work", Advice: reachAdvice(r.Said)}
}

// reachAdvice names the likely reason behind what NetBird said.
func reachAdvice(said string) string {
	switch {
	case strings.Contains(said, "x509") || strings.Contains(said, "certificate"):
		return "NetBird doesn't trust Authentik's certificate: give Authentik a public one, or put its CA into NetBird's container"
	case strings.Contains(said, "no such host"):
		return "NetBird's container doesn't know the name: check its DNS, from inside it"
	case strings.Contains(said, "refused"), strings.Contains(said, "timeout"), strings.Contains(said, "timed out"), strings.Contains(said, "deadline"):
		return "from NetBird's container there is no way to that address; often the name points to the router's outside address (hairpin NAT): give the container the inside one"
	}
	return "ask for that address from inside NetBird's container, and compare"
}

func first(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

func sorted(words []string) string {
	slices.Sort(words)
	return strings.Join(words, ", ")
}

// olderThan compares dotted versions by their leading numbers, as far as the
// shorter of them goes: 2026.8.1 is not newer than 2026.8.
func olderThan(a, b string) bool {
	x, y := numbers(a), numbers(b)
	for i := range min(len(x), len(y)) {
		if x[i] != y[i] {
			return x[i] < y[i]
		}
	}
	return false
}

func numbers(version string) []int {
	var out []int
	for part := range strings.SplitSeq(strings.TrimPrefix(version, "v"), ".") {
		digits := part[:len(part)-len(strings.TrimLeft(part, "0123456789"))]
		n, err := strconv.Atoi(digits)
		if err != nil {
			break
		}
		out = append(out, n)
		if digits != part {
			break
		}
	}
	return out
}
