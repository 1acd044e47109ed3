package flows

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"authbird/doctor"
	"authbird/facts"
	"authbird/state"
)

// RepairSession is a repair being worked on: the setup locked, what would be
// done planned. Watch, Adopt and GiveUp are set before Carry. A repair is a
// walk through steps of the setup's own flow: journaled, gone on with by a
// resume, and taken back with the rest.
type RepairSession struct {
	*Session
	plan *Plan
	d    *Diagnosis
	ids  []string
}

// PlanRepair plans the repairs of those ids, nil for all that the diagnosis
// names. It changes nothing; the session must be closed. Repairs of a
// connection that authbird did not make are kept as a setup of its own, named
// after NetBird, which remembers what was changed and nothing else as its own.
func (b *Bench) PlanRepair(ctx context.Context, d *Diagnosis, t Tokens, ids []string) (*RepairSession, error) {
	if ids == nil {
		ids = Repairs(d)
	}
	if len(ids) == 0 {
		return nil, &Stopped{Reason: NeedsPerson, Err: errors.New("nothing that was found can be repaired from here")}
	}
	if strange := unnamed(d, ids); len(strange) > 0 {
		return nil, &Stopped{Reason: NeedsPerson, Err: fmt.Errorf("the diagnosis names no repair %s", strings.Join(strange, ", "))}
	}
	s, err := b.openRepair(ctx, d, t, ids)
	if err != nil {
		return nil, err
	}
	if ids, err = whileRenewing(s.setup, ids); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	r := &RepairSession{Session: s, d: d, ids: ids}
	r.flow = s.work.repairFlow(d, ids)
	if slices.Contains(ids, doctor.RepairOldSecret) {
		r.flow.Steps = []Step{oldSecretBack{s}}
	}
	if r.work.wantsSync(ids) {
		r.Answers.GroupSync, r.Answers.LetIn = GroupSyncOn, nil
	}
	if r.plan, err = r.Engine.Plan(ctx, r.flow); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return r, nil
}

// openRepair opens the setup, or a new one for a connection that was found.
func (b *Bench) openRepair(ctx context.Context, d *Diagnosis, t Tokens, ids []string) (*Session, error) {
	if d.Setup != "" {
		return b.Open(ctx, d.Setup, d.Answers, t)
	}
	name := SetupName(d.Answers)
	if _, err := b.State.Load(name); err == nil {
		return nil, &Stopped{Reason: NeedsPerson, Err: fmt.Errorf("there is a setup %s on this machine already", name), Hints: []string{"authbird doctor " + name + " --fix"}}
	}
	answers := d.Answers
	if slices.Contains(ids, stepAppPassword) || slices.Contains(ids, stepServiceAccount) {
		answers.EnvSecret = EnvSecretWrite // a new one is made, which setup.env must get
	}
	s, err := b.Open(ctx, name, answers, t)
	if err != nil {
		return nil, err
	}
	known := d.known
	s.work.Known = &known
	s.Begin = func() error { return s.adoptFound(d) }
	return s, nil
}

// adoptFound writes down what a found connection consists of, as what stood
// there before: it is looked at from now on, and never taken away.
func (s *Session) adoptFound(d *Diagnosis) error {
	if err := s.setup.SaveAnswers(s.Answers); err != nil {
		return err
	}
	id, application, account := stepClientSecret, d.facts.Authentik.Application.Value.Slug, ""
	if s.Answers.Mode == state.Standalone {
		id = stepClientID
		if a := d.facts.Authentik.Account; a.OK() {
			account = fmt.Sprint(a.Value.PK)
		}
	}
	for _, x := range []struct {
		step    string
		receipt state.Receipt
	}{
		{id, state.Receipt{ObjectID: d.known.ClientID, Values: map[string]string{"client_id": d.known.ClientID}}},
		{stepApplication, state.Receipt{ObjectID: application}},
		{stepConnector, state.Receipt{ObjectID: d.known.ConnectorID}},
		{stepServiceAccount, state.Receipt{ObjectID: account}},
	} {
		if x.receipt.ObjectID == "" {
			continue
		}
		if err := s.setup.Append(state.Entry{Time: s.Now(), Run: s.Run, Flow: string(s.Answers.Mode), Step: x.step, Phase: state.Done, Receipt: x.receipt, Note: "found, not made"}); err != nil {
			return err
		}
	}
	return nil
}

// Repairs lists the ids of the repairs that a diagnosis names, once each.
func Repairs(d *Diagnosis) []string {
	var out []string
	for _, r := range d.Results {
		if r.Repair != "" && (r.Verdict == doctor.Fail || r.Verdict == doctor.Warn) && !slices.Contains(out, r.Repair) {
			out = append(out, r.Repair)
		}
	}
	return out
}

func unnamed(d *Diagnosis, ids []string) []string {
	all := Repairs(d)
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return slices.Contains(all, id) })
}

// Plan is what Carry will do.
func (r *RepairSession) Plan() *Plan { return r.plan }

// Carry repairs, examines the connection again, and returns what it found. An
// error is a *Stopped: also where what was repaired still fails.
func (r *RepairSession) Carry(ctx context.Context) ([]doctor.Result, error) {
	if err := r.keys.Unlock(ctx); err != nil && r.plan.Changes() {
		return nil, &Stopped{Reason: NotWritten, Err: fmt.Errorf("open the keystore: %w", err)}
	}
	if _, err := r.Engine.Carry(ctx, r.flow, r.plan); err != nil {
		return nil, err
	}
	again, err := r.bench.examine(ctx, r.Name, r.tokens, r.d.options, r.setup)
	if err != nil {
		return nil, err
	}
	for _, c := range again.Results {
		if c.Verdict == doctor.Fail && slices.Contains(r.ids, c.Repair) {
			return again.Results, &Stopped{Reason: NotProven, Check: &c, Err: fmt.Errorf("it was repaired, but still: %s", c.Cause)}
		}
	}
	return again.Results, nil
}

// repairFlow is the flow of the steps that those repairs take, in the order of
// the setup's own. It has the setup's name, so that what it leaves undone is
// gone on with as a setup.
func (w *Work) repairFlow(d *Diagnosis, ids []string) Flow {
	w.readGroups = true
	w.boundGroups = boundGroups(d.facts)
	survey := w.survey
	if w.Answers.Mode == state.Standalone {
		survey = w.surveyStandalone
	}
	return Flow{
		Name: string(w.Answers.Mode), Steps: w.repairSteps(d, ids),
		Survey: func(ctx context.Context) *facts.Facts {
			f := survey(ctx)
			if slices.Contains(ids, stepApproval) {
				f.NetBird.Users = facts.Of(w.NetBird.Users(ctx))
			}
			return f
		},
		Preflight: func(*facts.Facts) []doctor.Result { return nil },
	}
}

// boundGroups are the names of the groups that the application is for.
func boundGroups(f *facts.Facts) []string {
	var out []string
	for _, b := range f.Authentik.Bindings.Value {
		if b.Enabled && !b.Negate && b.GroupName != "" {
			out = append(out, b.GroupName)
		}
	}
	return out
}

// repairSteps are the steps that the repairs take. A repair is named by its
// step, and where it mends one field, by that: provider.signing_key.
func (w *Work) repairSteps(d *Diagnosis, ids []string) []Step {
	var out []Step
	has := func(names ...string) bool {
		return slices.ContainsFunc(names, func(n string) bool { return slices.Contains(ids, n) })
	}
	standalone := w.Answers.Mode == state.Standalone
	want, redirects := w.connectorProvider, strictRedirects
	if standalone {
		want, redirects = w.standaloneProvider, func(*facts.Facts) []authentikRedirect { return w.standaloneRedirects() }
	}
	all := has(stepProvider)
	if !standalone && (all || w.Known != nil && has(stepConnector)) {
		out = append(out, clientSecret{w})
	}
	if fields := fieldsOf(ids, stepProvider); all || len(fields) > 0 {
		p := provider{Work: w, want: want}
		if !all {
			p.only = fields
		}
		out = append(out, p)
	}
	if all || has(stepApplication) {
		out = append(append(out, application{w}), w.bindings()...)
	}
	if all || has(stepRedirect) {
		out = append(out, redirect{w, redirects})
	}
	if standalone {
		return append(out, w.repairAccount(d, has, all)...)
	}
	if all || has(stepConnector) {
		out = append(out, connector{Work: w, changed: func() {}})
	}
	return append(out, w.repairTenant(ids, has)...)
}

// repairAccount are the steps of what stands in standalone mode alone.
func (w *Work) repairAccount(d *Diagnosis, has func(...string) bool, all bool) []Step {
	var out []Step
	gone := d.facts.Authentik.Account.Absent()
	password := has(stepAppPassword) || has(stepServiceAccount) && gone
	if password {
		out = append(out, appPasswordSecret{w})
	}
	if has(stepServiceAccount) {
		out = append(out, serviceAccount{w})
	}
	if password {
		out = append(out, &again{Step: appPassword{w}})
	}
	if has(stepRights) || has(stepServiceAccount) && gone {
		out = append(out, w.rights()...)
	}
	if has(stepAccess) || has(stepServiceAccount) && gone {
		out = append(out, w.letIn()...)
	}
	if has(stepBrand) {
		out = append(out, deviceFlow{Work: w}, brandFlow{w})
	}
	if w.Answers.EnvFile != "" && (all || password || has(stepSetupEnv)) {
		out = append(out, setupEnv{w})
	}
	if w.Answers.NetBirdConfig != "" && (all || password || has(stepManagement)) {
		out = append(out, managementFile{w})
	}
	return append(out, w.repairTenant(nil, has)...)
}

// repairTenant are the steps of NetBird's account.
func (w *Work) repairTenant(ids []string, has func(...string) bool) []Step {
	var out []Step
	if fields := fieldsOf(ids, stepGroupSync); len(fields) > 0 {
		out = append(out, syncRepair{syncStep: syncStep{w}, only: fields})
	}
	if has(stepApproval) {
		out = append(out, approval{w})
	}
	return out
}

// fieldsOf are the fields that repairs of a step name.
func fieldsOf(ids []string, step string) []string {
	var out []string
	for _, id := range ids {
		if field, ok := strings.CutPrefix(id, step+"."); ok {
			out = append(out, field)
		}
	}
	return out
}

func (w *Work) wantsSync(ids []string) bool { return len(fieldsOf(ids, stepGroupSync)) > 0 }
