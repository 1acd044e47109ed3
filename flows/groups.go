package flows

import (
	"context"
	"slices"
	"strings"

	"authbird/clients"
	"authbird/doctor"
	"authbird/facts"
	"authbird/state"
)

// What a setup says about NetBird's group sync; "" leaves it as it stands.
const (
	GroupSyncOn  = "on"  // groups come with each login, by the claim of the profile scope
	GroupSyncOff = "off" // as NetBird has it when it is new
)

// groupsClaim is the claim of Authentik's profile scope that lists a person's
// groups. NetBird needs no scope of its own for it.
const groupsClaim = "groups"

// Groups is the part of a setup's flow that is about groups: who may open the
// application, and whether NetBird takes the groups over. Its name is the
// whole flow's, so that what it leaves undone is gone on with as a setup.
func Groups(w *Work) Flow {
	w.readGroups = true
	whole, preflight := Connector(w), func() []doctor.Check { return doctor.Preflight(w.wants()) }
	steps := w.bindings()
	if w.Answers.Mode == state.Standalone {
		whole, preflight = Standalone(w), func() []doctor.Check { return doctor.StandalonePreflight(w.standaloneWants()) }
		steps = append(steps, w.access()...)
	}
	return Flow{
		Name: whole.Name, Steps: append(steps, w.groupSync()...), Survey: whole.Survey,
		Preflight: func(f *facts.Facts) []doctor.Result {
			return doctor.Judge(append(preflight(), doctor.ApplicationStands(w.Answers.Slug)), f)
		},
		Prove: w.proveGroups,
	}
}

// groupNames are the groups of Authentik that the answers name.
func (w *Work) groupNames() []string {
	out := slices.Clone(w.Answers.AllowGroups)
	for _, g := range slices.Concat(w.Answers.LetIn, w.boundGroups) {
		if !slices.Contains(out, g) {
			out = append(out, g)
		}
	}
	return out
}

// asksAccount says whether a standalone setup has anything to do with NetBird's
// account.
func (w *Work) asksAccount() bool {
	past, _ := w.Record.Last(stepGroupSync)
	return w.readGroups || w.Answers.GroupSync != "" || past.ObjectID != ""
}

// access are the steps that let the service account use an application that is
// for groups only, and take it out of a group that it was put into for that and
// that is no longer the one.
func (w *Work) access() []Step {
	var out []Step
	for _, group := range w.Answers.AllowGroups[:min(1, len(w.Answers.AllowGroups))] {
		out = append(out, membership{Work: w, id: stepAccess + ":" + group, group: group,
			why: "the application is for a group only, and the service account must be let in too"})
	}
	for _, id := range w.Record.Steps() {
		group, ok := strings.CutPrefix(id, stepAccess+":")
		if receipt, _ := w.Record.Last(id); ok && receipt.Made && (len(w.Answers.AllowGroups) == 0 || w.Answers.AllowGroups[0] != group) {
			out = append(out, formerMembership{membership{Work: w, id: id, group: group}, receipt})
		}
	}
	return out
}

// formerMembership is a membership of the service account that an earlier run
// made and that is wanted no more.
type formerMembership struct {
	membership
	made state.Receipt
}

func (s formerMembership) About() About {
	about := s.membership.About()
	about.Title, about.Makes = "former membership", "taken away: "+s.Answers.ServiceAccount+" is in it no more"
	about.Why = "the service account was put into that group when the application was for it"
	return about
}

func (s formerMembership) Look(f *facts.Facts, _ state.Receipt) Finding {
	if err := f.Authentik.Account.Err; err != nil {
		return unreadable("the service account", err)
	}
	if slices.Contains(f.Authentik.Account.Value.Groups, s.made.ObjectID) {
		return Finding{Verdict: Missing, ObjectID: s.made.ObjectID, Note: "it is still a member"}
	}
	return Finding{Verdict: InPlace}
}

func (s formerMembership) Do(ctx context.Context, f *facts.Facts, _ Finding) (state.Receipt, error) {
	if err := s.Undo(ctx, s.made); err != nil {
		return state.Receipt{}, err
	}
	f.Authentik.Account = facts.Of(s.Authentik.User(ctx, f.Authentik.Account.Value.PK))
	return state.Receipt{}, unseen(f.Authentik.Account.Err)
}

// Takes says that nothing of it stands afterwards.
func (s formerMembership) Takes() {}

// proveGroups shows that NetBird takes groups over and that Authentik tells
// them; nothing is asked where the setup doesn't have it so.
func (w *Work) proveGroups(ctx context.Context, f *facts.Facts) []doctor.Result {
	if w.Answers.GroupSync != GroupSyncOn {
		return nil
	}
	provider, _ := providerOf(f, w.clientID())
	w.Reader.ProveGroups(ctx, f, provider.PK)
	return doctor.Judge(doctor.GroupSync(groupsClaim), f)
}

// OnlyGroups has the session work on nothing but the groups.
func (s *Session) OnlyGroups() { s.flow = Groups(s.work) }

// GroupsSeen is what stands of a setup's groups.
type GroupsSeen struct {
	Application string   // its slug
	Allowed     []string // groups whose members may open it; empty with no Others: everyone
	Others      int      // bindings of users and policies, or switched off
	Sync        bool     // NetBird takes groups over from the logins
	Claim       string
	NetBirdOnly []string // NetBird lets nobody else in; empty: everyone
	SyncRead    bool     // NetBird could be asked
}

// SeeGroups reads what stands, and changes nothing.
func (s *Session) SeeGroups(ctx context.Context) (GroupsSeen, error) {
	f := s.flow.Survey(ctx)
	if err := preflightError(s.flow.Preflight(f)); err != nil {
		return GroupsSeen{}, err
	}
	seen := GroupsSeen{Application: f.Authentik.Application.Value.Slug}
	if err := f.Authentik.Bindings.Err; err != nil {
		return seen, err
	}
	for _, b := range f.Authentik.Bindings.Value {
		if b.Group == "" || b.Negate || !b.Enabled {
			seen.Others++
			continue
		}
		if name := clients.Clean(first(b.GroupName, b.Group)); !slices.Contains(seen.Allowed, name) {
			seen.Allowed = append(seen.Allowed, name)
		}
	}
	if accounts := f.NetBird.Accounts; accounts.OK() && len(accounts.Value) > 0 {
		have := accounts.Value[0].Settings
		seen.Sync, seen.Claim, seen.SyncRead = have.JWTGroups, clients.Clean(have.JWTGroupsClaim), true
		for _, name := range have.JWTAllowGroups {
			seen.NetBirdOnly = append(seen.NetBirdOnly, clients.Clean(name))
		}
	}
	return seen, nil
}
