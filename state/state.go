// Package state keeps what must outlive the process and is no secret: the
// answers of each setup, its journal, the ages and due dates of its
// credentials, and the lock that lets one run at a time write them.
//
// It promises that what a writing call returned from is on disk (written whole,
// fsynced, folder included), that a crash at any byte loses at most the entry
// that was being written, and that a file written by a newer authbird, or one
// that cannot be read, is never overwritten: the first is left alone, the second
// is set aside under a name that is told.
//
// It refuses secrets. Nothing that logs somebody in may be put into an answer, a
// receipt, a note or an error that is journaled here; a value that no API gives
// back is recognised by its [Setup.Digest], a keyed digest that is of no use
// without guessing the value first. The package cannot tell a secret from any
// other text, so this is the writer's duty.
//
// Below the folder that [Open] is given, all folders 0700 and files 0600:
//
//	setups/<name>/setup.json        answers, salt          replaced whole
//	setups/<name>/journal.jsonl     one entry a line       appended
//	setups/<name>/credentials.json  ages, expiries         replaced whole
//	locks/<name>.lock, .json        the lock; who holds it
//	archive/<name>-<time>/          setups that were removed
//
// <name> is the setup's name as [disk.SafeName] spells it. The lock stands
// outside the setup's folder, so that archiving the folder never takes a lock
// away from under a run that waits for it.
package state

import (
	"sync"
	"time"
)

// version is the version of every file that this package writes.
const version = 1

// Mode is the way in which a setup joins the two servers.
type Mode string

const (
	Connector  Mode = "connector"  // Authentik beside NetBird's own login
	Standalone Mode = "standalone" // Authentik is NetBird's only login
)

// Answers is what the person chose for a setup. Never a secret.
type Answers struct {
	Mode              Mode     `json:"mode,omitempty"`
	AuthentikURL      string   `json:"authentik_url,omitempty"`
	NetBirdURL        string   `json:"netbird_url,omitempty"`
	CAFile            string   `json:"ca_file,omitempty"`
	AllowHTTP         bool     `json:"allow_http,omitempty"`
	Name              string   `json:"name,omitempty"` // of provider and application
	Slug              string   `json:"slug,omitempty"`
	AuthorizationFlow string   `json:"authorization_flow,omitempty"`
	SigningKey        string   `json:"signing_key,omitempty"`
	AllowGroups       []string `json:"allow_groups,omitempty"`
	GroupSync         string   `json:"group_sync,omitempty"` // "on" or "off"; "" leaves NetBird's settings as they stand
	LetIn             []string `json:"let_in,omitempty"`     // with GroupSync on: the groups that NetBird lets in, and nobody else
	ConnectorName     string   `json:"connector_name,omitempty"`
	ConnectorType     string   `json:"connector_type,omitempty"` // "authentik" or "oidc"
	KeepAdminTokens   bool     `json:"keep_admin_tokens,omitempty"`
	RestartCommand    string   `json:"restart_command,omitempty"`
	RotateEvery       int      `json:"rotate_every,omitempty"`      // days after which a credential is due; 0: the default
	Keystore          string   `json:"keystore,omitempty"`          // "keyring", "file" or "env"
	KeystoreIdentity  string   `json:"keystore_identity,omitempty"` // path of the key file that opens the age file

	// Standalone only.
	NetBirdDomain  string `json:"netbird_domain,omitempty"`
	ServiceAccount string `json:"service_account,omitempty"`
	Rights         string `json:"rights,omitempty"`        // "admins" or "least"
	RedirectMode   string `json:"redirect_mode,omitempty"` // "documented" or "strict"
	EnvFile        string `json:"env_file,omitempty"`
	EnvSecret      string `json:"env_secret,omitempty"` // "write" or "omit"
	NetBirdConfig  string `json:"netbird_config,omitempty"`
	DeviceFlow     string `json:"device_flow,omitempty"` // "keep" or "replace" what the brand has
}

// Receipt is what a step leaves behind for Undo and for the next Look. Never a
// secret.
type Receipt struct {
	ObjectID string            `json:"object_id,omitempty"`
	Made     bool              `json:"made,omitempty"`   // by us: Undo may remove it
	Before   map[string]string `json:"before,omitempty"` // what Undo restores
	Values   map[string]string `json:"values,omitempty"` // not secret: client id, issuer
	Digest   string            `json:"digest,omitempty"` // of a value that no API gives back
}

// Phase says what an entry tells of its step.
type Phase string

const (
	Began  Phase = "began"  // about to be done; what follows on the wire may or may not have happened
	Done   Phase = "done"   // stands, and was checked
	Failed Phase = "failed" // refused: nothing was changed
	Undone Phase = "undone" // taken back
	Note   Phase = "note"   // worth keeping; changes nothing
)

// Entry is one line of a journal. An entry without a Step speaks of the run
// itself: Began when it starts, Done when it came to its end, Failed when it
// stopped before (Error or Note say why), Undone when everything that the setup
// made was taken back. [Setup.Interrupted] reads these.
type Entry struct {
	Time    time.Time `json:"time,omitzero"` // zero: Append fills in the clock's time
	Run     string    `json:"run,omitempty"` // the same for all entries of one run
	Flow    string    `json:"flow,omitempty"`
	Step    string    `json:"step,omitempty"`
	Phase   Phase     `json:"phase"`
	Receipt Receipt   `json:"receipt,omitzero"`
	Note    string    `json:"note,omitempty"`
	Error   string    `json:"error,omitempty"`
}

// Credential is what is known of a secret without the secret.
type Credential struct {
	Name    string    `json:"name"` // as in package keystore: "client-secret", …
	Made    time.Time `json:"made,omitzero"`
	Expires time.Time `json:"expires,omitzero"` // zero: never
	Due     time.Time `json:"due,omitzero"`     // when it should be renewed
	Proven  time.Time `json:"proven,omitzero"`  // when it was last seen to work
	Digest  string    `json:"digest,omitempty"`
	UsedBy  string    `json:"used_by,omitempty"`
	Backend string    `json:"backend,omitempty"` // of the keystore: "keyring", "file", "env"
	ID      string    `json:"id,omitempty"`      // what the server calls it, where authbird made it
	// Outage is for how long logins, or NetBird, were away at its last renewal.
	Outage time.Duration `json:"outage,omitempty"`
	// EndUnknown says that nothing tells when it expires; Expires is zero then.
	EndUnknown bool `json:"end_unknown,omitempty"`
	Kept       bool `json:"kept,omitempty"` // false: forgotten after the run, so not rotatable from here
}

// Setup is one Authentik joined to one NetBird. The exported fields are a copy
// of what is on disk, kept up by the writing methods; only a Setup from
// [Dir.Lock] has those. Methods may be called from several goroutines; the
// fields may not be read while another goroutine writes.
type Setup struct {
	Name        string
	Folder      string // where its files are
	Answers     Answers
	Entries     []Entry      // oldest first
	Credentials []Credential // sorted by name

	// Damage says, in one sentence that names file and line, why a part of this
	// setup could not be read; "" is the normal case. What could be read is in
	// the other fields.
	Damage string
	// SetAside holds one sentence for each damaged file that Lock moved out of
	// the way, with its new name. For the person's eyes.
	SetAside []string

	mu          sync.Mutex
	dir         *Dir
	lock        *lock  // nil: read only
	salt        []byte // of Digest
	saved       bool   // setup.json is on disk with this salt
	journalSize int64  // bytes of the journal that are known good
	journalOpen bool   // the last good line still lacks its newline
	noJournal   bool   // the journal is not on disk yet
}
