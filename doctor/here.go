package doctor

import (
	"fmt"
	"strings"

	"authbird/clients"
	"authbird/facts"
)

// here asks what this machine knows: first of all whether something is
// unfinished, since that explains much of the rest.
func (c Case) here() []Question {
	if c.Found {
		return nil
	}
	wave := 0
	if c.Here.Gap != NoGap { // NetBird's process tells how bad it is
		wave = 2
	}
	return []Question{
		ask(wave, "unfinished", "nothing is unfinished", Here, func(*facts.Facts) Outcome { return unfinished(c.Here) }),
		ask(0, "credentials", "no credential is due", Here, func(f *facts.Facts) Outcome { return due(f, c.Here) }),
	}
}

// RepairOldSecret puts the old client secret back at NetBird, where a renewal
// was stopped before Authentik got the new one.
const RepairOldSecret = "old-client-secret"

func unfinished(h Locally) Outcome {
	switch {
	case h.Damage != "":
		return Outcome{Verdict: Fail, Cause: clients.Clean(h.Damage), Hits: "what authbird made can't be told for sure", Advice: "look at that file, or put it back from a backup"}
	case h.Stopped == "":
		return ok("")
	}
	evidence := h.Since.Format("2 January 2006 15:04")
	if h.At != "" {
		evidence = "at " + clients.Clean(h.At) + ", " + evidence
	}
	if h.Why != "" {
		evidence += ": " + clients.CleanN(h.Why, 200)
	}
	out := Outcome{Verdict: Fail, Blame: Person, Evidence: evidence, Cause: fmt.Sprintf("a %s is unfinished", h.Stopped), Hits: "what follows may come from that alone", Advice: h.Next}
	const gap = "NetBird was given a new client secret that Authentik doesn't have, and the renewal is unfinished"
	switch h.Gap {
	case GapOpen:
		out.Cause, out.Hits, out.Repair = gap, "a restart of NetBird now would break logins through Authentik", RepairOldSecret
	case GapUnsure:
		out.Cause, out.Hits = gap, "a restart of NetBird now would break logins through Authentik, if there wasn't one already"
	case GapEntered:
		out.Cause, out.Hits = gap, "NetBird has restarted since, so logins through Authentik fail until the renewal is finished"
	}
	return out
}

func due(f *facts.Facts, h Locally) Outcome {
	var ages, late []string
	for _, c := range h.Credentials {
		name := clients.Clean(c.Name)
		switch {
		case !c.Expires.IsZero() && c.Expires.Before(f.At):
			late = append(late, name+" expired on "+c.Expires.Format("2 January 2006"))
		case !c.Due.IsZero() && c.Due.Before(f.At):
			late = append(late, name+" was due on "+c.Due.Format("2 January 2006"))
		case !c.Expires.IsZero() && c.Expires.Sub(f.At) < soon:
			late = append(late, name+" expires on "+c.Expires.Format("2 January 2006"))
		case !c.Made.IsZero():
			ages = append(ages, fmt.Sprintf("%s %d days old", name, int(f.At.Sub(c.Made).Hours()/24)))
		}
	}
	if len(late) > 0 {
		return Outcome{Verdict: Warn, Evidence: sorted(late), Cause: "a credential should be renewed", Advice: "authbird rotate"}
	}
	return ok(strings.Join(ages, ", "))
}
