//go:build unix

package overssh

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"authbird/sim/fault"
)

// outlived is a command line that runs authbird, survives its line, and writes
// authbird's exit code into a pipe.
func (w *world) outlived(args ...string) (line string, code func() string) {
	w.t.Helper()
	pipe := filepath.Join(w.dir, "ended")
	_ = os.Remove(pipe)
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		w.t.Fatal(err)
	}
	line = w.inShell(fmt.Sprintf("trap : HUP; %s %s; echo $? > %s", here.authbird, strings.Join(args, " "), pipe))
	return line, func() string {
		w.t.Helper()
		told := make(chan string, 1)
		go func() {
			f, err := os.Open(pipe) // waits until somebody writes
			if err != nil {
				told <- err.Error()
				return
			}
			defer f.Close()
			text, _ := bufio.NewReader(f).ReadString('\n')
			told <- strings.TrimSpace(text)
		}()
		select {
		case got := <-told:
			return got
		case <-time.After(patience):
			w.t.Fatal("authbird outlives its line")
			return ""
		}
	}
}

// undisturbed is what both servers hold after a walk of which nothing was lost.
func undisturbed(t *testing.T, walk func(*world) []stop) string {
	t.Helper()
	w := newWorld(t)
	x := open(t, window{}, w.shell())
	x.walk(walk(w), nil)
	x.ends(0)
	return w.standing()
}

// At each screen the line drops. authbird ends by itself, and the next login
// comes to the same end, by the screens again.
func TestTheLineDropsAtEveryScreen(t *testing.T) {
	for mode, walk := range map[string]func(*world) []stop{"connector": (*world).connectorWalk, "standalone": (*world).standaloneWalk} {
		want := undisturbed(t, walk)
		for i, at := range walk(newWorld(t)) {
			t.Run(mode+" at "+at.name, func(t *testing.T) {
				w := newWorld(t)
				line, code := w.outlived()
				x := open(t, window{}, line)
				stops := walk(w)
				x.walk(stops[:i], nil)
				x.sees(stops[i].sees...)
				x.drop()
				if got, ok := code(), map[string]bool{"130": true, "0": at.name == "proof" || at.name == "done" || at.name == "run"}; !ok[got] {
					t.Errorf("authbird ends with %s", got)
				}
				w.comesToItsEnd(walk)
				if got := w.standing(); got != want {
					t.Errorf("the servers hold\n%s\nand not\n%s", got, want)
				}
			})
		}
	}
}

// comesToItsEnd logs in once more and goes on by the screens: from the list of
// setups where the setup is in it, else from the beginning.
func (w *world) comesToItsEnd(walk func(*world) []stop) {
	w.t.Helper()
	if _, err := os.Stat(filepath.Join(w.dir, "state", "authbird", "setups")); err != nil {
		x := open(w.t, window{}, w.shell())
		x.walk(walk(w), nil)
		x.ends(0)
		return
	}
	w.tokens()
	open(w.t, window{}, w.shell("resume")).finishes()
}

// finishes presses Enter at each screen from the plan on, until the end.
func (x *terminal) finishes() {
	x.t.Helper()
	for {
		at := x.oneOf("↵ do it", "↵ prove it", "↵ first sign-in", "↵ go on", "↵ skip", "▸ Go on", "↵ leave")
		if at == "↵ leave" {
			x.types(enter).ends(0)
			return
		}
		x.types(enter).lacks(at)
	}
}

// oneOf waits until one of the texts is on the screen.
func (x *terminal) oneOf(texts ...string) string {
	x.t.Helper()
	for {
		flat := strings.Join(strings.Fields(x.screen()), " ")
		for _, text := range texts {
			if strings.Contains(flat, text) {
				return text
			}
		}
		x.next("one of " + strings.Join(texts, ", "))
	}
}

// lacks waits until the text is gone.
func (x *terminal) lacks(text string) {
	x.t.Helper()
	for strings.Contains(strings.Join(strings.Fields(x.screen()), " "), text) {
		x.next("the end of " + text)
	}
}

// next waits until something is drawn.
func (x *terminal) next(what string) {
	x.t.Helper()
	select {
	case <-x.changed:
	case <-x.over:
		x.t.Fatalf("it ended before %s:\n%s", what, x.screen())
	case <-time.After(patience):
		x.t.Fatalf("waited in vain for %s:\n%s", what, x.screen())
	}
}

// The line drops while a request is under way: its step is finished.
func TestTheLineDropsInTheMiddleOfAStep(t *testing.T) {
	want := undisturbed(t, (*world).connectorWalk)
	for name, slow := range map[string]fault.Fault{
		"provider":  {Method: "PUT", Path: "/api/v3/core/transactional/applications/", Kind: fault.Slow, DelayMS: 500},
		"connector": {Method: "POST", Path: "/api/identity-providers", Skip: 1, Kind: fault.Slow, DelayMS: 500},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			faults := w.sim.AuthentikFaults
			if name == "connector" {
				faults = w.sim.NetBirdFaults
			}
			if err := faults.Order(slow); err != nil {
				t.Fatal(err)
			}
			line, code := w.outlived()
			x := open(t, window{}, line)
			stops := w.connectorWalk()
			x.walk(stops[:11], nil)
			x.sees("› " + name)
			x.drop()
			if got := code(); got != "130" {
				t.Errorf("authbird ends with %s", got)
			}
			w.comesToItsEnd((*world).connectorWalk)
			if got := w.standing(); got != want {
				t.Errorf("the servers hold\n%s\nand not\n%s", got, want)
			}
		})
	}
}

// The line drops, or the person leaves, where a new passphrase is asked for.
func TestLeavingAtThePassphrase(t *testing.T) {
	for _, how := range []string{"the line drops", "Ctrl-C"} {
		t.Run(how, func(t *testing.T) {
			w := newWorld(t)
			delete(w.env, "AUTHBIRD_KEYSTORE_IDENTITY")
			line, code := w.outlived()
			x := open(t, window{}, line)
			x.walk(w.connectorWalk()[:11], nil)
			x.sees("A new passphrase", "give none")
			if how == "Ctrl-C" {
				x.types(ctrlC).sees("Stopped between two steps").types(ctrlC)
			} else {
				x.drop()
			}
			if got := code(); got != "130" {
				t.Errorf("authbird ends with %s", got)
			}
		})
	}
}
