package e2e

import (
	"net/http"
	"testing"

	"authbird/e2e/authentik"
	"authbird/e2e/browser"
	"authbird/e2e/netbird"
	"authbird/e2e/web"
)

// What the stories see of NetBird, and do there, as its owner or as somebody
// who logs in.

// connector is a connector as NetBird's API lists it.
type connector struct {
	ID       string `json:"id"`
	Type     string `json:"type"`
	Name     string `json:"name"`
	Issuer   string `json:"issuer"`
	ClientID string `json:"client_id"`
}

func connectors(t *testing.T, n *netbird.Server) []connector {
	t.Helper()
	answer, err := web.Call(t.Context(), http.MethodGet, n.URL+"/api/identity-providers", n.OwnerToken, nil)
	if err != nil {
		t.Fatal(err)
	}
	var all []connector
	if err := answer.Into(&all); err != nil {
		t.Fatalf("list NetBird's connectors: %v", err)
	}
	return all
}

// login goes through NetBird's embedded identity provider and Authentik and
// comes back with a token for NetBird's API.
func login(t *testing.T, n *netbird.Server, connector string, p authentik.Person) string {
	t.Helper()
	tokens, err := browser.Login(t.Context(), browser.NetBirdCLI(n.URL, connector), p.Person)
	if err != nil {
		t.Fatalf("%s logs in by the connector: %v", p.Name, err)
	}
	return tokens.ID
}

// pending ends the test unless the login is known to NetBird and waits for
// approval.
func pending(t *testing.T, n *netbird.Server, jwt string, p authentik.Person) {
	t.Helper()
	answer, err := web.Call(t.Context(), http.MethodGet, n.URL+"/api/users/current", jwt, nil)
	if err != nil {
		t.Fatal(err)
	}
	if answer.Status != http.StatusForbidden {
		t.Fatalf("NetBird answers a login that nobody has approved with %d: %s", answer.Status, answer.Short())
	}
	if u := userOf(t, n, p); !u.Pending || !u.Blocked {
		t.Fatalf("NetBird lists %+v, want it pending and blocked", u)
	}
}

// userOf is a person's entry in NetBird, of whom there must be one.
func userOf(t *testing.T, n *netbird.Server, p authentik.Person) netbird.User {
	t.Helper()
	users, err := netbird.Users(t.Context(), n.URL, n.OwnerToken)
	if err != nil {
		t.Fatal(err)
	}
	var found []netbird.User
	for _, u := range users {
		if u.Email == p.Email {
			found = append(found, u)
		}
	}
	if len(found) != 1 {
		t.Fatalf("NetBird lists %d users with the address %s: %+v", len(found), p.Email, users)
	}
	return found[0]
}

func approve(t *testing.T, n *netbird.Server, p authentik.Person) {
	t.Helper()
	path := "/api/users/" + userOf(t, n, p).ID + "/approve"
	answer, err := web.Call(t.Context(), http.MethodPost, n.URL+path, n.OwnerToken, nil)
	if err != nil || answer.Status != http.StatusOK {
		t.Fatalf("POST %s: status %d, %v: %s", path, answer.Status, err, answer.Short())
	}
}

// whoIs is the user that a token belongs to.
func whoIs(t *testing.T, base, token string) netbird.User {
	t.Helper()
	answer, err := web.Call(t.Context(), http.MethodGet, base+"/api/users/current", token, nil)
	if err != nil {
		t.Fatal(err)
	}
	var user netbird.User
	if err := answer.Into(&user); err != nil {
		t.Fatalf("GET /api/users/current: %v", err)
	}
	return user
}
