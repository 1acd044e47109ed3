package netbird

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

const totpAuthenticator = "default-totp"

// mfaWanted says whether local logins need a second factor. The setting is one
// account's, the switch is the server's: the last account that turned it counts,
// and there usually is one account.
func (s *Server) mfaWanted() bool {
	for _, a := range s.st.accounts {
		if s.ver().knowsMFA() && *a.settings.LocalMfaEnabled {
			return true
		}
	}
	return false
}

func (req *authRequest) mac(authenticator string) string {
	h := hmac.New(sha256.New, req.hmacKey)
	fmt.Fprintf(h, "%s%s", req.id, authenticator)
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

func (s *Server) totpURL(req *authRequest) string {
	q := url.Values{"req": {req.id}, "hmac": {req.mac(totpAuthenticator)}, "authenticator": {totpAuthenticator}}
	return s.idpPath("/mfa/totp") + "?" + q.Encode()
}

// totpPage asks for a one-time code; the first time it shows the secret too.
func (s *Server) totpPage(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	req, ok := s.begun(q.Get("req"))
	switch {
	case q.Get("hmac") == "":
		s.errorPage(w, http.StatusUnauthorized, "Unauthorized request.")
		return
	case !ok:
		s.errorPage(w, http.StatusInternalServerError, "Database error.")
		return
	case !req.loggedIn:
		s.errorPage(w, http.StatusInternalServerError, "Login process not yet finalized.")
		return
	case !hmac.Equal([]byte(q.Get("hmac")), []byte(req.mac(q.Get("authenticator")))):
		s.errorPage(w, http.StatusUnauthorized, "Unauthorized request.")
		return
	case q.Get("authenticator") != totpAuthenticator:
		s.errorPage(w, http.StatusBadRequest, "Unknown authenticator.")
		return
	}
	s.mu.Lock()
	secret, enrolled := s.st.totp[req.who.userID]
	if !enrolled {
		secret = base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(random(s.rand, 20))
		s.st.totp[req.who.userID] = secret
	}
	now := s.now()
	s.mu.Unlock()
	d := pageData{
		Heading: "Two-factor authentication", Text: "Enter the code from your authenticator app.", PostURL: r.URL.String(),
		Fields: []field{{"totp", "One-time code", "text", ""}}, Button: "Verify",
	}
	if !enrolled {
		d.Text = "Add this secret to your authenticator app, then enter the code: " + secret
	}
	if r.Method == http.MethodPost {
		if validTOTP(secret, r.FormValue("totp"), now) {
			s.mu.Lock()
			req.mfaDone = true
			s.mu.Unlock()
			back := url.Values{"req": {req.id}, "hmac": {req.mac("")}}
			http.Redirect(w, r, s.idpPath("/approval")+"?"+back.Encode(), http.StatusSeeOther)
			return
		}
		d.Error = "Invalid code. Please try again."
	}
	s.page(w, http.StatusOK, d)
}

// approval is passed on the way back from the second factor. Nothing is asked.
func (s *Server) approval(w http.ResponseWriter, r *http.Request) {
	req, ok := s.begun(r.FormValue("req"))
	switch {
	case r.FormValue("hmac") == "":
		s.errorPage(w, http.StatusUnauthorized, "Unauthorized request")
	case !ok:
		s.errorPage(w, http.StatusBadRequest, "User session error.")
	case !req.loggedIn:
		s.errorPage(w, http.StatusInternalServerError, "Login process not yet finalized.")
	case !req.mfaDone:
		http.Redirect(w, r, s.totpURL(req), http.StatusSeeOther)
	case !hmac.Equal([]byte(r.FormValue("hmac")), []byte(req.mac(""))):
		s.errorPage(w, http.StatusUnauthorized, "Unauthorized request")
	default:
		s.sendCode(w, r, req)
	}
}

// validTOTP checks a code of RFC 6238, one step to either side allowed.
func validTOTP(secret, code string, now time.Time) bool {
	key, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(secret)
	if err != nil {
		return false
	}
	for step := int64(-1); step <= 1; step++ {
		h := hmac.New(sha1.New, key)
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(now.Unix()/30+step)))
		sum := h.Sum(nil)
		at := sum[len(sum)-1] & 15
		n := binary.BigEndian.Uint32(sum[at:]) & 0x7fffffff
		if fmt.Sprintf("%06d", n%1000000) == code {
			return true
		}
	}
	return false
}
