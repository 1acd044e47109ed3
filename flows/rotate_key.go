package flows

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"authbird/clients/authentik"
	"authbird/doctor"
	"authbird/facts"
	"authbird/keystore"
	"authbird/state"
)

// The steps of a new signing key: the journal's keys, never to be changed.
const (
	stepNewKey         = "new-signing-key"
	stepNewKeyProvider = "new-signing-key-provider"
	stepNewKeyNoted    = "new-signing-key-noted"
)

// keyDays is how long a new certificate is good for.
const keyDays = 3 * 365

// keyFlow has Authentik generate another certificate and points the provider to
// it. The old one stays: other providers may sign with it.
func (r *renewal) keyFlow() Flow {
	flow := Flow{Name: r.flow, Survey: r.survey, Prove: r.proveKey,
		Preflight: func(f *facts.Facts) []doctor.Result {
			return judged(doctor.Preflight(r.wants()), f, "authentik-answers", "authentik-token", "authentik-version", "authentik-rights")
		}}
	if r.Answers.Mode == state.Standalone {
		flow.Survey = r.surveyStandalone
	}
	end := renewed{r, keystore.SigningKey, []string{stepNewKey, stepNewKeyProvider, stepNewKeyNoted}}
	flow.Steps = []Step{newKey{r}, keyAtProvider{r}, keyNoted{r}, end}
	if r.tail {
		flow.Steps = []Step{end}
	}
	return flow
}

// proveKey reads what the new key shows outside.
func (r *renewal) proveKey(ctx context.Context, f *facts.Facts) []doctor.Result {
	keys, err := r.Reader.OIDC.Keys(ctx, f.Authentik.Discovery.Value)
	f.Proof.Keys = facts.Of(keys, err)
	if r.Answers.Mode == state.Standalone {
		r.remark("NetBird reads the keys when it starts: restart it, or set NETBIRD_MGMT_IDP_SIGNKEY_REFRESH=true in setup.env; people sign in anew")
	} else {
		r.remark("NetBird fetches the new key by itself at the next login")
	}
	return judged(doctor.AuthentikProof(doctor.Proven{}), f, "proof-discovery", "proof-keys")
}

// newKey has Authentik generate an RSA certificate.
type newKey struct{ *renewal }

func (s newKey) About() About {
	return About{ID: stepNewKey, Title: "signing key", Where: AtAuthentik, Object: s.Answers.Name,
		Why: "Authentik signs logins with it, and NetBird checks them by its public half", Makes: "an RSA certificate, good for three years"}
}

// newKeyName is the receipt's value of what the certificate is called.
const newKeyName = "name"

func (s newKey) Look(f *facts.Facts, past state.Receipt) Finding {
	if err := f.Authentik.Keys.Err; err != nil {
		return unreadable("Authentik's signing keys", err)
	}
	name := past.Values[newKeyName]
	if name == "" {
		name = s.freshName(f)
	}
	intent := state.Receipt{Values: map[string]string{newKeyName: name}}
	if i := keyNamed(f, name); i >= 0 {
		return Finding{Verdict: InPlace, ObjectID: f.Authentik.Keys.Value[i].PK, Intent: intent}
	}
	return Finding{Verdict: Missing, Intent: intent}
}

// freshName is the provider's with the time, or with the first second after it
// that no key has.
func (s newKey) freshName(f *facts.Facts) string {
	for at := s.Now().UTC(); ; at = at.Add(time.Second) {
		if name := s.Answers.Name + " " + at.Format("2006-01-02 15:04:05"); keyNamed(f, name) < 0 {
			return name
		}
	}
}

// keyNamed is the place in Authentik's list; negative: none is called so.
func keyNamed(f *facts.Facts, name string) int {
	return slices.IndexFunc(f.Authentik.Keys.Value, func(k authentik.KeyPair) bool { return k.Name == name })
}

func (s newKey) Do(ctx context.Context, f *facts.Facts, found Finding) (state.Receipt, error) {
	made, err := s.Authentik.CreateKeyPair(ctx, found.Intent.Values[newKeyName], keyDays)
	if err != nil {
		return state.Receipt{}, err
	}
	f.Authentik.Keys.Value = append(f.Authentik.Keys.Value, made)
	return state.Receipt{ObjectID: made.PK, Made: true}, nil
}

func (s newKey) Undo(context.Context, state.Receipt) error { return nil }

// keyAtProvider points the provider to the new key.
type keyAtProvider struct{ *renewal }

func (s keyAtProvider) About() About {
	return About{ID: stepNewKeyProvider, Title: "provider", Where: AtAuthentik, Object: s.Answers.Name, Why: "from here on it signs with the new key"}
}

func (s keyAtProvider) Look(f *facts.Facts, _ state.Receipt) Finding {
	if err := f.Authentik.Providers.Err; err != nil {
		return unreadable("Authentik's providers", err)
	}
	have, ok := providerOf(f, s.clientID())
	if !ok {
		return Finding{Verdict: Blocked, Note: "Authentik no longer has the provider: authbird doctor tells more"}
	}
	found := Finding{Verdict: Missing, ObjectID: strconv.Itoa(have.PK)}
	if made, _ := s.Record.Last(stepNewKey); made.ObjectID != "" && made.ObjectID == have.SigningKey {
		found.Verdict = InPlace
	}
	return found
}

func (s keyAtProvider) Do(ctx context.Context, f *facts.Facts, found Finding) (state.Receipt, error) {
	made, _ := s.Record.Last(stepNewKey)
	pk, err := strconv.Atoi(found.ObjectID)
	if err != nil || made.ObjectID == "" {
		return state.Receipt{}, errors.New("the provider or its new key is not known")
	}
	p, err := s.Authentik.UpdateProvider(ctx, pk, map[string]any{"signing_key": made.ObjectID})
	if err != nil {
		return state.Receipt{}, err
	}
	f.Authentik.Providers.Value = []authentik.Provider{p}
	return state.Receipt{ObjectID: found.ObjectID}, nil
}

func (s keyAtProvider) Undo(context.Context, state.Receipt) error { return nil }

// keyNoted notes the dates of the new certificate.
type keyNoted struct{ *renewal }

func (s keyNoted) About() About {
	return About{ID: stepNewKeyNoted, Title: "date", Where: Here, Object: keystore.SigningKey, Why: "authbird warns before the certificate ends"}
}

func (s keyNoted) Look(_ *facts.Facts, past state.Receipt) Finding {
	if made, _ := s.Record.Last(stepNewKey); made.ObjectID != "" && s.credential(keystore.SigningKey).ID == made.ObjectID {
		return Finding{Verdict: InPlace, ObjectID: keystore.SigningKey}
	}
	return Finding{Verdict: Missing}
}

func (s keyNoted) Do(_ context.Context, f *facts.Facts, _ Finding) (state.Receipt, error) {
	made, _ := s.Record.Last(stepNewKey)
	i := slices.IndexFunc(f.Authentik.Keys.Value, func(k authentik.KeyPair) bool { return k.PK == made.ObjectID })
	if i < 0 {
		return state.Receipt{}, errors.New("the new signing key is not in Authentik's list")
	}
	key := f.Authentik.Keys.Value[i]
	if s.Answers.SigningKey != "" { // a setup that names its key must not be put back to the old one
		if err := s.amend(func(a *state.Answers) { a.SigningKey = key.Name }); err != nil {
			return state.Receipt{}, err
		}
	}
	c := keyCredential(key, s.Answers.Name)
	c.ID, c.Made, c.Proven = made.ObjectID, s.Now(), s.Now()
	return state.Receipt{ObjectID: keystore.SigningKey}, s.Record.SaveCredential(c)
}

func (s keyNoted) Undo(context.Context, state.Receipt) error { return nil }

// keyCredential is what is known of a certificate that signs.
func keyCredential(k authentik.KeyPair, provider string) state.Credential {
	c := state.Credential{Name: keystore.SigningKey, UsedBy: "Authentik's provider " + provider}
	c.Expires, _ = time.Parse(time.RFC3339, k.CertExpiry)
	return c
}

// noteKey keeps the end of the certificate that the provider signs with.
func (s *Session) noteKey(f *facts.Facts) error {
	have, ok := providerOf(f, s.clientID())
	if !ok {
		return nil
	}
	for _, k := range f.Authentik.Keys.Value {
		if k.PK != have.SigningKey {
			continue
		}
		now := keyCredential(k, s.Answers.Name)
		for _, c := range s.setup.Credentials {
			if c.Name == keystore.SigningKey && c.Expires.Equal(now.Expires) {
				return nil
			}
		}
		return s.setup.SaveCredential(now)
	}
	return nil
}
