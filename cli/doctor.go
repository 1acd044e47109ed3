package cli

import (
	"context"
	"errors"
	"fmt"
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

	// Of a connection that authbird did not make, where they can't be found.
	slug, serviceAccount, domain string
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
	f.StringVar(&o.slug, "slug", "", "of a connection that authbird did not make: its application in Authentik, where there are several")
	f.StringVar(&o.serviceAccount, "service-account", "", "of such a connection: the account that NetBird reads users with")
	f.StringVar(&o.domain, "netbird-domain", "", "of such a connection: NetBird's domain, where it isn't in its address")
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
		out.Next = flows.DoctorCommand(d) + " --fix"
	}
	if a.opts.doctor.report == "-" {
		out.Message, out.Hints, out.Next = "", nil, ""
	}
	return out
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

// consultLines asks the doctor about one setup from the home screen in words,
// and offers the repair.
func (a *app) consultLines(ctx context.Context, j *job, s *state.Setup) error {
	p := a.patientOf(s)
	p.tokens = j.tokens
	return ofSetup(s.Name, a.fix(ctx, &clinic{bench: j.bench, patients: []*patient{p}, asks: askLines}))
}
