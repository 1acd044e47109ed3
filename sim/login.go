package sim

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"path"
	"regexp"
	"strings"
)

// LocalConnector is NetBird's own login by e-mail and password.
const LocalConnector = "local"

// The client as which Login comes to NetBird, that of its command line.
const (
	loginClient   = "netbird-cli"
	loginRedirect = "http://localhost:53000/"
)

// LoginRequest says who logs in where. The servers may be simulated or real.
type LoginRequest struct {
	NetBirdURL string
	// Connector is a connector's id, its name as the login page shows it, or
	// LocalConnector. Empty is the only one that isn't local.
	Connector          string
	Username, Password string
	// HTTPClient is how to reach both servers, http.DefaultClient if nil. Its
	// cookies and its way with redirects are not used.
	HTTPClient *http.Client
}

// Outcome is what NetBird's API made of a person who logged in.
type Outcome string

// The outcomes of a login that brought a token.
const (
	Admitted Outcome = "ok"
	Pending  Outcome = "pending" // waits for approval
	Blocked  Outcome = "blocked"
	Refused  Outcome = "refused" // the token was not accepted, or something else is wrong
)

// LoginResult is a token and what the API said to it.
type LoginResult struct {
	Token   string // the id token
	Outcome Outcome
	Message string // the API's, unless the outcome is Admitted
	UserID  string // in NetBird, only if Admitted
	Email   string
	Name    string
	Role    string
}

// Login is a person's whole way into NetBird, driven by HTTP: from NetBird's
// page by the connector to Authentik's login, its consent if it asks for one,
// back to NetBird for a token, and one call to its API. An error says at which
// page it ended; that the API does not let him in is a result, no error.
func Login(ctx context.Context, in LoginRequest) (LoginResult, error) {
	b, err := newBrowser(in)
	if err != nil {
		return LoginResult{}, err
	}
	verifier := randomText(48)
	code, err := b.walk(ctx, b.begin(verifier))
	if err != nil {
		return LoginResult{}, fmt.Errorf("log in %s: %w", in.Username, err)
	}
	token, err := b.token(ctx, code, verifier)
	if err != nil {
		return LoginResult{}, fmt.Errorf("log in %s: %w", in.Username, err)
	}
	return b.firstCall(ctx, token)
}

// browser is as much of one as a login needs: cookies, and redirects one by one.
type browser struct {
	in   LoginRequest
	http *http.Client
	base string
	seen int // pages
}

func newBrowser(in LoginRequest) (*browser, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	c := &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	if in.HTTPClient != nil {
		c.Transport, c.Timeout = in.HTTPClient.Transport, in.HTTPClient.Timeout
	}
	return &browser{in: in, http: c, base: strings.TrimSuffix(in.NetBirdURL, "/")}, nil
}

func randomText(n int) string {
	b := make([]byte, n)
	rand.Read(b)
	return base64.RawURLEncoding.EncodeToString(b)
}

// begin is the URL at which the login begins. offline_access is never asked for:
// a refresh can hang NetBird's identity provider.
func (b *browser) begin(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	q := url.Values{
		"client_id": {loginClient}, "redirect_uri": {loginRedirect}, "response_type": {"code"},
		"scope": {"openid profile email groups"}, "state": {randomText(12)}, "nonce": {randomText(12)},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"},
	}
	return b.base + "/oauth2/auth?" + q.Encode()
}

// page is an answer that was read.
type page struct {
	url    *url.URL
	status int
	body   []byte
	next   string // where a redirect leads, absolute
}

func (b *browser) do(req *http.Request) (page, error) {
	if b.seen++; b.seen > 60 {
		return page{}, fmt.Errorf("the login goes in circles, at %s", req.URL.Redacted())
	}
	resp, err := b.http.Do(req)
	if err != nil {
		return page{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 4<<20))
	if err != nil {
		return page{}, err
	}
	p := page{url: req.URL, status: resp.StatusCode, body: body}
	if where := resp.Header.Get("Location"); where != "" && resp.StatusCode >= 300 && resp.StatusCode < 400 {
		u, err := req.URL.Parse(where)
		if err != nil {
			return page{}, err
		}
		p.next = u.String()
	}
	return p, nil
}

func (b *browser) get(ctx context.Context, where string) (page, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, where, nil)
	if err != nil {
		return page{}, err
	}
	return b.do(req)
}

func (b *browser) post(ctx context.Context, where string, form url.Values) (page, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, where, strings.NewReader(form.Encode()))
	if err != nil {
		return page{}, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return b.do(req)
}

// walk follows redirects and answers pages until NetBird hands out a code.
func (b *browser) walk(ctx context.Context, where string) (string, error) {
	for {
		if strings.HasPrefix(where, loginRedirect) {
			return codeFrom(where)
		}
		u, err := url.Parse(where)
		if err != nil {
			return "", err
		}
		if slug, ok := strings.CutPrefix(u.Path, "/if/flow/"); ok {
			if where, err = b.flow(ctx, u, strings.Trim(slug, "/")); err != nil {
				return "", err
			}
			continue
		}
		p, err := b.get(ctx, where)
		if err != nil {
			return "", err
		}
		if where = p.next; where != "" {
			continue
		}
		if where, err = b.answer(ctx, p); err != nil {
			return "", err
		}
	}
}

func codeFrom(where string) (string, error) {
	u, err := url.Parse(where)
	if err != nil {
		return "", err
	}
	q := u.Query()
	if q.Get("code") == "" {
		return "", fmt.Errorf("NetBird sent no code but %s: %s", q.Get("error"), q.Get("error_description"))
	}
	return q.Get("code"), nil
}

// answer does what a person does on a page, and returns where that leads.
func (b *browser) answer(ctx context.Context, p page) (string, error) {
	switch {
	case p.status == http.StatusOK && strings.HasSuffix(p.url.Path, "/oauth2/auth"):
		return b.choose(p)
	case p.status == http.StatusOK && strings.HasSuffix(p.url.Path, "/auth/local/login"):
		p, err := b.post(ctx, p.url.String(), url.Values{"login": {b.in.Username}, "password": {b.in.Password}})
		if err != nil || p.next != "" {
			return p.next, err
		}
		return "", pageError(p)
	}
	return "", pageError(p)
}

var (
	anchor = regexp.MustCompile(`(?s)<a[^>]*href="([^"]*/auth/[^"]*)"[^>]*>(.*?)</a>`)
	tags   = regexp.MustCompile(`(?s)<(style|script).*?</(style|script)>|<[^>]*>`)
)

// choose picks the connector on NetBird's login page.
func (b *browser) choose(p page) (string, error) {
	var there []string
	for _, m := range anchor.FindAllStringSubmatch(string(p.body), -1) {
		u, err := p.url.Parse(html.UnescapeString(m[1]))
		if err != nil {
			return "", err
		}
		id, text := path.Base(u.Path), plain(m[2])
		there = append(there, text)
		switch want := b.in.Connector; {
		case want == "" && id != LocalConnector, id == want, want != "" && text == "Continue with "+want:
			return u.String(), nil
		}
	}
	return "", fmt.Errorf("NetBird's login page has no connector %q, but %q", b.in.Connector, there)
}

// plain is the text of some HTML.
func plain(s string) string {
	return strings.Join(strings.Fields(html.UnescapeString(tags.ReplaceAllString(s, " "))), " ")
}

// pageError is a page at which nothing more can be done.
func pageError(p page) error {
	text := plain(string(p.body))
	if len(text) > 300 {
		text = text[:300]
	}
	return fmt.Errorf("%s answered %d: %s", p.url.Host+p.url.Path, p.status, text)
}

func (b *browser) token(ctx context.Context, code, verifier string) (string, error) {
	p, err := b.post(ctx, b.base+"/oauth2/token", url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {loginRedirect},
		"client_id": {loginClient}, "code_verifier": {verifier},
	})
	if err != nil {
		return "", err
	}
	var tokens struct {
		IDToken string `json:"id_token"`
	}
	if p.status != http.StatusOK || json.Unmarshal(p.body, &tokens) != nil || tokens.IDToken == "" {
		return "", pageError(p)
	}
	return tokens.IDToken, nil
}

// firstCall asks NetBird who the token's owner is. This is what makes the user.
func (b *browser) firstCall(ctx context.Context, token string) (LoginResult, error) {
	out := LoginResult{Token: token}
	status, body, err := b.api(ctx, token, "/api/users/current")
	if err != nil {
		return out, err
	}
	if status == http.StatusOK {
		out.Outcome = Admitted
		var me struct{ ID, Email, Name, Role string }
		if err := json.Unmarshal(body, &me); err != nil {
			return out, err
		}
		out.UserID, out.Email, out.Name, out.Role = me.ID, me.Email, me.Name, me.Role
		return out, nil
	}
	out.Outcome, out.Message = Refused, apiMessage(body)
	if out.Message == "user is blocked" {
		out.Outcome = Blocked
		// Only the other endpoints say that he is blocked because he waits.
		if _, body, err = b.api(ctx, token, "/api/accounts"); err != nil {
			return out, err
		}
		if m := apiMessage(body); strings.Contains(m, "pending approval") {
			out.Outcome, out.Message = Pending, m
		}
	}
	return out, nil
}

func apiMessage(body []byte) string {
	var e struct{ Message string }
	if json.Unmarshal(body, &e) != nil || e.Message == "" {
		return plain(string(bytes.TrimSpace(body)))
	}
	return e.Message
}

func (b *browser) api(ctx context.Context, token, where string) (int, []byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, b.base+where, nil)
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	p, err := b.do(req)
	return p.status, p.body, err
}
