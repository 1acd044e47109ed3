package flows_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"filippo.io/age"

	"authbird/clients"
	"authbird/flows"
	"authbird/keystore"
	simauthentik "authbird/sim/authentik"
	"authbird/sim/fault"
	simnetbird "authbird/sim/netbird"
	"authbird/sim/schema"
	"authbird/state"
)

const (
	adminToken = "admin-token-0123456789"
	ownerToken = "nbp_0123456789abcdefghijklmnopqrstuvwxyz"
)

// lab is one Authentik and one NetBird, both simulated, and a bench to work on
// them. Each piece can be made to fail.
type lab struct {
	t         *testing.T
	authentik *simauthentik.Server
	netbird   *simnetbird.Server
	faults    map[string]*fault.Faults // by place
	urls      map[string]string
	// before, when set, is called before a simulator answers a request.
	before  atomic.Pointer[func(place string, r *http.Request)]
	answers state.Answers
	tokens  flows.Tokens
	bench   *flows.Bench
	secrets string // the age identity's file
	adopt   bool
	options flows.DiagnoseOptions
	ahead   map[string]*atomic.Int64 // by place: how far its clock is ahead
	dial    map[string]string        // addresses that lead elsewhere
	trusts  *x509.CertPool
	hands   *hands       // nil: the real one
	restart func() error // what the restart command does
	mu      sync.Mutex
	sent    []clients.Exchange // that authbird made
}

type labOptions struct {
	schemas bool // hold every request body against the published schema
	version string
	netbird simnetbird.Options
	mode    state.Mode
	fresh   bool // a NetBird without an owner
}

func newLab(t *testing.T, o labOptions) *lab {
	t.Helper()
	l := &lab{t: t, faults: map[string]*fault.Faults{"authentik": fault.New(), "netbird": fault.New()}, urls: map[string]string{},
		ahead: map[string]*atomic.Int64{"authentik": {}, "netbird": {}}, dial: map[string]string{}}
	if o.version == "" {
		o.version = "2025.12.0-rc1"
	}
	l.authentik = simauthentik.New(simauthentik.Options{Version: o.version, Token: adminToken, Now: l.clock("authentik"), Rand: seeded("authentik"), Faults: l.faults["authentik"]})
	o.netbird.Now = l.clock("netbird")
	if o.netbird.HTTPClient == nil {
		o.netbird.HTTPClient = &http.Client{Timeout: patience} // its look at Authentik, too, outlasts a busy machine
	}
	o.netbird.Rand, o.netbird.Faults = seeded("netbird"), l.faults["netbird"]
	if o.netbird.OwnerEmail == "" && !o.fresh {
		o.netbird.OwnerEmail, o.netbird.OwnerName, o.netbird.OwnerPassword, o.netbird.OwnerToken = "owner@example.com", "Owner", "correct horse battery", ownerToken
	}
	l.netbird = simnetbird.New(o.netbird)
	var before, beside http.Handler = l.authentik, l.netbird
	if o.schemas {
		before = schema.Authentik(before, func(err error) { t.Errorf("sent to Authentik: %v", err) })
		beside = schema.NetBird(beside, func(err error) { t.Errorf("sent to NetBird: %v", err) })
	}
	ak := l.serve("authentik", before)
	nb := l.serve("netbird", beside)
	l.netbird.SetBaseURL(nb)
	if o.mode == "" {
		o.mode = state.Connector
	}
	l.bench = l.newBench()
	l.answers = l.bench.Defaults(o.mode)
	l.answers.AuthentikURL, l.answers.NetBirdURL = ak, nb
	l.tokens = flows.Tokens{Authentik: adminToken, NetBird: ownerToken}
	return l
}

func (l *lab) serve(place string, h http.Handler) string {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if before := l.before.Load(); before != nil {
			(*before)(place, r)
		}
		h.ServeHTTP(w, r)
	}))
	l.t.Cleanup(func() {
		l.faults[place].Clear()
		srv.CloseClientConnections()
		srv.Close()
	})
	l.urls[place] = srv.URL
	return srv.URL
}

// seeded is randomness that is the same in each run of a test.
func seeded(name string) io.Reader {
	sum := sha256.Sum256([]byte(name))
	return rand.NewChaCha8(sum)
}

func (l *lab) newBench() *flows.Bench {
	l.t.Helper()
	dir, err := state.Open(filepath.Join(l.t.TempDir(), "state"))
	if err != nil {
		l.t.Fatal(err)
	}
	l.secrets = identityFile(l.t)
	return &flows.Bench{
		State: dir, Now: time.Now, Rand: seeded("bench"),
		OpenKeys: func(ctx context.Context, _ keystore.Kind) (*keystore.Store, error) {
			return keystore.Open(ctx, keystore.Options{Kind: keystore.File, Dir: dir.Path(), Identity: l.secrets})
		},
		Transport: func(ca string) (*clients.Transport, error) {
			return clients.New(clients.Options{CAFile: ca, Base: l.roads(), Timeout: patience, Trace: l.note, Wait: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }})
		},
		Wait: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
	}
}

// roads is nil, for the usual transport, unless addresses lead elsewhere.
func (l *lab) roads() http.RoundTripper {
	if len(l.dial) == 0 && l.trusts == nil {
		return nil
	}
	var d net.Dialer
	return &http.Transport{TLSClientConfig: &tls.Config{RootCAs: l.trusts}, DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		if to, there := l.dial[address]; there {
			address = to
		}
		return d.DialContext(ctx, network, address)
	}}
}

// clock is the clock of one place.
func (l *lab) clock(place string) func() time.Time {
	return func() time.Time { return time.Now().Add(time.Duration(l.ahead[place].Load())) }
}

// skew sets the clock of one place ahead.
func (l *lab) skew(place string, by time.Duration) { l.ahead[place].Store(int64(by)) }

// apiAtItsOldPort puts NetBird where no proxy stands in front of its API.
func (l *lab) apiAtItsOldPort() error {
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<title>NetBird</title>"))
	}))
	l.t.Cleanup(page.Close)
	l.dial["netbird.example.com:80"] = page.Listener.Addr().String()
	l.dial["netbird.example.com:33073"] = strings.TrimPrefix(l.urls["netbird"], "http://")
	return l.answer(func(a *state.Answers) { a.NetBirdURL, a.AllowHTTP = "http://netbird.example.com", true })
}

// behindTLS puts a proxy in front of Authentik that tells it of no https.
func (l *lab) behindTLS() error {
	to, err := url.Parse(l.urls["authentik"])
	if err != nil {
		return err
	}
	proxy := httptest.NewUnstartedServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to)
		r.Out.Host = r.In.Host
	}})
	proxy.Config.ErrorLog = log.New(io.Discard, "", 0)
	proxy.StartTLS()
	l.t.Cleanup(proxy.Close)
	l.trusts = x509.NewCertPool()
	l.trusts.AddCert(proxy.Certificate())
	l.must(l.edit(l.urls["authentik"], proxy.URL))
	return l.answer(func(a *state.Answers) { a.AuthentikURL = proxy.URL })
}

// answer changes the answers of the setup as they are on disk.
func (l *lab) answer(change func(*state.Answers)) error {
	s, err := l.bench.State.Lock(setupName)
	if err != nil {
		return err
	}
	defer s.Close()
	a := s.Answers
	change(&a)
	return s.SaveAnswers(a)
}

// identityFile is an age key, so that no passphrase has to be stretched.
func identityFile(t *testing.T) string {
	t.Helper()
	seed := make([]byte, 32)
	binary.LittleEndian.PutUint64(seed, 7)
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "identity")
	if err := os.WriteFile(path, []byte(id.String()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// patience is more than a simulator needs for one answer on however busy a machine.
const patience = time.Minute

const setupName = "lab"

// run is `authbird setup` or, on a setup that stands, `authbird resume`.
func (l *lab) run(ctx context.Context, watch func(flows.Event)) error {
	s, err := l.bench.Open(ctx, setupName, l.answers, l.tokens)
	if err != nil {
		return err
	}
	defer s.Close()
	if watch != nil {
		s.Watch = watch
	}
	s.Adopt = func(_ context.Context, about flows.About, f flows.Finding) error {
		if l.adopt || f.Ours {
			return nil
		}
		return errors.New("nobody said yes to " + about.Title)
	}
	p, err := s.Plan(ctx)
	if err != nil {
		return err
	}
	_, err = s.Carry(ctx, p)
	return err
}

func (l *lab) mustRun() {
	l.t.Helper()
	if err := l.run(l.t.Context(), nil); err != nil {
		l.t.Fatalf("run: %v\n%s", err, strings.Join(flows.StopOf(err).Hints, "\n"))
	}
}

// requests counts what authbird asked both servers so far.
func (l *lab) requests() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.sent)
}

func (l *lab) note(x clients.Exchange) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sent = append(l.sent, x)
}

// chain is how many of the requests since the given one followed each other:
// the longest sequence in which each began after the one before had ended.
func (l *lab) chain(since int) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	sent := slices.Clone(l.sent[since:])
	end := func(x clients.Exchange) time.Time {
		return x.Time.Add(time.Duration(x.MS * float64(time.Millisecond)))
	}
	slices.SortFunc(sent, func(a, b clients.Exchange) int { return end(a).Compare(end(b)) })
	n, last := 0, time.Time{}
	for _, x := range sent {
		if !x.Time.Before(last) {
			n, last = n+1, end(x)
		}
	}
	return n
}

// journal is the whole journal as it is on disk.
func (l *lab) journal() []byte {
	l.t.Helper()
	var out bytes.Buffer
	err := filepath.WalkDir(l.bench.State.Path(), func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		out.Write(data)
		return err
	})
	if err != nil {
		l.t.Fatal(err)
	}
	return out.Bytes()
}
