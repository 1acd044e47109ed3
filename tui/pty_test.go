//go:build unix

package tui

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/charmbracelet/x/vt"
	"github.com/creack/pty"

	"authbird/flows"
)

// terminal is a real pseudo-terminal with an emulator at the other end, which
// draws what the program sends and answers its queries.
type terminal struct {
	t      *testing.T
	master *os.File
	mu     sync.Mutex
	drawn  *sync.Cond
	screen *vt.Emulator
	raw    bytes.Buffer
	late   bool
	dry    chan struct{} // the program's last word is drawn
	ended  chan struct{}
	result Result
	err    error
}

func newTerminal(t *testing.T, ctx context.Context, o Options, w, h int) *terminal {
	t.Helper()
	master, slave, err := pty.Open()
	if err != nil {
		t.Skip("no pseudo-terminal here:", err)
	}
	if err := pty.Setsize(slave, &pty.Winsize{Rows: uint16(h), Cols: uint16(w)}); err != nil {
		t.Fatal(err)
	}
	x := &terminal{t: t, master: master, screen: vt.NewEmulator(w, h), ended: make(chan struct{}), dry: make(chan struct{})}
	x.drawn = sync.NewCond(&x.mu)
	o.In, o.Out, o.Env, o.Now = slave, slave, []string{"TERM=xterm-256color"}, clock
	go io.Copy(master, x.screen)
	go x.draw()
	go func() {
		defer close(x.ended)
		x.result, x.err = Run(ctx, o)
		slave.Close()
	}()
	watch := time.AfterFunc(patience, func() {
		x.mu.Lock()
		defer x.mu.Unlock()
		x.late = true
		x.drawn.Broadcast()
	})
	t.Cleanup(func() {
		watch.Stop()
		master.Close()
		if replies, ok := x.screen.InputPipe().(io.Closer); ok {
			replies.Close() // the emulator's own Close races with its Read
		}
	})
	return x
}

// draw takes in what the program sends.
func (x *terminal) draw() {
	defer close(x.dry)
	buf := make([]byte, 4096)
	for {
		n, err := x.master.Read(buf)
		x.mu.Lock()
		x.raw.Write(buf[:n])
		x.screen.Write(buf[:n])
		x.drawn.Broadcast()
		x.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func (x *terminal) until(text string) {
	x.t.Helper()
	x.mu.Lock()
	defer x.mu.Unlock()
	for !strings.Contains(strings.Join(strings.Fields(x.screen.String()), " "), text) {
		if x.late {
			x.t.Fatalf("waited in vain for %q:\n%s", text, x.screen.String())
		}
		x.drawn.Wait()
	}
}

func (x *terminal) keys(s string) {
	x.t.Helper()
	if _, err := io.WriteString(x.master, s); err != nil {
		x.t.Fatal(err)
	}
}

func (x *terminal) end() Result {
	x.t.Helper()
	select {
	case <-x.ended:
	case <-time.After(patience):
		x.t.Fatal("the program doesn't end")
	}
	if x.err != nil {
		x.t.Fatal(x.err)
	}
	<-x.dry
	return x.result
}

const (
	enter = "\r"
	ctrlC = "\x03"
)

func TestASetupInARealTerminal(t *testing.T) {
	b := newFakeBench()
	x := newTerminal(t, t.Context(), Options{Bench: b, Shelf: &fakeShelf{}}, 80, 24)
	x.until("new setup")
	x.keys(enter)
	x.until("Connector")
	x.keys(enter)
	x.until("Connect to Authentik")
	x.keys("auth.example.com\t")
	x.until("clock 0.4 s apart")
	x.keys("\x1b[200~" + goodToken + "\n\x1b[201~" + enter)
	x.until("akadmin, superuser")
	x.keys(enter)
	x.until("Connect to NetBird")
	x.keys("netbird.example.com\t")
	x.until("Sign in with a code")
	x.keys(enter)
	x.until("BDWP-HQPK")
	b.signedIn <- goodToken
	x.until("signed in by code")
	x.keys(enter)
	x.until("See the plan")
	x.keys(enter)
	x.until("do it")
	x.keys(enter)
	x.until("Everything is made and checked")
	x.keys(enter)
	x.until("waiting for somebody")
	x.keys(enter)
	x.until("is set up")
	x.keys("q")
	got := x.end()
	if !got.Done || got.Setup != "netbird.example.com" || got.Err != nil {
		t.Errorf("the result is %+v", got)
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, secret := range []string{goodToken, b.login.DeviceCode} {
		if strings.Contains(x.raw.String(), secret) {
			t.Error("a secret was sent to the terminal")
		}
	}
	if !strings.Contains(x.raw.String(), "\x1b]8;") {
		t.Error("links are no links")
	}
	if x.screen.IsAltScreen() {
		t.Error("the normal screen is not back")
	}
}

// toTheRun brings a terminal into a run whose first step is under way.
func toTheRun(t *testing.T, ctx context.Context, b *fakeBench) *terminal {
	t.Helper()
	o := given()
	o.Bench, o.Shelf = b, &fakeShelf{}
	x := newTerminal(t, ctx, o, 80, 24)
	x.until("Go on")
	x.keys(enter)
	x.until("may change identity providers")
	x.keys(enter)
	x.until("See the plan")
	x.keys(enter)
	x.until("do it")
	x.keys(enter)
	x.until("stop after this step")
	return x
}

func TestARunThatLosesItsTerminalFinishesItsStep(t *testing.T) {
	b := newFakeBench()
	b.hold = make(chan struct{})
	ctx, lost := context.WithCancel(t.Context())
	x := toTheRun(t, ctx, b)
	b.hold <- struct{}{}
	x.until("✓ client secret")
	lost()
	select {
	case <-x.ended:
		t.Fatal("it ended in the middle of a step")
	case b.hold <- struct{}{}:
	}
	got := x.end()
	var stop *flows.Stopped
	if !errors.As(got.Err, &stop) || stop.Reason != flows.Interrupted || len(stop.Stands) == 0 {
		t.Errorf("the result is %+v", got)
	}
	if last := got.Lines[len(got.Lines)-1]; last != "Go on with: authbird resume netbird.example.com" {
		t.Errorf("the last line is %q", last)
	}
	if b.open != 0 {
		t.Error("the setup is still held")
	}
}

func TestLeavingAfterCtrlCSaysHowToGoOn(t *testing.T) {
	b := newFakeBench()
	b.hold = make(chan struct{}, 4)
	x := toTheRun(t, t.Context(), b)
	b.hold <- struct{}{}
	x.until("› provider")
	x.keys(ctrlC)
	x.until("Stopping after this step")
	b.hold <- struct{}{}
	x.until("Stopped between two steps")
	x.keys("\x1b[B" + enter)
	got := x.end()
	want := []string{"netbird.example.com stopped: as you asked", "  Stands: client secret client-secret at here", "Go on with: authbird resume netbird.example.com"}
	if strings.Join(got.Lines, "\n") != strings.Join(want, "\n") {
		t.Errorf("the lines are %q", got.Lines)
	}
}
