package cli

import (
	"context"
	"os"
	"sync/atomic"
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
	ctx, stop := context.WithCancel(ctx)
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
				stop()
				if !i.screen.Load() {
					note("stopping after what has begun; Ctrl-C once more gives up at once")
				}
			}
		}
	}()
	return ctx, func() { close(over); <-ended; stop(); give() }
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
