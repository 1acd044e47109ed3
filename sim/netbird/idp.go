package netbird

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/url"
	"path"
	"strings"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
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
	if !on || !under && r.URL.Path != base {
		notFound(w)
		return
	}
	switch parts := strings.Split(rest, "/"); {
	case !under:
		s.page(w, http.StatusOK, pageData{Heading: "NetBird", Text: "An OpenID Connect provider.", Links: []link{{"Discovery", base + "/.well-known/openid-configuration"}}})
	case rest == ".well-known/openid-configuration":
		s.discovery(w)
	case rest == "robots.txt":
		io.WriteString(w, "User-agent: *\nDisallow: /\n")
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
	case rest == "token/introspect":
		s.introspect(w, r)
	case rest == "device/token":
		s.deviceTokenOld(w, r)
	case rest == "logout/callback":
		s.errorPage(w, http.StatusBadRequest, "Missing session cookie.")
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
	key, kid := signingKey()
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
	hint, target := r.FormValue("id_token_hint"), r.FormValue("post_logout_redirect_uri")
	if hint == "" {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return
	}
	c, err := s.ownToken(hint)
	base := s.opt().BaseURL
	switch {
	case err != nil:
		s.errorPage(w, http.StatusBadRequest, "Invalid id_token_hint.")
	case target != "" && (c.text("aud") != clientDashboard || target != base && target != base+"/"):
		s.errorPage(w, http.StatusBadRequest, "Unregistered post_logout_redirect_uri.")
	default:
		d := pageData{Heading: "Logged out", Text: "You have been logged out."}
		if target != "" {
			d.Links = []link{{"Back to the application", target}}
		}
		s.page(w, http.StatusOK, d)
	}
}

// ownToken reads a token that was signed here, whether it has expired or not.
func (s *Server) ownToken(raw string) (claims, error) {
	tok, err := jwt.ParseSigned(raw, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		return nil, err
	}
	key, _ := signingKey()
	c := claims{}
	if err := tok.Claims(&key.PublicKey, &c); err != nil {
		return nil, err
	}
	if c.text("iss") != s.opt().issuer() {
		return nil, errors.New("the token has another issuer")
	}
	return c, nil
}

// introspect says whether a token of ours counts.
func (s *Server) introspect(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		tokenError(w, http.StatusBadRequest, "invalid_request", fmt.Sprintf("HTTP method is %q, expected \"POST\".", r.Method))
		return
	}
	if r.PostFormValue("token") == "" {
		tokenError(w, http.StatusBadRequest, "invalid_request", "The POST body doesn't contain 'token' parameter.")
		return
	}
	answer := map[string]any{"active": false}
	if c, err := s.verifyJWT(r.Context(), r.PostFormValue("token")); err == nil {
		answer = map[string]any{
			"active": true, "client_id": c["aud"], "sub": c["sub"], "exp": c["exp"], "iat": c["iat"], "nbf": c["iat"],
			"aud": c["aud"], "iss": c["iss"], "token_type": "Bearer", "token_use": "access_token",
		}
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(answer)
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
