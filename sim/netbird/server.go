package netbird

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"authbird/sim/fault"
)

// Server is a simulated NetBird. It is safe for concurrent use. No lock is held
// while it asks another server for something.
type Server struct {
	handler http.Handler

	conf atomic.Pointer[config]
	rand io.Reader

	mu sync.Mutex
	st *store

	// What follows belongs to the running process and is made anew at a start.
	proc          process
	gone          chan struct{} // closed when this process ends
	down          error         // why the process did not start
	opened        map[string]*opened
	singleAccount bool
	setupRequired bool
	hung          bool // the embedded identity provider's storage is blocked
	buckets       map[string]*bucket
	outside       *outside // the identity provider of a standalone installation
	pending       map[string]dashLogin
}

// New starts a simulated NetBird with what o says. Where a real server would
// not start, it is there and cuts every connection: Err says why.
func New(o Options) *Server {
	s := &Server{st: newStore(), rand: &lockedReader{r: o.Rand}, gone: make(chan struct{})}
	if o.Rand == nil {
		s.rand = rand.Reader
	}
	s.down = s.configure(o)
	copy(s.proc.machine[:], random(s.rand, 3))
	if s.opt().OwnerEmail != "" {
		s.seedOwner()
	}
	s.handler = http.HandlerFunc(s.serve)
	if f := s.opt().Faults; f != nil {
		f.SetErrorBody(func(status int) string {
			b, _ := json.Marshal(errorBody{Message: strings.ToLower(http.StatusText(status)), Code: status})
			return string(b)
		})
		s.handler = f.Wrap(s.handler)
	}
	if s.down == nil {
		s.start()
	}
	return s
}

// lockedReader makes any source of randomness fit for many readers.
type lockedReader struct {
	mu sync.Mutex
	r  io.Reader
}

func (l *lockedReader) Read(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.r.Read(p)
}

// config is a configuration in force. It is never changed, only replaced.
type config struct {
	options Options
	version release
}

func (s *Server) opt() *Options { return &s.conf.Load().options }

func (s *Server) ver() release { return s.conf.Load().version }

func (s *Server) configure(o Options) error {
	err := o.fill()
	s.conf.Store(&config{options: o, version: parseRelease(o.Version)})
	return err
}

// SetBaseURL says under which URL the server is reached. It must be called
// before the first request.
func (s *Server) SetBaseURL(base string) {
	o := *s.opt()
	o.BaseURL = base
	s.configure(o)
}

// Faults returns what stands in front of the server, nil if nothing does.
func (s *Server) Faults() *fault.Faults { return s.opt().Faults }

// Err says why the process did not start; nil if it runs.
func (s *Server) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.down
}

// Restart ends the process and starts another one on the same store.
// Connectors are opened again with what the store says.
func (s *Server) Restart() error { return s.Reconfigure(func(*Options) {}) }

// Reconfigure edits the server's configuration and restarts it. The error says
// why the new process did not start. Seeds have no effect any more, nor have
// the clock, the randomness and the faults.
func (s *Server) Reconfigure(change func(*Options)) error {
	was := *s.opt()
	o := was
	change(&o)
	o.Now, o.Rand, o.Faults = was.Now, was.Rand, was.Faults
	if err := s.configure(o); err != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.down = err
		return err
	}
	s.start()
	return s.Err()
}

// start is the boot of a process. It asks outside servers, so it holds no lock
// while it does.
func (s *Server) start() {
	s.mu.Lock()
	close(s.gone)
	s.gone = make(chan struct{})
	s.proc = s.proc.restarted(s.rand)
	s.opened, s.buckets, s.pending = map[string]*opened{}, map[string]*bucket{}, map[string]dashLogin{}
	s.hung, s.down, s.outside = false, nil, nil
	domain := singleAccountDomain
	if s.opt().Standalone != nil && s.opt().Standalone.SingleAccountDomain != "" {
		domain = s.opt().Standalone.SingleAccountDomain
	}
	s.singleAccount = domain != "" && len(s.st.accounts) <= 1
	s.setupRequired = s.opt().embedded() && len(s.st.accounts) == 0 && len(s.st.passwords) == 0
	if s.opt().embedded() && s.localAuthOff() && len(s.st.connectors) == 0 {
		s.down = fmt.Errorf("cannot disable local authentication: no other identity providers configured")
	}
	toOpen := make([]connector, 0, len(s.st.connectors))
	if s.opt().embedded() {
		for _, c := range s.st.connectors {
			toOpen = append(toOpen, *c)
		}
	}
	standalone := s.opt().Standalone
	s.mu.Unlock()

	var wg sync.WaitGroup
	for _, c := range toOpen {
		wg.Go(func() {
			if o, err := s.open(context.Background(), c); err == nil {
				s.mu.Lock()
				s.opened[c.id] = o
				s.mu.Unlock()
			}
		})
	}
	wg.Wait()
	if standalone != nil {
		out, err := s.bootStandalone(standalone)
		s.mu.Lock()
		s.outside = out
		if err != nil {
			s.down = err
		}
		s.mu.Unlock()
	}
}

func (s *Server) localAuthOff() bool { return s.opt().LocalAuthDisabled && s.ver().knowsLocalAuthOff() }

func (s *Server) now() time.Time { return s.opt().Now().UTC() }

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// serve routes a request as the combined server does: the API, the embedded
// identity provider, the dashboard if there is one, and nothing else.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	switch p := r.URL.Path; {
	case p == "/_sandbox/restart":
		s.serveRestart(w, r)
	case s.Err() != nil:
		panic(http.ErrAbortHandler)
	case strings.HasPrefix(p, "/api/"):
		s.serveAPI(w, r)
	case strings.HasPrefix(p, "/oauth2/"), p == "/oauth2":
		s.serveIdP(w, r)
	case s.opt().Dashboard && (p == "/" || p == "/nb-auth"):
		s.serveDashboard(w, r)
	default:
		notFound(w)
	}
}

func (s *Server) serveRestart(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		http.Error(w, "POST restarts the simulated NetBird", http.StatusMethodNotAllowed)
		return
	}
	if err := s.Restart(); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	io.WriteString(w, "{\"restarted\":true}\n")
}

// notFound is the answer to what is no endpoint, also to a known path with
// another method.
func notFound(w http.ResponseWriter) { http.Error(w, "404 page not found", http.StatusNotFound) }

// HangIdP blocks the embedded identity provider's storage until the next
// restart, as a refresh for a local user does on sqlite.
func (s *Server) HangIdP() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hung = true
}

// idpStorage waits while the embedded identity provider's storage is blocked:
// until the client gives up or the server is restarted, and then the connection
// is cut. It is called without the lock.
func (s *Server) idpStorage(ctx context.Context) {
	s.mu.Lock()
	hung, gone := s.hung, s.gone
	s.mu.Unlock()
	if !hung {
		return
	}
	select {
	case <-ctx.Done():
	case <-gone:
	}
	panic(http.ErrAbortHandler)
}
