package state

import (
	"errors"
	"io/fs"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// asOrdinary runs f without root's right to write everywhere: this thread's file
// system user becomes nobody's. Without root it just runs f.
func asOrdinary(t *testing.T, folder string, f func()) {
	t.Helper()
	if os.Geteuid() != 0 {
		f()
		return
	}
	const nobody = 65534
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // never given back: the thread ends with its odd user
		if _, _, errno := syscall.RawSyscall(syscall.SYS_SETFSUID, nobody, 0, 0); errno != 0 {
			t.Error(errno)
			return
		}
		f()
	}()
	<-done
}

func TestAFolderThatCannotBeWritten(t *testing.T) {
	d := open(t)
	s := mustLock(t, d, "x")
	must(t, s.Append(entry("connector", "a", Done)))
	must(t, s.Close())
	folders := []string{d.path, d.path + "/setups", d.path + "/setups/x", d.path + "/locks"}
	for _, f := range folders {
		must(t, os.Chmod(f, 0o555))
	}
	defer func() {
		for _, f := range folders {
			os.Chmod(f, 0o755)
		}
	}()
	for name := range tree(t, d.path) {
		must(t, os.Chmod(d.path+"/"+name, 0o444))
	}
	for up := d.path; up != os.TempDir(); up = up[:strings.LastIndex(up, "/")] {
		info, err := os.Stat(up)
		must(t, err)
		must(t, os.Chmod(up, info.Mode()|0o555))
	}
	before := tree(t, d.path)
	asOrdinary(t, d.path, func() {
		for _, name := range []string{"x", "new"} {
			_, err := d.Lock(name)
			if !errors.Is(err, fs.ErrPermission) || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), "setup "+name) {
				t.Errorf("Lock(%s) = %v", name, err)
			}
		}
		if list, err := d.List(); err != nil || len(list) != 1 || len(list[0].Entries) != 1 || list[0].Damage != "" {
			t.Errorf("List = %v, %v", list, err)
		}
		if b := d.Busy("x"); b != nil {
			t.Error(b)
		}
	})
	if diff := cmp.Diff(before, tree(t, d.path)); diff != "" {
		t.Error(diff)
	}
}
