package authentik

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"authbird/sim/fault"
)

// Options says which server to play.
type Options struct {
	// Version is the version to behave as and to report, DefaultVersion if
	// empty. What a version changed is in force from that version on, so one
	// that wasn't recorded behaves as far as is known of it, and an unreadable
	// one as the oldest, 2024.12.
	Version string
	// Token is the key of the API token of the first administrator, akadmin.
	Token string
	// Now is the clock, time.Now if nil.
	Now func() time.Time
	// Rand is the source of ids and keys, crypto/rand if nil. Signing keys come
	// from crypto/rand always.
	Rand io.Reader
	// Faults are the orders for misbehaviour, none if nil.
	Faults *fault.Faults
}

// Server is one Authentik. It is an http.Handler and safe for concurrent use.
type Server struct {
	version version
	now     func() time.Time
	handler http.Handler
	routes  []endpoint

	// mu guards everything below. Requests are answered one at a time, as by
	// the one worker that was recorded.
	mu   sync.Mutex
	rand io.Reader
	st   *state
	// forced is the scheme to believe in, whatever the request says.
	forced string
}

// New makes a server as it is after its first start: akadmin, the embedded
// outpost's account, the default flows, mappings, brand and certificate.
func New(o Options) *Server {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Rand == nil {
		o.Rand = rand.Reader
	}
	if o.Faults == nil {
		o.Faults = fault.New()
	}
	s := &Server{version: parseVersion(o.Version), now: o.Now, rand: o.Rand}
	s.st = s.firstState(o.Token)
	s.routes = s.endpoints()
	o.Faults.SetErrorBody(func(status int) string {
		return fmt.Sprintf(`{"detail":%q}`, http.StatusText(status))
	})
	s.handler = o.Faults.Wrap(http.HandlerFunc(s.serve))
	return s
}

// ServeHTTP answers one request, after the faults that were ordered for it.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.handler.ServeHTTP(w, r)
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	// The body is read before it is this request's turn: a client that dawdles
	// must not keep the others waiting.
	raw, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	if err != nil {
		http.Error(w, "the body could not be read", http.StatusBadRequest)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(raw))
	c := &call{s: s, r: r, q: r.URL.Query()}
	c.write(w, s.inTurn(c))
}

func (s *Server) inTurn(c *call) reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.id, c.at = s.hex(16), s.now()
	return s.answer(c)
}
