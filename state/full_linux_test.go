package state

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A real disk, of 256 KiB, filled to the brim: what was acknowledged is there,
// nothing is damaged, nothing lies about, and with room again it goes on. Needs the
// right to mount.
func TestARealDiskThatIsFull(t *testing.T) {
	d := open(t)
	if err := syscall.Mount("tmpfs", d.path, "tmpfs", 0, "size=256k"); err != nil {
		t.Skip("can't mount a small disk: ", err)
	}
	defer syscall.Unmount(d.path, syscall.MNT_DETACH)
	s := mustLock(t, d, "x")
	defer s.Close()
	must(t, s.SaveAnswers(Answers{Slug: "netbird"}))
	must(t, s.SaveCredential(Credential{Name: "client-secret"}))
	ballast := filepath.Join(d.path, "ballast")
	must(t, os.WriteFile(ballast, make([]byte, 100<<10), 0o600))

	acknowledged, full := 0, error(nil)
	for full == nil {
		e := entry("connector", fmt.Sprint(acknowledged), Done)
		e.Note = strings.Repeat("n", 5000)
		if full = s.Append(e); full == nil {
			acknowledged++
		}
	}
	for _, err := range []error{full, s.SaveAnswers(Answers{Name: strings.Repeat("n", 8000)}), s.SaveCredential(Credential{Name: strings.Repeat("n", 8000)})} {
		if !errors.Is(err, syscall.ENOSPC) || strings.Contains(err.Error(), "\n") {
			t.Errorf("on the full disk: %v", err)
		}
	}
	check := func(entries int) {
		t.Helper()
		got, err := d.Load("x")
		must(t, err)
		if len(got.Entries) != entries || got.Damage != "" || got.Answers.Slug != "netbird" || len(got.Credentials) != 1 {
			t.Errorf("%d entries of %d, %q, %+v", len(got.Entries), entries, got.Damage, got.Answers)
		}
		if files := tree(t, s.Folder); len(files) != 3 {
			t.Errorf("%d files lie about", len(files))
		}
	}
	if acknowledged < 10 {
		t.Fatalf("only %d entries went in", acknowledged)
	}
	check(acknowledged)
	must(t, os.Remove(ballast))
	must(t, s.Append(entry("connector", "room again", Done)))
	check(acknowledged + 1)
}
