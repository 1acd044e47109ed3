package flows

import (
	"context"
	"errors"
	"fmt"

	"authbird/clients"
	"authbird/doctor"
	"authbird/keystore"
	"authbird/state"
)

// What taking a setup back does to one of its objects.
const (
	WillDelete  = "delete"  // authbird made it
	WillRestore = "restore" // it stood there before and was changed
	WillKeep    = "keep"    // it stood there before and is left alone
)

// Removal is what taking back means for one object.
type Removal struct {
	Step     About
	Will     string
	ObjectID string
	Why      string
}

// PlanRemoval lists, in the order of taking back, what goes, what is restored
// and what stays. The results say whether it may be done: a connector that is
// NetBird's last way in is not taken away.
func (s *Session) PlanRemoval(ctx context.Context) ([]Removal, []doctor.Result, error) {
	var out []Removal
	for i := len(s.flow.Steps) - 1; i >= 0; i-- {
		about := s.flow.Steps[i].About()
		receipt, _ := s.setup.Last(about.ID)
		if receipt.ObjectID == "" && !receipt.Made {
			continue
		}
		out = append(out, removalOf(about, receipt))
	}
	if s.Answers.Mode == state.Standalone || len(out) == 0 {
		return out, nil, nil
	}
	guard := doctor.LastWayIn(s.connectorID())
	results := doctor.Judge(guard, s.bench.reader(s.servers).WayIn(ctx))
	if ctx.Err() != nil {
		return nil, nil, &Stopped{Reason: Interrupted, Err: context.Canceled}
	}
	return out, results, nil
}

func removalOf(about About, receipt state.Receipt) Removal {
	r := Removal{Step: about, ObjectID: receipt.ObjectID, Will: WillKeep, Why: "it stood there before authbird came"}
	switch {
	case about.ID == stepManagement:
		r.Why = "NetBird runs on it; what stood there before is in the backup beside it"
	case about.ID == stepSetupEnv:
		r.Will, r.Why = WillRestore, "lines that still hold authbird's values are taken out; the others stay"
	case receipt.Made:
		r.Will, r.Why = WillDelete, "authbird made it"
	case len(receipt.Before) > 0:
		r.Will, r.Why = WillRestore, "it stood there before; what authbird changed is put back"
	}
	return r
}

// Remove takes back what authbird made and nothing else, forgets the secrets,
// and keeps the journal as an archive. Force, a person's reason, overrides the
// guard. Interrupted, it goes on when run again.
func (s *Session) Remove(ctx context.Context, force string) (archive string, err error) {
	_, guard, err := s.PlanRemoval(ctx)
	if err != nil {
		return "", err
	}
	if err := preflightError(guard); err != nil && force == "" {
		return "", err
	}
	if err := s.TakeBack(ctx, s.flow); err != nil {
		return "", err
	}
	if err := s.forget(ctx); err != nil {
		return "", &Stopped{Reason: NotWritten, Err: err}
	}
	if force != "" {
		note := state.Entry{Time: s.bench.Now(), Run: s.Run, Flow: "remove", Phase: state.Note, Note: "forced: " + clients.CleanN(force, 200)}
		if err := s.setup.Append(note); err != nil {
			return "", &Stopped{Reason: NotWritten, Err: err}
		}
	}
	archive, err = s.bench.State.Archive(s.Name, s.bench.Now())
	if err != nil {
		return "", &Stopped{Reason: NotWritten, Err: err}
	}
	return archive, nil
}

// forget takes every secret of the setup out of the keystore.
func (s *Session) forget(ctx context.Context) error {
	names := []string{keystore.ClientSecret, keystore.AppPassword, keystore.AuthentikToken, keystore.NetBirdToken}
	for _, name := range names {
		for _, suffix := range []string{"", keystore.New, keystore.Old} {
			if err := s.keys.Delete(ctx, s.Name, name+suffix); err != nil && !errors.Is(err, keystore.ErrReadOnly) {
				return fmt.Errorf("forget the %s: %w", name, err)
			}
		}
		if err := s.setup.RemoveCredential(name); err != nil {
			return err
		}
	}
	return nil
}
