//go:build unix

package overssh

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"filippo.io/age"

	"authbird/sim"
)

// world is one test's own: both simulated servers, and the machine that people
// log in to, which is a folder.
type world struct {
	t   *testing.T
	sim *sim.Sandbox
	dir string
	env map[string]string // of the shell there
}

const passphrase = "correct horse battery staple"

func newWorld(t *testing.T) *world {
	t.Helper()
	s, err := sim.Start(sim.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	w := &world{t: t, sim: s, dir: t.TempDir()}
	w.env = map[string]string{
		"HOME": w.dir, "XDG_STATE_HOME": filepath.Join(w.dir, "state"), "TZ": "UTC", "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8",
		"AUTHBIRD_KEYSTORE_IDENTITY": w.identity(), // opens at once, as no passphrase does
	}
	return w
}

// identity is the file of a new age key.
func (w *world) identity() string {
	w.t.Helper()
	key, err := age.GenerateX25519Identity()
	if err != nil {
		w.t.Fatal(err)
	}
	return w.file("identity", key.String()+"\n")
}

func (w *world) file(name, content string) string {
	w.t.Helper()
	path := filepath.Join(w.dir, name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		w.t.Fatal(err)
	}
	return path
}

// tokens puts both into the environment.
func (w *world) tokens() {
	w.env["AUTHENTIK_TOKEN"], w.env["NETBIRD_TOKEN"] = w.sim.AuthentikToken, w.sim.NetBirdToken
}

// shell is a command line that runs authbird with these arguments in this
// world's environment.
func (w *world) shell(args ...string) string {
	return w.inShell("exec " + here.authbird + " " + strings.Join(args, " "))
}

// inShell is a command line that runs another in this world's environment.
func (w *world) inShell(line string) string {
	w.t.Helper()
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(w.env)) {
		fmt.Fprintf(&b, "export %s='%s'\n", name, w.env[name])
	}
	return fmt.Sprintf(". %s; cd %s; %s", w.file("environment", b.String()), w.dir, line)
}

// standing is what both servers hold, without the addresses of this world.
func (w *world) standing() string {
	text := fmt.Sprintf("%v\n%v", w.sim.Authentik.Snapshot(), w.sim.NetBird.Snapshot())
	for _, p := range [][2]string{{w.sim.AuthentikURL, "AUTHENTIK"}, {w.sim.NetBirdURL, "NETBIRD"}, {w.dir, "HOME"}} {
		text = strings.ReplaceAll(text, p[0], p[1])
	}
	return text
}
