//go:build linux && amd64

package matrix

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"

	"authbird/keystore"
	simauthentik "authbird/sim/authentik"
	simnetbird "authbird/sim/netbird"
)

// theirSecret is that of a connector of somebody else's.
const theirSecret = "their-connector-secret"

// others puts a provider, an application and a connector of the wanted names
// there, made by somebody else and not as authbird wants them.
func (w *world) others() {
	w.t.Helper()
	w.othersProvider("confidential")
	w.netbird.AddConnector(simnetbird.Connector{
		Name: "Authentik", Issuer: w.urls["authentik"] + "/application/o/app-00000/", ClientID: "their-client-id", ClientSecret: theirSecret,
	})
}

func (w *world) othersProvider(kind string) {
	w.t.Helper()
	made := w.post("/api/v3/providers/oauth2/", map[string]any{
		"name": "NetBird", "client_type": kind, "client_id": "their-client-id", "client_secret": "their-client-secret-0123456789",
		"authorization_flow": w.first("/api/v3/flows/instances/?slug=default-provider-authorization-implicit-consent"),
		"invalidation_flow":  w.first("/api/v3/flows/instances/?slug=default-provider-invalidation-flow"),
		"redirect_uris":      []map[string]any{{"matching_mode": "strict", "url": "https://theirs.example.com/callback"}},
	})
	w.post("/api/v3/core/applications/", map[string]any{"name": "Theirs", "slug": "netbird", "provider": nil})
	if made["pk"] == nil {
		w.t.Fatal("Authentik made a provider without a pk")
	}
}

// othersOfStandalone puts what a standalone setup needs there, made by
// somebody else: a disabled service account, a device code flow, a brand that
// has none, and a setup.env with lines of its own.
func (w *world) othersOfStandalone() {
	w.t.Helper()
	w.othersProvider("public")
	w.authentik.AddUser(simauthentik.User{Username: "Netbird", Name: "Theirs", Type: "service_account", Inactive: true})
	w.authentik.AddFlow("default-device-code-flow", "stage_configuration", "require_authenticated")
	env := fmt.Sprintf("# theirs\nNETBIRD_DOMAIN=%q\nNETBIRD_AUTH_AUDIENCE=\"theirs\"\nNETBIRD_LETSENCRYPT_EMAIL=me@example.com\n", domain)
	must(w.t, os.WriteFile(filepath.Join(w.host, "setup.env"), []byte(env), 0o600))
}

// netbirdStands puts the management.json of a NetBird there that is set up
// already.
func (w *world) netbirdStands() {
	w.t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "hostfiles", "testdata", "management.json"))
	must(w.t, err)
	must(w.t, os.WriteFile(filepath.Join(w.host, "management.json"), data, 0o640))
}

// putBack gives NetBird its own management.json back, as authbird asks a person
// to before it takes away what NetBird runs on.
func (w *world) putBack() {
	w.t.Helper()
	old, there := w.hostStart["management.json"]
	if there {
		must(w.t, os.WriteFile(filepath.Join(w.host, "management.json"), []byte(old), 0o640))
	}
}

// post asks Authentik, as its administrator, to make something.
func (w *world) post(path string, body map[string]any) map[string]any {
	w.t.Helper()
	var made map[string]any
	must(w.t, w.authentik.Request(http.MethodPost, path, body, &made))
	return made
}

// list is a list of Authentik's.
func (w *world) list(path string) []map[string]any {
	w.t.Helper()
	var answer struct {
		Results []map[string]any `json:"results"`
	}
	token := adminToken
	if w.tokenless { // it may have been renewed
		var err error
		token, err = w.stored(keystore.AuthentikToken)
		must(w.t, err)
	}
	status, body := w.ask(w.urls["authentik"]+path, token)
	if status != http.StatusOK {
		w.t.Fatalf("list %s: %d %s", path, status, body)
	}
	must(w.t, json.Unmarshal(body, &answer))
	return answer.Results
}

// first is the pk of the first object of a list at Authentik.
func (w *world) first(path string) any {
	w.t.Helper()
	all := w.list(path)
	if len(all) == 0 {
		w.t.Fatalf("nothing at %s", path)
	}
	return all[0]["pk"]
}
