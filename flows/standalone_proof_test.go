package flows_test

import (
	"testing"

	"authbird/doctor"
	"authbird/flows"
	"authbird/sim/fault"
)

// proofOf carries a setup out and gives what its proof said, by check. Between
// the last step and the proof something happens.
func (l *lab) proofOf(happens func() error) map[string]doctor.Result {
	l.t.Helper()
	said := map[string]doctor.Result{}
	err := l.run(l.t.Context(), func(e flows.Event) {
		if e.Phase == flows.Done && e.Step.ID == "setup-env" && happens != nil {
			if err := happens(); err != nil {
				l.t.Error(err)
			}
			happens = nil
		}
		if e.Phase == flows.Checked {
			said[e.Check.ID] = e.Check
		}
	})
	if err != nil {
		l.t.Fatal(err)
	}
	return said
}

// The proof looks at the provider as it is now, and not as it was made.
func TestWhatSomebodyChangedUnderASetupIsSeenByItsProof(t *testing.T) {
	l := newStandaloneLab(t, "")
	said := l.proofOf(func() error { return l.provider(map[string]any{"sub_mode": "hashed_user_id"}) })
	if got := said["proof-provider"]; got.Verdict != doctor.OK {
		t.Errorf("%s: %s", got.Verdict, got.Cause)
	}
	l.checkStandalone() // it was repaired before that was said
}

func TestASignInThatCannotBeTriedIsNotCalledWell(t *testing.T) {
	l := newStandaloneLab(t, "")
	said := l.proofOf(func() error {
		return l.faults["authentik"].Order(fault.Fault{Path: "/application/o/device/", Kind: fault.RateLimit, Times: -1})
	})
	if got := said["proof-device"].Verdict; got != doctor.Warn {
		t.Errorf("the check of the sign-in with a code says %s, want %s", got, doctor.Warn)
	}
}

// NetBird's page writes the pattern with bare dots, and whoever made a provider
// by hand has it so: it is kept, and a warning says what it lets in.
func TestABareDotInAPatternOfSomebodyElseIsToldOf(t *testing.T) {
	l := newStandaloneLab(t, "")
	l.mustRun()
	if err := l.provider(redirects("regex", "https://netbird.example.com/.*")); err != nil {
		t.Fatal(err)
	}
	said := l.proofOf(nil)
	if got := said["proof-look-alike"]; got.Verdict != doctor.Warn || got.Evidence != "Authentik allows https://netbirdxexample.com/auth" {
		t.Errorf("%s: %q", got.Verdict, got.Evidence)
	}
	if got := newStandaloneLab(t, "").proofOf(nil)["proof-look-alike"]; got.Verdict != doctor.OK {
		t.Errorf("of authbird's own pattern it is said: %s, %q", got.Verdict, got.Evidence)
	}
}

// A page in the discovery document's place is told once, and not as five
// failures of what the document leads to.
func TestOneCauseIsToldOnce(t *testing.T) {
	l := newStandaloneLab(t, "")
	l.mustRun()
	if err := l.faults["authentik"].Order(fault.Fault{Path: "/application/o/netbird/**", Kind: fault.HTML, Status: 200, Times: -1}); err != nil {
		t.Fatal(err)
	}
	var wrong []string
	err := l.run(t.Context(), func(e flows.Event) {
		if e.Phase == flows.Checked && e.Check.Verdict == doctor.Fail {
			wrong = append(wrong, e.Check.ID)
		}
	})
	if err == nil || len(wrong) != 1 || wrong[0] != "proof-discovery" {
		t.Errorf("wrong are %v (%v), want the discovery alone", wrong, err)
	}
}
