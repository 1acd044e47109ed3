//go:build unix

package overssh

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/charmbracelet/x/vt"
	"github.com/creack/pty"
)

// patience bounds a wait that should end soon, on however busy a machine.
const patience = 90 * time.Second

// size is a window's, in columns and lines.
type size struct{ w, h int }

var usual = size{80, 24}

// terminal is the near end of a line: a pseudo-terminal in which ssh runs, an
// emulator that draws what comes, and the answers that a terminal gives.
type terminal struct {
	t       *testing.T
	cmd     *exec.Cmd
	tty     *os.File
	emu     *vt.Emulator
	changed chan struct{} // has one whenever something was drawn
	over    chan struct{} // closed when nothing more comes
	answers *answerer

	mu    sync.Mutex
	raw   bytes.Buffer
	size  size
	heard int
}

// window is what a terminal is like.
type window struct {
	size
	term    string   // TERM; "": xterm-256color
	env     []string // COLORTERM and NO_COLOR, where they are set
	port    string   // of a line of another kind
	replies replies  // to queries
}

// open logs in and runs a command line of the shell.
func open(t *testing.T, win window, command string) *terminal {
	t.Helper()
	if win.size == (size{}) {
		win.size = usual
	}
	if win.term == "" {
		win.term = "xterm-256color"
	}
	cmd := here.sshd.ssh(win.port, command)
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "TERM=" + win.term}, win.env...)
	return attach(t, win, cmd)
}

// attach runs a command in a new terminal.
func attach(t *testing.T, win window, cmd *exec.Cmd) *terminal {
	t.Helper()
	tty, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: uint16(win.h), Cols: uint16(win.w)})
	if err != nil {
		t.Fatal(err)
	}
	x := &terminal{t: t, cmd: cmd, tty: tty, emu: vt.NewEmulator(win.w, win.h), size: win.size,
		changed: make(chan struct{}, 1), over: make(chan struct{})}
	x.answers = newAnswerer(win.replies, tty)
	go io.Copy(io.Discard, x.emu) // the answers are ours
	go x.draw()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		tty.Close()
		<-x.over
		if replies, ok := x.emu.InputPipe().(io.Closer); ok {
			replies.Close()
		}
	})
	return x
}

// draw gives the emulator what comes.
func (x *terminal) draw() {
	defer close(x.over)
	chunk := make([]byte, 32<<10)
	for {
		n, err := x.tty.Read(chunk)
		x.mu.Lock()
		x.raw.Write(chunk[:n])
		_, _ = x.emu.Write(chunk[:n])
		x.mu.Unlock()
		x.answers.see(chunk[:n])
		select {
		case x.changed <- struct{}{}:
		default:
		}
		if err != nil {
			return
		}
	}
}

// screen is what a person sees.
func (x *terminal) screen() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.emu.String()
}

// written is everything that ever came.
func (x *terminal) written() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.raw.String()
}

// sees waits until all of the words are on the screen, wherever lines break.
func (x *terminal) sees(words ...string) *terminal {
	x.t.Helper()
	x.until(func() string { return strings.Join(strings.Fields(x.screen()), " ") }, words)
	return x
}

// hears waits until the words have come since it last heard something.
func (x *terminal) hears(words string) *terminal {
	x.t.Helper()
	x.until(func() string { return x.written()[x.heard:] }, []string{words})
	x.heard += strings.Index(x.written()[x.heard:], words) + len(words)
	return x
}

func (x *terminal) until(text func() string, words []string) {
	x.t.Helper()
	late := time.NewTimer(patience)
	defer late.Stop()
	for over := false; ; {
		missing := firstMissing(text(), words)
		if missing == "" {
			return
		}
		if over {
			x.t.Fatalf("it ended before %q:\n%s", missing, x.screen())
		}
		select {
		case <-x.changed:
		case <-x.over:
			over = true
		case <-late.C:
			x.t.Fatalf("%q is not there:\n%s", missing, x.screen())
		}
	}
}

func firstMissing(text string, words []string) string {
	for _, w := range words {
		if !strings.Contains(text, w) {
			return w
		}
	}
	return ""
}

// types sends what a person types.
func (x *terminal) types(keys string) *terminal {
	x.t.Helper()
	if _, err := x.tty.WriteString(keys); err != nil {
		x.t.Fatal(err)
	}
	return x
}

// resize gives the window another size, as dragging its corner does.
func (x *terminal) resize(to size) {
	x.t.Helper()
	x.mu.Lock()
	x.size = to
	x.emu.Resize(to.w, to.h)
	x.mu.Unlock()
	if err := pty.Setsize(x.tty, &pty.Winsize{Rows: uint16(to.h), Cols: uint16(to.w)}); err != nil {
		x.t.Fatal(err)
	}
}

// drop cuts the line: the client is gone without a word.
func (x *terminal) drop() {
	x.t.Helper()
	if err := x.cmd.Process.Signal(syscall.SIGKILL); err != nil {
		x.t.Fatal(err)
	}
	_ = x.cmd.Wait()
}

// ends waits for the end and wants this exit code, which ssh passes on.
func (x *terminal) ends(exit int) {
	x.t.Helper()
	select {
	case <-x.over: // everything that came has been drawn
	case <-time.After(patience):
		x.t.Fatalf("it does not end:\n%s", x.screen())
	}
	err := x.cmd.Wait()
	var ended *exec.ExitError
	if err != nil && !errors.As(err, &ended) {
		x.t.Fatal(err)
	}
	if got := x.cmd.ProcessState.ExitCode(); got != exit {
		x.t.Fatalf("exit %d, want %d\n%s", got, exit, x.screen())
	}
}

const (
	enter = "\r"
	esc   = "\x1b"
	tab   = "\t"
	down  = "\x1b[B"
	ctrlC = "\x03"
)

// pasted is a text as a terminal sends what was pasted.
func pasted(text string) string { return "\x1b[200~" + text + "\x1b[201~" }
