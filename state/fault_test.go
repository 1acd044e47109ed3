package state

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A disk that fills up in the middle of an entry: one clear error, the journal as
// it was, and the next append as if nothing had been.
func TestAFullDiskLosesNothing(t *testing.T) {
	d := open(t)
	s := mustLock(t, d, "x")
	must(t, s.SaveAnswers(Answers{Slug: "netbird"}))
	must(t, s.SaveCredential(Credential{Name: "client-secret"}))
	first, second := entry("connector", "a", Done), entry("connector", "b", Done)
	must(t, s.Append(first))
	before := tree(t, s.Folder)
	for _, written := range []int{0, 1, 20} {
		d.writeAt = func(f *os.File, data []byte, at int64) (int, error) {
			n, err := f.WriteAt(data[:written], at)
			must(t, err)
			return n, &os.PathError{Op: "write", Path: f.Name(), Err: syscall.ENOSPC}
		}
		err := s.Append(second)
		want := "write the journal of setup x: write " + filepath.Join(s.Folder, journalFile) + ": no space left on device"
		if !errors.Is(err, syscall.ENOSPC) || err.Error() != want {
			t.Errorf("Append = %v", err)
		}
	}
	d.writeFile = func(path string, data []byte) error {
		return &os.PathError{Op: "write", Path: path, Err: syscall.ENOSPC}
	}
	for _, err := range []error{s.SaveAnswers(Answers{}), s.SaveCredential(Credential{Name: "x"}), s.RemoveCredential("client-secret")} {
		if !errors.Is(err, syscall.ENOSPC) || strings.Contains(err.Error(), "\n") {
			t.Errorf("save = %v", err)
		}
	}
	if diff := cmp.Diff(before, tree(t, s.Folder)); diff != "" {
		t.Error(diff)
	}
	if len(s.Entries) != 1 || s.Answers.Slug != "netbird" || len(s.Credentials) != 1 {
		t.Errorf("believed what is not on disk: %+v", s)
	}
	d.writeAt = (*os.File).WriteAt
	must(t, s.Append(second))
	got, err := d.Load("x")
	must(t, err)
	if diff := cmp.Diff([]Entry{first, second}, got.Entries); diff != "" || got.Damage != "" {
		t.Error(got.Damage, diff)
	}
	if _, err := d.Lock("y"); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("Lock on a full disk = %v", err)
	}
	if d.Busy("y") != nil {
		t.Error("the lock that failed was kept")
	}
}

func TestAJournalThatIsNoFile(t *testing.T) {
	d := open(t)
	s := mustLock(t, d, "x")
	must(t, s.SaveAnswers(Answers{}))
	must(t, os.Symlink("/dev/full", filepath.Join(s.Folder, journalFile)))
	if err := s.Append(entry("connector", "a", Done)); err == nil || strings.Contains(err.Error(), "\n") || len(s.Entries) != 0 {
		t.Errorf("Append = %v", err)
	}
}

func TestAJournalCutByAnotherIsNotBelieved(t *testing.T) {
	d := open(t)
	s := mustLock(t, d, "x")
	must(t, s.Append(entry("connector", "a", Done)))
	must(t, os.Remove(filepath.Join(s.Folder, journalFile)))
	if err := s.Append(entry("connector", "b", Done)); err == nil || !strings.Contains(err.Error(), "cut short by somebody else") {
		t.Errorf("Append = %v", err)
	}
}

func TestLeftoversOfAKilledRunGo(t *testing.T) {
	d := open(t)
	s := mustLock(t, d, "x")
	must(t, s.SaveAnswers(Answers{}))
	must(t, s.Close())
	for _, name := range []string{".setup.json123", ".credentials.json456", ".setup.json.mine", "notes.txt"} {
		must(t, os.WriteFile(filepath.Join(s.Folder, name), nil, 0o600))
	}
	mustLock(t, d, "x")
	files := tree(t, s.Folder)
	delete(files, answersFile)
	if diff := cmp.Diff(map[string]string{".setup.json.mine": "", "notes.txt": ""}, files); diff != "" {
		t.Error(diff)
	}
}

// Setting a journal aside may itself be cut off: at no moment is there less than
// before.
func TestSettingAsideCutOff(t *testing.T) {
	for fails := 1; fails <= 2; fails++ {
		d := open(t)
		s := mustLock(t, d, "x")
		must(t, s.Append(entry("connector", "a", Done)))
		must(t, s.Close())
		path := filepath.Join(s.Folder, journalFile)
		good, err := os.ReadFile(path)
		must(t, err)
		must(t, os.WriteFile(path, append([]byte("garbage\n"), good...), 0o600))
		write, n := d.writeFile, 0
		d.writeFile = func(path string, data []byte) error {
			if n++; n == fails {
				return syscall.ENOSPC
			}
			return write(path, data)
		}
		if _, err := d.Lock("x"); !errors.Is(err, syscall.ENOSPC) {
			t.Fatalf("Lock = %v", err)
		}
		d.writeFile = write
		s = mustLock(t, d, "x")
		if r, phase := s.Last("a"); phase != Done || len(s.SetAside) != 1 {
			t.Errorf("%v %v %v", r, phase, s.SetAside)
		}
	}
}
