package sshd

import (
	"encoding/binary"
	"regexp"

	gossh "golang.org/x/crypto/ssh"

	"authbird/tui"
)

// terminal is what a client says of the one it has.
type terminal struct {
	name string // TERM, or vt100 where it is no name
	size tui.Size
}

// The largest window that is drawn; what is larger is drawn in its corner. It
// bounds the memory of a session.
const (
	widest  = 500
	highest = 200
)

// termLike is what terminals are called; what else comes as TERM is not kept.
var termLike = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._+-]*$`)

// ptyRequest is the payload of "pty-req" (RFC 4254, 6.2).
type ptyRequest struct {
	Term                         string
	Columns, Rows, Width, Height uint32
	Modes                        string
}

func parsePty(payload []byte) (terminal, bool) {
	var r ptyRequest
	if err := gossh.Unmarshal(payload, &r); err != nil {
		return terminal{}, false
	}
	t := terminal{name: r.Term, size: sane(r.Columns, r.Rows)}
	if len(t.name) > 64 || !termLike.MatchString(t.name) {
		t.name = "vt100"
	}
	return t, true
}

// parseSize reads the payload of "window-change" (RFC 4254, 6.7).
func parseSize(payload []byte) (tui.Size, bool) {
	if len(payload) < 8 {
		return tui.Size{}, false
	}
	return sane(binary.BigEndian.Uint32(payload), binary.BigEndian.Uint32(payload[4:])), true
}

// sane makes a size of what a client says: nothing is 80 by 24.
func sane(columns, rows uint32) tui.Size {
	if columns == 0 {
		columns = 80
	}
	if rows == 0 {
		rows = 24
	}
	return tui.Size{Width: int(min(columns, widest)), Height: int(min(rows, highest))}
}

// drawing are the variables that say how a terminal draws. Nothing else of a
// client's environment is kept.
var drawing = map[string]*regexp.Regexp{
	"COLORTERM": regexp.MustCompile(`^[A-Za-z0-9-]{1,20}$`),
	"NO_COLOR":  regexp.MustCompile(`^[A-Za-z0-9]{1,20}$`),
}

// parseEnv reads the payload of "env" (RFC 4254, 6.4); false where the variable
// is not taken.
func parseEnv(payload []byte) (name, value string, ok bool) {
	var kv struct{ Name, Value string }
	if err := gossh.Unmarshal(payload, &kv); err != nil {
		return "", "", false
	}
	if like := drawing[kv.Name]; like == nil || !like.MatchString(kv.Value) {
		return "", "", false
	}
	if kv.Name == "NO_COLOR" { // whatever its value is
		kv.Value = "1"
	}
	return kv.Name, kv.Value, true
}

// environment is all that the screens see of one.
func (t terminal) environment(vars map[string]string) []string {
	env := []string{"TERM=" + t.name, "SSH_TTY=ssh"}
	for name, value := range vars {
		env = append(env, name+"="+value)
	}
	return env
}
