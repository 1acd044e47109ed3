package tui

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"

	tea "charm.land/bubbletea/v2"

	"authbird/doctor"
	"authbird/flows"
)

// mendScreen repairs what the doctor found: it shows what would be changed,
// asks, does it, and hands what a second look finds to the doctor below. Like a
// run it stops between two objects at the first Ctrl-C and gives up at the
// second.
type mendScreen struct {
	doctor  Doctor
	draft   draft
	found   *flows.Diagnosis
	ids     []string // the repairs; nil: all
	ctx     context.Context
	halt    context.CancelFunc
	job     *mendJob
	stage   mendStage
	seq     int
	done    map[string]bool
	ask     ask
	trouble trouble
}

type mendStage int

const (
	mendReading mendStage = iota
	mendAsking
	mendNothing // there is nothing to change
	mendGoing
	mendStopping
	mendGivingUp
	mendStopped
)

// mendJob is a job whose session is a repair's.
type mendJob struct {
	*job
	repair Repair
	free   sync.Once
}

func newMendScreen(d draft, doc Doctor, found *flows.Diagnosis, ids []string) mendScreen {
	return mendScreen{doctor: doc, draft: d, found: found, ids: ids, job: &mendJob{job: newJob(d.setup())}, halt: func() {}}
}

type (
	mendRead struct {
		seq int
		err error
	}
	mendCame struct {
		seq     int
		results []doctor.Result
		err     error
		rest    []any
	}
)

func (s mendScreen) Open(ctx context.Context) (screen, []tea.Cmd) {
	s.ctx = ctx
	cmd := s.read()
	return s, []tea.Cmd{cmd, s.job.listen(ctx)}
}

// read plans the repair, anew where it was planned before.
func (s *mendScreen) read() tea.Cmd {
	s.stage, s.seq, s.done = mendReading, s.seq+1, nil
	ctx, seq, j, doc, found, tokens, ids := s.ctx, s.seq, s.job, s.doctor, s.found, s.draft.tokens, s.ids
	return func() tea.Msg { return mendRead{seq, j.plan(ctx, doc, found, tokens, ids)} }
}

func (j *mendJob) plan(ctx context.Context, doc Doctor, found *flows.Diagnosis, t flows.Tokens, ids []string) error {
	if !j.begin() {
		return errClosed
	}
	defer j.ended.Done()
	if j.repair != nil {
		err := j.repair.Close()
		if j.repair = nil; err != nil {
			return err
		}
	}
	repair, err := doc.PlanRepair(ctx, found, t, ids, j.ears())
	if err == nil {
		j.repair = repair
	}
	return err
}

func (j *mendJob) carry(ctx context.Context) ([]doctor.Result, error) {
	if !j.begin() {
		return nil, errClosed
	}
	defer j.ended.Done()
	return j.repair.Carry(ctx)
}

// close waits for what is under way and gives the setup free.
func (j *mendJob) close() tea.Cmd {
	closing := j.job.close()
	return func() tea.Msg {
		closing()
		j.free.Do(func() {
			if j.repair != nil {
				_ = j.repair.Close() // the lock ends with the process at the latest
			}
		})
		return nil
	}
}

// Close asks the engine to stop and gives the setup free when it has.
func (s mendScreen) Close() tea.Cmd {
	s.halt()
	return s.job.close()
}

func (s mendScreen) Update(r room, msg tea.Msg) (screen, action) {
	switch msg := msg.(type) {
	case mendRead:
		return s.known(r, msg)
	case mendCame:
		return s.came(msg)
	case heard:
		s.hear(msg.things)
		return s, do(s.job.listen(s.ctx))
	case tea.BatchMsg:
		return s, do(msg...)
	case tea.KeyPressMsg:
		return s.pressed(r, msg)
	case tea.WindowSizeMsg, tea.BackgroundColorMsg:
		if s.stage == mendAsking {
			return s, do(s.ask.resize(r))
		}
		return s, stay{}
	}
	return s.asked(msg)
}

func (s mendScreen) known(r room, msg mendRead) (screen, action) {
	if msg.seq != s.seq {
		return s, stay{}
	}
	if msg.err != nil {
		s.fail(msg.err)
		s.trouble.looking = true
		return s, stay{}
	}
	if !s.job.repair.Plan().Changes() {
		s.stage = mendNothing
		return s, stay{}
	}
	s.stage, s.ask = mendAsking, newAsk(r, "", wordsMendAsk, wordsMendYes, wordsMendNo)
	return s, do(s.ask.open(r)...)
}

// asked hands a message to the question and acts on its answer.
func (s mendScreen) asked(msg tea.Msg) (screen, action) {
	if s.stage != mendAsking {
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
	for _, c := range s.job.repair.Plan().Conflicts() { // the yes is to what was shown
		s.job.allow(c.Step.About().ID, c.Finding.Fields)
	}
	cmd = s.carry()
	return s, do(cmd)
}

func (s *mendScreen) carry() tea.Cmd {
	s.job.drain()
	ctx, halt := context.WithCancel(s.ctx)
	s.stage, s.halt, s.seq = mendGoing, halt, s.seq+1
	j, seq := s.job, s.seq
	return func() tea.Msg {
		results, err := j.carry(ctx)
		return mendCame{seq: seq, results: results, err: err, rest: j.drain()}
	}
}

func (s *mendScreen) hear(things []any) {
	done := maps.Clone(s.done)
	if done == nil {
		done = map[string]bool{}
	}
	for _, thing := range things {
		switch x := thing.(type) {
		case flows.Event:
			if x.Phase == flows.Done || x.Phase == flows.Settled {
				done[x.Step.ID] = true
			}
		case adoptAsked: // otherwise than what was shown and agreed to
			x.reply <- errors.New(wordsMendChanged)
		}
	}
	s.done = done
}

func (s mendScreen) came(msg mendCame) (screen, action) {
	if msg.seq != s.seq {
		return s, stay{}
	}
	s.hear(msg.rest)
	s.halt()
	if msg.err != nil {
		s.fail(msg.err)
		return s, stay{}
	}
	return s, answer{mended{msg.results}}
}

// fail stops with the remedies that a repair has.
func (s *mendScreen) fail(err error) {
	s.stage, s.trouble = mendStopped, newTrouble(err)
	var fit []remedy
	for _, r := range s.trouble.remedies {
		if r.act != (change{askOptions}) && r.act != (unmake{}) && r.act != (consult{}) {
			fit = append(fit, r)
		}
	}
	s.trouble.remedies = fit
}

func (s mendScreen) pressed(r room, msg tea.KeyPressMsg) (screen, action) {
	switch hit(msg, s.Keys(r)) {
	case "back":
		return s, back{noEdit{}}
	case "quit":
		return s, leave{}
	case "up", "down", "choose":
		var act action
		s.trouble, act = s.trouble.update(msg)
		if _, again := act.(retry); again && s.job.giveUp.Err() == nil {
			cmd := s.read()
			return s, do(cmd)
		}
		switch act.(type) {
		case nil:
			return s, stay{}
		case retry: // given up: only a new job can
			return s, back{noEdit{}}
		}
		return s, act
	}
	return s.asked(msg)
}

// Interrupt stops between two objects, then gives up, then leaves.
func (s mendScreen) Interrupt() (screen, action, bool) {
	switch s.stage {
	case mendGoing:
		s.stage = mendStopping
		s.halt()
		return s, stay{}, true
	case mendStopping:
		s.stage = mendGivingUp
		s.job.abandon()
		return s, stay{}, true
	case mendStopped:
		return s, leave{s.trouble.stop}, true
	}
	return s, stay{}, false
}

func (s mendScreen) Page(r room) page {
	sh := newSheet(r)
	th := r.theme
	title := fmt.Sprintf(wordsMendTitle, said(s.draft.setup()))
	say := func(words string) {
		sh.focused(func() { sh.sign(0, signWorking, th.accent, th.text, words) })
	}
	if s.stage == mendReading {
		say(wordsMendReading)
		return sh.page(title, wordsNothingDone)
	}
	if s.stage == mendStopped && s.trouble.looking {
		s.trouble.draw(sh)
		return sh.page(title, wordsNothingDone)
	}
	s.drawPlan(sh)
	sh.gap()
	note := ""
	switch s.stage {
	case mendAsking:
		note = wordsNothingDone
		s.ask.draw(sh)
	case mendNothing:
		sh.sign(0, signGood, th.good, th.text, wordsMendNothing)
	case mendGoing:
		say(wordsMendGoing)
	case mendStopping:
		say(wordsRunStopping)
	case mendGivingUp:
		say(wordsRunGivingUp)
	case mendStopped:
		s.trouble.draw(sh)
	}
	return sh.page(title, note)
}

// drawPlan lists what would be changed, field by field; what is done has a tick.
func (s mendScreen) drawPlan(sh *sheet) {
	th := sh.theme
	for _, p := range s.job.repair.Plan().Steps {
		about := p.Step.About()
		mark, style := findingSign(th, p.Finding.Verdict)
		if s.done[about.ID] {
			mark, style = signGood, th.good
		}
		words := said(about.Title) + " " + objectOf(about) + " " + wordsAt[about.Where]
		if p.Finding.Verdict == flows.InPlace {
			words += ": " + wordsRunInPlace
		}
		sh.sign(0, mark, style, th.text, words)
		drawFields(sh, about.Where, p.Finding)
		switch {
		case p.Finding.Verdict == flows.Missing:
			sh.text(4, th.dim, sentence(about.Makes))
		case p.Finding.Verdict == flows.Differs && !p.Finding.Ours:
			sh.sign(4, signWarn, th.trouble, th.text, wordsForeign)
		}
		if p.Finding.Note != "" {
			sh.sign(4, signWarn, th.trouble, th.text, saidAt(p.Finding.Note, longestNote))
		}
	}
}

func (s mendScreen) Keys(room) []bind {
	stop := bind{id: "stop", label: "ctrl+c", does: "stop after this object"}
	switch s.stage {
	case mendAsking:
		return append(s.ask.keys(), bindBack(), bindQuit())
	case mendGoing:
		return []bind{stop}
	case mendStopping:
		stop.does = "give up at once"
		return []bind{stop}
	case mendStopped:
		return append(s.trouble.keys(), bindBack())
	}
	return []bind{bindBack(), bindQuit()}
}

func (mendScreen) Help() help { return helpMend }
