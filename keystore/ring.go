package keystore

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"authbird/state/disk"

	"github.com/gofrs/flock"
	"github.com/zalando/go-keyring"
)

// ring is the system's keyring as go-keyring reaches it. Any call may wait for
// ever.
type ring interface {
	Get(service, user string) (string, error)
	Set(service, user, secret string) error
	Delete(service, user string) error
}

type systemRing struct{}

func (systemRing) Get(service, user string) (string, error) { return keyring.Get(service, user) }
func (systemRing) Set(service, user, secret string) error   { return keyring.Set(service, user, secret) }
func (systemRing) Delete(service, user string) error        { return keyring.Delete(service, user) }

const (
	service   = "authbird"
	probeUser = "is-anybody-there" // never written
)

// ringStore keeps secrets in the system's keyring.
type ringStore struct {
	ring
	dir       string // the state folder, which names our entries
	timeout   time.Duration
	look      func(context.Context) error
	writeFile func(string, []byte) error

	// turn is held by the call that is under way. One that outlived its timeout
	// keeps it: a late Set must not overtake a newer one.
	turn chan struct{}

	mu   sync.Mutex
	name string // our service name, once known
}

func newRingStore(o Options) *ringStore {
	return &ringStore{
		ring: o.ring, dir: o.Dir, timeout: o.Timeout, writeFile: o.writeFile,
		look: func(ctx context.Context) error { return o.look(ctx, o.Getenv) },
		turn: make(chan struct{}, 1),
	}
}

func (s *ringStore) where() string { return keyringName }

// probe asks whether the keyring can be had, without writing to it. A locked one is
// given the chance to ask its owner, who has until the timeout.
func (s *ringStore) probe(ctx context.Context) error {
	locked := s.call(ctx, s.look)
	if locked != nil && (!errors.Is(locked, ErrLocked) || errors.Is(locked, errSilent)) {
		return locked // who did not answer the first question won't answer a second
	}
	err := s.call(ctx, func(context.Context) error {
		_, err := s.Get(service, probeUser)
		return err
	})
	switch {
	case err == nil, errors.Is(err, keyring.ErrNotFound):
		return nil
	case errors.Is(err, errSilent), ctx.Err() != nil:
		return err
	case locked != nil:
		return locked
	}
	return refusal(err)
}

// errSilent is ErrLocked of the kind that said nothing.
var errSilent = fmt.Errorf("%w", ErrLocked)

// call makes one call to the keyring and waits for it no longer than the timeout.
// No answer means locked: an absent keyring says so.
func (s *ringStore) call(ctx context.Context, f func(context.Context) error) error {
	limited, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	silent := func() error {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fmt.Errorf("%w (no answer within %v)", errSilent, s.timeout)
	}
	select {
	case s.turn <- struct{}{}:
	case <-limited.Done():
		return silent()
	}
	answer := make(chan error, 1)
	go func() {
		answer <- f(limited)
		<-s.turn
	}()
	select {
	case err := <-answer:
		if errors.Is(err, context.DeadlineExceeded) {
			return silent()
		}
		return err
	case <-limited.Done():
		return silent()
	}
}

// explain turns an answer of go-keyring into one of ours. Its errors do not say
// whether the keyring was locked, so the keyring is looked at once more.
func (s *ringStore) explain(ctx context.Context, err error) error {
	switch {
	case err == nil, errors.Is(err, errSilent), ctx.Err() != nil:
		return err
	case errors.Is(err, keyring.ErrNotFound):
		return ErrAbsent
	case errors.Is(err, keyring.ErrSetDataTooBig):
		return errors.New("it is too long for this keyring")
	}
	if looked := s.call(ctx, s.look); looked != nil {
		return looked
	}
	return refusal(err)
}

func (s *ringStore) get(ctx context.Context, e entry) (string, error) {
	name, err := s.service(false)
	if err != nil {
		return "", err
	}
	value := make(chan string, 1) // a call that comes back late finds nobody there
	err = s.call(ctx, func(context.Context) error {
		v, err := s.Get(name, e.user())
		value <- v
		return err
	})
	if err != nil {
		return "", s.explain(ctx, err)
	}
	return <-value, nil
}

func (s *ringStore) set(ctx context.Context, e entry, secret string) error {
	name, err := s.service(true)
	if err != nil {
		return err
	}
	return s.explain(ctx, s.call(ctx, func(context.Context) error { return s.Set(name, e.user(), secret) }))
}

func (s *ringStore) delete(ctx context.Context, e entry) error {
	name, err := s.service(false)
	if err != nil {
		return err
	}
	return s.explain(ctx, s.call(ctx, func(context.Context) error { return s.Delete(name, e.user()) }))
}

// user is the entry's name in the keyring.
func (e entry) user() string { return e.safeSetup + "/" + e.safeName }

// service is the name under which all entries of this state folder stand; ErrAbsent
// if there is none yet and none is to be made, for then there is no entry either.
func (s *ringStore) service(makeOne bool) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.name != "" {
		return s.name, nil
	}
	path := filepath.Join(s.dir, "keyring-id")
	id, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if !makeOne {
			return "", ErrAbsent
		}
		id, err = s.makeID(path)
	}
	if err != nil {
		return "", err
	}
	text := strings.TrimSpace(string(id))
	if raw, err := hex.DecodeString(text); err != nil || len(raw) != 4 {
		return "", fmt.Errorf("%s: %w", path, ErrDamaged)
	}
	s.name = service + " " + text
	return s.name, nil
}

func (s *ringStore) makeID(path string) ([]byte, error) {
	if err := disk.MakeDir(s.dir); err != nil {
		return nil, err
	}
	unlock, err := lockDir(s.dir)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if id, err := os.ReadFile(path); !errors.Is(err, fs.ErrNotExist) {
		return id, err
	}
	var raw [4]byte
	rand.Read(raw[:])
	id := []byte(hex.EncodeToString(raw[:]) + "\n")
	return id, s.writeFile(path, id)
}

// lockDir keeps two processes from making the same thing at once. It is held for
// the time of a few writes, so it is waited for.
func lockDir(dir string) (unlock func(), err error) {
	l := flock.New(filepath.Join(dir, "keystore.lock"))
	if err := l.Lock(); err != nil {
		return nil, err
	}
	return func() { l.Close() }, nil
}
