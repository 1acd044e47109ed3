//go:build linux && amd64

package matrix

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// enough is how often a person may have to run authbird again.
const enough = 3

// suffer lets something happen to a run of the flow (disturb says whether the
// run ended well all the same), runs authbird again until it says that it is
// done, and compares what stands then with the undisturbed ending. In the end
// a setup is taken back, which must leave what was there before; but for
// renewed admin tokens and signing keys, which stay.
func (f flow) suffer(t *testing.T, want ending, disturb func(*world) bool) {
	t.Helper()
	w := f.begin(t)
	defer tally.add(f.name, t)()
	done := disturb(w)
	for w.missed {
		more := w.patience * morePatience
		w = f.begin(t)
		w.patience = more
		done = disturb(w)
	}
	w.settle(f, done)
	if diff := cmp.Diff(want, w.ending(f), cmpopts.IgnoreUnexported(ending{})); diff != "" {
		t.Errorf("another ending than the undisturbed one (-undisturbed +this):\n%s", diff)
	}
	if !f.gone && !f.leaves && !t.Failed() && has(t, "remove") {
		w.putBack()
		w.undisturbed(remove...)
		w.asBefore()
	}
}

// settle runs authbird again until it says that it is done.
func (w *world) settle(f flow, done bool) {
	w.t.Helper()
	done = done && !f.undo
	var said []string
	for n := 0; !done && !(f.undo && w.nothingThere()); n++ {
		if n == enough {
			w.t.Fatalf("not done after %d more runs:\n%s", n, strings.Join(said, "\n"))
		}
		args := f.again(w)
		c := w.run(args...)
		said = append(said, "authbird "+strings.Join(args, " "), c.out.String())
		done = c.exit == 0
		if w.obey(c) { // a person had to act, nothing was disturbed
			n--
			continue
		}
		tally.resumed(f.name, n+1)
	}
}
