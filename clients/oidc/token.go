package oidc

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"authbird/clients"
)

const formType = "application/x-www-form-urlencoded"

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
	call.Body, call.ContentType = []byte(form.Encode()), formType
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
	call.Body, call.ContentType = []byte(url.Values{"client_id": {clientID}, "scope": {scope}}.Encode()), formType
	var answer struct {
		UserCode  string `json:"user_code"`
		URL       string `json:"verification_uri"`
		Complete  string `json:"verification_uri_complete"`
		ExpiresIn int    `json:"expires_in"`
		Interval  int    `json:"interval"`
	}
	_, err = c.tr.JSON(ctx, call, nil, &answer)
	return Device{UserCode: clients.CleanN(answer.UserCode, 40), URL: answer.URL, CompleteURL: answer.Complete,
		Interval: time.Duration(answer.Interval) * time.Second, ExpiresIn: time.Duration(answer.ExpiresIn) * time.Second}, err
}
