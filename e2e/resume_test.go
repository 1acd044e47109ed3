package e2e

import (
	"net/http"
	"testing"
	"time"

	"authbird/e2e/authentik"
	"authbird/e2e/netbird"
	"authbird/sim/fault"
)

// Running again is resuming: whatever a run was stopped by, the next one ends
// with one application, one connector and a login.

func TestALostAnswerLosesNothing(t *testing.T) {
	a := authentik.Simulated(t, authentik.Versions[0])
	n := netbird.Start(t, netbird.Options{})
	w := newWorld(t, a, n)
	// Authentik makes the application, and the line drops before it says so.
	order(t, a, fault.Fault{Method: http.MethodPut, Path: "/api/v3/core/transactional/applications/", Kind: fault.CutAfter})
	first := w.authbird("setup", w.connector()...)
	if first.Exit != exitDone && first.Exit != exitPartWay {
		t.Fatalf("exit %d after a lost answer\n%s%s", first.Exit, first.Stdout, first.Stderr)
	}
	w.endsWell(n)
}

func TestAKilledRunIsTakenUpByTheNext(t *testing.T) {
	for _, c := range []struct {
		name  string
		fault fault.Fault
	}{
		{"before Authentik had the application", fault.Fault{Method: http.MethodPut, Path: "/api/v3/core/transactional/applications/", Kind: fault.Hang}},
		{"before NetBird had the connector", fault.Fault{Path: "/application/o/netbird/.well-known/openid-configuration", Kind: fault.Hang, Times: -1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := authentik.Simulated(t, authentik.Versions[0])
			n := netbird.Start(t, netbird.Options{})
			w := newWorld(t, a, n)
			order(t, a, c.fault)
			run := w.begin("setup", w.connector()...)
			untilHeld(t, a)
			if err := run.cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			if killed := run.wait(); killed.Exit != -1 {
				t.Fatalf("the run ended by itself with exit %d before it was killed\n%s", killed.Exit, killed.Stdout)
			}
			a.Faults.Clear()
			w.endsWell(n)
		})
	}
}

// endsWell runs the setup again and sees that there is one of everything and
// that it works.
func (w *world) endsWell(n *netbird.Server) {
	w.t.Helper()
	w.authbird("setup", w.connector()...).want(exitDone)
	for _, path := range []string{"/api/v3/providers/oauth2/", "/api/v3/core/applications/?superuser_full_list=true"} {
		if all := w.authentik.List(w.t, path); len(all) != 1 {
			w.t.Errorf("Authentik has %d of %s, want one", len(all), path)
		}
	}
	made := connectors(w.t, n)
	if len(made) != 1 {
		w.t.Fatalf("NetBird has the connectors %v, want one", made)
	}
	alice := w.authentik.AddPerson(w.t, "alice")
	pending(w.t, n, login(w.t, n, made[0].ID, alice), alice)
}

func order(t *testing.T, a *authentik.Server, f fault.Fault) {
	t.Helper()
	if err := a.Faults.Order(f); err != nil {
		t.Fatal(err)
	}
}

// untilHeld waits until a request hangs at Authentik.
func untilHeld(t *testing.T, a *authentik.Server) {
	t.Helper()
	deadline := time.NewTimer(2 * time.Minute)
	defer deadline.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		// A request that has taken this long hangs: the others take milliseconds.
		for _, r := range a.Faults.Requests() {
			if r.End.IsZero() && time.Since(r.Start) > time.Second {
				return
			}
		}
		select {
		case <-deadline.C:
			t.Fatal("no request hung at Authentik")
		case <-tick.C:
		}
	}
}
