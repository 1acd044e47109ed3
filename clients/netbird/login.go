package netbird

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"authbird/clients"
)

// EmbeddedIdP is NetBird's own identity provider, by its discovery document.
type EmbeddedIdP struct {
	Issuer         string
	AuthEndpoint   string
	TokenEndpoint  string
	DeviceEndpoint string
	JWKSURI        string
}

// RedirectURI is where a connector's provider sends people back to: one address for all connectors.
func (e EmbeddedIdP) RedirectURI() string { return strings.TrimRight(e.Issuer, "/") + "/callback" }

// LogoutURI is the address that NetBird's documentation has registered beside it.
func (e EmbeddedIdP) LogoutURI() string { return strings.TrimRight(e.Issuer, "/") + "/logout/callback" }

// EmbeddedIdP reads the discovery. Absent where the embedded provider is off (or its issuer is not at /oauth2).
func (c *Client) EmbeddedIdP(ctx context.Context) (EmbeddedIdP, error) {
	call := c.call("read the embedded IdP's discovery", http.MethodGet, "/oauth2/.well-known/openid-configuration")
	call.Token = ""
	var d struct {
		Issuer string `json:"issuer"`
		Auth   string `json:"authorization_endpoint"`
		Token  string `json:"token_endpoint"`
		Device string `json:"device_authorization_endpoint"`
		Keys   string `json:"jwks_uri"`
	}
	a, err := c.tr.JSON(ctx, call, nil, &d)
	// Where the embedded provider is off the address is unknown, or the dashboard answers it with its page.
	if a.Status == http.StatusNotFound || a.Status == http.StatusOK && clients.KindOf(err) == clients.WrongServer {
		return EmbeddedIdP{}, problem(call, clients.Absent, a.Status, "there is none at /oauth2")
	}
	if err == nil && d.Issuer == "" {
		err = problem(call, clients.WrongServer, a.Status, "the document names no issuer")
	}
	return EmbeddedIdP{Issuer: d.Issuer, AuthEndpoint: d.Auth, TokenEndpoint: d.Token, DeviceEndpoint: d.Device, JWKSURI: d.Keys}, err
}

// LoginStart is where NetBird sends a person who logs in by a connector.
type LoginStart struct {
	Origin      string // scheme://host[:port] of the connector's provider, as NetBird uses it now
	ClientID    string
	RedirectURI string
}

// StartLogin begins a login by that connector and tells what NetBird then names to its provider.
// It opens the connector: from then on a change of it needs a restart of NetBird.
func (c *Client) StartLogin(ctx context.Context, issuer, connectorID string) (LoginStart, error) {
	login := oauth2.Config{ClientID: "netbird-cli", RedirectURL: cliRedirect, Scopes: []string{"openid", "profile", "email"},
		Endpoint: oauth2.Endpoint{AuthURL: strings.TrimRight(issuer, "/") + "/auth/" + url.PathEscape(connectorID)}}
	at := login.AuthCodeURL("authbird", oauth2.S256ChallengeOption(oauth2.GenerateVerifier()))
	const op = "start a login by the connector"
	call := clients.Call{Server: product, Op: op, Method: http.MethodGet, URL: at, Page: true}
	if err := c.ours(call); err != nil {
		return LoginStart{}, err
	}
	a, err := c.tr.Do(ctx, call)
	if err != nil {
		return LoginStart{}, err
	}
	next, err := url.Parse(a.Header.Get("Location"))
	if err != nil || next.Query().Get("redirect_uri") == "" {
		return LoginStart{}, problem(call, clients.Refused, a.Status, "NetBird doesn't send people on to the connector's provider")
	}
	q := next.Query()
	return LoginStart{Origin: next.Scheme + "://" + next.Host, ClientID: q.Get("client_id"), RedirectURI: q.Get("redirect_uri")}, nil
}

// DeviceLogin is a sign-in with a code, under way.
type DeviceLogin struct {
	DeviceCode  string // a secret
	UserCode    string
	URL         string        // where the code is typed
	CompleteURL string        // the same with the code in it, "" where there is none
	Interval    time.Duration // to wait between polls
	ExpiresIn   time.Duration
}

// StartDeviceLogin asks the embedded provider for a code, as the client netbird-cli.
func (c *Client) StartDeviceLogin(ctx context.Context, idp EmbeddedIdP) (DeviceLogin, error) {
	var d struct {
		DeviceCode string `json:"device_code"`
		UserCode   string `json:"user_code"`
		URL        string `json:"verification_uri"`
		Complete   string `json:"verification_uri_complete"`
		ExpiresIn  int    `json:"expires_in"`
		Interval   int    `json:"interval"`
	}
	err := c.form(ctx, "ask for a code to sign in with", idp.DeviceEndpoint, url.Values{"client_id": {"netbird-cli"}, "scope": {"openid profile email"}}, &d)
	return DeviceLogin{DeviceCode: d.DeviceCode, UserCode: clients.CleanN(d.UserCode, 40), URL: d.URL, CompleteURL: d.Complete,
		Interval: time.Duration(max(d.Interval, 1)) * time.Second, ExpiresIn: time.Duration(d.ExpiresIn) * time.Second}, err
}

// ours refuses a call that the server's own word leads to another host than the person gave.
func (c *Client) ours(call clients.Call) error {
	if clients.SameOrigin(call.URL, c.base) {
		return nil
	}
	return problem(call, clients.WrongServer, 0, "its embedded provider points to another address than "+c.base)
}

// form posts a form to an endpoint of the embedded provider, which must be on this server.
func (c *Client) form(ctx context.Context, op, endpoint string, values url.Values, out any, secrets ...string) error {
	call := clients.Call{Server: product, Op: op, Method: http.MethodPost, URL: endpoint, Secrets: secrets,
		Body: []byte(values.Encode()), ContentType: "application/x-www-form-urlencoded"}
	if err := c.ours(call); err != nil {
		return err
	}
	_, err := c.tr.JSON(ctx, call, nil, out)
	return err
}

// DeviceState is how far a sign-in with a code is.
type DeviceState int

// The states of a sign-in with a code.
const (
	DevicePending  DeviceState = iota // nobody has signed in yet
	DeviceSlowDown                    // the same, and polls come too fast: add five seconds
	DeviceDone                        // signed in: the token is there
	DeviceExpired                     // too late: begin again
	DeviceDenied                      // the person, or NetBird, said no
)

// DevicePoll is the answer to one poll.
type DevicePoll struct {
	State DeviceState
	Token string // a JWT for the API, good for a day: a secret
}

// PollDeviceLogin asks once. It doesn't wait: the caller keeps to the interval.
func (c *Client) PollDeviceLogin(ctx context.Context, idp EmbeddedIdP, d DeviceLogin) (DevicePoll, error) {
	var answer struct {
		IDToken string `json:"id_token"`
	}
	err := c.form(ctx, "ask whether the code was used", idp.TokenEndpoint, url.Values{
		"grant_type": {"urn:ietf:params:oauth:grant-type:device_code"}, "device_code": {d.DeviceCode}, "client_id": {"netbird-cli"},
	}, &answer, d.DeviceCode)
	if err == nil && answer.IDToken == "" {
		return DevicePoll{State: DeviceDenied}, nil
	}
	if err == nil {
		return DevicePoll{State: DeviceDone, Token: answer.IDToken}, nil
	}
	if state, known := deviceState(err); known {
		return DevicePoll{State: state}, nil
	}
	return DevicePoll{}, err
}

func deviceState(err error) (DeviceState, bool) {
	var e *clients.Error
	if !errors.As(err, &e) || len(e.Fields["error"]) == 0 {
		return 0, false
	}
	state, known := map[string]DeviceState{
		"authorization_pending": DevicePending, "slow_down": DeviceSlowDown, "expired_token": DeviceExpired, "access_denied": DeviceDenied,
	}[e.Fields["error"][0]]
	return state, known
}
