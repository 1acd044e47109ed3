//go:build linux && amd64

package matrix

import (
	"bytes"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// longest is more than any run takes, on however busy a machine.
const longest = 2 * time.Minute

// child is one authbird process.
type child struct {
	cmd    *exec.Cmd
	out    text
	status syscall.WaitStatus // how it ended
	exit   int                // -1: it was killed
}

// text is what a process wrote, and can be waited for.
type text struct {
	mu    sync.Mutex
	buf   bytes.Buffer
	wrote chan struct{} // closed and replaced by each write
}

func (x *text) Write(p []byte) (int, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.wrote != nil {
		close(x.wrote)
	}
	x.wrote = make(chan struct{})
	return x.buf.Write(p)
}

func (x *text) String() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.buf.String()
}

// await waits until the text holds the words, and says whether it came to that
// before it was too late.
func (x *text) await(words string, late <-chan struct{}) bool {
	for {
		x.mu.Lock()
		if x.wrote == nil {
			x.wrote = make(chan struct{})
		}
		has, wrote := strings.Contains(x.buf.String(), words), x.wrote
		x.mu.Unlock()
		if has {
			return true
		}
		select {
		case <-wrote:
		case <-late:
			return false
		}
	}
}

// command is an authbird process in this world, not started yet.
func (w *world) command(args ...string) *child {
	c := &child{cmd: exec.Command(authbird, append(args, "--setup", setupName)...)}
	c.cmd.Dir = w.host
	c.cmd.Env = append([]string{
		"HOME=" + w.host, "PATH=/usr/bin:/bin", "TZ=UTC",
		"AUTHBIRD_STATE_DIR=" + w.state, "AUTHBIRD_KEYSTORE=file",
		"AUTHBIRD_AUTHENTIK_URL=" + w.urls["authentik"], "AUTHBIRD_NETBIRD_URL=" + w.urls["netbird"],
	}, w.extra...)
	if !w.tokenless {
		c.cmd.Env = append(c.cmd.Env, "AUTHENTIK_TOKEN="+adminToken, "NETBIRD_TOKEN="+ownerToken)
	}
	c.cmd.Stdout, c.cmd.Stderr = &c.out, &c.out
	return c
}

// run runs authbird to its end and returns it.
func (w *world) run(args ...string) *child {
	w.t.Helper()
	c := w.command(args...)
	w.mu.Lock()
	err := c.cmd.Start()
	w.child = c
	w.mu.Unlock()
	must(w.t, err)
	late := time.AfterFunc(longest, func() { c.cmd.Process.Kill() })
	defer late.Stop()
	_ = c.cmd.Wait() // how it ended is in its state
	status, ok := c.cmd.ProcessState.Sys().(syscall.WaitStatus)
	if !ok {
		w.t.Fatal("the process did not end")
	}
	c.status = status
	w.ended(c)
	return c
}

// ended notes how a process ended and waits until nothing of it is left.
func (w *world) ended(c *child) {
	w.t.Helper()
	c.exit = c.status.ExitStatus()
	if c.status.Signaled() && c.status.Signal() != syscall.SIGKILL {
		w.t.Errorf("it was ended by %v:\n%s", c.status.Signal(), c.out.String())
	}
	w.mu.Lock()
	w.child = nil
	w.mu.Unlock()
	w.drain()
	w.leaks(c.out.String(), "what authbird said")
}

// undisturbed runs authbird and insists on a good end.
func (w *world) undisturbed(args ...string) {
	w.t.Helper()
	c := w.run(args...)
	if args[0] != remove[0] && w.obey(c) {
		c = w.run("resume", "--yes")
	}
	if c.exit != 0 {
		w.t.Fatalf("authbird %s: exit %d, undisturbed\n%s", strings.Join(args, " "), c.exit, c.out.String())
	}
}

// obey restarts NetBird where authbird says that a person must, and says
// whether it did.
func (w *world) obey(c *child) bool {
	w.t.Helper()
	if c.exit != 3 || !strings.Contains(c.out.String(), "restart NetBird") {
		return false
	}
	restart := exec.Command("bash", "-c", restartNetBird)
	restart.Dir, restart.Env = w.host, append([]string{"PATH=/usr/bin:/bin"}, w.extra...)
	if out, err := restart.CombinedOutput(); err != nil {
		w.t.Fatalf("restart NetBird: %v\n%s", err, out)
	}
	return true
}

// has says whether the binary has a verb yet.
func has(t *testing.T, verb ...string) bool {
	t.Helper()
	out, err := exec.Command(authbird, append(verb, "--help")...).CombinedOutput()
	return err == nil && strings.Contains(string(out), "authbird "+strings.Join(verb, " "))
}
