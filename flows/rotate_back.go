package flows

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"authbird/clients"
	"authbird/clients/authentik"
	"authbird/clients/netbird"
	"authbird/doctor"
	"authbird/facts"
	"authbird/keystore"
	"authbird/state"
)

// putRight, before a rotation of the client secret goes on: where an earlier run
// left NetBird with a secret that Authentik doesn't have, and NetBird has not
// restarted since, it is given the old one back first. So a restart breaks
// nothing while the person makes up their mind. A secret that the keystore has
// lost is regained before that.
func (r *Rotation) putRight(ctx context.Context) error {
	if r.Credential != keystore.ClientSecret || r.run.tail {
		return nil
	}
	_, regained, err := r.run.oldSecret(ctx)
	if err != nil {
		return StopOf(err)
	}
	back := inGap(r.s.setup) && !r.run.o.Leak && !r.alreadyRestarted(ctx)
	if back {
		if err := r.netBirdBack(ctx); err != nil {
			return StopOf(err)
		}
	}
	if !back && !regained {
		return nil
	}
	plan, err := r.engine.Plan(ctx, r.flow)
	if err != nil {
		return err
	}
	r.Plan = plan
	return nil
}

// alreadyRestarted says that NetBird surely runs on the new secret: it took it,
// and another process answers since.
func (r *Rotation) alreadyRestarted(ctx context.Context) bool {
	return gapOf(r.s.setup, facts.Of(r.work.NetBird.Instance(ctx))) == doctor.GapEntered
}

// netBirdBack gives NetBird the old secret back, and journals it.
func (r *Rotation) netBirdBack(ctx context.Context) error {
	step := secretAtNetBird{r.run}
	receipt, _ := r.s.setup.Last(stepNewSecretNetBird)
	if began, open := r.s.setup.Begun(r.flow.Name, stepNewSecretNetBird); open {
		receipt = merged(receipt, began.Receipt)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stepTime)
	defer cancel()
	err := step.Undo(ctx, receipt)
	if clients.KindOf(err) == clients.Unknown { // sent again it does no harm
		err = step.Undo(ctx, receipt)
	}
	if err != nil {
		return err
	}
	if err := r.run.write(stepNewSecretNetBird, state.Undone, state.Receipt{}, "the old client secret was put back"); err != nil {
		return err
	}
	r.run.watch(Event{Phase: Undone, Step: step.About()})
	return nil
}

// afterStop leaves a client secret that was not brought to its end as safe as
// can be: before NetBird's restart everything is put back, and nothing has
// changed. After it there is no way but forward.
func (r *Rotation) afterStop(err error) error {
	stop := StopOf(err)
	if given := r.s.GiveUp; given != nil && given.Err() != nil {
		return r.atRisk(stop, nil)
	}
	if r.run.past || r.run.tail || r.beyond() {
		return stop
	}
	if inGap(r.s.setup) {
		if backErr := r.netBirdBack(context.Background()); backErr != nil {
			return r.atRisk(stop, backErr)
		}
		if r.restartedMeanwhile(stop) {
			stop.Hints = append(stop.Hints, "NetBird was restarted in the meantime: restart it once more")
		}
	}
	if cleanErr := r.clean(); cleanErr != nil {
		return &Stopped{Reason: NotWritten, Err: errors.Join(stop, cleanErr)}
	}
	stop.Stands, stop.AtServers = nil, false
	if stop.Reason == OutcomeUnknown {
		stop.Reason = NeedsPerson
	}
	if stop.Reason == Interrupted { // which says itself that nothing was changed
		stop.Hints = append(stop.Hints, "the old client secret is in force")
	}
	stop.Err = fmt.Errorf("%w; the old client secret is in force, and nothing has changed", stop.Err)
	if errors.Is(stop.Err, errNotRestarted) {
		stop.Hints = append(stop.Hints, "to try again, with NetBird's restart at hand: authbird rotate "+quoted(r.s.Name)+" client-secret; --restart-command lets authbird do it")
	}
	return stop
}

// beyond says that the new secret is in force, or that the journal can't tell.
func (r *Rotation) beyond() bool {
	known, _ := r.s.setup.Last(stepNewSecretAuthentik)
	return known.ObjectID != ""
}

// restartedMeanwhile says that another process answers than the one that was
// told: it may have started before the old secret was back.
func (r *Rotation) restartedMeanwhile(stop *Stopped) bool {
	if !errors.Is(stop, errNotRestarted) {
		return false
	}
	var told netbird.Process
	if w := r.run.last; w != nil {
		told = w.told
	}
	now, err := r.work.NetBird.Instance(context.Background())
	if err != nil {
		return true
	}
	same, known := now.Process.SameRun(told)
	return known && !same
}

// atRisk says that a restart of NetBird would break logins now.
func (r *Rotation) atRisk(stop *Stopped, backErr error) error {
	if !inGap(r.s.setup) || r.run.past {
		return stop
	}
	out := &Stopped{Reason: OutcomeUnknown, Step: stop.Step, Stands: stop.Stands, AtServers: true,
		Err:   fmt.Errorf("%w; NetBird has the new client secret and Authentik the old one", stop.Err),
		Hints: []string{"a restart of NetBird now would break logins through Authentik; authbird resume puts that right first"}}
	if backErr != nil {
		out.Hints = append(out.Hints, "the old one could not be put back: "+clients.Clean(backErr.Error()))
	}
	return out
}

// clean forgets a new secret that no server has, and ends the rotation.
func (r *Rotation) clean() error {
	if err := (setupSecrets{r.s.keys, r.s.Name}).Delete(context.Background(), r.Credential+keystore.New); err != nil {
		return err
	}
	for _, id := range []string{stepNewSecretAuthentik, stepNewSecretNetBird, stepNewSecret} {
		last, phase := r.s.setup.Last(id)
		if last.ObjectID == "" && phase != state.Began {
			continue
		}
		if err := r.run.write(id, state.Undone, state.Receipt{}, "put back"); err != nil {
			return err
		}
	}
	return r.run.write("", state.Done, state.Receipt{}, "put back: nothing has changed")
}

// How a login is looked for after the restart, where nobody watches.
const (
	loginLooks = 3
	loginPause = time.Second
)

// authorised are the logins by our provider that Authentik has seen, by their
// names in its event log.
func (r *renewal) authorised(ctx context.Context) (map[string]authentik.Event, error) {
	events, err := r.Authentik.Events(ctx, "authorize_application", 20)
	out := map[string]authentik.Event{}
	for _, e := range events {
		if e.ClientID == r.clientID() || e.ClientID == "" && e.Application == r.Answers.Name {
			out[e.PK] = e
		}
	}
	return out, err
}

// loginSince looks for a login that began after NetBird was seen to run on the
// new secret. With it the old one is forgotten. Events that can't be read are no
// proof, and no failure.
func (r *Rotation) loginSince(ctx context.Context) (bool, error) {
	if r.run.before == nil {
		return false, nil
	}
	for i := range loginLooks {
		if i > 0 && r.s.bench.Wait(ctx, loginPause) != nil {
			return false, nil
		}
		now, err := r.run.authorised(ctx)
		if err != nil {
			return false, nil
		}
		for pk, e := range now {
			if _, old := r.run.before[pk]; !old {
				return true, r.s.NoteLogin(Sighting{Kind: SawAuthorised, Who: clients.Clean(e.User.Username), When: e.Created})
			}
		}
	}
	return false, nil
}

// forgetOld ends the life of the client secret that was kept aside: a login has
// shown that the new one works.
func (s *Session) forgetOld(ctx context.Context) error {
	return s.keys.Delete(ctx, s.Name, keystore.ClientSecret+keystore.Old)
}

// lastLine is the last thing that a command said.
func lastLine(output string) string {
	lines := strings.Split(strings.TrimSpace(output), "\n")
	return clients.CleanN(lines[len(lines)-1], 200)
}
