//go:build linux && amd64

package matrix

import (
	"context"
	"crypto/sha256"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"filippo.io/age"

	simauthentik "authbird/sim/authentik"
	simnetbird "authbird/sim/netbird"
)

// setupName is the setup that every case works on.
const setupName = "lab"

const (
	adminToken = "admin-token-0123456789abcdef"
	ownerToken = "nbp_0123456789abcdefghijklmnopqrstuvwxyz"
	domain     = "netbird.example.com"
)

// world is one case's own: both servers, and the machine that authbird runs
// on, which is a folder.
type world struct {
	t         *testing.T
	authentik *simauthentik.Server
	netbird   *simnetbird.Server
	urls      map[string]string // by place
	state     string            // the state folder
	host      string            // the folder of NetBird's own files
	identity  string            // the file of the age key
	extra     []string          // further environment
	tokenless bool              // nobody gives authbird the admin tokens
	start     servers           // both servers as they were before authbird came
	hostStart map[string]string // and the files of host
	patience  time.Duration     // how long a hasty run waits for an answer
	missed    bool              // its patience ended before the request came that it was to suffer

	mu    sync.Mutex
	free  *sync.Cond
	conns map[net.Conn]bool // open at either server
	seen  map[string]int    // requests of authbird by what they ask for
	calls []call
	trap  *trap // what happens to one of them
	child *child
}

// servers is what both servers hold, comparable between worlds.
type servers struct{ Authentik, NetBird any }

// newWorld starts both servers with people, groups, applications and a
// connector of somebody else's.
func newWorld(t *testing.T) *world {
	t.Helper()
	dir := t.TempDir()
	w := &world{t: t, urls: map[string]string{}, conns: map[net.Conn]bool{}, seen: map[string]int{},
		state: filepath.Join(dir, "state"), host: filepath.Join(dir, "host"), identity: filepath.Join(dir, "identity"), patience: patience}
	w.free = sync.NewCond(&w.mu)
	w.authentik = simauthentik.New(simauthentik.Options{Token: adminToken, Rand: seeded("authentik")})
	w.netbird = simnetbird.New(simnetbird.Options{
		OwnerEmail: "owner@example.com", OwnerName: "Owner", OwnerPassword: "0wner-pass-word", OwnerToken: ownerToken,
		Rand:       seeded("netbird"),
		HTTPClient: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: longest},
	})
	w.serve("authentik", w.authentik)
	w.serve("netbird", w.netbird)
	w.netbird.SetBaseURL(w.urls["netbird"])
	for name, place := range map[string]string{"NETBIRD_PORT": "netbird", "AUTHENTIK_PORT": "authentik"} {
		w.extra = append(w.extra, name+"="+w.urls[place][strings.LastIndex(w.urls[place], ":")+1:])
	}
	w.furnish()
	w.machine()
	return w
}

// furnish puts things of other people's beside what authbird makes.
func (w *world) furnish() {
	w.t.Helper()
	w.authentik.AddUser(simauthentik.User{Username: "alice", Name: "Alice", Email: "alice@example.com", Password: "Al1ce-pass-word", Groups: []string{"staff"}})
	w.authentik.AddMany(2, 2)
	must(w.t, w.authentik.BindGroup("app-00000", "staff"))
	w.netbird.AddConnector(simnetbird.Connector{Type: "oidc", Name: "Old login", Issuer: "https://old.example.com", ClientID: "old", ClientSecret: "old-secret"})
	_, err := w.netbird.AddUser(simnetbird.User{Name: "Bob", Email: "bob@example.com"})
	must(w.t, err)
}

// machine makes the folders. The keystore opens with a key file, as it does
// for a person who named one: a passphrase costs half a second each time.
func (w *world) machine() {
	w.t.Helper()
	key, err := age.GenerateX25519Identity()
	must(w.t, err)
	must(w.t, os.WriteFile(w.identity, []byte(key.String()+"\n"), 0o600))
	must(w.t, os.Mkdir(w.host, 0o700))
	restart := filepath.Join(filepath.Dir(w.host), "restart-netbird")
	must(w.t, os.WriteFile(restart, []byte(restartNetBird), 0o600))
	w.extra = append(w.extra, "RESTART_NETBIRD="+restart)
	must(w.t, os.MkdirAll(filepath.Join(w.state, "keys"), 0o700))
	must(w.t, os.WriteFile(filepath.Join(w.state, "keys", "identity-file"), []byte(w.identity+"\n"), 0o600))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// seeded is randomness that is the same in each world.
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

func (w *world) serve(place string, h http.Handler) {
	w.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(w.t, err)
	srv := &http.Server{Handler: w.gate(place, h), ConnState: w.count, ReadHeaderTimeout: longest, ErrorLog: log.New(io.Discard, "", 0)}
	go srv.Serve(l)
	w.t.Cleanup(func() { srv.Close() })
	w.urls[place] = "http://" + l.Addr().String()
}

func (w *world) count(c net.Conn, state http.ConnState) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch state {
	case http.StateNew:
		w.conns[c] = true
	case http.StateClosed, http.StateHijacked:
		delete(w.conns, c)
	}
	w.free.Broadcast()
}

const probe = "/_matrix/probe"

// drain waits until the servers have dealt with everything that a process sent
// them before it ended: a request that arrives after the next run began would
// be another process's.
func (w *world) drain() {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), longest)
	defer cancel()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for place, url := range w.urls {
		// Connections are accepted in turn, so when this one is answered none of
		// the child's waits any more.
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, url+probe, nil)
		must(w.t, err)
		answer, err := client.Do(r)
		if err != nil {
			w.t.Fatalf("the simulated %s does not answer: %v", place, err)
		}
		answer.Body.Close()
	}
	stop := context.AfterFunc(ctx, w.free.Broadcast)
	defer stop()
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(w.conns) > 0 && ctx.Err() == nil {
		w.free.Wait()
	}
	if len(w.conns) > 0 {
		w.t.Fatalf("%d connections of a process that has ended are still open", len(w.conns))
	}
}

// snapshot is what both servers hold, without the addresses of this world.
func (w *world) snapshot() servers {
	w.t.Helper()
	return servers{w.placeless(w.authentik.Snapshot()), w.placeless(w.netbird.Snapshot())}
}

// here replaces this world's addresses and folders by names.
func (w *world) here(text string) string {
	for _, p := range [][2]string{{w.urls["authentik"], "AUTHENTIK"}, {w.urls["netbird"], "NETBIRD"}, {w.state, "STATE"}, {w.host, "HOST"}} {
		text = strings.ReplaceAll(text, p[0], p[1])
	}
	return text
}

// files are the names of all files below a folder, with what differs from run
// to run in them left out.
func files(t *testing.T, dir string) []string {
	t.Helper()
	var out []string
	must(t, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			out = append(out, timeless(strings.TrimPrefix(path, dir+"/")))
		}
		return err
	}))
	slices.Sort(out)
	return out
}
