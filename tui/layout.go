package tui

import (
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
)

// The smallest window that the screens are drawn in; below it one sentence
// stands in their place.
const (
	leastWidth  = 30
	leastHeight = 8
	margin      = 1
	widest      = 100 // longer lines are hard to read
)

// frame is a body placed between its title and its footer.
type frame struct {
	top    int // the first line of the body that is visible
	height int // visible lines of the body
	total  int
}

// place decides how much of the body is visible and from which line on. It is a
// function of the sizes alone: base is where the person scrolled to, and focus,
// where follow is set, is kept in sight.
func place(total, height, base int, focus span, follow bool) frame {
	height = max(height, 1)
	last := max(0, total-height)
	top := min(max(base, 0), last)
	if follow && focus.from >= 0 {
		if focus.to >= top+height {
			top = focus.to - height + 1
		}
		if focus.from < top {
			top = focus.from
		}
		// The head of a body is shown where it costs nothing.
		if focus.to < height && base == 0 {
			top = 0
		}
	}
	return frame{top: min(max(top, 0), last), height: height, total: total}
}

// compose draws a page with its title and footer into a window.
func compose(r room, p page, footer []string, base int, follow bool) (tea.View, frame) {
	width, height := r.window.width, r.window.height
	bodyHeight := height - 3 - len(footer)
	f := place(len(p.lines), bodyHeight, base, p.focus, follow)

	lines := make([]string, 0, height)
	lines = append(lines, titleLine(r, p))
	lines = append(lines, moreLine(r, "↑", f.top, ""))
	left := strings.Repeat(" ", margin)
	for i := range f.height {
		line := ""
		if n := f.top + i; n < f.total && p.lines[n] != "" {
			line = left + p.lines[n]
		}
		lines = append(lines, line)
	}
	lines = append(lines, moreLine(r, "↓", f.total-f.top-f.height, " · pgdn"))
	for _, l := range footer {
		lines = append(lines, left+l)
	}
	v := tea.NewView(strings.Join(lines[:min(len(lines), height)], "\n"))
	v.AltScreen = true
	if c := p.caret; c != nil && c.line >= f.top && c.line < f.top+f.height && c.x+margin < width {
		v.Cursor = tea.NewCursor(c.x+margin, c.line-f.top+2)
	}
	return v, f
}

func titleLine(r room, p page) string {
	left := strings.Repeat(" ", margin)
	room := r.width
	title := ansi.Truncate(p.title, room, "…")
	line := left + r.theme.strong.Render(title)
	for _, note := range p.notes {
		if free := room - ansi.StringWidth(title) - ansi.StringWidth(note); free >= 2 {
			return line + strings.Repeat(" ", free) + render(r.theme.dim, note)
		}
	}
	return line
}

// moreLine says how much of the body is out of sight.
func moreLine(r room, arrow string, n int, how string) string {
	if n <= 0 {
		return ""
	}
	words := fmt.Sprintf("%s %d more%s", arrow, n, how)
	return strings.Repeat(" ", max(0, margin+r.width-ansi.StringWidth(words))) + render(r.theme.dim, words)
}

// footer lays the keys out in at most two lines; what does not fit is in the
// help, whose key always fits.
func footer(r room, binds []bind, helpKey bind) []string {
	width := r.width
	var lines []string
	line, used := "", 0
	for _, b := range append(loud(binds), helpKey) {
		last := b.id == helpKey.id
		n := ansi.StringWidth(b.label) + 1 + ansi.StringWidth(b.does)
		reserve := 0
		if !last && len(lines) == 1 {
			reserve = 3 + ansi.StringWidth(helpKey.label) + 1 + ansi.StringWidth(helpKey.does)
		}
		if used > 0 && used+3+n+reserve > width {
			if len(lines) == 1 {
				if !last {
					continue
				}
				break
			}
			lines, line, used = append(lines, line), "", 0
		}
		if used > 0 {
			line, used = line+"   ", used+3
		}
		line, used = line+r.theme.key.Render(b.label)+" "+render(r.theme.dim, b.does), used+n
	}
	if used > 0 {
		lines = append(lines, line)
	}
	return lines
}

func loud(binds []bind) []bind {
	var out []bind
	for _, b := range binds {
		if !b.quiet {
			out = append(out, b)
		}
	}
	return out
}

// tooSmall says in the space there is what is the matter.
func tooSmall(width, height int) tea.View {
	lines := wrap(fmt.Sprintf(wordsTooSmall, width, height, leastWidth, leastHeight), max(width, 1))
	v := tea.NewView(strings.Join(lines[:min(len(lines), max(height, 1))], "\n"))
	v.AltScreen = true
	return v
}
