package tui

import (
	"context"
	"slices"

	"authbird/doctor"
	"authbird/flows"
	"authbird/state"
)

// ills are what the fake's doctor finds until it is repaired.
func ills() []doctor.Result {
	return []doctor.Result{
		{ID: "netbird-answers", Title: "NetBird answers", Group: doctor.NetBird, Verdict: doctor.OK, Evidence: "certificate good until 3 March 2027"},
		{ID: "authentik-answers", Title: "Authentik answers", Group: doctor.Authentik, Verdict: doctor.OK},
		{ID: "token-end", Title: "the token lives long enough", Group: doctor.Authentik, Verdict: doctor.Warn, Cause: "the Authentik token ends in 5m", Advice: "make another"},
		{ID: "signing-key", Title: "the login is signed with RSA", Group: doctor.Authentik, Verdict: doctor.Fail, Evidence: "signing_key: null", Cause: "the provider NetBird has no signing key",
			Hits: "nobody can sign in through Authentik", Repair: "provider"},
		{ID: "redirect-uri", Title: "Authentik accepts NetBird's redirect URI", Group: doctor.Between, Verdict: doctor.Fail, Evidence: "https://old.example.com/cb",
			Cause: "another redirect URI is registered", Hits: "every login ends with Redirect URI Error", Repair: "redirect-uri"},
		{ID: "clocks", Title: "the clocks agree", Group: doctor.Between, Verdict: doctor.Unknown, Evidence: "no Date header"},
	}
}

func (b *fakeBench) Diagnose(ctx context.Context, p Patient, see func(doctor.Result)) (*flows.Diagnosis, error) {
	if err := b.call("Diagnose"); err != nil {
		return nil, err
	}
	b.mu.Lock()
	d := &flows.Diagnosis{Setup: p.Setup, Answers: p.Answers, AuthentikVersion: "2025.12.1", NetBirdVersion: "0.77.1", CouldNotLook: b.blind}
	b.patients = append(b.patients, p)
	for _, r := range b.ills {
		if b.made[r.Repair] {
			r.Verdict, r.Cause, r.Repair = doctor.OK, "", ""
		}
		d.Results = append(d.Results, r)
	}
	b.mu.Unlock()
	for i, r := range d.Results {
		see(r)
		if i == 1 && b.hold != nil {
			select {
			case <-b.hold:
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
	}
	return d, nil
}

func (b *fakeBench) PlanRepair(_ context.Context, d *flows.Diagnosis, t flows.Tokens, ids []string, ears Ears) (Repair, error) {
	if err := b.call("PlanRepair"); err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.open++
	if ids == nil {
		ids = flows.Repairs(d)
	}
	b.repairs = append(b.repairs, ids)
	r := &fakeRepair{fakeSession: &fakeSession{bench: b, ears: ears}, found: d, ids: ids}
	b.mu.Unlock()
	r.plan = r.survey()
	b.mu.Lock()
	return r, nil
}

// fakeRepair does the bench's steps of those ids.
type fakeRepair struct {
	*fakeSession
	found *flows.Diagnosis
	ids   []string
	plan  *flows.Plan
}

func (r *fakeRepair) Plan() *flows.Plan { return r.plan }

// survey looks at the steps as they are now.
func (r *fakeRepair) survey() *flows.Plan {
	p := &flows.Plan{Flow: "connector"}
	for _, step := range r.bench.steps {
		if slices.Contains(r.ids, step.about.ID) {
			p.Steps = append(p.Steps, flows.Planned{Step: step, Finding: r.look(step)})
		}
	}
	return p
}

func (r *fakeRepair) Carry(ctx context.Context) ([]doctor.Result, error) {
	p := r.survey()
	for _, c := range p.Conflicts() {
		if err := r.ears.Adopt(ctx, c.Step.About(), c.Finding); err != nil {
			return nil, &flows.Stopped{Reason: flows.NeedsDecision, Step: c.Step.About(), Finding: c.Finding, Err: err}
		}
	}
	for _, s := range p.Steps {
		about := s.Step.About()
		if r.bench.hold != nil {
			select {
			case <-r.bench.hold:
			case <-r.ears.GiveUp.Done():
				return nil, &flows.Stopped{Reason: flows.OutcomeUnknown, Step: about, Err: r.ears.GiveUp.Err()}
			}
		}
		if ctx.Err() != nil {
			return nil, &flows.Stopped{Reason: flows.Interrupted, Err: ctx.Err()}
		}
		r.bench.mu.Lock()
		err := r.bench.stopAt[about.ID]
		delete(r.bench.stopAt, about.ID)
		r.bench.made[about.ID] = err == nil
		r.bench.mu.Unlock()
		if err != nil {
			return nil, &flows.Stopped{Reason: reasonOf(err), Step: about, Err: err}
		}
		r.ears.Watch(flows.Event{Phase: flows.Done, Step: about})
	}
	hold := r.bench.hold
	r.bench.hold = nil
	defer func() { r.bench.hold = hold }()
	d, err := r.bench.Diagnose(ctx, Patient{Setup: r.found.Setup}, func(doctor.Result) {})
	if err != nil {
		return nil, err
	}
	return d.Results, nil
}

// examined are options that begin with the doctor.
func examinedOptions(b *fakeBench) Options {
	return Options{
		Bench: b, Shelf: &fakeShelf{setups: someSetups()}, Start: StartDoctor, Setup: "netbird.example.com",
		Tokens: flows.Tokens{Authentik: goodToken, NetBird: goodToken}, Version: "v0.0.0-test",
		Answers: state.Answers{},
	}
}
