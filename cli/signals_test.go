package cli

import (
	"context"
	"os"
	"syscall"
	"testing"
)

// heard runs the signals through the listener and returns the remarks and how
// it stands when all of them were heard.
func heard(t *testing.T, signals ...os.Signal) (i *interrupts, ctx context.Context, notes int) {
	t.Helper()
	i = &interrupts{}
	in := make(chan os.Signal)
	ctx, release := i.listen(context.Background(), in, func(string) { notes++ })
	for _, s := range signals {
		in <- s
	}
	in <- syscall.SIGHUP // taken only when the ones before have been dealt with
	if i.gaveUp() != (i.giveUp.Err() != nil) {
		t.Error("gaveUp and its context disagree")
	}
	t.Cleanup(release)
	return i, ctx, notes
}

func TestOneSignalStopsAndOnlyASecondCtrlCGivesUp(t *testing.T) {
	for _, c := range []struct {
		name    string
		signals []os.Signal
		gaveUp  bool
	}{
		{"one Ctrl-C", []os.Signal{os.Interrupt}, false},
		{"two Ctrl-C", []os.Signal{os.Interrupt, os.Interrupt}, true},
		{"a closing session", []os.Signal{syscall.SIGHUP, syscall.SIGTERM, syscall.SIGHUP}, false},
		{"a service stopped, twice", []os.Signal{syscall.SIGTERM, syscall.SIGTERM}, false},
		{"Ctrl-C after SIGTERM", []os.Signal{syscall.SIGTERM, os.Interrupt}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			i, ctx, notes := heard(t, c.signals...)
			if ctx.Err() == nil || i.gaveUp() != c.gaveUp || notes != 1 {
				t.Errorf("stopped %v, gave up %v, %d remarks", ctx.Err() != nil, i.gaveUp(), notes)
			}
		})
	}
}
