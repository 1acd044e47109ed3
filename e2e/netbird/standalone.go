package netbird

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"authbird/e2e/web"
)

// Configured is what NetBird's configure.sh made of a setup.env.
type Configured struct {
	Folder string // the working directory, with artifacts/ in it
	Output string // everything the script printed, secrets included
}

// ManagementJSON is the path of the configuration that the script wrote.
func (c Configured) ManagementJSON() string {
	return filepath.Join(c.Folder, "artifacts", "management.json")
}

// Client is what the configuration says of the one identity provider: its
// issuer and NetBird's client id there.
func (c Configured) Client(t testing.TB) (issuer, id string) {
	t.Helper()
	content, err := os.ReadFile(c.ManagementJSON())
	if err != nil {
		t.Fatal(err)
	}
	var written struct {
		HttpConfig struct{ AuthIssuer, AuthAudience string }
	}
	if err := json.Unmarshal(content, &written); err != nil {
		t.Fatalf("configure.sh wrote a management.json that is no JSON: %v", err)
	}
	return written.HttpConfig.AuthIssuer, written.HttpConfig.AuthAudience
}

// Configure runs the configure.sh that NetBird ships, unchanged, over a
// setup.env, in a copy of the shipped files. One thing is ours: where the
// setup.env names no NETBIRD_TURN_EXTERNAL_IP the environment does, for the
// script would ask a public service for the machine's address.
//
// The error has the script's output. As the script exits 0 in cases where it
// wrote nonsense (an AuthIssuer "null" where the discovery is a 404), a caller
// looks at the result.
func Configure(t testing.TB, setupEnv string) (Configured, error) {
	t.Helper()
	shipped := os.Getenv("AUTHBIRD_E2E_NETBIRD_FILES")
	if shipped == "" {
		t.Fatal("AUTHBIRD_E2E_NETBIRD_FILES is not set: these tests are started by e2e/run")
	}
	c := Configured{Folder: t.TempDir()}
	for _, name := range []string{
		"configure.sh", "base.setup.env",
		"docker-compose.yml.tmpl", "management.json.tmpl", "turnserver.conf.tmpl",
	} {
		copyFile(t, filepath.Join(shipped, name), filepath.Join(c.Folder, name))
	}
	copyFile(t, setupEnv, filepath.Join(c.Folder, "setup.env"))

	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	script := exec.CommandContext(ctx, "bash", "configure.sh")
	script.Dir = c.Folder
	script.Env = environment("NETBIRD_TURN_EXTERNAL_IP=127.0.0.1")
	var output bytes.Buffer
	script.Stdout, script.Stderr = &output, &output
	err := script.Run()
	c.Output = output.String()
	if err != nil {
		return c, fmt.Errorf("configure.sh: %w\n%s", err, c.Output)
	}
	return c, nil
}

func copyFile(t testing.TB, from, to string) {
	t.Helper()
	content, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// Standalone is a running management server without an embedded identity
// provider.
type Standalone struct {
	URL  string // its address on loopback, without a trailing slash
	File string // the management.json that it was started with

	process *process
}

// StartStandalone boots the management server with a configured management.json
// and the flags that the configured docker-compose.yml gives it. What differs
// from an installation, and why:
//
//   - HttpConfig.CertFile and CertKey are emptied: there are no certificates
//     here, and behind a proxy there are none either.
//   - Port, metrics port and data folder are the test's; in the container they
//     are 443, 9090 and /var/lib/netbird.
//   - Usage metrics and the download of the location database are off.
func StartStandalone(t testing.TB, c Configured) *Standalone {
	t.Helper()
	folder := t.TempDir()
	ports := freePorts(t, 2)
	file := filepath.Join(folder, "management.json")
	withoutCertificates(t, c.ManagementJSON(), file)
	base := fmt.Sprintf("http://127.0.0.1:%d", ports[0])
	args := append([]string{
		"management",
		"--config", file,
		"--datadir", filepath.Join(folder, "data"),
		"--port", fmt.Sprint(ports[0]),
		"--metrics-port", fmt.Sprint(ports[1]),
		"--log-file", "console",
		"--log-level", "info",
		"--disable-anonymous-metrics=true",
		"--disable-geolite-update=true",
	}, composeFlags(t, filepath.Join(c.Folder, "artifacts", "docker-compose.yml"))...)
	s := &Standalone{URL: base, File: file, process: &process{
		t:       t,
		name:    "netbird-management",
		args:    args,
		env:     environment(),
		logPath: filepath.Join(folder, "management.log"),
		ready:   base + "/api/instance",
	}}
	s.process.run()
	return s
}

// withoutCertificates copies a management.json and empties its certificates.
// Everything else stays as it was written.
func withoutCertificates(t testing.TB, from, to string) {
	t.Helper()
	content, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	var whole map[string]any
	if err := json.Unmarshal(content, &whole); err != nil {
		t.Fatalf("configure.sh wrote a management.json that is no JSON: %v", err)
	}
	server, ok := whole["HttpConfig"].(map[string]any)
	if !ok {
		t.Fatal("configure.sh wrote a management.json without HttpConfig")
	}
	server["CertFile"], server["CertKey"] = "", ""
	if content, err = json.MarshalIndent(whole, "", "    "); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

var composeFlag = regexp.MustCompile(`"(--(?:single-account-mode-domain|dns-domain)=[^"]*)"`)

// composeFlags are the flags of the management service that decide how
// accounts are made.
func composeFlags(t testing.TB, path string) []string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var flags []string
	for _, found := range composeFlag.FindAllSubmatch(content, -1) {
		flags = append(flags, string(found[1]))
	}
	if len(flags) != 2 {
		t.Fatalf("the configured docker-compose.yml gives the management server %q, want two flags", flags)
	}
	return flags
}

// Restart stops the server and starts it again with its data and its file.
func (s *Standalone) Restart(t testing.TB) {
	t.Helper()
	if err := s.process.restart(); err != nil {
		t.Fatal(err)
	}
}

// RestartCommand is a shell command that restarts the server and ends when it
// serves again.
func (s *Standalone) RestartCommand(t testing.TB) string { return s.process.restartCommand(t) }

// Logs is everything the server has printed so far.
func (s *Standalone) Logs() string { return s.process.logs() }

// User is a user as NetBird's API lists them.
type User struct {
	ID      string `json:"id"`
	Email   string `json:"email"`
	Name    string `json:"name"`
	Role    string `json:"role"`
	IdPID   string `json:"idp_id"`
	Status  string `json:"status"`
	Blocked bool   `json:"is_blocked"`
	Pending bool   `json:"pending_approval"`
	Service bool   `json:"is_service_user"`
}

// Users lists the users that a token may see. It is the call that fails where
// NetBird can't read Authentik's directory.
func Users(ctx context.Context, base, token string) ([]User, error) {
	answer, err := web.Call(ctx, http.MethodGet, base+"/api/users", token, nil)
	if err != nil {
		return nil, err
	}
	var users []User
	if err := answer.Into(&users); err != nil {
		return nil, fmt.Errorf("GET /api/users: %w", err)
	}
	return users, nil
}
