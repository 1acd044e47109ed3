package sshd

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/charmbracelet/x/vt"
	gossh "golang.org/x/crypto/ssh"

	"authbird/clients"
	"authbird/flows"
	"authbird/keystore"
	"authbird/sim"
)

// patience bounds a wait that ends at once on a machine that has nothing else to
// do.
const patience = 60 * time.Second

// host is a machine where authbird serves, beside both simulated servers.
type host struct {
	t      *testing.T
	dir    string // of the state
	sim    *sim.Sandbox
	server *Server
	stop   context.CancelFunc
	ended  chan error
	once   sync.Once
	key    gossh.Signer // that may log in

	mu    sync.Mutex
	said  []string
	brake *brake // holds requests
}

// newKey makes a key and its line for a keys file.
func newKey(t *testing.T) (gossh.Signer, string) {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := gossh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return signer, strings.TrimSpace(string(gossh.MarshalAuthorizedKey(signer.PublicKey())))
}

// options are those of a host whose only key is h.key.
func (h *host) options() Options {
	limits := DefaultLimits
	limits.Login = 10 * patience
	return Options{
		Listen: "127.0.0.1:0", StateDir: h.dir, Limits: limits, AuthentikURL: h.sim.AuthentikURL, NetBirdURL: h.sim.NetBirdURL,
		Tokens: flows.Tokens{Authentik: h.sim.AuthentikToken, NetBird: h.sim.NetBirdToken},
		Bench: flows.Bench{
			Transport: h.transport, Now: time.Now, Rand: rand.Reader,
			Wait: func(ctx context.Context, d time.Duration) error { return ctx.Err() }, // nobody waits in a test
		},
		Keys: func(dir string) keystore.Options {
			return keystore.Options{Kind: keystore.File, Dir: dir, Identity: filepath.Join(h.dir, "identity")}
		},
		Version: "test", Rand: rand.Reader,
		Say: func(s string) {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.said = append(h.said, s)
		},
	}
}

func (h *host) transport(string) (*clients.Transport, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	o := clients.Options{Now: time.Now, Timeout: patience}
	if h.brake != nil {
		o.Base = h.brake
	}
	return clients.New(o)
}

// brake holds requests that make a connector, once it is armed, until it is let
// go. (The plan asks NetBird, by such a request, whether it reaches Authentik.)
type brake struct {
	base     http.RoundTripper
	arrived  chan struct{} // closed when it is held
	released chan struct{}
	once     sync.Once
	armed    atomic.Bool
}

// holds makes a brake for what is sent from now on.
func (h *host) holds() *brake {
	b := &brake{base: http.DefaultTransport.(*http.Transport).Clone(), arrived: make(chan struct{}), released: make(chan struct{})}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.brake = b
	return b
}

func (b *brake) RoundTrip(r *http.Request) (*http.Response, error) {
	if b.armed.Load() && r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/identity-providers") {
		b.once.Do(func() { close(b.arrived) })
		select {
		case <-b.released:
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	}
	return b.base.RoundTrip(r)
}

// runs carries the plan out until the connector is about to be made.
func (v *visit) runs(b *brake) *visit {
	v.h.t.Helper()
	b.armed.Store(true)
	v.types("\r")
	select {
	case <-b.arrived:
	case <-time.After(patience):
		v.h.t.Fatalf("no connector is made:\n%s", v.screen())
	}
	return v
}

// newHost serves until the test ends; tweak changes the options.
func newHost(t *testing.T, tweak func(*Options)) *host {
	t.Helper()
	s, err := sim.Start(sim.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	h := &host{t: t, dir: t.TempDir(), sim: s}
	identity, err := age.GenerateX25519Identity() // opens at once, as no passphrase does
	if err == nil {
		err = os.WriteFile(filepath.Join(h.dir, "identity"), []byte(identity.String()+"\n"), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	var line string
	h.key, line = newKey(t)
	o := h.options()
	o.Allow = []string{line}
	if tweak != nil {
		tweak(&o)
	}
	h.serve(o)
	t.Cleanup(h.close)
	return h
}

// serve starts a server.
func (h *host) serve(o Options) {
	h.t.Helper()
	server, err := New(o)
	if err != nil {
		h.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	if err := server.Unlock(ctx); err != nil {
		h.t.Fatal(err)
	}
	h.server, h.stop, h.ended, h.once = server, stop, make(chan error, 1), sync.Once{}
	go func(ended chan error) { ended <- server.Serve(ctx) }(h.ended)
}

// close tells the server to stop and waits until it has.
func (h *host) close() {
	h.once.Do(func() {
		h.stop()
		select {
		case err := <-h.ended:
			if err != nil {
				h.t.Errorf("serve: %v", err)
			}
		case <-time.After(patience):
			h.t.Error("the server does not stop")
		}
	})
}

// address is where the server listens.
func (h *host) address() string { return h.server.Addr().String() }

// dial logs in with a key.
func (h *host) dial(key gossh.Signer) (*gossh.Client, error) {
	return gossh.Dial("tcp", h.address(), &gossh.ClientConfig{
		User: "somebody", Auth: []gossh.AuthMethod{gossh.PublicKeys(key)}, HostKeyCallback: gossh.FixedHostKey(h.server.host.PublicKey()), Timeout: patience,
	})
}

// audited reads the audit file.
func (h *host) audited() []record {
	h.t.Helper()
	f, err := os.Open(h.server.Audit())
	if err != nil {
		h.t.Fatal(err)
	}
	defer f.Close()
	var out []record
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var r record
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			h.t.Fatalf("a line that is no record: %s: %v", lines.Text(), err)
		}
		out = append(out, r)
	}
	return out
}

// ends waits until the audit file tells of n ends and returns them.
func (h *host) ends(n int) []record {
	h.t.Helper()
	var out []record
	h.eventually(fmt.Sprintf("%d sessions end", n), func() bool {
		out = nil
		for _, r := range h.audited() {
			if r.Kind == "end" {
				out = append(out, r)
			}
		}
		return len(out) >= n
	})
	return out
}

// eventually waits for what nobody tells of.
func (h *host) eventually(what string, ok func() bool) {
	h.t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	over := time.After(patience)
	for !ok() {
		select {
		case <-tick.C:
		case <-over:
			h.t.Fatalf("waited in vain: %s", what)
		}
	}
}

// visit is a person at a terminal, logged in.
type visit struct {
	h       *host
	conn    io.Closer
	session *gossh.Session
	keys    io.Writer
	emu     *vt.SafeEmulator
	changed chan struct{}
	over    chan struct{} // closed at the end of the output
	errs    lockedBuffer

	mu  sync.Mutex
	raw bytes.Buffer
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// login opens the screens with the host's key.
func (h *host) login() *visit {
	h.t.Helper()
	return h.loginAs(h.key, 80, 24)
}

func (h *host) loginAs(key gossh.Signer, columns, rows int) *visit {
	h.t.Helper()
	c, err := h.dial(key)
	if err != nil {
		h.t.Fatalf("a good login: %v", err)
	}
	v := h.shell(c, columns, rows)
	if err := v.session.Shell(); err != nil {
		h.t.Fatal(err)
	}
	return v
}

// shell has a terminal on a connection, without a shell yet. An emulator draws
// what comes and answers what is asked.
func (h *host) shell(c *gossh.Client, columns, rows int) *visit {
	h.t.Helper()
	return h.shellWith(c, ptyRequest{Term: "xterm-256color", Columns: uint32(columns), Rows: uint32(rows)})
}

func (h *host) shellWith(c *gossh.Client, p ptyRequest) *visit {
	h.t.Helper()
	s, err := c.NewSession()
	if err != nil {
		h.t.Fatal(err)
	}
	v := &visit{h: h, conn: c, session: s, emu: vt.NewSafeEmulator(sane(p.Columns, p.Rows).Width, sane(p.Columns, p.Rows).Height), changed: make(chan struct{}, 1), over: make(chan struct{})}
	v.keys, _ = s.StdinPipe()
	out, _ := s.StdoutPipe()
	s.Stderr = &v.errs
	if ok, err := s.SendRequest("pty-req", true, gossh.Marshal(p)); !ok || err != nil {
		h.t.Fatalf("the terminal is not taken: %v", err)
	}
	go v.draw(out)
	go func() { _, _ = io.Copy(v.keys, v.emu.Emulator) }()
	h.t.Cleanup(func() {
		c.Close()
		<-v.over
		v.mute()
	})
	return v
}

// mute ends the terminal's answers. The emulator's own Close races with the
// Read of its answers.
func (v *visit) mute() {
	if answers, ok := v.emu.Emulator.InputPipe().(io.Closer); ok {
		answers.Close()
	}
}

func (v *visit) draw(out io.Reader) {
	defer close(v.over)
	chunk := make([]byte, 32<<10)
	for {
		n, err := out.Read(chunk)
		v.mu.Lock()
		v.raw.Write(chunk[:n])
		_, _ = v.emu.Write(chunk[:n])
		v.mu.Unlock()
		select {
		case v.changed <- struct{}{}:
		default:
		}
		if err != nil {
			return
		}
	}
}

// screen is what the person sees, with runs of blanks as one.
func (v *visit) screen() string {
	v.mu.Lock()
	defer v.mu.Unlock()
	var b strings.Builder
	for y := range v.emu.Height() {
		for x := range v.emu.Width() {
			if cell := v.emu.CellAt(x, y); cell != nil && cell.Width > 0 {
				b.WriteString(cell.Content)
			} else if cell == nil {
				b.WriteByte(' ')
			}
		}
		b.WriteByte(' ')
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// sees waits until the words are on the screen.
func (v *visit) sees(words string) *visit {
	v.h.t.Helper()
	over := time.After(patience)
	for !strings.Contains(v.screen(), words) {
		select {
		case <-v.changed:
		case <-v.over:
			if strings.Contains(v.screen(), words) {
				return v
			}
			v.h.t.Fatalf("the session is over, and %q was not seen:\n%s\n%s", words, v.screen(), v.errs.String())
		case <-over:
			v.h.t.Fatalf("%q is not on the screen:\n%s", words, v.screen())
		}
	}
	return v
}

// drawn is all that came.
func (v *visit) drawn() []byte {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.raw.Bytes()
}

// types types.
func (v *visit) types(keys string) *visit {
	v.h.t.Helper()
	if _, err := io.WriteString(v.keys, keys); err != nil {
		v.h.t.Fatalf("type %q: %v", keys, err)
	}
	return v
}

// leaves waits for the end and returns what the client is told.
func (v *visit) leaves() error {
	v.h.t.Helper()
	select {
	case <-v.over:
	case <-time.After(patience):
		v.h.t.Fatalf("the session does not end:\n%s", v.screen())
	}
	return v.session.Wait()
}

// toPlan walks to the plan of a connector; the servers and tokens are proposed.
func (v *visit) toPlan() *visit {
	v.h.t.Helper()
	v.sees("new setup").types("\r").sees("How shall they be joined?").types("\r").sees("akadmin, superuser").types("\r")
	return v.sees("Owner, owner").types("\r").sees("See the plan").types("\r").sees("What will happen").sees("do it")
}

// goodLogin is what must work after everything that was done to the server.
func (h *host) goodLogin() {
	h.t.Helper()
	v := h.login()
	v.sees("new setup").types("q")
	if err := v.leaves(); err != nil {
		h.t.Fatalf("a good login: %v", err)
	}
	v.conn.Close()
}

// knockOn opens a connection without a word.
func (h *host) knockOn() net.Conn {
	h.t.Helper()
	c, err := net.Dial("tcp", h.address())
	if err != nil {
		h.t.Fatal(err)
	}
	return c
}
