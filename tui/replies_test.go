package tui

import (
	"io"
	"os"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

func TestRepliesAreSwallowedUpToTheLastAndNoFurther(t *testing.T) {
	for name, c := range map[string]struct{ comes, left string }{
		"the last reply alone":       {"\x1b[?62;22c", ""},
		"others before it":           {"\x1b]11;rgb:1010/1010/1010\x07\x1b[?0u\x1b[?2026;2$y\x1b[?1;2c", ""},
		"what is typed behind it":    {"\x1b[?6cls -l\r", "ls -l\r"},
		"a key that looks alike":     {"c\x1b[c\x1b[?62;22cx", "x"},
		"Ctrl-C":                     {"\x1b]11;rgb:\x03ls\r", "ls\r"},
		"an end before it":           {"\x1b[?0u", ""},
		"a device status before it":  {"\x1b[?62n\x1b[?62cx", "x"},
		"a reply that is cut in two": {"\x1b[?6\x1b[?62cx", "x"},
	} {
		t.Run(name, func(t *testing.T) {
			r := iotest.OneByteReader(strings.NewReader(c.comes))
			swallow(r)
			if left, _ := io.ReadAll(r); string(left) != c.left {
				t.Errorf("%q is left, want %q", left, c.left)
			}
		})
	}
}

// robbed is a terminal that has something to read, which somebody else takes.
type robbed struct {
	*os.File
	never chan struct{}
}

func (r robbed) Read([]byte) (int, error) {
	<-r.never
	return 0, io.EOF
}

func TestAReplyThatSomebodyElseTookIsNotWaitedForForEver(t *testing.T) {
	in, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close() // and in stays open: its reader is never seen to end
	if _, err := out.WriteString("x"); err != nil {
		t.Fatal(err)
	}
	r := robbed{in, make(chan struct{})}
	defer close(r.never)
	(&wire{in: r, out: io.Discard}).settle(100 * time.Millisecond)
}

func TestATerminalThatNeverAnsweredIsNotWaitedForLater(t *testing.T) {
	now := clock()
	p := &program{options: Options{Now: func() time.Time { return now }}}
	if got := p.owed(now); got != longestReply {
		t.Errorf("a young session waits %v", got)
	}
	if got := p.owed(now.Add(-mute)); got != 0 {
		t.Errorf("an old one of a mute terminal waits %v", got)
	}
	p.answers = true
	if got := p.owed(now.Add(-time.Hour)); got != longestReply {
		t.Errorf("a terminal that answers is waited for %v", got)
	}
}

func TestLinksAreSentToTerminalsThatAreKnownToTakeThem(t *testing.T) {
	for term, want := range map[string]struct{ links, questions bool }{
		"xterm-256color": {true, true}, "tmux-256color": {true, true}, "xterm-kitty": {true, true}, "alacritty": {true, true},
		"screen": {false, true}, "rxvt-unicode": {false, true},
		"linux": {}, "vt100": {}, "vt220": {}, "dumb": {}, "": {},
	} {
		env := []string{"HOME=/", "TERM=" + term}
		if got := takesLinks(termOf(env)); got != want.links {
			t.Errorf("%q: links %v", term, got)
		}
		if got := takesQuestions(termOf(env)); got != want.questions {
			t.Errorf("%q: questions %v", term, got)
		}
	}
}

// On a slow line people type ahead: before the terminal is authbird's, when
// Enter is Ctrl-J, and before the list of setups is read.
func TestKeysThatCameEarlyAreKept(t *testing.T) {
	p := newProgram(t.Context(), Options{Bench: newFakeBench(), Shelf: &fakeShelf{}, Now: clock, Env: []string{"TERM=xterm"}})
	p.setSize(80, 24)
	p.Init()
	p.Update(press("ctrl+j"))
	p.Update(press("enter"))
	for _, r := range "q.example.com" {
		p.Update(press(string(r)))
	}
	p.Update(addressed{to: p.top().id, msg: setupsRead{}})
	s, ok := p.top().screen.(authentikScreen)
	if !ok || s.form.focused().value() != "q.example.com" {
		t.Errorf("it is at %T with %q", p.top().screen, s.form.focused().value())
	}
}
