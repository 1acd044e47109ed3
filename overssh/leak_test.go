//go:build unix

package overssh

import (
	"strings"
	"testing"
)

const (
	wayIn  = "\x1b[?1049h" // to the screen that programs draw on
	wayOut = "\x1b[?1049l" // back to the normal one
)

// Queries are answered by the terminal, whenever it gets to it; on a slow line
// that may be after authbird has been left. What then arrives at the shell's
// prompt would be typed there.
func TestNoReplyOfTheTerminalReachesTheShell(t *testing.T) {
	for _, c := range []struct {
		name string
		win  window
	}{
		{"at once", window{}},
		{"late", window{replies: late}},
		{"late, a terminal that is asked more", window{replies: late, term: "xterm-kitty"}},
		{"late, in a small window", window{replies: late, size: size{40, 12}}},
		{"late, without colours", window{replies: late, env: []string{"NO_COLOR=1"}}},
		{"late, linux", window{replies: late, term: "linux"}},
		{"late, screen", window{replies: late, term: "screen"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.env["PS1"] = "ready> "
			x := open(t, c.win, w.inShell("exec bash --norc --noprofile -i"))
			x.hears("ready> ").types(here.authbird + "; echo left; cat -v" + enter)
			x.hears(wayIn)
			x.sees("new setup").types("q")
			x.hears(wayOut)
			if n := x.answers.release(); n == 0 && c.win.replies == late {
				t.Error("the terminal was asked nothing, so this test tells nothing")
			}
			from := x.heard
			x.hears("left\r\n").types("typed at cat" + enter)
			x.hears("typed at cat\r\n").hears("typed at cat\r\n") // its echo, and what cat read
			got := x.written()[from:x.heard]
			for _, reply := range []string{"rgb:", "62;22c", "?0u", "$y", "^["} {
				if strings.Contains(got, reply) {
					t.Errorf("%q reached the program after authbird: %q", reply, got)
				}
			}
			x.types("\x04").hears("ready> ").types("exit" + enter)
			x.ends(0)
		})
	}
}

// A terminal that never answers is left without waiting for long, and its
// keys are not taken.
func TestATerminalThatNeverAnswersIsLeft(t *testing.T) {
	w := newWorld(t)
	x := open(t, window{replies: never}, w.shell())
	x.sees("new setup").types("q")
	x.ends(0)
}
