//go:build linux

package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"io"
	"net"
	"os/exec"
	"sync/atomic"

	"github.com/charmbracelet/ssh"
	"github.com/creack/pty"
	gossh "golang.org/x/crypto/ssh"
)

// line is an SSH connection that is logged in, with a terminal in which a
// program runs. It counts what goes over the wire, both ways, once the session
// is open.
type line struct {
	wire   *wire
	client *gossh.Client
	shell  *gossh.Session
	server *ssh.Server
	keys   io.WriteCloser
	screen io.Reader
}

// wire is a connection that counts.
type wire struct {
	net.Conn
	n atomic.Int64
}

func (w *wire) Read(b []byte) (int, error) {
	n, err := w.Conn.Read(b)
	w.n.Add(int64(n))
	return n, err
}

func (w *wire) Write(b []byte) (int, error) {
	n, err := w.Conn.Write(b)
	w.n.Add(int64(n))
	return n, err
}

// dial starts a server that gives everybody cmd in a terminal, and logs in.
func dial(cmd *exec.Cmd, size pty.Winsize) (*line, error) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	host, err := gossh.NewSignerFromKey(private)
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	l := &line{server: &ssh.Server{
		HostSigners: []ssh.Signer{host},
		PtyHandler:  func(ssh.Context, ssh.Session, ssh.Pty) (func() error, error) { return func() error { return nil }, nil },
		Handler:     func(s ssh.Session) { serve(s, cmd) },
	}}
	go l.server.Serve(listener)
	conn, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		return l, err
	}
	l.wire = &wire{Conn: conn}
	c, channels, requests, err := gossh.NewClientConn(l.wire, "bench", &gossh.ClientConfig{User: "bench", HostKeyCallback: gossh.FixedHostKey(host.PublicKey())})
	if err != nil {
		return l, err
	}
	l.client = gossh.NewClient(c, channels, requests)
	return l, l.open(size)
}

// open begins the session; what counts begins with it.
func (l *line) open(size pty.Winsize) error {
	var err error
	if l.shell, err = l.client.NewSession(); err != nil {
		return err
	}
	if l.keys, err = l.shell.StdinPipe(); err != nil {
		return err
	}
	if l.screen, err = l.shell.StdoutPipe(); err != nil {
		return err
	}
	if err := l.shell.RequestPty("xterm-256color", int(size.Rows), int(size.Cols), nil); err != nil {
		return err
	}
	l.wire.n.Store(0)
	return l.shell.Shell()
}

func (l *line) close() {
	if l.client != nil {
		_ = l.client.Close()
	}
	_ = l.server.Close()
}

// serve runs a command in a terminal for one session.
func serve(s ssh.Session, cmd *exec.Cmd) {
	_, sizes, _ := s.Pty()
	size := <-sizes // the first is what was asked for
	terminal, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: uint16(size.Height), Cols: uint16(size.Width)})
	if err != nil {
		_ = s.Exit(1)
		return
	}
	defer terminal.Close()
	go io.Copy(terminal, s)
	go func() { // a session that was left ends its program
		<-s.Context().Done()
		_ = cmd.Process.Kill()
	}()
	_, _ = io.Copy(s, terminal)
	_ = cmd.Wait()
	_ = s.Exit(max(cmd.ProcessState.ExitCode(), 0))
}
