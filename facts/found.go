package facts

import (
	"context"

	"authbird/clients/authentik"
	"authbird/clients/netbird"
)

// Found is what is read of two servers of which nothing but the addresses is
// known, to find out by what they are connected.
type Found struct {
	Providers  Fact[[]authentik.Provider] // all of Authentik's
	Passwords  Fact[[]authentik.Token]    // the app passwords of all its accounts
	Connectors Fact[[]netbird.IdentityProvider]
	Embedded   Fact[netbird.EmbeddedIdP]
	Instance   Fact[netbird.Instance]
}

// Find reads it, in one wave.
func (r *Reader) Find(ctx context.Context) Found {
	var f Found
	var w wave
	get(ctx, &w, &f.Providers, r.Authentik.Providers)
	get(ctx, &w, &f.Passwords, func(ctx context.Context) ([]authentik.Token, error) {
		return r.Authentik.Tokens(ctx, authentik.TokenFilter{Intent: authentik.IntentAppPassword})
	})
	get(ctx, &w, &f.Connectors, r.NetBird.IdentityProviders)
	get(ctx, &w, &f.Embedded, r.NetBird.EmbeddedIdP)
	get(ctx, &w, &f.Instance, r.NetBird.Instance)
	w.Wait()
	return f
}
