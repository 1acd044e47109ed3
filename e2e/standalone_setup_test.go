package e2e

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"authbird/e2e/authentik"
	"authbird/e2e/netbird"
	"authbird/e2e/web"
)

// What authbird writes goes through NetBird's own configure.sh, and the server
// that comes of it logs people in and reads Authentik's directory.
func TestStandaloneSetupEndsInALogin(t *testing.T) {
	for _, c := range []struct {
		name  string
		flags []string
	}{
		{"as documented", nil},
		{"with the least rights", []string{"--service-account-rights", "least"}},
		{"with strict redirects", []string{"--redirect-mode", "strict"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			authentik.Each(t, func(t *testing.T, a *authentik.Server) {
				alice, bob := a.AddPerson(t, "alice"), a.AddPerson(t, "bob")
				w := newWorld(t, a, nil)
				w.authbird("setup", w.standalone(c.flags...)...).want(exitDone)
				w.hideAppPassword()

				configured, err := netbird.Configure(t, w.envFile())
				if err != nil {
					t.Fatal(err)
				}
				n := netbird.StartStandalone(t, configured)
				issuer, client := configured.Client(t)
				jwt := standaloneLogin(t, issuer, client, alice)
				if got := whoIs(t, n.URL, jwt); got.ID != fmt.Sprint(alice.ID) || got.Role != "owner" {
					t.Fatalf("NetBird takes the first login for %+v, want user %d as owner", got, alice.ID)
				}
				answer, err := web.Call(t.Context(), http.MethodGet, n.URL+"/api/users/current", standaloneLogin(t, issuer, client, bob), nil)
				if err != nil || answer.Status != http.StatusForbidden {
					t.Fatalf("NetBird answers the second user's login with %d, %v: %s", answer.Status, err, answer.Short())
				}
				listed(t, n, jwt, alice, bob)
			})
		})
	}
}

func TestStandaloneSetupTwiceChangesNothing(t *testing.T) {
	authentik.Any(t, func(t *testing.T, a *authentik.Server) {
		w := newWorld(t, a, nil)
		w.authbird("setup", w.standalone()...).want(exitDone)
		w.hideAppPassword()
		servers := w.seen(nil)
		before, err := os.ReadFile(w.envFile())
		if err != nil {
			t.Fatal(err)
		}
		w.authbird("setup", w.standalone()...).want(exitDone).wroteNothing()
		after, err := os.ReadFile(w.envFile())
		if err != nil {
			t.Fatal(err)
		}
		if string(before) != string(after) {
			t.Fatalf("the second run changed setup.env:\n%s\nwas:\n%s", after, before)
		}
		w.same(servers, nil)
	})
}

// standalone are the flags of a standalone setup.
func (w *world) standalone(more ...string) []string {
	return append([]string{
		"standalone", "--yes",
		"--authentik-url", w.authentik.URL,
		"--netbird-domain", "netbird.example.com",
		"--name", w.authentik.Name("NetBird"),
		"--slug", w.authentik.Name("netbird"),
		"--service-account", w.authentik.Name("Netbird"),
		"--env-file", w.envFile(),
	}, more...)
}

func (w *world) envFile() string { return filepath.Join(w.env["HOME"], "setup.env") }

// hideAppPassword makes the service account's app password one of the secrets
// that no run may leave in the clear, but for setup.env.
func (w *world) hideAppPassword() {
	w.t.Helper()
	var shown struct {
		Key string `json:"key"`
	}
	name := strings.ToLower(w.authentik.Name("Netbird"))
	w.authentik.Call(w.t, http.MethodGet, "/api/v3/core/tokens/service-account-"+name+"-password/view_key/", nil, &shown)
	w.hidden = map[string]string{"the app password": shown.Key}
	w.authbird("status") // looks once more at all that the setup has left
}

// listed ends the test unless NetBird lists these people with the addresses
// that only Authentik's directory has.
func listed(t *testing.T, n *netbird.Standalone, jwt string, people ...authentik.Person) {
	t.Helper()
	users, err := netbird.Users(t.Context(), n.URL, jwt)
	if err != nil {
		t.Fatal(err)
	}
	have := map[string]string{}
	for _, u := range users {
		have[u.ID] = u.Email
	}
	for _, p := range people {
		if have[fmt.Sprint(p.ID)] != p.Email {
			t.Errorf("NetBird lists %+v, without %s as user %d", users, p.Email, p.ID)
		}
	}
}
