package cli_test

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"authbird/sim/fault"
)

// No secret may be found in anything that a run leaves: what it writes to
// either stream, to the screen, to the trace, to the state folder or to a
// temporary folder. The file keystore lies in the state folder, so this also
// says that it is encrypted.
func TestNoSecretIsEverWrittenOrShown(t *testing.T) {
	for _, way := range []struct {
		name       string
		args       []string
		passphrase bool
	}{
		{"plain", []string{"setup", "connector", "--yes"}, true},
		{"json", []string{"setup", "connector", "--json"}, false},
		{"tokens kept", []string{"setup", "connector", "--json", "--keep-admin-tokens"}, true},
		{"a plan", []string{"plan", "connector", "--yes"}, false},
	} {
		t.Run(way.name, func(t *testing.T) {
			d := newDesk(t)
			if way.passphrase {
				d.withPassphrase()
			}
			w := d.watch()
			w.run(0, way.args...)
			w.run(0, "status")
			w.run(0, "status", "--json")
			w.nothingFound()
		})
	}
}

func TestNoSecretIsToldByAFailingRun(t *testing.T) {
	for _, f := range []struct {
		name string
		at   func(*desk) *fault.Faults
		fault.Fault
		exit int
	}{
		{"a server that repeats the token", authentikFaults, fault.Fault{Path: "/api/v3/core/users/me/", Times: -1, Kind: fault.Status, Status: 500}, 5},
		{"a refused create that repeats the request", authentikFaults, fault.Fault{Method: "PUT", Path: "/api/v3/core/transactional/applications/", Times: -1, Kind: fault.Status, Status: 400}, 8},
		{"a lost answer", netbirdFaults, fault.Fault{Method: "POST", Path: "/api/identity-providers", Skip: 1, Times: -1, Kind: fault.CutBefore}, 8},
		{"a server error at the connector", netbirdFaults, fault.Fault{Method: "POST", Path: "/api/identity-providers", Skip: 1, Times: -1, Kind: fault.Status, Status: 500}, 8},
	} {
		t.Run(f.name, func(t *testing.T) {
			d := newDesk(t)
			w := d.watch()
			order := f.Fault
			if order.Kind == fault.Status {
				order.Body = `{"detail":"` + d.sim.AuthentikToken + `"}`
				if f.at(d) == d.sim.NetBirdFaults {
					order.Body = `{"message":"` + d.sim.NetBirdToken + `","code":500}`
				}
			}
			if err := f.at(d).Order(order); err != nil {
				t.Fatal(err)
			}
			if exit := w.anyRun("setup", "connector", "--yes", "--json"); exit == 0 {
				t.Errorf("the run did not fail")
			}
			f.at(d).Clear()
			w.run(0, "setup", "connector", "--yes")
			w.nothingFound()
		})
	}
}

func authentikFaults(d *desk) *fault.Faults { return d.sim.AuthentikFaults }
func netbirdFaults(d *desk) *fault.Faults   { return d.sim.NetBirdFaults }

// watcher keeps everything that runs have said.
type watcher struct {
	*desk
	said bytes.Buffer
	runs int
}

// watch lets runs put their temporary files where the watcher looks.
func (d *desk) watch() *watcher {
	tmp := filepath.Join(d.dir, "tmp")
	if err := os.Mkdir(tmp, 0o700); err != nil {
		d.t.Fatal(err)
	}
	d.t.Setenv("TMPDIR", tmp)
	return &watcher{desk: d}
}

func (w *watcher) anyRun(args ...string) int {
	w.t.Helper()
	w.runs++
	trace := filepath.Join(w.dir, "trace"+strings.Repeat("'", w.runs))
	o := w.authbird(append(args, "--trace", trace)...)
	w.said.WriteString(o.out + o.human)
	return o.exit
}

func (w *watcher) run(exit int, args ...string) {
	w.t.Helper()
	if got := w.anyRun(args...); got != exit {
		w.t.Fatalf("%v: exit %d, want %d\n%s", args, got, exit, w.said.String())
	}
}

// secrets are all values of this desk that nobody may see.
func (d *desk) secrets() map[string]string {
	all := map[string]string{
		"Authentik's token": d.sim.AuthentikToken, "NetBird's token": d.sim.NetBirdToken, "the passphrase": passphrase, "the key": d.key,
	}
	for i, secret := range d.clientSecrets() {
		all["client secret "+string(rune('1'+i))] = secret
	}
	return all
}

// nothingFound looks for every secret in everything that was written.
func (w *watcher) nothingFound() {
	w.t.Helper()
	files := 0
	err := filepath.WalkDir(w.dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() || entry.Name() == "passphrase" || path == filepath.Join(w.dir, "key") {
			return err
		}
		files++
		content, err := os.ReadFile(path)
		w.look(path, content)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	if files == 0 || w.said.Len() == 0 {
		w.t.Fatalf("there was nothing to look into: %d files, %d bytes", files, w.said.Len())
	}
	w.look("what was said", w.said.Bytes())
}

func (w *watcher) look(where string, content []byte) {
	w.t.Helper()
	for name, secret := range w.secrets() {
		if len(secret) < 8 {
			w.t.Fatalf("%s is %q: too short to be looked for", name, secret)
		}
		if bytes.Contains(content, []byte(secret)) {
			w.t.Errorf("%s is in %s", name, where)
		}
	}
}

// clientSecrets are those that the simulated Authentik holds.
func (d *desk) clientSecrets() []string {
	d.t.Helper()
	req, err := http.NewRequestWithContext(d.t.Context(), http.MethodGet, d.sim.AuthentikURL+"/api/v3/providers/oauth2/", nil)
	if err != nil {
		d.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+d.sim.AuthentikToken)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		d.t.Fatal(err)
	}
	defer resp.Body.Close()
	var list struct {
		Results []struct {
			Secret string `json:"client_secret"`
		} `json:"results"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&list); err != nil {
		d.t.Fatal(err)
	}
	var all []string
	for _, p := range list.Results {
		all = append(all, p.Secret)
	}
	return all
}
