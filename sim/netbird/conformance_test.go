package netbird

import (
	"io"
	"net/http"
	"testing"
	"time"
)

func TestRecordedCombinedServer(t *testing.T) {
	r := newReplay(t, "0.77.1", "http://127.0.0.1:18080", newProvider(t, "http://127.0.0.1:40633"))
	r.run([]stage{
		{at: 0, fresh: true},
		{at: 323, do: func(r *replay) { r.upstream.secret = "rotated-secret" }},
	})
}

func TestRecordedRestarts(t *testing.T) {
	r := newReplay(t, "0.77.1-restarts", "http://127.0.0.1:18090", newProvider(t, "http://127.0.0.1:46605"))
	again := func(*Options) {}
	r.run([]stage{
		{at: 0, fresh: true, change: func(o *Options) { o.SetupPAT = true }},
		{at: 31, change: again},
		{at: 46, do: func(r *replay) { r.upstream.secret = "rot2" }},
		{at: 53, do: expireLastToken},
		{at: 65, change: func(o *Options) { o.LocalAuthDisabled = true }},
		{at: 75, change: func(o *Options) { o.LocalAuthDisabled = false }},
		{at: 81, do: func(r *replay) { r.upstream.secret = "upstream-secret" }},
		{at: 87, change: func(o *Options) { o.RateBurst = 3 }},
		{at: 95, change: func(o *Options) { o.RateBurst = 0 }},
	})
}

// expireLastToken is what the recorder did in the database.
func expireLastToken(r *replay) {
	r.server.mu.Lock()
	defer r.server.mu.Unlock()
	for _, u := range r.server.st.users {
		if n := len(u.tokens); n > 1 {
			u.tokens[n-1].expires = r.now().Add(-time.Hour)
		}
	}
}

func TestRecordedDomainlessAccount(t *testing.T) {
	r := newReplay(t, "0.77.1-domainless-account", "http://127.0.0.1:18100", newProvider(t, "http://127.0.0.1:36059"))
	again := func(*Options) {}
	r.run([]stage{
		{at: 0, fresh: true, change: func(o *Options) { o.SetupPAT = true }},
		{at: 11, change: again},
		{at: 34, change: again},
		{at: 42, fresh: true, change: func(o *Options) { o.SetupPAT = true }},
		{at: 60, change: again},
		{at: 83, change: again},
	})
}

// giveDomain is what the recorder did in the database, since no API can.
func giveDomain(r *replay) {
	r.server.mu.Lock()
	defer r.server.mu.Unlock()
	a := r.server.st.accounts[0]
	a.domain, a.category, a.primary = singleAccountDomain, "private", true
}

func TestRecordedIssuersAndClaims(t *testing.T) {
	up := newProvider(t, "http://127.0.0.1:44207")
	up.listenTLS(t, "127.0.0.1:39189")
	up.listen(t, "127.0.0.1:18111", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "# HELP go_goroutines Number of goroutines that currently exist.\n")
	}))
	r := newReplay(t, "0.77.1-issuers-and-claims", "http://127.0.0.1:18110", up)
	with := func(issuer string) func(*Options) {
		return func(o *Options) { o.SetupPAT, o.Issuer = true, issuer }
	}
	r.run([]stage{
		{at: 0, fresh: true, change: with(r.base + "/oauth2/")},
		{at: 4, fresh: true, change: with(r.base)},
		{at: 8, fresh: true, change: with(r.base + "/nb/oauth2")},
		{at: 12, fresh: true, change: with("")},
		{at: 65, fresh: true, change: with("")},
		{at: 69, do: giveDomain, change: func(*Options) {}},
		{at: 75, change: func(o *Options) { o.StoreKeyLost = true }},
	})
}

func TestRecordedStandalone(t *testing.T) {
	up := newProvider(t, "http://127.0.0.1:18200")
	user := func(pk int, name, email string) map[string]any {
		return map[string]any{"pk": pk, "name": name, "email": email}
	}
	up.users = []map[string]any{user(7, "User 7", "u7@example.com"), user(8, "User 8", "u8@example.com")}
	r := newReplay(t, "0.77.1-standalone", "http://127.0.0.1:18201", up)
	manager := &Manager{
		Issuer: up.base + "/application/o/netbird/", TokenEndpoint: up.base + "/application/o/token/",
		ClientID: "nb-client", GrantType: "client_credentials", Username: "netbird", Password: "app-password",
	}
	standalone := func(m *Manager) func(*Options) {
		return func(o *Options) {
			o.Standalone = &Standalone{
				SingleAccountDomain: "netbird.example.com", Audience: "nb-client", Manager: m,
				OIDCConfigEndpoint: up.base + "/application/o/netbird/.well-known/openid-configuration",
			}
		}
	}
	r.run([]stage{
		{at: 0, fresh: true, change: standalone(manager)},
		{at: 18, do: func(*replay) { up.tokenStatus = http.StatusBadRequest }, change: standalone(manager)},
		{at: 23, do: func(*replay) { up.tokenStatus, up.usersStatus = 0, http.StatusForbidden }, change: standalone(manager)},
		{at: 28, change: standalone(manager)},
		{at: 33, change: standalone(nil)},
		{at: 38, do: func(*replay) { up.usersStatus = 0 }, change: standalone(manager)},
		{at: 39, fresh: true},
	})
}
