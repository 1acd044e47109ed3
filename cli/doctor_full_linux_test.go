package cli_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// On a full disk the report that was there stays, nothing lies about, and the
// findings are told all the same. Needs the right to mount.
func TestAReportOnAFullDisk(t *testing.T) {
	d := standingDesk(t)
	full := filepath.Join(d.dir, "full")
	if err := os.Mkdir(full, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", full, "tmpfs", 0, "size=64k"); err != nil {
		t.Skip("can't mount a small disk: ", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(full, syscall.MNT_DETACH) })
	report := filepath.Join(full, "report.md")
	d.authbird("doctor", "home", "--report", report).want(0)
	before, err := os.ReadFile(report)
	if err != nil {
		t.Fatal(err)
	}
	ballast, err := os.Create(filepath.Join(full, "ballast"))
	if err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = ballast.Write(make([]byte, 4096))
	}
	if ballast.Close(); !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	d.ill()
	o := d.authbird("doctor", "home", "--report", report).want(1)
	if !strings.Contains(o.human, "authbird: the report could not be written") || !strings.Contains(o.human, "no space left") {
		t.Errorf("said:\n%s", o.human)
	}
	if !strings.Contains(o.out, "\n  wrong ") {
		t.Errorf("the findings are lost:\n%s", o.out)
	}
	if after, err := os.ReadFile(report); err != nil || string(after) != string(before) {
		t.Errorf("the report that was there is not as it was: %v", err)
	}
	if left, err := os.ReadDir(full); err != nil || len(left) != 2 {
		t.Errorf("%d files lie about, %v", len(left), err)
	}
}
