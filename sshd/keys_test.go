package sshd

import (
	"crypto/rand"
	"crypto/rsa"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	gossh "golang.org/x/crypto/ssh"
)

func TestKeysFile(t *testing.T) {
	_, line := newKey(t)
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	short, err := gossh.NewPublicKey(&weak.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		file string
		keys int
		err  string // a part of it; "": none
	}{
		"nothing":                       {"", 0, ""},
		"comments and blanks":           {"# one\n\n  \n" + line + " ada@home\n", 1, ""},
		"two":                           {line + "\r\n" + line, 2, ""},
		"what nobody gets anyway":       {`no-port-forwarding,no-agent-forwarding,no-X11-forwarding,no-user-rc ` + line, 1, ""},
		"restricted":                    {"restrict " + line, 0, "line 1: the option restrict forbids a terminal"},
		"restricted, with a pty":        {"restrict,pty " + line, 1, ""},
		"a command":                     {"\n\ncommand=\"/bin/date\" " + line, 0, "line 3: the option command is not kept here"},
		"a variable":                    {`environment="A=b" ` + line, 0, "the option environment is not kept"},
		"no terminal":                   {"no-pty " + line, 0, "the option no-pty is not kept"},
		"an authority":                  {"cert-authority " + line, 0, "no certificates"},
		"forwarding":                    {`permitopen="a:1" ` + line, 0, "forwards nothing"},
		"an option nobody knows":        {"be-nice " + line, 0, `the option "be-nice" is not known here`},
		"from an address":               {`from="192.0.2.1,2001:db8::/32,10.*" ` + line, 1, ""},
		"from a name":                   {`from="*.example.com" ` + line, 0, "names of hosts are not looked up"},
		"from nowhere":                  {`from="" ` + line, 0, "names of hosts"},
		"until":                         {`expiry-time="20301231" ` + line, 1, ""},
		"until some day":                {`expiry-time="tomorrow" ` + line, 0, "expiry-time"},
		"garbage":                       {line + "\nssh-ed25519 AAAA\n", 0, "line 2: this is no public key"},
		"a private key":                 {"-----BEGIN OPENSSH PRIVATE KEY-----\n", 0, "line 1: this is no public key"},
		"a weak key":                    {string(gossh.MarshalAuthorizedKey(short)), 0, "1024 bits is too short"},
		"terminal garbage in an option": {"\x1b[2Jx " + line, 0, `"\x1b[2jx"`},
	} {
		keys, err := parseKeys([]byte(c.file), time.UTC)
		if len(keys) != c.keys || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%s: %d keys, %v", name, len(keys), err)
		}
	}
}

func TestWhereAndWhenAKeyIsGood(t *testing.T) {
	_, line := newKey(t)
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		options, from string
		want          bool
	}{
		"anywhere":              {"", "198.51.100.7", true},
		"the address":           {`from="192.0.2.1" `, "192.0.2.1", true},
		"another":               {`from="192.0.2.1" `, "192.0.2.10", false},
		"mapped":                {`from="192.0.2.1" `, "::ffff:192.0.2.1", true},
		"the network":           {`from="192.0.2.0/24" `, "192.0.2.200", true},
		"but not that":          {`from="192.0.2.0/24,!192.0.2.7" `, "192.0.2.7", false},
		"only what is not that": {`from="!192.0.2.7" `, "192.0.2.8", false},
		"a pattern":             {`from="192.0.2.*" `, "192.0.2.33", true},
		"a pattern of others":   {`from="192.0.2.?" `, "192.0.2.33", false},
		"v6":                    {`from="2001:db8::/32" `, "2001:db8:1::1", true},
		"still good":            {`expiry-time="20261124" `, "192.0.2.1", false},
		"until the evening":     {`expiry-time="202611242000Z" `, "192.0.2.1", true},
		"until the morning":     {`expiry-time="20261124080000" `, "192.0.2.1", false},
	} {
		keys, err := parseKeys([]byte(c.options+line), time.UTC)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got := keys[0].admits(netip.MustParseAddr(c.from), now); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestTheKeysFileIsReadAgain(t *testing.T) {
	first, line := newKey(t)
	second, other := newKey(t)
	file := filepath.Join(t.TempDir(), "keys")
	at := time.Now()
	write := func(text string, mode os.FileMode) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		at = at.Add(time.Second) // as if some time had passed
		if err := os.Chtimes(file, at, at); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(file, mode); err != nil {
			t.Fatal(err)
		}
	}
	write(line+"\n", 0o600)
	var said []string
	g, err := newGuestList(file, nil, time.UTC, func(s string) { said = append(said, s) })
	if err != nil {
		t.Fatal(err)
	}
	admits := func(when string, one, two bool) {
		t.Helper()
		home := netip.MustParseAddr("127.0.0.1")
		if a, b := g.admits(first.PublicKey(), home, at), g.admits(second.PublicKey(), home, at); a != one || b != two {
			t.Errorf("%s: %v, %v; %q", when, a, b, said)
		}
	}
	admits("at first", true, false)
	write(other+"\n", 0o600)
	admits("exchanged", false, true)
	write(other+"\nrubbish\n", 0o600)
	admits("spoiled", false, false)
	write(line+"\n"+other+"\n", 0o600)
	admits("mended", true, true)
	write(line+"\n"+other+"\n", 0o666)
	admits("open to all", false, false)
	write("", 0o600)
	admits("empty", false, false)
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	admits("gone", false, false)
	if len(said) < 5 || !strings.Contains(said[1], "line 2") || !strings.Contains(strings.Join(said, "\n"), "can be written by others") {
		t.Errorf("the operator heard %q", said)
	}
}

func TestNoKeyAtAll(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "keys")
	if err := os.WriteFile(empty, []byte("# nobody\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, line := newKey(t)
	for name, c := range map[string]struct {
		file  string
		allow []string
		want  string
	}{
		"none":            {"", nil, "there is no key"},
		"an empty file":   {empty, nil, "there is no key in " + empty},
		"no file":         {empty + "x", nil, "--authorized-keys: open"},
		"a bad one":       {"", []string{line, "rubbish"}, "--allow-key (number 2): line 1"},
		"an empty one":    {"", []string{""}, "--allow-key (number 1) is to be one public key"},
		"a folder":        {filepath.Dir(empty), nil, "--authorized-keys"},
		"several at once": {"", []string{line + "\n" + line}, "--allow-key (number 1) is to be one"},
	} {
		_, err := newGuestList(c.file, c.allow, time.UTC, func(string) {})
		e, ok := err.(*Error)
		if !ok || !e.Usage || !strings.Contains(e.Message, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
