package tui

import (
	"context"
	"fmt"
	"strconv"
	"time"

	tea "charm.land/bubbletea/v2"

	"authbird/flows"
	"authbird/state"
)

// netbirdScreen asks for NetBird's address and for a way in: a sign-in with a
// code, a token, or, on a fresh one, its first owner.
type netbirdScreen struct {
	bench   NetBirdBench
	now     func() time.Time
	base    state.Answers
	setup   string // names the access token that is made on a wish
	kept    bool
	ctx     context.Context
	form    form
	addr    check
	token   check
	making  check // the access token that lasts
	seen    flows.NetBirdSeen
	signIn  string // how the token was come by, in words; "": it was pasted
	lasting string // the access token that was made here
	eager   bool
}

// NetBirdBench is what the screen needs of a bench.
type NetBirdBench interface {
	Servers
	Door
}

const (
	rowByCode  = "by-code"
	rowOwner   = "owner"
	rowLasting = "lasting"
)

// The lives of an access token that are offered, in days; 0 is none.
var lastingDays = []int{0, 1, 7, 30, 90, 180, 365}

func newNetBirdScreen(d draft, bench NetBirdBench, now func() time.Time) netbirdScreen {
	hint := wordsTokenHint
	if d.kept.netbird {
		hint = wordsTokenKept
	}
	var lives []string
	for _, days := range lastingDays {
		name := fmt.Sprintf(wordsLastingDays, days)
		if days == 0 {
			name = wordsLastingNone
		}
		lives = append(lives, strconv.Itoa(days), name)
	}
	lasting := choice(rowLasting, wordsLasting, wordsLastingWhy, "0", lives...)
	lasting.hidden = true
	rows := addressRows(d.answers.NetBirdURL, wordsNBURLHint, d.answers.CAFile, d.answers.AllowHTTP)
	rows = append(rows,
		row{id: rowByCode, label: wordsByCode, kind: rowButton, heading: wordsHowIn, why: wordsByCodeWhy, hidden: true},
		row{id: rowOwner, label: wordsOwner, kind: rowButton, heading: wordsFresh, why: wordsOwnerWhy, hidden: true},
		row{id: rowSecret, label: wordsAccessToken, apart: true, field: newMasked(d.tokens.NetBird, hint)},
		lasting,
		row{id: rowGo, label: wordsCheck, kind: rowButton, apart: true},
	)
	rows = forGuest(d.guest, rows)
	s := netbirdScreen{bench: bench, now: now, base: d.answers, setup: d.setup(), kept: d.kept.netbird, form: form{rows: rows}}
	if d.answers.NetBirdURL != "" {
		s.form.focus(rowSecret)
	}
	return s
}

// Open checks at once what was given beforehand.
func (s netbirdScreen) Open(ctx context.Context) (screen, []tea.Cmd) {
	s.ctx = ctx
	s.addr, s.token = s.addr.drop(), s.token.drop()
	if s.form.row(rowURL).field.empty() {
		return s, nil
	}
	var cmds []tea.Cmd
	if cmd := s.lookAddress(); cmd != nil {
		cmds = append(cmds, cmd)
	}
	if !s.form.row(rowSecret).field.empty() {
		if cmd := s.lookToken(); cmd != nil {
			s.form.focus(rowGo)
			cmds = append(cmds, cmd)
		}
	}
	return s, cmds
}

type netbirdAnswered struct {
	seq   int
	token bool
	seen  flows.NetBirdSeen
	err   error
}

// cameIn is what the screens of a sign-in hand back.
type cameIn struct {
	token string
	how   string
}

// lastingMade is what came of making an access token.
type lastingMade struct {
	seq   int
	token string
	err   error
}

func (s *netbirdScreen) answers(url string) state.Answers {
	a := s.base
	a.NetBirdURL = url
	a.CAFile = s.form.row(rowCA).field.Value()
	a.AllowHTTP = a.AllowHTTP || s.form.row(rowHTTP).value() == "yes"
	return a
}

func (s *netbirdScreen) lookAddress() tea.Cmd {
	url, problem := address(&s.form)
	if problem != "" {
		s.addr = s.addr.drop()
		s.form.row(rowURL).notes = note1(signBad, toneTrouble, problem)
		return nil
	}
	var ctx context.Context
	s.addr, ctx = s.addr.ask(s.ctx, url)
	s.form.row(rowURL).notes = note1(signWorking, toneDim, wordsChecking)
	servers, answers, seq := s.bench, s.answers(url), s.addr.seq
	return func() tea.Msg {
		seen, err := servers.SeeNetBird(ctx, answers, "")
		return netbirdAnswered{seq: seq, seen: seen, err: err}
	}
}

func (s *netbirdScreen) lookToken() tea.Cmd {
	token := s.form.row(rowSecret).field.Value()
	url, problem := address(&s.form)
	if problem != "" || token == "" {
		s.token = s.token.drop()
		return nil
	}
	var ctx context.Context
	s.token, ctx = s.token.ask(s.ctx, url)
	s.form.row(rowSecret).notes = note1(signWorking, toneDim, wordsChecking)
	servers, answers, seq := s.bench, s.answers(url), s.token.seq
	return func() tea.Msg {
		seen, err := servers.SeeNetBird(ctx, answers, token)
		return netbirdAnswered{seq: seq, token: true, seen: seen, err: err}
	}
}

// makeLasting asks NetBird for the access token that the person chose.
func (s *netbirdScreen) makeLasting(days int) tea.Cmd {
	url, _ := address(&s.form)
	var ctx context.Context
	s.making, ctx = s.making.ask(s.ctx, url)
	s.form.row(rowLasting).notes = note1(signWorking, toneDim, wordsMakingToken)
	door, answers, seq := s.bench, s.answers(url), s.making.seq
	token, name := s.form.row(rowSecret).field.Value(), "authbird "+s.setup
	return func() tea.Msg {
		made, err := door.MakeNetBirdToken(ctx, answers, token, name, days)
		return lastingMade{seq: seq, token: made, err: err}
	}
}

func (s netbirdScreen) Update(r room, msg tea.Msg) (screen, action) {
	switch msg := msg.(type) {
	case netbirdAnswered:
		return s.answered(msg)
	case cameIn:
		return s.signedIn(msg)
	case lastingMade:
		return s.madeLasting(msg)
	case tea.PasteMsg: // what is pasted onto a button was meant for the token
		if s.form.focused().kind != rowText {
			s.form.focus(rowSecret)
		}
	case tea.KeyPressMsg:
		if hit(msg, []bind{bindBack()}) == "back" {
			return s, back{s.edit()}
		}
	}
	var ev formEvent
	s.form, ev = s.form.update(msg)
	return s.reacted(ev)
}

func (s netbirdScreen) reacted(ev formEvent) (screen, action) {
	s.eager = s.eager && ev == (formEvent{})
	url, _ := address(&s.form)
	switch {
	case ev.changed == rowURL || ev.changed == rowCA || ev.changed == rowHTTP:
		s.forget()
	case ev.changed == rowSecret:
		s.token, s.signIn, s.lasting = s.token.drop(), "", ""
		s.show()
	case ev.changed == rowLasting:
		s.lasting = ""
		s.form.row(rowLasting).notes = nil
	case ev.left == rowURL || ev.left == rowCA || ev.left == rowHTTP || ev.left == rowSecret:
		return s.check()
	case ev.pressed == rowByCode:
		return s, push{newDeviceScreen(s.bench, s.answers(url), s.now)}
	case ev.pressed == rowOwner:
		return s, push{newOwnerScreen(s.bench, s.answers(url))}
	case ev.pressed == rowGo:
		return s.pressed()
	}
	return s, stay{}
}

func (s *netbirdScreen) forget() {
	s.addr, s.token, s.making = s.addr.drop(), s.token.drop(), s.making.drop()
	s.seen, s.signIn, s.lasting = flows.NetBirdSeen{}, "", ""
	s.form.row(rowURL).notes = nil
	s.show()
	hide := !insecure(s.form.row(rowURL).field.Value())
	s.form.row(rowHTTP).hidden = hide && s.form.focused().id != rowHTTP
}

func (s netbirdScreen) check() (screen, action) {
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
	return s, do(cmds...)
}

func (s netbirdScreen) pressed() (screen, action) {
	if s.ready() {
		if days, _ := strconv.Atoi(s.form.row(rowLasting).value()); s.signIn != "" && days > 0 && s.lasting == "" {
			if s.making.stage == asking {
				return s, stay{}
			}
			return s, do(s.makeLasting(days))
		}
		return s, forward{s.edit()}
	}
	if _, problem := address(&s.form); problem != "" {
		s.form.row(rowURL).notes = note1(signBad, toneTrouble, problem)
		s.form.focus(rowURL)
		return s, stay{}
	}
	if s.form.row(rowSecret).field.empty() && !s.kept {
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

func (s *netbirdScreen) ready() bool {
	tokenless := s.kept && s.form.row(rowSecret).field.empty()
	return s.addr.stage == met && s.usable() && (s.token.stage == met || tokenless)
}

// usable says that a connector can be added to this NetBird.
func (s *netbirdScreen) usable() bool {
	return s.base.Mode != state.Connector || s.seen.EmbeddedIdP
}

func (s netbirdScreen) answered(msg netbirdAnswered) (screen, action) {
	s.form.rows = append([]row(nil), s.form.rows...)
	which := &s.addr
	if msg.token {
		which = &s.token
	}
	if msg.seq != which.seq || which.stage != asking {
		return s, stay{}
	}
	*which = which.settle(msg.err)
	if msg.err == nil && (msg.token || s.token.stage != met) {
		s.seen = msg.seen
	}
	s.show()
	if msg.err != nil {
		s.eager = false
	}
	if s.ready() && s.eager {
		return s, forward{s.edit()}
	}
	return s, stay{}
}

func (s netbirdScreen) signedIn(msg cameIn) (screen, action) {
	s.form.rows = append([]row(nil), s.form.rows...)
	r := s.form.row(rowSecret)
	r.field = r.field.set(msg.token)
	s.signIn, s.lasting = msg.how, ""
	cmds := []tea.Cmd{s.lookToken()}
	if s.seen.SetupRequired {
		s.seen.SetupRequired = false
		cmds = append(cmds, s.lookAddress())
	}
	s.show()
	s.form.focus(rowGo)
	return s, do(cmds...)
}

func (s netbirdScreen) madeLasting(msg lastingMade) (screen, action) {
	if msg.seq != s.making.seq || s.making.stage != asking {
		return s, stay{}
	}
	s.form.rows = append([]row(nil), s.form.rows...)
	s.making = s.making.settle(msg.err)
	if msg.err != nil {
		s.form.row(rowLasting).notes = errorNotes(msg.err)
		return s, stay{}
	}
	s.form.row(rowLasting).notes = nil
	s.lasting = msg.token
	return s, forward{s.edit()}
}

func (s *netbirdScreen) edit() netbirdMet {
	url, problem := address(&s.form)
	if problem != "" {
		url = s.form.row(rowURL).field.Value()
	}
	a := s.answers(url)
	token := s.form.row(rowSecret).field.Value()
	if s.lasting != "" {
		token = s.lasting
	}
	return netbirdMet{url: url, token: token, caFile: a.CAFile, allowHTTP: a.AllowHTTP, seen: s.seen}
}

func (s netbirdScreen) Page(r room) page {
	sh := newSheet(r)
	s.form.draw(sh)
	return sh.page(wordsNetBirdTitle, wordsNothingDone)
}

func (s netbirdScreen) Keys(room) []bind { return append(s.form.keys(), bindBack()) }

func (s netbirdScreen) Typing() bool { return s.form.typing() }

func (netbirdScreen) Help() help { return helpNetBird }
