package cli

import (
	"context"
	"errors"
	"os"

	"authbird/flows"
	"authbird/sim"
	"authbird/state"
	"authbird/tui"
)

// home is authbird without a verb.
func (a *app) home(ctx context.Context, _ []string) error {
	asks := a.asks()
	if asks == askNobody {
		return &usageError{
			message: "authbird without a verb opens its home screen, and that needs a terminal",
			hints:   []string{"authbird status lists the setups; authbird setup connector --yes sets one up without a question; authbird --help tells the rest"},
		}
	}
	if err := a.enterSandbox(); err != nil {
		return err
	}
	j, err := a.begin(asks, state.Connector, &state.Setup{}) // none of those that stand: home lists them
	if err != nil {
		return err
	}
	if asks == askLines {
		return a.homeLines(ctx, j)
	}
	return a.screen(ctx, j, tui.StartHome)
}

// screen hands the job to the full screen, and says on the normal one how it
// came out.
func (a *app) screen(ctx context.Context, j *job, start tui.Start) error {
	passphrase := tui.NewAsker()
	bench, err := a.bench(passphrase.Ask)
	if err != nil {
		return err
	}
	o := tui.Options{
		Bench: tui.OnBench(bench), Shelf: bench.State, Version: versionOf(a.Version), Sandbox: a.world != nil,
		Modes: []state.Mode{state.Connector, state.Standalone}, Defaults: a.screenDefaults(bench), In: a.Stdin, Out: a.terminal, Now: a.Now, Asker: passphrase,
		Start: start, Setup: j.name, Answers: j.answers, Tokens: j.tokens,
		Examine: a.opts.doctor.files(), SaveReport: a.keepReport,
	}
	if start == tui.StartWalk {
		o.Setup = a.opts.setup
	}
	if o.Folder, err = os.Getwd(); err != nil { // then paths are asked for whole
		o.Folder = ""
	}
	if a.world != nil {
		o.SimulateLogin = a.simulatedLogin
		o.Actors = tui.Actors{
			Owner:  actor(sim.OwnerEmail, sim.OwnerPassword),
			Person: actor(sim.PersonUsername, sim.PersonPassword),
		}
	}
	a.stop.screen.Store(true)
	result, err := tui.Run(ctx, o)
	a.stop.screen.Store(false)
	gone := ctx.Err() != nil || errors.Is(err, tui.ErrGone)
	if err != nil && !gone {
		return err
	}
	for _, line := range result.Lines {
		printLine(a.Stdout, line)
	}
	if result.Err != nil {
		return ofSetup(result.Setup, &told{a.left(result.Err)})
	}
	if gone {
		return errInterrupted
	}
	a.last = outcome{Setup: result.Setup}
	if start == tui.StartDoctor && result.Found != nil {
		a.last = a.verdictOf(result.Found)
	}
	return nil
}

// screenDefaults are a mode's answers with what flags gave over them.
func (a *app) screenDefaults(bench *flows.Bench) func(state.Mode) state.Answers {
	return func(mode state.Mode) state.Answers {
		n := bench.Defaults(mode)
		a.opts.overlay(&n, a.given)
		return n
	}
}

// told is an error whose words a person has read already.
type told struct{ err error }

func (e *told) Error() string { return e.err.Error() }
func (e *told) Unwrap() error { return e.err }

// actor is somebody of the sandbox, in words.
func actor(name, password string) string { return name + " with the password " + password }

// simulatedLogin lets the sandbox's person sign in.
func (a *app) simulatedLogin(ctx context.Context) error {
	return a.world.Login(ctx, sim.PersonUsername, sim.PersonPassword)
}
