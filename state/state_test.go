package state

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func open(t testing.TB) *Dir {
	t.Helper()
	d, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	d.Now = func() time.Time { return noon }
	return d
}

func mustLock(t testing.TB, d *Dir, name string) *Setup {
	t.Helper()
	s, err := d.Lock(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func entry(flow, step string, phase Phase) Entry {
	return Entry{Time: noon, Run: "r1", Flow: flow, Step: step, Phase: phase}
}

func TestWhatIsWrittenIsReadBack(t *testing.T) {
	d := open(t)
	s := mustLock(t, d, "netbird.example.com")
	a := Answers{Mode: Connector, AuthentikURL: "https://auth.example.com", AllowGroups: []string{"admins"}, KeepAdminTokens: true}
	e := entry("connector", "provider", Done)
	e.Receipt = Receipt{ObjectID: "7", Made: true, Before: map[string]string{"flow": ""}, Values: map[string]string{"client_id": "abc"}, Digest: s.Digest("hush")}
	c := Credential{Name: "client-secret", Made: noon, Due: noon.AddDate(0, 3, 0), Backend: "file", Kept: true}
	must(t, s.SaveAnswers(a))
	must(t, s.Append(e))
	must(t, s.SaveCredential(Credential{Name: "netbird-token"}))
	must(t, s.SaveCredential(Credential{Name: "client-secret"}))
	must(t, s.SaveCredential(c))
	must(t, s.RemoveCredential("netbird-token"))
	must(t, s.RemoveCredential("never-there"))

	got, err := d.Load("netbird.example.com")
	must(t, err)
	for _, x := range []*Setup{s, got} {
		want := &Setup{Name: "netbird.example.com", Folder: filepath.Join(d.Path(), "setups", "netbird.example.com"),
			Answers: a, Entries: []Entry{e}, Credentials: []Credential{c}}
		if diff := cmp.Diff(want, x, cmpopts.IgnoreUnexported(Setup{})); diff != "" {
			t.Error(diff)
		}
	}
	if got.Digest("hush") != e.Receipt.Digest {
		t.Error("the digest changed with the run")
	}
	if got.Append(e) == nil || got.SaveAnswers(a) == nil || got.SaveCredential(c) == nil || got.Doing("x") == nil {
		t.Error("a setup opened for reading let itself be written")
	}
}

func TestModes(t *testing.T) {
	d := open(t)
	d.path = filepath.Join(d.path, "a", "b")
	s := mustLock(t, d, "x")
	must(t, s.SaveAnswers(Answers{Slug: "netbird"}))
	must(t, s.Append(entry("connector", "provider", Began)))
	must(t, s.SaveCredential(Credential{Name: "client-secret"}))
	seen := 0
	must(t, filepath.WalkDir(d.path, func(path string, e fs.DirEntry, err error) error {
		must(t, err)
		info, err := e.Info()
		must(t, err)
		want := fs.FileMode(0o600)
		if e.IsDir() {
			want = 0o700
		}
		seen++
		if info.Mode().Perm() != want {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		return nil
	}))
	if seen != 9 { // 4 folders, 3 files, lock, holder
		t.Errorf("walked over %d files", seen)
	}
}

func TestLookingLeavesNoTrace(t *testing.T) {
	d := open(t)
	if list, err := d.List(); err != nil || len(list) != 0 {
		t.Errorf("List = %v, %v", list, err)
	}
	if _, err := d.Load("x"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Load = %v", err)
	}
	if b := d.Busy("x"); b != nil {
		t.Error(b)
	}
	if _, err := d.Archive("x", noon); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Archive = %v", err)
	}
	must(t, os.RemoveAll(filepath.Join(d.path, locksDir)))
	s := mustLock(t, d, "x")
	must(t, s.Close())
	if list, err := d.List(); err != nil || len(list) != 0 {
		t.Errorf("a run that wrote nothing left %v, %v", list, err)
	}
	d.path = filepath.Join(d.path, "none")
	if list, err := d.List(); err != nil || len(list) != 0 {
		t.Errorf("List = %v, %v", list, err)
	}
	if _, err := os.Stat(d.path); !errors.Is(err, fs.ErrNotExist) {
		t.Error("List made the folder")
	}
}

func TestADamagedSetupDoesNotHideTheOthers(t *testing.T) {
	d := open(t)
	for _, name := range []string{"b.example", "a.example", "Lab: 1"} {
		s := mustLock(t, d, name)
		must(t, s.SaveAnswers(Answers{Name: name}))
		must(t, s.Close())
	}
	must(t, os.WriteFile(filepath.Join(d.path, "setups/a.example/setup.json"), []byte(`{"version":`), 0o600))
	must(t, os.CopyFS(filepath.Join(d.path, "setups/copy"), os.DirFS(filepath.Join(d.path, "setups/b.example"))))
	must(t, os.Mkdir(filepath.Join(d.path, "setups/empty"), 0o700))
	list, err := d.List()
	must(t, err)
	var got []string
	for _, s := range list {
		got = append(got, s.Name+"|"+strings.ReplaceAll(s.Damage, d.path, ""))
	}
	want := []string{"Lab: 1|", "a.example|/setups/a.example/setup.json is damaged", "b.example|",
		"copy|the folder /setups/copy is not named after the setup in it; move it away"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestANewerFileIsNotTouched(t *testing.T) {
	for name, c := range map[string]struct{ file, text string }{
		"answers of another shape":     {answersFile, `{"version":2,"name":"x","salt":"ab","answers":["of another shape"]}`},
		"answers":                      {answersFile, `{"version":2,"name":"x","salt":"ab","answers":{}}`},
		"credentials of another shape": {credentialsFile, `{"version":2,"credentials":{}}`},
		"credentials":                  {credentialsFile, `{"version":2,"credentials":[]}`},
		"journal of another shape":     {journalFile, `{"v":1,"phase":"note"}` + "\n" + `{"v":2,"phase":["odd"]}` + "\n" + `{"v":2,"to`},
		"journal":                      {journalFile, `{"v":2,"phase":"note"}` + "\n"},
	} {
		t.Run(name, func(t *testing.T) {
			file, text := c.file, c.text
			d := open(t)
			s := mustLock(t, d, "x")
			must(t, s.Append(entry("connector", "provider", Done)))
			must(t, s.SaveCredential(Credential{Name: "client-secret"}))
			must(t, s.Close())
			path := filepath.Join(s.Folder, file)
			must(t, os.WriteFile(path, []byte(text), 0o600))
			before := tree(t, s.Folder)

			_, err := d.Lock("x")
			var newer *NewerError
			if !errors.As(err, &newer) || newer.Version != 2 || newer.File != path {
				t.Fatalf("Lock = %v", err)
			}
			want := path + " was written by a newer authbird (state version 2; this one knows 1); nothing was touched"
			if newer.Error() != want {
				t.Errorf("error = %q", newer)
			}
			got, err := d.Load("x")
			must(t, err)
			if got.Damage != want {
				t.Errorf("Damage = %q", got.Damage)
			}
			if diff := cmp.Diff(before, tree(t, s.Folder)); diff != "" {
				t.Error("touched:", diff)
			}
			if d.Busy("x") != nil {
				t.Error("the refused lock was kept")
			}
		})
	}
}

// tree is every file below a folder with its text.
func tree(t testing.TB, folder string) map[string]string {
	t.Helper()
	files := map[string]string{}
	must(t, filepath.WalkDir(folder, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		files[strings.TrimPrefix(path, folder+"/")] = string(data)
		return err
	}))
	return files
}

func TestDamagedFilesAreSetAside(t *testing.T) {
	for _, file := range []string{answersFile, credentialsFile} {
		t.Run(file, func(t *testing.T) {
			d := open(t)
			s := mustLock(t, d, "x")
			must(t, s.SaveAnswers(Answers{Slug: "netbird"}))
			must(t, s.SaveCredential(Credential{Name: "client-secret"}))
			must(t, s.Close())
			path := filepath.Join(s.Folder, file)
			must(t, os.WriteFile(path, []byte("{]"), 0o600))

			s = mustLock(t, d, "x")
			aside := path + ".damaged-20261124t120000z"
			if diff := cmp.Diff([]string{path + " is damaged; it was set aside as " + aside}, s.SetAside); diff != "" {
				t.Error(diff)
			}
			if data, err := os.ReadFile(aside); err != nil || string(data) != "{]" {
				t.Errorf("set aside: %q, %v", data, err)
			}
			must(t, s.SaveAnswers(Answers{Slug: "again"}))
			must(t, s.Close())
			got, err := d.Load("x")
			must(t, err)
			if got.Damage != "" || got.Answers.Slug != "again" {
				t.Errorf("after: %+v", got)
			}
		})
	}
}

func TestArchive(t *testing.T) {
	d := open(t)
	for i, want := range []string{"x-20261124t120000z", "x-20261124t120000z-2"} {
		s := mustLock(t, d, "x")
		must(t, s.Append(entry("connector", "provider", Done)))
		if i == 0 { // with the lock given back, and with it held
			must(t, s.Close())
		}
		to, err := d.Archive("x", noon)
		must(t, err)
		if to != filepath.Join(d.path, "archive", want) {
			t.Errorf("moved to %s", to)
		}
		if files := tree(t, to); files[journalFile] == "" || files[answersFile] == "" {
			t.Errorf("archived %v", files)
		}
		if err := s.Append(entry("connector", "provider", Done)); err == nil {
			t.Error("an archived setup was written")
		}
		if list, err := d.List(); err != nil || len(list) != 0 {
			t.Errorf("List = %v, %v", list, err)
		}
	}
}

func TestDefaultPath(t *testing.T) {
	env := func(kv ...string) func(string) string {
		return func(name string) string {
			for i := 0; i < len(kv); i += 2 {
				if kv[i] == name {
					return kv[i+1]
				}
			}
			return ""
		}
	}
	if got := DefaultPath(env("XDG_STATE_HOME", "/s", "HOME", "/h")); got != "/s/authbird" {
		t.Error(got)
	}
	if got := DefaultPath(env("XDG_STATE_HOME", "relative", "HOME", "/h")); !strings.HasSuffix(got, "/authbird") || strings.Contains(got, "relative") {
		t.Error(got)
	}
}

func TestOpenRefuses(t *testing.T) {
	file := filepath.Join(t.TempDir(), "f")
	must(t, os.WriteFile(file, nil, 0o600))
	for _, path := range []string{"", file, file + "/below"} {
		if _, err := Open(path); err == nil {
			t.Errorf("Open(%q) took it", path)
		}
	}
}

func TestDigest(t *testing.T) {
	got := Digest("secret", []byte("salt"))
	if len(got) != 16 || got == Digest("secret", []byte("pepper")) || got == Digest("Secret", []byte("salt")) || got != Digest("secret", []byte("salt")) {
		t.Error(got)
	}
}

// fill makes n setups with a journal of a whole setup and a rotation each.
func fill(t testing.TB, d *Dir, n int) {
	t.Helper()
	text := &strings.Builder{}
	for i := range 10 {
		fmt.Fprintf(text, `{"v":1,"time":"2026-11-24T12:00:00.123456789Z","run":"8a7b6c5d","flow":"connector","step":"authentik-provider-%d","phase":"began"}`+"\n", i)
		fmt.Fprintf(text, `{"v":1,"time":"2026-11-24T12:00:00.123456789Z","run":"8a7b6c5d","flow":"connector","step":"authentik-provider-%d","phase":"done","receipt":{"object_id":"7f9c2a60-6f0a-4d5e-9d0e-0c4f5f9a4c11","made":true,"values":{"client_id":"Zx81kd92","issuer":"https://auth.example.com/application/o/netbird/"}}}`+"\n", i)
	}
	for i := range n {
		name := fmt.Sprintf("vpn%03d.example.com", i)
		folder := d.setupDir(name)
		must(t, os.MkdirAll(folder, 0o700))
		files := map[string]string{
			answersFile:     `{"version":1,"name":"` + name + `","salt":"00112233445566778899aabbccddeeff","answers":{"mode":"connector","authentik_url":"https://auth.example.com","netbird_url":"https://` + name + `","slug":"netbird"}}`,
			credentialsFile: `{"version":1,"credentials":[{"name":"client-secret","made":"2026-11-24T12:00:00Z","digest":"0011223344556677","kept":true}]}`,
			journalFile:     text.String(),
		}
		for file, data := range files {
			must(t, os.WriteFile(filepath.Join(folder, file), []byte(data), 0o600))
		}
	}
}

func TestListDoesLittleWork(t *testing.T) {
	d := open(t)
	fill(t, d, 500)
	var reads, bytes atomic.Int64
	d.readFile = func(path string, _ []byte) ([]byte, error) {
		data, err := os.ReadFile(path)
		reads.Add(1)
		bytes.Add(int64(len(data)))
		return data, err
	}
	list, err := d.List()
	must(t, err)
	if len(list) != 500 || len(list[7].Entries) != 20 || list[7].Damage != "" {
		t.Fatalf("listed %d: %+v", len(list), list[7])
	}
	if reads.Load() != 1500 {
		t.Errorf("%d reads for 500 setups", reads.Load())
	}
	allocs := testing.AllocsPerRun(1, func() { d.List() })
	if allocs > 500*400 {
		t.Errorf("%.0f allocations for 500 setups", allocs)
	}
}

func BenchmarkList500(b *testing.B) {
	d := open(b)
	fill(b, d, 500)
	b.ReportAllocs()
	for b.Loop() {
		if list, err := d.List(); err != nil || len(list) != 500 {
			b.Fatal(err)
		}
	}
}
