//go:build linux

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"authbird/sim"
)

// replayed sends recorded exchanges again: the same requests by a client that
// does nothing else. Each goes out as soon as those are answered that had been
// answered before it the first time. What the servers made up since, such as
// ids, is put in the old one's place. An answer of another status is an error:
// then it was not the same.
type replayed struct {
	client *http.Client
	all    []*exchange
	learns bool // from answers, what a fresh server calls things

	mu    sync.Mutex
	names map[string]string // of then → of now
}

// transport keeps as many connections as any of the runs that are measured.
func transport() *http.Transport { return &http.Transport{MaxIdleConnsPerHost: 512} }

// replay returns how long all took.
func replay(all []*exchange, names map[string]string, learns bool) (time.Duration, error) {
	t := transport()
	defer t.CloseIdleConnections()
	r := &replayed{all: all, names: maps.Clone(names), learns: learns, client: &http.Client{
		Transport:     t,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	answered := map[*exchange]chan struct{}{}
	for _, x := range all {
		answered[x] = make(chan struct{})
	}
	first := firstAnswered(all, answered)
	var g errgroup.Group
	start := time.Now()
	for _, x := range all {
		g.Go(func() error {
			defer close(answered[x])
			<-first(x.start)
			return r.send(x)
		})
	}
	err := g.Wait()
	return time.Since(start), err
}

// firstAnswered tells of a moment of then when all is answered now that had been
// answered by that moment.
func firstAnswered(all []*exchange, answered map[*exchange]chan struct{}) func(time.Time) <-chan struct{} {
	byEnd := slices.SortedFunc(slices.Values(all), func(x, y *exchange) int { return x.end.Compare(y.end) })
	first := make([]chan struct{}, len(all)+1) // first[n]: the first n are
	for i := range first {
		first[i] = make(chan struct{})
	}
	close(first[0])
	go func() {
		for i, x := range byEnd {
			<-answered[x]
			close(first[i+1])
		}
	}()
	return func(at time.Time) <-chan struct{} {
		n, _ := slices.BinarySearchFunc(byEnd, at, func(x *exchange, at time.Time) int {
			if x.end.After(at) {
				return 1
			}
			return -1
		})
		return first[n]
	}
}

func (r *replayed) send(x *exchange) error {
	now := r.now()
	req, err := http.NewRequest(x.method, now(x.base+x.path), strings.NewReader(now(string(x.body))))
	if err != nil {
		return err
	}
	for name, values := range x.header {
		if name == "Content-Length" || name == "Accept-Encoding" {
			continue
		}
		for _, v := range values {
			req.Header.Add(name, now(v))
		}
	}
	resp, err := r.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != x.status {
		return fmt.Errorf("sent again, %s %s is answered by %d, and not %d: %.200s", x.method, x.path, resp.StatusCode, x.status, answer)
	}
	if r.learns {
		r.learn(x.answer, answer)
	}
	return nil
}

// now is the way from what things were called to what they are called.
func (r *replayed) now() func(string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	names := maps.Clone(r.names)
	then := slices.SortedFunc(maps.Keys(names), func(a, b string) int { return len(b) - len(a) })
	return func(s string) string {
		for _, name := range then {
			s = strings.ReplaceAll(s, name, names[name])
		}
		return s
	}
}

// shortestName is less than any id or secret has that servers make up.
const shortestName = 8

// learn compares two answers to the same question.
func (r *replayed) learn(then, now []byte) {
	if bytes.Equal(then, now) {
		return
	}
	var a, b any
	if json.Unmarshal(then, &a) != nil || json.Unmarshal(now, &b) != nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	compare(a, b, r.names)
}

func compare(then, now any, names map[string]string) {
	switch a := then.(type) {
	case map[string]any:
		if b, ok := now.(map[string]any); ok {
			for key := range a {
				compare(a[key], b[key], names)
			}
		}
	case []any:
		if b, ok := now.([]any); ok && len(a) == len(b) {
			for i := range a {
				compare(a[i], b[i], names)
			}
		}
	case string:
		if b, ok := now.(string); ok && a != b && len(a) >= shortestName {
			names[a] = b
		}
	}
}

// moved is what is called otherwise at another sandbox before anything is asked.
func moved(from, to *sim.Sandbox) map[string]string {
	names := map[string]string{from.AuthentikToken: to.AuthentikToken, from.NetBirdToken: to.NetBirdToken}
	for _, pair := range [][2]string{{from.AuthentikURL, to.AuthentikURL}, {from.NetBirdURL, to.NetBirdURL}} {
		then, now := strings.TrimPrefix(pair[0], "http://"), strings.TrimPrefix(pair[1], "http://")
		names[then], names[url.QueryEscape(then)] = now, url.QueryEscape(now)
	}
	return names
}
