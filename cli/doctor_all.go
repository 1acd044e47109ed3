package cli

import (
	"context"
	"errors"
	"fmt"
	"runtime"

	"golang.org/x/sync/errgroup"

	"authbird/clients"
	"authbird/doctor"
	"authbird/flows"
	"authbird/keystore"
)

// atOnce is how many setups are looked at together: enough that waiting for
// answers costs nothing, few enough that neither this machine nor a server that
// many setups share is flooded.
const atOnce = 16

// round looks at every patient and hands each diagnosis on as it is there, in
// the patients' order. One that fails is a diagnosis that could not look, and
// stops none of the others. The error is the run's own end.
func (a *app) round(ctx context.Context, c *clinic, tell func(*patient, *flows.Diagnosis)) error {
	done := make([]chan *flows.Diagnosis, len(c.patients))
	for i := range done {
		done[i] = make(chan *flows.Diagnosis, 1)
	}
	var g errgroup.Group
	g.SetLimit(max(atOnce, runtime.GOMAXPROCS(0)))
	go func() {
		for i, p := range c.patients {
			g.Go(func() error {
				done[i] <- a.lookAnyway(ctx, c, p)
				return nil
			})
		}
	}()
	for i, p := range c.patients {
		d := <-done[i]
		if ctx.Err() != nil {
			continue // let the others end
		}
		tell(p, d)
	}
	if ctx.Err() != nil {
		return errInterrupted
	}
	return nil
}

// lookAnyway is look, with whatever stood in the way in the diagnosis.
func (a *app) lookAnyway(ctx context.Context, c *clinic, p *patient) *flows.Diagnosis {
	d, err := a.look(ctx, c.bench, p)
	if err != nil {
		return &flows.Diagnosis{Setup: p.name, Answers: p.answers, CouldNotLook: err}
	}
	return d.Brief()
}

// unlock opens, before many setups are looked at, each keystore that they need:
// a passphrase is asked for once, and a wrong one is told once.
func (c *clinic) unlock(ctx context.Context) error {
	done := map[string]bool{}
	for _, p := range c.patients {
		if p.name == "" || done[p.answers.Keystore] {
			continue
		}
		done[p.answers.Keystore] = true
		keys, err := c.bench.OpenKeys(ctx, keystore.Kind(p.answers.Keystore))
		if err == nil {
			err = keys.Unlock(ctx)
		}
		// Without a passphrase, what no token is needed for can still be seen.
		if err != nil && (!errors.Is(err, keystore.ErrNoPassphrase) || p.tokens.Authentik == "") {
			return err
		}
	}
	return nil
}

// lookAtAll looks at all setups and tells each in turn.
func (a *app) lookAtAll(ctx context.Context, c *clinic) error {
	if err := c.unlock(ctx); err != nil {
		return err
	}
	var all []*flows.Diagnosis
	err := a.round(ctx, c, func(_ *patient, d *flows.Diagnosis) {
		all = append(all, d)
		if a.opts.doctor.report != "-" {
			a.say.diagnosis(d)
		}
	})
	if err != nil {
		return err
	}
	if err := a.report(c, all...); err != nil {
		return err
	}
	a.last = a.verdictOfAll(all)
	if a.opts.doctor.report == "-" {
		a.last.Message, a.last.Hints = "", nil
	}
	return nil
}

// verdictOfAll is the last word about several: what failed counts more than
// what could not be looked at.
func (a *app) verdictOfAll(all []*flows.Diagnosis) outcome {
	var wrong, notes, unseen, blind []string
	out := outcome{}
	for _, d := range all {
		n := doctor.Count(d.Results)
		switch name := diagnosed(d); {
		case d.CouldNotLook != nil:
			blind = append(blind, fmt.Sprintf("%s could not be looked at: %s", name, clients.Clean(d.CouldNotLook.Error())))
			if out.Exit == exitDone || out.Exit == exitPerson {
				out.Exit = exitOf(d.CouldNotLook)
			}
		case n[doctor.Fail] > 0:
			wrong = append(wrong, fmt.Sprintf("%s: %s", name, n))
		case n[doctor.Warn] > 0:
			notes = append(notes, name)
		case n[doctor.Unknown] > 0:
			unseen = append(unseen, name)
		}
		if out.Exit == exitDone && d.CouldNotLook == nil {
			out.Exit = a.doctorExit(n)
		}
	}
	if len(wrong) > 0 {
		out.Exit = exitFailed
	}
	well := len(all) - len(wrong) - len(notes) - len(unseen) - len(blind)
	out.Message = fmt.Sprintf("%s: %d with something wrong, %d with notes, %d with something unseen, %d could not be looked at, %d well",
		count(len(all), "setup"), len(wrong), len(notes), len(unseen), len(blind), well)
	if well == len(all) {
		out.Message = fmt.Sprintf("all is well in %s", count(len(all), "setup"))
	}
	out.Hints = append(wrong, blind...)
	return out
}
