// Package netbird boots real NetBird servers for the journeys: the combined
// server with its embedded identity provider, and (standalone.go) the
// management server alone with the management.json that NetBird's own
// configure.sh writes. The binaries are built by e2e/run from NetBird's
// published Go module.
//
// It promises a server that serves when Start returns, that keeps its data and
// its address over a Restart, and that is gone when the test ends. It refuses
// to boot where anything but loopback is up, for NetBird listens on every
// interface. One server runs at a time: both open the port 33073 besides their
// own.
package netbird

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"authbird/e2e/browser"
	"authbird/e2e/web"
)

// Options shape one combined server. The zero value has an owner and a token.
type Options struct {
	Fresh bool     // nobody has set it up: no owner, no account, no token
	Env   []string // further variables for the server, as NB_SETUP_PAT_ENABLED=true
	// Container gives the server a process namespace of its own, so that it has
	// the process id 1 before and after a restart, as it has in a container.
	Container bool
}

// owner is who sets every server up.
var owner = browser.Person{Name: "owner@example.com", Password: "Passw0rd!of-the-owner"}

// Server is one running combined server.
type Server struct {
	URL        string         // its public address, without a trailing slash
	Owner      browser.Person // the local user that owns the account
	OwnerID    string         // "" on a fresh server
	OwnerToken string         // a personal access token of the owner; "" on a fresh server

	process *process
}

// config is the server's YAML file. The keys are NetBird's.
const config = `server:
  listenAddress: "127.0.0.1:%[1]d"
  exposedAddress: "http://127.0.0.1:%[1]d"
  metricsPort: %[2]d
  healthcheckAddress: "127.0.0.1:%[3]d"
  logLevel: info
  logFile: console
  authSecret: %[4]q
  dataDir: %[5]q
  disableAnonymousMetrics: true
  disableGeoliteUpdate: true
  stuns:
    - uri: "stun:127.0.0.1:3478"
  auth:
    issuer: "http://127.0.0.1:%[1]d/oauth2"
    signKeyRefreshEnabled: true
    sessionCookieEncryptionKey: %[6]q
    dashboardRedirectURIs:
      - "http://127.0.0.1:%[1]d/nb-auth"
      - "http://127.0.0.1:%[1]d/nb-silent-auth"
    cliRedirectURIs:
      - "http://localhost:53000/"
  store:
    engine: sqlite
    encryptionKey: %[7]q
`

// Start boots a combined server in a folder of the test's.
func Start(t testing.TB, o Options) *Server {
	t.Helper()
	folder := t.TempDir()
	ports := freePorts(t, 3)
	file := filepath.Join(folder, "config.yaml")
	content := fmt.Sprintf(config, ports[0], ports[1], ports[2],
		secret(16), filepath.Join(folder, "data"), secret(24)[:32], secret(32))
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(folder, "data"), 0o700); err != nil {
		t.Fatal(err)
	}
	base := fmt.Sprintf("http://127.0.0.1:%d", ports[0])
	s := &Server{URL: base, Owner: owner, process: &process{
		t:         t,
		name:      "netbird-server",
		args:      []string{"--config", file},
		env:       environment(o.Env...),
		logPath:   filepath.Join(folder, "netbird.log"),
		ready:     base + "/oauth2/.well-known/openid-configuration",
		container: o.Container,
	}}
	s.process.run()
	if !o.Fresh {
		s.SetUp(t)
	}
	return s
}

// secret is n random bytes in base64.
func secret(n int) string {
	raw := make([]byte, n)
	_, _ = rand.Read(raw) // never fails
	return base64.StdEncoding.EncodeToString(raw)
}

// Restart stops the server and starts it again with its data.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	if err := s.process.restart(); err != nil {
		t.Fatal(err)
	}
}

// RestartCommand is a shell command that restarts the server, for a program
// that is to do so by itself, and ends when it serves again.
func (s *Server) RestartCommand(t testing.TB) string { return s.process.restartCommand(t) }

// Stop ends the server; Restart brings it back.
func (s *Server) Stop() { s.process.stop() }

// Logs is everything the server has printed so far, over all its lives.
func (s *Server) Logs() string { return s.process.logs() }

// SetUp makes the owner of a fresh server and a token for them, in the order
// that leaves the account with its domain: set up without a token, log in,
// make the first call, and only then ask for the token.
func (s *Server) SetUp(t testing.TB) {
	t.Helper()
	answer, err := web.Call(t.Context(), http.MethodPost, s.URL+"/api/setup", "", map[string]string{
		"email": s.Owner.Name, "password": s.Owner.Password, "name": "Owner",
	})
	if err != nil || answer.Status != http.StatusOK {
		t.Fatalf("POST /api/setup: status %d, %v: %s", answer.Status, err, answer.Short())
	}
	tokens, err := browser.Login(t.Context(), browser.NetBirdCLI(s.URL, "local"), s.Owner)
	if err != nil {
		t.Fatalf("log in as the owner: %v", err)
	}
	s.OwnerID, s.OwnerToken, err = firstToken(t.Context(), s.URL, tokens.ID)
	if err != nil {
		t.Fatal(err)
	}
}

// firstToken makes a person's first API call, which is what makes the account,
// and a personal access token.
func firstToken(ctx context.Context, base, jwt string) (user, token string, err error) {
	var me struct {
		ID string `json:"id"`
	}
	answer, err := web.Call(ctx, http.MethodGet, base+"/api/users/current", jwt, nil)
	if err == nil {
		err = answer.Into(&me)
	}
	if err != nil {
		return "", "", fmt.Errorf("first call of the owner: %w", err)
	}
	var made struct {
		Token string `json:"plain_token"`
	}
	answer, err = web.Call(ctx, http.MethodPost, base+"/api/users/"+me.ID+"/tokens", jwt,
		map[string]any{"name": "e2e", "expires_in": 1})
	if err == nil {
		err = answer.Into(&made)
	}
	if err != nil {
		return "", "", fmt.Errorf("make a token for the owner: %w", err)
	}
	return me.ID, made.Token, nil
}
