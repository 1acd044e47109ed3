package netbird

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"
)

const managementJSON = `{
  "HttpConfig": {
    "AuthIssuer": "https://auth.example.com/application/o/netbird/",
    "AuthAudience": "client",
    "AuthKeysLocation": "https://auth.example.com/application/o/netbird/jwks/",
    "AuthUserIDClaim": "",
    "OIDCConfigEndpoint": "https://auth.example.com/application/o/netbird/.well-known/openid-configuration",
    "IdpSignKeyRefreshEnabled": true
  },
  "IdpManagerConfig": {
    "ManagerType": "authentik",
    "ClientConfig": {
      "Issuer": "https://auth.example.com/application/o/netbird/",
      "TokenEndpoint": "https://auth.example.com/application/o/token/",
      "ClientID": "client", "ClientSecret": "", "GrantType": "client_credentials"
    },
    "ExtraConfig": {"Username": "NetBird", "Password": "PASSWORD"}
  }
}`

func TestManagementJSON(t *testing.T) {
	got, err := ParseManagementJSON([]byte(managementJSON))
	if err != nil {
		t.Fatal(err)
	}
	issuer := "https://auth.example.com/application/o/netbird/"
	want := &Standalone{
		Issuer: issuer, Audience: "client", KeysLocation: issuer + "jwks/", RefreshKeys: true,
		OIDCConfigEndpoint: issuer + ".well-known/openid-configuration",
		Manager: &Manager{
			Issuer: issuer, TokenEndpoint: "https://auth.example.com/application/o/token/", ClientID: "client",
			GrantType: "client_credentials", Username: "NetBird", Password: "PASSWORD",
		},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if _, err := ParseManagementJSON([]byte(strings.ReplaceAll(managementJSON, "PASSWORD", "a{{b"))); err == nil {
		t.Error("a password with {{ in it did not stop the start")
	}
}

// outsideWorld is a standalone server that trusts p.
func outsideWorld(t *testing.T, p *provider, change func(*Standalone)) *world {
	base := "http://" + p.listeners["authentik"]
	p.base = base
	st := &Standalone{
		SingleAccountDomain: "netbird.example.com", Audience: "client",
		OIDCConfigEndpoint: base + "/application/o/netbird/.well-known/openid-configuration",
	}
	if change != nil {
		change(st)
	}
	return newWorld(t, func(o *Options) { o.OwnerEmail, o.OwnerToken, o.Standalone = "", "", st })
}

func (w *world) claims(sub string) map[string]any {
	return map[string]any{
		"iss": w.s.outside.issuer, "aud": "client", "sub": sub, "email": sub + "@example.com", "name": sub,
		"iat": w.now.Unix(), "exp": w.now.Add(time.Hour).Unix(),
	}
}

func TestStandaloneUserComesByJWT(t *testing.T) {
	p := newProvider(t, "http://authentik")
	w := outsideWorld(t, p, nil)
	for _, x := range []struct {
		name   string
		change func(map[string]any)
		want   int
	}{
		{"the first user owns the account", func(map[string]any) {}, 200},
		{"another one waits", func(c map[string]any) { c["sub"] = "8" }, 403},
		{"another audience", func(c map[string]any) { c["aud"] = "other" }, 401},
		{"another issuer", func(c map[string]any) { c["iss"] = "http://other" }, 401},
		{"expired", func(c map[string]any) { c["exp"] = w.now.Unix() - 1 }, 401},
		{"issued a second from now", func(c map[string]any) { c["iat"] = w.now.Unix() + 1 }, 401},
	} {
		c := w.claims("7")
		x.change(c)
		token, err := p.sign(c)
		if err != nil {
			t.Fatal(err)
		}
		if got := w.send("GET", "/api/users/current", token, ""); got.status != x.want {
			t.Errorf("%s: %d %s, want %d", x.name, got.status, got.body, x.want)
		}
	}
}

func TestStandaloneBootNeedsItsProvider(t *testing.T) {
	w := newWorld(t, func(o *Options) {
		o.Standalone = &Standalone{OIDCConfigEndpoint: "http://127.0.0.1:9/x"}
	})
	if err := w.s.Err(); err == nil || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("Err: %v", err)
	}
	if _, err := w.try("GET", "/api/instance", "", ""); err == nil {
		t.Error("it answers all the same")
	}
}

func TestStandaloneKeysAreReadOnceUnlessRefreshed(t *testing.T) {
	for _, refresh := range []bool{false, true} {
		p := newProvider(t, "http://authentik")
		w := outsideWorld(t, p, func(st *Standalone) { st.RefreshKeys = refresh })
		p.kid = "rotated"
		token, err := p.sign(w.claims("7"))
		if err != nil {
			t.Fatal(err)
		}
		want := map[bool]int{false: 401, true: 200}[refresh]
		if got := w.send("GET", "/api/users/current", token, ""); got.status != want {
			t.Errorf("with refresh %v: %d, want %d", refresh, got.status, want)
		}
	}
}

// Authentik sends a certificate with each key, and NetBird takes every
// certificate for RSA.
func TestStandaloneRefusesECKeys(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "ec"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	for withCert, want := range map[bool]int{true: 401, false: 200} {
		jwk := jose.JSONWebKey{Key: &key.PublicKey, KeyID: "ec", Algorithm: "ES256", Use: "sig"}
		if withCert {
			jwk.Certificates = []*x509.Certificate{cert}
		}
		keys := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			json.NewEncoder(rw).Encode(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{jwk}})
		}))
		defer keys.Close()
		w := newWorld(t, func(o *Options) {
			o.OwnerEmail = ""
			o.Standalone = &Standalone{Issuer: "http://issuer/", Audience: "client", KeysLocation: keys.URL}
		})
		signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: key, KeyID: "ec"}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		payload, err := json.Marshal(w.claims("7"))
		if err != nil {
			t.Fatal(err)
		}
		signed, err := signer.Sign(payload)
		if err != nil {
			t.Fatal(err)
		}
		token, err := signed.CompactSerialize()
		if err != nil {
			t.Fatal(err)
		}
		if got := w.send("GET", "/api/groups", token, ""); got.status != want {
			t.Errorf("with a certificate %v: %d %s, want %d", withCert, got.status, got.body, want)
		}
	}
}
