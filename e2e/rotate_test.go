package e2e

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"authbird/e2e/authentik"
	"authbird/e2e/browser"
	"authbird/e2e/netbird"
	"authbird/e2e/web"
)

// NetBird takes a new client secret at once and uses it only after a restart.
func TestARotatedClientSecretWorksOnceNetBirdWasRestarted(t *testing.T) {
	for _, container := range []bool{false, true} {
		name := "on a host"
		if container {
			name = "in a container"
		}
		t.Run(name, func(t *testing.T) {
			authentik.Any(t, func(t *testing.T, a *authentik.Server) {
				n := netbird.Start(t, netbird.Options{Container: container})
				w, connector, alice := connected(t, a, n)
				old := w.clientSecret()
				w.hidden = map[string]string{"the old client secret": old}
				before := userOf(t, n, alice)
				logins := logsInAllTheWhile(t, n, connector, alice)
				o := w.authbird("rotate", "client-secret", "--yes", "--restart-command", n.RestartCommand(t)).want(exitDone)
				logins.onlyFailedIn(o.window())
				if w.clientSecret() == old {
					t.Fatal("Authentik has the old client secret after the rotation")
				}
				login(t, n, connector, alice)
				if after := userOf(t, n, alice); after.ID != before.ID {
					t.Fatalf("alice is user %q after the rotation and was %q", after.ID, before.ID)
				}
				w.authbird("doctor").want(exitDone)
			})
		})
	}
}

// Without a restart nothing may have changed: not now, and not at the next one.
func TestARotationWithoutARestartLeavesTheOldSecretInForce(t *testing.T) {
	authentik.Any(t, func(t *testing.T, a *authentik.Server) {
		n := netbird.Start(t, netbird.Options{})
		w, connector, alice := connected(t, a, n)
		old := w.clientSecret()
		w.authbird("rotate", "client-secret", "--yes", "--wait", "2s").want(exitPerson).says("restart")
		if w.clientSecret() != old {
			t.Fatal("Authentik has a new client secret, which NetBird doesn't use")
		}
		login(t, n, connector, alice)
		n.Restart(t)
		login(t, n, connector, alice)
	})
}

// connected is a pair that is set up and whose connector was used: alice has
// logged in by it and was approved.
func connected(t *testing.T, a *authentik.Server, n *netbird.Server) (*world, string, authentik.Person) {
	t.Helper()
	w := newWorld(t, a, n)
	alice := a.AddPerson(t, "alice")
	w.authbird("setup", w.connector()...).want(exitDone)
	id := connectors(t, n)[0].ID
	pending(t, n, login(t, n, id, alice), alice)
	approve(t, n, alice)
	return w, id, alice
}

// clientSecret is what Authentik has now.
func (w *world) clientSecret() string {
	w.t.Helper()
	var application struct {
		Provider int `json:"provider"`
	}
	w.authentik.Call(w.t, http.MethodGet, "/api/v3/core/applications/"+w.authentik.Name("netbird")+"/", nil, &application)
	var provider struct {
		Secret string `json:"client_secret"`
	}
	w.authentik.Call(w.t, http.MethodGet, "/api/v3/providers/oauth2/"+strconv.Itoa(application.Provider)+"/", nil, &provider)
	if provider.Secret == "" {
		w.t.Fatal("Authentik shows no client secret")
	}
	return provider.Secret
}

// A new app password goes into management.json and counts from the restart on.
func TestARotatedAppPasswordWorks(t *testing.T) {
	authentik.Any(t, func(t *testing.T, a *authentik.Server) {
		alice := a.AddPerson(t, "alice")
		w := newWorld(t, a, nil)
		w.authbird("setup", w.standalone()...).want(exitDone)
		configured, err := netbird.Configure(t, w.envFile())
		if err != nil {
			t.Fatal(err)
		}
		n := netbird.StartStandalone(t, configured)
		issuer, client := configured.Client(t)
		listed(t, n, standaloneLogin(t, issuer, client, alice), alice)

		w.hideAppPassword()
		asks := asksAllTheWhile(t, n, standaloneLogin(t, issuer, client, alice))
		o := w.authbird("rotate", "app-password", "--yes", "--netbird-url", n.URL, "--netbird-config", n.File, "--restart-command", n.RestartCommand(t)).want(exitDone)
		asks.onlyFailedIn(o.window())
		if a.Faults != nil {
			for _, r := range a.Faults.Requests() {
				if r.Path == "/application/o/token/" && r.Status >= 400 {
					t.Errorf("Authentik refused a sign-in with %d", r.Status)
				}
			}
		}
		w.hideRenewedPassword()
		listed(t, n, standaloneLogin(t, issuer, client, alice), alice)
		// A process that starts now has no token from before.
		n.Restart(t)
		listed(t, n, standaloneLogin(t, issuer, client, alice), alice)
	})
}

// window is the one time in which the run says that something could fail.
func (o outcome) window() window {
	o.t.Helper()
	all := o.result().Windows
	if len(all) != 1 || all[0].To.Before(all[0].From) {
		o.t.Fatalf("authbird %s printed the windows %v, want one\n%s", o.Args, all, o.Stdout)
	}
	o.t.Logf("printed: %d ms", all[0].MS)
	return all[0]
}

// attempt is one thing that somebody tried while a rotation went on.
type attempt struct {
	from, to time.Time
	err      error
}

// attempts go on until the rotation is over.
type attempts struct {
	t    *testing.T
	stop context.CancelFunc
	done chan []attempt
}

// allTheWhile tries again and again, pause apart.
func allTheWhile(t *testing.T, pause time.Duration, try func(context.Context) error) attempts {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	a := attempts{t: t, stop: stop, done: make(chan []attempt, 1)}
	t.Cleanup(stop)
	ready := make(chan struct{})
	go func() {
		var all []attempt
		tick := time.NewTicker(pause)
		defer tick.Stop()
		for ctx.Err() == nil {
			one := attempt{from: time.Now()}
			one.err = try(context.WithoutCancel(ctx))
			one.to = time.Now()
			all = append(all, one)
			if len(all) == 1 {
				close(ready)
			}
			select {
			case <-tick.C:
			case <-ctx.Done():
			}
		}
		a.done <- all
	}()
	<-ready
	return a
}

// onlyFailedIn ends the test if anything was tried in vain outside the window.
func (a attempts) onlyFailedIn(w window) {
	a.t.Helper()
	a.stop()
	failed := 0
	all := <-a.done
	for _, one := range all {
		if one.err == nil {
			continue
		}
		failed++
		if errors.As(one.err, new(refusal)) {
			a.t.Errorf("refused from %s to %s: %v", one.from.Format(clock), one.to.Format(clock), one.err)
		}
		if one.to.Before(w.From) || one.from.After(w.To) {
			a.t.Errorf("failed from %s to %s, outside the printed %s to %s: %v", one.from.Format(clock), one.to.Format(clock), w.From.Format(clock), w.To.Format(clock), one.err)
		}
	}
	a.t.Logf("%d attempts, %d failed", len(all), failed)
}

const clock = "15:04:05.000"

// logsInAllTheWhile is a person who logs in many times a second, so that the
// restart is met.
func logsInAllTheWhile(t *testing.T, n *netbird.Server, connector string, p authentik.Person) attempts {
	return allTheWhile(t, 100*time.Millisecond, func(ctx context.Context) error {
		_, err := browser.Login(ctx, browser.NetBirdCLI(n.URL, connector), p.Person)
		return err
	})
}

// refusal is an answer that may not come, not even while NetBird restarts: then
// there is nobody who answers.
type refusal struct{ error }

// asksAllTheWhile is somebody who is logged in and looks at the list of users,
// for which NetBird asks Authentik.
func asksAllTheWhile(t *testing.T, n *netbird.Standalone, jwt string) attempts {
	return allTheWhile(t, 200*time.Millisecond, func(ctx context.Context) error {
		answer, err := web.Call(ctx, http.MethodGet, n.URL+"/api/users", jwt, nil)
		if err == nil && answer.Status != http.StatusOK {
			err = refusal{errors.New(answer.Short())}
		}
		return err
	})
}

// hideRenewedPassword makes the app password that a rotation made one of the
// secrets that no run may leave in the clear. It is the only one left.
func (w *world) hideRenewedPassword() {
	w.t.Helper()
	var left []string
	for _, token := range w.authentik.List(w.t, "/api/v3/core/tokens/?intent=app_password") {
		if name, _ := token["identifier"].(string); strings.HasPrefix(name, "authbird-") || strings.HasPrefix(name, "service-account-") {
			left = append(left, name)
		}
	}
	if len(left) != 1 || !strings.HasPrefix(left[0], "authbird-") {
		w.t.Fatalf("the app passwords left are %v, want the new one", left)
	}
	var shown struct {
		Key string `json:"key"`
	}
	w.authentik.Call(w.t, http.MethodGet, "/api/v3/core/tokens/"+left[0]+"/view_key/", nil, &shown)
	w.hidden["the new app password"] = shown.Key
	w.authbird("status") // looks once more at all that the rotation has left
}
