package tui

import (
	"context"
	"fmt"
	"time"

	tea "charm.land/bubbletea/v2"

	"authbird/doctor"
	"authbird/flows"
	"authbird/state"
)

// runScreen carries a plan out and shows each step as it is checked. The first
// Ctrl-C asks the engine to stop between two steps, the second gives up.
type runScreen struct {
	job     *job
	plan    *flows.Plan // as it was read last
	first   *flows.Plan // as the person saw it: what this run makes in all
	now     func() time.Time
	ctx     context.Context
	halt    context.CancelFunc // asks the engine to stop between steps
	state   runState
	seq     int
	steps   map[string]stepState
	current string
	since   time.Time // when the current step began
	checks  []doctor.Result
	asked   *adoptAsked
	trouble trouble
	results []doctor.Result
	why     bool
	handed  bool
}

type runState int

const (
	runLooking runState = iota // planning anew, after trouble
	runGoing
	runStopping // asked to stop after this step
	runGivingUp
	runStopped
	runDone
)

// stepState is what is known of one step of the run.
type stepState struct {
	phase flows.Phase
	took  time.Duration
	found flows.Verdict // what stood there before
	along string        // in words, where another step's request made this object too
}

func newRunScreen(j *job, p *flows.Plan, now func() time.Time) runScreen {
	return runScreen{job: j, plan: p, first: p, now: now, steps: map[string]stepState{}, why: true}
}

// carried is what came of a run, with what was said until its end.
type carried struct {
	seq     int
	results []doctor.Result
	err     error
	rest    []any
}

// replanned is what came of looking again.
type replanned struct {
	seq  int
	plan *flows.Plan
	err  error
}

func (s runScreen) Open(ctx context.Context) (screen, []tea.Cmd) {
	s.ctx = ctx
	cmds := s.carry()
	return s, append(cmds, s.job.listen(ctx), everySecond())
}

// carry begins the run.
func (s *runScreen) carry() []tea.Cmd {
	s.job.drain() // what the plan said is on the plan
	ctx, halt := context.WithCancel(s.ctx)
	s.state, s.halt, s.seq = runGoing, halt, s.seq+1
	s.steps, s.checks, s.current = map[string]stepState{}, nil, ""
	s.since = s.now()
	j, p, seq := s.job, s.plan, s.seq
	return []tea.Cmd{func() tea.Msg {
		results, err := j.carry(ctx, p)
		return carried{seq: seq, results: results, err: err, rest: j.drain()}
	}}
}

func (s *runScreen) again() tea.Cmd {
	s.state, s.seq = runLooking, s.seq+1
	ctx, j, seq := s.ctx, s.job, s.seq
	return func() tea.Msg {
		p, err := j.plan(ctx)
		return replanned{seq: seq, plan: p, err: err}
	}
}

// Close asks the engine to stop and gives the setup free when it has.
func (s runScreen) Close() tea.Cmd {
	if s.handed {
		return nil
	}
	s.halt()
	return s.job.close()
}

func (s runScreen) Update(r room, msg tea.Msg) (screen, action) {
	switch msg := msg.(type) {
	case heard:
		return s.hear(msg.things, s.job.listen(s.ctx))
	case carried:
		return s.ended(msg)
	case replanned:
		return s.replanned(msg)
	case adoptAnswered:
		return s.decided(msg)
	case secondPassed:
		if s.state == runStopped || s.state == runDone {
			return s, stay{}
		}
		return s, do(everySecond())
	case tea.KeyPressMsg:
		return s.pressed(r, msg)
	}
	return s, stay{}
}

// hear takes in what the engine said; a question comes to the front.
func (s runScreen) hear(things []any, more ...tea.Cmd) (screen, action) {
	var ask action = stay{}
	for _, thing := range things {
		switch thing := thing.(type) {
		case flows.Event:
			s.event(thing)
		case adoptAsked:
			s.asked = &thing
			ask = push{newAdoptScreen(thing.about, thing.finding, true)}
		}
	}
	if s.state != runGoing {
		ask = stay{}
	}
	return s, both{ask, do(more...)}
}

func (s *runScreen) event(e flows.Event) {
	if e.Phase == flows.Checked {
		s.checks = append(s.checks, e.Check)
		return
	}
	steps := make(map[string]stepState, len(s.steps)+1)
	for id, st := range s.steps {
		steps[id] = st
	}
	st := steps[e.Step.ID]
	st.phase, st.took = e.Phase, e.Elapsed
	if e.Phase == flows.Doing {
		st.found = e.Finding.Verdict
		s.current, s.since = e.Step.ID, s.now()
	} else if s.current == e.Step.ID && e.Phase != flows.Lost {
		s.current = ""
	}
	if e.Phase == flows.Done && st.found == "" {
		st.found, st.along = flows.InPlace, s.madeAlong(e.Step)
	}
	steps[e.Step.ID] = st
	s.steps = steps
}

// madeAlong says by which other step's request this step's object came, "" where
// it stood there before the run.
func (s runScreen) madeAlong(about flows.About) string {
	for _, p := range s.plan.Steps {
		if p.Step.About().ID == about.ID && p.Finding.Verdict == flows.InPlace {
			return ""
		}
	}
	for _, p := range s.plan.Steps {
		if a := p.Step.About(); a.ID == about.With {
			return fmt.Sprintf(wordsRunWith, said(a.Title))
		}
	}
	return wordsRunAlong
}

func (s runScreen) ended(msg carried) (screen, action) {
	if msg.seq != s.seq {
		return s, stay{}
	}
	s.asked = nil
	for _, thing := range msg.rest {
		if e, ok := thing.(flows.Event); ok {
			s.event(e)
		}
	}
	s.halt()
	if msg.err != nil {
		s.state, s.trouble = runStopped, newTrouble(msg.err)
		return s, recall{}
	}
	s.state, s.results, s.current = runDone, msg.results, ""
	return s, both{recall{}, completed{s.job.name}}
}

func (s runScreen) replanned(msg replanned) (screen, action) {
	if msg.seq != s.seq {
		return s, stay{}
	}
	if msg.err != nil {
		s.state, s.trouble = runStopped, newTrouble(msg.err)
		s.trouble.looking = true
		return s, stay{}
	}
	s.plan = msg.plan
	cmds := s.carry()
	return s, do(cmds...)
}

func (s runScreen) decided(msg adoptAnswered) (screen, action) {
	if s.asked == nil {
		return s, stay{}
	}
	reply := s.asked.reply
	s.asked = nil
	switch msg.choice {
	case adoptYes:
		s.job.allow(msg.about.ID, msg.finding.Fields)
		reply <- nil
	default:
		reply <- errDeclined
	}
	return s, stay{}
}

func (s runScreen) pressed(r room, msg tea.KeyPressMsg) (screen, action) {
	switch hit(msg, s.Keys(r)) {
	case "why":
		s.why = !s.why
	case "next":
		s.handed = true
		return s, prove{job: s.job, plan: s.first, results: s.results}
	case "quit":
		return s, leave{}
	case "up", "down", "choose":
		return s.remedied(msg)
	}
	return s, stay{}
}

func (s runScreen) remedied(msg tea.KeyPressMsg) (screen, action) {
	var act action
	s.trouble, act = s.trouble.update(msg)
	switch act.(type) {
	case nil:
		return s, stay{}
	case retry:
		if s.job.giveUp.Err() != nil {
			return s, change{askAgain}
		}
		cmd := s.again()
		return s, do(cmd, everySecond())
	}
	return s, act
}

// Interrupt stops between two steps, then gives up, then leaves.
func (s runScreen) Interrupt() (screen, action, bool) {
	switch s.state {
	case runGoing, runLooking:
		s.state = runStopping
		s.halt()
		return s, recall{}, true
	case runStopping:
		s.state = runGivingUp
		s.job.abandon()
		return s, recall{}, true
	case runStopped:
		return s, leave{s.trouble.stop}, true
	}
	return s, stay{}, false
}

func (s runScreen) Keys(room) []bind {
	why := bind{id: "why", keys: []string{"w"}, label: "w", does: "why", more: "Say or hide why the current step is needed."}
	stop := bind{id: "stop", label: "ctrl+c", does: "stop after this step"}
	switch s.state {
	case runGoing, runLooking:
		return []bind{stop, why}
	case runStopping:
		stop.does = "give up at once"
		return []bind{stop, why}
	case runStopped:
		return s.trouble.keys()
	case runDone:
		next := bind{id: "next", keys: keyEnter, label: "↵", does: "first sign-in", more: wordsRunNext}
		if s.plan.Flow == string(state.Standalone) {
			next.does, next.more = "go on", wordsRunNextEnv
		}
		return []bind{next, bindQuit()}
	}
	return nil
}

func (runScreen) Help() help { return helpRun }
