package cli

import (
	"context"
	"fmt"
	"strings"

	"authbird/flows"
	"authbird/keystore"
	"authbird/state"
)

// fix looks, shows what would repair what was found, asks, repairs, and tells
// what a second look finds.
func (a *app) fix(ctx context.Context, c *clinic) error {
	p := c.patients[0]
	if err := a.askTokens(ctx, c, p); err != nil {
		return err
	}
	d, err := a.look(ctx, c.bench, p)
	if err != nil {
		return err
	}
	if len(flows.Repairs(d)) == 0 || d.CouldNotLook != nil {
		return a.tellOnce(c, d)
	}
	a.say.diagnosis(d)
	after, err := a.repair(ctx, c, d)
	switch {
	case err != nil:
		return err
	case after != nil:
		a.note("repaired, and looked again:")
		return a.tellOnce(c, after)
	}
	a.last = a.verdictOf(d)
	a.last.Message = "nothing was changed; " + a.last.Message
	return a.report(c, d)
}

// repair plans all repairs of a diagnosis, asks, carries them out and looks
// again. Nil: the answer was no, or there was nothing to change.
func (a *app) repair(ctx context.Context, c *clinic, d *flows.Diagnosis) (*flows.Diagnosis, error) {
	r, err := c.bench.PlanRepair(ctx, d, c.patients[0].tokens, nil)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	r.Watch = func(e flows.Event) { a.say.event(d.Setup, e) }
	r.GiveUp = a.stop.giveUp
	// What would be changed is shown, and the yes is given to all of it.
	r.Adopt = func(context.Context, flows.About, flows.Finding) error { return nil }
	a.say.plan(d.Setup, r.Plan())
	if !r.Plan().Changes() {
		a.note("there is nothing to change: what the repair would make stands already")
		return nil, nil
	}
	if !a.opts.yes {
		yes, err := a.lines.confirm(ctx, "Repair it so?", false)
		if err != nil || !yes {
			return nil, err
		}
	}
	results, err := r.Carry(ctx)
	if err != nil {
		a.tellFailed(d.Setup, err)
		return nil, a.left(&againError{command: flows.DoctorCommand(&flows.Diagnosis{Setup: r.Name}) + " --fix", err: err})
	}
	after := *d
	after.Setup, after.Results = r.Name, results // a connection that was found is a setup from now on
	return &after, nil
}

// askTokens asks, where a person is there line by line, for the tokens that no
// flag gave and no keystore keeps. Without one the doctor sees less, which is said.
func (a *app) askTokens(ctx context.Context, c *clinic, p *patient) error {
	kept := func(name string) bool {
		if p.name == "" {
			return false
		}
		s, err := c.bench.State.Load(p.name)
		j := &job{}
		if err == nil {
			j.kept = s.Credentials
		}
		return j.keeps(name)
	}
	ask := func(server, name string, token *string) error {
		if *token != "" || kept(name) {
			return nil
		}
		if c.asks != askLines {
			a.note(fmt.Sprintf("no token for %s was given, and the keystore keeps none: what needs one can't be seen (--%s-token-file, or %s)",
				server, strings.ToLower(server), keystore.Variable(name)))
			return nil
		}
		typed, err := a.lines.askHidden(ctx, fmt.Sprintf("%s's token? Type - to look without it, which sees less.", server), func(s string) error {
			return sayable(strings.TrimSpace(s))
		})
		if typed = strings.TrimSpace(typed); typed != "-" {
			*token = typed
		}
		return err
	}
	if err := ask("Authentik", keystore.AuthentikToken, &p.tokens.Authentik); err != nil {
		return err
	}
	if p.answers.Mode == state.Standalone {
		return nil
	}
	return ask("NetBird", keystore.NetBirdToken, &p.tokens.NetBird)
}
