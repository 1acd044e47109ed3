package netbird

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// device is a login on a device without a browser, which a person confirms
// elsewhere. The lock guards it.
type device struct {
	userCode, code, clientID, secret string
	scopes                           []string
	challenge, method                string
	expires, asked                   time.Time
	interval                         int
	tokens                           *tokenAnswerBody
}

const deviceLife = 5 * time.Minute

func (s *Server) deviceCode(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		s.errorPage(w, http.StatusBadRequest, "Invalid device code request type")
		return
	}
	if err := r.ParseForm(); err != nil {
		tokenError(w, http.StatusNotFound, "invalid_request", "")
		return
	}
	method := r.Form.Get("code_challenge_method")
	if method == "" {
		method = "plain"
	}
	if method != "S256" && method != "plain" {
		tokenError(w, http.StatusBadRequest, "invalid_request", "Unsupported PKCE challenge method ("+strconv.Quote(method)+").")
		return
	}
	scopes := strings.Fields(r.Form.Get("scope"))
	if len(scopes) == 0 {
		scopes = []string{"openid"}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	d := &device{
		userCode: userCode(s.rand), code: secureID(s.rand, 32), clientID: r.Form.Get("client_id"), secret: r.Form.Get("client_secret"),
		scopes: scopes, challenge: r.Form.Get("code_challenge"), method: method, expires: s.now().Add(deviceLife), asked: s.now(),
	}
	s.st.devices = append(s.st.devices, d)
	where := s.idpURL("/device")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string]any{
		"device_code": d.code, "user_code": d.userCode, "verification_uri": where,
		"verification_uri_complete": where + "?" + url.Values{"user_code": {d.userCode}}.Encode(),
		"expires_in":                int(deviceLife.Seconds()), "interval": 5,
	})
}

// findDevice finds a device's login by either of its codes.
func (s *Server) findDevice(code, user string) *device {
	for _, d := range s.st.devices {
		if code != "" && d.code == code || user != "" && d.userCode == user {
			return d
		}
	}
	return nil
}

func (s *Server) deviceToken(w http.ResponseWriter, r *http.Request) {
	code := r.Form.Get("device_code")
	if code == "" {
		tokenError(w, http.StatusBadRequest, "invalid_request", "No device code received")
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	d, now := s.findDevice(code, ""), s.now()
	switch {
	case d == nil:
		tokenError(w, http.StatusBadRequest, "invalid_request", "Invalid Device code.")
	case now.After(d.expires):
		tokenError(w, http.StatusBadRequest, "expired_token", "")
	case d.tokens != nil:
		if kind, why := challenged(d.challenge, d.method, r.Form.Get("code_verifier")); kind != "" {
			tokenError(w, http.StatusBadRequest, kind, why)
			return
		}
		writeTokens(w, d.tokens)
	case now.Before(d.asked.Add(time.Duration(d.interval) * time.Second)):
		d.interval, d.asked = d.interval+5, now
		tokenError(w, http.StatusBadRequest, "slow_down", "")
	default:
		d.interval, d.asked = 5, now
		tokenError(w, http.StatusBadRequest, "authorization_pending", "")
	}
}

// deviceTokenOld is the endpoint that came before the token endpoint.
func (s *Server) deviceTokenOld(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.Method != http.MethodPost:
		s.errorPage(w, http.StatusBadRequest, "Requested resource does not exist.")
	case r.PostFormValue("grant_type") != grantDevice:
		tokenError(w, http.StatusBadRequest, "invalid_grant", "")
	default:
		s.deviceToken(w, r)
	}
}

func (s *Server) devicePage(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet {
		s.errorPage(w, http.StatusBadRequest, "Requested resource does not exist.")
		return
	}
	invalid, _ := strconv.ParseBool(r.URL.Query().Get("invalid"))
	s.deviceForm(w, r.URL.Query().Get("user_code"), invalid)
}

func (s *Server) deviceForm(w http.ResponseWriter, code string, invalid bool) {
	d := pageData{
		Heading: "Device Login", Text: "Enter the code shown on your device", PostURL: s.idpPath("/device/auth/verify_code"),
		Fields: []field{{"user_code", "Device Code", "text", code}}, Button: "Continue",
	}
	status := http.StatusOK
	if invalid {
		status, d.Error = http.StatusBadRequest, "Invalid user code."
	}
	s.page(w, status, d)
}

func (s *Server) deviceVerify(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		s.errorPage(w, http.StatusBadRequest, "Requested resource does not exist.")
		return
	}
	code := strings.ToUpper(r.FormValue("user_code"))
	if code == "" {
		s.errorPage(w, http.StatusBadRequest, "No user code received")
		return
	}
	s.mu.Lock()
	d := s.findDevice("", code)
	if d == nil || s.now().After(d.expires) {
		s.mu.Unlock()
		s.deviceForm(w, code, true)
		return
	}
	q := url.Values{
		"client_id": {d.clientID}, "client_secret": {d.secret}, "state": {d.userCode}, "response_type": {"code"},
		"redirect_uri": {s.idpPath(deviceCallback)}, "scope": {strings.Join(d.scopes, " ")},
	}
	target := s.idpURL("/auth") + "?" + q.Encode()
	s.mu.Unlock()
	http.Redirect(w, r, target, http.StatusFound)
}

// deviceDone is where a confirmed login comes back to: from here the device can
// fetch its tokens.
func (s *Server) deviceDone(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet {
		s.errorPage(w, http.StatusBadRequest, "Method not allowed.")
		return
	}
	q := r.URL.Query()
	if q.Get("state") == "" || q.Get("code") == "" {
		s.errorPage(w, http.StatusBadRequest, "Request was missing parameters")
		return
	}
	s.mu.Lock()
	now := s.now()
	c, d := s.st.codes[q.Get("code")], s.findDevice("", q.Get("state"))
	s.mu.Unlock()
	switch {
	case c == nil || now.After(c.expires):
		s.errorPage(w, http.StatusBadRequest, "Invalid or expired auth code.")
		return
	case d == nil || now.After(d.expires):
		s.errorPage(w, http.StatusBadRequest, "Invalid or expired user code.")
		return
	case !knownClient(d.clientID) || d.secret != "":
		tokenError(w, http.StatusUnauthorized, "invalid_client", "Invalid client credentials.")
		return
	}
	body, err := s.redeem(q.Get("code"), c)
	if err != nil {
		s.errorPage(w, http.StatusInternalServerError, "Failed to exchange auth code.")
		return
	}
	s.mu.Lock()
	d.tokens = body
	s.mu.Unlock()
	s.page(w, http.StatusOK, pageData{Heading: "Device Authorized", Text: "Your device has been successfully authorized. You can close this window."})
}
