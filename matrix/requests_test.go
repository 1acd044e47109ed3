package matrix

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// call is one request of a flow, told apart from others like it by its count.
type call struct {
	place, method, path string
	nth                 int // how many like it came before
}

func (c call) String() string {
	return fmt.Sprintf("%s %s %s #%d", c.place, c.method, c.path, c.nth+1)
}

// stable is a path in which parts that differ from run to run are left out.
func stable(path string) string {
	parts := strings.Split(path, "/")
	for i, p := range parts {
		if strings.ContainsAny(p, "0123456789") && p != "v3" && p != "oauth2" || strings.HasPrefix(p, "authentik-") {
			parts[i] = "*"
		}
	}
	return strings.Join(parts, "/")
}

// trap is a mishap that waits for its request.
type trap struct {
	at     call
	mishap mishap
	sprung bool
}

// mishap is one thing that can happen to the process at a request.
type mishap struct {
	name  string
	few   bool  // variants of a flow suffer it too
	hasty bool  // the run it happens to waits no longer than the world's patience
	exits []int // how that run may end; -1: killed
	happen
}

// happen answers the request r in the handler's place.
type happen func(w *world, c *child, handle http.Handler, rw http.ResponseWriter, r *http.Request)

var mishaps = []mishap{
	{name: "killed before it arrived", few: true, exits: []int{-1}, happen: func(w *world, c *child, _ http.Handler, rw http.ResponseWriter, _ *http.Request) {
		w.kill(c)
		cut(rw)
	}},
	{name: "killed after it took effect", few: true, exits: []int{-1}, happen: func(w *world, c *child, handle http.Handler, rw http.ResponseWriter, r *http.Request) {
		handle.ServeHTTP(deaf{http.Header{}}, r)
		w.kill(c)
		cut(rw)
	}},
	{name: "interrupted", exits: []int{0, 130}, happen: signalled(syscall.SIGINT)},
	{name: "line dropped", exits: []int{0, 130}, happen: signalled(syscall.SIGHUP)},
	{name: "given up before it arrived", exits: []int{130}, happen: func(w *world, c *child, _ http.Handler, rw http.ResponseWriter, r *http.Request) {
		w.giveUp(c)
		hold(w.t, rw, r)
	}},
	{name: "given up after it took effect", few: true, exits: []int{130}, happen: func(w *world, c *child, handle http.Handler, rw http.ResponseWriter, r *http.Request) {
		handle.ServeHTTP(deaf{http.Header{}}, r)
		w.giveUp(c)
		hold(w.t, rw, r)
	}},
	{name: "refused", few: true, exits: stopped, happen: func(_ *world, _ *child, _ http.Handler, rw http.ResponseWriter, _ *http.Request) {
		answer(rw, http.StatusBadRequest)
	}},
	{name: "a proxy's error after it took effect", few: true, exits: stopped, happen: func(_ *world, _ *child, handle http.Handler, rw http.ResponseWriter, r *http.Request) {
		handle.ServeHTTP(deaf{http.Header{}}, r)
		answer(rw, http.StatusBadGateway)
	}},
	{name: "no answer, never arrived", hasty: true, exits: stopped, happen: func(w *world, _ *child, _ http.Handler, rw http.ResponseWriter, r *http.Request) {
		hold(w.t, rw, r)
	}},
	{name: "no answer, took effect", hasty: true, exits: stopped, happen: func(w *world, _ *child, handle http.Handler, rw http.ResponseWriter, r *http.Request) {
		handle.ServeHTTP(deaf{http.Header{}}, r)
		hold(w.t, rw, r)
	}},
}

// A hasty run waits for no answer longer than its world's patience. That is
// enough for the simulators, mostly: on a busy machine they may be too slow
// before the request comes that the case is about, and then the case begins
// anew with more patience.
const (
	patience     = 700 * time.Millisecond
	morePatience = 8
	mostPatience = 30 * time.Second
)

// flags are what a run needs to suffer the mishap.
func (m mishap) flags(w *world) []string {
	if !m.hasty {
		return nil
	}
	return []string{"--timeout", w.patience.String()}
}

// stopped are the exits of a run that a server ended, if it did.
var stopped = []int{0, 1, 3, 4, 5, 8}

// stopping is what authbird says when it heard a signal.
const stopping = "stopping after what has begun"

func signalled(s syscall.Signal) happen {
	return func(w *world, c *child, handle http.Handler, rw http.ResponseWriter, r *http.Request) {
		w.interrupt(c, s)
		handle.ServeHTTP(rw, r)
	}
}

// giveUp is a person who presses Ctrl-C, and again when that took too long.
func (w *world) giveUp(c *child) {
	w.interrupt(c, syscall.SIGINT)
	w.signal(c, syscall.SIGINT)
}

// interrupt sends a signal and waits until authbird says that it heard it.
func (w *world) interrupt(c *child, s syscall.Signal) {
	late := make(chan struct{})
	defer time.AfterFunc(longest, func() { close(late) }).Stop()
	w.signal(c, s)
	if !c.out.await(stopping, late) {
		w.t.Errorf("%v was not heard", s)
	}
}

func (w *world) kill(c *child) { w.signal(c, syscall.SIGKILL) }

func (w *world) signal(c *child, s syscall.Signal) {
	if err := c.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		w.t.Errorf("signal %v: %v", s, err)
	}
}

// hold gives no answer until the client has gone.
func hold(t *testing.T, rw http.ResponseWriter, r *http.Request) {
	// The server notices a client's going only once the body has been read.
	_, _ = io.Copy(io.Discard, r.Body)
	late := time.NewTimer(longest)
	defer late.Stop()
	select {
	case <-r.Context().Done():
	case <-late.C:
		t.Errorf("authbird waits for the answer to %s %s and does not end", r.Method, r.URL.Path)
	}
	cut(rw)
}

// answer refuses a request.
func answer(rw http.ResponseWriter, status int) {
	rw.Header().Set("Content-Type", "application/json")
	rw.WriteHeader(status)
	_, _ = io.WriteString(rw, `{"detail":"not this time"}`)
}

// cut closes the connection without an answer.
func cut(rw http.ResponseWriter) {
	if h, ok := rw.(http.Hijacker); ok {
		if conn, _, err := h.Hijack(); err == nil {
			_ = conn.Close()
			return
		}
	}
	panic(http.ErrAbortHandler)
}

// deaf takes an answer that nobody will get.
type deaf struct{ header http.Header }

func (d deaf) Header() http.Header         { return d.header }
func (d deaf) WriteHeader(int)             {}
func (d deaf) Write(p []byte) (int, error) { return len(p), nil }

// gate stands before a simulator: it counts authbird's requests and springs
// the trap. What the servers ask each other passes.
func (w *world) gate(place string, handle http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == probe {
			return
		}
		if !strings.HasPrefix(r.UserAgent(), "authbird/") {
			handle.ServeHTTP(rw, r)
			return
		}
		if t, c := w.note(place, r); t != nil {
			t.mishap.happen(w, c, handle, rw, r)
			return
		}
		handle.ServeHTTP(rw, r)
	})
}

// note counts a request and returns the trap that it springs, if any.
func (w *world) note(place string, r *http.Request) (*trap, *child) {
	w.mu.Lock()
	defer w.mu.Unlock()
	key := strings.Join([]string{place, r.Method, stable(r.URL.Path)}, " ")
	c := call{place, r.Method, stable(r.URL.Path), w.seen[key]}
	w.seen[key]++
	w.calls = append(w.calls, c)
	if w.trap == nil || w.trap.sprung || w.trap.at != c || w.child == nil {
		return nil, nil
	}
	w.trap.sprung = true
	return w.trap, w.child
}

// forget begins the counting of requests anew.
func (w *world) forget() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen, w.calls = map[string]int{}, nil
}

func TestEveryRequest(t *testing.T) {
	for _, f := range flows {
		t.Run(f.name, func(t *testing.T) {
			f.skipWithout(t)
			want := f.ending(t)
			if len(want.calls) < 5 {
				t.Fatalf("an undisturbed run makes %d requests only: %v", len(want.calls), want.calls)
			}
			for _, c := range want.calls {
				for _, m := range mishaps {
					if f.few && !whole() && (!m.few || c.method == http.MethodGet) {
						continue
					}
					t.Run(c.String()+" "+m.name, func(t *testing.T) {
						t.Parallel()
						f.suffer(t, want, func(w *world) bool {
							w.trap = &trap{at: c, mishap: m}
							first := w.run(with(f.verb, m.flags(w)...)...)
							if !w.trap.sprung && m.hasty && w.patience < mostPatience {
								w.missed = true
								return false
							}
							if !w.trap.sprung {
								t.Errorf("the request never came\n%s", first.out.String())
							}
							if !w.obey(first) && !slices.Contains(m.exits, first.exit) {
								t.Errorf("exit %d, want one of %v\n%s", first.exit, m.exits, first.out.String())
							}
							return first.exit == 0
						})
					})
				}
			}
		})
	}
}
