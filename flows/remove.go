package flows

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"authbird/clients"
	"authbird/doctor"
	"authbird/hostfiles"
	"authbird/keystore"
	"authbird/state"
)

// What taking a setup back does to one of its objects.
const (
	WillDelete  = "delete"  // authbird made it
	WillRestore = "restore" // it stood there before and was changed
	WillKeep    = "keep"    // it stood there before and is left alone
	WillFind    = "gone"    // it is not there any more
	WillAsk     = "ask"     // whose it is can't be told
)

// Removal is what taking back means for one object.
type Removal struct {
	Step     About
	Will     string
	ObjectID string
	Why      string
	Fields   []Field  // what somebody changed since: have, and what authbird left
	Beside   []string // what others put to it and what goes with it, in words

	claim bool // ours beyond doubt, though the journal has lost its line
}

// PlanRemoval lists, in the order of taking back, what goes, what is restored
// and what stays. The results say whether it may be done: a connector that is
// NetBird's last way in is not taken away.
func (s *Session) PlanRemoval(ctx context.Context) ([]Removal, []doctor.Result, error) {
	if err := s.sameServers(); err != nil {
		return nil, nil, err
	}
	out, err := s.removals(ctx)
	if err != nil || len(out) == 0 {
		return out, nil, err
	}
	if s.Answers.Mode == state.Standalone {
		return out, doctor.Judge(doctor.OnlyLogin(s.runsOn()), nil), nil
	}
	goes := connectorOf(out)
	if goes == "" {
		return out, nil, nil
	}
	results := doctor.Judge(doctor.LastWayIn(goes), s.bench.reader(s.servers).WayIn(ctx))
	if ctx.Err() != nil {
		return nil, nil, &Stopped{Reason: Interrupted, Err: interruptionOf(ctx)}
	}
	return out, results, nil
}

// connectorOf is the id of the connector that goes with a removal; empty where
// none does: it was never made, is gone already, or is only put back as it was.
func connectorOf(what []Removal) string {
	for _, r := range what {
		if r.Step.ID == stepConnector && (r.Will == WillDelete || r.Will == WillAsk) {
			return r.ObjectID
		}
	}
	return ""
}

// removals is the list, surveyed once: a person said yes to it.
func (s *Session) removals(ctx context.Context) ([]Removal, error) {
	if s.taken != nil {
		return s.taken, nil
	}
	if !s.anythingMade() {
		return nil, nil
	}
	out, err := s.surveyed(ctx)
	if err == nil {
		s.taken = out
	}
	return out, err
}

// anythingMade says whether the journal knows of anything to take back, or has
// lost a part of what it knew.
func (s *Session) anythingMade() bool {
	if s.setup.Lost() != "" {
		return true
	}
	for _, step := range s.flow.Steps {
		id := step.About().ID
		receipt, _ := s.setup.Last(id)
		if _, open := s.setup.Begun(s.flow.Name, id); open || receipt.ObjectID != "" || receipt.Made {
			return true
		}
	}
	return false
}

// runsOn says whether the management.json that authbird patched still names this
// setup. A person may have put the old one back.
func (s *Session) runsOn() doctor.Runs {
	management, _ := s.setup.Last(stepManagement)
	runs := doctor.Runs{File: management.ObjectID}
	if runs.File == "" {
		return runs
	}
	data, err := os.ReadFile(runs.File)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		runs.Err = err
		return runs
	}
	id := s.work.clientID()
	runs.On = id != "" && bytes.Contains(data, []byte(id))
	return runs
}

func (s *Session) removalOf(about About, receipt state.Receipt) Removal {
	r := Removal{Step: about, ObjectID: receipt.ObjectID, Will: WillKeep, Why: "it stood there before authbird came"}
	switch {
	case (about.ID == stepBrand || about.ID == stepDeviceFlow) && s.sharesAuthentik():
		r.Why = "another setup on this Authentik uses it"
	case about.ID == stepManagement:
		r.Why = "NetBird runs on it; what stood there before is in the backup beside it"
	case about.ID == stepSetupEnv:
		r.Will, r.Why = WillRestore, "lines that still hold authbird's values are taken out; the others stay"
		if keys, backup := receipt.Values[lostKey], receipt.Values[backupKey]; keys != "" && backup != "" {
			r.Why += "; what stood at " + strings.Join(strings.Fields(keys), ", ") + " before comes back only from " + backup
		}
	case receipt.Made:
		r.Will, r.Why = WillDelete, "authbird made it"
	case len(receipt.Before) > 0:
		r.Will, r.Why = WillRestore, "it stood there before; what authbird changed is put back"
	}
	return r
}

// sameServers stops where the answers name other servers than those the setup
// stands on: the journal's ids mean other objects there.
func (s *Session) sameServers() error {
	was := s.setup.Answers
	if was.Mode == "" || was.AuthentikURL == s.Answers.AuthentikURL && was.NetBirdURL == s.Answers.NetBirdURL {
		return nil
	}
	return &Stopped{Reason: NeedsPerson, Err: fmt.Errorf("this setup stands at %s, not at the address that was given", was.AuthentikURL),
		Hints: []string{"nothing was changed; leave the addresses out (AUTHBIRD_AUTHENTIK_URL, AUTHBIRD_NETBIRD_URL): they are known"}}
}

// sharesAuthentik says whether another standalone setup of this machine stands
// on the same Authentik. What cannot be read counts as standing.
func (s *Session) sharesAuthentik() bool {
	all, err := s.bench.State.List()
	if err != nil {
		return true
	}
	for _, other := range all {
		receipt, _ := other.Last(stepApplication)
		if other.Name != s.Name && other.Answers.Mode == state.Standalone && other.Answers.AuthentikURL == s.Answers.AuthentikURL && receipt.ObjectID != "" {
			return true
		}
	}
	return false
}

// BeingRemoved says that a setup was being taken back when its last run ended,
// so that going on means going on with that.
func BeingRemoved(s *state.Setup) bool {
	for _, e := range slices.Backward(s.Entries) {
		if e.Step == "" && e.Phase != state.Note {
			return e.Flow == Removing
		}
	}
	return false
}

// Remove takes back what authbird made and nothing else, forgets the secrets,
// and keeps the journal as an archive. Force, a person's reason, overrides the
// guard. Interrupted, it goes on when run again.
func (s *Session) Remove(ctx context.Context, force string) (archive string, err error) {
	what, guard, err := s.PlanRemoval(ctx)
	if err != nil {
		return "", err
	}
	if err := preflightError(guard); err != nil {
		if force == "" {
			return "", err
		}
		if err := s.noteForce(force); err != nil {
			return "", err
		}
	}
	if err := s.claim(what); err != nil {
		return "", err
	}
	s.taken = nil // from here on it is no longer as it was read
	if err := s.TakeBack(ctx, s.flow); err != nil {
		return "", err
	}
	if err := s.forget(ctx); err != nil {
		return "", &Stopped{Reason: NotWritten, Err: err}
	}
	archive, err = s.bench.State.Archive(s.Name, s.bench.Now())
	if err != nil {
		return "", &Stopped{Reason: NotWritten, Err: err}
	}
	return archive, nil
}

// noteForce writes down why NetBird's last way in goes, before anything does.
func (s *Session) noteForce(reason string) error {
	note := state.Entry{Time: s.bench.Now(), Run: s.Run, Flow: Removing, Phase: state.Note, Note: "forced: " + clients.CleanN(reason, 200)}
	if err := s.setup.Append(note); err != nil {
		return &Stopped{Reason: NotWritten, Err: err}
	}
	return nil
}

// forget takes every secret of the setup out of the keystore, and out of what a
// killed run left beside NetBird's files.
func (s *Session) forget(ctx context.Context) error {
	var err error
	if s.kept, err = s.backups(); err != nil {
		return err
	}
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

// backups names the backups beside NetBird's files: only they have what a secret
// was before authbird came. Those with authbird's own went with setup.env's lines.
func (s *Session) backups() (kept []string, err error) {
	for _, file := range s.work.hostFiles() {
		hostfiles.Sweep(file)
		of, err := hostfiles.Forget(file, "")
		if err != nil {
			return nil, fmt.Errorf("look for the backups of %s: %w", file, err)
		}
		kept = append(kept, of...)
	}
	return kept, nil
}

// hostFiles are NetBird's files that a setup writes.
func (w *Work) hostFiles() []string {
	if w.Answers.Mode != state.Standalone {
		return nil
	}
	return slices.DeleteFunc([]string{w.Answers.EnvFile, w.Answers.NetBirdConfig}, func(file string) bool { return file == "" })
}

// Remains are the files beside NetBird's that Remove left, as they were before
// authbird came.
func (s *Session) Remains() []string { return s.kept }
