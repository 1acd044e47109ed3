package flows

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"authbird/clients/authentik"
	"authbird/facts"
	"authbird/state"
)

// bindings are the steps that say who may open the application: one for each
// group that is wanted, and one for each that an earlier run bound and that is
// wanted no more.
func (w *Work) bindings() []Step {
	var out []Step
	for _, group := range w.Answers.AllowGroups {
		out = append(out, groupBinding{w, group})
	}
	for _, id := range w.Record.Steps() {
		group, ok := strings.CutPrefix(id, stepBinding+":")
		if receipt, _ := w.Record.Last(id); ok && receipt.Made && !slices.Contains(w.Answers.AllowGroups, group) {
			out = append(out, formerBinding{groupBinding{w, group}, receipt.ObjectID})
		}
	}
	return out
}

// groupBinding lets only the members of one group open the application.
type groupBinding struct {
	*Work
	group string
}

func (s groupBinding) About() About {
	return About{
		ID: stepBinding + ":" + s.group, Title: "group binding", Where: AtAuthentik, Object: s.group, With: stepProvider,
		Why:   "only members of this group may open the application; administrators too need to be members",
		Makes: "only members may log in",
	}
}

func (s groupBinding) Look(f *facts.Facts, _ state.Receipt) Finding {
	if err := f.Authentik.Bindings.Err; err != nil {
		return unreadable("the bindings of the application", err)
	}
	g, ok := groupNamed(f, s.group)
	if !ok {
		return Finding{Verdict: Blocked, Note: fmt.Sprintf("Authentik has no group %q", s.group)}
	}
	i := slices.IndexFunc(f.Authentik.Bindings.Value, func(b authentik.Binding) bool {
		return b.Group == g.PK && b.Enabled && !b.Negate
	})
	if i < 0 {
		return Finding{Verdict: Missing}
	}
	return Finding{Verdict: InPlace, ObjectID: f.Authentik.Bindings.Value[i].PK}
}

func (s groupBinding) Do(ctx context.Context, f *facts.Facts, _ Finding) (state.Receipt, error) {
	g, ok := groupNamed(f, s.group)
	if !ok {
		return state.Receipt{}, fmt.Errorf("no such group")
	}
	app := f.Authentik.Application.Value
	made, err := s.Authentik.CreateBinding(ctx, app.PK, g.PK, len(f.Authentik.Bindings.Value))
	if err != nil {
		return state.Receipt{}, err
	}
	f.Authentik.Bindings = facts.Of(s.Authentik.Bindings(ctx, app.PK))
	return state.Receipt{ObjectID: made.PK, Made: true}, unseen(f.Authentik.Bindings.Err)
}

func (s groupBinding) Undo(ctx context.Context, r state.Receipt) error {
	return s.Authentik.DeleteBinding(ctx, r.ObjectID)
}

// formerBinding is a binding that an earlier run made and that is wanted no
// more: it goes, and what it let in stays out.
type formerBinding struct {
	groupBinding
	pk string
}

func (s formerBinding) About() About {
	about := s.groupBinding.About()
	about.Title, about.With, about.Makes = "former group binding", "", "taken away: the group may no longer log in"
	about.Why = "the group was chosen before and isn't any more"
	return about
}

func (s formerBinding) Look(f *facts.Facts, _ state.Receipt) Finding {
	if err := f.Authentik.Bindings.Err; err != nil {
		return unreadable("the bindings of the application", err)
	}
	if slices.ContainsFunc(f.Authentik.Bindings.Value, func(b authentik.Binding) bool { return b.PK == s.pk }) {
		return Finding{Verdict: Missing, ObjectID: s.pk, Note: "it still stands"}
	}
	return Finding{Verdict: InPlace}
}

func (s formerBinding) Do(ctx context.Context, f *facts.Facts, _ Finding) (state.Receipt, error) {
	if err := s.Authentik.DeleteBinding(ctx, s.pk); err != nil {
		return state.Receipt{}, err
	}
	f.Authentik.Bindings = facts.Of(s.Authentik.Bindings(ctx, f.Authentik.Application.Value.PK))
	return state.Receipt{}, unseen(f.Authentik.Bindings.Err)
}

// Takes says that nothing of it stands afterwards.
func (s formerBinding) Takes() {}
