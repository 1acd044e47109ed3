// Package keystore keeps secrets, each a small entry of its own, in one of three
// backends: the system's keyring, age-encrypted files, or the environment.
//
// It promises that a secret is safe when Set returns nil, that no secret is ever
// written in the clear or silently to another place than the one agreed, that
// nobody waits for a keyring for longer than the timeout, and that no error,
// announcement or file name holds a secret.
//
// It refuses to choose for a person where a choice could lose something: a keyring
// that is there but locked is an error ([ErrLocked]), not a reason to begin a
// second store beside it; only where there is none at all are the age files taken,
// and that is announced. It knows ages and expiries of nothing; that is state's.
//
// # Keyring
//
// One entry for each secret, through go-keyring. Entries belong to the state
// folder: its random name (the file keyring-id in it) is a part of the entry's
// service, so that a throw-away state folder never meets the entries of the real
// one. No reply within the timeout means locked, not absent.
//
// # Age files
//
// In Dir/keys, folder 0700 and files 0600, each replaced whole:
//
//	identity.age               an age identity, encrypted with the passphrase (scrypt)
//	recipient.txt              its public half
//	identity-file              instead of both: the path of the key file that a person named
//	<setup>@<credential>.age   one secret
//	keystore.lock              held while the identity is made
//
// The passphrase opens the identity once a run and the identity opens the secrets.
// Opening costs about a second of one core and 128 MiB of memory (2^17 blocks of
// 1 KiB) for that moment. A new secret needs the public half only. Whoever can
// write into the folder as this user could put their own public half there and read
// what is written from then on; so a folder of another user is refused, the public
// half is taken from the identity whenever that is open, and opening it refuses a
// recipient.txt that is not its own. What stays is this: between the exchange and
// the next opening a secret may be written for the wrong reader. age does not sign,
// so a planted secret can't be told from ours either, but one moved to another name
// or setup can: each holds both, encrypted.
//
// # Environment
//
// For automation. One variable for each credential name, whatever the setup; see
// [Variable]. It can't be written: a value that the environment has not is kept for
// this run, and a person is told which variable to set.
package keystore

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"authbird/state/disk"
)

// Kind names a backend.
type Kind string

const (
	Keyring Kind = "keyring" // the system's: Secret Service, macOS Keychain, Windows Credential Manager
	File    Kind = "file"    // age-encrypted files in the state folder
	Env     Kind = "env"     // environment variables
)

// The names of the credentials. A rotation adds New or Old to them.
const (
	ClientSecret   = "client-secret"
	AppPassword    = "app-password"
	AuthentikToken = "authentik-token"
	NetBirdToken   = "netbird-token"
	SigningKey     = "signing-key" // a certificate at Authentik: its dates are kept, no secret

	New = "-new" // suffix: made, not in force yet
	Old = "-old" // suffix: no longer in force, kept until the new one is proven
)

// What errors.Is finds in the errors of this package. Each error is one line and
// names the credential or the place.
var (
	ErrAbsent       = errors.New("not there")
	ErrLocked       = errors.New("the keyring is locked or does not answer")
	ErrUnavailable  = errors.New("there is no keyring")
	ErrPassphrase   = errors.New("wrong passphrase")
	ErrNoPassphrase = errors.New("a passphrase is needed and nobody can be asked")
	ErrReadOnly     = errors.New("the environment can't be changed from here")
	ErrDamaged      = errors.New("damaged")
)

// PassphraseFile is the environment variable that names a file with the passphrase.
const PassphraseFile = "AUTHBIRD_PASSPHRASE_FILE"

// Question is what somebody needs to know to ask for a passphrase.
type Question struct {
	New   bool   // the first passphrase for this place: ask for it twice
	Again bool   // the one before was wrong
	Where string // what it opens, in words
}

// Options say where secrets are kept and how to get at them.
type Options struct {
	Kind Kind   // "" = the keyring if there is one (and no Identity is named), else the file
	Dir  string // the state folder; the file backend lives in Dir/keys

	// Identity is an age or SSH private key file (ed25519 or RSA, not encrypted)
	// to use instead of a passphrase. It is remembered in Dir/keys.
	Identity string

	Getenv     func(string) string                                   // nil: nothing is set
	Passphrase func(ctx context.Context, q Question) (string, error) // nil: nobody can be asked
	Timeout    time.Duration                                         // for each keyring call; 0 = 5 s
	Say        func(string)                                          // announcements, a sentence each; nil: none

	// What tests replace.
	ring      ring
	look      func(ctx context.Context, getenv func(string) string) error
	logN      int // scrypt work factor
	writeFile func(path string, data []byte) error
}

func (o Options) withDefaults() (Options, error) {
	if o.Getenv == nil {
		o.Getenv = func(string) string { return "" }
	}
	if o.Say == nil {
		o.Say = func(string) {}
	}
	if o.Timeout <= 0 {
		o.Timeout = 5 * time.Second
	}
	if o.ring == nil {
		o.ring = systemRing{}
	}
	if o.look == nil {
		o.look = lookForKeyring
	}
	if o.logN == 0 {
		o.logN = 17
	}
	if o.writeFile == nil {
		o.writeFile = disk.WriteFile
	}
	if o.Dir == "" && o.Kind != Env {
		return o, errors.New("the keystore needs a state folder")
	}
	var err error
	if o.Dir != "" {
		o.Dir, err = filepath.Abs(o.Dir)
	}
	if err == nil && o.Identity != "" {
		o.Identity, err = filepath.Abs(o.Identity)
	}
	return o, err
}

// backend keeps secrets; setup and name were made safe for file names.
type backend interface {
	get(ctx context.Context, e entry) (string, error)
	set(ctx context.Context, e entry, value string) error
	delete(ctx context.Context, e entry) error
	where() string
}

// entry is the place of one secret.
type entry struct {
	setup, name         string // as people say them
	safeSetup, safeName string // as files and keyrings can say them
}

// Store keeps secrets in one backend, of all setups. Its methods may be called from
// several goroutines, and several processes may have stores in the same place.
type Store struct {
	kind Kind
	backend
}

// Open finds the backend. A keyring is asked whether it is there and unlocked, and
// nothing is written to it. The file backend asks for no passphrase yet: its first
// use does, or Unlock.
//
// ErrLocked where there is a keyring that does not open within the timeout (unless
// Kind says otherwise), ErrUnavailable where Kind is Keyring and there is none.
func Open(ctx context.Context, o Options) (*Store, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	switch {
	case o.Kind == Env:
		return &Store{Env, newEnvStore(o)}, nil
	case o.Kind == File, o.Kind == "" && o.Identity != "":
		return &Store{File, newFileStore(o)}, nil
	case o.Kind != Keyring && o.Kind != "":
		return nil, fmt.Errorf("no keystore is called %q: keyring, file or env", o.Kind)
	}
	r := newRingStore(o)
	err = r.probe(ctx)
	switch {
	case err == nil:
		return &Store{Keyring, r}, nil
	case o.Kind == "" && errors.Is(err, ErrUnavailable):
		f := newFileStore(o)
		o.Say(fmt.Sprintf("On this machine %v. Secrets are kept in age-encrypted files in %s, opened by %s.", err, f.dir, f.opener()))
		return &Store{File, f}, nil
	}
	return nil, err
}

// Kind is the backend in use.
func (s *Store) Kind() Kind { return s.kind }

// Where says in words where the secrets are, for screens: "the login keyring",
// "the age files in /…/keys", "the environment".
func (s *Store) Where() string { return s.where() }

// Unlock asks now for what the first use would ask (the passphrase), so that nobody
// is asked in the middle of a run. ErrPassphrase if it was wrong: call again, and
// the asker is told so.
func (s *Store) Unlock(ctx context.Context) error {
	f, ok := s.backend.(*fileStore)
	if !ok {
		return nil
	}
	if _, err := f.open(ctx); err != nil {
		return fmt.Errorf("open %s: %w", s.Where(), err)
	}
	return nil
}

// Get reads a secret: ErrAbsent if there is none, ErrLocked if the keyring does not
// answer, ErrPassphrase if the passphrase was wrong (the next call asks again),
// ErrDamaged if the entry can't be read.
func (s *Store) Get(ctx context.Context, setup, name string) (string, error) {
	e, err := entryOf(setup, name)
	if err != nil {
		return "", err
	}
	value, err := s.get(ctx, e)
	if err != nil {
		return "", fmt.Errorf("read the %s of %s from %s: %w", name, setup, s.Where(), err)
	}
	return value, nil
}

// Set keeps a secret, in the place of the one of that name, if any. When Set returns
// nil it is safe; otherwise the old one stands. A keyring that did not answer in
// time (ErrLocked) may still do it later.
func (s *Store) Set(ctx context.Context, setup, name, value string) error {
	e, err := entryOf(setup, name)
	if err != nil {
		return err
	}
	if value == "" {
		return fmt.Errorf("the %s of %s is empty and can't be kept", name, setup)
	}
	if err := s.set(ctx, e, value); err != nil {
		return fmt.Errorf("keep the %s of %s in %s: %w", name, setup, s.Where(), err)
	}
	return nil
}

// Delete forgets a secret; absent is no error.
func (s *Store) Delete(ctx context.Context, setup, name string) error {
	e, err := entryOf(setup, name)
	if err != nil {
		return err
	}
	if err := s.delete(ctx, e); err != nil && !errors.Is(err, ErrAbsent) {
		return fmt.Errorf("delete the %s of %s from %s: %w", name, setup, s.Where(), err)
	}
	return nil
}

func entryOf(setup, name string) (entry, error) {
	safeSetup, err := disk.SafeName(setup)
	if err != nil {
		return entry{}, fmt.Errorf("setup: %w", err)
	}
	safeName, err := disk.SafeName(name)
	if err != nil {
		return entry{}, fmt.Errorf("credential: %w", err)
	}
	return entry{setup, name, safeSetup, safeName}, nil
}
