package tui

import (
	"context"
	"errors"

	tea "charm.land/bubbletea/v2"

	"authbird/keystore"
)

// Asker answers the keystore's question for a passphrase from within the
// program that is running: the question goes in, a dialog shows it, and the
// answer goes back to whoever waits.
type Asker struct{ questions chan passAsked }

// NewAsker makes an Asker for one Run.
func NewAsker() *Asker { return &Asker{questions: make(chan passAsked)} }

// Ask waits until a person answered; it fits keystore.Options.Passphrase. It is
// an error where ctx ends first, or the person chose to give none.
func (a *Asker) Ask(ctx context.Context, q keystore.Question) (string, error) {
	asked := passAsked{question: q, reply: make(chan passReply, 1), ctx: ctx}
	select {
	case a.questions <- asked:
	case <-ctx.Done():
		return "", ctx.Err()
	}
	select {
	case r := <-asked.reply:
		return r.passphrase, r.err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

type passAsked struct {
	question keystore.Question
	reply    chan passReply // takes one answer without a reader
	ctx      context.Context
}

type passReply struct {
	passphrase string
	err        error
}

// listen waits for a question.
func (a *Asker) listen(ctx context.Context) tea.Cmd {
	return func() tea.Msg {
		select {
		case q := <-a.questions:
			return q
		case <-ctx.Done():
			return nil
		}
	}
}

// passphraseScreen is the dialog. It comes by itself, so it is deaf at first.
type passphraseScreen struct {
	asked passAsked
	form  form
	deaf  deaf
}

func newPassphraseScreen(asked passAsked) passphraseScreen {
	q := asked.question
	ok := wordsPassOK
	if q.New {
		ok = wordsPassNewOK
	}
	return passphraseScreen{asked: asked, deaf: deaf{on: true}, form: form{rows: []row{
		{id: rowPass, label: wordsPass, field: newMasked("", "")},
		{id: rowPass2, label: wordsOwnerPass2, field: newMasked("", ""), hidden: !q.New},
		{id: rowGo, label: ok, kind: rowButton, apart: true},
	}}}
}

// errNoPassphrase is the answer of somebody who gives none.
var errNoPassphrase = errors.New(wordsPassNotGiven)

func (s passphraseScreen) Open(context.Context) (screen, []tea.Cmd) {
	return s, []tea.Cmd{s.deaf.soon()}
}

// Close lets the one who waits go, where no answer was given: the person left,
// or the terminal went away.
func (s passphraseScreen) Close() tea.Cmd {
	s.reply(passReply{err: context.Canceled})
	return nil
}

// reply answers once; what comes later is dropped.
func (s passphraseScreen) reply(r passReply) {
	select {
	case s.asked.reply <- r:
	default:
	}
}

func (s passphraseScreen) Update(r room, msg tea.Msg) (screen, action) {
	if mine, act := s.deaf.hears(msg); !mine {
		return s, act
	}
	if k, ok := msg.(tea.KeyPressMsg); ok {
		switch {
		case hit(k, []bind{bindBack()}) == "back":
			s.reply(passReply{err: errNoPassphrase})
			return s, back{noEdit{}}
		case k.String() == "enter" && s.last():
			return s.given()
		}
	}
	var ev formEvent
	s.form, ev = s.form.update(msg)
	if ev.changed != "" {
		s.form.row(rowPass).notes, s.form.row(rowPass2).notes = nil, nil
	}
	if ev.pressed == rowGo {
		return s.given()
	}
	return s, stay{}
}

// last says that the focus is on the last field.
func (s passphraseScreen) last() bool {
	id := s.form.focused().id
	return id == rowPass2 || id == rowPass && !s.asked.question.New
}

func (s passphraseScreen) given() (screen, action) {
	first, second := s.form.row(rowPass), s.form.row(rowPass2)
	switch {
	case s.asked.question.New && first.field.Exact() == "":
		first.notes = note1(signBad, toneTrouble, wordsPassEmpty)
		s.form.focus(rowPass)
		return s, stay{}
	case s.asked.question.New && keystore.CheckNew(first.field.Exact()) != nil:
		first.notes = note1(signBad, toneTrouble, wordsPassShort)
		s.form.focus(rowPass)
		return s, stay{}
	case s.asked.question.New && first.field.Exact() != second.field.Exact():
		second.notes = note1(signBad, toneTrouble, wordsOwnerUnequal)
		s.form.focus(rowPass2)
		return s, stay{}
	}
	s.reply(passReply{passphrase: first.field.Exact()})
	return s, back{noEdit{}}
}

func (s passphraseScreen) Page(r room) page {
	sh := newSheet(r)
	title, words := wordsPassTitle, wordsPassFor
	if s.asked.question.New {
		title, words = wordsPassNewTitle, wordsPassNewFor
	}
	sh.text(0, r.theme.text, words)
	sh.text(2, r.theme.strong, said(s.asked.question.Where))
	if s.asked.question.New {
		sh.text(0, r.theme.dim, wordsPassNewWhy)
	}
	sh.gap()
	if s.asked.question.Again {
		sh.sign(0, signBad, r.theme.trouble, r.theme.text, wordsPassAgain)
		sh.gap()
	}
	s.form.draw(sh)
	return sh.page(title, "")
}

func (s passphraseScreen) Keys(room) []bind {
	if s.deaf.on {
		return nil
	}
	keys := s.form.keys()
	if s.last() {
		keys[0].label, keys[0].does = "↵", "use it"
	}
	return append(keys, bind{id: "back", keys: keyEsc, label: "esc", does: "give none"})
}

func (s passphraseScreen) Typing() bool { return true }

func (passphraseScreen) Help() help { return helpPass }
