package flows

import (
	"context"

	"authbird/facts"
)

// earlyReads are a part of the proof that begins while steps are still being
// done. It outlives the step that began it, and ends with the run that waits
// for it. Two of them never write the same facts.
type earlyReads struct {
	facts *facts.Facts // that it was begun for
	wait  func()       // nil: not begun, or over
	stop  context.CancelFunc
}

func (e *earlyReads) begunFor(f *facts.Facts) bool { return e.wait != nil && e.facts == f }

// begin starts reads, which return how to wait for them, once those before them
// have ended.
func (e *earlyReads) begin(ctx context.Context, f *facts.Facts, reads func(context.Context) (wait func())) {
	e.end(ctx)
	ctx, e.stop = context.WithCancel(context.WithoutCancel(ctx))
	e.facts, e.wait = f, reads(ctx)
}

// end waits for them, or stops them when ctx is done.
func (e *earlyReads) end(ctx context.Context) {
	if e.wait == nil {
		return
	}
	defer e.stop()
	defer context.AfterFunc(ctx, e.stop)()
	e.wait()
	e.wait = nil
}
