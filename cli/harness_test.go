package cli_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/rogpeppe/go-internal/testscript"

	"authbird/cli"
	"authbird/clients"
	"authbird/sim"
)

// The scripts run authbird as a process of its own: this test binary, which is
// authbird when it is called so.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"authbird": func() {
			w := cli.OS("v0.0.0-test")
			w.Wait = glance
			os.Exit(cli.Run(context.Background(), w))
		},
		"restart": restart,
	})
}

// restart is the command that restarts the simulated NetBird.
func restart() {
	resp, err := http.Post(os.Getenv("RESTART_URL"), "", nil)
	if err != nil || resp.StatusCode != http.StatusOK {
		fmt.Println("it does not restart")
		os.Exit(1)
	}
}

// desk is where a person sits: both simulated servers, a state folder, and a
// shell with what it has exported.
type desk struct {
	t   *testing.T
	sim *sim.Sandbox
	dir string            // the state folder's parent, for files of the test
	env map[string]string // what the shell has exported
	key string            // what opens the keystore

	stdin    io.Reader
	terminal bool // a person is there
	signals  chan os.Signal
	hears    func(said string) // what happens when authbird says something to people
	outHears func(said string) // the same for standard output
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	s, err := sim.Start(sim.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	dir := t.TempDir()
	d := &desk{t: t, sim: s, dir: dir, stdin: strings.NewReader(""), signals: make(chan os.Signal, 4)}
	d.env = map[string]string{
		"HOME": dir, "XDG_STATE_HOME": dir,
		"AUTHBIRD_AUTHENTIK_URL": s.AuthentikURL, "AUTHBIRD_NETBIRD_URL": s.NetBirdURL,
		"AUTHENTIK_TOKEN": s.AuthentikToken, "NETBIRD_TOKEN": s.NetBirdToken,
		"AUTHBIRD_KEYSTORE": "file",
	}
	key, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	d.key = key.String()
	d.env["AUTHBIRD_KEYSTORE_IDENTITY"] = d.file("key", d.key+"\n") // opens at once, as no passphrase does
	return d
}

// withPassphrase has the encrypted file opened by a passphrase.
func (d *desk) withPassphrase() {
	d.forget("AUTHBIRD_KEYSTORE_IDENTITY")
	d.env["AUTHBIRD_PASSPHRASE_FILE"] = d.file("passphrase", passphrase+"\n")
}

const passphrase = "correct horse battery staple"

// file writes a file that only the person may read.
func (d *desk) file(name, content string) string {
	d.t.Helper()
	path := filepath.Join(d.dir, name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		d.t.Fatal(err)
	}
	return path
}

// glance waits less long than it is told to.
func glance(ctx context.Context, d time.Duration) error {
	return clients.Wait(ctx, min(d, 10*time.Millisecond))
}

// outcome is what a run left.
type outcome struct {
	t          *testing.T
	exit       int
	out, human string
}

// authbird runs the program in this process.
func (d *desk) authbird(args ...string) outcome {
	d.t.Helper()
	var out, people bytes.Buffer
	ctx, cancel := context.WithTimeout(d.t.Context(), 5*time.Minute)
	defer cancel()
	exit := cli.Run(ctx, cli.World{
		Args: args, Stdin: d.stdin, Stdout: &listener{to: &out, hears: d.outHears}, Stderr: &listener{to: &people, hears: d.hears},
		StdinTerminal: d.terminal, StderrTerminal: d.terminal,
		Getenv: func(name string) string { return d.env[name] }, Environ: d.environ, Signals: d.signals,
		Now: time.Now, Wait: glance, Rand: rand.Reader, Version: "v0.0.0-test",
	})
	return outcome{t: d.t, exit: exit, out: out.String(), human: people.String()}
}

// environ is the shell's environment whole.
func (d *desk) environ() []string {
	var out []string
	for name, value := range d.env {
		out = append(out, name+"="+value)
	}
	return out
}

// listener passes on what is written, and tells of it.
type listener struct {
	to    io.Writer
	hears func(string)
}

func (l *listener) Write(p []byte) (int, error) {
	if l.hears != nil {
		l.hears(string(p))
	}
	return l.to.Write(p)
}

// want ends the test unless the run ended so.
func (o outcome) want(exit int) outcome {
	o.t.Helper()
	if o.exit != exit {
		o.t.Fatalf("exit %d, want %d\nstdout:\n%s\nstderr:\n%s", o.exit, exit, o.out, o.human)
	}
	return o
}

// lines are the JSON objects of the output.
func (o outcome) lines() []map[string]any {
	o.t.Helper()
	var all []map[string]any
	for line := range strings.Lines(o.out) {
		var one map[string]any
		if err := json.Unmarshal([]byte(line), &one); err != nil {
			o.t.Fatalf("a line that is no JSON object: %q: %v", line, err)
		}
		all = append(all, one)
	}
	return all
}

// result is the last JSON line, which must be one.
func (o outcome) result() map[string]any {
	o.t.Helper()
	all := o.lines()
	if len(all) == 0 || all[len(all)-1]["kind"] != "result" {
		o.t.Fatalf("the last line is no result:\n%s", o.out)
	}
	return all[len(all)-1]
}

// keyboard is a person who types while authbird runs.
type keyboard struct{ lines chan string }

func newKeyboard() *keyboard { return &keyboard{lines: make(chan string, 16)} }

func (k *keyboard) enter(line string) { k.lines <- line }

func (k *keyboard) Read(p []byte) (int, error) {
	return copy(p, <-k.lines+"\n"), nil
}
