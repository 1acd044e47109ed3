// Package oidc asks Authentik's OpenID endpoints what NetBird will ask them: discovery, keys, authorize, token,
// device. No call here logs anyone in.
//
// It promises: the issuer is kept byte for byte; an address out of a discovery is followed only on the host that
// the person gave; a verdict comes with the evidence it rests on, and where that isn't clear the verdict is
// Unclear. It refuses to leave traces: no probe stores a redirect URI or creates a user.
package oidc

import (
	"context"
	"errors"
	"time"

	"authbird/clients"
)

var errLater = errors.New("not built yet")

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
func Endpoints(base, slug string) Discovery { return Discovery{} }

// Discover reads the discovery document of that application. Absent where the application has no provider, or
// doesn't exist. Addresses on another host are told in Foreign and refused when they are to be followed.
func (c *Client) Discover(ctx context.Context, base, slug string) (Discovery, error) {
	return Discovery{}, errLater
}

// Key is one public key of a key set.
type Key struct {
	ID   string // kid
	Type string // kty: "RSA", "EC"
	Alg  string
	Use  string
}

// Keys is the key set; empty where the provider has no signing key.
func (c *Client) Keys(ctx context.Context, d Discovery) ([]Key, error) { return nil, errLater }

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
	return Authorization{}, errLater
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
	return SecretProbe{}, errLater
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
	return ServiceToken{}, errLater
}

// Claims is what a verified token says.
type Claims struct {
	Issuer, Subject  string
	Audience         []string
	Expiry, IssuedAt time.Time
}

// Verify checks a token as NetBird does: by a key of the key set, RSA, issued by the issuer, for that client.
func (c *Client) Verify(ctx context.Context, d Discovery, clientID, token string) (Claims, error) {
	return Claims{}, errLater
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
	return Device{}, errLater
}
