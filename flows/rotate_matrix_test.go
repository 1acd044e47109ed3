package flows_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"authbird/flows"
	"authbird/keystore"
	"authbird/sim"
	simauthentik "authbird/sim/authentik"
	"authbird/state"
)

// The matrix of the rotations: everything that can become of each request of an
// undisturbed one, and then rotating again, as resume does, until the end.

// rotationLab is a setup that stands, with kept admin tokens, whose NetBird
// signs in when it restarts.
func rotationLab(t *testing.T, credential string) *lab {
	t.Helper()
	mode := state.Connector
	if credential == keystore.AppPassword {
		mode = state.Standalone
	}
	l := matrixLab(t, mode)
	l.byHand()
	l.answers.KeepAdminTokens = true
	l.authentik.AddUser(simauthentik.User{Username: sim.PersonUsername, Name: "Alice", Email: sim.PersonEmail, Password: sim.PersonPassword})
	l.mustRun()
	l.tokens = flows.Tokens{} // from here on those of the keystore
	l.command(func() error {
		if err := l.netbird.Restart(); err != nil || mode == state.Connector {
			return err
		}
		return l.signIn()
	})
	return l
}

// names that differ from run to run.
var named = regexp.MustCompile(`authbird-lab-[0-9a-f]{12}|authbird [0-9a-f]{8}|NetBird \d{4}-\d\d-\d\d \d\d:\d\d:\d\d`)

func (l *lab) rotatedEnding() any {
	l.t.Helper()
	e := l.ending()
	text, err := json.Marshal(e)
	if err != nil {
		l.t.Fatal(err)
	}
	text = named.ReplaceAll(text, []byte("NAMED"))
	if l.answers.Mode == state.Standalone {
		text = bytes.ReplaceAll(text, []byte(l.answers.EnvFile), []byte("SETUP.ENV"))
	}
	var out map[string]any
	if err := json.Unmarshal(text, &out); err != nil {
		l.t.Fatal(err)
	}
	if n, ok := out["NetBird"].(map[string]any); ok {
		delete(n, "Events") // how often it was told
	}
	return out
}

func rotationCalls(t *testing.T, credential string) ([]call, any) {
	l := rotationLab(t, credential)
	before := map[string]int{}
	for place, f := range l.faults {
		before[place] = len(f.Requests())
	}
	l.mustRotate(credential, alone)
	seen := map[string]int{}
	var out []call
	for _, place := range []string{"authentik", "netbird"} {
		for _, r := range l.faults[place].Requests()[before[place]:] {
			key := place + r.Method + stable(r.Path)
			if seen[key]++; seen[key] <= 3 { // the watch asks the same again and again
				out = append(out, call{place, r.Method, stable(r.Path), seen[key] - 1})
			}
		}
	}
	return out, l.rotatedEnding()
}

func TestMatrixRotate(t *testing.T) {
	whole := os.Getenv("AUTHBIRD_MATRIX") != ""
	for _, credential := range []string{keystore.ClientSecret, keystore.AppPassword, keystore.AuthentikToken, keystore.NetBirdToken, keystore.SigningKey} {
		t.Run(credential, func(t *testing.T) {
			all, want := rotationCalls(t, credential)
			all = slices.DeleteFunc(all, func(c call) bool { return c.place == "netbird" && credential == keystore.AppPassword })
			var mu sync.Mutex
			cases, worst := 0, 0
			t.Run("cases", func(t *testing.T) {
				for i, c := range all {
					for k, m := range append(mishaps, mishap{name: "given up"}) {
						if !whole && (i+k)%6 != 0 {
							continue
						}
						t.Run(c.String()+" "+m.name, func(t *testing.T) {
							t.Parallel()
							again := rotateThrough(t, credential, c, m, want)
							mu.Lock()
							defer mu.Unlock()
							cases++
							worst = max(worst, again)
						})
					}
				}
			})
			t.Logf("%s: %d cases, at most %d further runs", credential, cases, worst)
			if cases < 12 {
				t.Errorf("only %d cases: the matrix has lost its rows", cases)
			}
		})
	}
}

func rotateThrough(t *testing.T, credential string, c call, m mishap, want any) (again int) {
	l := rotationLab(t, credential)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	giveUp, kill := context.WithCancel(t.Context())
	defer kill()
	if m.fault.Kind != "" {
		order := m.fault
		order.Method, order.Path, order.Skip = c.method, c.path, c.nth
		if err := l.faults[c.place].Order(order); err != nil {
			t.Fatal(err)
		}
	} else {
		then := l.at(c, func() {
			if m.then == nil {
				kill()
				return
			}
			m.then(l, cancel)
		})
		l.before.Store(&then)
	}
	err := l.rotateUntil(ctx, giveUp, credential)
	l.before.Store(nil)
	for _, f := range l.faults {
		f.Clear()
	}
	l.nothingLost(credential)
	for ; err != nil && again < 3; again++ {
		first := err
		if err = l.rotateUntil(t.Context(), nil, credential); err != nil {
			t.Logf("after %v, again: %v", first, err)
		}
		l.nothingLost(credential)
	}
	switch {
	case err != nil:
		t.Fatalf("never reached its end: %v (%v)", err, flows.StopOf(err).Hints)
	case again > 2:
		t.Errorf("%d further runs needed", again)
	}
	if diff := cmp.Diff(want, l.rotatedEnding()); diff != "" {
		t.Errorf("another end than the undisturbed rotation's:\n%s", diff)
	}
	if credential == keystore.ClientSecret {
		if _, err := l.signsIn(); err != nil {
			t.Errorf("a login fails afterwards: %v", err)
		}
		l.settled("afterwards")
	}
	return again
}

func (l *lab) rotateUntil(ctx, giveUp context.Context, credential string) error {
	ended := l.hands.runs()
	defer ended()
	l.bench.Shell = func(context.Context, string) (string, error) {
		defer ended()
		return "", l.restart()
	}
	s, err := l.bench.Open(ctx, setupName, l.answers, l.tokens)
	if err != nil {
		return err
	}
	defer s.Close()
	s.GiveUp = giveUp
	r, err := s.PlanRotation(ctx, credential, flows.RotateOptions{Wait: 5 * time.Second, Alone: true})
	if err != nil {
		return err
	}
	_, err = r.Carry(ctx)
	return err
}

// nothingLost sees, wherever a rotation was stopped, that the keystore has every
// secret that a server relies on.
func (l *lab) nothingLost(credential string) {
	l.t.Helper()
	var kept []string
	for _, suffix := range []string{"", keystore.New, keystore.Old} {
		kept = append(kept, l.secret(credential+suffix))
	}
	switch credential {
	case keystore.ClientSecret:
		authentik, netbird := l.clientSecrets()
		if !slices.Contains(kept, authentik) || !slices.Contains(kept, netbird) {
			l.t.Errorf("a server has a client secret that is nowhere kept")
		}
	case keystore.AppPassword:
		if err := l.signIn(); err != nil {
			l.t.Errorf("NetBird can't sign in with what setup.env has: %v", err)
		}
	case keystore.AuthentikToken:
		if _, err := l.authentikClient().WithToken(kept[0]).Me(l.t.Context()); err != nil {
			l.t.Errorf("the kept API token doesn't work: %v", err)
		}
	case keystore.NetBirdToken:
		if _, err := l.netbirdClient().WithToken(kept[0]).CurrentUser(l.t.Context()); err != nil {
			l.t.Errorf("the kept access token doesn't work: %v", err)
		}
	}
}
