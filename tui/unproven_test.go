package tui

import (
	"testing"

	"authbird/flows"
)

func TestARunThatStoppedBeforeItsProofIsProvenNext(t *testing.T) {
	for unproven, want := range map[bool]string{true: "prove it", false: "go on"} {
		s := planScreen{plan: &flows.Plan{}, draft: draft{unproven: unproven}}
		if keys := s.readyKeys(); keys[0].does != want {
			t.Errorf("a run that stopped: %v; offered is %q", unproven, keys[0].does)
		}
	}
}
