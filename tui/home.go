package tui

import (
	"context"
	"fmt"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"authbird/flows"
	"authbird/keystore"
	"authbird/state"
)

// homeScreen lists the setups and what can be done with each.
type homeScreen struct {
	shelf  Shelf
	verbs  []homeVerb
	now    func() time.Time
	setups []*state.Setup
	busy   map[string]*state.BusyError // setups that another run works on
	loaded bool
	early  []tea.KeyPressMsg // typed before the list was there
	err    error
	at     int
	look   string    // the setup to put the cursor on once the list is there
	enter  bool      // and to begin with at once
	after  []tea.Cmd // closings that may still hold a setup
	// examine begins with asking the doctor about it.
	examine bool
}

// homeVerb is one thing to do with a setup. Those that authbird can't do yet
// are not in the list.
type homeVerb struct {
	key  string
	does string
	more string
	// when says for which setups it is offered.
	when func(standing) bool
	// act is the intent for a setup.
	act func(*state.Setup) action
}

func newHomeScreen(shelf Shelf, verbs []homeVerb, now func() time.Time, look string) homeScreen {
	return homeScreen{shelf: shelf, verbs: verbs, now: now, look: look}
}

// setupsRead is what came of reading the list.
type setupsRead struct {
	setups []*state.Setup
	busy   map[string]*state.BusyError
	err    error
}

func (s homeScreen) Open(context.Context) (screen, []tea.Cmd) {
	shelf, after := s.shelf, s.after
	return s, []tea.Cmd{func() tea.Msg {
		for _, end := range after { // or the setup just left would seem to be another run's
			end()
		}
		setups, err := shelf.List()
		busy := map[string]*state.BusyError{}
		for _, x := range setups {
			if b := shelf.Busy(x.Name); b != nil {
				busy[x.Name] = b
			}
		}
		return setupsRead{setups, busy, err}
	}}
}

func (s homeScreen) Update(r room, msg tea.Msg) (screen, action) {
	switch msg := msg.(type) {
	case setupsRead:
		s.loaded, s.setups, s.busy, s.err = true, msg.setups, msg.busy, msg.err
		for i, x := range s.setups {
			if x.Name == s.look {
				s.at = i
			}
		}
		s.at = min(s.at, len(s.setups))
		if x, ok := s.chosen(); s.enter && ok && x.Name == s.look {
			s.enter = false
			return s, s.open(x)
		} else if s.examine && ok && x.Name == s.look {
			s.examine = false
			return s, openSetup{x, toExamine}
		}
		early := s.early
		s.early = nil
		return s, retype{early}
	case tea.KeyPressMsg:
		if !s.loaded && (len(s.early) > 0 || hit(msg, s.Keys(r)) == "") {
			s.early = append(s.early[:len(s.early):len(s.early)], msg)
			return s, stay{}
		}
		return s.pressed(hit(msg, s.Keys(r)))
	}
	return s, stay{}
}

func (s homeScreen) pressed(id string) (screen, action) {
	switch id {
	case "":
		return s, stay{}
	case "up":
		s.at = max(s.at-1, 0)
		return s, stay{}
	case "down":
		s.at = min(s.at+1, len(s.setups))
		return s, stay{}
	case "new":
		return s, beginSetup{}
	case "quit":
		return s, leave{}
	}
	for _, v := range s.verbs {
		if x := s.setups[s.at]; v.key == id && (v.when == nil || v.when(s.standing(x))) {
			return s, v.act(x)
		}
	}
	return s, stay{}
}

// open is what the first verb does that fits a setup.
func (s homeScreen) open(x *state.Setup) action {
	for _, v := range s.verbs {
		if v.when == nil || v.when(s.standing(x)) {
			return v.act(x)
		}
	}
	return openSetup{setup: x}
}

// chosen is the setup under the cursor; false on the line for a new one.
func (s homeScreen) chosen() (*state.Setup, bool) {
	if s.at < len(s.setups) {
		return s.setups[s.at], true
	}
	return nil, false
}

func (s homeScreen) Page(r room) page {
	sh := newSheet(r)
	note := wordsHomeNote
	if !s.loaded {
		return sh.page(wordsHomeTitle, note)
	}
	if s.err != nil {
		what, _ := errorWords(s.err)
		sh.sign(0, signBad, r.theme.trouble, r.theme.text, what)
		sh.gap()
	}
	if len(s.setups) == 0 {
		sh.text(0, r.theme.text, wordsEmptyHome)
		sh.gap()
		sh.text(0, r.theme.dim, wordsEmptyHome2)
		sh.gap()
	}
	names := 0
	for _, x := range s.setups {
		names = max(names, ansi.StringWidth(said(x.Name)))
	}
	for i, x := range s.setups {
		s.drawRow(sh, i, x, min(names, 32))
	}
	s.drawNew(sh)
	if x, ok := s.chosen(); ok {
		s.drawDetails(sh, x)
	}
	return sh.page(wordsHomeTitle, note)
}

// standing is what the records say, and whether somebody is at it right now.
func (s homeScreen) standing(x *state.Setup) standing {
	if b := s.busy[x.Name]; b != nil {
		return standing{state: setupBusy, words: wordsBusy, detail: sentence(b.Error())}
	}
	return standingOf(x, s.now())
}

func (s homeScreen) drawRow(sh *sheet, i int, x *state.Setup, names int) {
	th := sh.theme
	st := s.standing(x)
	mark, style := "  ", th.text
	if i == s.at {
		mark, style = signHere+" ", th.accent
	}
	sign, signStyle := st.state.sign(th)
	write := func() {
		if sh.width < narrow {
			sh.parts(part{style, mark}, part{signStyle, sign + " "}, part{style, said(x.Name)})
			return
		}
		parts := []part{{style, mark + pad(said(x.Name), names)}, {th.dim, "   " + pad(said(string(x.Answers.Mode)), 10) + "   "},
			{signStyle, sign + " "}, {th.text, st.words}}
		if st.secret != "" && sh.width >= 100 {
			parts = append(parts, part{th.dim, "   " + st.secret})
		}
		sh.parts(parts...)
	}
	if i == s.at {
		sh.focused(write)
		return
	}
	write()
}

func (s homeScreen) drawNew(sh *sheet) {
	if _, ok := s.chosen(); ok {
		sh.parts(part{sh.theme.text, "  " + signNew + " " + wordsNewSetup})
		return
	}
	sh.focused(func() { sh.parts(part{sh.theme.accent, signHere + " " + signNew + " " + wordsNewSetup}) })
}

func (s homeScreen) drawDetails(sh *sheet, x *state.Setup) {
	th := sh.theme
	st := s.standing(x)
	sh.gap()
	sh.text(0, th.strong, said(x.Name))
	line := func(label, value string) {
		if value != "" {
			sh.pair(2, 12, label, th.text, value)
		}
	}
	line("Authentik", said(x.Answers.AuthentikURL))
	line("NetBird", said(draft{answers: x.Answers}.netbirdAt()))
	s.drawState(line, x, st)
	for _, c := range x.Credentials {
		line("Secret", credentialWords(c, s.now()))
	}
	for _, a := range x.SetAside {
		line("Set aside", said(a))
	}
}

// drawState says how a setup is; of one that stopped: where, why, and what
// stands at each side.
func (s homeScreen) drawState(line func(label, value string), x *state.Setup, st standing) {
	line("State", st.words)
	if st.state != setupPart {
		line("", st.detail)
		return
	}
	line("Why", st.detail)
	if open, ok := flows.PendingRotation(x); ok && open.RestartBreaks {
		line("Careful", wordsRenewGap)
	}
	sides := standsAt(x)
	if len(sides) == 0 {
		line("Stands", wordsNothingStands)
	}
	label := "Stands"
	for _, side := range sides {
		line(label, side)
		label = " "
	}
}

// credentialNames are the credentials as screens call them.
var credentialNames = map[string]string{
	keystore.ClientSecret: "client secret", keystore.AppPassword: "app password",
	keystore.AuthentikToken: "Authentik's token", keystore.NetBirdToken: "NetBird's token",
}

func credentialWords(c state.Credential, now time.Time) string {
	name, ok := credentialNames[c.Name]
	if !ok {
		name = stepName(c.Name)
	}
	words := name
	if !c.Made.IsZero() {
		words += ", " + fmt.Sprintf(wordsOld, within(now.Sub(c.Made)))
	}
	if !c.Expires.IsZero() {
		words += ", " + fmt.Sprintf(wordsEnds, until(now, c.Expires))
	}
	return words
}

func (s homeScreen) Keys(room) []bind {
	if !s.loaded {
		return []bind{bindQuit()}
	}
	fresh := bind{id: "new", keys: []string{"n"}, label: "n", does: "new setup"}
	x, ok := s.chosen()
	if !ok {
		fresh.keys, fresh.label = []string{"enter", "n"}, "↵"
		return append([]bind{fresh}, append(bindMove(), bindQuit())...)
	}
	st := s.standing(x)
	var out []bind
	for i, v := range s.verbs {
		if v.when != nil && !v.when(st) {
			continue
		}
		b := bind{id: v.key, keys: []string{v.key}, label: v.key, does: v.does, more: v.more}
		if i == 0 || len(out) == 0 {
			b.keys, b.label = append([]string{"enter"}, b.keys...), "↵"
		}
		out = append(out, b)
	}
	return append(append(out, fresh), append(bindMove(), bindQuit())...)
}

func (homeScreen) Help() help { return helpHome }
