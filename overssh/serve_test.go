//go:build unix

package overssh

import (
	"bufio"
	"encoding/json"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"authbird/sim/fault"
)

// served is `authbird serve` as a process of its own, in a world's folder.
type served struct {
	w    *world
	cmd  *exec.Cmd
	port string
	over chan error
}

// serve starts it, unlocked by a passphrase's file, for the key that may log in
// to the SSH server as well.
func (w *world) serve() *served {
	w.t.Helper()
	s := &served{w: w, over: make(chan error, 1)}
	s.cmd = exec.Command(here.authbird, "serve", "--json", "--listen", "127.0.0.1:0", "--authorized-keys", here.sshd.key+".pub",
		"--authentik-url", w.sim.AuthentikURL, "--netbird-url", w.sim.NetBirdURL)
	s.cmd.Env = []string{"HOME=" + w.dir, "XDG_STATE_HOME=" + filepath.Join(w.dir, "state"), "AUTHBIRD_PASSPHRASE_FILE=" + w.file("passphrase", passphrase+"\n"), "TZ=UTC"}
	s.cmd.Stderr = w.t.Output()
	out, err := s.cmd.StdoutPipe()
	if err == nil {
		err = s.cmd.Start()
	}
	if err != nil {
		w.t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	var first struct{ Kind, Listen string }
	if !lines.Scan() || json.Unmarshal(lines.Bytes(), &first) != nil || first.Kind != "serving" {
		w.t.Fatalf("it does not say where it serves: %q", lines.Text())
	}
	go func() {
		for lines.Scan() { // its last line
		}
		s.over <- s.cmd.Wait()
	}()
	_, s.port, _ = net.SplitHostPort(first.Listen)
	w.t.Cleanup(func() { _ = s.cmd.Process.Kill() })
	return s
}

// comes logs in to it.
func (s *served) comes(win window) *terminal {
	s.w.t.Helper()
	win.port = s.port
	return open(s.w.t, win, "")
}

// ends waits for its end, and wants that exit code; -1: it was killed.
func (s *served) ends(exit int) {
	s.w.t.Helper()
	select {
	case <-s.over:
	case <-time.After(patience):
		s.w.t.Fatal("it does not end")
	}
	if got := s.cmd.ProcessState.ExitCode(); got != exit {
		s.w.t.Errorf("serve ends with %d, and not %d", got, exit)
	}
}

// record is what is looked at of a line of the audit file.
type record struct {
	Kind, Key, Why, What string
	Did                  []string
}

func (w *world) audit() []record {
	w.t.Helper()
	raw, err := os.ReadFile(filepath.Join(w.dir, "state", "authbird", "serve", "audit.jsonl"))
	if err != nil {
		w.t.Fatal(err)
	}
	w.none("the audit file", string(raw))
	var all []record
	for line := range strings.Lines(string(raw)) {
		var r record
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			w.t.Fatalf("a line that is no record: %s: %v", line, err)
		}
		all = append(all, r)
	}
	return all
}

// guestWalk is the connector's, without the addresses, which the operator gave.
func (w *world) guestWalk() []stop {
	return slices.DeleteFunc(w.connectorWalk(), func(s stop) bool { return strings.HasSuffix(s.name, "address") })
}

// People walk through a server that is a process of its own: in each kind of
// terminal the whole setup, without a passphrase, and no secret is anywhere.
func TestServeAsAProcess(t *testing.T) {
	want := undisturbed(t, (*world).connectorWalk)
	for _, win := range []window{{}, {size: size{40, 12}, term: "linux"}, {size: size{200, 60}, term: "tmux-256color"}, {term: "vt100", env: []string{"NO_COLOR=1"}}} {
		t.Run(win.String(), func(t *testing.T) {
			w := newWorld(t)
			s := w.serve()
			x := s.comes(win)
			x.walk(w.guestWalk(), nil)
			x.ends(0)
			if got := w.standing(); got != want {
				t.Errorf("the servers hold\n%s\nand not\n%s", got, want)
			}
			w.none("what was sent to the terminal", x.written())
			if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			s.ends(0)
			w.nothingInTheOpen()
			kinds := []string{"serving", "start", "end", "stopped"}
			for _, r := range w.audit() {
				if len(kinds) > 0 && r.Kind == kinds[0] {
					kinds = kinds[1:]
				}
			}
			if len(kinds) > 0 {
				t.Errorf("the audit file does not tell of %v", kinds)
			}
		})
	}
}

// nothingInTheOpen reads all files: they are the owner's alone, and hold no
// secret.
func (w *world) nothingInTheOpen() {
	w.t.Helper()
	err := filepath.WalkDir(filepath.Join(w.dir, "state", "authbird"), func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if info.Mode().Perm()&0o077 != 0 {
			w.t.Errorf("%s has the mode %v", path, info.Mode())
		}
		if d.IsDir() {
			return nil
		}
		text, err := os.ReadFile(path)
		w.none(path, string(text))
		return err
	})
	if err != nil {
		w.t.Error(err)
	}
}

// The server is told to stop, or killed, while a step is under way. The next
// server shows the person where it stopped, and the walk comes to the same end.
func TestServeEndsInTheMiddleOfAStep(t *testing.T) {
	want := undisturbed(t, (*world).connectorWalk)
	for name, c := range map[string]struct {
		signal syscall.Signal
		exit   int
	}{"told to stop": {syscall.SIGTERM, 0}, "killed": {syscall.SIGKILL, -1}} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			s := w.serve()
			order := fault.Fault{Method: "PUT", Path: "/api/v3/core/transactional/applications/", Kind: fault.Slow, DelayMS: 500}
			if err := w.sim.AuthentikFaults.Order(order); err != nil {
				t.Fatal(err)
			}
			x := s.comes(window{})
			x.walk(w.guestWalk()[:9], nil)
			x.sees("› provider")
			if err := s.cmd.Process.Signal(c.signal); err != nil {
				t.Fatal(err)
			}
			if c.signal == syscall.SIGTERM {
				x.sees("the server was stopped. Log in again to go on.")
				x.ends(0)
			}
			s.ends(c.exit)
			if ends := slices.IndexFunc(w.audit(), func(r record) bool { return r.Kind == "end" && slices.ContainsFunc(r.Did, finished("provider")) }); (ends >= 0) != (c.signal == syscall.SIGTERM) {
				t.Errorf("the audit file says %+v", w.audit())
			}
			s = w.serve()
			x = s.comes(window{})
			x.sees("stopped").types(enter).sees("▸ API token").types(pasted(w.sim.AuthentikToken) + enter)
			x.sees("akadmin, superuser", "▸ Go on").types(enter)
			x.sees("▸ Sign in with a code").types(down).sees("▸ Access token").types(pasted(w.sim.NetBirdToken) + enter)
			x.sees("Owner, owner", "▸ Go on").types(enter)
			x.finishes()
			if got := w.standing(); got != want {
				t.Errorf("the servers hold\n%s\nand not\n%s", got, want)
			}
		})
	}
}

func finished(step string) func(string) bool {
	return func(did string) bool { return strings.HasSuffix(did, " "+step+" done") }
}

// What strangers and guests may try, with OpenSSH's own programs; the script is
// for any server that runs.
func TestAttack(t *testing.T) {
	w := newWorld(t)
	s := w.serve()
	cmd := exec.Command("./attack", "127.0.0.1", s.port, here.sshd.key)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%v:\n%s", err, out)
	}
	tried := map[string]bool{}
	for _, r := range w.audit() {
		tried[r.What] = true
	}
	for _, what := range []string{"login", "exec", "subsystem", "auth-agent-req@openssh.com", "x11-req"} {
		if !tried[what] {
			t.Errorf("the audit file does not tell of %s, so that was not tried", what)
		}
	}
	folders, err := os.ReadDir(filepath.Join(w.dir, "state", "authbird", "serve", "people"))
	if err != nil || len(folders) != 1 {
		t.Errorf("there are %d folders of people: %v", len(folders), err)
	}
	w.nothingInTheOpen()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	s.ends(0)
}
