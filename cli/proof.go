package cli

import (
	"context"
	"errors"

	"authbird/clients"
	"authbird/flows"
	"authbird/keystore"
	"authbird/state"
)

// walkPlan reads the plan aloud, asks for a yes, carries it out, and waits
// with the person for a first login.
func (a *app) walkPlan(ctx context.Context, j *job) error {
	s, err := a.open(ctx, j, a.askAdopt)
	if err != nil {
		return err
	}
	defer s.Close()
	p, err := s.Plan(ctx)
	if err != nil {
		return a.left(err)
	}
	a.lines.say("This is the plan; nothing has changed yet.")
	for _, line := range planLines(p) {
		a.lines.say("%s", line)
	}
	if p.Changes() {
		yes, err := a.lines.confirm(ctx, "Do it?", true)
		if err != nil {
			return err
		}
		if !yes {
			return errLeft
		}
		// Now, rather than in the middle of the first step that keeps a secret.
		if err := j.unlock(ctx, s); err != nil {
			return err
		}
	}
	if err := a.carry(ctx, j, s, p); err != nil {
		return err
	}
	if s.Answers.Mode == state.Standalone { // the checks have proven it, and NetBird may not run yet
		return nil
	}
	return a.watchLogin(ctx, s)
}

// unlock asks for the keystore's passphrase, where it has one.
func (j *job) unlock(ctx context.Context, s *flows.Session) error {
	store, err := j.bench.OpenKeys(ctx, keystore.Kind(s.Answers.Keystore))
	if err != nil {
		return err
	}
	return store.Unlock(ctx)
}

// askAdopt is the one question of the engine: may what stands there and is not
// ours be changed?
func (a *app) askAdopt(ctx context.Context, step flows.About, found flows.Finding) error {
	a.lines.say("There is %s %q %s already, and it was not made by authbird.", step.Title, step.Object, place(step.Where))
	for _, f := range found.Fields {
		a.lines.say("  %s is %s, and would become %s.", f.Name, orNothing(f.Have), orNothing(f.Want))
	}
	yes, err := a.lines.confirm(ctx, "May it be taken over and changed so?", false)
	if err != nil {
		return err
	}
	if !yes {
		return errors.New("you said no, so it was left as it is")
	}
	return nil
}

// watchLogin waits for a person who signs in, tells what is seen of it, and
// lets them in. It ends at an empty line or at the end of the input: the setup
// stands, and a proof may be skipped.
func (a *app) watchLogin(ctx context.Context, s *flows.Session) error {
	a.lines.say("It is connected. To prove it, open this on any device and sign in by Authentik:")
	a.lines.say("%s", s.LoginLink())
	a.lines.say("What is seen of it is told here. Enter alone ends the watch.%s", a.simulateWords())
	a.last.Login = ""
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	sightings := make(chan flows.Sighting)
	watch := make(chan error, 1)
	go func() {
		watch <- s.WatchLogin(ctx, func(seen flows.Sighting) {
			select {
			case sightings <- seen:
			case <-ctx.Done():
			}
		})
	}()
	var pending flows.Sighting
	for {
		select {
		case <-ctx.Done():
			return nil // the setup stands; only the watch was interrupted
		case err := <-watch:
			if err != nil && ctx.Err() == nil {
				a.lines.say("The watch ended: %s", clients.Clean(err.Error()))
			}
			return nil
		case seen := <-sightings:
			if a.tellSighting(s, seen) {
				pending = seen
			}
		case typed := <-a.lines.next():
			a.lines.taken()
			if done := a.watchAnswer(ctx, s, typed, &pending); done {
				return nil
			}
		}
	}
}

func (a *app) simulateWords() string {
	if a.world == nil {
		return ""
	}
	return " Type s to let a simulated person sign in."
}

// tellSighting says what was seen; true: the person waits for approval.
func (a *app) tellSighting(s *flows.Session, seen flows.Sighting) (pending bool) {
	switch seen.Kind {
	case flows.SawAuthorised:
		a.lines.say("Authentik saw %s authorise NetBird.", seen.Who)
	case flows.SawPending:
		a.lines.say("NetBird knows %s, who waits for approval. Type a to approve.", seen.Who)
		return true
	case flows.SawBlocked:
		a.lines.say("NetBird knows %s and keeps them out: the account is blocked.", seen.Who)
	case flows.SawLetIn:
		a.lines.say("NetBird let %s in. That is proof: logins work. Enter alone ends the watch.", seen.Who)
		if err := s.NoteLogin(seen); err != nil {
			a.lines.say("It could not be written down: %s", clients.Clean(err.Error()))
		}
	}
	return false
}

// watchAnswer does what was typed during the watch; true ends it.
func (a *app) watchAnswer(ctx context.Context, s *flows.Session, typed answer, pending *flows.Sighting) bool {
	switch {
	case typed.err != nil || typed.text == "" || typed.text == "q":
		return true
	case typed.text == "a" && pending.UserID != "":
		if err := s.Approve(ctx, pending.UserID); err != nil {
			a.lines.say("That did not work: %s", clients.Clean(err.Error()))
			return false
		}
		a.lines.say("%s is approved.", pending.Who)
		*pending = flows.Sighting{}
	case typed.text == "s" && a.world != nil:
		if err := a.simulatedLogin(ctx); err != nil {
			a.lines.say("The simulated person could not sign in: %s", clients.Clean(err.Error()))
		}
	default:
		a.lines.say("Enter alone ends the watch.%s", a.simulateWords())
	}
	return false
}
