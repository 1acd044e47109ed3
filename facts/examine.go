package facts

import (
	"context"
	"net"
	"net/url"

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
	Redirects   []string // that NetBird uses, each of which Authentik is asked about
	Username    string   // standalone: the service account
}

// Examine reads, in one wave, all of both servers that a check of the doctor
// rests on and that can be asked for at once.
func (r *Reader) Examine(ctx context.Context, ask ExamAsk) *Facts {
	f := &Facts{Ask: ask.Ask, At: r.Now()}
	var w wave
	r.askAuthentik(ctx, &w, f)
	get(ctx, &w, &f.Authentik.Events, func(ctx context.Context) ([]authentik.Event, error) {
		return r.Authentik.Events(ctx, "authorize_application", manyEvents)
	})
	if ask.Standalone != nil {
		r.askStandalone(ctx, &w, f)
	}
	if ask.NetBird {
		r.examineNetBird(ctx, &w, f)
	}
	w.Wait()
	r.ownTokens(ctx, f)
	if ask.NetBird {
		f.NetBird.deduceMe()
	}
	return f
}

// manyEvents is how many logins are looked back.
const manyEvents = 50

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
	if d.OK() {
		get(ctx, &w, &f.Proof.Keys, func(ctx context.Context) ([]oidc.Key, error) { return r.OIDC.Keys(ctx, d.Value) })
		r.probeRedirects(ctx, &w, f, ask)
	}
	if ask.Standalone == nil {
		r.probeConnector(ctx, &w, f, ask)
	} else {
		r.probeAccount(ctx, &w, f, ask)
	}
	if app := f.Authentik.Application; app.OK() && app.Value.PK != "" {
		get(ctx, &w, &f.Authentik.Bindings, func(ctx context.Context) ([]authentik.Binding, error) {
			return r.Authentik.Bindings(ctx, app.Value.PK)
		})
	}
	if ask.NetBird {
		r.probeNetBird(ctx, &w, f)
	}
	w.Wait()
}

func (r *Reader) probeRedirects(ctx context.Context, w *wave, f *Facts, ask ExamAsk) {
	d := f.Authentik.Discovery.Value
	login := ProofAsk{ClientID: ask.ClientID, Registered: len(f.Provider().RedirectURIs)}
	if login.Registered == 0 || login.ClientID == "" {
		return
	}
	f.Proof.Redirects = make([]Redirect, len(ask.Redirects))
	for i, uri := range ask.Redirects {
		f.Proof.Redirects[i].URI = uri
		r.askAuthorize(ctx, w, &f.Proof.Redirects[i].Fact, d, login, uri)
	}
}

// probeAccount replays NetBird's own calls as the service account.
func (r *Reader) probeAccount(ctx context.Context, w *wave, f *Facts, ask ExamAsk) {
	if f.Authentik.Discovery.OK() && f.Local.AppPassword.OK() && ask.ClientID != "" {
		w.ask(r.ProveServiceAccount(ctx, f, StandaloneProofAsk{ClientID: ask.ClientID, Username: ask.Username, Password: f.Local.AppPassword.Value}))
	}
	if account := f.Authentik.Account; account.OK() && f.Authentik.Application.OK() && f.Authentik.Me.Value.Superuser {
		get(ctx, w, &f.Authentik.Access, func(ctx context.Context) (authentik.Access, error) {
			return r.Authentik.CheckAccess(ctx, f.Ask.Slug, account.Value.PK)
		})
	}
}

// probeNetBird reads what depends on NetBird's settings: its groups and what
// its owner brings along, where groups come with a login.
func (r *Reader) probeNetBird(ctx context.Context, w *wave, f *Facts) {
	n := &f.NetBird
	if n.Instance.Err != nil {
		if at, ok := oldPort(r.NetBird.BaseURL()); ok {
			if old, err := r.NetBird.At(at); err == nil {
				get(ctx, w, &n.OldPort, old.Instance)
			}
		}
		return
	}
	if n.Me.OK() {
		get(ctx, w, &n.Tokens, func(ctx context.Context) ([]netbird.Token, error) { return r.NetBird.Tokens(ctx, n.Me.Value.ID) })
	}
	if !n.JWTGroups() {
		return
	}
	get(ctx, w, &n.Groups, r.NetBird.Groups)
	if p := f.Provider(); p.PK != 0 && f.Authentik.Me.OK() {
		get(ctx, w, &f.Proof.Claims, func(ctx context.Context) (map[string]any, error) {
			return r.Authentik.PreviewClaims(ctx, p.PK, f.Authentik.Me.Value.PK)
		})
		if owner := n.Owner(); owner.ID != "" && f.letsInByGroups() {
			_, connector, _ := netbird.Upstream(owner.ID)
			n.Admins = []Admin{{User: owner, Local: owner.IdPID == localConnector || connector == localConnector}}
			w.ask(func() { n.Admins[0].Groups = r.groupsTold(ctx, []authentik.Provider{p}, owner) })
		}
	}
}

// oldPort is where NetBird's API was before a proxy stood in front of it.
func oldPort(base string) (string, bool) {
	u, err := url.Parse(base)
	if err != nil || u.Port() == "33073" {
		return "", false
	}
	u.Host = net.JoinHostPort(u.Hostname(), "33073")
	return u.String(), true
}

// JWTGroups says whether groups come with a login.
func (n *NetBird) JWTGroups() bool {
	for _, a := range n.Accounts.Value {
		if a.Settings.JWTGroups {
			return true
		}
	}
	return false
}

// Owner is NetBird's owner, nobody where the users could not be read.
func (n *NetBird) Owner() netbird.User {
	for _, u := range n.Users.Value {
		if u.Role == "owner" {
			return u
		}
	}
	return netbird.User{}
}

func (r *Reader) probeConnector(ctx context.Context, w *wave, f *Facts, ask ExamAsk) {
	d := f.Authentik.Discovery
	// With an address that the provider doesn't list Authentik refuses the right
	// secret too.
	if secret := f.Local.ClientSecret; d.OK() && secret.OK() && ask.ClientID != "" && f.NetBird.Embedded.OK() {
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

// Provider is the one with the client id that was asked for, the zero value
// where there is none.
func (f *Facts) Provider() authentik.Provider {
	for _, p := range f.Authentik.Providers.Value {
		if f.Ask.ClientID != "" && p.ClientID == f.Ask.ClientID {
			return p
		}
	}
	return authentik.Provider{}
}
