package tui

import (
	"time"

	tea "charm.land/bubbletea/v2"
)

// deaf is the state of a screen that came by itself. Keys that were typed for
// the screen before it are swallowed: it begins to listen when no key has come
// for a moment.
type deaf struct {
	on  bool
	seq int
}

// listening says that a moment without keys has passed.
type listening struct{ seq int }

// deafTime is long enough for keys that were under way, and short enough that
// nobody has read the question.
const deafTime = 400 * time.Millisecond

func (d deaf) soon() tea.Cmd {
	seq := d.seq
	return tea.Tick(deafTime, func(time.Time) tea.Msg { return listening{seq} })
}

// hears says whether a message is for the screen; where it is not, the screen
// does what the intent says.
func (d *deaf) hears(msg tea.Msg) (bool, action) {
	if l, ok := msg.(listening); ok {
		d.on = d.on && l.seq != d.seq
		return false, stay{}
	}
	if !d.on {
		return true, nil
	}
	d.seq++
	return false, do(d.soon())
}
