package tui

import (
	"context"
	"fmt"
	"time"

	tea "charm.land/bubbletea/v2"

	"authbird/clients/netbird"
	"authbird/state"
)

// deviceScreen signs a person in to NetBird with a code. It polls by itself and
// closes as soon as the person has signed in elsewhere.
type deviceScreen struct {
	door    Door
	answers state.Answers
	now     func() time.Time
	ctx     context.Context
	stop    context.CancelFunc // of the login under way
	stage   stage
	login   netbird.DeviceLogin
	ends    time.Time
	err     error
	copied  bool
}

func newDeviceScreen(door Door, a state.Answers, now func() time.Time) deviceScreen {
	return deviceScreen{door: door, answers: a, now: now}
}

type (
	deviceStarted struct {
		login netbird.DeviceLogin
		err   error
	}
	deviceEnded struct {
		of    string // the device code that ended
		token string
		err   error
	}
	secondPassed struct{}
)

func (s deviceScreen) Open(ctx context.Context) (screen, []tea.Cmd) {
	s.ctx = ctx
	cmd := s.begin()
	return s, []tea.Cmd{cmd}
}

func (s *deviceScreen) begin() tea.Cmd {
	if s.stop != nil {
		s.stop()
	}
	s.stage, s.err, s.copied = asking, nil, false
	ctx, stop := context.WithCancel(s.ctx)
	s.stop = stop
	door, answers := s.door, s.answers
	return func() tea.Msg {
		login, err := door.StartDeviceLogin(ctx, answers)
		return deviceStarted{login: login, err: err}
	}
}

// everySecond is the beat of a countdown.
func everySecond() tea.Cmd {
	return tea.Tick(time.Second, func(time.Time) tea.Msg { return secondPassed{} })
}

func (s deviceScreen) Update(r room, msg tea.Msg) (screen, action) {
	switch msg := msg.(type) {
	case deviceStarted:
		return s.started(msg)
	case deviceEnded:
		if msg.of != s.login.DeviceCode || s.stage != met {
			return s, stay{}
		}
		if msg.err != nil {
			s.stage, s.err = failed, msg.err
			return s, stay{}
		}
		return s, answer{cameIn{token: msg.token, how: wordsSignedInCode}}
	case secondPassed:
		if s.stage != met {
			return s, stay{}
		}
		return s, do(everySecond())
	case tea.KeyPressMsg:
		return s.pressed(r, hit(msg, s.Keys(r)))
	}
	return s, stay{}
}

func (s deviceScreen) started(msg deviceStarted) (screen, action) {
	if s.stage != asking {
		return s, stay{}
	}
	if msg.err != nil {
		s.stage, s.err = failed, msg.err
		return s, stay{}
	}
	s.stage, s.login = met, msg.login
	s.ends = s.now().Add(msg.login.ExpiresIn)
	ctx, stop := context.WithCancel(s.ctx)
	s.stop()
	s.stop = stop
	door, answers, login := s.door, s.answers, s.login
	await := func() tea.Msg {
		token, err := door.AwaitDeviceLogin(ctx, answers, login)
		return deviceEnded{of: login.DeviceCode, token: token, err: err}
	}
	return s, do(await, everySecond())
}

func (s deviceScreen) pressed(r room, id string) (screen, action) {
	switch id {
	case "back":
		return s, back{noEdit{}}
	case "again":
		return s, do(s.begin())
	case "copy":
		s.copied = true
		return s, send{s.link()}
	case "qr":
		return s, push{newQRScreen(s.link())}
	}
	return s, stay{}
}

// link is the address that a person opens.
func (s deviceScreen) link() string {
	if s.login.CompleteURL != "" {
		return said(s.login.CompleteURL)
	}
	return said(s.login.URL)
}

func (s deviceScreen) Page(r room) page {
	sh := newSheet(r)
	switch s.stage {
	case asking, unasked:
		sh.sign(0, signWorking, r.theme.accent, r.theme.text, wordsDeviceStart)
	case failed:
		what, advice := errorWords(s.err)
		sh.sign(0, signBad, r.theme.trouble, r.theme.text, what)
		sh.text(2, r.theme.dim, advice)
	case met:
		sh.text(0, r.theme.text, wordsDeviceOpen)
		sh.gap()
		sh.link(s.link())
		sh.gap()
		sh.pair(0, len(wordsDeviceCode)+2, wordsDeviceCode, r.theme.strong, said(s.login.UserCode))
		sh.gap()
		if who := r.actors.Owner; who != "" {
			sh.text(0, r.theme.dim, fmt.Sprintf(wordsActor, who))
			sh.gap()
		}
		if s.copied {
			sh.text(0, r.theme.dim, wordsCopied)
		}
		sh.focused(func() {
			sh.sign(0, signWorking, r.theme.accent, r.theme.text, fmt.Sprintf(wordsDeviceWaiting, left(s.ends.Sub(s.now()))))
		})
	}
	return sh.page(wordsDeviceTitle, "")
}

func (s deviceScreen) Keys(r room) []bind {
	var out []bind
	if s.stage == met {
		out = append(out, bind{id: "copy", keys: []string{"c"}, label: "c", does: "copy the link", more: "Send the link to your terminal's clipboard (OSC 52)."})
		if qrFits(r, s.link()) {
			out = append(out, bind{id: "qr", keys: []string{"r"}, label: "r", does: "QR code"})
		}
	}
	if s.stage == failed {
		out = append(out, bind{id: "again", keys: keyEnter, label: "↵", does: wordsDeviceAgain})
	}
	return append(out, bindBack())
}

func (deviceScreen) Help() help { return helpDevice }
