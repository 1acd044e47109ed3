package e2e

import (
	"fmt"
	"net/http"
	"strings"
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
		makeApplication(t, a, slug, map[string]any{
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

// makeApplication makes an application with its provider at Authentik, with
// the default flows, mappings and key and whatever else the provider is to be.
func makeApplication(t *testing.T, a *authentik.Server, slug string, provider map[string]any) {
	t.Helper()
	var mappings []any
	for _, m := range a.List(t, "/api/v3/propertymappings/provider/scope/") {
		if managed, _ := m["managed"].(string); strings.HasPrefix(managed, "goauthentik.io/providers/oauth2/scope-") {
			mappings = append(mappings, m["pk"])
		}
	}
	flow := func(slug string) any { return a.List(t, "/api/v3/flows/instances/?slug="+slug)[0]["pk"] }
	whole := map[string]any{
		"name":                       "NetBird " + slug,
		"authentication_flow":        flow("default-authentication-flow"),
		"authorization_flow":         flow("default-provider-authorization-explicit-consent"),
		"invalidation_flow":          flow("default-provider-invalidation-flow"),
		"signing_key":                a.List(t, "/api/v3/crypto/certificatekeypairs/?has_key=true")[0]["pk"],
		"include_claims_in_id_token": true,
		"property_mappings":          mappings,
	}
	for field, value := range provider {
		whole[field] = value
	}
	a.Call(t, http.MethodPut, "/api/v3/core/transactional/applications/", map[string]any{
		"app":            map[string]any{"name": "NetBird " + slug, "slug": slug},
		"provider_model": "authentik_providers_oauth2.oauth2provider",
		"provider":       whole,
	}, nil)
	if a.Shared() {
		made := a.List(t, fmt.Sprintf("/api/v3/providers/oauth2/?client_id=%v", provider["client_id"]))[0]["pk"]
		a.DropLater(t, fmt.Sprintf("/api/v3/providers/oauth2/%v/", made))
		a.DropLater(t, "/api/v3/core/applications/"+slug+"/")
	}
}
