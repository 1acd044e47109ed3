package netbird

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// authRequest is a login that has begun. It outlives a restart.
type authRequest struct {
	id, clientID, connectorID string
	state, nonce, redirectURI string
	scopes                    []string
	challenge, method         string
	verifier                  string // of our own PKCE with the upstream
	hmacKey                   []byte
	who                       identity
	loggedIn, mfaDone         bool
	authTime, expiry          time.Time
}

// identity is who logged in, as a connector says.
type identity struct {
	userID, name, preferred, email string
	emailVerified                  bool
	groups                         []string
	upstreamRefresh                string
}

// displayed is an error that the person sees on a page, because it isn't safe
// to send him back to where he came from.
type displayed struct {
	status  int
	message string
}

func (e *displayed) Error() string { return e.message }

// sentBack is an error that goes back to the client with the person.
type sentBack struct{ state, redirectURI, kind, why string }

func (e *sentBack) Error() string { return e.kind + ": " + e.why }

// connectorChoices are the connectors that a person can choose from.
func (s *Server) connectorChoices() []connector {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []connector
	if local, ok := s.anyConnector(localConnector); ok {
		out = append(out, local)
	}
	for _, c := range s.st.connectors {
		out = append(out, *c)
	}
	return out
}

// authorize is where a login begins: it goes on to the one connector that there
// is or that is asked for, or shows all of them.
func (s *Server) authorize(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		s.errorPage(w, http.StatusBadRequest, "Invalid request. Please try again.")
		return
	}
	choices := s.connectorChoices()
	switch wanted := r.Form.Get("connector_id"); {
	case !knownClient(r.Form.Get("client_id")):
		s.errorPage(w, http.StatusBadRequest, "Invalid client_id provided.")
	case len(choices) == 0:
		s.errorPage(w, http.StatusBadRequest, "No connectors available for this client.")
	case wanted != "":
		r.Form.Del("connector_id")
		if !slices.ContainsFunc(choices, func(c connector) bool { return c.id == wanted }) {
			s.errorPage(w, http.StatusBadRequest, "Connector ID does not match a valid Connector")
			return
		}
		http.Redirect(w, r, s.connectorURL(wanted, r.Form), http.StatusFound)
	case len(choices) == 1:
		http.Redirect(w, r, s.connectorURL(choices[0].id, r.Form), http.StatusFound)
	default:
		s.chooser(w, r, choices)
	}
}

func (s *Server) connectorURL(id string, form url.Values) string {
	return (&url.URL{Path: s.idpPath("/auth/" + id), RawQuery: form.Encode()}).String()
}

func (s *Server) chooser(w http.ResponseWriter, r *http.Request, choices []connector) {
	req, err := s.parseAuthorization(r)
	if err != nil {
		s.refuseLogin(w, r, err)
		return
	}
	if r.Form.Get("prompt") == "none" {
		s.refuseLogin(w, r, &sentBack{req.state, req.redirectURI, "login_required", "id_token_hint does not match authenticated user"})
		return
	}
	d := pageData{Heading: "Sign in", Text: "Choose your login method"}
	for _, c := range choices {
		d.Links = append(d.Links, link{Text: "Continue with " + c.name, URL: s.connectorURL(c.id, r.Form)})
	}
	s.page(w, http.StatusOK, d)
}

// refuseLogin tells the person, or sends him back with the error.
func (s *Server) refuseLogin(w http.ResponseWriter, r *http.Request, err error) {
	if back, ok := errors.AsType[*sentBack](err); ok {
		q := url.Values{"state": {back.state}, "error": {back.kind}}
		if back.why != "" {
			q.Set("error_description", back.why)
		}
		sep := "?"
		if strings.Contains(back.redirectURI, "?") {
			sep = "&"
		}
		http.Redirect(w, r, back.redirectURI+sep+q.Encode(), http.StatusSeeOther)
		return
	}
	status, message := http.StatusInternalServerError, "Login error."
	if d, ok := errors.AsType[*displayed](err); ok {
		status, message = d.status, d.message
	}
	s.errorPage(w, status, message)
}

// parseAuthorization checks the parameters with which a login begins.
func (s *Server) parseAuthorization(r *http.Request) (*authRequest, error) {
	if err := r.ParseForm(); err != nil {
		return nil, &displayed{http.StatusBadRequest, "Failed to parse request."}
	}
	f := r.Form
	if !knownClient(f.Get("client_id")) {
		return nil, &displayed{http.StatusNotFound, "Invalid client_id."}
	}
	redirect, err := url.QueryUnescape(f.Get("redirect_uri"))
	if err != nil {
		return nil, &displayed{http.StatusBadRequest, "No redirect_uri provided."}
	}
	if !s.redirectAllowed(redirect) {
		return nil, &displayed{http.StatusBadRequest, "Unregistered redirect_uri."}
	}
	if redirect == deviceCallback {
		redirect = s.idpPath(deviceCallback)
	}
	req := &authRequest{
		clientID: f.Get("client_id"), state: f.Get("state"), nonce: f.Get("nonce"), redirectURI: redirect,
		scopes: strings.Fields(f.Get("scope")), challenge: f.Get("code_challenge"), method: f.Get("code_challenge_method"),
	}
	if req.method == "" {
		req.method = "plain"
	}
	back := func(kind, why string) error { return &sentBack{req.state, redirect, kind, why} }
	if f.Get("request") != "" {
		return nil, back("request_not_supported", "Server does not support request parameter.")
	}
	if req.challenge != "" && req.method != "plain" && req.method != "S256" {
		return nil, back("invalid_request", "Unsupported PKCE challenge method ("+strconv.Quote(req.method)+").")
	}
	if err := checkScopes(req.scopes, back); err != nil {
		return nil, err
	}
	types := strings.Fields(f.Get("response_type"))
	if len(types) == 0 {
		return nil, back("invalid_request", "No response_type provided")
	}
	for _, t := range types {
		switch t {
		case "code":
		case "token", "id_token":
			return nil, back("unsupported_response_type", "Unsupported response type "+strconv.Quote(t))
		default:
			return nil, back("invalid_request", "Invalid response type "+strconv.Quote(t))
		}
	}
	if why := badPrompt(f.Get("prompt")); why != "" {
		return nil, back("invalid_request", "Invalid prompt parameter: "+why)
	}
	if age := f.Get("max_age"); age != "" {
		if n, err := strconv.Atoi(age); err != nil || n < 0 {
			return nil, back("invalid_request", "Invalid max_age value "+strconv.Quote(age))
		}
	}
	if hint := f.Get("id_token_hint"); hint != "" {
		if _, err := s.ownToken(hint); err != nil {
			return nil, back("invalid_request", "Invalid id_token_hint.")
		}
	}
	return req, nil
}

func badPrompt(prompt string) string {
	words := strings.Fields(prompt)
	for _, w := range words {
		if !slices.Contains([]string{"none", "login", "consent", "select_account"}, w) {
			return "invalid prompt value " + strconv.Quote(w)
		}
	}
	if slices.Contains(words, "none") && slices.ContainsFunc(words, func(w string) bool { return w != "none" }) {
		return "prompt=none must not be combined with other values"
	}
	return ""
}

func checkScopes(scopes []string, back func(kind, why string) error) error {
	known := []string{"openid", "offline_access", "email", "profile", "groups", "federated:id"}
	if !slices.Contains(scopes, "openid") {
		return back("invalid_scope", `Missing required scope(s) ["openid"].`)
	}
	var unknown []string
	for _, x := range scopes {
		if !slices.Contains(known, x) {
			unknown = append(unknown, strconv.Quote(x))
		}
	}
	if len(unknown) > 0 {
		return back("invalid_scope", "Unrecognized scope(s) ["+strings.Join(unknown, " ")+"]")
	}
	return nil
}

// connectorLogin begins a login with one connector. It opens the connector, and
// from then on a change of it has no effect until a restart.
func (s *Server) connectorLogin(w http.ResponseWriter, r *http.Request, id string) {
	req, err := s.parseAuthorization(r)
	if err != nil {
		s.refuseLogin(w, r, err)
		return
	}
	conn, err := s.connector(r.Context(), id)
	if err != nil {
		s.errorPage(w, http.StatusBadRequest, "Connector failed to initialize")
		return
	}
	s.mu.Lock()
	req.id, req.connectorID, req.expiry = secureID(s.rand, 16), id, s.now().Add(24*time.Hour)
	req.hmacKey = random(s.rand, 32)
	s.st.requests[req.id] = req
	others := len(s.opened) > 1
	s.mu.Unlock()

	if r.Form.Get("prompt") == "none" {
		s.refuseLogin(w, r, &sentBack{req.state, req.redirectURI, "login_required", "User not authenticated"})
		return
	}
	switch {
	case r.Method != http.MethodGet:
		s.errorPage(w, http.StatusBadRequest, "Unsupported request method.")
	case id == localConnector:
		back := ""
		if others {
			r.Form.Set("prompt", "select_account")
			back = (&url.URL{Path: s.idpPath("/auth"), RawQuery: r.Form.Encode()}).String()
		}
		q := url.Values{"state": {req.id}, "back": {back}}
		http.Redirect(w, r, s.idpPath("/auth/local/login")+"?"+q.Encode(), http.StatusFound)
	default:
		target, err := s.upstreamURL(conn, req)
		if err != nil {
			s.errorPage(w, http.StatusInternalServerError, "Login error.")
			return
		}
		http.Redirect(w, r, target, http.StatusFound)
	}
}

// begun finds a login that has begun.
func (s *Server) begun(id string) (*authRequest, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	req, ok := s.st.requests[id]
	return req, ok
}

func (s *Server) passwordLogin(w http.ResponseWriter, r *http.Request, connectorID string) {
	q := r.URL.Query()
	if q.Get("state") == "" {
		s.errorPage(w, http.StatusBadRequest, "User session error.")
		return
	}
	req, ok := s.begun(q.Get("state"))
	switch {
	case !ok:
		s.errorPage(w, http.StatusBadRequest, "Requested resource does not exist.")
		return
	case connectorID != req.connectorID || connectorID != localConnector:
		s.errorPage(w, http.StatusInternalServerError, "Requested resource does not exist.")
		return
	}
	if _, err := s.connector(r.Context(), connectorID); err != nil {
		s.errorPage(w, http.StatusInternalServerError, "Connector failed to initialize.")
		return
	}
	switch r.Method {
	case http.MethodGet:
		s.passwordPage(w, r, http.StatusOK, "")
	case http.MethodPost:
		who, ok := s.checkPassword(r.FormValue("login"), r.FormValue("password"))
		if !ok {
			s.passwordPage(w, r, http.StatusUnauthorized, r.FormValue("login"))
			return
		}
		s.finishLogin(w, r, req, who)
	default:
		s.errorPage(w, http.StatusBadRequest, "Unsupported request method.")
	}
}

func (s *Server) passwordPage(w http.ResponseWriter, r *http.Request, status int, username string) {
	d := pageData{
		Heading: "Sign in", Text: "Enter your credentials", PostURL: r.URL.String(), Button: "Sign in",
		Fields: []field{{"login", "Email Address", "text", username}, {"password", "Password", "password", ""}},
	}
	if status != http.StatusOK {
		d.Error = "Invalid Email Address or password."
	}
	if back := r.URL.Query().Get("back"); back != "" {
		d.Links = []link{{Text: "Choose another login method", URL: back}}
	}
	s.page(w, status, d)
}

func (s *Server) checkPassword(email, pass string) (identity, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.st.passwordByEmail(email)
	if p == nil || p.password != pass {
		return identity{}, false
	}
	return identity{userID: p.id, name: p.name, email: p.email, emailVerified: true}, true
}

// connectorCallback is where an upstream sends people back to.
func (s *Server) connectorCallback(w http.ResponseWriter, r *http.Request, connectorID string) {
	switch {
	case r.Method != http.MethodGet && r.Method != http.MethodPost:
		s.errorPage(w, http.StatusBadRequest, "Method not supported")
		return
	case r.Method == http.MethodPost || r.URL.Query().Get("state") == "":
		s.errorPage(w, http.StatusBadRequest, "User session error.")
		return
	}
	req, ok := s.begun(r.URL.Query().Get("state"))
	switch {
	case !ok:
		s.errorPage(w, http.StatusBadRequest, "Requested resource does not exist.")
		return
	case connectorID != "" && connectorID != req.connectorID, req.connectorID == localConnector:
		s.errorPage(w, http.StatusInternalServerError, "Requested resource does not exist.")
		return
	}
	conn, err := s.connector(r.Context(), req.connectorID)
	if err != nil {
		s.errorPage(w, http.StatusInternalServerError, "Requested resource does not exist.")
		return
	}
	who, err := s.exchange(r.Context(), conn, req.verifier, r.URL.Query())
	if err != nil {
		s.errorPage(w, http.StatusInternalServerError, "Authentication failed. Please contact your administrator or try again later.")
		return
	}
	s.finishLogin(w, r, req, who)
}

// finishLogin goes on to the second factor, if one is wanted, or back to the
// client with a code.
func (s *Server) finishLogin(w http.ResponseWriter, r *http.Request, req *authRequest, who identity) {
	s.mu.Lock()
	req.who, req.loggedIn, req.authTime = who, true, s.now()
	second := req.connectorID == localConnector && s.mfaWanted()
	req.mfaDone = !second
	s.mu.Unlock()
	if second {
		http.Redirect(w, r, s.totpURL(req), http.StatusSeeOther)
		return
	}
	s.sendCode(w, r, req)
}

// authCode is what a client turns into tokens, once.
type authCode struct {
	authRequest
	expires time.Time
}

func (s *Server) sendCode(w http.ResponseWriter, r *http.Request, req *authRequest) {
	s.mu.Lock()
	_, there := s.st.requests[req.id]
	expired := s.now().After(req.expiry)
	if !there || expired {
		s.mu.Unlock()
		message := "User session error."
		if expired {
			message = "User session has expired."
		}
		s.errorPage(w, http.StatusBadRequest, message)
		return
	}
	delete(s.st.requests, req.id)
	code := secureID(s.rand, 16)
	s.st.codes[code] = &authCode{authRequest: *req, expires: s.now().Add(30 * time.Minute)}
	s.mu.Unlock()
	u, err := url.Parse(req.redirectURI)
	if err != nil {
		s.errorPage(w, http.StatusInternalServerError, "Invalid redirect URI.")
		return
	}
	q := u.Query()
	q.Set("code", code)
	q.Set("state", req.state)
	u.RawQuery = q.Encode()
	http.Redirect(w, r, u.String(), http.StatusSeeOther)
}
