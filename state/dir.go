package state

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"authbird/state/disk"

	"github.com/adrg/xdg"
)

// The names in the state folder.
const (
	setupsDir       = "setups"
	locksDir        = "locks"
	archiveDir      = "archive"
	answersFile     = "setup.json"
	journalFile     = "journal.jsonl"
	credentialsFile = "credentials.json"
)

// Dir is a state folder. Its methods may be called from several goroutines and
// several processes.
type Dir struct {
	// Now is the clock and Rand the randomness of salts; Open sets both to the
	// real ones. Change them before the first use, if at all.
	Now  func() time.Time
	Rand io.Reader

	path string

	mu   sync.Mutex
	held map[string]*Setup // by safe name: what Lock gave out and is not closed yet

	// The file system, as far as tests take it away.
	readFile  func(path string, into []byte) ([]byte, error)
	writeFile func(path string, data []byte) error
	writeAt   func(f *os.File, data []byte, at int64) (int, error)
}

// DefaultPath is the state folder when nobody named one: $XDG_STATE_HOME/authbird
// where that variable holds an absolute path, else ~/.local/state/authbird, or on
// macOS and Windows the system's place for such files.
func DefaultPath(getenv func(string) string) string {
	if home := getenv("XDG_STATE_HOME"); filepath.IsAbs(home) {
		return filepath.Join(home, "authbird")
	}
	own := runtime.GOOS == "darwin" || runtime.GOOS == "windows"
	if home := getenv("HOME"); !own && filepath.IsAbs(home) {
		return filepath.Join(home, ".local", "state", "authbird")
	}
	// xdg read the environment when the program started.
	return filepath.Join(xdg.StateHome, "authbird")
}

// Open names the state folder. It makes nothing, so that looking leaves no trace;
// the first Lock makes the folder.
func Open(path string) (*Dir, error) {
	if path == "" {
		return nil, errors.New("no state folder was named")
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(path)
	switch {
	case err == nil && !info.IsDir():
		return nil, fmt.Errorf("state folder %s is not a folder", path)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("state folder: %w", err)
	}
	return &Dir{
		Now: time.Now, Rand: rand.Reader,
		path: path, held: map[string]*Setup{},
		readFile: readFile, writeFile: disk.WriteFile, writeAt: (*os.File).WriteAt,
	}, nil
}

// Path is the state folder, absolute.
func (d *Dir) Path() string { return d.path }

func (d *Dir) setupDir(safe string) string { return filepath.Join(d.path, setupsDir, safe) }

// List reads all setups, sorted by name. It writes nothing and waits for nobody. A
// setup that can't be read in full says why in its Damage and does not hide the
// others; the error is of the folder as a whole.
func (d *Dir) List() ([]*Setup, error) {
	all, err := d.All()
	if err != nil {
		return nil, err
	}
	return slices.Collect(all), nil
}

// All is List, one setup after the other: each as soon as it is read, while
// those behind it still are.
func (d *Dir) All() (iter.Seq[*Setup], error) {
	entries, err := os.ReadDir(filepath.Join(d.path, setupsDir))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("list setups: %w", err)
	}
	var folders []string
	for _, e := range entries {
		if e.IsDir() && !strings.HasPrefix(e.Name(), ".") {
			folders = append(folders, e.Name())
		}
	}
	slices.SortFunc(folders, func(a, b string) int { return strings.Compare(nameOf(a), nameOf(b)) })
	return func(yield func(*Setup) bool) {
		read := make([]chan *Setup, len(folders))
		for i := range read {
			read[i] = make(chan *Setup, 1)
		}
		var enough atomic.Bool
		defer enough.Store(true)
		workers := min(runtime.GOMAXPROCS(0), 8)
		for w := range workers {
			go func() {
				for i := w; i < len(folders) && !enough.Load(); i += workers {
					read[i] <- d.listed(folders[i])
				}
			}()
		}
		for _, next := range read {
			if s := <-next; s != nil && !yield(s) {
				return
			}
		}
	}, nil
}

// nameOf is the setup's name that a folder is called after.
func nameOf(folder string) string {
	if name, ok := disk.NameOf(folder); ok {
		return name
	}
	return folder
}

// listed reads one folder for List; nil if nothing of ours is in it.
func (d *Dir) listed(folder string) *Setup {
	s, r := d.read(folder)
	if r.empty {
		return nil
	}
	s.Damage = r.text()
	if safe, err := disk.SafeName(s.Name); err != nil || safe != folder {
		// A copy made by hand: its name is another folder's, so no verb reaches it.
		s.Name = folder
		s.Damage = fmt.Sprintf("the folder %s is not named after the setup in it; move it away", s.Folder)
	}
	return s
}

// Load reads one setup; it writes nothing and waits for nobody. fs.ErrNotExist if
// there is none of that name. What is damaged, or written by a newer authbird, is
// told in Damage.
func (d *Dir) Load(name string) (*Setup, error) {
	safe, err := disk.SafeName(name)
	if err != nil {
		return nil, err
	}
	s, r := d.read(safe)
	if r.empty {
		return nil, fmt.Errorf("setup %s: %w", name, fs.ErrNotExist)
	}
	s.Name = name
	s.Damage = r.text()
	return s, nil
}

// Archive moves a setup's folder to archive/<name>-<time>, journal and all, and
// says where. If this Dir has the setup locked, that Setup is used, and closed once
// the folder has moved, so only its holder may ask for that; otherwise the lock is
// taken for the while. *BusyError if another run has it, fs.ErrNotExist if there is
// nothing to move.
func (d *Dir) Archive(name string, now time.Time) (string, error) {
	safe, err := disk.SafeName(name)
	if err != nil {
		return "", err
	}
	d.mu.Lock()
	s := d.held[safe]
	d.mu.Unlock()
	if s == nil {
		if s, err = d.Lock(name); err != nil {
			return "", err
		}
		defer s.Close()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	to, err := d.archive(safe, now)
	if err != nil {
		return "", fmt.Errorf("archive setup %s: %w", name, err)
	}
	return to, s.close()
}

func (d *Dir) archive(safe string, now time.Time) (string, error) {
	from := d.setupDir(safe)
	if _, err := os.Stat(from); err != nil {
		return "", err
	}
	parent := filepath.Join(d.path, archiveDir)
	if err := disk.MakeDir(parent); err != nil {
		return "", err
	}
	to := freeName(filepath.Join(parent, safe+"-"+stamp(now)))
	if err := os.Rename(from, to); err != nil {
		return "", err
	}
	if err := disk.SyncDir(parent); err != nil {
		return "", err
	}
	return to, disk.SyncDir(filepath.Dir(from))
}

// stamp is a time as a part of a file name.
func stamp(t time.Time) string { return t.UTC().Format("20060102t150405z") }

// freeName is path, or path with the first number behind it that is not taken.
func freeName(path string) string {
	free := path
	for n := 2; ; n++ {
		if _, err := os.Lstat(free); err != nil {
			return free
		}
		free = fmt.Sprintf("%s-%d", path, n)
	}
}
