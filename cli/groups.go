package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"authbird/flows"
	"authbird/state"
)

func (a *app) groupsVerb() *cobra.Command {
	verb := &cobra.Command{
		Use:   "groups [SETUP]",
		Short: "who may log in, by groups, and whether NetBird takes groups over",
		Long: "Without a flag it reads what stands: which groups of Authentik may open the application, whether NetBird takes a person's groups over with each login, and whom it lets in. " +
			"With flags it changes that on a setup that stands, and nothing else of it. --allow-group \"\" lets everybody in again, --netbird-allow-group \"\" ends NetBird's own list. " +
			"A list that would let nobody in who administers NetBird is refused.",
		Example: "authbird groups\n" +
			"authbird groups --allow-group netbird-users --group-sync on --yes",
		Args:              oneSetup,
		ValidArgsFunction: a.completeSetups,
		RunE:              a.verb(a.groups),
	}
	a.opts.groupFlags(verb.Flags())
	verb.Flags().BoolVar(&a.opts.adopt, "adopt", false, "change settings of NetBird that were not made by authbird")
	return verb
}

// groupFlags are what the verb groups changes.
var groupFlags = []string{"allow-group", "group-sync", "netbird-allow-group"}

func (a *app) groups(ctx context.Context, args []string) error {
	if err := a.enterSandbox(); err != nil {
		return err
	}
	dir, err := a.state()
	if err != nil {
		return err
	}
	name := a.named(args)
	if name == "" {
		if name, err = a.onlySetup(dir); err != nil {
			return err
		}
	}
	stored, err := a.load(dir, name)
	if err != nil {
		return err
	}
	if st := a.standingOf(dir, stored); st.State != stateComplete && st.State != stateRunning {
		return &setupError{name: name, err: &againError{command: resumeCommand(name), err: &flows.Stopped{
			Reason: flows.NeedsPerson, Err: fmt.Errorf("the setup %s is %s; its groups are changed once it is complete", name, st.State)}}}
	}
	j, err := a.begin(a.lineAsks(), stored.Answers.Mode, stored)
	if err != nil {
		return err
	}
	if a.given["group-sync"] != "" && a.opts.groupSync == flows.GroupSyncOff && a.given["netbird-allow-group"] == "" {
		j.answers.LetIn = nil
	}
	if err := a.filled(ctx, j); err != nil {
		return ofSetup(name, err)
	}
	if slices.ContainsFunc(groupFlags, func(f string) bool { return a.given[f] != "" }) {
		return ofSetup(name, a.changeGroups(ctx, j))
	}
	return ofSetup(name, a.showGroups(ctx, j))
}

// showGroups tells what stands and, where a person is there, asks what shall.
func (a *app) showGroups(ctx context.Context, j *job) error {
	seen, err := a.seeGroups(ctx, j)
	if err != nil {
		return err
	}
	a.say.groups(j.name, seen)
	if a.opts.json {
		a.last = outcome{Setup: j.name, Message: "nothing was changed"}
	}
	if j.asks != askLines {
		return nil
	}
	change, err := a.lines.confirm(ctx, "Change that?", false)
	if err != nil || !change {
		return err
	}
	if err := a.askGroups(ctx, &j.answers); err != nil {
		return err
	}
	if err := a.askGroupSync(ctx, &j.answers); err != nil {
		return err
	}
	return a.changeGroups(ctx, j)
}

func (a *app) seeGroups(ctx context.Context, j *job) (flows.GroupsSeen, error) {
	s, err := a.open(ctx, j, nil)
	if err != nil {
		return flows.GroupsSeen{}, err
	}
	defer s.Close()
	s.OnlyGroups()
	return s.SeeGroups(ctx)
}

// changeGroups brings about what the answers say of groups, and nothing else.
func (a *app) changeGroups(ctx context.Context, j *job) error {
	adopt := a.askAdopt
	if j.asks != askLines {
		adopt = nil
	}
	s, err := a.open(ctx, j, adopt)
	if err != nil {
		return err
	}
	defer s.Close()
	s.OnlyGroups()
	p, err := s.Plan(ctx)
	if p != nil && (a.opts.json || j.asks == askLines) {
		a.say.plan(j.name, p)
	}
	if err != nil {
		return a.left(err)
	}
	if j.asks == askLines && p.Changes() {
		yes, err := a.lines.confirm(ctx, "Do it?", true)
		if err != nil || !yes {
			a.last = outcome{Setup: j.name, Message: "nothing was changed"}
			return err
		}
	}
	results, err := s.Carry(ctx, p)
	if err != nil {
		a.tellFailed(j.name, err)
		return a.left(err)
	}
	a.last = outcome{Setup: j.name, Message: "nothing to do: it stands like that already", Hints: remarks(results)}
	if p.Changes() {
		a.last.Message = j.name + ": the groups are as you said, and the checks are well"
	}
	return nil
}

// askGroupSync asks whether NetBird takes groups over, and whom it lets in.
func (a *app) askGroupSync(ctx context.Context, n *state.Answers) error {
	options := []flows.Choice{
		{Value: "", Label: "leave NetBird's settings as they stand"},
		{Value: flows.GroupSyncOn, Label: "yes, with each login"},
		{Value: flows.GroupSyncOff, Label: "no"},
	}
	if err := a.askChoice(ctx, "Shall NetBird take a person's groups over from Authentik?", &n.GroupSync, options); err != nil {
		return err
	}
	if n.GroupSync != flows.GroupSyncOn {
		n.LetIn = nil
		return nil
	}
	return a.askNames(ctx, "Whom shall NetBird let in? Names of groups with commas between them.", &n.LetIn)
}

// groupLines words what stands of a setup's groups.
func groupLines(g flows.GroupsSeen) []string {
	who := "everybody"
	if len(g.Allowed) > 0 {
		who = "members of " + strings.Join(g.Allowed, ", ")
	}
	if g.Others > 0 {
		who += fmt.Sprintf(", and %s of another kind that authbird doesn't judge", count(g.Others, "binding"))
	}
	out := []string{fmt.Sprintf("may open the application %s in Authentik: %s", g.Application, who)}
	switch {
	case !g.SyncRead:
		return append(out, "NetBird takes groups over from logins: not known, NetBird was not asked")
	case !g.Sync:
		return append(out, "NetBird takes groups over from logins: no")
	}
	in := "everybody"
	if len(g.NetBirdOnly) > 0 {
		in = "members of " + strings.Join(g.NetBirdOnly, ", ")
	}
	return append(out, fmt.Sprintf("NetBird takes groups over from logins: yes, from the claim %q", g.Claim), "NetBird lets in: "+in)
}
