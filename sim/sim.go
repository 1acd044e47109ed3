// Package sim runs a simulated Authentik and a simulated NetBird on loopback
// ports, seeded so that a connector can be set up between them.
//
// It is what the sandbox verb shows a person and what the tests run on. It
// promises that both servers answer only on the loopback interface and that
// nothing of them outlives Close. It also has Login, a person's whole way into
// NetBird by HTTP, which works against real servers too.
package sim

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	simauthentik "authbird/sim/authentik"
	"authbird/sim/fault"
	simnetbird "authbird/sim/netbird"
)

// The people of a sandbox. Their passwords are no secret.
const (
	PersonUsername = "alice"
	PersonPassword = "Al1ce-pass-word"
	PersonEmail    = "alice@example.com"
	OwnerEmail     = "owner@example.com"
	OwnerPassword  = "0wner-pass-word"
)

// Options say which servers to run.
type Options struct {
	// AuthentikPort and NetBirdPort are loopback ports, 0 for any.
	AuthentikPort, NetBirdPort int
	// AuthentikVersion and NetBirdVersion are what the servers call themselves,
	// by default the versions that were recorded.
	AuthentikVersion, NetBirdVersion string
	// Latency is added to every request.
	Latency time.Duration
	// Fresh leaves NetBird without its owner: setup is required first.
	Fresh bool
	// Now is the clock of both, by default time.Now.
	Now func() time.Time
	// Rand is where tokens and ids come from, by default crypto/rand.
	Rand io.Reader
	// Front is put in front of both servers, faults and latency included, for
	// who wants to see whole requests and answers; nil: nothing.
	Front func(http.Handler) http.Handler
}

// Sandbox is both servers while they run.
type Sandbox struct {
	AuthentikURL, NetBirdURL string
	// AuthentikToken is an API token of akadmin.
	AuthentikToken string
	// NetBirdToken is a personal access token of the owner, "" if Fresh.
	NetBirdToken string

	Authentik       *simauthentik.Server
	NetBird         *simnetbird.Server
	AuthentikFaults *fault.Faults
	NetBirdFaults   *fault.Faults

	servers   []*http.Server
	transport *http.Transport // of NetBird's own requests
}

// Start starts both servers. The error says which port can't be had.
func Start(o Options) (*Sandbox, error) {
	if o.Rand == nil {
		o.Rand = rand.Reader
	}
	o.Rand = &sharedReader{r: o.Rand}
	secret := make([]byte, 48)
	if _, err := io.ReadFull(o.Rand, secret); err != nil {
		return nil, fmt.Errorf("make the sandbox's tokens: %w", err)
	}
	s := &Sandbox{
		AuthentikToken:  "ak_" + hex.EncodeToString(secret[:24]),
		AuthentikFaults: fault.New(), NetBirdFaults: fault.New(),
		transport: &http.Transport{},
	}
	ak, err := listen("Authentik", o.AuthentikPort)
	if err != nil {
		return nil, err
	}
	nb, err := listen("NetBird", o.NetBirdPort)
	if err != nil {
		return nil, errors.Join(err, ak.Close())
	}
	s.AuthentikURL, s.NetBirdURL = "http://"+ak.Addr().String(), "http://"+nb.Addr().String()
	s.AuthentikFaults.SetLatency(o.Latency)
	s.NetBirdFaults.SetLatency(o.Latency)
	s.Authentik = simauthentik.New(simauthentik.Options{
		Version: o.AuthentikVersion, Token: s.AuthentikToken, Now: o.Now, Rand: o.Rand, Faults: s.AuthentikFaults,
	})
	s.Authentik.AddUser(simauthentik.User{Username: PersonUsername, Name: "Alice Example", Email: PersonEmail, Password: PersonPassword})
	n := simnetbird.Options{
		BaseURL: s.NetBirdURL, Version: o.NetBirdVersion, Dashboard: true, Now: o.Now, Rand: o.Rand, Faults: s.NetBirdFaults,
		HTTPClient: &http.Client{Transport: beside{s.transport}, Timeout: 10 * time.Second},
	}
	if !o.Fresh {
		s.NetBirdToken = "nbp_" + hex.EncodeToString(secret[24:42])
		n.OwnerEmail, n.OwnerPassword, n.OwnerToken = OwnerEmail, OwnerPassword, s.NetBirdToken
	}
	s.NetBird = simnetbird.New(n)
	if err := s.NetBird.Err(); err != nil {
		return nil, errors.Join(fmt.Errorf("start the simulated NetBird: %w", err), ak.Close(), nb.Close())
	}
	if o.Front == nil {
		o.Front = func(h http.Handler) http.Handler { return h }
	}
	s.serve(ak, o.Front(s.Authentik))
	s.serve(nb, o.Front(s.NetBird))
	return s, nil
}

// beside marks NetBird's own requests to Authentik.
type beside struct{ next http.RoundTripper }

func (b beside) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set(fault.Beside, "netbird")
	return b.next.RoundTrip(r)
}

// sharedReader lets both servers read from one source.
type sharedReader struct {
	mu sync.Mutex
	r  io.Reader
}

func (s *sharedReader) Read(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.r.Read(p)
}

func listen(what string, port int) (net.Listener, error) {
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return nil, fmt.Errorf("start the simulated %s: %w", what, err)
	}
	return l, nil
}

func (s *Sandbox) serve(l net.Listener, h http.Handler) {
	srv := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, ErrorLog: log.New(io.Discard, "", 0)}
	s.servers = append(s.servers, srv)
	go srv.Serve(l)
}

// Login lets a person log in to NetBird through the connector that is there,
// and makes one call to its API. That he has to wait for approval, or is blocked,
// is no error; that NetBird does not accept his token is. Login, the function,
// tells these apart.
func (s *Sandbox) Login(ctx context.Context, username, password string) error {
	got, err := Login(ctx, LoginRequest{NetBirdURL: s.NetBirdURL, Username: username, Password: password})
	if err == nil && got.Outcome == Refused {
		return fmt.Errorf("log in %s: NetBird refused the token: %s", username, got.Message)
	}
	return err
}

// Close stops both servers and cuts what is still connected.
func (s *Sandbox) Close() {
	s.AuthentikFaults.Clear()
	s.NetBirdFaults.Clear()
	for _, srv := range s.servers {
		srv.Close()
	}
	s.transport.CloseIdleConnections()
}
