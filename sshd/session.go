package sshd

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/ssh"
	gossh "golang.org/x/crypto/ssh"

	"authbird/clients"
	"authbird/state"
	"authbird/tui"
)

// session is one person at one terminal.
type session struct {
	server   *Server
	knock    *knock
	conn     *gossh.ServerConn
	ch       gossh.Channel
	key      gossh.PublicKey
	id       string
	terminal terminal
	vars     map[string]string
	resized  chan tui.Size
}

// run shows the screens until the session ends, and returns the exit status.
func (v *session) run(ctx context.Context) int {
	s := v.server
	fingerprint := gossh.FingerprintSHA256(v.key)
	if strings.EqualFold(v.terminal.name, "dumb") {
		return v.sorry("this terminal says that it is dumb, and these screens need one that can move the cursor; TERM=vt100 ssh … says otherwise")
	}
	if err := s.places.take(fingerprint); err != nil {
		return v.sorry(err.Error())
	}
	defer s.places.free(fingerprint)
	start := s.o.Bench.Now().UTC()
	who := record{Session: v.id, Key: fingerprint, Remote: v.conn.RemoteAddr().String(), User: clients.CleanN(v.conn.User(), 64)}
	if err := s.tell(who, record{Kind: "start"}); err != nil {
		s.o.Say(fmt.Sprintf("nobody is let in: %v", err))
		return v.sorry("this session can't be written down, so it does not begin; tell whoever runs this server")
	}
	done := &deeds{tell: func(r record) error { return s.tell(who, r) }}
	why := v.work(ctx, done)
	if err := s.tell(who, record{Kind: "end", Started: &start, Why: why, Did: done.all()}); err != nil {
		s.o.Say(err.Error())
	}
	return 0
}

// work runs the screens and says why they ended.
func (v *session) work(ctx context.Context, done *deeds) (why string) {
	s := v.server
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	over := time.AfterFunc(s.o.Limits.Total, func() { end(errTime) })
	defer over.Stop()
	l := newLine(ctx, end, v.ch, s.o.Limits.Idle, stuck, func() { v.conn.Close() })
	defer l.close()
	defer func() {
		if r := recover(); r != nil { // one person's misfortune is not everybody's
			s.o.Say(fmt.Sprintf("a session failed: %v", r))
			why = "failed"
		}
	}()
	person, err := s.meet(v.key)
	if err != nil {
		return v.failed(l, err)
	}
	bench, err := s.bench(person)
	if err != nil {
		return v.failed(l, err)
	}
	env := v.terminal.environment(v.vars)
	result, err := tui.Run(ctx, tui.Options{
		Bench: watched{tui.OnBench(bench), done, s.hard}, Shelf: bench.State, Version: s.o.Version, Sandbox: s.o.Sandbox, Guest: true,
		Modes: []state.Mode{state.Connector, state.Standalone}, Folder: person.files, Now: bench.Now, Start: tui.StartHome,
		Answers: state.Answers{AllowHTTP: s.o.AllowHTTP}, Tokens: s.o.Tokens, Defaults: func(mode state.Mode) state.Answers { return s.answers(person, mode) },
		In: l, Out: l, Env: env, SimulateLogin: s.o.SimulateLogin,
		Far: &tui.Far{Size: v.terminal.size, Resized: v.resized, Colours: colorprofile.Env(env)},
	})
	cause := context.Cause(ctx)
	if errors.Is(cause, context.Canceled) { // with the connection
		cause = errGone
	}
	if err != nil && cause == nil {
		return v.failed(l, err)
	}
	return v.goodbye(l, result, cause)
}

// goodbye says on the normal screen how it came out, and why it ended.
func (v *session) goodbye(l *line, result tui.Result, cause error) string {
	for _, words := range result.Lines {
		fmt.Fprintf(l, "%s\n", words)
	}
	switch {
	case cause == nil:
		return "left"
	case errors.Is(cause, errGone):
	case errors.Is(cause, errIdle):
		fmt.Fprintf(l, "authbird: nobody typed for %s, so this session ended. Log in again to go on.\n", v.server.o.Limits.Idle)
	case errors.Is(cause, errTime):
		fmt.Fprintf(l, "authbird: a session lasts %s at most, and this one is over. Log in again to go on.\n", v.server.o.Limits.Total)
	default:
		fmt.Fprintf(l, "authbird: %v. Log in again to go on.\n", cause)
	}
	return cause.Error()
}

func (v *session) failed(l *line, err error) string {
	v.server.o.Say(fmt.Sprintf("a session failed: %v", err))
	fmt.Fprintf(l, "authbird: this session failed on the server's side; tell whoever runs it.\n")
	return "failed: " + clients.CleanN(err.Error(), 200)
}

// sorry says in one sentence why there is no session.
func (v *session) sorry(words string) int {
	defer v.hurry().Stop()
	fmt.Fprintf(ssh.NewPtyWriter(v.ch.Stderr()), "authbird: %s\n", words)
	return 1
}

// tell writes a line about a session.
func (s *Server) tell(who, r record) error {
	r.Session, r.Key, r.Remote, r.User = who.Session, who.Key, who.Remote, who.User
	return s.audit.write(r)
}

// newID tells one session from another in the audit file.
func newID() string {
	b := make([]byte, 8)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}
