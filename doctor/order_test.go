package doctor

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestResultsAreToldByPlaceAndGravity(t *testing.T) {
	all := []Result{
		{ID: "a", Group: Here, Verdict: Fail}, {ID: "b", Group: Authentik, Verdict: OK}, {ID: "c", Group: Between, Verdict: Warn},
		{ID: "d", Group: Authentik, Verdict: Unknown}, {ID: "e", Group: Authentik, Verdict: Fail}, {ID: "f", Group: Authentik, Verdict: Fail},
		{ID: "g", Group: NetBird, Verdict: Warn},
	}
	var got string
	for _, r := range Sorted(all) {
		got += r.ID
	}
	if got != "efdbgca" {
		t.Errorf("sorted %s", got)
	}
	if all[0].ID != "a" {
		t.Error("what was given is sorted too")
	}
	n := Count(all)
	if got := n.String(); got != "3 wrong, 2 notes, 1 unseen, 1 well" {
		t.Errorf("told as %q", got)
	}
	for want, results := range map[Verdict][]Result{
		Fail: all, OK: nil, Warn: {{Verdict: Warn}, {Verdict: Unknown}, {Verdict: OK}}, Unknown: {{Verdict: OK}, {Verdict: Unknown}},
	} {
		if got := Count(results).Verdict(); got != want {
			t.Errorf("the gravest is %s, want %s", got, want)
		}
	}
	if diff := cmp.Diff("0 well", Count(nil).String()); diff != "" {
		t.Error(diff)
	}
}
