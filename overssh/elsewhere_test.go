//go:build unix

package overssh

import (
	"strings"
	"testing"

	"authbird/sim"
	"authbird/sim/fault"
)

// stands has a connector stand, set up by flags, with both tokens at hand.
func (w *world) stands() {
	w.t.Helper()
	w.tokens()
	x := open(w.t, window{}, w.shell("setup", "connector", "--yes", "--setup", "home", "--authentik-url", w.sim.AuthentikURL, "--netbird-url", w.sim.NetBirdURL))
	x.ends(0)
}

// letsIn fails where nobody can sign in to NetBird through Authentik.
func (w *world) letsIn() {
	w.t.Helper()
	got, err := sim.Login(w.t.Context(), sim.LoginRequest{NetBirdURL: w.sim.NetBirdURL, Username: sim.PersonUsername, Password: sim.PersonPassword})
	if err != nil || got.Outcome != sim.Admitted && got.Outcome != sim.Pending {
		w.t.Errorf("nobody can sign in: %+v, %v", got, err)
	}
}

// The line drops at the screens that are not on the way of a new setup. Nothing
// is left half done: what was not agreed to was not done, and a renewal that
// waits for somebody is put back.
func TestTheLineDropsElsewhere(t *testing.T) {
	left := "\x1b[D"
	for name, c := range map[string]struct {
		before func(*world)
		stops  []stop // the line drops when the last is seen
		same   bool   // both servers hold what they held
	}{
		"the doctor":          {(*world).stands, []stop{{sees: []string{"d doctor"}, types: "d"}, {sees: []string{"checks."}}}, true},
		"credentials":         {(*world).stands, []stop{{sees: []string{"o rotate"}, types: "o"}, {sees: []string{"used by"}}}, true},
		"what renewing means": {(*world).stands, []stop{{sees: []string{"o rotate"}, types: "o"}, {sees: []string{"used by"}, types: enter}, {sees: []string{"Renew it now?"}}}, true},
		"a restart is waited for": {(*world).stands, []stop{{sees: []string{"o rotate"}, types: "o"}, {sees: []string{"used by"}, types: enter},
			{sees: []string{"Renew it now?"}, types: left}, {sees: []string{"▸ Renew it"}, types: enter}, {sees: []string{"Type on NetBird's host"}}}, false},
		"taking back": {(*world).stands, []stop{{sees: []string{"x take back"}, types: "x"}, {sees: []string{"Take it back?"}}}, true},
		"help":        {(*world).stands, []stop{{sees: []string{"? help"}, types: "?"}, {sees: []string{"esc"}}}, true},
		"trouble": {func(w *world) {
			w.stands()
			if err := w.sim.NetBirdFaults.Order(fault.Fault{Path: "/api/**", Kind: fault.Status, Times: -1}); err != nil {
				w.t.Fatal(err)
			}
		}, []stop{{sees: []string{"↵ look again"}, types: enter}, {sees: []string{"It stopped"}}}, true},
		"a window that is too small": {(*world).stands, []stop{{sees: []string{"x take back"}, types: "x"}, {sees: []string{"Take it back?"}}}, true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			c.before(w)
			was := w.standing()
			line, code := w.outlived()
			x := open(t, window{}, line)
			last := len(c.stops) - 1
			x.walk(c.stops[:last], nil)
			x.sees(c.stops[last].sees...)
			if strings.HasPrefix(name, "a window") {
				x.resize(size{20, 5})
				x.sees("This window is 20×5")
			}
			x.drop()
			if got := code(); got != "130" && got != "0" && !(got == "3" && !c.same) { // 3: NetBird was not restarted
				t.Errorf("authbird ends with %s", got)
			}
			w.sim.NetBirdFaults.Clear()
			if got := w.standing(); c.same && got != was {
				t.Errorf("the servers hold\n%s\nand not\n%s", got, was)
			}
			if err := w.sim.NetBird.Restart(); err != nil {
				t.Fatal(err)
			}
			w.letsIn()
			x = open(t, window{}, w.shell())
			x.sees("home", "● stands", "↵ look again").types("q")
			x.ends(0)
		})
	}
}

// A question about a foreign object is no yes when its line drops.
func TestTheLineDropsAtTheQuestionAboutAForeignObject(t *testing.T) {
	w := newWorld(t)
	w.stands()
	w.env["XDG_STATE_HOME"] = w.dir + "/another"
	was := w.standing()
	w.env["AUTHBIRD_AUTHENTIK_URL"], w.env["AUTHBIRD_NETBIRD_URL"] = w.sim.AuthentikURL, w.sim.NetBirdURL
	line, code := w.outlived("setup", "connector", "--connector-name", "Other", "--slug", "other")
	x := open(t, window{}, line)
	x.walk([]stop{{sees: []string{"akadmin, superuser", "▸ Go on"}, types: enter}, {sees: []string{"Owner, owner", "▸ Go on"}, types: enter},
		{sees: []string{"▸ See the plan"}, types: enter}, {sees: []string{"What will happen", "↵ do it"}, types: enter}}, nil)
	x.sees("authbird didn't make it")
	x.drop()
	if got := code(); got == "0" {
		t.Errorf("authbird ends with %s", got)
	}
	if got := w.standing(); got != was {
		t.Errorf("the servers hold\n%s\nand not\n%s", got, was)
	}
}
