// Package flows does the work of authbird: it plans, runs, resumes and takes
// back what joins one Authentik to one NetBird.
//
// A flow is a list of steps, each of which brings one object to the state that
// the answers ask for. The engine walks the list: it looks before it acts,
// writes down what it is about to do before it does it, and believes nothing
// that was not read back. Running again is resuming; there is no other path.
//
// The package knows no terminal. It speaks through one function (Watch) and
// asks through one (Adopt), and it refuses to change anything that stood there
// before without a yes.
package flows

import (
	"context"
	"errors"

	"authbird/clients"
	"authbird/facts"
	"authbird/state"
)

// Verdict is what a look at one object found.
type Verdict string

const (
	InPlace Verdict = "in place"
	Missing Verdict = "missing"
	Differs Verdict = "differs"
	Blocked Verdict = "blocked" // a person must act first; the finding's note says how
)

// Field is one difference between what stands and what the answers ask for.
type Field struct {
	Name string `json:"name"`
	Have string `json:"have"`
	Want string `json:"want"`
}

// Finding says what a step sees of its object. Its texts may hold what a
// server said, and are cleaned of control characters.
type Finding struct {
	Verdict  Verdict `json:"verdict"`
	ObjectID string  `json:"object_id,omitempty"` // what stands there now, ours or not
	Fields   []Field `json:"fields,omitempty"`
	Note     string  `json:"note,omitempty"`
	Ours     bool    `json:"ours,omitempty"` // authbird made what stands there; the engine sets it by the journal
	// Err is why the object could not be looked at, with Blocked; nil where a
	// person must act for another reason.
	Err error `json:"-"`
	// Intent is what the journal keeps before Do begins: what Undo would
	// restore, and the digest of what will be sent.
	Intent state.Receipt `json:"-"`
}

// unreadable is the finding where a server could not be asked about an object.
func unreadable(what string, err error) Finding {
	return Finding{Verdict: Blocked, Note: what + " could not be read: " + clients.Clean(err.Error()), Err: err}
}

// stopped is why a blocked object ends the run.
func (f Finding) stopped(about About) *Stopped {
	s := &Stopped{Reason: NeedsPerson, Step: about, Err: errors.New(f.Note)}
	if f.Err != nil {
		s.Reason = reasonOf(f.Err)
	}
	return s
}

// A Step brings one object to the state that the answers ask for.
type Step interface {
	// About names the step. The ID never changes once released: it is the
	// journal's key.
	About() About
	// Look judges from what was read, and never reads or writes itself.
	Look(f *facts.Facts, past state.Receipt) Finding
	// Do makes or changes the object and reads back into f what it changed. It
	// may be called again after a lost answer.
	Do(ctx context.Context, f *facts.Facts, found Finding) (state.Receipt, error)
	// Undo removes what the receipt says is ours, or restores what it says
	// stood there before. An object already gone is no error.
	Undo(ctx context.Context, r state.Receipt) error
}

// About is what the screens say of a step.
type About struct {
	ID     string
	Title  string // the object, as the screen calls it
	Where  Place
	Object string // its name there
	Why    string // one sentence: why it is needed
	Makes  string // one line: what will be made, for the plan
	With   string // the step whose Do makes this object too, in one request
}

// Place is the side an object stands on.
type Place string

const (
	AtAuthentik Place = "Authentik"
	AtNetBird   Place = "NetBird"
	Here        Place = "here"
)
