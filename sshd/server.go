package sshd

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"charm.land/wish/v2"
	"github.com/charmbracelet/ssh"
	gossh "golang.org/x/crypto/ssh"

	"authbird/flows"
	"authbird/keystore"
	"authbird/state/disk"
)

// Options are what the operator says, and what the server needs of the world.
type Options struct {
	Listen   string   // an address and port
	KeysFile string   // authorized_keys; "": none
	Allow    []string // further public keys, a line each
	HostKey  string   // "": one in the state folder
	StateDir string
	Limits   Limits

	// What people begin with; nothing else of the operator's reaches them.
	AuthentikURL, NetBirdURL string
	CAFile                   string
	AllowHTTP                bool
	Tokens                   flows.Tokens // of the sandbox's servers, and of no others
	OnlyGiven                bool         // they may work with these servers alone

	// Bench is what everybody's setups are worked on with; its state and keystore
	// are set for each person.
	Bench flows.Bench
	// Keys says how the keystore of a folder is opened. The first that is opened
	// is the service's own, when the server begins; what it asks for must serve for
	// all others without a question.
	Keys func(dir string) keystore.Options

	Version       string
	Sandbox       bool
	SimulateLogin func(context.Context) error
	GiveUp        context.Context // when it ends, no step is waited for. Nil: Limits.Stop alone
	Say           func(string)    // remarks for the operator
	Rand          io.Reader
	Location      *time.Location // of times in the keys file; nil: UTC
}

// Limits bound what people may take. Each is above nothing.
type Limits struct {
	Idle     time.Duration // without a key typed
	Total    time.Duration // of a session
	Login    time.Duration // from the connection to the login, and from there to a session
	Stop     time.Duration // that a stopping server waits for steps that have begun
	Sessions int
	PerKey   int
}

// DefaultLimits are for a handful of people.
var DefaultLimits = Limits{Idle: 10 * time.Minute, Total: 8 * time.Hour, Login: 30 * time.Second, Stop: time.Minute, Sessions: 10, PerKey: 3}

// Server lets people in.
type Server struct {
	o      Options
	folder string
	guests *guestList
	host   gossh.Signer
	made   bool // the host key is new
	audit  *audit
	gate   *gate
	places *places
	keys   *vault
	ssh    *ssh.Server

	soft context.Context // ends when the server stops: no step is begun any more
	hard context.Context // ends when it waits no longer

	mu       sync.Mutex
	stopping bool
	sessions sync.WaitGroup
}

// New reads the keys and listens. Nobody is let in before Serve. The error is an
// *Error where the operator must put something right.
func New(o Options) (*Server, error) {
	if o.Location == nil {
		o.Location = time.UTC
	}
	s := &Server{o: o, folder: filepath.Join(o.StateDir, serveDir), places: &places{most: o.Limits.Sessions, mostOne: o.Limits.PerKey}, keys: newVault(o.Keys)}
	if o.OnlyGiven && o.AuthentikURL == "" && o.NetBirdURL == "" {
		return nil, wrongf("--only-given-servers needs the servers: --authentik-url and --netbird-url")
	}
	var err error
	if s.guests, err = newGuestList(o.KeysFile, o.Allow, o.Location, o.Say); err != nil {
		return nil, err
	}
	if err := disk.MakeDir(s.folder); err != nil {
		return nil, unfitf("the state folder can't be used: %v", err).hint("--state-dir names another")
	}
	path := o.HostKey
	if path == "" {
		path = filepath.Join(s.folder, "host_ed25519")
	}
	if s.host, s.made, err = hostKey(path, o.Rand); err != nil {
		return nil, err
	}
	if s.audit, err = openAudit(filepath.Join(s.folder, "audit.jsonl"), o.Bench.Now); err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", o.Listen)
	if err != nil {
		return nil, errors.Join(listenError(o.Listen, err), s.audit.close())
	}
	s.gate = newGate(l, o.Limits.Login, o.Bench.Now)
	return s, nil
}

func listenError(address string, err error) error {
	var dns *net.DNSError
	var addr *net.AddrError
	var parse *net.ParseError
	if errors.As(err, &dns) || errors.As(err, &addr) || errors.As(err, &parse) {
		return wrongf("--listen %q is no address and port of this machine, such as 127.0.0.1:23234", address)
	}
	var sys *os.SyscallError
	if errors.As(err, &sys) {
		err = sys.Err
	}
	return unfitf("%s can't be listened on: %v", address, err).hint("--listen names another address or port; ss -ltnp says who has this one")
}

// Close gives up what New took, where Serve is not called.
func (s *Server) Close() error { return errors.Join(s.gate.Listener.Close(), s.audit.close()) }

// Addr is where it listens.
func (s *Server) Addr() net.Addr { return s.gate.Addr() }

// HostKey is the fingerprint that clients ask about at their first visit, and
// whether the key was made just now.
func (s *Server) HostKey() (fingerprint string, made bool) {
	return gossh.FingerprintSHA256(s.host.PublicKey()), s.made
}

// Keys is how many keys may log in.
func (s *Server) Keys() int { return s.guests.count() }

// Audit is the path of the audit file.
func (s *Server) Audit() string { return s.audit.file.Name() }

// Unlock opens the service's own keystore, and so proves the passphrase that
// opens everybody's.
func (s *Server) Unlock(ctx context.Context) error {
	_, err := s.keys.at(ctx, s.folder)
	return err
}

// Beyond says that others than this machine can reach the port.
func (s *Server) Beyond() bool {
	addr := addressOf(s.gate.Addr())
	return !addr.IsLoopback()
}

type contextKey string

// knockKey is where a connection's context has its knock.
const knockKey contextKey = "knock"

// Serve lets people in until ctx ends. Then nobody is let in any more, every run
// stops between two steps, and Serve returns when all have; those that have not
// by Limits.Stop are given up, and looked for by their next run.
func (s *Server) Serve(ctx context.Context) error {
	hard, giveUp := context.WithCancel(context.Background())
	defer giveUp()
	soft, stopAll := context.WithCancel(ctx)
	defer stopAll()
	s.soft, s.hard = soft, hard
	if s.o.GiveUp != nil {
		defer context.AfterFunc(s.o.GiveUp, giveUp)()
	}
	srv, err := wish.NewServer(s.setup)
	if err != nil {
		return err
	}
	s.ssh = srv
	if err := s.audit.write(record{Kind: "serving", Remote: s.Addr().String()}); err != nil {
		return errors.Join(err, s.Close())
	}
	ended := make(chan error, 1)
	go func() { ended <- srv.Serve(s.gate) }()
	select {
	case err = <-ended:
	case <-ctx.Done():
		s.gate.Listener.Close()
		<-ended
	}
	stopAll()
	s.stop(giveUp)
	err = errors.Join(err, s.audit.write(record{Kind: "stopped"}), s.audit.close())
	return err
}

// stop waits for the sessions, and gives them up when the time is over.
func (s *Server) stop(giveUp func()) {
	s.mu.Lock()
	s.stopping = true
	s.mu.Unlock()
	late := time.AfterFunc(s.o.Limits.Stop, func() {
		s.o.Say("a step takes too long to wait for it; what became of its last request is looked for by the next run")
		giveUp()
	})
	defer late.Stop()
	last := time.AfterFunc(s.o.Limits.Stop+2*stuck, func() { s.ssh.Close() })
	defer last.Stop()
	s.sessions.Wait()
	s.ssh.Close()
	s.gate.shut()
}

// enter counts a session, unless the server stops.
func (s *Server) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping || s.soft.Err() != nil {
		return false
	}
	s.sessions.Add(1)
	return true
}

// setup makes a server that knows public keys and sessions, and nothing else.
func (s *Server) setup(srv *ssh.Server) error {
	srv.HostSigners = []ssh.Signer{s.host}
	srv.Version = "authbird"
	srv.PublicKeyHandler = func(ctx ssh.Context, public ssh.PublicKey) bool {
		k, ok := ctx.Value(knockKey).(*knock)
		return ok && s.guests.admits(public, k.from, s.o.Bench.Now())
	}
	srv.ConnCallback = func(ctx ssh.Context, conn net.Conn) net.Conn {
		k, ok := conn.(*knock)
		if !ok {
			return nil
		}
		ctx.SetValue(knockKey, k)
		s.gate.hold(s.soft, k, s.o.Bench.Wait)
		return k
	}
	srv.ServerConfigCallback = func(ctx ssh.Context) *gossh.ServerConfig {
		k := ctx.Value(knockKey).(*knock)
		return &gossh.ServerConfig{
			PublicKeyAuthAlgorithms: signatures,
			AuthLogCallback:         func(_ gossh.ConnMetadata, method string, err error) { s.tried(k, method, err) },
			VerifiedPublicKeyCallback: func(_ gossh.ConnMetadata, public gossh.PublicKey, p *gossh.Permissions, _ string) (*gossh.Permissions, error) {
				k.loggedIn(gossh.FingerprintSHA256(public))
				return p, nil
			},
		}
	}
	srv.ChannelHandlers = map[string]ssh.ChannelHandler{"session": s.channel}
	srv.RequestHandlers = map[string]ssh.RequestHandler{}
	srv.SubsystemHandlers = map[string]ssh.SubsystemHandler{}
	srv.Handler = func(ssh.Session) {} // channel is asked before it
	return nil
}

// signatures are what a key may sign its login with: none by SHA-1, none by DSA.
var signatures = []string{
	gossh.KeyAlgoED25519, gossh.KeyAlgoSKED25519, gossh.KeyAlgoSKECDSA256,
	gossh.KeyAlgoECDSA256, gossh.KeyAlgoECDSA384, gossh.KeyAlgoECDSA521, gossh.KeyAlgoRSASHA256, gossh.KeyAlgoRSASHA512,
}

// tried hears how each try to log in came out. That of the method "none" is how
// clients ask which methods there are.
func (s *Server) tried(k *knock, method string, err error) {
	if err == nil || method == "none" {
		return
	}
	k.loginFailed()
	if s.gate.tell(k.from) {
		_ = s.audit.write(record{Kind: "refused", What: "login", Remote: k.from.String()})
	}
}
