package tui

import (
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"

	"authbird/doctor"
	"authbird/flows"
	"authbird/state"
)

// doneScreen says what was made, how it was proven, and how to come back.
type doneScreen struct {
	name    string
	plan    *flows.Plan
	results []doctor.Result
	login   string
	waits   string
	link    string
	command string
	copied  bool
	answers state.Answers
	guest   bool
	sandbox bool
}

func newDoneScreen(a finish, link, command string) doneScreen {
	return doneScreen{name: a.job.name, plan: a.plan, results: a.results, login: a.login, waits: a.waits, link: link, command: command}
}

func (s doneScreen) Update(r room, msg tea.Msg) (screen, action) {
	k, ok := msg.(tea.KeyPressMsg)
	if !ok {
		return s, stay{}
	}
	switch hit(k, s.Keys(r)) {
	case "home":
		return s, home{}
	case "quit":
		return s, leave{}
	case "copy":
		s.copied = true
		return s, send{s.command}
	}
	return s, stay{}
}

func (s doneScreen) Page(r room) page {
	th := r.theme
	sh := newSheet(r)
	words := wordsDoneWhole
	if !s.plan.Changes() {
		words = wordsDoneSame
	}
	sh.sign(0, signWhole, th.good, th.strong, fmt.Sprintf(words, said(s.name)))
	switch {
	case s.login != "":
		sh.sign(0, signGood, th.good, th.text, fmt.Sprintf(wordsDoneLogin, s.login))
	case s.waits != "":
		sh.sign(0, signPart, th.accent, th.text, fmt.Sprintf(wordsDoneWaits, s.waits))
	case s.link != "":
		sh.sign(0, signNone, th.dim, th.text, wordsDoneNoLogin)
		sh.link(said(s.link))
	}
	switch {
	case s.answers.Mode == state.Standalone && s.guest:
		s.drawForGuest(sh)
	case s.answers.Mode == state.Standalone:
		s.drawNext(sh)
	}
	s.drawMade(sh)
	if s.answers.Mode == state.Standalone {
		s.drawProven(sh)
	}
	for i, c := range s.results {
		if i == 0 {
			sh.gap()
		}
		if c.Verdict != doctor.OK {
			drawCheck(sh, 0, c, false)
		}
	}
	sh.gap()
	sh.text(0, th.strong, wordsDoneCommand)
	if s.copied {
		sh.text(2, th.dim, wordsCopied)
	}
	sh.command(2, said(s.command))
	sh.text(2, th.dim, tokenWords(s.answers.Mode))
	sh.gap()
	s.drawBack(sh)
	return sh.page(wordsDoneTitle, "")
}

// drawBack says how to come back, where there is something to come back to.
func (s doneScreen) drawBack(sh *sheet) {
	if s.sandbox {
		sh.text(0, sh.theme.text, wordsSandboxEnds)
		return
	}
	back := wordsDoneBack
	if s.guest {
		back = wordsGuestBack
	}
	sh.text(0, sh.theme.text, back)
	sh.text(2, sh.theme.dim, wordsDoneBackAll)
}

func (s doneScreen) drawMade(sh *sheet) {
	if !s.plan.Changes() {
		return
	}
	sh.gap()
	sh.text(0, sh.theme.strong, wordsDoneMade)
	titles := 0
	for _, p := range s.plan.Steps {
		titles = max(titles, len(p.Step.About().Title))
	}
	for _, p := range s.plan.Steps {
		if p.Finding.Verdict == flows.InPlace {
			continue
		}
		about := p.Step.About()
		mark, style := findingSign(sh.theme, p.Finding.Verdict)
		sh.hang(2, part{style, mark + " " + pad(said(about.Title), min(titles, 24)) + "  "}, sh.theme.text,
			strings.TrimSpace(objectOf(about)+" "+wordsAt[about.Where]))
	}
}

func (doneScreen) Keys(room) []bind {
	return []bind{
		{id: "quit", keys: []string{"enter", "q"}, label: "↵", does: "leave"},
		{id: "home", keys: []string{"h", "esc"}, label: "h", does: "all setups"},
		{id: "copy", keys: []string{"c"}, label: "c", does: "copy the command"},
	}
}

func (doneScreen) Help() help { return helpDone }
