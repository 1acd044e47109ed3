package tui

import (
	"path/filepath"
	"regexp"
)

// A guest is a person who comes over the network and does not run authbird
// here: what the machine's files and commands are is not theirs to say. The
// screens then don't ask for it, and setup.env goes into Options.Folder under a
// name of the guest's choice. flows.Bench.Refuse is what holds a guest to that;
// these screens only make sense of it.

// withheld are the rows that a guest is not asked.
var withheld = map[string]bool{rowCA: true, rowRestart: true, rowConfig: true, rowFound: true, rowStore: true}

// forGuest makes rows into those of a guest.
func forGuest(guest bool, rows []row) []row {
	if !guest {
		return rows
	}
	for i := range rows {
		switch r := &rows[i]; {
		case withheld[r.id]:
			r.withheld = true
		case r.id == rowEnvFile:
			r.field, r.why = newField(filepath.Base(r.field.Value()), ""), wordsGuestEnvFileWhy
		}
	}
	return rows
}

var plainFile = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)

// PlainFile says that a name is one of a file and of no folder.
func PlainFile(name string) bool { return len(name) <= 100 && plainFile.MatchString(name) }

// drawForGuest says where setup.env is, of which a guest has no sight.
func (s doneScreen) drawForGuest(sh *sheet) {
	th := sh.theme
	sh.text(0, th.text, wordsDoneReady)
	sh.gap()
	sh.text(0, th.strong, wordsDoneValues)
	sh.path(said(s.answers.EnvFile))
	sh.text(2, th.dim, wordsGuestFile)
}

// guestLine chooses a line's words: no command of this machine is a guest's to
// type.
func (p *program) guestLine(words, ofGuest string) string {
	if p.options.Guest {
		return ofGuest
	}
	return words
}
