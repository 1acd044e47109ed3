package tui

import (
	"maps"
	"slices"

	tea "charm.land/bubbletea/v2"

	"authbird/flows"
	"authbird/keystore"
	"authbird/state"
)

// begin opens the first screens. Home is always the lowest: going back from
// anywhere ends there.
func (p *program) begin() tea.Cmd {
	home := p.homeScreen()
	switch {
	case p.options.Start == StartSetup:
		home.look, home.enter = p.options.Setup, true
	case p.options.Start == StartDoctor && p.options.Setup != "":
		home.look, home.examine = p.options.Setup, true
	}
	cmd := p.open(home)
	if p.options.Start == StartDoctor && p.options.Setup == "" {
		return tea.Batch(cmd, p.examine())
	}
	if p.options.Start == StartCredentials {
		return tea.Batch(cmd, p.act(0, showCredentials{p.options.Setup}))
	}
	if p.options.Start == StartWalk {
		return tea.Batch(cmd, p.beginSetup(p.options.Setup))
	}
	return cmd
}

func (p *program) homeScreen() homeScreen {
	return newHomeScreen(p.options.Shelf, homeVerbs(), p.options.Now, p.draft.name)
}

// homeVerbs is what home offers for a setup, the most likely first. A new verb
// is a line here and a screen.
func homeVerbs() []homeVerb {
	open := func(s *state.Setup) action { return openSetup{s, toComplete} }
	remove := func(s *state.Setup) action { return openSetup{s, toRemove} }
	examine := func(s *state.Setup) action { return openSetup{s, toExamine} }
	credentials := func(s *state.Setup) action { return showCredentials{s.Name} }
	removing := func(s standing) bool { return s.state == setupPart && s.removing }
	unfinished := func(s standing) bool { return (s.state == setupPart || s.state == setupNew) && !s.removing }
	finished := func(s standing) bool { return s.state == setupWhole || s.state == setupTaken }
	examinable := func(s standing) bool { return s.state == setupPart || s.state == setupWhole }
	there := func(s standing) bool { return finished(s) || unfinished(s) }
	return []homeVerb{
		{key: "g", does: wordsVerbGoOn, more: wordsVerbGoOnMore, when: unfinished, act: open},
		{key: "g", does: wordsVerbGoOn, more: wordsVerbRemoveMore, when: removing, act: remove},
		{key: "p", does: wordsVerbLook, more: wordsVerbLookMore, when: finished, act: open},
		{key: "p", does: wordsVerbPlan, more: wordsVerbPlanMore, when: removing, act: open},
		{key: "p", does: wordsVerbLookOnly, more: wordsVerbLookOnlyMore, when: unfinished, act: open},
		{key: "d", does: wordsVerbDoctor, more: wordsVerbDoctorMore, when: examinable, act: examine},
		{key: "o", does: wordsVerbRotate, more: wordsVerbRotateMore, when: examinable, act: credentials},
		{key: "x", does: wordsVerbRemove, more: wordsVerbRemoveMore, when: there, act: remove},
	}
}

// act does what a screen wants.
func (p *program) act(id int, a action) tea.Cmd {
	switch a := a.(type) {
	case nil, stay:
		return nil
	case perform:
		return p.bring(id, a.cmds)
	case both:
		return tea.Batch(p.act(id, a.first), p.act(id, a.second))
	case push:
		return p.open(a.screen)
	case recall:
		if i := p.find(id); i >= 0 {
			return p.popTo(i)
		}
		return nil
	case answer:
		return p.answer(id, a)
	case back:
		p.draft = a.edit.apply(p.draft)
		return p.goBack(id)
	case send:
		return tea.SetClipboard(a.text)
	case retype:
		var cmds []tea.Cmd
		for _, k := range a.keys {
			cmds = append(cmds, p.key(k))
		}
		return tea.Batch(cmds...)
	case completed:
		p.result = Result{Setup: a.name, Done: true}
		return nil
	case renewedOne:
		p.result = Result{Setup: a.name, Done: true}
		p.forgetToken(a.credential)
		return nil
	case diagnosed:
		p.result = Result{Setup: a.d.Setup, Found: a.d}
		return nil
	}
	return p.walk(id, a)
}

// walk decides which screen comes next.
func (p *program) walk(id int, a action) tea.Cmd {
	switch a := a.(type) {
	case beginSetup:
		return p.beginSetup("")
	case openSetup:
		return p.openSetup(a.setup, a.purpose)
	case showCredentials:
		p.draft = draft{name: a.setup}
		return p.open(newRotateScreen(p.options.Shelf, p.options.Now, a.setup))
	case renewOne:
		return p.renew(a.setup, a.credential)
	case renewLeaked:
		order, yours := flows.Leaked(flows.Renewals(a.setup, p.options.Now()))
		return p.renewNext(leak{setup: a.setup, order: order, at: -1, yours: yours})
	case nextLeaked:
		closing := p.popTo(len(p.stack) - 2)
		return tea.Batch(closing, p.renewNext(p.draft.leak))
	case modePicked:
		return p.forward(modeChosen{a.mode, p.defaults(a.mode)})
	case forward:
		return p.forward(a.edit)
	case start:
		p.lastJob = a.job
		p.result = Result{Setup: a.job.name}
		p.ran, p.command = p.draft.answers, flows.CommandLine(p.draft.answers, a.job.name)
		return p.swap(newRunScreen(a.job, a.plan, p.options.Now))
	case prove:
		p.lastJob = a.job
		p.link = ""
		if p.draft.answers.Mode != state.Standalone {
			p.link = a.job.session.LoginLink()
		}
		p.ran, p.command = p.draft.answers, flows.CommandLine(p.draft.answers, a.job.name)
		p.result = Result{Setup: a.job.name, Done: true}
		p.same = !a.plan.Changes()
		if p.draft.answers.Mode == state.Standalone { // the checks have proven it, and NetBird may not run yet
			p.next = flows.Next(p.draft.answers, a.job.name, a.plan.Facts)
			return p.walk(id, finish{job: a.job, plan: a.plan, results: a.results})
		}
		return p.swap(newProofScreen(a, p.options.SimulateLogin))
	case finish:
		p.login = a.login
		closing := a.job.close()
		p.closings[-1] = closing
		done := newDoneScreen(a, p.link, p.command)
		done.answers, done.guest, done.sandbox = p.ran, p.options.Guest, p.options.Sandbox
		return tea.Batch(closing, p.swap(done))
	case undoing:
		p.lastJob = a.job
		p.result = Result{Setup: a.job.name}
		return nil
	case unmake:
		return p.unmake()
	case consult:
		return p.consult()
	case change:
		return p.change(a.what)
	case home:
		cmd := p.popTo(0)
		return tea.Batch(cmd, p.reopenHome())
	case leave:
		if a.err != nil {
			p.result.Err = a.err
			p.result.Setup = p.draft.setup()
		}
		return tea.Quit
	}
	return nil
}

// answer closes the screen that answers and hands its message to the one below.
func (p *program) answer(id int, a answer) tea.Cmd {
	i := p.find(id)
	if i < 1 {
		return nil
	}
	closing := p.popTo(i - 1)
	return tea.Batch(closing, p.toTop(a.msg))
}

func (p *program) goBack(id int) tea.Cmd {
	i := p.find(id)
	if i < 1 {
		return nil
	}
	closing := p.popTo(i - 1)
	if i == 1 {
		return tea.Batch(closing, p.reopenHome())
	}
	return closing
}

// reopenHome reads the list anew once what was open is closed, with the cursor
// on the setup of this walk.
func (p *program) reopenHome() tea.Cmd {
	if _, ok := p.top().screen.(homeScreen); !ok {
		return nil
	}
	p.stack = nil
	look := p.draft.name
	if look == "" && p.draft.answers.NetBirdURL != "" {
		look = p.draft.setup()
	}
	s := p.homeScreen()
	s.look, s.after = look, slices.Collect(maps.Values(p.closings))
	return p.open(s)
}

func (p *program) modes() []state.Mode {
	if len(p.options.Modes) == 0 {
		return []state.Mode{state.Connector}
	}
	return p.options.Modes
}

// beginSetup starts a walk from what flags and environment gave.
func (p *program) beginSetup(name string) tea.Cmd {
	p.result = Result{}
	p.draft = draft{name: name, answers: p.options.Answers, tokens: p.options.Tokens, folder: p.options.Folder, guest: p.options.Guest}
	if mode := p.options.Answers.Mode; mode != "" && p.options.Start == StartWalk {
		p.draft.answers = overlay(p.defaults(mode), p.draft.answers)
		return p.openAuthentik()
	}
	p.draft.answers.Mode = ""
	return p.open(newModeScreen(p.modes(), p.options.Answers.Mode))
}

func (p *program) defaults(mode state.Mode) state.Answers {
	if p.options.Defaults != nil {
		return p.options.Defaults(mode)
	}
	return p.options.Bench.Defaults(mode)
}

// openSetup starts a walk for a setup that is there, to complete it or to take it
// back: only what is missing is asked for.
func (p *program) openSetup(s *state.Setup, why purpose) tea.Cmd {
	if open, ok := flows.PendingRotation(s); ok && why == toComplete {
		return p.renew(s, open.Credential)
	}
	p.draftOf(s, why)
	return p.afterMode()
}

// draftOf drafts a walk for a setup that is there.
func (p *program) draftOf(s *state.Setup, why purpose) {
	p.result = Result{}
	_, _, _, _, stopped := s.Interrupted()
	p.draft = draft{
		unproven: stopped,
		name:     s.Name, answers: overlay(p.options.Bench.Defaults(s.Answers.Mode), s.Answers), tokens: p.options.Tokens, stands: true, why: why, folder: p.options.Folder, guest: p.options.Guest,
		kept: keptTokens{authentik: keeps(s, keystore.AuthentikToken), netbird: keeps(s, keystore.NetBirdToken)},
	}
}

// renew shows what renewing a credential of a setup means, once the tokens that
// are missing were asked for.
func (p *program) renew(s *state.Setup, credential string) tea.Cmd {
	p.draftOf(s, toRenew)
	p.draft.renew = credential
	return p.afterMode()
}

// renewNext goes on to the next secret that is in wrong hands.
func (p *program) renewNext(l leak) tea.Cmd {
	name := l.next()
	if name == "" {
		return nil
	}
	l.at++
	p.draftOf(l.setup, toRenew)
	p.draft.renew, p.draft.leak = name, l
	return p.afterMode()
}

// forgetToken drops a token that was given for this run and is renewed: from
// here on the kept one is good.
func (p *program) forgetToken(credential string) {
	switch credential {
	case keystore.AuthentikToken:
		p.options.Tokens.Authentik = ""
	case keystore.NetBirdToken:
		p.options.Tokens.NetBird = ""
	}
}

// afterMode asks for the tokens that are missing, and plans where none is.
func (p *program) afterMode() tea.Cmd {
	d := p.draft
	if !d.stands || d.tokens.Authentik == "" && !d.kept.authentik {
		return p.openAuthentik()
	}
	return p.afterAuthentik()
}

// unmake takes back the setup of this walk, over the list of setups.
func (p *program) unmake() tea.Cmd {
	closing := p.popTo(0)
	p.draft.name = p.draft.setup()
	p.draft.stands, p.draft.why = true, toRemove
	return tea.Batch(closing, p.openPlan())
}

// consult asks the doctor about the setup of this walk, over the list of setups.
func (p *program) consult() tea.Cmd {
	closing := p.popTo(0)
	p.draft.name = p.draft.setup()
	p.draft.stands, p.draft.why = true, toExamine
	return tea.Batch(closing, p.openPlan())
}

// examine asks the doctor about a connection that authbird did not make.
func (p *program) examine() tea.Cmd {
	p.draft = draft{answers: p.options.Answers, tokens: p.options.Tokens, stands: true, found: true, why: toExamine, guest: p.options.Guest}
	return p.afterMode()
}

func (p *program) reports() reports {
	return reports{version: p.options.Version, now: p.options.Now, files: p.options.Examine, save: p.options.SaveReport}
}

func (p *program) afterAuthentik() tea.Cmd {
	d := p.draft
	if d.answers.Mode == state.Standalone {
		if d.stands {
			return p.openPlan()
		}
		return p.open(newDomainScreen(d))
	}
	if !d.stands || d.tokens.NetBird == "" && !d.kept.netbird {
		return p.open(newNetBirdScreen(d, p.options.Bench, p.options.Now))
	}
	return p.openPlan()
}

func (p *program) openAuthentik() tea.Cmd {
	return p.open(newAuthentikScreen(p.draft, p.options.Bench, p.options.Now))
}

// openPlan shows what would be done, what would be taken back, or what the
// doctor finds.
func (p *program) openPlan() tea.Cmd {
	switch p.draft.why {
	case toRemove:
		return p.open(newRemoveScreen(p.draft, p.opener))
	case toExamine:
		return p.open(newDoctorScreen(p.draft, p.doctor, p.reports()))
	case toRenew:
		return p.open(newRenewScreen(p.draft, p.opener))
	}
	return p.open(newPlanScreen(p.draft, p.opener))
}

func (p *program) openOptions() tea.Cmd {
	p.draft.others = map[string]state.Mode{}
	if home, ok := p.stack[0].screen.(homeScreen); ok {
		for _, s := range home.setups {
			p.draft.others[s.Name] = s.Answers.Mode
		}
	}
	return p.open(newOptionsScreen(p.draft, p.options.Bench))
}

// forward takes an answer in and shows the next question.
func (p *program) forward(e edit) tea.Cmd {
	p.draft = e.apply(p.draft)
	switch e.(type) {
	case modeChosen:
		return p.afterMode()
	case authentikMet:
		return p.afterAuthentik()
	case netbirdMet:
		if p.draft.stands {
			return p.openPlan()
		}
		return p.openOptions()
	case domainGiven:
		return p.openOptions()
	}
	return p.openPlan()
}

// change leads back to the screen of an answer: the one on the stack, else a
// new one in the place of the top.
func (p *program) change(what question) tea.Cmd {
	switch what { // a token that was refused is not to be taken from the keystore again
	case askAuthentik:
		p.draft.kept.authentik = false
	case askNetBird:
		p.draft.kept.netbird = false
	}
	if what == askAgain {
		return tea.Batch(p.popTo(len(p.stack)-2), p.openPlan())
	}
	for i := len(p.stack) - 2; i > 0; i-- {
		if asks(p.stack[i].screen) == what {
			closing := p.popTo(i)
			return tea.Batch(closing, p.reopen(what))
		}
	}
	closing := p.popTo(len(p.stack) - 2)
	return tea.Batch(closing, p.openQuestion(what))
}

// reopen builds the top screen anew from the draft, so that it checks again.
func (p *program) reopen(what question) tea.Cmd {
	closing := p.popTo(len(p.stack) - 2)
	return tea.Batch(closing, p.openQuestion(what))
}

func (p *program) openQuestion(what question) tea.Cmd {
	switch what {
	case askAuthentik:
		return p.openAuthentik()
	case askNetBird:
		return p.open(newNetBirdScreen(p.draft, p.options.Bench, p.options.Now))
	}
	return p.openOptions()
}

func asks(s screen) question {
	switch s.(type) {
	case authentikScreen:
		return askAuthentik
	case netbirdScreen:
		return askNetBird
	case optionsScreen:
		return askOptions
	}
	return askAgain
}
