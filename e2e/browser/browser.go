// Package browser is a person with a browser, as far as the journeys need one:
// it starts a login at NetBird's embedded identity provider or at Authentik,
// follows every redirect with its cookies, fills in the forms that it meets
// and comes back with tokens. It drives Authentik by the flow executor that
// Authentik's own pages use, so it works on the simulated and on a real one.
//
// It promises an error that quotes the page it could not get past. It refuses
// to guess: a page that it doesn't know ends the login.
package browser

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"

	"authbird/e2e/web"
)

// Back is where a login of NetBird's command line client ends. Nothing
// listens there: the redirect to it is the end of the journey.
const Back = "http://localhost:53000"

// most is how many requests one login may take; the longest known one (a first
// login through Authentik with consent) takes about twenty.
const most = 60

// Person is who logs in.
type Person struct {
	Name     string // what they type as user name or address
	Password string
}

// Client is the application that they log in to.
type Client struct {
	Issuer      string // its discovery names the endpoints
	ID          string
	Redirect    string // one of the client's redirect URIs
	Scope       string // without offline_access at a NetBird: a refresh there can hang it (dexidp/dex#5017)
	ConnectorID string // of NetBird's connectors, which one to go by; "" = Dex's choice
}

// NetBirdCLI is NetBird's own command line client at a server's embedded
// identity provider, by way of one connector ("local" for the login form).
func NetBirdCLI(netbird, connector string) Client {
	return Client{
		Issuer:      netbird + "/oauth2",
		ID:          "netbird-cli",
		Redirect:    Back + "/",
		Scope:       "openid profile email",
		ConnectorID: connector,
	}
}

// Tokens are what the login brought.
type Tokens struct {
	Access string `json:"access_token"`
	ID     string `json:"id_token"`
}

// Refused is a login that ended at a page that says no.
type Refused struct {
	Status int
	At     string // the page's address, without its query
	Says   string // the page's text, cut
}

func (r *Refused) Error() string {
	return fmt.Sprintf("login ended with status %d at %s: %s", r.Status, r.At, r.Says)
}

// Login goes from the client's authorization endpoint through all forms to the
// tokens, in a browser that has no session anywhere.
func Login(ctx context.Context, client Client, person Person) (Tokens, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return Tokens{}, err
	}
	tab := &tab{person: person, http: &http.Client{
		Jar:           jar,
		Timeout:       web.Timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	var discovery struct {
		Authorization string `json:"authorization_endpoint"`
		Token         string `json:"token_endpoint"`
	}
	answer, err := web.Call(ctx, http.MethodGet, strings.TrimSuffix(client.Issuer, "/")+"/.well-known/openid-configuration", "", nil)
	if err != nil {
		return Tokens{}, err
	}
	if err := answer.Into(&discovery); err != nil {
		return Tokens{}, fmt.Errorf("discovery of %s: %w", client.Issuer, err)
	}

	// A fixed verifier and state: this browser is used for one login only.
	const verifier, state = "a-verifier-that-is-long-enough-for-pkce-0123456789", "the-state"
	challenge := sha256.Sum256([]byte(verifier))
	query := url.Values{
		"client_id":             {client.ID},
		"redirect_uri":          {client.Redirect},
		"response_type":         {"code"},
		"scope":                 {client.Scope},
		"state":                 {state},
		"code_challenge":        {base64.RawURLEncoding.EncodeToString(challenge[:])},
		"code_challenge_method": {"S256"},
	}
	if client.ConnectorID != "" {
		query.Set("connector_id", client.ConnectorID)
	}
	code, err := tab.walk(ctx, discovery.Authorization+"?"+query.Encode(), client.Redirect, state)
	if err != nil {
		return Tokens{}, err
	}
	answer, err = web.Form(ctx, discovery.Token, url.Values{
		"grant_type":    {"authorization_code"},
		"client_id":     {client.ID},
		"code":          {code},
		"redirect_uri":  {client.Redirect},
		"code_verifier": {verifier},
	})
	if err != nil {
		return Tokens{}, err
	}
	var tokens Tokens
	if err := answer.Into(&tokens); err != nil {
		return Tokens{}, fmt.Errorf("exchange the code: %w", err)
	}
	return tokens, nil
}

// tab is one browser window with its cookies.
type tab struct {
	person Person
	http   *http.Client
	taken  int  // requests so far
	asked  bool // Dex's login form was sent already: a second time means refused
}

// walk follows redirects and fills in forms until the address begins with
// back, and returns the code that it carries.
func (t *tab) walk(ctx context.Context, address, back, state string) (string, error) {
	for {
		next, err := url.Parse(address)
		if err != nil {
			return "", fmt.Errorf("redirected to an address that is none: %w", err)
		}
		if strings.HasPrefix(address, back) {
			return codeOf(next, state)
		}
		page, err := t.open(ctx, http.MethodGet, address, "", nil)
		if err != nil {
			return "", err
		}
		switch {
		case page.next != "":
			address = page.next
		case strings.HasPrefix(next.Path, "/if/flow/"):
			address, err = t.authentikFlow(ctx, next)
		case page.status == http.StatusOK && strings.HasSuffix(next.Path, "/local/login"):
			address, err = t.dexForm(ctx, address, page)
		default:
			return "", page.refused()
		}
		if err != nil {
			return "", err
		}
	}
}

// codeOf reads the last redirect.
func codeOf(at *url.URL, state string) (string, error) {
	query := at.Query()
	if query.Get("error") != "" {
		return "", fmt.Errorf("login refused: %s: %s", query.Get("error"), query.Get("error_description"))
	}
	if query.Get("state") != state {
		return "", fmt.Errorf("login came back with state %q instead of %q", query.Get("state"), state)
	}
	if query.Get("code") == "" {
		return "", errors.New("login came back without a code")
	}
	return query.Get("code"), nil
}

// dexForm sends the login form of the embedded identity provider.
func (t *tab) dexForm(ctx context.Context, address string, shown page) (string, error) {
	if t.asked {
		return "", shown.refused()
	}
	t.asked = true
	form := url.Values{"login": {t.person.Name}, "password": {t.person.Password}}
	sent, err := t.open(ctx, http.MethodPost, address, "application/x-www-form-urlencoded", []byte(form.Encode()))
	if err != nil {
		return "", err
	}
	if sent.next == "" {
		return "", sent.refused()
	}
	return sent.next, nil
}

// page is one answer, with the redirect resolved.
type page struct {
	at     *url.URL
	status int
	next   string
	body   []byte
}

func (p page) refused() error {
	at := *p.at
	at.RawQuery, at.Fragment = "", ""
	return &Refused{Status: p.status, At: at.String(), Says: textOf(p.body)}
}

func (t *tab) open(ctx context.Context, method, address, contentType string, body []byte) (page, error) {
	if t.taken++; t.taken > most {
		return page{}, fmt.Errorf("login went round in circles: %d requests, the last to %s", most, address)
	}
	request, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(string(body)))
	if err != nil {
		return page{}, err
	}
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	response, err := t.http.Do(request)
	if err != nil {
		return page{}, err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		return page{}, fmt.Errorf("read %s: %w", address, err)
	}
	shown := page{at: request.URL, status: response.StatusCode, body: content}
	if location := response.Header.Get("Location"); location != "" && response.StatusCode/100 == 3 {
		to, err := request.URL.Parse(location)
		if err != nil {
			return page{}, fmt.Errorf("redirect of %s: %w", address, err)
		}
		shown.next = to.String()
	}
	return shown, nil
}

var (
	notText = regexp.MustCompile(`(?s)<style.*?</style>|<script.*?</script>|<head>.*?</head>|<svg.*?</svg>|<[^>]*>`)
	spaces  = regexp.MustCompile(`\s+`)
)

// textOf is what a person reads on a page, cut.
func textOf(body []byte) string {
	const most = 200
	text := strings.TrimSpace(spaces.ReplaceAllString(html.UnescapeString(notText.ReplaceAllString(string(body), " ")), " "))
	if len(text) > most {
		text = text[:most] + "…"
	}
	return text
}

// authentikFlow goes through one flow of Authentik (login, consent) by its
// executor and returns where the flow leads.
func (t *tab) authentikFlow(ctx context.Context, at *url.URL) (string, error) {
	slug, _, _ := strings.Cut(strings.TrimPrefix(at.Path, "/if/flow/"), "/")
	executor := &url.URL{Scheme: at.Scheme, Host: at.Host, Path: "/api/v3/flows/executor/" + slug + "/",
		RawQuery: url.Values{"query": {at.RawQuery}}.Encode()}
	method, answer := http.MethodGet, []byte(nil)
	for answered := map[string]bool{}; ; {
		shown, err := t.challenge(ctx, method, executor.String(), answer)
		if err != nil {
			return "", err
		}
		var stage struct {
			Component      string `json:"component"`
			To             string `json:"to"`
			Token          string `json:"token"`
			PasswordFields bool   `json:"password_fields"` // both on one page
		}
		if err := json.Unmarshal(shown.body, &stage); err != nil {
			return "", shown.refused()
		}
		if stage.Component == "xak-flow-redirect" {
			to, err := shown.at.Parse(stage.To)
			if err != nil {
				return "", fmt.Errorf("flow %s leads to an address that is none: %w", slug, err)
			}
			return to.String(), nil
		}
		filled := map[string]string{"component": stage.Component}
		switch stage.Component {
		case "ak-stage-identification":
			filled["uid_field"] = t.person.Name
			if stage.PasswordFields {
				filled["password"] = t.person.Password
			}
		case "ak-stage-password":
			filled["password"] = t.person.Password
		case "ak-stage-consent":
			filled["token"] = stage.Token
		default:
			return "", shown.refused()
		}
		if answered[stage.Component] { // the same form again: Authentik didn't take the answer
			return "", shown.refused()
		}
		answered[stage.Component] = true
		if answer, err = json.Marshal(filled); err != nil {
			return "", err
		}
		method = http.MethodPost
	}
}

// challenge sends one answer to the executor and follows its redirects to the
// next challenge.
func (t *tab) challenge(ctx context.Context, method, address string, body []byte) (page, error) {
	shown, err := t.open(ctx, method, address, "application/json", body)
	for err == nil && shown.next != "" {
		shown, err = t.open(ctx, http.MethodGet, shown.next, "", nil)
	}
	return shown, err
}
