package tui

import (
	"strings"

	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"
)

// rowKind is how a row of a form is answered.
type rowKind int

const (
	rowText   rowKind = iota // typed
	rowChoice                // one of a few, changed in place
	rowPick                  // one or more of many, on a screen of its own
	rowButton                // pressed
)

// row is one line of a form with what stands below it.
type row struct {
	id      string
	label   string
	kind    rowKind
	field   field     // of a text row
	choice  selection // of a choice
	shown   string    // of a pick: its value in words
	heading string    // above the row, where a new group begins
	why     string    // below the row, while it has the focus
	notes   []note
	hidden  bool
	// withheld is a question that is not this person's to answer: it keeps its value
	// and is never shown.
	withheld bool
	apart    bool // a free line above
}

// note is a sentence below a row.
type note struct {
	sign  string
	tone  tone
	words string
	link  bool // words is an address
}

type tone int

const (
	toneDim tone = iota
	toneGood
	toneTrouble
	tonePlain
)

func (t theme) of(tone tone) lipgloss.Style {
	switch tone {
	case toneGood:
		return t.good
	case toneTrouble:
		return t.trouble
	case tonePlain:
		return t.text
	}
	return t.dim
}

func (r row) value() string {
	if r.kind == rowChoice {
		return r.choice.chosen()
	}
	return r.field.Value()
}

// form is a list of rows, one of which has the focus.
type form struct {
	rows []row
	at   int
}

// formEvent is what happened to a form in an update. left and pressed may come
// together with a move of the focus.
type formEvent struct {
	changed string // the row whose value changed
	left    string // the row that lost the focus
	pressed string // the row on which Enter means more than "next"
}

func (f *form) row(id string) *row {
	for i := range f.rows {
		if f.rows[i].id == id {
			return &f.rows[i]
		}
	}
	return &row{}
}

// seen says that a row is on the screen.
func (r *row) seen() bool { return !r.hidden && !r.withheld }

func (f *form) focused() *row {
	if f.at < len(f.rows) {
		return &f.rows[f.at]
	}
	return &row{}
}

// focus moves to a row; a hidden or unknown one leaves it where it is.
func (f *form) focus(id string) {
	for i := range f.rows {
		if f.rows[i].id == id && f.rows[i].seen() {
			f.at = i
		}
	}
}

func (f *form) step(by int) bool {
	for i := f.at + by; i >= 0 && i < len(f.rows); i += by {
		if f.rows[i].seen() {
			f.at = i
			return true
		}
	}
	return false
}

// typing says that every printable key goes into a field now. An empty field
// leaves "?" to the help, but for one whose text isn't shown: a password may
// begin with it.
func (f *form) typing() bool {
	r := f.focused()
	return r.kind == rowText && (r.field.mask || !r.field.empty())
}

// update takes a key or a paste.
func (f form) update(msg tea.Msg) (form, formEvent) {
	f.rows = append([]row(nil), f.rows...)
	r := f.focused()
	if k, ok := msg.(tea.KeyPressMsg); ok {
		switch hit(k, f.keys()) {
		case "next":
			return f.move(1)
		case "previous":
			return f.move(-1)
		case "press":
			return f, formEvent{pressed: r.id}
		case "more":
			r.choice.step(1)
			return f, formEvent{changed: r.id}
		case "less":
			r.choice.step(-1)
			return f, formEvent{changed: r.id}
		}
	}
	if r.kind != rowText {
		return f, formEvent{}
	}
	before := r.field.Exact()
	r.field = r.field.Update(msg)
	if r.field.Exact() != before {
		return f, formEvent{changed: r.id}
	}
	return f, formEvent{}
}

func (f form) move(by int) (form, formEvent) {
	id := f.focused().id
	if !f.step(by) {
		return f, formEvent{}
	}
	return f, formEvent{left: id}
}

// keys lists what the focused row takes.
func (f *form) keys() []bind {
	r := f.focused()
	next := bind{id: "next", keys: []string{"tab", "down"}, label: "tab", does: "next", quiet: true}
	previous := bind{id: "previous", keys: []string{"shift+tab", "up"}, label: "shift+tab", does: "the one before", quiet: true}
	switch r.kind {
	case rowText:
		next.keys = append(next.keys, "enter")
		next.label, next.does, next.quiet = "↵", "next", false
		return []bind{next, previous}
	case rowChoice:
		return []bind{
			{id: "more", keys: []string{"right", "space", "enter", "l"}, label: "↵ →", does: "change"},
			{id: "less", keys: []string{"left", "h"}, label: "←", does: "change", quiet: true},
			next, previous,
		}
	case rowPick:
		return []bind{{id: "press", keys: []string{"enter", "space", "right"}, label: "↵", does: "choose"}, next, previous}
	}
	return []bind{{id: "press", keys: keyEnter, label: "↵", does: strings.ToLower(r.label)}, next, previous}
}

// draw writes the form and marks the focused row.
func (f *form) draw(s *sheet) {
	width := f.labelWidth(s.width)
	for i := range f.rows {
		r := &f.rows[i]
		if !r.seen() {
			continue
		}
		if r.heading != "" {
			s.gap()
			s.text(0, s.theme.strong, r.heading)
		}
		if r.apart {
			s.gap()
		}
		if i != f.at {
			f.drawRow(s, r, width, false)
			continue
		}
		s.focused(func() { f.drawRow(s, r, width, true) })
	}
}

func (f *form) labelWidth(width int) int {
	if width < narrow {
		return 0
	}
	most := 0
	for _, r := range f.rows {
		if r.seen() && r.kind != rowButton {
			most = max(most, ansi.StringWidth(r.label))
		}
	}
	return min(most+2, 26)
}

func (f *form) drawRow(s *sheet, r *row, labelWidth int, focused bool) {
	mark, style := "  ", s.theme.text
	if focused {
		mark, style = signHere+" ", s.theme.accent
	}
	if r.kind == rowButton {
		s.parts(part{style, mark}, part{style, r.label})
		f.drawNotes(s, r, 2, focused)
		return
	}
	if labelWidth == 0 {
		s.parts(part{style, mark}, part{style, r.label})
		f.drawValue(s, r, "    ", 4, focused)
		f.drawNotes(s, r, 4, focused)
		return
	}
	head := render(style, mark) + render(style, pad(r.label, labelWidth))
	f.drawValue(s, r, head, 2+labelWidth, focused)
	f.drawNotes(s, r, 2+labelWidth, focused)
}

func (f *form) drawValue(s *sheet, r *row, head string, left int, focused bool) {
	room := s.width - left
	switch r.kind {
	case rowText:
		text, x := r.field.view(s.theme, min(room, 52), focused)
		if focused {
			s.caret = &cursor{x: left + x, line: len(s.lines)}
		}
		s.raw(head + text)
	case rowChoice:
		for i, line := range r.choice.lines(s.theme, room, focused) {
			if i > 0 {
				head = strings.Repeat(" ", left)
			}
			s.raw(head + line)
		}
	case rowPick:
		drawBracket(s, head, left, r.shown, room, focused)
	}
}

// drawBracket writes a value that is chosen and not typed, whole.
func drawBracket(s *sheet, head string, left int, name string, room int, focused bool) {
	lines := wrap(name, max(room-4, 8))
	for i, line := range lines {
		text := render(s.theme.text, line)
		if focused && i == 0 {
			text = render(s.theme.accent, "‹ ") + text
		} else if focused {
			text = "  " + text
		}
		if focused && i == len(lines)-1 {
			text += render(s.theme.accent, " ›")
		}
		if i > 0 {
			head = strings.Repeat(" ", left)
		}
		s.raw(head + text)
	}
}

func (f *form) drawNotes(s *sheet, r *row, left int, focused bool) {
	if focused && r.why != "" {
		s.text(left, s.theme.dim, r.why)
	}
	for _, n := range r.notes {
		switch {
		case n.link:
			s.link(n.words)
		case n.sign != "":
			s.sign(left, n.sign, s.theme.of(n.tone), s.theme.text, n.words)
		default:
			s.text(left, s.theme.of(n.tone), n.words)
		}
	}
}
