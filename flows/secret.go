package flows

import (
	"context"
	"errors"
	"fmt"

	"authbird/facts"
	"authbird/keystore"
	"authbird/state"
)

// Lengths of what authbird makes: Authentik's own are 40 and 128 characters.
const (
	clientIDLength     = 40
	clientSecretLength = 64
)

// clientSecret makes the provider's client id and secret and stores them,
// before the first request that uses them leaves. So a lost answer loses
// nothing, and the provider can be found again by its client id.
type clientSecret struct{ *Work }

func (s clientSecret) About() About {
	return About{
		ID: stepClientSecret, Title: "client secret", Where: Here, Object: keystore.ClientSecret,
		Why:   "NetBird proves to Authentik with it that it is NetBird; it is kept before it is used, so that an interruption loses nothing",
		Makes: "64 letters and digits, kept in the keystore",
	}
}

func (s clientSecret) Look(f *facts.Facts, past state.Receipt) Finding {
	if theirs, ok := foreignProvider(f, s.clientID()); ok && past.Values["client_id"] == "" {
		return Finding{Verdict: InPlace, Note: fmt.Sprintf("the one of the provider %q would be taken over", theirs.Name)}
	}
	if past.Values["client_id"] == "" {
		found := Finding{Verdict: Missing}
		if p, ok := providerOf(f, s.clientID()); ok { // of a connection that authbird did not make
			found.Note = fmt.Sprintf("the one that the provider %q has is taken over, so that NetBird is sent the same", p.Name)
		}
		return found
	}
	return inKeystore(keystore.ClientSecret, f.Local.ClientSecret)
}

// inKeystore judges a secret that the journal says was made. A keystore that
// can't be opened now must not make another.
func inKeystore(name string, secret facts.Fact[string]) Finding {
	switch {
	case secret.OK():
		return Finding{Verdict: InPlace, ObjectID: name}
	case errors.Is(secret.Err, keystore.ErrAbsent):
		return Finding{Verdict: Missing}
	}
	return Finding{Verdict: Blocked, Note: secret.Err.Error()}
}

// Do makes both, or, where the journal knows a client id whose secret the
// keystore has lost, takes the secret from the provider of that id.
func (s clientSecret) Do(ctx context.Context, f *facts.Facts, _ Finding) (state.Receipt, error) {
	id, secret := s.clientID(), ""
	if p, ok := providerOf(f, id); ok {
		secret = p.ClientSecret
	}
	if id == "" && f.Local.ClientSecret.OK() { // brought along by the environment
		secret = f.Local.ClientSecret.Value
	}
	if id == "" {
		var err error
		if id, err = randomText(s.Rand, clientIDLength); err != nil {
			return state.Receipt{}, err
		}
	}
	if secret == "" {
		var err error
		if secret, err = randomText(s.Rand, clientSecretLength); err != nil {
			return state.Receipt{}, err
		}
	}
	return s.keepClientSecret(ctx, f, id, secret)
}

// keepClientSecret stores a client secret and makes it known to the facts.
func (w *Work) keepClientSecret(ctx context.Context, f *facts.Facts, id, secret string) (state.Receipt, error) {
	receipt, err := w.keepSecret(ctx, keystore.ClientSecret, secret, "NetBird's connector "+w.Answers.ConnectorName)
	if err != nil {
		return receipt, err
	}
	receipt.Values = map[string]string{"client_id": id}
	f.Local.ClientSecret = facts.Of(secret, nil)
	f.Ask.ClientID = id
	return receipt, nil
}

// keepSecret stores a secret and notes its age.
func (w *Work) keepSecret(ctx context.Context, name, secret, usedBy string) (state.Receipt, error) {
	if err := w.Secrets.Set(ctx, name, secret); err != nil {
		return state.Receipt{}, fmt.Errorf("store the %s: %w", name, err)
	}
	digest := w.Record.Digest(secret)
	err := w.Record.SaveCredential(state.Credential{Name: name, Made: w.Now(), Digest: digest, Kept: true, UsedBy: usedBy})
	return state.Receipt{ObjectID: name, Made: true, Digest: digest}, err
}

func (s clientSecret) Undo(ctx context.Context, _ state.Receipt) error {
	return s.Secrets.Delete(ctx, keystore.ClientSecret)
}
