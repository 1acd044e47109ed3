// Package oidc asks Authentik's OpenID endpoints what NetBird will ask them: discovery, keys, authorize, token,
// device. No call here logs anyone in.
//
// It promises: the issuer is kept byte for byte; an address out of a discovery is followed only on the host that
// the person gave; a verdict comes with the evidence it rests on, and where that isn't clear the verdict is
// Unclear. It refuses to leave traces: no probe stores a redirect URI or creates a user.
package oidc

import (
	"context"
	"net/http"
	"net/url"

	"authbird/clients"
)

const (
	product = "Authentik"
	mark    = "X-Authentik-Id"
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
	Scopes         []string // scopes_supported: those that the provider has mappings for
	Foreign        []string // what points to another host than Base, or by another scheme, by the document's names
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
	call := clients.Call{Server: product, Op: "read the discovery document", Method: http.MethodGet, URL: at, Mark: mark}
	var doc struct {
		Issuer string   `json:"issuer"`
		Auth   string   `json:"authorization_endpoint"`
		Token  string   `json:"token_endpoint"`
		Device string   `json:"device_authorization_endpoint"`
		Keys   string   `json:"jwks_uri"`
		Algs   []string `json:"id_token_signing_alg_values_supported"`
		PKCE   []string `json:"code_challenge_methods_supported"`
		Grants []string `json:"grant_types_supported"`
		Scopes []string `json:"scopes_supported"`
	}
	a, err := c.tr.JSON(ctx, call, nil, &doc)
	if a.Status == http.StatusNotFound && a.Header.Get(mark) != "" {
		return Discovery{Base: base, URL: at}, problem(call, clients.Absent, a.Status, "there is none: the application has no provider, or doesn't exist")
	}
	d := Discovery{Base: base, URL: at, Issuer: doc.Issuer, AuthEndpoint: doc.Auth, TokenEndpoint: doc.Token, DeviceEndpoint: doc.Device,
		JWKSURI: doc.Keys, SigningAlgs: doc.Algs, PKCEMethods: doc.PKCE, GrantTypes: doc.Grants, Scopes: doc.Scopes}
	if err == nil && d.Issuer == "" {
		err = problem(call, clients.WrongServer, a.Status, "the document names no issuer")
	}
	if err == nil {
		d.Foreign = d.foreign()
	}
	return d, err
}

// foreign names what points elsewhere. An endpoint that the document leaves out points nowhere.
func (d Discovery) foreign() []string {
	var names []string
	for _, f := range []struct{ name, at string }{
		{"issuer", d.Issuer}, {"authorization_endpoint", d.AuthEndpoint}, {"token_endpoint", d.TokenEndpoint},
		{"device_authorization_endpoint", d.DeviceEndpoint}, {"jwks_uri", d.JWKSURI},
	} {
		if f.at != "" && !clients.SameOrigin(f.at, d.Base) {
			names = append(names, f.name)
		}
	}
	return names
}

func problem(call clients.Call, kind clients.Kind, status int, sentence string) error {
	return &clients.Error{Kind: kind, Server: call.Server, Op: call.Op, Method: call.Method, URL: clients.Redact(call.URL), Status: status, Message: sentence}
}

// at is the call to an endpoint, refused unless that is on the host that the person gave.
func (d Discovery) at(call clients.Call, endpoint string) (clients.Call, error) {
	call.Server, call.URL, call.Mark = product, endpoint, mark
	switch {
	case endpoint == "":
		return call, problem(call, clients.Unsupported, 0, "the discovery names no address for it")
	case !clients.SameOrigin(endpoint, d.Base):
		return call, problem(call, clients.WrongServer, 0, "the discovery points to another address than "+d.Base)
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
