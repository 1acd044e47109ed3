package flows

import (
	"context"
	"slices"
	"strings"

	"authbird/clients"
	"authbird/clients/authentik"
	"authbird/facts"
	"authbird/state"
)

type authentikRedirect = authentik.RedirectURI

// again does a step once more although it seems in place: what it sets can't
// be read back, and a check has shown that it doesn't work.
type again struct {
	Step
	done bool
}

func (s *again) Look(f *facts.Facts, past state.Receipt) Finding {
	found := s.Step.Look(f, past)
	if found.Verdict == InPlace && !s.done {
		found.Verdict, found.Note = Missing, "set once more: Authentik doesn't take the one that it has"
	}
	return found
}

func (s *again) Do(ctx context.Context, f *facts.Facts, found Finding) (state.Receipt, error) {
	r, err := s.Step.Do(ctx, f, found)
	s.done = err == nil
	return r, err
}

// letIn are the steps that put the service account into a group that a person
// restricted the application to: those that a repair takes, and those that one
// has taken.
func (w *Work) letIn() []Step {
	groups := slices.Clone(w.boundGroups)
	groups = groups[:min(1, len(groups))]
	for _, id := range w.Record.Steps() {
		if group, ok := strings.CutPrefix(id, stepLetIn+":"); ok && !slices.Contains(groups, group) {
			groups = append(groups, group)
		}
	}
	var out []Step
	for _, group := range groups {
		out = append(out, membership{Work: w, id: stepLetIn + ":" + group, group: group,
			why: "the application is for that group only, and the service account must be let in too"})
	}
	return out
}

// syncRepair mends single settings of how groups come with a login, and leaves
// the others as they are.
type syncRepair struct {
	syncStep
	only []string
}

func (s syncRepair) About() About {
	about := s.syncStep.About()
	about.Makes = "groups are read from where Authentik sends them"
	if slices.Contains(s.only, syncAllow) {
		about.Makes = "the list of groups that may log in is emptied: everybody may, until it is set again"
	}
	return about
}

// mended are the settings as they should be.
func (s syncRepair) mended(have syncSettings) syncSettings {
	want := have
	if slices.Contains(s.only, syncClaim) {
		want.claim = groupsClaim
	}
	if slices.Contains(s.only, syncAllow) {
		want.allow = nil
	}
	return want
}

func (s syncRepair) Look(f *facts.Facts, _ state.Receipt) Finding {
	if err := f.NetBird.Accounts.Err; err != nil || len(f.NetBird.Accounts.Value) == 0 {
		return Finding{Verdict: Blocked, Note: "the settings of NetBird's account could not be read", Err: err}
	}
	account := f.NetBird.Accounts.Value[0]
	have := settingsOf(account)
	fields := have.fields(s.mended(have))
	if len(fields) == 0 {
		return Finding{Verdict: InPlace, ObjectID: account.ID}
	}
	before := have
	before.allow = s.mended(have).allow // a list that shut the owner out is not given back
	return Finding{Verdict: Differs, ObjectID: account.ID, Fields: fields, Intent: state.Receipt{Before: before.keep()}}
}

func (s syncRepair) Do(ctx context.Context, f *facts.Facts, found Finding) (state.Receipt, error) {
	account, err := s.account(ctx, found.ObjectID)
	if err != nil {
		return state.Receipt{}, err
	}
	want := s.mended(settingsOf(account))
	if err := s.save(ctx, account, want); err != nil {
		return state.Receipt{}, err
	}
	f.NetBird.Accounts = facts.Of(s.NetBird.Accounts(ctx))
	return state.Receipt{ObjectID: account.ID, Values: want.keep()}, unseen(f.NetBird.Accounts.Err)
}

// approval lets those in who wait for it. Who comes after the plan was shown
// waits on.
type approval struct{ *Work }

func (s approval) About() About {
	return About{ID: stepApproval, Title: "approval", Where: AtNetBird, Object: "who waits",
		Why: "NetBird keeps people who come by Authentik out until somebody lets them in", Makes: "they are let in"}
}

func (s approval) Look(f *facts.Facts, _ state.Receipt) Finding {
	if err := f.NetBird.Users.Err; err != nil {
		return unreadable("NetBird's users", err)
	}
	found := Finding{Verdict: InPlace}
	var ids []string
	for _, u := range f.NetBird.Users.Value {
		if u.PendingApproval {
			ids = append(ids, u.ID)
			found.Fields = append(found.Fields, Field{Name: clients.CleanN(first(u.Email, u.Name, u.ID), 80), Have: "waits", Want: "let in"})
		}
	}
	if len(ids) > 0 {
		found.Verdict, found.Intent = Differs, state.Receipt{Values: map[string]string{"users": strings.Join(ids, " ")}}
	}
	return found
}

func (s approval) Do(ctx context.Context, f *facts.Facts, found Finding) (state.Receipt, error) {
	for id := range strings.FieldsSeq(found.Intent.Values["users"]) {
		if _, err := s.NetBird.ApproveUser(ctx, id); err != nil {
			return state.Receipt{}, err
		}
		for i := range f.NetBird.Users.Value {
			if f.NetBird.Users.Value[i].ID == id {
				f.NetBird.Users.Value[i].PendingApproval = false
			}
		}
	}
	return state.Receipt{}, nil
}

// Undo leaves them in: who was let in may be at work by now.
func (s approval) Undo(context.Context, state.Receipt) error { return nil }
