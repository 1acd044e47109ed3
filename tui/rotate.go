package tui

import (
	"context"
	"time"

	tea "charm.land/bubbletea/v2"

	"authbird/flows"
	"authbird/state"
)

// rotateScreen lists the credentials of all setups, their ages and when they are
// due. It reads this machine alone.
type rotateScreen struct {
	shelf  Shelf
	now    func() time.Time
	rows   []flows.Renewal
	setups map[string]*state.Setup
	loaded bool
	early  []tea.KeyPressMsg // typed before the list was there
	err    error
	at     int
	look   string // the setup to put the cursor on
}

func newRotateScreen(shelf Shelf, now func() time.Time, look string) rotateScreen {
	return rotateScreen{shelf: shelf, now: now, look: look}
}

// showCredentials is the intent to list the credentials, with the cursor on a
// setup's.
type showCredentials struct{ setup string }

// renewOne is the intent to renew one credential of a setup.
type renewOne struct {
	setup      *state.Setup
	credential string
}

// renewLeaked is the intent to renew all of a setup, whose secrets are in wrong
// hands.
type renewLeaked struct{ setup *state.Setup }

func (showCredentials) intent() {}
func (renewOne) intent()        {}
func (renewLeaked) intent()     {}

// leak is a walk through the secrets of a setup that are in wrong hands.
type leak struct {
	setup *state.Setup // nil: none is
	order []string     // what is renewed, one after the other
	at    int
	yours []string // what only the person can end
}

// next is the one to renew after this one; "": this is the last.
func (l leak) next() string {
	if l.setup == nil || l.at+1 >= len(l.order) {
		return ""
	}
	return l.order[l.at+1]
}

func (s rotateScreen) Open(context.Context) (screen, []tea.Cmd) {
	shelf := s.shelf
	return s, []tea.Cmd{func() tea.Msg {
		setups, err := shelf.List()
		return setupsRead{setups: setups, err: err}
	}}
}

func (s rotateScreen) Update(r room, msg tea.Msg) (screen, action) {
	switch msg := msg.(type) {
	case setupsRead:
		s.take(msg)
		early := s.early
		s.early = nil
		return s, retype{early}
	case tea.KeyPressMsg:
		id := hit(msg, s.Keys(r))
		if !s.loaded && (len(s.early) > 0 || id != "back" && id != "quit") {
			s.early = append(s.early[:len(s.early):len(s.early)], msg)
			return s, stay{}
		}
		switch id {
		case "up":
			s.at = max(s.at-1, 0)
		case "down":
			s.at = min(s.at+1, len(s.rows)-1)
		case "renew":
			row := s.rows[s.at]
			return s, renewOne{s.setups[row.Setup], row.Name}
		case "leak":
			return s, renewLeaked{s.setups[s.rows[s.at].Setup]}
		case "back":
			return s, back{noEdit{}}
		case "quit":
			return s, leave{}
		}
	}
	return s, stay{}
}

// take lists the credentials of each setup that has its secret, which comes
// first.
func (s *rotateScreen) take(read setupsRead) {
	s.loaded, s.err, s.rows, s.setups = true, read.err, nil, map[string]*state.Setup{}
	for _, x := range read.setups {
		s.setups[x.Name] = x
		all := flows.Renewals(x, s.now())
		if !all[0].Known {
			continue
		}
		for _, r := range all {
			if x.Name == s.look {
				s.at, s.look = len(s.rows), ""
			}
			s.rows = append(s.rows, r)
		}
	}
	s.at = max(0, min(s.at, len(s.rows)-1))
}

// chosen is the credential under the cursor.
func (s rotateScreen) chosen() (flows.Renewal, bool) {
	if s.at < len(s.rows) {
		return s.rows[s.at], true
	}
	return flows.Renewal{}, false
}

func (s rotateScreen) Keys(room) []bind {
	var keys []bind
	if row, ok := s.chosen(); ok && row.Why == "" {
		keys = append(keys, bind{id: "renew", keys: keyEnter, label: "↵", does: wordsRotateRenew, more: wordsRotateRenewMore})
	}
	if _, ok := s.chosen(); ok {
		keys = append(keys, bind{id: "leak", keys: []string{"l"}, label: "l", does: wordsRotateLeak, more: wordsRotateLeakMore})
	}
	return append(append(keys, bindMove()...), bindBack(), bindQuit())
}

func (rotateScreen) Help() help { return helpRotate }
