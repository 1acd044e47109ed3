//go:build unix

package overssh

import (
	"fmt"
	"testing"
)

// stop is one screen of a walk: what a person waits for there, in each window
// of at least 40 by 12, and what is typed then.
type stop struct {
	name  string
	sees  []string
	types string
}

// connectorWalk is the whole connector setup, from the empty list of setups to
// the end, with everything typed.
func (w *world) connectorWalk() []stop {
	return []stop{
		{"home", []string{"new setup", "↵ new setup"}, enter},
		{"mode", []string{"How shall they be joined?", "Connector"}, enter},
		{"Authentik's address", []string{"Connect to Authentik"}, w.sim.AuthentikURL + tab},
		{"Authentik's token", []string{"▸ API token"}, pasted(w.sim.AuthentikToken) + enter},
		{"Authentik, met", []string{"akadmin, superuser", "▸ Go on"}, enter},
		{"NetBird's address", []string{"Connect to NetBird"}, w.sim.NetBirdURL + tab},
		{"NetBird's door", []string{"▸ Sign in with a code"}, down},
		{"NetBird's token", []string{"▸ Access token"}, pasted(w.sim.NetBirdToken) + enter},
		{"NetBird, met", []string{"Owner, owner", "▸ Go on"}, enter},
		{"options", []string{"▸ See the plan"}, enter},
		{"plan", []string{"What will happen", "↵ do it"}, enter},
		{"run", []string{"made and checked", "↵ first sign-in"}, enter},
		{"proof", []string{"waiting for somebody", "↵ skip"}, enter},
		{"done", []string{"is set up", "↵ leave"}, enter},
	}
}

// standaloneWalk is the same of the other mode.
func (w *world) standaloneWalk() []stop {
	return []stop{
		{"home", []string{"new setup", "↵ new setup"}, enter},
		{"mode", []string{"How shall they be joined?"}, down + enter},
		{"Authentik's address", []string{"Connect to Authentik"}, w.sim.AuthentikURL + tab},
		{"Authentik's token", []string{"▸ API token"}, pasted(w.sim.AuthentikToken) + enter},
		{"Authentik, met", []string{"akadmin, superuser", "▸ Go on"}, enter},
		{"domain", []string{"NetBird's domain"}, "netbird.example.com" + enter},
		{"domain, taken", []string{"▸ Go on"}, enter},
		{"options", []string{"▸ See the plan"}, enter},
		{"plan", []string{"What will happen", "↵ do it"}, enter},
		{"run", []string{"made and checked", "↵ go on"}, enter},
		{"done", []string{"is set up", "↵ leave"}, enter},
	}
}

// walk goes through all of it; between, where it is given, is called at each
// screen before anything is typed.
func (x *terminal) walk(stops []stop, between func(i int)) {
	x.t.Helper()
	for i, s := range stops {
		x.sees(s.sees...)
		if between != nil {
			between(i)
			x.sees(s.sees...)
		}
		x.types(s.types)
	}
}

// looks are the terminals that people come with.
var looks = []window{
	{term: "xterm-256color", env: []string{"COLORTERM=truecolor"}},
	{term: "xterm-256color"},
	{term: "xterm"},
	{term: "xterm-256color", env: []string{"NO_COLOR=1"}},
	{term: "screen"},
	{term: "tmux"},
	{term: "tmux-256color"},
	{term: "linux"},
	{term: "vt100"},
}

func (win window) String() string {
	return fmt.Sprintf("%s %v %dx%d", win.term, win.env, win.w, win.h)
}

func TestBothWalksOnEachTerminal(t *testing.T) {
	want := map[string]string{}
	for mode, walk := range map[string]func(*world) []stop{"connector": (*world).connectorWalk, "standalone": (*world).standaloneWalk} {
		for i, win := range looks {
			win.size = []size{usual, {40, 12}, {200, 60}}[i%3]
			t.Run(mode+" "+win.String(), func(t *testing.T) {
				w := newWorld(t)
				x := open(t, win, w.shell())
				x.walk(walk(w), nil)
				x.ends(0)
				if x.emu.IsAltScreen() {
					t.Error("the normal screen is not back")
				}
				got := w.standing()
				if want[mode] == "" {
					want[mode] = got
				}
				if got != want[mode] {
					t.Errorf("the servers hold\n%s\nand not\n%s", got, want[mode])
				}
			})
		}
	}
}
