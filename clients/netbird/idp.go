package netbird

import (
	"context"
	"encoding/json"
	"net/http"
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
	return IdentityProvider{ID: value(p.Id), Type: string(p.Type), Name: p.Name, Issuer: p.Issuer, ClientID: p.ClientId}
}

func providerPath(op, id string) (string, error) {
	at, err := segment(op, id)
	return "/api/identity-providers/" + at, err
}

func (s IdentityProviderSpec) request() api.IdentityProviderRequest {
	return api.IdentityProviderRequest{Type: api.IdentityProviderType(s.Type), Name: s.Name, Issuer: s.Issuer, ClientId: s.ClientID, ClientSecret: s.ClientSecret}
}

// IdentityProvider reads one. Absent where there is none.
func (c *Client) IdentityProvider(ctx context.Context, id string) (IdentityProvider, error) {
	const op = "read the identity provider"
	var p api.IdentityProvider
	at, err := providerPath(op, id)
	if err == nil {
		err = c.get(ctx, op, at, &p)
	}
	return readProvider(p), err
}

// CreateIdentityProvider makes a connector. NetBird fetches the issuer's discovery and checks nothing else: neither
// the credentials nor whether an equal connector stands there.
func (c *Client) CreateIdentityProvider(ctx context.Context, s IdentityProviderSpec) (IdentityProvider, error) {
	const op = "create the identity provider"
	var p api.IdentityProvider
	err := c.send(ctx, op, http.MethodPost, "/api/identity-providers", s.request(), &p, s.ClientSecret)
	if err == nil && (p.Id == nil || *p.Id == "") {
		err = problem(c.call(op, http.MethodPost, "/api/identity-providers"), clients.Unknown, http.StatusOK, "the answer names no id")
	}
	return readProvider(p), err
}

// UpdateIdentityProvider changes a connector. If it has been opened since NetBird started (by a login, or a look at
// its login page), logins use the old values until NetBird restarts. Absent where there is none.
func (c *Client) UpdateIdentityProvider(ctx context.Context, id string, s IdentityProviderSpec) (IdentityProvider, error) {
	const op = "change the identity provider"
	at, err := providerPath(op, id)
	if err != nil {
		return IdentityProvider{}, err
	}
	var p api.IdentityProvider
	err = c.send(ctx, op, http.MethodPut, at, s.request(), &p, s.ClientSecret)
	p.Id = &id
	return readProvider(p), err
}

// DeleteIdentityProvider removes one. A connector that replaces it makes every user a new one.
func (c *Client) DeleteIdentityProvider(ctx context.Context, id string) error {
	const op = "delete the identity provider"
	at, err := providerPath(op, id)
	if err != nil {
		return err
	}
	return c.send(ctx, op, http.MethodDelete, at, nil, nil)
}

// Reach is whether NetBird's own network reaches an address.
type Reach struct {
	Reached        bool   // something answered NetBird by HTTP at that address with what Authentik would say (404)
	Status         int    // the HTTP status that NetBird got, 0 where it told none
	LooksAuthentik bool   // the page that it got names Authentik
	Said           string // NetBird's reason, in its words, cut
}

// ProbeReach asks NetBird for a connector whose issuer doesn't exist (<authentik>/application/o/<random>/). NetBird
// fetches it and must refuse, and says what it met: a test of the way from there, which changes nothing. Unsupported
// before v0.62.2, which takes any issuer unseen: the connector that it makes is deleted at once.
func (c *Client) ProbeReach(ctx context.Context, issuer string) (Reach, error) {
	call := c.call("ask NetBird whether it reaches Authentik", http.MethodPost, "/api/identity-providers")
	spec := IdentityProviderSpec{Type: TypeOIDC, Name: "authbird reach probe", Issuer: issuer, ClientID: "authbird", ClientSecret: "authbird"}
	var made api.IdentityProvider
	a, err := c.tr.JSON(ctx, call, spec.request(), &made)
	if err == nil {
		if err := c.DeleteIdentityProvider(ctx, value(made.Id)); err != nil {
			return Reach{}, err
		}
		return Reach{}, problem(call, clients.Unsupported, a.Status, "this version takes an issuer without looking at it")
	}
	var refusal struct {
		Message string `json:"message"`
	}
	if a.Status != http.StatusUnprocessableEntity || json.Unmarshal(a.Body, &refusal) != nil {
		return Reach{}, classify(err)
	}
	return readReach(refusal.Message), nil
}

// What NetBird says begins with one of these, then quotes what it met: an HTTP status with the whole page, or the
// error of the attempt behind the address in quotation marks.
const unreachable = "identity provider issuer is unreachable: "

var (
	metStatus = regexp.MustCompile(`^([1-5][0-9][0-9]) ([^:]*): ?`)
	triedGet  = regexp.MustCompile(`^get "[^"]*": `)
)

// readReach reads NetBird's reason. Its texts are lower case, the page that it met included.
func readReach(message string) Reach {
	said, ok := strings.CutPrefix(message, unreachable)
	if !ok {
		return Reach{Said: clients.Reason(message)}
	}
	if m := metStatus.FindStringSubmatch(said); m != nil {
		status, _ := strconv.Atoi(m[1])
		page := said[len(m[0]):]
		return Reach{Reached: status == http.StatusNotFound, Status: status, Said: clients.CleanN(m[1]+" "+m[2], 120),
			LooksAuthentik: strings.Contains(page, "authentik")}
	}
	return Reach{Said: clients.Reason(triedGet.ReplaceAllString(said, ""))}
}
