//go:build linux

package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/charmbracelet/x/vt"
	"github.com/creack/pty"
)

// gum is the tool whose questions are counted for comparison.
const gum = "github.com/charmbracelet/gum@v0.17.0"

// key is what is typed once words, with | between them, are on the screen.
type key struct{ sees, types string }

func (k key) seen(screen string) bool {
	for _, words := range strings.Split(k.sees, "|") {
		if !strings.Contains(screen, words) {
			return false
		}
	}
	return true
}

// walk is the whole connector setup in the sandbox, from home to its end.
var walk = []key{
	{"↵ new setup", "\r"}, {"How shall they|Connector", "\r"}, {"akadmin|▸ Go on", "\r"}, {"Owner, owner|▸ Go on", "\r"},
	{"▸ See the plan", "\r"}, {"What will happen|↵ do it", "\r"}, {"made and checked", "\r"}, {"waiting for somebody", "\r"}, {"↵ leave", "\r"},
}

// longestWalk is more than any walk takes.
const longestWalk = 2 * time.Minute

// sentBytes tells how much is sent to the terminal for a whole setup, in
// windows of three sizes, and for two questions of gum's.
func sentBytes(out io.Writer, binary string) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "sent to the terminal\tbytes\tscreens")
	for _, size := range []pty.Winsize{{Cols: 40, Rows: 12}, {Cols: 80, Rows: 24}, {Cols: 200, Rows: 60}} {
		n, err := count(exec.Command(binary, "--sandbox"), size, walk)
		if err != nil {
			return fmt.Errorf("count the bytes of a setup: %w", err)
		}
		fmt.Fprintf(w, "connector setup, %d×%d\t%d\t%d\n", size.Cols, size.Rows, n, len(walk))
	}
	for _, q := range []struct {
		args []string
		keys []key
	}{
		{[]string{"choose", "sign in with a code", "paste a token"}, []key{{"paste a token", "\x1b[B\r"}}},
		{[]string{"input", "--placeholder", "the address"}, []key{{"the address", "https://auth.example.com\r"}}},
	} {
		n, err := count(exec.Command("go", append([]string{"run", gum}, q.args...)...), pty.Winsize{Cols: 80, Rows: 24}, q.keys)
		if err != nil {
			fmt.Fprintf(w, "gum %s\tnot to be had\t\n", q.args[0])
			continue
		}
		fmt.Fprintf(w, "gum %s, 80×24\t%d\t1\n", q.args[0], n)
	}
	return w.Flush()
}

// count runs a command in a terminal that answers queries, types the keys, and
// returns what it sent until its end.
func count(cmd *exec.Cmd, size pty.Winsize, keys []key) (int, error) {
	cmd.Env = append(os.Environ(), "TERM=xterm-256color", "COLORTERM=", "ACCESSIBLE=", "NO_COLOR=")
	terminal, err := pty.StartWithSize(cmd, &size)
	if err != nil {
		return 0, err
	}
	defer terminal.Close()
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	late := time.AfterFunc(longestWalk, func() { _ = cmd.Process.Kill() }) // its terminal ends with it
	defer late.Stop()
	screen := vt.NewEmulator(int(size.Cols), int(size.Rows))
	go io.Copy(terminal, screen)
	var sent bytes.Buffer
	chunk := make([]byte, 32<<10)
	for {
		n, err := terminal.Read(chunk)
		sent.Write(chunk[:n])
		_, _ = screen.Write(chunk[:n])
		if len(keys) > 0 && keys[0].seen(screen.String()) {
			_, _ = io.WriteString(terminal, keys[0].types)
			keys = keys[1:]
		}
		if err == nil {
			continue
		}
		if len(keys) > 0 {
			return 0, fmt.Errorf("%q is not there: %w\n%s", keys[0].sees, err, screen.String())
		}
		return sent.Len(), nil
	}
}
