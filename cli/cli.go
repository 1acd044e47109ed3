// Package cli is authbird's command line: its verbs and flags, what it says in
// plain lines and in JSON, the questions it asks line by line of people whose
// screen reader or terminal cannot use the full screen, and the exit codes.
//
// It composes the rooms below it and decides nothing of what they decide. It
// promises what the command line's contract says: a flag wins over its
// environment twin, nothing is asked where nothing may be asked, standard
// output holds nothing but the verb's result, and the exit code says what kind
// of end it was. It refuses tokens and passwords on the command line, where
// every process of the machine could read them.
package cli

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"authbird/clients"
	"authbird/sim"
)

// World is everything outside the program that a run touches. A test hands in
// its own.
type World struct {
	Args           []string // without the program's name
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	// StdinTerminal and its sisters say whether a person is at that stream.
	StdinTerminal, StdoutTerminal, StderrTerminal bool
	// Hide stops the terminal from showing what is typed, until show is called.
	// Nil: what is typed is not shown anyway.
	Hide    func() (show func(), err error)
	Getenv  func(string) string
	Environ func() []string // the whole environment, for commands that are run; nil: it is empty
	Signals <-chan os.Signal
	Now     func() time.Time
	Wait    func(ctx context.Context, d time.Duration) error // between two looks at a server, or two attempts
	Rand    io.Reader
	Version string
}

// app is one run of the command line.
type app struct {
	World
	opts  options
	given map[string]string // where a flag's value came from: "flag", or the variable's name
	say   voice
	// terminal is standard output as it came: the full screen must see that it
	// is a terminal.
	terminal io.Writer
	stop     interrupts
	lines    *lines
	world    *sim.Sandbox // with --sandbox, once it runs
	ends     []func()     // what must be closed at the end, last first
	last     outcome      // what a verb that did its work has to say
}

// Run does what the arguments say and returns the exit code. Cancelling ctx is
// like the first Ctrl-C.
func Run(ctx context.Context, w World) int {
	a := newApp(w)
	ctx, release := a.stop.listen(ctx, w.Signals, a.note)
	defer release()
	root := a.root()
	root.SetArgs(w.Args)
	err := root.ExecuteContext(ctx)
	a.close()
	return a.finish(err)
}

func newApp(w World) *app {
	a := &app{World: w, given: map[string]string{}, terminal: w.Stdout}
	out := &stream{w: w.Stdout, terminal: w.StdoutTerminal}
	people := &stream{w: w.Stderr}
	a.Stdout, a.Stderr = out, people
	if wantsJSON(w.Args, w.Getenv) {
		a.say = &jsonVoice{out: out, now: w.Now}
	} else {
		a.say = &plainVoice{out: out, people: people, now: w.Now}
	}
	a.lines = newLines(w.Stdin, people, w.Hide)
	return a
}

// note is a remark for people. While the full screen is drawn it would land in
// the middle of it, so then there is none.
func (a *app) note(s string) {
	if !a.stop.screen.Load() {
		printLine(a.Stderr, clients.Clean(s))
	}
}

// close ends what the run opened, last first.
func (a *app) close() {
	for i := len(a.ends) - 1; i >= 0; i-- {
		a.ends[i]()
	}
	a.ends = nil
}

func (a *app) atEnd(f func()) { a.ends = append(a.ends, f) }

// finish says how the run ended, on every stream that wants to know, and
// returns the exit code.
func (a *app) finish(err error) int {
	out := a.last
	if err != nil {
		out = explain(err)
	}
	out.Next = a.withState(out.Next)
	var read *told
	if out.Exit != exitDone && !errors.As(err, &read) {
		writeFailure(a.Stderr, out)
	}
	a.say.result(out)
	if s, ok := a.Stdout.(*stream); ok && s.failed() && out.Exit == exitDone {
		writeFailure(a.Stderr, outcome{Message: "standard output could not be written: " + s.err.Error()})
		return exitFailed
	}
	return out.Exit
}

// withState is a command to type next that finds the same state.
func (a *app) withState(next string) string {
	if next != "" && a.given["state-dir"] == byFlag && !a.opts.sandbox {
		next += " --state-dir " + quote(absolute(a.opts.stateDir))
	}
	return next
}

// root is the tree of verbs. A verb that is not built yet is absent.
func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "authbird",
		Short: "connects Authentik and NetBird and keeps them connected",
		Long: "authbird connects Authentik and NetBird and keeps them connected.\n\n" +
			"Without a verb it opens its home screen. Each flag has an environment twin: --authentik-url is AUTHBIRD_AUTHENTIK_URL; a flag wins. " +
			"Tokens come from AUTHENTIK_TOKEN and NETBIRD_TOKEN, from --authentik-token-file and --netbird-token-file, from the keystore, or from a masked field, never from the command line.",
		Args:              a.noVerb,
		Version:           versionOf(a.Version),
		SilenceErrors:     true,
		SilenceUsage:      true,
		RunE:              a.verb(a.home),
		PersistentPreRunE: a.prepare,
	}
	root.SetOut(a.Stdout)
	root.SetErr(a.Stderr)
	root.SetIn(a.Stdin)
	root.SetFlagErrorFunc(flagError)
	// No version template: with text/template, the linker keeps every method of the
	// Authentik client, and the program is half as large again.
	if _, lines := a.say.(*jsonVoice); lines && slices.Contains(a.Args, "--version") {
		root.SetOut(io.Discard) // it is the result's message then
		a.last.Message = "authbird version " + root.Version
	}
	root.SetHelpFunc(a.help)
	a.opts.common(root.PersistentFlags())
	root.AddCommand(
		a.setupVerb(), a.planVerb(), a.resumeVerb(), a.statusVerb(), a.groupsVerb(), a.doctorVerb(),
		a.exportVerb(),
		a.rotateVerb(), a.removeVerb(), a.envVerb(), a.keystoreVerb(), a.serveVerb(), a.sandboxVerb(), a.manVerb(),
	)
	_ = root.RegisterFlagCompletionFunc("setup", a.completeSetups)
	return root
}

// prepare runs before every verb: environment twins, and what the flags forbid
// together.
func (a *app) prepare(cmd *cobra.Command, _ []string) error {
	if err := a.twins(cmd.Flags()); err != nil {
		return err
	}
	if a.opts.json && (cmd.Name() == "man" || cmd.HasParent() && cmd.Parent().Name() == "completion") {
		return usagef("%s prints a file; leave out --json", cmd.Name())
	}
	return a.opts.check(a.given)
}

// verb makes a cobra verb of a function of the context and the arguments.
func (a *app) verb(do func(context.Context, []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		if err := cmd.Context().Err(); err != nil {
			return errInterrupted
		}
		return do(cmd.Context(), args)
	}
}

// stream is a standard stream that outlives its reader: after the first failed
// write it swallows the rest, so that a closed terminal or pipe never ends a
// run in the middle of a step.
type stream struct {
	w   io.Writer
	mu  sync.Mutex // a signal's remark comes from beside
	err error
	// terminal says that whoever read this was a person, whose going away has
	// been heard of as a signal.
	terminal bool
	held     *bytes.Buffer // not nil: what is written waits
}

// atOnce lets f write in one go what would take hundreds of writes.
func (s *stream) atOnce(f func()) {
	s.mu.Lock()
	s.held = &bytes.Buffer{}
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		held := s.held.Bytes()
		s.held = nil
		s.mu.Unlock()
		_, _ = s.Write(held)
	}()
	f()
}

func (s *stream) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held != nil {
		return s.held.Write(p)
	}
	if s.err != nil {
		return len(p), nil
	}
	if _, err := s.w.Write(p); err != nil {
		s.err = err
	}
	return len(p), nil
}

// failed says that something was lost that nobody chose to lose: a reader that
// went away (head, a closed terminal) is no failure.
func (s *stream) failed() bool { return s.err != nil && !s.terminal && !errors.Is(s.err, errPipe) }
