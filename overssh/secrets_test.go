//go:build unix

package overssh

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// secrets are what must be nowhere to be read.
func (w *world) secrets() map[string]string {
	return map[string]string{"Authentik's token": w.sim.AuthentikToken, "NetBird's token": w.sim.NetBirdToken, "the passphrase": passphrase}
}

// none fails where the text holds a secret, also where lines break in it.
func (w *world) none(where, text string) {
	w.t.Helper()
	whole := strings.NewReplacer("\r", "", "\n", "").Replace(text)
	for name, secret := range w.secrets() {
		if strings.Contains(whole, secret) {
			w.t.Errorf("%s is in %s", name, where)
		}
	}
}

// Over SSH there is no desktop's keyring: the age file is announced, and every
// secret is pasted into a masked field. Nothing of it is drawn, and nothing is
// in the folder but encrypted.
func TestSecretsOverSSH(t *testing.T) {
	w := newWorld(t)
	delete(w.env, "AUTHBIRD_KEYSTORE_IDENTITY")
	x := open(t, window{}, w.shell())
	stops := w.connectorWalk()
	x.walk(stops[:11], nil)
	x.sees("A new passphrase", "There is no keyring here", "encrypted file", filepath.Base("keys"), "give none")
	x.types(pasted(passphrase) + enter).sees("▸ Once more").types(pasted(passphrase) + enter)
	x.walk(stops[11:], nil)
	x.ends(0)
	w.none("what was sent to the terminal", x.written())
	files := 0
	err := filepath.WalkDir(filepath.Join(w.dir, "state"), func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		files++
		w.none(path, string(text))
		if info, err := d.Info(); err == nil && info.Mode().Perm() != 0o600 {
			t.Errorf("%s has the mode %v", path, info.Mode().Perm())
		}
		return err
	})
	if err != nil || files < 4 {
		t.Errorf("%d files were read: %v", files, err)
	}
}

// A bus address that came along with the login, and leads nowhere, is no
// keyring, and is not waited for.
func TestAForwardedBusIsNoKeyring(t *testing.T) {
	w := newWorld(t)
	delete(w.env, "AUTHBIRD_KEYSTORE_IDENTITY")
	w.env["DBUS_SESSION_BUS_ADDRESS"] = "unix:path=" + filepath.Join(w.dir, "bus-of-the-desktop")
	x := open(t, window{}, w.shell())
	x.walk(w.connectorWalk()[:11], nil)
	x.sees("A new passphrase", "There is no keyring here", "give none").types(esc)
	x.sees("Try again").types(ctrlC)
	x.ends(1)
}

// In a real tmux the walk leaves nothing in the history, and the screen as it
// was; the line may drop meanwhile, and the walk is there at the next login.
func TestInsideTmux(t *testing.T) {
	w := newWorld(t)
	delete(w.env, "AUTHBIRD_KEYSTORE_IDENTITY")
	w.env["TMUX_TMPDIR"], w.env["SHELL"] = w.dir, "/bin/bash"
	config := w.file("tmux.conf", "set -g default-command 'PS1=\"ready> \" exec bash --norc --noprofile -i'\nset -g history-limit 50000\nset -s escape-time 0\n")
	tmux := func(args ...string) string {
		t.Helper()
		cmd := exec.Command("tmux", append([]string{"-L", "authbird", "-f", config}, args...)...)
		cmd.Env = append(os.Environ(), "TMUX_TMPDIR="+w.dir)
		out, err := cmd.CombinedOutput()
		if err != nil && args[0] != "kill-server" {
			t.Fatalf("tmux %v: %v: %s", args, err, out)
		}
		return string(out)
	}
	t.Cleanup(func() { tmux("kill-server") })

	attach := w.inShell(fmt.Sprintf("exec tmux -u -L authbird -f %s new-session -A -s walk", config))
	x := open(t, window{}, attach)
	x.sees("ready>").types(here.authbird + enter)
	stops := w.connectorWalk()
	stops[6].types = down // an escape sequence through tmux
	x.walk(stops[:9], nil)
	x.sees(stops[9].sees...)

	x.drop()
	x = open(t, window{size: size{100, 30}}, attach)
	x.walk(stops[9:11], nil)
	x.sees("A new passphrase", "give none").types(pasted(passphrase) + enter)
	x.sees("▸ Once more").types(pasted(passphrase) + enter)
	x.walk(stops[11:], nil)
	x.sees("ready>", "is set up.", "First sign-in: "+w.sim.NetBirdURL)

	history := tmux("capture-pane", "-p", "-J", "-S", "-", "-t", "walk")
	w.none("tmux's history", history)
	for _, screen := range []string{"See the plan", "Connect to Authentik", "What will happen", "rgb:", "•"} {
		if strings.Contains(history, screen) {
			t.Errorf("%q of the screens is in tmux's history:\n%s", screen, history)
		}
	}
	if !strings.Contains(history, "is set up.") {
		t.Errorf("this is not the history:\n%s", history)
	}
	w.none("what was sent to the terminal", x.written())
	x.types("exit" + enter).ends(0)
}
