package sshd

import (
	"crypto/ed25519"
	"encoding/pem"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	gossh "golang.org/x/crypto/ssh"

	"authbird/state/disk"
)

// hostKey reads the key that this server is known by, and makes it where there
// is none. A key that others can read is refused: it may be known to them.
func hostKey(path string, random io.Reader) (signer gossh.Signer, made bool, err error) {
	signer, err = readHostKey(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return signer, false, err
	}
	_, private, err := ed25519.GenerateKey(random)
	if err != nil {
		return nil, false, err
	}
	block, err := gossh.MarshalPrivateKey(private, "authbird serve")
	if err != nil {
		return nil, false, err
	}
	if err := disk.MakeDir(filepath.Dir(path)); err != nil {
		return nil, false, unfitf("the host key can't be made: %v", err)
	}
	if err := disk.WriteFile(path, pem.EncodeToMemory(block)); err != nil {
		return nil, false, unfitf("the host key can't be made: %v", err)
	}
	signer, err = readHostKey(path) // as it stands: another server may have been first
	return signer, true, err
}

func readHostKey(path string) (gossh.Signer, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, err
	case err != nil:
		return nil, unfitf("the host key can't be read: %v", err)
	case !info.Mode().IsRegular():
		return nil, unfitf("the host key %s is not a file", path)
	case runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0:
		return nil, unfitf("the host key %s is open to others (mode %04o)", path, info.Mode().Perm()).
			hint("chmod 600 %s, or better remove it where others may have read it: a new one is made, and clients will warn once", path)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, unfitf("the host key can't be read: %v", err)
	}
	signer, err := gossh.ParsePrivateKey(data)
	var locked *gossh.PassphraseMissingError
	switch {
	case errors.As(err, &locked):
		return nil, unfitf("the host key %s has a passphrase, and nobody could type it when the server restarts", path).hint("name one without: --host-key FILE")
	case err != nil:
		return nil, unfitf("there is no private key in %s", path).hint("remove it, and a new one is made; clients will warn once")
	}
	return signer, nil
}
