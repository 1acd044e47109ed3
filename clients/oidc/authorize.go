package oidc

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/oauth2"

	"authbird/clients"
)

// AuthorizeRequest is a login that is begun and not gone through with.
type AuthorizeRequest struct {
	ClientID    string
	RedirectURI string
	Scope       string // default "openid email profile"
	// Registered is how many redirect URIs the provider has, as just read. With 0 nothing is asked: Authentik
	// would store the one it is asked about.
	Registered int
}

// AuthorizeVerdict is what Authentik makes of a login.
type AuthorizeVerdict int

// The verdicts on a login.
const (
	Unclear         AuthorizeVerdict = iota
	Allowed                          // it would ask the person to sign in, and then send them back there
	RedirectRefused                  // the redirect URI is not in the provider's list
	ClientUnknown                    // no provider has that client id
	NotLinked                        // Authentik shows a page that says no: the provider has no application, say
)

// Authorization is a verdict and what it rests on.
type Authorization struct {
	Verdict  AuthorizeVerdict
	Evidence string // one line
}

// Authorize asks, with prompt=none, what would become of that login: the way that leaves not even a session behind.
// Asked so, a provider without an application looks allowed, since nobody has signed in yet: its discovery tells.
func (c *Client) Authorize(ctx context.Context, d Discovery, r AuthorizeRequest) (Authorization, error) {
	if r.Registered == 0 {
		return Authorization{Verdict: Unclear, Evidence: "the provider has no redirect URI: not asked, because Authentik would store the first one"}, nil
	}
	call, err := d.at(clients.Call{Op: "ask whether a login may begin", Method: http.MethodGet, Page: true}, d.AuthEndpoint)
	if err != nil {
		return Authorization{}, err
	}
	login := oauth2.Config{ClientID: r.ClientID, RedirectURL: r.RedirectURI, Endpoint: oauth2.Endpoint{AuthURL: d.AuthEndpoint},
		Scopes: strings.Fields(cmp.Or(r.Scope, "openid email profile"))}
	call.URL = login.AuthCodeURL("authbird", oauth2.SetAuthURLParam("prompt", "none"), oauth2.SetAuthURLParam("nonce", "authbird"))
	a, err := c.tr.Do(ctx, call)
	if err != nil {
		return Authorization{}, err
	}
	return readAuthorize(d.AuthEndpoint, a, r.RedirectURI), nil
}

// wantsPerson are the errors that mean: all is well, a person must act.
var wantsPerson = map[string]bool{
	"login_required": true, "consent_required": true, "interaction_required": true, "account_selection_required": true,
}

// readAuthorize reads a verdict off status and place, and off the name of the error in a page, which alone tells the
// two refusals apart.
func readAuthorize(endpoint string, a clients.Answer, redirectURI string) Authorization {
	evidence := fmt.Sprintf("%d %s", a.Status, http.StatusText(a.Status))
	switch {
	case a.Status >= 300 && a.Status < 400:
		return readRedirect(endpoint, a.Header.Get("Location"), redirectURI)
	case a.Header.Get(mark) == "":
		return Authorization{Evidence: evidence + ", and not by Authentik"}
	case a.Status == http.StatusBadRequest && bytes.Contains(a.Body, []byte("Client ID Error")):
		return Authorization{Verdict: ClientUnknown, Evidence: evidence + ": Client ID Error"}
	case a.Status == http.StatusBadRequest && bytes.Contains(a.Body, []byte("Redirect URI Error")):
		return Authorization{Verdict: RedirectRefused, Evidence: evidence + ": Redirect URI Error"}
	case a.Status == http.StatusOK:
		return Authorization{Verdict: NotLinked, Evidence: evidence + ": permission denied"}
	}
	return Authorization{Verdict: Unclear, Evidence: evidence}
}

// readRedirect reads where people would be sent: back, with the reason why not at once, or to Authentik's login.
func readRedirect(endpoint, location, redirectURI string) Authorization {
	from, err := url.Parse(endpoint)
	if err != nil {
		return Authorization{Evidence: "the endpoint's address can't be read"}
	}
	to, err := from.Parse(location)
	if err != nil || location == "" {
		return Authorization{Evidence: "it sends people nowhere"}
	}
	said := clients.CleanN(to.Query().Get("error"), 60)
	switch {
	case back(location, redirectURI) && (said == "" || wantsPerson[said]):
		return Authorization{Verdict: Allowed, Evidence: cmp.Or(said, "it sends people back there")}
	case back(location, redirectURI):
		return Authorization{Verdict: Unclear, Evidence: "it sends people back with the error " + said}
	case clients.SameOrigin(to.String(), endpoint):
		return Authorization{Verdict: Allowed, Evidence: "it asks people to sign in"}
	}
	return Authorization{Verdict: Unclear, Evidence: "it sends people to " + clients.CleanN(to.Host, 120)}
}

// back reports whether location is the redirect URI with something added to its query.
func back(location, redirectURI string) bool {
	rest, found := strings.CutPrefix(location, redirectURI)
	return found && (rest == "" || strings.HasPrefix(rest, "?") || strings.HasPrefix(rest, "&") || strings.HasPrefix(rest, "#"))
}
