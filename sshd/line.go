package sshd

import (
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/charmbracelet/ssh"
)

// Why sessions end, other than by the person leaving.
var (
	errGone     = errors.New("the line dropped")
	errIdle     = errors.New("nobody typed for too long")
	errTime     = errors.New("the time of a session was over")
	errStopping = errors.New("the server was stopped")
	errTooMuch  = errors.New("more was sent than anybody types")
)

// mostTyped bounds what one session may send, in bytes. What is pasted is held in
// memory until the paste ends, so this bounds that too.
const mostTyped = 1 << 20

// mostHeld is how much of what was typed waits until it is read, in bytes.
const mostHeld = 64 << 10

// line is the two ways between a person and the screens.
type line struct {
	ch       io.ReadWriter
	ctx      context.Context
	end      context.CancelCauseFunc
	idle     *time.Timer
	idleTime time.Duration
	busy     atomic.Bool // a write is under way
	kill     func()      // closes the connection, which ends a write that nobody reads
	stuck    time.Duration

	mu     sync.Mutex
	moved  *sync.Cond
	held   []byte // typed and not read
	over   bool   // nothing more is typed
	reader int    // who may read
}

// stuck is how long a client has to take what is written once its session is over.
const stuck = 5 * time.Second

// newLine listens to a channel. end is called with why, when the person is gone
// or idle for longer than the time; kill, when what is written after the end is
// not taken for the time stuck.
func newLine(ctx context.Context, end context.CancelCauseFunc, ch io.ReadWriter, idle, stuck time.Duration, kill func()) *line {
	l := &line{ch: ch, ctx: ctx, end: end, idleTime: idle, kill: kill, stuck: stuck}
	l.moved = sync.NewCond(&l.mu)
	l.idle = time.AfterFunc(idle, func() { end(errIdle) })
	context.AfterFunc(ctx, func() {
		l.idle.Stop()
		time.AfterFunc(stuck, func() {
			if l.busy.Load() {
				kill()
			}
		})
	})
	go l.listen()
	return l
}

// listen takes in what is typed, until the channel is closed. The end of it is
// the end of the session.
func (l *line) listen() {
	chunk, typed := make([]byte, 4<<10), 0
	for {
		n, err := l.ch.Read(chunk)
		typed += n
		switch {
		case err != nil:
			l.end(errGone)
		case typed > mostTyped:
			l.end(errTooMuch)
			err = io.EOF
		case l.ctx.Err() == nil:
			l.idle.Reset(l.idleTime)
		}
		l.mu.Lock()
		for len(l.held) > mostHeld && !l.over {
			l.moved.Wait()
		}
		l.held = append(l.held, chunk[:n]...)
		l.over = l.over || err != nil
		l.moved.Broadcast()
		over := l.over
		l.mu.Unlock()
		if over {
			return
		}
	}
}

// Read is what was typed, for the screens.
func (l *line) Read(p []byte) (int, error) { return l.read(0, p) }

// Renew ends what reads so far, and returns who reads from now on. The screens
// leave a Read behind that can't be called back; it must not take what comes after
// them.
func (l *line) Renew() io.Reader {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.reader++
	l.moved.Broadcast()
	return later{l, l.reader}
}

// later reads what is typed after the screens.
type later struct {
	line   *line
	reader int
}

func (r later) Read(p []byte) (int, error) { return r.line.read(r.reader, p) }

func (l *line) read(me int, p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.held) == 0 && !l.over && l.reader == me {
		l.moved.Wait()
	}
	if l.reader != me || len(l.held) == 0 {
		return 0, io.EOF
	}
	n := copy(p, l.held)
	l.held = l.held[n:]
	l.moved.Broadcast()
	return n, nil
}

// close lets go whoever still reads.
func (l *line) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.over, l.held = true, nil
	l.moved.Broadcast()
}

// Write draws. The screens write newlines as a program in a terminal does.
func (l *line) Write(p []byte) (int, error) {
	if l.ctx.Err() != nil {
		defer time.AfterFunc(l.stuck, l.kill).Stop()
	}
	l.busy.Store(true)
	defer l.busy.Store(false)
	return ssh.NewPtyWriter(l.ch).Write(p)
}
