package sshd

import "fmt"

// Error is why nobody can be served: something that the operator must put right
// first.
type Error struct {
	Message string   // one line, lower case, no full stop
	Hints   []string // what to do, most likely first
	Usage   bool     // a flag, or a file that a flag names, is wrong
}

func (e *Error) Error() string { return e.Message }

// wrongf is an Error about a flag or what it names.
func wrongf(format string, args ...any) *Error {
	return &Error{Message: fmt.Sprintf(format, args...), Usage: true}
}

// unfitf is an Error about this machine's files.
func unfitf(format string, args ...any) *Error {
	return &Error{Message: fmt.Sprintf(format, args...)}
}

func (e *Error) hint(format string, args ...any) *Error {
	e.Hints = append(e.Hints, fmt.Sprintf(format, args...))
	return e
}
