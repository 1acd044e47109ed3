package doctor

import (
	"fmt"
	"strings"
	"time"

	"authbird/clients"
	"authbird/clients/oidc"
	"authbird/facts"
)

// StandalonePreflight is what must hold before a standalone setup writes
// anything. NetBird isn't asked: it may not run yet.
func StandalonePreflight(w Wants) []Check {
	var checks []Check
	for _, c := range Preflight(w) {
		if c.Group == Authentik {
			checks = append(checks, c)
		}
	}
	return append(checks,
		Check{"authentik-brand", "the brand in force is known", Authentik, authentikBrand},
		Check{"clocks", "the clocks agree", Between, clockHere},
		Check{"docker", "Docker and Compose are on this machine", Here, docker},
		Check{"configure-again", "configure.sh does NetBird no harm", Here, configureAgain},
	)
}

func authentikBrand(f *facts.Facts) Outcome {
	if !f.Authentik.Brand.OK() || !f.Authentik.Brands.OK() {
		return failedOrUnread(first2(f.Authentik.Brand.Err, f.Authentik.Brands.Err))
	}
	domain := f.Authentik.Brand.Value.MatchedDomain
	for _, b := range f.Authentik.Brands.Value {
		if b.Domain == domain {
			return ok(clients.Clean(domain) + ", device code flow " + clients.Clean(first(f.Authentik.Brand.Value.FlowDeviceCode, "none")))
		}
	}
	return Outcome{Verdict: Fail, Evidence: clients.Clean(domain), Cause: "Authentik's list of brands lacks the one that answers here", Advice: "use a token that may see all brands"}
}

// docker warns, no more: authbird may well run on another machine than NetBird.
func docker(f *facts.Facts) Outcome {
	if d := f.Local.Docker; d.Read && d.Err != nil {
		return Outcome{Verdict: Warn, Evidence: clients.Clean(d.Err.Error()), Cause: "Docker with Compose isn't on this machine (" + clients.Clean(d.Err.Error()) + "), and NetBird's guide needs both on NetBird's host",
			Advice: "no harm if NetBird runs elsewhere: copy setup.env there"}
	}
	return ok("")
}

// configureAgain warns of a second run of configure.sh, which makes the key of
// NetBird's database anew unless it finds the old one.
func configureAgain(f *facts.Facts) Outcome {
	risk := f.Local.AtRisk
	advice := "or let authbird patch that file in place, so that configure.sh need not run again: --netbird-config artifacts/management.json"
	switch {
	case risk.Read && risk.Err != nil:
		return Outcome{Verdict: Warn, Evidence: clients.Clean(risk.Err.Error()), Cause: "NetBird seems to be set up here already, and its management.json can't be read, so whether configure.sh would blank the key that its database is encrypted with can't be told",
			Hits: "without that key nobody can log in", Advice: "run authbird as somebody who may read that file"}
	case risk.Value != "":
		return Outcome{Verdict: Warn, Evidence: "NetBird is set up here already", Cause: clients.Clean(risk.Value), Advice: advice}
	}
	return ok("")
}

// clockHere compares Authentik's clock with that of this machine, which most
// often is NetBird's host: NetBird itself isn't asked.
func clockHere(f *facts.Facts) Outcome {
	if !f.Authentik.Hello.OK() {
		return unread(nil)
	}
	ahead, known := f.Authentik.Hello.Value.Meta.ClockDifference()
	switch {
	case !known:
		return Outcome{Verdict: Unknown, Evidence: "Authentik sends no Date"}
	case ahead.Abs() <= maxSkew:
		return ok("")
	}
	way := "ahead of"
	if ahead < 0 {
		way = "behind"
	}
	seen := fmt.Sprintf("Authentik's clock is %s %s this machine's", ahead.Abs().Round(time.Second), way)
	return Outcome{Verdict: Warn, Evidence: seen, Cause: seen, Hits: "a NetBird whose clock is as here refuses tokens that seem to come from the future (\"Token used before issued\")",
		Advice: "let both hosts keep time by NTP"}
}

func first2(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

// StandaloneProof is what shows, with NetBird's own calls, that NetBird will
// find what it needs.
func StandaloneProof(p Proven) []Check {
	return []Check{
		{"proof-discovery", "the discovery document is as NetBird needs it", Authentik, discoveryFit},
		{"proof-keys", "the login is signed with RSA", Authentik, proofKeys},
		{"proof-provider", "the provider is as NetBird needs it", Authentik, proofProvider},
		{"proof-redirect", "Authentik accepts each redirect URI of NetBird", Between, func(f *facts.Facts) Outcome { return proofRedirects(f, p) }},
		{"proof-look-alike", "Authentik refuses another redirect URI", Between, proofStrangers},
		{"proof-service-account", "the service account gets a token", Between, func(f *facts.Facts) Outcome { return proofToken(f, p) }},
		{"proof-users", "the service account may read users", Between, func(f *facts.Facts) Outcome { return proofUsers(f, p) }},
		{"proof-device", "a sign-in with a code can be started", Between, proofDevice},
	}
}

// proofProvider is all that the doctor asks of the provider itself: what no call
// of NetBird's shows before people log in.
func proofProvider(f *facts.Facts) Outcome {
	for _, fit := range []func(*facts.Facts) Outcome{
		clientType, subjectMode, codeValidity, encryptionKey, standaloneGrants, issuerMode, claims, offlineAccess,
	} {
		if o := fit(f); o.Verdict == Fail {
			o.Repair = "provider"
			return o
		}
	}
	if _, o, is := stands(f); !is {
		return o
	}
	return ok("public, the subject is the user's ID, codes live for ten minutes")
}

func standaloneGrants(f *facts.Facts) Outcome { return grantTypes(f, Case{Standalone: true}) }

func proofRedirects(f *facts.Facts, p Proven) Outcome {
	var seen []string
	for _, r := range f.Proof.Redirects {
		o := judgeRedirect(r.Fact, r.URI, p)
		if o.Verdict != OK {
			return o
		}
		seen = append(seen, r.URI)
	}
	if len(seen) == 0 {
		return unread(nil)
	}
	return ok(strings.Join(seen, ", "))
}

// proofStrangers asks Authentik about two addresses of somebody else's. One that
// only a bare dot in a pattern lets in is a warning: the documentation writes
// the pattern so, and a provider that was taken over may have it.
func proofStrangers(f *facts.Facts) Outcome {
	o, twin := proofRefused(f), f.Proof.Twin
	if o.Verdict != OK || !twin.Read {
		return o
	}
	if !twin.OK() {
		return failedOrUnread(twin.Err)
	}
	if twin.Value.Verdict == oidc.Allowed {
		return wide("Authentik allows " + clients.Clean(twin.URI))
	}
	return ok("two look-alike hosts were refused")
}

// proofToken tells by Authentik's API why the token endpoint said invalid_grant,
// which it says of seven different causes.
func proofToken(f *facts.Facts, p Proven) Outcome {
	t := f.Proof.Token
	switch {
	case !t.Read:
		return unread(nil)
	case t.OK():
		if t.Value.HasScope && t.Value.Scope == "" {
			return Outcome{Verdict: Fail, Evidence: `"scope": ""`, Cause: "the provider lacks the scope mapping goauthentik.io/api", Hits: "NetBird logs 403 Forbidden, and people get \"token invalid\"", Repair: "provider"}
		}
		return ok("by its app password, as NetBird asks for it")
	case clients.KindOf(t.Err) != clients.Refused && clients.KindOf(t.Err) != clients.Unauthorised:
		return failed(t.Err, "")
	}
	cause, repair := whyNoToken(f, p)
	return Outcome{Verdict: Fail, Evidence: clients.Clean(t.Err.Error()), Cause: cause, Hits: "NetBird logs \"unable to get authentik token, statusCode 400\", and people get \"token invalid\"", Repair: repair}
}

func whyNoToken(f *facts.Facts, p Proven) (cause, repair string) {
	account, grants := f.Authentik.Account, standaloneGrants(f)
	switch {
	case account.Absent():
		return fmt.Sprintf("Authentik has no user %q", p.Account), "service-account"
	case account.OK() && !account.Value.Active:
		return fmt.Sprintf("the service account %q is switched off", p.Account), "service-account"
	case f.Authentik.Application.OK() && f.Authentik.Application.Value.Provider == 0:
		return "the application has no provider", "application"
	case grants.Verdict == Fail:
		return grants.Cause, "provider"
	case len(f.Authentik.Bindings.Value) > 0 && !member(f):
		return fmt.Sprintf("the application is for a group only, and the service account %q isn't in it", p.Account), "access"
	case expired(f):
		return "the app password has expired", "app-password"
	}
	return "Authentik refuses the app password of the service account" + suspicion(f), "app-password"
}

// member says whether the service account is in a group that the application
// is bound to.
func member(f *facts.Facts) bool {
	for _, b := range f.Authentik.Bindings.Value {
		for _, g := range f.Authentik.Account.Value.Groups {
			if b.Group == g && b.Enabled && !b.Negate {
				return true
			}
		}
	}
	return false
}

func expired(f *facts.Facts) bool {
	for _, t := range f.Authentik.Passwords.Value {
		if t.Expiring && t.Expires.Before(f.At) {
			return true
		}
	}
	return false
}

func proofUsers(f *facts.Facts, p Proven) Outcome {
	u := f.Proof.Users
	switch {
	case !u.Read:
		return unread(nil)
	case u.OK() && p.Least && f.Authentik.Account.Value.Superuser:
		return Outcome{Verdict: Warn, Evidence: fmt.Sprintf("%q is a superuser", clients.Clean(p.Account)), Cause: fmt.Sprintf("the service account %q may do everything in Authentik, not just read users: a group that it is in makes it a superuser", p.Account),
			Advice: "take it out of that group in Authentik, or choose another with --service-account NAME"}
	case u.OK():
		return ok(fmt.Sprintf("%d users on the first page", len(u.Value)))
	case clients.KindOf(u.Err) == clients.Unauthorised:
		return Outcome{Verdict: Fail, Evidence: clients.Clean(u.Err.Error()), Cause: "the provider lacks the scope mapping goauthentik.io/api, so the service account's token is none for Authentik's API",
			Hits: "NetBird logs 403 Forbidden, and people get \"token invalid\"", Repair: "provider"}
	case clients.KindOf(u.Err) == clients.Forbidden:
		return Outcome{Verdict: Fail, Evidence: clients.Clean(u.Err.Error()), Cause: fmt.Sprintf("the service account %q may not read users", p.Account),
			Hits: "NetBird logs 403 Forbidden, and people get \"token invalid\"", Repair: "rights"}
	}
	return failed(u.Err, "")
}

func proofDevice(f *facts.Facts) Outcome {
	o := deviceCodeFlow(f)
	d := f.Proof.Device
	switch {
	case o.Verdict != OK:
		return o
	case clients.KindOf(d.Err) == clients.NotNow:
		return Outcome{Verdict: Warn, Evidence: o.Evidence, Cause: "a sign-in with a code could not be tried: Authentik allows about 20 an hour for one address, and they are used up",
			Advice: "nothing is wrong with the setup; authbird resume tries it again in an hour"}
	case !d.OK():
		return failedOrUnread(d.Err)
	}
	return o
}
