package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"authbird/clients"
	"authbird/flows"
	"authbird/keystore"
	"authbird/sshd"
	"authbird/state"
)

// The exit codes, as the contract of the command line has them.
const (
	exitDone        = 0   // done, or nothing to do
	exitFailed      = 1   // failed
	exitUsage       = 2   // wrong or missing arguments
	exitPerson      = 3   // a person must act or decide first
	exitAuth        = 4   // not authorised, or the token lacks rights
	exitReach       = 5   // a server can't be reached
	exitPartWay     = 8   // stopped part-way, authbird resume goes on
	exitInterrupted = 130 // stopped by the person
)

// outcome is how a run ended: for people a line and the lines below it, for
// programs the last JSON line.
type outcome struct {
	Setup   string
	Exit    int
	Message string   // one line, lower case, no full stop
	Hints   []string // what stands now, what to do
	Next    string   // the command to type next; empty: none
	Login   string   // where a person signs in, after a setup
	Command string   // the same by flags, after a setup
	// Proven says, after a renewal, whether a use of the new one was seen since;
	// nil of other verbs. Windows are when logins could fail meanwhile.
	Proven  *bool
	Windows []flows.Window
}

// usageError is a wrong or missing argument.
type usageError struct {
	message string
	hints   []string
}

func (e *usageError) Error() string { return e.message }

func usagef(format string, args ...any) error {
	return &usageError{message: fmt.Sprintf(format, args...)}
}

// errInterrupted is a stop by the person before anything was begun.
var errInterrupted = errors.New("interrupted; nothing was begun")

// exitOf maps every kind of error to its exit code. It is the only place that
// does.
func exitOf(err error) int {
	var usage *usageError
	var stopped *flows.Stopped
	var gaveUp *gaveUpError
	var busy *state.BusyError
	var newer *state.NewerError
	var unfit *sshd.Error
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &usage), errors.Is(err, keystore.ErrNoPassphrase), errors.Is(err, errEnd):
		return exitUsage
	case errors.As(err, &gaveUp), errors.Is(err, errInterrupted), errors.Is(err, errLeft):
		return exitInterrupted
	case errors.As(err, &busy), errors.As(err, &newer), errors.As(err, &unfit), needsKeystore(err):
		return exitPerson
	case errors.As(err, &stopped):
		return exitOfStop(stopped)
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	}
	return exitOfKind(clients.KindOf(err))
}

// needsKeystore says that a person must bring the keystore in order first.
func needsKeystore(err error) bool {
	for _, e := range []error{keystore.ErrLocked, keystore.ErrPassphrase, keystore.ErrUnavailable, keystore.ErrReadOnly} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

func exitOfStop(s *flows.Stopped) int {
	switch s.Reason {
	case flows.Interrupted:
		return exitInterrupted
	case flows.NeedsPerson, flows.NeedsDecision:
		return exitPerson
	case flows.NotProven:
		return exitFailed
	case flows.OutcomeUnknown:
		return exitPartWay
	}
	if s.PartWay() {
		return exitPartWay
	}
	switch s.Reason {
	case flows.NotAuthorised:
		return exitAuth
	case flows.CannotReach:
		return exitReach
	}
	return exitFailed
}

func exitOfKind(k clients.Kind) int {
	switch k {
	case clients.Unauthorised, clients.Forbidden:
		return exitAuth
	case clients.Unreachable, clients.WrongServer, clients.NotNow, clients.Unknown:
		return exitReach
	case clients.Unsupported:
		return exitPerson
	}
	return exitFailed
}

// explain makes of an error what is said about it.
func explain(err error) outcome {
	out := outcome{Exit: exitOf(err), Message: oneLine(err.Error()), Hints: keystoreHints(err)}
	var usage *usageError
	var stopped *flows.Stopped
	var gaveUp *gaveUpError
	var busy *state.BusyError
	var unfit *sshd.Error
	part := out.Exit == exitPartWay
	switch {
	case errors.As(err, &usage):
		out.Hints = usage.hints
	case errors.As(err, &busy):
		out.Hints = []string{"wait until it has ended, or end it; authbird status only reads and works meanwhile"}
	case errors.As(err, &unfit):
		out.Hints = unfit.Hints
	case errors.As(err, &stopped):
		explainStop(&out, stopped)
		part = part || stopped.PartWay() || stopped.Reason == flows.Interrupted && len(stopped.Stands) > 0
	case errors.Is(err, errLeft):
		out.Message = errLeft.Error()
	case errors.Is(err, errEnd):
		out.Hints = []string{"nothing was changed; every question has a flag, and --yes asks nothing"}
	case out.Exit == exitInterrupted:
		out.Message = errInterrupted.Error()
	}
	if errors.As(err, &stopped) && stopped.Reason == flows.Interrupted {
		out.Message = "interrupted; what had begun is finished"
	}
	if errors.As(err, &gaveUp) {
		out.Message = "given up at once: what became of the last request is unknown, and the next run looks"
		part = true
	}
	var setup *setupError
	if errors.As(err, &setup) {
		out.Setup = setup.name
		if part || stopped != nil && slices.Contains(stopped.Hints, "authbird resume") {
			out.Next = resumeCommand(setup.name)
		}
	}
	var again *againError
	if errors.As(err, &again) && out.Exit != exitPerson {
		out.Next = again.command
	}
	return out
}

// keystoreHints is what to do where the keystore stands in the way.
func keystoreHints(err error) []string {
	switch {
	case errors.Is(err, keystore.ErrNoPassphrase):
		return []string{"AUTHBIRD_PASSPHRASE_FILE names a file with the passphrase; --keystore env takes secrets from the environment instead"}
	case errors.Is(err, keystore.ErrPassphrase):
		return []string{"AUTHBIRD_PASSPHRASE_FILE names the file with the passphrase"}
	case errors.Is(err, keystore.ErrLocked):
		return []string{"unlock it, or name another with --keystore"}
	case errors.Is(err, keystore.ErrUnavailable):
		return []string{"--keystore file keeps secrets in an encrypted file, --keystore env takes them from the environment"}
	}
	return nil
}

func explainStop(out *outcome, s *flows.Stopped) {
	if len(s.Stands) > 0 {
		out.Hints = append(out.Hints, "stands now: "+strings.Join(s.Stands, ", "))
	} else if out.Exit == exitInterrupted || out.Exit == exitPerson {
		out.Hints = append(out.Hints, "nothing was changed")
	}
	for _, f := range s.Finding.Fields {
		if s.Reason == flows.NeedsDecision {
			out.Hints = append(out.Hints, fmt.Sprintf("%s is %s, and would become %s", f.Name, orNothing(f.Have), orNothing(f.Want)))
		}
	}
	for _, h := range s.Hints {
		if h != "authbird resume" { // said as the command to type next
			out.Hints = append(out.Hints, h)
		}
	}
}

// gaveUpError is a second Ctrl-C: the person did not wait for the last answer.
type gaveUpError struct{ err error }

func (e *gaveUpError) Error() string { return e.err.Error() }
func (e *gaveUpError) Unwrap() error { return e.err }

func resumeCommand(setup string) string { return "authbird resume " + quote(setup) }

// setupError says which setup an error belongs to.
type setupError struct {
	name string
	err  error
}

func (e *setupError) Error() string { return e.err.Error() }
func (e *setupError) Unwrap() error { return e.err }

func ofSetup(name string, err error) error {
	if err == nil {
		return nil
	}
	return &setupError{name: name, err: err}
}

// writeFailure says a failure to people: one line, then indented ones with
// what stands and what to type next.
func writeFailure(w io.Writer, out outcome) {
	var b strings.Builder
	fmt.Fprintf(&b, "authbird: %s\n", clients.Clean(out.Message))
	for _, h := range out.Hints {
		fmt.Fprintf(&b, "  %s\n", clients.Clean(h))
	}
	if out.Next != "" {
		fmt.Fprintf(&b, "  to go on: %s\n", clients.Clean(out.Next))
	}
	_, _ = io.WriteString(w, b.String())
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

func orNothing(s string) string {
	if s == "" {
		return "nothing"
	}
	return fmt.Sprintf("%q", s)
}
