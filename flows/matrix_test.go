package flows_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"authbird/flows"
	"authbird/keystore"
	"authbird/sim/fault"
	"authbird/state"
)

// The matrix: for every request that an undisturbed run makes, everything that
// can become of it, and then running again until the end is reached. It is
// made from the run itself, so a new step is in it without a new row.

// call is one request of a flow, told apart from others like it by its count.
type call struct {
	place, method, path string
	nth                 int // how many like it came before
}

func (c call) String() string { return fmt.Sprintf("%s %s %s #%d", c.place, c.method, c.path, c.nth+1) }

// mishap is one thing that can become of a request.
type mishap struct {
	name  string
	fault fault.Fault // with Kind ""; nothing is ordered
	then  func(*lab, context.CancelFunc)
}

var mishaps = []mishap{
	{name: "refused 400", fault: fault.Fault{Kind: fault.Status, Status: 400}},
	{name: "forbidden 403", fault: fault.Fault{Kind: fault.Status, Status: 403}},
	{name: "conflict 409", fault: fault.Fault{Kind: fault.Status, Status: 409}},
	{name: "broken 500", fault: fault.Fault{Kind: fault.Status, Status: 500}},
	{name: "proxy page 502", fault: fault.Fault{Kind: fault.HTML, Status: 502}},
	{name: "not now 429", fault: fault.Fault{Kind: fault.RateLimit}},
	{name: "not now 429, later", fault: fault.Fault{Kind: fault.RateLimit, RetryAfter: "1"}},
	{name: "cut before it arrived", fault: fault.Fault{Kind: fault.CutBefore}},
	{name: "cut after it took effect", fault: fault.Fault{Kind: fault.CutAfter}},
	{name: "interrupted", then: func(_ *lab, cancel context.CancelFunc) { cancel() }},
	{name: "NetBird restarted", then: func(l *lab, _ context.CancelFunc) { _ = l.netbird.Restart() }},
	{name: "token ended", then: func(l *lab, _ context.CancelFunc) {
		for _, f := range l.faults {
			_ = f.Order(fault.Fault{Method: "*", Kind: fault.Status, Status: 403, Times: -1, Body: `{"detail":"Token invalid/expired"}`})
		}
	}},
}

// ending is what must be the same whatever happened on the way.
type ending struct {
	Authentik, NetBird any
	Stands             map[string]bool // step → made by us
	Secrets            map[string]bool // credential → kept
}

func (l *lab) ending() ending {
	l.t.Helper()
	setup, err := l.bench.State.Load(setupName)
	if err != nil {
		l.t.Fatal(err)
	}
	e := ending{Authentik: l.placeless(l.authentik.Snapshot()), NetBird: l.placeless(l.netbird.Snapshot()), Stands: map[string]bool{}, Secrets: map[string]bool{}}
	for _, entry := range setup.Entries {
		if receipt, _ := setup.Last(entry.Step); entry.Step != "" && receipt.ObjectID != "" {
			e.Stands[entry.Step] = receipt.Made
		}
	}
	store, err := l.bench.OpenKeys(l.t.Context(), keystore.File)
	if err != nil {
		l.t.Fatal(err)
	}
	for _, name := range []string{keystore.ClientSecret, keystore.AppPassword} {
		value, err := store.Get(l.t.Context(), setupName, name)
		e.Secrets[name] = err == nil && value != ""
	}
	return e
}

// placeless is a world without the addresses and folders of this run.
func (l *lab) placeless(world any) any {
	l.t.Helper()
	text, err := json.Marshal(world)
	if err != nil {
		l.t.Fatal(err)
	}
	for name, url := range map[string]string{"AUTHENTIK": l.urls["authentik"], "NETBIRD": l.urls["netbird"]} {
		text = bytes.ReplaceAll(text, []byte(url), []byte(name))
	}
	var out any
	if err := json.Unmarshal(text, &out); err != nil {
		l.t.Fatal(err)
	}
	return out
}

func sameWorld(a, b any) bool { return cmp.Equal(a, b) }

// calls are the requests of an undisturbed run, and its ending.
func calls(t *testing.T, mode state.Mode) ([]call, ending) {
	l := matrixLab(t, mode)
	l.mustRun()
	seen := map[string]int{}
	var out []call
	for place, f := range l.faults {
		for _, r := range f.Requests() {
			key := place + r.Method + stable(r.Path)
			out = append(out, call{place, r.Method, stable(r.Path), seen[key]})
			seen[key]++
		}
	}
	return out, l.ending()
}

// stable is a path as a pattern, where parts that differ from run to run match
// anything.
func stable(path string) string {
	parts := strings.Split(path, "/")
	for i, p := range parts {
		if strings.ContainsAny(p, "0123456789") && p != "v3" && p != "oauth2" || strings.HasPrefix(p, "authentik-") {
			parts[i] = "*"
		}
	}
	return strings.Join(parts, "/")
}

// withGroups is a connector setup that is for a group and has NetBird take
// groups over.
const withGroups state.Mode = "connector with groups"

func matrixLab(t *testing.T, mode state.Mode) *lab {
	if mode == withGroups {
		l := newLab(t, labOptions{mode: state.Connector})
		l.answers.AllowGroups, l.answers.GroupSync = []string{"authentik Admins"}, flows.GroupSyncOn
		return l
	}
	l := newLab(t, labOptions{mode: mode})
	if mode == state.Standalone {
		l.answers.NetBirdDomain, l.answers.EnvFile = "netbird.example.com", t.TempDir()+"/setup.env"
	}
	return l
}

func TestMatrixConnector(t *testing.T) { matrix(t, state.Connector) }

func TestMatrixGroups(t *testing.T) { matrix(t, withGroups) }

func matrix(t *testing.T, mode state.Mode) {
	all, want := calls(t, mode)
	cases, converged, worst := 0, 0, 0
	var mu sync.Mutex
	whole := os.Getenv("AUTHBIRD_MATRIX") != ""
	t.Run("cases", func(t *testing.T) {
		for i, c := range all {
			for k, m := range mishaps {
				if !whole && (i+k)%3 != 0 { // every third, so that each call and each mishap is in it
					continue
				}
				t.Run(c.String()+" "+m.name, func(t *testing.T) {
					t.Parallel()
					resumes := suffer(t, mode, c, m, want)
					mu.Lock()
					defer mu.Unlock()
					cases++
					if !t.Failed() {
						converged++
					}
					worst = max(worst, resumes)
				})
			}
		}
	})
	t.Logf("%s: %d cases, %d converged, at most %d resumes", mode, cases, converged, worst)
	if cases < 80 {
		t.Errorf("only %d cases: the matrix has lost its rows", cases)
	}
}

// suffer lets one mishap happen to one request, runs again until the end is
// reached, and compares it with the undisturbed one.
func suffer(t *testing.T, mode state.Mode, c call, m mishap, want ending) (resumes int) {
	l := matrixLab(t, mode)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if m.fault.Kind != "" {
		order := m.fault
		order.Method, order.Path, order.Skip = c.method, c.path, c.nth
		if err := l.faults[c.place].Order(order); err != nil {
			t.Fatal(err)
		}
	}
	if m.then != nil {
		then := l.at(c, func() { m.then(l, cancel) })
		l.before.Store(&then)
	}
	err := l.run(ctx, nil)
	l.before.Store(nil)
	for _, f := range l.faults {
		f.Clear()
	}
	for ; err != nil && resumes < 3; resumes++ {
		first := err
		if err = l.run(t.Context(), nil); err != nil {
			t.Logf("after %v, resuming: %v", first, err)
		}
	}
	if err != nil {
		t.Fatalf("never reached its end: %v (%v)", err, flows.StopOf(err).Hints)
	}
	if resumes > 1 {
		t.Errorf("%d resumes needed, want at most one", resumes)
	}
	if diff := cmp.Diff(want, l.ending()); diff != "" {
		t.Errorf("another end than the undisturbed run's:\n%s", diff)
	}
	return resumes
}

// at calls do once, when the request c comes.
func (l *lab) at(c call, do func()) func(string, *http.Request) {
	var mu sync.Mutex
	seen := 0
	return func(place string, r *http.Request) {
		if place != c.place || r.Method != c.method || stable(r.URL.Path) != c.path {
			return
		}
		mu.Lock()
		seen++
		hit := seen == c.nth+1
		mu.Unlock()
		if hit {
			do()
		}
	}
}
