package tui

import (
	"context"
	"fmt"
	"time"

	tea "charm.land/bubbletea/v2"

	"authbird/flows"
)

// adoptScreen asks whether an object that stood there before may be changed,
// and shows how. Where it pops up by itself it lets a moment pass before it
// takes keys, because they were typed for the screen before.
type adoptScreen struct {
	about   flows.About
	finding flows.Finding
	at      int
	deaf    bool
}

type adoptChoice int

const (
	adoptStop adoptChoice = iota
	adoptYes
	adoptOther
)

// adoptAnswered is what the person said.
type adoptAnswered struct {
	about   flows.About
	finding flows.Finding
	choice  adoptChoice
}

// listening says that a screen which came by itself takes keys now.
type listening struct{}

// deafTime is long enough for keys that were under way and short enough that
// nobody has read the question.
const deafTime = 400 * time.Millisecond

func newAdoptScreen(about flows.About, f flows.Finding, byItself bool) adoptScreen {
	return adoptScreen{about: about, finding: f, deaf: byItself}
}

func (s adoptScreen) Open(context.Context) (screen, []tea.Cmd) {
	if !s.deaf {
		return s, nil
	}
	return s, []tea.Cmd{listenSoon()}
}

func listenSoon() tea.Cmd {
	return tea.Tick(deafTime, func(time.Time) tea.Msg { return listening{} })
}

func (s adoptScreen) choices() []struct {
	label  string
	choice adoptChoice
} {
	yes := wordsAdoptYes
	if s.finding.Ours {
		yes = wordsAdoptBack
	}
	return []struct {
		label  string
		choice adoptChoice
	}{{wordsAdoptStop, adoptStop}, {yes, adoptYes}, {wordsAdoptName, adoptOther}}
}

func (s adoptScreen) Update(r room, msg tea.Msg) (screen, action) {
	if _, ok := msg.(listening); ok {
		s.deaf = false
		return s, stay{}
	}
	k, ok := msg.(tea.KeyPressMsg)
	if !ok {
		return s, stay{}
	}
	choices := s.choices()
	switch hit(k, s.Keys(r)) {
	case "up":
		s.at = max(s.at-1, 0)
	case "down":
		s.at = min(s.at+1, len(choices)-1)
	case "choose":
		return s, answer{adoptAnswered{s.about, s.finding, choices[s.at].choice}}
	case "back":
		return s, answer{adoptAnswered{s.about, s.finding, adoptStop}}
	}
	return s, stay{}
}

func (s adoptScreen) Page(r room) page {
	sh := newSheet(r)
	words := wordsAdoptForeign
	if s.finding.Ours {
		words = wordsAdoptOurs
	}
	sh.text(0, r.theme.text, fmt.Sprintf(words, said(s.about.Title), said(s.about.Object), said(string(s.about.Where))))
	sh.gap()
	for _, f := range s.finding.Fields {
		sh.sign(2, signChange, r.theme.accent, r.theme.text, fieldWords(f))
	}
	if s.finding.Note != "" {
		sh.text(2, r.theme.dim, said(s.finding.Note))
	}
	sh.gap()
	sh.text(0, r.theme.dim, wordsAdoptNothing)
	sh.gap()
	for i, c := range s.choices() {
		if i != s.at {
			sh.text(2, r.theme.text, c.label)
			continue
		}
		sh.focused(func() { sh.sign(0, signHere, r.theme.accent, r.theme.accent, c.label) })
	}
	return sh.page(wordsAdoptTitle, "")
}

func (s adoptScreen) Keys(room) []bind {
	if s.deaf {
		return nil
	}
	return append([]bind{{id: "choose", keys: keyEnter, label: "↵", does: "choose"}}, append(bindMove(), bindBack())...)
}

func (adoptScreen) Help() help { return helpAdopt }
