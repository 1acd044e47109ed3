package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Every choice of the full screen is there in lines, and comes out as the
// command that does the same.
func TestTheChoicesOfAStandaloneSetupInLines(t *testing.T) {
	d := lineDesk(t)
	stands := filepath.Join(d.dir, "artifacts", "management.json")
	if err := os.MkdirAll(filepath.Dir(stands), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(stands, []byte(`{"DataStoreEncryptionKey":"c2VjcmV0"}`), 0o600); err != nil {
		t.Fatal(err)
	}
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
