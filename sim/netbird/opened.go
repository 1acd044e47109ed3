package netbird

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// opened is a connector in use: what it was configured with when it was opened,
// and what its issuer said then. It stays so until the process ends.
type opened struct {
	conn     connector
	provider *oidc.Provider
	verifier *oidc.IDTokenVerifier
	oauth    oauth2.Config
	pkce     string // the challenge method, "" for none
}

// connector returns a connector as logins use it, and opens it if this process
// has not done so yet.
func (s *Server) connector(ctx context.Context, id string) (*opened, error) {
	s.mu.Lock()
	c, ok := s.anyConnector(id)
	have := s.opened[id]
	s.mu.Unlock()
	switch {
	case !ok:
		return nil, fmt.Errorf("connector %s not found", id)
	case have != nil:
		return have, nil
	}
	o, err := s.open(ctx, c)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if have := s.opened[id]; have != nil {
		return have, nil
	}
	s.opened[id] = o
	return o, nil
}

// open asks a connector's issuer for its discovery, without the lock.
func (s *Server) open(ctx context.Context, c connector) (*opened, error) {
	o := &opened{conn: c}
	if c.id == localConnector {
		return o, nil
	}
	if builtInIssuer(c.kind) {
		return nil, fmt.Errorf("connector %s: the simulator does not know %s", c.id, c.kind)
	}
	// The provider outlives the request that opened it.
	ctx = oidc.ClientContext(context.WithoutCancel(ctx), s.opt().HTTPClient)
	p, err := oidc.NewProvider(ctx, c.issuer)
	if err != nil {
		return nil, err
	}
	var said struct {
		Methods []string `json:"code_challenge_methods_supported"`
	}
	if err := p.Claims(&said); err != nil {
		return nil, err
	}
	o.provider = p
	for _, method := range []string{"plain", "S256"} { // the better one last
		if slices.Contains(said.Methods, method) {
			o.pkce = method
		}
	}
	o.verifier = p.VerifierContext(ctx, &oidc.Config{ClientID: c.clientID, Now: s.now})
	o.oauth = oauth2.Config{
		ClientID: c.clientID, ClientSecret: c.secret, Endpoint: p.Endpoint(),
		RedirectURL: s.redirectURI(), Scopes: append([]string{"openid"}, scopesOf(c.kind)...),
	}
	return o, nil
}

func scopesOf(kind string) []string {
	scopes := []string{"openid", "profile", "email"}
	switch kind {
	case "okta", "pocketid":
		return append(scopes, "groups")
	case "adfs":
		return append(scopes, "allatclaims")
	}
	return scopes
}

// upstreamURL is where a person is sent to log in.
func (s *Server) upstreamURL(o *opened, req *authRequest) (string, error) {
	if o.oauth.RedirectURL != s.idpURL("/callback") {
		return "", fmt.Errorf("expected callback URL %q did not match the URL in the config %q", s.idpURL("/callback"), o.oauth.RedirectURL)
	}
	var opts []oauth2.AuthCodeOption
	if slices.Contains(req.scopes, "offline_access") {
		opts = append(opts, oauth2.AccessTypeOffline, oauth2.SetAuthURLParam("prompt", "consent"))
	}
	if o.pkce != "" {
		s.mu.Lock()
		req.verifier = secureID(s.rand, 40)
		s.mu.Unlock()
	}
	switch o.pkce {
	case "S256":
		opts = append(opts, oauth2.S256ChallengeOption(req.verifier))
	case "plain": // the real one sends the verifier in the challenge's place, too
		opts = append(opts, oauth2.VerifierOption(req.verifier))
	}
	return o.oauth.AuthCodeURL(req.id, opts...), nil
}

// exchange turns an upstream's code into who logged in.
func (s *Server) exchange(ctx context.Context, o *opened, verifier string, q url.Values) (identity, error) {
	if e := q.Get("error"); e != "" {
		return identity{}, fmt.Errorf("%s: %s", e, q.Get("error_description"))
	}
	ctx = context.WithValue(ctx, oauth2.HTTPClient, s.opt().HTTPClient)
	var opts []oauth2.AuthCodeOption
	if o.pkce != "" {
		opts = append(opts, oauth2.VerifierOption(verifier))
	}
	tok, err := o.oauth.Exchange(ctx, q.Get("code"), opts...)
	if err != nil {
		return identity{}, err
	}
	return s.identify(ctx, o, tok)
}

// identify reads the claims of an upstream's tokens. A name and an e-mail must
// be there; empty ones will do.
func (s *Server) identify(ctx context.Context, o *opened, tok *oauth2.Token) (identity, error) {
	raw, ok := tok.Extra("id_token").(string)
	if !ok {
		return identity{}, errors.New("no id_token in token response")
	}
	id, err := o.verifier.Verify(ctx, raw)
	if err != nil {
		return identity{}, err
	}
	c := claims{}
	if err := id.Claims(&c); err != nil {
		return identity{}, err
	}
	if o.conn.kind == "zitadel" {
		info, err := o.provider.UserInfo(ctx, oauth2.StaticTokenSource(tok))
		if err != nil {
			return identity{}, err
		}
		if err := info.Claims(&c); err != nil {
			return identity{}, err
		}
	}
	return s.read(o, c, tok.RefreshToken)
}

func (s *Server) read(o *opened, c claims, refresh string) (identity, error) {
	who := identity{upstreamRefresh: refresh, preferred: c.text("preferred_username")}
	subjectClaim, emailClaim := "sub", "email"
	if o.conn.kind == "entra" {
		subjectClaim = "oid"
		if _, ok := c["email"].(string); !ok {
			emailClaim = "preferred_username"
		}
	}
	for _, need := range []struct {
		claim string
		into  *string
	}{{subjectClaim, &who.userID}, {"name", &who.name}, {emailClaim, &who.email}} {
		v, ok := c[need.claim].(string)
		if !ok {
			return identity{}, fmt.Errorf("missing %q claim", need.claim)
		}
		*need.into = v
	}
	verified, ok := c["email_verified"].(bool)
	if !ok && !s.ver().skipsEmailVerified() {
		return identity{}, errors.New(`missing "email_verified" claim`)
	}
	who.emailVerified = verified || !ok
	if !s.ver().skipsEmailVerified() {
		return who, nil // groups came with the same release
	}
	groups, err := groupNames(c["groups"])
	who.groups = groups
	return who, err
}

// groupNames reads a groups claim: a string, or a list of strings or of objects
// with a name.
func groupNames(claim any) ([]string, error) {
	switch v := claim.(type) {
	case string:
		return []string{v}, nil
	case []any:
		var out []string
		for _, x := range v {
			switch g := x.(type) {
			case string:
				out = append(out, g)
			case map[string]any:
				if name, ok := g["name"].(string); ok {
					out = append(out, name)
				}
			default:
				return nil, errors.New(`malformed "groups" claim`)
			}
		}
		return out, nil
	}
	return nil, nil
}

// renew asks an upstream again who someone is, with the refresh token that it
// gave. Without one there is nothing to ask with.
func (s *Server) renew(ctx context.Context, o *opened, who identity) (identity, error) {
	if who.upstreamRefresh == "" {
		return who, errors.New("token expired and refresh token is not set")
	}
	ctx = context.WithValue(ctx, oauth2.HTTPClient, s.opt().HTTPClient)
	tok, err := o.oauth.TokenSource(ctx, &oauth2.Token{RefreshToken: who.upstreamRefresh}).Token()
	if err != nil {
		return who, err
	}
	if _, ok := tok.Extra("id_token").(string); !ok {
		who.upstreamRefresh = tok.RefreshToken
		return who, nil
	}
	return s.identify(ctx, o, tok)
}

var _ http.Handler = (*Server)(nil)
