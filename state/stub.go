package state

import (
	"errors"
	"time"
)

var errStub = errors.New("not made yet")

type lock struct{}

// Dir is the state folder.
type Dir struct{ path string }

// BusyError says that another run is writing a setup.
type BusyError struct {
	Setup string
	PID   int // 0: not known
	Since time.Time
	What  string // what it is doing, "" if not known
}

func (e *BusyError) Error() string { return "another authbird run has this setup" }

// NewerError says that a file was written by a newer authbird; nothing was touched.
type NewerError struct {
	File    string
	Version int
}

func (e *NewerError) Error() string {
	return "was written by a newer authbird"
}

// DefaultPath is where the state lives when nobody said otherwise: $XDG_STATE_HOME/authbird, or the
// system's own place for it.
func DefaultPath(getenv func(string) string) string { return "" }

// Open names the state folder. It makes nothing; the first writer does.
func Open(path string) (*Dir, error) { return &Dir{path}, nil }

// Path is the folder given to Open, absolute.
func (d *Dir) Path() string { return d.path }

// List reads all setups, sorted by name. A damaged one says so in its Damage.
func (d *Dir) List() ([]*Setup, error) { return nil, errStub }

// Load reads one setup. fs.ErrNotExist if there is none; damage and newer files are told in Damage.
func (d *Dir) Load(name string) (*Setup, error) { return nil, errStub }

// Lock opens a setup for writing, or begins a new one (on disk only from its first Save or Append on).
// *BusyError if another run has it, *NewerError if a newer authbird wrote it.
func (d *Dir) Lock(name string) (*Setup, error) { return nil, errStub }

// Busy says which living run holds the setup, nil if none: a look, not a promise.
func (d *Dir) Busy(name string) *BusyError { return nil }

// Archive moves the setup's folder to archive/<name>-<time> and returns the new place. It takes the
// lock itself, or uses (and closes) the Setup that this Dir has locked.
func (d *Dir) Archive(name string, now time.Time) (string, error) { return "", errStub }

// Doing tells others who wait for this setup what is being done with it: "setup connector".
func (s *Setup) Doing(what string) error { return errStub }

// SaveAnswers replaces the answers.
func (s *Setup) SaveAnswers(a Answers) error { return errStub }

// Append puts an entry into the journal; it is on disk when Append returns nil.
func (s *Setup) Append(e Entry) error { return errStub }

// SaveCredential adds or replaces the record of a credential.
func (s *Setup) SaveCredential(c Credential) error { return errStub }

// RemoveCredential forgets the record of a credential; absent is no error.
func (s *Setup) RemoveCredential(name string) error { return errStub }

// Close gives the lock back.
func (s *Setup) Close() error { return errStub }

// Digest is the keyed digest of a secret, with this setup's salt: 16 hex digits.
func (s *Setup) Digest(secret string) string { return "" }

// Digest is HMAC-SHA256 of secret under salt, cut to 16 hex digits.
func Digest(secret string, salt []byte) string { return "" }

// Begun is the entry that began a step of a flow and has no end yet.
func (s *Setup) Begun(flow, step string) (Entry, bool) { return Entry{}, false }

// Last is the receipt that stands for a step (of its last done, unless undone since) and the phase of
// its newest entry, "" if there is none.
func (s *Setup) Last(step string) (Receipt, Phase) { return Receipt{}, "" }

// Interrupted tells of the newest run that did not come to its end.
func (s *Setup) Interrupted() (flow, step string, when time.Time, why string, ok bool) { return }
