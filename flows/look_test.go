package flows_test

import (
	"bytes"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"strings"
	"testing"

	"authbird/flows"
	"authbird/keystore"
	"authbird/sim/fault"
	simnetbird "authbird/sim/netbird"
)

// A server that is too old is one sentence and one code, whichever it is.
func TestAServerThatIsTooOldIsAPersonsMatter(t *testing.T) {
	for name, o := range map[string]labOptions{
		"Authentik": {version: "2023.10.7"},
		"NetBird":   {netbird: simnetbird.Options{Version: "0.59.0"}},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t, o)
			stop := flows.StopOf(l.run(t.Context(), nil))
			if stop.Reason != flows.NeedsPerson || stop.Check == nil {
				t.Fatalf("got reason %d: %v", stop.Reason, stop)
			}
			t.Log(stop)
		})
	}
}

// A poll that got no answer ends no sign-in: the person is still at it.
func TestASignInWithACodeOutlastsAPollThatFails(t *testing.T) {
	l := newLab(t, labOptions{})
	d, err := l.bench.StartDeviceLogin(t.Context(), l.answers)
	l.must(err)
	for _, x := range []fault.Fault{
		{Kind: fault.HTML, Status: 502}, {Kind: fault.CutBefore}, {Kind: fault.RateLimit, Times: 4},
		{Kind: fault.Status, Status: 400, Body: `{"error":"access_denied"}`},
	} {
		x.Method, x.Path = http.MethodPost, "/oauth2/token"
		l.must(l.faults["netbird"].Order(x))
	}
	_, err = l.bench.AwaitDeviceLogin(t.Context(), l.answers, d)
	if err == nil || !strings.Contains(err.Error(), "refused the sign-in") {
		t.Errorf("got %v, want the refusal that came after three failures", err)
	}
}

func TestAPlanWritesNothingAndLocksNothing(t *testing.T) {
	l := newLab(t, labOptions{})
	look := func() {
		t.Helper()
		s, err := l.bench.Look(t.Context(), setupName, l.answers, l.tokens)
		l.must(err)
		defer s.Close()
		_, err = s.Plan(t.Context())
		l.must(err)
	}
	look()
	if _, err := os.Stat(l.bench.State.Path()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a plan made the state folder (%v)", err)
	}
	l.mustRun()
	s := l.open() // another run, at work
	defer s.Close()
	before := l.journal()
	look()
	if !bytes.Equal(before, l.journal()) {
		t.Error("a plan changed something in the state folder")
	}
}

// Another machine has neither journal nor secrets: what stands is found by its
// names, taken over on a yes only, and what can't be read is made anew.
func TestAnotherMachineTakesOverWithAPasswordOfItsOwn(t *testing.T) {
	l := newStandaloneLab(t, "")
	l.mustRun()
	other := newStandaloneLab(t, "")
	own := other.answers.EnvFile
	other.answers, other.tokens = l.answers, l.tokens
	other.answers.EnvFile = own
	before := l.authentik.Snapshot()
	if stop := flows.StopOf(other.run(t.Context(), nil)); stop.Reason != flows.NeedsDecision {
		t.Fatalf("got %v, want a question", stop)
	}
	if !sameWorld(before, l.authentik.Snapshot()) {
		t.Error("the answer no left a trace")
	}
	other.adopt = true
	other.mustRun()
	password := func(l *lab) string {
		store, err := l.bench.OpenKeys(t.Context(), keystore.File)
		l.must(err)
		value, err := store.Get(t.Context(), setupName, keystore.AppPassword)
		l.must(err)
		return value
	}
	if password(l) == password(other) {
		t.Error("the other machine has the first one's password")
	}
	l.mustRun() // which still works
}
