package flows

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"authbird/clients"
	"authbird/state"
)

var slugLike = regexp.MustCompile(`^[-a-zA-Z0-9_]+$`)

// reservedSlugs are the names of Authentik's own endpoints beside the
// applications; from 2025.12 on it refuses them.
var reservedSlugs = []string{"authorize", "token", "device", "userinfo", "introspect", "revoke"}

// longestName is more than any screen shows of a name.
const longestName = 200

// fitName says why something can't be called that.
func fitName(what, name string) error {
	switch {
	case strings.TrimSpace(name) == "":
		return fmt.Errorf("the name of the %s is empty", what)
	case !utf8.ValidString(name) || strings.ContainsFunc(name, drawsNothing):
		return fmt.Errorf("the name of the %s has characters in it that no screen shows", what)
	case utf8.RuneCountInString(name) > longestName:
		return fmt.Errorf("the name of the %s is longer than %d characters", what, longestName)
	}
	return nil
}

// drawsNothing says that a screen shows nothing, or no more than a gap, of r.
func drawsNothing(r rune) bool { return r != ' ' && clients.Clean("a"+string(r)) == "a" }

// ValidSlug says why Authentik would take no application of that slug.
func ValidSlug(slug string) error {
	switch {
	case !slugLike.MatchString(slug):
		return fmt.Errorf("the slug %q has more in it than letters, digits, - and _", slug)
	case slices.Contains(reservedSlugs, slug):
		return fmt.Errorf("the slug %q is one of Authentik's own addresses", slug)
	}
	return nil
}

// ValidAnswers says what of the answers no server would take.
func ValidAnswers(a state.Answers) error {
	if err := fitName("provider and the application", a.Name); err != nil {
		return err
	}
	if a.Mode == state.Connector {
		if err := fitName("connector", a.ConnectorName); err != nil {
			return err
		}
	}
	switch {
	case ValidSlug(a.Slug) != nil:
		return ValidSlug(a.Slug)
	case len(a.LetIn) > 0 && a.GroupSync != GroupSyncOn:
		return errors.New("NetBird can let in by groups (--netbird-allow-group) only where it takes them over (--group-sync on)")
	case a.Mode == state.Standalone && a.ServiceAccount == "":
		return errors.New("the name of the service account is empty")
	case a.Mode == state.Standalone && a.EnvFile == "":
		return errors.New("setup.env has no name")
	}
	return nil
}

// frozen says which answer can't be changed any more on a setup that stands:
// what it names was made, and is found again by it.
func frozen(was, now state.Answers, stands func(step string) bool) error {
	for _, f := range []struct{ what, step, was, now string }{
		{"Authentik's address", stepProvider, was.AuthentikURL, now.AuthentikURL},
		{"NetBird's address", stepConnector, was.NetBirdURL, now.NetBirdURL},
		{"the name", stepProvider, was.Name, now.Name},
		{"the slug", stepApplication, was.Slug, now.Slug},
		{"the connector's type", stepConnector, was.ConnectorType, now.ConnectorType},
		{"NetBird's domain", stepProvider, was.NetBirdDomain, now.NetBirdDomain},
		{"the service account", stepServiceAccount, was.ServiceAccount, now.ServiceAccount},
		{"the rights of the service account", stepRights, was.Rights, now.Rights},
		{"the place of setup.env", stepSetupEnv, was.EnvFile, now.EnvFile},
		{"the place of management.json", stepManagement, was.NetBirdConfig, now.NetBirdConfig},
	} {
		if f.was != "" && f.was != f.now && stands(f.step) {
			return fmt.Errorf("%s is %q on this setup, which stands, and can't become %q", f.what, f.was, f.now)
		}
	}
	return nil
}

// checkAnswers stops before anything is read if the answers can't be meant.
func (s *Session) checkAnswers() error {
	err := ValidAnswers(s.Answers)
	if err == nil {
		err = frozen(s.setup.Answers, s.Answers, func(step string) bool {
			receipt, _ := s.setup.Last(step)
			return receipt.ObjectID != ""
		})
		if err != nil {
			return &Stopped{Reason: NeedsPerson, Err: err, Hints: []string{"take it back first (authbird remove), or name another setup with --setup"}}
		}
		return nil
	}
	return &Stopped{Reason: NeedsPerson, Err: err}
}

var domainLike = regexp.MustCompile(`^([a-z0-9]([-a-z0-9]*[a-z0-9])?)(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`)

// Domain makes NetBird's domain of what a person typed: an address will do. A
// port is refused, because NetBird's configure.sh has variables of its own for
// it, and so is what no certificate would be made for.
func Domain(typed string) (string, error) {
	base, err := clients.BaseURL(typed)
	if err != nil {
		return "", err
	}
	u, err := url.Parse(base)
	if err != nil {
		return "", err
	}
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	switch {
	case u.Port() != "":
		return "", fmt.Errorf("a domain has no port; NetBird's is set in setup.env (NETBIRD_MGMT_API_PORT)")
	case len(host) > 253 || !domainLike.MatchString(host):
		return "", fmt.Errorf("%q is no domain: letters, digits, - and dots (write others in their xn-- form)", clients.CleanN(host, 80))
	}
	return host, nil
}
