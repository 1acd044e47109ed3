//go:build unix

package sshd

import (
	"bytes"
	"context"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"crypto/ed25519"
	"crypto/rand"

	"github.com/charmbracelet/x/vt"
	"github.com/creack/pty"
	gossh "golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// openssh is a host that the real client comes to, with its files.
type openssh struct {
	*host
	home  string
	known string
	agent string // the socket of one; "none"
}

// newOpenSSH makes the files of two keys, mine and other; mine may log in.
func newOpenSSH(t *testing.T) *openssh {
	t.Helper()
	for _, program := range []string{"ssh", "sftp"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("%s is not installed", program)
		}
	}
	home := t.TempDir()
	o := &openssh{home: home, known: filepath.Join(home, "known"), agent: "none"}
	o.keyFile(t, "other")
	mine := o.keyFile(t, "mine")
	o.host = newHost(t, func(so *Options) { so.Allow = append(so.Allow, mine) })
	_, port, _ := net.SplitHostPort(o.address())
	line := fmt.Sprintf("[127.0.0.1]:%s %s", port, gossh.MarshalAuthorizedKey(o.server.host.PublicKey()))
	if err := os.WriteFile(o.known, []byte(line), 0o600); err != nil {
		t.Fatal(err)
	}
	return o
}

// keyFile makes a key in a file, and returns its public half.
func (o *openssh) keyFile(t *testing.T, name string) string {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := gossh.MarshalPrivateKey(private, "")
	if err != nil {
		t.Fatal(err)
	}
	public, err := gossh.NewPublicKey(private.Public())
	if err != nil {
		t.Fatal(err)
	}
	line := string(gossh.MarshalAuthorizedKey(public))
	for path, text := range map[string][]byte{name: pem.EncodeToMemory(block), name + ".pub": []byte(line)} {
		if err := os.WriteFile(filepath.Join(o.home, path), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return strings.TrimSpace(line)
}

// command is the real client, or sftp, which knows nothing of the machine's own
// settings and keys.
func (o *openssh) command(ctx context.Context, program, key string, args ...string) *exec.Cmd {
	_, port, _ := net.SplitHostPort(o.address())
	all := []string{"-F", "none", "-o", "UserKnownHostsFile=" + o.known, "-o", "GlobalKnownHostsFile=none", "-o", "StrictHostKeyChecking=yes",
		"-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=" + o.agent, "-o", "Port=" + port, "-o", "BatchMode=yes", "-o", "LogLevel=ERROR"}
	if key != "" {
		all = append(all, "-i", filepath.Join(o.home, key))
	}
	cmd := exec.CommandContext(ctx, program, append(all, args...)...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + o.home, "TERM=xterm-256color", "DISPLAY=:99", "AUTHENTIK_TOKEN=injected", "LD_PRELOAD="}
	return cmd
}

// runAgent has an agent that the client can forward..
func (o *openssh) runAgent() {
	o.t.Helper()
	o.agent = filepath.Join(o.home, "agent")
	l, err := net.Listen("unix", o.agent)
	if err != nil {
		o.t.Fatal(err)
	}
	o.t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { _ = agent.ServeAgent(agent.NewKeyring(), c) }()
		}
	}()
}

// says runs a command to its end, without a terminal.
func (o *openssh) says(program, key string, args ...string) (exit int, said string) {
	o.t.Helper()
	ctx, cancel := context.WithTimeout(o.t.Context(), patience)
	defer cancel()
	cmd := o.command(ctx, program, key, args...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	if ctx.Err() != nil {
		o.t.Fatalf("%s %q does not end:\n%s", program, args, out.String())
	}
	if err != nil && cmd.ProcessState == nil {
		o.t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), out.String()
}

func TestTheRealClientGetsTheScreensAndNothingElse(t *testing.T) {
	o := newOpenSSH(t)
	here := "127.0.0.1"
	witness := filepath.Join(o.home, "witness")
	for what, c := range map[string]struct {
		program, key string
		args         []string
		exit         int
		said         string
	}{
		"a wrong key":          {"ssh", "other", []string{here}, 255, "Permission denied (publickey)"},
		"no key":               {"ssh", "", []string{"-o", "PubkeyAuthentication=no", here}, 255, "Permission denied (publickey)"},
		"a password":           {"ssh", "other", []string{"-o", "BatchMode=no", "-o", "NumberOfPasswordPrompts=1", "-o", "PreferredAuthentications=password,keyboard-interactive", here}, 255, "Permission denied (publickey)"},
		"a command":            {"ssh", "mine", []string{here, "touch " + witness}, 1, "no command is run: leave the command out"},
		"a command, a pty":     {"ssh", "mine", []string{"-tt", here, "touch " + witness}, 1, "no command is run"},
		"no terminal":          {"ssh", "mine", []string{"-T", here}, 1, "these screens need a terminal"},
		"files":                {"sftp", "mine", []string{here}, 255, "only the screens can be had here, and no files"},
		"a subsystem":          {"ssh", "mine", []string{"-s", here, "netconf"}, 1, "no files"},
		"another machine":      {"ssh", "mine", []string{"-W", "127.0.0.1:22", here}, 255, ""},
		"a port of the server": {"ssh", "mine", []string{"-N", "-o", "ExitOnForwardFailure=yes", "-R", "0:127.0.0.1:22", here}, 255, "remote port forwarding failed"},
		"a tunnel":             {"ssh", "mine", []string{"-N", "-o", "ExitOnForwardFailure=yes", "-R", witness + ":127.0.0.1:22", here}, 255, "forwarding failed"},
		"a path as a name":     {"ssh", "mine", []string{"-T", "-l", "../../../tmp/x", here}, 1, "these screens need a terminal"},
		"a dumb terminal":      {"ssh", "mine", []string{"-tt", "-o", "SetEnv=TERM=dumb", here}, 1, "says that it is dumb"},
		"only a public half":   {"ssh", "", []string{"-T", "-i", filepath.Join(o.home, "public.pub"), "-i", filepath.Join(o.home, "other"), here}, 255, "Permission denied"},
	} {
		if what == "only a public half" { // mine is offered, and other signs
			line, err := os.ReadFile(filepath.Join(o.home, "mine.pub"))
			if err == nil {
				err = os.WriteFile(filepath.Join(o.home, "public.pub"), line, 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		exit, said := o.says(c.program, c.key, c.args...)
		if exit != c.exit || !strings.Contains(said, c.said) {
			t.Errorf("%s: exit %d: %s", what, exit, said)
		}
		o.goodLogin()
	}
	if _, err := os.Stat(witness); err == nil {
		t.Error("something was run or made")
	}
}

// A person at a real terminal, with everything forwarded that the client can
// forward and variables that mean something elsewhere.
func TestTheRealClientInATerminal(t *testing.T) {
	o := newOpenSSH(t)
	o.runAgent()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	local := free.Addr().String()
	free.Close()
	cmd := o.command(ctx, "ssh", "mine", "-A", "-Y", "-L", local+":127.0.0.1:22", "-o", "SendEnv=AUTHENTIK_TOKEN", "-o", "SetEnv=LD_PRELOAD=/tmp/x.so", "127.0.0.1")
	tty, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 12, Cols: 40})
	if err != nil {
		t.Fatal(err)
	}
	defer tty.Close()
	v := &visit{h: o.host, keys: tty, emu: vt.NewSafeEmulator(40, 12), changed: make(chan struct{}, 1), over: make(chan struct{})}
	go v.draw(tty)
	go func() { _, _ = io.Copy(tty, v.emu.Emulator) }()
	v.sees("new setup").types("\r").sees("How shall they be joined?").types("\r").sees("akadmin, superuser")
	if c, err := net.Dial("tcp", local); err == nil { // the client listens, and the server opens nothing
		if n, err := c.Read(make([]byte, 1)); n > 0 || err == nil {
			t.Error("a port was forwarded")
		}
		c.Close()
	}
	v.types("\x03")
	<-v.over
	if err := cmd.Wait(); err != nil {
		t.Errorf("ssh: %v", err)
	}
	end := o.ends(1)[0]
	if end.Why != "left" {
		t.Errorf("the audit file says %+v", end)
	}
	var asked []string
	for _, r := range o.audited() {
		if r.Kind == "refused" {
			asked = append(asked, r.What)
		}
	}
	slices.Sort(asked)
	if !slices.Equal(asked, []string{"auth-agent-req@openssh.com", "x11-req"}) {
		t.Errorf("the client asked for %q", asked)
	}
	v.mute()
	o.goodLogin()
}
