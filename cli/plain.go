package cli

import (
	"fmt"
	"io"
	"strings"
	"time"

	"authbird/clients"
	"authbird/doctor"
	"authbird/flows"
)

// plainVoice writes lines that are read once, from top to bottom, by a person,
// a screen reader or a log. Results go to standard output, the way there to
// standard error. Nothing in them depends on colour.
type plainVoice struct {
	out    io.Writer
	people io.Writer
	now    func() time.Time
	well   int // checks that were well and are told together
}

func (v *plainVoice) printf(format string, args ...any) {
	printLine(v.out, strings.TrimRight(fmt.Sprintf(format, args...), " "))
}

func (v *plainVoice) tellf(format string, args ...any) {
	printLine(v.people, strings.TrimRight(fmt.Sprintf(format, args...), " "))
}

// plan is the result of the verb plan, and what is read aloud before a setup.
func (v *plainVoice) plan(_ string, p *flows.Plan) {
	for _, line := range planLines(p) {
		printLine(v.out, line)
	}
}

// planLines words a plan: what would be made or changed, and what is in place
// already.
func planLines(p *flows.Plan) []string {
	var lines []string
	for _, s := range p.Steps {
		lines = append(lines, plannedLine(s))
		for _, f := range s.Finding.Fields {
			lines = append(lines, "    "+plannedField(s.Finding.Verdict, f))
		}
		if s.Finding.Note != "" {
			lines = append(lines, "    "+clients.Clean(s.Finding.Note))
		}
	}
	return lines
}

// plannedField words one field: of an object that is missing there is nothing to
// compare with.
func plannedField(v flows.Verdict, f flows.Field) string {
	if v == flows.Missing && f.Have == "" {
		return f.Name + ": " + orNothing(f.Want)
	}
	return fmt.Sprintf("%s: have %s, want %s", f.Name, orNothing(f.Have), orNothing(f.Want))
}

// plannedLine says in words what the run would do about one object.
func plannedLine(s flows.Planned) string {
	about := s.Step.About()
	object := fmt.Sprintf("%s %q, %s", about.Title, about.Object, place(about.Where))
	switch s.Finding.Verdict {
	case flows.InPlace:
		return "in place   " + object
	case flows.Missing:
		if about.Makes == "" {
			return "to make    " + object
		}
		return fmt.Sprintf("to make    %s: %s", object, about.Makes)
	case flows.Differs:
		return "to change  " + object
	}
	return "blocked    " + object
}

func place(p flows.Place) string {
	if p == flows.Here {
		return "here"
	}
	return "at " + string(p)
}

func (v *plainVoice) event(_ string, e flows.Event) {
	if e.Phase == flows.Checked {
		if e.Check.Verdict == doctor.OK {
			v.well++
			return
		}
		v.tellWell()
		for _, line := range checkLines(e.Check) {
			printLine(v.people, line)
		}
		return
	}
	v.tellWell()
	object := fmt.Sprintf("%s %q, %s", e.Step.Title, e.Step.Object, place(e.Step.Where))
	switch e.Phase {
	case flows.Doing:
		v.tellf("doing    %s", object)
	case flows.Done:
		v.tellf("done     %s  (%s)", object, seconds(e.Elapsed))
	case flows.Settled:
		v.tellf("found    %s: an earlier run's answer was lost, and the object is there", object)
	case flows.Lost:
		v.tellf("unknown  %s: no answer came; looking what became of it", object)
	case flows.Failed:
		v.tellf("failed   %s", object)
	case flows.Undone:
		v.tellf("undone   %s", object)
	case flows.Waiting:
		v.tellf("waiting  %s: %s", object, clients.Clean(e.Finding.Note))
	}
}

// tellWell tells the checks that were well since it was last called, as one.
func (v *plainVoice) tellWell() {
	if v.well > 0 {
		v.tellf("well     %s", count(v.well, "check"))
	}
	v.well = 0
}

// checkLines words a check that is not well: what was asked, the cause, who is
// hit and what to do.
func checkLines(c doctor.Result) []string {
	word := map[doctor.Verdict]string{doctor.Warn: "note", doctor.Fail: "wrong", doctor.Unknown: "unseen", doctor.OK: "well"}[c.Verdict]
	lines := []string{fmt.Sprintf("%-8s %s", word, c.Title)}
	for _, s := range []string{c.Cause, c.Seen(), c.Hits, c.Advice} {
		if s != "" {
			lines = append(lines, "    "+clients.Clean(s))
		}
	}
	return lines
}

// count is a number of things in words.
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }

func (v *plainVoice) removal(_ string, r flows.Removal) {
	v.tellWell()
	for _, line := range removalLines(r) {
		v.printf("%s", line)
	}
}

func (v *plainVoice) groups(_ string, g flows.GroupsSeen) {
	v.tellWell()
	for _, line := range groupLines(g) {
		printLine(v.out, line)
	}
}

func (v *plainVoice) outcome(out outcome) {
	word := "done"
	if out.Exit != exitDone {
		word = fmt.Sprintf("exit %d", out.Exit)
	}
	v.printf("%-8s %s: %s", word, out.Setup, clients.Clean(out.Message))
	for _, h := range out.Hints {
		v.printf("         %s", clients.Clean(h))
	}
	if out.Next != "" {
		v.printf("         to go on: %s", out.Next)
	}
}

func (v *plainVoice) exported(_, _, text string) { _, _ = io.WriteString(v.out, text) }

func (v *plainVoice) standing(s standing) {
	v.printf("%s  %s  %s", s.Setup, s.Mode, stateWords(s, v.now()))
	v.printf("  Authentik  %s", s.AuthentikURL)
	v.printf("  NetBird    %s", s.NetBirdURL)
	if s.Why != "" {
		v.printf("  why        %s", clients.Clean(s.Why))
	}
	if len(s.Stands) > 0 {
		v.printf("  stands     %s", strings.Join(s.Stands, ", "))
	}
	for _, r := range s.Renewals {
		if r.Known {
			v.printf("  %s  %s", r.Name, renewalWords(r, v.now()))
		}
	}
	for _, name := range s.NotRotatable {
		v.printf("  %s  not kept, so it can't be rotated from here", name)
	}
	if s.Damage != "" {
		v.printf("  damage     %s", clients.Clean(s.Damage))
	}
	if s.CommandToType != "" {
		v.printf("  to go on   %s", s.CommandToType)
	}
}

// stateWords says how a setup stands.
func stateWords(s standing, now time.Time) string {
	switch s.State {
	case stateStopped:
		if s.StoppedAt == "" {
			return "stopped " + ago(s.Since, now)
		}
		return fmt.Sprintf("stopped at %s, %s", s.StoppedAt, ago(s.Since, now))
	case stateRunning:
		return fmt.Sprintf("being worked on by process %d", s.RunningPID)
	case stateComplete:
		if s.LoginSeen.IsZero() {
			return "complete, no login seen yet"
		}
		return "complete, a login was seen " + ago(s.LoginSeen, now)
	}
	return s.State
}

// age is a length of time in the coarsest unit that still says something.
func age(d time.Duration) string {
	switch {
	case d < 2*time.Minute:
		return "under two minutes"
	case d < 2*time.Hour:
		return count(int(d.Minutes()), "minute")
	case d < 48*time.Hour:
		return count(int(d.Hours()), "hour")
	}
	return count(days(d), "day")
}

func ago(t, now time.Time) string {
	if t.IsZero() {
		return "at an unknown time"
	}
	return age(now.Sub(t)) + " ago"
}

// result says the good end; a bad one has been said to standard error.
func (v *plainVoice) result(out outcome) {
	v.tellWell()
	if out.Exit != exitDone || out.Message == "" {
		return
	}
	v.printf("%s", clients.Clean(out.Message))
	for _, h := range out.Hints {
		v.printf("  %s", clients.Clean(h))
	}
	if out.Login != "" {
		v.printf("  to prove it, open this on any device and sign in:")
		v.printf("%s", out.Login)
	}
	if out.Command != "" {
		v.printf("  the same by flags:")
		v.printf("%s", out.Command)
	}
	if out.Next != "" {
		v.printf("  next: %s", out.Next)
	}
}
