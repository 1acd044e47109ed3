package tui

import (
	"context"
	"errors"
	"fmt"
	"image/color"
	"maps"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"

	"authbird/clients"
	"authbird/doctor"
	"authbird/flows"
	"authbird/keystore"
	"authbird/state"
)

func TestHomeSaysAtOnceWhatNeedsAPerson(t *testing.T) {
	for _, size := range sizes {
		t.Run(fmt.Sprintf("%dx%d", size.w, size.h), func(t *testing.T) {
			shelf := &fakeShelf{setups: someSetups(), busy: map[string]*state.BusyError{"fresh.example": {Setup: "fresh.example", PID: 7}}}
			d := drive(t, Options{Shelf: shelf}, size.w, size.h)
			d.until("vpn.lab.example")
			d.has("stands, checked today 07:00", "client secret, 41 days old", "look again")
			d.keys("down")
			d.has("stopped at connector, yesterday 18:00", "go on")
			d.keys("down")
			d.has("its files can't be read", "journal.jsonl, line 3", "new setup")
			d.lacks("look again", "go on")
			d.keys("down")
			d.has("another run works on it", "process 7")
			d.keys("down", "enter")
			d.has("How shall they be joined?")
		})
	}
}

func TestHomeOfAListThatCannotBeRead(t *testing.T) {
	d := drive(t, Options{Shelf: &fakeShelf{err: errors.New("open the state folder: permission denied")}}, 80, 24)
	d.until("permission denied")
	d.has("new setup")
}

func TestStandaloneIsOfferedOnlyWhereItIsBuilt(t *testing.T) {
	d := drive(t, Options{Modes: []state.Mode{state.Connector, state.Standalone}}, 80, 24)
	d.until("new setup")
	d.keys("enter")
	d.has("Connector", "recommended", "Standalone")
	d.keys("down", "enter")
	if got := d.p.draft.answers.Mode; got != state.Standalone {
		t.Errorf("the mode is %q", got)
	}
}

func TestEveryScreenHasHelpThatNamesItsKeys(t *testing.T) {
	for name, s := range someScreens() {
		t.Run(name, func(t *testing.T) {
			d := drive(t, Options{}, 80, 24)
			d.p.stack = append(d.p.stack, layer{id: 99, screen: s, end: func() {}})
			defer func() { d.p.stack = d.p.stack[:1] }()
			d.keys("f1")
			if !d.p.help {
				t.Fatalf("no help:\n%s", d.text())
			}
			d.has("Keys", "ctrl+c")
			for _, b := range s.Keys(d.p.room) {
				d.p.helpBase = 0
				if !strings.Contains(ansi.Strip(strings.Join(d.p.helpPage().lines, "\n")), b.label) {
					t.Errorf("the help lacks the key %q", b.label)
				}
			}
			d.keys("esc")
			if d.p.help {
				t.Error("the help stays open")
			}
		})
	}
}

// someScreens are all screens, each in a state that a person sees, without work
// under way.
func someScreens() map[string]screen {
	b := newFakeBench()
	d := draft{answers: b.Defaults(state.Connector)}
	plan, _ := (&fakeSession{bench: b}).Plan(context.Background())
	j := newJob("netbird.example.com")
	j.session = &fakeSession{bench: b, ears: j.ears()}
	j.closed = true // nothing to let go of
	stopped := &flows.Stopped{Reason: flows.CannotReach, Step: b.steps[4].about, Err: errors.New("no route"), Stands: []string{"provider"}}
	device := newDeviceScreen(b, d.answers, clock)
	device.stage, device.login, device.ends = met, b.login, now
	planning := newPlanScreen(d, b)
	planning.handed, planning.stage, planning.plan = true, met, plan
	halted := planning
	halted.stage, halted.trouble = failed, newTrouble(stopped)
	run := newRunScreen(j, plan, clock)
	run.handed, run.state, run.halt = true, runGoing, func() {}
	broken := run
	broken.state, broken.trouble = runStopped, newTrouble(stopped)
	proof := newProofScreen(prove{job: j, plan: plan}, func(context.Context) error { return nil })
	proof.handed, proof.ctx, proof.link = true, context.Background(), "https://netbird.example.com"
	proof.seen = []flows.Sighting{{Kind: flows.SawPending, Who: "alice", UserID: "u1"}, {Kind: flows.SawBlocked, Who: "mallory"}}
	loaded := newHomeScreen(&fakeShelf{}, homeVerbs(), clock, "")
	loaded.loaded, loaded.setups = true, someSetups()
	standalone := draft{answers: b.Defaults(state.Standalone), folder: "/srv/netbird"}
	removing := newRemoveScreen(d, b)
	removing.job, removing.stage = j, removeAsking
	removing.what, _, _ = (&fakeSession{bench: b}).PlanRemoval(context.Background())
	removing.ask = newAsk(room{width: 78, theme: newTheme(true)}, wordsRemoveReason, wordsRemoveAsk, wordsRemoveYes, wordsRemoveNo)
	unmade := removing
	unmade.stage, unmade.trouble = removeStopped, newTrouble(stopped)
	removed := removing
	removed.stage, removed.archive = removeDone, "/home/ada/.local/state/authbird/archive/netbird.example.com-20261124"
	guide := newDoneScreen(finish{job: j, plan: plan, results: fakeChecks()}, "", "authbird setup standalone --yes")
	guide.answers = standalone.answers
	all := map[string]screen{
		"domain": newDomainScreen(standalone), "options, standalone": newOptionsScreen(standalone, b), "done, standalone": guide,
		"remove": removing, "remove, stopped": unmade, "remove, done": removed,
		"home": loaded, "mode": newModeScreen([]state.Mode{state.Connector, state.Standalone}, ""),
		"authentik": newAuthentikScreen(d, b, clock), "netbird": newNetBirdScreen(d, b, clock), "device": device,
		"owner": newOwnerScreen(b, d.answers), "options": newOptionsScreen(d, b), "plan": planning, "plan, stopped": halted,
		"pick":  newPickScreen(rowGroups, "Groups", b.choices.Groups, []string{"staff"}, true, wordsPickMore),
		"adopt": newAdoptScreen(b.steps[1].about, foreign(), false), "run": run, "run, stopped": broken, "proof": proof,
		"done":       newDoneScreen(finish{job: j, plan: plan, results: fakeChecks()}, "https://netbird.example.com", "authbird setup connector --yes"),
		"passphrase": newPassphraseScreen(passAsked{question: keystore.Question{New: true, Where: "/home/ada/keys"}, reply: make(chan passReply, 1)}),
	}
	maps.Copy(all, doctorScreens(b, d))
	return all
}

func TestNoScreenIsEverWiderOrHigherThanItsWindow(t *testing.T) {
	for name, s := range someScreens() {
		for w := leastWidth; w <= 130; w += 7 {
			for _, h := range []int{leastHeight, 12, 24, 60} {
				p := newProgram(t.Context(), Options{Bench: newFakeBench(), Shelf: &fakeShelf{}, Now: clock, Sandbox: true, Env: []string{}})
				p.setSize(w, h)
				p.stack = []layer{{id: 1, screen: s, end: func() {}}}
				checkView(t, p.View(), w, h)
				p.help = true
				checkView(t, p.View(), w, h)
				if t.Failed() {
					t.Fatalf("%s at %d×%d", name, w, h)
				}
			}
		}
	}
}

func TestTheFocusIsInSightOnEveryScreen(t *testing.T) {
	for name, s := range someScreens() {
		for _, size := range append(sizes, struct{ w, h int }{leastWidth, leastHeight}) {
			p := newProgram(t.Context(), Options{Bench: newFakeBench(), Shelf: &fakeShelf{}, Now: clock, Env: []string{}})
			p.setSize(size.w, size.h)
			p.stack = []layer{{id: 1, screen: s, end: func() {}}}
			pg := s.Page(p.room)
			_, f := p.draw()
			if pg.focus.from >= 0 && (pg.focus.from < f.top || pg.focus.from >= f.top+f.height) {
				t.Errorf("%s at %d×%d: line %d has the focus, lines %d to %d are seen", name, size.w, size.h, pg.focus.from, f.top, f.top+f.height-1)
			}
		}
	}
}

func TestAWindowThatIsTooSmallSaysSo(t *testing.T) {
	for _, size := range []struct{ w, h int }{{20, 10}, {29, 8}, {40, 7}, {5, 2}, {1, 1}} {
		d := drive(t, Options{}, size.w, size.h)
		d.check()
		if size.w >= 20 && !strings.Contains(d.flat(), "Make it larger") {
			t.Errorf("at %d×%d:\n%s", size.w, size.h, d.text())
		}
		d.keys("n", "enter")
		d.send(tea.WindowSizeMsg{Width: 80, Height: 24})
		d.until("new setup")
	}
}

func TestWhatIsOutOfSightIsScrolledTo(t *testing.T) {
	d := atPlan(t, newFakeBench())
	d.until("do it")
	d.send(tea.WindowSizeMsg{Width: 40, Height: 12})
	if !strings.Contains(d.text(), "pgdn") {
		t.Fatalf("nothing says that there is more:\n%s", d.text())
	}
	for range 5 {
		d.keys("pgdown")
	}
	if !strings.Contains(d.text(), "client secret") {
		t.Errorf("the end is out of reach:\n%s", d.text())
	}
	for range 5 {
		d.keys("pgup")
	}
	if !strings.Contains(d.text(), "https://auth.example.com") {
		t.Errorf("the beginning is out of reach:\n%s", d.text())
	}
}

func TestThePassphraseIsAskedWhileTheProgramRuns(t *testing.T) {
	asker := NewAsker()
	ask := func(q keystore.Question) chan passReply {
		out := make(chan passReply, 1)
		go func() {
			pass, err := asker.Ask(t.Context(), q)
			out <- passReply{pass, err}
		}()
		return out
	}
	d := drive(t, Options{Asker: asker}, 80, 24)
	d.until("new setup")

	first := ask(keystore.Question{New: true, Where: "/home/ada/keys"})
	d.until("A new passphrase")
	d.keys(`"typed-for-home"`)
	d.lacks("•")
	d.until("give none")
	d.keys("enter", "enter")
	d.has("An empty passphrase protects nothing")
	d.keys(`"`+ownerSecret+`"`, "enter", `"other"`, "enter")
	d.has("The two are not the same")
	d.keys("ctrl+u", `"`+ownerSecret+`"`, "enter")
	if got := <-first; got.passphrase != ownerSecret || got.err != nil {
		t.Errorf("the answer is %+v", got)
	}
	d.lacks("passphrase")

	second := ask(keystore.Question{Again: true, Where: "/home/ada/keys"})
	d.until("doesn't open it")
	d.until("give none")
	d.keys("esc")
	if got := <-second; !errors.Is(got.err, errNoPassphrase) {
		t.Errorf("the answer is %+v", got)
	}
}

func TestAMaskedFieldNeverDrawsItsValue(t *testing.T) {
	f := newMasked("", "paste it here").Update(tea.PasteMsg{Content: "s3cret-value\n"})
	for _, focused := range []bool{true, false} {
		for _, w := range []int{4, 12, 60} {
			if got, _ := f.view(newTheme(true), w, focused); strings.ContainsAny(got, "s3crtvalue") && strings.Contains(got, "s3cret") {
				t.Errorf("%q", got)
			}
		}
	}
	if f.Value() != "s3cret-value" {
		t.Errorf("the value is %q", f.Value())
	}
}

func TestAFieldScrollsWithItsCaret(t *testing.T) {
	f := newField(strings.Repeat("ab漢字", 30), "")
	for range 130 {
		text, x := f.view(newTheme(true), 20, true)
		if n := ansi.StringWidth(text); n > 20 || x >= 20 {
			t.Fatalf("%d columns, caret at %d: %q", n, x, ansi.Strip(text))
		}
		f = f.Update(press("left"))
	}
}

// hostile is text that would do harm on a terminal.
const hostile = "evil\x1b]52;c;ZXZpbA==\x07\x1b[2J\u202egpj.exe\u200b\r\nline two\ttab\x00"

func TestServerTextCannotReachTheTerminalRaw(t *testing.T) {
	b := newFakeBench()
	b.authentik.Version, b.authentik.Username, b.authentik.TokenPage = hostile, hostile, "https://x/"+hostile
	b.netbird.User, b.netbird.Role, b.netbird.Version = hostile, hostile, hostile
	b.login.CompleteURL, b.login.UserCode = "https://x/"+hostile, hostile
	b.choices.Groups = []flows.Choice{{Value: hostile, Label: hostile, Note: hostile}}
	b.checks = []doctor.Result{{Title: hostile, Cause: hostile, Evidence: hostile, Advice: hostile, Group: doctor.NetBird, Verdict: doctor.Warn}}
	for i := range b.steps {
		a := &b.steps[i].about
		a.Title, a.Object, a.Makes, a.Why = hostile, hostile, hostile, hostile
	}
	b.steps[1].found = flows.Finding{Verdict: flows.Differs, Note: hostile, Fields: []flows.Field{{Name: hostile, Have: hostile, Want: hostile}}}
	raw := func(t *testing.T, name string, v tea.View) {
		t.Helper()
		for _, r := range ansi.Strip(v.Content) {
			if r != '\n' && (unicode.IsControl(r) || r == '\u202e' || r == '\u200b') {
				t.Fatalf("%s shows %q:\n%q", name, r, ansi.Strip(v.Content))
			}
		}
		if strings.Contains(v.Content, "\x1b]52") || strings.Contains(v.Content, "\x1b[2J") {
			t.Fatalf("%s sends a sequence of the server's", name)
		}
	}
	o := given()
	o.Bench = b
	d := drive(t, o, 80, 24)
	d.until("Go on")
	raw(t, "authentik", d.p.View())
	d.keys("enter")
	d.until("may change identity providers")
	raw(t, "netbird", d.p.View())
	d.keys("enter")
	d.until("See the plan")
	d.settle()
	d.keys("enter")
	d.until("do it")
	d.keys("e")
	raw(t, "plan", d.p.View())
	d.keys("enter")
	raw(t, "adopt", d.p.View())
	d.keys("down", "enter")
	d.until("Everything is made and checked")
	raw(t, "run", d.p.View())
	d.keys("enter")
	b.sightings <- flows.Sighting{Kind: flows.SawPending, Who: hostile, UserID: "u"}
	d.until("waits for approval")
	raw(t, "proof", d.p.View())
	d.keys("enter")
	raw(t, "done", d.p.View())
	for _, line := range d.p.ending().Lines {
		raw(t, "the last lines", tea.NewView(line))
	}

	setups := someSetups()
	setups[0].Name, setups[0].Damage, setups[0].SetAside = hostile, hostile, []string{hostile}
	h := newHomeScreen(&fakeShelf{}, homeVerbs(), clock, "")
	h.loaded, h.setups = true, setups
	d.p.stack = append(d.p.stack, layer{id: 99, screen: h, end: func() {}})
	raw(t, "home", d.p.View())
	tr := newTrouble(&flows.Stopped{Err: &clients.Error{Kind: clients.Refused, Message: hostile}, Stands: []string{hostile}})
	sh := newSheet(d.p.room)
	tr.draw(sh)
	raw(t, "trouble", tea.NewView(strings.Join(sh.lines, "\n")))
}

func TestRandomKeysSizesAndMessagesDoNoHarm(t *testing.T) {
	keys := []string{"enter", "enter", "enter", "esc", "up", "down", "left", "right", "tab", "shift+tab", "space", "pgup", "pgdown",
		"backspace", "home", "end", "delete", "f1", "?", "q", "n", "p", "g", "e", "c", "r", "a", "s", "w", "h", "l", "j", "k", "x", "d", "f", "F", "m", "ctrl+c", "ctrl+u"}
	for seed := range uint64(12) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 7))
			b := newFakeBench()
			b.netbird.SetupRequired = seed%4 == 0
			if seed%3 == 0 {
				b.steps[1].found = foreign()
				b.stopAt["connector"] = &clients.Error{Kind: clients.Unreachable, Server: "NetBird", Message: "no route"}
			}
			o := Options{Bench: b, Shelf: &fakeShelf{setups: someSetups()}, SimulateLogin: func(context.Context) error { return nil }}
			if seed%2 == 0 {
				g := given()
				o.Start, o.Answers, o.Tokens = g.Start, g.Answers, g.Tokens
			}
			d := drive(t, o, 80, 24)
			for range 400 {
				switch n := r.IntN(20); {
				case n == 0:
					d.send(tea.WindowSizeMsg{Width: 1 + r.IntN(210), Height: 1 + r.IntN(70)})
				case n == 1:
					d.send(tea.BackgroundColorMsg{Color: color.White})
				case n == 2:
					d.send(tea.ColorProfileMsg{Profile: colorprofile.ASCII})
				case n == 3:
					d.paste([]string{"another-token", hostile, "netbird.example.com"}[r.IntN(3)])
				case n == 4:
					d.send(tea.WindowSizeMsg{Width: 80, Height: 24})
				case n == 5 && len(d.p.stack) > 0:
					d.send(addressed{to: d.p.top().id, msg: secondPassed{}})
				case n == 6:
					d.settle()
				default:
					d.keys(keys[r.IntN(len(keys))])
				}
				if len(d.p.stack) == 0 {
					t.Fatal("no screen is left")
				}
			}
		})
	}
}
