package sshd

import (
	"context"

	"authbird/doctor"
	"authbird/flows"
	"authbird/state"
	"authbird/tui"
)

// watched is a bench whose deeds are written down, and whose runs give up when
// the server can wait no longer.
type watched struct {
	tui.Bench
	deeds  *deeds
	giveUp context.Context
}

func (w watched) Open(ctx context.Context, name string, a state.Answers, t flows.Tokens, ears tui.Ears) (tui.Session, error) {
	verb := "setup " + string(a.Mode)
	s, err := w.Bench.Open(ctx, name, a, t, w.ears(name, &verb, ears))
	if err != nil {
		return nil, err
	}
	return &watchedSession{Session: s, w: w, name: name, verb: &verb}, nil
}

// ears hears what a session does before the screen does. verb is what it is
// doing; it changes before the session does something else, never while it does.
func (w watched) ears(setup string, verb *string, ears tui.Ears) tui.Ears {
	watch, doing := ears.Watch, ""
	ears.Watch = func(e flows.Event) {
		if e.Phase == flows.Doing {
			doing = e.Step.ID
		}
		stood := e.Phase == flows.Done && e.Step.ID != doing // nothing was done
		if e.Step.ID != "" && e.Phase != flows.Checked && e.Phase != flows.Waiting && !stood {
			w.deeds.add(record{Setup: setup, Verb: *verb, Step: e.Step.ID, Phase: string(e.Phase)})
		}
		if watch != nil {
			watch(e)
		}
	}
	ears.GiveUp = either(ears.GiveUp, w.giveUp)
	return ears
}

// either is a context that ends as soon as one of them does. The screens end
// theirs with the setup, at the latest.
func either(a, b context.Context) context.Context {
	if a == nil {
		return b
	}
	ctx, end := context.WithCancel(a)
	context.AfterFunc(b, end)
	return ctx
}

func (w watched) CreateOwner(ctx context.Context, a state.Answers, o flows.Owner) (string, error) {
	token, err := w.Bench.CreateOwner(ctx, a, o)
	w.deeds.add(record{Verb: "create NetBird's owner", Phase: came(err)})
	return token, err
}

func (w watched) MakeNetBirdToken(ctx context.Context, a state.Answers, token, name string, days int) (string, error) {
	made, err := w.Bench.MakeNetBirdToken(ctx, a, token, name, days)
	w.deeds.add(record{Verb: "make an access token of NetBird", Phase: came(err)})
	return made, err
}

func (w watched) PlanRepair(ctx context.Context, d *flows.Diagnosis, t flows.Tokens, ids []string, ears tui.Ears) (tui.Repair, error) {
	verb := "repair"
	r, err := w.Bench.PlanRepair(ctx, d, t, ids, w.ears(d.Setup, &verb, ears))
	if err != nil {
		return nil, err
	}
	return watchedRepair{r, w, d.Setup}, nil
}

// watchedSession writes down what is begun with a setup and how it came out.
type watchedSession struct {
	tui.Session
	w    watched
	name string
	verb *string
}

func (s *watchedSession) Carry(ctx context.Context, p *flows.Plan) ([]doctor.Result, error) {
	results, err := s.Session.Carry(ctx, p)
	s.w.deeds.add(record{Setup: s.name, Verb: *s.verb, Phase: came(err)})
	return results, err
}

func (s *watchedSession) Remove(ctx context.Context, force string) (string, error) {
	*s.verb = "remove"
	archive, err := s.Session.Remove(ctx, force)
	s.w.deeds.add(record{Setup: s.name, Verb: *s.verb, Phase: came(err)})
	return archive, err
}

func (s *watchedSession) Approve(ctx context.Context, user string) error {
	err := s.Session.Approve(ctx, user)
	s.w.deeds.add(record{Setup: s.name, Verb: "approve a user in NetBird", Phase: came(err)})
	return err
}

// Renew changes nothing yet; what is done from here on is the renewal's.
func (s *watchedSession) Renew(ctx context.Context, credential string, o flows.RotateOptions) (tui.Renewal, flows.Meaning, error) {
	*s.verb = "renew the " + credential
	r, means, err := s.Session.Renew(ctx, credential, o)
	if r == nil {
		return nil, means, err
	}
	return watchedRenewal{r, s}, means, err
}

type watchedRenewal struct {
	tui.Renewal
	s *watchedSession
}

func (r watchedRenewal) Carry(ctx context.Context) (flows.Rotated, error) {
	done, err := r.Renewal.Carry(ctx)
	r.s.w.deeds.add(record{Setup: r.s.name, Verb: *r.s.verb, Phase: came(err)})
	return done, err
}

type watchedRepair struct {
	tui.Repair
	w    watched
	name string
}

func (r watchedRepair) Carry(ctx context.Context) ([]doctor.Result, error) {
	results, err := r.Repair.Carry(ctx)
	r.w.deeds.add(record{Setup: r.name, Verb: "repair", Phase: came(err)})
	return results, err
}

// came is how something came out, in a word.
func came(err error) string {
	if err != nil {
		return "stopped"
	}
	return "done"
}
