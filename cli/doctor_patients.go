package cli

import (
	"fmt"
	"path"
	"strings"

	"authbird/flows"
	"authbird/state"
)

// patient is one connection to look at.
type patient struct {
	name    string        // of the setup; "": one that authbird did not make
	answers state.Answers // what is known of it
	tokens  flows.Tokens
	damage  string // why its files can't be read; "": they can
}

// clinic is what the doctor works with in one run.
type clinic struct {
	bench    *flows.Bench
	patients []*patient
	asks     asking
}

// clinic finds what is to be looked at: the setup that is named, all that fit,
// the connection that the URLs name, or the only setup there is.
func (a *app) clinic(dir *state.Dir, name string) (*clinic, error) {
	c := &clinic{asks: a.doctorAsks()}
	tokens, err := a.tokens()
	if err != nil {
		return nil, err
	}
	all, err := dir.List()
	if err != nil {
		return nil, err
	}
	if a.opts.doctor.all {
		if err := a.onlyFound(); err != nil {
			return nil, err
		}
		chosen, err := matching(all, name)
		if err != nil {
			return nil, err
		}
		if len(chosen) == 0 {
			a.last = outcome{Message: "there is no setup yet", Next: "authbird setup connector"}
			return nil, nil
		}
		c.patients = a.patientsOf(chosen, tokens)
	} else {
		one, err := a.onePatient(dir, all, name)
		if err != nil {
			return nil, err
		}
		if one.name != "" {
			if err := a.onlyFound(); err != nil {
				return nil, err
			}
		}
		one.tokens = tokens
		c.patients = []*patient{one}
	}
	c.bench, err = a.bench(a.askerFor(c.asks))
	return c, err
}

// doctorAsks is who is asked: the full screen is for a look that nothing but a
// person wants to see.
func (a *app) doctorAsks() asking {
	o := a.opts.doctor
	asks := a.asks()
	if asks == askScreen && (o.fix || o.all || o.report != "" || o.strict || a.given["watch"] != "") {
		return askLines
	}
	return asks
}

// onePatient is the setup that is named, or the connection that the URLs name,
// or the only setup.
func (a *app) onePatient(dir *state.Dir, all []*state.Setup, name string) (*patient, error) {
	if name != "" {
		s, err := a.load(dir, name)
		if err != nil {
			return nil, err
		}
		return a.patientOf(s), a.sameAddress(s)
	}
	if a.opts.authentikURL != "" || a.opts.netbirdURL != "" {
		for _, s := range all {
			if a.standsAt(s) {
				return a.patientOf(s), nil
			}
		}
		return a.foundPatient()
	}
	switch len(all) {
	case 0:
		return nil, &usageError{message: "there is no setup on this machine to look at",
			hints: []string{"--authentik-url and --netbird-url name a connection that authbird did not make"}}
	case 1:
		return a.patientOf(all[0]), nil
	}
	return nil, &usageError{message: "which setup?", hints: []string{
		"authbird doctor " + strings.Join(names(all), ", or authbird doctor "), "authbird doctor --all looks at all of them"}}
}

// standsAt says that a setup is the one that the URLs name.
func (a *app) standsAt(s *state.Setup) bool {
	return (a.opts.authentikURL == "" || a.opts.authentikURL == s.Answers.AuthentikURL) &&
		(a.opts.netbirdURL == "" || a.opts.netbirdURL == netBirdOf(s.Answers))
}

// netBirdOf is where a setup's NetBird is.
func netBirdOf(n state.Answers) string {
	if n.NetBirdURL == "" && n.NetBirdDomain != "" {
		return "https://" + n.NetBirdDomain
	}
	return n.NetBirdURL
}

// sameAddress refuses URLs that are not the named setup's: its tokens and its
// journal belong to the servers it stands on.
func (a *app) sameAddress(s *state.Setup) error {
	if a.standsAt(s) {
		return nil
	}
	return &usageError{message: fmt.Sprintf("the setup %s stands at %s and %s, not at the address that was given", s.Name, s.Answers.AuthentikURL, netBirdOf(s.Answers)),
		hints: []string{"leave --authentik-url and --netbird-url out (and AUTHBIRD_AUTHENTIK_URL, AUTHBIRD_NETBIRD_URL), or leave the setup's name out"}}
}

func (a *app) patientOf(s *state.Setup) *patient {
	p := &patient{name: s.Name, answers: s.Answers, damage: s.Damage}
	a.opts.overlay(&p.answers, a.given)
	return p
}

// foundPatient is a connection of which only the addresses are known. Its slug
// and its client id are found.
func (a *app) foundPatient() (*patient, error) {
	var missing []string
	if a.opts.authentikURL == "" {
		missing = append(missing, "--authentik-url")
	}
	if a.opts.netbirdURL == "" {
		missing = append(missing, "--netbird-url")
	}
	if len(missing) > 0 {
		return nil, &usageError{message: "missing: " + strings.Join(missing, ", "), hints: []string{"a connection that authbird did not make is named by both addresses"}}
	}
	p := &patient{}
	a.opts.overlay(&p.answers, a.given)
	o := a.opts.doctor
	p.answers.Slug, p.answers.ServiceAccount = o.slug, o.serviceAccount
	if o.domain == "" {
		return p, nil
	}
	domain, err := flows.Domain(o.domain)
	if err != nil {
		return nil, usagef("%s: %v", flagOr("netbird-domain", a.given), err)
	}
	p.answers.NetBirdDomain = domain
	return p, nil
}

// onlyFound refuses what names a part of a connection that authbird did not
// make, where a setup is looked at that knows its own.
func (a *app) onlyFound() error {
	for _, flag := range []string{"slug", "service-account", "netbird-domain"} {
		if a.given[flag] == byFlag {
			return &usageError{message: "--" + flag + " is for a connection that authbird did not make; a setup knows its own",
				hints: []string{"--authentik-url and --netbird-url name such a connection"}}
		}
	}
	return nil
}

// matching are the setups whose names fit a pattern; all where there is none.
func matching(all []*state.Setup, pattern string) ([]*state.Setup, error) {
	if pattern == "" {
		return all, nil
	}
	var out []*state.Setup
	for _, s := range all {
		fits, err := path.Match(pattern, s.Name)
		if err != nil {
			return nil, &usageError{message: "the pattern of the setups can't be read", hints: []string{"* stands for any letters, ? for one, [ab] for one of these"}}
		}
		if fits {
			out = append(out, s)
		}
	}
	if len(out) == 0 {
		missing := &usageError{message: "no setup has a name that fits"}
		if len(all) > 0 {
			missing.hints = []string{"there are: " + strings.Join(names(all), ", ")}
		}
		return nil, missing
	}
	return out, nil
}

// patientsOf gives each setup the tokens that may be sent to it. One that was
// given for this run belongs to one server: it goes to the setups at the address
// that was given beside it or, where no address was, to all only if they share
// one server. The others have what the keystore keeps.
func (a *app) patientsOf(setups []*state.Setup, given flows.Tokens) []*patient {
	authentik, netbird := a.opts.authentikURL, a.opts.netbirdURL
	if authentik == "" {
		authentik = shared(setups, func(n state.Answers) string { return n.AuthentikURL })
	}
	if netbird == "" {
		netbird = shared(setups, netBirdOf)
	}
	var out []*patient
	for _, s := range setups {
		p := &patient{name: s.Name, answers: s.Answers, damage: s.Damage}
		if s.Answers.AuthentikURL == authentik {
			p.tokens.Authentik = given.Authentik
		}
		if netBirdOf(s.Answers) == netbird {
			p.tokens.NetBird = given.NetBird
		}
		out = append(out, p)
	}
	return out
}

// shared is the one address that all setups have; "" where they have several.
func shared(setups []*state.Setup, of func(state.Answers) string) string {
	first := of(setups[0].Answers)
	for _, s := range setups {
		if of(s.Answers) != first {
			return ""
		}
	}
	return first
}
