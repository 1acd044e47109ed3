//go:build unix

package overssh

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
)

// While a person walks, the window changes its size at every screen, and no key
// is lost.
func TestResizingInTheMiddle(t *testing.T) {
	want := undisturbed(t, (*world).connectorWalk)
	sizes := []size{{40, 12}, {200, 60}, usual, {41, 13}, {100, 12}, {40, 60}}
	w := newWorld(t)
	x := open(t, window{}, w.shell())
	x.walk(w.connectorWalk(), func(i int) {
		x.resize(sizes[i%len(sizes)])
	})
	x.ends(0)
	if got := w.standing(); got != want {
		t.Errorf("the servers hold\n%s\nand not\n%s", got, want)
	}
}

// A window that is too small says so, takes no key for a screen that can't be
// seen, and goes on where it was.
func TestAWindowThatIsTooSmallForAWhile(t *testing.T) {
	w := newWorld(t)
	x := open(t, window{}, w.shell())
	x.sees("new setup").types(enter)
	x.sees("How shall they be joined?").resize(size{20, 5})
	x.sees("This window is 20×5").types(enter + enter + "q")
	for _, s := range []size{{19, 5}, {20, 6}, {19, 5}, {20, 6}} { // keys and sizes come by two ways; drawn so often, the keys were read
		x.resize(s)
		x.sees(fmt.Sprintf("This window is %d×%d", s.w, s.h))
	}
	x.resize(usual)
	x.sees("How shall they be joined?").types(esc)
	x.sees("↵ new setup").types("q")
	x.ends(0)
}

var colours = map[string]*regexp.Regexp{
	"true colour": regexp.MustCompile(`\x1b\[[0-9;:]*[34]8[;:]2[;:]`),
	"256 colours": regexp.MustCompile(`\x1b\[[0-9;:]*[34]8[;:]5[;:]`),
	"16 colours":  regexp.MustCompile(`\x1b\[(?:[0-9]+;)*(?:3[0-7]|9[0-7])(?:;[0-9]+)*m`),
}

// Colours are those that the terminal has, and the plainest are sent no links
// and no questions that they would print.
func TestWhatIsSentFitsTheTerminal(t *testing.T) {
	for _, c := range []struct {
		win   window
		has   []string
		lacks []string
		links bool
	}{
		{window{term: "xterm-256color", env: []string{"COLORTERM=truecolor"}}, []string{"true colour"}, nil, true},
		{window{term: "xterm-256color"}, []string{"256 colours"}, []string{"true colour"}, true},
		{window{term: "xterm"}, []string{"16 colours"}, []string{"true colour", "256 colours"}, true},
		{window{term: "linux"}, []string{"16 colours"}, []string{"true colour", "256 colours"}, false},
		{window{term: "vt100"}, nil, []string{"true colour", "256 colours", "16 colours"}, false},
		{window{term: "xterm-256color", env: []string{"NO_COLOR=1"}}, nil, []string{"true colour", "256 colours", "16 colours"}, true},
		{window{term: "screen"}, nil, []string{"true colour"}, false},
	} {
		t.Run(c.win.term+strings.Join(c.win.env, " "), func(t *testing.T) {
			w := newWorld(t)
			x := open(t, c.win, w.shell())
			x.walk(w.connectorWalk(), nil)
			x.ends(0)
			sent := x.written()
			for _, name := range c.has {
				if !colours[name].MatchString(sent) {
					t.Errorf("no %s are sent", name)
				}
			}
			for _, name := range c.lacks {
				if at := colours[name].FindString(sent); at != "" {
					t.Errorf("%s are sent: %q", name, at)
				}
			}
			if got := strings.Contains(sent, "\x1b]8;"); got != c.links {
				t.Errorf("links are sent: %v", got)
			}
			if asked := strings.Contains(sent, "\x1b]11;?"); asked && (c.win.term == "linux" || c.win.term == "vt100") {
				t.Error("it is asked for its colours")
			}
			if c.win.term == "screen" {
				return
			}
			if !strings.Contains(flat(sent), w.sim.NetBirdURL) {
				t.Error("NetBird's address is not to be seen whole")
			}
		})
	}
}

var escapes = regexp.MustCompile(`\x1b(\[[0-9;?:><=]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)|[()][0-9A-B]|[=>78M])`)

// flat is what was written without what only moves and colours.
func flat(s string) string { return escapes.ReplaceAllString(s, "") }

// The address of the first sign-in stands whole in one line of the screen, with
// nothing beside it, in each window that it fits in; and a person copies it by a
// key, which says that it was sent and no more.
func TestTheAddressOfTheFirstSignIn(t *testing.T) {
	for _, win := range []window{{size: size{40, 12}}, {size: usual}, {size: size{200, 60}}, {size: usual, term: "linux"}, {size: usual, env: []string{"NO_COLOR=1"}}} {
		t.Run(win.String(), func(t *testing.T) {
			w := newWorld(t)
			x := open(t, win, w.shell())
			stops := w.connectorWalk()
			x.walk(stops[:12], nil)
			x.sees(stops[12].sees...)
			alone := false
			for line := range strings.Lines(x.screen()) {
				alone = alone || strings.TrimSpace(line) == w.sim.NetBirdURL
			}
			if !alone {
				t.Errorf("it does not stand alone in a line:\n%s", x.screen())
			}
			x.types("c").sees("sent to your terminal's clipboard, if it takes it")
			x.hears("\x1b]52;c;")
			fits := strings.Contains(x.screen(), "QR code")
			if want := win.w >= 80; fits != want && win.h >= 24 {
				t.Errorf("a QR code is offered: %v\n%s", fits, x.screen())
			}
			if fits {
				x.types("r").sees("Scan it with a phone").types("x")
			}
			x.sees("waiting for somebody").types(enter)
			x.sees("is set up").types(enter)
			x.ends(0)
		})
	}
}
