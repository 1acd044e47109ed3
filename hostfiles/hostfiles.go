// Package hostfiles reads and edits NetBird's own files on its host: setup.env,
// from which configure.sh makes everything else, and management.json, which
// the management server reads when it starts.
//
// It promises that what it does not mean to change stays byte for byte:
// comments, order, quoting, line ends, numbers of any size. What it writes is
// read again before it is given back, so that bash sees each value as it was
// meant; and a file on disk is replaced whole or not at all, with the old one
// kept beside it.
//
// It refuses what it cannot do safely, naming line and key: a file that bash
// cannot read, a key of ours that is set by a condition, a function or a
// command, JSON that is none. Then nothing is changed. It runs no shell, asks
// no server and decides nothing about whose an earlier value was.
//
// Values that stood in a file are handed on as they are, control characters
// included: who shows them cleans them. Secrets never appear in a [Change] or
// in an error.
package hostfiles

import "fmt"

// A Change is one value that an edit gives another meaning, for the
// difference that a person is shown.
type Change struct {
	Key     string // the variable, or the path in management.json (".HttpConfig.AuthIssuer")
	Have    string // what stood there, as its reader sees it
	Want    string // what stands there now
	Missing bool   // nothing stood there
	Unclear bool   // only a running shell could tell what stood there: Have is its source text
	Secret  bool   // Have and Want are masked (empty stays empty)
}

// masked stands in a Change where a secret does in the file.
const masked = "(secret)"

// shown masks what must not be shown of a change.
func (c Change) shown() Change {
	if c.Secret {
		c.Have, c.Want = mask(c.Have), mask(c.Want)
	}
	return c
}

func mask(s string) string {
	if s == "" {
		return ""
	}
	return masked
}

// KeyError says why a key of ours cannot be edited where it stands.
type KeyError struct {
	Line int // 1-based
	Key  string
	Why  string // a clause: "is set inside an if"
}

func (e *KeyError) Error() string {
	return fmt.Sprintf("line %d: %s %s; put it on a line of its own as %s=\"…\", or take it out", e.Line, e.Key, e.Why, e.Key)
}
