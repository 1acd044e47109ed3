package flows

import (
	"context"
	"fmt"

	"authbird/doctor"
	"authbird/facts"
	"authbird/keystore"
	"authbird/state"
)

// whileRenewing is what may be repaired while a renewal is unfinished: that a
// restart of NetBird would break logins, and nothing else. Another repair would
// take half of the renewal for a fault, and undo it.
func whileRenewing(s *state.Setup, ids []string) ([]string, error) {
	open, ok := PendingRotation(s)
	if !ok {
		return ids, nil
	}
	for _, id := range ids {
		if id == doctor.RepairOldSecret {
			return []string{id}, nil
		}
	}
	return nil, unfinishedRenewal(open)
}

func unfinishedRenewal(open Unrotated) error {
	return &Stopped{Reason: NeedsPerson, Err: fmt.Errorf("the renewal of the %s was begun and has not come to its end", words(open.Credential)), Hints: []string{"authbird resume"}}
}

// oldSecretBack puts the old client secret back at NetBird, and so ends a
// renewal that was stopped before NetBird's restart.
type oldSecretBack struct{ *Session }

func (s oldSecretBack) About() About {
	return About{ID: doctor.RepairOldSecret, Title: "old client secret", Where: AtNetBird, Object: s.Answers.ConnectorName,
		Why: "NetBird would use the new one from its next restart on, and Authentik doesn't have it", Makes: "put back, as if the renewal had not begun"}
}

func (s oldSecretBack) Look(f *facts.Facts, _ state.Receipt) Finding {
	switch gapOf(s.setup, f.NetBird.Instance) {
	case doctor.NoGap:
		return Finding{Verdict: InPlace, ObjectID: s.Answers.ConnectorName}
	case doctor.GapOpen:
		return Finding{Verdict: Missing, ObjectID: s.Answers.ConnectorName}
	}
	return Finding{Verdict: Blocked, Note: "NetBird may have restarted with the new client secret: authbird resume goes on"}
}

func (s oldSecretBack) Do(ctx context.Context, _ *facts.Facts, _ Finding) (state.Receipt, error) {
	r := s.rotation(keystore.ClientSecret, RotateOptions{})
	if err := r.netBirdBack(ctx); err != nil {
		return state.Receipt{}, err
	}
	return state.Receipt{}, r.clean()
}

func (s oldSecretBack) Undo(context.Context, state.Receipt) error { return nil }

// Takes says that nothing of it stands afterwards.
func (s oldSecretBack) Takes() {}
