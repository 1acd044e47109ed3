package cli

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"time"

	"authbird/doctor"
	"authbird/flows"
)

// watchAll looks again and again until it is told to stop, tells the first look
// whole and from then on what has changed, and runs a command on each change.
// SIGINT ends it with 130; SIGTERM is how a service manager ends it, and its
// good end.
func (a *app) watchAll(ctx context.Context, c *clinic) error {
	if len(c.patients) == 1 {
		if err := a.askTokens(ctx, c, c.patients[0]); err != nil {
			return err
		}
	}
	if err := c.unlock(ctx); err != nil {
		return err
	}
	w := watcher{
		look: func(ctx context.Context, tell func(*flows.Diagnosis)) error {
			return a.round(ctx, c, func(_ *patient, d *flows.Diagnosis) { tell(d) })
		},
		tell: a.say, period: a.opts.doctor.watch, wait: a.Wait, hook: a.hook,
	}
	err := w.run(ctx)
	if a.stop.asked() == os.Interrupt || a.stop.asked() == nil {
		return err
	}
	a.last = outcome{}
	return nil
}

// watcher is the loop of --watch. It knows neither servers nor clock.
type watcher struct {
	look   func(context.Context, func(*flows.Diagnosis)) error // one round over all
	tell   voice
	period time.Duration
	wait   func(context.Context, time.Duration) error
	hook   func(ctx context.Context, setup string, verdict doctor.Verdict)
	before map[string]*flows.Diagnosis
}

// run never ends well: it ends with ctx, or where a look can't even be tried.
func (w *watcher) run(ctx context.Context) error {
	w.before = map[string]*flows.Diagnosis{}
	for {
		if err := w.look(ctx, func(d *flows.Diagnosis) { w.heed(ctx, d) }); err != nil {
			return err
		}
		if err := w.wait(ctx, w.period); err != nil {
			return errInterrupted
		}
	}
}

// heed tells what is otherwise in a diagnosis than it was before. The first is
// told whole, and is a change where not all is well: whoever begins to watch
// wants to hear of it.
func (w *watcher) heed(ctx context.Context, d *flows.Diagnosis) {
	was := w.before[d.Setup]
	verdict := verdictNow(d)
	if w.before[d.Setup] = d; d.CouldNotLook != nil && was != nil {
		blind := *d // what was seen last is what the next look is compared with
		blind.Results = was.Results
		w.before[d.Setup] = &blind
	}
	if was == nil {
		w.tell.diagnosis(d)
		if verdict != doctor.OK {
			w.hook(ctx, d.Setup, verdict)
		}
		return
	}
	changes := changesIn(was, d)
	if len(changes) == 0 && (was.CouldNotLook == nil) == (d.CouldNotLook == nil) {
		return
	}
	w.tell.changed(d, changes)
	w.hook(ctx, d.Setup, verdict)
}

// verdictNow is the gravest verdict; unknown where it could not look.
func verdictNow(d *flows.Diagnosis) doctor.Verdict {
	if d.CouldNotLook != nil {
		return doctor.Unknown
	}
	return doctor.Count(d.Results).Verdict()
}

// changesIn are the checks whose verdict or cause is another now. While it
// could not look, nothing is said to have changed.
func changesIn(was, now *flows.Diagnosis) []change {
	if now.CouldNotLook != nil {
		return nil
	}
	before := map[string]doctor.Result{}
	for _, c := range was.Results {
		before[c.ID] = c
	}
	var out []change
	for _, c := range doctor.Sorted(now.Results) {
		b, asked := before[c.ID]
		if asked && b.Verdict == c.Verdict && b.Cause == c.Cause || !asked && c.Verdict == doctor.OK {
			continue
		}
		out = append(out, change{was: b.Verdict, now: c})
	}
	return out
}

// hookTime bounds the command of --on-change: one that hangs must not end the
// watch.
const hookTime = time.Minute

// hook runs the command of --on-change. What it prints goes to standard error.
func (a *app) hook(ctx context.Context, setup string, verdict doctor.Verdict) {
	if a.opts.doctor.onChange == "" {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, hookTime)
	defer cancel()
	cmd := shell(ctx, a.opts.doctor.onChange)
	cmd.Env = append(withoutSecrets(a.Environ), "AUTHBIRD_SETUP="+setup, "AUTHBIRD_VERDICT="+string(verdict))
	cmd.Stdout, cmd.Stderr = a.Stderr, a.Stderr
	cmd.WaitDelay = time.Second
	if err := cmd.Run(); err != nil {
		a.note(fmt.Sprintf("the command of --on-change failed: %v", err))
	}
}

func shell(ctx context.Context, line string) *exec.Cmd {
	if runtime.GOOS == "windows" {
		return exec.CommandContext(ctx, "cmd", "/c", line)
	}
	return exec.CommandContext(ctx, "sh", "-c", line)
}

// withoutSecrets is this process's environment without the variables that hold
// secrets or lead to them.
func withoutSecrets(environ func() []string) []string {
	if environ == nil {
		return nil
	}
	return slices.DeleteFunc(environ(), func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		return strings.HasPrefix(name, "AUTHBIRD_") || strings.HasPrefix(name, "AUTHENTIK_TOKEN") || strings.HasPrefix(name, "NETBIRD_TOKEN")
	})
}
