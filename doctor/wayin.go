package doctor

import (
	"fmt"

	"authbird/facts"
)

// LastWayIn is the guard before a connector is taken away: an instance that
// nobody can log in to is worse than any connector.
func LastWayIn(connectorID string) []Check {
	return []Check{
		{"last-way-in", "somebody can still log in to NetBird", NetBird, func(f *facts.Facts) Outcome { return lastWayIn(f, connectorID) }},
		{"connector-users", "whose identity goes with the connector", NetBird, func(f *facts.Facts) Outcome { return connectorUsers(f, connectorID) }},
	}
}

func lastWayIn(f *facts.Facts, connectorID string) Outcome {
	if !f.NetBird.Accounts.OK() || !f.NetBird.Providers.OK() {
		return failedOrUnread(first2(f.NetBird.Accounts.Err, f.NetBird.Providers.Err))
	}
	others := 0
	for _, c := range f.NetBird.Providers.Value {
		if c.ID != connectorID {
			others++
		}
	}
	for _, a := range f.NetBird.Accounts.Value {
		if a.Settings.LocalAuthDisabled && others == 0 {
			return Outcome{Verdict: Fail, Evidence: "local login is off, and there is no other connector",
				Cause:  "this connector is NetBird's only login: without it nobody can log in, and NetBird won't start again",
				Advice: "turn local login on in NetBird's configuration first, or give --force with a reason"}
		}
	}
	return ok("")
}

func connectorUsers(f *facts.Facts, connectorID string) Outcome {
	if !f.NetBird.Users.OK() {
		return failedOrUnread(f.NetBird.Users.Err)
	}
	n := 0
	for _, u := range f.NetBird.Users.Value {
		if u.IdPID == connectorID && connectorID != "" {
			n++
		}
	}
	if n == 0 {
		return ok("nobody has come by it")
	}
	return Outcome{Verdict: Warn, Evidence: fmt.Sprintf("%d users", n),
		Cause: fmt.Sprintf("%d users came by this connector; they lose their identity, and come back as new users by another", n)}
}

// Runs is what a standalone setup's guard knows of the management.json that
// authbird patched.
type Runs struct {
	File string // "" where authbird patched none
	On   bool   // it names this setup still
	Err  error  // why it can't be seen
}

// OnlyLogin is the guard before a standalone setup is taken away: Authentik is
// NetBird's only login there.
func OnlyLogin(r Runs) []Check {
	return []Check{{"only-login", "what NetBird runs on", NetBird, func(*facts.Facts) Outcome {
		switch {
		case r.Err != nil:
			return Outcome{Verdict: Fail, Evidence: r.Err.Error(), Cause: "it can't be seen whether NetBird still runs on this setup: without it nobody could log in",
				Advice: "let authbird read " + r.File + ", or give --force with a reason"}
		case r.On:
			return Outcome{Verdict: Fail, Evidence: r.File, Cause: "NetBird runs on " + r.File + ", which names this setup: without it nobody can log in",
				Advice: "put the backup beside it back and restart NetBird first, or give --force with a reason"}
		}
		return Outcome{Verdict: Warn, Cause: "if NetBird was set up with this setup.env, nobody can log in to it afterwards: Authentik is its only login"}
	}}}
}
