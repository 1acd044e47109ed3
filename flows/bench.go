package flows

import (
	"context"
	"io"
	"net/url"
	"time"

	"authbird/clients"
	"authbird/clients/authentik"
	"authbird/clients/netbird"
	"authbird/clients/oidc"
	"authbird/facts"
	"authbird/keystore"
	"authbird/state"
)

// Bench is where setups are worked on; there is one for the process.
type Bench struct {
	State *state.Dir
	// OpenKeys opens the keystore of that kind; "" is the keyring where it can
	// be had, else the age file. It asks for the passphrase where it must.
	OpenKeys func(ctx context.Context, kind keystore.Kind) (*keystore.Store, error)
	// Transport makes the HTTP transport that trusts the CA file besides the
	// system's ("" for none).
	Transport func(caFile string) (*clients.Transport, error)
	Now       func() time.Time
	Rand      io.Reader
	Wait      func(context.Context, time.Duration) error
	// Docker says what this machine lacks of Docker and Compose; nil: nobody looks.
	Docker func(context.Context) error
	// Refuse says why these answers are not worked with here, before anything is
	// read for them; nil: all are. It is how people who come over the network are
	// kept from naming this machine's files and commands.
	Refuse func(state.Answers) error
	// Shell runs a command that a person gave for a setup, and returns what it
	// printed; nil: none can be run here.
	Shell func(ctx context.Context, command string) (output string, err error)
	// Forgets says that state and secrets end with the process, as everybody
	// there knows: the sandbox.
	Forgets bool
}

// Tokens are the two admin tokens, as a person gave them for this run; empty
// ones are looked for in the keystore.
type Tokens struct{ Authentik, NetBird string }

// Defaults are the answers that the documentation gives.
func (b *Bench) Defaults(mode state.Mode) state.Answers {
	a := state.Answers{
		Mode: mode, Name: "NetBird", Slug: "netbird",
		AuthorizationFlow: "default-provider-authorization-explicit-consent",
	}
	if mode == state.Standalone {
		a.ServiceAccount, a.EnvFile = "Netbird", "setup.env"
		a.Rights, a.RedirectMode, a.EnvSecret, a.DeviceFlow = RightsAdmins, RedirectsDocumented, EnvSecretWrite, DeviceFlowKeep
		return a
	}
	a.ConnectorName, a.ConnectorType = "Authentik", netbird.TypeAuthentik
	return a
}

// SetupName is the default name of a setup: NetBird's domain or host.
func SetupName(a state.Answers) string {
	if a.NetBirdDomain != "" {
		return a.NetBirdDomain
	}
	u, err := url.Parse(a.NetBirdURL)
	if err != nil || u.Host == "" {
		return "netbird"
	}
	return u.Host
}

// servers are the clients of the two servers that the answers name.
type servers struct {
	authentik *authentik.Client
	netbird   *netbird.Client
	oidc      *oidc.Client
}

func (b *Bench) servers(a state.Answers, t Tokens) (servers, error) {
	if err := b.refuses(a); err != nil {
		return servers{}, err
	}
	tr, err := b.Transport(a.CAFile)
	if err != nil {
		return servers{}, err
	}
	return serversOver(tr, a, t)
}

// serversOver is the clients over a transport.
func serversOver(tr *clients.Transport, a state.Answers, t Tokens) (servers, error) {
	ak, err := authentik.New(authentikURL(a), t.Authentik, tr)
	if err != nil {
		return servers{}, err
	}
	nb, err := netbird.New(netBirdURL(a), t.NetBird, tr)
	if err != nil {
		return servers{}, err
	}
	return servers{authentik: ak, netbird: nb, oidc: oidc.New(tr)}, nil
}

func (b *Bench) refuses(a state.Answers) error {
	if b.Refuse == nil {
		return nil
	}
	if err := b.Refuse(a); err != nil {
		return &Stopped{Reason: NeedsPerson, Err: err}
	}
	return nil
}

// netBirdURL is where NetBird is, or will be.
// Before it was asked for, Authentik's stands in for it, and is not asked.
func netBirdURL(a state.Answers) string {
	switch {
	case a.NetBirdURL != "":
		return a.NetBirdURL
	case a.NetBirdDomain != "":
		return "https://" + a.NetBirdDomain
	}
	return a.AuthentikURL
}

// authentikURL is where Authentik is; before it was asked for, NetBird's stands
// in for it, and is not asked.
func authentikURL(a state.Answers) string {
	if a.AuthentikURL == "" {
		return a.NetBirdURL
	}
	return a.AuthentikURL
}

func (b *Bench) reader(s servers) *facts.Reader {
	return &facts.Reader{Authentik: s.authentik, NetBird: s.netbird, OIDC: s.oidc, Now: b.Now, Rand: b.Rand}
}
