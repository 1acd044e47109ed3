package flows_test

import (
	"testing"

	"authbird/doctor"
	"authbird/flows"
	"authbird/state"
)

// diagnose examines the lab's setup.
func (l *lab) diagnose() *flows.Diagnosis {
	l.t.Helper()
	d, err := l.bench.Diagnose(l.t.Context(), setupName, l.tokens, l.options)
	if err != nil {
		l.t.Fatal(err)
	}
	return d
}

// trouble is the results that are not ok.
func trouble(d *flows.Diagnosis) (out []doctor.Result) {
	for _, r := range d.Results {
		if r.Verdict != doctor.OK {
			out = append(out, r)
		}
	}
	return out
}

func TestAHealthySetupIsFoundHealthy(t *testing.T) {
	t.Parallel()
	for _, mode := range []state.Mode{state.Connector, state.Standalone} {
		t.Run(string(mode), func(t *testing.T) {
			l := newLab(t, labOptions{})
			if mode == state.Standalone {
				l = newStandaloneLab(t, "")
			}
			l.mustRun()
			before := l.authentik.Snapshot()
			l.slow()
			since := l.requests()
			d := l.diagnose()
			for _, r := range trouble(d) {
				t.Errorf("%s is %s: %s %s", r.ID, r.Verdict, r.Cause, r.Evidence)
			}
			n, c := l.requests()-since, l.chain(since)
			t.Logf("%d requests, %d in sequence", n, c)
			if n > 32 || c > 3 || d.Requests != n {
				t.Errorf("%d requests (told %d), %d in sequence; want at most 32 and 3", n, d.Requests, c)
			}
			if !sameWorld(before, l.authentik.Snapshot()) {
				t.Error("looking changed something")
			}
		})
	}
}
