package tui

import (
	"fmt"
	"strings"

	"authbird/flows"
	"authbird/keystore"
)

func (s renewScreen) Page(r room) page {
	sh := newSheet(r)
	title := fmt.Sprintf(wordsRenewTitle, plainName(s.credential), said(s.job.name))
	switch s.stage {
	case renewReading:
		sh.sign(0, signWorking, r.theme.accent, r.theme.text, wordsRenewReading)
		return sh.page(title, wordsNothingDone)
	case renewAsking:
		s.drawLeak(sh)
		s.drawMeaning(sh)
		sh.gap()
		s.ask.draw(sh)
		return sh.page(title, wordsNothingDone)
	case renewDone:
		s.drawDone(sh)
		return sh.page(title, "")
	}
	if s.stage == renewStopped && s.trouble.looking {
		s.trouble.draw(sh)
		return sh.page(title, "")
	}
	s.drawSteps(sh)
	sh.gap()
	stopping := wordsRenewStopping
	if !s.goesBack() {
		stopping = wordsRenewStoppingOn
	}
	switch s.stage {
	case renewStopped:
		s.trouble.draw(sh)
	case renewGivingUp:
		sh.focused(func() { sh.sign(0, signWorking, sh.theme.accent, sh.theme.text, wordsRunGivingUp) })
	case renewStopping:
		sh.focused(func() { sh.sign(0, signWorking, sh.theme.accent, sh.theme.text, stopping) })
	default:
		sh.focused(func() { s.drawWaiting(sh) })
	}
	return sh.page(title, "")
}

// drawLeak says, of secrets in wrong hands, what comes when and what only the
// person can do.
func (s renewScreen) drawLeak(sh *sheet) {
	l := s.draft.leak
	if l.setup == nil {
		return
	}
	sh.sign(0, signWarn, sh.theme.trouble, sh.theme.text, fmt.Sprintf(wordsRenewLeak, l.at+1, len(l.order)))
	for _, name := range l.yours {
		sh.sign(0, signWarn, sh.theme.trouble, sh.theme.text, fmt.Sprintf(wordsRenewYours, plainName(name)))
	}
	sh.gap()
}

func (s renewScreen) drawMeaning(sh *sheet) {
	th := sh.theme
	if s.means.Warn != "" {
		sh.sign(0, signWarn, th.trouble, th.text, sentence(s.means.Warn))
		sh.gap()
	}
	for i, what := range s.means.What {
		sh.hang(0, part{th.accent, fmt.Sprintf("%d ", i+1)}, th.text, said(what))
	}
	sh.gap()
	fails := s.means.Fails
	if fails == "" {
		fails = wordsRenewFailsNone
	}
	sh.pair(0, 16, wordsRenewFails, th.text, fails)
	if s.means.Must != "" {
		sh.pair(0, 16, wordsRenewMust, th.text, s.means.Must)
	}
	if s.means.Runs != "" {
		sh.pair(0, 16, wordsRenewRuns, th.text, said(s.means.Runs))
	}
}

func (s renewScreen) drawSteps(sh *sheet) {
	th := sh.theme
	for _, e := range s.events {
		mark, style := signWorking, th.accent
		switch e.Phase {
		case flows.Done, flows.Settled:
			mark, style = signGood, th.good
		case flows.Failed, flows.Lost:
			mark, style = signBad, th.trouble
		case flows.Undone:
			mark, style = signChange, th.accent
		}
		object := strings.TrimSpace(said(e.Step.Title) + " " + wordsAt[e.Step.Where])
		sh.sign(0, mark, style, th.text, object)
	}
}

// drawWaiting says what is waited for and, where a person must restart NetBird,
// what to type.
func (s renewScreen) drawWaiting(sh *sheet) {
	th := sh.theme
	if s.waiting == "" {
		sh.sign(0, signWorking, th.accent, th.text, wordsRenewGoing)
		return
	}
	if s.byHand && s.waiting != flows.RestartBegins {
		sh.sign(0, signWorking, th.accent, th.strong, wordsRenewType)
		sh.command(2, wordsRenewCompose)
		sh.command(2, wordsRenewSystemd)
	}
	if s.waiting != flows.RestartHow {
		sh.sign(0, signWorking, th.accent, th.text, sentence(s.waiting))
	}
}

func (s renewScreen) drawDone(sh *sheet) {
	th := sh.theme
	sh.focused(func() {
		sh.sign(0, signGood, th.good, th.strong, fmt.Sprintf(wordsRenewDone, plainName(s.credential)))
	})
	words := wordsRenewWindow
	if s.credential == keystore.AppPassword {
		words = wordsRenewAway
	}
	for _, w := range s.done.Windows {
		const clock = "15:04:05.0"
		sh.text(2, th.text, fmt.Sprintf(words, w.Length().Seconds(), w.From.Format(clock), w.To.Format(clock)))
	}
	for _, remark := range s.done.Remarks {
		sh.sign(0, signWarn, th.accent, th.text, sentence(remark))
	}
	if s.credential != keystore.ClientSecret || s.done.Proven {
		return
	}
	sh.gap()
	if s.proof != "" {
		sh.sign(0, signGood, th.good, th.text, fmt.Sprintf(wordsRenewProven, s.proof))
		return
	}
	sh.text(0, th.text, wordsRenewUnproven)
	sh.link(s.job.session.LoginLink())
	sh.gap()
	sh.text(0, th.dim, wordsRenewLeave)
}
