package tui

import (
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"
	"charm.land/huh/v2"
	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"
)

// selection is one of a few values, changed in place with the arrows: a select
// of huh on one line. The form around it has the focus and says when it is drawn
// as focused.
type selection struct {
	sel   *huh.Select[string]
	value *string
	theme *theme // read at each drawing
	count int
}

// newSelection takes pairs: each value and how it is called. The first is chosen
// where none is value.
func newSelection(value string, pairs ...string) selection {
	s := selection{value: &value, theme: &theme{}, count: len(pairs) / 2}
	var options []huh.Option[string]
	known := false
	for i := 0; i+1 < len(pairs); i += 2 {
		options = append(options, huh.NewOption(pairs[i+1], pairs[i]))
		known = known || pairs[i] == value
	}
	if !known && len(pairs) > 0 {
		value = pairs[0]
	}
	keys := huh.NewDefaultKeyMap()
	keys.Select.Filter.SetEnabled(false) // a few values need none, and "/" is no key here
	keys.Select.Left = key.NewBinding(key.WithKeys("left"))
	keys.Select.Right = key.NewBinding(key.WithKeys("right"))
	s.sel = huh.NewSelect[string]().Options(options...).Value(&value)
	s.sel.WithKeyMap(keys)
	s.sel.Inline(true).WithTheme(huh.ThemeFunc(func(bool) *huh.Styles { return selectionStyles(*s.theme) }))
	return s
}

func selectionStyles(th theme) *huh.Styles {
	var s huh.Styles
	plain := lipgloss.NewStyle()
	s.Focused.SelectedOption, s.Focused.TextInput.Placeholder = th.text, th.dim
	s.Blurred = s.Focused
	s.Focused.PrevIndicator = plain.Inherit(th.accent).SetString("‹ ")
	s.Focused.NextIndicator = plain.Inherit(th.accent).SetString(" ›")
	return &s
}

// step goes to the next value, or with a negative number to the one before; at
// an end it begins anew.
func (s selection) step(by int) {
	k := tea.KeyPressMsg{Code: tea.KeyRight}
	if by < 0 {
		k.Code = tea.KeyLeft
	}
	s.sel.Update(k)
}

// chosen is the value; "" of none.
func (s selection) chosen() string {
	if s.value == nil {
		return ""
	}
	return *s.value
}

// lines draws the value in width columns.
func (s selection) lines(th theme, width int, focused bool) []string {
	if s.sel == nil {
		return []string{""}
	}
	*s.theme = th
	s.sel.Blur()
	if focused {
		s.sel.Focus()
	}
	s.sel.WithWidth(max(width, 8))
	// Inline, huh gives it one line and scrolls that by the place in the list; so
	// that a long name is seen whole, it gets more lines than it can need.
	s.sel.Height(s.count + longestName)
	var lines []string
	for _, l := range strings.Split(s.sel.View(), "\n") {
		if strings.TrimSpace(ansi.Strip(l)) != "" {
			lines = append(lines, strings.TrimRight(l, " "))
		}
	}
	return lines
}

// longestName is the most lines that a value's name takes.
const longestName = 8
