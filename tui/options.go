package tui

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	tea "charm.land/bubbletea/v2"

	"authbird/flows"
	"authbird/state"
)

// optionsScreen asks for what may be chosen. Every row has a value already; the
// lists are read from the real Authentik while the person looks.
type optionsScreen struct {
	servers Servers
	draft   draft
	ctx     context.Context
	form    form
	lists   check
	choices flows.Choices
	groups  []string
	letIn   []string // the groups that NetBird lets in
	flow    string
	key     string
}

func newOptionsScreen(d draft, servers Servers) optionsScreen {
	a := d.answers
	s := optionsScreen{servers: servers, draft: d, groups: a.AllowGroups, letIn: a.LetIn, flow: a.AuthorizationFlow, key: a.SigningKey}
	s.form = form{rows: forGuest(d.guest, optionRows(d))}
	s.form.row(rowSetup).field = newField(d.freeName(), "")
	if d.stands {
		s.form.row(rowSetup).hidden = true
		s.form.row(rowKeep).heading = wordsHere
	}
	s.show()
	return s
}

// choicesRead is what came of reading the lists.
type choicesRead struct {
	seq     int
	choices flows.Choices
	err     error
}

func (s optionsScreen) Open(ctx context.Context) (screen, []tea.Cmd) {
	s.ctx = ctx
	if s.lists.stage == met {
		return s, nil
	}
	cmd := s.read()
	s.show()
	return s, []tea.Cmd{cmd}
}

func (s *optionsScreen) read() tea.Cmd {
	var ctx context.Context
	s.lists, ctx = s.lists.ask(s.ctx, "")
	servers, answers, tokens, seq := s.servers, s.draft.answers, s.draft.tokens, s.lists.seq
	return func() tea.Msg {
		c, err := servers.Choices(ctx, answers, tokens)
		return choicesRead{seq: seq, choices: c, err: err}
	}
}

func (s optionsScreen) Update(r room, msg tea.Msg) (screen, action) {
	switch msg := msg.(type) {
	case choicesRead:
		if msg.seq != s.lists.seq || s.lists.stage != asking {
			return s, stay{}
		}
		s.lists = s.lists.settle(msg.err)
		s.choices = msg.choices
		s.show()
		return s, stay{}
	case picked:
		return s.took(msg)
	case tea.KeyPressMsg:
		if hit(msg, []bind{bindBack()}) == "back" {
			return s, back{s.edit()}
		}
	}
	var ev formEvent
	s.form, ev = s.form.update(msg)
	return s.reacted(ev)
}

func (s optionsScreen) reacted(ev formEvent) (screen, action) {
	if ev.changed != "" {
		s.form.row(ev.changed).notes = nil
		s.show()
	}
	if ev.left != "" {
		s.judge(ev.left)
	}
	switch ev.pressed {
	case rowPlan:
		for _, r := range s.form.rows {
			if !s.judge(r.id) {
				s.form.focus(r.id)
				return s, stay{}
			}
		}
		return s, forward{s.edit()}
	case rowAgain:
		cmd := s.read()
		s.show()
		return s, do(cmd)
	case rowFlow, rowKey, rowGroups, rowLetIn:
		return s.pick(ev.pressed)
	}
	return s, stay{}
}

// pick opens the list of a row, once it is read. Where it can't be, what is
// typed is taken.
func (s optionsScreen) pick(id string) (screen, action) {
	if s.lists.stage == asking {
		s.form.row(id).notes = note1(signWorking, toneDim, wordsLoading)
		return s, stay{}
	}
	more := ""
	if s.lists.stage == failed {
		more = wordsPickUnread
	}
	switch id {
	case rowFlow:
		return s, push{newPickScreen(id, wordsOptFlow, s.choices.AuthorizationFlows, []string{s.flow}, false, more)}
	case rowKey:
		all := append([]flows.Choice{{Value: "", Label: wordsOptKeyAny}}, s.choices.SigningKeys...)
		return s, push{newPickScreen(id, wordsOptKey, all, []string{s.key}, false, more)}
	}
	if s.choices.MoreGroups {
		more = wordsPickMore
	}
	if id == rowLetIn {
		return s, push{newPickScreen(id, wordsOptLetIn, s.choices.Groups, s.letIn, true, more)}
	}
	return s, push{newPickScreen(id, wordsOptGroups, s.choices.Groups, s.groups, true, more)}
}

func (s optionsScreen) took(msg picked) (screen, action) {
	s.form.rows = append([]row(nil), s.form.rows...)
	switch msg.id {
	case rowFlow:
		s.flow = strings.Join(msg.values, "")
	case rowKey:
		s.key = strings.Join(msg.values, "")
	case rowGroups:
		s.groups = msg.values
	case rowLetIn:
		s.letIn = msg.values
	}
	s.show()
	return s, stay{}
}

var slugOK = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

// judge says below a row what is wrong with it.
func (s *optionsScreen) judge(id string) bool {
	r := s.form.row(id)
	if r.kind != rowText || !r.seen() {
		return true
	}
	problem := s.problemOf(id, r.field.Value())
	r.notes = nil
	if problem != "" {
		r.notes = note1(signBad, toneTrouble, problem)
	}
	return problem == ""
}

// show brings the rows in line with what is chosen and read.
func (s *optionsScreen) show() {
	s.form.row(rowSlug).why = fmt.Sprintf(wordsOptSlugWhy, s.form.row(rowSlug).field.Value())
	s.form.row(rowRights).explain(wordsRights)
	s.form.row(rowRedirects).explain(wordsRedirects)
	s.form.row(rowEnvSecret).explain(wordsEnvSecrets)
	s.form.row(rowFlowSet).explain(wordsFlowSets)
	s.showFound()
	s.form.row(rowFlow).shown = said(s.flow)
	s.form.row(rowKey).shown = wordsOptKeyAny
	if s.key != "" {
		s.form.row(rowKey).shown = said(s.key)
	}
	s.form.row(rowGroups).shown = everybodyOr(s.groups)
	s.form.row(rowLetIn).shown = everybodyOr(s.letIn)
	s.form.row(rowLetIn).hidden = s.form.row(rowSync).value() != flows.GroupSyncOn
	if s.lists.stage != asking {
		for _, id := range []string{rowFlow, rowKey, rowGroups, rowLetIn} {
			s.form.row(id).notes = nil
		}
	}
	top := s.form.row(rowPlan)
	top.notes = nil
	s.form.row(rowAgain).hidden = s.lists.stage != failed
	switch s.lists.stage {
	case asking:
		top.notes = note1(signWorking, toneDim, wordsLoading)
	case failed:
		what, _ := errorWords(s.lists.err)
		top.notes = note1(signWarn, toneTrouble, wordsListsFailed+what)
	}
	if s.form.focused().hidden {
		s.form.focus(rowPlan)
	}
}

// showFound offers to patch a configuration of NetBird's that was found, as long
// as no other one is named.
func (s *optionsScreen) showFound() {
	found, named := s.form.row(rowFound), s.form.row(rowConfig)
	found.hidden = s.choices.Management == "" || named.field.Value() != ""
	named.hidden = !found.hidden && found.value() == foundPatch
	found.explain(wordsFounds)
	found.why = fmt.Sprintf(found.why, said(s.choices.Management))
}

// everybodyOr names groups; none are everybody.
func everybodyOr(groups []string) string {
	if len(groups) == 0 {
		return wordsEverybody
	}
	return said(strings.Join(groups, ", "))
}

func (s *optionsScreen) edit() optionsGiven {
	a := s.draft.answers
	a.Name, a.Slug = s.form.row(rowName).field.Value(), s.form.row(rowSlug).field.Value()
	a.AuthorizationFlow, a.SigningKey, a.AllowGroups = s.flow, s.key, s.groups
	if a.Mode == state.Standalone {
		s.editStandalone(&a)
	} else {
		a.ConnectorName, a.ConnectorType = s.form.row(rowConnector).field.Value(), s.form.row(rowType).value()
		if a.GroupSync, a.LetIn = s.form.row(rowSync).value(), s.letIn; a.GroupSync != flows.GroupSyncOn {
			a.LetIn = nil
		}
	}
	a.RestartCommand, a.RotateEvery = s.form.row(rowRestart).field.Value(), daysOf(s.form.row(rowEvery).field.Value(), a.RotateEvery)
	a.KeepAdminTokens = s.form.row(rowKeep).value() == "yes"
	a.Keystore = s.form.row(rowStore).value()
	name := s.draft.name
	if typed := s.form.row(rowSetup).field.Value(); !s.draft.stands && typed != flows.SetupName(a) {
		name = typed
	}
	return optionsGiven{name: name, answers: a}
}

func (s *optionsScreen) editStandalone(a *state.Answers) {
	a.ServiceAccount = s.form.row(rowAccount).field.Value()
	a.Rights, a.RedirectMode = s.form.row(rowRights).value(), s.form.row(rowRedirects).value()
	a.DeviceFlow = s.form.row(rowFlowSet).value()
	a.EnvFile = below(s.draft.folder, s.form.row(rowEnvFile).field.Value())
	a.EnvSecret = s.form.row(rowEnvSecret).value()
	a.NetBirdConfig = below(s.draft.folder, s.form.row(rowConfig).field.Value())
	if found := s.form.row(rowFound); found.seen() && found.value() == foundPatch {
		a.NetBirdConfig = s.choices.Management
	}
}

func (s optionsScreen) Page(r room) page {
	sh := newSheet(r)
	s.form.draw(sh)
	return sh.page(wordsOptionsTitle, wordsNothingDone)
}

func (s optionsScreen) Keys(room) []bind { return append(s.form.keys(), bindBack()) }

func (s optionsScreen) Typing() bool { return s.form.typing() }

func (optionsScreen) Help() help { return helpOptions }
