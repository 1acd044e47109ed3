package flows

import (
	"context"
	"encoding/json"

	"authbird/clients"
	"authbird/facts"
	"authbird/hostfiles"
	"authbird/state"
)

// managementFile patches a management.json that stands, at the places where
// configure.sh would have written, so that the script need not run again: it
// would blank the key that NetBird's database is encrypted with.
type managementFile struct{ *Work }

func (s managementFile) About() About {
	return About{ID: stepManagement, Title: "management.json", Where: Here, Object: s.Answers.NetBirdConfig,
		Why:   "NetBird's management server reads it when it starts; patched in place, its encryption key and other secrets stay",
		Makes: "the values of the identity provider; the old file is kept beside it"}
}

func (s managementFile) values(f *facts.Facts) hostfiles.ManagementValues {
	d := f.Authentik.Discovery.Value
	return hostfiles.ManagementValues{
		ConfigEndpoint: d.URL, Issuer: d.Issuer, KeysLocation: d.JWKSURI, TokenEndpoint: d.TokenEndpoint,
		AuthorizationEndpoint: d.AuthEndpoint, DeviceEndpoint: d.DeviceEndpoint,
		ClientID: s.clientID(), ServiceAccount: s.Answers.ServiceAccount, Password: f.Local.AppPassword.Value,
	}
}

func (s managementFile) Look(f *facts.Facts, _ state.Receipt) Finding {
	if err := f.Local.Management.Err; err != nil {
		return Finding{Verdict: Blocked, Note: s.Answers.NetBirdConfig + " can't be read: " + pathReason(err)}
	}
	if !f.Authentik.Discovery.OK() || !f.Local.AppPassword.OK() {
		return Finding{Verdict: Missing}
	}
	_, changes, err := hostfiles.PatchManagement(f.Local.Management.Value, s.values(f))
	if err != nil {
		return Finding{Verdict: Blocked, Note: s.Answers.NetBirdConfig + ": " + clients.Clean(err.Error())}
	}
	if len(changes) == 0 {
		return Finding{Verdict: InPlace, ObjectID: s.Answers.NetBirdConfig}
	}
	before, err := json.Marshal(hostfiles.Before(changes))
	if err != nil {
		return Finding{Verdict: Blocked, Note: err.Error()}
	}
	return Finding{Verdict: Missing, ObjectID: s.Answers.NetBirdConfig, Fields: changedFields(changes),
		Intent: state.Receipt{Values: map[string]string{"before": string(before)}}}
}

func (s managementFile) Do(_ context.Context, f *facts.Facts, _ Finding) (state.Receipt, error) {
	patched, _, err := hostfiles.PatchManagement(f.Local.Management.Value, s.values(f))
	if err != nil {
		return state.Receipt{}, err
	}
	backup, err := hostfiles.Write(s.Answers.NetBirdConfig, patched, hostfiles.WriteOptions{Now: s.Now(), KeepMode: true})
	if err != nil {
		return state.Receipt{}, written(err)
	}
	f.Local.Management = readFile(s.Answers.NetBirdConfig)
	return state.Receipt{ObjectID: s.Answers.NetBirdConfig, Values: map[string]string{"backup": backup}}, f.Local.Management.Err
}

// Undo leaves the file as it is: what stood there before, secrets included, is
// in the backup beside it, and NetBird can't run on half of each.
func (s managementFile) Undo(context.Context, state.Receipt) error { return nil }
