package flows

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"authbird/clients/authentik"
	"authbird/clients/netbird"
	"authbird/doctor"
	"authbird/facts"
	"authbird/keystore"
	"authbird/state"
)

// Connector is the flow of the recommended mode: an OAuth2/OIDC provider and an
// application in Authentik, and an identity provider in NetBird's embedded IdP.
func Connector(w *Work) Flow {
	p := &connectorProof{Work: w}
	steps := []Step{
		clientSecret{w},
		provider{Work: w, want: w.connectorProvider, ready: p.begin},
		application{w},
	}
	steps = append(steps, w.bindings()...)
	steps = append(steps, redirect{w, strictRedirects}, connector{Work: w, changed: p.note})
	steps = append(steps, w.groupSync()...)
	return Flow{
		Name: string(state.Connector), Steps: steps,
		Survey:    w.survey,
		Preflight: func(f *facts.Facts) []doctor.Result { return doctor.Judge(doctor.Preflight(w.wants()), f) },
		Prove: func(ctx context.Context, f *facts.Facts) []doctor.Result {
			return append(p.prove(ctx, f), w.proveGroups(ctx, f)...)
		},
	}
}

// strictRedirects are connectorRedirects as a provider lists them.
func strictRedirects(f *facts.Facts) []authentik.RedirectURI {
	var out []authentik.RedirectURI
	for _, uri := range connectorRedirects(f) {
		out = append(out, authentik.RedirectURI{MatchingMode: "strict", URL: uri})
	}
	return out
}

func (w *Work) wants() doctor.Wants {
	return doctor.Wants{
		AuthorizationFlow: w.Answers.AuthorizationFlow, AuthenticationFlow: authenticationFlow,
		SigningKey: w.Answers.SigningKey, Groups: w.groupNames(), Mappings: connectorMappings,
		AllowHTTP: w.Answers.AllowHTTP, AuthentikURL: w.Answers.AuthentikURL, NetBirdURL: w.Answers.NetBirdURL,
	}
}

// changedIn is the receipt's value that names the NetBird process which was
// told of a change of the connector.
const changedIn = "changed_in"

func writeProcess(p netbird.Process) string { return fmt.Sprintf("%s %d", p.ID, p.Counter) }

func readProcess(text string) (p netbird.Process, there bool) {
	id, counter, there := strings.Cut(text, " ")
	n, err := strconv.ParseUint(counter, 10, 32)
	if err != nil {
		return netbird.Process{}, there
	}
	return netbird.Process{ID: id, Counter: uint32(n)}, there
}

// survey reads the keystore and both servers.
func (w *Work) survey(ctx context.Context) *facts.Facts {
	made, _ := w.Record.Last(stepApplication)
	connected, _ := w.Record.Last(stepConnector)
	secret := facts.Of(w.Secrets.Get(ctx, keystore.ClientSecret))
	f := w.Reader.Survey(ctx, facts.Ask{
		Name: w.Answers.Name, Slug: w.Answers.Slug, ClientID: w.clientID(), SigningKey: w.Answers.SigningKey,
		Groups: w.groupNames(), Bound: w.readGroups || len(w.bindings()) > 0, Stands: made.ObjectID != "", Reach: connected.ObjectID == "",
		Account: w.asksAccount(), Admins: w.Answers.GroupSync == GroupSyncOn, LetIn: w.Answers.LetIn,
	})
	f.Local.ClientSecret = secret
	return f
}

// connectorProof proves a finished connector setup. Authentik's part begins as
// soon as the provider was read back, while NetBird is still being asked for
// the connector; the login start, which opens the connector, comes last.
type connectorProof struct {
	*Work
	early   earlyReads // Authentik's part
	of      string     // the redirect URIs that it was begun with
	changed bool       // the connector was made or changed in this run
}

// note says that the connector was made or changed: it is opened only once
// Authentik's part has passed.
func (p *connectorProof) note() { p.changed = true }

func (p *connectorProof) ask(f *facts.Facts) facts.ProofAsk {
	have, _ := providerOf(f, p.clientID())
	receipt, _ := p.Record.Last(stepConnector)
	return facts.ProofAsk{
		ClientID: p.clientID(), ClientSecret: f.Local.ClientSecret.Value,
		RedirectURI: f.NetBird.Embedded.Value.RedirectURI(), Registered: len(have.RedirectURIs),
		ConnectorID: receipt.ObjectID,
	}
}

// begin starts Authentik's part, if what it asks about stands.
func (p *connectorProof) begin(ctx context.Context, f *facts.Facts) {
	have, ok := providerOf(f, p.clientID())
	if !ok || len(have.RedirectURIs) == 0 || !f.Authentik.Discovery.OK() {
		return
	}
	p.of = uris(have.RedirectURIs)
	p.early.begin(ctx, f, func(ctx context.Context) func() { return p.Reader.ProveAuthentik(ctx, f, p.ask(f)) })
}

func (p *connectorProof) prove(ctx context.Context, f *facts.Facts) []doctor.Result {
	have, _ := providerOf(f, p.clientID())
	if !p.early.begunFor(f) || p.of != uris(have.RedirectURIs) {
		p.begin(ctx, f)
	}
	ask := p.ask(f)
	if !p.changed {
		p.Reader.ProveNetBird(ctx, f, ask)
	}
	p.early.end(ctx)
	proven := doctor.Proven{
		ConnectorID: ask.ConnectorID, ClientID: ask.ClientID, Issuer: f.Authentik.Discovery.Value.Issuer, RedirectURI: ask.RedirectURI,
		RedirectFix: stepRedirect,
	}
	made, _ := p.Record.Last(stepConnector)
	proven.ChangedIn, proven.Changed = readProcess(made.Values[changedIn])
	for _, u := range have.RedirectURIs {
		proven.Registered = append(proven.Registered, u.URL)
	}
	checks := doctor.Proof(proven)
	if before := doctor.Judge(doctor.AuthentikProof(proven), f); p.changed && !anyFailed(before) {
		p.Reader.ProveNetBird(ctx, f, ask)
	}
	return doctor.Judge(checks, f)
}

func anyFailed(results []doctor.Result) bool {
	r, bad := doctor.Worst(results)
	return bad && r.Verdict == doctor.Fail
}
