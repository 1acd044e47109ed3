package tui

import (
	"context"
	"maps"

	tea "charm.land/bubbletea/v2"

	"authbird/doctor"
	"authbird/flows"
)

// removeScreen takes a setup back: it reads what that would mean, asks, does it
// object by object, and says where the journal is kept. Like a run it stops
// between two objects at the first Ctrl-C and gives up at the second.
type removeScreen struct {
	opener  Opener
	draft   draft
	ctx     context.Context
	halt    context.CancelFunc
	job     *job
	stage   removeStage
	seq     int
	what    []flows.Removal
	guard   []doctor.Result
	gone    map[string]bool // by step: taken back and checked
	ask     ask
	trouble trouble
	archive string
}

type removeStage int

const (
	removeReading removeStage = iota
	removeAsking
	removeGoing
	removeStopping
	removeGivingUp
	removeStopped
	removeDone
)

func newRemoveScreen(d draft, opener Opener) removeScreen {
	return removeScreen{opener: opener, draft: d, job: newJob(d.setup()), halt: func() {}}
}

type (
	// removalRead is what taking back would mean.
	removalRead struct {
		seq   int
		what  []flows.Removal
		guard []doctor.Result
		err   error
	}
	// tookBack is what came of it, with what was said until its end.
	tookBack struct {
		seq     int
		archive string
		err     error
		rest    []any
	}
	// unmake is the intent to take the setup of this walk back.
	unmake struct{}
	// undoing says that taking back begins.
	undoing struct{ job *job }
)

func (unmake) intent()  {}
func (undoing) intent() {}

func (s removeScreen) Open(ctx context.Context) (screen, []tea.Cmd) {
	s.ctx = ctx
	cmd := s.read()
	return s, []tea.Cmd{cmd, s.job.listen(ctx)}
}

func (s *removeScreen) read() tea.Cmd {
	s.stage, s.seq, s.gone = removeReading, s.seq+1, nil
	ctx, seq, j, opener, d := s.ctx, s.seq, s.job, s.opener, s.draft
	return func() tea.Msg {
		if err := j.open(ctx, opener, d); err != nil {
			return removalRead{seq: seq, err: err}
		}
		what, guard, err := j.planRemoval(ctx)
		return removalRead{seq: seq, what: what, guard: guard, err: err}
	}
}

// Close asks the engine to stop and gives the setup free when it has.
func (s removeScreen) Close() tea.Cmd {
	s.halt()
	return s.job.close()
}

func (s removeScreen) Update(r room, msg tea.Msg) (screen, action) {
	switch msg := msg.(type) {
	case removalRead:
		return s.known(r, msg)
	case tookBack:
		return s.ended(msg)
	case heard:
		s.hear(msg.things)
		return s, do(s.job.listen(s.ctx))
	case tea.BatchMsg:
		return s, do(msg...)
	case tea.KeyPressMsg:
		return s.pressed(r, msg)
	case tea.WindowSizeMsg, tea.BackgroundColorMsg:
		if s.stage == removeAsking {
			return s, do(s.ask.resize(r))
		}
		return s, stay{}
	}
	return s.asked(msg)
}

func (s removeScreen) known(r room, msg removalRead) (screen, action) {
	if msg.seq != s.seq {
		return s, stay{}
	}
	s.what, s.guard = msg.what, msg.guard
	if msg.err != nil {
		s.fail(msg.err)
		s.trouble.looking = true
		return s, stay{}
	}
	reason := ""
	if s.locked() {
		reason = wordsRemoveReason
	}
	s.stage, s.ask = removeAsking, newAsk(r, reason, wordsRemoveAsk, wordsRemoveYes, wordsRemoveNo)
	return s, do(s.ask.open(r)...)
}

// locked says that the guard forbids it.
func (s removeScreen) locked() bool {
	for _, c := range s.guard {
		if c.Verdict == doctor.Fail {
			return true
		}
	}
	return false
}

// asked hands a message to the question and acts on its answer.
func (s removeScreen) asked(msg tea.Msg) (screen, action) {
	if s.stage != removeAsking {
		return s, stay{}
	}
	cmd := s.ask.update(msg)
	answer, done := s.ask.done()
	switch {
	case !done:
		return s, do(cmd)
	case !answer.yes:
		return s, back{noEdit{}}
	}
	cmd = s.carry(answer.reason)
	return s, both{undoing{s.job}, do(cmd)}
}

func (s *removeScreen) carry(force string) tea.Cmd {
	s.job.drain()
	ctx, halt := context.WithCancel(s.ctx)
	s.stage, s.halt, s.seq = removeGoing, halt, s.seq+1
	j, seq := s.job, s.seq
	return func() tea.Msg {
		archive, err := j.takeBack(ctx, force)
		return tookBack{seq: seq, archive: archive, err: err, rest: j.drain()}
	}
}

func (s *removeScreen) hear(things []any) {
	gone := maps.Clone(s.gone)
	if gone == nil {
		gone = map[string]bool{}
	}
	for _, thing := range things {
		if e, ok := thing.(flows.Event); ok && e.Phase == flows.Undone {
			gone[e.Step.ID] = true
		}
	}
	s.gone = gone
}

func (s removeScreen) ended(msg tookBack) (screen, action) {
	if msg.seq != s.seq {
		return s, stay{}
	}
	s.hear(msg.rest)
	s.halt()
	if msg.err != nil {
		s.fail(msg.err)
		return s, stay{}
	}
	s.stage, s.archive = removeDone, msg.archive
	return s, completed{s.job.name}
}

// fail stops with the remedies that taking back has.
func (s *removeScreen) fail(err error) {
	s.stage, s.trouble = removeStopped, newTrouble(err)
	var fit []remedy
	for _, r := range s.trouble.remedies {
		if r.act == (change{askOptions}) || r.act == (unmake{}) || r.act == (consult{}) {
			continue
		}
		if _, again := r.act.(retry); again {
			r.label = wordsRemoveAgain
		}
		fit = append(fit, r)
	}
	s.trouble.remedies = fit
}

func (s removeScreen) pressed(r room, msg tea.KeyPressMsg) (screen, action) {
	switch hit(msg, s.Keys(r)) {
	case "back":
		return s, back{noEdit{}}
	case "home":
		return s, home{}
	case "quit":
		return s, leave{}
	case "up", "down", "choose":
		return s.remedied(msg)
	}
	return s.asked(msg)
}

func (s removeScreen) remedied(msg tea.KeyPressMsg) (screen, action) {
	var act action
	s.trouble, act = s.trouble.update(msg)
	switch act.(type) {
	case nil:
		return s, stay{}
	case retry:
		if s.job.giveUp.Err() != nil {
			return s, change{askAgain}
		}
		cmd := s.read()
		return s, do(cmd)
	}
	return s, act
}

// Interrupt stops between two objects, then gives up, then leaves.
func (s removeScreen) Interrupt() (screen, action, bool) {
	switch s.stage {
	case removeGoing:
		s.stage = removeStopping
		s.halt()
		return s, stay{}, true
	case removeStopping:
		s.stage = removeGivingUp
		s.job.abandon()
		return s, stay{}, true
	case removeStopped:
		return s, leave{s.trouble.stop}, true
	}
	return s, stay{}, false
}

func (s removeScreen) Keys(room) []bind {
	stop := bind{id: "stop", label: "ctrl+c", does: "stop after this object"}
	switch s.stage {
	case removeAsking:
		keys := append(s.ask.keys(), bindBack())
		if s.ask.typing() {
			return keys
		}
		return append(keys, bindQuit())
	case removeGoing:
		return []bind{stop}
	case removeStopping:
		stop.does = "give up at once"
		return []bind{stop}
	case removeStopped:
		return s.trouble.keys()
	case removeDone:
		return []bind{{id: "home", keys: []string{"enter", "esc", "h"}, label: "↵", does: "all setups"}, bindQuit()}
	}
	return []bind{bindBack(), bindQuit()}
}

// Typing says whether the reason takes every key.
func (s removeScreen) Typing() bool { return s.stage == removeAsking && s.ask.typing() }

func (removeScreen) Help() help { return helpRemove }

// planRemoval and takeBack are the job's part of it.
func (j *job) planRemoval(ctx context.Context) ([]flows.Removal, []doctor.Result, error) {
	if !j.begin() {
		return nil, nil, errClosed
	}
	defer j.ended.Done()
	return j.session.PlanRemoval(ctx)
}

func (j *job) takeBack(ctx context.Context, force string) (string, error) {
	if !j.begin() {
		return "", errClosed
	}
	defer j.ended.Done()
	archive, err := j.session.Remove(ctx, force)
	j.mu.Lock()
	j.outcome, j.ran, j.archive = err, true, archive
	j.mu.Unlock()
	return archive, err
}

// taken is where the journal of a setup that was taken back is kept; "": it
// wasn't.
func (j *job) taken() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.archive
}
