package tui

import (
	tea "charm.land/bubbletea/v2"

	"authbird/state"
)

// modeScreen asks in which way the two shall be joined, and says what each way
// costs.
type modeScreen struct {
	modes []state.Mode
	at    int
}

func newModeScreen(modes []state.Mode, chosen state.Mode) modeScreen {
	s := modeScreen{modes: modes}
	for i, m := range modes {
		if m == chosen {
			s.at = i
		}
	}
	return s
}

// modePicked says which; the program adds the mode's defaults.
type modePicked struct{ mode state.Mode }

func (modePicked) intent() {}

func (s modeScreen) Update(r room, msg tea.Msg) (screen, action) {
	k, ok := msg.(tea.KeyPressMsg)
	if !ok {
		return s, stay{}
	}
	switch hit(k, s.Keys(r)) {
	case "up":
		s.at = max(s.at-1, 0)
	case "down":
		s.at = min(s.at+1, len(s.modes)-1)
	case "take":
		return s, modePicked{s.modes[s.at]}
	case "back":
		return s, back{noEdit{}}
	case "quit":
		return s, leave{}
	}
	return s, stay{}
}

// card is one mode as the screen shows it.
type card struct {
	name, tag string
	costs     []string
}

func cardOf(m state.Mode) card {
	if m == state.Standalone {
		return card{wordsStandalone, wordsAdvanced, wordsStandaloneCosts}
	}
	return card{wordsConnector, wordsRecommended, wordsConnectorCosts}
}

func (s modeScreen) Page(r room) page {
	sh := newSheet(r)
	for i, m := range s.modes {
		sh.gap()
		if i == s.at {
			sh.focused(func() { drawCard(sh, cardOf(m), true) })
			continue
		}
		drawCard(sh, cardOf(m), false)
	}
	return sh.page(wordsModeTitle, wordsModeNote)
}

// drawCard writes a card with a bar at its left, heavy where the cursor is.
func drawCard(sh *sheet, c card, here bool) {
	th := sh.theme
	bar, name, barStyle := "│", th.strong, th.dim
	if here {
		bar, name, barStyle = "┃", th.accent, th.accent
	}
	mark := "  "
	if here {
		mark = signHere + " "
	}
	sh.parts(part{barStyle, bar + " "}, part{name, mark + c.name}, part{th.dim, "  " + c.tag})
	for _, cost := range c.costs {
		for i, line := range wrap(cost, sh.width-6) {
			start := "· "
			if i > 0 {
				start = "  "
			}
			sh.parts(part{barStyle, bar + " "}, part{th.text, "  " + start + line})
		}
	}
}

func (s modeScreen) Keys(room) []bind {
	out := []bind{{id: "take", keys: keyEnter, label: "↵", does: "take this"}}
	if len(s.modes) > 1 {
		out = append(out, bindMove()...)
	}
	return append(out, bindBack(), bindQuit())
}

func (modeScreen) Help() help { return helpMode }
