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
	"slices"
	"strconv"
	"strings"
	"sync"
	"text/template"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/netbirdio/netbird/shared/management/http/api"
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
			IdpSignKeyRefreshEnabled                                                       bool
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

// profile is what the outside identity provider knows of a user.
type profile struct{ id, email, name string }

// everyone reads all users, page by page, optionally by e-mail.
func (o *outside) everyone(ctx context.Context, email string) ([]profile, error) {
	base, err := url.Parse(o.manager.Issuer)
	if err != nil {
		return nil, err
	}
	var out []profile
	for page := 1; page > 0; {
		token, err := o.bearer(ctx)
		if err != nil {
			return nil, err
		}
		q := url.Values{"page": {strconv.Itoa(page)}}
		if email != "" {
			q = url.Values{"email": {email}}
		}
		where := url.URL{Scheme: base.Scheme, Host: base.Host, Path: "/api/v3/core/users/", RawQuery: q.Encode()}
		var list struct {
			Pagination struct {
				Next float64 `json:"next"`
			} `json:"pagination"`
			Results []struct {
				PK    int    `json:"pk"`
				Name  string `json:"name"`
				Email string `json:"email"`
			} `json:"results"`
		}
		if err := o.getJSON(ctx, where.String(), token, &list); err != nil {
			return nil, err
		}
		for _, u := range list.Results {
			out = append(out, profile{id: strconv.Itoa(u.PK), email: u.Email, name: u.Name})
		}
		if page = int(list.Pagination.Next); email != "" {
			page = 0
		}
	}
	return out, nil
}

// warmUp fills the cache at the start. That it fails is only logged.
func (o *outside) warmUp(ctx context.Context, s *Server) {
	if o.manager == nil {
		return
	}
	all, err := o.everyone(ctx, "")
	if err != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, p := range all {
		if u := s.st.user(p.id); u != nil {
			o.cache[u.accountID] = append(o.cache[u.accountID], p)
		}
	}
}

// load returns what is known of an account's users, and asks again, twice at
// most, while one of them is unknown.
func (o *outside) load(ctx context.Context, accountID string, ids []string) ([]profile, error) {
	o.mu.Lock()
	known, cached := o.cache[accountID]
	o.mu.Unlock()
	for try := 0; ; try++ {
		complete := !slices.ContainsFunc(ids, func(id string) bool {
			return !slices.ContainsFunc(known, func(p profile) bool { return p.id == id })
		})
		if (cached && complete) || try == 3 || (cached && try == 2) {
			return known, nil
		}
		all, err := o.everyone(ctx, "")
		if err != nil {
			return nil, err
		}
		known = slices.DeleteFunc(all, func(p profile) bool { return !slices.Contains(ids, p.id) })
		o.mu.Lock()
		o.cache[accountID] = known
		o.mu.Unlock()
		cached = true
	}
}

// registerOutside is what a standalone server does for each JWT: it looks its
// user up at the identity provider.
func (s *Server) registerOutside(ctx context.Context, accountID string) error {
	_, err := s.profiles(ctx, accountID)
	return err
}

// profiles is the view on an account's users through the identity provider. An
// embedded one keeps names in the store, so there is nothing to look up.
func (s *Server) profiles(ctx context.Context, accountID string) (view, error) {
	s.mu.Lock()
	out := s.outside
	var ids []string
	for _, u := range s.st.usersOf(accountID) {
		if !u.service {
			ids = append(ids, u.id)
		}
	}
	s.mu.Unlock()
	if out == nil || out.manager == nil {
		return view{}, nil
	}
	known, err := out.load(ctx, accountID, ids)
	if err != nil {
		return view{}, errInternal
	}
	return view{lookedUp: len(known) > 0, known: known}, nil
}

// view shows users with the names that the identity provider gave.
type view struct {
	lookedUp bool
	known    []profile
}

func (v view) find(u user) (profile, bool) {
	i := slices.IndexFunc(v.known, func(p profile) bool { return p.id == u.id })
	if i < 0 {
		return profile{}, false
	}
	return v.known[i], true
}

// showOne shows a user by himself: as stored, if the provider doesn't know him.
func (v view) showOne(u user, caller string) api.User {
	if p, ok := v.find(u); ok {
		u.name, u.email = p.name, p.email
	}
	return userAnswer(&u, caller)
}

// show shows a user in a list, where of one whom the provider doesn't know only
// the least is told, not even that he is blocked.
func (v view) show(u user, caller string) api.User {
	if _, ok := v.find(u); ok || !v.lookedUp {
		return v.showOne(u, caller)
	}
	if !u.service {
		u.name = ""
	}
	u.blocked, u.pending = false, false
	a := userAnswer(&u, caller)
	a.Issued = ptr("")
	return a
}

// inviteOutside is an invitation on a server that can't make users.
func (s *Server) inviteOutside(c *call, u *user) (any, error) {
	s.mu.Lock()
	out := s.outside
	s.mu.Unlock()
	if out == nil || out.manager == nil {
		return nil, refuse(http.StatusPreconditionFailed, "IdP manager must be enabled to send user invites")
	}
	if err := checkInvite(u); err != nil {
		return nil, err
	}
	s.mu.Lock()
	err := s.may(c, "users", opCreate)
	s.mu.Unlock()
	if err != nil {
		return nil, err
	}
	known, err := s.profiles(c.r.Context(), c.accountID)
	if err != nil {
		return nil, err
	}
	there := slices.ContainsFunc(known.known, func(p profile) bool { return p.email == u.email })
	if !there {
		found, err := out.everyone(c.r.Context(), u.email)
		if err != nil {
			return nil, errInternal
		}
		there = len(found) > 0
	}
	if there {
		return nil, refuse(http.StatusConflict, "can't invite a user with an existing NetBird account")
	}
	return nil, errInternal
}
