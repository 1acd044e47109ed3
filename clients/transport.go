// Package clients carries every HTTP request that authbird makes, and says of each failed one what kind of
// failure it was.
//
// It promises: a call has a timeout and can be cancelled; reads are tried again where that can help, writes only
// where nothing was sent or the server said "not now", so a create is never sent twice; a redirect is never
// followed; an answer is read up to a limit; an error is one line, in words, without a secret in it; and the
// trace holds neither bodies nor tokens. It refuses to guess: a write that was sent and got no telling answer is
// Unknown, and the caller looks.
//
// The rooms below, authentik, netbird and oidc, say what is asked of whom. None of them knows a flow.
package clients

import (
	"context"
	"net/http"
	"time"
)

// Options shape a Transport. The zero value is ready for use.
type Options struct {
	CAFile    string                                           // PEM certificates to trust beside the system's
	Timeout   time.Duration                                    // for each attempt; default 20 s
	UserAgent string                                           // default "authbird"
	Trace     func(Exchange)                                   // hears of every attempt; nil: none
	Base      http.RoundTripper                                // nil: keep-alive, proxies from the environment
	Wait      func(ctx context.Context, d time.Duration) error // between attempts; nil: a timer
	Now       func() time.Time                                 // nil: time.Now
	Attempts  int                                              // at most, for what may be tried again; default 4
}

// Transport sends requests. It is safe for concurrent use, and one is meant to serve a whole run.
type Transport struct {
	opts Options
}

// New builds a Transport. It fails only where CAFile can't be read or holds no certificate.
func New(o Options) (*Transport, error) { return &Transport{opts: o}, nil }

// Meta is what an answer tells beside its body: for the clock, the certificate and the process behind it.
type Meta struct {
	Date         time.Time     // the server's clock by its Date header, zero without one
	At           time.Time     // our clock when the request had been sent
	RTT          time.Duration // from then to the first byte of the answer
	CertNotAfter time.Time     // end of the server certificate's life, zero over http
	Status       int
	Header       http.Header
}

// ClockDifference is how far the server's clock is ahead of ours (negative: behind), as exact as the Date
// header's whole seconds allow. False where the answer had no Date.
func (m Meta) ClockDifference() (time.Duration, bool) { return 0, false }
