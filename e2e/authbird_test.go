package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"authbird/e2e/authentik"
	"authbird/e2e/netbird"
)

// The exit codes of the command line's contract that the journeys meet.
const (
	exitDone         = 0
	exitUsage        = 2
	exitPerson       = 3
	exitUnauthorised = 4
	exitUnreachable  = 5
	exitPartWay      = 8
)

// world is one Authentik, one NetBird and a person's shell between them.
type world struct {
	t          *testing.T
	authentik  *authentik.Server
	netbirdURL string            // "" where there is none yet
	state      string            // --state-dir
	env        map[string]string // what the shell has exported
	flags      []string          // flags that every run gets
	hidden     map[string]string // further secrets that must not be seen, by what they are
}

// newWorld has the tokens exported and the secrets of a setup in a file keystore
// whose passphrase is exported too. Without a NetBird n is nil.
func newWorld(t *testing.T, a *authentik.Server, n *netbird.Server) *world {
	t.Helper()
	folder := t.TempDir()
	passphrase := filepath.Join(folder, "passphrase")
	if err := os.WriteFile(passphrase, []byte("a passphrase for the journeys\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	w := &world{
		t:         t,
		authentik: a,
		state:     filepath.Join(folder, "state"),
		env: map[string]string{
			"HOME":                     folder,
			"PATH":                     os.Getenv("PATH"),
			"AUTHENTIK_TOKEN":          a.Token,
			"AUTHBIRD_PASSPHRASE_FILE": passphrase,
		},
		flags: []string{"--keystore", "file"},
	}
	if n != nil {
		w.netbirdURL, w.env["NETBIRD_TOKEN"] = n.URL, n.OwnerToken
	}
	if a.Shared() {
		t.Cleanup(w.tidy)
	}
	return w
}

// tidy removes what a journey has left on an Authentik that stays.
func (w *world) tidy() {
	if _, err := os.Stat(w.state); err == nil {
		w.authbird("remove", "--yes").want(exitDone)
	}
}

// connector are the flags of a connector setup, with names of this story's own.
func (w *world) connector() []string {
	return []string{
		"connector", "--yes",
		"--authentik-url", w.authentik.URL,
		"--netbird-url", w.netbirdURL,
		"--name", w.authentik.Name("NetBird"),
		"--slug", w.authentik.Name("netbird"),
	}
}

// outcome is what a run of authbird left.
type outcome struct {
	t      *testing.T
	Args   []string
	Exit   int
	Events []event
	Stdout string
	Stderr string
	Trace  []exchange
}

// event is one line of --json.
type event struct {
	Kind     string   `json:"kind"`
	Setup    string   `json:"setup"`
	ID       string   `json:"id"`
	Phase    string   `json:"phase"`
	Verdict  string   `json:"verdict"`
	Evidence string   `json:"evidence"`
	Note     string   `json:"note"`
	OK       bool     `json:"ok"`
	Exit     int      `json:"exit"`
	Message  string   `json:"message"`
	Hints    []string `json:"hints"`
	Windows  []window `json:"windows"`
}

// window is when something could fail, as the run has measured it.
type window struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
	MS   int64     `json:"ms"`
}

// exchange is one line of --trace.
type exchange struct {
	Method string `json:"method"`
	URL    string `json:"url"`
	Status int    `json:"status"`
}

// authbird runs the program with --json and --trace and waits for its end.
func (w *world) authbird(verb string, args ...string) outcome {
	w.t.Helper()
	return w.begin(verb, args...).wait()
}

// run is the program at work.
type run struct {
	cmd  *exec.Cmd
	wait func() outcome // until it has ended
}

// begin starts the program.
func (w *world) begin(verb string, args ...string) run {
	w.t.Helper()
	trace := filepath.Join(w.t.TempDir(), "trace.jsonl")
	all := append([]string{verb}, args...)
	all = append(all, "--json", "--state-dir", w.state, "--trace", trace)
	all = append(all, w.flags...)
	// Not the test's context: that is over when the test tidies up.
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	cmd := exec.CommandContext(ctx, filepath.Join(os.Getenv("AUTHBIRD_E2E_BIN"), "authbird"), all...)
	for name, value := range w.env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		cancel()
		w.t.Fatalf("start authbird, which e2e/run builds: %v", err)
	}
	return run{cmd, func() outcome {
		w.t.Helper()
		defer cancel()
		err := cmd.Wait()
		var ended *exec.ExitError
		if err != nil && !errors.As(err, &ended) {
			w.t.Fatalf("authbird %s: %v", strings.Join(all, " "), err)
		}
		o := outcome{t: w.t, Args: all, Exit: cmd.ProcessState.ExitCode(), Stdout: stdout.String(), Stderr: stderr.String()}
		o.Events = lines[event](w.t, stdout.Bytes())
		if content, err := os.ReadFile(trace); err == nil {
			o.Trace = lines[exchange](w.t, content)
		}
		w.noSecrets(o, trace)
		return o
	}}
}

// lines decodes one JSON object a line; anything else on the stream breaks the
// contract of --json and --trace.
func lines[T any](t *testing.T, content []byte) []T {
	t.Helper()
	var all []T
	scanner := bufio.NewScanner(bytes.NewReader(content))
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		var one T
		if err := json.Unmarshal(scanner.Bytes(), &one); err != nil {
			t.Fatalf("a line that is no JSON object: %q: %v", scanner.Text(), err)
		}
		all = append(all, one)
	}
	if err := scanner.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// noSecrets ends the test if a secret stands in the clear in anything that the
// run has printed or left on disk.
func (w *world) noSecrets(o outcome, trace string) {
	w.t.Helper()
	left := map[string]string{"standard output": o.Stdout, "standard error": o.Stderr}
	for _, root := range []string{w.state, trace} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) || err == nil && !d.Type().IsRegular() {
				return nil
			}
			if err != nil {
				return err
			}
			content, err := os.ReadFile(path)
			left[path] = string(content)
			return err
		})
		if err != nil {
			w.t.Fatal(err)
		}
	}
	for name, secret := range w.secrets() {
		for where, content := range left {
			if strings.Contains(content, secret) {
				w.t.Errorf("authbird %s left %s in the clear in %s", strings.Join(o.Args, " "), name, where)
			}
		}
	}
}

// secrets are what must not be seen: both tokens, and the client secret once
// there is one.
func (w *world) secrets() map[string]string {
	w.t.Helper()
	all := maps.Clone(w.hidden)
	if all == nil {
		all = map[string]string{}
	}
	for _, name := range []string{"AUTHENTIK_TOKEN", "NETBIRD_TOKEN"} {
		if w.env[name] != "" {
			all[name] = w.env[name]
		}
	}
	for _, provider := range w.authentik.List(w.t, "/api/v3/providers/oauth2/") {
		if secret, _ := provider["client_secret"].(string); secret != "" {
			all["the client secret"] = secret
		}
	}
	return all
}

// want ends the test if the run did not end with this code, or did not say so
// in its last line.
func (o outcome) want(exit int) outcome {
	o.t.Helper()
	if o.Exit != exit {
		o.t.Fatalf("authbird %s: exit %d, want %d\n%s%s", strings.Join(o.Args, " "), o.Exit, exit, o.Stdout, o.Stderr)
	}
	result := o.result()
	if result.Exit != exit || result.OK != (exit == exitDone) {
		o.t.Fatalf("authbird %s: exit %d, but its result says exit %d, ok %v", strings.Join(o.Args, " "), exit, result.Exit, result.OK)
	}
	return o
}

// result is the last line.
func (o outcome) result() event {
	o.t.Helper()
	if len(o.Events) == 0 || o.Events[len(o.Events)-1].Kind != "result" {
		o.t.Fatalf("authbird %s: no result in the last line\n%s%s", strings.Join(o.Args, " "), o.Stdout, o.Stderr)
	}
	return o.Events[len(o.Events)-1]
}

// says ends the test if the run told a person nothing of this.
func (o outcome) says(word string) outcome {
	o.t.Helper()
	if !strings.Contains(strings.ToLower(o.Stdout+o.Stderr), strings.ToLower(word)) {
		o.t.Fatalf("authbird %s said nothing of %q\n%s%s", strings.Join(o.Args, " "), word, o.Stdout, o.Stderr)
	}
	return o
}

// wroteNothing ends the test if a server took a request that may have changed
// it. NetBird refusing to make a connector for an issuer that doesn't exist,
// and the token endpoints, change nothing.
func (o outcome) wroteNothing() outcome {
	o.t.Helper()
	if len(o.Trace) == 0 {
		o.t.Fatalf("authbird %s: the trace is empty", strings.Join(o.Args, " "))
	}
	for _, x := range o.Trace {
		at, err := url.Parse(x.URL)
		if err != nil {
			o.t.Fatal(err)
		}
		if x.Method == http.MethodGet || x.Method == http.MethodHead || x.Status/100 != 2 {
			continue
		}
		if strings.HasPrefix(at.Path, "/api/") {
			o.t.Errorf("authbird %s wrote: %s %s: %d", strings.Join(o.Args, " "), x.Method, at.Path, x.Status)
		}
	}
	return o
}
