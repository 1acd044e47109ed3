package flows

import (
	"context"
	"time"

	"authbird/doctor"
	"authbird/facts"
	"authbird/state"
)

// A Flow is an ordered list of steps for one purpose, with what is read before
// them and what is proven after them.
type Flow struct {
	Name  string
	Steps []Step
	// Survey reads everything the steps look at, in as few waves as it can.
	Survey func(context.Context) *facts.Facts
	// Preflight judges whether the flow may begin.
	Preflight func(*facts.Facts) []doctor.Result
	// Prove reads what shows that the finished setup works, and judges it.
	Prove func(context.Context, *facts.Facts) []doctor.Result
}

// Journal is where the engine writes what it does before it believes it.
type Journal interface {
	Append(state.Entry) error
	Begun(flow, step string) (state.Entry, bool)
	Last(step string) (state.Receipt, state.Phase)
}

// Phase is where in a step an event was sent.
type Phase string

const (
	Doing   Phase = "doing"
	Done    Phase = "done"    // after the check, not after the request
	Settled Phase = "settled" // an earlier run's lost answer turned out well
	Failed  Phase = "failed"
	Lost    Phase = "unknown" // sent, and no answer told what became of it
	Undone  Phase = "undone"
	Waiting Phase = "waiting" // for a person or a restart; the finding's note says for what
	Checked Phase = "checked" // a check of the preflight or the proof
)

// Event is one thing the engine says. Step events carry About and Finding,
// check events carry Check.
type Event struct {
	Phase   Phase
	Step    About
	Finding Finding
	Check   doctor.Result
	Elapsed time.Duration
	Err     error
}

// stepTime bounds one step from began to done; it is cancelled by nothing else.
const stepTime = 2 * time.Minute

// Engine walks a flow. It knows no terminal, no HTTP and no clock but the one
// it is given.
type Engine struct {
	Journal Journal
	Run     string        // this run's name in the journal
	Kept    state.Receipt // what the run's first line keeps of what it goes by
	Now     func() time.Time
	// Begin is called once the questions are answered and before anything is
	// written; nil: nothing to do.
	Begin func() error
	// Watch hears everything the engine does. Never nil.
	Watch func(Event)
	// Adopt is the one question: may this object, which is not ours or was
	// changed by hand, be changed? Nil or an error means no.
	Adopt func(context.Context, About, Finding) error
	// GiveUp, when done, ends even a step that has begun; its outcome is then
	// unknown until the next look. Nil: never.
	GiveUp context.Context
	// Leave are the steps that TakeBack leaves as they stand, with the reason.
	Leave map[string]string
}

// Planned is one step with what it found.
type Planned struct {
	Step    Step
	Finding Finding
	Settle  bool // an earlier answer was lost, and the object is there

	settled state.Receipt // with Settle: what is written of it
}

// Plan is what a run would do, and what stands in its way.
type Plan struct {
	Flow   string
	Facts  *facts.Facts
	Checks []doctor.Result
	Steps  []Planned
}

// Changes says whether running would change anything.
func (p *Plan) Changes() bool {
	for _, s := range p.Steps {
		if s.Finding.Verdict != InPlace {
			return true
		}
	}
	return false
}

// Conflicts lists the steps whose object stands there otherwise than wanted:
// not ours, or ours and changed by hand. Each needs a yes.
func (p *Plan) Conflicts() []Planned {
	var out []Planned
	for _, s := range p.Steps {
		if s.Finding.Verdict == Differs {
			out = append(out, s)
		}
	}
	return out
}

// Plan reads and judges, and changes nothing.
func (e *Engine) Plan(ctx context.Context, flow Flow) (*Plan, error) {
	f := flow.Survey(ctx)
	if ctx.Err() != nil {
		return nil, &Stopped{Reason: Interrupted, Err: interruptionOf(ctx)}
	}
	p := &Plan{Flow: flow.Name, Facts: f, Checks: flow.Preflight(f)}
	for _, c := range p.Checks {
		e.Watch(Event{Phase: Checked, Check: c})
	}
	if err := preflightError(p.Checks); err != nil {
		return p, err
	}
	for _, s := range flow.Steps {
		p.Steps = append(p.Steps, e.look(flow.Name, s, f))
	}
	for _, s := range p.Steps {
		if s.Finding.Verdict == Blocked {
			return p, s.Finding.stopped(s.Step.About())
		}
	}
	return p, nil
}

// look judges one step, and whose the object is: ours if the journal says that
// we made it, or that we began to make it where nothing stood.
func (e *Engine) look(flow string, s Step, f *facts.Facts) Planned {
	id := s.About().ID
	past, _ := e.Journal.Last(id)
	began, open := e.Journal.Begun(flow, id)
	if open {
		past = merged(past, began.Receipt)
	}
	p := Planned{Step: s, Finding: s.Look(f, past)}
	if p.Settle = open && began.Receipt.ObjectID == "" && p.Finding.ObjectID != ""; p.Settle {
		// Looked at again as ours, which nobody needs to be asked about.
		p.settled = past
		p.settled.ObjectID, p.settled.Made = p.Finding.ObjectID, true
		p.Finding = s.Look(f, p.settled)
	}
	p.Finding.Ours = p.Finding.Ours || past.Made || p.Settle
	return p
}

// Carry does what the plan says is missing, proves the result, and returns the
// proof. What must be asked is asked before anything is written. What stands
// when it stops early is kept; nothing is rolled back.
func (e *Engine) Carry(ctx context.Context, flow Flow, p *Plan) ([]doctor.Result, error) {
	r := &run{Engine: e, flow: flow, facts: p.Facts, agreed: map[string]bool{}}
	for _, s := range p.Conflicts() {
		if err := r.mayChange(ctx, s.Step.About(), s.Finding); err != nil {
			return nil, r.stop(s.Step.About(), err)
		}
	}
	if e.Begin != nil {
		if err := e.Begin(); err != nil {
			return nil, r.stop(About{}, &Stopped{Reason: NotWritten, Err: err})
		}
	}
	var results []doctor.Result
	err := r.journaled(flow.Name, state.Done, func() (err error) {
		results, err = r.walk(ctx)
		return err
	})
	return results, err
}

// Removing is what the journal calls a run that takes back.
const Removing = "remove"

// TakeBack undoes, last step first, what the journal says is ours.
func (e *Engine) TakeBack(ctx context.Context, flow Flow) error {
	r := &run{Engine: e, flow: flow}
	return r.journaled(Removing, state.Undone, func() error {
		for i := len(flow.Steps) - 1; i >= 0; i-- {
			s := flow.Steps[i]
			if ctx.Err() != nil {
				return r.stop(s.About(), interruptionOf(ctx))
			}
			if err := r.undo(ctx, s); err != nil {
				return err
			}
		}
		return nil
	})
}
