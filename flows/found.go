package flows

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"

	"authbird/clients"
	"authbird/clients/authentik"
	"authbird/clients/netbird"
	"authbird/doctor"
	"authbird/facts"
	"authbird/hostfiles"
	"authbird/state"
)

// errNotOurs is why a secret of a connection that authbird did not make can't
// be tried.
var errNotOurs = errors.New("authbird did not make this connection, and no API tells the secret that NetBird has")

// DiagnoseFound examines a connection that authbird did not make: the answers
// name both servers, and perhaps the slug or the service account; by what they
// are connected is found. It opens no keystore and writes nothing.
func (b *Bench) DiagnoseFound(ctx context.Context, a state.Answers, t Tokens, o DiagnoseOptions) (*Diagnosis, error) {
	if err := b.refuses(a); err != nil {
		return nil, err
	}
	x := &examination{bench: b, setup: &state.Setup{Answers: a}, options: o, d: &Diagnosis{Answers: a, given: a, options: o}}
	if err := x.equip(t, noSecrets{errNotOurs}); err != nil {
		return nil, err
	}
	host, err := readHost(o)
	if err != nil {
		return nil, &Stopped{Reason: NeedsPerson, Err: err}
	}
	found, err := join(a, host, x.work.Reader.Find(ctx))
	if err != nil {
		return nil, err
	}
	x.know(b.foundAnswers(a, host, found, o), found.Known)
	return x.run(ctx)
}

// know goes on with what was found.
func (x *examination) know(a state.Answers, known Known) {
	x.work.Answers, x.work.Known = a, &known
	x.setup.Answers, x.d.Answers, x.d.known = a, a, known
}

// host is what NetBird's own files, where they are at hand, say of its
// connection.
type host struct {
	mode                     state.Mode // "": they don't say
	issuer, clientID, domain string
	account                  string
}

// readHost reads management.json or, where that isn't given, setup.env.
func readHost(o DiagnoseOptions) (host, error) {
	switch {
	case hostfiles.IsCombined(o.NetBirdConfig): // it has the embedded IdP alone
		return host{mode: state.Connector}, nil
	case o.NetBirdConfig != "":
		data, err := os.ReadFile(o.NetBirdConfig)
		if err != nil {
			return host{}, fmt.Errorf("%s can't be read: %s", o.NetBirdConfig, pathReason(err))
		}
		m, err := hostfiles.ReadManagement(data)
		if err != nil {
			return host{}, nil // a broken one is a finding
		}
		h := host{issuer: m.Issuer, clientID: first(m.ClientID, m.Audience), account: m.ServiceAccount}
		switch {
		case m.EmbeddedIdP:
			h = host{mode: state.Connector}
		case m.ManagerType != "" || m.Issuer != "":
			h.mode = state.Standalone
		}
		return h, nil
	case o.EnvFile != "":
		data, err := os.ReadFile(o.EnvFile)
		if err != nil {
			return host{}, fmt.Errorf("%s can't be read: %s", o.EnvFile, pathReason(err))
		}
		env, err := hostfiles.Read(data)
		if err != nil {
			return host{mode: state.Standalone}, nil
		}
		return host{mode: state.Standalone, clientID: env["NETBIRD_AUTH_CLIENT_ID"], account: env["NETBIRD_IDP_MGMT_EXTRA_USERNAME"],
			issuer: strings.TrimSuffix(env["NETBIRD_AUTH_OIDC_CONFIGURATION_ENDPOINT"], ".well-known/openid-configuration"), domain: env["NETBIRD_DOMAIN"]}, nil
	}
	return host{}, nil
}

// joint is by what two servers are connected.
type joint struct {
	Known
	mode                state.Mode
	slug, name, account string
	connector           netbird.IdentityProvider
}

// join decides it: by NetBird's own files, else by the connectors that NetBird
// has, else by the provider that lets people go back to this NetBird.
func join(a state.Answers, h host, f facts.Found) (joint, error) {
	j := joint{mode: cmp.Or(a.Mode, h.mode), slug: a.Slug, account: first(a.ServiceAccount, h.account, accountOf(f.Passwords.Value))}
	if j.mode == "" {
		j.mode = modeOf(a, f)
	}
	if j.mode == state.Connector {
		if err := j.byConnector(a, f); err != nil {
			return j, err
		}
	} else {
		j.ClientID = h.clientID
		j.slug = first(j.slug, slugOf(h.issuer, a.AuthentikURL))
	}
	p, ok := j.provider(a, f)
	if ok {
		j.ClientID = first(j.ClientID, p.ClientID)
		j.slug, j.name = first(j.slug, p.AssignedApplicationSlug), p.Name
	}
	return j, nil
}

// modeOf is the mode that two servers seem to be connected in: by NetBird's
// embedded IdP or, where that is off, by a provider that lets people go back to
// NetBird itself. Of what isn't NetBird nothing is concluded.
func modeOf(a state.Answers, f facts.Found) state.Mode {
	embedded := authentik.RedirectURI{MatchingMode: "strict", URL: embeddedCallback(a, f)}
	if _, made := providerBy(f, func(p authentik.Provider) bool { return slices.Contains(p.RedirectURIs, embedded) }); made || !f.Embedded.Absent() {
		return state.Connector
	}
	alone := joint{mode: state.Standalone}
	_, named := providerBy(f, func(p authentik.Provider) bool { return alone.sendsBack(a, f, p) })
	if f.Instance.OK() || named {
		return state.Standalone
	}
	return state.Connector
}

// embeddedCallback is where NetBird's embedded IdP has people sent back to.
func embeddedCallback(a state.Answers, f facts.Found) string {
	if f.Embedded.OK() {
		return f.Embedded.Value.RedirectURI()
	}
	return a.NetBirdURL + "/oauth2/callback"
}

// byConnector takes the connector that leads to this Authentik: to one of its
// providers, or to an address of its own.
func (j *joint) byConnector(a state.Answers, f facts.Found) error {
	var fits []netbird.IdentityProvider
	slugs := map[string]string{}
	for _, c := range f.Connectors.Value {
		slug := slugOf(c.Issuer, a.AuthentikURL)
		p, ours := providerBy(f, func(p authentik.Provider) bool { return p.ClientID != "" && p.ClientID == c.ClientID })
		if slug == "" && ours {
			slug = p.AssignedApplicationSlug
		}
		if (slug != "" || ours) && (a.Slug == "" || slug == a.Slug) {
			fits = append(fits, c)
			slugs[c.ID] = slug
		}
	}
	switch len(fits) {
	case 0:
		return nil
	case 1:
		j.connector, j.ConnectorID, j.slug = fits[0], fits[0].ID, slugs[fits[0].ID]
	default:
		return whichOne(fits, slugs)
	}
	if p, ok := providerBy(f, func(p authentik.Provider) bool { return j.slug != "" && p.AssignedApplicationSlug == j.slug }); ok {
		j.ClientID = p.ClientID // what the connector should have
		return nil
	}
	j.ClientID = j.connector.ClientID
	return nil
}

// whichOne leaves the choice between several connectors to a person.
func whichOne(fits []netbird.IdentityProvider, slugs map[string]string) error {
	var each []string
	for _, c := range fits {
		each = append(each, fmt.Sprintf("%s (--slug %s)", clients.CleanN(c.Name, 60), clients.CleanN(first(slugs[c.ID], "?"), 60)))
	}
	return &Stopped{Reason: NeedsPerson, Err: fmt.Errorf("NetBird has %d connectors to this Authentik: which one?", len(fits)),
		Hints: []string{strings.Join(each, ", ")}}
}

// provider is Authentik's end of the connection.
func (j *joint) provider(a state.Answers, f facts.Found) (authentik.Provider, bool) {
	if j.ClientID != "" {
		return providerBy(f, func(p authentik.Provider) bool { return p.ClientID == j.ClientID })
	}
	if j.slug != "" {
		return providerBy(f, func(p authentik.Provider) bool { return p.AssignedApplicationSlug == j.slug })
	}
	if p, ok := providerBy(f, func(p authentik.Provider) bool { return j.sendsBack(a, f, p) }); ok {
		return p, true
	}
	return providerBy(f, func(p authentik.Provider) bool {
		return strings.EqualFold(p.AssignedApplicationSlug, "netbird") || strings.EqualFold(p.Name, "NetBird")
	})
}

// sendsBack says that a provider lets people go back to this NetBird, by name:
// a pattern that fits every host tells nothing.
func (j *joint) sendsBack(a state.Answers, f facts.Found, p authentik.Provider) bool {
	back := []string{a.NetBirdURL + "/auth", a.NetBirdURL + "/silent-auth", a.NetBirdURL + "/"}
	if j.mode == state.Connector {
		back = []string{embeddedCallback(a, f), embeddedCallback(a, f) + "/"}
	}
	return slices.ContainsFunc(back, func(uri string) bool {
		return doctor.Allows(p.RedirectURIs, uri) && !doctor.Allows(p.RedirectURIs, strings.Replace(uri, "://", "://not-", 1))
	})
}

func providerBy(f facts.Found, is func(authentik.Provider) bool) (authentik.Provider, bool) {
	if i := slices.IndexFunc(f.Providers.Value, is); i >= 0 {
		return f.Providers.Value[i], true
	}
	return authentik.Provider{}, false
}

// slugOf is the application that an issuer names; "" where it is none of that
// Authentik's. Scheme and a slash at the end may be wrong: that is a finding.
func slugOf(issuer, authentikURL string) string {
	at, err := url.Parse(issuer)
	base, err2 := url.Parse(authentikURL)
	if err != nil || err2 != nil || !strings.EqualFold(at.Hostname(), base.Hostname()) {
		return ""
	}
	slug, ok := strings.CutPrefix(at.Path, "/application/o/")
	slug = strings.TrimRight(slug, "/")
	if !ok || strings.Contains(slug, "/") {
		return ""
	}
	return slug
}

// accountOf guesses the service account: the one that is called as the
// documentation has it, or the only one with an app password and NetBird in its
// name.
func accountOf(passwords []authentik.Token) string {
	var named []string
	for _, t := range passwords {
		switch {
		case t.Username == "Netbird":
			return t.Username
		case strings.Contains(strings.ToLower(t.Username), "netbird") && !slices.Contains(named, t.Username):
			named = append(named, t.Username)
		}
	}
	if len(named) == 1 {
		return named[0]
	}
	return ""
}

// foundAnswers are the answers of a setup that would stand as this connection
// does.
func (b *Bench) foundAnswers(given state.Answers, h host, j joint, o DiagnoseOptions) state.Answers {
	a := b.Defaults(j.mode)
	a.AuthentikURL, a.NetBirdURL, a.CAFile, a.AllowHTTP = given.AuthentikURL, given.NetBirdURL, given.CAFile, given.AllowHTTP
	a.Keystore, a.KeystoreIdentity = given.Keystore, given.KeystoreIdentity
	a.Slug, a.Name = j.slug, first(j.name, a.Name)
	if j.mode == state.Connector {
		a.ConnectorName, a.ConnectorType = first(j.connector.Name, a.ConnectorName), first(j.connector.Type, a.ConnectorType)
		return a
	}
	a.ServiceAccount, a.NetBirdDomain = j.account, first(given.NetBirdDomain, h.domain, hostName(given.NetBirdURL))
	a.EnvFile, a.NetBirdConfig, a.EnvSecret = o.EnvFile, o.NetBirdConfig, EnvSecretOmit
	return a
}

func hostName(base string) string {
	u, err := url.Parse(base)
	if err != nil {
		return ""
	}
	return u.Hostname()
}
