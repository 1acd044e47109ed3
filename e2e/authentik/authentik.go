// Package authentik gives the journeys their Authentik: the simulated one of
// authbird/sim, in every version that it knows, and a real one where
// AUTHBIRD_E2E_AUTHENTIK_URL and AUTHBIRD_E2E_AUTHENTIK_TOKEN name it. People
// are made through Authentik's API on both, so that a journey can't tell them
// apart.
//
// It promises that a real Authentik is left without the people made here. It
// refuses to run against a real one that isn't reached over loopback.
package authentik

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"authbird/e2e/bridge"
	"authbird/e2e/browser"
	"authbird/e2e/web"
	simauthentik "authbird/sim/authentik"
	"authbird/sim/fault"
)

// Server is one Authentik.
type Server struct {
	URL   string // without a trailing slash
	Token string // an API token of a superuser
	// Faults orders misbehaviour and lists the requests; nil on a real one.
	Faults *fault.Faults

	// suffix keeps our names apart on an Authentik that others use too.
	suffix string
}

// Versions are the simulated ones. The newest is first: a journey that needs
// but one takes it.
var Versions = []string{"2026.5.0", "2026.2.0-rc1", "2025.12.0-rc1", "2024.12.3"}

// Each runs a story with every Authentik there is.
func Each(t *testing.T, story func(t *testing.T, a *Server)) {
	t.Helper()
	for _, version := range Versions {
		t.Run("simulated Authentik "+version, func(t *testing.T) { story(t, Simulated(t, version)) })
	}
	if os.Getenv("AUTHBIRD_E2E_AUTHENTIK_URL") != "" {
		t.Run("real Authentik", func(t *testing.T) { story(t, given(t)) })
	}
}

// Any runs a story with one simulated Authentik, and with the real one.
func Any(t *testing.T, story func(t *testing.T, a *Server)) {
	t.Helper()
	t.Run("simulated Authentik "+Versions[0], func(t *testing.T) { story(t, Simulated(t, Versions[0])) })
	if os.Getenv("AUTHBIRD_E2E_AUTHENTIK_URL") != "" {
		t.Run("real Authentik", func(t *testing.T) { story(t, given(t)) })
	}
}

// Simulated serves a simulated Authentik of a version until the test ends.
func Simulated(t testing.TB, version string) *Server {
	t.Helper()
	const token = "the-bootstrap-token-of-the-simulated-authentik"
	faults := fault.New()
	served := httptest.NewServer(simauthentik.New(simauthentik.Options{Version: version, Token: token, Faults: faults}))
	t.Cleanup(func() {
		faults.Clear() // or what hangs would hold the server
		served.Close()
	})
	return &Server{URL: served.URL, Token: token, Faults: faults}
}

// given is the Authentik of the environment, carried into the namespace at the
// address that it has outside, for its issuer is made from that.
func given(t testing.TB) *Server {
	t.Helper()
	s := &Server{
		URL:    strings.TrimSuffix(os.Getenv("AUTHBIRD_E2E_AUTHENTIK_URL"), "/"),
		Token:  os.Getenv("AUTHBIRD_E2E_AUTHENTIK_TOKEN"),
		suffix: "-" + random(),
	}
	socket := os.Getenv("AUTHBIRD_E2E_BRIDGE")
	if s.Token == "" || socket == "" {
		t.Fatal("a real Authentik needs AUTHBIRD_E2E_AUTHENTIK_TOKEN too, and e2e/run, which carries it into the namespace")
	}
	address, err := bridge.Address(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		_ = bridge.Carry(l, func() (net.Conn, error) { return net.Dial("unix", socket) })
	}()
	return s
}

// random is short and differs from run to run.
func random() string {
	raw := make([]byte, 3)
	_, _ = rand.Read(raw) // never fails
	return hex.EncodeToString(raw)
}

// Name is a name for an object of this story: as it stands, or with a suffix
// where the Authentik isn't ours alone.
func (s *Server) Name(name string) string { return name + s.suffix }

// Shared tells whether the Authentik stays after the test, with what it has
// made there.
func (s *Server) Shared() bool { return s.suffix != "" }

// Person is somebody with an account.
type Person struct {
	browser.Person
	ID    int
	Email string
}

// AddPerson makes a person who can log in.
func (s *Server) AddPerson(t testing.TB, name string) Person {
	t.Helper()
	p := Person{
		Person: browser.Person{Name: s.Name(name), Password: "Passw0rd!of-" + name},
		Email:  s.Name(name) + "@example.com",
	}
	var made struct {
		ID int `json:"pk"`
	}
	s.Call(t, http.MethodPost, "/api/v3/core/users/", map[string]any{
		"username": p.Name, "name": strings.ToUpper(name[:1]) + name[1:], "email": p.Email, "path": "users",
	}, &made)
	p.ID = made.ID
	path := fmt.Sprintf("/api/v3/core/users/%d/", p.ID)
	s.Call(t, http.MethodPost, path+"set_password/", map[string]string{"password": p.Password}, nil)
	if s.Shared() {
		s.DropLater(t, path)
	}
	return p
}

// MakeApplication makes an application with its provider, with the default
// flows, mappings and key and whatever else the provider is to be.
func (s *Server) MakeApplication(t testing.TB, slug string, provider map[string]any) {
	t.Helper()
	var mappings []any
	for _, m := range s.List(t, "/api/v3/propertymappings/provider/scope/") {
		if managed, _ := m["managed"].(string); strings.HasPrefix(managed, "goauthentik.io/providers/oauth2/scope-") {
			mappings = append(mappings, m["pk"])
		}
	}
	flow := func(slug string) any { return s.List(t, "/api/v3/flows/instances/?slug="+slug)[0]["pk"] }
	whole := map[string]any{
		"name":                       "NetBird " + slug,
		"authentication_flow":        flow("default-authentication-flow"),
		"authorization_flow":         flow("default-provider-authorization-explicit-consent"),
		"invalidation_flow":          flow("default-provider-invalidation-flow"),
		"signing_key":                s.List(t, "/api/v3/crypto/certificatekeypairs/?has_key=true")[0]["pk"],
		"include_claims_in_id_token": true,
		"property_mappings":          mappings,
	}
	for field, value := range provider {
		whole[field] = value
	}
	s.Call(t, http.MethodPut, "/api/v3/core/transactional/applications/", map[string]any{
		"app":            map[string]any{"name": "NetBird " + slug, "slug": slug},
		"provider_model": "authentik_providers_oauth2.oauth2provider",
		"provider":       whole,
	}, nil)
	if s.Shared() {
		made := s.List(t, fmt.Sprintf("/api/v3/providers/oauth2/?client_id=%v", provider["client_id"]))[0]["pk"]
		s.DropLater(t, fmt.Sprintf("/api/v3/providers/oauth2/%v/", made))
		s.DropLater(t, "/api/v3/core/applications/"+slug+"/")
	}
}

// DropLater deletes an object as the test ends.
func (s *Server) DropLater(t testing.TB, path string) {
	t.Cleanup(func() {
		answer, err := web.Call(context.Background(), http.MethodDelete, s.URL+path, s.Token, nil)
		if err != nil || answer.Status >= 300 && answer.Status != http.StatusNotFound {
			t.Errorf("clean up: DELETE %s: status %d, %v", path, answer.Status, err)
		}
	})
}

// Call speaks to the API as the superuser; anything but a 2xx ends the test.
// into may be nil. It isn't bound to the test's context, which is over when a
// test cleans up.
func (s *Server) Call(t testing.TB, method, path string, body, into any) {
	t.Helper()
	answer, err := web.Call(context.Background(), method, s.URL+path, s.Token, body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	if into == nil {
		into = new(any)
	}
	if len(answer.Body) == 0 && answer.Status/100 == 2 {
		return
	}
	if err := answer.Into(into); err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
}

// List reads a whole list, page by page, into a slice of objects as they come.
func (s *Server) List(t testing.TB, path string) []map[string]any {
	t.Helper()
	var all []map[string]any
	for page := 1; page > 0; {
		var one struct {
			Pagination struct {
				Next int `json:"next"`
			} `json:"pagination"`
			Results []map[string]any `json:"results"`
		}
		mark := "?"
		if strings.Contains(path, "?") {
			mark = "&"
		}
		s.Call(t, http.MethodGet, fmt.Sprintf("%s%spage=%d", path, mark, page), nil, &one)
		all = append(all, one.Results...)
		page = one.Pagination.Next
	}
	return all
}
