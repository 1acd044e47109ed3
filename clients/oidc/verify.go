package oidc

import (
	"context"
	"errors"
	"net/http"
	"time"

	coreoidc "github.com/coreos/go-oidc/v3/oidc"

	"authbird/clients"
)

// Claims is what a verified token says.
type Claims struct {
	Issuer, Subject  string
	Audience         []string
	Expiry, IssuedAt time.Time
}

// Verify checks a token as NetBird does: by a key of the key set, RSA, issued by the issuer, for that client. A token
// that doesn't pass is Refused; where the key set can't be read the error has the kind of that.
func (c *Client) Verify(ctx context.Context, d Discovery, clientID, token string) (Claims, error) {
	call, err := d.at(clients.Call{Op: "read the key set", Method: http.MethodGet}, d.JWKSURI)
	if err != nil {
		return Claims{}, err
	}
	keys := &keySet{KeySet: coreoidc.NewRemoteKeySet(coreoidc.ClientContext(ctx, c.tr.HTTPClient(call)), d.JWKSURI)}
	verifier := coreoidc.NewVerifier(d.Issuer, keys, &coreoidc.Config{ClientID: clientID, SupportedSigningAlgs: []string{coreoidc.RS256}})
	t, err := verifier.Verify(ctx, token)
	if err == nil {
		return Claims{Issuer: t.Issuer, Subject: t.Subject, Audience: t.Audience, Expiry: t.Expiry, IssuedAt: t.IssuedAt}, nil
	}
	var ours *clients.Error
	if errors.As(keys.err, &ours) {
		return Claims{}, ours
	}
	return Claims{}, problem(clients.Call{Server: product, Op: "verify the token"}, clients.Refused, 0, clients.CleanN(err.Error(), 200))
}

// keySet keeps the error of reading the keys, of which the verifier passes on the text alone.
type keySet struct {
	coreoidc.KeySet
	err error
}

// VerifySignature is the key set's own.
func (k *keySet) VerifySignature(ctx context.Context, jwt string) ([]byte, error) {
	payload, err := k.KeySet.VerifySignature(ctx, jwt)
	k.err = err
	return payload, err
}
