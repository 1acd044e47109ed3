//go:build linux && amd64

package matrix

import (
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// mishap is one thing that can happen to the process at a request.
type mishap struct {
	name  string
	few   bool  // variants of a flow suffer it too
	hasty bool  // the run it happens to waits no longer than the world's patience
	exits []int // how that run may end; -1: killed
	happen
	// onward answers each later request of the same run to the same server;
	// nil: nothing is amiss with them.
	onward happen
	// mend puts right again, after that run, what is not the server's.
	mend func(w *world)
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
	{name: "refused", few: true, exits: stopped, happen: answers(http.StatusBadRequest)},
	{name: "forbidden", exits: stopped, happen: answers(http.StatusForbidden)},
	{name: "in conflict", exits: stopped, happen: answers(http.StatusConflict)},
	{name: "an error of the server", exits: stopped, happen: answers(http.StatusInternalServerError)},
	{name: "a proxy's page", exits: stopped, happen: func(_ *world, _ *child, _ http.Handler, rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", "text/html")
		rw.WriteHeader(http.StatusBadGateway)
		_, _ = io.WriteString(rw, "<html><title>502 Bad Gateway</title></html>")
	}},
	{name: "not now", exits: stopped, happen: answers(http.StatusTooManyRequests)},
	{name: "not now but in a second", exits: stopped, happen: later("1")},
	{name: "not now, nor all day", exits: stopped, happen: later("86400"), onward: later("86400")},
	{name: "cut before it arrived", exits: stopped, happen: func(_ *world, _ *child, _ http.Handler, rw http.ResponseWriter, _ *http.Request) { cut(rw) }},
	{name: "cut after it took effect", exits: stopped, happen: func(_ *world, _ *child, handle http.Handler, rw http.ResponseWriter, r *http.Request) {
		handle.ServeHTTP(deaf{http.Header{}}, r)
		cut(rw)
	}},
	{name: "token ended", exits: stopped, happen: expired, onward: expired},
	{name: "NetBird restarted", exits: stopped, happen: func(w *world, _ *child, handle http.Handler, rw http.ResponseWriter, r *http.Request) {
		if err := w.netbird.Restart(); err != nil {
			w.t.Error(err)
		}
		handle.ServeHTTP(rw, r)
	}},
	{name: "the keystore gone", exits: stopped, happen: func(w *world, _ *child, handle http.Handler, rw http.ResponseWriter, r *http.Request) {
		w.move(w.keys(), w.keys()+".away")
		if err := os.WriteFile(w.keys(), nil, 0o600); err != nil { // nothing can be kept there any more
			w.t.Error(err)
		}
		handle.ServeHTTP(rw, r)
	}, mend: func(w *world) {
		must(w.t, os.RemoveAll(w.keys()))
		w.move(w.keys()+".away", w.keys())
	}},
	{name: "the keystore locked", exits: stopped, happen: func(w *world, _ *child, handle http.Handler, rw http.ResponseWriter, r *http.Request) {
		w.move(w.identity, w.identity+".away")
		handle.ServeHTTP(rw, r)
	}, mend: func(w *world) { w.move(w.identity+".away", w.identity) }},
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

// answers refuses with a status.
func answers(status int) happen {
	return func(_ *world, _ *child, _ http.Handler, rw http.ResponseWriter, _ *http.Request) { answer(rw, status) }
}

// later asks to come back after so many seconds.
func later(seconds string) happen {
	return func(_ *world, _ *child, _ http.Handler, rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Retry-After", seconds)
		answer(rw, http.StatusTooManyRequests)
	}
}

// expired is a server to which the administrator's token is none any more. What
// needs no token passes.
func expired(w *world, _ *child, handle http.Handler, rw http.ResponseWriter, r *http.Request) {
	switch token := r.Header.Get("Authorization"); {
	case strings.Contains(token, adminToken):
		rw.Header().Set("X-Authentik-Id", "matrix")
		rw.Header().Set("Content-Type", "application/json")
		rw.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(rw, `{"detail":"Token invalid/expired"}`)
	case strings.Contains(token, ownerToken):
		rw.Header().Set("Content-Type", "application/json")
		rw.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(rw, `{"message":"token invalid","code":401}`)
	default:
		handle.ServeHTTP(rw, r)
	}
}

func (w *world) keys() string { return filepath.Join(w.state, "keys") }

// move renames what is there; two requests of one run may come at once.
func (w *world) move(from, to string) {
	if err := os.Rename(from, to); err != nil && !errors.Is(err, os.ErrNotExist) {
		w.t.Error(err)
	}
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
