package cli

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"authbird/clients"
	"authbird/doctor"
	"authbird/flows"
	"authbird/state"
	"authbird/state/disk"
)

func (a *app) removeVerb() *cobra.Command {
	verb := &cobra.Command{
		Use:   "remove [SETUP]",
		Short: "take back what authbird made, and nothing else",
		Long: "Lists what goes, what is put back as it was and what stays, and asks. Then it undoes the setup, last object first, forgets its secrets and keeps the journal as an archive. " +
			"Interrupted, it goes on when it is run again. It refuses to take away NetBird's last way in, unless --force gives a reason.",
		Args:              oneSetup,
		ValidArgsFunction: a.completeSetups,
		RunE:              a.verb(a.remove),
	}
	verb.Flags().BoolVar(&a.opts.adopt, "adopt", false, "where the journal is damaged: take what stands by this setup's names for authbird's, and take it back too")
	verb.Flags().StringVar(&a.opts.force, "force", "", "the reason for taking away NetBird's last way in all the same")
	return verb
}

func (a *app) remove(ctx context.Context, args []string) error {
	if err := a.enterSandbox(); err != nil {
		return err
	}
	dir, err := a.state()
	if err != nil {
		return err
	}
	stored, err := a.toRemove(dir, a.named(args))
	if err != nil || stored == nil {
		return err
	}
	return a.removeStored(ctx, stored)
}

func (a *app) removeStored(ctx context.Context, stored *state.Setup) error {
	mode := stored.Mode()
	if mode == "" {
		return ofSetup(stored.Name, &usageError{message: "neither the answers nor the journal of this setup can be read, so nothing says what it made",
			hints: []string{"it was left as it is; look at " + stored.Folder}})
	}
	j, err := a.begin(a.lineAsks(), mode, stored)
	if err != nil {
		return err
	}
	if err := a.filled(ctx, j); err != nil {
		return ofSetup(j.name, err)
	}
	return ofSetup(j.name, a.removing(ctx, j))
}

// toRemove is the setup that is named, or the only one. Where there is none
// any more there is nothing to do.
func (a *app) toRemove(dir *state.Dir, name string) (*state.Setup, error) {
	all, err := dir.List()
	if err != nil {
		return nil, err
	}
	if name == "" && len(all) > 1 {
		return nil, &usageError{message: "which setup?", hints: []string{"authbird remove " + strings.Join(names(all), ", or authbird remove ")}}
	}
	for _, s := range all {
		if name == "" || s.Name == name {
			return s, nil
		}
	}
	if name != "" && !archived(dir, name) {
		_, err := a.load(dir, name)
		return nil, err
	}
	a.last = outcome{Setup: name, Message: "nothing to do: there is no such setup on this machine any more"}
	return nil, nil
}

// archived says whether a setup of that name was taken back before.
func archived(dir *state.Dir, name string) bool {
	safe, err := disk.SafeName(name)
	if err != nil {
		return false
	}
	found, err := filepath.Glob(filepath.Join(dir.Path(), "archive", safe+"-*"))
	return err == nil && len(found) > 0
}

func (a *app) removing(ctx context.Context, j *job) error {
	s, err := a.open(ctx, j, nil)
	if err != nil {
		return err
	}
	defer s.Close()
	what, guard, err := s.PlanRemoval(ctx)
	if err != nil {
		return err
	}
	for _, c := range guard {
		a.say.event(j.name, flows.Event{Phase: flows.Checked, Check: c})
	}
	for _, r := range what {
		a.say.removal(j.name, r)
	}
	if j.asks == askLines {
		if err := a.askForce(ctx, guard); err != nil {
			return err
		}
		yes, err := a.lines.confirm(ctx, "Take it back?", false)
		if err != nil {
			return err
		}
		if !yes {
			a.last = outcome{Setup: j.name, Message: "nothing was changed"}
			return nil
		}
	} else if !a.opts.yes {
		return &usageError{message: "remove needs --yes where nobody can be asked"}
	}
	archive, err := s.Remove(ctx, a.opts.force)
	if err != nil {
		a.tellFailed(j.name, err)
		return a.left(&againError{command: "authbird remove " + quote(j.name), err: err})
	}
	a.last = outcome{Setup: j.name, Message: j.name + ": taken back; the journal is kept in " + archive}
	for _, file := range s.Remains() {
		a.last.Hints = append(a.last.Hints, "left as it was before authbird came: "+file)
	}
	return nil
}

// askForce asks for the reason, where the guard forbids taking back and none was
// given.
func (a *app) askForce(ctx context.Context, guard []doctor.Result) (err error) {
	locked := slices.ContainsFunc(guard, func(c doctor.Result) bool { return c.Verdict == doctor.Fail })
	if locked && a.opts.force == "" {
		a.opts.force, err = a.lines.ask(ctx, "It is locked. To do it all the same, type why; the journal keeps it. The answer q leaves.", "", nil)
	}
	return err
}

// againError is a stop that another command than resume goes on from.
type againError struct {
	command string
	err     error
}

func (e *againError) Error() string { return e.err.Error() }
func (e *againError) Unwrap() error { return e.err }

func (a *app) envVerb() *cobra.Command {
	return &cobra.Command{
		Use:   "env [SETUP]",
		Short: "setup.env's lines with the secret, to standard output",
		Long: "Prints the lines of setup.env of a standalone setup, with the app password from the keystore. " +
			"They are for NetBird's configure.sh: set -a; eval \"$(authbird env)\"; set +a; ./configure.sh",
		Args:              oneSetup,
		ValidArgsFunction: a.completeSetups,
		RunE:              a.verb(a.env),
	}
}

func (a *app) env(ctx context.Context, args []string) error {
	if a.opts.json {
		return usagef("env prints a file for the shell; leave out --json")
	}
	dir, err := a.state()
	if err != nil {
		return err
	}
	name := a.named(args)
	if name == "" {
		if name, err = a.onlySetup(dir); err != nil {
			return err
		}
	} else if _, err := a.load(dir, name); err != nil {
		return err
	}
	bench, err := a.bench(a.askerFor(a.lineAsks()))
	if err != nil {
		return err
	}
	text, err := bench.EnvText(ctx, name)
	if err != nil {
		return ofSetup(name, err)
	}
	_, err = fmt.Fprint(a.Stdout, string(text))
	return err
}

func removalWords(r flows.Removal) string {
	return fmt.Sprintf("%-8s %s %q, %s: %s", r.Will, r.Step.Title, clients.Clean(r.Step.Object), place(r.Step.Where), r.Why)
}

// removalLines are one object and what there is to say of it.
func removalLines(r flows.Removal) []string {
	lines := []string{removalWords(r)}
	for _, f := range r.Fields {
		lines = append(lines, fmt.Sprintf("    %s: have %s, authbird left %s", f.Name, orNothing(f.Have), orNothing(f.Want)))
	}
	for _, told := range r.Beside {
		lines = append(lines, "    "+told)
	}
	return lines
}
