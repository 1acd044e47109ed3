package keystore

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/zalando/go-keyring"
)

// fakeRing is a keyring with a memory, and faults.
type fakeRing struct {
	mu      sync.Mutex
	entries map[string]string // by service and user
	sets    int
	err     error
	hang    chan struct{} // not nil: every call waits for it
}

func (f *fakeRing) enter() error {
	f.mu.Lock()
	hang, err := f.hang, f.err
	f.mu.Unlock()
	if hang != nil {
		<-hang
	}
	return err
}

func (f *fakeRing) Get(service, user string) (string, error) {
	if err := f.enter(); err != nil {
		return "", err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	value, ok := f.entries[service+"|"+user]
	if !ok {
		return "", keyring.ErrNotFound
	}
	return value, nil
}

func (f *fakeRing) Set(service, user, secret string) error {
	if err := f.enter(); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.entries == nil {
		f.entries = map[string]string{}
	}
	f.sets++
	f.entries[service+"|"+user] = secret
	return nil
}

func (f *fakeRing) Delete(service, user string) error {
	if _, err := f.Get(service, user); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.entries, service+"|"+user)
	return nil
}

// ringOptions are those of a keyring that is there and unlocked.
func ringOptions(dir string, f *fakeRing) Options {
	return Options{Dir: dir, ring: f, look: func(context.Context, func(string) string) error { return nil }, logN: 2}
}

func TestKeyring(t *testing.T) {
	f, dir := &fakeRing{}, t.TempDir()
	p := &person{}
	o := ringOptions(dir, f)
	o.Say, o.Passphrase = p.say, p.passphrase
	s := mustOpen(t, o)
	if s.Kind() != Keyring || s.Where() != keyringName {
		t.Errorf("%s, %s", s.Kind(), s.Where())
	}
	must(t, s.Unlock(t.Context()))
	if _, err := s.Get(t.Context(), setup, ClientSecret); !errors.Is(err, ErrAbsent) {
		t.Errorf("Get = %v", err)
	}
	must(t, s.Delete(t.Context(), setup, ClientSecret))
	if f.sets != 0 || len(p.heard) != 0 || len(p.asked) != 0 {
		t.Errorf("looking wrote %d entries, said %q, asked %v", f.sets, p.heard, p.asked)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 0 {
		t.Errorf("looking left %v, %v", entries, err)
	}
	must(t, s.Set(t.Context(), setup, ClientSecret, "first"))
	must(t, s.Set(t.Context(), setup, ClientSecret, hush))
	must(t, s.Set(t.Context(), "a/b", AppPassword, "other"))
	mustGet(t, s, ClientSecret, hush)
	mustGet(t, mustOpen(t, o), ClientSecret, hush)

	id := readTrimmed(t, filepath.Join(dir, "keyring-id"))
	want := map[string]string{
		"authbird " + id + "|netbird.example.com/client-secret": hush,
		"authbird " + id + "|a_2fb/app-password":                "other",
	}
	if diff := cmp.Diff(want, f.entries); diff != "" {
		t.Error(diff)
	}
	// Another state folder has other entries, whatever its setups are called.
	elsewhere := mustOpen(t, ringOptions(t.TempDir(), f))
	must(t, elsewhere.Set(t.Context(), setup, ClientSecret, "sandbox"))
	mustGet(t, s, ClientSecret, hush)
	must(t, s.Delete(t.Context(), setup, ClientSecret))
	mustGet(t, elsewhere, ClientSecret, "sandbox")
	if _, err := s.Get(t.Context(), setup, ClientSecret); !errors.Is(err, ErrAbsent) {
		t.Errorf("Get after Delete = %v", err)
	}
}

func TestNoKeyring(t *testing.T) {
	dir := t.TempDir()
	p := &person{answers: []string{"open sesame"}}
	o := Options{Dir: dir, Say: p.say, Passphrase: p.passphrase, logN: 2, ring: &fakeRing{err: errors.New("must not be asked")},
		look: func(context.Context, func(string) string) error { return ErrUnavailable }}
	s := mustOpen(t, o)
	want := "On this machine there is no keyring. Secrets are kept in age-encrypted files in " + dir + "/keys, opened by "
	if diff := cmp.Diff([]string{want + "a passphrase of your choice."}, p.heard); s.Kind() != File || diff != "" {
		t.Error(s.Kind(), diff)
	}
	must(t, s.Set(t.Context(), setup, ClientSecret, hush))
	mustOpen(t, o)
	o.Getenv = env(PassphraseFile, "/run/pass")
	mustOpen(t, o)
	if diff := cmp.Diff([]string{want + "your passphrase.", want + "the passphrase in /run/pass."}, p.heard[1:]); diff != "" {
		t.Error(diff)
	}
	o.Kind = Keyring
	if _, err := Open(t.Context(), o); !errors.Is(err, ErrUnavailable) {
		t.Errorf("Open = %v", err)
	}
	o.Kind, o.Identity, p.heard = "", keyFile(t, "age"), nil
	if s := mustOpen(t, o); s.Kind() != File || len(p.heard) != 0 {
		t.Errorf("with a key named: %s, %q", s.Kind(), p.heard)
	}
}

// No answer in time means locked: not absent, and no second store is begun.
func TestAKeyringThatHangs(t *testing.T) {
	for _, kind := range []Kind{"", Keyring} {
		synctest.Test(t, func(t *testing.T) {
			f := &fakeRing{hang: make(chan struct{})}
			defer close(f.hang)
			o := ringOptions(t.TempDir(), f)
			o.Kind = kind
			began := time.Now()
			_, err := Open(t.Context(), o)
			if !errors.Is(err, ErrLocked) || time.Since(began) != 5*time.Second ||
				err.Error() != "the keyring is locked or does not answer (no answer within 5s)" {
				t.Errorf("after %v: %v", time.Since(began), err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			if _, err := Open(ctx, o); !errors.Is(err, context.Canceled) {
				t.Errorf("interrupted: %v", err)
			}
		})
	}
	synctest.Test(t, func(t *testing.T) { // the look hangs: not asked twice
		f := &fakeRing{}
		o := ringOptions(t.TempDir(), f)
		o.look = func(ctx context.Context, _ func(string) string) error {
			<-ctx.Done()
			return ctx.Err()
		}
		began := time.Now()
		if _, err := Open(t.Context(), o); !errors.Is(err, ErrLocked) || time.Since(began) != 5*time.Second {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
	})
}

func TestAKeyringThatHangsLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeRing{}
		o := ringOptions(t.TempDir(), f)
		o.Timeout = time.Second
		s := mustOpen(t, o)
		must(t, s.Set(t.Context(), setup, ClientSecret, "old"))
		hang := make(chan struct{})
		f.hang = hang
		for name, f := range map[string]func() error{
			"set":    func() error { return s.Set(t.Context(), setup, ClientSecret, "late") },
			"get":    func() error { _, err := s.Get(t.Context(), setup, ClientSecret); return err },
			"delete": func() error { return s.Delete(t.Context(), setup, AppPassword) },
		} {
			began := time.Now()
			if err := f(); !errors.Is(err, ErrLocked) || time.Since(began) != time.Second || strings.Contains(err.Error(), "late") {
				t.Errorf("%s after %v: %v", name, time.Since(began), err)
			}
		}
		// Whatever comes late, what was kept afterwards stays.
		f.mu.Lock()
		f.hang = nil
		f.mu.Unlock()
		close(hang)
		must(t, s.Set(t.Context(), setup, ClientSecret, "new"))
		synctest.Wait()
		mustGet(t, s, ClientSecret, "new")
	})
}

func TestALockedKeyring(t *testing.T) {
	f := &fakeRing{err: errors.New("failed to unlock correct collection '/org/…'")}
	o := ringOptions(t.TempDir(), f)
	locked := true
	o.look = func(context.Context, func(string) string) error {
		if locked {
			return ErrLocked
		}
		return nil
	}
	if _, err := Open(t.Context(), o); !errors.Is(err, ErrLocked) {
		t.Errorf("Open = %v", err)
	}
	f.err = nil // its owner unlocked it when asked
	s := mustOpen(t, o)
	must(t, s.Set(t.Context(), setup, ClientSecret, hush))
	f.err = errors.New("prompt dismissed")
	if _, err := s.Get(t.Context(), setup, ClientSecret); !errors.Is(err, ErrLocked) {
		t.Errorf("Get = %v", err)
	}
	locked = false
	if _, err := s.Get(t.Context(), setup, ClientSecret); err == nil || errors.Is(err, ErrAbsent) || !strings.Contains(err.Error(), "prompt dismissed") {
		t.Errorf("Get = %v", err)
	}
	f.err = keyring.ErrSetDataTooBig
	if err := s.Set(t.Context(), setup, ClientSecret, hush); err == nil || !strings.HasSuffix(err.Error(), "it is too long for this keyring") {
		t.Errorf("Set = %v", err)
	}
}

func TestADamagedKeyringID(t *testing.T) {
	f, dir := &fakeRing{}, t.TempDir()
	path := filepath.Join(dir, "keyring-id")
	for _, text := range []string{"", "xyz", "00"} {
		must(t, os.WriteFile(path, []byte(text), 0o600))
		s := mustOpen(t, ringOptions(dir, f))
		if err := s.Set(t.Context(), setup, ClientSecret, hush); !errors.Is(err, ErrDamaged) || f.sets != 0 {
			t.Errorf("Set = %v", err)
		}
	}
}

func TestKeyringStoresAtOnce(t *testing.T) {
	f, dir := &fakeRing{}, t.TempDir()
	var all sync.WaitGroup
	for _, name := range []string{"a", "b", "c", "d", "e", "f"} {
		all.Go(func() {
			s, err := Open(context.Background(), ringOptions(dir, f))
			if err == nil {
				err = s.Set(context.Background(), setup, name, name)
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	s := mustOpen(t, ringOptions(dir, f))
	for _, name := range []string{"a", "b", "c", "d", "e", "f"} {
		mustGet(t, s, name, name)
	}
}
