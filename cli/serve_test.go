package cli_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

// someKey is a key and its line for a keys file.
func someKey(t *testing.T) (ssh.Signer, string) {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return signer, strings.TrimSpace(string(ssh.MarshalAuthorizedKey(signer.PublicKey())))
}

func TestServeLetsPeopleInUntilItIsStopped(t *testing.T) {
	for name, c := range map[string]struct {
		listen string
		warned bool
	}{
		"this machine alone": {"127.0.0.1:0", false},
		"all others too":     {"0.0.0.0:0", true},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			d.withPassphrase()
			signer, line := someKey(t)
			met := make(chan error, 1)
			d.hears = func(said string) { // the last of what is said at the start
				if !strings.Contains(said, "NETBIRD_TOKEN is set, and is not used") {
					return
				}
				go func() {
					met <- d.meets(signer)
					d.signals <- os.Interrupt
				}()
			}
			o := d.authbird("serve", "--listen", c.listen, "--allow-key", line, "--json").want(0)
			if err := <-met; err != nil {
				t.Errorf("a person logs in: %v", err)
			}
			if warned := strings.Contains(o.human, "warning: "); warned != c.warned {
				t.Errorf("warned: %v\n%s", warned, o.human)
			}
			first := o.lines()[0]
			if first["kind"] != "serving" || first["keys"] != 1.0 || !strings.HasPrefix(first["host_key"].(string), "SHA256:") {
				t.Errorf("it says %v", first)
			}
			for _, secret := range []string{d.env["AUTHENTIK_TOKEN"], passphrase} {
				if strings.Contains(o.out+o.human, secret) {
					t.Error("a secret is said")
				}
			}
		})
	}
}

// meets logs in at the address that the audit file tells, once it does.
func (d *desk) meets(key ssh.Signer) error {
	var raw []byte
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for late := time.After(time.Minute); len(raw) == 0; {
		select {
		case <-tick.C:
		case <-late:
			return errors.New("nobody serves")
		}
		raw, _ = os.ReadFile(filepath.Join(d.dir, "authbird", "serve", "audit.jsonl"))
	}
	_, rest, _ := strings.Cut(string(raw), `"remote":"`)
	address, _, _ := strings.Cut(rest, `"`)
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return err
	}
	c, err := ssh.Dial("tcp", net.JoinHostPort("127.0.0.1", port), &ssh.ClientConfig{
		User: "ada", Auth: []ssh.AuthMethod{ssh.PublicKeys(key)}, HostKeyCallback: ssh.InsecureIgnoreHostKey(), Timeout: time.Minute,
	})
	if err != nil {
		return err
	}
	return c.Close()
}

func TestServeIsOpenedByThePassphraseOrNotAtAll(t *testing.T) {
	d := newDesk(t)
	d.withPassphrase()
	_, line := someKey(t)
	serve := func() outcome {
		d.hears = func(said string) {
			if strings.Contains(said, "sessions are written down") {
				d.signals <- os.Interrupt
			}
		}
		return d.authbird("serve", "--listen", "127.0.0.1:0", "--allow-key", line)
	}
	serve().want(0)
	d.file("passphrase", "another horse battery staple\n")
	if o := serve().want(3); !strings.Contains(o.human, "wrong passphrase") {
		t.Errorf("it says %q", o.human)
	}
	d.forget("AUTHBIRD_PASSPHRASE_FILE")
	if o := serve().want(2); !strings.Contains(o.human, "a passphrase is needed and nobody can be asked") {
		t.Errorf("it says %q", o.human)
	}
}
