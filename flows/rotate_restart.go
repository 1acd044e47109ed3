package flows

import (
	"context"
	"errors"
	"fmt"
	"time"

	"authbird/clients"
	"authbird/clients/netbird"
	"authbird/facts"
	"authbird/state"
)

// restartSeen is the receipt's value that says that NetBird has restarted since.
const restartSeen = "restarted"

// awaitRestart waits until NetBird has restarted since it was told of a change.
type awaitRestart struct {
	*renewal
	id, why string
	seen    func() bool   // it was, as another step has seen; nil: none has
	told    func() string // the process that was told, as the journal has it
	ready   func(context.Context) error
	since   func() time.Time // when what fails until the restart began to; nil: with the restart
	stays   string           // how things are until it has restarted
}

func (s awaitRestart) About() About {
	return About{ID: s.id, Title: "restart", Where: AtNetBird, Object: s.NetBird.BaseURL(), Why: s.why, Makes: "by you, or by the command that you gave"}
}

// Patience is how long the restart is waited for.
func (s awaitRestart) Patience() time.Duration { return s.wait() }

func (s awaitRestart) Look(_ *facts.Facts, past state.Receipt) Finding {
	if s.seen != nil && s.seen() || past.Values[restartSeen] != "" {
		return Finding{Verdict: InPlace, ObjectID: s.id}
	}
	return Finding{Verdict: Missing}
}

func (s awaitRestart) Do(ctx context.Context, f *facts.Facts, _ Finding) (state.Receipt, error) {
	told, _ := readProcess(s.told())
	w := s.watcher(s.About(), told)
	w.ready, w.blind = s.ready, !f.NetBird.Instance.OK()
	if s.since != nil {
		w.since = s.since()
	}
	receipt := state.Receipt{ObjectID: s.id, Values: map[string]string{restartSeen: "yes"}}
	err := s.watchRestart(ctx, f, w, s.About())
	var stop *Stopped
	if errors.As(err, &stop) && stop.Reason == NeedsPerson {
		stop.Hints = append(stop.Hints, s.stays, "authbird resume")
	}
	return receipt, err
}

func (s awaitRestart) Undo(context.Context, state.Receipt) error { return nil }

// watchRestart sees a restart through, and keeps what was measured of it.
func (r *renewal) watchRestart(ctx context.Context, f *facts.Facts, w *restartWatch, about About) error {
	seen, err := w.watch(ctx)
	r.windows, r.past = append(r.windows, w.windows...), seen
	if err != nil {
		return r.notRestarted(about, seen, err)
	}
	if before, err := r.authorised(ctx); err == nil {
		r.before = before
	}
	if !w.blind {
		f.NetBird.Instance = facts.Of(w.instance, nil)
	}
	return nil
}

// loginsBegin says whether NetBird's own identity provider answers again.
func (r *renewal) loginsBegin(ctx context.Context) error {
	_, err := r.NetBird.EmbeddedIdP(ctx)
	return err
}

// watcher looks out for a restart of the process that was told of a change, and
// says what is to be done about it.
func (r *renewal) watcher(about About, told netbird.Process) *restartWatch {
	w := &restartWatch{
		netbird: r.NetBird, now: r.Now, pause: r.pause, wait: r.wait(), leave: r.leave, told: told,
		command: r.shell, word: r.o.Restarted, say: func(note string) { r.say(about, note) },
	}
	r.last = w
	if r.shell != nil {
		w.say("restarting NetBird: " + clients.Clean(r.Answers.RestartCommand))
	} else {
		w.say(RestartHow)
	}
	return w
}

// RestartHow is what a person types to restart NetBird.
const RestartHow = "restart NetBird now: docker compose restart in its folder, or systemctl restart netbird-management"

// RestartBegins is what is said while NetBird is on its way down and up.
const RestartBegins = "NetBird is going down"

// notRestarted is why the run ends with the restart not seen through.
func (r *renewal) notRestarted(about About, seen bool, err error) error {
	if ctxErr := r.giveUpErr(err); ctxErr != nil {
		return unseen(ctxErr)
	}
	if seen {
		return &Stopped{Reason: OutcomeUnknown, Step: about, Err: fmt.Errorf("NetBird restarts or has restarted, and the rest could not be done: %w", err),
			Hints: []string{"authbird resume"}}
	}
	return &Stopped{Reason: NeedsPerson, Step: about, Err: err}
}

func (r *renewal) giveUpErr(err error) error {
	if errors.Is(err, errNotRestarted) || !errors.Is(err, context.Canceled) {
		return nil
	}
	if r.leave.Err() != nil {
		return interruptionOf(r.leave)
	}
	return err
}
