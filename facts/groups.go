package facts

import (
	"context"

	"authbird/clients/authentik"
	"authbird/clients/netbird"
)

// Admin is an owner or admin of NetBird, with the groups that Authentik would
// tell of that person at a login.
type Admin struct {
	User   netbird.User
	Local  bool // comes by NetBird's own login, where nobody asks for groups
	Groups Fact[[]string]
}

// localConnector is what NetBird calls its own login by e-mail and password.
const localConnector = "local"

// askAccount reads the account of a NetBird of which nothing else is asked, and
// who administers it.
func (r *Reader) askAccount(ctx context.Context, w *wave, f *Facts) {
	if f.Ask.Standalone != nil && f.Ask.Account {
		get(ctx, w, &f.NetBird.Accounts, r.NetBird.Accounts)
	}
	if f.Ask.Admins {
		get(ctx, w, &f.NetBird.Users, r.NetBird.Users)
		get(ctx, w, &f.NetBird.Groups, r.NetBird.Groups)
	}
}

// admins asks Authentik, for each who administers NetBird and comes by it,
// which groups a login would tell.
func (r *Reader) admins(ctx context.Context, f *Facts) {
	if !f.Ask.Admins {
		return
	}
	var w wave
	for _, u := range f.NetBird.Users.Value {
		if u.ServiceUser || u.Blocked || u.Role != "owner" && u.Role != "admin" {
			continue
		}
		_, connector, _ := netbird.Upstream(u.ID)
		f.NetBird.Admins = append(f.NetBird.Admins, Admin{User: u, Local: u.IdPID == localConnector || connector == localConnector})
	}
	for i := range f.NetBird.Admins {
		if a := &f.NetBird.Admins[i]; !a.Local && f.Authentik.Providers.OK() && f.letsInByGroups() {
			w.ask(func() { a.Groups = r.groupsTold(ctx, f.Authentik.Providers.Value, a.User) })
		}
	}
	w.Wait()
}

// letsInByGroups says whether groups decide, or shall decide, who gets in.
func (f *Facts) letsInByGroups() bool {
	if len(f.Ask.LetIn) > 0 {
		return true
	}
	for _, a := range f.NetBird.Accounts.Value {
		if len(a.Settings.JWTAllowGroups) > 0 {
			return true
		}
	}
	return false
}

// groupsTold are the groups of the user of Authentik whom NetBird knows as u;
// none where it can't be told who that is.
func (r *Reader) groupsTold(ctx context.Context, providers []authentik.Provider, u netbird.User) Fact[[]string] {
	if u.Email == "" {
		return Fact[[]string]{}
	}
	users, err := r.Authentik.UsersByEmail(ctx, u.Email)
	if err != nil {
		return Of[[]string](nil, err)
	}
	sub := u.ID
	if upstream, _, ok := netbird.Upstream(u.ID); ok {
		sub = upstream
	}
	for _, p := range providers {
		for _, user := range users {
			claims, err := r.Authentik.PreviewClaims(ctx, p.PK, user.PK)
			if err == nil && claims["sub"] == sub {
				groups, _ := GroupsIn(claims)
				return Of(groups, nil)
			}
		}
	}
	return Fact[[]string]{}
}

// GroupsIn reads the claim groups; false where there is none, or it is no list.
func GroupsIn(claims map[string]any) (groups []string, ok bool) {
	list, ok := claims["groups"].([]any)
	for _, g := range list {
		if name, isText := g.(string); isText {
			groups = append(groups, name)
		}
	}
	return groups, ok
}

// ProveGroups reads, in one wave, what shows that groups get from Authentik to
// NetBird: the claims that the token's own user would bring, and the groups
// that earlier logins have left.
func (r *Reader) ProveGroups(ctx context.Context, f *Facts, providerPK int) {
	var w wave
	get(ctx, &w, &f.Proof.Claims, func(ctx context.Context) (map[string]any, error) {
		return r.Authentik.PreviewClaims(ctx, providerPK, f.Authentik.Me.Value.PK)
	})
	get(ctx, &w, &f.NetBird.Groups, r.NetBird.Groups)
	w.Wait()
}
