package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"authbird/clients"
	"authbird/flows"
	"authbird/keystore"
	"authbird/state"
	"authbird/tui"
)

// credentials are the names that rotate takes.
var credentials = []string{keystore.ClientSecret, keystore.AppPassword, keystore.AuthentikToken, keystore.NetBirdToken, keystore.SigningKey}

func (a *app) rotateVerb() *cobra.Command {
	verb := &cobra.Command{
		Use:   "rotate [SETUP] CREDENTIAL...",
		Short: "renew secrets, with the least interruption",
		Long: "Renews credentials: " + strings.Join(credentials, ", ") + ". It says what that means before it does it. The old one goes only when the new one works.\n\n" +
			"A new client secret counts from NetBird's restart on: authbird waits for it (--wait), or has it done by --restart-command, and changes Authentik in that moment. " +
			"Where no restart comes, everything is put back. A new app password is added beside the old one, so that nothing is interrupted but by the restart itself.\n\n" +
			"--all-due renews what is due in all setups, for cron, and --all what is named, due or not. Setups at different NetBirds are worked on at once; one that fails stops no other, and the exit code is the worst.",
		Example: "authbird rotate client-secret --restart-command 'docker compose -f /opt/netbird/docker-compose.yml restart'\n" +
			"authbird rotate vpn.example.com app-password --netbird-config /etc/netbird/management.json\n" +
			"authbird rotate --all-due --yes\n" +
			"authbird rotate --all 'lab-*' client-secret --yes",
		ValidArgsFunction: a.completeRotation,
		RunE:              a.verb(a.rotate),
	}
	a.opts.rotation(verb.Flags())
	verb.Flags().BoolVar(&a.opts.allDue, "all-due", false, "renew everything that is due, in all setups; SETUP may then be a pattern such as 'lab-*'")
	verb.Flags().BoolVar(&a.opts.all, "all", false, "renew the named credentials in all setups that have them; SETUP may then be a pattern")
	verb.Flags().IntVar(&a.opts.jobs, "jobs", defaultJobs, "with --all or --all-due: how many NetBirds are worked on at once")
	verb.Flags().BoolVar(&a.opts.leak, "leak", false, "the secrets are in wrong hands: renew all of the setup, and end the old ones first")
	return verb
}

func (a *app) completeRotation(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	setups, _ := a.completeSetups(cmd, args, typed)
	return append(setups, credentials...), cobra.ShellCompDirectiveNoFileComp
}

// rotate renews what the arguments name.
func (a *app) rotate(ctx context.Context, args []string) error {
	if err := a.enterSandbox(); err != nil {
		return err
	}
	dir, err := a.state()
	if err != nil {
		return err
	}
	name, wanted, err := a.toRotate(args)
	if err != nil {
		return err
	}
	if a.opts.allDue || a.opts.all {
		return a.rotateMany(ctx, dir, name, wanted)
	}
	if len(wanted) == 0 && a.asks() == askScreen && a.onScreen() {
		return a.credentialsScreen(ctx, dir, name)
	}
	stored, err := a.onlyOrNamed(dir, name)
	if err != nil {
		return err
	}
	var yours []string
	if a.opts.leak && len(wanted) == 0 {
		wanted, yours = flows.Leaked(flows.Renewals(stored, a.Now()))
	}
	if len(wanted) == 0 {
		if wanted, err = a.askCredential(ctx, stored); err != nil || len(wanted) == 0 {
			return err
		}
	}
	err = a.rotateStored(ctx, stored, wanted)
	for _, name := range yours {
		a.note(fmt.Sprintf("the %s was not kept, so it is not renewed: delete it at its server yourself", name))
	}
	return err
}

// onScreen says that no flag was given which the screen of the credentials would
// not heed.
func (a *app) onScreen() bool {
	return !slices.ContainsFunc([]string{"leak", "restart-command", "rotate-every", "wait", "netbird-config"}, func(flag string) bool { return a.given[flag] != "" })
}

// credentialsScreen opens the credentials of all setups, at those of the setup that
// was named.
func (a *app) credentialsScreen(ctx context.Context, dir *state.Dir, name string) error {
	if name != "" {
		if _, err := a.load(dir, name); err != nil {
			return err
		}
	}
	j, err := a.begin(askScreen, state.Connector, &state.Setup{})
	if err != nil {
		return err
	}
	j.name = name
	return a.screen(ctx, j, tui.StartCredentials)
}

// toRotate tells the setup from the credentials among the arguments.
func (a *app) toRotate(args []string) (setup string, wanted []string, err error) {
	setup = a.opts.setup
	for i, arg := range args {
		switch {
		case slices.Contains(credentials, arg):
			wanted = append(wanted, arg)
		case i == 0:
			setup = arg
		default:
			return "", nil, &usageError{message: fmt.Sprintf("there is no credential %q", clients.CleanN(arg, 40)), hints: []string{"there are: " + strings.Join(credentials, ", ")}}
		}
	}
	switch {
	case a.opts.allDue && (len(wanted) > 0 || a.opts.leak || a.opts.all):
		return "", nil, usagef("--all-due renews what is due; leave out --all, --leak and the names of credentials")
	case a.opts.all && len(wanted) == 0 && !a.opts.leak:
		return "", nil, &usageError{message: "which credential shall --all renew?", hints: []string{"there are: " + strings.Join(credentials, ", "), "--all-due renews what is due"}}
	case a.opts.jobs < 1:
		return "", nil, usagef("%s must be 1 or more", flagOr("jobs", a.given))
	}
	return setup, wanted, nil
}

// onlyOrNamed is the setup that was named, or the only one.
func (a *app) onlyOrNamed(dir *state.Dir, name string) (*state.Setup, error) {
	if name == "" {
		var err error
		if name, err = a.onlySetup(dir); err != nil {
			return nil, err
		}
	}
	return a.load(dir, name)
}

// askCredential lists a setup's credentials and asks which to renew.
func (a *app) askCredential(ctx context.Context, s *state.Setup) ([]string, error) {
	all := flows.Renewals(s, a.Now())
	for _, r := range all {
		a.say.renewal(r)
	}
	if a.lineAsks() != askLines {
		return nil, &usageError{message: "which credential?", hints: []string{"authbird rotate " + quote(s.Name) + " " + all[0].Name, "--all-due renews what is due"}}
	}
	var options []option
	for _, r := range all {
		if r.Why == "" {
			options = append(options, option{r.Name, r.Name})
		}
	}
	if len(options) == 0 {
		return nil, usagef("%s has nothing that could be renewed", s.Name)
	}
	i, err := a.lines.choose(ctx, "Which is to be renewed?", options, 0)
	if err != nil {
		return nil, err
	}
	return []string{options[i].value}, nil
}

// rotateStored renews credentials of one setup, one after the other, and stops
// at the first that fails.
func (a *app) rotateStored(ctx context.Context, stored *state.Setup, wanted []string) error {
	j, err := a.begin(a.lineAsks(), stored.Answers.Mode, stored)
	if err != nil {
		return err
	}
	out, err := a.rotateJob(ctx, j, wanted)
	if err != nil {
		return err
	}
	a.last = out
	return nil
}

func (a *app) rotateJob(ctx context.Context, j *job, wanted []string) (outcome, error) {
	out := outcome{Setup: j.name, Proven: new(bool)}
	*out.Proven = true
	for _, credential := range wanted {
		if err := a.rotateOne(ctx, j, credential, &out); err != nil {
			return out, ofSetup(j.name, err)
		}
	}
	return out, nil
}

// rotateOne renews one credential and adds to the last word.
func (a *app) rotateOne(ctx context.Context, j *job, credential string, out *outcome) error {
	if err := a.tokensFor(ctx, j, credential); err != nil {
		return err
	}
	s, err := a.open(ctx, j, nil)
	if err != nil {
		return err
	}
	defer s.Close()
	if err := s.KeepPolicy(); err != nil {
		return err
	}
	word := make(chan struct{}, 1)
	o := flows.RotateOptions{Wait: a.opts.wait, NetBirdConfig: absolute(a.opts.netbirdConfig), Leak: a.opts.leak, Alone: j.asks == askNobody}
	if j.asks == askLines {
		o.Restarted = word
	}
	r, err := s.PlanRotation(ctx, credential, o)
	if r != nil && r.Plan != nil && !j.quiet {
		a.say.meaning(j.name, r)
	}
	if err != nil {
		return a.left(err)
	}
	if j.asks == askLines {
		yes, err := a.lines.confirm(ctx, "Do it now?", true)
		if err != nil {
			return err
		}
		if !yes {
			return errLeft
		}
	}
	done, err := a.carryRotation(ctx, j, r, word)
	if err != nil {
		a.tellFailed(j.name, err)
		return a.left(err)
	}
	a.renewed(j, credential, done, out)
	if j.asks == askLines && credential == keystore.ClientSecret && !done.Proven {
		*out.Proven = a.watchProof(ctx, s)
	}
	return nil
}

// tokensFor asks for a token that the renewal needs, or stops where one is
// missing.
func (a *app) tokensFor(ctx context.Context, j *job, credential string) error {
	if credential == keystore.AuthentikToken || credential == keystore.NetBirdToken {
		return nil // by itself
	}
	return a.filled(ctx, j)
}

// renewed adds what came of one renewal to the last word.
func (a *app) renewed(j *job, credential string, done flows.Rotated, out *outcome) {
	*out.Proven = *out.Proven && done.Proven
	out.Windows = append(out.Windows, done.Windows...)
	message := fmt.Sprintf("%s: the %s is renewed", j.name, credential)
	if credential == keystore.ClientSecret && !done.Proven {
		message += "; NetBird has restarted with it, and no login was seen yet"
	}
	if out.Message != "" {
		message = out.Message + "; " + strings.TrimPrefix(message, j.name+": ")
	}
	out.Message = message
	for _, w := range done.Windows {
		out.Hints = append(out.Hints, windowWords(credential, w))
	}
	out.Hints = append(out.Hints, done.Remarks...)
	switch credential { // what was given for this run is no longer good
	case keystore.AuthentikToken:
		j.tokens.Authentik = ""
	case keystore.NetBirdToken:
		j.tokens.NetBird = ""
	}
}

func windowWords(credential string, w flows.Window) string {
	what := "logins through Authentik could fail"
	if credential == keystore.AppPassword {
		what = "NetBird was restarting"
	}
	return fmt.Sprintf("%s for %.1f s, from %s to %s", what, w.Length().Seconds(), w.From.Format("15:04:05.0"), w.To.Format("15:04:05.0"))
}

// carryRotation renews, and meanwhile takes a person's word for a restart that
// can't be seen from here.
func (a *app) carryRotation(ctx context.Context, j *job, r *flows.Rotation, word chan<- struct{}) (flows.Rotated, error) {
	if j.asks != askLines || r.Means.Must == "" {
		return r.Carry(ctx)
	}
	a.lines.say("When NetBird has restarted and authbird doesn't notice, type r. The answer q leaves.")
	ctx, leave := context.WithCancel(ctx)
	defer leave()
	type end struct {
		done flows.Rotated
		err  error
	}
	ended := make(chan end, 1)
	go func() {
		done, err := r.Carry(ctx)
		ended <- end{done, err}
	}()
	for {
		select {
		case e := <-ended:
			return e.done, e.err
		case typed := <-a.lines.next():
			a.lines.taken()
			switch {
			case typed.err != nil || typed.text == "q":
				leave()
				e := <-ended
				return e.done, e.err
			case typed.text == "r":
				select {
				case word <- struct{}{}:
				default:
				}
			}
		}
	}
}

// watchProof waits for the login that proves a new client secret; true: one
// came.
func (a *app) watchProof(ctx context.Context, s *flows.Session) bool {
	a.lines.say("To prove it, sign in by Authentik on any device: %s", s.LoginLink())
	a.lines.say("Enter alone ends the watch; the old secret stays kept aside until a login has come.%s", a.simulateWords())
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	seen := make(chan flows.Sighting, 1)
	go func() {
		_ = s.WatchLogin(ctx, func(one flows.Sighting) {
			select {
			case seen <- one:
			default:
			}
		})
	}()
	var nobody flows.Sighting
	for {
		select {
		case <-ctx.Done():
			return false
		case one := <-seen:
			if err := s.NoteLogin(one); err != nil {
				a.lines.say("It could not be written down: %s", clients.Clean(err.Error()))
			}
			a.lines.say("%s signed in. That is proof: the old secret is forgotten.", one.Who)
			return true
		case typed := <-a.lines.next():
			a.lines.taken()
			if a.watchAnswer(ctx, s, typed, &nobody) {
				return false
			}
		}
	}
}

// resumesRotation is the credential whose renewal was stopped, where that is
// what there is to go on with.
func resumesRotation(s *state.Setup) (string, bool) {
	open, ok := flows.PendingRotation(s)
	return open.Credential, ok
}
