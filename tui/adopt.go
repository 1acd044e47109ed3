package tui

import (
	"context"
	"fmt"

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
	deaf    deaf
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

func newAdoptScreen(about flows.About, f flows.Finding, byItself bool) adoptScreen {
	return adoptScreen{about: about, finding: f, deaf: deaf{on: byItself}}
}

func (s adoptScreen) Open(context.Context) (screen, []tea.Cmd) {
	if !s.deaf.on {
		return s, nil
	}
	return s, []tea.Cmd{s.deaf.soon()}
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
	if mine, act := s.deaf.hears(msg); !mine {
		return s, act
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
	if s.deaf.on {
		return nil
	}
	return append([]bind{{id: "choose", keys: keyEnter, label: "↵", does: "choose"}}, append(bindMove(), bindBack())...)
}

func (adoptScreen) Help() help { return helpAdopt }
