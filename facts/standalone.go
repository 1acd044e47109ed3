package facts

import (
	"context"
	"sync"

	"authbird/clients/authentik"
	"authbird/clients/oidc"
)

// askStandalone reads what a standalone setup looks at besides the provider.
func (r *Reader) askStandalone(ctx context.Context, w *wave, f *Facts) {
	a, name := &f.Authentik, f.Ask.Standalone.ServiceAccount
	if name != "" { // of a connection that authbird did not make it may be unknown
		get(ctx, w, &a.Account, func(ctx context.Context) (authentik.User, error) { return r.Authentik.UserByName(ctx, name) })
		get(ctx, w, &a.Passwords, func(ctx context.Context) ([]authentik.Token, error) {
			return r.Authentik.Tokens(ctx, authentik.TokenFilter{Intent: authentik.IntentAppPassword, Username: name})
		})
	}
	get(ctx, w, &a.Brand, r.Authentik.CurrentBrand)
	get(ctx, w, &a.Brands, func(ctx context.Context) ([]authentik.Brand, error) { return r.Authentik.Brands(ctx, "") })
	if f.Ask.Standalone.Known {
		return
	}
	get(ctx, w, &a.AccountToken, func(ctx context.Context) (authentik.Token, error) {
		return r.Authentik.Token(ctx, authentik.TokenIdentifier(name))
	})
	a.Roles = map[string]Fact[[]authentik.Role]{}
	var mu sync.Mutex
	for _, role := range f.Ask.Standalone.Roles {
		w.ask(func() {
			roles := Of(r.Authentik.RolesByName(ctx, role))
			var permissions Fact[[]string]
			if len(roles.Value) > 0 {
				permissions = Of(r.Authentik.RolePermissions(ctx, roles.Value[0].PK))
			}
			mu.Lock()
			defer mu.Unlock()
			a.Roles[role], a.Permissions = roles, permissions
		})
	}
}

// StandaloneProofAsk is what the proof of a standalone setup needs to know.
type StandaloneProofAsk struct {
	ClientID   string
	Username   string
	Password   string
	Redirects  []string // that NetBird uses
	LookAlike  string   // at another host, to be refused
	Twin       string   // at a host that only a pattern with a bare dot would take for NetBird's; "" where there is none
	Registered int
}

// apiScope is what NetBird asks for as the service account.
const apiScope = "goauthentik.io/api"

// ProveServiceAccount begins NetBird's own calls: the token by the app
// password, and the list of users with it. The function it gives waits.
func (r *Reader) ProveServiceAccount(ctx context.Context, f *Facts, ask StandaloneProofAsk) (wait func()) {
	var w wave
	w.ask(func() {
		f.Proof.Token = Of(r.OIDC.ServiceToken(ctx, f.Authentik.Discovery.Value, ask.ClientID, ask.Username, ask.Password, apiScope))
		if f.Proof.Token.OK() {
			f.Proof.Users = Of(r.Authentik.WithToken(f.Proof.Token.Value.Token).UsersPage(ctx, 1))
		}
	})
	return w.Wait
}

// ProveStandalone reads the rest of the proof, and once more the provider, which
// somebody may have changed since. The device login is begun once: Authentik
// allows about twenty an hour. Without a discovery document nothing but it is
// to blame, and nothing else is asked.
func (r *Reader) ProveStandalone(ctx context.Context, f *Facts, ask StandaloneProofAsk) {
	if !f.Authentik.Discovery.OK() {
		return
	}
	d := f.Authentik.Discovery.Value
	var w wave
	get(ctx, &w, &f.Authentik.Providers, func(ctx context.Context) ([]authentik.Provider, error) { return r.providers(ctx, f.Ask) })
	get(ctx, &w, &f.Proof.Keys, func(ctx context.Context) ([]oidc.Key, error) { return r.OIDC.Keys(ctx, d) })
	login := ProofAsk{ClientID: ask.ClientID, Registered: ask.Registered}
	f.Proof.Redirects = make([]Redirect, len(ask.Redirects))
	for i, uri := range ask.Redirects {
		f.Proof.Redirects[i].URI = uri
		r.askAuthorize(ctx, &w, &f.Proof.Redirects[i].Fact, d, login, uri)
	}
	r.askAuthorize(ctx, &w, &f.Proof.Refused, d, login, ask.LookAlike)
	if ask.Twin != "" {
		f.Proof.Twin.URI = ask.Twin
		r.askAuthorize(ctx, &w, &f.Proof.Twin.Fact, d, login, ask.Twin)
	}
	get(ctx, &w, &f.Authentik.Brand, r.Authentik.CurrentBrand)
	get(ctx, &w, &f.Proof.Device, func(ctx context.Context) (oidc.Device, error) {
		return r.OIDC.StartDevice(ctx, d, ask.ClientID, "openid")
	})
	w.Wait()
}
