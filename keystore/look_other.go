//go:build !(linux || freebsd || netbsd || openbsd || dragonfly)

package keystore

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"runtime"

	"github.com/zalando/go-keyring"
)

var keyringName = map[string]string{"darwin": "the login keychain", "windows": "the Credential Manager"}[runtime.GOOS]

// lookForKeyring has nothing to look at that is cheaper than the first question.
func lookForKeyring(context.Context, func(string) string) error { return nil }

// refusal is what an error of the keychain means. 36 is security(1)'s code for a
// keychain that would have to ask and may not, as over SSH; 51 and 128 are its codes
// for a wrong password and a dismissed question.
func refusal(err error) error {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		switch exit.ExitCode() {
		case 36, 51, 128:
			return ErrLocked
		}
	}
	if errors.Is(err, keyring.ErrUnsupportedPlatform) {
		return ErrUnavailable
	}
	return fmt.Errorf("%w: %v", ErrUnavailable, err)
}
