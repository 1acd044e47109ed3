package e2e

import (
	"testing"

	"authbird/e2e/authentik"
	"authbird/e2e/netbird"
)

// What setup has made is taken back, and what stood there before stays.

func TestRemoveTakesAConnectorBack(t *testing.T) {
	authentik.Each(t, func(t *testing.T, a *authentik.Server) {
		n := netbird.Start(t, netbird.Options{})
		w := newWorld(t, a, n)
		before := w.seen(n)
		w.authbird("setup", w.connector()...).want(exitDone)
		w.authbird("remove", "--yes").want(exitDone)
		w.same(before, n)
	})
}

func TestRemoveTakesAStandaloneSetupBack(t *testing.T) {
	for _, rights := range []string{"admins", "least"} {
		t.Run("with the rights "+rights, func(t *testing.T) {
			authentik.Each(t, func(t *testing.T, a *authentik.Server) {
				w := newWorld(t, a, nil)
				before := w.seen(nil)
				w.authbird("setup", w.standalone("--service-account-rights", rights)...).want(exitDone)
				w.authbird("remove", "--yes").want(exitDone)
				w.same(before, nil)
			})
		})
	}
}
