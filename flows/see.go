package flows

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"authbird/clients"
	"authbird/clients/authentik"
	"authbird/clients/netbird"
	"authbird/doctor"
	"authbird/facts"
	"authbird/hostfiles"
	"authbird/state"
)

// AuthentikSeen is what a look at an Authentik tells before there is a setup.
type AuthentikSeen struct {
	URL          string
	Version      string // with a token only, as all below but the clock and the certificate
	Username     string
	Superuser    bool
	TokenKnown   bool      // whether the token's end could be read: it can where all of the owner's API tokens end alike
	TokenExpires time.Time // zero: never
	Clock        time.Duration
	CertNotAfter time.Time
	TokenPage    string // where in this Authentik an API token is made
}

// SeeAuthentik asks who is there and, with a token, whose it is.
func (b *Bench) SeeAuthentik(ctx context.Context, a state.Answers, token string) (AuthentikSeen, error) {
	s, err := b.servers(a, Tokens{Authentik: token})
	if err != nil {
		return AuthentikSeen{}, err
	}
	hello, err := s.authentik.Hello(ctx)
	if err != nil {
		return AuthentikSeen{}, err
	}
	seen := AuthentikSeen{URL: s.authentik.BaseURL(), CertNotAfter: hello.Meta.CertNotAfter, TokenPage: s.authentik.BaseURL() + "/if/admin/#/core/tokens"}
	seen.Clock, _ = hello.Meta.ClockDifference()
	if token == "" {
		return seen, nil
	}
	return seen, seen.ask(ctx, s.authentik)
}

func (seen *AuthentikSeen) ask(ctx context.Context, c *authentik.Client) error {
	me, err := c.Me(ctx)
	if err != nil {
		return err
	}
	seen.Username, seen.Superuser = clients.Clean(me.Username), me.Superuser
	version, err := c.Version(ctx)
	if err != nil {
		return err
	}
	seen.Version = clients.CleanN(version, 40)
	tokens, err := c.Tokens(ctx, authentik.TokenFilter{Intent: authentik.IntentAPI, Username: me.Username})
	if err != nil {
		return nil // a token that may not list tokens still serves
	}
	seen.TokenExpires, seen.TokenKnown = doctor.TokenEnd(tokens)
	return nil
}

// NetBirdSeen is what a look at a NetBird tells before there is a setup.
type NetBirdSeen struct {
	URL           string
	SetupRequired bool // fresh: it has no owner
	EmbeddedIdP   bool
	Version       string // with a token only, as all below but the clock and the certificate
	User          string
	UserID        string
	Role          string
	Domain        string
	MayWrite      bool
	Clock         time.Duration
	CertNotAfter  time.Time
	TokenPage     string // where in this NetBird a personal access token is made
}

// SeeNetBird asks who is there and, with a token, whose it is.
func (b *Bench) SeeNetBird(ctx context.Context, a state.Answers, token string) (NetBirdSeen, error) {
	s, err := b.servers(a, Tokens{NetBird: token})
	if err != nil {
		return NetBirdSeen{}, err
	}
	instance, err := s.netbird.Instance(ctx)
	if err != nil {
		return NetBirdSeen{}, err
	}
	seen := NetBirdSeen{
		URL: s.netbird.BaseURL(), SetupRequired: instance.SetupRequired,
		CertNotAfter: instance.Meta.CertNotAfter, TokenPage: s.netbird.BaseURL() + "/team/users",
	}
	seen.Clock, _ = instance.Meta.ClockDifference()
	_, err = s.netbird.EmbeddedIdP(ctx)
	if seen.EmbeddedIdP = err == nil; err != nil && clients.KindOf(err) != clients.Absent {
		return seen, err
	}
	if token == "" {
		return seen, nil
	}
	return seen, seen.ask(ctx, b.reader(s), s.netbird)
}

func (seen *NetBirdSeen) ask(ctx context.Context, r *facts.Reader, c *netbird.Client) error {
	me := r.NetBirdUser(ctx)
	if me.Err != nil {
		return me.Err
	}
	seen.UserID = me.Value.ID
	seen.User, seen.Role = clients.Clean(first(me.Value.Name, me.Value.Email)), clients.Clean(me.Value.Role)
	seen.MayWrite = doctor.MayMakeConnectors(me.Value)
	if version, err := c.Version(ctx); err == nil {
		seen.Version = clients.CleanN(version, 40)
	} else if clients.KindOf(err) != clients.Unsupported {
		return err
	}
	accounts, err := c.Accounts(ctx)
	if err == nil && len(accounts) > 0 {
		seen.Domain = clients.Clean(accounts[0].Domain)
	}
	return err
}

// Choice is one entry of a list that a person chooses from.
type Choice struct{ Value, Label, Note string }

// Choices are the lists that the real servers fill.
type Choices struct {
	AuthorizationFlows []Choice
	SigningKeys        []Choice
	Groups             []Choice
	MoreGroups         bool   // there are others than these
	Management         string // a management.json beside setup.env: NetBird is set up there already
}

// Choices reads them.
func (b *Bench) Choices(ctx context.Context, a state.Answers, t Tokens) (Choices, error) {
	s, err := b.servers(a, t)
	if err != nil {
		return Choices{}, err
	}
	var c Choices
	if a.Mode == state.Standalone {
		c.Management = hostfiles.Standing(filepath.Dir(a.EnvFile))
	}
	flows, err := s.authentik.Flows(ctx)
	if err != nil {
		return c, err
	}
	for _, f := range flows {
		if f.Designation == "authorization" {
			c.AuthorizationFlows = append(c.AuthorizationFlows, Choice{Value: f.Slug, Label: clients.Clean(f.Slug), Note: clients.Clean(f.Name)})
		}
	}
	keys, err := s.authentik.SigningKeys(ctx)
	if err != nil {
		return c, err
	}
	for _, k := range keys {
		if k.KeyType == "rsa" || k.KeyType == "" {
			c.SigningKeys = append(c.SigningKeys, Choice{Value: k.Name, Label: clients.Clean(k.Name), Note: keyNote(k)})
		}
	}
	groups, more, err := s.authentik.Groups(ctx, "")
	if err != nil {
		return c, err
	}
	c.MoreGroups = more
	for _, g := range groups {
		c.Groups = append(c.Groups, Choice{Value: g.Name, Label: clients.Clean(g.Name)})
	}
	slices.SortFunc(c.AuthorizationFlows, func(x, y Choice) int { return compareDocumented(x.Value, y.Value) })
	return c, nil
}

// compareDocumented puts the flow that the documentation names first.
func compareDocumented(x, y string) int {
	const documented = "default-provider-authorization-explicit-consent"
	switch {
	case x == y:
		return 0
	case x == documented || y != documented && x < y:
		return -1
	}
	return 1
}

func keyNote(k authentik.KeyPair) string {
	end, err := time.Parse(time.RFC3339, k.CertExpiry)
	if err != nil {
		return ""
	}
	return fmt.Sprintf("until %s", end.Format("2 January 2006"))
}

func first(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}
