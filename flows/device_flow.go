package flows

import (
	"context"
	"fmt"

	"authbird/clients/authentik"
	"authbird/facts"
	"authbird/state"
)

// What is done about a device code flow that the brand has already.
const (
	DeviceFlowKeep    = "keep"
	DeviceFlowReplace = "replace"
)

// deviceFlowSlug is the flow that the documentation has people create.
const deviceFlowSlug = "default-device-code-flow"

// deviceFlow brings the flow about that NetBird's device login goes through.
type deviceFlow struct {
	*Work
	// ready is called when the service account is complete, so that NetBird's
	// own calls are tried while the flow is made.
	ready func(ctx context.Context, f *facts.Facts)
}

func (s deviceFlow) About() About {
	return About{ID: stepDeviceFlow, Title: "device code flow", Where: AtAuthentik, Object: deviceFlowSlug,
		Why:   "machines without a browser are signed in with a code, and Authentik has no flow for it by default",
		Makes: "stage configuration, authentication required, no stages"}
}

func (s deviceFlow) Look(f *facts.Facts, past state.Receipt) Finding {
	if s.keeps(f) && past.ObjectID == "" {
		return Finding{Verdict: InPlace, Note: fmt.Sprintf("the brand has the device code flow %q, which is kept", f.Authentik.Brand.Value.FlowDeviceCode)}
	}
	for _, flow := range f.Authentik.Flows.Value {
		if flow.Slug == deviceFlowSlug {
			return s.judge(flow)
		}
	}
	return Finding{Verdict: Missing}
}

// keeps says whether the brand's present flow stays: it is one for device
// codes, and nobody said otherwise.
func (w *Work) keeps(f *facts.Facts) bool {
	set := f.Authentik.Brand.Value.FlowDeviceCode
	if !f.Authentik.Brand.OK() || set == "" || w.Answers.DeviceFlow == DeviceFlowReplace {
		return false
	}
	for _, flow := range f.Authentik.Flows.Value {
		if flow.Slug == set {
			return flow.Slug != deviceFlowSlug && deviceFlow{Work: w}.judge(flow).Verdict == InPlace
		}
	}
	return false
}

// judge says whether a flow of that slug will do: one with stages would send
// people somewhere else than to the code.
func (s deviceFlow) judge(flow authentik.Flow) Finding {
	if flow.Designation == "stage_configuration" && flow.Authentication == "require_authenticated" && len(flow.Stages) == 0 {
		return Finding{Verdict: InPlace, ObjectID: flow.Slug}
	}
	return Finding{Verdict: Blocked, ObjectID: flow.Slug,
		Note: fmt.Sprintf("a flow %q stands there that is none for device codes (it needs the designation stage configuration, authentication required, and no stages); mend or rename it in Authentik", flow.Slug)}
}

func (s deviceFlow) Do(ctx context.Context, f *facts.Facts, _ Finding) (state.Receipt, error) {
	if s.ready != nil {
		s.ready(ctx, f)
	}
	flow, err := s.Authentik.CreateFlow(ctx, authentik.FlowSpec{
		Name: deviceFlowSlug, Slug: deviceFlowSlug, Title: "Device Code Flow",
		Designation: "stage_configuration", Authentication: "require_authenticated",
	})
	if err != nil {
		return state.Receipt{}, err
	}
	f.Authentik.Flows.Value = append(f.Authentik.Flows.Value, flow)
	return state.Receipt{ObjectID: flow.Slug, Made: true}, nil
}

// Undo deletes the flow, unless somebody else uses it by now.
func (s deviceFlow) Undo(ctx context.Context, r state.Receipt) error {
	if s.Shared() {
		return nil
	}
	flows, err := s.Authentik.Flows(ctx)
	if err != nil {
		return err
	}
	brands, err := s.Authentik.Brands(ctx, "")
	if err != nil {
		return err
	}
	f := &facts.Facts{}
	f.Authentik.Flows.Value = flows
	for _, b := range brands {
		if b.FlowDeviceCode != "" && b.FlowDeviceCode == flowPK(f, r.ObjectID) {
			return nil
		}
	}
	return s.Authentik.DeleteFlow(ctx, r.ObjectID)
}

// brandFlow sets the flow on the brand that answers at this Authentik's
// address, which need not be the default one.
type brandFlow struct{ *Work }

func (s brandFlow) About() About {
	return About{ID: stepBrand, Title: "brand", Where: AtAuthentik, Object: "device code flow",
		Why:   "Authentik looks the flow up at the brand of the address that people use; without it their code leads nowhere",
		Makes: "device code flow " + deviceFlowSlug}
}

func (s brandFlow) Look(f *facts.Facts, _ state.Receipt) Finding {
	brand, ok := s.find(f)
	if !ok {
		return Finding{Verdict: Blocked, Note: "the brand that answers at this address could not be read"}
	}
	pk := flowPK(f, deviceFlowSlug)
	set := brand.FlowDeviceCode
	done, _ := s.Record.Last(stepBrand) // what was only begun gives no right to ask about it
	switch {
	case set != "" && set == pk, s.keeps(f) && done.ObjectID == "":
		return Finding{Verdict: InPlace, ObjectID: brand.UUID}
	case done.ObjectID == "" && set == "":
		return Finding{Verdict: Missing, ObjectID: brand.UUID, Intent: remembered(set, brand)}
	}
	return Finding{Verdict: Differs, ObjectID: brand.UUID, Intent: remembered(set, brand),
		Fields: []Field{{Name: "device code flow", Have: orNone(flowSlug(f, set)), Want: deviceFlowSlug}}}
}

// remembered is what the brand had, for taking back.
func remembered(flow string, brand authentik.Brand) state.Receipt {
	return state.Receipt{Before: map[string]string{"flow_device_code": flow}, Values: map[string]string{"domain": brand.Domain}}
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

// find is the record of the brand that is in force.
func (s brandFlow) find(f *facts.Facts) (authentik.Brand, bool) {
	for _, b := range f.Authentik.Brands.Value {
		if f.Authentik.Brand.OK() && b.Domain == f.Authentik.Brand.Value.MatchedDomain {
			return b, true
		}
	}
	return authentik.Brand{}, false
}

func (s brandFlow) Do(ctx context.Context, f *facts.Facts, _ Finding) (state.Receipt, error) {
	brand, ok := s.find(f)
	pk := flowPK(f, deviceFlowSlug)
	if !ok || pk == "" {
		return state.Receipt{}, fmt.Errorf("the brand or the flow is not there")
	}
	now, err := s.Authentik.SetBrandDeviceFlow(ctx, brand.UUID, &pk)
	if err != nil {
		return state.Receipt{}, err
	}
	for i := range f.Authentik.Brands.Value {
		if f.Authentik.Brands.Value[i].UUID == brand.UUID {
			f.Authentik.Brands.Value[i] = now
		}
	}
	return state.Receipt{ObjectID: brand.UUID}, nil
}

// Undo gives the brand its old device code flow back, if ours is still set.
func (s brandFlow) Undo(ctx context.Context, r state.Receipt) error {
	if s.Shared() {
		return nil
	}
	if still, err := s.stillOurs(ctx, r); err != nil || !still {
		return err
	}
	var old *string
	if flow := r.Before["flow_device_code"]; flow != "" {
		old = &flow
	}
	_, err := s.Authentik.SetBrandDeviceFlow(ctx, r.ObjectID, old)
	return err
}

// stillOurs says whether the brand has the flow that authbird set: what a
// person set since is theirs.
func (s brandFlow) stillOurs(ctx context.Context, r state.Receipt) (bool, error) {
	brands, err := s.Authentik.Brands(ctx, r.Values["domain"])
	if err != nil {
		return false, err
	}
	flows, err := s.Authentik.Flows(ctx)
	if err != nil {
		return false, err
	}
	f := &facts.Facts{}
	f.Authentik.Flows.Value = flows
	for _, b := range brands {
		if b.UUID == r.ObjectID {
			return flowSlug(f, b.FlowDeviceCode) == deviceFlowSlug, nil
		}
	}
	return false, nil
}
