package tui

import (
	"fmt"
	"time"

	"github.com/charmbracelet/x/ansi"

	"authbird/doctor"
	"authbird/flows"
)

func (s runScreen) Page(r room) page {
	sh := newSheet(r)
	titles := 0
	for _, p := range s.plan.Steps {
		titles = max(titles, ansi.StringWidth(said(p.Step.About().Title)))
	}
	for _, p := range s.plan.Steps {
		s.drawStep(sh, p.Step.About(), min(titles, 30))
	}
	for i, c := range s.checks {
		if i == 0 {
			sh.gap()
		}
		drawCheck(sh, 0, c, false)
	}
	sh.gap()
	s.drawEnd(sh)
	title := fmt.Sprintf(wordsRunTitle, said(s.job.name))
	return sh.page(title, "")
}

func (s runScreen) drawEnd(sh *sheet) {
	th := sh.theme
	say := func(words string) {
		sh.focused(func() { sh.sign(0, signWorking, th.accent, th.text, words) })
	}
	switch s.state {
	case runLooking:
		say(wordsRunLooking)
	case runStopping:
		say(wordsRunStopping)
	case runGivingUp:
		say(wordsRunGivingUp)
	case runStopped:
		s.trouble.draw(sh)
	case runDone:
		mark, style, words := signGood, th.good, wordsRunDone
		if n := unmade(s.results); n > 0 {
			mark, style, words = signUnsure, th.dim, fmt.Sprintf(wordsRunUnsure, count(n, "check"))
		}
		sh.focused(func() { sh.sign(0, mark, style, th.strong, words) })
	}
}

// unmade counts the checks whose grounds could not be read.
func unmade(results []doctor.Result) int {
	n := 0
	for _, c := range results {
		if c.Verdict == doctor.Unknown {
			n++
		}
	}
	return n
}

func (s runScreen) drawStep(sh *sheet, about flows.About, titles int) {
	th := sh.theme
	st, known := s.steps[about.ID]
	mark, markStyle, style, right := signWaiting, th.dim, th.dim, ""
	switch {
	case known && (st.phase == flows.Done || st.phase == flows.Settled):
		mark, markStyle, style, right = signGood, th.good, th.text, took(st.took)
		switch {
		case st.phase == flows.Settled:
			right = wordsRunFound
		case st.along != "":
			right = st.along
		case st.found == flows.InPlace:
			right = wordsRunInPlace
		}
	case s.state == runStopped && s.trouble.stop.Reason == flows.Interrupted:
	case about.ID == s.current && s.state == runStopped:
		mark, markStyle, style = signBad, th.trouble, th.text
	case about.ID == s.current:
		mark, markStyle, style = signWorking, th.accent, th.text
		if d := s.now().Sub(s.since); d >= time.Second {
			right = left(d)
		}
	case s.state == runStopped && s.trouble.stop.Step.ID == about.ID:
		mark, markStyle, style = signBad, th.trouble, th.text
	}
	write := func() {
		s.drawLine(sh, about, titles, part{markStyle, mark}, style, right)
		if about.ID == s.current && s.state != runStopped {
			s.drawCurrent(sh, about, st)
		}
	}
	if about.ID == s.current && s.state != runStopped {
		sh.focused(write)
		return
	}
	write()
}

func (s runScreen) drawLine(sh *sheet, about flows.About, titles int, mark part, st style, right string) {
	title := said(about.Title)
	room := sh.width - 2 - ansi.StringWidth(right) - 2
	object := objectOf(about)
	text := title
	if sh.width >= narrow && object != "" {
		text = pad(title, titles) + "  " + object
	}
	sh.parts(mark, part{st, " " + pad(text, max(room, 8))}, part{sh.theme.dim, "  " + right})
}

func (s runScreen) drawCurrent(sh *sheet, about flows.About, st stepState) {
	if st.phase == flows.Lost {
		sh.text(2, sh.theme.trouble, wordsRunLost)
	}
	if s.why && about.Why != "" {
		sh.text(2, sh.theme.dim, sentence(about.Why))
	}
}
