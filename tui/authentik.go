package tui

import (
	"context"
	"fmt"
	"time"

	tea "charm.land/bubbletea/v2"

	"authbird/flows"
	"authbird/state"
)

// authentikScreen asks for Authentik's address and a token, and checks both.
type authentikScreen struct {
	servers Servers
	now     func() time.Time
	base    state.Answers
	kept    bool // the keystore has a token: an empty one will do
	ctx     context.Context
	form    form
	addr    check
	token   check
	seen    flows.AuthentikSeen
	eager   bool // the person asked to go on while a check was under way
}

func newAuthentikScreen(d draft, servers Servers, now func() time.Time) authentikScreen {
	hint := wordsTokenHint
	if d.kept.authentik {
		hint = wordsTokenKept
	}
	rows := addressRows(d.answers.AuthentikURL, wordsURLHint, d.answers.CAFile, d.answers.AllowHTTP)
	rows = append(rows,
		row{id: rowSecret, label: wordsToken, field: newMasked(d.tokens.Authentik, hint)},
		row{id: rowGo, label: wordsCheck, kind: rowButton, apart: true},
	)
	rows = forGuest(d.guest, rows)
	s := authentikScreen{servers: servers, now: now, base: d.answers, kept: d.kept.authentik, form: form{rows: rows}}
	if d.answers.AuthentikURL != "" {
		s.form.focus(rowSecret)
	}
	return s
}

// Open checks at once what was given beforehand.
func (s authentikScreen) Open(ctx context.Context) (screen, []tea.Cmd) {
	s.ctx = ctx
	s.addr, s.token = s.addr.drop(), s.token.drop()
	var cmds []tea.Cmd
	if s.form.row(rowURL).field.Value() == "" {
		return s, nil
	}
	if cmd := s.lookAddress(); cmd != nil {
		cmds = append(cmds, cmd)
	}
	if s.form.row(rowSecret).field.Value() != "" {
		if cmd := s.lookToken(); cmd != nil {
			s.form.focus(rowGo)
			cmds = append(cmds, cmd)
		}
	}
	return s, cmds
}

// authentikAnswered is what came of a check.
type authentikAnswered struct {
	seq   int
	token bool // of the token, not of the address alone
	seen  flows.AuthentikSeen
	err   error
}

func (s *authentikScreen) answers(url string) state.Answers {
	a := s.base
	a.AuthentikURL = url
	a.CAFile = s.form.row(rowCA).field.Value()
	a.AllowHTTP = a.AllowHTTP || s.form.row(rowHTTP).value() == "yes"
	return a
}

// lookAddress asks who answers at the address that was typed.
func (s *authentikScreen) lookAddress() tea.Cmd {
	url, problem := address(&s.form)
	if problem != "" {
		s.addr = s.addr.drop()
		s.form.row(rowURL).notes = note1(signBad, toneTrouble, problem)
		return nil
	}
	var ctx context.Context
	s.addr, ctx = s.addr.ask(s.ctx, url)
	s.form.row(rowURL).notes = note1(signWorking, toneDim, wordsChecking)
	servers, answers, seq := s.servers, s.answers(url), s.addr.seq
	return func() tea.Msg {
		seen, err := servers.SeeAuthentik(ctx, answers, "")
		return authentikAnswered{seq: seq, seen: seen, err: err}
	}
}

// lookToken asks what the token may do.
func (s *authentikScreen) lookToken() tea.Cmd {
	token := s.form.row(rowSecret).field.Value()
	url, problem := address(&s.form)
	if problem != "" || token == "" {
		s.token = s.token.drop()
		return nil
	}
	var ctx context.Context
	s.token, ctx = s.token.ask(s.ctx, url)
	s.form.row(rowSecret).notes = note1(signWorking, toneDim, wordsChecking)
	servers, answers, seq := s.servers, s.answers(url), s.token.seq
	return func() tea.Msg {
		seen, err := servers.SeeAuthentik(ctx, answers, token)
		return authentikAnswered{seq: seq, token: true, seen: seen, err: err}
	}
}

func (s authentikScreen) Update(r room, msg tea.Msg) (screen, action) {
	switch msg := msg.(type) {
	case authentikAnswered:
		return s.answered(msg)
	case tea.KeyPressMsg:
		if hit(msg, []bind{bindBack()}) == "back" {
			return s, back{s.edit()}
		}
	}
	var ev formEvent
	s.form, ev = s.form.update(msg)
	return s.reacted(ev)
}

// reacted follows up on what happened to the form.
func (s authentikScreen) reacted(ev formEvent) (screen, action) {
	s.eager = s.eager && ev == (formEvent{})
	switch {
	case ev.changed == rowURL || ev.changed == rowCA || ev.changed == rowHTTP:
		s.forget()
	case ev.changed == rowSecret:
		s.token = s.token.drop()
		s.form.row(rowSecret).notes = nil
		s.showToken()
	case ev.left == rowURL || ev.left == rowCA || ev.left == rowHTTP:
		return s.check()
	case ev.left == rowSecret:
		return s.check()
	case ev.pressed == rowGo:
		return s.pressed()
	}
	return s, stay{}
}

// forget drops what was seen of an address that changed since.
func (s *authentikScreen) forget() {
	s.addr, s.token, s.seen = s.addr.drop(), s.token.drop(), flows.AuthentikSeen{}
	s.form.row(rowURL).notes, s.form.row(rowSecret).notes = nil, nil
	s.form.row(rowGo).label = wordsCheck
	hide := !insecure(s.form.row(rowURL).field.Value())
	s.form.row(rowHTTP).hidden = hide && s.form.focused().id != rowHTTP
}

// check asks what has not been asked yet.
func (s authentikScreen) check() (screen, action) {
	var cmds []tea.Cmd
	if s.addr.stage == unasked {
		if cmd := s.lookAddress(); cmd != nil {
			cmds = append(cmds, cmd)
		}
	}
	if s.token.stage == unasked {
		if cmd := s.lookToken(); cmd != nil {
			cmds = append(cmds, cmd)
		}
	}
	s.showToken()
	return s, do(cmds...)
}

// pressed goes on where everything is checked, and checks where not.
func (s authentikScreen) pressed() (screen, action) {
	if s.ready() {
		return s, forward{s.edit()}
	}
	if _, problem := address(&s.form); problem != "" {
		s.form.row(rowURL).notes = note1(signBad, toneTrouble, problem)
		s.form.focus(rowURL)
		return s, stay{}
	}
	if s.form.row(rowSecret).field.Value() == "" && !s.kept {
		s.form.row(rowSecret).notes = note1(signBad, toneTrouble, wordsTokenMissing)
		s.form.focus(rowSecret)
		return s, stay{}
	}
	if s.addr.stage == failed {
		s.addr = s.addr.drop()
	}
	if s.token.stage == failed {
		s.token = s.token.drop()
	}
	s.eager = true
	return s.check()
}

func (s *authentikScreen) ready() bool {
	tokenless := s.kept && s.form.row(rowSecret).field.Value() == ""
	return s.addr.stage == met && (s.token.stage == met || tokenless)
}

func (s authentikScreen) answered(msg authentikAnswered) (screen, action) {
	s.form.rows = append([]row(nil), s.form.rows...)
	if msg.token {
		if msg.seq != s.token.seq || s.token.stage != asking {
			return s, stay{}
		}
		s.token = s.token.settle(msg.err)
		if msg.err == nil {
			s.seen = msg.seen
			if s.addr.stage == met {
				s.showAddress()
			}
		}
		s.showToken()
	} else {
		if msg.seq != s.addr.seq || s.addr.stage != asking {
			return s, stay{}
		}
		s.addr = s.addr.settle(msg.err)
		if s.token.stage != met {
			s.seen = msg.seen
		}
		s.showAddress()
		s.showToken()
	}
	s.form.row(rowGo).label = wordsCheck
	if s.ready() {
		s.form.row(rowGo).label = wordsGoOn
		if s.eager {
			return s, forward{s.edit()}
		}
	}
	return s, stay{}
}

func (s *authentikScreen) showAddress() {
	r := s.form.row(rowURL)
	if s.addr.stage == failed {
		r.notes = errorNotes(s.addr.err)
		if untrusted(s.addr.err) {
			s.form.row(rowCA).hidden = false
		}
		s.eager = false
		return
	}
	r.notes = answersNote(s.now(), "Authentik", s.seen.Version, s.seen.Clock, s.seen.CertNotAfter)
}

// showToken says what is known of the token, or where to make one.
func (s *authentikScreen) showToken() {
	r := s.form.row(rowSecret)
	switch s.token.stage {
	case asking:
	case failed:
		if r.notes = errorNotes(s.token.err); s.addr.stage == failed {
			r.notes = nil // said of the address already
		}
		s.eager = false
	case met:
		r.notes = s.tokenNotes()
	default:
		r.notes = nil
		if s.addr.stage == met && s.seen.TokenPage != "" && r.field.empty() {
			r.notes = []note{{words: wordsTokenWhere}, {words: said(s.seen.TokenPage), link: true}}
		}
	}
}

func (s *authentikScreen) tokenNotes() []note {
	who := said(s.seen.Username)
	var out []note
	if s.seen.Superuser {
		out = note1(signGood, toneGood, who+", "+wordsSuperuser)
	} else {
		out = note1(signWarn, toneTrouble, who+": "+wordsNoSuperuser)
	}
	if !s.seen.TokenKnown {
		return out
	}
	left := s.seen.TokenExpires.Sub(s.now())
	switch {
	case s.seen.TokenExpires.IsZero():
		return append(out, note{words: wordsNeverExpires})
	case left < 0:
		return append(out, note{sign: signWarn, tone: toneTrouble, words: wordsExpired})
	case left < 24*time.Hour:
		return append(out, note{words: fmt.Sprintf(wordsExpiresSoon, until(s.now(), s.seen.TokenExpires))})
	}
	return append(out, note{words: fmt.Sprintf(wordsExpires, until(s.now(), s.seen.TokenExpires))})
}

func (s *authentikScreen) edit() authentikMet {
	url, problem := address(&s.form)
	if problem != "" {
		url = s.form.row(rowURL).field.Value()
	}
	a := s.answers(url)
	return authentikMet{url: url, token: s.form.row(rowSecret).field.Value(), caFile: a.CAFile, allowHTTP: a.AllowHTTP, seen: s.seen}
}

func (s authentikScreen) Page(r room) page {
	sh := newSheet(r)
	s.form.draw(sh)
	return sh.page(wordsAuthentikTitle, wordsNothingDone)
}

func (s authentikScreen) Keys(room) []bind { return append(s.form.keys(), bindBack()) }

func (s authentikScreen) Typing() bool { return s.form.typing() }

func (authentikScreen) Help() help { return helpAuthentik }
