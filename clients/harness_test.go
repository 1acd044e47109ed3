package clients_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"authbird/clients"
)

// world is a server that answers by script, and a transport whose waits and exchanges are noted instead of waited for.
type world struct {
	t      *testing.T
	tr     *clients.Transport
	server *httptest.Server

	mu        sync.Mutex
	hits      int
	waits     []time.Duration
	exchanges []clients.Exchange
}

// serve answers the first request by the first step, the second by the second, and all others by the last.
func serve(t *testing.T, o clients.Options, steps ...http.HandlerFunc) *world {
	t.Helper()
	w := &world{t: t}
	w.server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.mu.Lock()
		n := min(w.hits, len(steps)-1)
		w.hits++
		w.mu.Unlock()
		steps[n](rw, r)
	}))
	t.Cleanup(w.server.Close)
	w.tr = w.transport(o)
	return w
}

// silent is a world whose server takes requests and never answers, to be used
// inside a bubble of synctest.
func silent(t *testing.T, o clients.Options) *world {
	t.Helper()
	w := &world{t: t, server: &httptest.Server{URL: "http://127.0.0.1"}}
	o.Base = newPipes(t, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		w.hits++
		w.mu.Unlock()
		hang(rw, r)
	}))
	w.tr = w.transport(o)
	return w
}

func (w *world) transport(o clients.Options) *clients.Transport {
	w.t.Helper()
	if o.Wait == nil {
		o.Wait = func(ctx context.Context, d time.Duration) error {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.waits = append(w.waits, d)
			return ctx.Err()
		}
	}
	o.Trace = func(x clients.Exchange) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.exchanges = append(w.exchanges, x)
	}
	tr, err := clients.New(o)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(tr.CloseIdle)
	return tr
}

func (w *world) seen() (hits int, waits []time.Duration, exchanges []clients.Exchange) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.hits, w.waits, w.exchanges
}

func (w *world) call(method string) clients.Call {
	c := clients.Call{Server: "Authentik", Op: "try it", Method: method, URL: w.server.URL + "/api/v3/x/"}
	if method != http.MethodGet {
		c.Body = []byte(`{"a":1}`)
	}
	return c
}

// answer is a step that answers with that status, type and body; extra are header names and values in turn.
func answer(status int, contentType, body string, extra ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		for i := 0; i+1 < len(extra); i += 2 {
			w.Header().Set(extra[i], extra[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func good(w http.ResponseWriter, r *http.Request) {
	answer(http.StatusOK, "application/json", `{"ok":true}`)(w, r)
}

// cut closes the connection without an answer.
func cut(w http.ResponseWriter, _ *http.Request) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err == nil {
		conn.Close()
	}
}

// half answers half of what it promised, and closes the connection.
func half(w http.ResponseWriter, _ *http.Request) {
	conn, buf, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	_, _ = buf.WriteString("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"ok\":")
	_ = buf.Flush()
	conn.Close()
}

// hang answers nothing until the client gives up.
func hang(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

// pipes is a way to serve inside a bubble of synctest, where waiting costs no
// time and no machine is too slow: connections are pipes in memory.
type pipes struct {
	conns chan net.Conn
	over  chan struct{}
	once  sync.Once
}

// bubble is a test that runs in one.
func bubble(f func(*testing.T)) func(*testing.T) {
	return func(t *testing.T) { synctest.Test(t, f) }
}

func newPipes(t *testing.T, h http.Handler) *http.Transport {
	p := &pipes{conns: make(chan net.Conn), over: make(chan struct{})}
	server := &http.Server{Handler: http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // before it, the server does not notice a client's going
		h.ServeHTTP(rw, r)
	})}
	go server.Serve(p)
	way := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		select {
		case p.conns <- theirs:
			return ours, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}}
	t.Cleanup(func() { way.CloseIdleConnections(); server.Close() })
	return way
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.over:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error { p.once.Do(func() { close(p.over) }); return nil }

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80} }

// closedPort is an address where nothing listens.
func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return "http://" + l.Addr().String()
}
