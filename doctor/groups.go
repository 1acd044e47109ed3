package doctor

import (
	"fmt"
	"strings"

	"authbird/clients"
	"authbird/clients/authentik"
	"authbird/facts"
)

// ApplicationStands asks whether there is an application to speak of.
func ApplicationStands(slug string) Check {
	return Check{"application", "the application stands", Authentik, func(f *facts.Facts) Outcome {
		switch {
		case f.Authentik.Application.Absent():
			return Outcome{Verdict: Fail, Cause: fmt.Sprintf("Authentik has no application %q any more", slug), Blame: Person,
				Advice: "authbird resume makes what is missing"}
		case !f.Authentik.Application.OK():
			return unreadAt(authentikHealthy(f), f.Authentik.Application.Err)
		}
		return ok("")
	}}
}

// GroupSync proves that groups get from Authentik into NetBird with a login.
func GroupSync(claim string) []Check {
	return []Check{
		{"group-sync", "NetBird takes groups over from logins", NetBird, func(f *facts.Facts) Outcome { return groupSync(f, claim) }},
		{"group-claim", "Authentik tells a person's groups", Authentik, groupClaim},
	}
}

func groupSync(f *facts.Facts, claim string) Outcome {
	if !f.NetBird.Accounts.OK() || len(f.NetBird.Accounts.Value) == 0 {
		return unreadAt(netBirdHealthy(f), f.NetBird.Accounts.Err)
	}
	have := f.NetBird.Accounts.Value[0].Settings
	switch {
	case !have.JWTGroups:
		return Outcome{Verdict: Fail, Evidence: "jwt_groups_enabled is off", Cause: "NetBird's account does not take groups over from logins", Repair: "group-sync"}
	case have.JWTGroupsClaim != claim:
		return Outcome{Verdict: Fail, Evidence: "jwt_groups_claim_name is " + clients.CleanN(have.JWTGroupsClaim, 60), Repair: "group-sync",
			Cause: fmt.Sprintf("NetBird looks for groups in the claim %q, and Authentik tells them in %q", clients.CleanN(have.JWTGroupsClaim, 60), claim)}
	}
	var came []string
	for _, g := range f.NetBird.Groups.Value {
		if g.Issued == "jwt" {
			came = append(came, clients.CleanN(g.Name, 60))
		}
	}
	if len(came) == 0 {
		return ok("no login has brought a group yet")
	}
	return ok("logins have brought " + strings.Join(came, ", "))
}

// groupClaim judges by the claims that the token's own user would bring: what
// the mapping of the profile scope does for one, it does for all.
func groupClaim(f *facts.Facts) Outcome {
	if !f.Proof.Claims.OK() {
		if clients.KindOf(f.Proof.Claims.Err) == clients.Forbidden {
			return Outcome{Verdict: Warn, Evidence: "the token may not preview claims",
				Cause: "whether Authentik tells groups can't be seen with this token; the first login shows it"}
		}
		return unreadAt(authentikHealthy(f), f.Proof.Claims.Err)
	}
	groups, there := facts.GroupsIn(f.Proof.Claims.Value)
	if !there {
		return Outcome{Verdict: Fail, Evidence: "the preview of " + clients.Clean(f.Authentik.Me.Value.Username) + "'s claims has no list of groups",
			Cause:  "Authentik's tokens for this provider carry no groups",
			Hits:   "nobody gets a group by logging in, and with a list of allowed groups nobody gets in",
			Advice: "give the provider Authentik's own scope mapping " + authentik.ScopeProfile + ", and no other for the scope profile"}
	}
	return ok(fmt.Sprintf("a token of %s would carry %d of them", clients.Clean(f.Authentik.Me.Value.Username), len(groups)))
}
