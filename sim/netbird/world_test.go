package netbird

import (
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

const (
	ownerToken = "nbp_ownerownerownerownerownerowner12345"
	ownerMail  = "owner@example.com"
	ownerPass  = "0wner-pass-word"
)

// world is a simulated server on loopback with a seeded owner and a clock that
// stands still.
type world struct {
	t   *testing.T
	s   *Server
	url string
	now time.Time
}

func newWorld(t *testing.T, change func(*Options)) *world {
	t.Helper()
	w := &world{t: t, now: time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)}
	front := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { w.s.ServeHTTP(rw, r) }))
	t.Cleanup(front.Close)
	t.Cleanup(front.CloseClientConnections)
	w.url = front.URL
	o := Options{
		BaseURL: front.URL, OwnerEmail: ownerMail, OwnerPassword: ownerPass, OwnerToken: ownerToken,
		Now: func() time.Time { return w.now }, Rand: rand.NewChaCha8([32]byte{1}),
	}
	if change != nil {
		change(&o)
	}
	w.s = New(o)
	return w
}

// response is an answer that was read.
type response struct {
	status   int
	header   http.Header
	body     string
	location *url.URL
}

func (r response) message() string {
	var e errorBody
	if json.Unmarshal([]byte(r.body), &e) != nil {
		return r.body
	}
	return e.Message
}

func (r response) json(t *testing.T, into any) {
	t.Helper()
	if r.status != http.StatusOK {
		t.Fatalf("status %d: %s", r.status, r.body)
	}
	if err := json.Unmarshal([]byte(r.body), into); err != nil {
		t.Fatalf("%v: %s", err, r.body)
	}
}

func (w *world) send(method, where, token, body string) response {
	w.t.Helper()
	got, err := w.try(method, where, token, body)
	if err != nil {
		w.t.Fatal(err)
	}
	return got
}

// try sends a request; a body that is no JSON is a form.
func (w *world) try(method, where, token, body string) (response, error) {
	if strings.HasPrefix(where, "/") {
		where = w.url + where
	}
	req, err := http.NewRequestWithContext(w.t.Context(), method, where, strings.NewReader(body))
	if err != nil {
		return response{}, err
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	if body != "" && !strings.HasPrefix(body, "{") {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
	if err != nil {
		return response{}, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return response{}, err
	}
	location, _ := resp.Location()
	return response{resp.StatusCode, resp.Header, string(b), location}, nil
}

// loginURL is where a login by the command line's client begins.
func (w *world) loginURL(scope string) string {
	q := url.Values{
		"client_id": {clientCLI}, "redirect_uri": {cliRedirect}, "response_type": {"code"}, "scope": {scope},
		"state": {"s"}, "code_challenge": {challengeOf("verifier")}, "code_challenge_method": {"S256"}, "connector_id": {localConnector},
	}
	return "/oauth2/auth?" + q.Encode()
}

// passwordForm follows a local login up to the form, and returns its URL.
func (w *world) passwordForm(scope string) string {
	w.t.Helper()
	where := w.loginURL(scope)
	for range 2 {
		got := w.send("GET", where, "", "")
		if got.location == nil {
			w.t.Fatalf("%s answered %d: %s", where, got.status, got.body)
		}
		where = got.location.String()
	}
	return where
}

func (w *world) redeem(back *url.URL) tokenAnswerBody {
	w.t.Helper()
	form := url.Values{
		"grant_type": {"authorization_code"}, "code": {back.Query().Get("code")}, "redirect_uri": {cliRedirect},
		"client_id": {clientCLI}, "code_verifier": {"verifier"},
	}
	var out tokenAnswerBody
	w.send("POST", "/oauth2/token", "", form.Encode()).json(w.t, &out)
	return out
}

// ownerLogin is the owner's local login.
func (w *world) ownerLogin(scope string) tokenAnswerBody {
	w.t.Helper()
	form := url.Values{"login": {ownerMail}, "password": {ownerPass}}
	got := w.send("POST", w.passwordForm(scope), "", form.Encode())
	if got.location == nil {
		w.t.Fatalf("the password was answered %d: %s", got.status, got.body)
	}
	return w.redeem(got.location)
}
