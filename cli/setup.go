package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"authbird/clients"
	"authbird/doctor"
	"authbird/flows"
	"authbird/keystore"
	"authbird/state"
	"authbird/tui"
)

func (a *app) setupVerb() *cobra.Command {
	verb := &cobra.Command{
		Use: "setup", Short: "walk through a setup, or set up everything of a list", Args: a.noVerb, RunE: a.verb(a.anyMode),
		Long: "With a mode it walks through one setup. With --from it sets up, without a question, everything that a list names: some at a time, " +
			"and one that fails stops none of the others. Running it again goes on where it stopped.",
		Example: "authbird setup connector\nauthbird setup --from customers.yaml",
	}
	a.opts.list(verb.Flags())
	standalone := &cobra.Command{
		Use:   "standalone",
		Short: "Authentik as NetBird's only login (advanced)",
		Long: "Makes Authentik NetBird's only identity provider: a public provider, an application, a service account with an app password, a flow for device codes, " +
			"and the setup.env that NetBird's configure.sh reads. NetBird itself is not asked; it is set up with its own script afterwards.",
		Example: "authbird setup standalone\n" +
			"authbird setup standalone --authentik-url https://auth.example.com --netbird-domain netbird.example.com --env-file setup.env --yes",
		Args: noArguments,
		RunE: a.verb(a.setupIn(state.Standalone)),
	}
	a.opts.standalone(standalone.Flags())
	connector := &cobra.Command{
		Use:   "connector",
		Short: "Authentik beside NetBird's own login (recommended)",
		Long: "Adds Authentik to NetBird's embedded identity provider: a provider and an application in Authentik, a connector in NetBird. " +
			"Nothing has to be restarted, and it can be taken back at any time. With a terminal it asks for what is missing; with --yes, --json or without a terminal it asks nothing.",
		Example: "authbird setup connector\n" +
			"authbird setup connector --authentik-url https://auth.example.com --netbird-url https://netbird.example.com --yes",
		Args: noArguments,
		RunE: a.verb(a.setupIn(state.Connector)),
	}
	a.opts.connector(connector.Flags())
	verb.AddCommand(connector, standalone)
	return verb
}

func (a *app) planVerb() *cobra.Command {
	verb := &cobra.Command{Use: "plan", Short: "what a setup would do, without doing it", Args: a.noVerb, RunE: a.verb(func(ctx context.Context, args []string) error {
		if a.opts.from != "" {
			return a.listed(ctx, a.planEntry)
		}
		return noMode(ctx, args)
	})}
	a.opts.list(verb.Flags())
	for mode, short := range map[state.Mode]string{
		state.Connector:  "what setup connector would do",
		state.Standalone: "what setup standalone would do",
	} {
		of := &cobra.Command{
			Use:   string(mode),
			Short: short,
			Long:  "Reads the servers and says " + short + ": what it would make, change or leave. It changes nothing.",
			Args:  noArguments,
			RunE:  a.verb(a.planIn(mode)),
		}
		a.opts.modeFlags(mode)(of.Flags())
		verb.AddCommand(of)
	}
	return verb
}

func (a *app) resumeVerb() *cobra.Command {
	verb := &cobra.Command{
		Use:               "resume [SETUP]",
		Short:             "go on with an interrupted setup or rotation",
		Long:              "Runs a setup again with the answers that were given. What stands already is left, what is missing is made; running again is resuming.",
		Args:              oneSetup,
		ValidArgsFunction: a.completeSetups,
		RunE:              a.verb(a.resume),
	}
	a.opts.consent(verb.Flags())
	a.opts.waiting(verb.Flags())
	return verb
}

func noMode(context.Context, []string) error {
	return &usageError{message: "which mode?", hints: []string{"connector: Authentik beside NetBird's own login", "standalone: Authentik as NetBird's only login"}}
}

// anyMode is setup without a mode: the full screen asks which, nobody else does.
func (a *app) anyMode(ctx context.Context, args []string) error {
	if a.opts.from != "" {
		return a.listed(ctx, a.setUpEntry)
	}
	asks := a.asks()
	if asks == askNobody {
		return noMode(ctx, args)
	}
	if err := a.enterSandbox(); err != nil {
		return err
	}
	if asks == askLines {
		return a.askMode(ctx)
	}
	j, err := a.begin(askScreen, state.Connector, nil)
	if err != nil {
		return err
	}
	j.answers.Mode = ""
	return a.screen(ctx, j, tui.StartWalk)
}

// job is one setup to be worked on: its name, the answers and the tokens that
// are there so far, and who is asked for the rest.
type job struct {
	name    string
	answers state.Answers
	tokens  flows.Tokens
	kept    []state.Credential // what the keystore is known to have
	bench   *flows.Bench
	asks    asking
	quiet   bool // one of several at once, whose lines among each other would tell nothing
}

// begin gathers a job for a verb that sets up: documented defaults, the
// answers of a setup that is there already, flags and environment over both.
func (a *app) begin(asks asking, mode state.Mode, stored *state.Setup) (*job, error) {
	tokens, err := a.tokens()
	if err != nil {
		return nil, err
	}
	bench, err := a.bench(a.askerFor(asks))
	if err != nil {
		return nil, err
	}
	j := &job{tokens: tokens, bench: bench, asks: asks, name: a.opts.setup}
	j.answers = bench.Defaults(mode)
	a.opts.overlay(&j.answers, a.given)
	if j.name == "" && (j.answers.NetBirdURL != "" || j.answers.NetBirdDomain != "") {
		j.name = flows.SetupName(j.answers)
	}
	if stored == nil && j.name != "" {
		stored, err = bench.State.Load(j.name)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	return j, a.take(j, stored)
}

// take puts the answers of a setup that is there already under those that
// were given now.
func (a *app) take(j *job, stored *state.Setup) error {
	if stored == nil {
		return nil
	}
	if stored.Answers.Mode == "" { // its answers are lost: flags must give them
		j.name, j.kept = stored.Name, stored.Credentials
		return nil
	}
	if stored.Answers.Mode != j.answers.Mode {
		return usagef("the setup %s is %s; name the new one with --setup", stored.Name, stored.Answers.Mode)
	}
	j.name, j.answers, j.kept = stored.Name, stored.Answers, stored.Credentials
	a.opts.overlay(&j.answers, a.given)
	return nil
}

// askerFor is who is asked for a passphrase. The full screen has its own way.
func (a *app) askerFor(asks asking) asker {
	if asks == askLines {
		return a.askPassphrase
	}
	return nil
}

// missing names the flags of the answers that are still not there.
func (j *job) missing() []string {
	var out []string
	need := func(there bool, flag string) {
		if !there {
			out = append(out, flag)
		}
	}
	need(j.answers.AuthentikURL != "", "--authentik-url")
	need(j.tokens.Authentik != "" || j.keeps(keystore.AuthentikToken), "--authentik-token-file (or AUTHENTIK_TOKEN)")
	if j.answers.Mode == state.Standalone {
		need(j.answers.NetBirdDomain != "", "--netbird-domain")
		if j.answers.GroupSync == "" {
			return out
		}
	} else {
		need(j.answers.NetBirdURL != "", "--netbird-url")
	}
	need(j.tokens.NetBird != "" || j.keeps(keystore.NetBirdToken), "--netbird-token-file (or NETBIRD_TOKEN)")
	return out
}

func (j *job) keeps(name string) bool {
	for _, c := range j.kept {
		if c.Name == name && c.Kept {
			return true
		}
	}
	return false
}

// complete is an error where answers are missing and nobody may be asked.
func (j *job) complete() error {
	missing := j.missing()
	if len(missing) == 0 {
		if err := flows.ValidAnswers(j.answers); err != nil {
			return usagef("%v", err)
		}
		return nil
	}
	return &usageError{
		message: "missing: " + strings.Join(missing, ", "),
		hints:   []string{"nothing is asked with --yes, --json or without a terminal; each flag has an environment twin: --authentik-url is AUTHBIRD_AUTHENTIK_URL"},
	}
}

// ended names what is missing where the input ended before it was answered.
func (j *job) ended(err error) error {
	if errors.Is(err, errEnd) && j.complete() != nil {
		return j.complete()
	}
	return err
}

func (a *app) setupIn(mode state.Mode) func(context.Context, []string) error {
	return func(ctx context.Context, _ []string) error { return a.setup(ctx, mode) }
}

func (a *app) planIn(mode state.Mode) func(context.Context, []string) error {
	return func(ctx context.Context, _ []string) error { return a.plan(ctx, mode) }
}

func (a *app) setup(ctx context.Context, mode state.Mode) error {
	if err := a.enterSandbox(); err != nil {
		return err
	}
	asks := a.asks()
	j, err := a.begin(asks, mode, nil)
	if err != nil {
		return err
	}
	switch asks {
	case askScreen:
		return a.screen(ctx, j, tui.StartWalk)
	case askLines:
		return a.walk(ctx, j)
	}
	if err := j.complete(); err != nil {
		return err
	}
	return a.run(ctx, j, nil)
}

func (a *app) resume(ctx context.Context, args []string) error {
	if err := a.enterSandbox(); err != nil {
		return err
	}
	dir, err := a.state()
	if err != nil {
		return err
	}
	stored, err := a.interrupted(dir, a.named(args))
	if err != nil {
		return err
	}
	if flows.BeingRemoved(stored) {
		return a.removeStored(ctx, stored)
	}
	if credential, ok := resumesRotation(stored); ok {
		return a.rotateStored(ctx, stored, []string{credential})
	}
	asks := a.asks()
	j, err := a.begin(asks, stored.Mode(), stored)
	if err != nil {
		return err
	}
	switch asks {
	case askScreen:
		return a.screen(ctx, j, tui.StartSetup)
	case askLines:
		return a.walk(ctx, j)
	}
	if err := j.complete(); err != nil {
		return ofSetup(j.name, err)
	}
	return a.run(ctx, j, nil)
}

// interrupted is the setup to go on with: the one that is named, the only one
// that was interrupted, or the only one there is.
func (a *app) interrupted(dir *state.Dir, name string) (*state.Setup, error) {
	if name != "" {
		return a.load(dir, name)
	}
	all, err := dir.List()
	if err != nil {
		return nil, err
	}
	var open []*state.Setup
	for _, s := range all {
		if _, _, _, _, ok := s.Interrupted(); ok {
			open = append(open, s)
		}
	}
	switch {
	case len(open) == 1:
		return open[0], nil
	case len(all) == 1:
		return all[0], nil
	case len(all) == 0:
		return nil, &usageError{message: "there is no setup to go on with", hints: []string{"authbird setup connector begins one"}}
	case len(open) == 0:
		open = all
	}
	return nil, &usageError{message: "which setup?", hints: []string{"authbird resume " + strings.Join(names(open), ", or authbird resume ")}}
}

func (a *app) plan(ctx context.Context, mode state.Mode) error {
	if err := a.enterSandbox(); err != nil {
		return err
	}
	asks := a.asks()
	if asks == askScreen { // only what is missing is asked, and that line by line
		asks = askLines
	}
	j, err := a.begin(asks, mode, nil)
	if err != nil {
		return err
	}
	if err := a.filled(ctx, j); err != nil {
		return err
	}
	return ofSetup(j.name, a.planned(ctx, j))
}

// planned reads both servers and tells the plan.
func (a *app) planned(ctx context.Context, j *job) error {
	s, err := j.bench.Look(ctx, j.name, j.answers, j.tokens)
	if err != nil {
		return err
	}
	a.hears(j, s)
	defer s.Close()
	p, err := s.Plan(ctx)
	if p != nil {
		a.say.plan(j.name, p)
	}
	if err != nil {
		return a.left(err)
	}
	a.last = planOutcome(j, p)
	return nil
}

// planOutcome counts what a plan holds.
func planOutcome(j *job, p *flows.Plan) outcome {
	count := map[flows.Verdict]int{}
	for _, s := range p.Steps {
		count[s.Finding.Verdict]++
	}
	out := outcome{Setup: j.name, Message: "nothing to do: everything is in place"}
	if !p.Changes() {
		return out
	}
	out.Message = fmt.Sprintf("nothing has changed yet: %d to make, %d to change, %d in place",
		count[flows.Missing], count[flows.Differs], count[flows.InPlace])
	if count[flows.Differs] > 0 {
		out.Hints = []string{"what would be changed stands there already; setup asks before it changes it, or takes --adopt"}
	}
	out.Next = flows.CommandLine(j.answers, j.name)
	return out
}

// open opens a job's setup, and lets it speak with this run.
func (a *app) open(ctx context.Context, j *job, adopt func(context.Context, flows.About, flows.Finding) error) (*flows.Session, error) {
	s, err := j.bench.Open(ctx, j.name, j.answers, j.tokens)
	if err != nil {
		return nil, err
	}
	a.hears(j, s)
	s.Claim = a.opts.adopt
	s.GiveUp = a.stop.giveUp
	s.Adopt = adopt
	if a.opts.adopt {
		s.Adopt = func(context.Context, flows.About, flows.Finding) error { return nil }
	}
	return s, nil
}

// hears tells what the session says.
func (a *app) hears(j *job, s *flows.Session) {
	for _, told := range s.SetAside() {
		printLine(a.Stderr, clients.Clean(told))
	}
	if !j.quiet {
		s.Watch = func(e flows.Event) { a.say.event(j.name, e) }
	}
}

// run carries a job out without a question.
func (a *app) run(ctx context.Context, j *job, adopt func(context.Context, flows.About, flows.Finding) error) error {
	s, err := a.open(ctx, j, adopt)
	if err != nil {
		return ofSetup(j.name, err)
	}
	defer s.Close()
	p, err := s.Plan(ctx)
	if p != nil && a.opts.json {
		a.say.plan(j.name, p)
	}
	if err != nil {
		return ofSetup(j.name, a.left(err))
	}
	return ofSetup(j.name, a.carry(ctx, j, s, p))
}

// carry does what the plan says and keeps the last word.
func (a *app) carry(ctx context.Context, j *job, s *flows.Session, p *flows.Plan) error {
	changes := p.Changes()
	results, err := s.Carry(ctx, p)
	if err != nil {
		a.tellFailed(j.name, err)
		return a.left(err)
	}
	a.last = outcome{
		Setup: j.name, Message: "nothing to do: everything is in place, and the checks are well",
		Login: s.LoginLink(), Command: flows.CommandLine(s.Answers, j.name),
	}
	if changes {
		a.last.Message = fmt.Sprintf("%s: Authentik and NetBird are connected, and the checks are well", j.name)
	}
	a.last.Hints = remarks(results)
	if s.Answers.Mode == state.Standalone {
		a.standaloneDone(s.Answers, p)
	}
	if a.opts.json {
		if stored, err := j.bench.State.Load(j.name); err == nil {
			st := a.standingOf(j.bench.State, stored)
			if st.RunningPID != 0 { // by this very run
				st.State, st.RunningPID, st.Since = stateComplete, 0, time.Time{}
			}
			a.say.standing(st)
		}
	}
	return nil
}

// standaloneDone says where the file is and what NetBird's guide does next.
func (a *app) standaloneDone(n state.Answers, p *flows.Plan) {
	a.last.Login = ""
	if p.Changes() {
		a.last.Message = fmt.Sprintf("%s: Authentik is ready to be NetBird's only login, and NetBird's own calls to it work", a.last.Setup)
	}
	a.last.Hints = append(a.last.Hints, "NetBird's values are in "+n.EnvFile)
	next := strings.Join(flows.Next(n, a.last.Setup, p.Facts), " && ")
	if n.NetBirdConfig != "" {
		a.last.Hints = append(a.last.Hints, n.NetBirdConfig+" is patched: restart NetBird's management server, in its folder: "+next)
		return
	}
	a.last.Hints = append(a.last.Hints, "go on with NetBird's guide, in "+filepath.Dir(n.EnvFile)+": "+next)
}

// tellFailed tells at which step a run ended, unless the person ended it.
func (a *app) tellFailed(setup string, err error) {
	var stopped *flows.Stopped
	if errors.As(err, &stopped) && stopped.Step.ID != "" && stopped.Reason != flows.Interrupted {
		a.say.event(setup, flows.Event{Phase: flows.Failed, Step: stopped.Step, Finding: stopped.Finding, Err: stopped.Err})
	}
}

// remarks are what the checks have to say though all is well.
func remarks(results []doctor.Result) []string {
	var out []string
	for _, r := range results {
		if r.Verdict == doctor.Warn {
			out = append(out, strings.Join(notEmpty(r.Cause, r.Hits, r.Advice), "; "))
		}
	}
	return out
}

func notEmpty(texts ...string) []string {
	var out []string
	for _, t := range texts {
		if t != "" {
			out = append(out, t)
		}
	}
	return out
}

// left marks an end that a second Ctrl-C made.
func (a *app) left(err error) error {
	if err != nil && a.stop.gaveUp() {
		return &gaveUpError{err}
	}
	return err
}
