package tui

import (
	"io"
	"runtime"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
	"github.com/muesli/cancelreader"
	"golang.org/x/term"
)

// A program asks its terminal questions (which background? which keyboard?), and
// on a slow line the answers can come when it has been left already: the shell
// would take them for typing. So the last thing that is asked is one more
// question that every terminal answers, and what comes until that answer is
// swallowed, as terminals answer in order.

const (
	// longestReply is how long the last answer is waited for.
	longestReply = 5 * time.Second
	// mute is the age of a session after which a terminal that has answered
	// nothing is not waited for.
	mute = 5 * time.Second
	// letGoTime is how long the read for it is waited for once it is called off.
	letGoTime = 500 * time.Millisecond
)

// wire is the terminal that the replies come from.
type wire struct {
	in      io.Reader
	out     io.Writer
	restore func()
}

// holdWire takes the terminal's echo and line editing away until it is let go,
// so that between the program's end and the last answer nothing is echoed. It is
// nil where in is neither a terminal nor a session's stream.
func holdWire(in io.Reader, out io.Writer) *wire {
	if in == nil || out == nil || runtime.GOOS == "windows" { // its console takes the answers as events
		return nil
	}
	w := &wire{in: in, out: out, restore: func() {}}
	f, ok := in.(interface{ Fd() uintptr })
	if !ok {
		return w
	}
	before, err := term.MakeRaw(int(f.Fd()))
	if err != nil { // no terminal: the program opens its own
		return nil
	}
	w.restore = func() { _ = term.Restore(int(f.Fd()), before) }
	return w
}

// A renewer can end a Read that the program left behind, which would take the
// answers, and says who reads from then on. A terminal needs none: its reads end
// with the program.
type renewer interface{ Renew() io.Reader }

// settle swallows what the terminal still answers, for as long as that may
// take at most.
func (w *wire) settle(most time.Duration) {
	if most <= 0 {
		return
	}
	if in, ok := w.in.(renewer); ok {
		w.in = in.Renew()
	}
	if _, err := io.WriteString(w.out, ansi.RequestPrimaryDeviceAttributes); err != nil {
		return
	}
	r, err := cancelreader.NewReader(w.in)
	if err != nil {
		return
	}
	defer r.Close()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		swallow(r)
	}()
	late := time.NewTimer(most)
	defer late.Stop()
	select {
	case <-ended:
	case <-late.C:
		if !r.Cancel() {
			return
		}
		late.Reset(letGoTime)
		select {
		case <-ended:
		case <-late.C: // somebody else took the input that it had seen coming
		}
	}
}

// swallow reads up to and including an answer to the last question, and no byte
// more: what is typed behind it is the shell's. Ctrl-C ends it too.
func swallow(r io.Reader) {
	const ctrlC = 0x03
	reply, in := "", make([]byte, 1)
	for {
		n, err := r.Read(in)
		if err != nil || n == 1 && in[0] == ctrlC {
			return
		}
		switch c := in[:n]; {
		case n == 0:
		case c[0] == ansi.ESC:
			reply = "\x1b"
		case reply != "":
			reply += string(c)
			if lastReply(reply) {
				return
			}
		}
	}
}

// lastReply says that the text is an answer about the device's attributes:
// ESC [ ? numbers c.
func lastReply(s string) bool {
	numbers, ok := strings.CutPrefix(s, "\x1b[?")
	numbers, ends := strings.CutSuffix(numbers, "c")
	return ok && ends && strings.Trim(numbers, "0123456789;") == ""
}

// answered notes that the terminal answers at all.
func (p *program) answered(msg tea.Msg) {
	switch msg.(type) {
	case tea.BackgroundColorMsg, tea.KeyboardEnhancementsMsg, tea.ModeReportMsg:
		p.answers = true
	}
}

// owed is how long the terminal's last answers may be waited for.
func (p *program) owed(began time.Time) time.Duration {
	if !p.answers && p.options.Now().Sub(began) >= mute {
		return 0
	}
	return longestReply
}
