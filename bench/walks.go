//go:build linux

package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/charmbracelet/x/vt"
	"github.com/creack/pty"
)

// gum is the tool whose questions are counted for comparison.
const gum = "github.com/charmbracelet/gum@v0.17.0"

// key is what is typed once words, with | between them, are on the screen.
type key struct{ sees, types string }

// restart, typed, lets NetBird restart.
const restart = "restart"

func (k key) seen(screen string) bool {
	for _, words := range strings.Split(k.sees, "|") {
		if !strings.Contains(screen, words) {
			return false
		}
	}
	return true
}

// walk is a way through the screens, from the start to the end.
type walk struct {
	name string
	args []string
	size pty.Winsize
	// stands: it is walked where a connector stands, and not in the sandbox.
	stands bool
	keys   []key
}

var connectorKeys = []key{
	{"↵ new setup", "\r"}, {"How shall they|Connector", "\r"}, {"akadmin|▸ Go on", "\r"}, {"Owner, owner|▸ Go on", "\r"},
	{"▸ See the plan", "\r"}, {"What will happen|↵ do it", "\r"}, {"made and checked", "\r"}, {"waiting for somebody", "\r"}, {"↵ leave", "\r"},
}

var standaloneKeys = []key{
	{"↵ new setup", "\r"}, {"How shall they|Connector", "\x1b[B\r"}, {"akadmin|▸ Go on", "\r"}, {"NetBird's domain|▸ Go on", "\r"},
	{"▸ See the plan", "\r"}, {"What will happen|↵ do it", "\r"}, {"made and checked", "\r"}, {"↵ leave", "\r"},
}

func walks() []walk {
	usual := pty.Winsize{Cols: 80, Rows: 24}
	sandbox := []string{"--sandbox"}
	return []walk{
		{name: "connector, 80×24", args: sandbox, size: usual, keys: connectorKeys},
		{name: "connector, 40×12", args: sandbox, size: pty.Winsize{Cols: 40, Rows: 12}, keys: connectorKeys},
		{name: "connector, 200×60", args: sandbox, size: pty.Winsize{Cols: 200, Rows: 60}, keys: connectorKeys},
		{name: "standalone, 80×24", args: sandbox, size: usual, keys: standaloneKeys},
		{name: "doctor, 80×24", args: []string{"doctor"}, size: usual, stands: true, keys: []key{{"All is well|r again", "q"}}},
		{name: "renewal, 80×24", size: usual, stands: true, keys: []key{
			{"o rotate", "o"}, {"Credentials|▸ " + firstSetup, "\r"}, {"Renew it now?|▸ Not now", "\x1b[D"}, {"▸ Renew it", "\r"},
			{"Type on NetBird's host", restart}, {"is renewed|q quit", "q"},
		}},
		{name: "taking back, 80×24", size: usual, stands: true, keys: []key{
			{"x take back", "x"}, {"Take it back?|▸ Leave it", "\x1b[D"}, {"▸ Take it back", "\r"}, {"is taken back|q quit", "q"},
		}},
	}
}

func (w walk) row() string { return "screens: " + w.name }

// question is one of gum's.
type question struct {
	args []string
	keys []key
}

func (q question) row() string { return "one question of gum's: " + q.args[0] }

func questions() []question {
	return []question{
		{[]string{"choose", "sign in with a code", "paste a token"}, []key{{"paste a token", "\x1b[B\r"}}},
		{[]string{"input", "--placeholder", "the address"}, []key{{"the address", "https://auth.example.com\r"}}},
	}
}

// longestWalk is more than any walk takes.
const longestWalk = 2 * time.Minute

// walks tells how much goes over SSH for each walk, and for two questions of
// gum's.
func (b *bench) walks() error {
	install := exec.Command("go", "install", gum)
	install.Env = append(os.Environ(), "GOBIN="+b.dir)
	if out, err := install.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "bench: gum is not to be had: %v\n%s", err, out)
	}
	for _, w := range walks() {
		sent, wire, err := b.walked(w)
		if err != nil {
			return fmt.Errorf("%s: %w", w.name, err)
		}
		b.table.add(w.row(), cells{ssh: overSSH(sent, wire)})
	}
	for _, q := range questions() {
		row := cells{ssh: "not to be had"}
		if sent, wire, err := count(exec.Command(filepath.Join(b.dir, "gum"), q.args...), pty.Winsize{Cols: 80, Rows: 24}, q.keys, ""); err == nil {
			row.ssh = overSSH(sent, wire)
		}
		b.table.add(q.row(), row)
	}
	return nil
}

func overSSH(sent, wire int64) string {
	return fmt.Sprintf("%s (%s)", bytesOf(sent), bytesOf(wire))
}

func (b *bench) walked(w walk) (sent, wire int64, err error) {
	cmd, netbird := exec.Command(b.binary, w.args...), ""
	if w.stands {
		g, err := b.ground(scene{before: []string{"setup", "connector", "--setup", firstSetup}, setups: 1})
		if err != nil {
			return 0, 0, err
		}
		defer g.close()
		cmd.Env, cmd.Dir, netbird = g.env, g.dir, g.sim.NetBirdURL
	} else if cmd.Dir, err = os.MkdirTemp(b.dir, "walk-"); err != nil {
		return 0, 0, err
	}
	return count(cmd, w.size, w.keys, netbird)
}

// do types a key's letters, or lets NetBird restart.
func (k key) do(l *line, netbird string) error {
	if k.types == restart {
		resp, err := http.Post(netbird+"/_sandbox/restart", "", nil)
		if err == nil {
			err = resp.Body.Close()
		}
		return err
	}
	_, err := io.WriteString(l.keys, k.types)
	return err
}

// count runs a command over SSH, in a terminal that answers queries, types the
// keys, and returns what was sent to the terminal until the end, and what went
// over the wire for it both ways.
func count(cmd *exec.Cmd, size pty.Winsize, keys []key, netbird string) (sent, onWire int64, err error) {
	if cmd.Env == nil {
		cmd.Env = os.Environ()
	}
	cmd.Env = append(cmd.Env, "TERM=xterm-256color", "COLORTERM=", "ACCESSIBLE=", "NO_COLOR=")
	l, err := dial(cmd, size)
	if l != nil {
		defer l.close()
	}
	if err != nil {
		return 0, 0, err
	}
	late := time.AfterFunc(longestWalk, l.close)
	defer late.Stop()
	screen := vt.NewEmulator(int(size.Cols), int(size.Rows))
	go io.Copy(l.keys, screen)
	keys, sent, err = typeAlong(l, screen, keys, netbird)
	if len(keys) > 0 {
		return 0, 0, fmt.Errorf("%q is not there: %w\n%s", keys[0].sees, err, screen.String())
	}
	return sent, l.wire.n.Load(), nil
}

// typeAlong types each key when its screen is there, to the end of the session,
// and returns the keys that are left.
func typeAlong(l *line, screen *vt.Emulator, keys []key, netbird string) ([]key, int64, error) {
	sent := int64(0)
	chunk := make([]byte, 32<<10)
	for {
		n, err := l.screen.Read(chunk)
		sent += int64(n)
		_, _ = screen.Write(chunk[:n])
		if len(keys) > 0 && keys[0].seen(screen.String()) {
			if err := keys[0].do(l, netbird); err != nil {
				return keys, sent, err
			}
			keys = keys[1:]
		}
		if err != nil {
			return keys, sent, err
		}
	}
}
