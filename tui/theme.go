package tui

import (
	"charm.land/lipgloss/v2"
)

// theme holds every style that the screens use, by what it means. Colour never
// carries a meaning alone: a sign, a word or boldness says the same.
type theme struct {
	text    lipgloss.Style
	dim     lipgloss.Style // secondary, still readable
	strong  lipgloss.Style
	accent  lipgloss.Style // where the person is
	good    lipgloss.Style
	trouble lipgloss.Style
	input   lipgloss.Style // what can be typed over
	key     lipgloss.Style // a key's name in the footer
}

// The tokens: one accent, one for good, one for trouble, each for a light and
// for a dark background.
const (
	accentOnLight, accentOnDark   = "#0B5FA5", "#6CB6FF"
	goodOnLight, goodOnDark       = "#1A6B2E", "#7BC88A"
	troubleOnLight, troubleOnDark = "#A8201A", "#FF8A7A"
	dimOnLight, dimOnDark         = "#5C6370", "#9AA3AF"
)

func newTheme(dark bool) theme {
	pick := lipgloss.LightDark(dark)
	colour := func(light, dark string) lipgloss.Style {
		return lipgloss.NewStyle().Foreground(pick(lipgloss.Color(light), lipgloss.Color(dark)))
	}
	plain := lipgloss.NewStyle()
	return theme{
		text:    plain,
		dim:     colour(dimOnLight, dimOnDark),
		strong:  plain.Bold(true),
		accent:  colour(accentOnLight, accentOnDark).Bold(true),
		good:    colour(goodOnLight, goodOnDark),
		trouble: colour(troubleOnLight, troubleOnDark).Bold(true),
		input:   plain.Underline(true),
		key:     colour(accentOnLight, accentOnDark),
	}
}

// The signs. Each is one column wide and readable without colour.
const (
	signHere    = "▸"
	signGood    = "✓"
	signBad     = "✗"
	signWarn    = "!"
	signNew     = "+"
	signChange  = "~"
	signGone    = "-"
	signSame    = "="
	signWaiting = "·"
	signWorking = "›"
	signWhole   = "●"
	signPart    = "◐"
	signNone    = "○"
	signUnsure  = "?"
)

type style = lipgloss.Style
