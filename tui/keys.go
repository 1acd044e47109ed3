package tui

import (
	tea "charm.land/bubbletea/v2"
)

// bind is one key that works now. The footer, the help and the dispatch all
// read the same list, so a key is never offered that does nothing.
type bind struct {
	id    string   // what the screen calls it
	keys  []string // as Bubble Tea names them
	label string   // as the footer shows them
	does  string   // two or three words
	more  string   // a sentence for the help; "": does is enough
	quiet bool     // works, and only the help tells it
}

// hit is the id of the bind that msg presses, and "" where it presses none.
func hit(msg tea.KeyPressMsg, binds []bind) string {
	pressed := msg.String()
	for _, b := range binds {
		for _, k := range b.keys {
			if k == pressed {
				return b.id
			}
		}
	}
	return ""
}

// The binds that mean the same everywhere.
var (
	keyEnter = []string{"enter"}
	keyEsc   = []string{"esc"}
	keyUp    = []string{"up"}
	keyDown  = []string{"down"}
)

func bindBack() bind {
	return bind{id: "back", keys: keyEsc, label: "esc", does: "back", more: "Go back. What you typed is kept."}
}

func bindQuit() bind {
	return bind{id: "quit", keys: []string{"q"}, label: "q", does: "quit"}
}

// bindMove are the quiet keys of a list: arrows and their vi twins.
func bindMove() []bind {
	return []bind{
		{id: "up", keys: []string{"up", "k"}, label: "↑", does: "up", quiet: true},
		{id: "down", keys: []string{"down", "j"}, label: "↓", does: "down", quiet: true},
	}
}
