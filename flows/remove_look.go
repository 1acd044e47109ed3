package flows

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"authbird/clients"
	"authbird/facts"
	"authbird/state"
)

// Removal plans go by the journal, which alone knows whose an object is, and by
// a look at the servers, which alone knows what became of it since.

// surveyed judges every step by what stands now, last one first. It stops where
// something that is to be taken back can't be seen.
func (s *Session) surveyed(ctx context.Context) ([]Removal, error) {
	lost := s.setup.Lost()
	f := s.flow.Survey(ctx)
	if ctx.Err() != nil {
		return nil, &Stopped{Reason: Interrupted, Err: interruptionOf(ctx)}
	}
	s.Leave = map[string]string{}
	var out []Removal
	for _, step := range slices.Backward(s.flow.Steps) {
		about := step.About()
		receipt, _ := s.setup.Last(about.ID)
		_, open := s.setup.Begun(s.flow.Name, about.ID)
		now := s.look(s.flow.Name, step, f)
		known := receipt.ObjectID != "" || receipt.Made
		if !known && !open {
			if lost != "" && claimable(about.ID) && now.Finding.ObjectID != "" {
				out = append(out, s.unknown(about, now.Finding, f))
			}
			continue
		}
		if err := now.Finding.Err; err != nil && about.Where != Here {
			return nil, now.Finding.stopped(about)
		}
		if !known && !now.Settle {
			continue // begun, and nothing came of it
		}
		if !known {
			receipt = now.settled
		}
		r := s.removalOf(about, receipt)
		if !open {
			s.changedSince(&r, now.Finding)
		}
		r.Beside = s.beside(ctx, about.ID, receipt, f)
		out = append(out, r)
	}
	return append(out, s.keysLeft(f)...), nil
}

// keysLeft are the signing keys that renewals had Authentik make. Nothing says
// who else signs with them by now, so they stay.
func (s *Session) keysLeft(f *facts.Facts) []Removal {
	var out []Removal
	for _, k := range f.Authentik.Keys.Value {
		ours := func(e state.Entry) bool {
			return e.Step == stepNewKey && e.Phase == state.Done && e.Receipt.Made && e.Receipt.ObjectID == k.PK
		}
		if !slices.ContainsFunc(s.setup.Entries, ours) {
			continue
		}
		out = append(out, Removal{Step: About{ID: stepNewKey, Title: "signing key", Where: AtAuthentik, Object: k.Name}, Will: WillKeep, ObjectID: k.PK,
			Why: "authbird had it made when the signing key was renewed; other providers may sign with it, so it is yours to delete in Authentik"})
	}
	return out
}

// unknown is what is planned for an object of which the journal has lost the
// line. A provider of the client id that authbird made up is certainly ours.
func (s *Session) unknown(about About, now Finding, f *facts.Facts) Removal {
	r := Removal{Step: about, Will: WillAsk, ObjectID: now.ObjectID,
		Why: "it stands by this setup's name, and the part of the journal that would say whose it is was lost"}
	if about.ID != stepProvider {
		return r
	}
	if _, ok := providerOf(f, s.work.clientID()); ok {
		r.Will, r.Why, r.claim = WillDelete, "it has the client id that authbird made, so authbird made it", true
	} else if p, ok := foreignProvider(f, s.work.clientID()); ok {
		s.claimedID = p.ClientID
	}
	return r
}

// changedSince says what became of an object since authbird was done with it.
func (s *Session) changedSince(r *Removal, now Finding) {
	switch {
	case r.Step.Where == Here || r.Will == WillKeep:
	case now.Verdict == Missing && now.ObjectID == "":
		r.Will, r.Why = WillFind, "it is gone already"
	case now.Verdict != Differs || unseenOnly(now.Fields):
	case r.Will == WillDelete:
		r.Fields, r.Why = now.Fields, "authbird made it; it was changed since, and goes all the same"
	case r.Will == WillRestore && restores(r.Step.ID):
		r.Fields, r.Will, r.Why = now.Fields, WillKeep, "it was changed by somebody since, and is left as it is now"
		s.Leave[r.Step.ID] = r.Why
	}
}

// unseenOnly says that nothing differs but what can't be read.
func unseenOnly(fields []Field) bool {
	return !slices.ContainsFunc(fields, func(f Field) bool { return f.Name != "client secret" && f.Name != "owner" })
}

// restores says that undoing the step writes back what stood there, whatever
// stands now. Other steps look for themselves.
func restores(step string) bool {
	return slices.Contains([]string{stepProvider, stepApplication, stepRedirect, stepConnector}, step)
}

// claimable says that an object of this step, found by the setup's names, may
// be taken for authbird's on a yes where the journal can't tell. Not among them
// are things that other people have by the same name: a device code flow, a
// brand, NetBird's own settings.
func claimable(step string) bool {
	return slices.Contains([]string{stepProvider, stepApplication, stepConnector, stepServiceAccount, stepRole, stepReaderGroup}, step)
}

// beside names what others put to an object of ours and what goes with it.
func (s *Session) beside(ctx context.Context, step string, receipt state.Receipt, f *facts.Facts) []string {
	if !receipt.Made {
		return nil
	}
	var out []string
	switch step {
	case stepReaderGroup:
		members, err := s.servers.authentik.GroupMembers(ctx, receipt.ObjectID)
		if err != nil && clients.KindOf(err) != clients.Absent {
			return []string{"who else is in it can't be read"}
		}
		var names []string
		for _, u := range members {
			if u.Username != s.Answers.ServiceAccount {
				names = append(names, clients.Clean(u.Username))
			}
		}
		if len(names) > 0 {
			out = append(out, "in it are, put there by somebody else: "+few(names)+"; they lose what it gives them")
		}
	case stepProvider:
		if p, ok := providerOf(f, s.work.clientID()); ok && p.AssignedApplicationSlug != "" && p.AssignedApplicationSlug != s.Answers.Slug {
			out = append(out, fmt.Sprintf("the application %q uses it, and loses it", clients.Clean(p.AssignedApplicationSlug)))
		}
	case stepServiceAccount:
		var names []string
		for _, t := range f.Authentik.Passwords.Value {
			if ours := (appPassword{s.work}).identifier(); t.Identifier != ours {
				names = append(names, clients.Clean(t.Identifier))
			}
		}
		if len(names) > 0 {
			out = append(out, "with it go app passwords that authbird did not make: "+few(names))
		}
	}
	return out
}

// few is a list of which a person can read the whole.
func few(names []string) string {
	const most = 8
	slices.Sort(names)
	if len(names) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
	}
	return strings.Join(names, ", ")
}

// claim writes down, on a yes, that what was found by the setup's names is
// taken for authbird's, so that it is taken back with the rest.
func (s *Session) claim(what []Removal) error {
	var found, asked []Removal
	for _, r := range what {
		if r.Will == WillAsk {
			asked = append(asked, r)
		}
		if r.Will == WillAsk || r.claim {
			found = append(found, r)
		}
	}
	if len(asked) > 0 && !s.Claim {
		return s.unclaimed(asked)
	}
	if len(asked) > 0 {
		if err := s.claimClientID(); err != nil {
			return &Stopped{Reason: NotWritten, Err: err}
		}
	}
	for _, r := range slices.Backward(found) {
		entry := state.Entry{Time: s.bench.Now(), Run: s.Run, Flow: s.flow.Name, Step: r.Step.ID, Phase: state.Done,
			Receipt: state.Receipt{ObjectID: r.ObjectID, Made: true}, Note: "taken for authbird's, since its line in the journal was lost: " + r.Why}
		if err := s.setup.Append(entry); err != nil {
			return &Stopped{Reason: NotWritten, Err: err}
		}
	}
	return nil
}

// claimClientID keeps the client id of the provider that is claimed, where the
// journal has lost it: a provider is deleted only by its client id.
func (s *Session) claimClientID() error {
	if s.work.clientID() != "" || s.claimedID == "" {
		return nil
	}
	step := stepClientSecret
	if s.Answers.Mode == state.Standalone {
		step = stepClientID
	}
	return s.setup.Append(state.Entry{Time: s.bench.Now(), Run: s.Run, Flow: s.flow.Name, Step: step, Phase: state.Done,
		Receipt: state.Receipt{ObjectID: s.claimedID, Values: map[string]string{"client_id": s.claimedID}},
		Note:    "read again from the provider: the journal was damaged"})
}

func (s *Session) unclaimed(found []Removal) error {
	var names []string
	for _, r := range found {
		names = append(names, r.Step.words())
	}
	return &Stopped{Reason: NeedsDecision,
		Err: errors.New(s.setup.Lost() + "; whose these are can't be told any more: " + strings.Join(names, ", ")),
		Hints: []string{
			fmt.Sprintf("if authbird made them: authbird remove %s --adopt takes them back too", quoted(s.Name)),
			"if it didn't, rename them or delete them by hand, and run remove again",
		}}
}
