package keystore

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"authbird/state/disk"

	"filippo.io/age"
)

// The files in the keys folder.
const (
	identityName     = "identity.age"
	recipientName    = "recipient.txt"
	identityFileName = "identity-file"
)

// secretVersion is the version of what is inside a secret's file.
const secretVersion = 1

// secretJSON is the plaintext of a secret's file. It says whose it is, so that a
// file which was moved to another name is not taken for that one's.
type secretJSON struct {
	V     int    `json:"v"`
	Setup string `json:"setup"`
	Name  string `json:"name"`
	Value string `json:"value"`
}

// fileStore keeps each secret in an age file of its own.
type fileStore struct {
	dir       string // the keys folder
	keyFile   string // the key that a person named; "" = a passphrase
	getenv    func(string) string
	ask       func(context.Context, Question) (string, error)
	say       func(string)
	logN      int
	writeFile func(string, []byte) error

	mu      sync.Mutex
	key     *key // what opens the secrets, once it was opened
	again   bool // the last passphrase was wrong
	checked bool // the folder was looked at
}

func newFileStore(o Options) *fileStore {
	s := &fileStore{
		dir: filepath.Join(o.Dir, "keys"), keyFile: o.Identity,
		getenv: o.Getenv, ask: o.Passphrase, say: o.Say, logN: o.logN, writeFile: o.writeFile,
	}
	if s.keyFile == "" && !s.has(identityName) {
		if path, err := os.ReadFile(s.path(identityFileName)); err == nil {
			s.keyFile = strings.TrimSpace(string(path))
		}
	}
	return s
}

func (s *fileStore) where() string           { return "the age files in " + s.dir }
func (s *fileStore) path(name string) string { return filepath.Join(s.dir, name) }

func (s *fileStore) has(name string) bool {
	_, err := os.Lstat(s.path(name))
	return err == nil
}

func (s *fileStore) secretPath(e entry) string {
	return s.path(e.safeSetup + "@" + e.safeName + ".age")
}

func (s *fileStore) get(ctx context.Context, e entry) (string, error) {
	if err := s.checkFolder(); err != nil {
		return "", err
	}
	sealed, err := s.read(s.secretPath(e))
	if errors.Is(err, fs.ErrNotExist) {
		return "", ErrAbsent // nobody is asked for a passphrase to learn that
	}
	if err != nil {
		return "", err
	}
	k, err := s.open(ctx)
	if err != nil {
		return "", err
	}
	plain, err := decrypt(sealed, k.identity)
	if errors.Is(err, age.ErrIncorrectIdentity) {
		return "", fmt.Errorf("%w, or encrypted for another key than %s", ErrDamaged, k.name)
	}
	if err != nil {
		return "", ErrDamaged // age's reason may quote what is in the file
	}
	var secret secretJSON
	if json.Unmarshal(plain, &secret) != nil || secret.V < 1 {
		return "", ErrDamaged
	}
	if secret.V > secretVersion {
		return "", fmt.Errorf("it was written by a newer authbird (version %d; this one knows %d)", secret.V, secretVersion)
	}
	if secret.Setup != e.setup || secret.Name != e.name {
		return "", fmt.Errorf("%w: the file holds another credential", ErrDamaged)
	}
	return secret.Value, nil
}

func (s *fileStore) set(ctx context.Context, e entry, value string) error {
	if err := s.checkFolder(); err != nil {
		return err
	}
	recipient, err := s.recipient(ctx)
	if err != nil {
		return err
	}
	plain, err := json.Marshal(secretJSON{secretVersion, e.setup, e.name, value})
	if err != nil {
		return err
	}
	sealed, err := encrypt(plain, recipient)
	if err != nil {
		return err
	}
	if err := disk.MakeDir(s.dir); err != nil {
		return err
	}
	if err := s.rememberKeyFile(); err != nil {
		return err
	}
	disk.Sweep(s.secretPath(e))
	return s.writeFile(s.secretPath(e), sealed)
}

func (s *fileStore) delete(_ context.Context, e entry) error {
	if err := s.checkFolder(); err != nil {
		return err
	}
	disk.Sweep(s.secretPath(e))
	return disk.Remove(s.secretPath(e))
}

// rememberKeyFile notes which key file opens the secrets, so that a later run needs
// not be told again.
func (s *fileStore) rememberKeyFile() error {
	path := s.path(identityFileName)
	if s.keyFile == "" {
		return nil
	}
	if old, err := os.ReadFile(path); err == nil && string(old) == s.keyFile+"\n" {
		return nil
	}
	return s.writeFile(path, []byte(s.keyFile+"\n"))
}

// checkFolder looks once whether others can get at the keys folder: what can be
// mended is, and said.
func (s *fileStore) checkFolder() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.checked {
		return nil
	}
	info, err := os.Stat(s.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // to be made
	}
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return fmt.Errorf("%s is not a folder", s.dir)
	}
	if foreign(info) {
		return fmt.Errorf("%s belongs to another user", s.dir)
	}
	s.closeToOthers(s.dir, info, 0o700)
	s.checked = true
	return nil
}

// read reads one of our files: a regular one, which others can't read afterwards.
func (s *fileStore) read(path string) ([]byte, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file", path)
	}
	if foreign(info) {
		return nil, fmt.Errorf("%s belongs to another user", path)
	}
	s.closeToOthers(path, info, 0o600)
	return os.ReadFile(path)
}

// closeToOthers takes away what rights others have on a file or folder, and says so.
func (s *fileStore) closeToOthers(path string, info fs.FileInfo, mode fs.FileMode) {
	if !openToOthers(info) {
		return
	}
	if err := os.Chmod(path, mode); err != nil {
		s.say(fmt.Sprintf("%s is open to other users (mode %04o), and that could not be changed: %v.", path, info.Mode().Perm(), err))
		return
	}
	s.say(fmt.Sprintf("%s was open to other users (mode %04o); it is %04o now.", path, info.Mode().Perm(), mode))
}

func encrypt(plain []byte, to age.Recipient) ([]byte, error) {
	var sealed bytes.Buffer
	w, err := age.Encrypt(&sealed, to)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(plain); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return sealed.Bytes(), nil
}

func decrypt(sealed []byte, with age.Identity) ([]byte, error) {
	r, err := age.Decrypt(bytes.NewReader(sealed), with)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}
