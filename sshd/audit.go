package sshd

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"authbird/state/disk"
)

// record is one line of the audit file. No field ever holds a secret, or more
// than a few dozen cleaned characters of what a client said.
type record struct {
	Time    time.Time  `json:"time"`
	Kind    string     `json:"kind"`              // serving, start, did, refused, end, stopped
	Session string     `json:"session,omitempty"` // the same in all lines of one session
	Key     string     `json:"key,omitempty"`     // the fingerprint, as ssh-keygen -l says it
	Remote  string     `json:"remote,omitempty"`
	User    string     `json:"user,omitempty"` // what the client called itself; it opens nothing
	Setup   string     `json:"setup,omitempty"`
	Verb    string     `json:"verb,omitempty"` // setup, remove, repair, …
	Step    string     `json:"step,omitempty"`
	Phase   string     `json:"phase,omitempty"`
	What    string     `json:"what,omitempty"` // of refused: what was asked for
	Started *time.Time `json:"started,omitempty"`
	Why     string     `json:"why,omitempty"` // of end
	Did     []string   `json:"did,omitempty"` // of end: all of it, in order
}

// audit is the file of what was done by whom. A line is on disk before Write
// returns. Its methods may be called from several goroutines.
type audit struct {
	mu   sync.Mutex
	file *os.File
	now  func() time.Time
}

// openAudit opens the file for appending, or makes it, mode 0600.
func openAudit(path string, now func() time.Time) (*audit, error) {
	if err := disk.MakeDir(filepath.Dir(path)); err != nil {
		return nil, unfitf("the audit file can't be made: %v", err)
	}
	if info, err := os.Lstat(path); err == nil && !info.Mode().IsRegular() {
		return nil, unfitf("the audit file %s is not a file", path)
	} else if err == nil && runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		if err := os.Chmod(path, 0o600); err != nil {
			return nil, unfitf("the audit file %s is open to others (mode %04o), and that can't be changed: %v", path, info.Mode().Perm(), err)
		}
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, unfitf("the audit file can't be opened: %v", err)
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return nil, unfitf("the audit file can't be opened: %v", err)
	}
	return &audit{file: f, now: now}, nil
}

// write appends one line and puts it on disk.
func (a *audit) write(r record) error {
	r.Time = a.now().UTC()
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, err := a.file.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("write the audit file: %w", err)
	}
	return a.file.Sync()
}

func (a *audit) close() error { return a.file.Close() }
