package flows

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"authbird/clients"
	"authbird/doctor"
	"authbird/facts"
	"authbird/state"
)

// run is one walk through a flow.
type run struct {
	*Engine
	flow   Flow
	facts  *facts.Facts
	agreed map[string]bool // steps whose object may be changed: asked once a run
}

// journaled writes, around a walk, that the run began and how it ended.
func (r *run) journaled(name string, end state.Phase, walk func() error) error {
	if err := r.append(state.Entry{Flow: name, Phase: state.Began, Receipt: r.Kept}); err != nil {
		return r.stop(About{}, err)
	}
	if err := walk(); err != nil {
		// Why it stopped is worth keeping; that it can't be kept changes nothing.
		_ = r.append(state.Entry{Flow: name, Phase: state.Failed, Error: clients.Clean(err.Error())})
		return err
	}
	if err := r.append(state.Entry{Flow: name, Phase: end}); err != nil {
		return r.stop(About{}, err)
	}
	return nil
}

// walk takes every step to its end and proves the result.
func (r *run) walk(ctx context.Context) ([]doctor.Result, error) {
	for _, s := range r.flow.Steps {
		if ctx.Err() != nil {
			return nil, r.stop(s.About(), interruptionOf(ctx))
		}
		if err := r.bring(ctx, s); err != nil {
			return nil, err
		}
	}
	if r.flow.Prove == nil {
		return nil, nil
	}
	return r.prove(ctx)
}

// attempts is how often a step is done whose answer gets lost.
const attempts = 2

// bring takes one step to its end: look, settle, ask, write down, do, check.
// An answer that got lost is looked for, and the step done again only where
// the look shows that nothing came of it.
func (r *run) bring(ctx context.Context, s Step) error {
	about := s.About()
	start := r.Now()
	var lost error
	for attempt := 0; ; attempt++ {
		now := r.look(r.flow.Name, s, r.facts)
		if err := r.settle(about, now); err != nil {
			return r.stop(about, err)
		}
		if now.Finding.Verdict == InPlace {
			r.Watch(Event{Phase: Done, Step: about, Finding: now.Finding, Elapsed: r.Now().Sub(start)})
			return nil
		}
		if now.Finding.Verdict == Blocked {
			return r.stop(about, now.Finding.stopped(about))
		}
		if attempt == attempts {
			return r.stop(about, &Stopped{Reason: OutcomeUnknown, Err: fmt.Errorf("%w; %s", lost, triedTwice(now.Finding))})
		}
		if now.Finding.Verdict == Differs {
			if err := r.mayChange(ctx, about, now.Finding); err != nil {
				return r.stop(about, err)
			}
		}
		var err error
		if lost, err = r.act(s, now.Finding, start); err != nil {
			return r.stop(about, err)
		}
		if lost == nil {
			return nil
		}
		r.facts = r.flow.Survey(ctx)
	}
}

// triedTwice says what the look after the last attempt shows.
func triedTwice(found Finding) string {
	if found.ObjectID == "" {
		return "it was tried twice, and nothing came of it"
	}
	return "it was tried twice, and what stands there is not seen to have changed"
}

// settle closes an entry that an earlier request left open: ours if nothing
// stood there before it and something does now, failed if nothing does. What
// stood there and is not as wanted may have been changed or not.
func (r *run) settle(about About, now Planned) error {
	began, open := r.Journal.Begun(r.flow.Name, about.ID)
	if !open {
		return nil
	}
	past, _ := r.Journal.Last(about.ID)
	receipt := merged(past, began.Receipt)
	switch {
	case now.Finding.Verdict == Blocked: // nobody saw what became of it
		return nil
	case now.Settle:
		note := "no answer had come; it was found afterwards"
		if about.With != "" && began.Run == r.Run {
			note = "made in one request with: " + about.With
		}
		return r.write(about.ID, state.Done, now.settled, note, nil)
	case now.Finding.Verdict == InPlace:
		if _, takes := now.Step.(taker); takes {
			return r.write(about.ID, state.Undone, state.Receipt{}, "no answer had come; it was found gone", nil)
		}
		return r.write(about.ID, state.Done, receipt, "no answer had come; the change was found afterwards", nil)
	case began.Receipt.ObjectID != "":
		// A change that may have come about in part: only this entry knows what
		// stood there before it, so it stays open until a change is seen done.
		return nil
	}
	return r.write(about.ID, state.Failed, state.Receipt{}, "no answer had come, and nothing came of it", nil)
}

// merged is what the journal knows after one more entry: once made by us, it
// stays ours, and what stood there first is what Undo restores.
func merged(past, now state.Receipt) state.Receipt {
	out := now
	out.Made = past.Made || now.Made
	if out.ObjectID == "" {
		out.ObjectID = past.ObjectID
	}
	if out.Digest == "" {
		out.Digest = past.Digest
	}
	out.Before, out.Values = map[string]string{}, map[string]string{}
	maps.Copy(out.Before, now.Before)
	maps.Copy(out.Before, past.Before)
	maps.Copy(out.Values, past.Values)
	maps.Copy(out.Values, now.Values)
	return out
}

// mayChange asks, once a run and step, whether what stands there may be
// changed.
func (r *run) mayChange(ctx context.Context, about About, found Finding) error {
	if r.agreed[about.ID] {
		return nil
	}
	if r.Adopt == nil {
		return &Stopped{Reason: NeedsDecision, Finding: found, Err: errors.New(standsAlready(about, found))}
	}
	if err := r.Adopt(ctx, about, found); err != nil {
		return &Stopped{Reason: NeedsDecision, Finding: found, Err: err}
	}
	r.agreed[about.ID] = true
	return nil
}

// act does one step between its began and its done. lost is why no answer told
// what became of a request that went out; the entry then stays open.
func (r *run) act(s Step, found Finding, start time.Time) (lost, err error) {
	about := s.About()
	r.Watch(Event{Phase: Doing, Step: about, Finding: found})
	past, _ := r.Journal.Last(about.ID)
	began, open := r.Journal.Begun(r.flow.Name, about.ID)
	made := r.bundle(s)
	for _, id := range made {
		intent := state.Receipt{}
		if id == about.ID {
			intent = found.Intent
			intent.ObjectID = found.ObjectID
			if open { // what stood there before the first attempt is what Undo restores
				found.Intent = merged(began.Receipt, found.Intent)
				intent = merged(began.Receipt, intent)
			}
		}
		if err := r.write(id, state.Began, intent, "", nil); err != nil {
			return nil, err
		}
	}
	ctx, cancel := r.stepContext(patienceOf(s))
	defer cancel()
	receipt, err := s.Do(ctx, r.facts, found)
	if err != nil {
		if open { // an earlier attempt may have come about: a refusal of this one ends nothing
			made = slices.DeleteFunc(made, func(id string) bool { return id == about.ID })
		}
		return r.failed(about, made, err)
	}
	receipt = merged(past, merged(found.Intent, receipt))
	if err := r.close(s, receipt); err != nil {
		return nil, err
	}
	after := s.Look(r.facts, receipt)
	if after.Verdict != InPlace {
		return nil, &Stopped{Reason: NotAsMeant, Finding: after, Err: errors.New(notAsMeant(after))}
	}
	r.Watch(Event{Phase: Done, Step: about, Finding: after, Elapsed: r.Now().Sub(start)})
	return nil, nil
}

// A taker is a step whose deed takes its object away, so that nothing of it
// stands afterwards.
type taker interface{ Takes() }

// close writes that a step was done or, of a taker, that its object is gone.
func (r *run) close(s Step, receipt state.Receipt) error {
	if _, takes := s.(taker); takes {
		return r.write(s.About().ID, state.Undone, state.Receipt{}, "", nil)
	}
	return r.write(s.About().ID, state.Done, receipt, "", nil)
}

// bundle lists the steps whose objects one request makes together: this one,
// and the missing ones that say they come with it.
func (r *run) bundle(s Step) []string {
	ids := []string{s.About().ID}
	for _, other := range r.flow.Steps {
		about := other.About()
		if about.With == "" || about.With != s.About().ID {
			continue
		}
		if p := r.look(r.flow.Name, other, r.facts); p.Finding.Verdict == Missing && p.Finding.ObjectID == "" {
			ids = append(ids, about.ID)
		}
	}
	return ids
}

func (r *run) failed(about About, made []string, err error) (lost, _ error) {
	if r.GiveUp != nil && r.GiveUp.Err() != nil {
		return nil, &Stopped{Reason: Interrupted, Step: about, Err: errors.New("given up; what became of the last request is not known")}
	}
	if leavesOpen(err) {
		r.Watch(Event{Phase: Lost, Step: about, Err: err})
		return err, nil
	}
	for _, id := range made {
		if werr := r.write(id, state.Failed, state.Receipt{}, "", err); werr != nil {
			return nil, errors.Join(err, werr)
		}
	}
	return nil, err
}

// notSeen is the error of a step that did its deed, or the first part of it,
// and could not read it back or go on.
type notSeen struct{ error }

func (e notSeen) Unwrap() error { return e.error }

// unseen wraps the error of what came after a deed; nil stays nil.
func unseen(err error) error {
	if err == nil {
		return nil
	}
	return notSeen{err}
}

// leavesOpen says that a later look must settle what became of the request.
func leavesOpen(err error) bool {
	var n notSeen
	return errors.As(err, &n) || clients.KindOf(err) == clients.Unknown || errors.Is(err, context.DeadlineExceeded)
}

// stepContext is not cancelled by the person's first Ctrl-C: from began to done
// a step ends by its own time or by giving up.
func (r *run) stepContext(more time.Duration) (context.Context, context.CancelFunc) {
	base := r.GiveUp
	if base == nil {
		base = context.Background()
	}
	return context.WithTimeout(base, stepTime+more)
}

// A patient step waits for a person or a restart, for so long besides the time
// that every step has.
type patient interface{ Patience() time.Duration }

func patienceOf(s Step) time.Duration {
	if p, ok := s.(patient); ok {
		return p.Patience()
	}
	return 0
}

// prove judges the finished setup. A failing check whose repair is a step of
// this flow is repaired once and judged again.
func (r *run) prove(ctx context.Context) ([]doctor.Result, error) {
	results := r.flow.Prove(ctx, r.facts)
	for _, c := range results {
		step := r.repairOf(c)
		if step == nil {
			continue
		}
		found := r.look(r.flow.Name, step, r.facts).Finding
		if found.Verdict == InPlace {
			continue
		}
		if found.Ours { // what the servers themselves showed to be needed, on an object of ours
			r.agreed[step.About().ID] = true
		}
		if err := r.bring(ctx, step); err != nil {
			return results, err
		}
		results = r.flow.Prove(ctx, r.facts)
		break
	}
	err := proofError(results)
	if err != nil && ctx.Err() != nil {
		return nil, r.stop(About{}, interruptionOf(ctx)) // what was not answered is no verdict
	}
	for _, c := range results {
		r.Watch(Event{Phase: Checked, Check: c})
	}
	if err != nil {
		return results, r.stop(About{}, err)
	}
	return results, nil
}

func (r *run) repairOf(c doctor.Result) Step {
	if c.Verdict != doctor.Fail || c.Repair == "" {
		return nil
	}
	for _, s := range r.flow.Steps {
		if s.About().ID == c.Repair {
			return s
		}
	}
	return nil
}

// undo takes one step back. What the journal does not call ours is left alone.
// A deed whose answer never came is looked for first.
func (r *run) undo(ctx context.Context, s Step) error {
	about := s.About()
	if _, open := r.Journal.Begun(r.flow.Name, about.ID); open {
		if r.facts == nil {
			r.facts = r.flow.Survey(ctx)
		}
		now := r.look(r.flow.Name, s, r.facts)
		if now.Finding.Verdict == Blocked && about.Where != Here { // it may stand, and would be forgotten
			return r.stop(about, now.Finding.stopped(about))
		}
		if err := r.settle(about, now); err != nil {
			return r.stop(about, err)
		}
	}
	receipt, _ := r.Journal.Last(about.ID)
	if began, open := r.Journal.Begun(r.flow.Name, about.ID); open { // a change that may have come about
		receipt = merged(receipt, began.Receipt)
	}
	why := r.Leave[about.ID]
	if why == "" && !receipt.Made && len(receipt.Before) == 0 {
		if receipt.ObjectID == "" {
			return nil
		}
		why = "it stood there before, and was left"
	}
	if why != "" {
		if err := r.append(state.Entry{Flow: Removing, Step: about.ID, Phase: state.Undone, Note: why}); err != nil {
			return r.stop(about, err)
		}
		return nil
	}
	if err := r.append(state.Entry{Flow: Removing, Step: about.ID, Phase: state.Began}); err != nil {
		return r.stop(about, err)
	}
	if err := r.takeAway(s, receipt); err != nil {
		return r.stop(about, err)
	}
	if err := r.append(state.Entry{Flow: Removing, Step: about.ID, Phase: state.Undone}); err != nil {
		return r.stop(about, err)
	}
	r.Watch(Event{Phase: Undone, Step: about})
	return nil
}

// takeAway undoes one step; once more where no answer came, since what is gone
// is no error.
func (r *run) takeAway(s Step, receipt state.Receipt) error {
	ctx, cancel := r.stepContext(0)
	defer cancel()
	err := s.Undo(ctx, receipt)
	if clients.KindOf(err) == clients.Unknown {
		err = s.Undo(ctx, receipt)
	}
	if clients.KindOf(err) == clients.Absent {
		return nil
	}
	return err
}

func (r *run) write(step string, phase state.Phase, receipt state.Receipt, note string, err error) error {
	e := state.Entry{Flow: r.flow.Name, Step: step, Phase: phase, Receipt: receipt, Note: note}
	if err != nil {
		e.Error = clients.Clean(err.Error())
	}
	return r.append(e)
}

func (r *run) append(e state.Entry) error {
	e.Time, e.Run = r.Now(), r.Run
	if err := r.Journal.Append(e); err != nil {
		return &Stopped{Reason: NotWritten, Err: err}
	}
	return nil
}
