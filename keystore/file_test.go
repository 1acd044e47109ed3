package keystore

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"authbird/state/disk"

	"filippo.io/age"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/crypto/ssh"
)

const (
	setup = "netbird.example.com"
	// hush is what must never be seen in a file, an error or an announcement.
	hush = "kept-very-secret-0123456789"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// env is an environment of pairs.
func env(kv ...string) func(string) string {
	return func(name string) string {
		for i := 0; i < len(kv); i += 2 {
			if kv[i] == name {
				return kv[i+1]
			}
		}
		return ""
	}
}

// person answers questions for a passphrase and hears announcements.
type person struct {
	mu      sync.Mutex
	answers []string // the last one for ever
	asked   []Question
	heard   []string
}

func (p *person) passphrase(_ context.Context, q Question) (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked = append(p.asked, q)
	answer := p.answers[0]
	if len(p.answers) > 1 {
		p.answers = p.answers[1:]
	}
	return answer, nil
}

func (p *person) say(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.heard = append(p.heard, text)
}

// fileOptions are those of a file store that a person opens with a passphrase.
func fileOptions(dir string, p *person) Options {
	return Options{Kind: File, Dir: dir, Passphrase: p.passphrase, Say: p.say, logN: 2}
}

func mustOpen(t testing.TB, o Options) *Store {
	t.Helper()
	s, err := Open(t.Context(), o)
	must(t, err)
	return s
}

func mustGet(t testing.TB, s *Store, name, want string) {
	t.Helper()
	if got, err := s.Get(t.Context(), setup, name); err != nil || got != want {
		t.Errorf("Get(%s) = %q, %v; want %q", name, got, err, want)
	}
}

func TestAgeFiles(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	p := &person{answers: []string{"open sesame"}}
	s := mustOpen(t, fileOptions(dir, p))
	if s.Kind() != File || s.Where() != "the age files in "+dir+"/keys" {
		t.Errorf("%s, %s", s.Kind(), s.Where())
	}
	if _, err := s.Get(t.Context(), setup, ClientSecret); !errors.Is(err, ErrAbsent) ||
		err.Error() != "read the client-secret of netbird.example.com from the age files in "+dir+"/keys: not there" {
		t.Errorf("Get of nothing = %v", err)
	}
	must(t, s.Delete(t.Context(), setup, ClientSecret))
	if len(p.asked) != 0 {
		t.Errorf("asked for a passphrase to learn that nothing is there: %v", p.asked)
	}
	must(t, s.Set(t.Context(), setup, ClientSecret, "first"))
	must(t, s.Set(t.Context(), setup, ClientSecret, hush))
	must(t, s.Set(t.Context(), setup, AppPassword, "line\nline\x00ü"))
	must(t, s.Set(t.Context(), "../other", AppPassword, "other"))
	mustGet(t, s, ClientSecret, hush)
	mustGet(t, s, AppPassword, "line\nline\x00ü")

	again := mustOpen(t, fileOptions(dir, p))
	mustGet(t, again, ClientSecret, hush)
	mustGet(t, again, AppPassword, "line\nline\x00ü")
	where := s.Where()
	if diff := cmp.Diff([]Question{{New: true, Where: where}, {Where: where}}, p.asked); diff != "" {
		t.Error(diff)
	}
	if len(p.heard) != 0 {
		t.Errorf("said %q", p.heard)
	}

	var names []string
	entries, err := os.ReadDir(filepath.Join(dir, "keys"))
	must(t, err)
	for _, e := range entries {
		names = append(names, e.Name())
		info, err := e.Info()
		must(t, err)
		data, err := os.ReadFile(filepath.Join(dir, "keys", e.Name()))
		must(t, err)
		if info.Mode() != 0o600 || bytes.Contains(data, []byte(hush)) || bytes.Contains(data, []byte("AGE-SECRET-KEY")) {
			t.Errorf("%s has mode %v: %q", e.Name(), info.Mode(), data)
		}
	}
	want := []string{"_2e._2fother@app-password.age", "identity.age", "keystore.lock", "netbird.example.com@app-password.age",
		"netbird.example.com@client-secret.age", "recipient.txt"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Error(diff)
	}
	if info, err := os.Stat(filepath.Join(dir, "keys")); err != nil || info.Mode() != fs.ModeDir|0o700 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	must(t, s.Delete(t.Context(), setup, ClientSecret))
	if _, err := again.Get(t.Context(), setup, ClientSecret); !errors.Is(err, ErrAbsent) {
		t.Errorf("Get after Delete = %v", err)
	}
}

func TestANewSecretNeedsNoPassphrase(t *testing.T) {
	dir := t.TempDir()
	p := &person{answers: []string{"open sesame"}}
	must(t, mustOpen(t, fileOptions(dir, p)).Unlock(t.Context()))
	o := fileOptions(dir, p)
	o.Passphrase = nil
	closed := mustOpen(t, o)
	must(t, closed.Set(t.Context(), setup, ClientSecret, hush))
	_, err := closed.Get(t.Context(), setup, ClientSecret)
	if !errors.Is(err, ErrNoPassphrase) || !strings.HasSuffix(err.Error(), "name a file that holds it in AUTHBIRD_PASSPHRASE_FILE") {
		t.Errorf("Get with nobody to ask = %v", err)
	}
	mustGet(t, mustOpen(t, fileOptions(dir, p)), ClientSecret, hush)
	if len(p.asked) != 2 {
		t.Errorf("asked %v", p.asked)
	}
}

func TestAWrongPassphrase(t *testing.T) {
	dir := t.TempDir()
	p := &person{answers: []string{"right one", "wrong", "", "right one"}}
	must(t, mustOpen(t, fileOptions(dir, p)).Set(t.Context(), setup, ClientSecret, hush))
	s := mustOpen(t, fileOptions(dir, p))
	if _, err := s.Get(t.Context(), setup, ClientSecret); !errors.Is(err, ErrPassphrase) || strings.Contains(err.Error(), "\n") {
		t.Errorf("Get = %v", err)
	}
	if _, err := s.Get(t.Context(), setup, ClientSecret); err == nil || !strings.HasSuffix(err.Error(), "a passphrase can't be empty") {
		t.Errorf("Get = %v", err)
	}
	mustGet(t, s, ClientSecret, hush)
	var again []bool
	for _, q := range p.asked {
		again = append(again, q.Again)
	}
	if diff := cmp.Diff([]bool{false, false, true, true}, again); diff != "" {
		t.Error(diff)
	}
}

func TestAnEmptyFirstPassphrase(t *testing.T) {
	dir := t.TempDir()
	p := &person{answers: []string{""}}
	if err := mustOpen(t, fileOptions(dir, p)).Set(t.Context(), setup, ClientSecret, hush); err == nil {
		t.Error("an empty passphrase was taken")
	}
	if _, err := os.Stat(filepath.Join(dir, "keys")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it left a folder: %v", err)
	}
}

func TestThePassphraseFile(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "pass")
	o := Options{Kind: File, Dir: dir, Getenv: env(PassphraseFile, file), logN: 2}
	if err := mustOpen(t, o).Unlock(t.Context()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Unlock = %v", err)
	}
	for text, want := range map[string]error{"open sesame\r\n": nil, "open sesame": nil, "\n": errors.New("empty"), "open sesame ": ErrPassphrase} {
		must(t, os.WriteFile(file, []byte("open sesame"), 0o600))
		must(t, mustOpen(t, o).Set(t.Context(), setup, ClientSecret, hush))
		must(t, os.WriteFile(file, []byte(text), 0o600))
		_, err := mustOpen(t, o).Get(t.Context(), setup, ClientSecret)
		if (err == nil) != (want == nil) || errors.Is(want, ErrPassphrase) && !errors.Is(err, ErrPassphrase) {
			t.Errorf("with %q: %v", text, err)
		}
		if err != nil && (!strings.Contains(err.Error(), file) || strings.Contains(err.Error(), "sesame")) {
			t.Errorf("with %q: %v", text, err)
		}
	}
}

func TestAShortNewPassphraseIsRefused(t *testing.T) {
	dir := t.TempDir()
	p := &person{answers: []string{"seven77"}}
	err := mustOpen(t, fileOptions(dir, p)).Set(t.Context(), setup, ClientSecret, hush)
	if err == nil || !strings.Contains(err.Error(), "less than 8 characters") || strings.Contains(err.Error(), "seven77") {
		t.Errorf("Set = %v", err)
	}
	file := filepath.Join(dir, "pass")
	must(t, os.WriteFile(file, []byte("äöüäöüä"), 0o600)) // 14 bytes, 7 characters
	err = mustOpen(t, Options{Kind: File, Dir: dir, Getenv: env(PassphraseFile, file), logN: 2}).Set(t.Context(), setup, ClientSecret, hush)
	if err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("Set = %v", err)
	}
}

func TestAPassphraseFileOpenToOthersIsRefused(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no such modes")
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "pass")
	must(t, os.WriteFile(file, []byte("open sesame"), 0o600))
	must(t, os.Chmod(file, 0o644))
	err := mustOpen(t, Options{Kind: File, Dir: dir, Getenv: env(PassphraseFile, file), logN: 2}).Set(t.Context(), setup, ClientSecret, hush)
	if err == nil || !strings.Contains(err.Error(), "chmod 600") || !strings.Contains(err.Error(), "0644") {
		t.Errorf("Set = %v", err)
	}
}

// keyFile writes a private key, as age or ssh-keygen do.
func keyFile(t *testing.T, kind string) string {
	t.Helper()
	var text []byte
	sshKey := func(key any, err error, passphrase string) {
		must(t, err)
		var block *pem.Block
		if passphrase == "" {
			block, err = ssh.MarshalPrivateKey(key, "")
		} else {
			block, err = ssh.MarshalPrivateKeyWithPassphrase(key, "", []byte(passphrase))
		}
		must(t, err)
		text = pem.EncodeToMemory(block)
	}
	_, ed, edErr := ed25519.GenerateKey(rand.Reader)
	switch kind {
	case "age":
		id, err := age.GenerateX25519Identity()
		must(t, err)
		text = []byte("# created: today\n" + id.String() + "\n")
	case "age, post-quantum":
		id, err := age.GenerateHybridIdentity()
		must(t, err)
		text = []byte(id.String() + "\n")
	case "ed25519":
		sshKey(ed, edErr, "")
	case "rsa":
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		sshKey(key, err, "")
	case "ed25519, encrypted":
		sshKey(ed, edErr, "hush")
	case "two age keys":
		a, err := age.GenerateX25519Identity()
		must(t, err)
		b, err := age.GenerateX25519Identity()
		must(t, err)
		text = []byte(a.String() + "\n" + b.String() + "\n")
	case "an encrypted age key":
		r, err := age.NewScryptRecipient("hush")
		must(t, err)
		r.SetWorkFactor(2)
		text, err = encrypt([]byte("AGE-SECRET-KEY-1"), r)
		must(t, err)
	case "a public key":
		text = []byte("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI" + hush)
	case "PEM of something else":
		text = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte(hush)})
	}
	path := filepath.Join(t.TempDir(), "key")
	must(t, os.WriteFile(path, text, 0o600))
	return path
}

func TestKeyFiles(t *testing.T) {
	for _, kind := range []string{"age", "age, post-quantum", "ed25519", "rsa"} {
		t.Run(kind, func(t *testing.T) {
			p := &person{}
			o := Options{Dir: t.TempDir(), Identity: keyFile(t, kind), Say: p.say}
			s := mustOpen(t, o)
			must(t, s.Set(t.Context(), setup, ClientSecret, hush))
			mustGet(t, s, ClientSecret, hush)

			path := o.Identity
			o.Identity, o.Kind = "", File // remembered
			mustGet(t, mustOpen(t, o), ClientSecret, hush)

			must(t, os.Chmod(path, 0o644))
			mustGet(t, mustOpen(t, o), ClientSecret, hush)
			if diff := cmp.Diff([]string{"The key " + path + " can be read by other users (mode 0644)."}, p.heard); diff != "" {
				t.Error(diff)
			}
			o.Identity = keyFile(t, kind)
			if _, err := mustOpen(t, o).Get(t.Context(), setup, ClientSecret); !errors.Is(err, ErrDamaged) ||
				!strings.HasSuffix(err.Error(), "damaged, or encrypted for another key than "+o.Identity) {
				t.Errorf("Get with another key = %v", err)
			}
		})
	}
}

func TestKeyFilesThatCannotBeUsed(t *testing.T) {
	for kind, want := range map[string]string{
		"ed25519, encrypted":    "is an SSH key with a passphrase: name one without, or an age key, or use a passphrase here instead of a key",
		"an encrypted age key":  "is encrypted: name an age key file that is not",
		"two age keys":          "holds several keys: name a file with one",
		"a public key":          "holds no age or SSH private key",
		"PEM of something else": "is no private key that age can use: ed25519 and RSA SSH keys are",
	} {
		t.Run(kind, func(t *testing.T) {
			o := Options{Dir: t.TempDir(), Identity: keyFile(t, kind)}
			err := mustOpen(t, o).Unlock(t.Context())
			if err == nil || !strings.HasSuffix(err.Error(), ": key file "+o.Identity+" "+want) || strings.Contains(err.Error(), hush) {
				t.Errorf("Unlock = %v", err)
			}
			if err := mustOpen(t, o).Set(t.Context(), setup, ClientSecret, hush); err == nil {
				t.Error("a secret was kept with it")
			}
		})
	}
	o := Options{Dir: t.TempDir(), Identity: "/nowhere/key"}
	if err := mustOpen(t, o).Unlock(t.Context()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Unlock = %v", err)
	}
}

func TestDamagedEntries(t *testing.T) {
	dir := t.TempDir()
	p := &person{answers: []string{"open sesame"}}
	s := mustOpen(t, fileOptions(dir, p))
	keys := filepath.Join(dir, "keys")
	path := filepath.Join(keys, setup+"@client-secret.age")
	must(t, s.Set(t.Context(), setup, ClientSecret, hush))
	must(t, s.Set(t.Context(), setup, AppPassword, "another"))
	good, err := os.ReadFile(path)
	must(t, err)
	other, err := os.ReadFile(filepath.Join(keys, setup+"@app-password.age"))
	must(t, err)
	public, err := age.ParseX25519Recipient(readTrimmed(t, filepath.Join(keys, recipientName)))
	must(t, err)
	sealed := func(text string) []byte {
		data, err := encrypt([]byte(text), public)
		must(t, err)
		return data
	}
	flipped := bytes.Clone(good)
	flipped[len(flipped)-1] ^= 1
	stranger, err := age.GenerateX25519Identity()
	must(t, err)
	foreign, err := encrypt([]byte("{}"), stranger.Recipient())
	must(t, err)
	for name, data := range map[string][]byte{
		"empty": {}, "cut": good[:len(good)-3], "cut in the header": good[:40], "a bit flipped": flipped, "in the clear": []byte(hush),
		"moved from another name": other, "for somebody else": foreign,
		"no JSON": sealed(hush), "no version": sealed(`{"value":"` + hush + `"}`),
	} {
		t.Run(name, func(t *testing.T) {
			must(t, os.WriteFile(path, data, 0o600))
			got, err := s.Get(t.Context(), setup, ClientSecret)
			if !errors.Is(err, ErrDamaged) || got != "" {
				t.Fatalf("Get = %q, %v", got, err)
			}
			if !strings.Contains(err.Error(), "the client-secret of "+setup) || strings.Contains(err.Error(), hush) || strings.Contains(err.Error(), "\n") {
				t.Errorf("Get = %v", err)
			}
			must(t, s.Set(t.Context(), setup, ClientSecret, hush)) // and it can be renewed
			mustGet(t, s, ClientSecret, hush)
		})
	}
	must(t, os.WriteFile(path, sealed(`{"v":2}`), 0o600))
	if _, err := s.Get(t.Context(), setup, ClientSecret); err == nil || !strings.HasSuffix(err.Error(), "it was written by a newer authbird (version 2; this one knows 1)") {
		t.Errorf("Get = %v", err)
	}
	must(t, os.Remove(path))
	must(t, os.Symlink(filepath.Join(keys, setup+"@app-password.age"), path))
	if _, err := s.Get(t.Context(), setup, ClientSecret); err == nil || !strings.HasSuffix(err.Error(), "is not a regular file") {
		t.Errorf("Get through a link = %v", err)
	}
}

func readTrimmed(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	must(t, err)
	return strings.TrimSpace(string(data))
}

func TestAnExchangedRecipient(t *testing.T) {
	dir := t.TempDir()
	p := &person{answers: []string{"open sesame"}}
	must(t, mustOpen(t, fileOptions(dir, p)).Set(t.Context(), setup, ClientSecret, hush))
	path := filepath.Join(dir, "keys", recipientName)
	ours := readTrimmed(t, path)
	stranger, err := age.GenerateX25519Identity()
	must(t, err)
	must(t, os.WriteFile(path, []byte(stranger.Recipient().String()), 0o600))

	s := mustOpen(t, fileOptions(dir, p))
	err = s.Unlock(t.Context())
	if err == nil || !strings.Contains(err.Error(), "does not belong to identity.age") {
		t.Errorf("Unlock = %v", err)
	}
	if _, err := s.Get(t.Context(), setup, ClientSecret); err == nil {
		t.Error("went on all the same")
	}
	must(t, os.Remove(path))
	mustGet(t, s, ClientSecret, hush)
	if now := readTrimmed(t, path); now != ours {
		t.Errorf("the public half was remade as %s", now)
	}
	// While it is open, what is on disk does not count.
	must(t, os.WriteFile(path, []byte(stranger.Recipient().String()), 0o600))
	must(t, s.Set(t.Context(), setup, AppPassword, hush))
	mustGet(t, s, AppPassword, hush)
	must(t, os.WriteFile(path, []byte("age1nonsense"), 0o600))
	if err := mustOpen(t, fileOptions(dir, p)).Set(t.Context(), setup, AppPassword, hush); !errors.Is(err, ErrDamaged) {
		t.Errorf("Set for nonsense = %v", err)
	}
}

func TestALostOrDamagedIdentity(t *testing.T) {
	dir := t.TempDir()
	p := &person{answers: []string{"open sesame"}}
	must(t, mustOpen(t, fileOptions(dir, p)).Set(t.Context(), setup, ClientSecret, hush))
	path := filepath.Join(dir, "keys", identityName)
	whole, err := os.ReadFile(path)
	must(t, err)
	for name, data := range map[string][]byte{"empty": {}, "cut": whole[:len(whole)-1], "text": []byte("hello")} {
		must(t, os.WriteFile(path, data, 0o600))
		if err := mustOpen(t, fileOptions(dir, p)).Unlock(t.Context()); !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", name, err)
		}
	}
	must(t, os.Remove(path))
	s := mustOpen(t, fileOptions(dir, p))
	for _, err := range []error{s.Unlock(t.Context()), s.Set(t.Context(), setup, AppPassword, hush)} {
		if err == nil || !strings.Contains(err.Error(), "identity.age is gone, but netbird.example.com@client-secret.age needs it") {
			t.Errorf("with the identity gone: %v", err)
		}
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Error("a new identity was made over secrets of the old one")
	}
}

func TestFoldersOpenToOthersAreClosed(t *testing.T) {
	dir := t.TempDir()
	p := &person{answers: []string{"open sesame"}}
	must(t, mustOpen(t, fileOptions(dir, p)).Set(t.Context(), setup, ClientSecret, hush))
	keys := filepath.Join(dir, "keys")
	file := filepath.Join(keys, setup+"@client-secret.age")
	must(t, os.Chmod(keys, 0o755))
	must(t, os.Chmod(file, 0o644))
	mustGet(t, mustOpen(t, fileOptions(dir, p)), ClientSecret, hush)
	want := []string{keys + " was open to other users (mode 0755); it is 0700 now.", file + " was open to other users (mode 0644); it is 0600 now."}
	if diff := cmp.Diff(want, p.heard); diff != "" {
		t.Error(diff)
	}
	for path, mode := range map[string]fs.FileMode{keys: fs.ModeDir | 0o700, file: 0o600} {
		if info, err := os.Stat(path); err != nil || info.Mode() != mode {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
	blocked := t.TempDir()
	must(t, os.WriteFile(filepath.Join(blocked, "keys"), nil, 0o600))
	if err := mustOpen(t, fileOptions(blocked, p)).Set(t.Context(), setup, ClientSecret, hush); err == nil || !strings.HasSuffix(err.Error(), "is not a folder") {
		t.Errorf("Set = %v", err)
	}
}

// A write that fails loses nothing that stood, and the next one succeeds.
func TestAFullDisk(t *testing.T) {
	for _, at := range []int{1, 2, 3} { // identity, public half, secret
		t.Run(fmt.Sprint("write ", at), func(t *testing.T) {
			dir := t.TempDir()
			p := &person{answers: []string{"open sesame"}}
			o := fileOptions(dir, p)
			failing := at
			o.writeFile = func(path string, data []byte) error {
				if failing--; failing == 0 {
					return &fs.PathError{Op: "write", Path: path, Err: syscall.ENOSPC}
				}
				return disk.WriteFile(path, data)
			}
			s := mustOpen(t, o)
			err := s.Set(t.Context(), setup, ClientSecret, hush)
			if !errors.Is(err, syscall.ENOSPC) || strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), hush) {
				t.Errorf("Set = %v", err)
			}
			if _, err := s.Get(t.Context(), setup, ClientSecret); !errors.Is(err, ErrAbsent) {
				t.Errorf("Get = %v", err)
			}
			must(t, s.Set(t.Context(), setup, ClientSecret, "old"))
			failing = 1
			if err := s.Set(t.Context(), setup, ClientSecret, "new"); !errors.Is(err, syscall.ENOSPC) {
				t.Errorf("Set = %v", err)
			}
			mustGet(t, s, ClientSecret, "old")
			mustGet(t, mustOpen(t, fileOptions(dir, p)), ClientSecret, "old")
		})
	}
}

// Two runs that write at once, also the very first secrets, lose none. The moment in
// which they can meet is short, so they begin anew some times.
func TestStoresAtOnce(t *testing.T) {
	for range 20 {
		dir := t.TempDir()
		p := &person{answers: []string{"open sesame"}}
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() {
				s, err := Open(context.Background(), fileOptions(dir, p))
				if err == nil {
					err = s.Set(context.Background(), setup, fmt.Sprintf("secret-%d", i), fmt.Sprint(i))
				}
				if err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		s := mustOpen(t, fileOptions(dir, p))
		for i := range 8 {
			mustGet(t, s, fmt.Sprintf("secret-%d", i), fmt.Sprint(i))
		}
	}
}

func TestSeveralReadersAskOnce(t *testing.T) {
	dir := t.TempDir()
	p := &person{answers: []string{"open sesame"}}
	must(t, mustOpen(t, fileOptions(dir, p)).Set(t.Context(), setup, ClientSecret, hush))
	p.asked = nil
	s := mustOpen(t, fileOptions(dir, p))
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() { mustGet(t, s, ClientSecret, hush) })
	}
	all.Wait()
	if len(p.asked) != 1 {
		t.Errorf("asked %d times", len(p.asked))
	}
}

func TestTheWorkFactorThatShips(t *testing.T) {
	o, err := Options{Dir: t.TempDir()}.withDefaults()
	must(t, err)
	if o.logN != 17 {
		t.Errorf("logN %d", o.logN)
	}
	p := &person{answers: []string{"open sesame"}}
	o.Kind, o.Passphrase = File, p.passphrase
	must(t, mustOpen(t, o).Set(t.Context(), setup, ClientSecret, hush))
	text, err := os.ReadFile(filepath.Join(o.Dir, "keys", identityName))
	must(t, err)
	header := strings.Fields(strings.Split(string(text), "\n")[1])
	if !slices.Contains(header, "scrypt") || header[len(header)-1] != "17" {
		t.Errorf("header %q", header)
	}
	mustGet(t, mustOpen(t, o), ClientSecret, hush)
}

func TestWhatCannotBeKept(t *testing.T) {
	s := mustOpen(t, fileOptions(t.TempDir(), &person{answers: []string{"x"}}))
	for _, c := range [][3]string{{"", ClientSecret, hush}, {setup, "", hush}, {setup, "a\nb", hush}, {"\x1b[2J", ClientSecret, hush}, {setup, ClientSecret, ""}} {
		err := s.Set(t.Context(), c[0], c[1], c[2])
		if err == nil || strings.ContainsAny(err.Error(), "\n\x1b") || strings.Contains(err.Error(), hush) {
			t.Errorf("Set(%q) = %v", c, err)
		}
	}
	for _, o := range []Options{{}, {Kind: "plain", Dir: t.TempDir()}} {
		if _, err := Open(t.Context(), o); err == nil {
			t.Errorf("Open(%+v) took it", o)
		}
	}
}
