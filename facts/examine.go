package facts

import (
	"context"

	"authbird/clients"
	"authbird/clients/authentik"
	"authbird/clients/netbird"
	"authbird/clients/oidc"
)

// ExamAsk is what an examination of a connection looks at besides what a
// survey reads.
type ExamAsk struct {
	Ask
	NetBird     bool // NetBird is asked too: in standalone mode it need not be known where it is
	ConnectorID string
	Redirects   []string // that NetBird uses; in connector mode they are its embedded IdP's
	LookAlike   string   // a redirect URI at another host, to be refused
	Username    string   // standalone: the service account
}

// Examine reads, in one wave, all of both servers that a check of the doctor
// rests on and that can be asked for at once.
func (r *Reader) Examine(ctx context.Context, ask ExamAsk) *Facts {
	f := &Facts{Ask: ask.Ask, At: r.Now()}
	var w wave
	r.askAuthentik(ctx, &w, f)
	if ask.Standalone != nil {
		r.askStandalone(ctx, &w, f)
	}
	if ask.NetBird {
		r.examineNetBird(ctx, &w, f)
	}
	w.Wait()
	if ask.NetBird {
		f.NetBird.deduceMe()
	}
	return f
}

// examineNetBird reads NetBird's side. Whom the token belongs to is asked once
// more in the list of users: a service user may not ask for itself.
func (r *Reader) examineNetBird(ctx context.Context, w *wave, f *Facts) {
	n := &f.NetBird
	get(ctx, w, &n.Instance, r.NetBird.Instance)
	get(ctx, w, &n.Version, r.NetBird.Version)
	get(ctx, w, &n.Accounts, r.NetBird.Accounts)
	get(ctx, w, &n.Providers, r.NetBird.IdentityProviders)
	get(ctx, w, &n.Embedded, r.NetBird.EmbeddedIdP)
	get(ctx, w, &n.Me, r.NetBird.CurrentUser)
	get(ctx, w, &n.Users, r.NetBird.Users)
	if f.Ask.Reach {
		get(ctx, w, &n.Reach, func(ctx context.Context) (netbird.Reach, error) {
			return r.NetBird.ProbeReach(ctx, r.Authentik.BaseURL()+"/application/o/"+r.nonce()+"/")
		})
	}
}

// deduceMe finds whom the token belongs to in the list of users, where it may
// not ask for itself.
func (n *NetBird) deduceMe() {
	if clients.KindOf(n.Me.Err) != clients.Forbidden {
		return
	}
	for _, u := range n.Users.Value {
		if u.Current {
			n.Me = Of(u, nil)
		}
	}
}

// Probe reads, in one wave, what shows whether logins work: the key set, what
// Authentik makes of NetBird's redirect URIs, the secret or the service
// account, and where a login at NetBird leads. The authorize endpoint is asked
// only where the provider's list was read and holds something, and the login
// at NetBird is begun only where the connector is as Authentik has it: that
// opens it, and a change of it would need a restart then.
func (r *Reader) Probe(ctx context.Context, f *Facts, ask ExamAsk) {
	var w wave
	d := f.Authentik.Discovery
	have := f.provider()
	if d.OK() {
		get(ctx, &w, &f.Proof.Keys, func(ctx context.Context) ([]oidc.Key, error) { return r.OIDC.Keys(ctx, d.Value) })
		r.probeRedirects(ctx, &w, f, ask, have)
	}
	if d.OK() && ask.Standalone != nil && f.Local.AppPassword.OK() && ask.ClientID != "" {
		service := r.ProveServiceAccount(ctx, f, StandaloneProofAsk{ClientID: ask.ClientID, Username: ask.Username, Password: f.Local.AppPassword.Value})
		w.ask(service)
	}
	if ask.Standalone == nil {
		r.probeConnector(ctx, &w, f, ask)
	}
	if f.Authentik.Application.OK() && f.Authentik.Application.Value.PK != "" {
		get(ctx, &w, &f.Authentik.Bindings, func(ctx context.Context) ([]authentik.Binding, error) {
			return r.Authentik.Bindings(ctx, f.Authentik.Application.Value.PK)
		})
	}
	w.Wait()
}

func (r *Reader) probeRedirects(ctx context.Context, w *wave, f *Facts, ask ExamAsk, have authentik.Provider) {
	d := f.Authentik.Discovery.Value
	login := ProofAsk{ClientID: ask.ClientID, Registered: len(have.RedirectURIs)}
	if login.Registered == 0 || login.ClientID == "" {
		return
	}
	f.Proof.Redirects = make([]Redirect, len(ask.Redirects))
	for i, uri := range ask.Redirects {
		f.Proof.Redirects[i].URI = uri
		r.askAuthorize(ctx, w, &f.Proof.Redirects[i].Fact, d, login, uri)
	}
	if ask.LookAlike != "" {
		r.askAuthorize(ctx, w, &f.Proof.Refused, d, login, ask.LookAlike)
	}
}

func (r *Reader) probeConnector(ctx context.Context, w *wave, f *Facts, ask ExamAsk) {
	d := f.Authentik.Discovery
	if secret := f.Local.ClientSecret; d.OK() && secret.OK() && ask.ClientID != "" {
		get(ctx, w, &f.Proof.Secret, func(ctx context.Context) (oidc.SecretProbe, error) {
			return r.OIDC.ProbeSecret(ctx, d.Value, ask.ClientID, secret.Value, f.NetBird.Embedded.Value.RedirectURI())
		})
	}
	for _, c := range f.NetBird.Providers.Value {
		if c.ID == ask.ConnectorID && c.ID != "" && d.OK() && c.Issuer == d.Value.Issuer && c.ClientID == ask.ClientID && f.NetBird.Embedded.OK() {
			get(ctx, w, &f.Proof.Start, func(ctx context.Context) (netbird.LoginStart, error) {
				return r.NetBird.StartLogin(ctx, f.NetBird.Embedded.Value.Issuer, c.ID)
			})
		}
	}
}

// provider is the one with the client id that was asked for.
func (f *Facts) provider() authentik.Provider {
	for _, p := range f.Authentik.Providers.Value {
		if f.Ask.ClientID != "" && p.ClientID == f.Ask.ClientID {
			return p
		}
	}
	return authentik.Provider{}
}

// LookAlike is a redirect URI that only a careless comparison would allow.
func LookAlike(uri string) string { return lookAlike(uri) }
