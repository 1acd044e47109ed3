package tui

import (
	"context"
	"strings"

	tea "charm.land/bubbletea/v2"

	"authbird/flows"
	"authbird/state"
)

// ownerScreen makes the first account of a fresh NetBird.
type ownerScreen struct {
	door    Door
	answers state.Answers
	ctx     context.Context
	form    form
	making  check
}

const (
	rowMail  = "email"
	rowName  = "name"
	rowPass  = "password"
	rowPass2 = "password-again"
)

func newOwnerScreen(door Door, a state.Answers) ownerScreen {
	return ownerScreen{door: door, answers: a, form: form{rows: []row{
		{id: rowMail, label: wordsOwnerMail, field: newField("", "such as you@example.com")},
		{id: rowName, label: wordsOwnerName, field: newField("", "")},
		{id: rowPass, label: wordsOwnerPass, field: newMasked("", ""), why: wordsOwnerPassNote},
		{id: rowPass2, label: wordsOwnerPass2, field: newMasked("", "")},
		{id: rowGo, label: wordsOwner, kind: rowButton, apart: true},
	}}}
}

type ownerMade struct {
	seq   int
	token string
	err   error
}

func (s ownerScreen) Open(ctx context.Context) (screen, []tea.Cmd) {
	s.ctx = ctx
	return s, nil
}

func (s ownerScreen) Update(r room, msg tea.Msg) (screen, action) {
	switch msg := msg.(type) {
	case ownerMade:
		return s.made(msg)
	case tea.KeyPressMsg:
		if hit(msg, []bind{bindBack()}) == "back" && s.making.stage != asking {
			return s, back{noEdit{}}
		}
	}
	if s.making.stage == asking {
		return s, stay{}
	}
	var ev formEvent
	s.form, ev = s.form.update(msg)
	if ev.changed != "" {
		s.form.row(ev.changed).notes = nil
		s.form.row(rowGo).notes = nil
	}
	if ev.left != "" {
		s.judge(ev.left)
	}
	if ev.pressed == rowGo {
		return s.pressed()
	}
	return s, stay{}
}

// judge says below a row what is wrong with it.
func (s *ownerScreen) judge(id string) bool {
	problem := s.problem(id)
	s.form.row(id).notes = nil
	if problem != "" {
		s.form.row(id).notes = note1(signBad, toneTrouble, problem)
	}
	return problem == ""
}

func (s *ownerScreen) problem(id string) string {
	pass := s.form.row(rowPass).field.Exact()
	switch id {
	case rowMail:
		mail := s.form.row(rowMail).field.Value()
		if at := strings.IndexByte(mail, '@'); at < 1 || at == len(mail)-1 || strings.ContainsAny(mail, " \t") {
			return wordsOwnerBadMail
		}
	case rowName:
		if s.form.row(rowName).field.Value() == "" {
			return wordsOwnerBadName
		}
	case rowPass:
		if len(pass) < 8 || len(pass) > 72 {
			return wordsOwnerBadPass
		}
	case rowPass2:
		if s.form.row(rowPass2).field.Exact() != pass {
			return wordsOwnerUnequal
		}
	}
	return ""
}

func (s ownerScreen) pressed() (screen, action) {
	for _, id := range []string{rowMail, rowName, rowPass, rowPass2} {
		if !s.judge(id) {
			s.form.focus(id)
			return s, stay{}
		}
	}
	var ctx context.Context
	s.making, ctx = s.making.ask(s.ctx, "")
	s.form.row(rowGo).notes = note1(signWorking, toneDim, wordsOwnerMaking)
	door, answers, seq := s.door, s.answers, s.making.seq
	owner := flows.Owner{
		Email: s.form.row(rowMail).field.Value(), Name: s.form.row(rowName).field.Value(),
		Password: s.form.row(rowPass).field.Exact(),
	}
	return s, do(func() tea.Msg {
		token, err := door.CreateOwner(ctx, answers, owner)
		return ownerMade{seq: seq, token: token, err: err}
	})
}

func (s ownerScreen) made(msg ownerMade) (screen, action) {
	if msg.seq != s.making.seq || s.making.stage != asking {
		return s, stay{}
	}
	s.form.rows = append([]row(nil), s.form.rows...)
	s.making = s.making.settle(msg.err)
	if msg.err != nil {
		s.form.row(rowGo).notes = errorNotes(msg.err)
		return s, stay{}
	}
	return s, answer{cameIn{token: msg.token, how: wordsSignedInOwner}}
}

func (s ownerScreen) Page(r room) page {
	sh := newSheet(r)
	s.form.draw(sh)
	return sh.page(wordsOwnerTitle, "")
}

func (s ownerScreen) Keys(room) []bind {
	if s.making.stage == asking {
		return nil
	}
	return append(s.form.keys(), bindBack())
}

func (s ownerScreen) Typing() bool { return s.making.stage != asking && s.form.typing() }

func (ownerScreen) Help() help { return helpOwner }
