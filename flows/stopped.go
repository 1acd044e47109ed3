package flows

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"authbird/clients"
	"authbird/doctor"
)

// Reason is why a run ended before its end; the command line makes its exit
// code of it.
type Reason int

const (
	WentWrong      Reason = iota // a request was refused, or an answer made no sense
	NeedsPerson                  // something outside must be put right first
	NeedsDecision                // a foreign object stands in the way and nobody said yes
	NotAuthorised                // the token is missing, wrong, expired or lacks rights
	CannotReach                  // a server is not there, or is not the one that was meant
	OutcomeUnknown               // a request went out and no answer told what became of it
	NotAsMeant                   // done, but the look afterwards shows something else
	NotWritten                   // the journal or the keystore could not be written
	Interrupted                  // the person stopped it
	NotProven                    // everything stands, and a check of the proof failed
)

// Stopped says where and why a run ended, what stands now and what to type
// next. Its text is one line; the rest is for the lines below it.
type Stopped struct {
	Reason  Reason
	Step    About
	Finding Finding
	Check   *doctor.Result
	Err     error
	Stands  []string // what was made and is kept, in words; empty: nothing
	// AtServers says that some of it stands at a server, not just here.
	AtServers bool
	Hints     []string // what to do next, most likely first
}

func (s *Stopped) Error() string {
	if s.Step.Title == "" {
		return s.Err.Error()
	}
	return s.Step.Title + ": " + s.Err.Error()
}

func (s *Stopped) Unwrap() error { return s.Err }

// PartWay says that something was made at a server and kept, so that
// `authbird resume` goes on from there.
func (s *Stopped) PartWay() bool { return s.AtServers }

// noKeystore is why nothing begins without the keystore. A person who left at
// its question has interrupted, and nothing failed.
func noKeystore(err error) *Stopped {
	reason := NotWritten
	if errors.Is(err, context.Canceled) {
		reason = Interrupted
	}
	return &Stopped{Reason: reason, Err: fmt.Errorf("open the keystore: %w", err)}
}

// stopAsked is why a run stopped that the person at it stopped.
const stopAsked = "stopped between two steps, as you asked"

// interruption is why a run was stopped from outside: in the words of whoever
// ended its context, else because the person asked.
type interruption struct{ cause error }

func interruptionOf(ctx context.Context) interruption { return interruption{context.Cause(ctx)} }

func (e interruption) Error() string {
	if e.cause == nil || errors.Is(e.cause, context.Canceled) {
		return stopAsked
	}
	return e.cause.Error()
}

func (e interruption) Is(target error) bool { return target == context.Canceled }
func (e interruption) Unwrap() error        { return e.cause }

// stop makes a Stopped of any error, with the step it happened at, what stands
// and what to do next.
func (r *run) stop(about About, err error) error {
	var s *Stopped
	if !errors.As(err, &s) {
		s = &Stopped{Reason: reasonOf(err), Err: err}
	}
	if s.Step.ID == "" {
		s.Step = about
	}
	if s.Reason == Interrupted {
		s.Step = About{}
	}
	s.Stands, s.AtServers = r.stands()
	if len(s.Hints) == 0 {
		s.Hints = hintsFor(s)
	}
	return s
}

func reasonOf(err error) Reason {
	switch clients.KindOf(err) {
	case clients.Unauthorised, clients.Forbidden:
		return NotAuthorised
	case clients.Unreachable, clients.WrongServer, clients.NotNow:
		return CannotReach
	case clients.Unknown:
		return OutcomeUnknown
	}
	var file *fs.PathError
	switch {
	case errors.Is(err, context.Canceled):
		return Interrupted
	case errors.As(err, &file):
		return NotWritten
	}
	return WentWrong
}

// notOpened is why a setup's state could not be opened.
func notOpened(err error) error {
	var file *fs.PathError
	if !errors.As(err, &file) {
		return err
	}
	return &Stopped{Reason: NotWritten, Err: err, Hints: []string{"make room, mend the permissions of the state folder, or name another with --state-dir"}}
}

// stands lists, in words, what the journal says was made and still stands.
func (r *run) stands() (out []string, atServers bool) {
	for _, s := range r.flow.Steps {
		about := s.About()
		if receipt, _ := r.Journal.Last(about.ID); receipt.ObjectID != "" {
			out = append(out, about.words())
			atServers = atServers || about.Where != Here
		}
	}
	return out, atServers
}

// words name an object and where it is: provider "NetBird" at Authentik.
func (a About) words() string {
	if a.Where == Here {
		return a.Title + " here"
	}
	return fmt.Sprintf("%s %q at %s", a.Title, a.Object, a.Where)
}

func standsAlready(about About, found Finding) string {
	if found.Ours {
		return fmt.Sprintf("%q at %s is ours, and differs from what this setup asks for", about.Object, about.Where)
	}
	return fmt.Sprintf("%q stands at %s already, and is not as this setup needs it", about.Object, about.Where)
}

func notAsMeant(f Finding) string {
	if len(f.Fields) == 0 {
		return "it was done, but it does not stand there afterwards"
	}
	words := make([]string, 0, len(f.Fields))
	for _, d := range f.Fields {
		words = append(words, fmt.Sprintf("%s is %q instead of %q", d.Name, d.Have, d.Want))
	}
	return "it was done, but afterwards " + strings.Join(words, ", ")
}

// preflightError turns the gravest failed check into the reason to stop before
// anything was written.
func preflightError(results []doctor.Result) error {
	return checkError(results, NeedsPerson)
}

// proofError is why the finished setup doesn't count as proven: a check failed,
// or one could not be judged.
func proofError(results []doctor.Result) error {
	if err := checkError(results, NotProven); err != nil {
		return err
	}
	for _, c := range results {
		if c.Verdict == doctor.Unknown {
			return &Stopped{Reason: NotProven, Check: &c, Err: fmt.Errorf("it could not be seen whether %s: %s", c.Title, orNone(c.Evidence))}
		}
	}
	return nil
}

func checkError(results []doctor.Result, standing Reason) error {
	for _, c := range results {
		if c.Verdict != doctor.Fail {
			continue
		}
		s := &Stopped{Reason: standing, Check: &c, Err: errors.New(c.Cause)}
		switch c.Blame {
		case doctor.NotAllowed:
			s.Reason = NotAuthorised
		case doctor.Unreachable:
			s.Reason = CannotReach
		case doctor.Person:
			s.Reason = NeedsPerson
		}
		if c.Advice != "" {
			s.Hints = append(s.Hints, c.Advice)
		}
		return s
	}
	return nil
}

// another says by which flag a step's object gets out of a foreign one's way.
func another(step string) string {
	switch step {
	case stepProvider, stepRedirect:
		return "--name NAME chooses another"
	case stepApplication:
		return "--slug SLUG chooses another"
	case stepConnector:
		return "--connector-name NAME chooses another"
	case stepServiceAccount, stepAppPassword, stepRights, stepAccess, stepRole, stepReaderGroup:
		return "--service-account NAME chooses another"
	case stepBrand:
		return "without it the brand keeps the flow that it has"
	case stepSetupEnv:
		return "--env-file FILE chooses another"
	}
	return "or choose other names"
}

func hintsFor(s *Stopped) []string {
	switch s.Reason {
	case NeedsDecision:
		if s.Finding.Ours {
			return []string{"--adopt makes it what the setup asks for"}
		}
		return []string{"--adopt takes it over and changes the fields shown; " + another(s.Step.ID)}
	case NotWritten:
		return []string{"make room for what could not be written, or mend its permissions; then the same command goes on"}
	}
	if s.PartWay() {
		return []string{"authbird resume"}
	}
	return nil
}
