package sshd

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	gossh "golang.org/x/crypto/ssh"
)

// refused tries to log in as it must not be possible, and returns what the
// client is told.
func (h *host) refused(what, user string, auth ...gossh.AuthMethod) error {
	h.t.Helper()
	c, err := gossh.Dial("tcp", h.address(), &gossh.ClientConfig{User: user, Auth: auth, HostKeyCallback: gossh.InsecureIgnoreHostKey(), Timeout: patience})
	if err == nil {
		c.Close()
		h.t.Errorf("%s: logged in", what)
	}
	return err
}

func TestNobodyElseLogsIn(t *testing.T) {
	h := newHost(t, nil)
	wrong, _ := newKey(t)
	h.refused("a wrong key", "root", gossh.PublicKeys(wrong))
	h.goodLogin()
	for what, auth := range map[string][]gossh.AuthMethod{
		"a password": {gossh.Password("secret")},
		"keyboard-interactive": {gossh.KeyboardInteractive(func(string, string, []string, []bool) ([]string, error) {
			t.Error("the server asks a question")
			return nil, nil
		})},
		"nothing": nil,
	} {
		if err := h.refused(what, "root", auth...); err != nil && !strings.Contains(err.Error(), "attempted methods [none]") {
			t.Errorf("%s: the server takes more than public keys: %v", what, err)
		}
		h.goodLogin()
	}
	for _, r := range h.audited() {
		if r.Kind == "refused" && (r.What != "login" || r.Remote != "127.0.0.1" || r.Key != "") {
			t.Errorf("the audit file says %+v", r)
		}
	}
}

func TestNamesOfUsersOpenNothing(t *testing.T) {
	h := newHost(t, nil)
	h.goodLogin()
	for what, user := range map[string]string{
		"a path": "../../../etc/cron.d/x", "an absolute one": "/etc/passwd", "nothing": "", "a NUL": "a\x00b", "an escape": "\x1b]0;x\x07\x1b[2Jroot",
		"lines": "a\n{\"kind\":\"start\"}", "no UTF-8": "\xff\xfe", "1 MB": strings.Repeat("x", 1<<20), "200 KB": strings.Repeat("\u202e/", 50_000), "root": "root",
	} {
		c, err := gossh.Dial("tcp", h.address(), &gossh.ClientConfig{
			User: user, Auth: []gossh.AuthMethod{gossh.PublicKeys(h.key)}, HostKeyCallback: gossh.InsecureIgnoreHostKey(), Timeout: patience,
		})
		if err == nil {
			v := h.shell(c, 80, 24)
			if err := v.session.Shell(); err != nil {
				t.Fatal(err)
			}
			v.sees("new setup").types("q")
			if err := v.leaves(); err != nil {
				t.Errorf("%s: %v", what, err)
			}
			c.Close()
		} else if len(user) < 1<<18 {
			t.Errorf("%s: %v", what, err)
		}
		h.goodLogin()
	}
	folders, err := os.ReadDir(filepath.Join(h.dir, serveDir, peopleDir))
	if err != nil || len(folders) != 1 {
		t.Errorf("there are %d folders of people: %v", len(folders), err)
	}
	for _, r := range h.audited() {
		if len(r.User) > 300 || strings.ContainsAny(r.User, "\x1b\x00\n\u202e") {
			t.Errorf("the audit file has the user %q", r.User)
		}
	}
}

// request sends one request on a channel and returns whether it was taken.
func request(t *testing.T, ch gossh.Channel, kind string, payload any) bool {
	t.Helper()
	raw, ok := payload.([]byte)
	if !ok {
		raw = gossh.Marshal(payload)
	}
	took, err := ch.SendRequest(kind, true, raw)
	if err != nil && err != io.EOF {
		t.Errorf("%s: %v", kind, err)
	}
	return took
}

type text struct{ Text string }

func TestNothingButTheScreensCanBeHad(t *testing.T) {
	h := newHost(t, nil)
	open := func() (gossh.Channel, func()) {
		c, err := h.dial(h.key)
		if err != nil {
			t.Fatal(err)
		}
		ch, requests, err := c.OpenChannel("session", nil)
		if err != nil {
			t.Fatal(err)
		}
		go gossh.DiscardRequests(requests)
		return ch, func() { c.Close() }
	}
	for kind, payload := range map[string]any{
		"auth-agent-req@openssh.com": []byte(nil),
		"x11-req": struct {
			Single     bool
			Name, Data string
			Screen     uint32
		}{false, "MIT-MAGIC-COOKIE-1", "00", 0},
		"signal": text{"KILL"}, "break": []byte{0, 0, 0, 9}, "xon-xoff": []byte{1}, "nonsense@example.com": []byte("\x00\xff"),
		"window-change": struct{ A, B, C, D uint32 }{80, 24, 0, 0}, // before there is a terminal
		"pty-req":       []byte("short"), "env": []byte{0xff, 0xff, 0xff, 0xff},
	} {
		ch, end := open()
		if request(t, ch, kind, payload) {
			t.Errorf("%s was taken", kind)
		}
		end()
		h.goodLogin()
	}
	ch, end := open()
	defer end()
	for name, want := range map[string]bool{
		"NO_COLOR": true, "COLORTERM": true, "LD_PRELOAD": false, "PATH": false, "AUTHENTIK_TOKEN": false, "AUTHBIRD_STATE_DIR": false, "TMUX": false,
		"TERM": false, "HOME": false, "SSH_AUTH_SOCK": false, "": false, "A=B": false,
	} {
		if got := request(t, ch, "env", struct{ Name, Value string }{name, "1"}); got != want {
			t.Errorf("the variable %q: %v", name, got)
		}
	}
	if request(t, ch, "env", struct{ Name, Value string }{"COLORTERM", "x\x1b[2J"}) || request(t, ch, "env", struct{ Name, Value string }{"NO_COLOR", strings.Repeat("1", 1<<17)}) {
		t.Error("a variable's value was not looked at")
	}
	h.goodLogin()
}

// Commands and files get a sentence and a status, and nothing else.
func TestNoCommandIsRun(t *testing.T) {
	h := newHost(t, nil)
	witness := filepath.Join(t.TempDir(), "witness")
	for _, kind := range []string{"exec", "subsystem"} {
		for _, asked := range []string{"touch " + witness, "sftp", "", "\x00", strings.Repeat("a", 200_000)} {
			c, err := h.dial(h.key)
			if err != nil {
				t.Fatal(err)
			}
			s, err := c.NewSession()
			if err != nil {
				t.Fatal(err)
			}
			var out, said bytes.Buffer
			s.Stdout, s.Stderr = &out, &said
			if kind == "exec" {
				err = s.Run(asked)
			} else if err = s.RequestSubsystem(asked); err == nil {
				_, err = s.SendRequest("shell", true, nil) // once the server is done with it
			}
			if err == nil || out.Len() > 0 || kind == "exec" && !strings.Contains(said.String(), "no command is run") {
				t.Errorf("%s: %v; %q, %q", kind, err, out.String(), said.String())
			}
			c.Close()
			h.goodLogin()
		}
	}
	if _, err := os.Stat(witness); err == nil {
		t.Error("a command was run")
	}
}

func TestNothingIsForwarded(t *testing.T) {
	h := newHost(t, nil)
	c, err := h.dial(h.key)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	tcp := struct {
		Host string
		Port uint32
		From string
		Of   uint32
	}{"127.0.0.1", 22, "127.0.0.1", 9}
	for kind, payload := range map[string][]byte{
		"direct-tcpip":                   gossh.Marshal(tcp),
		"direct-streamlocal@openssh.com": gossh.Marshal(struct{ Path, A string }{"/run/docker.sock", ""}),
		"forwarded-tcpip":                gossh.Marshal(tcp), "auth-agent@openssh.com": nil, "x11": nil, "tun@openssh.com": {0, 0, 0, 1}, "": nil,
	} {
		if _, _, err := c.OpenChannel(kind, payload); err == nil {
			t.Errorf("a channel %q was opened", kind)
		}
	}
	for kind, payload := range map[string][]byte{
		"tcpip-forward": gossh.Marshal(struct {
			Host string
			Port uint32
		}{"0.0.0.0", 0}),
		"streamlocal-forward@openssh.com": gossh.Marshal(text{"/tmp/authbird-was-here"}),
		"cancel-tcpip-forward":            nil, "no-more-sessions@openssh.com": nil,
	} {
		if ok, _, err := c.SendRequest(kind, true, payload); ok || err != nil {
			t.Errorf("%s: %v, %v", kind, ok, err)
		}
	}
	h.goodLogin()
}

func TestTerminalsThatCannotBe(t *testing.T) {
	h := newHost(t, nil)
	for what, p := range map[string]ptyRequest{
		"a window of 0x0":           {Term: "xterm"},
		"a window of 1 MB":          {Term: "xterm", Columns: 1 << 20, Rows: 1 << 20},
		"a window of 4 G":           {Term: "xterm", Columns: 1<<32 - 1, Rows: 1<<32 - 1, Width: 1<<32 - 1, Height: 1<<32 - 1},
		"a path as TERM":            {Term: "../../../../etc/passwd", Columns: 80, Rows: 24},
		"an escape as TERM":         {Term: "\x1b[2J\x1b]52;c;AAAA\x07", Columns: 80, Rows: 24},
		"200 KB of TERM":            {Term: strings.Repeat("x", 200_000), Columns: 80, Rows: 24},
		"no TERM":                   {Columns: 80, Rows: 24},
		"modes that go on for ever": {Term: "xterm", Columns: 80, Rows: 24, Modes: strings.Repeat("\x01\xff\xff\xff\xff", 20_000)},
	} {
		c, err := h.dial(h.key)
		if err != nil {
			t.Fatal(err)
		}
		v := h.shellWith(c, p)
		if err := v.session.Shell(); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		v.sees("new setup").types("q")
		if err := v.leaves(); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		if n := len(v.drawn()); n > 1<<20 {
			t.Errorf("%s: %d bytes were drawn", what, n)
		}
		c.Close()
		h.goodLogin()
	}
}

func TestAFloodOfSizes(t *testing.T) {
	h := newHost(t, nil)
	v := h.login().sees("new setup")
	for i := range uint32(5000) {
		payload := binary.BigEndian.AppendUint32(nil, i*7919%300)
		payload = binary.BigEndian.AppendUint32(payload, i*104729%200)
		if _, err := v.session.SendRequest("window-change", false, append(payload, make([]byte, 8)...)); err != nil {
			t.Fatal(err)
		}
	}
	// Keys are not for a window that is too small, and sizes go another way than keys:
	// the last size must be seen before something is typed.
	for _, size := range []struct {
		rows  int
		sight string
	}{{3, "This window is 80×3"}, {24, "new setup"}} {
		if err := v.session.WindowChange(size.rows, 80); err != nil {
			t.Fatal(err)
		}
		v.sees(size.sight)
	}
	v.types("\r").sees("How shall they be joined?").types("\x03")
	if err := v.leaves(); err != nil {
		t.Fatal(err)
	}
	h.goodLogin()
}

func TestGarbageThatIsTyped(t *testing.T) {
	h := newHost(t, nil)
	dice := rand.New(rand.NewPCG(1, 2))
	for range 3 {
		v := h.login().sees("new setup")
		garbage := make([]byte, 32<<10)
		for i := range garbage {
			garbage[i] = byte(dice.Uint32())
		}
		_, _ = v.keys.Write(bytes.ReplaceAll(garbage, []byte{3}, nil)) // it may end the session
		v.conn.Close()
		h.goodLogin()
	}
	for what, garbage := range map[string]string{
		"a paste without an end":   "\x1b[200~" + strings.Repeat("x", 2<<20),
		"an OSC without an end":    "\x1b]52;c;" + strings.Repeat("A", 2<<20),
		"escapes and nothing else": strings.Repeat("\x1b", 2<<20),
	} {
		v := h.login().sees("new setup")
		go func() { _, _ = io.WriteString(v.keys, garbage) }()
		select {
		case <-v.over:
		case <-v.h.t.Context().Done():
		}
		v.conn.Close()
		h.eventually(what+" ends the session", func() bool {
			for _, r := range h.audited() {
				if r.Kind == "end" && r.Why == errTooMuch.Error() {
					return true
				}
			}
			return false
		})
		h.goodLogin()
	}
}

func TestAFloodOfConnections(t *testing.T) {
	h := newHost(t, nil)
	var held []net.Conn
	for range 500 { // and never a word
		held = append(held, h.knockOn())
	}
	h.goodLogin() // while all of them are open
	h.eventually("most of them are closed", func() bool {
		h.server.gate.mu.Lock()
		defer h.server.gate.mu.Unlock()
		return len(h.server.gate.waiting) <= h.server.gate.mostOne
	})
	for _, c := range held {
		c.Close()
	}
	wrong, _ := newKey(t)
	var all sync.WaitGroup
	turn := make(chan struct{}, 20)
	for range 500 {
		turn <- struct{}{}
		all.Go(func() {
			defer func() { <-turn }()
			h.refused("a wrong key", "root", gossh.PublicKeys(wrong))
		})
	}
	all.Wait()
	h.goodLogin()
	told := 0
	for _, r := range h.audited() {
		if r.Kind == "refused" {
			told++
		}
	}
	if told == 0 || told > 5 {
		t.Errorf("500 refused logins are %d lines in the audit file", told)
	}
	if wait := h.server.gate.wait(addressOf(h.server.Addr())); wait != longestWait {
		t.Errorf("the address waits %v before its next login", wait)
	}
}

func TestWhatIsNoSSH(t *testing.T) {
	h := newHost(t, nil)
	for what, said := range map[string]string{
		"HTTP":                  "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
		"TLS":                   "\x16\x03\x01\x02\x00\x01\x00",
		"a line without an end": strings.Repeat("A", 1<<20),
		"a packet of 4 GB":      "SSH-2.0-x\r\n\xff\xff\xff\xff" + strings.Repeat("\x00", 1<<16),
		"an old version":        "SSH-1.5-x\r\n",
		"nothing at all":        "",
	} {
		c := h.knockOn()
		_, _ = io.WriteString(c, said)
		if said != "" {
			go io.Copy(io.Discard, c)
		}
		h.goodLogin()
		c.Close()
		_ = what
	}
}

func TestManyChannels(t *testing.T) {
	h := newHost(t, func(o *Options) { o.Limits.PerKey = 20 })
	c, err := h.dial(h.key)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for i := range mostChannels + 2 {
		_, _, err := c.OpenChannel("session", nil)
		if (err == nil) != (i < mostChannels) {
			t.Errorf("channel %d: %v", i+1, err)
		}
	}
	h.goodLogin()
	var conns []*gossh.Client
	for range mostInside + 5 {
		if c, err := h.dial(h.key); err == nil {
			conns = append(conns, c)
		}
	}
	alive := 0
	for _, c := range conns {
		if _, _, err := c.SendRequest("keepalive@openssh.com", true, nil); err == nil {
			alive++
		}
	}
	if alive > mostInside {
		t.Errorf("%d connections of one key", alive)
	}
	for _, c := range conns {
		c.Close()
	}
	c.Close()
	h.eventually("they are gone", func() bool {
		h.server.gate.mu.Lock()
		defer h.server.gate.mu.Unlock()
		return len(h.server.gate.inside) == 0
	})
	h.goodLogin()
}

func TestASecondShellOnOneChannel(t *testing.T) {
	h := newHost(t, nil)
	v := h.login().sees("new setup")
	for _, kind := range []string{"shell", "exec"} {
		if ok, err := v.session.SendRequest(kind, true, gossh.Marshal(text{"id"})); ok {
			t.Errorf("%s: %v, %v", kind, ok, err)
		}
		if kind == "shell" {
			v.types("\r").sees("How shall they be joined?")
		}
	}
	h.goodLogin()
}

func TestWithoutATerminal(t *testing.T) {
	h := newHost(t, nil)
	c, err := h.dial(h.key)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	s, err := c.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	s.Stderr = &said
	if err := s.Shell(); err != nil {
		t.Fatal(err)
	}
	if err := s.Wait(); err == nil || fmt.Sprint(err) == "" || strings.Count(said.String(), "\n") != 1 || !strings.Contains(said.String(), "these screens need a terminal") {
		t.Errorf("%v: %q", err, said.String())
	}
	h.goodLogin()
}
