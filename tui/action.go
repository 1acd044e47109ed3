package tui

import (
	tea "charm.land/bubbletea/v2"

	"authbird/doctor"
	"authbird/flows"
	"authbird/state"
)

// action is what a screen wants after a message. The set is sealed: the program
// knows every one of them and decides what follows.
type action interface{ intent() }

type (
	// stay wants nothing.
	stay struct{}
	// perform runs commands and brings what comes of them back to this screen.
	perform struct{ cmds []tea.Cmd }
	// both is one intent after the other.
	both struct{ first, second action }
	// push shows another screen over this one.
	push struct{ screen screen }
	// answer closes this screen and hands the message to the one below.
	answer struct{ msg tea.Msg }
	// back closes this screen and keeps what was typed.
	back struct{ edit edit }
	// forward says that this screen's question is answered.
	forward struct{ edit edit }
	// openSetup begins the walk for a setup that stands already.
	openSetup struct {
		setup   *state.Setup
		purpose purpose
	}
	// beginSetup begins the walk for a new setup.
	beginSetup struct{}
	// start runs a plan; the session moves to the run.
	start struct {
		job  *job
		plan *flows.Plan
	}
	// prove shows the way to a first login; the session moves along.
	prove struct {
		job     *job
		plan    *flows.Plan
		results []doctor.Result
	}
	// finish ends a walk with what it came to.
	finish struct {
		job     *job
		plan    *flows.Plan
		results []doctor.Result
		login   string // who was let in; "": nobody yet
		waits   string // who signed in and waits for approval
	}
	// recall closes what stands over this screen.
	recall struct{}
	// completed says that a run came to its good end.
	completed struct{ name string }
	// change leads back to an answer.
	change struct{ what question }
	// send puts a text on the terminal's clipboard, as far as the terminal obeys.
	send struct{ text string }
	// retype presses keys that came before the screen could take them.
	retype struct{ keys []tea.KeyPressMsg }
	// home leads to the list of setups.
	home struct{}
	// leave ends the program. err is how the run that it ends came out.
	leave struct{ err error }
)

// purpose is what a walk for a setup that stands is about.
type purpose int

const (
	toComplete purpose = iota
	toRemove
	toExamine // ask the doctor
	toRenew   // a credential
)

// question names the screen where an answer can be changed.
type question int

const (
	askOptions question = iota
	askAuthentik
	askNetBird
	askAgain // open the setup anew and look again
)

func (stay) intent()       {}
func (perform) intent()    {}
func (both) intent()       {}
func (push) intent()       {}
func (answer) intent()     {}
func (back) intent()       {}
func (forward) intent()    {}
func (openSetup) intent()  {}
func (beginSetup) intent() {}
func (start) intent()      {}
func (prove) intent()      {}
func (finish) intent()     {}
func (recall) intent()     {}
func (completed) intent()  {}
func (change) intent()     {}
func (send) intent()       {}
func (retype) intent()     {}
func (home) intent()       {}
func (leave) intent()      {}

// do is perform with the commands spelled out.
func do(cmds ...tea.Cmd) action {
	if len(cmds) == 0 {
		return stay{}
	}
	return perform{cmds}
}
