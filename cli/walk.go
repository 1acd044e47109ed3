package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"authbird/clients"
	"authbird/flows"
	"authbird/keystore"
	"authbird/state"
)

// walk is the connector setup as questions one line each: the same questions
// in the same order as the full screen, the plan read aloud, a yes, the run,
// and the proof by a first login.
func (a *app) walk(ctx context.Context, j *job) error {
	what := "Setting up Authentik beside NetBird's own login."
	if j.answers.Mode == state.Standalone {
		what = "Setting up Authentik as NetBird's only login."
	}
	a.lines.say("%s Nothing is changed before you say yes. The answer q leaves.", what)
	if err := a.fill(ctx, j); err != nil {
		return j.ended(err)
	}
	if err := a.askOptions(ctx, j); err != nil {
		return err
	}
	return ofSetup(j.name, a.walkPlan(ctx, j))
}

// fill asks for the servers and tokens, and checks those that are there.
func (a *app) fill(ctx context.Context, j *job) error {
	if err := a.askAuthentik(ctx, j); err != nil {
		return err
	}
	ask := a.askNetBird
	if j.answers.Mode == state.Standalone {
		ask = a.askDomain
	}
	if err := ask(ctx, j); err != nil {
		return err
	}
	if j.name == "" {
		j.name = flows.SetupName(j.answers)
	}
	stored, err := j.bench.State.Load(j.name)
	if err == nil && stored.Answers.Mode != "" && len(j.kept) == 0 {
		return a.take(j, stored)
	}
	return nil
}

// filled asks for what is missing where a person answers line by line; what is
// missing after that is an error.
func (a *app) filled(ctx context.Context, j *job) error {
	if j.asks == askLines && j.complete() != nil {
		if err := a.fill(ctx, j); err != nil {
			return j.ended(err)
		}
	}
	return j.complete()
}

// askAuthentik asks for Authentik's address and token until both are good.
func (a *app) askAuthentik(ctx context.Context, j *job) error {
	var seen flows.AuthentikSeen
	err := a.askURL(ctx, "Authentik", &j.answers.AuthentikURL, func() (err error) {
		seen, err = j.bench.SeeAuthentik(ctx, j.answers, "")
		return err
	})
	if err != nil {
		return err
	}
	if j.tokens.Authentik == "" && j.keeps(keystore.AuthentikToken) {
		a.lines.say("Authentik's token is in the keystore.")
		return nil
	}
	a.tellClock("Authentik", seen.Clock, seen.CertNotAfter)
	return a.askToken(ctx, "API token of Authentik", seen.TokenPage, &j.tokens.Authentik, func() error {
		seen, err := j.bench.SeeAuthentik(ctx, j.answers, j.tokens.Authentik)
		if err != nil {
			return err
		}
		a.lines.say("Authentik %s, signed in as %s%s.", seen.Version, seen.Username, a.tokenEnd(seen))
		if !seen.Superuser {
			a.lines.say("Note: %s is no superuser; some of what follows may be refused.", seen.Username)
		}
		return nil
	})
}

func (a *app) tokenEnd(seen flows.AuthentikSeen) string {
	switch {
	case !seen.TokenKnown:
		return ""
	case seen.TokenExpires.IsZero():
		return ", with a token that never expires"
	}
	return ", with a token that expires in " + age(seen.TokenExpires.Sub(a.Now()))
}

func (a *app) tellClock(server string, apart time.Duration, cert time.Time) {
	if apart.Abs() > 2*time.Second {
		a.lines.say("Note: the clock of %s is %s off from the one here.", server, apart.Abs().Round(time.Second))
	}
	if !cert.IsZero() {
		a.lines.say("Its certificate is good until %s.", cert.Format("2 January 2006"))
	}
}

// askURL asks for a server's address until somebody fitting answers there. One
// that is there already is tried first.
func (a *app) askURL(ctx context.Context, server string, url *string, see func() error) error {
	standing, given := *url, *url != ""
	for {
		if !given {
			typed, err := a.lines.ask(ctx, fmt.Sprintf("Where is %s? For example https://%s.example.com.", server, strings.ToLower(server)), standing, func(s string) error {
				_, err := a.opts.serverURL(s)
				return err
			})
			if err != nil {
				return err
			}
			if *url, err = a.opts.serverURL(typed); err != nil {
				return err
			}
		}
		err := see()
		if err == nil {
			a.lines.say("%s answers at %s.", server, *url)
			return nil
		}
		if ctx.Err() != nil {
			return errInterrupted
		}
		a.lines.say("That does not do: %s", clients.Clean(err.Error()))
		standing, given = *url, false
	}
}

// askToken asks for a token until the server takes it. One that is there
// already is tried first.
func (a *app) askToken(ctx context.Context, what, page string, token *string, see func() error) error {
	for given := *token != ""; ; given = false {
		if !given {
			a.lines.say("It is made at %s", clients.Clean(page))
			typed, err := a.lines.askHidden(ctx, "The "+what+"?", func(s string) error { return sayable(strings.TrimSpace(s)) })
			if err != nil {
				return err
			}
			*token = strings.TrimSpace(typed)
		}
		err := see()
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return errInterrupted
		}
		a.lines.say("That does not do: %s", clients.Clean(err.Error()))
	}
}

// askNetBird asks for NetBird's address and a way in.
func (a *app) askNetBird(ctx context.Context, j *job) error {
	var seen flows.NetBirdSeen
	err := a.askURL(ctx, "NetBird", &j.answers.NetBirdURL, func() (err error) {
		seen, err = j.bench.SeeNetBird(ctx, j.answers, "")
		return err
	})
	if err != nil {
		return err
	}
	if j.tokens.NetBird == "" && j.keeps(keystore.NetBirdToken) {
		a.lines.say("NetBird's token is in the keystore.")
		return nil
	}
	a.tellClock("NetBird", seen.Clock, seen.CertNotAfter)
	if j.tokens.NetBird == "" {
		if err := a.wayIn(ctx, j, seen); err != nil {
			return err
		}
	}
	return a.askToken(ctx, "access token of NetBird", seen.TokenPage, &j.tokens.NetBird, func() error {
		seen, err := j.bench.SeeNetBird(ctx, j.answers, j.tokens.NetBird)
		if err != nil {
			return err
		}
		a.lines.say("NetBird %s, signed in as %s, %s.", seen.Version, seen.User, seen.Role)
		if !seen.MayWrite {
			a.lines.say("Note: this token may not make connectors; an admin's or the owner's may.")
		}
		return nil
	})
}

// askDomain asks for NetBird's domain. NetBird itself is not asked: it may not
// run yet.
func (a *app) askDomain(ctx context.Context, j *job) error {
	if j.answers.NetBirdDomain != "" {
		a.lines.say("NetBird's domain is %s.", j.answers.NetBirdDomain)
		return nil
	}
	typed, err := a.lines.ask(ctx, "NetBird's domain? For example netbird.example.com.", "", func(s string) error {
		_, err := flows.Domain(s)
		return err
	})
	if err != nil {
		return err
	}
	j.answers.NetBirdDomain, err = flows.Domain(typed)
	return err
}

// wayIn offers the ways to a token that NetBird has. A pasted one stays for
// askToken to ask for.
func (a *app) wayIn(ctx context.Context, j *job, seen flows.NetBirdSeen) error {
	if seen.SetupRequired {
		a.lines.say("This NetBird is fresh: it has no owner yet.")
		return a.createOwner(ctx, j)
	}
	if !seen.EmbeddedIdP {
		return nil
	}
	way, err := a.lines.choose(ctx, "How do you sign in to NetBird?", []option{
		{"code", "sign in with a code, on any device with a browser"},
		{"token", "paste an access token"},
	}, 0)
	if err != nil || way == 1 {
		return err
	}
	return a.deviceLogin(ctx, j)
}

// deviceLogin signs in with a code on another device. Failing, it leaves the
// token to be asked for.
func (a *app) deviceLogin(ctx context.Context, j *job) error {
	login, err := j.bench.StartDeviceLogin(ctx, j.answers)
	if err != nil {
		a.lines.say("That does not do: %s", clients.Clean(err.Error()))
		return nil
	}
	a.lines.say("Open this address on any device:")
	a.lines.say("%s", clients.Clean(login.URL))
	a.lines.say("There, type the code %s. Waiting for up to %s.", clients.Clean(login.UserCode), login.ExpiresIn)
	token, err := j.bench.AwaitDeviceLogin(ctx, j.answers, login)
	switch {
	case ctx.Err() != nil:
		return errInterrupted
	case err != nil:
		a.lines.say("That did not work: %s", clients.Clean(err.Error()))
		return nil
	}
	j.tokens.NetBird = token
	return nil
}

// createOwner makes the owner of a fresh NetBird.
func (a *app) createOwner(ctx context.Context, j *job) error {
	for {
		email, err := a.lines.ask(ctx, "The owner's e-mail address?", "", nil)
		if err != nil {
			return err
		}
		name, err := a.lines.ask(ctx, "The owner's name?", "", nil)
		if err != nil {
			return err
		}
		password, err := a.lines.askHidden(ctx, "A password for the owner, 8 to 72 characters?", func(s string) error {
			if len(s) < 8 || len(s) > 72 {
				return fmt.Errorf("NetBird takes 8 to 72 characters")
			}
			return nil
		})
		if err != nil {
			return err
		}
		token, err := j.bench.CreateOwner(ctx, j.answers, flows.Owner{Email: email, Name: name, Password: password})
		if err == nil {
			j.tokens.NetBird = token
			return nil
		}
		if ctx.Err() != nil {
			return errInterrupted
		}
		a.lines.say("That does not do: %s", clients.Clean(err.Error()))
	}
}

// askOptions asks what may be chosen, where the person wants to.
func (a *app) askOptions(ctx context.Context, j *job) error {
	n := &j.answers
	own := fmt.Sprintf("the connector %q", n.ConnectorName)
	if n.Mode == state.Standalone {
		own = standaloneWords(*n)
	}
	a.lines.say("As it stands: provider and application %q with the slug %s, %s, secrets in %s.", n.Name, n.Slug, own, keystoreWords(n.Keystore))
	yes, err := a.lines.confirm(ctx, "Is that right?", true)
	if err != nil || yes {
		return err
	}
	choices, err := j.bench.Choices(ctx, *n, j.tokens)
	if err != nil && ctx.Err() == nil {
		a.lines.say("The lists of Authentik can't be read: %s", clients.Clean(err.Error()))
	}
	for _, ask := range []func() error{
		func() error { return a.askText(ctx, "Name of the provider and the application in Authentik?", &n.Name) },
		func() (err error) {
			n.Slug, err = a.lines.ask(ctx, "Slug of the application?", n.Slug, flows.ValidSlug)
			return err
		},
		func() error {
			return a.askChoice(ctx, "Which authorization flow?", &n.AuthorizationFlow, choices.AuthorizationFlows)
		},
		func() error {
			first := append([]flows.Choice{{Label: "the first RSA key"}}, choices.SigningKeys...)
			return a.askChoice(ctx, "Which signing key?", &n.SigningKey, first)
		},
		func() error { return a.askGroups(ctx, n) },
		func() error { return a.askOfMode(ctx, n, choices) },
		func() error { return a.askKeeping(ctx, j) },
	} {
		if err := ask(); err != nil {
			return err
		}
	}
	return nil
}

// askOfMode asks what only one of the modes has.
func (a *app) askOfMode(ctx context.Context, n *state.Answers, choices flows.Choices) error {
	if n.Mode != state.Standalone {
		if err := a.askText(ctx, "Name of the connector on NetBird's login page?", &n.ConnectorName); err != nil {
			return err
		}
		return a.askGroupSync(ctx, n)
	}
	return a.askStandalone(ctx, n, choices.Management)
}

func keystoreWords(kind string) string {
	words := map[string]string{"keyring": "the system's keyring", "file": "an encrypted file", "env": "the environment"}
	if w := words[kind]; w != "" {
		return w
	}
	return "the system's keyring, or an encrypted file where there is none"
}

func (a *app) askText(ctx context.Context, question string, to *string) (err error) {
	*to, err = a.lines.ask(ctx, question, *to, nil)
	return err
}

// askChoice asks for one of a list; a list that could not be read is not asked.
func (a *app) askChoice(ctx context.Context, question string, to *string, list []flows.Choice) error {
	if len(list) == 0 {
		return nil
	}
	options, standing := make([]option, 0, len(list)), 0
	for i, c := range list {
		options = append(options, option{c.Value, strings.Join(notEmpty(c.Label, c.Note), ", ")})
		if c.Value == *to {
			standing = i
		}
	}
	i, err := a.lines.choose(ctx, question, options, standing)
	if err == nil {
		*to = options[i].value
	}
	return err
}

func (a *app) askGroups(ctx context.Context, n *state.Answers) error {
	return a.askNames(ctx, "Which groups of Authentik may sign in? Names with commas between them.", &n.AllowGroups)
}

// everybody is what stands where no group is named.
const everybody = "everybody"

// askNames asks for names with commas between them; none are everybody.
func (a *app) askNames(ctx context.Context, question string, to *[]string) error {
	standing := everybody
	if len(*to) > 0 {
		standing = strings.Join(*to, ", ")
	}
	text, err := a.lines.ask(ctx, question, standing, nil)
	if err != nil || text == standing {
		return err
	}
	*to = nil
	if strings.EqualFold(text, everybody) {
		return nil
	}
	for _, name := range strings.Split(text, ",") {
		if name = strings.TrimSpace(name); name != "" && !slices.Contains(*to, name) {
			*to = append(*to, name)
		}
	}
	return nil
}

func (a *app) askKeeping(ctx context.Context, j *job) error {
	kinds := []option{
		{"", keystoreWords("")}, {"keyring", keystoreWords("keyring")},
		{"file", keystoreWords("file")}, {"env", keystoreWords("env")},
	}
	standing := slices.IndexFunc(kinds, func(o option) bool { return o.value == j.answers.Keystore })
	i, err := a.lines.choose(ctx, "Where are secrets kept?", kinds, max(standing, 0))
	if err != nil {
		return err
	}
	j.answers.Keystore = kinds[i].value
	tokens := "both admin tokens"
	if j.answers.Mode == state.Standalone {
		tokens = "Authentik's token"
	}
	j.answers.KeepAdminTokens, err = a.lines.confirm(ctx, "Keep "+tokens+" there too, so that credentials can be renewed from here?", j.answers.KeepAdminTokens)
	if err != nil {
		return err
	}
	return a.askDays(ctx, &j.answers.RotateEvery)
}
