package e2e

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"authbird/e2e/authentik"
	"authbird/e2e/browser"
	"authbird/e2e/netbird"
	"authbird/e2e/web"
)

// account is NetBird's account as its API tells it.
type account struct {
	ID       string         `json:"id"`
	Settings map[string]any `json:"settings"`
}

func accountOf(t *testing.T, n *netbird.Server) account {
	t.Helper()
	answer, err := web.Call(t.Context(), http.MethodGet, n.URL+"/api/accounts", n.OwnerToken, nil)
	if err != nil {
		t.Fatal(err)
	}
	var all []account
	if err := answer.Into(&all); err != nil || len(all) != 1 {
		t.Fatalf("NetBird's accounts: %v, %v", all, err)
	}
	return all[0]
}

// otherSettings are all but the three that are about groups. A list that is
// empty and one that is null are the same.
func (a account) otherSettings() map[string]any {
	out := map[string]any{}
	for name, value := range a.Settings {
		if list, ok := value.([]any); ok && len(list) == 0 {
			value = nil
		}
		switch name {
		case "jwt_groups_enabled", "jwt_groups_claim_name", "jwt_allow_groups":
		default:
			out[name] = value
		}
	}
	return out
}

// A real NetBird takes groups over with a login, lets in by them, loses none of
// its other settings over it, and is given back what it had.
func TestGroupsGetIntoNetBirdWithALogin(t *testing.T) {
	authentik.Any(t, func(t *testing.T, a *authentik.Server) {
		n := netbird.Start(t, netbird.Options{})
		alice, bob := a.AddPerson(t, "alice"), a.AddPerson(t, "bob")
		group := a.Name("netbird-users")
		a.Call(t, http.MethodPost, "/api/v3/core/groups/", map[string]any{"name": group, "users": []any{userPK(t, a, alice)}}, nil)
		w := newWorld(t, a, n)
		w.authbird("setup", w.connector()...).want(exitDone)
		before := accountOf(t, n)

		w.authbird("groups", "--group-sync", "on", "--yes").want(exitDone)
		if diff := cmp.Diff(before.otherSettings(), accountOf(t, n).otherSettings()); diff != "" {
			t.Errorf("other settings changed (-before +after):\n%s", diff)
		}
		connector := connectors(t, n)[0].ID
		jwt := groupLogin(t, n, connector, alice)
		pending(t, n, jwt, alice)
		approve(t, n, alice)
		if got := whoIs(t, n.URL, jwt); got.Email != alice.Email {
			t.Errorf("alice is %+v", got)
		}
		if issued := issuedBy(t, n, group); issued != "jwt" {
			t.Errorf("the group %s is issued by %q, want by the login", group, issued)
		}
		w.authbird("groups", "--group-sync", "on", "--netbird-allow-group", group, "--yes").want(exitDone)
		if got := whoIs(t, n.URL, groupLogin(t, n, connector, alice)); got.Email != alice.Email {
			t.Errorf("with the list alice is %+v", got)
		}
		answer, err := web.Call(t.Context(), http.MethodGet, n.URL+"/api/users/current", groupLogin(t, n, connector, bob), nil)
		if err != nil {
			t.Fatal(err)
		}
		if answer.Status != http.StatusUnauthorized {
			t.Errorf("bob, who is in no group, gets %d: %s", answer.Status, answer.Short())
		}

		w.authbird("groups", "--group-sync", "on", "--netbird-allow-group", group, "--yes").want(exitDone).wroteNothing()
		w.authbird("remove", "--yes").want(exitDone)
		after := accountOf(t, n)
		if diff := cmp.Diff(before.otherSettings(), after.otherSettings()); diff != "" || after.Settings["jwt_groups_enabled"] != false || after.Settings["jwt_groups_claim_name"] != "" {
			t.Errorf("taking back left something: %v\n%s", after.Settings, diff)
		}
	})
}

// groupLogin is a login by a client that asks NetBird for groups, as its
// dashboard does.
func groupLogin(t *testing.T, n *netbird.Server, connector string, p authentik.Person) string {
	t.Helper()
	client := browser.NetBirdCLI(n.URL, connector)
	client.Scope += " groups"
	tokens, err := browser.Login(t.Context(), client, p.Person)
	if err != nil {
		t.Fatalf("%s logs in by the connector: %v", p.Name, err)
	}
	return tokens.ID
}

func userPK(t *testing.T, a *authentik.Server, p authentik.Person) any {
	t.Helper()
	for _, u := range a.List(t, "/api/v3/core/users/") {
		if u["email"] == p.Email {
			return u["pk"]
		}
	}
	t.Fatalf("Authentik has no %s", p.Email)
	return nil
}

func issuedBy(t *testing.T, n *netbird.Server, group string) string {
	t.Helper()
	answer, err := web.Call(t.Context(), http.MethodGet, n.URL+"/api/groups", n.OwnerToken, nil)
	if err != nil {
		t.Fatal(err)
	}
	var all []struct{ Name, Issued string }
	if err := answer.Into(&all); err != nil {
		t.Fatal(err)
	}
	for _, g := range all {
		if g.Name == group {
			return g.Issued
		}
	}
	return ""
}
