package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// standing puts a NetBird that is set up already beside setup.env.
func (d *desk) standing() (path string) {
	d.t.Helper()
	path = filepath.Join(d.dir, "artifacts", "management.json")
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		d.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(`{"DataStoreEncryptionKey":"c2VjcmV0"}`), 0o600); err != nil {
		d.t.Fatal(err)
	}
	return path
}

// Every choice of the full screen is there in lines, and comes out as the
// command that does the same.
func TestTheChoicesOfAStandaloneSetupInLines(t *testing.T) {
	d := lineDesk(t)
	stands := d.standing()
	o := d.conversation("setup standalone", d.sim.AuthentikURL, d.sim.AuthentikToken, "netbird.example.com", "no",
		"", "", "", "", "", // name, slug, flow, key, groups
		"", "2", "2", "2", // account, rights, redirects, device code flow
		"", "2", "yes", // setup.env, the app password, the patch
		"", "no", "soon", "90", // keystore, token, days
		"yes").want(0)
	for _, said := range []string{
		"NetBird's configuration stands at " + stands, "Keep Authentik's token there too", "a number of days, from 1 to 3650",
		"--service-account-rights least", "--redirect-mode strict", "--device-flow replace", "--env-secret omit", "--netbird-config " + stands, "--rotate-every 90",
	} {
		if !strings.Contains(o.human+o.out, said) {
			t.Errorf("%q was not said:\n%s\n%s", said, o.human, o.out)
		}
	}
	patched, err := os.ReadFile(stands)
	if err != nil || !strings.Contains(string(patched), `"authentik"`) || !strings.Contains(string(patched), `"c2VjcmV0"`) {
		t.Errorf("management.json is %s (%v)", patched, err)
	}
}

// Where NetBird runs already, the commands that come next keep the key of its
// database, and the other way is offered; once that is taken there is no risk.
func TestConfigureShIsNotToldToBlankTheKey(t *testing.T) {
	d := lineDesk(t)
	stands := d.standing()
	o := d.alone("setup", "standalone", "--yes", "--netbird-domain", "netbird.example.com").want(0)
	for _, said := range []string{
		"configure.sh would blank the key in artifacts/management.json", "--netbird-config artifacts/management.json",
		"in " + d.dir + ": cp artifacts/management.json management.json && ./configure.sh && cd artifacts && docker compose up -d",
	} {
		if !strings.Contains(o.human+o.out, said) {
			t.Errorf("%q was not said:\n%s\n%s", said, o.human, o.out)
		}
	}
	o = d.alone("setup", "standalone", "--yes", "--netbird-domain", "netbird.example.com", "--netbird-config", stands).want(0)
	if all := o.human + o.out; strings.Contains(all, "would blank") || !strings.Contains(all, stands+" is patched") || !strings.Contains(all, "docker compose restart management") {
		t.Errorf("after the patch is said:\n%s", all)
	}
}

func TestAnOmittedPasswordIsGivenToTheScript(t *testing.T) {
	d := lineDesk(t)
	o := d.alone("setup", "standalone", "--yes", "--netbird-domain", "netbird.example.com", "--setup", "other", "--env-secret", "omit").want(0)
	if want := `set -a; eval "$(authbird env other)"; set +a && ./configure.sh`; !strings.Contains(o.out, want) {
		t.Errorf("%q was not said:\n%s", want, o.out)
	}
}
