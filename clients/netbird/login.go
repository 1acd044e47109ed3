package netbird

import (
	"context"
	"time"
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
func (e EmbeddedIdP) RedirectURI() string { return "" }

// LogoutURI is the address that NetBird's documentation has registered beside it.
func (e EmbeddedIdP) LogoutURI() string { return "" }

// EmbeddedIdP reads the discovery. Absent where the embedded provider is off (or its issuer is not at /oauth2).
func (c *Client) EmbeddedIdP(ctx context.Context) (EmbeddedIdP, error) {
	return EmbeddedIdP{}, errLater
}

// StartLogin begins a login by that connector and gives the redirect_uri that NetBird then names to its provider.
// It opens the connector: from then on a change of it needs a restart of NetBird.
func (c *Client) StartLogin(ctx context.Context, issuer, connectorID string) (redirectURI string, err error) {
	return "", errLater
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
	return DeviceLogin{}, errLater
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
	return DevicePoll{}, errLater
}
