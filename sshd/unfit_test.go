package sshd

import (
	"crypto/rand"
	"encoding/pem"
	"errors"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"crypto/ed25519"

	gossh "golang.org/x/crypto/ssh"

	"authbird/state"
)

func TestTheHostKeyIsMadeOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a", "key")
	first, made, err := hostKey(path, rand.Reader)
	if err != nil || !made {
		t.Fatalf("%v, %v", made, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	again, made, err := hostKey(path, rand.Reader)
	if err != nil || made || !slices.Equal(again.PublicKey().Marshal(), first.PublicKey().Marshal()) {
		t.Errorf("%v, %v", made, err)
	}
}

func TestAHostKeyThatCannotBeUsed(t *testing.T) {
	dir := t.TempDir()
	file := func(name string, text []byte, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, text, mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	locked, err := gossh.MarshalPrivateKeyWithPassphrase(private, "", []byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		file("open", []byte("x"), 0o644):                  "open to others (mode 0644)",
		file("rubbish", []byte("x"), 0o600):               "there is no private key in",
		file("locked", pem.EncodeToMemory(locked), 0o600): "has a passphrase",
		dir: "is not a file",
		filepath.Join(file("file", nil, 0o600), "below", "a file"): "can't be",
	} {
		_, _, err := hostKey(path, rand.Reader)
		var e *Error
		if !errors.As(err, &e) || e.Usage || !strings.Contains(e.Message, want) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestAServerThatCannotBegin(t *testing.T) {
	h := newHost(t, nil)
	taken := h.address()
	_, line := newKey(t)
	blocked := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(blocked, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		tweak func(*Options)
		want  string
		usage bool
	}{
		"the port is taken":      {func(o *Options) { o.Listen = taken }, "can't be listened on: address already in use", false},
		"no such address":        {func(o *Options) { o.Listen = "192.0.2.1:0" }, "can't be listened on", false},
		"no address":             {func(o *Options) { o.Listen = "127.0.0.1:ninety" }, "is no address and port", true},
		"no key":                 {func(o *Options) { o.Allow = nil }, "there is no key", true},
		"no state folder":        {func(o *Options) { o.StateDir = blocked }, "the state folder can't be used", false},
		"only servers, and none": {func(o *Options) { o.OnlyGiven, o.AuthentikURL, o.NetBirdURL = true, "", "" }, "--only-given-servers needs the servers", true},
	} {
		o := h.options()
		o.Allow = []string{line}
		c.tweak(&o)
		s, err := New(o)
		var e *Error
		if !errors.As(err, &e) || e.Usage != c.usage || !strings.Contains(e.Message, c.want) {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil {
			s.Close()
		}
	}
	if c, err := net.Dial("tcp", taken); err != nil {
		t.Errorf("who serves already is not disturbed: %v", err)
	} else {
		c.Close()
	}
}

// Every answer that a setup may have is either harmless or looked at by refuse:
// who adds one decides which, here.
func TestEveryAnswerIsDecidedUpon(t *testing.T) {
	looked := []string{"CAFile", "RestartCommand", "Keystore", "KeystoreIdentity", "EnvFile", "NetBirdConfig", "AuthentikURL", "NetBirdURL", "NetBirdDomain"}
	harmless := []string{"Mode", "AllowHTTP", "Name", "Slug", "AuthorizationFlow", "SigningKey", "AllowGroups", "ConnectorName", "ConnectorType", "KeepAdminTokens",
		"RotateEvery", "GroupSync", "LetIn", "ServiceAccount", "Rights", "RedirectMode", "EnvSecret", "DeviceFlow"}
	for f := range reflect.TypeFor[state.Answers]().Fields() {
		if !slices.Contains(looked, f.Name) && !slices.Contains(harmless, f.Name) {
			t.Errorf("may a person who comes by SSH give %s?", f.Name)
		}
	}
}
