package facts

import (
	"context"
	"strings"

	"authbird/clients/netbird"
	"authbird/clients/oidc"
)

// ProofAsk is what the proof of a connector setup needs to know.
type ProofAsk struct {
	ClientID     string
	ClientSecret string
	RedirectURI  string
	Registered   int    // redirect URIs that the provider has, as just read
	ConnectorID  string // of NetBird's identity provider
}

// ProveAuthentik begins to read what shows that Authentik's side works, and
// returns at once; the function it gives waits for the end.
func (r *Reader) ProveAuthentik(ctx context.Context, f *Facts, ask ProofAsk) (wait func()) {
	d := f.Authentik.Discovery.Value
	var w wave
	get(ctx, &w, &f.Proof.Keys, func(ctx context.Context) ([]oidc.Key, error) { return r.OIDC.Keys(ctx, d) })
	r.askAuthorize(ctx, &w, &f.Proof.Allowed, d, ask, ask.RedirectURI)
	r.askAuthorize(ctx, &w, &f.Proof.Refused, d, ask, lookAlike(ask.RedirectURI))
	get(ctx, &w, &f.Proof.Secret, func(ctx context.Context) (oidc.SecretProbe, error) {
		return r.OIDC.ProbeSecret(ctx, d, ask.ClientID, ask.ClientSecret, ask.RedirectURI)
	})
	return w.Wait
}

func (r *Reader) askAuthorize(ctx context.Context, w *wave, into *Fact[oidc.Authorization], d oidc.Discovery, ask ProofAsk, uri string) {
	get(ctx, w, into, func(ctx context.Context) (oidc.Authorization, error) {
		return r.OIDC.Authorize(ctx, d, oidc.AuthorizeRequest{ClientID: ask.ClientID, RedirectURI: uri, Registered: ask.Registered})
	})
}

// ProveNetBird reads the connectors back, begins a real login by the connector and reads where NetBird
// would have people sent back to. This opens the connector: NetBird ignores a
// change of it from then on, until it restarts. So it comes last.
func (r *Reader) ProveNetBird(ctx context.Context, f *Facts, ask ProofAsk) {
	var w wave
	get(ctx, &w, &f.NetBird.Providers, r.NetBird.IdentityProviders)
	get(ctx, &w, &f.Proof.Start, func(ctx context.Context) (netbird.LoginStart, error) {
		return r.NetBird.StartLogin(ctx, f.NetBird.Embedded.Value.Issuer, ask.ConnectorID)
	})
	w.Wait()
}

// lookAlike is a redirect URI that only a careless comparison would allow.
func lookAlike(uri string) string {
	return strings.Replace(uri, "://", "://not-", 1)
}
