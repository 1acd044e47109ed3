//go:build unix

package overssh

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// here is what all tests share: the binary, and the server that runs it.
var here struct {
	authbird string
	sshd     *server
}

// TestMain builds authbird, unless AUTHBIRD_OVERSSH_BINARY names one, and starts
// the SSH server.
func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	if os.Getenv("AUTHBIRD_OVERSSH") == "" {
		fmt.Println("skipped: these tests start an SSH server; overssh/run runs them")
		return 0
	}
	dir, err := os.MkdirTemp("", "authbird-overssh")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	if here.authbird = os.Getenv("AUTHBIRD_OVERSSH_BINARY"); here.authbird == "" {
		here.authbird = filepath.Join(dir, "authbird")
		build := exec.Command("go", "build", "-o", here.authbird, "authbird")
		build.Stderr = os.Stderr
		if err := build.Run(); err != nil {
			fmt.Fprintln(os.Stderr, "build authbird:", err)
			return 1
		}
	}
	if here.sshd, err = startServer(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer here.sshd.stop()
	return m.Run()
}
