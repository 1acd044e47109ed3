package netbird

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"math/big"
	"net/http"
	"net/url"
	"path"
	"strings"
)

// The clients of the embedded identity provider. Both are public.
const (
	clientDashboard = "netbird-dashboard"
	clientCLI       = "netbird-cli"
	cliRedirect     = "http://localhost:53000/"
	deviceCallback  = "/device/callback"
)

// serveIdP routes to the embedded identity provider. Its paths are its issuer's,
// so with an issuer elsewhere than /oauth2 nothing is found here.
func (s *Server) serveIdP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	on, base := s.opt().embedded(), s.idpPath("")
	s.mu.Unlock()
	rest, under := strings.CutPrefix(r.URL.Path, base+"/")
	if !on || !under {
		notFound(w)
		return
	}
	switch parts := strings.Split(rest, "/"); {
	case rest == ".well-known/openid-configuration":
		s.discovery(w)
	case rest == "device":
		s.devicePage(w, r)
	case rest == "logout":
		s.logout(w, r)
	default:
		s.idpStorage(r.Context())
		s.serveStored(w, r, parts)
	}
}

// serveStored routes to the parts of the identity provider that need its
// storage, and so hang when that is blocked.
func (s *Server) serveStored(w http.ResponseWriter, r *http.Request, parts []string) {
	switch rest := strings.Join(parts, "/"); {
	case rest == "keys":
		s.serveKeys(w)
	case rest == "auth":
		s.authorize(w, r)
	case len(parts) == 2 && parts[0] == "auth" && parts[1] != "":
		s.connectorLogin(w, r, parts[1])
	case len(parts) == 3 && parts[0] == "auth" && parts[2] == "login":
		s.passwordLogin(w, r, parts[1])
	case rest == "callback":
		s.connectorCallback(w, r, "")
	case len(parts) == 2 && parts[0] == "callback":
		s.connectorCallback(w, r, parts[1])
	case rest == "approval":
		s.approval(w, r)
	case rest == "mfa/totp":
		s.totpPage(w, r)
	case rest == "token":
		s.tokenEndpoint(w, r)
	case rest == "userinfo":
		s.userInfo(w, r)
	case rest == "device/code":
		s.deviceCode(w, r)
	case rest == "device/auth/verify_code":
		s.deviceVerify(w, r)
	case "/"+rest == deviceCallback:
		s.deviceDone(w, r)
	default:
		notFound(w)
	}
}

// idpPath is a path of the identity provider: its issuer's, and what follows.
func (s *Server) idpPath(rest string) string {
	u, err := url.Parse(s.opt().issuer())
	if err != nil {
		return rest
	}
	return strings.TrimSuffix(path.Join("/", u.Path, rest), "/")
}

// idpURL is idpPath with scheme and host.
func (s *Server) idpURL(rest string) string {
	u, err := url.Parse(s.opt().issuer())
	if err != nil {
		return s.opt().issuer() + rest
	}
	u.Path = path.Join("/", u.Path, rest)
	return u.String()
}

// redirectURI is what every connector sends people back to.
func (s *Server) redirectURI() string {
	issuer := strings.TrimSuffix(s.opt().issuer(), "/")
	if !strings.HasSuffix(issuer, "/oauth2") {
		issuer += "/oauth2"
	}
	return issuer + "/callback"
}

// redirectAllowed says whether both clients may be sent back to a URI. The
// comparison is exact.
func (s *Server) redirectAllowed(uri string) bool {
	base := s.opt().BaseURL
	switch uri {
	case cliRedirect, deviceCallback, s.idpPath(deviceCallback), s.idpURL(deviceCallback),
		base + "/nb-auth", base + "/nb-silent-auth", base + "/api/reverse-proxy/callback":
		return true
	}
	return false
}

func knownClient(id string) bool { return id == clientCLI || id == clientDashboard }

func (s *Server) discovery(w http.ResponseWriter) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string]any{
		"issuer":                                s.opt().issuer(),
		"authorization_endpoint":                s.idpURL("/auth"),
		"token_endpoint":                        s.idpURL("/token"),
		"jwks_uri":                              s.idpURL("/keys"),
		"userinfo_endpoint":                     s.idpURL("/userinfo"),
		"device_authorization_endpoint":         s.idpURL("/device/code"),
		"introspection_endpoint":                s.idpURL("/token/introspect"),
		"end_session_endpoint":                  s.idpURL("/logout"),
		"grant_types_supported":                 grantTypes(),
		"response_types_supported":              []string{"code"},
		"subject_types_supported":               []string{"public"},
		"id_token_signing_alg_values_supported": []string{"RS256"},
		"code_challenge_methods_supported":      []string{"S256", "plain"},
		"scopes_supported":                      []string{"openid", "email", "groups", "profile", "offline_access"},
		"token_endpoint_auth_methods_supported": []string{"client_secret_basic", "client_secret_post"},
		"claims_supported":                      []string{"iss", "sub", "aud", "iat", "exp", "email", "email_verified", "locale", "name", "preferred_username", "at_hash"},
	})
}

func grantTypes() []string {
	return []string{
		"authorization_code", "client_credentials", "refresh_token", grantDevice,
		"urn:ietf:params:oauth:grant-type:token-exchange",
	}
}

func (s *Server) serveKeys(w http.ResponseWriter) {
	key, kid := s.signingKey()
	e := binary.BigEndian.AppendUint32(nil, uint32(key.E))
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string]any{"keys": []map[string]string{{
		"use": "sig", "kty": "RSA", "kid": kid, "alg": "RS256",
		"n": base64.RawURLEncoding.EncodeToString(key.N.Bytes()),
		"e": base64.RawURLEncoding.EncodeToString(new(big.Int).SetBytes(e).Bytes()),
	}}})
}

// logout ends nothing, because the simulator keeps no sessions; it only sends
// people on as the server does.
func (s *Server) logout(w http.ResponseWriter, r *http.Request) {
	target := r.FormValue("post_logout_redirect_uri")
	switch {
	case r.FormValue("id_token_hint") == "":
		http.Redirect(w, r, "/", http.StatusSeeOther)
	case target == "":
		s.page(w, http.StatusOK, pageData{Heading: "Logged out", Text: "You have been logged out."})
	case strings.TrimSuffix(target, "/") != s.opt().BaseURL:
		s.errorPage(w, http.StatusBadRequest, "Unregistered post_logout_redirect_uri.")
	default:
		http.Redirect(w, r, target, http.StatusSeeOther)
	}
}

func (s *Server) userInfo(w http.ResponseWriter, r *http.Request) {
	header := r.Header.Get("Authorization")
	if len(header) < 7 || !strings.EqualFold(header[:7], "Bearer ") {
		w.Header().Set("WWW-Authenticate", "Bearer")
		tokenError(w, http.StatusUnauthorized, "access_denied", "Invalid bearer token.")
		return
	}
	all, err := s.verifyJWT(r.Context(), header[7:])
	if err != nil {
		tokenError(w, http.StatusForbidden, "access_denied", "Invalid bearer token.")
		return
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(all)
}
