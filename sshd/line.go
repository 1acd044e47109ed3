package sshd

import (
	"context"
	"errors"
	"io"
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
// memory until it ends, so this bounds that too.
const mostTyped = 1 << 20

// line is the two ways between a person and the screens.
type line struct {
	io.ReadWriter // the channel
	ctx           context.Context
	end           context.CancelCauseFunc
	idle          *time.Timer
	idleTime      time.Duration
	typed         int64
	busy          atomic.Bool // a write is under way
	kill          func()      // closes the connection, which ends a write that nobody reads
}

// stuck is how long a client has to take what is written once its session is over.
const stuck = 5 * time.Second

// newLine watches a channel. end is called with why, when the person is gone or
// idle for longer than the time.
func newLine(ctx context.Context, end context.CancelCauseFunc, ch io.ReadWriter, idle time.Duration, kill func()) *line {
	l := &line{ReadWriter: ch, ctx: ctx, end: end, idleTime: idle, kill: kill}
	l.idle = time.AfterFunc(idle, func() { end(errIdle) })
	context.AfterFunc(ctx, func() {
		l.idle.Stop()
		time.AfterFunc(stuck, func() {
			if l.busy.Load() {
				kill()
			}
		})
	})
	return l
}

// Read is what the person types. The end of it is the end of the session.
func (l *line) Read(p []byte) (int, error) {
	n, err := l.ReadWriter.Read(p)
	l.typed += int64(n)
	switch {
	case err != nil:
		l.end(errGone)
	case l.typed > mostTyped:
		l.end(errTooMuch)
		return 0, io.EOF
	case l.ctx.Err() == nil:
		l.idle.Reset(l.idleTime)
	}
	return n, err
}

// Write draws. The screens write newlines as a program in a terminal does.
func (l *line) Write(p []byte) (int, error) {
	if l.ctx.Err() != nil {
		defer time.AfterFunc(stuck, l.kill).Stop()
	}
	l.busy.Store(true)
	defer l.busy.Store(false)
	return ssh.NewPtyWriter(l.ReadWriter).Write(p)
}
