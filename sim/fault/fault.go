// Package fault makes a simulated server misbehave to order.
//
// A Faults stands in front of a simulator's handler. It answers chosen
// requests with an error status, an HTML page or a rate limit, holds them, is
// slow, or cuts the connection before or after the simulator has done its
// work, which is the one way to lose an answer whose effect stands. It also
// counts what passed, so that a test can say how many requests a flow costs.
//
// It promises that a fault hits exactly the requests that were ordered, in the
// order in which they were ordered, also when many clients call at once. It
// knows nothing of the server behind it and never alters a body that passes.
package fault

import (
	"fmt"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"
)

// Kind says what happens to a request that a fault hits.
type Kind string

// The kinds of fault.
const (
	Status    Kind = "status"     // an error status with a JSON body; the simulator isn't asked
	HTML      Kind = "html"       // an HTML error page, as a proxy in front makes it; the simulator isn't asked
	RateLimit Kind = "rate-limit" // 429, with Retry-After if one is given; the simulator isn't asked
	Hang      Kind = "hang"       // no answer until the client gives up, the server closes or the faults are cleared
	CutBefore Kind = "cut-before" // the connection closes, the simulator isn't asked
	CutAfter  Kind = "cut-after"  // the simulator does its work, then the connection closes without an answer
	Slow      Kind = "slow"       // the simulator is asked after a delay, or once the faults are cleared
)

// Fault is one order: which requests, how often, and what happens to them.
type Fault struct {
	// Method is the HTTP method, "" for any.
	Method string `json:"method,omitempty"`
	// Path is a pattern as path.Match knows it over the URL's path; at its end
	// "**" stands for everything that may follow, slashes too. "" is any path.
	Path string `json:"path,omitempty"`
	// Skip lets this many matching requests pass first.
	Skip int `json:"skip,omitempty"`
	// Times is how many requests are hit: 0 is one, -1 all until cleared.
	Times int `json:"times,omitempty"`
	// Kind is what happens.
	Kind Kind `json:"kind"`
	// Status is the answer's status, for the kinds status (default 500) and
	// html (default 502).
	Status int `json:"status,omitempty"`
	// Body replaces the default error body of the kinds status and html.
	Body string `json:"body,omitempty"`
	// RetryAfter is the header's value for rate-limit, and for status if given.
	RetryAfter string `json:"retry_after,omitempty"`
	// DelayMS is how long slow waits, in milliseconds.
	DelayMS int `json:"delay_ms,omitempty"`
}

// Request is what was seen of one request. Status is 0 while it runs and where
// the client was given no answer.
type Request struct {
	Method, Path, Query string
	Status              int
	Start, End          time.Time
}

// keepRequests bounds the memory of a sandbox that runs for days.
const keepRequests = 1 << 16

// Faults holds the orders of one simulator. It is safe for concurrent use.
type Faults struct {
	mu        sync.Mutex
	orders    []*Fault
	requests  []*Request
	latency   time.Duration
	released  chan struct{} // closed by Clear: hanging requests end, slow ones go on
	errorBody func(status int) string
}

// New returns a Faults without orders and without latency.
func New() *Faults {
	return &Faults{released: make(chan struct{})}
}

// Order adds x after the orders that stand. An unknown kind, a malformed path
// pattern or a number without a meaning is an error, and then nothing is added.
func (f *Faults) Order(x Fault) error {
	switch x.Kind {
	case Status, HTML, RateLimit, Hang, CutBefore, CutAfter, Slow:
	default:
		return fmt.Errorf("unknown kind of fault %q", x.Kind)
	}
	if _, err := path.Match(strings.TrimSuffix(x.Path, "**"), ""); err != nil {
		return fmt.Errorf("path pattern %q: %w", x.Path, err)
	}
	if x.Status != 0 && (x.Status < 200 || x.Status > 599) {
		return fmt.Errorf("status %d is not an answer's status", x.Status)
	}
	if x.Skip < 0 || x.Times < -1 || x.DelayMS < 0 {
		return fmt.Errorf("skip %d, times %d, delay %d ms: negative numbers have no meaning here", x.Skip, x.Times, x.DelayMS)
	}
	if x.Times == 0 {
		x.Times = 1
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.orders = append(f.orders, &x)
	return nil
}

// Clear drops all orders and lets go of the requests that hang or are slow:
// those that are slow are answered now. Latency stays.
func (f *Faults) Clear() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.orders = nil
	close(f.released)
	f.released = make(chan struct{})
}

// List returns the orders that still stand, with what is left of their counts.
func (f *Faults) List() []Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := make([]Fault, 0, len(f.orders))
	for _, o := range f.orders {
		out = append(out, *o)
	}
	return out
}

// Beside is a header by which one simulator tells the other that it asks: they
// stand side by side, and the latency is the way to them.
const Beside = "X-Sandbox-Beside"

// SetLatency makes every request from now on wait for d first, but for those
// of the other simulator.
func (f *Faults) SetLatency(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.latency = d
}

// SetErrorBody gives the JSON body of a status fault that names none. A
// simulator sets it to the style of its server.
func (f *Faults) SetErrorBody(body func(status int) string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.errorBody = body
}

// Requests returns what was seen, in the order in which requests began. Of a
// long run only the latest tens of thousands are kept.
func (f *Faults) Requests() []Request {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := make([]Request, 0, len(f.requests))
	for _, r := range f.requests {
		out = append(out, *r)
	}
	return out
}

// Forget drops the requests seen so far, so that a test can count from here.
func (f *Faults) Forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.requests = nil
}

// begin notes a request and takes the fault that hits it, if any.
func (f *Faults) begin(r *http.Request) (*Request, Fault, time.Duration, <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	seen := &Request{Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery, Start: time.Now()}
	if len(f.requests) >= keepRequests {
		f.requests = append(f.requests[:0:0], f.requests[keepRequests/2:]...)
	}
	f.requests = append(f.requests, seen)
	latency := f.latency
	if r.Header.Get(Beside) != "" {
		latency = 0
	}
	return seen, f.take(r), latency, f.released
}

// take finds the first order that hits r and counts it. An order that still
// skips counts the request and leaves it to the orders after it.
func (f *Faults) take(r *http.Request) Fault {
	for i, o := range f.orders {
		if !o.matches(r) {
			continue
		}
		if o.Skip > 0 {
			o.Skip--
			continue
		}
		hit := *o
		if o.Times > 0 {
			if o.Times--; o.Times == 0 {
				f.orders = append(f.orders[:i:i], f.orders[i+1:]...)
			}
		}
		return hit
	}
	return Fault{}
}

func (f *Faults) end(seen *Request, status int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	seen.Status, seen.End = status, time.Now()
}

func (x *Fault) matches(r *http.Request) bool {
	if x.Method != "" && !strings.EqualFold(x.Method, r.Method) {
		return false
	}
	return x.Path == "" || matchPath(x.Path, r.URL.Path)
}

// matchPath is path.Match, with "**" at the pattern's end for any rest.
func matchPath(pattern, p string) bool {
	head, open := strings.CutSuffix(pattern, "**")
	if open {
		pattern = head + "*"
		p = cutSegments(p, strings.Count(head, "/")+1)
	}
	ok, err := path.Match(pattern, p)
	return ok && err == nil
}

// cutSegments returns p up to, and without, its nth slash.
func cutSegments(p string, n int) string {
	for i := range len(p) {
		if p[i] == '/' {
			if n--; n == 0 {
				return p[:i]
			}
		}
	}
	return p
}
