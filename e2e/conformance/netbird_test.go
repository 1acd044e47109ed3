package conformance

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"authbird/e2e/authentik"
	"authbird/e2e/browser"
	"authbird/e2e/netbird"
	"authbird/e2e/web"
	simnetbird "authbird/sim/netbird"
)

// What comes back must agree in its status, in which fields there are and of
// what type, and in the words of an error.
func TestTheSimulatedNetBirdAnswersAsTheRealOne(t *testing.T) {
	issuers := newIssuers(t)
	upstream := authentik.Simulated(t, authentik.Versions[0])
	genuine := netbird.Start(t, netbird.Options{Fresh: true})
	actual := interview(&asking{t: t, who: "real", base: genuine.URL, issuers: issuers, upstream: upstream,
		restart: func() { genuine.Restart(t) }})
	var simulated *simnetbird.Server
	served := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { simulated.ServeHTTP(w, r) }))
	t.Cleanup(served.Close)
	simulated = simnetbird.New(simnetbird.Options{BaseURL: served.URL})
	answered := interview(&asking{t: t, who: "simulated", base: served.URL, issuers: issuers, upstream: upstream,
		restart: func() {
			if err := simulated.Restart(); err != nil {
				t.Fatal(err)
			}
		}})
	if diff := cmp.Diff(actual, answered); diff != "" {
		t.Errorf("the simulated NetBird answers differently (-real +simulated):\n%s", diff)
	}
}

// issuers is a server with a proper discovery document below /good/, one that
// names an issuer with a slash below /slash, and nothing elsewhere.
type issuers struct{ url string }

func newIssuers(t *testing.T) issuers {
	t.Helper()
	document := func(issuer string) map[string]any {
		return map[string]any{
			"issuer": issuer, "authorization_endpoint": issuer + "authorize", "token_endpoint": issuer + "token",
			"jwks_uri": issuer + "jwks", "id_token_signing_alg_values_supported": []string{"RS256"},
			"code_challenge_methods_supported": []string{"plain", "S256"},
		}
	}
	served := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		base := "http://" + r.Host
		switch r.URL.Path {
		case "/good/.well-known/openid-configuration":
			_ = json.NewEncoder(w).Encode(document(base + "/good/"))
		case "/slash/.well-known/openid-configuration":
			_ = json.NewEncoder(w).Encode(document(base + "/slash/"))
		case "/text/.well-known/openid-configuration":
			fmt.Fprint(w, "this is no JSON")
		default:
			http.Error(w, "no such issuer", http.StatusNotFound)
		}
	}))
	t.Cleanup(served.Close)
	return issuers{served.URL}
}

// seenAnswer is one answer without what may differ: values, ids, addresses.
type seenAnswer struct {
	Call   string
	Status int
	Fields []string // "path: type", sorted; of an array, those of its elements
	Error  string   // an error's message, or a body that is no JSON
}

// asking is one interview.
type asking struct {
	t        *testing.T
	who      string
	base     string
	restart  func()
	issuers  issuers
	upstream *authentik.Server
	token    string
	heard    []seenAnswer
}

// interview takes a fresh server through its setup, its tokens, its connectors,
// its people and its settings.
func interview(a *asking) []seenAnswer {
	a.t.Helper()
	a.instance()
	user := a.owner()
	a.tokens(user)
	a.connectors()
	a.people()
	a.account()
	a.services()
	return a.heard
}

func (a *asking) instance() {
	a.ask("fresh instance", http.MethodGet, "/api/instance", nil)
	a.ask("instance with a slash", http.MethodGet, "/api/instance/", nil)
	a.ask("version without a token", http.MethodGet, "/api/instance/version", nil)
	a.ask("unknown path", http.MethodGet, "/api/no-such-thing", nil)
	a.ask("discovery", http.MethodGet, "/oauth2/.well-known/openid-configuration", nil)
	a.ask("keys", http.MethodGet, "/oauth2/keys", nil)
	a.ask("connectors without a token", http.MethodGet, "/api/identity-providers", nil)
	a.token = "nbp_thistokenbelongstonobodyatall0000000"
	a.ask("connectors with a token of nobody's", http.MethodGet, "/api/identity-providers", nil)
	a.token = ""
}

// owner sets the server up and logs in.
func (a *asking) owner() string {
	const email, password = "owner@example.com", "Passw0rd!of-the-owner"
	a.ask("setup without an address", http.MethodPost, "/api/setup", map[string]any{"password": password, "name": "Owner"})
	a.ask("setup with half an address", http.MethodPost, "/api/setup", map[string]any{"email": "owner", "password": password, "name": "Owner"})
	a.ask("setup without a name", http.MethodPost, "/api/setup", map[string]any{"email": email, "password": password})
	a.ask("setup with a password too long", http.MethodPost, "/api/setup", map[string]any{"email": email, "password": strings.Repeat("x", 73), "name": "Owner"})
	whole := map[string]any{"email": email, "password": password, "name": "Owner"}
	a.ask("setup", http.MethodPost, "/api/setup", whole)
	a.ask("setup again", http.MethodPost, "/api/setup", whole)
	a.ask("instance after the setup", http.MethodGet, "/api/instance", nil)

	person := browser.Person{Name: email, Password: password}
	_, err := browser.Login(a.t.Context(), browser.NetBirdCLI(a.base, "local"), browser.Person{Name: email, Password: "wrong"})
	a.loginEnds("login with a wrong password", err)
	elsewhere := browser.NetBirdCLI(a.base, "local")
	elsewhere.Redirect = "http://127.0.0.1:53000/"
	_, err = browser.Login(a.t.Context(), elsewhere, person)
	a.loginEnds("login with a redirect of our own", err)
	tokens, err := browser.Login(a.t.Context(), browser.NetBirdCLI(a.base, "local"), person)
	if err != nil {
		a.t.Fatalf("%s: log in as the owner: %v", a.who, err)
	}
	a.token = tokens.ID
	return a.ask("first call", http.MethodGet, "/api/users/current", nil)
}

func (a *asking) tokens(user string) {
	path := "/api/users/" + user + "/tokens"
	a.ask("token for 0 days", http.MethodPost, path, map[string]any{"name": "x", "expires_in": 0})
	a.ask("token for 366 days", http.MethodPost, path, map[string]any{"name": "x", "expires_in": 366})
	a.ask("token without a name", http.MethodPost, path, map[string]any{"name": "", "expires_in": 1})
	a.ask("token for nobody", http.MethodPost, "/api/users/nosuch/tokens", map[string]any{"name": "x", "expires_in": 1})
	a.token = a.ask("token", http.MethodPost, path, map[string]any{"name": "x", "expires_in": 1})
	a.ask("tokens", http.MethodGet, path, nil)
	a.ask("current user by the token", http.MethodGet, "/api/users/current", nil)
	a.ask("version", http.MethodGet, "/api/instance/version", nil)
	a.ask("users", http.MethodGet, "/api/users", nil)
	a.ask("approve nobody", http.MethodPost, "/api/users/nosuch/approve", nil)
}

func (a *asking) connectors() {
	const list = "/api/identity-providers"
	good := a.issuers.url + "/good/"
	a.ask("no connectors", http.MethodGet, list, nil)
	for _, c := range []struct {
		name string
		body map[string]string
	}{
		{"without a name", map[string]string{"type": "oidc", "issuer": good, "client_id": "c", "client_secret": "s"}},
		{"without a client id", map[string]string{"type": "oidc", "name": "n", "issuer": good, "client_secret": "s"}},
		{"of an unknown type", map[string]string{"type": "nosuch", "name": "n", "issuer": good, "client_id": "c"}},
		{"with an issuer that is no URL", map[string]string{"type": "oidc", "name": "n", "issuer": "nowhere", "client_id": "c"}},
		{"with an issuer that is not there", map[string]string{"type": "oidc", "name": "n", "issuer": a.issuers.url + "/absent/", "client_id": "c"}},
		{"with an issuer nobody serves", map[string]string{"type": "oidc", "name": "n", "issuer": "http://127.0.0.1:9/", "client_id": "c"}},
		{"with an issuer of text", map[string]string{"type": "oidc", "name": "n", "issuer": a.issuers.url + "/text", "client_id": "c"}},
		{"with an issuer without its slash", map[string]string{"type": "oidc", "name": "n", "issuer": a.issuers.url + "/slash", "client_id": "c"}},
	} {
		a.ask("connector "+c.name, http.MethodPost, list, c.body)
	}
	whole := map[string]string{"type": "authentik", "name": "Authentik", "issuer": good, "client_id": "c", "client_secret": "s"}
	id := a.ask("connector", http.MethodPost, list, whole)
	if !strings.HasPrefix(id, "authentik-") {
		a.t.Errorf("%s: the connector's id is %q", a.who, id)
	}
	other := a.ask("the same connector again", http.MethodPost, list, whole)
	a.ask("connectors", http.MethodGet, list, nil)
	a.ask("one connector", http.MethodGet, list+"/"+id, nil)
	a.ask("connector of a wrong id", http.MethodGet, list+"/nosuch", nil)
	delete(whole, "client_secret")
	a.ask("change without a secret", http.MethodPut, list+"/"+id, whole)
	a.ask("change of a wrong id", http.MethodPut, list+"/nosuch", whole)
	whole["type"] = "oidc"
	a.ask("change of the type", http.MethodPut, list+"/"+id, whole)
	a.ask("delete", http.MethodDelete, list+"/"+other, nil)
	a.ask("delete again", http.MethodDelete, list+"/"+other, nil)
	a.ask("patch", http.MethodPatch, list+"/"+id, whole)

	a.startLogin("start of a login", id)
	whole["type"], whole["client_id"] = "authentik", "another"
	a.ask("change of an opened connector", http.MethodPut, list+"/"+id, whole)
	a.startLogin("start of a login after the change", id)
	a.restart()
	a.startLogin("start of a login after a restart", id)
	a.ask("delete the opened connector", http.MethodDelete, list+"/"+id, nil)
}

// people logs somebody in by a connector whose issuer is a whole Authentik.
func (a *asking) people() {
	application := map[string]any{
		"client_type": "confidential", "client_id": "client-of-" + a.who, "client_secret": "theSecretOfTheClient1",
		"redirect_uris": []map[string]string{{"matching_mode": "strict", "url": a.base + "/oauth2/callback"}},
		"grant_types":   []string{"authorization_code", "refresh_token"},
	}
	a.upstream.MakeApplication(a.t, a.who, application)
	connector := map[string]string{
		"type": "authentik", "name": "Authentik", "issuer": a.upstream.URL + "/application/o/" + a.who + "/",
		"client_id": "client-of-" + a.who, "client_secret": "this is not it",
	}
	person := a.upstream.AddPerson(a.t, "alice-at-"+a.who)
	wrong := a.ask("connector with a wrong secret", http.MethodPost, "/api/identity-providers", connector)
	_, err := browser.Login(a.t.Context(), browser.NetBirdCLI(a.base, wrong), person.Person)
	a.loginEnds("login by a connector with a wrong secret", err)

	connector["client_secret"] = "theSecretOfTheClient1"
	id := a.ask("connector to Authentik", http.MethodPost, "/api/identity-providers", connector)
	tokens, err := browser.Login(a.t.Context(), browser.NetBirdCLI(a.base, id), person.Person)
	if err != nil {
		a.t.Fatalf("%s: %v", a.who, err)
	}
	owner := a.token
	a.token = tokens.ID
	a.ask("first call of a new user", http.MethodGet, "/api/users/current", nil)
	a.ask("connectors for a new user", http.MethodGet, "/api/identity-providers", nil)
	a.token = owner
	a.ask("users with a new one", http.MethodGet, "/api/users", nil)
	user := a.userOf(person.Email)
	a.ask("approve", http.MethodPost, "/api/users/"+user+"/approve", nil)
	a.ask("approve again", http.MethodPost, "/api/users/"+user+"/approve", nil)
	a.token = tokens.ID
	a.ask("call of an approved user", http.MethodGet, "/api/users/current", nil)
	a.ask("connector of a plain user", http.MethodPost, "/api/identity-providers", connector)
	a.ask("accounts for a plain user", http.MethodGet, "/api/accounts", nil)
	a.token = owner
}

// userOf is the id of the user with this address.
func (a *asking) userOf(email string) string {
	a.t.Helper()
	users, err := netbird.Users(a.t.Context(), a.base, a.token)
	if err != nil {
		a.t.Fatalf("%s: %v", a.who, err)
	}
	for _, u := range users {
		if u.Email == email {
			return u.ID
		}
	}
	a.t.Fatalf("%s: nobody has the address %s", a.who, email)
	return ""
}

// startLogin looks at the redirect to the connector's issuer.
func (a *asking) startLogin(name, id string) {
	path := "/oauth2/auth/" + id + "?" + url.Values{
		"client_id": {"netbird-cli"}, "redirect_uri": {browser.Back + "/"}, "response_type": {"code"},
		"scope": {"openid profile email"}, "state": {"s"},
		"code_challenge": {"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"}, "code_challenge_method": {"S256"},
	}.Encode()
	answer, err := web.Call(a.t.Context(), http.MethodGet, a.base+path, "", nil)
	if err != nil {
		a.t.Fatalf("%s: %v", a.who, err)
	}
	to, err := url.Parse(answer.Header.Get("Location"))
	if err != nil {
		a.t.Fatalf("%s: %v", a.who, err)
	}
	query := to.Query()
	var fields []string
	for name := range query {
		fields = append(fields, name)
	}
	slices.Sort(fields)
	a.heard = append(a.heard, seenAnswer{Call: name, Status: answer.Status, Fields: fields,
		Error: a.plain(fmt.Sprintf("%s?client_id=%s&redirect_uri=%s&scope=%s", to.Path, query.Get("client_id"), query.Get("redirect_uri"), query.Get("scope")))})
}

func (a *asking) account() {
	id := a.ask("accounts", http.MethodGet, "/api/accounts", nil)
	a.ask("half an account", http.MethodPut, "/api/accounts/"+id, map[string]any{"settings": map[string]any{"extra": map[string]any{"user_approval_required": false}}})
	a.ask("settings", http.MethodPut, "/api/accounts/"+id, map[string]any{"settings": map[string]any{
		"peer_login_expiration_enabled": true, "peer_login_expiration": 86400,
		"peer_inactivity_expiration_enabled": false, "peer_inactivity_expiration": 600,
		"regular_users_view_blocked": true,
		"extra": map[string]any{
			"user_approval_required": false, "peer_approval_enabled": false,
			"network_traffic_logs_enabled": false, "network_traffic_logs_groups": []string{},
			"network_traffic_packet_counter_enabled": false,
		},
	}})
	a.ask("accounts after the change", http.MethodGet, "/api/accounts", nil)
}

// services makes a service user, whom other rules hold for.
func (a *asking) services() {
	a.ask("service user without a role", http.MethodPost, "/api/users", map[string]any{"name": "s", "is_service_user": true, "auto_groups": []string{}})
	id := a.ask("service user", http.MethodPost, "/api/users", map[string]any{"name": "s", "role": "user", "is_service_user": true, "auto_groups": []string{}})
	a.token = a.ask("token of a service user", http.MethodPost, "/api/users/"+id+"/tokens", map[string]any{"name": "x", "expires_in": 1})
	a.ask("current user of a service user", http.MethodGet, "/api/users/current", nil)
	a.ask("connectors of a service user", http.MethodGet, "/api/identity-providers", nil)
	a.ask("connector of a service user", http.MethodPost, "/api/identity-providers",
		map[string]string{"type": "oidc", "name": "n", "issuer": a.issuers.url + "/good/", "client_id": "c"})
	a.ask("accounts of a service user", http.MethodGet, "/api/accounts", nil)
}

// ask makes one call, notes the answer, and returns what the next call may
// need: the plain token, or the id, of the answer or of its first element.
func (a *asking) ask(name, method, path string, body any) string {
	a.t.Helper()
	answer, err := web.Call(a.t.Context(), method, a.base+path, a.token, body)
	if err != nil {
		a.t.Fatalf("%s: %s: %v", a.who, name, err)
	}
	seen := seenAnswer{Call: name, Status: answer.Status}
	var value any
	if json.Unmarshal(answer.Body, &value) != nil {
		seen.Error = a.plain(answer.Short())
	} else {
		fields := map[string]bool{}
		shape("", value, fields)
		for f := range fields {
			seen.Fields = append(seen.Fields, f)
		}
		slices.Sort(seen.Fields)
	}
	object, _ := value.(map[string]any)
	if list, ok := value.([]any); ok && len(list) > 0 {
		object, _ = list[0].(map[string]any)
	}
	if message, ok := object["message"].(string); ok {
		seen.Error = a.plain(message)
	}
	a.heard = append(a.heard, seen)
	for _, field := range []string{"plain_token", "id"} {
		if text, ok := object[field].(string); ok {
			return text
		}
	}
	return ""
}

func (a *asking) loginEnds(name string, err error) {
	a.t.Helper()
	var refused *browser.Refused
	if !errors.As(err, &refused) {
		a.t.Fatalf("%s: %s ended with %v, want a page that refuses it", a.who, name, err)
	}
	a.heard = append(a.heard, seenAnswer{Call: name, Status: refused.Status})
}

var ids = regexp.MustCompile(`[0-9a-v]{20}|[A-Za-z0-9+/_-]{40,}=*`)

// plain takes out of a text what differs between two servers.
func (a *asking) plain(text string) string {
	at, err := url.Parse(a.base)
	if err != nil {
		a.t.Fatal(err)
	}
	return ids.ReplaceAllString(strings.ReplaceAll(text, at.Host, "NETBIRD"), "ID")
}

// shape collects the paths and types of a JSON value. null and an empty array
// count alike: whoever reads a list reads the same from both.
func shape(at string, value any, into map[string]bool) {
	switch v := value.(type) {
	case map[string]any:
		for name, inner := range v {
			shape(at+"."+name, inner, into)
		}
	case []any:
		if len(v) == 0 {
			into[at+": nothing"] = true
		}
		for _, inner := range v {
			shape(at+"[]", inner, into)
		}
	case nil:
		into[at+": nothing"] = true
	default:
		into[fmt.Sprintf("%s: %T", at, v)] = true
	}
}
