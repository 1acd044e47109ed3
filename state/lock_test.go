package state

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestMain lets the test binary play another run: one that takes the lock, says so
// and waits to be killed.
func TestMain(m *testing.M) {
	if path := os.Getenv("STATE_TEST_HOLD"); path != "" {
		hold(path)
	}
	os.Exit(m.Run())
}

func hold(path string) {
	d, err := Open(path)
	if err == nil {
		var s *Setup
		if s, err = d.Lock("x"); err == nil {
			if err = s.Doing("setup connector"); err == nil {
				err = s.Append(Entry{Flow: "connector", Step: "provider", Phase: Began})
			}
		}
	}
	fmt.Println("holding:", err)
	bufio.NewReader(os.Stdin).ReadString('\n') // for ever: nobody writes
	os.Exit(3)
}

func TestASecondLockIsTold(t *testing.T) {
	d := open(t)
	first := mustLock(t, d, "x")
	d.Now = func() time.Time { return noon.Add(time.Hour) } // since when it has the lock, not since when it does this
	must(t, first.Doing("rotate client-secret"))
	other, err := Open(d.Path())
	must(t, err)
	for _, dir := range []*Dir{d, other} {
		_, err := dir.Lock("x")
		var busy *BusyError
		if !errors.As(err, &busy) || busy.PID != os.Getpid() || !busy.Since.Equal(noon) || busy.What != "rotate client-secret" {
			t.Fatalf("Lock = %#v", err)
		}
		want := fmt.Sprintf("setup x is in use by another authbird, process %d, since %s (rotate client-secret)",
			os.Getpid(), noon.Local().Format("2006-01-02 15:04:05"))
		if busy.Error() != want {
			t.Errorf("%q", busy)
		}
		if _, err := other.Archive("x", noon); !errors.As(err, &busy) {
			t.Errorf("Archive = %v", err)
		}
		if b := dir.Busy("x"); b == nil || b.Error() != want {
			t.Errorf("Busy = %v", b)
		}
	}
	mustLock(t, d, "y") // another setup is free
	must(t, first.Close())
	must(t, first.Close())
	if b := d.Busy("x"); b != nil {
		t.Error(b)
	}
	if _, err := os.Stat(filepath.Join(d.Path(), "locks", "x.json")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("who held it is still noted: %v", err)
	}
	mustLock(t, other, "x")
}

func TestAHolderNobodyKnowsIsStillAHolder(t *testing.T) {
	d := open(t)
	s := mustLock(t, d, "x")
	must(t, os.WriteFile(s.lock.note, []byte(`{"pid":"odd`), 0o600))
	if _, err := d.Lock("x"); err == nil || err.Error() != "setup x is in use by another authbird" {
		t.Errorf("Lock = %v", err)
	}
}

func TestAKilledRunLeavesNoLock(t *testing.T) {
	d := open(t)
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), "STATE_TEST_HOLD="+d.Path())
	out, err := child.StdoutPipe()
	must(t, err)
	in, err := child.StdinPipe()
	must(t, err)
	defer in.Close()
	must(t, child.Start())
	defer child.Process.Kill()
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "holding: <nil>\n" {
		t.Fatalf("the other run said %q, %v", line, err)
	}
	_, err = d.Lock("x")
	if err == nil || !regexp.MustCompile(fmt.Sprintf(`^setup x is in use by another authbird, process %d, since \S+ \S+ \(setup connector\)$`, child.Process.Pid)).MatchString(err.Error()) {
		t.Errorf("Lock while it lives = %v", err)
	}
	if d.Busy("x") == nil {
		t.Error("Busy does not see the other run")
	}
	must(t, child.Process.Kill())
	child.Wait()
	if b := d.Busy("x"); b != nil {
		t.Errorf("a dead run is busy: %v", b)
	}
	s := mustLock(t, d, "x")
	if _, open := s.Begun("connector", "provider"); !open {
		t.Error("what it had begun is lost")
	}
}

// Looking holds the lock for an instant; a run must not take that for another run.
func TestLookersKeepNobodyOut(t *testing.T) {
	d := open(t)
	mustLock(t, d, "x").Close()
	stop := make(chan struct{})
	var lookers sync.WaitGroup
	for range 2 {
		lookers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					d.Busy("x")
				}
			}
		})
	}
	for range 20 {
		s, err := d.Lock("x")
		if err != nil {
			t.Error(err)
			break
		}
		s.Close()
	}
	close(stop)
	lookers.Wait()
}

func TestRunsAtOnceGetInOneByOne(t *testing.T) {
	d := open(t)
	const runs = 8
	var all sync.WaitGroup
	for i := range runs {
		all.Go(func() {
			own, err := Open(d.Path())
			must(t, err)
			for {
				s, err := own.Lock("x")
				var busy *BusyError
				if errors.As(err, &busy) {
					continue
				}
				if err != nil {
					t.Error(err)
					return
				}
				defer s.Close()
				if n := len(s.Entries); n%2 != 0 {
					t.Errorf("a run saw another in the middle: %d entries", n)
				}
				for _, phase := range []Phase{Began, Done} {
					if err := s.Append(Entry{Run: fmt.Sprint(i), Step: "s", Phase: phase}); err != nil {
						t.Error(err)
					}
				}
				return
			}
		})
	}
	all.Wait()
	s, err := d.Load("x")
	must(t, err)
	if len(s.Entries) != 2*runs {
		t.Errorf("%d entries of %d", len(s.Entries), 2*runs)
	}
}

func TestAppendsFromManyGoroutines(t *testing.T) {
	d := open(t)
	s := mustLock(t, d, "x")
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			step := fmt.Sprint(i)
			for _, phase := range []Phase{Began, Done} {
				if err := s.Append(entry("connector", step, phase)); err != nil {
					t.Error(err)
				}
			}
			s.Last(step)
			if err := s.SaveCredential(Credential{Name: step}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	got, err := d.Load("x")
	must(t, err)
	if len(got.Entries) != 16 || len(got.Credentials) != 8 || got.Damage != "" {
		t.Errorf("%d entries, %d credentials, %q", len(got.Entries), len(got.Credentials), got.Damage)
	}
}

func TestLockRefusesNames(t *testing.T) {
	d := open(t)
	for _, name := range []string{"", "a\x00b", "a\nb", "\xff", "a\u202eb"} {
		if _, err := d.Lock(name); err == nil {
			t.Errorf("Lock(%q) took it", name)
		}
		if _, err := d.Load(name); err == nil {
			t.Errorf("Load(%q) took it", name)
		}
	}
	for _, name := range []string{"..", ".", "/etc/passwd", "../../x", ".hidden", "CON", strings.Repeat("long", 75), "Ünïcode 名前"} {
		s := mustLock(t, d, name)
		must(t, s.SaveAnswers(Answers{Slug: name}))
		must(t, s.Close())
		got, err := d.Load(name)
		must(t, err)
		if got.Answers.Slug != name || got.Name != name || got.Damage != "" {
			t.Errorf("Load(%q) = %+v", name, got)
		}
	}
	list, err := d.List()
	must(t, err)
	if len(list) != 8 {
		t.Errorf("listed %d of 8", len(list))
	}
	for _, s := range list {
		if s.Name != s.Answers.Slug || s.Damage != "" {
			t.Errorf("listed %q for %q: %s", s.Name, s.Answers.Slug, s.Damage)
		}
	}
	if entries, err := os.ReadDir(d.Path()); err != nil || len(entries) != 2 {
		t.Errorf("the state folder holds %v, %v", entries, err)
	}
}
