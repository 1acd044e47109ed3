package tui

import (
	"context"
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"

	"authbird/flows"
	"authbird/keystore"
)

// renewScreen renews one credential: it says what that means, asks, does it,
// tells what to type when NetBird must restart, and shows the proof.
type renewScreen struct {
	opener     Opener
	draft      draft
	credential string
	ctx        context.Context
	halt       context.CancelFunc
	job        *job
	word       chan struct{} // NetBird has restarted, says the person
	stage      renewStage
	seq        int
	means      flows.Meaning
	renewal    Renewal
	events     []flows.Event // of steps, the newest of each
	waiting    string        // what is waited for
	byHand     bool          // it waits for the person to restart NetBird
	ask        ask
	trouble    trouble
	done       flows.Rotated
	proof      string // who signed in afterwards
}

// renewedOne is the intent to note that a credential was renewed, nextLeaked to
// go on with the next one that is in wrong hands.
type (
	renewedOne struct{ name, credential string }
	nextLeaked struct{}
)

func (renewedOne) intent() {}
func (nextLeaked) intent() {}

type renewStage int

const (
	renewReading renewStage = iota
	renewAsking
	renewGoing
	renewStopping
	renewGivingUp
	renewStopped
	renewDone
)

func newRenewScreen(d draft, opener Opener) renewScreen {
	return renewScreen{opener: opener, draft: d, credential: d.renew, job: newJob(d.setup()), halt: func() {}, word: make(chan struct{}, 1)}
}

type (
	// renewalRead is what renewing would mean.
	renewalRead struct {
		seq     int
		renewal Renewal
		means   flows.Meaning
		err     error
	}
	// renewalEnded is what came of it, with what was said until its end.
	renewalEnded struct {
		seq  int
		done flows.Rotated
		err  error
		rest []any
	}
	// signedIn is a login that was seen afterwards.
	signedIn struct {
		seq int
		who string
	}
)

func (s renewScreen) Open(ctx context.Context) (screen, []tea.Cmd) {
	s.ctx = ctx
	cmd := s.read()
	return s, []tea.Cmd{cmd, s.job.listen(ctx)}
}

func (s *renewScreen) read() tea.Cmd {
	s.stage, s.seq, s.events, s.waiting = renewReading, s.seq+1, nil, ""
	ctx, seq, j, opener, d, credential, word := s.ctx, s.seq, s.job, s.opener, s.draft, s.credential, s.word
	return func() tea.Msg {
		if err := j.open(ctx, opener, d); err != nil {
			return renewalRead{seq: seq, err: err}
		}
		renewal, means, err := j.planRenewal(ctx, credential, flows.RotateOptions{Restarted: word, Leak: d.leak.setup != nil})
		return renewalRead{seq: seq, renewal: renewal, means: means, err: err}
	}
}

// Close asks the engine to stop and gives the setup free when it has.
func (s renewScreen) Close() tea.Cmd {
	s.halt()
	return s.job.close()
}

func (s renewScreen) Update(r room, msg tea.Msg) (screen, action) {
	switch msg := msg.(type) {
	case renewalRead:
		return s.known(r, msg)
	case renewalEnded:
		return s.ended(msg)
	case signedIn:
		if msg.seq == s.seq && msg.who != "" {
			s.proof = msg.who
		}
		return s, stay{}
	case heard:
		s.hear(msg.things)
		return s, do(s.job.listen(s.ctx))
	case tea.BatchMsg:
		return s, do(msg...)
	case tea.KeyPressMsg:
		return s.pressed(r, msg)
	case tea.WindowSizeMsg, tea.BackgroundColorMsg:
		if s.stage == renewAsking {
			return s, do(s.ask.resize(r))
		}
		return s, stay{}
	}
	return s.asked(msg)
}

func (s renewScreen) known(r room, msg renewalRead) (screen, action) {
	if msg.seq != s.seq {
		return s, stay{}
	}
	s.renewal, s.means = msg.renewal, msg.means
	if msg.err != nil {
		s.fail(msg.err)
		s.trouble.looking = true
		return s, stay{}
	}
	s.stage, s.ask = renewAsking, newAsk(r, "", wordsRenewAsk, wordsRenewYes, wordsRenewNo)
	return s, do(s.ask.open(r)...)
}

// asked hands a message to the question and acts on its answer.
func (s renewScreen) asked(msg tea.Msg) (screen, action) {
	if s.stage != renewAsking {
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
	cmd = s.carry()
	return s, both{undoing{s.job}, do(cmd)}
}

func (s *renewScreen) carry() tea.Cmd {
	s.job.drain()
	ctx, halt := context.WithCancel(s.ctx)
	s.stage, s.halt, s.seq = renewGoing, halt, s.seq+1
	j, seq, renewal := s.job, s.seq, s.renewal
	return func() tea.Msg {
		done, err := j.renew(ctx, renewal)
		return renewalEnded{seq: seq, done: done, err: err, rest: j.drain()}
	}
}

// hear keeps the newest word on each step, and what is waited for now.
func (s *renewScreen) hear(things []any) {
	for _, thing := range things {
		e, ok := thing.(flows.Event)
		if !ok || e.Step.ID == "" {
			continue
		}
		if e.Phase == flows.Waiting {
			s.waiting = e.Finding.Note
			s.byHand = s.byHand || s.waiting == flows.RestartHow
			continue
		}
		s.waiting, s.byHand = "", false
		events := append([]flows.Event(nil), s.events...)
		if n := len(events); n > 0 && events[n-1].Step.ID == e.Step.ID {
			events = events[:n-1]
		}
		s.events = append(events, e)
	}
}

func (s renewScreen) ended(msg renewalEnded) (screen, action) {
	if msg.seq != s.seq {
		return s, stay{}
	}
	s.hear(msg.rest)
	s.halt()
	if msg.err != nil {
		s.fail(msg.err)
		return s, stay{}
	}
	s.stage, s.done = renewDone, msg.done
	if s.credential != keystore.ClientSecret || msg.done.Proven {
		return s, renewedOne{s.job.name, s.credential}
	}
	ctx, seq, j := s.ctx, s.seq, s.job
	watch := func() tea.Msg { return signedIn{seq, j.awaitLogin(ctx)} }
	return s, both{renewedOne{s.job.name, s.credential}, do(watch)}
}

// fail stops with the remedies that a renewal has.
func (s *renewScreen) fail(err error) {
	s.stage, s.trouble = renewStopped, newTrouble(err)
	var fit []remedy
	for _, r := range s.trouble.remedies {
		if r.act == (change{askOptions}) || r.act == (unmake{}) {
			continue
		}
		if _, again := r.act.(retry); again {
			r.label = wordsRenewAgain
		}
		fit = append(fit, r)
	}
	s.trouble.remedies = fit
}

func (s renewScreen) pressed(r room, msg tea.KeyPressMsg) (screen, action) {
	switch hit(msg, s.Keys(r)) {
	case "back":
		return s, back{noEdit{}}
	case "home":
		return s, home{}
	case "next":
		return s, nextLeaked{}
	case "quit":
		return s, leave{}
	case "restarted":
		select {
		case s.word <- struct{}{}:
		default:
		}
		return s, stay{}
	case "up", "down", "choose":
		return s.remedied(msg)
	}
	return s.asked(msg)
}

func (s renewScreen) remedied(msg tea.KeyPressMsg) (screen, action) {
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

// Interrupt leaves the wait, which puts everything back; then it gives up.
func (s renewScreen) Interrupt() (screen, action, bool) {
	switch s.stage {
	case renewGoing:
		s.stage = renewStopping
		s.halt()
		return s, stay{}, true
	case renewStopping:
		s.stage = renewGivingUp
		s.job.abandon()
		return s, stay{}, true
	case renewStopped:
		return s, leave{s.trouble.stop}, true
	}
	return s, stay{}, false
}

// goesBack says that leaving before the restart puts everything back: a client
// secret that is not in wrong hands. Of others both are good, or the old one has
// ended.
func (s renewScreen) goesBack() bool {
	return s.credential == keystore.ClientSecret && s.draft.leak.setup == nil
}

func (s renewScreen) Keys(room) []bind {
	stop := bind{id: "stop", label: "ctrl+c", does: wordsRenewStop}
	if s.goesBack() {
		stop.does = wordsRenewStopBack
	}
	switch s.stage {
	case renewAsking:
		return append(s.ask.keys(), bindBack(), bindQuit())
	case renewGoing:
		if s.waiting == "" {
			return []bind{stop}
		}
		return []bind{{id: "restarted", keys: []string{"r"}, label: "r", does: wordsRenewRestarted, more: wordsRenewWordMore}, stop}
	case renewStopping:
		stop.does = wordsRenewStopNow
		return []bind{stop}
	case renewStopped:
		return s.trouble.keys()
	case renewDone:
		if name := s.draft.leak.next(); name != "" {
			return []bind{{id: "next", keys: keyEnter, label: "↵", does: fmt.Sprintf(wordsRenewNext, plainName(name))}, bindBack(), bindQuit()}
		}
		return []bind{{id: "home", keys: []string{"enter", "esc", "h"}, label: "↵", does: "all setups"}, bindQuit()}
	}
	return []bind{bindBack(), bindQuit()}
}

// plainName is a credential as a sentence has it.
func plainName(credential string) string { return strings.ReplaceAll(credential, "-", " ") }

func (renewScreen) Help() help { return helpRenew }

// planRenewal, renew and awaitLogin are the job's part of it.
func (j *job) planRenewal(ctx context.Context, credential string, o flows.RotateOptions) (Renewal, flows.Meaning, error) {
	if !j.begin() {
		return nil, flows.Meaning{}, errClosed
	}
	defer j.ended.Done()
	return j.session.Renew(ctx, credential, o)
}

func (j *job) renew(ctx context.Context, r Renewal) (flows.Rotated, error) {
	if !j.begin() {
		return flows.Rotated{}, errClosed
	}
	defer j.ended.Done()
	done, err := r.Carry(ctx)
	j.mu.Lock()
	j.outcome, j.ran, j.renewed = err, true, done.Credential
	j.mu.Unlock()
	return done, err
}

// awaitLogin waits for somebody to sign in and writes it down; "": nobody did.
func (j *job) awaitLogin(ctx context.Context) string {
	if !j.begin() {
		return ""
	}
	defer j.ended.Done()
	ctx, enough := context.WithCancel(ctx)
	defer enough()
	who := ""
	_ = j.session.WatchLogin(ctx, func(x flows.Sighting) {
		if who == "" && j.session.NoteLogin(x) == nil {
			who = x.Who
			enough()
		}
	})
	return said(who)
}

// wasRenewed is the credential that the last run renewed; "": none.
func (j *job) wasRenewed() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.renewed
}
