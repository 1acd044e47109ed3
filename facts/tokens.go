package facts

import (
	"context"

	"authbird/clients/authentik"
)

// AuthentikToken reads what the renewal of an API token looks at: who answers,
// whose the token is, and the API tokens of that user.
func (r *Reader) AuthentikToken(ctx context.Context) *Facts {
	f := &Facts{At: r.Now()}
	a := &f.Authentik
	var w wave
	get(ctx, &w, &a.Hello, r.Authentik.Hello)
	get(ctx, &w, &a.Me, r.Authentik.Me)
	get(ctx, &w, &a.Version, r.Authentik.Version)
	w.Wait()
	if a.Me.OK() {
		a.Tokens = Of(r.Authentik.Tokens(ctx, authentik.TokenFilter{Intent: authentik.IntentAPI, Username: a.Me.Value.Username}))
	}
	return f
}

// NetBirdToken reads what the renewal of an access token looks at: who answers,
// whose the token is, and the tokens of that user.
func (r *Reader) NetBirdToken(ctx context.Context) *Facts {
	f := &Facts{At: r.Now()}
	n := &f.NetBird
	var w wave
	get(ctx, &w, &n.Instance, r.NetBird.Instance)
	get(ctx, &w, &n.Version, r.NetBird.Version)
	w.ask(func() { n.Me = r.NetBirdUser(ctx) })
	w.Wait()
	if n.Me.OK() {
		n.Tokens = Of(r.NetBird.Tokens(ctx, n.Me.Value.ID))
	}
	return f
}
