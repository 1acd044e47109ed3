package tui

import (
	"fmt"

	tea "charm.land/bubbletea/v2"

	"authbird/flows"
)

// domainScreen asks for NetBird's domain. It asks no server: in standalone mode
// NetBird is set up afterwards.
type domainScreen struct {
	form form
}

const rowDomain = "domain"

func newDomainScreen(d draft) domainScreen {
	typed := d.answers.NetBirdDomain
	if typed == "" {
		typed, _ = flows.Domain(d.answers.NetBirdURL)
	}
	s := domainScreen{form: form{rows: []row{
		{id: rowDomain, label: wordsDomain, field: newField(typed, wordsDomainHint), why: wordsDomainWhy},
		{id: rowGo, label: wordsGoOn, kind: rowButton, apart: true},
	}}}
	if s.judge() {
		s.form.focus(rowGo)
	}
	return s
}

// domainGiven is the answer of the screen.
type domainGiven struct{ domain string }

func (e domainGiven) apply(d draft) draft {
	d.answers.NetBirdDomain = e.domain
	return d
}

func (s domainScreen) Update(r room, msg tea.Msg) (screen, action) {
	if k, ok := msg.(tea.KeyPressMsg); ok && hit(k, []bind{bindBack()}) == "back" {
		return s, back{s.edit()}
	}
	if _, ok := msg.(tea.PasteMsg); ok {
		s.form.focus(rowDomain)
	}
	var ev formEvent
	s.form, ev = s.form.update(msg)
	switch {
	case ev.changed == rowDomain:
		s.form.row(rowDomain).notes = nil
	case ev.left == rowDomain:
		s.judge()
	case ev.pressed == rowGo:
		if s.judge() {
			return s, forward{s.edit()}
		}
		s.form.focus(rowDomain)
	}
	return s, stay{}
}

// judge says below the field what it makes of it.
func (s *domainScreen) judge() bool {
	r := s.form.row(rowDomain)
	if r.field.Value() == "" {
		if s.form.focused().id == rowGo {
			r.notes = note1(signBad, toneTrouble, wordsDomainMissing)
		}
		return false
	}
	domain, err := flows.Domain(r.field.Value())
	if err != nil {
		r.notes = note1(signBad, toneTrouble, wordsDomainWrong+said(err.Error()))
		return false
	}
	r.notes = note1(signGood, toneGood, fmt.Sprintf(wordsDomainTaken, said(domain)))
	return true
}

func (s *domainScreen) edit() domainGiven {
	typed := s.form.row(rowDomain).field.Value()
	if domain, err := flows.Domain(typed); err == nil {
		return domainGiven{domain}
	}
	return domainGiven{typed}
}

func (s domainScreen) Page(r room) page {
	sh := newSheet(r)
	s.form.draw(sh)
	return sh.page(wordsDomainTitle, wordsNothingDone)
}

func (s domainScreen) Keys(room) []bind { return append(s.form.keys(), bindBack()) }

func (s domainScreen) Typing() bool { return s.form.typing() }

func (domainScreen) Help() help { return helpDomain }
