package state

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"authbird/state/disk"

	"github.com/gofrs/flock"
)

// BusyError says that another run is writing a setup.
type BusyError struct {
	Setup string
	PID   int       // 0: not known
	Since time.Time // zero: not known
	What  string    // what it is doing, "" if not known
}

func (e *BusyError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "setup %s is in use by another authbird", e.Setup)
	if e.PID != 0 {
		fmt.Fprintf(&b, ", process %d", e.PID)
	}
	if !e.Since.IsZero() {
		fmt.Fprintf(&b, ", since %s", e.Since.Local().Format("2006-01-02 15:04:05"))
	}
	if e.What != "" {
		fmt.Fprintf(&b, " (%s)", e.What)
	}
	return b.String()
}

// lock is the lock of one setup. The operating system holds it and lets go of it
// when the process ends in whatever way, so it never needs a hand; the note beside
// it only tells people who that is.
type lock struct {
	file  *flock.Flock
	note  string
	since time.Time
}

type holderJSON struct {
	Version int       `json:"version"`
	PID     int       `json:"pid"`
	Since   time.Time `json:"since"`
	What    string    `json:"what,omitempty"`
}

func (d *Dir) lockPaths(safe string) (file, note string) {
	base := filepath.Join(d.path, locksDir, safe)
	return base + ".lock", base + ".json"
}

// patience is how long Lock goes on trying: Busy holds the lock for an instant,
// and that is no run.
const patience = 100 * time.Millisecond

// Lock opens a setup for writing, or begins a new one, which is on disk only from
// its first SaveAnswers, SaveCredential or Append on. Close gives it back.
//
// *BusyError if another run (or another part of this one) has it; *NewerError if a
// newer authbird wrote it. Files that are damaged are moved out of the way and told
// in SetAside; of a damaged journal the lines that can be read are kept in force.
func (d *Dir) Lock(name string) (*Setup, error) {
	safe, err := disk.SafeName(name)
	if err != nil {
		return nil, err
	}
	l, err := d.takeLock(safe)
	if err != nil {
		var busy *BusyError
		if errors.As(err, &busy) {
			busy.Setup = name
			return nil, busy
		}
		return nil, fmt.Errorf("lock setup %s: %w", name, err)
	}
	s, err := d.openLocked(safe, name, l)
	if err != nil {
		l.file.Close()
		return nil, fmt.Errorf("open setup %s: %w", name, err)
	}
	d.mu.Lock()
	d.held[safe] = s
	d.mu.Unlock()
	return s, nil
}

func (d *Dir) takeLock(safe string) (*lock, error) {
	file, note := d.lockPaths(safe)
	if err := disk.MakeDir(filepath.Dir(file)); err != nil {
		return nil, err
	}
	l := &lock{flock.New(file), note, d.Now().UTC().Truncate(time.Second)}
	// Tried at least once, however late the clock of a busy machine is.
	got, err := l.file.TryLock()
	if !got && err == nil {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		got, err = l.file.TryLockContext(ctx, patience/20)
	}
	switch {
	case got:
		return l, nil
	case err == nil || errors.Is(err, context.DeadlineExceeded):
		return nil, readHolder(note)
	}
	return nil, err
}

// openLocked reads the setup whose lock is l, mends what a crash left, and puts our
// name beside the lock.
func (d *Dir) openLocked(safe, name string, l *lock) (*Setup, error) {
	s, r := d.read(safe)
	for _, p := range r.problems {
		var damaged *damagedError
		if !errors.As(p, &damaged) {
			return nil, p
		}
	}
	if s.saved && s.Name != name {
		return nil, fmt.Errorf("the folder %s holds a setup named %s; move it away", s.Folder, s.Name)
	}
	s.Name, s.lock = name, l
	s.removeLeftovers()
	for _, p := range r.problems {
		var damaged *damagedError
		errors.As(p, &damaged)
		if err := s.setAside(damaged); err != nil {
			return nil, err
		}
	}
	if r.recovered {
		s.SetAside = append(s.SetAside, tookAnswers)
	}
	if s.salt == nil {
		s.salt = make([]byte, 16)
		if _, err := io.ReadFull(d.Rand, s.salt); err != nil {
			return nil, fmt.Errorf("make a salt: %w", err)
		}
	}
	return s, s.Doing("")
}

// Doing tells others, who find this setup in use, what is being done with it:
// "setup connector", "rotate client-secret".
func (s *Setup) Doing(what string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lock == nil {
		return s.readOnly()
	}
	data, err := json.Marshal(holderJSON{version, os.Getpid(), s.lock.since, what})
	if err != nil {
		return err
	}
	return s.dir.writeFile(s.lock.note, data)
}

// readHolder reads who holds a lock; what can't be read stays unknown.
func readHolder(note string) *BusyError {
	var h holderJSON
	if data, err := os.ReadFile(note); err == nil && json.Unmarshal(data, &h) != nil {
		h = holderJSON{}
	}
	return &BusyError{PID: h.PID, Since: h.Since, What: h.What}
}

// Busy says which living run has the setup, nil if none has. It is a look, not a
// promise: only Lock knows.
func (d *Dir) Busy(name string) *BusyError {
	safe, err := disk.SafeName(name)
	if err != nil {
		return nil
	}
	path, note := d.lockPaths(safe)
	// Never made here: looking leaves no trace.
	file := flock.New(path, flock.SetFlag(os.O_RDONLY))
	free, err := file.TryRLock()
	if free {
		file.Close()
	}
	if free || err != nil {
		return nil
	}
	busy := readHolder(note)
	busy.Setup = name
	return busy
}

// Close gives the lock back; the setup can be read on, not written. Closing again
// does nothing.
func (s *Setup) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.close()
}

func (s *Setup) close() error {
	if s.lock == nil {
		return nil
	}
	l := s.lock
	s.lock = nil
	s.dir.mu.Lock()
	delete(s.dir.held, filepath.Base(s.Folder))
	s.dir.mu.Unlock()
	os.Remove(l.note) // first, so that it never names a run that has gone
	if err := l.file.Close(); err != nil {
		return fmt.Errorf("unlock setup %s: %w", s.Name, err)
	}
	return nil
}
