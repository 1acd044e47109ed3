package state

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/go-json-experiment/json"
	jsonv1 "github.com/go-json-experiment/json/v1"
)

// NewerError says that a file was written by a newer authbird. Nothing was
// touched.
type NewerError struct {
	File    string
	Version int
}

func (e *NewerError) Error() string {
	return fmt.Sprintf("%s was written by a newer authbird (state version %d; this one knows %d); nothing was touched",
		e.File, e.Version, version)
}

// damagedError says what in a file can't be understood.
type damagedError struct {
	file string
	line int // 0: the whole file
}

func (e *damagedError) Error() string {
	if e.line > 0 {
		return fmt.Sprintf("%s is damaged at line %d", e.file, e.line)
	}
	return e.file + " is damaged"
}

// reading is what went wrong with the files of one setup.
type reading struct {
	empty    bool // no file of ours is there
	problems []error

	recovered bool // the answers were taken from the journal
}

func (r *reading) add(err error) {
	if err != nil {
		r.problems = append(r.problems, err)
	}
}

// text is the problems as one sentence.
func (r *reading) text() string {
	var all []string
	for _, p := range r.problems {
		all = append(all, p.Error())
	}
	if r.recovered {
		all = append(all, tookAnswers)
	}
	return strings.Join(all, "; ")
}

// tookAnswers is said where setup.json is lost and the journal still tells.
const tookAnswers = "the answers were taken from the journal"

// answersJSON is setup.json.
type answersJSON struct {
	Version int     `json:"version"`
	Name    string  `json:"name"`
	Salt    string  `json:"salt"` // hex, of Digest
	Answers Answers `json:"answers"`
}

// credentialsJSON is credentials.json.
type credentialsJSON struct {
	Version     int          `json:"version"`
	Credentials []Credential `json:"credentials"`
}

// lineJSON is one line of journal.jsonl.
type lineJSON struct {
	V int `json:"v"`
	Entry
}

// buffers hold what was read until it is understood.
var buffers = sync.Pool{New: func() any { b := make([]byte, 0, 16<<10); return &b }}

// read reads the three files of a folder under setups/.
func (d *Dir) read(safe string) (*Setup, reading) {
	s := &Setup{dir: d, Folder: d.setupDir(safe), Name: nameOf(safe)}
	var r reading
	buffer := buffers.Get().(*[]byte)
	defer buffers.Put(buffer)
	absent := 0
	get := func(name string) ([]byte, string, bool) {
		path := filepath.Join(s.Folder, name)
		data, err := d.readFile(path, *buffer)
		switch {
		case err == nil:
			*buffer = data[:0] // it may have grown
			return data, path, true
		case errors.Is(err, fs.ErrNotExist):
			absent++
		default:
			r.add(err)
		}
		return nil, path, false
	}

	if data, path, ok := get(answersFile); ok {
		var f answersJSON
		err := decode(path, data, &f, &f.Version)
		salt, herr := hex.DecodeString(f.Salt)
		switch {
		case err != nil:
			r.add(err)
		case herr != nil || len(salt) == 0:
			r.add(&damagedError{file: path})
		default:
			s.Answers, s.salt, s.saved = f.Answers, salt, true
			if f.Name != "" {
				s.Name = f.Name
			}
		}
	}
	if data, path, ok := get(journalFile); ok {
		j := parseJournal(data)
		s.Entries, s.journalSize, s.journalOpen = j.entries, j.size, j.open
		r.add(j.problem(path))
	} else {
		s.noJournal = true
	}
	if data, path, ok := get(credentialsFile); ok {
		var f credentialsJSON
		err := decode(path, data, &f, &f.Version)
		r.add(err)
		if err == nil {
			s.Credentials = f.Credentials
			slices.SortFunc(s.Credentials, func(a, b Credential) int { return strings.Compare(a.Name, b.Name) })
		}
	}
	r.empty = absent == 3
	if !s.saved && s.recover() && len(r.problems) > 0 {
		r.recovered = true
	}
	return s, r
}

// decode reads a whole versioned file into to, whose version field is v.
func decode(path string, data []byte, to any, v *int) error {
	if err := json.Unmarshal(data, to, jsonv1.FormatDurationAsNano(true)); err != nil {
		// A newer file may be of another shape; its version still counts.
		var only struct {
			Version int `json:"version"`
		}
		if json.Unmarshal(data, &only) == nil && only.Version > version {
			return &NewerError{path, only.Version}
		}
		return &damagedError{file: path}
	}
	switch {
	case *v > version:
		return &NewerError{path, *v}
	case *v < 1:
		return &damagedError{file: path}
	}
	return nil
}

// journal is what a journal file holds.
type journal struct {
	entries []Entry
	size    int64 // up to here the file may be kept: all but a torn end
	open    bool  // the last line that may be kept lacks its newline
	bad     int   // the first line that can't be read, 0 if none
	newer   int   // the highest version above ours, 0 if none
}

func (j *journal) problem(path string) error {
	switch {
	case j.newer > 0:
		return &NewerError{path, j.newer}
	case j.bad > 0:
		return &damagedError{path, j.bad}
	}
	return nil
}

// parseJournal reads what it can. The end of the file may be torn by a crash: the
// piece after the last newline counts if it is a whole entry (an entry ends with
// its brace, so no piece of one is), and otherwise is no damage but was never
// promised to anyone. So is a last line with the zeros that some file systems
// leave after a power cut. A line before that which can't be read is damage.
func parseJournal(data []byte) journal {
	var j journal
	j.entries = make([]Entry, 0, bytes.Count(data, []byte{'\n'})+1)
	var l lineJSON
	for n, at := 1, 0; at < len(data); n++ {
		line, rest, whole := bytes.Cut(data[at:], []byte{'\n'})
		end := len(data) - len(rest)
		l = lineJSON{}
		err := json.Unmarshal(line, &l)
		if err != nil && l.V <= version {
			l.V = lineVersion(line)
		}
		switch {
		case l.V > version:
			j.newer = max(j.newer, l.V)
		case err == nil && l.V >= 1:
			j.entries = append(j.entries, l.Entry)
		case len(bytes.TrimSpace(line)) == 0: // an editor's doing
		case len(rest) == 0 && (!whole || bytes.IndexByte(line, 0) >= 0):
			return j // torn
		case j.bad == 0:
			j.bad = n
		}
		j.size, j.open = int64(end), !whole
		at = end
	}
	return j
}

// lineVersion is the version of a line whose other fields can't be read.
func lineVersion(line []byte) int {
	var only struct {
		V int `json:"v"`
	}
	if json.Unmarshal(line, &only) != nil {
		return 0
	}
	return only.V
}

// readable is the lines of a journal that parseJournal takes, as they stand.
func readable(data []byte) []byte {
	var kept []byte
	for line := range bytes.Lines(data) {
		if j := parseJournal(line); len(j.entries) == 1 {
			kept = append(append(kept, bytes.TrimRight(line, "\r\n")...), '\n')
		}
	}
	return kept
}
