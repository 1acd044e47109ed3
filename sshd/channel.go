package sshd

import (
	"context"
	"time"

	"github.com/charmbracelet/ssh"
	gossh "golang.org/x/crypto/ssh"

	"authbird/clients"
	"authbird/tui"
)

// channel serves one channel of a connection. It takes a terminal, its sizes, two
// harmless variables and a shell, which is the screens; whatever else a client
// asks for is refused, and what somebody would have meant by it is told.
func (s *Server) channel(_ *ssh.Server, conn *gossh.ServerConn, fresh gossh.NewChannel, ctx ssh.Context) {
	k, _ := ctx.Value(knockKey).(*knock)
	public, _ := ctx.Value(ssh.ContextKeyPublicKey).(ssh.PublicKey)
	if k == nil || public == nil || !k.open() {
		_ = fresh.Reject(gossh.ResourceShortage, "too many sessions on one connection")
		return
	}
	defer k.shut()
	if !s.enter() {
		_ = fresh.Reject(gossh.ResourceShortage, "the server is stopping")
		return
	}
	defer s.sessions.Done()
	ch, requests, err := fresh.Accept()
	if err != nil {
		return
	}
	defer ch.Close()
	v := &session{server: s, knock: k, conn: conn, ch: ch, key: public, id: newID(), vars: map[string]string{}, resized: make(chan tui.Size, 1)}
	v.serve(ctx, requests)
}

// serve answers the requests of a channel until it is closed, or until the
// session on it is over.
func (v *session) serve(ctx context.Context, requests <-chan *gossh.Request) {
	conn := ctx
	ctx, drop := context.WithCancelCause(context.WithoutCancel(conn))
	defer drop(nil)
	dropped := context.AfterFunc(conn, func() { drop(errGone) })
	defer dropped()
	stop := context.AfterFunc(v.server.soft, func() { drop(errStopping) })
	defer stop()
	late := time.AfterFunc(v.server.o.Limits.Login, func() { drop(errGone) })
	defer late.Stop()
	var over chan int // has the status once the screens are left; nil: they were not asked for
	before := ctx.Done()
	for {
		select {
		case <-before:
			return
		case status := <-over:
			v.exit(status)
			return
		case r, more := <-requests:
			if !more {
				drop(errGone)
				if over != nil {
					<-over // what had begun is finished
				}
				return
			}
			switch {
			case r.Type == "shell" && over == nil && v.terminal.name != "":
				if !late.Stop() {
					return
				}
				over, before = make(chan int, 1), nil
				reply(r, true)
				go func() { over <- v.run(ctx) }()
			case r.Type == "shell" && over == nil:
				reply(r, true) // else a client says no more than that it failed
				v.exit(v.sorry("these screens need a terminal: ssh -t, and no command behind it"))
				return
			case v.takes(r, over != nil):
				reply(r, true)
			case over == nil && never[r.Type] != "":
				v.note(r)
				reply(r, true) // else a client says no more than that it failed
				v.exit(v.sorry(never[r.Type]))
				return
			default:
				v.note(r)
				reply(r, false)
			}
		}
	}
}

// takes takes in what a client says of its terminal; once the screens run, that
// is its size alone.
func (v *session) takes(r *gossh.Request, runs bool) bool {
	switch {
	case r.Type == "pty-req" && !runs && v.terminal.name == "":
		t, ok := parsePty(r.Payload)
		if ok {
			v.terminal = t
		}
		return ok
	case r.Type == "env" && !runs:
		name, value, ok := parseEnv(r.Payload)
		if ok {
			v.vars[name] = value
		}
		return ok
	case r.Type == "window-change" && v.terminal.name != "":
		size, ok := parseSize(r.Payload)
		if ok {
			v.resize(size)
		}
		return ok
	}
	return false
}

// resize keeps the latest size until the screens take it.
func (v *session) resize(size tui.Size) {
	select {
	case <-v.resized:
	default:
	}
	v.resized <- size // there is one place, and this is the only one that fills it
}

// never is what is said to somebody who asks for something else than the
// screens. Nothing of it is done.
var never = map[string]string{
	"exec":      "only the screens can be had here, and no command is run: leave the command out",
	"subsystem": "only the screens can be had here, and no files",
}

// noted are the refused requests that are worth a line in the audit file.
var noted = map[string]bool{"exec": true, "subsystem": true, "auth-agent-req@openssh.com": true, "x11-req": true}

// note writes down what was asked for in vain.
func (v *session) note(r *gossh.Request) {
	if noted[r.Type] && v.knock.tell() {
		_ = v.server.tell(record{Session: v.id, Key: gossh.FingerprintSHA256(v.key), Remote: v.conn.RemoteAddr().String(), User: clients.CleanN(v.conn.User(), 64)},
			record{Kind: "refused", What: r.Type})
	}
}

// exit ends the channel with a status.
func (v *session) exit(status int) {
	defer v.hurry().Stop()
	_, _ = v.ch.SendRequest("exit-status", false, gossh.Marshal(struct{ Status uint32 }{uint32(status)}))
	_ = v.ch.CloseWrite()
}

// hurry closes the connection of a client that takes nothing in. Stop it after
// what was written.
func (v *session) hurry() *time.Timer { return time.AfterFunc(stuck, func() { v.conn.Close() }) }

// reply answers a request; a client that is gone hears nothing.
func reply(r *gossh.Request, ok bool) {
	if r.WantReply {
		_ = r.Reply(ok, nil)
	}
}
