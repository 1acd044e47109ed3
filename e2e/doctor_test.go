package e2e

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"authbird/e2e/authentik"
	"authbird/e2e/browser"
	"authbird/e2e/netbird"
	"authbird/e2e/web"
)

// The doctor on a real NetBird: each failure is provoked, a person's login
// shows it, the doctor names it and nothing else, and its repair lets the
// person in again.

// trouble is what a run of the doctor found last, "id verdict" each. That the
// owner's token ends soon is so here: it lives for a day.
func (o outcome) trouble() []string {
	last := map[string]string{}
	for _, e := range o.Events {
		if e.Kind == "check" {
			last[e.ID] = e.Verdict
		}
	}
	var out []string
	for id, verdict := range last {
		if (verdict == "fail" || verdict == "warn") && id != "netbird-token-end" {
			out = append(out, id+" "+verdict)
		}
	}
	slices.Sort(out)
	return out
}

// finds ends the test unless the doctor names these checks and no other.
func (w *world) finds(want ...string) {
	w.t.Helper()
	o := w.authbird("doctor")
	if got := o.trouble(); !slices.Equal(got, want) {
		w.t.Fatalf("the doctor names %v, want %v\n%s%s", got, want, o.Stdout, o.Stderr)
	}
}

// mends ends the test unless --fix cures all, and a second run has nothing to do.
func (w *world) mends() {
	w.t.Helper()
	w.authbird("doctor", "--fix", "--yes").want(exitDone)
	w.finds()
	w.authbird("doctor", "--fix", "--yes").want(exitDone).wroteNothing()
}

// change is a field of the provider as a person would set it.
func (w *world) change(fields map[string]any) {
	w.t.Helper()
	w.authentik.Call(w.t, http.MethodPatch, fmt.Sprintf("/api/v3/providers/oauth2/%v/", w.theProvider()["pk"]), fields, nil)
}

func (w *world) theProvider() map[string]any {
	w.t.Helper()
	return w.authentik.List(w.t, "/api/v3/providers/oauth2/?name="+w.authentik.Name("NetBird"))[0]
}

// shutOut ends the test if a person gets through.
func shutOut(t *testing.T, n *netbird.Server, connector string, p authentik.Person) {
	t.Helper()
	if _, err := browser.Login(t.Context(), browser.NetBirdCLI(n.URL, connector), p.Person); err == nil {
		t.Fatal("the login goes through all the same")
	}
}

func TestTheDoctorNamesAndMendsWhatKeepsPeopleOut(t *testing.T) {
	authentik.Any(t, func(t *testing.T, a *authentik.Server) {
		n := netbird.Start(t, netbird.Options{})
		w, connector, alice := connected(t, a, n)
		w.finds()
		key := w.theProvider()["signing_key"]
		var emailless []any
		for _, m := range a.List(t, "/api/v3/propertymappings/provider/scope/") {
			if m["managed"] != "goauthentik.io/providers/oauth2/scope-email" && slices.Contains(w.theProvider()["property_mappings"].([]any), m["pk"]) {
				emailless = append(emailless, m["pk"])
			}
		}
		strict := func(urls ...string) map[string]any {
			var list []any
			for _, u := range urls {
				list = append(list, map[string]any{"matching_mode": "strict", "url": u})
			}
			return map[string]any{"redirect_uris": list}
		}
		for _, c := range []struct {
			name, finds string
			spoil       func()
		}{
			{"no signing key", "signing-key fail", func() { w.change(map[string]any{"signing_key": nil}) }},
			{"a redirect URI with a slash too many", "redirect-uri fail", func() {
				w.change(strict(n.URL+"/oauth2/callback/", n.URL+"/oauth2/logout/callback"))
			}},
			{"no mapping for e-mail", "claims fail", func() { w.change(map[string]any{"property_mappings": emailless}) }},
			{"claims left out of the id_token", "claims fail", func() { w.change(map[string]any{"include_claims_in_id_token": false}) }},
			{"no grant types", "grant-types fail", func() { w.change(map[string]any{"grant_types": []any{}}) }},
			{"encrypted tokens", "encryption fail", func() { w.change(map[string]any{"encryption_key": key}) }},
			{"an issuer of Authentik as a whole", "issuer-mode fail", func() { w.change(map[string]any{"issuer_mode": "global"}) }},
			{"another client secret", "client-secret fail", func() { w.change(map[string]any{"client_secret": "another-secret-of-somebody-0123456789"}) }},
			{"an application without its provider", "application fail", func() {
				a.Call(t, http.MethodPatch, "/api/v3/core/applications/"+a.Name("netbird")+"/", map[string]any{"provider": nil}, nil)
			}},
		} {
			t.Run(c.name, func(t *testing.T) {
				w.t = t
				c.spoil()
				shutOut(t, n, connector, alice)
				w.finds(c.finds)
				w.mends()
				login(t, n, connector, alice)
			})
		}
		w.t = t
		t.Run("the logout's address is missing", func(t *testing.T) {
			w.t = t
			w.change(strict(n.URL + "/oauth2/callback"))
			w.finds("logout-redirect fail")
			w.mends()
		})
		w.t = t
	})
}

// An EC key keeps people out of a standalone NetBird. The embedded IdP takes it,
// but only once it has restarted: a note, and no failure.
func TestTheDoctorOnAnECSigningKey(t *testing.T) {
	authentik.Any(t, func(t *testing.T, a *authentik.Server) {
		n := netbird.Start(t, netbird.Options{})
		w, connector, alice := connected(t, a, n)
		var key struct {
			PK string `json:"pk"`
		}
		a.Call(t, http.MethodPost, "/api/v3/crypto/certificatekeypairs/generate/", map[string]any{
			"common_name": a.Name("ec"), "subject_alt_name": "", "validity_days": 365, "alg": "ecdsa"}, &key)
		if a.Shared() {
			a.DropLater(t, "/api/v3/crypto/certificatekeypairs/"+key.PK+"/")
		}
		w.change(map[string]any{"signing_key": key.PK})
		shutOut(t, n, connector, alice)
		w.finds("signing-key warn")
		n.Restart(t)
		login(t, n, connector, alice)
	})
}

// settings changes NetBird's account as its owner does.
func settings(t *testing.T, n *netbird.Server, changes map[string]any) {
	t.Helper()
	was := accountOf(t, n)
	for name, value := range changes {
		was.Settings[name] = value
	}
	answer, err := web.Call(t.Context(), http.MethodPut, n.URL+"/api/accounts/"+was.ID, n.OwnerToken, map[string]any{"settings": was.Settings})
	if err != nil || answer.Status != http.StatusOK {
		t.Fatalf("change NetBird's settings: status %d, %v: %s", answer.Status, err, answer.Short())
	}
}

func TestTheDoctorNamesAndMendsWhatStandsInNetBird(t *testing.T) {
	authentik.Any(t, func(t *testing.T, a *authentik.Server) {
		n := netbird.Start(t, netbird.Options{})
		w, id, alice := connected(t, a, n)

		bob := a.AddPerson(t, "bob")
		jwt := login(t, n, id, bob)
		pending(t, n, jwt, bob)
		w.finds("approval fail")
		w.mends()
		if got := whoIs(t, n.URL, jwt); got.Pending || got.Email != bob.Email {
			t.Fatalf("after the repair bob is %+v", got)
		}

		settings(t, n, map[string]any{"jwt_groups_enabled": true, "jwt_groups_claim_name": "roles"})
		w.finds("group-sync fail")
		w.mends()

		// alice becomes the owner, and the list of groups shuts her out.
		owner(t, n, alice)
		settings(t, n, map[string]any{"jwt_allow_groups": []any{"nobody-is-in-here"}})
		answer, err := web.Call(t.Context(), http.MethodGet, n.URL+"/api/users/current", groupLogin(t, n, id, alice), nil)
		if err != nil || answer.Status != http.StatusUnauthorized {
			t.Fatalf("alice gets %d, %v: %s", answer.Status, err, answer.Short())
		}
		w.finds("allow-groups fail")
		w.mends()
		if got := whoIs(t, n.URL, groupLogin(t, n, id, alice)); got.Role != "owner" {
			t.Fatalf("after the repair alice is %+v", got)
		}

		// Somebody with the address of NetBird's local owner comes by Authentik.
		carol := a.AddPerson(t, "carol")
		a.Call(t, http.MethodPatch, fmt.Sprintf("/api/v3/core/users/%d/", carol.ID), map[string]any{"email": n.Owner.Name}, nil)
		if _, err := web.Call(t.Context(), http.MethodGet, n.URL+"/api/users/current", groupLogin(t, n, id, carol), nil); err != nil {
			t.Fatal(err)
		}
		o := w.authbird("doctor")
		if got := o.trouble(); !slices.Contains(got, "duplicate-users warn") {
			t.Errorf("of two users with one address the doctor says %v", got)
		}
		w.authbird("doctor", "--fix", "--yes")

		// The connector is deleted: another can be made, but its users are new ones.
		drop(t, n, "/api/identity-providers/"+id)
		shutOut(t, n, id, alice)
		if got := w.authbird("doctor").trouble(); !slices.Contains(got, "connector fail") {
			t.Errorf("of a deleted connector the doctor says %v", got)
		}
		w.authbird("doctor", "--fix", "--yes")
		if all := connectors(t, n); len(all) != 1 {
			t.Fatalf("after the repair NetBird has %v", all)
		}
		login(t, n, connectors(t, n)[0].ID, bob)
		if got := w.authbird("doctor").trouble(); !slices.Contains(got, "strangers warn") || slices.Contains(got, "connector fail") {
			t.Errorf("of users whose connector is gone the doctor says %v", got)
		}
	})
}

func drop(t *testing.T, n *netbird.Server, path string) {
	t.Helper()
	answer, err := web.Call(t.Context(), http.MethodDelete, n.URL+path, n.OwnerToken, nil)
	if err != nil || answer.Status != http.StatusOK {
		t.Fatalf("DELETE %s: status %d, %v: %s", path, answer.Status, err, answer.Short())
	}
}

// owner makes somebody the owner of NetBird's account.
func owner(t *testing.T, n *netbird.Server, p authentik.Person) {
	t.Helper()
	path := "/api/users/" + userOf(t, n, p).ID
	answer, err := web.Call(t.Context(), http.MethodPut, n.URL+path, n.OwnerToken, map[string]any{"role": "owner", "auto_groups": []any{}, "is_blocked": false})
	if err != nil || answer.Status != http.StatusOK {
		t.Fatalf("PUT %s: status %d, %v: %s", path, answer.Status, err, answer.Short())
	}
}

// A NetBird that is stopped is named as that.
func TestTheDoctorWhereNetBirdIsAway(t *testing.T) {
	a := authentik.Simulated(t, authentik.Versions[0])
	n := netbird.Start(t, netbird.Options{})
	w, _, _ := connected(t, a, n)
	n.Stop()
	w.finds("netbird-answers fail")
	n.Restart(t)
	w.finds()
}

// A connection that was made by hand is found by both addresses.
func TestTheDoctorOnAConnectionThatAuthbirdDidNotMake(t *testing.T) {
	authentik.Any(t, func(t *testing.T, a *authentik.Server) {
		n := netbird.Start(t, netbird.Options{})
		slug := a.Name("by-hand")
		a.MakeApplication(t, slug, map[string]any{
			"client_id": "made-by-hand-" + slug, "client_secret": "a-secret-that-a-person-typed", "client_type": "confidential",
			"redirect_uris": []any{map[string]any{"matching_mode": "strict", "url": n.URL + "/oauth2/callback"}},
			"grant_types":   []any{"authorization_code", "refresh_token"},
		})
		answer, err := web.Call(t.Context(), http.MethodPost, n.URL+"/api/identity-providers", n.OwnerToken, map[string]any{
			"type": "oidc", "name": "Company", "issuer": a.URL + "/application/o/" + slug + "/",
			"client_id": "made-by-hand-" + slug, "client_secret": "a-secret-that-a-person-typed"})
		if err != nil || answer.Status != http.StatusOK {
			t.Fatalf("make a connector: status %d, %v: %s", answer.Status, err, answer.Short())
		}
		w := newWorld(t, a, n)
		both := []string{"--authentik-url", a.URL, "--netbird-url", n.URL}
		look := func(want ...string) {
			t.Helper()
			o := w.authbird("doctor", both...)
			if got := o.trouble(); !slices.Equal(got, want) {
				t.Fatalf("the doctor names %v, want %v\n%s%s", got, want, o.Stdout, o.Stderr)
			}
		}
		look("logout-redirect fail")
		o := w.authbird("doctor", append(both, "--fix", "--yes")...).want(exitDone)
		if made := strings.Count(o.Stdout, `"phase":"done"`); made == 0 {
			t.Errorf("the repair tells of no step:\n%s", o.Stdout)
		}
		look()
		alice := a.AddPerson(t, "alice")
		login(t, n, connectors(t, n)[0].ID, alice)
		w.authbird("remove", "--yes").want(exitDone)
		if got := len(connectors(t, n)); got != 1 {
			t.Errorf("taking the repair back left %d connectors, want the one that a person made", got)
		}
	})
}
