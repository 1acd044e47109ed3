package keystore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"authbird/state/disk"

	"filippo.io/age"
	"filippo.io/age/agessh"
	"golang.org/x/crypto/ssh"
)

// key is what opens the secrets and what they are encrypted for.
type key struct {
	identity  age.Identity
	recipient age.Recipient
	name      string // in words
}

// maxLogN bounds the memory (2^20 blocks of 1 KiB: 1 GiB) that a replaced
// identity.age can make us take.
const maxLogN = 20

// opener says in words what opens the secrets.
func (s *fileStore) opener() string {
	switch {
	case s.keyFile != "":
		return "the key " + s.keyFile
	case s.getenv(PassphraseFile) != "":
		return "the passphrase in " + s.getenv(PassphraseFile)
	case s.has(identityName):
		return "your passphrase"
	}
	return "a passphrase of your choice"
}

// open gives the key, asking for the passphrase if it was not given in this run. Who
// calls meanwhile waits, so a person is asked once.
func (s *fileStore) open(ctx context.Context) (*key, error) {
	if err := s.checkFolder(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.key != nil {
		return s.key, nil
	}
	var k *key
	var err error
	switch {
	case s.keyFile != "":
		k, err = s.readKeyFile()
	case s.has(identityName):
		k, err = s.openIdentity(ctx)
	default:
		k, err = s.makeIdentity(ctx)
	}
	if err != nil {
		return nil, err
	}
	s.key = k
	return k, nil
}

// recipient is what a new secret is encrypted for: the open key's, else the one
// beside the closed identity, which needs no passphrase.
func (s *fileStore) recipient(ctx context.Context) (age.Recipient, error) {
	s.mu.Lock()
	k := s.key
	s.mu.Unlock()
	if k == nil && s.keyFile == "" && s.has(identityName) && s.has(recipientName) {
		text, err := s.read(s.path(recipientName))
		if err != nil {
			return nil, err
		}
		r, err := age.ParseX25519Recipient(strings.TrimSpace(string(text)))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.path(recipientName), ErrDamaged)
		}
		return r, nil
	}
	k, err := s.open(ctx)
	if err != nil {
		return nil, err
	}
	return k.recipient, nil
}

// openIdentity opens identity.age and sees to the public half beside it.
func (s *fileStore) openIdentity(ctx context.Context) (*key, error) {
	sealed, err := s.read(s.path(identityName))
	if err != nil {
		return nil, err
	}
	passphrase, err := s.passphrase(ctx, false)
	if err != nil {
		return nil, err
	}
	return s.unseal(sealed, passphrase)
}

func (s *fileStore) unseal(sealed []byte, passphrase string) (*key, error) {
	path := s.path(identityName)
	scrypt, err := age.NewScryptIdentity(passphrase)
	if err != nil {
		return nil, err
	}
	scrypt.SetMaxWorkFactor(maxLogN)
	plain, err := decrypt(sealed, scrypt)
	if errors.Is(err, age.ErrIncorrectIdentity) {
		s.again = true
		if file := s.getenv(PassphraseFile); file != "" {
			return nil, fmt.Errorf("%w in %s", ErrPassphrase, file)
		}
		return nil, ErrPassphrase
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, ErrDamaged)
	}
	identity, err := age.ParseX25519Identity(strings.TrimSpace(string(plain)))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, ErrDamaged)
	}
	s.again = false
	k := &key{identity, identity.Recipient(), path}
	return k, s.checkRecipient(identity.Recipient().String())
}

// checkRecipient compares the public half on disk with the one of the open identity,
// and puts it there if it is missing. A wrong one is not mended: somebody put it
// there, and may read what was written since.
func (s *fileStore) checkRecipient(want string) error {
	path := s.path(recipientName)
	have, err := s.read(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		// Not needed for reading, so a folder that can't be written is no reason to fail.
		s.writeFile(path, []byte(want+"\n"))
		return nil
	case err != nil:
		return err
	case strings.TrimSpace(string(have)) != want:
		return fmt.Errorf("%s does not belong to %s: somebody exchanged it and may be able to read what was kept since; remove it, then renew those credentials", path, identityName)
	}
	return nil
}

// makeIdentity makes a new identity and encrypts it with a new passphrase.
func (s *fileStore) makeIdentity(ctx context.Context) (*key, error) {
	if old, err := s.orphans(); err != nil || old != "" {
		if err == nil {
			err = fmt.Errorf("%s is gone, but %s needs it: bring it back from a backup, or move %s away to begin anew",
				s.path(identityName), old, s.dir)
		}
		return nil, err
	}
	passphrase, err := s.passphrase(ctx, true)
	if err != nil {
		return nil, err
	}
	if err := disk.MakeDir(s.dir); err != nil {
		return nil, err
	}
	unlock, err := lockDir(s.dir)
	if err != nil {
		return nil, err
	}
	defer unlock()
	// Another process may have been first; then its passphrase counts.
	if sealed, err := s.read(s.path(identityName)); !errors.Is(err, fs.ErrNotExist) {
		if err != nil {
			return nil, err
		}
		return s.unseal(sealed, passphrase)
	}
	disk.Sweep(s.path(identityName))
	disk.Sweep(s.path(recipientName))
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		return nil, err
	}
	scrypt, err := age.NewScryptRecipient(passphrase)
	if err != nil {
		return nil, err
	}
	scrypt.SetWorkFactor(s.logN)
	sealed, err := encrypt([]byte(identity.String()+"\n"), scrypt)
	if err != nil {
		return nil, err
	}
	// The public half alone opens nothing and is remade, so it comes second.
	if err := s.writeFile(s.path(identityName), sealed); err != nil {
		return nil, err
	}
	if err := s.writeFile(s.path(recipientName), []byte(identity.Recipient().String()+"\n")); err != nil {
		return nil, err
	}
	return &key{identity, identity.Recipient(), s.path(identityName)}, nil
}

// orphans is a file that only an identity which is not there can open, "" if none.
// Secrets come after their identity, so one that another process has just made is
// there by the time that a secret of its was seen.
func (s *fileStore) orphans() (string, error) {
	entries, err := os.ReadDir(s.dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	for _, e := range entries {
		if name := e.Name(); strings.HasSuffix(name, ".age") && !strings.HasPrefix(name, ".") {
			if s.has(identityName) {
				return "", nil
			}
			return name, nil
		}
	}
	return "", nil
}

// lent says that the service manager put a file there for this process alone, as
// systemd's LoadCredential= does: what its mode says of a group is then the mask of
// an access list, and the folder lets nobody else in.
func (s *fileStore) lent(file string, info fs.FileInfo) bool {
	dir := s.getenv("CREDENTIALS_DIRECTORY")
	return dir != "" && filepath.Dir(filepath.Clean(file)) == filepath.Clean(dir) && info.Mode().Perm()&0o007 == 0
}

// passphrase comes from the file that the environment names, else from a person.
func (s *fileStore) passphrase(ctx context.Context, isNew bool) (string, error) {
	if file := s.getenv(PassphraseFile); file != "" {
		if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() && openToOthers(info) && !s.lent(file, info) {
			return "", fmt.Errorf("passphrase file %s can be read by other users (mode %04o): close it with chmod 600", file, info.Mode().Perm())
		}
		data, err := os.ReadFile(file)
		if err != nil {
			return "", fmt.Errorf("passphrase file: %w", err)
		}
		passphrase := strings.TrimRight(string(data), "\r\n")
		if passphrase == "" {
			return "", fmt.Errorf("passphrase file %s is empty", file)
		}
		if err := CheckNew(passphrase); isNew && err != nil {
			return "", fmt.Errorf("passphrase file %s: %w", file, err)
		}
		return passphrase, nil
	}
	if s.ask == nil {
		return "", fmt.Errorf("%w: name a file that holds it in %s", ErrNoPassphrase, PassphraseFile)
	}
	passphrase, err := s.ask(ctx, Question{New: isNew, Again: s.again, Where: s.where()})
	if err != nil {
		return "", err
	}
	if passphrase == "" {
		return "", errors.New("a passphrase can't be empty")
	}
	if err := CheckNew(passphrase); isNew && err != nil {
		return "", err
	}
	return passphrase, nil
}

// shortest is how many characters a new passphrase has at least; one that is in
// use already opens what it closed, however short.
const shortest = 8

var errTooShort = fmt.Errorf("a passphrase of less than %d characters is soon guessed: take a longer one", shortest)

// CheckNew says why a passphrase does not do as a new one. Who asks for one
// checks it at once, so that a person can type another.
func CheckNew(passphrase string) error {
	if utf8.RuneCountInString(passphrase) < shortest {
		return errTooShort
	}
	return nil
}

// readKeyFile reads the age or SSH private key that a person named.
func (s *fileStore) readKeyFile() (*key, error) {
	info, err := os.Stat(s.keyFile)
	if err != nil {
		return nil, fmt.Errorf("key file: %w", err)
	}
	if openToOthers(info) {
		// Theirs, so it is not ours to change.
		s.say(fmt.Sprintf("The key %s can be read by other users (mode %04o).", s.keyFile, info.Mode().Perm()))
	}
	f, err := os.Open(s.keyFile)
	if err != nil {
		return nil, fmt.Errorf("key file: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, 1<<20))
	if err != nil {
		return nil, fmt.Errorf("key file: %w", err)
	}
	k, err := parseKey(data)
	if err != nil {
		return nil, fmt.Errorf("key file %s %w", s.keyFile, err)
	}
	k.name = filepath.Clean(s.keyFile)
	return k, nil
}

// parseKey reads a private key. Its errors go on a sentence that began with the
// file's name, and quote nothing of it.
func parseKey(data []byte) (*key, error) {
	switch {
	case bytes.HasPrefix(data, []byte("age-encryption.org/")), bytes.HasPrefix(data, []byte("-----BEGIN AGE ENCRYPTED FILE")):
		return nil, errors.New("is encrypted: name an age key file that is not")
	case bytes.Contains(data, []byte("-----BEGIN")):
		return parseSSHKey(data)
	}
	identities, err := age.ParseIdentities(bytes.NewReader(data))
	if err != nil {
		return nil, errors.New("holds no age or SSH private key")
	}
	if len(identities) != 1 {
		return nil, errors.New("holds several keys: name a file with one")
	}
	switch id := identities[0].(type) {
	case *age.X25519Identity:
		return &key{identity: id, recipient: id.Recipient()}, nil
	case *age.HybridIdentity:
		return &key{identity: id, recipient: id.Recipient()}, nil
	}
	return nil, errors.New("holds an age key of a kind that is not known here")
}

func parseSSHKey(data []byte) (*key, error) {
	identity, err := agessh.ParseIdentity(data)
	var encrypted *ssh.PassphraseMissingError
	if errors.As(err, &encrypted) {
		return nil, errors.New("is an SSH key with a passphrase: name one without, or an age key, or use a passphrase here instead of a key")
	}
	switch id := identity.(type) {
	case *agessh.Ed25519Identity:
		return &key{identity: id, recipient: id.Recipient()}, nil
	case *agessh.RSAIdentity:
		return &key{identity: id, recipient: id.Recipient()}, nil
	}
	return nil, errors.New("is no private key that age can use: ed25519 and RSA SSH keys are")
}
