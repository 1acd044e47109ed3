package tui

import (
	"context"
	"os"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"authbird/state"
)

// program is the parent: a stack of screens, of which the top one is seen. It
// sends each message to the one screen it is meant for, and does what the
// screens' intents ask.
type program struct {
	options  Options
	opener   Opener
	doctor   Doctor
	ctx      context.Context
	stack    []layer
	nextID   int
	room     room
	sized    bool
	help     bool
	helpBase int // how far the help is scrolled
	draft    draft
	closings map[int]tea.Cmd // begun and not known to have ended

	answers bool // the terminal has answered a question

	result  Result
	lastJob *job
	link    string
	login   string
	command string
	next    []string      // what NetBird's guide goes on with, in standalone mode
	ran     state.Answers // of the last job: the draft may be another walk's by now
	same    bool          // nothing was missing
}

// layer is one screen on the stack, with its own life.
type layer struct {
	id     int
	screen screen
	end    context.CancelFunc
	base   int  // where the person scrolled to
	free   bool // scrolled by hand: the focus need not be in sight
}

// addressed is the answer to a command, for the screen that asked.
type addressed struct {
	to  int
	msg tea.Msg
}

// letGo says that a screen's closing has ended.
type letGo struct{ id int }

func newProgram(ctx context.Context, o Options) *program {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Env == nil {
		o.Env = os.Environ()
	}
	p := &program{options: o, ctx: ctx, closings: map[int]tea.Cmd{}}
	opener := newOneAtATime(o.Bench)
	p.opener, p.doctor = opener, doctorInTurn{o.Bench, opener.turn}
	p.room = room{theme: newTheme(true), dark: true, colour: true, links: takesLinks(termOf(o.Env)), actors: o.Actors}
	p.setSize(80, 24)
	p.sized = false
	return p
}

// termOf is what the environment calls the terminal.
func termOf(env []string) string {
	for _, e := range env {
		if term, ok := strings.CutPrefix(e, "TERM="); ok {
			return term
		}
	}
	return ""
}

// takesLinks says whether the terminal is one that is known to take links (OSC
// 8), or to drop them without a trace. Where it isn't, the address alone is
// drawn: it stands whole in either case.
func takesLinks(term string) bool {
	for _, known := range []string{"xterm", "tmux", "alacritty", "foot", "wezterm", "ghostty", "rio", "kitty", "konsole", "contour", "iterm"} {
		if strings.HasPrefix(term, known) {
			return true
		}
	}
	return false
}

// colourless says that the terminal is of the family that has no colours.
func colourless(term string) bool { return strings.HasPrefix(term, "vt") }

// takesQuestions says whether the terminal can be asked for its colours. The
// plainest would print the question.
func takesQuestions(term string) bool {
	return term != "" && term != "dumb" && term != "linux" && !colourless(term)
}

func (p *program) setSize(width, height int) {
	p.room.window.width, p.room.window.height = width, height
	p.room.width = min(max(width-2*margin, 1), widest)
	p.sized = true
}

// Init opens the first screens and asks for the background colour; it waits for
// no reply.
func (p *program) Init() tea.Cmd {
	cmds := []tea.Cmd{p.begin()}
	if takesQuestions(termOf(p.options.Env)) {
		cmds = append(cmds, tea.RequestBackgroundColor)
	}
	if p.options.Asker != nil {
		cmds = append(cmds, p.options.Asker.listen(p.ctx))
	}
	return tea.Batch(cmds...)
}

func (p *program) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	p.answered(msg)
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		p.setSize(msg.Width, msg.Height)
		return p, p.tell(msg)
	case tea.BackgroundColorMsg:
		p.room.dark = msg.IsDark()
		p.room.theme = newTheme(p.room.dark)
		return p, p.tell(msg)
	case tea.ColorProfileMsg:
		p.room.colour = msg.Profile > colorprofile.ASCII
	case addressed:
		return p, p.deliver(msg)
	case letGo:
		delete(p.closings, msg.id)
	case passAsked:
		return p, tea.Batch(p.open(newPassphraseScreen(msg)), p.options.Asker.listen(p.ctx))
	case tea.KeyPressMsg:
		return p, p.key(typed(msg))
	case tea.PasteMsg:
		if !p.help && !p.tiny() {
			return p, p.toTop(msg)
		}
	}
	return p, nil
}

func (p *program) tiny() bool {
	return p.room.window.width < leastWidth || p.room.window.height < leastHeight
}

// deliver brings an answer to the screen that asked, wherever it stands.
func (p *program) deliver(msg addressed) tea.Cmd {
	if msg.msg == nil {
		return nil
	}
	if i := p.find(msg.to); i >= 0 {
		return p.update(i, msg.msg)
	}
	return nil
}

func (p *program) find(id int) int {
	for i := range p.stack {
		if p.stack[i].id == id {
			return i
		}
	}
	return -1
}

func (p *program) top() *layer { return &p.stack[len(p.stack)-1] }

func (p *program) toTop(msg tea.Msg) tea.Cmd {
	if len(p.stack) == 0 {
		return nil
	}
	return p.update(len(p.stack)-1, msg)
}

// tell hands a message to every screen: what it says of the terminal holds for
// all.
func (p *program) tell(msg tea.Msg) tea.Cmd {
	var cmds []tea.Cmd
	for i := range p.stack {
		cmds = append(cmds, p.update(i, msg))
	}
	return tea.Batch(cmds...)
}

// update hands a message to one screen and does what it wants.
func (p *program) update(i int, msg tea.Msg) tea.Cmd {
	id := p.stack[i].id
	next, act := p.stack[i].screen.Update(p.room, msg)
	p.stack[i].screen = next
	return p.act(id, act)
}

// typed is a key as a person meant it: Enter that was typed before the program
// had the terminal comes as Ctrl-J.
func typed(msg tea.KeyPressMsg) tea.KeyPressMsg {
	if msg.String() == "ctrl+j" {
		return tea.KeyPressMsg{Code: tea.KeyEnter}
	}
	return msg
}

func (p *program) key(msg tea.KeyPressMsg) tea.Cmd {
	if msg.String() == "ctrl+c" {
		return p.interrupt()
	}
	if p.tiny() || len(p.stack) == 0 {
		return nil
	}
	if p.help {
		p.helpKey(msg)
		return nil
	}
	if hit(msg, []bind{p.helpBind()}) != "" && p.top().screen.Help().title != "" {
		p.help, p.helpBase = true, 0
		return nil
	}
	if p.scroll(msg) {
		return nil
	}
	p.top().free = false
	was := p.top().screen.Page(p.room).title
	cmd := p.toTop(msg)
	if p.top().screen.Page(p.room).title != was { // another page of the screen, and not where the last was scrolled to
		p.top().base = 0
	}
	return cmd
}

// interrupt is Ctrl-C: the topmost screen that has its own idea of it decides;
// else it means leaving.
func (p *program) interrupt() tea.Cmd {
	p.help = false
	for i := len(p.stack) - 1; i >= 0; i-- {
		s, ok := p.stack[i].screen.(interruptible)
		if !ok {
			continue
		}
		next, act, mine := s.Interrupt()
		if !mine {
			break
		}
		id := p.stack[i].id
		p.stack[i].screen = next
		return p.act(id, act)
	}
	return p.act(0, leave{})
}

// helpBind is the key for help: F1, and "?" where that is not text.
func (p *program) helpBind() bind {
	b := bind{id: "help", keys: []string{"f1", "?"}, label: "?", does: "help"}
	if t, ok := p.top().screen.(typist); ok && t.Typing() {
		b.keys, b.label = []string{"f1"}, "F1"
	}
	return b
}

// scroll moves a body that is higher than its place.
func (p *program) scroll(msg tea.KeyPressMsg) bool {
	by := 0
	switch msg.String() {
	case "pgdown":
		by = 1
	case "pgup":
		by = -1
	default:
		return false
	}
	_, f := p.draw()
	l := p.top()
	l.base = min(max(f.top+by*max(f.height-1, 1), 0), max(0, f.total-f.height))
	l.free = true
	return true
}

// View draws the top screen, the help over it, or what is wrong with the window.
func (p *program) View() tea.View {
	if p.tiny() {
		return tooSmall(p.room.window.width, p.room.window.height)
	}
	if len(p.stack) == 0 {
		v := tea.NewView("")
		v.AltScreen = true
		return v
	}
	if p.help {
		return p.helpView()
	}
	v, _ := p.draw()
	return v
}

func (p *program) draw() (tea.View, frame) {
	l := p.top()
	pg := l.screen.Page(p.room)
	if p.options.Sandbox {
		both := strings.TrimPrefix(strings.Join(pg.notes, "")+" · "+wordsSandbox, " · ")
		pg.notes = []string{both, wordsSandbox}
	}
	keys := l.screen.Keys(p.room)
	lines := footer(p.room, keys, p.helpBindFor(l))
	return compose(p.room, pg, lines, l.base, !l.free)
}

func (p *program) helpBindFor(l *layer) bind {
	if l.screen.Help().title == "" {
		return bind{id: "help"}
	}
	return p.helpBind()
}

// open puts a screen on the stack and begins its work.
func (p *program) open(s screen) tea.Cmd {
	p.nextID++
	ctx, end := context.WithCancel(p.ctx)
	var cmds []tea.Cmd
	if o, ok := s.(opener); ok {
		s, cmds = o.Open(ctx)
	}
	p.help = false
	p.stack = append(p.stack, layer{id: p.nextID, screen: s, end: end})
	return p.bring(p.nextID, cmds)
}

// bring runs commands whose answers come back to one screen.
func (p *program) bring(id int, cmds []tea.Cmd) tea.Cmd {
	out := make([]tea.Cmd, 0, len(cmds))
	for _, cmd := range cmds {
		if cmd != nil {
			out = append(out, func() tea.Msg { return addressed{to: id, msg: cmd()} })
		}
	}
	return tea.Batch(out...)
}

// pop closes the top screen.
func (p *program) pop() tea.Cmd {
	l := p.top()
	l.end()
	p.stack = p.stack[:len(p.stack)-1]
	p.help = false
	c, ok := l.screen.(closer)
	if !ok {
		return nil
	}
	cmd := c.Close()
	if cmd == nil {
		return nil
	}
	id := l.id
	p.closings[id] = cmd
	return func() tea.Msg {
		cmd()
		return letGo{id}
	}
}

// popTo closes every screen above the one at index i.
func (p *program) popTo(i int) tea.Cmd {
	var cmds []tea.Cmd
	for len(p.stack) > i+1 {
		cmds = append(cmds, p.pop())
	}
	return tea.Batch(cmds...)
}

// swap puts a screen in the place of the top one, which is not closed: what it
// held moved along.
func (p *program) swap(s screen) tea.Cmd {
	p.top().end()
	p.stack = p.stack[:len(p.stack)-1]
	return p.open(s)
}
