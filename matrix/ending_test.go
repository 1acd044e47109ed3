//go:build linux && amd64

package matrix

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"authbird/keystore"
	"authbird/state"
)

// ending is what must be the same whatever happened on the way.
type ending struct {
	Servers servers
	Steps   map[string]standing // by step id
	Secrets map[string]string   // by name: what became of them
	Files   []string            // in the state folder
	Host    map[string]string   // NetBird's own files, by name

	calls  []call
	writes []write
}

// standing is what the journal says of a step in the end.
type standing struct {
	Phase  state.Phase
	Made   bool
	Object bool // it has an id
	Before map[string]string
	Values []string // their names
	Digest bool
}

// undisturbed are the endings by flow, each made once. Flows are tested one
// after the other, so nobody else writes it meanwhile.
var undisturbed = map[string]ending{}

// ending is how the flow ends when nothing goes wrong, and all that it does on
// the way.
func (f flow) ending(t *testing.T) ending {
	t.Helper()
	if e, ok := undisturbed[f.name]; ok {
		return e
	}
	w := f.begin(t)
	first := w.run(f.verb...)
	calls := slices.Clone(w.calls)
	if first.exit != 0 {
		if !w.obey(first) {
			t.Fatalf("exit %d, undisturbed\n%s", first.exit, first.out.String())
		}
		w.undisturbed(f.again(w)...)
	}
	if f.undo { // the requests are the setup's, the ending is as if it had never begun
		w.undisturbed(remove...)
	}
	e := w.ending(f)
	e.calls = calls
	e.writes = f.localWrites(t)
	if t.Failed() {
		t.Fatal("the undisturbed run did not end well")
	}
	undisturbed[f.name] = e
	return e
}

// ending looks at everything that a run leaves, checks what must be true of
// each ending, and returns the rest for comparison.
func (w *world) ending(f flow) ending {
	w.t.Helper()
	e := ending{Servers: w.snapshot().changedOnce(), Steps: map[string]standing{}, Secrets: map[string]string{}, Files: files(w.t, w.state), Host: w.hostFiles()}
	// A run that was killed leaves its name beside the lock. The next to lock
	// takes it away, and until then nobody reads it.
	e.Files = slices.DeleteFunc(e.Files, func(name string) bool { return name == "locks/"+setupName+".json" })
	w.leaks(w.everything(w.state), "the state folder")
	dir, err := state.Open(w.state)
	must(w.t, err)
	setup, err := dir.Load(setupName)
	if f.gone {
		if f.undo { // how much the archive and the locks have depends on how far the setup had come
			e.Files = slices.DeleteFunc(e.Files, func(name string) bool { return !strings.HasPrefix(name, "keys/") })
		}
		if !errors.Is(err, fs.ErrNotExist) {
			w.t.Errorf("the setup is still there (%v)", err)
		}
		e.Servers = e.Servers.eventless()
		e.Host = nil
		w.asBefore()
		for _, name := range []string{keystore.ClientSecret, keystore.AppPassword} {
			if _, ok := w.secret(name); ok {
				w.t.Errorf("the %s is still in the keystore", name)
			}
		}
		return e
	}
	must(w.t, err)
	if f.keeps { // a token whose answer was lost is deleted, and both are told
		e.Servers = e.Servers.eventless()
	}
	if setup.Damage != "" {
		w.t.Errorf("the state is damaged: %s", setup.Damage)
	}
	if flow, step, _, why, open := setup.Interrupted(); open {
		w.t.Errorf("the journal calls the setup interrupted: %s %s %s", flow, step, why)
	}
	for _, entry := range setup.Entries {
		if entry.Step != "" {
			r, phase := setup.Last(entry.Step)
			e.Steps[entry.Step] = w.standing(r, phase)
		}
	}
	w.secrets(f, setup, e.Secrets)
	return e
}

func (w *world) standing(r state.Receipt, phase state.Phase) standing {
	s := standing{Phase: phase, Made: r.Made, Object: r.ObjectID != "", Digest: r.Digest != "", Before: map[string]string{}}
	for name, value := range r.Before {
		s.Before[name] = w.here(value)
	}
	for name := range r.Values {
		if name != "backup" { // nothing rests on it
			s.Values = append(s.Values, name)
		}
	}
	slices.Sort(s.Values)
	return s
}

// secrets compares the keystore's secrets with what the servers and NetBird's
// files hold, and says of each what became of it.
func (w *world) secrets(f flow, setup *state.Setup, out map[string]string) {
	w.t.Helper()
	client, appPassword := w.keep(setup, keystore.ClientSecret, out), w.keep(setup, keystore.AppPassword, out)
	provider := w.provider()
	step := "client-secret"
	if setup.Answers.Mode == state.Standalone {
		step = "client-id"
	}
	known, _ := setup.Last(step)
	if id := known.Values["client_id"]; id == "" || id != provider["client_id"] {
		w.t.Errorf("the journal's client id is %q, the provider's %q", id, provider["client_id"])
	}
	if f.keeps {
		w.adminTokens(setup, out)
	}
	if setup.Answers.Mode == state.Connector {
		if client == "" || client != provider["client_secret"] {
			w.t.Error("the keystore's client secret is not the provider's")
		}
		connected, _ := setup.Last("connector")
		c, ok := w.netbird.Connector(connected.ObjectID)
		if !ok || c.ClientSecret != client || c.ClientID != provider["client_id"] {
			w.t.Errorf("NetBird's connector (there: %v) has another client id or secret than the provider", ok)
		}
		return
	}
	token, _ := setup.Last("app-password")
	var key struct {
		Key string `json:"key"`
	}
	must(w.t, w.authentik.Request(http.MethodGet, "/api/v3/core/tokens/"+url.PathEscape(token.ObjectID)+"/view_key/", nil, &key))
	if appPassword == "" || key.Key != appPassword {
		w.t.Error("the keystore's app password is not Authentik's")
	}
	for _, name := range []string{"setup.env", "management.json"} {
		data, err := os.ReadFile(filepath.Join(w.host, name))
		if err == nil && !bytes.Contains(data, []byte(appPassword)) {
			w.t.Errorf("%s has another app password than the keystore", name)
		}
	}
}

// adminTokens checks that what the keystore has opens both servers.
func (w *world) adminTokens(setup *state.Setup, out map[string]string) {
	w.t.Helper()
	for name, at := range map[string]string{
		keystore.AuthentikToken: w.urls["authentik"] + "/api/v3/core/users/me/", keystore.NetBirdToken: w.urls["netbird"] + "/api/users/current",
	} {
		if status, body := w.ask(at, w.keep(setup, name, out)); status != http.StatusOK {
			w.t.Errorf("the keystore's %s is refused: %d %s", name, status, body)
		}
	}
}

// ask reads a page with a token.
func (w *world) ask(at, token string) (status int, body []byte) {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, at, nil)
	must(w.t, err)
	r.Header.Set("Authorization", "Bearer "+token)
	answer, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(r)
	must(w.t, err)
	defer answer.Body.Close()
	body, err = io.ReadAll(answer.Body)
	must(w.t, err)
	return answer.StatusCode, body
}

// keep reads a secret and checks what is noted of it.
func (w *world) keep(setup *state.Setup, name string, out map[string]string) string {
	w.t.Helper()
	value, ok := w.secret(name)
	i := slices.IndexFunc(setup.Credentials, func(c state.Credential) bool { return c.Name == name })
	switch {
	case !ok && i < 0:
		out[name] = "none"
	case !ok || i < 0:
		w.t.Errorf("the %s is in the keystore: %v, and noted: %v", name, ok, i >= 0)
	case setup.Credentials[i].Digest != setup.Digest(value):
		w.t.Errorf("the digest that is noted of the %s is another one's", name)
	default:
		out[name] = fmt.Sprintf("%d characters, kept %v, used by %s, proven %v", len(value),
			setup.Credentials[i].Kept, setup.Credentials[i].UsedBy, !setup.Credentials[i].Proven.IsZero())
	}
	return value
}

// secret reads a secret, which may be absent and nothing else.
func (w *world) secret(name string) (string, bool) {
	w.t.Helper()
	value, err := w.stored(name)
	if err != nil && !errors.Is(err, keystore.ErrAbsent) {
		w.t.Errorf("the %s can't be read: %v", name, err)
	}
	return value, err == nil
}

// stored reads a secret from the keystore.
func (w *world) stored(name string) (string, error) {
	w.t.Helper()
	store, err := keystore.Open(w.t.Context(), keystore.Options{Kind: keystore.File, Dir: w.state, Identity: w.identity})
	must(w.t, err)
	return store.Get(w.t.Context(), setupName, name)
}

// provider is the one provider of the wanted name.
func (w *world) provider() map[string]any {
	w.t.Helper()
	all := w.list("/api/v3/providers/oauth2/?name=NetBird")
	all = slices.DeleteFunc(all, func(p map[string]any) bool { return p["name"] != "NetBird" })
	if len(all) != 1 {
		w.t.Fatalf("%d providers, want one", len(all))
	}
	return all[0]
}

// leaks looks for a secret where none may be.
func (w *world) leaks(text, where string) {
	w.t.Helper()
	known := map[string]string{"Authentik token": adminToken, "NetBird token": ownerToken, "secret of others' connector": theirSecret, "secret in management.json": "old hush"}
	for _, p := range w.list("/api/v3/providers/oauth2/?name=NetBird") {
		known["client secret"], _ = p["client_secret"].(string)
	}
	for _, name := range []string{keystore.ClientSecret, keystore.AppPassword, keystore.AuthentikToken, keystore.NetBirdToken} {
		for _, suffix := range []string{"", keystore.New, keystore.Old} {
			if value, err := w.stored(name + suffix); err == nil {
				known[name+suffix] = value
			}
		}
	}
	for name, value := range known {
		if value != "" && strings.Contains(text, value) {
			w.t.Errorf("the %s stands in %s", name, where)
		}
	}
}

// everything is what stands in all files below a folder.
func (w *world) everything(dir string) string {
	w.t.Helper()
	var all strings.Builder
	for _, text := range contents(w.t, dir) {
		all.WriteString(text)
	}
	return all.String()
}

// contents are the files below a folder.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	must(t, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		out[strings.TrimPrefix(path, dir+"/")] = string(data)
		return err
	}))
	return out
}

// hostFiles are NetBird's files, with what differs between two setups left out.
func (w *world) hostFiles() map[string]string {
	w.t.Helper()
	secret, _ := w.secret(keystore.AppPassword)
	var id string
	for _, p := range w.list("/api/v3/providers/oauth2/?name=NetBird") {
		id, _ = p["client_id"].(string)
	}
	out := map[string]string{}
	for name, text := range contents(w.t, w.host) {
		for _, p := range [][2]string{{secret, "APP-PASSWORD"}, {id, "CLIENT-ID"}} {
			if p[0] != "" {
				text = strings.ReplaceAll(text, p[0], p[1])
			}
		}
		for name = timeless(name); out[name] != ""; {
			name += ", another"
		}
		out[name] = w.here(text)
	}
	return out
}

// asBefore checks that, taken back, everything is as before authbird came.
func (w *world) asBefore() {
	w.t.Helper()
	if diff := cmp.Diff(w.start.eventless(), w.snapshot().eventless()); diff != "" {
		w.t.Errorf("taken back, the servers are not as they were (-before +now):\n%s", diff)
	}
	w.hostAsBefore()
}

// changedOnce counts a change that was sent again once: of a connector's secret
// nothing shows whether it arrived.
func (s servers) changedOnce() servers {
	netbird := maps.Clone(s.NetBird.(map[string]any))
	var events []any
	for _, e := range netbird["Events"].([]any) {
		if e != "identityprovider.update" || !slices.Contains(events, e) {
			events = append(events, e)
		}
	}
	netbird["Events"] = events
	s.NetBird = netbird
	return s
}

// eventless leaves out NetBird's log of what happened, which no taking back
// shortens.
func (s servers) eventless() servers {
	netbird := maps.Clone(s.NetBird.(map[string]any))
	delete(netbird, "Events")
	s.NetBird = netbird
	return s
}

// hostAsBefore checks that no file of NetBird's was left behind or lost. What
// authbird may leave are the backups of what it changed.
func (w *world) hostAsBefore() {
	w.t.Helper()
	now := contents(w.t, w.host)
	for name := range now {
		if strings.HasSuffix(name, ".bak") {
			delete(now, name)
		}
	}
	if diff := cmp.Diff(w.hostStart, now); diff != "" {
		w.t.Errorf("taken back, NetBird's files are not as they were:\n%s", diff)
	}
}

var moments = regexp.MustCompile(`[0-9]{8}[tT][0-9]{6}[zZ](-[0-9]+)?`)

// renamed is what a renewed thing is called, another name each time.
var renamed = regexp.MustCompile(`authbird-lab-[0-9a-f]{12}|authbird [0-9a-f]{8}|NetBird \d{4}-\d\d-\d\d \d\d:\d\d:\d\d`)

// timeless is a file's name without the moment in it.
func timeless(name string) string { return moments.ReplaceAllString(name, "TIME") }

// placeless is a snapshot without the addresses of this world.
func (w *world) placeless(snapshot any) any {
	w.t.Helper()
	text, err := json.Marshal(snapshot)
	must(w.t, err)
	var out any
	must(w.t, json.Unmarshal(renamed.ReplaceAll([]byte(w.here(string(text))), []byte("RENEWED")), &out))
	return out
}
