package e2e

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"testing"

	"authbird/e2e/authentik"
	"authbird/e2e/netbird"
	"authbird/e2e/web"
)

// Each of these pairs can't be connected as it is. A run must say so before it
// has written anything.

// The person reaches Authentik by a name that NetBird's host can't resolve, as
// with a VPN or a line in their own hosts file.
func TestNetBirdCannotReachAuthentik(t *testing.T) {
	a := authentik.Simulated(t, authentik.Versions[0])
	n := netbird.Start(t, netbird.Options{})
	w := newWorld(t, a, n)
	before := w.seen(n)

	there, err := url.Parse(a.URL)
	if err != nil {
		t.Fatal(err)
	}
	// A forward proxy that knows the name is the person's own way to it.
	proxy := httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.Out.URL.Scheme, r.Out.URL.Host = there.Scheme, there.Host
		r.Out.Host = r.In.Host
	}})
	t.Cleanup(proxy.Close)
	w.env["HTTP_PROXY"] = proxy.URL

	w.flags = append(w.flags, "--authentik-url", "http://auth.e2e.test", "--allow-http")
	setup := []string{"connector", "--yes", "--netbird-url", n.URL}
	w.authbird("plan", setup...).want(exitPerson).says("auth.e2e.test").wroteNothing()
	w.authbird("setup", setup...).want(exitPerson).says("auth.e2e.test").wroteNothing()
	delete(w.env, "HTTP_PROXY")
	w.same(before, n)
}

// An account made with its token has no domain, and every login by a connector
// would get an account of its own.
func TestAnAccountWithoutADomainIsRefused(t *testing.T) {
	a := authentik.Simulated(t, authentik.Versions[0])
	n := netbird.Start(t, netbird.Options{Fresh: true, Env: []string{"NB_SETUP_PAT_ENABLED=true"}})
	var made struct {
		Token string `json:"personal_access_token"`
	}
	answer, err := web.Call(t.Context(), http.MethodPost, n.URL+"/api/setup", "", map[string]any{
		"email": n.Owner.Name, "password": n.Owner.Password, "name": "Owner",
		"create_pat": true, "pat_expire_in": 1,
	})
	if err == nil {
		err = answer.Into(&made)
	}
	if err != nil || made.Token == "" {
		t.Fatalf("POST /api/setup with create_pat: %v: %s", err, answer.Short())
	}
	n.OwnerToken = made.Token

	w := newWorld(t, a, n)
	before := w.seen(n)
	w.authbird("setup", w.connector()...).want(exitPerson).says("domain").wroteNothing()
	w.same(before, n)
}

func TestWrongTokens(t *testing.T) {
	a := authentik.Simulated(t, authentik.Versions[0])
	n := netbird.Start(t, netbird.Options{})
	for _, name := range []string{"AUTHENTIK_TOKEN", "NETBIRD_TOKEN"} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, a, n)
			before := w.seen(n)
			w.env[name] = "nbp_thistokenbelongstonobodyatall0000000"
			w.authbird("setup", w.connector()...).want(exitUnauthorised).wroteNothing()
			w.same(before, n)
		})
	}
}

func TestAStoppedNetBird(t *testing.T) {
	a := authentik.Simulated(t, authentik.Versions[0])
	n := netbird.Start(t, netbird.Options{})
	w := newWorld(t, a, n)
	before := w.seen(n)
	n.Stop()
	w.authbird("setup", w.connector()...).want(exitUnreachable).wroteNothing()
	n.Restart(t)
	w.same(before, n)
}

func TestAMissingAnswerNamesItsFlag(t *testing.T) {
	a := authentik.Simulated(t, authentik.Versions[0])
	n := netbird.Start(t, netbird.Options{})
	w := newWorld(t, a, n)
	w.authbird("setup", "connector", "--yes", "--netbird-url", n.URL).want(exitUsage).says("--authentik-url")
}
