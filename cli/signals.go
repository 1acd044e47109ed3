package cli

import (
	"context"
	"errors"
	"os"
	"sync/atomic"
	"syscall"
)

// interrupts turns signals into the two ways of stopping: the first signal
// stops between steps, a second Ctrl-C gives up at once. SIGTERM and SIGHUP
// are like one Ctrl-C, however many of them come: a closing session sends
// several in a row, and none of them is a person's second thought.
type interrupts struct {
	giveUp  context.Context
	screen  atomic.Bool // the full screen is drawn: no remark may be written over it
	stopped atomic.Bool
	first   atomic.Value // os.Signal: the one that stopped it
}

// listen returns a context that the first signal cancels, and what ends the
// listening.
func (i *interrupts) listen(ctx context.Context, signals <-chan os.Signal, note func(string)) (context.Context, func()) {
	ctx, stop := context.WithCancelCause(ctx)
	giveUp, give := context.WithCancel(context.Background())
	i.giveUp = giveUp
	over, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-over:
				return
			case s := <-signals:
				i.first.CompareAndSwap(nil, received{s})
				if i.stopped.Swap(true) {
					if s == os.Interrupt {
						give()
					}
					continue
				}
				stop(stoppedBy(s))
				if !i.screen.Load() {
					note("stopping after what has begun; Ctrl-C once more gives up at once")
				}
			}
		}
	}()
	return ctx, func() { close(over); <-ended; stop(nil); give() }
}

// stoppedBy is why a signal stops a run, as the journal keeps it; nil: the
// person at it asked.
func stoppedBy(s os.Signal) error {
	switch s {
	case syscall.SIGHUP:
		return errors.New("the terminal went away, as it does when an SSH line drops")
	case syscall.SIGTERM:
		return errors.New("authbird was told to end (SIGTERM)")
	}
	return nil
}

// received holds a signal, whatever its type.
type received struct{ os.Signal }

// asked is the signal that stopped the run; nil: none did.
func (i *interrupts) asked() os.Signal {
	if h, ok := i.first.Load().(received); ok {
		return h.Signal
	}
	return nil
}

// gaveUp says that the person did not wait for the last step.
func (i *interrupts) gaveUp() bool { return i.giveUp != nil && i.giveUp.Err() != nil }
