package tui

import (
	"strings"

	"charm.land/bubbles/v2/key"
	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
)

// field is one line to type in. A masked one draws a dot for each character and
// never the character.
type field struct {
	in   textinput.Model
	mask bool
	hint string // shown while nothing is typed
}

// longest is the most characters that a field takes.
const longest = 2048

func newField(value, hint string) field {
	in := textinput.New()
	in.SetVirtualCursor(false)
	in.CharLimit = longest
	in.KeyMap.Paste = key.NewBinding() // it would read the clipboard of the machine that authbird runs on
	in.SetValue(value)
	in.CursorEnd()
	return field{in: in, hint: hint}
}

func newMasked(value, hint string) field {
	f := newField(value, hint)
	f.mask = true
	return f
}

// Update takes a key or a paste.
func (f field) Update(msg tea.Msg) field {
	f.in.Focus()
	f.in, _ = f.in.Update(msg)
	return f
}

// Value is what was typed, without blanks around it.
func (f field) Value() string { return strings.TrimSpace(f.in.Value()) }

// Exact is what was typed, blanks included: a passphrase may end in one.
func (f field) Exact() string { return f.in.Value() }

func (f field) empty() bool { return f.in.Value() == "" }

func (f field) set(value string) field {
	f.in.SetValue(value)
	f.in.CursorEnd()
	return f
}

// view draws the field in width columns and says in which of them typing goes.
// What is longer than the width scrolls with the caret.
func (f field) view(th theme, width int, focused bool) (string, int) {
	width = max(width, 4)
	if f.empty() && f.hint != "" {
		return render(th.dim, ansi.Truncate(f.hint, width, "…")), 0
	}
	runes := []rune(f.in.Value())
	at := min(f.in.Position(), len(runes))
	if f.mask {
		for i := range runes {
			runes[i] = '•'
		}
	}
	if !focused {
		return render(th.text, ansi.Truncate(string(runes), width, "…")), 0
	}
	from := 0
	for from < at && ansi.StringWidth(string(runes[from:at])) > width-1 {
		from++
	}
	shown := ansi.Truncate(string(runes[from:]), width, "")
	fill := width - ansi.StringWidth(shown)
	return render(th.input, shown+strings.Repeat(" ", max(fill, 0))), ansi.StringWidth(string(runes[from:at]))
}
