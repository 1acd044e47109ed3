// Package oidc asks Authentik's OpenID endpoints what NetBird will ask them: discovery, keys, authorize, token,
// device. No call here logs anyone in.
//
// It promises: the issuer is kept byte for byte; an address out of a discovery is followed only on the host that
// the person gave; a verdict comes with the evidence it rests on, and where that isn't clear the verdict is
// Unclear. It refuses to leave traces: no probe stores a redirect URI or creates a user.
package oidc

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	coreoidc "github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"authbird/clients"
)

// Client asks OpenID endpoints. It is safe for concurrent use.
type Client struct {
	tr *clients.Transport
}

// New makes a client.
func New(tr *clients.Transport) *Client { return &Client{tr: tr} }

// Discovery is a provider's discovery document, with the host it may be trusted on.
type Discovery struct {
	Base           string // scheme://host[:port] that the person gave: endpoints elsewhere are not followed
	URL            string // where the document is
	Issuer         string // byte for byte
	AuthEndpoint   string
	TokenEndpoint  string
	DeviceEndpoint string
	JWKSURI        string
	SigningAlgs    []string // id_token_signing_alg_values_supported
	PKCEMethods    []string
	GrantTypes     []string
	Foreign        []string // names of the fields above that point to another host than Base, or by another scheme
}

// Endpoints is what Authentik's addresses are by convention, without asking: for an application that has no
// discovery yet. Issuer is what it will be.
func Endpoints(base, slug string) Discovery {
	app := base + "/application/o/" + url.PathEscape(slug) + "/"
	return Discovery{
		Base: base, URL: app + ".well-known/openid-configuration", Issuer: app, JWKSURI: app + "jwks/",
		AuthEndpoint: base + "/application/o/authorize/", TokenEndpoint: base + "/application/o/token/", DeviceEndpoint: base + "/application/o/device/",
	}
}

// Discover reads the discovery document of that application. Absent where the application has no provider, or
// doesn't exist. Addresses on another host are told in Foreign and refused when they are to be followed.
func (c *Client) Discover(ctx context.Context, base, slug string) (Discovery, error) {
	at := Endpoints(base, slug).URL
	call := clients.Call{Server: "Authentik", Op: "read the discovery document", Method: http.MethodGet, URL: at}
	var doc struct {
		Issuer string   `json:"issuer"`
		Auth   string   `json:"authorization_endpoint"`
		Token  string   `json:"token_endpoint"`
		Device string   `json:"device_authorization_endpoint"`
		Keys   string   `json:"jwks_uri"`
		Algs   []string `json:"id_token_signing_alg_values_supported"`
		PKCE   []string `json:"code_challenge_methods_supported"`
		Grants []string `json:"grant_types_supported"`
	}
	a, err := c.tr.JSON(ctx, call, nil, &doc)
	if a.Status == http.StatusNotFound {
		return Discovery{Base: base, URL: at}, problem(call, clients.Absent, a.Status, "there is none: the application has no provider, or doesn't exist")
	}
	d := Discovery{Base: base, URL: at, Issuer: doc.Issuer, AuthEndpoint: doc.Auth, TokenEndpoint: doc.Token, DeviceEndpoint: doc.Device,
		JWKSURI: doc.Keys, SigningAlgs: doc.Algs, PKCEMethods: doc.PKCE, GrantTypes: doc.Grants}
	for _, f := range []struct{ name, at string }{
		{"issuer", d.Issuer}, {"authorization_endpoint", d.AuthEndpoint}, {"token_endpoint", d.TokenEndpoint}, {"jwks_uri", d.JWKSURI},
	} {
		if !clients.SameOrigin(f.at, base) {
			d.Foreign = append(d.Foreign, f.name)
		}
	}
	if err == nil && d.Issuer == "" {
		err = problem(call, clients.WrongServer, a.Status, "the document names no issuer")
	}
	return d, err
}

func problem(call clients.Call, kind clients.Kind, status int, sentence string) *clients.Error {
	return &clients.Error{Kind: kind, Server: call.Server, Op: call.Op, Method: call.Method, URL: clients.Redact(call.URL), Status: status, Message: sentence}
}

// at checks that an endpoint is on the host that the person gave.
func (d Discovery) at(call clients.Call, endpoint string) (clients.Call, error) {
	call.Server, call.URL = "Authentik", endpoint
	if !clients.SameOrigin(endpoint, d.Base) {
		return call, problem(call, clients.WrongServer, 0, "the discovery points to another address than the one that you gave")
	}
	return call, nil
}

// Key is one public key of a key set.
type Key struct {
	ID   string // kid
	Type string // kty: "RSA", "EC"
	Alg  string
	Use  string
}

// Keys is the key set; empty where the provider has no signing key.
func (c *Client) Keys(ctx context.Context, d Discovery) ([]Key, error) {
	call, err := d.at(clients.Call{Op: "read the key set", Method: http.MethodGet}, d.JWKSURI)
	if err != nil {
		return nil, err
	}
	var set struct {
		Keys []struct {
			ID   string `json:"kid"`
			Type string `json:"kty"`
			Alg  string `json:"alg"`
			Use  string `json:"use"`
		} `json:"keys"`
	}
	if _, err := c.tr.JSON(ctx, call, nil, &set); err != nil {
		return nil, err
	}
	out := make([]Key, 0, len(set.Keys))
	for _, k := range set.Keys {
		out = append(out, Key(k))
	}
	return out, nil
}

// AuthorizeRequest is a login that is begun and not gone through with.
type AuthorizeRequest struct {
	ClientID    string
	RedirectURI string
	Scope       string // default "openid email profile"
	// Registered is how many redirect URIs the provider has, as just read. With 0 nothing is asked: Authentik
	// would store the one it is asked about.
	Registered int
}

// AuthorizeVerdict is what Authentik makes of a login.
type AuthorizeVerdict int

// The verdicts on a login.
const (
	Unclear         AuthorizeVerdict = iota
	Allowed                          // it would ask the person to sign in, and then send them back there
	RedirectRefused                  // the redirect URI is not in the provider's list
	ClientUnknown                    // no provider has that client id
	NotLinked                        // the provider has no application, or may not be used
)

// Authorization is a verdict and what it rests on.
type Authorization struct {
	Verdict  AuthorizeVerdict
	Evidence string // one line
}

// Authorize asks, with prompt=none, what would become of that login.
func (c *Client) Authorize(ctx context.Context, d Discovery, r AuthorizeRequest) (Authorization, error) {
	if r.Registered == 0 {
		return Authorization{Verdict: Unclear, Evidence: "the provider has no redirect URI: not asked, because Authentik would store the first one"}, nil
	}
	login := oauth2.Config{ClientID: r.ClientID, RedirectURL: r.RedirectURI, Endpoint: oauth2.Endpoint{AuthURL: d.AuthEndpoint},
		Scopes: strings.Fields(cmp.Or(r.Scope, "openid email profile"))}
	call, err := d.at(clients.Call{Op: "ask whether a login may begin", Method: http.MethodGet, Page: true}, d.AuthEndpoint)
	if err != nil {
		return Authorization{}, err
	}
	call.URL = login.AuthCodeURL("authbird", oauth2.SetAuthURLParam("prompt", "none"), oauth2.SetAuthURLParam("nonce", "authbird"))
	a, err := c.tr.Do(ctx, call)
	if err != nil {
		return Authorization{}, err
	}
	return readAuthorize(a.Status, a.Header.Get("Location"), a.Body, r.RedirectURI), nil
}

// readAuthorize reads a verdict off status and place. Of the page only the name of the error is looked at, which
// tells the two refusals apart; in another language it doesn't, and then the redirect URI is the likelier one.
func readAuthorize(status int, location string, page []byte, redirectURI string) Authorization {
	evidence := fmt.Sprintf("%d %s", status, http.StatusText(status))
	switch {
	case status == http.StatusFound && strings.HasPrefix(location, redirectURI):
		return Authorization{Verdict: Allowed, Evidence: "it would send people back there"}
	case status == http.StatusFound:
		return Authorization{Verdict: Allowed, Evidence: "it asks people to sign in"}
	case status == http.StatusBadRequest && bytes.Contains(page, []byte("Client ID Error")):
		return Authorization{Verdict: ClientUnknown, Evidence: evidence}
	case status == http.StatusBadRequest:
		return Authorization{Verdict: RedirectRefused, Evidence: evidence}
	case status == http.StatusOK:
		return Authorization{Verdict: NotLinked, Evidence: evidence}
	}
	return Authorization{Verdict: Unclear, Evidence: evidence}
}

// SecretVerdict is what Authentik makes of a client secret.
type SecretVerdict int

// The verdicts on a client secret.
const (
	SecretUnclear SecretVerdict = iota
	SecretAccepted
	SecretWrong // or no such client
)

// SecretProbe is a verdict and what it rests on.
type SecretProbe struct {
	Verdict  SecretVerdict
	Evidence string
}

// ProbeSecret redeems a code that was never given: the answer tells whether the secret is right. Nothing is made.
func (c *Client) ProbeSecret(ctx context.Context, d Discovery, clientID, secret, redirectURI string) (SecretProbe, error) {
	_, err := c.token(ctx, d, "try the client secret", url.Values{"grant_type": {"authorization_code"}, "code": {"authbird-never-given"},
		"client_id": {clientID}, "client_secret": {secret}, "redirect_uri": {redirectURI}}, nil, secret)
	var e *clients.Error
	if !errors.As(err, &e) || len(e.Fields["error"]) == 0 {
		return SecretProbe{Evidence: "the token endpoint said nothing of it"}, err
	}
	switch said := e.Fields["error"][0]; said {
	case "invalid_grant":
		return SecretProbe{Verdict: SecretAccepted, Evidence: said}, nil
	case "invalid_client":
		return SecretProbe{Verdict: SecretWrong, Evidence: said}, nil
	default:
		return SecretProbe{Evidence: clients.CleanN(said, 80)}, nil
	}
}

// token asks the token endpoint.
func (c *Client) token(ctx context.Context, d Discovery, op string, form url.Values, out any, secrets ...string) (clients.Answer, error) {
	call, err := d.at(clients.Call{Op: op, Method: http.MethodPost, Secrets: secrets}, d.TokenEndpoint)
	if err != nil {
		return clients.Answer{}, err
	}
	call.Body, call.ContentType = []byte(form.Encode()), "application/x-www-form-urlencoded"
	return c.tr.JSON(ctx, call, nil, out)
}

// ServiceToken is what the service account gets, as NetBird gets it.
type ServiceToken struct {
	Token    string // a secret: a bearer token for Authentik's API
	Scope    string // "" where the provider lacks the mapping of the scope, or (before 2025.6) always
	HasScope bool   // the answer had a scope field at all
	Expires  time.Duration
}

// ServiceToken logs in the service account by its app password, as NetBird does: grant client_credentials, no
// client secret. Refused, with the field "error" invalid_grant, for a wrong password, a wrong user, a user who may
// not open the application, or an application without provider: they all look alike here.
func (c *Client) ServiceToken(ctx context.Context, d Discovery, clientID, username, password, scope string) (ServiceToken, error) {
	var answer struct {
		Token   string  `json:"access_token"`
		Scope   *string `json:"scope"`
		Expires int     `json:"expires_in"`
	}
	_, err := c.token(ctx, d, "sign in as the service account", url.Values{"grant_type": {"client_credentials"}, "client_id": {clientID},
		"username": {username}, "password": {password}, "scope": {scope}}, &answer, password)
	out := ServiceToken{Token: answer.Token, HasScope: answer.Scope != nil, Expires: time.Duration(answer.Expires) * time.Second}
	if answer.Scope != nil {
		out.Scope = *answer.Scope
	}
	return out, err
}

// Claims is what a verified token says.
type Claims struct {
	Issuer, Subject  string
	Audience         []string
	Expiry, IssuedAt time.Time
}

// Verify checks a token as NetBird does: by a key of the key set, RSA, issued by the issuer, for that client.
func (c *Client) Verify(ctx context.Context, d Discovery, clientID, token string) (Claims, error) {
	call, err := d.at(clients.Call{Op: "read the key set", Method: http.MethodGet}, d.JWKSURI)
	if err != nil {
		return Claims{}, err
	}
	keys := coreoidc.NewRemoteKeySet(coreoidc.ClientContext(ctx, c.tr.HTTPClient(call)), d.JWKSURI)
	verifier := coreoidc.NewVerifier(d.Issuer, keys, &coreoidc.Config{ClientID: clientID, SupportedSigningAlgs: []string{coreoidc.RS256}})
	t, err := verifier.Verify(ctx, token)
	if err != nil {
		return Claims{}, problem(clients.Call{Server: "Authentik", Op: "verify the token"}, clients.Refused, 0, clients.CleanN(err.Error(), 200))
	}
	return Claims{Issuer: t.Issuer, Subject: t.Subject, Audience: t.Audience, Expiry: t.Expiry, IssuedAt: t.IssuedAt}, nil
}

// Device is a sign-in with a code that was begun.
type Device struct {
	UserCode    string
	URL         string
	CompleteURL string
	Interval    time.Duration
	ExpiresIn   time.Duration
}

// StartDevice begins a sign-in with a code. Authentik throttles it to about 20 an hour (NotNow), and answers also
// where the brand has no flow for it: ask the brand first.
func (c *Client) StartDevice(ctx context.Context, d Discovery, clientID, scope string) (Device, error) {
	call, err := d.at(clients.Call{Op: "begin a sign-in with a code", Method: http.MethodPost}, d.DeviceEndpoint)
	if err != nil {
		return Device{}, err
	}
	call.Body, call.ContentType = []byte(url.Values{"client_id": {clientID}, "scope": {scope}}.Encode()), "application/x-www-form-urlencoded"
	var answer struct {
		UserCode  json.Number `json:"user_code"`
		URL       string      `json:"verification_uri"`
		Complete  string      `json:"verification_uri_complete"`
		ExpiresIn int         `json:"expires_in"`
		Interval  int         `json:"interval"`
	}
	_, err = c.tr.JSON(ctx, call, nil, &answer)
	return Device{UserCode: answer.UserCode.String(), URL: answer.URL, CompleteURL: answer.Complete,
		Interval: time.Duration(answer.Interval) * time.Second, ExpiresIn: time.Duration(answer.ExpiresIn) * time.Second}, err
}
