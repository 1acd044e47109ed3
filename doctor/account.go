package doctor

import (
	"fmt"
	"slices"
	"strings"

	"authbird/clients"
	"authbird/clients/authentik"
	"authbird/facts"
)

// account is the documentation's third heading: service account authentication
// fails. NetBird's own calls are replayed; Authentik says invalid_grant to six
// different mistakes, which its API tells apart.
func (c Case) account() []Question {
	after := []string{idAuthentik, idProvider, idApplication, idDiscovery, idGrants, idEncryption}
	return []Question{
		ask(1, idAccount, "the service account stands", Authentik, func(f *facts.Facts) Outcome { return accountStands(f, c) }, idAuthentik, idAuthToken),
		ask(1, "app-password-end", "the app password doesn't end", Authentik, func(f *facts.Facts) Outcome { return passwordEnd(f, c) }, idAuthentik, idAuthToken, idAccount),
		ask(2, idAccess, "the service account may open the application", Between, func(f *facts.Facts) Outcome { return accountAccess(f, c) }, idAuthentik, idAuthToken, idProvider, idApplication, idAccount),
		ask(1, idAPIScope, "the service account's token is one for Authentik's API", Authentik, apiScope, idAuthentik, idProvider, idApplication, idDiscovery),
		ask(2, idPassword, "Authentik takes the app password", Between, func(f *facts.Facts) Outcome { return appPassword(f, c) }, append(after, idAccount, idAccess, "app-password-end", idSigningKey)...),
		ask(2, "user-rights", "the service account may read users", Between, func(f *facts.Facts) Outcome { return userRights(f, c) }, append(after, idAccount, idAccess, idAPIScope, idPassword, "app-password-end", idSigningKey)...),
	}
}

const noToken = "NetBird logs \"unable to get authentik token, statusCode 400\", and people get \"401 token invalid\""

func accountStands(f *facts.Facts, c Case) Outcome {
	a := f.Authentik.Account
	switch {
	case c.Account == "":
		return Outcome{Verdict: Unknown, Evidence: "which account NetBird signs in with isn't known here", Advice: "name it with --service-account, or NetBird's management.json with --netbird-config"}
	case a.Absent() && authentikHealthy(f):
		return Outcome{Verdict: Fail, Evidence: fmt.Sprintf("no user is called %q", clients.Clean(c.Account)), Cause: "Authentik has no service account of the name that NetBird signs in with", Hits: noToken, Repair: "service-account"}
	case !a.OK():
		return unreadAt(authentikHealthy(f), a.Err)
	case !a.Value.Active:
		return Outcome{Verdict: Fail, Evidence: clients.Clean(a.Value.Username) + " is not active", Cause: "the service account is switched off", Hits: noToken, Repair: "service-account"}
	}
	return ok(clients.Clean(a.Value.Username))
}

// passwords are the app passwords of the account that NetBird may be using: the
// one that the journal knows or, where it knows none, all.
func passwords(f *facts.Facts, c Case) []authentik.Token {
	var out []authentik.Token
	for _, t := range f.Authentik.Passwords.Value {
		if c.Identifier == "" || t.Identifier == c.Identifier {
			out = append(out, t)
		}
	}
	return out
}

// passwordEnd looks at the expiry: an app password that Authentik makes by
// default ends after 360 days.
func passwordEnd(f *facts.Facts, c Case) Outcome {
	if !f.Authentik.Passwords.OK() {
		return unreadAt(authentikHealthy(f), f.Authentik.Passwords.Err)
	}
	all := passwords(f, c)
	if len(all) == 0 {
		return Outcome{Verdict: Fail, Evidence: "it has none", Cause: "the service account has no app password in Authentik; one that expired is deleted there", Hits: noToken, Repair: "app-password"}
	}
	ends := slices.DeleteFunc(slices.Clone(all), func(t authentik.Token) bool { return !t.Expiring })
	if len(ends) < len(all) {
		return ok("it doesn't expire")
	}
	last := slices.MaxFunc(ends, func(a, b authentik.Token) int { return a.Expires.Compare(b.Expires) })
	evidence := clients.Clean(last.Identifier) + ", until " + last.Expires.Format("2 January 2006")
	switch {
	case last.Expires.Before(f.At):
		return Outcome{Verdict: Fail, Evidence: evidence, Cause: "the app password of the service account has expired", Hits: noToken, Repair: "app-password"}
	case last.Expires.Sub(f.At) < soon:
		return Outcome{Verdict: Warn, Evidence: evidence, Cause: "the app password of the service account expires soon", Hits: "from then on " + noToken, Repair: "app-password"}
	}
	return Outcome{Verdict: Warn, Evidence: evidence, Cause: "the app password of the service account ends some day; one without an end spares you that", Hits: "from then on " + noToken, Repair: "app-password"}
}

// accountAccess looks whether the application is for a group only.
func accountAccess(f *facts.Facts, c Case) Outcome {
	var groups []string
	for _, b := range f.Authentik.Bindings.Value {
		if b.Enabled && !b.Negate && b.Group != "" {
			groups = append(groups, first(clients.Clean(b.GroupName), clients.Clean(b.Group)))
		}
	}
	out := Outcome{Verdict: Fail, Evidence: "the application is for " + sorted(groups), Cause: fmt.Sprintf("the application is for a group only, and the service account %q isn't in it", clients.Clean(c.Account)),
		Hits: noToken, Repair: "access"}
	access := f.Authentik.Access
	switch {
	case access.OK() && access.Value.Passing:
		return ok("")
	case access.OK() && (len(groups) == 0 || member(f)):
		out.Evidence, out.Repair = clients.CleanN(strings.Join(access.Value.Messages, " "), 200), ""
		out.Cause, out.Advice = "a policy on the application shuts the service account out", "in Authentik, let the service account pass the application's policies"
		return out
	case !f.Authentik.Bindings.OK() || !f.Authentik.Account.OK():
		return unread(first2(f.Authentik.Bindings.Err, f.Authentik.Account.Err))
	case len(groups) > 0 && !member(f):
		return out
	}
	return ok("")
}

func apiScope(f *facts.Facts) Outcome {
	lacks, known := lackingScopes(f, "goauthentik.io/api")
	switch {
	case !known:
		return unread(nil)
	case len(lacks) > 0:
		return Outcome{Verdict: Fail, Evidence: "no scope mapping for goauthentik.io/api", Cause: "the provider lacks the scope mapping goauthentik.io/api, so the service account's token is none for Authentik's API",
			Hits: "NetBird logs \"failed warming up cache: 403 Forbidden\", and people get \"401 token invalid\"", Repair: repairProvider("property_mappings")}
	}
	return ok("")
}

// appPassword is what Authentik makes of NetBird's sign-in as the service
// account, where all else that it could be is well.
func appPassword(f *facts.Facts, c Case) Outcome {
	t := f.Proof.Token
	switch {
	case !t.Read:
		return Outcome{Verdict: Unknown, Evidence: notAtHand(c)}
	case t.OK():
		return ok("by its app password, as NetBird asks for it")
	case clients.KindOf(t.Err) != clients.Refused && clients.KindOf(t.Err) != clients.Unauthorised:
		return failedOrUnread(t.Err)
	}
	o := Outcome{Verdict: Fail, Evidence: clients.Clean(t.Err.Error()), Hits: noToken, Repair: idPassword,
		Cause: "Authentik refuses the password of the service account: it is another one, or the account's own and no app password"}
	if more := suspicion(f); more != "" {
		o.Cause += more
		o.Advice = "if a new app password doesn't help, update Authentik"
	}
	return o
}

// suspicion names the release as a possible cause, "" where it is none.
func suspicion(f *facts.Facts) string {
	v := f.Authentik.Version
	if !v.OK() || !suspectRelease(v.Value) {
		return ""
	}
	return " (or Authentik " + clients.CleanN(v.Value, 40) + " itself: some releases before the middle of August 2026 refuse this kind of sign-in)"
}

// suspectRelease says that a version may hold the fault that was mended in
// August 2026 (goauthentik/authentik#24900); which ones do isn't known.
func suspectRelease(version string) bool {
	return !olderThan(version, "2026.5") && olderThan(version, "2026.8.1")
}

func notAtHand(c Case) string {
	if c.Here.Secret != nil {
		return clients.Clean(c.Here.Secret.Error())
	}
	return "the app password is not at hand here"
}

func userRights(f *facts.Facts, c Case) Outcome {
	u := f.Proof.Users
	switch {
	case !u.Read:
		return unread(nil)
	case u.OK():
		return ok(fmt.Sprintf("%d users on the first page", len(u.Value)))
	case clients.KindOf(u.Err) == clients.Forbidden:
		return Outcome{Verdict: Fail, Evidence: clients.Clean(u.Err.Error()), Cause: fmt.Sprintf("the service account %q may not read users: it is in no group that may", clients.Clean(c.Account)),
			Hits: "NetBird logs \"failed warming up cache: 403 Forbidden\", and people get \"401 token invalid\"", Repair: "rights"}
	}
	return failedOrUnread(u.Err)
}
