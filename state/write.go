package state

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"authbird/state/disk"
)

// SaveAnswers replaces the answers.
func (s *Setup) SaveAnswers(a Answers) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lock == nil {
		return s.readOnly()
	}
	if err := s.saveAnswers(a); err != nil {
		return fmt.Errorf("save the answers of setup %s: %w", s.Name, err)
	}
	return nil
}

func (s *Setup) saveAnswers(a Answers) error {
	if err := disk.MakeDir(s.Folder); err != nil {
		return err
	}
	f := answersJSON{version, s.Name, hex.EncodeToString(s.salt), a}
	if err := s.writeJSON(answersFile, f); err != nil {
		return err
	}
	s.Answers, s.saved = a, true
	return nil
}

// begin puts a new setup on disk, with its salt: nothing may be kept under a
// digest whose salt is lost.
func (s *Setup) begin() error {
	if s.lock == nil {
		return s.readOnly()
	}
	if s.saved {
		return nil
	}
	return s.saveAnswers(s.Answers)
}

// writeJSON replaces one of the setup's files.
func (s *Setup) writeJSON(name string, v any) error {
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	return s.dir.writeFile(filepath.Join(s.Folder, name), append(data, '\n'))
}

func (s *Setup) readOnly() error {
	return fmt.Errorf("setup %s is open for reading only", s.Name)
}

// SaveCredential adds or replaces what is known of a credential.
func (s *Setup) SaveCredential(c Credential) error {
	if c.Name == "" {
		return errors.New("a credential needs a name")
	}
	return s.changeCredentials(func(all []Credential) []Credential {
		return append(without(all, c.Name), c)
	})
}

// RemoveCredential forgets what is known of a credential; absent is no error.
func (s *Setup) RemoveCredential(name string) error {
	return s.changeCredentials(func(all []Credential) []Credential { return without(all, name) })
}

func without(all []Credential, name string) []Credential {
	return slices.DeleteFunc(all, func(c Credential) bool { return c.Name == name })
}

func (s *Setup) changeCredentials(change func([]Credential) []Credential) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.begin(); err != nil {
		return err
	}
	all := change(slices.Clone(s.Credentials))
	slices.SortFunc(all, func(a, b Credential) int { return strings.Compare(a.Name, b.Name) })
	if err := s.writeJSON(credentialsFile, credentialsJSON{version, all}); err != nil {
		return fmt.Errorf("save the credentials' dates of setup %s: %w", s.Name, err)
	}
	s.Credentials = all
	return nil
}

// Append puts an entry at the end of the journal. It is on disk when Append returns
// nil; if it returns an error, the journal is as it was.
func (s *Setup) Append(e Entry) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e.Phase == "" {
		return errors.New("a journal entry needs a phase")
	}
	if err := s.begin(); err != nil {
		return err
	}
	if e.Time.IsZero() {
		e.Time = s.dir.Now()
	}
	e.Time = e.Time.UTC().Round(0) // as it will be read back
	if e.Step == "" {
		e.Receipt = s.withSalt(e.Receipt)
	}
	line, err := json.Marshal(lineJSON{version, e})
	if err != nil {
		return err
	}
	if err := s.appendLine(append(line, '\n')); err != nil {
		return fmt.Errorf("write the journal of setup %s: %w", s.Name, err)
	}
	s.Entries = append(s.Entries, e)
	return nil
}

func (s *Setup) appendLine(line []byte) error {
	if s.journalOpen {
		line = append([]byte{'\n'}, line...)
	}
	path := filepath.Join(s.Folder, journalFile)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	switch {
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s is not a regular file", path)
	case info.Size() < s.journalSize:
		return fmt.Errorf("%s was cut short by somebody else", path)
	case info.Size() > s.journalSize: // the torn end of a run that crashed
		if err := f.Truncate(s.journalSize); err != nil {
			return err
		}
		if err := f.Sync(); err != nil {
			return err
		}
	}
	_, err = s.dir.writeAt(f, line, s.journalSize)
	if err == nil {
		err = f.Sync()
	}
	if err == nil && s.noJournal {
		err = disk.SyncDir(s.Folder)
	}
	if err != nil {
		// Should this fail too, the next append or the next run cuts it.
		f.Truncate(s.journalSize)
		return err
	}
	s.journalSize += int64(len(line))
	s.journalOpen, s.noJournal = false, false
	return nil
}

// setAside moves a damaged file out of the way. A journal's readable lines stay in
// force: each tells of something that did happen, and where a line is missing the
// next look at the servers settles it.
func (s *Setup) setAside(d *damagedError) error {
	aside := freeName(d.file + ".damaged-" + stamp(s.dir.Now()))
	told := fmt.Sprintf("%v; it was set aside as %s", d, aside)
	if filepath.Base(d.file) != journalFile {
		if err := os.Rename(d.file, aside); err != nil {
			return err
		}
		s.SetAside = append(s.SetAside, told)
		return disk.SyncDir(s.Folder)
	}
	data, err := s.dir.readFile(d.file, nil)
	if err != nil {
		return err
	}
	// Copied first: at no moment is there no journal.
	if err := s.dir.writeFile(aside, data); err != nil {
		return err
	}
	note := Entry{Time: s.dir.Now().UTC(), Phase: Note,
		Note: fmt.Sprintf(lostLine+"line %d could not be read; the whole journal before it is in %s", d.line, filepath.Base(aside))}
	line, err := json.Marshal(lineJSON{version, note})
	if err != nil {
		return err
	}
	kept := append(append(readable(data), line...), '\n')
	if err := s.dir.writeFile(d.file, kept); err != nil {
		return err
	}
	j := parseJournal(kept)
	s.Entries, s.journalSize, s.journalOpen = j.entries, j.size, j.open
	s.SetAside = append(s.SetAside, told+", and its readable lines were kept")
	return nil
}

// removeLeftovers deletes what a run that was killed in the middle of replacing a
// file left beside it. With the lock held nobody else can be writing.
func (s *Setup) removeLeftovers() {
	for _, name := range []string{answersFile, credentialsFile, journalFile} {
		disk.Sweep(filepath.Join(s.Folder, name))
	}
	disk.Sweep(s.lock.note)
}

// Digest recognises a secret that no API gives back: the keyed digest of it, with
// this setup's own salt. On disk, and thus comparable later, from the setup's first
// write on.
func (s *Setup) Digest(secret string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Digest(secret, s.salt)
}

// Digest is the HMAC-SHA256 of a secret under a salt, cut to 16 hex digits: enough
// to tell that a value is the same, of no use to find it out where the value is
// random and long.
func Digest(secret string, salt []byte) string {
	mac := hmac.New(sha256.New, salt)
	mac.Write([]byte(secret))
	return hex.EncodeToString(mac.Sum(nil))[:16]
}
