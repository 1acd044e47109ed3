package sim

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	simnetbird "authbird/sim/netbird"
)

// stage is a sandbox in a test, with the two admins' hands.
type stage struct {
	*Sandbox
	t *testing.T
}

func start(t *testing.T, o Options) stage {
	t.Helper()
	s, err := Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return stage{s, t}
}

// call sends JSON and reads JSON; any status but 200 ends the test.
func (s stage) call(method, where, token string, body, into any) {
	s.t.Helper()
	var b bytes.Buffer
	if body != nil {
		if err := json.NewEncoder(&b).Encode(body); err != nil {
			s.t.Fatal(err)
		}
	}
	req, err := http.NewRequestWithContext(s.t.Context(), method, where, &b)
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		s.t.Fatalf("%s %s: %d %s %v", method, where, resp.StatusCode, raw, err)
	}
	if into != nil {
		if err := json.Unmarshal(raw, into); err != nil {
			s.t.Fatal(err)
		}
	}
}

type pks struct {
	Results []struct {
		PK   string `json:"pk"`
		Slug string `json:"slug"`
	} `json:"results"`
}

// connect makes provider, application and connector, as authbird does.
func (s stage) connect(consent string) (connectorID string) {
	s.t.Helper()
	ask := func(path string) pks {
		var out pks
		s.call("GET", s.AuthentikURL+"/api/v3/"+path, s.AuthentikToken, nil, &out)
		if len(out.Results) == 0 {
			s.t.Fatalf("%s: nothing there", path)
		}
		return out
	}
	var authorization, invalidation string
	for _, f := range ask("flows/instances/?page_size=100").Results {
		switch f.Slug {
		case "default-provider-authorization-" + consent + "-consent":
			authorization = f.PK
		case "default-provider-invalidation-flow":
			invalidation = f.PK
		}
	}
	q := url.Values{"managed": {
		"goauthentik.io/providers/oauth2/scope-openid", "goauthentik.io/providers/oauth2/scope-email", "goauthentik.io/providers/oauth2/scope-profile",
	}}
	var mappings []string
	for _, m := range ask("propertymappings/provider/scope/?" + q.Encode()).Results {
		mappings = append(mappings, m.PK)
	}
	s.call("PUT", s.AuthentikURL+"/api/v3/core/transactional/applications/", s.AuthentikToken, map[string]any{
		"app":            map[string]any{"name": "NetBird", "slug": "netbird"},
		"provider_model": "authentik_providers_oauth2.oauth2provider",
		"provider": map[string]any{
			"name": "NetBird", "authorization_flow": authorization, "invalidation_flow": invalidation,
			"client_type": "confidential", "client_id": "the-client", "client_secret": "the-secret",
			"redirect_uris":     []any{map[string]string{"matching_mode": "strict", "url": s.NetBirdURL + "/oauth2/callback"}},
			"property_mappings": mappings, "signing_key": ask("crypto/certificatekeypairs/?has_key=true").Results[0].PK,
			"grant_types": []string{"authorization_code", "refresh_token"},
		},
	}, nil)
	var made struct{ ID string }
	s.call("POST", s.NetBirdURL+"/api/identity-providers", s.NetBirdToken, map[string]string{
		"type": "authentik", "name": "Authentik", "issuer": s.AuthentikURL + "/application/o/netbird/",
		"client_id": "the-client", "client_secret": "the-secret",
	}, &made)
	return made.ID
}

func (s stage) login(r LoginRequest) (LoginResult, error) {
	r.NetBirdURL = s.NetBirdURL
	return Login(s.t.Context(), r)
}

func TestPersonLogsInByTheConnector(t *testing.T) {
	for _, consent := range []string{"implicit", "explicit"} {
		t.Run(consent, func(t *testing.T) {
			s := start(t, Options{})
			id := s.connect(consent)
			alice := LoginRequest{Username: PersonUsername, Password: PersonPassword}
			got, err := s.login(alice)
			if err != nil || got.Outcome != Pending || !strings.Contains(got.Message, "pending approval") {
				t.Fatalf("the first login: %+v, %v", got, err)
			}
			var users []struct {
				ID, Email string
			}
			s.call("GET", s.NetBirdURL+"/api/users", s.NetBirdToken, nil, &users)
			for _, u := range users {
				if u.Email == PersonEmail {
					s.call("POST", s.NetBirdURL+"/api/users/"+u.ID+"/approve", s.NetBirdToken, nil, nil)
				}
			}
			alice.Connector = id
			got, err = s.login(alice)
			if err != nil || got.Outcome != Admitted || got.Email != PersonEmail || got.Role != "user" {
				t.Errorf("by the connector's id, after the approval: %+v, %v", got, err)
			}
			alice.Connector = "Authentik"
			if got, err = s.login(alice); err != nil || got.Outcome != Admitted {
				t.Errorf("by the connector's name: %+v, %v", got, err)
			}
			if err := s.Sandbox.Login(t.Context(), PersonUsername, PersonPassword); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestOwnerLogsInLocally(t *testing.T) {
	s := start(t, Options{})
	s.connect("implicit")
	got, err := s.login(LoginRequest{Connector: LocalConnector, Username: OwnerEmail, Password: OwnerPassword})
	if err != nil || got.Outcome != Admitted || got.Role != "owner" {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestLoginsThatEnd(t *testing.T) {
	s := start(t, Options{})
	s.connect("implicit")
	for _, x := range []struct {
		name    string
		request LoginRequest
		want    string
	}{
		{"a wrong password at Authentik", LoginRequest{Username: PersonUsername, Password: "wrong"}, "Invalid password"},
		{"a wrong password at NetBird", LoginRequest{Connector: LocalConnector, Username: OwnerEmail, Password: "wrong"}, "Invalid Email Address or password."},
		{"a connector that is none", LoginRequest{Connector: "Keycloak"}, `no connector "Keycloak"`},
	} {
		if got, err := s.login(x.request); err == nil || !strings.Contains(err.Error(), x.want) {
			t.Errorf("%s: %+v, %v, want %q", x.name, got, err, x.want)
		}
	}
}

// A changed secret is used from the next restart on, and only then.
func TestRotationNeedsARestart(t *testing.T) {
	s := start(t, Options{})
	id := s.connect("implicit")
	alice := LoginRequest{Username: PersonUsername, Password: PersonPassword}
	if _, err := s.login(alice); err != nil {
		t.Fatal(err)
	}
	s.call("PUT", s.NetBirdURL+"/api/identity-providers/"+id, s.NetBirdToken, map[string]string{
		"type": "authentik", "name": "Authentik", "issuer": s.AuthentikURL + "/application/o/netbird/",
		"client_id": "the-client", "client_secret": "another-secret",
	}, nil)
	if !s.NetBird.Opened(id) {
		t.Error("the connector was not opened by the login")
	}
	if _, err := s.login(alice); err != nil {
		t.Errorf("the old secret is no longer used: %v", err)
	}
	s.call("POST", s.NetBirdURL+"/_sandbox/restart", "", nil, nil)
	if _, err := s.login(alice); err == nil || !strings.Contains(err.Error(), "Authentication failed") {
		t.Errorf("the new, wrong secret is not used: %v", err)
	}
}

func TestConnectorOnADomainlessAccountGivesEveryoneHisOwn(t *testing.T) {
	s := start(t, Options{Fresh: true})
	if err := s.NetBird.Reconfigure(func(o *simnetbird.Options) { o.SetupPAT = true }); err != nil {
		t.Fatal(err)
	}
	var made struct {
		Token string `json:"personal_access_token"`
	}
	s.call("POST", s.NetBirdURL+"/api/setup", "", map[string]any{
		"email": OwnerEmail, "password": OwnerPassword, "name": "Owner", "create_pat": true,
	}, &made)
	s.NetBirdToken = made.Token
	s.connect("implicit")
	got, err := s.login(LoginRequest{Username: PersonUsername, Password: PersonPassword})
	if err != nil || got.Outcome != Admitted || got.Role != "owner" {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestStartAndClose(t *testing.T) {
	s := start(t, Options{})
	for _, base := range []string{s.AuthentikURL, s.NetBirdURL} {
		if !strings.HasPrefix(base, "http://127.0.0.1:") {
			t.Errorf("%s is not on loopback", base)
		}
	}
	var port int
	if _, err := fmt.Sscanf(s.NetBirdURL, "http://127.0.0.1:%d", &port); err != nil {
		t.Fatal(err)
	}
	if _, err := Start(Options{NetBirdPort: port}); err == nil || !strings.Contains(err.Error(), "start the simulated NetBird") {
		t.Errorf("a port that is taken: %v", err)
	}
	s.Close()
	if resp, err := http.Get(s.NetBirdURL + "/api/instance"); err == nil {
		t.Errorf("after Close it answers %d", resp.StatusCode)
	}
}

func TestFaultsAndLatencyReachBothServers(t *testing.T) {
	s := start(t, Options{})
	for _, x := range []struct{ base, path string }{{s.AuthentikURL, "/api/v3/admin/version/"}, {s.NetBirdURL, "/api/instance"}} {
		order := bytes.NewBufferString(`{"path":"` + x.path + `","kind":"status","status":503}`)
		resp, err := http.Post(x.base+"/_sandbox/fault", "application/json", order)
		if err != nil || resp.StatusCode >= 300 {
			t.Fatalf("order a fault at %s: %v %v", x.base, resp, err)
		}
		resp.Body.Close()
		resp, err = http.Get(x.base + x.path)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != 503 {
			t.Errorf("%s answered %d", x.base, resp.StatusCode)
		}
	}
}

// A login ends when its context does, whatever page it is at.
func TestLoginIsCancelled(t *testing.T) {
	s := start(t, Options{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Login(ctx, LoginRequest{NetBirdURL: s.NetBirdURL}); err == nil {
		t.Error("it went on")
	}
}
