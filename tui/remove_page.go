package tui

import (
	"fmt"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"authbird/doctor"
	"authbird/flows"
	"authbird/state"
)

func (s removeScreen) Page(r room) page {
	sh := newSheet(r)
	title := fmt.Sprintf(wordsRemoveTitle, said(s.job.name))
	note := ""
	switch s.stage {
	case removeReading:
		sh.sign(0, signWorking, r.theme.accent, r.theme.text, wordsRemoveReading)
		return sh.page(title, wordsNothingDone)
	case removeDone:
		sh.focused(func() {
			sh.sign(0, signGood, r.theme.good, r.theme.strong, fmt.Sprintf(wordsRemoveDone, said(s.job.name)))
		})
		sh.gap()
		sh.text(0, r.theme.dim, wordsRemoveArchive)
		sh.path(said(s.archive))
	case removeAsking:
		note = wordsNothingDone
	}
	if s.stage == removeStopped && s.trouble.looking {
		s.trouble.draw(sh)
		return sh.page(title, "")
	}
	s.drawObjects(sh)
	sh.gap()
	s.drawEnd(sh)
	return sh.page(title, note)
}

// path writes a path whole, on lines of its own.
func (s *sheet) path(path string) {
	for _, line := range strings.Split(ansi.Hardwrap(path, s.width, true), "\n") {
		s.raw(render(s.theme.text, line))
	}
}

func (s removeScreen) drawEnd(sh *sheet) {
	say := func(words string) {
		sh.focused(func() { sh.sign(0, signWorking, sh.theme.accent, sh.theme.text, words) })
	}
	switch s.stage {
	case removeAsking:
		sh.text(0, sh.theme.dim, wordsRemoveHere)
		if s.hadValues() {
			sh.sign(0, signWarn, sh.theme.trouble, sh.theme.text, wordsRemoveNetBird)
		}
		sh.gap()
		for _, c := range s.guard { // right above the question, where a small window shows it
			if c.Verdict != doctor.OK {
				drawCheck(sh, 0, c, false)
			}
		}
		sh.gap()
		s.ask.draw(sh)
	case removeGoing:
		say(wordsRemoveGoing)
	case removeStopping:
		say(wordsRemoveStopping)
	case removeGivingUp:
		say(wordsRunGivingUp)
	case removeStopped:
		s.trouble.draw(sh)
	}
}

// hadValues says that NetBird was given the setup's values.
func (s removeScreen) hadValues() bool {
	for _, w := range s.what {
		if s.draft.answers.Mode == state.Standalone && w.Step.Where == flows.Here && (w.Step.ID == "setup-env" || w.Step.ID == "management-json") {
			return true
		}
	}
	return false
}

// drawObjects lists what goes, what is put back and what stays; what is done
// has a tick.
func (s removeScreen) drawObjects(sh *sheet) {
	if len(s.what) == 0 && s.stage != removeDone {
		sh.text(0, sh.theme.text, wordsRemoveNothing)
		return
	}
	titles := 0
	for _, w := range s.what {
		titles = max(titles, ansi.StringWidth(said(w.Step.Title)))
	}
	for _, part := range []struct{ will, words, mark string }{
		{flows.WillDelete, wordsRemoveGoes, signGone}, {flows.WillRestore, wordsRemoveRestored, signChange}, {flows.WillKeep, wordsRemoveStays, signSame},
		{flows.WillAsk, wordsRemoveUnknown, signWarn}, {flows.WillFind, wordsRemoveGone, signSame},
	} {
		first := true
		for _, w := range s.what {
			if w.Will != part.will {
				continue
			}
			if first {
				sh.gap()
				sh.text(0, sh.theme.strong, part.words)
				first = false
			}
			s.drawObject(sh, w, part.mark, min(titles, 24))
			drawBeside(sh, w)
		}
	}
}

// drawBeside shows what somebody changed since, and what goes with the object.
func drawBeside(sh *sheet, w flows.Removal) {
	for _, f := range w.Fields {
		sh.text(6, sh.theme.dim, fmt.Sprintf(wordsRemoveField, said(f.Name), said(f.Have), said(f.Want)))
	}
	for _, told := range w.Beside {
		sh.sign(4, signWarn, sh.theme.trouble, sh.theme.text, said(told))
	}
}

func (s removeScreen) drawObject(sh *sheet, w flows.Removal, sign string, titles int) {
	th := sh.theme
	markStyle := th.accent
	switch {
	case s.gone[w.Step.ID]:
		sign, markStyle = signGood, th.good
	case w.Will == flows.WillKeep:
		markStyle = th.dim
	}
	name := said(w.Step.Title)
	object := strings.TrimSpace(objectOf(w.Step) + " " + wordsAt[w.Step.Where])
	if w.Will != flows.WillDelete || len(w.Fields) > 0 {
		object += ": " + said(w.Why)
	}
	if sh.width < narrow {
		sh.sign(2, sign, markStyle, th.text, name+" "+object)
		return
	}
	sh.hang(2, part{markStyle, sign + " " + pad(name, titles) + "  "}, th.dim, object)
}
