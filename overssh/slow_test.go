//go:build unix

package overssh

import (
	"net"
	"testing"
	"time"
)

// mostBytes is the most that may be sent for the whole connector setup.
const mostBytes = 64 << 10

func TestTheWholeConnectorWalkIsSentInFewBytes(t *testing.T) {
	for _, win := range []window{
		{size: size{40, 12}}, {size: usual}, {size: size{200, 60}},
		{size: usual, env: []string{"COLORTERM=truecolor"}}, {size: usual, term: "linux"},
	} {
		t.Run(win.String(), func(t *testing.T) {
			w := newWorld(t)
			x := open(t, win, w.shell())
			x.walk(w.connectorWalk(), nil)
			x.ends(0)
			n := len(x.written())
			t.Logf("%d bytes", n)
			if n > mostBytes {
				t.Errorf("%d bytes were sent, and %d are the most", n, mostBytes)
			}
		})
	}
}

const (
	baud  = 9600 / 10 // bytes a second: eight bits, a start and a stop
	delay = 150 * time.Millisecond
)

// slowLine is a port that leads to the SSH server over a line of 9,600 baud on
// which a key's echo takes 300 ms.
func slowLine(t *testing.T) (port string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	t.Cleanup(func() { l.Close(); close(ended) })
	go func() {
		near, err := l.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("tcp", "127.0.0.1:"+here.sshd.port)
		if err != nil {
			near.Close()
			return
		}
		go carry(near, far, ended)
		carry(far, near, ended)
	}()
	_, port, err = net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// parcel is bytes that were on the line at a moment.
type parcel struct {
	sent  time.Time
	bytes []byte
}

// carry brings what one end sends to the other: each byte takes its time, and
// all of them the way.
func carry(from, to net.Conn, ended <-chan struct{}) {
	defer from.Close()
	defer to.Close()
	line := make(chan parcel, 1<<16)
	go func() {
		defer close(line)
		for {
			chunk := make([]byte, 96) // a tenth of a second's
			n, err := from.Read(chunk)
			if err != nil {
				return
			}
			line <- parcel{time.Now(), chunk[:n]}
		}
	}()
	var free time.Time // when the line is
	for p := range line {
		if free.Before(p.sent) {
			free = p.sent
		}
		free = free.Add(time.Duration(len(p.bytes)) * time.Second / baud)
		arrives := time.NewTimer(time.Until(free.Add(delay)))
		select {
		case <-arrives.C:
		case <-ended:
			arrives.Stop()
			return
		}
		if _, err := to.Write(p.bytes); err != nil {
			return
		}
	}
}

// On a line of 9,600 baud everything that is typed ahead arrives, in its order,
// and the walk comes to its end.
func TestASlowLineLosesNoKey(t *testing.T) {
	w := newWorld(t)
	x := open(t, window{port: slowLine(t)}, w.shell())
	began := time.Now()
	stops := w.connectorWalk()
	// The first two screens and the address are typed before anything is seen.
	x.types(stops[0].types + stops[1].types + stops[2].types)
	x.walk(stops[3:], nil)
	x.ends(0)
	t.Logf("%d bytes, %v", len(x.written()), time.Since(began).Round(time.Second))
}
