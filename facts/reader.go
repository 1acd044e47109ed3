package facts

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"io"
	"sync"
	"time"

	"authbird/clients"
	"authbird/clients/authentik"
	"authbird/clients/netbird"
	"authbird/clients/oidc"
)

// Reader reads both servers.
type Reader struct {
	Authentik *authentik.Client
	NetBird   *netbird.Client
	OIDC      *oidc.Client
	Now       func() time.Time
	Rand      io.Reader // nil: crypto/rand
}

// wave runs reads side by side; each writes its own fact.
type wave struct{ sync.WaitGroup }

func (w *wave) ask(read func()) { w.Go(read) }

// get reads one fact in a wave.
func get[T any](ctx context.Context, w *wave, into *Fact[T], call func(context.Context) (T, error)) {
	w.ask(func() { *into = Of(call(ctx)) })
}

// Survey reads, in one wave, all that a plan looks at.
func (r *Reader) Survey(ctx context.Context, ask Ask) *Facts {
	f := &Facts{Ask: ask, At: r.Now()}
	var w wave
	r.askAuthentik(ctx, &w, f)
	if ask.Standalone != nil {
		r.askStandalone(ctx, &w, f)
	} else {
		r.askNetBird(ctx, &w, f)
	}
	r.askAccount(ctx, &w, f)
	w.Wait()
	r.settle(ctx, f)
	r.admins(ctx, f)
	return f
}

func (r *Reader) askAuthentik(ctx context.Context, w *wave, f *Facts) {
	a := &f.Authentik
	get(ctx, w, &a.Hello, r.Authentik.Hello)
	get(ctx, w, &a.Me, r.Authentik.Me)
	get(ctx, w, &a.Version, r.Authentik.Version)
	get(ctx, w, &a.Flows, r.Authentik.Flows)
	get(ctx, w, &a.Keys, r.Authentik.SigningKeys)
	get(ctx, w, &a.Mappings, func(ctx context.Context) ([]authentik.ScopeMapping, error) {
		return r.Authentik.ScopeMappings(ctx, authentik.ScopeOpenID, authentik.ScopeEmail, authentik.ScopeProfile,
			authentik.ScopeOfflineAccess, authentik.ScopeAPI)
	})
	get(ctx, w, &a.Tokens, func(ctx context.Context) (tokens []authentik.Token, err error) {
		tokens, a.moreTokens, err = r.Authentik.TokensAtAGlance(ctx, authentik.TokenFilter{Intent: authentik.IntentAPI})
		return tokens, err
	})
	get(ctx, w, &a.Application, func(ctx context.Context) (authentik.Application, error) {
		return r.Authentik.Application(ctx, f.Ask.Slug)
	})
	get(ctx, w, &a.Providers, func(ctx context.Context) ([]authentik.Provider, error) {
		return r.providers(ctx, f.Ask)
	})
	if f.Ask.Stands {
		get(ctx, w, &a.Discovery, func(ctx context.Context) (oidc.Discovery, error) {
			return r.OIDC.Discover(ctx, r.Authentik.BaseURL(), f.Ask.Slug)
		})
	}
	r.askGroups(ctx, w, f)
}

// providers finds ours by its client id, and by its name where there is no
// client id yet or nothing has it.
func (r *Reader) providers(ctx context.Context, ask Ask) ([]authentik.Provider, error) {
	if ask.ClientID != "" {
		ours, err := r.Authentik.ProvidersByClientID(ctx, ask.ClientID)
		if err != nil || len(ours) > 0 {
			return ours, err
		}
	}
	return r.Authentik.ProvidersByName(ctx, ask.Name)
}

func (r *Reader) askGroups(ctx context.Context, w *wave, f *Facts) {
	f.Authentik.Groups = map[string]Fact[[]authentik.Group]{}
	var mu sync.Mutex
	for _, name := range f.Ask.Groups {
		w.ask(func() {
			groups := Of(r.Authentik.GroupsByName(ctx, name))
			mu.Lock()
			defer mu.Unlock()
			f.Authentik.Groups[name] = groups
		})
	}
}

func (r *Reader) askNetBird(ctx context.Context, w *wave, f *Facts) {
	n := &f.NetBird
	get(ctx, w, &n.Instance, r.NetBird.Instance)
	get(ctx, w, &n.Version, r.NetBird.Version)
	get(ctx, w, &n.Accounts, r.NetBird.Accounts)
	get(ctx, w, &n.Providers, r.NetBird.IdentityProviders)
	get(ctx, w, &n.Embedded, r.NetBird.EmbeddedIdP)
	w.ask(func() { n.Me = r.NetBirdUser(ctx) })
	if f.Ask.Reach {
		get(ctx, w, &n.Reach, func(ctx context.Context) (netbird.Reach, error) {
			return r.NetBird.ProbeReach(ctx, r.Authentik.BaseURL()+"/application/o/"+r.nonce()+"/")
		})
	}
}

// NetBirdUser is whom the token belongs to. A service user's token may not ask
// for itself: its entry in the list of service users says the same.
func (r *Reader) NetBirdUser(ctx context.Context) Fact[netbird.User] {
	me, err := r.NetBird.CurrentUser(ctx)
	if clients.KindOf(err) != clients.Forbidden {
		return Of(me, err)
	}
	users, listErr := r.NetBird.ServiceUsers(ctx)
	for _, u := range users {
		if u.Current {
			return Of(u, nil)
		}
	}
	if listErr != nil {
		err = listErr
	}
	return Of(me, err)
}

// settle reads what depends on the first wave: the discovery of an application
// that turned out to stand, its bindings, and the token's owner's tokens where
// there are too many of others.
func (r *Reader) settle(ctx context.Context, f *Facts) {
	if f.Authentik.Application.OK() && !f.Authentik.Discovery.Read {
		f.Authentik.Discovery = Of(r.OIDC.Discover(ctx, r.Authentik.BaseURL(), f.Ask.Slug))
	}
	if f.Ask.Bound || !f.Ask.Stands {
		r.bindings(ctx, f)
	}
	r.ownTokens(ctx, f)
}

// ownTokens asks for them by their owner where there are too many of others to
// be read at a glance.
func (r *Reader) ownTokens(ctx context.Context, f *Facts) {
	if a := &f.Authentik; a.moreTokens && a.Me.OK() {
		a.Tokens = Of(r.Authentik.Tokens(ctx, authentik.TokenFilter{Intent: authentik.IntentAPI, Username: a.Me.Value.Username}))
	}
}

// bindings reads who may open the application, where it stands.
func (r *Reader) bindings(ctx context.Context, f *Facts) {
	if f.Authentik.Application.OK() {
		f.Authentik.Bindings = Of(r.Authentik.Bindings(ctx, f.Authentik.Application.Value.PK))
	}
}

// AfterProvider reads back what the making of provider and application left:
// the provider by its client id, and the discovery of the application with the
// issuer that Authentik really gives.
func (r *Reader) AfterProvider(ctx context.Context, f *Facts) error {
	return r.readBack(ctx, f, f.Ask.Bound)
}

// AfterApplication reads the application back, with its provider and discovery.
func (r *Reader) AfterApplication(ctx context.Context, f *Facts) error {
	if err := r.readBack(ctx, f, true); err != nil {
		return err
	}
	return f.Authentik.Application.Err
}

// readBack reads the provider, the discovery and, where it is wanted, the
// application with who may open it.
func (r *Reader) readBack(ctx context.Context, f *Facts, application bool) error {
	var w wave
	get(ctx, &w, &f.Authentik.Providers, func(ctx context.Context) ([]authentik.Provider, error) {
		return r.providers(ctx, f.Ask)
	})
	get(ctx, &w, &f.Authentik.Discovery, func(ctx context.Context) (oidc.Discovery, error) {
		return r.OIDC.Discover(ctx, r.Authentik.BaseURL(), f.Ask.Slug)
	})
	if application {
		w.ask(func() {
			f.Authentik.Application = Of(r.Authentik.Application(ctx, f.Ask.Slug))
			r.bindings(ctx, f)
		})
	}
	w.Wait()
	if f.Authentik.Providers.Err != nil {
		return f.Authentik.Providers.Err
	}
	if app := f.Authentik.Application; application && app.Err != nil && !app.Absent() {
		return app.Err // what stands with it (who may open it) can't be deduced
	}
	r.deduceApplication(f)
	return nil
}

// deduceApplication takes what the provider says of its application, because
// reading the application itself is dear (a second on a real server).
func (r *Reader) deduceApplication(f *Facts) {
	if f.Authentik.Application.OK() {
		return
	}
	for _, p := range f.Authentik.Providers.Value {
		if p.AssignedApplicationSlug == f.Ask.Slug {
			f.Authentik.Application = Of(authentik.Application{
				Name: p.AssignedApplicationName, Slug: p.AssignedApplicationSlug, Provider: p.PK,
			}, nil)
		}
	}
}

// WayIn reads, in one wave, by what ways people log in to NetBird, and who came
// by which.
func (r *Reader) WayIn(ctx context.Context) *Facts {
	f := &Facts{At: r.Now()}
	var w wave
	get(ctx, &w, &f.NetBird.Accounts, r.NetBird.Accounts)
	get(ctx, &w, &f.NetBird.Providers, r.NetBird.IdentityProviders)
	get(ctx, &w, &f.NetBird.Users, r.NetBird.Users)
	w.Wait()
	return f
}

func (r *Reader) nonce() string {
	source := r.Rand
	if source == nil {
		source = rand.Reader
	}
	b := make([]byte, 8)
	_, _ = io.ReadFull(source, b)
	return "authbird-" + hex.EncodeToString(b)
}
