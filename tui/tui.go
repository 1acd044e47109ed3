package tui

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/charmbracelet/colorprofile"

	"authbird/flows"
	"authbird/state"
)

// Options are everything the program needs of the world.
type Options struct {
	Bench   Bench
	Shelf   Shelf
	Version string
	Sandbox bool         // both servers are simulated: the screens say so
	Modes   []state.Mode // the modes that can be set up; empty: connector
	Folder  string       // where relative paths begin; "": they are left as they are
	Guest   bool         // the person comes over the network, and Folder is all they have of this machine
	// Defaults are a mode's, with what flags gave over them. Nil: the bench's.
	Defaults func(state.Mode) state.Answers

	In  io.Reader // nil: the process's terminal
	Out io.Writer // nil: the process's standard output
	Env []string  // nil: the process's environment
	// Far is the terminal where In and Out lead to one at the other end of a
	// connection. Nil: they are one of this machine, which can be asked.
	Far *Far
	Now func() time.Time

	Start   Start
	Setup   string        // with StartSetup the setup to go on with; with StartWalk the new one's name, "" for the default
	Answers state.Answers // what flags gave beforehand
	Tokens  flows.Tokens  // what the environment or files gave beforehand

	// Examine names files that the doctor looks at too.
	Examine flows.DiagnoseOptions
	// SaveReport writes a report of the doctor into a file and says where. Nil:
	// it is only shown and copied.
	SaveReport func(setup string, text []byte) (path string, err error)

	// Asker, where the keystore may ask for a passphrase while the program runs.
	Asker *Asker
	// Actors are the people who can sign in to simulated servers.
	Actors Actors
	// SimulateLogin lets a simulated person sign in. Nil: there is no such person.
	SimulateLogin func(context.Context) error
}

// Actors are the people of simulated servers, as they sign in: a name and a
// password, in words. Where the servers are real there are none.
type Actors struct{ Owner, Person string }

// Start is where the program begins.
type Start int

const (
	StartHome        Start = iota // the list of setups
	StartWalk                     // a new setup; Answers.Mode says which way, "" asks
	StartSetup                    // the setup named by Setup
	StartDoctor                   // the doctor, about the setup named by Setup or, with "", about what Answers name
	StartCredentials              // the credentials of all setups, at those of the setup named by Setup
)

// Result is what came of a run of the program.
type Result struct {
	Setup string // the last one that was worked on; "": none
	Done  bool   // it stands, and the run came to its end
	// Found is what the doctor found, where it was asked last.
	Found *flows.Diagnosis
	// Err is a *flows.Stopped where a run stopped early and was left so.
	Err error
	// Lines are for the normal screen, once this one is gone.
	Lines []string
}

// Run shows the program until the person leaves or ctx ends. When it returns,
// nothing that it began is under way any more: a step that had begun was
// finished. The error is the terminal's; how the work came out is in the Result.
func Run(ctx context.Context, o Options) (Result, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	p := newProgram(ctx, o)
	opts := []tea.ProgramOption{tea.WithoutSignalHandler()}
	if o.In != nil {
		opts = append(opts, tea.WithInput(hearOut(o.In, func() { cancel(ErrGone) })))
	}
	if o.Out != nil {
		opts = append(opts, tea.WithOutput(o.Out))
	}
	if o.Env != nil {
		opts = append(opts, tea.WithEnvironment(o.Env))
	}
	if colourless(termOf(p.options.Env)) {
		opts = append(opts, tea.WithColorProfile(colorprofile.ASCII))
	}
	w, began := holdWire(o.In, o.Out), p.options.Now()
	program := tea.NewProgram(p, append(opts, o.Far.options()...)...)
	// Not by WithContext: a program that is killed doesn't wait for its own reader,
	// which then takes the terminal's last answers, and may keep the terminal open.
	defer context.AfterFunc(ctx, program.Quit)()
	go o.Far.follow(ctx, program.Send)
	_, err := program.Run()
	if w != nil {
		w.settle(p.owed(began))
		w.restore()
	}
	cancel(nil)
	p.shut()
	if errors.Is(context.Cause(ctx), ErrGone) {
		err = ErrGone
	}
	return p.ending(), err
}

// shut closes every screen and waits until what they held is let go.
func (p *program) shut() {
	for len(p.stack) > 0 {
		p.pop()
	}
	for _, cmd := range p.closings {
		cmd()
	}
}

// ending makes the lines for the normal screen.
func (p *program) ending() Result {
	r := p.result
	if p.lastJob != nil && r.Err == nil && !r.Done {
		if err, ran := p.lastJob.came(); ran {
			r.Err, r.Done, r.Setup = err, err == nil, p.lastJob.name
		}
	}
	name := said(r.Setup)
	var stop *flows.Stopped
	switch {
	case p.lastJob != nil && p.lastJob.taken() != "" && r.Setup == p.lastJob.name:
		r.Lines = append(r.Lines, fmt.Sprintf(wordsLineTaken, name, said(p.lastJob.taken())))
	case p.lastJob != nil && p.lastJob.wasRenewed() != "" && r.Done && r.Setup == p.lastJob.name:
		r.Lines = append(r.Lines, fmt.Sprintf(wordsRenewLine, name, p.lastJob.wasRenewed()))
	case r.Done:
		words := wordsLineDone
		if p.same {
			words = wordsLineSame
		}
		r.Lines = append(r.Lines, fmt.Sprintf(words, name))
		if p.link != "" && p.login == "" {
			r.Lines = append(r.Lines, fmt.Sprintf(wordsLineLogin, said(p.link)))
		}
		if p.options.Guest && p.ran.Mode == state.Standalone {
			r.Lines = append(r.Lines, fmt.Sprintf(wordsLineGuestFile, said(p.ran.EnvFile)))
		} else {
			r.Lines = append(r.Lines, standaloneLines(p.ran, p.next)...)
		}
		r.Lines = append(r.Lines, fmt.Sprintf(wordsLineCommand, said(p.command)))
	case r.Found != nil && r.Err == nil && !p.options.Guest:
		r.Lines = append(r.Lines, fmt.Sprintf(wordsLineCommand, said(flows.DoctorCommand(r.Found))))
	case errors.As(r.Err, &stop):
		r.Lines = append(r.Lines, fmt.Sprintf(wordsLineStopped, name, stoppedWords(stop)))
		for _, s := range stop.Stands {
			r.Lines = append(r.Lines, "  "+wordsStands+said(s))
		}
		if p.options.Sandbox {
			r.Lines = append(r.Lines, wordsSandboxEnds)
		} else if len(stop.Stands) > 0 {
			r.Lines = append(r.Lines, fmt.Sprintf(p.guestLine(wordsLineResume, wordsLineGuestResume), name))
		} else {
			r.Lines = append(r.Lines, wordsLineNothing)
		}
	}
	return r
}

func stoppedWords(s *flows.Stopped) string {
	if s.Reason == flows.Interrupted {
		return wordsLineAsked
	}
	what, _ := errorWords(s)
	title := said(s.Step.Title)
	if s.Check != nil {
		title = said(s.Check.Title)
	}
	if title == "" {
		return what
	}
	return strings.TrimSuffix(title+": "+what, ": ")
}
