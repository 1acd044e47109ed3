package tui

import (
	"fmt"
	"time"

	"github.com/charmbracelet/x/ansi"

	"authbird/flows"
)

func (s rotateScreen) Page(r room) page {
	sh := newSheet(r)
	switch {
	case !s.loaded:
		return sh.page(wordsRotateTitle, "")
	case s.err != nil:
		what, _ := errorWords(s.err)
		sh.sign(0, signBad, r.theme.trouble, r.theme.text, what)
		return sh.page(wordsRotateTitle, "")
	case len(s.rows) == 0:
		sh.text(0, r.theme.text, wordsRotateNone)
		return sh.page(wordsRotateTitle, "")
	}
	if sh.width >= narrow {
		sh.raw(render(r.theme.dim, "  "+s.columns(sh.width, "setup", "credential", "age", "ends", "next due")))
	}
	for i, row := range s.rows {
		s.drawRow(sh, row, i == s.at)
	}
	if row, ok := s.chosen(); ok {
		sh.gap()
		s.drawChosen(sh, row)
	}
	return sh.page(wordsRotateTitle, s.note())
}

// note counts what is due.
func (s rotateScreen) note() string {
	due := 0
	for _, row := range s.rows {
		if row.Overdue {
			due++
		}
	}
	if due == 0 {
		return wordsRotateNothingDue
	}
	return fmt.Sprintf(wordsRotateDue, due)
}

// columns lays one row out: the setup takes what the others leave.
func (s rotateScreen) columns(width int, setup, credential, age, ends, due string) string {
	const others = 16 + 10 + 12 + 12
	first := max(8, width-2-others-2)
	return pad(ansi.Truncate(setup, first, "…"), first) + " " + pad(credential, 16) + pad(age, 10) + pad(ends, 12) + due
}

func (s rotateScreen) drawRow(sh *sheet, row flows.Renewal, here bool) {
	th := sh.theme
	mark, style := "  ", th.text
	if here {
		mark, style = signHere+" ", th.strong
	}
	age, ends, due := "", day(row.Expires), day(row.Due)
	switch {
	case row.Why != "":
		due = wordsRotateNotHere
	case row.Stopped:
		due = signWarn + " " + wordsRotateStopped
	case row.Overdue:
		due = signWarn + " " + wordsRotateOverdue
	}
	if !row.Made.IsZero() {
		age = fmt.Sprintf(wordsRotateDays, int(s.now().Sub(row.Made).Hours()/24))
	}
	switch {
	case row.Endless():
		ends = wordsRotateNever
	case ends == "" && row.Known:
		ends = wordsRotateUnknown
	}
	draw := func() {
		if sh.width < narrow {
			sh.raw(render(style, ansi.Truncate(mark+row.Name+"  "+due, sh.width, "…")))
			if here {
				sh.text(4, th.dim, said(row.Setup))
			}
			return
		}
		sh.raw(render(style, ansi.Truncate(mark+s.columns(sh.width, said(row.Setup), row.Name, age, ends, due), sh.width, "…")))
	}
	if here {
		sh.focused(draw)
		return
	}
	draw()
}

// drawChosen says the rest of the credential under the cursor.
func (s rotateScreen) drawChosen(sh *sheet, row flows.Renewal) {
	th := sh.theme
	if row.Why != "" {
		sh.text(0, th.text, sentence(row.Why))
		return
	}
	if row.RestartBreaks {
		sh.sign(0, signWarn, th.trouble, th.text, sentence(wordsRenewGap))
	}
	if row.UsedBy != "" {
		sh.pair(0, 12, wordsRotateUsedBy, th.text, said(row.UsedBy))
	}
	proof := wordsRotateNoProof
	if !row.Proven.IsZero() {
		proof = since(s.now(), row.Proven)
	}
	sh.pair(0, 12, wordsRotateProof, th.text, proof)
	if !row.Expires.IsZero() {
		sh.pair(0, 12, wordsRotateEnds, th.text, day(row.Expires))
	}
	if !row.Due.IsZero() {
		sh.pair(0, 12, wordsRotateNext, th.text, day(row.Due))
	}
}

func day(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format("2006-01-02")
}
