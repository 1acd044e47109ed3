package netbird

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/oauth2"

	"authbird/clients"
)

// cliRedirect is the address that the client netbird-cli may be sent back to. Nothing listens there: the code is
// read from the redirect.
const cliRedirect = "http://localhost:53000/"

// SignIn signs a local user in at the embedded provider, as its own login page would, and gives a token for the API
// that is good for a day. Refused where the address or the password is wrong, or a second factor is asked for.
func (c *Client) SignIn(ctx context.Context, idp EmbeddedIdP, email, password string) (string, error) {
	verifier, state := oauth2.GenerateVerifier(), rand.Text()
	login := oauth2.Config{ClientID: "netbird-cli", RedirectURL: cliRedirect, Scopes: []string{"openid", "profile", "email"},
		Endpoint: oauth2.Endpoint{AuthURL: strings.TrimSuffix(idp.Issuer, "/") + "/auth/local"}}
	if err := c.ours(clients.Call{Op: "sign in", Method: http.MethodGet, URL: login.Endpoint.AuthURL}); err != nil {
		return "", err
	}
	form, err := c.follow(ctx, http.MethodGet, login.AuthCodeURL(state, oauth2.S256ChallengeOption(verifier)), nil, nil)
	if err != nil {
		return "", err
	}
	back, err := c.follow(ctx, http.MethodPost, form, url.Values{"login": {email}, "password": {password}}, []string{password})
	if err != nil {
		return "", err
	}
	at, err := url.Parse(back)
	if err != nil || !strings.HasPrefix(back, cliRedirect) || at.Query().Get("state") != state || at.Query().Get("code") == "" {
		return "", c.signInError("NetBird asks for more than a password (a second factor, perhaps): sign in with a code instead")
	}
	return c.redeem(ctx, idp, at.Query().Get("code"), verifier)
}

// follow makes the request and follows redirects on this server, to the page or the foreign address that they end at.
func (c *Client) follow(ctx context.Context, method, at string, form url.Values, secrets []string) (string, error) {
	for range 8 {
		if !clients.SameOrigin(at, c.base) {
			return at, nil
		}
		call := clients.Call{Server: product, Op: "sign in", Method: method, URL: at, Page: true, Secrets: secrets}
		if form != nil {
			call.Body, call.ContentType = []byte(form.Encode()), "application/x-www-form-urlencoded"
		}
		a, err := c.tr.Do(ctx, call)
		if err != nil {
			return "", err
		}
		next := a.Header.Get("Location")
		switch {
		case a.Status == http.StatusOK && next == "":
			return at, nil
		case next == "" && form == nil: // nothing was typed yet
			return "", c.signInError(fmt.Sprintf("NetBird shows no page to sign in on (%d): its own login may be off", a.Status))
		case next == "":
			return "", c.signInError("the e-mail address or the password is wrong")
		}
		if at, err = resolve(at, next); err != nil {
			return "", c.signInError("NetBird's login page leads nowhere")
		}
		method, form = http.MethodGet, nil
	}
	return "", c.signInError("NetBird's login page leads in circles")
}

func resolve(base, ref string) (string, error) {
	b, err := url.Parse(base)
	if err != nil {
		return "", err
	}
	r, err := b.Parse(ref)
	if err != nil {
		return "", err
	}
	return r.String(), nil
}

func (c *Client) redeem(ctx context.Context, idp EmbeddedIdP, code, verifier string) (string, error) {
	form := url.Values{"grant_type": {"authorization_code"}, "client_id": {"netbird-cli"}, "code": {code},
		"redirect_uri": {cliRedirect}, "code_verifier": {verifier}}
	var answer struct {
		IDToken string `json:"id_token"`
	}
	err := c.form(ctx, "sign in", idp.TokenEndpoint, form, &answer, code, verifier)
	if err == nil && answer.IDToken == "" {
		err = c.signInError("NetBird gave no token")
	}
	return answer.IDToken, err
}

func (c *Client) signInError(sentence string) error {
	return &clients.Error{Kind: clients.Refused, Server: product, Op: "sign in", URL: c.base, Message: sentence}
}
