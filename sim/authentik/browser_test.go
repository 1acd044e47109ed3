package authentik

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
)

const adminKey = "admin-token"

// world is a server on loopback with a linked provider "NetBird".
type world struct {
	t   *testing.T
	sim *Server
	url string
}

func newWorld(t *testing.T, version string) *world {
	t.Helper()
	return worldOf(t, Options{Version: version, Token: adminKey})
}

func worldOf(t *testing.T, o Options) *world {
	t.Helper()
	sim := New(o)
	web := httptest.NewServer(sim)
	t.Cleanup(web.Close)
	w := &world{t: t, sim: sim, url: web.URL}
	sim.AddUser(User{Username: "alice", Name: "Alice", Email: "alice@example.com", Password: "correct horse"})
	return w
}

const callback = "https://netbird.example.com/oauth2/callback"

// link makes the provider and application as authbird does, with changes.
func (w *world) link(change map[string]any) {
	w.t.Helper()
	var mappings []string
	for _, m := range w.sim.st.mappings {
		if m.Scope != "ak_proxy" && m.Scope != "entitlements" {
			mappings = append(mappings, m.PK)
		}
	}
	flowPK := func(slug string) string { return w.sim.st.flowBySlug(slug).PK }
	provider := map[string]any{
		"name": "NetBird", "client_id": "cid", "client_secret": "secret", "authorization_flow": flowPK("default-provider-authorization-explicit-consent"),
		"invalidation_flow": flowPK("default-provider-invalidation-flow"), "signing_key": w.sim.st.keys[0].PK, "property_mappings": mappings,
		"redirect_uris": []any{map[string]any{"matching_mode": "strict", "url": callback}},
		"grant_types":   []string{grantCode, grantRefresh, grantDevice, grantClient, grantPassword},
	}
	for k, v := range change {
		provider[k] = v
	}
	w.admin("PUT", "/api/v3/core/transactional/applications/", map[string]any{
		"app": map[string]any{"name": "NetBird", "slug": "netbird"}, "provider_model": providerModel, "provider": provider}, nil)
}

func (w *world) admin(method, path string, body, out any) {
	w.t.Helper()
	if err := w.sim.Request(method, path, body, out); err != nil {
		w.t.Fatal(err)
	}
}

// get sends one request with a bearer token and decodes the answer.
func (w *world) call(method, path, token string, body io.Reader, out any) *http.Response {
	w.t.Helper()
	req, err := http.NewRequest(method, w.url+path, body)
	if err != nil {
		w.t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := (&http.Client{CheckRedirect: stay}).Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	w.decode(resp, out)
	return resp
}

func (w *world) form(path string, form url.Values, out any) *http.Response {
	w.t.Helper()
	resp, err := http.PostForm(w.url+path, form)
	if err != nil {
		w.t.Fatal(err)
	}
	w.decode(resp, out)
	return resp
}

func (w *world) decode(resp *http.Response, out any) {
	w.t.Helper()
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	if out != nil {
		if err := json.Unmarshal(b, out); err != nil {
			w.t.Fatalf("%s: %v in %.200s", resp.Request.URL, err, b)
		}
	}
}

func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// browser is a person's browser: cookies, redirects followed by hand, forms.
type browser struct {
	w      *world
	client *http.Client
	at     *url.URL
	status int
	page   string
}

func (w *world) browser() *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return &browser{w: w, client: &http.Client{Jar: jar, CheckRedirect: stay}}
}

// open follows redirects until there is a page, or a place elsewhere.
func (b *browser) open(to string) {
	b.w.t.Helper()
	req, err := http.NewRequest("GET", to, nil)
	if err != nil {
		b.w.t.Fatal(err)
	}
	b.follow(req)
}

func (b *browser) follow(req *http.Request) {
	b.w.t.Helper()
	for range 10 {
		b.at = req.URL
		if !strings.HasPrefix(req.URL.String(), b.w.url) {
			b.status, b.page = 0, ""
			return
		}
		resp, err := b.client.Do(req)
		if err != nil {
			b.w.t.Fatal(err)
		}
		raw, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil {
			b.w.t.Fatal(err)
		}
		b.status, b.page = resp.StatusCode, string(raw)
		to, err := resp.Location()
		if err != nil {
			return
		}
		if req, err = http.NewRequest("GET", to.String(), nil); err != nil {
			b.w.t.Fatal(err)
		}
	}
	b.w.t.Fatalf("too many redirects, last at %s", b.at)
}

var hiddenField = regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)">`)

// submit fills in the form of the page.
func (b *browser) submit(fields map[string]string) {
	b.w.t.Helper()
	form := url.Values{}
	for _, m := range hiddenField.FindAllStringSubmatch(b.page, -1) {
		form.Set(m[1], m[2])
	}
	for k, v := range fields {
		form.Set(k, v)
	}
	req, err := http.NewRequest("POST", b.at.String(), strings.NewReader(form.Encode()))
	if err != nil {
		b.w.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	b.follow(req)
}

func (b *browser) login() {
	b.w.t.Helper()
	b.submit(map[string]string{"uid_field": "alice", "password": "correct horse"})
}

func authorizeURL(base string, more url.Values) string {
	q := url.Values{"client_id": {"cid"}, "response_type": {"code"}, "scope": {"openid email profile"}, "redirect_uri": {callback}, "state": {"st"}}
	for k, v := range more {
		q[k] = v
	}
	return base + "/application/o/authorize/?" + q.Encode()
}

// code takes a person from the authorize endpoint back to the client.
func (b *browser) code(more url.Values) string {
	b.w.t.Helper()
	b.open(authorizeURL(b.w.url, more))
	b.login()
	if b.status != 0 {
		b.submit(nil)
	}
	code := b.at.Query().Get("code")
	if !strings.HasPrefix(b.at.String(), callback) || code == "" {
		b.w.t.Fatalf("ended at %s: %s", b.at, b.page)
	}
	return code
}

type tokens struct {
	Access  string  `json:"access_token"`
	ID      string  `json:"id_token"`
	Refresh string  `json:"refresh_token"`
	Scope   *string `json:"scope"`
	Expires int     `json:"expires_in"`
	Error   string  `json:"error"`
}

func (w *world) token(form url.Values) tokens {
	w.t.Helper()
	var out tokens
	w.form("/application/o/token/", form, &out)
	return out
}

func codeForm(code string) url.Values {
	return url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {callback}, "client_id": {"cid"}, "client_secret": {"secret"}}
}

// clock is a time that a test moves.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

func escape(path string) string { return strings.ReplaceAll(path, " ", "%20") }
