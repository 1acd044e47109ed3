// Package keystore keeps secrets: in the system keyring, in age-encrypted files, or in the environment.
package keystore

import (
	"context"
	"errors"
	"time"
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

	New = "-new" // suffix: made, not in force yet
	Old = "-old" // suffix: no longer in force, kept until the new one is proven
)

// What errors.Is finds in the errors of this package.
var (
	ErrAbsent       = errors.New("not in the keystore")
	ErrLocked       = errors.New("the keyring is locked or does not answer")
	ErrUnavailable  = errors.New("no keyring here")
	ErrPassphrase   = errors.New("wrong passphrase")
	ErrNoPassphrase = errors.New("a passphrase is needed and nobody can be asked")
	ErrReadOnly     = errors.New("the environment can't be changed from here")
	ErrDamaged      = errors.New("damaged")
)

// Question is what the asker needs to know to ask for a passphrase.
type Question struct {
	New   bool   // a first passphrase: ask twice, refuse an empty one
	Again bool   // the one before was wrong
	Where string // what it opens, in words
}

// Options say where secrets are kept and how to get at them.
type Options struct {
	Kind       Kind                                                  // "" = the keyring if it can be had, else the file
	Dir        string                                                // the state folder; the file backend lives in Dir/keys
	Identity   string                                                // an age or SSH private key file instead of a passphrase
	Getenv     func(string) string                                   // nil: nothing is set
	Passphrase func(ctx context.Context, q Question) (string, error) // nil: nobody can be asked
	Timeout    time.Duration                                         // for each keyring call; 0 = 5 s
	Say        func(string)                                          // announcements, in words; nil: none
}

// Store keeps secrets, each a small entry of its own.
type Store struct{}

var errStub = errors.New("not made yet")

// Open finds the backend. It asks for no passphrase: the first use does, or Unlock.
func Open(ctx context.Context, o Options) (*Store, error) { return nil, errStub }

// Kind is the backend in use.
func (s *Store) Kind() Kind { return "" }

// Where says in words where the secrets are, for screens.
func (s *Store) Where() string { return "" }

// Unlock asks now for what would be asked at the first use (the passphrase).
func (s *Store) Unlock(ctx context.Context) error { return errStub }

// Get reads a secret; ErrAbsent if there is none.
func (s *Store) Get(ctx context.Context, setup, name string) (string, error) { return "", errStub }

// Set keeps a secret; it is safe when Set returns nil.
func (s *Store) Set(ctx context.Context, setup, name, value string) error { return errStub }

// Delete forgets a secret; absent is no error.
func (s *Store) Delete(ctx context.Context, setup, name string) error { return errStub }

// Move brings the named secrets of a setup from one store to another: copied, read back, then deleted.
func Move(ctx context.Context, from, to *Store, setup string, names []string) error { return errStub }
