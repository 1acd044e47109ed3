package netbird

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"github.com/netbirdio/netbird/shared/management/http/api"

	"authbird/clients"
)

// Types of a connector that authbird makes.
const (
	TypeAuthentik = "authentik"
	TypeOIDC      = "oidc"
)

// IdentityProvider is a connector. Its secret is in no answer.
type IdentityProvider struct {
	ID       string
	Type     string
	Name     string
	Issuer   string // byte for byte what the provider's discovery says
	ClientID string
}

// IdentityProviderSpec is a connector to create or to change.
type IdentityProviderSpec struct {
	Type         string // can't be changed later
	Name         string
	Issuer       string
	ClientID     string
	ClientSecret string // on a change, empty keeps the old one
}

// IdentityProviders is all connectors. It is empty, too, where the embedded provider is off.
func (c *Client) IdentityProviders(ctx context.Context) ([]IdentityProvider, error) {
	var answer []api.IdentityProvider
	if err := c.get(ctx, "read the identity providers", "/api/identity-providers", &answer); err != nil {
		return nil, err
	}
	out := make([]IdentityProvider, 0, len(answer))
	for _, p := range answer {
		out = append(out, readProvider(p))
	}
	return out, nil
}

func readProvider(p api.IdentityProvider) IdentityProvider {
	out := IdentityProvider{Type: string(p.Type), Name: p.Name, Issuer: p.Issuer, ClientID: p.ClientId}
	if p.Id != nil {
		out.ID = *p.Id
	}
	return out
}

func providerPath(id string) string { return "/api/identity-providers/" + url.PathEscape(id) }

func (s IdentityProviderSpec) request() api.IdentityProviderRequest {
	return api.IdentityProviderRequest{Type: api.IdentityProviderType(s.Type), Name: s.Name, Issuer: s.Issuer, ClientId: s.ClientID, ClientSecret: s.ClientSecret}
}

// IdentityProvider reads one. Absent where there is none.
func (c *Client) IdentityProvider(ctx context.Context, id string) (IdentityProvider, error) {
	var p api.IdentityProvider
	err := c.get(ctx, "read the identity provider", providerPath(id), &p)
	return readProvider(p), err
}

// CreateIdentityProvider makes a connector. NetBird fetches the issuer's discovery and checks nothing else: neither
// the credentials nor whether an equal connector stands there.
func (c *Client) CreateIdentityProvider(ctx context.Context, s IdentityProviderSpec) (IdentityProvider, error) {
	const op = "create the identity provider"
	var p api.IdentityProvider
	err := c.send(ctx, op, http.MethodPost, "/api/identity-providers", s.request(), &p, s.ClientSecret)
	if err == nil && (p.Id == nil || *p.Id == "") {
		err = &clients.Error{Kind: clients.Unknown, Server: "NetBird", Op: op, Method: http.MethodPost, Message: "the answer names no id"}
	}
	return readProvider(p), err
}

// UpdateIdentityProvider changes a connector. If it has been opened since NetBird started (by a login, or a look at
// its login page), logins use the old values until NetBird restarts. Where there is none NetBird answers 500, which
// is Unknown: look.
func (c *Client) UpdateIdentityProvider(ctx context.Context, id string, s IdentityProviderSpec) (IdentityProvider, error) {
	var p api.IdentityProvider
	err := c.send(ctx, "change the identity provider", http.MethodPut, providerPath(id), s.request(), &p, s.ClientSecret)
	p.Id = &id
	return readProvider(p), err
}

// DeleteIdentityProvider removes one. A connector that replaces it makes every user a new one.
func (c *Client) DeleteIdentityProvider(ctx context.Context, id string) error {
	return c.send(ctx, "delete the identity provider", http.MethodDelete, providerPath(id), nil, nil)
}

// Reach is whether NetBird's own network reaches an address.
type Reach struct {
	Reached        bool   // something answered NetBird by HTTP at that address with what Authentik would say (404)
	Status         int    // the HTTP status that NetBird got, 0 where it told none
	LooksAuthentik bool   // the page that it got names Authentik
	Said           string // NetBird's reason, in its words, cut
}

// ProbeReach asks NetBird for a connector whose issuer doesn't exist (<authentik>/application/o/<random>/). NetBird
// fetches it and must refuse, and says what it met: a test of the way from there, which changes nothing.
func (c *Client) ProbeReach(ctx context.Context, issuer string) (Reach, error) {
	made, err := c.CreateIdentityProvider(ctx, IdentityProviderSpec{Type: TypeOIDC, Name: "authbird reach probe", Issuer: issuer, ClientID: "authbird", ClientSecret: "authbird"})
	if err == nil { // whatever answers there, it is no Authentik; nothing may be left behind
		return Reach{Said: "something answers for an application that doesn't exist"}, c.DeleteIdentityProvider(ctx, made.ID)
	}
	var e *clients.Error
	if !errors.As(err, &e) || e.Status != http.StatusUnprocessableEntity {
		return Reach{}, err
	}
	return readReach(e.Message, issuer), nil
}

const unreachable = "identity provider issuer is unreachable: "

var reachStatus = regexp.MustCompile(`^([1-5][0-9][0-9]) `)

// readReach reads NetBird's reason. Its texts are lower case, the page that it met included.
func readReach(said, issuer string) Reach {
	rest, ok := strings.CutPrefix(said, unreachable)
	if !ok {
		return Reach{Said: said}
	}
	r := Reach{Said: strings.TrimPrefix(rest, `get "`+strings.ToLower(strings.TrimRight(issuer, "/"))+`/.well-known/openid-configuration": `)}
	if m := reachStatus.FindStringSubmatch(rest); m != nil {
		r.Status, _ = strconv.Atoi(m[1])
	}
	r.LooksAuthentik = strings.Contains(rest, "authentik")
	r.Reached = r.Status == http.StatusNotFound
	r.Said = cmp.Or(r.Said, rest)
	return r
}
