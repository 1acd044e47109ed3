package tui

import (
	"strings"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"
)

// sheet writes a body line by line, wrapped to its width. No line it holds is
// ever wider than the width.
type sheet struct {
	width int
	theme theme
	links bool
	lines []string
	focus span
	caret *cursor
}

func newSheet(r room) *sheet {
	return &sheet{width: max(r.width, 1), theme: r.theme, links: r.links, focus: span{-1, -1}}
}

// part is a run of text in one style.
type part struct {
	style lipgloss.Style
	text  string
}

// gap leaves a line free, never two and never at the top.
func (s *sheet) gap() {
	if n := len(s.lines); n > 0 && s.lines[n-1] != "" {
		s.lines = append(s.lines, "")
	}
}

// text writes a paragraph, indented.
func (s *sheet) text(indent int, style lipgloss.Style, words string) {
	if words != "" {
		s.hang(indent, part{style, ""}, style, words)
	}
}

// sign writes a paragraph behind a sign of one column, with a hanging indent.
func (s *sheet) sign(indent int, mark string, markStyle, style lipgloss.Style, words string) {
	s.hang(indent, part{markStyle, mark + " "}, style, words)
}

// hang writes a head and behind it a wrapped paragraph that keeps to its column.
func (s *sheet) hang(indent int, head part, style lipgloss.Style, words string) {
	indent = min(indent, max(0, s.width-12))
	left := indent + ansi.StringWidth(head.text)
	for i, line := range wrap(words, s.width-left) {
		start := strings.Repeat(" ", left)
		if i == 0 {
			start = strings.Repeat(" ", indent) + head.style.Render(head.text)
		}
		s.raw(start + render(style, line))
	}
}

// parts writes one line of several styles; what does not fit is cut with "…".
func (s *sheet) parts(parts ...part) {
	var b strings.Builder
	for _, p := range parts {
		b.WriteString(render(p.style, p.text))
	}
	s.raw(b.String())
}

// pair writes a label and a value that wraps in its own column.
func (s *sheet) pair(indent, labelWidth int, label string, style lipgloss.Style, value string) {
	if s.width < narrow {
		s.text(indent, s.theme.dim, label)
		s.text(indent+2, style, value)
		return
	}
	s.hang(indent, part{s.theme.dim, pad(label, labelWidth)}, style, value)
}

// link writes an address whole on lines of its own, from the first column on,
// so that it can be selected; where the terminal takes links it is one.
func (s *sheet) link(address string) {
	style := s.theme.accent
	if s.links {
		style = style.Hyperlink(address)
	}
	for _, line := range strings.Split(ansi.Hardwrap(address, s.width, true), "\n") {
		s.raw(style.Render(line))
	}
}

// command writes a command line that can be selected whole: where it goes on in
// the next line, a backslash tells the shell so.
func (s *sheet) command(indent int, line string) {
	lines := wrap(line, s.width-indent-2)
	for i, l := range lines {
		if i < len(lines)-1 {
			l += " \\"
		}
		s.raw(strings.Repeat(" ", indent) + render(s.theme.text, l))
	}
}

// raw writes a line that is styled already.
func (s *sheet) raw(line string) {
	if ansi.StringWidth(line) > s.width {
		line = ansi.Truncate(line, s.width, "…")
	}
	s.lines = append(s.lines, line)
}

// focused marks what write writes as the part that must be visible.
func (s *sheet) focused(write func()) {
	s.focus.from = len(s.lines)
	write()
	s.focus.to = max(s.focus.from, len(s.lines)-1)
}

func (s *sheet) page(title, note string) page {
	return page{title: title, notes: notesOf(note), lines: s.lines, focus: s.focus, caret: s.caret}
}

func notesOf(note string) []string {
	if note == "" {
		return nil
	}
	return []string{note}
}

// narrow is the width below which labels stand above their values.
const narrow = 56

// wrap breaks plain text between words into lines of at most width columns; a
// word that is longer than a line is broken.
func wrap(words string, width int) []string {
	width = max(width, 1)
	var lines []string
	line := ""
	for _, word := range strings.Fields(words) {
		switch {
		case line == "":
			line = word
		case ansi.StringWidth(line)+1+ansi.StringWidth(word) <= width:
			line += " " + word
		default:
			lines, line = append(lines, line), word
		}
		for ansi.StringWidth(line) > width {
			head := ansi.Truncate(line, width, "")
			if i := strings.LastIndexAny(head, "-/_&?"); i >= len(head)/2 {
				head = head[:i+1]
			}
			if head == "" { // one character is wider than the line
				head, line = "?", ""
			}
			lines, line = append(lines, head), strings.TrimPrefix(line, head)
		}
	}
	return append(lines, line)
}

// render styles a text; an empty one stays empty.
func render(style lipgloss.Style, text string) string {
	if text == "" {
		return ""
	}
	return style.Render(text)
}

// pad fills a text with blanks to a width, or cuts it to it.
func pad(text string, width int) string {
	n := ansi.StringWidth(text)
	if n > width {
		return ansi.Truncate(text, width, "…")
	}
	return text + strings.Repeat(" ", width-n)
}

// ansiCut shortens a text to a width.
func ansiCut(text string, width int) string { return ansi.Truncate(text, width, "…") }
