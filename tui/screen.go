package tui

import (
	"context"

	tea "charm.land/bubbletea/v2"
)

// A screen is one small state machine. Its Page, Keys and Help are functions of
// its state and of the room it is shown in.
type screen interface {
	// Update answers a message with the screen's next state and its intent.
	Update(r room, msg tea.Msg) (screen, action)
	// Page draws the body.
	Page(r room) page
	// Keys lists the keys that work now, the most likely first.
	Keys(r room) []bind
	// Help says in sentences what the screen is for.
	Help() help
}

// An opener starts work as soon as it is shown. ctx ends when the screen closes.
type opener interface {
	Open(ctx context.Context) (screen, []tea.Cmd)
}

// A closer holds something that outlives an Update. The command it returns lets
// go of it.
type closer interface {
	Close() tea.Cmd
}

// A typist has a field that takes every printable key just now.
type typist interface {
	// Typing says whether "?" is text here and not the key for help.
	Typing() bool
}

// An interruptible screen decides itself what Ctrl-C means.
type interruptible interface {
	Interrupt() (screen, action, bool) // false: it means leaving
}

// help is what the overlay says besides the keys.
type help struct {
	title string
	text  []string // paragraphs
}

// room is what a screen may know of the place it is shown in.
type room struct {
	width  int // columns of the body
	window struct{ width, height int }
	theme  theme
	links  bool // the terminal takes links (OSC 8)
	colour bool
	dark   bool
	actors Actors
}

// page is a drawn body.
type page struct {
	title string
	notes []string // at the right of the title: the first for which there is room
	lines []string
	focus span    // lines that must be visible
	caret *cursor // where typing goes
}

type span struct{ from, to int } // to is the last line, included

type cursor struct{ x, line int }
