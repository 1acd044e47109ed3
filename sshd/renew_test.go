package sshd

import (
	"context"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"authbird/sim"
	"authbird/tui"
)

// renewing is a person who set up a connector, and was told to restart NetBird
// with its new client secret.
func renewing(t *testing.T) (*host, *visit) {
	t.Helper()
	h := newHost(t, func(o *Options) { o.Bench.Wait = moment })
	v := h.login().toPlan().types("\r").sees("Everything is made and checked.").types("\r").sees("waiting for somebody").types("\r")
	v.sees("is set up.").types("h").sees("o rotate").types("o").sees("used by NetBird's connector").types("\r")
	v.sees("Renew it now?").types("\x1b[D").sees("▸ Renew it").types("\r").sees("Type on NetBird's host:")
	return h, v
}

// moment is a pause that is short, and one all the same: NetBird is asked in a
// loop.
func moment(ctx context.Context, _ time.Duration) error {
	tick := time.NewTimer(5 * time.Millisecond)
	defer tick.Stop()
	select {
	case <-tick.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// letsIn fails where nobody can sign in to NetBird through Authentik.
func (h *host) letsIn() {
	h.t.Helper()
	got, err := sim.Login(h.t.Context(), sim.LoginRequest{NetBirdURL: h.sim.NetBirdURL, Username: sim.PersonUsername, Password: sim.PersonPassword})
	if err != nil || got.Outcome != sim.Admitted && got.Outcome != sim.Pending {
		h.t.Errorf("nobody can sign in afterwards: %+v, %v", got, err)
	}
}

func TestARenewalIsWrittenDown(t *testing.T) {
	h, v := renewing(t)
	if err := h.sim.NetBird.Restart(); err != nil {
		t.Fatal(err)
	}
	v.sees("is renewed").types("q")
	if err := v.leaves(); err != nil {
		t.Fatal(err)
	}
	h.letsIn()
	did := h.ends(1)[0].Did
	name := h.setups()[0].Name
	for _, want := range []string{"setup connector " + name + " done", "renew the client-secret " + name + " new-client-secret-netbird done", "renew the client-secret " + name + " done"} {
		if !slices.Contains(did, want) {
			t.Errorf("the audit file lacks %q: %q", want, did)
		}
	}
	for _, deed := range did {
		if strings.HasSuffix(deed, " waiting") {
			t.Errorf("waiting is no deed: %q", deed)
		}
	}
}

// Nobody is there any more who could restart NetBird: everything is put back,
// and logins go on as before.
func TestARenewalThatIsLeftIsPutBack(t *testing.T) {
	for name, leave := range map[string]func(*host, *visit){
		"the line drops":        func(_ *host, v *visit) { v.conn.Close() },
		"the server is stopped": func(h *host, _ *visit) { h.close() },
		"the person leaves":     func(_ *host, v *visit) { v.types("\x03").sees("has changed").types("\x03") },
	} {
		t.Run(name, func(t *testing.T) {
			h, v := renewing(t)
			leave(h, v)
			end := h.ends(1)[0]
			if want := "renew the client-secret " + h.setups()[0].Name + " stopped"; !slices.Contains(end.Did, want) {
				t.Errorf("the audit file lacks %q: %q", want, end.Did)
			}
			if err := h.sim.NetBird.Restart(); err != nil {
				t.Fatal(err)
			}
			h.letsIn()
		})
	}
}

// Everything that the screens can ask for is either written down or known to
// change nothing of anybody's: who adds something decides which, here.
func TestEveryDeedIsDecidedUpon(t *testing.T) {
	for what, c := range map[string]struct {
		asked, watched reflect.Type
		changes        []string // and so it is watched's own
		reads          []string // or keeps what was seen, on this machine
	}{
		"the bench": {reflect.TypeFor[tui.Bench](), reflect.TypeFor[watched](),
			[]string{"Open", "CreateOwner", "MakeNetBirdToken", "PlanRepair"},
			[]string{"SeeAuthentik", "SeeNetBird", "Choices", "StartDeviceLogin", "AwaitDeviceLogin", "Defaults", "Diagnose"}},
		"a session": {reflect.TypeFor[tui.Session](), reflect.TypeFor[*watchedSession](),
			[]string{"Carry", "Approve", "Remove", "Renew"},
			[]string{"Plan", "Where", "Close", "LoginLink", "WatchLogin", "NoteLogin", "PlanRemoval"}},
		"a repair":  {reflect.TypeFor[tui.Repair](), reflect.TypeFor[watchedRepair](), []string{"Carry"}, []string{"Plan", "Close"}},
		"a renewal": {reflect.TypeFor[tui.Renewal](), reflect.TypeFor[watchedRenewal](), []string{"Carry"}, nil},
	} {
		for m := range c.asked.Methods() {
			if !slices.Contains(c.changes, m.Name) && !slices.Contains(c.reads, m.Name) {
				t.Errorf("%s: is %s to be written down?", what, m.Name)
			}
		}
		for _, name := range c.changes {
			if _, there := c.watched.MethodByName(name); !there {
				t.Errorf("%s: %s is nowhere", what, name)
			}
		}
	}
}
