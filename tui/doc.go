// Package tui is authbird's program for a person at a terminal: it shows the
// setups, walks through a new one, runs it and waits with the person for the
// first login.
//
// It promises that the screen is true (a tick follows a check, never a request),
// that the footer offers only keys that work now, that going back keeps what was
// typed, and that a masked value is never drawn. It decides nothing about the
// two servers: flows does the work, and this package speaks with it through the
// small interfaces of bench.go, so that every screen is tested against fakes.
//
// The program is a stack of small screens. A screen is a state machine whose
// Update answers with an action, an intent; the program alone decides what
// follows from it (decide.go). Update does no input or output: what takes time
// is a command, whose answer comes back to the screen that asked and to no
// other.
//
// It refuses to query a terminal and wait for the reply, to read the clipboard of
// the machine it runs on, and to put server text on the screen that was not
// cleaned.
package tui
