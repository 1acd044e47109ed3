package e2e

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"authbird/e2e/authentik"
	"authbird/e2e/netbird"
)

// The whole of it: set up, log in, be let in, and nothing more to do.
func TestConnectorSetupEndsInALogin(t *testing.T) {
	authentik.Each(t, func(t *testing.T, a *authentik.Server) {
		n := netbird.Start(t, netbird.Options{})
		alice := a.AddPerson(t, "alice")
		w := newWorld(t, a, n)

		w.authbird("setup", w.connector()...).want(exitDone)
		made := connectors(t, n)
		if len(made) != 1 {
			t.Fatalf("NetBird has the connectors %v, want one", made)
		}

		jwt := login(t, n, made[0].ID, alice)
		pending(t, n, jwt, alice)
		approve(t, n, alice)
		if got := whoIs(t, n.URL, jwt); got.Email != alice.Email || got.Pending {
			t.Fatalf("after the approval NetBird says of the login: %+v", got)
		}

		// A restart, as every update brings one, changes nothing for her.
		n.Restart(t)
		jwt = login(t, n, made[0].ID, alice)
		if got := whoIs(t, n.URL, jwt); got.Email != alice.Email {
			t.Fatalf("after a restart the login is %+v, want %s", got, alice.Email)
		}
	})
}

func TestConnectorSetupTwiceChangesNothing(t *testing.T) {
	for _, keystore := range []string{"file", "env"} {
		t.Run("with the keystore "+keystore, func(t *testing.T) {
			authentik.Any(t, func(t *testing.T, a *authentik.Server) {
				n := netbird.Start(t, netbird.Options{})
				w := newWorld(t, a, n)
				w.flags = []string{"--keystore", keystore}
				w.authbird("setup", w.connector()...).want(exitDone)
				before := w.seen(n)
				w.authbird("setup", w.connector()...).want(exitDone).wroteNothing()
				w.authbird("plan", w.connector()...).want(exitDone).wroteNothing()
				w.same(before, n)
			})
		})
	}
}

func TestPlanOnAFreshPairOnlyReads(t *testing.T) {
	authentik.Any(t, func(t *testing.T, a *authentik.Server) {
		n := netbird.Start(t, netbird.Options{})
		w := newWorld(t, a, n)
		before := w.seen(n)
		plan := w.authbird("plan", w.connector()...).want(exitDone).wroteNothing()
		missing := 0
		for _, e := range plan.Events {
			if e.Kind == "plan" && e.Verdict == "missing" {
				missing++
			}
		}
		if missing == 0 {
			t.Fatalf("the plan finds nothing missing on a fresh pair:\n%s", plan.Stdout)
		}
		w.same(before, n)
	})
}

// seen is what authbird could have changed on both servers, without what
// changes by itself. Without a NetBird n is nil.
func (w *world) seen(n *netbird.Server) map[string]any {
	w.t.Helper()
	seen := map[string]any{}
	if n != nil {
		seen["connectors"] = connectors(w.t, n)
	}
	for _, path := range []string{
		"/api/v3/providers/oauth2/", "/api/v3/core/applications/?superuser_full_list=true",
		"/api/v3/flows/instances/", "/api/v3/core/brands/", "/api/v3/core/groups/",
		"/api/v3/core/users/", "/api/v3/core/tokens/", "/api/v3/rbac/roles/", "/api/v3/policies/bindings/",
	} {
		objects := w.authentik.List(w.t, path)
		for _, o := range objects {
			for _, volatile := range []string{"users_obj", "user_obj", "last_updated", "last_login"} {
				delete(o, volatile)
			}
		}
		seen[path] = objects
	}
	return seen
}

// same ends the test if either server isn't as it was.
func (w *world) same(before map[string]any, n *netbird.Server) {
	w.t.Helper()
	if diff := cmp.Diff(before, w.seen(n)); diff != "" {
		w.t.Fatalf("the servers are not as they were (-before +after):\n%s", diff)
	}
}
