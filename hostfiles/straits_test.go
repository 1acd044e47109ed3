//go:build !windows

package hostfiles

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// writeInStraits is the test binary as a process of its own: with little room
// on its disk, or as somebody who may not write.
func writeInStraits(path string) {
	switch os.Getenv("HOSTFILES_STRAIT") {
	case "full":
		signal.Ignore(syscall.SIGXFSZ)
		limit := syscall.Rlimit{Cur: 64, Max: 64} // bytes a file
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
			panic(err)
		}
	case "nobody":
		if os.Geteuid() == 0 {
			if err := syscall.Setuid(65534); err != nil {
				panic(err)
			}
		}
	}
	_, err := Write(path, []byte(strings.Repeat("NEW=1\n", 100)), WriteOptions{Now: time.Unix(0, 0)})
	fmt.Print(err)
}

func TestWriteLosesNothing(t *testing.T) {
	for strait, c := range map[string]struct {
		mode os.FileMode // of the folder
		want string
	}{
		"full":   {0o700, "nothing was changed: file too large"},
		"nobody": {0o555, "nothing was changed: permission denied"},
	} {
		t.Run(strait, func(t *testing.T) {
			dir, err := os.MkdirTemp("", "hostfiles") // t.TempDir is closed to others
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { os.Chmod(dir, 0o700); os.RemoveAll(dir) })
			path := filepath.Join(dir, "setup.env")
			put(t, path, "OLD=1\n", 0o644)
			if err := os.Chmod(dir, c.mode); err != nil {
				t.Fatal(err)
			}
			self, err := os.Executable()
			if err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command(self)
			cmd.Env = append(os.Environ(), "HOSTFILES_WRITE="+path, "HOSTFILES_STRAIT="+strait)
			said, err := cmd.Output()
			if err != nil {
				t.Fatal(err)
			}
			if want := "cannot write " + path + ", " + c.want; string(said) != want {
				t.Errorf("said %q, not %q", said, want)
			}
			if got := names(t, dir); got != "setup.env" || get(t, path) != "OLD=1\n" {
				t.Errorf("left %s with %q", got, get(t, path))
			}
		})
	}
}

func TestWriteKeepsTheOwner(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root may give a file away")
	}
	path := filepath.Join(t.TempDir(), "setup.env")
	put(t, path, "old", 0o640)
	if err := os.Chown(path, 65534, 65533); err != nil {
		t.Fatal(err)
	}
	backup, err := Write(path, []byte("new"), WriteOptions{Now: noon})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{path, backup} {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		owner := info.Sys().(*syscall.Stat_t)
		if owner.Uid != 65534 || owner.Gid != 65533 || info.Mode() != 0o600 {
			t.Errorf("%s: %d:%d %v", name, owner.Uid, owner.Gid, info.Mode())
		}
	}
}
