package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"authbird/flows"
	"authbird/keystore"
	"authbird/state"
)

func (a *app) statusVerb() *cobra.Command {
	verb := &cobra.Command{
		Use:   "status [SETUP]",
		Short: "setups, how they stand, and the age of their credentials",
		Long: "Lists the setups of this machine, how they stand, and the age and expiry of their credentials. It asks neither a server nor the keystore. " +
			"SETUP may be a pattern such as 'lab-*'.",
		Args:              oneSetup,
		ValidArgsFunction: a.completeSetups,
		RunE:              a.verb(a.status),
	}
	verb.Flags().BoolVar(&a.opts.all, "all", false, "tell of all setups, as without a name; SETUP may then be a pattern such as 'lab-*'")
	return verb
}

func (a *app) status(_ context.Context, args []string) error {
	if err := a.enterSandbox(); err != nil {
		return err
	}
	dir, err := a.state()
	if err != nil {
		return err
	}
	// Collecting rubbish between two of hundreds of setups is a third of the
	// time, and the process ends right after.
	defer debug.SetGCPercent(debug.SetGCPercent(400))
	setups, err := a.chosen(dir, args)
	if err != nil {
		return err
	}
	// Reading, finding out and telling go on beside one another.
	standings := make(chan standing, 64)
	go func() {
		defer close(standings)
		for s := range setups {
			standings <- a.standingOf(dir, s)
		}
	}()
	told := 0
	tell := func() {
		for s := range standings {
			a.say.standing(s)
			told++
		}
	}
	if out, ok := a.Stdout.(*stream); ok {
		out.atOnce(tell)
	} else {
		tell()
	}
	if told == 0 {
		a.last = outcome{Message: "there is no setup yet", Next: "authbird setup connector"}
		return nil
	}
	if a.opts.json {
		a.last = outcome{Message: count(told, "setup")}
	}
	return nil
}

// chosen is the setup that was named, those whose names fit a pattern, or all.
func (a *app) chosen(dir *state.Dir, args []string) (iter.Seq[*state.Setup], error) {
	name := a.named(args)
	if name == "" {
		return dir.All()
	}
	if strings.ContainsAny(name, "*?[") {
		all, err := dir.List()
		if err != nil {
			return nil, err
		}
		fitting, err := matching(all, name)
		return slices.Values(fitting), err
	}
	s, err := a.load(dir, name)
	return slices.Values([]*state.Setup{s}), err
}

// named is the setup that the argument or --setup names; empty: none.
func (a *app) named(args []string) string {
	if len(args) > 0 {
		return args[0]
	}
	return a.opts.setup
}

// load reads a setup that must be there.
func (a *app) load(dir *state.Dir, name string) (*state.Setup, error) {
	s, err := dir.Load(name)
	if !errors.Is(err, fs.ErrNotExist) {
		return s, err
	}
	missing := &usageError{message: fmt.Sprintf("there is no setup %s", name)}
	if all, err := dir.List(); err == nil && len(all) > 0 {
		missing.hints = []string{"there are: " + strings.Join(names(all), ", ")}
	}
	return nil, missing
}

func names(setups []*state.Setup) []string {
	out := make([]string, 0, len(setups))
	for _, s := range setups {
		out = append(out, s.Name)
	}
	return out
}

// standingOf reads off a setup's files how it stands.
func (a *app) standingOf(dir *state.Dir, s *state.Setup) standing {
	out := standing{
		Setup: s.Name, Mode: s.Answers.Mode, AuthentikURL: s.Answers.AuthentikURL, NetBirdURL: s.Answers.NetBirdURL,
		Keystore: s.Answers.Keystore, Damage: s.Damage, Renewals: flows.Renewals(s, a.Now()), LoginSeen: loginSeen(s),
		Stands: stands(s), State: stateComplete,
	}
	if out.Damage == "" { // set aside since, and still not all there
		out.Damage = s.Lost()
	}
	_, step, when, why, interrupted := s.Interrupted()
	switch {
	case s.Damage != "":
		out.State = stateDamaged
	case interrupted:
		out.State, out.StoppedAt, out.Since, out.Why = stateStopped, step, when, why
		out.CommandToType = resumeCommand(s.Name)
	case len(s.Entries) == 0:
		out.State = stateNotBegun
	case len(out.Stands) == 0:
		out.State = stateUndone
	}
	if busy := dir.Busy(s.Name); busy != nil {
		out.State, out.RunningPID, out.Since, out.CommandToType = stateRunning, busy.PID, busy.Since, ""
	}
	out.NotRotatable = notRotatable(out)
	return out
}

// notRotatable lists the admin tokens that were forgotten after the run.
func notRotatable(s standing) []string {
	if s.State != stateComplete {
		return nil
	}
	var out []string
	tokens := []string{keystore.AuthentikToken, keystore.NetBirdToken}
	if s.Mode == state.Standalone { // NetBird's API is not used
		tokens = tokens[:1]
	}
	for _, name := range tokens {
		if !slices.ContainsFunc(s.Renewals, func(r flows.Renewal) bool { return r.Name == name && r.Kept }) {
			out = append(out, name)
		}
	}
	return out
}

// stands lists the steps whose objects stand, in the order they were made.
func stands(s *state.Setup) []string {
	var out []string
	for _, e := range s.Entries {
		if e.Step == "" || slices.Contains(out, e.Step) {
			continue
		}
		if r, _ := s.Last(e.Step); r.ObjectID != "" {
			out = append(out, e.Step)
		}
	}
	return out
}

// loginSeen is when a person was last seen to log in.
func loginSeen(s *state.Setup) (seen time.Time) {
	for _, e := range s.Entries {
		if e.Phase == state.Note && strings.HasPrefix(e.Note, "a login was seen") {
			seen = e.Time
		}
	}
	return seen
}

// completeSetups offers the names of the setups of this machine.
func (a *app) completeSetups(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	dir, err := a.state()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	all, err := dir.List()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return names(all), cobra.ShellCompDirectiveNoFileComp
}
