package tui

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"authbird/flows"
	"authbird/state"
)

// driver walks through the program as a person would. It runs commands in
// goroutines like Bubble Tea does, and lets no test sleep: it waits for the next
// message.
type driver struct {
	t     *testing.T
	p     *program
	bench *fakeBench
	msgs  chan tea.Msg
	quit  bool
	stop  context.CancelFunc
	size  struct{ w, h int }
}

// patience bounds a wait that should end at once.
const patience = 2 * time.Minute

func drive(t *testing.T, o Options, w, h int) *driver {
	t.Helper()
	bench, _ := o.Bench.(*fakeBench)
	if bench == nil {
		bench = newFakeBench()
		o.Bench = bench
	}
	if o.Shelf == nil {
		o.Shelf = &fakeShelf{}
	}
	if o.Now == nil {
		o.Now = clock
	}
	if o.Env == nil {
		o.Env = []string{"TERM=xterm-256color"}
	}
	ctx, stop := context.WithCancel(context.Background())
	d := &driver{t: t, p: newProgram(ctx, o), bench: bench, msgs: make(chan tea.Msg, 4096), stop: stop}
	t.Cleanup(d.close)
	d.size.w, d.size.h = w, h
	d.send(tea.WindowSizeMsg{Width: w, Height: h})
	d.run(d.p.Init())
	d.settle()
	return d
}

// close ends everything and checks that no session was left open.
func (d *driver) close() {
	d.stop()
	d.p.shut()
	d.bench.mu.Lock()
	defer d.bench.mu.Unlock()
	if d.bench.open != 0 {
		d.t.Errorf("%d sessions are left open", d.bench.open)
	}
}

// run starts a command; a beat of the clock is left out, tests send theirs.
func (d *driver) run(cmd tea.Cmd) {
	if cmd == nil {
		return
	}
	go func() { d.msgs <- cmd() }()
}

func (d *driver) send(msg tea.Msg) {
	d.t.Helper()
	switch msg := msg.(type) {
	case nil:
		return
	case tea.BatchMsg:
		for _, cmd := range msg {
			d.run(cmd)
		}
		return
	case tea.QuitMsg:
		d.quit = true
		return
	}
	_, cmd := d.p.Update(msg)
	d.run(cmd)
	d.check()
}

// settle takes in messages until none has come for a moment of the scheduler.
// It is for what needs no time; until waits for what does.
func (d *driver) settle() {
	d.t.Helper()
	for {
		select {
		case msg := <-d.msgs:
			d.send(msg)
		case <-time.After(5 * time.Millisecond):
			return
		}
	}
}

// until takes in messages until the screen shows the text.
func (d *driver) until(text string) {
	d.t.Helper()
	d.await("the screen shows "+text, func() bool { return strings.Contains(d.flat(), text) })
}

func (d *driver) gone(text string) {
	d.t.Helper()
	d.await("the screen no longer shows "+text, func() bool { return !strings.Contains(d.flat(), text) })
}

func (d *driver) await(what string, ok func() bool) {
	d.t.Helper()
	end := time.After(patience)
	for !ok() {
		select {
		case msg := <-d.msgs:
			d.send(msg)
		case <-end:
			d.t.Fatalf("waited in vain: %s\n%s", what, d.text())
		}
	}
}

// keys presses keys by name, or types a text that is in quotes.
func (d *driver) keys(names ...string) {
	d.t.Helper()
	for _, name := range names {
		if text, ok := strings.CutPrefix(name, `"`); ok {
			for _, r := range strings.TrimSuffix(text, `"`) {
				d.send(press(string(r)))
			}
			continue
		}
		d.send(press(name))
	}
}

func (d *driver) paste(text string) { d.send(tea.PasteMsg{Content: text}) }

var keyCodes = map[string]rune{
	"enter": tea.KeyEnter, "esc": tea.KeyEscape, "up": tea.KeyUp, "down": tea.KeyDown, "left": tea.KeyLeft,
	"right": tea.KeyRight, "tab": tea.KeyTab, "pgup": tea.KeyPgUp, "pgdown": tea.KeyPgDown, "space": tea.KeySpace,
	"backspace": tea.KeyBackspace, "f1": tea.KeyF1, "home": tea.KeyHome, "end": tea.KeyEnd, "delete": tea.KeyDelete,
}

func press(name string) tea.KeyPressMsg {
	k := tea.KeyPressMsg{}
	rest := name
	if r, ok := strings.CutPrefix(rest, "ctrl+"); ok {
		k.Mod, rest = k.Mod|tea.ModCtrl, r
	}
	if r, ok := strings.CutPrefix(rest, "shift+"); ok {
		k.Mod, rest = k.Mod|tea.ModShift, r
	}
	if code, ok := keyCodes[rest]; ok {
		k.Code = code
		if rest == "space" {
			k.Text = " "
		}
		return k
	}
	r := []rune(rest)[0]
	k.Code = r
	if k.Mod == 0 {
		k.Text = string(r)
	}
	return k
}

// text is what the screen shows, without styles.
func (d *driver) text() string { return ansi.Strip(d.p.View().Content) }

// flat is the whole page, with what is scrolled out of sight and with runs of
// white space as one blank, so that a test needn't know where lines break.
func (d *driver) flat() string {
	text := d.text()
	if !d.p.help && !d.p.tiny() && len(d.p.stack) > 0 {
		text += "\n" + ansi.Strip(strings.Join(d.p.top().screen.Page(d.p.room).lines, "\n"))
	}
	return strings.Join(strings.Fields(text), " ")
}

// check holds after every message: nothing is wider or higher than the window,
// and no secret is on the screen.
func (d *driver) check() {
	d.t.Helper()
	v := d.p.View()
	checkView(d.t, v, d.p.room.window.width, d.p.room.window.height)
	for _, secret := range []string{goodToken, ownerSecret, d.bench.login.DeviceCode} {
		if strings.Contains(v.Content, secret) {
			d.t.Fatalf("a secret is on the screen:\n%s", ansi.Strip(v.Content))
		}
	}
}

func checkView(t *testing.T, v tea.View, w, h int) {
	t.Helper()
	lines := strings.Split(v.Content, "\n")
	if len(lines) > max(h, 1) {
		t.Fatalf("%d lines in a window of %d:\n%s", len(lines), h, ansi.Strip(v.Content))
	}
	for _, l := range lines {
		if n := ansi.StringWidth(l); n > max(w, 1) {
			t.Fatalf("a line of %d columns in a window of %d: %q\n%s", n, w, ansi.Strip(l), ansi.Strip(v.Content))
		}
	}
	if v.Cursor != nil && (v.Cursor.X < 0 || v.Cursor.X >= w || v.Cursor.Y < 0 || v.Cursor.Y >= h) {
		t.Fatalf("the caret is at %d,%d in a window of %d×%d", v.Cursor.X, v.Cursor.Y, w, h)
	}
}

// has fails unless the screen shows every text.
func (d *driver) has(texts ...string) {
	d.t.Helper()
	flat := d.flat()
	for _, text := range texts {
		if !strings.Contains(flat, text) {
			d.t.Errorf("the screen lacks %q:\n%s", text, d.text())
		}
	}
}

func (d *driver) lacks(texts ...string) {
	d.t.Helper()
	flat := d.flat()
	for _, text := range texts {
		if strings.Contains(flat, text) {
			d.t.Errorf("the screen shows %q:\n%s", text, d.text())
		}
	}
}

// sizes are the windows that everything must fit in.
var sizes = []struct{ w, h int }{{40, 12}, {80, 24}, {200, 60}}

// given are flags that answer the connect screens.
func given() Options {
	return Options{
		Start:   StartWalk,
		Answers: state.Answers{Mode: state.Connector, AuthentikURL: "https://auth.example.com", NetBirdURL: "https://netbird.example.com"},
		Tokens:  flows.Tokens{Authentik: goodToken, NetBird: goodToken},
	}
}

// showing prints a screen where a person wants to look at it.
func (d *driver) showing(name string) {
	if os.Getenv("AUTHBIRD_SHOW") == "" {
		return
	}
	d.t.Logf("%s\n%s\n%s", name, strings.Repeat("─", d.size.w), d.text())
}
