package cli

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"authbird/doctor"
	"authbird/flows"
	"authbird/state"
	"authbird/tui"
)

// doctorOptions are the flags that only the doctor has.
type doctorOptions struct {
	fix, all, strict          bool
	report                    string
	names, maskHosts          bool
	watch                     time.Duration
	onChange                  string
	netbirdConfig, netbirdLog string
	envFile                   string
}

// The period of --watch: what it is without a value, and the shortest.
const (
	watchPeriod   = time.Minute
	shortestWatch = 5 * time.Second
)

func (a *app) doctorVerb() *cobra.Command {
	verb := &cobra.Command{
		Use:   "doctor [SETUP]",
		Short: "what is wrong, why, who is hit, and the repair",
		Long: "Looks at a setup, or at a connection that authbird did not make (--authentik-url, --netbird-url), and says of each check its verdict, what was seen, the cause, who is hit and what repairs it. " +
			"It changes nothing, unless --fix is given and the plan that it shows is agreed to. " +
			"It ends with 0 where all is well, 1 where a check failed, 3 where there are notes and --strict is given, 4 and 5 where it could not look at all.",
		Example: "authbird doctor\n" +
			"authbird doctor --fix\n" +
			"authbird doctor --report report.md\n" +
			"authbird doctor --all 'lab-*' --json\n" +
			"authbird doctor --watch=5m --on-change 'mail -s \"$AUTHBIRD_SETUP: $AUTHBIRD_VERDICT\" admin < /dev/null'",
		Args:              oneSetup,
		ValidArgsFunction: a.completeSetups,
		RunE:              a.verb(a.doctor),
	}
	a.opts.doctor.flags(verb.Flags())
	return verb
}

func (o *doctorOptions) flags(f *pflag.FlagSet) {
	f.SortFlags = false
	f.BoolVar(&o.fix, "fix", false, "show what would repair it, ask, repair and look again")
	f.BoolVar(&o.all, "all", false, "look at all setups at once; SETUP may then be a pattern such as 'lab-*'")
	f.BoolVar(&o.strict, "strict", false, "end with 3 where all that is found are notes")
	f.StringVar(&o.report, "report", "", "write what was found to this file, in Markdown, without secrets and names; - is standard output")
	f.BoolVar(&o.names, "names", false, "leave people's names and addresses in the report")
	f.BoolVar(&o.maskHosts, "mask-hosts", false, "take the servers' names and addresses out of the report")
	f.DurationVar(&o.watch, "watch", 0, "look again and again, with this time between, and tell what has changed")
	f.Lookup("watch").NoOptDefVal = watchPeriod.String()
	f.StringVar(&o.onChange, "on-change", "", "with --watch: command to run on a change; AUTHBIRD_SETUP and AUTHBIRD_VERDICT tell it which")
	f.StringVar(&o.netbirdConfig, "netbird-config", "", "management.json or config.yaml of NetBird to look at too")
	f.StringVar(&o.netbirdLog, "netbird-log", "", "log of NetBird's management server to look at too")
	f.StringVar(&o.envFile, "env-file", "", "setup.env to look at too; by default the setup's own")
}

// checkDoctor refuses what does not go together, naming the flag.
func (a *app) checkDoctor() error {
	o := a.opts.doctor
	without := func(bad bool, flag, other string) error {
		if !bad {
			return nil
		}
		return usagef("%s does not go with %s", flagOr(flag, a.given), flagOr(other, a.given))
	}
	watching := a.given["watch"] != ""
	if watching && o.watch < shortestWatch {
		return usagef("%s must be at least %s: both servers are asked each time", flagOr("watch", a.given), shortestWatch)
	}
	if o.onChange != "" && !watching {
		return usagef("%s needs --watch", flagOr("on-change", a.given))
	}
	if o.fix && a.asks() == askNobody && !a.opts.yes {
		return &usageError{message: "--fix needs --yes where nobody can be asked", hints: []string{"without --fix the doctor only looks"}}
	}
	return errors.Join(
		without(watching && o.fix, "watch", "fix"), without(watching && o.report != "", "watch", "report"),
		without(o.all && o.fix, "all", "fix"), without(o.report == "-" && a.opts.json, "report", "json"),
		without(o.report == "-" && o.fix, "report", "fix"), a.checkReport(),
	)
}

func (a *app) doctor(ctx context.Context, args []string) error {
	if err := a.checkDoctor(); err != nil {
		return err
	}
	if err := a.enterSandbox(); err != nil {
		return err
	}
	dir, err := a.state()
	if err != nil {
		return err
	}
	clinic, err := a.clinic(dir, a.named(args))
	if err != nil || clinic == nil {
		return err
	}
	o := a.opts.doctor
	switch {
	case clinic.asks == askScreen:
		return a.doctorScreen(ctx, clinic)
	case a.given["watch"] != "":
		return a.watchAll(ctx, clinic)
	case o.all:
		return a.lookAtAll(ctx, clinic)
	case o.fix:
		return ofSetup(clinic.patients[0].name, a.fix(ctx, clinic))
	}
	return ofSetup(clinic.patients[0].name, a.lookOnce(ctx, clinic))
}

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
	return p, nil
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

// files are what the doctor looks at besides both servers.
func (o *doctorOptions) files() flows.DiagnoseOptions {
	return flows.DiagnoseOptions{NetBirdConfig: o.netbirdConfig, NetBirdLog: o.netbirdLog, EnvFile: o.envFile}
}

// look asks the doctor about one patient.
func (a *app) look(ctx context.Context, b *flows.Bench, p *patient) (*flows.Diagnosis, error) {
	o := a.opts.doctor.files()
	if p.damage != "" && p.answers.AuthentikURL == "" {
		return nil, fmt.Errorf("its files can't be read: %s", p.damage)
	}
	if p.name == "" {
		return b.DiagnoseFound(ctx, p.answers, p.tokens, o)
	}
	return b.Diagnose(ctx, p.name, p.tokens, o)
}

func (a *app) lookOnce(ctx context.Context, c *clinic) error {
	p := c.patients[0]
	if err := a.askTokens(ctx, c, p); err != nil {
		return err
	}
	d, err := a.look(ctx, c.bench, p)
	if err != nil {
		return err
	}
	return a.tellOnce(c, d)
}

// tellOnce tells a diagnosis, writes its report, and keeps the last word.
func (a *app) tellOnce(c *clinic, d *flows.Diagnosis) error {
	if a.opts.doctor.report != "-" {
		a.say.diagnosis(d)
	}
	if err := a.report(c, d); err != nil {
		return err
	}
	if d.CouldNotLook != nil {
		return d.CouldNotLook
	}
	a.last = a.verdictOf(d)
	return nil
}

// verdictOf is the last word about one diagnosis.
func (a *app) verdictOf(d *flows.Diagnosis) outcome {
	n := doctor.Count(d.Results)
	out := outcome{Setup: d.Setup, Exit: a.doctorExit(n), Message: n.String()}
	if n.Verdict() == doctor.OK {
		out.Message = fmt.Sprintf("all is well: %s", count(n[doctor.OK], "check"))
	}
	if repairs := flows.Repairs(d); len(repairs) > 0 && !a.opts.doctor.fix {
		out.Hints = []string{fmt.Sprintf("--fix repairs %s: it shows what it would change, and asks", strings.Join(repairs, ", "))}
		out.Next = fixCommand(d)
	}
	if a.opts.doctor.report == "-" {
		out.Message, out.Hints, out.Next = "", nil, ""
	}
	return out
}

// fixCommand is what repairs what a diagnosis found.
func fixCommand(d *flows.Diagnosis) string {
	if d.Setup != "" {
		return "authbird doctor " + quote(d.Setup) + " --fix"
	}
	return fmt.Sprintf("authbird doctor --authentik-url %s --netbird-url %s --fix", quote(d.Answers.AuthentikURL), quote(netBirdOf(d.Answers)))
}

// doctorExit is the exit code of what was found.
func (a *app) doctorExit(n doctor.Tally) int {
	switch {
	case n[doctor.Fail] > 0:
		return exitFailed
	case n.Verdict() != doctor.OK && a.opts.doctor.strict:
		return exitPerson
	}
	return exitDone
}

// doctorScreen opens the full screen with one patient.
func (a *app) doctorScreen(ctx context.Context, c *clinic) error {
	p := c.patients[0]
	j := &job{name: p.name, answers: p.answers, tokens: p.tokens, asks: askScreen}
	return a.screen(ctx, j, tui.StartDoctor)
}
