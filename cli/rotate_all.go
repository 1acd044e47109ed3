package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"authbird/flows"
	"authbird/keystore"
	"authbird/state"
)

// task is what is to be renewed in one of several setups.
type task struct {
	setup  *state.Setup
	wanted []string
	job    *job
	done   chan outcome
}

// rotateMany renews in all setups that fit a pattern what is named or, with
// --all-due, what is due.
func (a *app) rotateMany(ctx context.Context, dir *state.Dir, pattern string, wanted []string) error {
	all, err := dir.List()
	if err != nil {
		return err
	}
	setups, err := matching(all, pattern)
	if err != nil {
		return err
	}
	if a.given["netbird-config"] == byFlag && len(setups) > 1 {
		return usagef("--netbird-config names the file of one NetBird, and these are %s", count(len(setups), "setup"))
	}
	tasks := a.tasksOf(setups, wanted)
	if len(tasks) == 0 {
		a.last.Message = "nothing is due: " + count(len(setups), "setup")
		if a.opts.all {
			a.last.Message = fmt.Sprintf("none of %s has that to renew", count(len(setups), "setup"))
		}
		return nil
	}
	if err := a.prepareTasks(ctx, setups, tasks); err != nil {
		return err
	}
	a.last = lastOf(a.carryTasks(ctx, tasks))
	if a.last.Exit == exitDone {
		a.last.Message = count(credentialsOf(tasks), "credential") + " renewed"
	}
	return nil
}

// tasksOf tells how old things are, and picks what is to be renewed.
func (a *app) tasksOf(setups []*state.Setup, wanted []string) []*task {
	var out []*task
	for _, s := range setups {
		t := &task{setup: s, done: make(chan outcome, 1)}
		renewals := flows.Renewals(s, a.Now())
		for _, r := range renewals {
			if a.opts.allDue || slices.Contains(wanted, r.Name) {
				a.say.renewal(r)
			}
			if r.Why == "" && (a.opts.allDue && (r.Overdue || r.Stopped) || slices.Contains(wanted, r.Name)) {
				t.wanted = append(t.wanted, r.Name)
			}
		}
		if a.opts.leak && len(wanted) == 0 {
			t.wanted, _ = flows.Leaked(renewals)
		}
		if len(t.wanted) > 0 {
			out = append(out, t)
		}
	}
	return out
}

// prepareTasks makes a job of each. Keystores are opened once for all, and a
// token that was given goes to the servers that it is for and to no other.
func (a *app) prepareTasks(ctx context.Context, setups []*state.Setup, tasks []*task) error {
	tokens, err := a.tokens()
	if err != nil {
		return err
	}
	c := &clinic{asks: a.lineAsks()}
	if c.bench, err = a.bench(a.askerFor(c.asks)); err != nil {
		return err
	}
	byName := map[string]*patient{}
	for _, p := range a.patientsOf(setups, tokens) {
		byName[p.name] = p
	}
	for _, t := range tasks {
		p := byName[t.setup.Name]
		c.patients = append(c.patients, p)
		t.job = &job{name: p.name, answers: p.answers, tokens: p.tokens, kept: t.setup.Credentials, bench: c.bench, asks: c.asks}
		t.job.quiet = c.asks == askNobody && len(tasks) > 1 && !a.opts.json
		if a.given["restart-command"] != "" {
			t.job.answers.RestartCommand = a.opts.restartCommand
		}
		if a.given["rotate-every"] != "" {
			t.job.answers.RotateEvery = a.opts.rotateEvery
		}
	}
	return c.unlock(ctx)
}

// carryTasks does them all and tells how each ended, in their order. Setups at
// one NetBird are done one after the other, because its restart is felt by all
// of them; so is everything where somebody is asked.
func (a *app) carryTasks(ctx context.Context, tasks []*task) []outcome {
	var g errgroup.Group
	g.SetLimit(a.opts.jobs)
	go func() {
		for _, together := range a.byNetBird(tasks) {
			g.Go(func() error {
				for _, t := range together {
					t.done <- a.carryTask(ctx, t)
				}
				return nil
			})
		}
	}()
	var all []outcome
	for _, t := range tasks {
		out := <-t.done
		out.Next = a.withState(out.Next)
		a.say.outcome(out)
		all = append(all, out)
	}
	return all
}

func (a *app) byNetBird(tasks []*task) [][]*task {
	at := map[string]int{}
	var out [][]*task
	for _, t := range tasks {
		where := netBirdOf(t.job.answers)
		if t.job.asks != askNobody {
			where = ""
		}
		i, known := at[where]
		if !known {
			i = len(out)
			at[where], out = i, append(out, nil)
		}
		out[i] = append(out[i], t)
	}
	return out
}

// carryTask renews one credential after the other; one that fails stops no
// other, and the worst is what is told of the setup.
func (a *app) carryTask(ctx context.Context, t *task) outcome {
	out := outcome{Setup: t.setup.Name, Proven: new(bool)}
	*out.Proven = true
	var worst outcome
	for _, name := range t.wanted {
		err := t.restartable(name)
		switch {
		case ctx.Err() != nil:
			err = errInterrupted
		case err == nil:
			err = a.rotateOne(ctx, t.job, name, &out)
		}
		if err == nil {
			continue
		}
		if failed := explain(ofSetup(t.setup.Name, err)); worse(worst.Exit, failed.Exit) != worst.Exit {
			worst = failed
		}
	}
	out.Message = strings.TrimPrefix(out.Message, t.setup.Name+": ")
	if worst.Exit == exitDone {
		return out
	}
	worst.Hints = append(worst.Hints, notEmpty(append([]string{out.Message}, out.Hints...)...)...)
	return worst
}

// restartable stops where NetBird must be restarted and nobody is there to do
// it.
func (t *task) restartable(credential string) error {
	restarts := credential == keystore.ClientSecret || credential == keystore.AppPassword
	if !restarts || t.job.asks != askNobody || t.job.answers.RestartCommand != "" {
		return nil
	}
	return &flows.Stopped{Reason: flows.NeedsPerson, Err: fmt.Errorf("the %s was left alone: NetBird must be restarted for it", credential),
		Hints: []string{"--restart-command lets authbird restart it; or at a terminal: authbird rotate " + quote(t.setup.Name) + " " + credential}}
}

func credentialsOf(tasks []*task) int {
	n := 0
	for _, t := range tasks {
		n += len(t.wanted)
	}
	return n
}
