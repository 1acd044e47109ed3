package cli_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"authbird/sim/fault"
	"authbird/sim/netbird"
)

// lineDesk is a desk of somebody who gives everything in lines.
func lineDesk(t *testing.T) *desk {
	d := newDesk(t)
	d.forget("AUTHBIRD_AUTHENTIK_URL", "AUTHBIRD_NETBIRD_URL", "AUTHENTIK_TOKEN", "NETBIRD_TOKEN")
	t.Chdir(d.dir) // setup.env goes where authbird is started
	return d
}

// servers is what both hold.
func (d *desk) servers() []any {
	return []any{d.sim.Authentik.Snapshot(), d.sim.NetBird.Snapshot()}
}

// journey is one thing that a person does by questions and answers.
type journey struct {
	name    string
	verb    string
	before  func(*desk) // what stands already
	answers func(*desk) []string
	says    []string // among much else
	lacks   []string
	reads   bool // nothing is changed
	enough  int  // how many of the last answers need not be given
}

func connectorAnswers(d *desk) []string {
	return []string{d.sim.AuthentikURL, d.sim.AuthentikToken, d.sim.NetBirdURL, "2", d.sim.NetBirdToken, "yes", "yes", ""}
}

func standaloneAnswers(d *desk) []string {
	return []string{d.sim.AuthentikURL, d.sim.AuthentikToken, "netbird.example.com", "yes", "yes"}
}

// stopped has a setup stop at its connector.
func stopped(d *desk) {
	order := fault.Fault{Method: "POST", Path: "/api/identity-providers", Skip: 1, Kind: fault.Status, Status: 422}
	if err := d.sim.NetBirdFaults.Order(order); err != nil {
		d.t.Fatal(err)
	}
	d.alone("setup", "connector", "--yes", "--setup", "home").want(8)
	d.sim.NetBirdFaults.Clear()
}

// stands has a setup stand.
func stands(d *desk) { d.alone("setup", "connector", "--yes", "--setup", "home").want(0) }

// alone runs authbird with everything given, and nobody there.
func (d *desk) alone(args ...string) outcome {
	given := map[string]string{
		"AUTHBIRD_AUTHENTIK_URL": d.sim.AuthentikURL, "AUTHBIRD_NETBIRD_URL": d.sim.NetBirdURL,
		"AUTHENTIK_TOKEN": d.sim.AuthentikToken, "NETBIRD_TOKEN": d.sim.NetBirdToken,
	}
	for name, value := range given {
		d.env[name] = value
	}
	defer func() {
		for name := range given {
			delete(d.env, name)
		}
	}()
	d.terminal = false
	return d.authbird(args...)
}

// tokens are the answers about a setup that stands: both were forgotten.
func tokens(d *desk) []string { return []string{d.sim.AuthentikToken, "2", d.sim.NetBirdToken} }

func with(first []string, more ...string) []string { return append(first, more...) }

func journeys() []journey {
	return []journey{
		{name: "connector", verb: "setup connector", answers: connectorAnswers, enough: 1,
			says: []string{"Where is Authentik? For example", "Is that right? Answer yes or no. Enter alone means yes.", "to make    provider", "What is seen of it is told here. Enter alone ends the watch."}},
		{name: "standalone", verb: "setup standalone", answers: standaloneAnswers,
			says: []string{"NetBird's domain? For example", "setup.env"}, lacks: []string{"To prove it"}},
		{name: "a mode that is asked for", verb: "setup", answers: func(d *desk) []string { return append([]string{"2"}, standaloneAnswers(d)...) },
			says: []string{"1  Authentik beside NetBird's own login, recommended", "Enter alone means 1."}},
		{name: "new, from home", verb: "", answers: func(d *desk) []string { return append([]string{"2"}, standaloneAnswers(d)...) },
			says: []string{"Here: 0 setups.", "2  a new setup: Authentik as NetBird's only login"}},
		{name: "resume", verb: "resume", before: stopped, answers: func(d *desk) []string { return with(tokens(d), "yes", "yes", "") }, enough: 1,
			says: []string{"in place   provider", "to make    connector"}},
		{name: "go on, from home", verb: "", before: stopped, answers: func(d *desk) []string { return append([]string{"", ""}, with(tokens(d), "yes", "yes", "")...) }, enough: 1,
			says: []string{"1  home, stopped at connector", "1  go on where it stopped"}},
		{name: "remove", verb: "remove", before: stands, answers: func(d *desk) []string { return with(tokens(d), "yes") },
			says: []string{`delete   connector "Authentik"`, "Take it back? Answer yes or no. Enter alone means no."}},
		{name: "remove, from home", verb: "", before: stands, answers: func(d *desk) []string { return append([]string{"1", "4"}, with(tokens(d), "yes")...) },
			says: []string{"4  take back what authbird made"}},
		{name: "remove, and no", verb: "remove", before: stands, answers: func(d *desk) []string { return with(tokens(d), "") }, reads: true},
		{name: "the signing key, from home", verb: "", before: stands, answers: func(d *desk) []string { return append([]string{"1", "3", "2"}, with(tokens(d), "yes")...) },
			says: []string{"3  renew a secret", "Which is to be renewed? Type a number from 1 to 2.", "Do it now? Answer yes or no."}},
		{name: "groups", verb: "groups", before: stands, answers: func(d *desk) []string { return with(tokens(d), "") }, says: []string{"Change that? Answer yes or no. Enter alone means no."}, reads: true},
		{name: "export", verb: "export env", before: stands, answers: tokens, reads: true},
		{name: "doctor, from home", verb: "", before: stands, answers: func(d *desk) []string {
			return []string{"1", "2", d.sim.AuthentikToken, d.sim.NetBirdToken}
		}, reads: true},
	}
}

// Each journey of the screens is there in lines: with every default said, no
// escape, no cursor moved, and the same end at both servers.
func TestTheSameJourneysInLines(t *testing.T) {
	for _, j := range journeys() {
		t.Run(j.name, func(t *testing.T) {
			d := lineDesk(t)
			if j.before != nil {
				j.before(d)
			}
			was := d.servers()
			o := d.conversation(j.verb, j.answers(d)...).want(0)
			for _, said := range j.says {
				if !strings.Contains(o.human+o.out, said) {
					t.Errorf("%q was not said:\n%s\n%s", said, o.human, o.out)
				}
			}
			for _, said := range j.lacks {
				if strings.Contains(o.human+o.out, said) {
					t.Errorf("%q was said:\n%s\n%s", said, o.human, o.out)
				}
			}
			if strings.ContainsAny(o.out+o.human, "\x1b\r\b\a\t") {
				t.Errorf("the lines hold escapes or move the cursor:\n%q", o.out+o.human)
			}
			if changed := !cmp.Equal(was, d.servers()); changed == j.reads {
				t.Errorf("the servers were changed: %v", changed)
			}
		})
	}
}

// The input may end at any question: then so does authbird, with a word about
// it, and what was not agreed to has not been done.
func TestTheInputEndsAtAnyQuestion(t *testing.T) {
	for _, j := range journeys() {
		for n := range len(j.answers(lineDesk(t))) - j.enough {
			t.Run(fmt.Sprintf("%s, %d answers", j.name, n), func(t *testing.T) {
				d := lineDesk(t)
				if j.before != nil {
					j.before(d)
				}
				was := d.servers()
				d.terminal, d.env["TERM"] = true, "dumb"
				answers := j.answers(d)[:n]
				d.stdin = strings.NewReader(strings.Join(append(answers, ""), "\n"))
				o := d.authbird(strings.Fields(j.verb)...).want(2)
				if !strings.Contains(o.human, "authbird: ") {
					t.Errorf("nothing is said of it:\n%s", o.human)
				}
				if diff := cmp.Diff(was, d.servers()); diff != "" {
					t.Errorf("the servers were changed:\n%s", diff)
				}
			})
		}
	}
}

// Lines are asked for in four ways.
func TestWhoGetsLines(t *testing.T) {
	for name, c := range map[string]struct{ env, value, args string }{
		"a terminal without screens": {"TERM", "dumb", ""},
		"the variable of all tools":  {"ACCESSIBLE", "1", ""},
		"the flag's twin":            {"AUTHBIRD_ACCESSIBLE", "true", ""},
		"the flag":                   {"TERM", "xterm", "--accessible"},
	} {
		t.Run(name, func(t *testing.T) {
			d := lineDesk(t)
			d.terminal, d.env[c.env], d.stdin = true, c.value, strings.NewReader("q\n")
			o := d.authbird(strings.Fields(c.args)...).want(130)
			if !strings.Contains(o.human, "Here: 0 setups. The answer q leaves.") {
				t.Errorf("said:\n%s", o.human)
			}
		})
	}
}

// A guard that locks the removal says why, and a person's reason opens it.
func TestAReasonIsAskedForWhereTakingBackIsLocked(t *testing.T) {
	d := lineDesk(t)
	stands(d)
	if err := d.sim.NetBird.Reconfigure(func(o *netbird.Options) { o.LocalAuthDisabled = true }); err != nil {
		t.Fatal(err)
	}
	was := d.servers()
	d.conversation("remove", with(tokens(d), "q")...).want(130)
	if diff := cmp.Diff(was, d.servers()); diff != "" {
		t.Errorf("the servers were changed:\n%s", diff)
	}
	o := d.conversation("remove", with(tokens(d), "", "moving to another login", "yes")...).want(0)
	for _, said := range []string{"It is locked. To do it all the same, type why", "An answer is needed here"} {
		if !strings.Contains(o.human, said) {
			t.Errorf("%q was not said:\n%s", said, o.human)
		}
	}
}
