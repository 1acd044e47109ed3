package netbird

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/netbirdio/netbird/shared/management/http/api"
)

// dashLogin is a login that the dashboard began.
type dashLogin struct {
	verifier string
	began    time.Time
}

// serveDashboard is just enough of NetBird's dashboard for a person to see
// whether he gets in: a button, and what the API said after the login.
func (s *Server) serveDashboard(w http.ResponseWriter, r *http.Request) {
	switch q := r.URL.Query(); {
	case r.URL.Path == "/" && q.Has("login"):
		http.Redirect(w, r, s.beginDashLogin(), http.StatusFound)
	case r.URL.Path == "/":
		s.page(w, http.StatusOK, pageData{
			Heading: "NetBird (simulated)", Text: "This is the sandbox of authbird. Log in to see whether the connector works.",
			Links: []link{{"Log in", "/?login"}},
		})
	case q.Get("error") != "":
		s.dashTrouble(w, fmt.Errorf("%s: %s", q.Get("error"), q.Get("error_description")))
	default:
		me, message, err := s.finishDashLogin(r.Context(), q)
		if err != nil {
			s.dashTrouble(w, err)
			return
		}
		s.page(w, http.StatusOK, dashWelcome(me, message))
	}
}

func (s *Server) dashTrouble(w http.ResponseWriter, err error) {
	s.page(w, http.StatusBadGateway, pageData{Heading: "You are not logged in", Error: err.Error(), Links: []link{{"Try again", "/?login"}}})
}

// dashWelcome tells a person what NetBird makes of him.
func dashWelcome(me api.User, message string) pageData {
	again := []link{{"Back", "/"}}
	if message != "" {
		return pageData{
			Heading: "The login worked", Text: "NetBird knows who you are, but says:", Error: message,
			Links: again,
		}
	}
	return pageData{
		Heading: "You are logged in", Links: again,
		Text: fmt.Sprintf("%s <%s>, role %s, in NetBird with the id %s.", me.Name, me.Email, me.Role, me.Id),
	}
}

func (s *Server) beginDashLogin() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	for state, l := range s.pending {
		if now.Sub(l.began) > time.Hour {
			delete(s.pending, state)
		}
	}
	state, verifier := secureID(s.rand, 16), secureID(s.rand, 40)
	s.pending[state] = dashLogin{verifier: verifier, began: now}
	q := url.Values{
		"client_id": {clientDashboard}, "redirect_uri": {s.opt().BaseURL + "/nb-auth"}, "response_type": {"code"},
		"scope": {"openid profile email groups"}, "state": {state}, "nonce": {secureID(s.rand, 16)},
		"code_challenge": {challengeOf(verifier)}, "code_challenge_method": {"S256"},
	}
	return s.idpPath("/auth") + "?" + q.Encode()
}

// finishDashLogin does with the code what the dashboard does in the browser: it
// fetches the tokens, and asks the API who that is. message is the API's, if it
// refused.
func (s *Server) finishDashLogin(ctx context.Context, q url.Values) (me api.User, message string, err error) {
	s.mu.Lock()
	login, ok := s.pending[q.Get("state")]
	delete(s.pending, q.Get("state"))
	s.mu.Unlock()
	if !ok {
		return me, "", fmt.Errorf("this login was not begun here")
	}
	form := url.Values{
		"grant_type": {"authorization_code"}, "code": {q.Get("code")}, "redirect_uri": {s.opt().BaseURL + "/nb-auth"},
		"client_id": {clientDashboard}, "code_verifier": {login.verifier},
	}
	var tokens tokenAnswerBody
	status, body, err := s.ask(ctx, http.MethodPost, "/oauth2/token", "", form.Encode())
	if err != nil || status != http.StatusOK || json.Unmarshal(body, &tokens) != nil {
		return me, "", fmt.Errorf("no token: %d %s %v", status, body, err)
	}
	status, body, err = s.ask(ctx, http.MethodGet, "/api/users/current", tokens.IDToken, "")
	if err != nil {
		return me, "", err
	}
	if status == http.StatusOK {
		return me, "", json.Unmarshal(body, &me)
	}
	var refused errorBody
	if err := json.Unmarshal(body, &refused); err != nil {
		return me, "", fmt.Errorf("%d %s", status, body)
	}
	return me, refused.Message, nil
}

// ask sends the server a request of its own, without a network between.
func (s *Server) ask(ctx context.Context, method, path, bearer, form string) (int, []byte, error) {
	r, err := http.NewRequestWithContext(ctx, method, path, bytes.NewBufferString(form))
	if err != nil {
		return 0, nil, err
	}
	if bearer != "" {
		r.Header.Set("Authorization", "Bearer "+bearer)
	}
	if form != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	w := &answer{header: http.Header{}, status: http.StatusOK}
	s.serve(w, r)
	return w.status, w.body.Bytes(), nil
}

// answer is an answer kept in memory.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *answer) Header() http.Header         { return a.header }
func (a *answer) WriteHeader(status int)      { a.status = status }
func (a *answer) Write(b []byte) (int, error) { return a.body.Write(b) }
