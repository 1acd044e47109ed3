package sshd

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	gossh "golang.org/x/crypto/ssh"

	"authbird/flows"
	"authbird/keystore"
	"authbird/state"
	"authbird/state/disk"
	"authbird/tui"
)

// person is whoever holds a key. What they have here is in a folder that is
// named after the key.
type person struct {
	fingerprint string // as ssh-keygen -l says it
	folder      string // of their state
	files       string // of their setup.env, in the folder
}

// The folders of the service, in its state folder.
const (
	serveDir  = "serve"
	peopleDir = "people"
	filesDir  = "files"
	keyFile   = "key.pub"
)

// meet makes the folder of a key's holder.
func (s *Server) meet(public gossh.PublicKey) (person, error) {
	name := sha256.Sum256(public.Marshal())
	p := person{fingerprint: gossh.FingerprintSHA256(public), folder: filepath.Join(s.folder, peopleDir, hex.EncodeToString(name[:]))}
	p.files = filepath.Join(p.folder, filesDir)
	if err := disk.MakeDir(p.files); err != nil {
		return p, err
	}
	path := filepath.Join(p.folder, keyFile) // so that the operator finds whose the folder is
	if stampOf(path) != "" {
		return p, nil
	}
	return p, disk.WriteFile(path, gossh.MarshalAuthorizedKey(public))
}

// bench is where a person's setups are worked on: the operator's, over a state,
// a keystore and files of their own. The state is a new one for each session, so
// that two sessions are two runs to each other.
func (s *Server) bench(p person) (*flows.Bench, error) {
	dir, err := state.Open(p.folder)
	if err != nil {
		return nil, err
	}
	b := s.o.Bench // a copy
	b.State = dir
	b.OpenKeys = func(ctx context.Context, kind keystore.Kind) (*keystore.Store, error) {
		if !s.keeps(kind) {
			return nil, fmt.Errorf("secrets are kept in the server's encrypted files here, not in the %s", kind)
		}
		return s.keys.of(ctx, p)
	}
	b.Docker, b.Shell = nil, nil
	b.Refuse = func(a state.Answers) error { return s.refuse(p, a) }
	return &b, nil
}

// keeps says whether a setup may have its secrets in that keystore: "" is
// whichever is to be had.
func (s *Server) keeps(kind keystore.Kind) bool {
	return kind == "" || kind == keystore.File || s.o.Sandbox && kind == keystore.Env
}

// answers are what a person's screens begin with.
func (s *Server) answers(p person, mode state.Mode) state.Answers {
	a := (&flows.Bench{}).Defaults(mode)
	a.AuthentikURL, a.NetBirdURL, a.CAFile, a.AllowHTTP = s.o.AuthentikURL, s.o.NetBirdURL, s.o.CAFile, s.o.AllowHTTP
	if mode == state.Standalone {
		a.EnvFile = filepath.Join(p.files, a.EnvFile)
	}
	return a
}

// refuse says what of the answers is not a person's to give, who comes by SSH.
// Whatever names a file or a command of this machine is refused here, however it
// came into the answers; the screens don't ask for it.
func (s *Server) refuse(p person, a state.Answers) error {
	switch {
	case a.RestartCommand != "":
		return fmt.Errorf("a command that restarts NetBird can't be given over SSH: it would run on this server")
	case a.NetBirdConfig != "":
		return fmt.Errorf("management.json can't be patched over SSH: it is a file of this server")
	case a.KeystoreIdentity != "":
		return fmt.Errorf("a key file can't be named over SSH: it is a file of this server")
	case a.CAFile != "" && a.CAFile != s.o.CAFile:
		return fmt.Errorf("a CA file can't be named over SSH: it is a file of this server")
	case !s.keeps(keystore.Kind(a.Keystore)):
		return fmt.Errorf("secrets are kept in the server's encrypted files here, not in the %s", a.Keystore)
	case a.EnvFile != "" && (filepath.Dir(a.EnvFile) != p.files || !tui.PlainFile(filepath.Base(a.EnvFile))):
		return fmt.Errorf("setup.env can only be in your own folder here, not elsewhere on this server")
	}
	return s.given(a)
}

// given says whether both servers are the operator's, where only those may be
// reached.
func (s *Server) given(a state.Answers) error {
	if !s.o.OnlyGiven {
		return nil
	}
	for _, x := range []struct{ name, is, may string }{
		{"Authentik", a.AuthentikURL, s.o.AuthentikURL}, {"NetBird", a.NetBirdURL, s.o.NetBirdURL},
	} {
		if x.is != "" && x.is != s.o.AuthentikURL && x.is != s.o.NetBirdURL {
			return fmt.Errorf("only %s at %s can be worked with here", x.name, orNone(x.may))
		}
	}
	if host := hostOf(s.o.NetBirdURL); a.NetBirdDomain != "" && a.NetBirdDomain != host {
		return fmt.Errorf("only NetBird at %s can be worked with here", orNone(host))
	}
	return nil
}

func orNone(s string) string {
	if s == "" {
		return "no address"
	}
	return s
}

func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Hostname())
}

// vault opens people's keystores. Each has an identity of its own under the one
// passphrase that the operator gave at the start, and is opened once. One at a
// time: opening takes a second and 128 MiB.
type vault struct {
	options func(dir string) keystore.Options

	turn chan struct{} // held while open is looked at or added to
	open map[string]*keystore.Store
}

func newVault(options func(dir string) keystore.Options) *vault {
	return &vault{options: options, open: map[string]*keystore.Store{}, turn: make(chan struct{}, 1)}
}

// of opens a person's keystore.
func (v *vault) of(ctx context.Context, p person) (*keystore.Store, error) {
	return v.at(ctx, p.folder)
}

// at opens the keystore of a folder.
func (v *vault) at(ctx context.Context, folder string) (*keystore.Store, error) {
	select {
	case v.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-v.turn }()
	if store := v.open[folder]; store != nil {
		return store, nil
	}
	store, err := keystore.Open(ctx, v.options(folder))
	if err != nil {
		return nil, err
	}
	if err := store.Unlock(ctx); err != nil {
		return nil, err
	}
	v.open[folder] = store
	return store, nil
}

// deeds is what one session did, for the audit file.
type deeds struct {
	mu   sync.Mutex
	did  []string
	tell func(record) error
}

// mostDeeds bounds the list in the last line of a session; each has had its own.
const mostDeeds = 200

func (d *deeds) add(r record) {
	r.Kind = "did"
	_ = d.tell(r) // what was begun goes on: stopping it would lose more than the line
	words := strings.Join(slices.DeleteFunc([]string{r.Verb, r.Setup, r.Step, r.Phase}, func(s string) bool { return s == "" }), " ")
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.did) < mostDeeds {
		d.did = append(d.did, words)
	}
}

func (d *deeds) all() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.did)
}
