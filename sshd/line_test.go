package sshd

import (
	"context"
	"io"
	"net/netip"
	"sync"
	"testing"
	"time"

	"authbird/tui"
)

// pipe is a channel whose other end is a test.
type pipe struct {
	io.Reader
	io.Writer
}

func TestALineThatNobodyReadsIsClosed(t *testing.T) {
	ctx, end := context.WithCancelCause(context.Background())
	typed, keys := io.Pipe()
	defer keys.Close()
	seen, drawn := io.Pipe() // and nobody reads it
	killed := make(chan struct{})
	var once sync.Once
	l := newLine(ctx, end, pipe{typed, drawn}, time.Hour, time.Millisecond, func() {
		once.Do(func() { close(killed); seen.CloseWithError(io.ErrClosedPipe) })
	})
	wrote := make(chan error, 1)
	go func() {
		_, err := l.Write([]byte("a screen"))
		wrote <- err
	}()
	for !l.busy.Load() {
		select {
		case err := <-wrote:
			t.Fatalf("it was written: %v", err)
		default:
		}
	}
	end(errIdle)
	select {
	case <-killed:
	case <-time.After(patience):
		t.Fatal("the connection stays open")
	}
	if err := <-wrote; err == nil {
		t.Error("it is said to have been written")
	}
}

func TestWhatIsTypedAfterTheScreensIsNotTheirs(t *testing.T) {
	ctx, end := context.WithCancelCause(context.Background())
	defer end(nil)
	typed, keys := io.Pipe()
	l := newLine(ctx, end, pipe{typed, io.Discard}, time.Hour, time.Hour, func() {})
	left := make(chan error, 1)
	go func() {
		_, err := l.Read(make([]byte, 10))
		left <- err
	}()
	after := l.Renew()
	if err := <-left; err != io.EOF {
		t.Errorf("the Read that was left behind: %v", err)
	}
	go keys.Write([]byte("reply"))
	got := make([]byte, 5)
	if _, err := io.ReadFull(after, got); err != nil || string(got) != "reply" {
		t.Errorf("read %q, %v", got, err)
	}
	keys.Close()
	if _, err := after.Read(got); err != io.EOF {
		t.Errorf("at the end: %v", err)
	}
	<-ctx.Done()
	if context.Cause(ctx) != errGone {
		t.Errorf("it ended because %v", context.Cause(ctx))
	}
}

func TestSizes(t *testing.T) {
	for in, want := range map[[2]uint32]tui.Size{
		{80, 24}: {Width: 80, Height: 24}, {0, 0}: {Width: 80, Height: 24}, {1, 1}: {Width: 1, Height: 1}, {0, 50}: {Width: 80, Height: 50},
		{1 << 31, 1<<32 - 1}: {Width: widest, Height: highest}, {501, 201}: {Width: 500, Height: 200},
	} {
		if got := sane(in[0], in[1]); got != want {
			t.Errorf("%v: %v", in, got)
		}
	}
}

func TestAFailedLoginCostsWaitingAndFades(t *testing.T) {
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	g := newGate(nil, time.Hour, func() time.Time { return now })
	one, beside, other := netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8::2"), netip.MustParseAddr("2001:db8:1::1")
	for range freeFailures {
		g.failed(one)
	}
	if d := g.wait(one); d != 0 {
		t.Errorf("after %d failures: %v", freeFailures, d)
	}
	g.failed(beside) // of the same network
	g.failed(one)
	if d := g.wait(one); d != 2*failureCosts {
		t.Errorf("after two more: %v", d)
	}
	if d := g.wait(other); d != 0 {
		t.Errorf("another network waits %v", d)
	}
	for range 100 {
		g.failed(one)
	}
	if d := g.wait(one); d != longestWait {
		t.Errorf("after many: %v", d)
	}
	now = now.Add(10 * time.Minute)
	if d := g.wait(one); d != 0 {
		t.Errorf("ten minutes later: %v", d)
	}
	if !g.tell(one) || g.tell(one) {
		t.Error("not one line a minute")
	}
	now = now.Add(time.Minute)
	if !g.tell(one) {
		t.Error("no line after a minute")
	}
	for i := range 3 * mostRecords {
		g.failed(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}))
	}
	if n := len(g.fails); n > mostRecords {
		t.Errorf("%d addresses are remembered", n)
	}
}
