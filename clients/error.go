package clients

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Kind says what a failed call means for the person and for the engine.
type Kind int

// The kinds of failure. The zero Kind is no kind: the error did not come from a server call.
const (
	// Refused: the server understood and said no (a 4xx); nothing was changed.
	Refused Kind = iota + 1
	// Unauthorised: the token is missing, wrong or expired; nothing was changed.
	Unauthorised
	// Forbidden: the token is good and lacks the right; nothing was changed.
	Forbidden
	// Absent: no such object.
	Absent
	// Conflict: an object with one of the values that must be unique stands there already; nothing was changed.
	Conflict
	// Unreachable: nothing was sent, or a read got no answer; nothing was changed.
	Unreachable
	// Unknown: the request was sent and no answer tells what became of it. Look before doing anything else.
	Unknown
	// WrongServer: what answered is not the product that was meant, or something stands in front of it.
	WrongServer
	// Unsupported: this version of the server doesn't know the call.
	Unsupported
	// NotNow: the server asks to come back later (429, or 503 with Retry-After); nothing was changed.
	NotNow
	// Cancelled: the caller gave up before anything was changed; errors.Is(err, context.Canceled) holds.
	Cancelled
)

var kindNames = map[Kind]string{
	Refused: "refused", Unauthorised: "not authorised", Forbidden: "not permitted", Absent: "absent",
	Conflict: "conflict", Unreachable: "unreachable", Unknown: "outcome unknown", WrongServer: "wrong server",
	Unsupported: "unsupported", NotNow: "not now", Cancelled: "cancelled",
}

// String is the kind in words, lower case.
func (k Kind) String() string { return kindNames[k] }

// Error is a failed call, told in one line: what was tried, where, how it ended and what the server said.
// It never holds a secret: server text was cleaned, cut, and rid of the values that the call knew to be secret.
type Error struct {
	Kind       Kind
	Server     string              // "Authentik" or "NetBird"
	Op         string              // what was tried, in words: "create the provider"
	Method     string              // of the request
	URL        string              // of the request, redacted
	Status     int                 // of the answer; 0 where there was none
	Message    string              // the cause in one sentence, or what the server said
	Fields     map[string][]string // what the server said by field, nested ones joined by a dot ("provider.client_id")
	RetryAfter time.Duration       // for NotNow, where the server named it
	Err        error               // what lies beneath, where something does
}

// Error is one line.
func (e *Error) Error() string {
	var b strings.Builder
	if e.Op != "" {
		b.WriteString(e.Op)
		if e.Server != "" && !strings.Contains(e.Op, e.Server) {
			b.WriteString(" in " + e.Server)
		}
	} else {
		b.WriteString(e.Method + " " + e.URL)
	}
	b.WriteString(": " + e.Kind.String())
	if e.Status != 0 {
		fmt.Fprintf(&b, " (%d)", e.Status)
	}
	if e.Message != "" {
		b.WriteString(": " + e.Message)
	}
	return b.String()
}

// Unwrap gives what lies beneath: errors.Is finds context.Canceled here.
func (e *Error) Unwrap() error { return e.Err }

// KindOf is the kind of the first *Error in err's chain, and 0 where there is none.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return 0
}
