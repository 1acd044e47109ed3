package tui

import (
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"

	"authbird/doctor"
	"authbird/flows"
)

func (s doctorScreen) Page(r room) page {
	sh := newSheet(r)
	title := fmt.Sprintf(wordsDoctorTitle, said(s.draft.setup()))
	switch {
	case s.trouble != nil:
		s.trouble.draw(sh)
		return sh.page(wordsDoctorBlind, "")
	case s.report != nil:
		return s.report.page(sh, s.reportText())
	case s.open && !s.looking:
		s.drawOpen(sh)
		return sh.page(title, s.place())
	}
	s.drawSum(sh)
	for _, g := range doctor.Groups() {
		s.drawGroup(sh, g)
	}
	p := sh.page(title, "")
	p.notes = s.versions()
	if s.mended { // where the line that says so is out of sight
		p.notes = append(p.notes, wordsDoctorMendedNote)
	}
	return p
}

// versions are what runs at both ends, the whole and the short of it.
func (s doctorScreen) versions() []string {
	if s.found == nil {
		return nil
	}
	var out []string
	for _, x := range [][2]string{{"Authentik", s.found.AuthentikVersion}, {"NetBird", s.found.NetBirdVersion}} {
		if x[1] != "" {
			out = append(out, x[0]+" "+said(x[1]))
		}
	}
	return notesOf(strings.Join(out, " · "))
}

// place says which of the list is open.
func (s doctorScreen) place() string {
	return fmt.Sprintf(wordsDoctorOf, s.index()+1, len(s.listed()))
}

// drawSum says in a line how it is.
func (s doctorScreen) drawSum(sh *sheet) {
	th := sh.theme
	n := doctor.Count(s.results)
	switch {
	case s.looking:
		sh.sign(0, signWorking, th.accent, th.text, fmt.Sprintf(wordsDoctorLooking, len(s.results)))
		return
	case n.Verdict() == doctor.OK:
		sh.focused(func() { sh.sign(0, signWhole, th.good, th.strong, fmt.Sprintf(wordsDoctorWell, len(s.results))) })
	default:
		mark, style := verdictSign(th, n.Verdict())
		sh.sign(0, mark, style, th.strong, n.String())
	}
	if s.mended {
		sh.text(2, th.text, wordsDoctorMended)
	}
	if repairs := flows.Repairs(s.found); len(repairs) > 0 {
		sh.text(2, th.dim, fmt.Sprintf(wordsDoctorRepairs, count(len(repairs), "repair")))
	}
}

func (s doctorScreen) drawGroup(sh *sheet, g doctor.Group) {
	th := sh.theme
	begun := false
	counted := doctor.Tally{}
	head := func() {
		if !begun {
			sh.gap()
			sh.text(0, th.strong, sentenceCase(string(g)))
		}
		begun = true
	}
	for _, c := range s.results {
		if c.Group != g {
			continue
		}
		if s.counted(c) {
			counted[c.Verdict]++
			continue
		}
		head()
		s.drawLine(sh, c)
	}
	for _, v := range []doctor.Verdict{doctor.Unknown, doctor.OK} {
		if counted[v] > 0 {
			head()
			mark, style := verdictSign(th, v)
			sh.sign(2, mark, style, th.dim, doctor.Tally{v: counted[v]}.String())
		}
	}
}

// drawLine is one check in the list: what is wrong in a sentence, or the
// question where all is well.
func (s doctorScreen) drawLine(sh *sheet, c doctor.Result) {
	mark, style := verdictSign(sh.theme, c.Verdict)
	words := sentence(c.Title)
	if c.Verdict != doctor.OK && c.Cause != "" {
		words = sentence(c.Cause)
	}
	if c.ID != s.at {
		sh.hang(0, part{style, "  " + mark + " "}, sh.theme.text, words)
		return
	}
	sh.focused(func() { sh.hang(0, part{sh.theme.accent, signHere + " " + mark + " "}, sh.theme.strong, words) })
}

// drawOpen shows one check whole.
func (s doctorScreen) drawOpen(sh *sheet) {
	c, ok := s.chosen()
	if !ok {
		return
	}
	th := sh.theme
	mark, style := verdictSign(th, c.Verdict)
	words := sentence(c.Cause)
	if words == "" {
		words = sentence(c.Title)
	}
	sh.sign(0, mark, style, th.strong, words)
	sh.gap()
	line := func(label, value string) {
		if value != "" {
			sh.pair(2, 12, label, th.text, value)
		}
	}
	line(wordsDoctorCheck, said(c.Title)+": "+c.Verdict.Words())
	line(wordsDoctorSeen, saidAt(c.Seen(), longestSeen))
	line(wordsDoctorHits, sentence(c.Hits))
	if c.Repair != "" && c.Verdict != doctor.OK {
		what, _, _ := strings.Cut(c.Repair, ".")
		line(wordsDoctorRepair, fmt.Sprintf(wordsDoctorFix, stepName(what)))
	}
	if c.Verdict != doctor.OK {
		line(wordsDoctorToDo, saidAt(c.Advice, longestNote))
	}
}

// longestSeen is the most of an evidence that is shown.
const longestSeen = 1200

// sentenceCase is a text begun with a capital.
func sentenceCase(s string) string { return strings.TrimSuffix(sentence(s), ".") }

// reportPage shows the report that was sent to the clipboard.
type reportPage struct {
	mask  bool // the servers' names are left out
	saved string
	err   error
}

// savedReport is what came of writing a report's file.
type savedReport struct {
	path string
	err  error
}

func (s doctorScreen) reportText() string {
	d := *s.found
	d.Results = s.results
	return string(flows.Report([]*flows.Diagnosis{&d}, flows.ReportOptions{
		Version: s.reports.version, At: s.reports.now(), MaskHosts: s.report != nil && s.report.mask,
		Secrets: []string{s.draft.tokens.Authentik, s.draft.tokens.NetBird},
	}))
}

// keepReport writes the report into a file, or leaves the servers' names out.
func (s doctorScreen) keepReport(what string) (screen, action) {
	p := *s.report
	p.saved, p.err = "", nil
	s.report = &p
	if what == "mask" {
		p.mask = !p.mask
		return s, send{s.reportText()}
	}
	save, name, text := s.reports.save, s.draft.setup(), []byte(s.reportText())
	if p.mask {
		name = "masked"
	}
	return s, do(func() tea.Msg {
		path, err := save(name, text)
		return savedReport{path, err}
	})
}

func (p *reportPage) page(sh *sheet, text string) page {
	th := sh.theme
	switch {
	case p.err != nil:
		sh.sign(0, signBad, th.trouble, th.text, sentence(p.err.Error()))
	case p.saved != "":
		sh.sign(0, signGood, th.good, th.text, wordsReportSaved)
		sh.path(said(p.saved))
	default:
		sh.text(0, th.dim, wordsReportSent)
	}
	sh.gap()
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		indent := len(line) - len(strings.TrimLeft(line, " "))
		if line == "" {
			sh.gap()
			continue
		}
		sh.text(indent, th.text, said(line))
	}
	return sh.page(wordsReportTitle, wordsReportNote)
}

func (p *reportPage) keys(save bool) []bind {
	out := []bind{bindBack()}
	if save {
		out = append(out, bind{id: "save", keys: []string{"s"}, label: "s", does: "save to a file", more: "Write it into a file in this folder, readable for you only."})
	}
	mask := bind{id: "mask", keys: []string{"m"}, label: "m", does: "mask the servers", more: "Leave the servers' names and addresses out, and send it anew."}
	if p.mask {
		mask.does = "name the servers"
	}
	return append(out, mask, bind{id: "report", keys: []string{"c"}, label: "c", does: "copy again"}, bindQuit())
}
