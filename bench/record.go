//go:build linux

package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"authbird/sim/fault"
)

// exchange is one request with its answer, as a server saw it.
type exchange struct {
	method, base, path string // base is http://host:port
	header             http.Header
	body               []byte
	status             int
	answer             []byte
	start, end         time.Time
}

// recorder keeps every exchange with the servers it stands in front of, but for
// those between the two.
type recorder struct {
	mu   sync.Mutex
	all  []*exchange
	on   bool
	seen atomic.Int64 // requests so far
}

// front is put before a server.
func (r *recorder) front(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		// Authentik gives one address only so many device codes an hour.
		q.RemoteAddr = fmt.Sprintf("[fd00::%x]:1", r.seen.Add(1)&0xffff)
		if !r.recording() || q.Header.Get(fault.Beside) != "" {
			next.ServeHTTP(w, q)
			return
		}
		x := &exchange{method: q.Method, base: "http://" + q.Host, path: q.URL.RequestURI(), header: q.Header.Clone(), start: time.Now()}
		x.body, _ = io.ReadAll(q.Body)
		q.Body = io.NopCloser(bytes.NewReader(x.body))
		copied := &copier{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(copied, q)
		x.status, x.answer, x.end = copied.status, copied.body.Bytes(), time.Now()
		r.mu.Lock()
		defer r.mu.Unlock()
		r.all = append(r.all, x)
	})
}

func (r *recorder) recording() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.on
}

// record keeps what passes while do runs, in the order in which it began.
func (r *recorder) record(do func() error) ([]*exchange, error) {
	r.set(true)
	err := do()
	all := r.set(false)
	slices.SortFunc(all, func(x, y *exchange) int { return x.start.Compare(y.start) })
	return all, err
}

func (r *recorder) set(on bool) []*exchange {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := r.all
	r.on, r.all = on, nil
	return all
}

// copier keeps a copy of an answer.
type copier struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

func (c *copier) WriteHeader(status int) {
	c.status = status
	c.ResponseWriter.WriteHeader(status)
}

func (c *copier) Write(b []byte) (int, error) {
	c.body.Write(b)
	return c.ResponseWriter.Write(b)
}

// chain is how many exchanges had to wait for one another at most: taking
// always what ends first is the longest.
func chain(all []*exchange) int {
	byEnd := slices.SortedFunc(slices.Values(all), func(x, y *exchange) int { return x.end.Compare(y.end) })
	n := 0
	var last time.Time
	for _, x := range byEnd {
		if !x.start.Before(last) {
			n, last = n+1, x.end
		}
	}
	return n
}
