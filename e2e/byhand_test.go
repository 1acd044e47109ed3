package e2e

import (
	"net/http"
	"testing"

	"authbird/e2e/authentik"
	"authbird/e2e/netbird"
	"authbird/e2e/web"
)

// The harness's own proof, without authbird: a connector made by hand, with
// the redirect URL that NetBird's guide has people copy, logs people in.
func TestAConnectorMadeByHand(t *testing.T) {
	authentik.Each(t, func(t *testing.T, a *authentik.Server) {
		n := netbird.Start(t, netbird.Options{})
		alice := a.AddPerson(t, "alice")
		slug, client := a.Name("by-hand"), a.Name("the-client-of-netbird")
		a.MakeApplication(t, slug, map[string]any{
			"client_type":   "confidential",
			"client_id":     client,
			"client_secret": "theSecretOfTheClient1",
			"redirect_uris": []map[string]string{{"matching_mode": "strict", "url": n.URL + "/oauth2/callback"}},
			"grant_types":   []string{"authorization_code", "refresh_token"},
		})
		answer, err := web.Call(t.Context(), http.MethodPost, n.URL+"/api/identity-providers", n.OwnerToken, map[string]string{
			"type": "authentik", "name": "Authentik", "issuer": a.URL + "/application/o/" + slug + "/",
			"client_id": client, "client_secret": "theSecretOfTheClient1",
		})
		if err != nil || answer.Status != http.StatusOK {
			t.Fatalf("make the connector: status %d, %v: %s", answer.Status, err, answer.Short())
		}

		id := connectors(t, n)[0].ID
		jwt := login(t, n, id, alice)
		pending(t, n, jwt, alice)
		approve(t, n, alice)
		if got := whoIs(t, n.URL, jwt); got.Email != alice.Email || got.Pending {
			t.Fatalf("after the approval NetBird says of the login: %+v", got)
		}
	})
}
