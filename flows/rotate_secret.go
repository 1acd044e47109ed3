package flows

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"authbird/clients/authentik"
	"authbird/clients/netbird"
	"authbird/doctor"
	"authbird/facts"
	"authbird/keystore"
	"authbird/state"
)

// The steps of a new client secret: the journal's keys, never to be changed.
const (
	stepNewSecret          = "new-client-secret"
	stepNewSecretNetBird   = "new-client-secret-netbird"
	stepNewSecretAuthentik = "new-client-secret-authentik"
	stepNewSecretRestart   = "new-client-secret-restart"
	stepNewSecretInForce   = "new-client-secret-in-force"
)

// secretFlow renews the client secret of a connector. NetBird takes a new one at
// once and goes on with the old one until it restarts; so Authentik gets the new
// one in the very moment of the restart, and not before.
func (r *renewal) secretFlow() Flow {
	p := &connectorProof{Work: r.Work}
	flow := Flow{
		Name: r.flow, Survey: r.surveySecret, Prove: p.prove,
		Preflight: func(f *facts.Facts) []doctor.Result {
			return judged(doctor.Preflight(r.wants()), f, "authentik-answers", "authentik-token", "authentik-version", "authentik-rights",
				"netbird-answers", "netbird-token", "netbird-version", "netbird-rights", "netbird-embedded")
		},
	}
	end := renewed{r, keystore.ClientSecret, []string{stepNewSecret, stepNewSecretNetBird, stepNewSecretAuthentik, stepNewSecretRestart, stepNewSecretInForce}}
	if r.tail {
		flow.Steps = []Step{end}
		return flow
	}
	fresh := newSecret{r, stepNewSecret, keystore.ClientSecret}
	flow.Steps = []Step{fresh, secretAtNetBird{r}, secretAtAuthentik{r}, r.secretRestart(), secretInForce{r}, end}
	if r.o.Leak { // the old one must end, whatever becomes of logins
		flow.Steps = []Step{fresh, secretAtAuthentik{r}, secretAtNetBird{r}, r.secretRestart(), secretInForce{r}, end}
	}
	return flow
}

// judged are some of a list's checks, by their ids.
func judged(checks []doctor.Check, f *facts.Facts, ids ...string) []doctor.Result {
	var some []doctor.Check
	for _, c := range checks {
		for _, id := range ids {
			if c.ID == id {
				some = append(some, c)
			}
		}
	}
	return doctor.Judge(some, f)
}

func (r *renewal) surveySecret(ctx context.Context) *facts.Facts {
	f := r.survey(ctx)
	f.Local.Renewed = facts.Of(r.Secrets.Get(ctx, keystore.ClientSecret+keystore.New))
	return f
}

// newSecret makes the new secret and keeps it beside the old one, before any
// server hears of it.
type newSecret struct {
	*renewal
	id, credential string
}

func (s newSecret) About() About {
	return About{ID: s.id, Title: "new " + words(s.credential), Where: Here, Object: s.credential + keystore.New,
		Why:   "it is kept beside the old one before any server hears of it, so that an interruption loses neither",
		Makes: "64 letters and digits, kept in the keystore"}
}

// words is a credential's name as people say it.
func words(credential string) string {
	return map[string]string{
		keystore.ClientSecret: "client secret", keystore.AppPassword: "app password", keystore.AuthentikToken: "Authentik API token",
		keystore.NetBirdToken: "NetBird access token", keystore.SigningKey: "signing key",
	}[credential]
}

func (s newSecret) Look(f *facts.Facts, past state.Receipt) Finding {
	switch fresh := f.Local.Renewed; {
	case fresh.OK() && past.Digest == s.Record.Digest(fresh.Value):
		return Finding{Verdict: InPlace, ObjectID: s.credential + keystore.New}
	case fresh.OK() || errors.Is(fresh.Err, keystore.ErrAbsent):
		found := Finding{Verdict: Missing}
		if s.credential == keystore.AppPassword && s.o.NetBirdConfig != "" {
			found.Intent.Values = map[string]string{configKey: s.o.NetBirdConfig}
		}
		return found
	default:
		return Finding{Verdict: Blocked, Note: fresh.Err.Error()}
	}
}

func (s newSecret) Do(ctx context.Context, f *facts.Facts, _ Finding) (state.Receipt, error) {
	secret, err := randomText(s.Rand, clientSecretLength)
	if err != nil {
		return state.Receipt{}, err
	}
	if err := s.Secrets.Set(ctx, s.credential+keystore.New, secret); err != nil {
		return state.Receipt{}, fmt.Errorf("store the new %s: %w", words(s.credential), err)
	}
	f.Local.Renewed = facts.Of(secret, nil)
	return state.Receipt{ObjectID: s.credential + keystore.New, Made: true, Digest: s.Record.Digest(secret)}, nil
}

func (s newSecret) Undo(ctx context.Context, _ state.Receipt) error {
	return s.Secrets.Delete(ctx, s.credential+keystore.New)
}

// secretAtNetBird gives NetBird the new secret, which it uses after its next
// restart.
type secretAtNetBird struct{ *renewal }

func (s secretAtNetBird) About() About {
	return About{ID: stepNewSecretNetBird, Title: "new client secret", Where: AtNetBird, Object: s.Answers.ConnectorName,
		Why:   "NetBird keeps it now and goes on with the old one until it restarts; users keep their ids, because the connector stays the same",
		Makes: "put into the connector"}
}

func (s secretAtNetBird) connector(f *facts.Facts) (netbird.IdentityProvider, bool) {
	made, _ := s.Record.Last(stepConnector)
	return connectorByID(f, made.ObjectID)
}

func (s secretAtNetBird) Look(f *facts.Facts, past state.Receipt) Finding {
	if err := f.NetBird.Providers.Err; err != nil {
		return unreadable("NetBird's identity providers", err)
	}
	c, ok := s.connector(f)
	if !ok {
		return Finding{Verdict: Blocked, Note: "NetBird no longer lists the connector: authbird doctor tells more"}
	}
	if fresh := f.Local.Renewed; fresh.OK() && past.Digest == s.Record.Digest(fresh.Value) {
		return Finding{Verdict: InPlace, ObjectID: c.ID}
	}
	return Finding{Verdict: Missing, ObjectID: c.ID,
		Intent: state.Receipt{Values: map[string]string{changedIn: writeProcess(f.NetBird.Instance.Value.Process)}}}
}

// Do opens the connector first: one that was never opened since NetBird started
// would take the new secret at once.
func (s secretAtNetBird) Do(ctx context.Context, f *facts.Facts, found Finding) (state.Receipt, error) {
	c, ok := s.connector(f)
	if !ok || !f.Local.Renewed.OK() {
		return state.Receipt{}, errors.New("the connector or its new secret is not there")
	}
	if _, err := s.NetBird.StartLogin(ctx, f.NetBird.Embedded.Value.Issuer, c.ID); err != nil {
		s.remark("whether NetBird uses the connector already could not be seen; if it didn't, logins failed from now until the restart")
	}
	receipt := state.Receipt{ObjectID: found.ObjectID, Digest: s.Record.Digest(f.Local.Renewed.Value)}
	for range 3 { // a restart around the change would leave open which process knows of it
		before, err := s.NetBird.Instance(ctx)
		if err != nil {
			return receipt, err
		}
		if err := s.put(ctx, c, f.Local.Renewed.Value); err != nil {
			return receipt, err
		}
		after, err := s.NetBird.Instance(ctx)
		if err != nil {
			return receipt, unseen(err)
		}
		f.NetBird.Instance = facts.Of(after, nil)
		receipt.Values = map[string]string{changedIn: writeProcess(after.Process)}
		if same, known := after.Process.SameRunAtOnce(before.Process); same || !known {
			break
		}
	}
	return receipt, nil
}

// put changes nothing of a connector but its secret.
func (r *renewal) put(ctx context.Context, c netbird.IdentityProvider, secret string) error {
	_, err := r.NetBird.UpdateIdentityProvider(ctx, c.ID, netbird.IdentityProviderSpec{
		Type: c.Type, Name: c.Name, ClientID: c.ClientID, Issuer: c.Issuer, ClientSecret: secret,
	})
	return err
}

// Undo gives NetBird the old secret back; its process never used another.
func (s secretAtNetBird) Undo(ctx context.Context, r state.Receipt) error {
	old, _, err := s.oldSecret(ctx)
	if err != nil {
		return err
	}
	c, err := s.NetBird.IdentityProvider(ctx, r.ObjectID)
	if err != nil {
		return err
	}
	return s.put(ctx, c, old)
}

// oldSecret is the client secret in force. Where the keystore has lost it, what
// Authentik has is what logins work with; regained says that it was kept anew.
func (r *renewal) oldSecret(ctx context.Context) (secret string, regained bool, err error) {
	secret, err = r.Secrets.Get(ctx, keystore.ClientSecret)
	if !errors.Is(err, keystore.ErrAbsent) {
		return secret, false, err
	}
	all, lookup := r.Authentik.ProvidersByClientID(ctx, r.clientID())
	if lookup != nil {
		return "", false, lookup
	}
	if len(all) != 1 || all[0].ClientSecret == "" {
		return "", false, err
	}
	secret = all[0].ClientSecret
	return secret, true, r.Secrets.Set(ctx, keystore.ClientSecret, secret)
}

// secretAtAuthentik gives Authentik the new secret in the moment in which
// NetBird restarts.
type secretAtAuthentik struct{ *renewal }

func (s secretAtAuthentik) About() About {
	return About{ID: stepNewSecretAuthentik, Title: "new client secret", Where: AtAuthentik, Object: s.Answers.Name,
		Why:   "Authentik knows one secret at a time, so it gets the new one when NetBird restarts with it",
		Makes: "put into the provider when NetBird restarts"}
}

// Patience is how long NetBird's restart is waited for.
func (s secretAtAuthentik) Patience() time.Duration { return s.wait() }

func (s secretAtAuthentik) provider(f *facts.Facts) (authentik.Provider, bool) {
	return providerOf(f, s.clientID())
}

func (s secretAtAuthentik) Look(f *facts.Facts, past state.Receipt) Finding {
	if err := f.Authentik.Providers.Err; err != nil {
		return unreadable("Authentik's providers", err)
	}
	have, ok := s.provider(f)
	if !ok {
		return Finding{Verdict: Blocked, Note: "Authentik no longer has the provider: authbird doctor tells more"}
	}
	found := Finding{Verdict: Missing, ObjectID: strconv.Itoa(have.PK)}
	if fresh := f.Local.Renewed; fresh.OK() && have.ClientSecret == fresh.Value && past.Digest == s.Record.Digest(fresh.Value) {
		found.Verdict = InPlace
	}
	return found
}

func (s secretAtAuthentik) Do(ctx context.Context, f *facts.Facts, found Finding) (state.Receipt, error) {
	have, ok := s.provider(f)
	if !ok || !f.Local.Renewed.OK() || !f.Local.ClientSecret.OK() {
		return state.Receipt{}, errors.New("the provider or one of its secrets is not there")
	}
	give := func(secret string) func(context.Context) error {
		return func(ctx context.Context) error {
			p, err := s.Authentik.UpdateProvider(ctx, have.PK, map[string]any{"client_secret": secret})
			if err == nil {
				f.Authentik.Providers.Value = []authentik.Provider{p}
			}
			return err
		}
	}
	told, _ := s.Record.Last(stepNewSecretNetBird)
	process, _ := readProcess(told.Values[changedIn])
	receipt := state.Receipt{ObjectID: found.ObjectID, Digest: s.Record.Digest(f.Local.Renewed.Value)}
	if s.o.Leak {
		receipt.Values = map[string]string{endedAt: s.Now().UTC().Format(time.RFC3339Nano)}
		return receipt, give(f.Local.Renewed.Value)(ctx)
	}
	w := s.watcher(s.About(), process)
	w.atOnce, w.back = give(f.Local.Renewed.Value), give(f.Local.ClientSecret.Value)
	w.acted = have.ClientSecret == f.Local.Renewed.Value
	w.ready = s.loginsBegin
	receipt.Values = map[string]string{restartSeen: "yes"}
	return receipt, s.watchRestart(ctx, f, w, s.About())
}

// endedAt is the receipt's value of when the old secret, in wrong hands, ended at
// Authentik: logins fail from then on.
const endedAt = "ended_at"

// secretRestart waits for the restart where the new secret was put into force at
// Authentik without waiting for it.
func (r *renewal) secretRestart() Step {
	return awaitRestart{renewal: r, id: stepNewSecretRestart,
		why: "NetBird uses the new client secret from its restart on",
		seen: func() bool {
			known, _ := r.Record.Last(stepNewSecretAuthentik)
			return known.Values[restartSeen] != ""
		},
		told: func() string {
			told, _ := r.Record.Last(stepNewSecretNetBird)
			return told.Values[changedIn]
		},
		ready: r.loginsBegin,
		since: func() time.Time {
			known, _ := r.Record.Last(stepNewSecretAuthentik)
			at, _ := time.Parse(time.RFC3339Nano, known.Values[endedAt])
			return at
		},
		stays: "logins through Authentik fail until NetBird has restarted: restart it, then go on",
	}
}

func (s secretAtAuthentik) Undo(context.Context, state.Receipt) error { return nil }

// secretInForce makes the new secret the setup's, and keeps the old one aside
// until a login has proven the new one.
type secretInForce struct{ *renewal }

func (s secretInForce) About() About {
	return About{ID: stepNewSecretInForce, Title: "client secret", Where: Here, Object: keystore.ClientSecret,
		Why: "the old one is kept aside until a login has shown that the new one works"}
}

func (s secretInForce) Look(f *facts.Facts, past state.Receipt) Finding {
	if now := f.Local.ClientSecret; now.OK() && past.Digest == s.Record.Digest(now.Value) && past.Digest != "" {
		return Finding{Verdict: InPlace, ObjectID: keystore.ClientSecret}
	}
	return Finding{Verdict: Missing}
}

func (s secretInForce) Do(ctx context.Context, f *facts.Facts, _ Finding) (state.Receipt, error) {
	receipt, err := s.inForce(ctx, keystore.ClientSecret, f.Local.ClientSecret, f.Local.Renewed, "NetBird's connector "+s.Answers.ConnectorName)
	if err != nil {
		return receipt, err
	}
	for _, step := range []string{stepClientSecret, stepConnector} {
		past, _ := s.Record.Last(step)
		past.Digest = receipt.Digest
		delete(past.Values, changedIn) // NetBird has restarted since
		if err := s.write(step, state.Done, past, "a new client secret"); err != nil {
			return receipt, err
		}
	}
	f.Local.ClientSecret = f.Local.Renewed
	return receipt, nil
}

// inForce puts the new secret in the place of the old one, which is kept aside.
func (r *renewal) inForce(ctx context.Context, name string, old, fresh facts.Fact[string], usedBy string) (state.Receipt, error) {
	if !fresh.OK() {
		return state.Receipt{}, fmt.Errorf("the new %s is not in the keystore: %w", words(name), fresh.Err)
	}
	if old.OK() && old.Value != fresh.Value {
		if err := r.Secrets.Set(ctx, name+keystore.Old, old.Value); err != nil {
			return state.Receipt{}, err
		}
	}
	return r.keepSecret(ctx, name, fresh.Value, usedBy)
}

func (s secretInForce) Undo(context.Context, state.Receipt) error { return nil }
