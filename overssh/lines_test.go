//go:build unix

package overssh

import (
	"strings"
	"testing"
)

// line is a question of the walk in lines, and what is typed then.
type line struct{ hears, types string }

func (w *world) connectorLines() []line {
	return []line{
		{"Which one? Type a number", "1"},
		{"Where is Authentik?", w.sim.AuthentikURL}, {"The API token of Authentik? What you type is not shown.", w.sim.AuthentikToken},
		{"Where is NetBird?", w.sim.NetBirdURL}, {"How do you sign in to NetBird?", "2"}, {"The access token of NetBird? What you type is not shown.", w.sim.NetBirdToken},
		{"Is that right?", ""}, {"Do it?", "yes"},
		{"New passphrase? What you type is not shown.", passphrase}, {"The same passphrase again? What you type is not shown.", passphrase},
		{"Enter alone ends the watch.", ""},
	}
}

func (w *world) standaloneLines() []line {
	return []line{
		{"Which one? Type a number", "2"},
		{"Where is Authentik?", w.sim.AuthentikURL}, {"The API token of Authentik? What you type is not shown.", w.sim.AuthentikToken},
		{"NetBird's domain?", "netbird.example.com"}, {"Is that right?", ""}, {"Do it?", "yes"},
		{"New passphrase? What you type is not shown.", passphrase}, {"The same passphrase again? What you type is not shown.", passphrase},
	}
}

// answersEach types the answers to the questions, as they come.
func (x *terminal) answersEach(lines []line) {
	x.t.Helper()
	for _, l := range lines {
		x.hears(l.hears).types(l.types + enter)
	}
}

// With a terminal that can do nothing, and for screen readers, both walks go
// line by line: nothing is sent that is no text, what is asked hidden is not
// shown, and both servers hold what they hold after the screens.
func TestBothWalksInLines(t *testing.T) {
	for _, c := range []struct {
		name string
		win  window
		env  string
		args []string
	}{
		{name: "TERM=dumb", win: window{term: "dumb"}},
		{name: "ACCESSIBLE=1", env: "1"},
		{name: "--accessible", win: window{size: size{40, 12}}, args: []string{"--accessible"}},
	} {
		for mode, walks := range map[string]struct {
			lines   func(*world) []line
			screens func(*world) []stop
		}{"connector": {(*world).connectorLines, (*world).connectorWalk}, "standalone": {(*world).standaloneLines, (*world).standaloneWalk}} {
			t.Run(mode+" by "+c.name, func(t *testing.T) {
				want := undisturbed(t, walks.screens)
				w := newWorld(t)
				delete(w.env, "AUTHBIRD_KEYSTORE_IDENTITY")
				if c.env != "" {
					w.env["ACCESSIBLE"] = c.env
				}
				x := open(t, c.win, w.shell(c.args...))
				x.answersEach(walks.lines(w))
				x.ends(0)
				if got := w.standing(); got != want {
					t.Errorf("the servers hold\n%s\nand not\n%s", got, want)
				}
				sent := x.written()
				if at := strings.IndexAny(sent, "\x1b\b\a\t"); at >= 0 {
					t.Errorf("the lines hold escapes or move the cursor: %q", sent[at:])
				}
				w.none("what was sent to the terminal", sent)
			})
		}
	}
}

// The line drops at each question: authbird ends by itself, and what was begun
// is gone on with.
func TestTheLineDropsAtEveryQuestion(t *testing.T) {
	for i := range newWorld(t).connectorLines() {
		w := newWorld(t)
		delete(w.env, "AUTHBIRD_KEYSTORE_IDENTITY")
		lines := w.connectorLines()
		line, code := w.outlived("--accessible")
		x := open(t, window{}, line)
		x.answersEach(lines[:i])
		x.hears(lines[i].hears).drop()
		last := i == len(lines)-1
		if got := code(); got != "130" && got != "2" && !(last && got == "0") { // 2: the input ended, which is heard as well
			t.Errorf("at %q: authbird ends with %s", lines[i].hears, got)
		}
		if !last {
			if got := w.standing(); strings.Contains(got, "identityprovider.create") {
				t.Errorf("at %q: something was made", lines[i].hears)
			}
		}
	}
}
