//go:build unix

package main

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"

	"authbird/clients"
	"authbird/flows"
	"authbird/keystore"
	simauthentik "authbird/sim/authentik"
	"authbird/sim/fault"
	simnetbird "authbird/sim/netbird"
	"authbird/state"
	"authbird/tui"
)

const (
	authentikHost, netbirdHost = "auth.example.com", "netbird.example.com"
	adminToken                 = "admin-token-of-the-pictures"
	ownerToken                 = "nbp_0123456789abcdefghijklmnopqrstuvwxyz"
	stateFolder                = "/root/.local/state/authbird"
)

// world is both servers, reached without a network, and the bench that works
// on them.
type world struct {
	hosts   map[string]http.Handler
	netbird *fault.Faults
	akFault *fault.Faults
	now     *clock
	bench   *flows.Bench
	noWay   bool // NetBird does not reach Authentik
	mu      sync.Mutex
}

// clock stands still, but for what changes take.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

func newWorld(dir string) (*world, error) {
	w := &world{netbird: fault.New(), akFault: fault.New(), now: &clock{at: time.Date(2026, 11, 24, 18, 2, 0, 0, time.UTC)}}
	n := simnetbird.New(simnetbird.Options{
		BaseURL: "https://" + netbirdHost, OwnerEmail: "owner@example.com", OwnerName: "Owner", OwnerPassword: "0wner-pass-word", OwnerToken: ownerToken,
		HTTPClient: &http.Client{Transport: beside{w}}, Now: w.now.now, Rand: seeded("netbird"), Faults: w.netbird,
	})
	if err := n.Err(); err != nil {
		return nil, err
	}
	w.hosts = map[string]http.Handler{
		authentikHost: simauthentik.New(simauthentik.Options{Token: adminToken, Now: w.now.now, Rand: seeded("authentik"), Faults: w.akFault}),
		netbirdHost:   n,
	}
	folder, err := state.Open(dir)
	if err != nil {
		return nil, err
	}
	folder.Now, folder.Rand = w.now.now, seeded("state")
	w.bench = &flows.Bench{
		State: folder, Now: w.now.now, Rand: seeded("authbird"),
		OpenKeys: func(ctx context.Context, _ keystore.Kind) (*keystore.Store, error) {
			return keystore.Open(ctx, keystore.Options{Kind: keystore.Env, Dir: dir})
		},
		Transport: func(string) (*clients.Transport, error) {
			return clients.New(clients.Options{Base: w, Now: w.now.now, Wait: func(context.Context, time.Duration) error { return nil }})
		},
		Wait: func(ctx context.Context, _ time.Duration) error { <-ctx.Done(); return ctx.Err() },
	}
	return w, nil
}

// RoundTrip brings a request to its server by hand, over TLS as far as the
// server can tell.
func (w *world) RoundTrip(r *http.Request) (*http.Response, error) {
	server := w.hosts[r.URL.Host]
	if server == nil {
		return nil, errors.New("dial tcp: lookup " + r.URL.Host + ": no such host")
	}
	if r.Method != http.MethodGet && strings.HasPrefix(r.URL.Path, "/api/") { // those come one after the other
		w.now.pass(130 * time.Millisecond)
	}
	r = r.Clone(r.Context())
	r.Host, r.RequestURI, r.TLS, r.RemoteAddr = r.URL.Host, r.URL.RequestURI(), &tls.ConnectionState{}, "192.0.2.7:40000"
	if r.Body == nil {
		r.Body = http.NoBody
	}
	answer := httptest.NewRecorder()
	server.ServeHTTP(answer, r)
	got := answer.Result()
	got.Header.Set("Date", w.now.now().Format(http.TimeFormat))
	got.Request = r
	return got, nil
}

// beside is NetBird's own way to Authentik.
type beside struct{ w *world }

func (b beside) RoundTrip(r *http.Request) (*http.Response, error) {
	b.w.mu.Lock()
	noWay := b.w.noWay
	b.w.mu.Unlock()
	if noWay {
		return nil, errors.New("dial tcp 203.0.113.5:443: i/o timeout")
	}
	return b.w.RoundTrip(r)
}

func (w *world) cutWay(cut bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.noWay = cut
}

// seeded is randomness that is the same each time.
func seeded(name string) io.Reader {
	return &shared{r: rand.NewChaCha8(sha256.Sum256([]byte(name)))}
}

type shared struct {
	mu sync.Mutex
	r  io.Reader
}

func (s *shared) Read(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.r.Read(p)
}

// homely is a bench whose secrets are said to be where they are on a server.
type homely struct{ tui.Bench }

func (h homely) Open(ctx context.Context, name string, a state.Answers, t flows.Tokens, ears tui.Ears) (tui.Session, error) {
	s, err := h.Bench.Open(ctx, name, a, t, ears)
	if err != nil {
		return nil, err
	}
	return atHome{s}, nil
}

type atHome struct{ tui.Session }

func (atHome) Where() string { return "the age files in " + stateFolder + "/keys" }
