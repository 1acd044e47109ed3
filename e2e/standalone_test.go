package e2e

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"authbird/e2e/authentik"
	"authbird/e2e/browser"
	"authbird/e2e/netbird"
	"authbird/e2e/web"
)

// The harness's own proof, without authbird: what NetBird's guide says, done by
// hand at Authentik and in setup.env, makes a server that people log in to and
// that reads Authentik's directory.
func TestAStandaloneNetBirdConfiguredByHand(t *testing.T) {
	authentik.Each(t, func(t *testing.T, a *authentik.Server) {
		hand := prepareByHand(t, a)
		alice, bob := a.AddPerson(t, "alice"), a.AddPerson(t, "bob")
		n := hand.boot(t)

		jwt := hand.login(t, alice)
		if got := whoIs(t, n.URL, jwt); got.ID != fmt.Sprint(alice.ID) || got.Role != "owner" {
			t.Fatalf("NetBird takes the first login for %+v, want user %d as owner", got, alice.ID)
		}
		answer, err := web.Call(t.Context(), http.MethodGet, n.URL+"/api/users/current", hand.login(t, bob), nil)
		if err != nil || answer.Status != http.StatusForbidden {
			t.Fatalf("NetBird answers the second user's login with %d, %v: %s", answer.Status, err, answer.Short())
		}
		users, err := netbird.Users(t.Context(), n.URL, jwt)
		if err != nil {
			t.Fatal(err)
		}
		// The addresses come from Authentik's directory, not from the tokens.
		want := map[string]string{fmt.Sprint(alice.ID): alice.Email, fmt.Sprint(bob.ID): bob.Email}
		for _, u := range users {
			if want[u.ID] == u.Email {
				delete(want, u.ID)
			}
		}
		if len(want) > 0 {
			t.Fatalf("NetBird lists %+v, without %v", users, want)
		}
	})
}

func TestAStandaloneNetBirdWithAWrongAppPasswordKnowsNobody(t *testing.T) {
	a := authentik.Simulated(t, authentik.Versions[0])
	hand := prepareByHand(t, a)
	alice := a.AddPerson(t, "alice")
	hand.password = "thisisnotthepassword"
	n := hand.boot(t)
	answer, err := web.Call(t.Context(), http.MethodGet, n.URL+"/api/users/current", hand.login(t, alice), nil)
	if err != nil || answer.Status != http.StatusUnauthorized {
		t.Fatalf("NetBird answers with %d, %v: %s", answer.Status, err, answer.Short())
	}
	if !strings.Contains(n.Logs(), "unable to get authentik token, statusCode 400") {
		t.Fatal("NetBird's log does not name the cause")
	}
}

// byHand is an Authentik prepared as NetBird's guide says.
type byHand struct {
	authentik *authentik.Server
	slug      string
	client    string
	account   string // the service account
	password  string // its app password
}

func prepareByHand(t *testing.T, a *authentik.Server) *byHand {
	t.Helper()
	h := &byHand{
		authentik: a, slug: a.Name("by-hand"), client: a.Name("the-client-of-netbird"),
		account: a.Name("Netbird-by-hand"), password: "theAppPasswordOfTheServiceAccount1",
	}
	a.MakeApplication(t, h.slug, map[string]any{
		"client_type":          "public",
		"client_id":            h.client,
		"sub_mode":             "user_id",
		"access_code_validity": "minutes=10",
		"redirect_uris": []map[string]string{
			{"matching_mode": "regex", "url": "https://netbird.example.com/.*"},
			{"matching_mode": "strict", "url": browser.Back},
		},
		"grant_types": []string{"authorization_code", "refresh_token", "client_credentials", "password", "urn:ietf:params:oauth:grant-type:device_code"},
	})
	var account struct {
		ID int `json:"user_pk"`
	}
	a.Call(t, http.MethodPost, "/api/v3/core/users/service_account/",
		map[string]any{"name": h.account, "create_group": false, "expiring": false}, &account)
	a.Call(t, http.MethodPost, "/api/v3/core/tokens/service-account-"+strings.ToLower(h.account)+"-password/set_key/",
		map[string]string{"key": h.password}, nil)
	admins := a.List(t, "/api/v3/core/groups/?name=authentik+Admins")[0]["pk"]
	a.Call(t, http.MethodPost, fmt.Sprintf("/api/v3/core/groups/%v/add_user/", admins), map[string]int{"pk": account.ID}, nil)
	if a.Shared() {
		a.DropLater(t, fmt.Sprintf("/api/v3/core/users/%d/", account.ID))
	}
	return h
}

func (h *byHand) issuer() string { return h.authentik.URL + "/application/o/" + h.slug + "/" }

// boot writes setup.env as the guide has it, and starts what NetBird makes of it.
func (h *byHand) boot(t *testing.T) *netbird.Standalone {
	t.Helper()
	path := filepath.Join(t.TempDir(), "setup.env")
	content := fmt.Sprintf(`NETBIRD_DOMAIN="netbird.example.com"
NETBIRD_AUTH_OIDC_CONFIGURATION_ENDPOINT="%[1]s.well-known/openid-configuration"
NETBIRD_USE_AUTH0=false
NETBIRD_AUTH_CLIENT_ID="%[2]s"
NETBIRD_AUTH_SUPPORTED_SCOPES="openid profile email offline_access api"
NETBIRD_AUTH_AUDIENCE="%[2]s"
NETBIRD_AUTH_DEVICE_AUTH_CLIENT_ID="%[2]s"
NETBIRD_AUTH_DEVICE_AUTH_AUDIENCE="%[2]s"
NETBIRD_AUTH_REDIRECT_URI="/auth"
NETBIRD_AUTH_SILENT_REDIRECT_URI="/silent-auth"
NETBIRD_MGMT_IDP="authentik"
NETBIRD_IDP_MGMT_CLIENT_ID="%[2]s"
NETBIRD_IDP_MGMT_EXTRA_USERNAME="%[3]s"
NETBIRD_IDP_MGMT_EXTRA_PASSWORD="%[4]s"
NETBIRD_AUTH_PKCE_DISABLE_PROMPT_LOGIN=true
`, h.issuer(), h.client, h.account, h.password)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	configured, err := netbird.Configure(t, path)
	if err != nil {
		t.Fatal(err)
	}
	return netbird.StartStandalone(t, configured)
}

// login is a login of NetBird's client straight at Authentik.
func (h *byHand) login(t *testing.T, p authentik.Person) string {
	t.Helper()
	return standaloneLogin(t, h.issuer(), h.client, p)
}

// standaloneLogin logs a person in at Authentik for a client of NetBird's, and
// returns what NetBird takes: the access token.
func standaloneLogin(t *testing.T, issuer, client string, p authentik.Person) string {
	t.Helper()
	tokens, err := browser.Login(t.Context(), browser.Client{
		Issuer: issuer, ID: client, Redirect: browser.Back, Scope: "openid profile email offline_access api",
	}, p.Person)
	if err != nil {
		t.Fatalf("%s logs in at Authentik: %v", p.Name, err)
	}
	return tokens.Access
}
