package hostfiles

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestMain(m *testing.M) {
	// The same values in each run; flags on the command line still win.
	for name, value := range map[string]string{"rapid.seed": "1", "rapid.checks": "150", "rapid.nofailfile": "true"} {
		if err := flag.Set(name, value); err != nil {
			panic(err)
		}
	}
	if path := os.Getenv("HOSTFILES_WRITE"); path != "" {
		writeInStraits(path)
		return
	}
	os.Exit(m.Run())
}

func needBash(t testing.TB) {
	t.Helper()
	if _, err := exec.LookPath("bash"); err != nil {
		t.Skip("no bash here to ask what it sees")
	}
}

// sourced is what a real bash sees of the variables after it has sourced the
// file, in an environment that has only what is given; unset ones are absent.
func sourced(t interface {
	Helper()
	Fatalf(string, ...any)
}, dir string, file []byte, keys []string, environ ...string) map[string]string {
	t.Helper()
	path := filepath.Join(dir, "setup.env")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatalf("%v", err)
	}
	script := `source "$0" >/dev/null; for k; do printf '%s=' "$k"; [[ -v $k ]] && printf 'set:%s' "${!k}"; printf '\0'; done`
	cmd := exec.Command("bash", append([]string{"--norc", "-c", script, path}, keys...)...)
	cmd.Env = append([]string{"PATH=/nonexistent", "LC_ALL=C"}, environ...)
	var out bytes.Buffer
	cmd.Stdout = &out
	if err := cmd.Run(); err != nil {
		t.Fatalf("bash: %v", err)
	}
	values := map[string]string{}
	for _, entry := range strings.Split(strings.TrimSuffix(out.String(), "\x00"), "\x00") {
		key, value, _ := strings.Cut(entry, "=")
		if value, ok := strings.CutPrefix(value, "set:"); ok {
			values[key] = value
		}
	}
	return values
}

func keysOf(lines []Line) (keys []string) {
	for _, l := range lines {
		keys = append(keys, l.Key)
	}
	return keys
}

func wanted(lines []Line) map[string]string {
	values := map[string]string{}
	for _, l := range lines {
		values[l.Key] = l.want()
	}
	return values
}

var setup = Values{
	Authentik: "https://auth.example.com/", Slug: "netbird", ClientID: "client123",
	Password: "s3cretS3cret", Domain: "netbird.example.com",
}
