package flows_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"authbird/clients"
	"authbird/clients/authentik"
	"authbird/flows"
	"authbird/sim/fault"
)

// detour is a NetBird that sends people back to another address than its
// embedded IdP's issuer tells.
type detour struct{ to string }

func (d detour) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil || !strings.HasPrefix(r.URL.Path, "/oauth2/auth/") {
		return resp, err
	}
	at, err := url.Parse(resp.Header.Get("Location"))
	if err != nil {
		return nil, err
	}
	q := at.Query()
	q.Set("redirect_uri", d.to)
	at.RawQuery = q.Encode()
	resp.Header.Set("Location", at.String())
	return resp, nil
}

// What a real login start shows is written back without a question, since
// the provider is ours.
func TestTheRedirectURIOfARealLoginStartIsWrittenBack(t *testing.T) {
	const elsewhere = "https://vpn.example.com/oauth2/callback"
	l := newLab(t, labOptions{})
	l.bench.Transport = func(string) (*clients.Transport, error) {
		return clients.New(clients.Options{Base: detour{elsewhere}, Timeout: patience, Trace: l.note, Wait: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }})
	}
	s, err := l.bench.Open(t.Context(), setupName, l.answers, l.tokens)
	l.must(err)
	defer s.Close()
	p, err := s.Plan(t.Context())
	l.must(err)
	_, err = s.Carry(t.Context(), p) // nobody can be asked
	l.must(err)
	found, err := l.authentikClient().ProvidersByName(t.Context(), "NetBird")
	l.must(err)
	want := authentik.RedirectURI{MatchingMode: "strict", URL: elsewhere}
	if uris := found[0].RedirectURIs; len(uris) != 3 || uris[2] != want {
		t.Errorf("the provider lists %+v, want %s added", uris, elsewhere)
	}
}

// A NetBird that doesn't know the type gets the other one on the next run.
func TestATypeThatNetBirdRefusesHasAWayOut(t *testing.T) {
	l := newLab(t, labOptions{})
	l.must(l.faults["netbird"].Order(fault.Fault{Method: http.MethodPost, Path: "/api/identity-providers", Skip: 1, Kind: fault.Status,
		Status: http.StatusUnprocessableEntity, Body: `{"message":"unsupported identity provider type","code":422}`}))
	stop := flows.StopOf(l.run(t.Context(), nil))
	if !strings.Contains(strings.Join(stop.Hints, " "), "--connector-type oidc") || !stop.PartWay() {
		t.Errorf("%v, hints %q", stop, stop.Hints)
	}
	l.answers.ConnectorType = "oidc"
	l.mustRun()
	all, err := l.netbirdClient().IdentityProviders(t.Context())
	l.must(err)
	if len(all) != 1 || all[0].Type != "oidc" {
		t.Errorf("connectors %+v", all)
	}
}
