package doctor

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"authbird/clients"
	"authbird/clients/netbird"
	"authbird/facts"
)

// tenant asks about NetBird's account and the people in it, and warns before
// somebody is locked out.
func (c Case) tenant() []Question {
	after := []string{idNetBird, idNetToken}
	out := []Question{
		ask(2, "approval", "nobody waits for approval", NetBird, pendingUsers, after...),
		ask(2, "allow-groups", "the owner is in a group that may log in", NetBird, allowGroups, after...),
		ask(2, "group-sync", "groups come with a login", Between, groupsArrive, append(after, "claims", "allow-groups")...),
		ask(2, "group-names", "no group of NetBird's own is in the way of one from Authentik", NetBird, groupNames, after...),
		ask(2, "duplicate-users", "everybody is one user", NetBird, duplicateUsers, after...),
	}
	if !c.Standalone {
		out = append(out,
			ask(2, "owner-login", "the owner can log in", NetBird, ownerLogin, after...),
			ask(2, "strangers", "everybody's connector still stands", NetBird, strangers, append(after, idConnector)...),
			ask(2, "last-way-in", "there is another way in than this connector", NetBird, onlyConnector, append(after, "owner-login")...),
		)
	}
	return out
}

func settings(f *facts.Facts) (netbird.Settings, bool) {
	if !f.NetBird.Accounts.OK() || len(f.NetBird.Accounts.Value) == 0 {
		return netbird.Settings{}, false
	}
	return f.NetBird.Accounts.Value[0].Settings, true
}

func pendingUsers(f *facts.Facts) Outcome {
	if !f.NetBird.Users.OK() {
		return unreadAt(netBirdHealthy(f), f.NetBird.Users.Err)
	}
	var who []string
	for _, u := range f.NetBird.Users.Value {
		if u.PendingApproval {
			who = append(who, person(u))
		}
	}
	if len(who) > 0 {
		return Outcome{Verdict: Fail, Evidence: clients.CleanN("waiting: "+sorted(who), 200), Cause: "people who have logged in wait for an administrator's approval (user_approval_required is on in new accounts)",
			Hits: "they see \"User approval pending\" and get no further", Repair: "approval"}
	}
	if s, known := settings(f); known && s.UserApprovalRequired {
		return ok("nobody; who comes next will have to be approved")
	}
	return ok("nobody")
}

func person(u netbird.User) string { return clients.CleanN(first(u.Email, u.Name, u.ID), 80) }

// allowGroups is the lock-out guard: a list of groups that the owner isn't in
// shuts the owner out of the dashboard. A personal access token still passes,
// so it can be undone.
func allowGroups(f *facts.Facts) Outcome {
	s, known := settings(f)
	if !known {
		return unread(f.NetBird.Accounts.Err)
	}
	if !s.JWTGroups || len(s.JWTAllowGroups) == 0 {
		return ok("everybody may log in")
	}
	list := clients.CleanN(strings.Join(s.JWTAllowGroups, ", "), 200)
	if len(f.NetBird.Admins) == 0 {
		return Outcome{Verdict: Unknown, Evidence: "only members of " + list + " may log in; who the owner is can't be seen"}
	}
	owner := f.NetBird.Admins[0]
	switch {
	case owner.Local:
		return ok("only members of " + list + "; the owner logs in locally")
	case !owner.Groups.OK():
		return Outcome{Verdict: Warn, Evidence: "only members of " + list + " may log in", Cause: "whether NetBird's owner is in a group that may log in can't be seen in Authentik",
			Hits: "outside them the owner gets \"401 token invalid\"", Advice: "look at the owner's groups in Authentik before you log out of NetBird"}
	}
	for _, g := range owner.Groups.Value {
		if slices.Contains(s.JWTAllowGroups, g) {
			return ok("the owner is in " + clients.Clean(g))
		}
	}
	return Outcome{Verdict: Fail, Evidence: "only members of " + list + " may log in, and the owner " + person(owner.User) + " is in none of them",
		Cause: "NetBird's list of groups that may log in (JWT allow groups) shuts its own owner out", Hits: "the owner gets \"401 token invalid\"; a personal access token still works", Repair: "group-sync.jwt_allow_groups"}
}

// localIdP is how NetBird calls its own login.
const localIdP = "local"

// groupsArrive looks whether the claim that NetBird reads groups from is one
// that Authentik sends.
func groupsArrive(f *facts.Facts) Outcome {
	s, known := settings(f)
	switch {
	case !known:
		return unread(f.NetBird.Accounts.Err)
	case !s.JWTGroups:
		return ok("groups don't come with a login")
	case !f.Proof.Claims.OK():
		return unread(f.Proof.Claims.Err)
	}
	if _, there := f.Proof.Claims.Value[s.JWTGroupsClaim]; there {
		return ok("claim " + clients.Clean(s.JWTGroupsClaim))
	}
	out := Outcome{Verdict: Fail, Evidence: fmt.Sprintf("NetBird looks for the claim %q; Authentik sends %s", clients.CleanN(s.JWTGroupsClaim, 60), clients.CleanN(claimNames(f), 200)),
		Cause: "groups should come with a login, but NetBird looks for them in a claim that Authentik doesn't send", Hits: "groups from Authentik never appear in NetBird"}
	if _, there := facts.GroupsIn(f.Proof.Claims.Value); there {
		out.Repair = "group-sync.jwt_groups_claim_name"
	} else {
		out.Advice = "in Authentik, give the provider a scope mapping that sends groups (its own \"profile\" does)"
	}
	return out
}

func claimNames(f *facts.Facts) string {
	var names []string
	for name := range f.Proof.Claims.Value {
		names = append(names, name)
	}
	return sorted(names)
}

// groupNames finds groups that a person made in NetBird under the name of one
// in Authentik: NetBird leaves those alone.
func groupNames(f *facts.Facts) Outcome {
	s, known := settings(f)
	if !known || !s.JWTGroups {
		return ok("")
	}
	theirs, told := facts.GroupsIn(f.Proof.Claims.Value)
	if !told || !f.NetBird.Groups.OK() {
		return unread(first2(f.NetBird.Groups.Err, f.Proof.Claims.Err))
	}
	for _, a := range f.NetBird.Admins {
		theirs = append(theirs, a.Groups.Value...)
	}
	var same []string
	for _, g := range f.NetBird.Groups.Value {
		if g.Issued != "jwt" && slices.Contains(theirs, g.Name) {
			same = append(same, clients.CleanN(g.Name, 60))
		}
	}
	if len(same) == 0 {
		return ok("")
	}
	return Outcome{Verdict: Warn, Evidence: sorted(same), Cause: "NetBird has groups of its own under the names of groups in Authentik, and doesn't fill those from a login",
		Hits: "members of these groups in Authentik aren't members in NetBird", Advice: "rename or delete the group in NetBird; the next login makes it anew"}
}

// duplicateUsers finds people who are there twice: a local and an SSO user
// never become one, and neither do those of two connectors.
func duplicateUsers(f *facts.Facts) Outcome {
	if !f.NetBird.Users.OK() {
		return unread(f.NetBird.Users.Err)
	}
	seen, twice := map[string]string{}, []string{}
	for _, u := range f.NetBird.Users.Value {
		mail := strings.ToLower(u.Email)
		if mail == "" || u.ServiceUser {
			continue
		}
		if other, there := seen[mail]; there && other != u.ID && !slices.Contains(twice, person(u)) {
			twice = append(twice, person(u))
		}
		seen[mail] = u.ID
	}
	if len(twice) == 0 {
		return ok("")
	}
	return Outcome{Verdict: Warn, Evidence: clients.CleanN(sorted(twice), 200), Cause: "people are in NetBird twice: a user of NetBird's own login and one who comes through Authentik never become one",
		Hits: "their machines belong to the one they no longer use", Advice: "let them use one of the two logins, and delete the other user in NetBird once its machines are moved"}
}

// localUser says whether somebody comes by NetBird's own login, which NetBird
// tells, or which the id tells.
func localUser(u netbird.User) bool {
	_, connector, _ := netbird.Upstream(u.ID)
	return first(u.IdPID, connector) == localIdP
}

// ownerLogin is the guard for who turned NetBird's own login off.
func ownerLogin(f *facts.Facts) Outcome {
	s, known := settings(f)
	if !known {
		return unread(f.NetBird.Accounts.Err)
	}
	owner := f.NetBird.Owner()
	if !s.LocalAuthDisabled || owner.ID == "" || !localUser(owner) {
		return ok("")
	}
	return Outcome{Verdict: Fail, Blame: Person, Evidence: "local login is off, and the owner " + person(owner) + " is a local user", Cause: "NetBird's own login is off, and its owner has no other: nobody can administer it in the dashboard",
		Hits: "the owner can't log in", Advice: "turn local login on in NetBird's configuration, log in, and give the role owner to a user who comes through Authentik; then turn it off again"}
}

// strangers are users whose connector is gone: their ids can't come back.
func strangers(f *facts.Facts) Outcome {
	if !f.NetBird.Users.OK() || !f.NetBird.Providers.OK() {
		return unread(first2(f.NetBird.Users.Err, f.NetBird.Providers.Err))
	}
	n := 0
	for _, u := range f.NetBird.Users.Value {
		_, connector, _ := netbird.Upstream(u.ID)
		by := first(u.IdPID, connector)
		if by != "" && by != localIdP && !u.ServiceUser && !slices.ContainsFunc(f.NetBird.Providers.Value, func(p netbird.IdentityProvider) bool { return p.ID == by }) {
			n++
		}
	}
	if n == 0 {
		return ok("")
	}
	return Outcome{Verdict: Warn, Evidence: fmt.Sprintf("%d users", n), Cause: "there are users who came by a connector that no longer stands; by another they come back as new users",
		Hits: "their machines stay with the user they were", Advice: "once they have logged in anew, delete the old users in NetBird"}
}

// onlyConnector warns before this connector is taken away or changed.
func onlyConnector(f *facts.Facts) Outcome {
	s, known := settings(f)
	if !known || !f.NetBird.Providers.OK() {
		return unread(f.NetBird.Providers.Err)
	}
	if !s.LocalAuthDisabled || len(f.NetBird.Providers.Value) != 1 {
		return ok("")
	}
	return Outcome{Verdict: Warn, Evidence: "local login is off, and there is one connector", Cause: "this connector is NetBird's only login: if it breaks, nobody can log in, and without it NetBird doesn't start",
		Hits: "a personal access token still works", Advice: "keep a personal access token of an owner at a safe place, or turn local login on"}
}

// netBirdRelease is the preflight's check, and knows releases that break
// logins by Authentik.
func netBirdRelease(f *facts.Facts) Outcome {
	if clients.KindOf(f.NetBird.Version.Err) == clients.Unsupported && netBirdHealthy(f) {
		return Outcome{Verdict: Warn, Evidence: "older than 0.64.2: it doesn't tell its version", Cause: "this NetBird is old; after updates to 0.63.0, logins through Authentik are reported to have broken (netbirdio/netbird#5121), and the cause was not found", Advice: "update NetBird"}
	}
	if !f.NetBird.Version.OK() {
		return netBirdVersion(f)
	}
	switch v := strings.TrimPrefix(f.NetBird.Version.Value, "v"); {
	case v == "0.71.0":
		return Outcome{Verdict: Fail, Evidence: v, Cause: "NetBird 0.71.0 sends a wrong address along with a sign-in by code (netbirdio/netbird#6189)", Hits: "signing machines in with a code ends at \"Unregistered redirect_uri\"", Advice: "update NetBird"}
	}
	return netBirdVersion(f)
}

// netBirdTokenEnd is known where all of the owner's tokens end alike: NetBird
// doesn't say which one is in use.
func netBirdTokenEnd(f *facts.Facts) Outcome {
	if !f.NetBird.Tokens.OK() || len(f.NetBird.Tokens.Value) == 0 {
		return ok("")
	}
	last := slices.MaxFunc(f.NetBird.Tokens.Value, func(a, b netbird.Token) int { return a.Expires.Compare(b.Expires) })
	left := last.Expires.Sub(f.At)
	if left > soon/3 {
		return ok("until " + last.Expires.Format("2 January 2006"))
	}
	return Outcome{Verdict: Warn, Evidence: last.Expires.Format(time.RFC3339), Cause: "the last NetBird token of its owner ends on " + last.Expires.Format("2 January 2006"), Advice: "make another in NetBird's dashboard before that"}
}

// apiPort finds an API that answers at its old port and not behind the proxy.
func apiPort(f *facts.Facts) Outcome {
	if f.NetBird.Instance.OK() {
		return ok("")
	}
	if !f.NetBird.OldPort.OK() {
		return unread(nil)
	}
	return Outcome{Verdict: Fail, Evidence: "it answers at port 33073, and not at the address of the dashboard", Cause: "NetBird's API is not where the proxy in front of it serves the dashboard",
		Hits: "the dashboard hangs at /peers, with a CORS or TLS error", Advice: "set NETBIRD_MGMT_API_PORT=443 and NETBIRD_SIGNAL_PORT=443 in setup.env, run configure.sh, and let the proxy send /api to the management server"}
}

// authentikDown is the preflight's check, with what it means for people.
func authentikDown(f *facts.Facts, c Case) Outcome {
	o := authentikAnswers(f, c.Wants)
	if o.Verdict == Fail && f.NetBird.Instance.OK() {
		o.Hits = "as long as Authentik is down, NetBird's login page shows an error"
	}
	return o
}

// clocksApart is the preflight's check; in standalone mode NetBird itself looks
// at a token's time of issue, so a clock that runs ahead keeps people out.
func clocksApart(f *facts.Facts, c Case) Outcome {
	o := clocks(f)
	ours, _ := f.Authentik.Hello.Value.Meta.ClockDifference()
	theirs, _ := f.NetBird.Instance.Value.Meta.ClockDifference()
	if o.Verdict == Warn && c.Standalone && ours > theirs {
		o.Verdict, o.Blame = Fail, Person
	}
	return o
}
