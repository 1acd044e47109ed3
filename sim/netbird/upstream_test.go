package netbird

import (
	"bufio"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
)

// provider plays the identity provider that the recorder had written: one issuer
// for each thing that can be wrong with one. It also plays the Authentik of the
// standalone recording.
type provider struct {
	base      string
	listeners map[string]string // recorded address → where we listen
	key       *rsa.PrivateKey
	kid       string
	secret    string         // that clients must know
	next      map[string]any // what to claim of the next login, and its code
	code      string
	codes     map[string]map[string]any

	users       []map[string]any // of the standalone Authentik
	tokenStatus int
	usersStatus int
}

func newProvider(t *testing.T, base string) *provider {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p := &provider{base: base, key: key, kid: "lab", secret: "upstream-secret", codes: map[string]map[string]any{}, listeners: map[string]string{}}
	p.listen(t, strings.TrimPrefix(base, "http://"), http.HandlerFunc(p.serve))
	return p
}

// listen serves in the place of a recorded address. TLS there is answered as the
// recorder's server answered it: with a page, and no status line before it.
func (p *provider) listen(t *testing.T, recorded string, h http.Handler) {
	s := httptest.NewUnstartedServer(h)
	s.Listener = &byFirstByte{s.Listener, func(c net.Conn, first byte) bool {
		if first == 0x16 {
			io.WriteString(c, "<!DOCTYPE HTML>")
		}
		return first != 0x16
	}}
	s.Start()
	t.Cleanup(s.Close)
	t.Cleanup(s.CloseClientConnections)
	p.listeners[recorded] = s.Listener.Addr().String()
}

// listenTLS is a port with a certificate that nobody trusts. Who speaks plain
// HTTP to it is cut off.
func (p *provider) listenTLS(t *testing.T, recorded string) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(p.serve))
	s.Listener = &byFirstByte{s.Listener, func(c net.Conn, first byte) bool {
		if first != 0x16 {
			c.(*net.TCPConn).SetLinger(0)
		}
		return first == 0x16
	}}
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // every handshake fails
	s.StartTLS()
	t.Cleanup(s.Close)
	p.listeners[recorded] = s.Listener.Addr().String()
}

// byFirstByte closes the connections whose first byte it does not like.
type byFirstByte struct {
	net.Listener
	like func(net.Conn, byte) bool
}

func (l *byFirstByte) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &peeked{Conn: c, r: bufio.NewReader(c), like: l.like}, nil
}

type peeked struct {
	net.Conn
	r    *bufio.Reader
	like func(net.Conn, byte) bool
}

func (p *peeked) Read(b []byte) (int, error) {
	if first, err := p.r.Peek(1); err == nil && p.like != nil && !p.like(p.Conn, first[0]) {
		p.Conn.Close()
		return 0, io.ErrClosedPipe
	}
	p.like = nil
	return p.r.Read(b)
}

func (p *provider) serve(w http.ResponseWriter, r *http.Request) {
	issuer, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	if strings.HasPrefix(r.URL.Path, "/application/") || strings.HasPrefix(r.URL.Path, "/api/v3/") {
		p.serveAuthentik(w, r)
		return
	}
	switch rest {
	case ".well-known/openid-configuration":
		p.discovery(w, r, issuer)
	case "authorize":
		p.codes[p.code] = p.next
		q := url.Values{"code": {p.code}, "state": {r.URL.Query().Get("state")}}
		w.Header().Set("Content-Type", "text/plain")
		w.Header().Set("Location", r.URL.Query().Get("redirect_uri")+"?"+q.Encode())
		w.WriteHeader(http.StatusFound)
	case "token":
		p.token(w, r, issuer)
	case "keys":
		p.serveKeys(w)
	default:
		w.WriteHeader(http.StatusNotFound)
		io.WriteString(w, `{"error": "nope"}`)
	}
}

func (p *provider) discovery(w http.ResponseWriter, r *http.Request, issuer string) {
	me := p.base + "/" + issuer
	say := func(status int, body string) {
		w.WriteHeader(status)
		io.WriteString(w, body)
	}
	whole := map[string]any{
		"issuer": me, "authorization_endpoint": me + "/authorize", "token_endpoint": me + "/token", "jwks_uri": me + "/keys",
		"code_challenge_methods_supported": []string{"S256"}, "id_token_signing_alg_values_supported": []string{"RS256"},
	}
	switch issuer {
	case "good", "thin":
	case "slash":
		whole["issuer"] = me + "/"
	case "nopkce":
		delete(whole, "code_challenge_methods_supported")
	case "mismatch":
		whole["issuer"] = "http://other.example/realm"
	case "redir":
		http.Redirect(w, r, p.base+"/good/.well-known/openid-configuration", http.StatusFound)
		return
	case "redirself":
		if r.URL.Query().Get("again") == "" {
			http.Redirect(w, r, r.URL.Path+"?again=1", http.StatusFound)
			return
		}
	case "issueronly":
		whole = map[string]any{"issuer": me}
	case "emptyjson":
		whole = map[string]any{}
	case "arrayjson":
		say(http.StatusOK, "[]")
		return
	case "notjson":
		say(http.StatusOK, "<html>")
		return
	case "err404":
		say(http.StatusNotFound, "<html>not found page</html>")
		return
	case "err500":
		say(http.StatusInternalServerError, "boom <b>secret detail</b>")
		return
	case "err403":
		say(http.StatusForbidden, `{"detail": "forbidden"}`)
		return
	default:
		say(http.StatusNotFound, `{"error": "nope"}`)
		return
	}
	json.NewEncoder(w).Encode(whole)
}

func (p *provider) token(w http.ResponseWriter, r *http.Request, issuer string) {
	w.Header().Set("Content-Type", "application/json")
	_, secret, basic := r.BasicAuth()
	if !basic {
		secret = r.PostFormValue("client_secret")
	}
	claims := p.codes[r.PostFormValue("code")]
	if secret != p.secret || claims == nil {
		w.WriteHeader(http.StatusUnauthorized)
		io.WriteString(w, `{"error":"invalid_client"}`)
		return
	}
	claims["iss"], claims["aud"] = p.base+"/"+issuer, "nb-client"
	claims["exp"] = int64(1900000000)
	id, err := p.sign(claims)
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	json.NewEncoder(w).Encode(map[string]any{"access_token": "a", "token_type": "Bearer", "expires_in": 3600, "id_token": id})
}

func (p *provider) serveKeys(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: &p.key.PublicKey, KeyID: p.kid, Algorithm: "RS256", Use: "sig"}}})
}

func (p *provider) sign(payload any) (string, error) {
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: p.key, KeyID: p.kid}}, nil)
	if err != nil {
		return "", err
	}
	b, err := json.Marshal(payload)
	if err != nil {
		return "", err
	}
	signed, err := signer.Sign(b)
	if err != nil {
		return "", err
	}
	return signed.CompactSerialize()
}

// serveAuthentik is as much of Authentik as a standalone NetBird asks for.
func (p *provider) serveAuthentik(w http.ResponseWriter, r *http.Request) {
	me := p.base + "/application/o/netbird/"
	switch r.URL.Path {
	case "/application/o/netbird/.well-known/openid-configuration":
		json.NewEncoder(w).Encode(map[string]any{"issuer": me, "jwks_uri": me + "jwks/", "token_endpoint": p.base + "/application/o/token/"})
	case "/application/o/netbird/jwks/":
		p.serveKeys(w)
	case "/application/o/token/":
		if p.tokenStatus != 0 {
			w.WriteHeader(p.tokenStatus)
			return
		}
		token, err := p.sign(map[string]any{"exp": int64(1900000000)})
		if err != nil {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		json.NewEncoder(w).Encode(map[string]any{"access_token": token, "token_type": "Bearer", "expires_in": 3600})
	case "/api/v3/core/users/":
		if p.usersStatus != 0 {
			w.WriteHeader(p.usersStatus)
			return
		}
		json.NewEncoder(w).Encode(map[string]any{"pagination": map[string]any{"next": 0}, "results": p.users})
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

// claimsFor says what the recorder's provider was told to claim for a login: it
// is what the token says that came out of it, or what the login's name tells.
func (r *replay) claimsFor(at int) map[string]any {
	name := strings.TrimSuffix(r.all[at].Name, "-2")
	out := map[string]any{"sub": "u-x", "email": "x@example.com", "name": "X", "email_verified": true}
	for _, e := range r.all[at:min(at+4, len(r.all))] {
		body, _ := e.ResponseBody.(map[string]any)
		token, _ := body["id_token"].(string)
		m := anyJWT.FindStringSubmatch(token)
		if m == nil {
			continue
		}
		b, err := base64.RawURLEncoding.DecodeString(m[1])
		if err != nil {
			r.t.Fatal(err)
		}
		said := map[string]any{}
		if err := json.Unmarshal(b, &said); err != nil {
			r.t.Fatal(err)
		}
		out["sub"] = recordedSubject(said["sub"].(string))
		for _, k := range []string{"email", "name", "groups", "preferred_username", "email_verified"} {
			delete(out, k)
			if v, ok := said[k]; ok {
				out[k] = v
			}
		}
		break
	}
	switch name {
	case "login-noemail":
		delete(out, "email")
	case "login-noname":
		delete(out, "name")
	case "thin":
		delete(out, "email")
		delete(out, "name")
	case "cl-email-empty":
		out["email"] = ""
	case "cl-name-empty":
		out["name"] = ""
	case "cl-email-null":
		out["email"] = nil
	case "cl-groups-str":
		out["groups"] = "one"
	case "cl-groups-obj":
		out["groups"] = []any{map[string]any{"name": "x"}}
	case "cl-emailverified-missing":
		delete(out, "email_verified")
	}
	return out
}

// recordedSubject is the upstream's subject in a recorded user's id.
func recordedSubject(id string) string {
	b, err := base64.RawURLEncoding.DecodeString(id)
	if err != nil || len(b) < 3 {
		return ""
	}
	n, at := int(b[1]), 2
	if n >= 128 {
		n, at = n&127|int(b[2])<<7, 3
	}
	return string(b[at : at+n])
}
