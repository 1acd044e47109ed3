package flows

import (
	"context"
	"errors"
	"slices"

	"authbird/doctor"
	"authbird/facts"
)

// RepairSession is a repair being worked on: the setup locked, what would be
// done planned. Watch, Adopt and GiveUp are set before Carry.
type RepairSession struct {
	*Session
	plan *Plan
	d    *Diagnosis
}

// PlanRepair plans the repairs of those ids, nil for all that the diagnosis
// names. It changes nothing; the session must be closed.
func (b *Bench) PlanRepair(ctx context.Context, d *Diagnosis, t Tokens, ids []string) (*RepairSession, error) {
	if ids == nil {
		ids = Repairs(d)
	}
	if len(ids) == 0 {
		return nil, &Stopped{Reason: NeedsPerson, Err: errors.New("nothing that was found can be repaired from here")}
	}
	s, err := b.Open(ctx, d.Setup, d.Answers, t)
	if err != nil {
		return nil, err
	}
	r := &RepairSession{Session: s, d: d}
	r.flow.Steps = slices.DeleteFunc(r.flow.Steps, func(s Step) bool { return !slices.Contains(ids, s.About().ID) })
	r.flow.Preflight = func(*facts.Facts) []doctor.Result { return nil }
	r.flow.Prove = nil
	if r.plan, err = r.Engine.Plan(ctx, r.flow); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return r, nil
}

// Repairs lists the ids of the repairs that a diagnosis names, once each.
func Repairs(d *Diagnosis) []string {
	var out []string
	for _, r := range d.Results {
		if r.Repair != "" && !slices.Contains(out, r.Repair) {
			out = append(out, r.Repair)
		}
	}
	return out
}

// Plan is what Carry will do.
func (r *RepairSession) Plan() *Plan { return r.plan }

// Carry repairs, examines the connection again, and returns what it found. An
// error is a *Stopped.
func (r *RepairSession) Carry(ctx context.Context) ([]doctor.Result, error) {
	if _, err := r.Session.Carry(ctx, r.plan); err != nil {
		return nil, err
	}
	again, err := r.bench.Diagnose(ctx, r.Name, r.tokens, DiagnoseOptions{
		NetBirdConfig: r.d.options.NetBirdConfig, NetBirdLog: r.d.options.NetBirdLog, EnvFile: r.d.options.EnvFile})
	if err != nil {
		return nil, err
	}
	return again.Results, nil
}
