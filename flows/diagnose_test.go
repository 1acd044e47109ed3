package flows_test

import (
	"net/http"
	"strings"
	"testing"

	"authbird/doctor"
	"authbird/flows"
	"authbird/sim/fault"
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

// The authorize endpoint stores the first address that comes along where the
// list is empty, and the device endpoint counts: so the one is asked only once
// the list was read and holds something, and the other never.
func TestTheDoctorLeavesNoTraceAtTheEndpoints(t *testing.T) {
	t.Parallel()
	for _, mode := range []state.Mode{state.Connector, state.Standalone} {
		for name, c := range map[string]struct {
			spoil func(*lab) error
			asked bool // the authorize endpoint
		}{
			"all is well":       {func(*lab) error { return nil }, true},
			"the list is empty": {func(l *lab) error { return l.provider(redirects("strict")) }, false},
			"the list can't be read": {func(l *lab) error {
				return l.faults["authentik"].Order(fault.Fault{Path: "/api/v3/providers/**", Kind: fault.Status, Status: http.StatusForbidden, Times: -1})
			}, false},
		} {
			t.Run(string(mode)+" "+name, func(t *testing.T) {
				t.Parallel()
				l := sceneLab(t, scene{mode: mode})
				if err := c.spoil(l); err != nil {
					t.Fatal(err)
				}
				before := len(l.faults["authentik"].Requests())
				l.diagnose()
				if _, err := l.diagnoseFound(); err != nil {
					t.Fatal(err)
				}
				asked := false
				for _, r := range l.faults["authentik"].Requests()[before:] {
					asked = asked || strings.HasPrefix(r.Path, "/application/o/authorize/")
					if strings.HasPrefix(r.Path, "/application/o/device/") {
						t.Error("the device endpoint was asked")
					}
				}
				if asked != c.asked {
					t.Errorf("the authorize endpoint was asked: %v, want %v", asked, c.asked)
				}
			})
		}
	}
}
