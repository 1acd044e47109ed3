//go:build unix

package cli_test

import (
	"bytes"
	"errors"
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

// terminal is a real pseudo-terminal of 80 by 24 with authbird in it, and an
// emulator that draws what authbird writes and answers what it asks.
type terminal struct {
	t       *testing.T
	cmd     *exec.Cmd
	tty     *os.File
	emu     *vt.SafeEmulator
	changed chan struct{} // has one whenever something was drawn
	over    chan struct{} // closed when authbird has closed the terminal
	heard   int           // how much of what was written has been listened to

	mu  sync.Mutex
	raw bytes.Buffer
}

// terminal starts authbird in a terminal of its own.
func (d *desk) start(args ...string) *terminal {
	d.t.Helper()
	self, err := os.Executable()
	if err != nil {
		d.t.Fatal(err)
	}
	cmd := &exec.Cmd{Path: self, Args: append([]string{"authbird"}, args...), Dir: d.dir}
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "TERM=xterm-256color", "TMPDIR=" + os.TempDir()}
	for name, value := range d.env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	tty, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 24, Cols: 80})
	if err == nil {
		tty, err = closable(tty)
	}
	if err != nil {
		d.t.Fatal(err)
	}
	x := &terminal{
		t: d.t, cmd: cmd, tty: tty, emu: vt.NewSafeEmulator(80, 24),
		changed: make(chan struct{}, 1), over: make(chan struct{}),
	}
	go x.draw()
	go x.reply()
	d.t.Cleanup(func() {
		_ = cmd.Process.Kill()
		tty.Close()
		<-x.over
	})
	return x
}

// closable makes a file whose Close ends a Read that waits, so that closing
// the terminal is closing it now.
func closable(f *os.File) (*os.File, error) {
	fd, err := syscall.Dup(int(f.Fd()))
	if err != nil {
		return nil, err
	}
	syscall.CloseOnExec(fd)
	if err := syscall.SetNonblock(fd, true); err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), f.Name()), f.Close()
}

// draw gives the emulator what authbird writes.
func (x *terminal) draw() {
	defer close(x.over)
	chunk := make([]byte, 32<<10)
	for {
		n, err := x.tty.Read(chunk)
		x.mu.Lock()
		x.raw.Write(chunk[:n])
		_, _ = x.emu.Write(chunk[:n])
		x.mu.Unlock()
		select {
		case x.changed <- struct{}{}:
		default:
		}
		if err != nil {
			return
		}
	}
}

// reply gives authbird what the emulator answers to queries.
func (x *terminal) reply() {
	chunk := make([]byte, 1024)
	for {
		n, err := x.emu.Emulator.Read(chunk)
		if err != nil {
			return
		}
		if _, err := x.tty.Write(chunk[:n]); err != nil {
			return
		}
	}
}

// screen is what a person sees, without colours.
func (x *terminal) screen() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	var lines []string
	for y := range 24 {
		var line strings.Builder
		for col := 0; col < 80; {
			cell := x.emu.CellAt(col, y)
			if cell == nil || cell.Width == 0 {
				line.WriteByte(' ')
				col++
				continue
			}
			line.WriteString(cell.Content)
			col += cell.Width
		}
		lines = append(lines, strings.TrimRight(line.String(), " "))
	}
	return strings.Join(lines, "\n")
}

// written is everything that was ever drawn.
func (x *terminal) written() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.raw.String()
}

// sees waits until all of the words are on the screen.
func (x *terminal) sees(words ...string) *terminal {
	x.t.Helper()
	x.until(x.screen, words)
	return x
}

// hears waits until the words were written since it last heard something.
func (x *terminal) hears(words string) *terminal {
	x.t.Helper()
	x.until(func() string { return x.written()[x.heard:] }, []string{words})
	x.heard += strings.Index(x.written()[x.heard:], words) + len(words)
	return x
}

// until waits until all of the words are in the text.
func (x *terminal) until(text func() string, words []string) {
	x.t.Helper()
	deadline := time.NewTimer(2 * time.Minute)
	defer deadline.Stop()
	for over := false; ; {
		missing := firstMissing(text(), words)
		if missing == "" {
			return
		}
		if over {
			x.t.Fatalf("authbird ended before %q:\n%s", missing, x.screen())
		}
		select {
		case <-x.changed:
		case <-x.over:
			over = true
		case <-deadline.C:
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

// ends waits for the end and wants this exit code.
func (x *terminal) ends(exit int) {
	x.t.Helper()
	err := x.cmd.Wait()
	var ended *exec.ExitError
	if err != nil && !errors.As(err, &ended) {
		x.t.Fatal(err)
	}
	<-x.over // everything that was written has been drawn
	if got := x.cmd.ProcessState.ExitCode(); got != exit {
		x.t.Fatalf("exit %d, want %d\n%s", got, exit, x.screen())
	}
}

const (
	enter = "\r"
	ctrlC = "\x03"
	down  = "\x1b[B"
)
