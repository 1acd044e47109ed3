package netbird

import (
	"bytes"
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"text/template"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// Standalone is what management.json says of the outside identity provider.
type Standalone struct {
	// SingleAccountDomain is --single-account-mode-domain.
	SingleAccountDomain string
	// Issuer, Audience, KeysLocation, UserIDClaim and OIDCConfigEndpoint are
	// HttpConfig's. What the endpoint answers overrides issuer and keys.
	Issuer, Audience, KeysLocation, UserIDClaim, OIDCConfigEndpoint string
	// RefreshKeys is HttpConfig.IdpSignKeyRefreshEnabled: without it the keys
	// are read once, at the start.
	RefreshKeys bool
	// Manager is IdpManagerConfig; nil is ManagerType "none".
	Manager *Manager
}

// Manager is the account with which NetBird reads users from Authentik.
type Manager struct {
	Issuer, TokenEndpoint, ClientID, GrantType, Username, Password string
}

// ParseManagementJSON reads management.json as the server does at its start:
// it is a template before it is JSON, so a "{{" in a password is an error.
func ParseManagementJSON(file []byte) (*Standalone, error) {
	t, err := template.New("management.json").Parse(string(file))
	if err != nil {
		return nil, fmt.Errorf("parse management.json: %w", err)
	}
	var b bytes.Buffer
	if err := t.Execute(&b, nil); err != nil {
		return nil, fmt.Errorf("parse management.json: %w", err)
	}
	var in struct {
		HTTPConfig struct {
			AuthIssuer, AuthAudience, AuthKeysLocation, AuthUserIDClaim, OIDCConfigEndpoint string
			IdpSignKeyRefreshEnabled                                                        bool
		} `json:"HttpConfig"`
		IdpManagerConfig *struct {
			ManagerType  string
			ClientConfig struct{ Issuer, TokenEndpoint, ClientID, GrantType string }
			ExtraConfig  struct{ Username, Password string }
		}
	}
	if err := json.Unmarshal(b.Bytes(), &in); err != nil {
		return nil, fmt.Errorf("parse management.json: %w", err)
	}
	h := in.HTTPConfig
	out := &Standalone{
		Issuer: h.AuthIssuer, Audience: h.AuthAudience, KeysLocation: h.AuthKeysLocation,
		UserIDClaim: h.AuthUserIDClaim, OIDCConfigEndpoint: h.OIDCConfigEndpoint, RefreshKeys: h.IdpSignKeyRefreshEnabled,
	}
	if m := in.IdpManagerConfig; m != nil && m.ManagerType == "authentik" {
		out.Manager = &Manager{
			Issuer: m.ClientConfig.Issuer, TokenEndpoint: m.ClientConfig.TokenEndpoint, ClientID: m.ClientConfig.ClientID,
			GrantType: m.ClientConfig.GrantType, Username: m.ExtraConfig.Username, Password: m.ExtraConfig.Password,
		}
	}
	return out, nil
}

// outside is the outside identity provider as a running process knows it.
type outside struct {
	http      *http.Client
	now       func() time.Time
	issuer    string
	audiences []string
	keysURL   string
	refresh   bool
	manager   *Manager

	mu    sync.Mutex
	keys  []json.RawMessage
	token string
	until time.Time
	cache map[string][]profile // by account
}

// bootStandalone is what the management server does before it listens. Only an
// identity provider that can't be reached, and an incomplete account, stop it.
func (s *Server) bootStandalone(st *Standalone) (*outside, error) {
	o := &outside{
		http: s.opt().HTTPClient, now: s.now, issuer: st.Issuer, audiences: []string{st.Audience}, keysURL: st.KeysLocation,
		refresh: st.RefreshKeys, manager: st.Manager, cache: map[string][]profile{},
	}
	ctx := context.Background()
	if st.OIDCConfigEndpoint != "" {
		var d struct {
			Issuer  string `json:"issuer"`
			JwksURI string `json:"jwks_uri"`
		}
		if err := o.getJSON(ctx, st.OIDCConfigEndpoint, "", &d); err != nil {
			return o, fmt.Errorf("failed fetching OIDC configuration from endpoint %s: %w", st.OIDCConfigEndpoint, err)
		}
		o.issuer, o.keysURL = d.Issuer, d.JwksURI
	}
	if m := st.Manager; m != nil {
		for _, field := range []struct{ name, value string }{
			{"clientID", m.ClientID}, {"Username", m.Username}, {"Password", m.Password},
			{"TokenEndpoint", m.TokenEndpoint}, {"Issuer", m.Issuer}, {"GrantType", m.GrantType},
		} {
			if field.value == "" {
				return o, fmt.Errorf("authentik IdP configuration is incomplete, %s is missing", field.name)
			}
		}
	}
	o.fetchKeys(ctx)
	o.warmUp(ctx, s)
	return o, nil
}

func (o *outside) getJSON(ctx context.Context, where, bearer string, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, where, nil)
	if err != nil {
		return err
	}
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	resp, err := o.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return errors.New(resp.Status)
	}
	return json.NewDecoder(resp.Body).Decode(into)
}

func (o *outside) fetchKeys(ctx context.Context) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := o.getJSON(ctx, o.keysURL, "", &set); err != nil {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.keys = set.Keys
}

// key finds the key with an id. Whatever has a certificate is taken for RSA, as
// the real server does, so an EC key fails here.
func (o *outside) key(ctx context.Context, kid string) (any, error) {
	key, err := o.findKey(kid)
	if errors.Is(err, errNoKey) && o.refresh {
		o.fetchKeys(ctx)
		key, err = o.findKey(kid)
	}
	return key, err
}

var errNoKey = errors.New("unable to find appropriate key")

func (o *outside) findKey(kid string) (any, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, raw := range o.keys {
		var head struct {
			Kid string   `json:"kid"`
			X5c []string `json:"x5c"`
		}
		if err := json.Unmarshal(raw, &head); err != nil || head.Kid != kid {
			continue
		}
		if len(head.X5c) > 0 {
			return rsaFromCertificate(head.X5c[0])
		}
		var k jose.JSONWebKey
		if err := k.UnmarshalJSON(raw); err != nil {
			return nil, err
		}
		return k.Key, nil
	}
	return nil, errNoKey
}

func rsaFromCertificate(encoded string) (any, error) {
	der, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	key, ok := cert.PublicKey.(*rsa.PublicKey)
	if !ok {
		return nil, errors.New("key is not a valid RSA public key")
	}
	return key, nil
}

// bearer gets, or keeps, the token with which users are read. A running process
// goes on with its token until that expires.
func (o *outside) bearer(ctx context.Context) (string, error) {
	o.mu.Lock()
	token, until := o.token, o.until
	o.mu.Unlock()
	if token != "" && o.now().Add(5*time.Second).Before(until) {
		return token, nil
	}
	m := o.manager
	form := url.Values{
		"client_id": {m.ClientID}, "username": {m.Username}, "password": {m.Password},
		"grant_type": {m.GrantType}, "scope": {"goauthentik.io/api"},
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, m.TokenEndpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := o.http.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return "", fmt.Errorf("unable to get authentik token, statusCode %d", resp.StatusCode)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return "", err
	}
	var answer struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return "", err
	}
	parts := strings.Split(answer.AccessToken, ".")
	if len(parts) < 2 {
		return "", errors.New("the token is no JWT")
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return "", err
	}
	var exp struct{ Exp int64 }
	if err := json.Unmarshal(payload, &exp); err != nil {
		return "", err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.token, o.until = answer.AccessToken, time.Unix(exp.Exp, 0)
	return o.token, nil
}
