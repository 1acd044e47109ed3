package netbird

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

const grantDevice = "urn:ietf:params:oauth:grant-type:device_code"

// refreshToken is a refresh token as stored.
type refreshToken struct {
	id, secret, clientID, connectorID, nonce string
	scopes                                   []string
	who                                      identity
	authTime                                 time.Time
}

// tokenAnswerBody is what the token endpoint gives out.
type tokenAnswerBody struct {
	AccessToken  string `json:"access_token"`
	TokenType    string `json:"token_type"`
	ExpiresIn    int    `json:"expires_in"`
	RefreshToken string `json:"refresh_token,omitempty"`
	IDToken      string `json:"id_token"`
}

func tokenError(w http.ResponseWriter, status int, kind, why string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(struct {
		Error string `json:"error"`
		Why   string `json:"error_description,omitempty"`
	}{kind, why})
}

func writeTokens(w http.ResponseWriter, body *tokenAnswerBody) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	json.NewEncoder(w).Encode(body)
}

func (s *Server) tokenEndpoint(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		tokenError(w, http.StatusBadRequest, "invalid_request", "method not allowed")
		return
	}
	if err := r.ParseForm(); err != nil {
		tokenError(w, http.StatusBadRequest, "invalid_request", "")
		return
	}
	grant := r.PostFormValue("grant_type")
	if !slices.Contains(grantTypes(), grant) {
		tokenError(w, http.StatusBadRequest, "unsupported_grant_type", "")
		return
	}
	if grant == grantDevice {
		s.deviceToken(w, r)
		return
	}
	clientID, secret, basic := r.BasicAuth()
	if !basic {
		clientID, secret = r.PostFormValue("client_id"), r.PostFormValue("client_secret")
	}
	if !knownClient(clientID) || secret != "" {
		tokenError(w, http.StatusUnauthorized, "invalid_client", "Invalid client credentials.")
		return
	}
	switch grant {
	case "authorization_code":
		s.codeGrant(w, r, clientID)
	case "refresh_token":
		s.refreshGrant(w, r, clientID)
	case "client_credentials":
		tokenError(w, http.StatusBadRequest, "unauthorized_client", "Public clients cannot use client_credentials grant.")
	default:
		exchangeGrant(w, r)
	}
}

// exchangeGrant refuses every exchange of an upstream's token: nothing of ours
// asks for one.
func exchangeGrant(w http.ResponseWriter, r *http.Request) {
	switch kind := r.Form.Get("subject_token_type"); {
	case kind != "urn:ietf:params:oauth:token-type:id_token" && kind != "urn:ietf:params:oauth:token-type:access_token":
		tokenError(w, http.StatusBadRequest, "request_not_supported", "Invalid subject_token_type.")
	case r.Form.Get("subject_token") == "":
		tokenError(w, http.StatusBadRequest, "invalid_request", "Missing subject_token")
	default:
		tokenError(w, http.StatusUnauthorized, "access_denied", "")
	}
}

// challengeOf is the S256 challenge to a PKCE verifier.
func challengeOf(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// challenged checks a PKCE verifier; it returns the error to answer, if any.
func challenged(challenge, method, verifier string) (kind, why string) {
	if method == "S256" && verifier != "" {
		verifier = challengeOf(verifier)
	}
	switch {
	case verifier != "" && challenge != "" && verifier != challenge:
		return "invalid_grant", "Invalid code_verifier."
	case verifier != "" && challenge == "":
		return "invalid_request", "No PKCE flow started. Cannot check code_verifier."
	case verifier == "" && challenge != "":
		return "invalid_grant", "Expecting parameter code_verifier in PKCE flow."
	}
	return "", ""
}

func (s *Server) codeGrant(w http.ResponseWriter, r *http.Request, clientID string) {
	code := r.PostFormValue("code")
	if code == "" {
		tokenError(w, http.StatusBadRequest, "invalid_request", "Required param: code.")
		return
	}
	s.mu.Lock()
	c := s.st.codes[code]
	now := s.now()
	s.mu.Unlock()
	switch {
	case c == nil:
		tokenError(w, http.StatusBadRequest, "invalid_grant", "Invalid or expired code parameter.")
		return
	case now.After(c.expires) || c.clientID != clientID:
		tokenError(w, http.StatusInternalServerError, "server_error", "")
		return
	}
	if kind, why := challenged(c.challenge, c.method, r.PostFormValue("code_verifier")); kind != "" {
		tokenError(w, http.StatusBadRequest, kind, why)
		return
	}
	if c.redirectURI != r.PostFormValue("redirect_uri") {
		tokenError(w, http.StatusBadRequest, "invalid_request", "redirect_uri did not match URI from initial request.")
		return
	}
	body, err := s.redeem(code, c)
	if err != nil {
		tokenError(w, http.StatusInternalServerError, "server_error", "")
		return
	}
	writeTokens(w, body)
}

// redeem turns a code into tokens. A code works once.
func (s *Server) redeem(code string, c *authCode) (*tokenAnswerBody, error) {
	s.mu.Lock()
	if s.st.codes[code] == nil {
		s.mu.Unlock()
		return nil, fmt.Errorf("code %s was used", code)
	}
	delete(s.st.codes, code)
	s.mu.Unlock()
	body, err := s.makeTokens(&c.authRequest, code)
	if err != nil {
		return nil, err
	}
	if slices.Contains(c.scopes, "offline_access") {
		body.RefreshToken = s.makeRefresh(&c.authRequest)
	}
	return body, nil
}

// makeTokens signs an access token and an id token for who logged in.
func (s *Server) makeTokens(req *authRequest, code string) (*tokenAnswerBody, error) {
	s.mu.Lock()
	now := s.now()
	tok := idToken{
		Issuer: s.opt().issuer(), Subject: subject(req.who.userID, req.connectorID), Audience: req.clientID,
		Expiry: now.Add(tokenLife).Unix(), IssuedAt: now.Unix(), ID: newUUID(s.rand), Nonce: req.nonce,
		AccessTokenHash: halfHash(secureID(s.rand, 16)),
	}
	second := newUUID(s.rand)
	s.mu.Unlock()
	if !req.authTime.IsZero() {
		tok.AuthTime = req.authTime.Unix()
	}
	for _, scope := range req.scopes {
		switch scope {
		case "email":
			tok.Email, tok.EmailVerified = req.who.email, &req.who.emailVerified
		case "groups":
			tok.Groups = req.who.groups
		case "profile":
			tok.Name, tok.PreferredUsername = req.who.name, req.who.preferred
		case "federated:id":
			tok.Federated = &federatedClaims{ConnectorID: req.connectorID, UserID: req.who.userID}
		}
	}
	access, err := s.sign(tok)
	if err != nil {
		return nil, err
	}
	tok.ID, tok.AccessTokenHash = second, halfHash(access)
	if code != "" {
		tok.CodeHash = halfHash(code)
	}
	id, err := s.sign(tok)
	if err != nil {
		return nil, err
	}
	return &tokenAnswerBody{AccessToken: access, TokenType: "bearer", ExpiresIn: int(tokenLife.Seconds()) - 1, IDToken: id}, nil
}

// makeRefresh gives out a refresh token. Of one user there is one for each
// client: an older one counts no more.
func (s *Server) makeRefresh(req *authRequest) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := &refreshToken{
		id: secureID(s.rand, 16), secret: secureID(s.rand, 16), clientID: req.clientID, connectorID: req.connectorID,
		nonce: req.nonce, scopes: req.scopes, who: req.who, authTime: req.authTime,
	}
	session := strings.Join([]string{req.who.userID, req.connectorID, req.clientID}, "\x00")
	delete(s.st.refresh, s.st.offline[session])
	s.st.offline[session] = t.id
	s.st.refresh[t.id] = t
	return base64.RawURLEncoding.EncodeToString(pair(t.id, t.secret))
}

// refreshGrant renews tokens. For a local user on sqlite it blocks the whole
// storage of the identity provider, and itself with it.
func (s *Server) refreshGrant(w http.ResponseWriter, r *http.Request, clientID string) {
	given := r.PostFormValue("refresh_token")
	if given == "" {
		tokenError(w, http.StatusBadRequest, "invalid_request", "No refresh token is found in request.")
		return
	}
	id, secret := parseRefresh(given)
	s.mu.Lock()
	t := s.st.refresh[id]
	hangs := t != nil && t.connectorID == localConnector && !s.opt().PostgresIdP
	const claimed = "Refresh token is invalid or has already been claimed by another client."
	switch {
	case t == nil || t.secret != secret && t.clientID == clientID:
		s.mu.Unlock()
		tokenError(w, http.StatusBadRequest, "invalid_request", claimed)
		return
	case t.clientID != clientID:
		s.mu.Unlock()
		tokenError(w, http.StatusBadRequest, "invalid_grant", claimed)
		return
	}
	who := t.who
	s.mu.Unlock()
	conn, err := s.connector(r.Context(), t.connectorID)
	if err != nil {
		tokenError(w, http.StatusInternalServerError, "invalid_request", "")
		return
	}
	if hangs {
		s.HangIdP()
		s.idpStorage(r.Context())
	}
	if t.connectorID != localConnector {
		if who, err = s.renew(r.Context(), conn, who); err != nil {
			tokenError(w, http.StatusInternalServerError, "invalid_request", "")
			return
		}
	}
	s.mu.Lock()
	t.who, t.secret = who, secureID(s.rand, 16)
	req := &authRequest{
		clientID: t.clientID, connectorID: t.connectorID, nonce: t.nonce, scopes: t.scopes, who: who, authTime: t.authTime,
	}
	again := base64.RawURLEncoding.EncodeToString(pair(t.id, t.secret))
	s.mu.Unlock()
	body, err := s.makeTokens(req, "")
	if err != nil {
		tokenError(w, http.StatusInternalServerError, "server_error", "")
		return
	}
	body.RefreshToken = again
	writeTokens(w, body)
}
