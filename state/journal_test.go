package state

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// someEntry draws an entry as hostile as a server's words may make it.
func someEntry(t *rapid.T) Entry {
	text := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"", "{}", "\n", "}\n{", "\x00", `"`, "\u2028"}))
	e := Entry{
		Time: noon, Run: text.Draw(t, "run"), Flow: text.Draw(t, "flow"), Step: text.Draw(t, "step"),
		Phase: rapid.SampledFrom([]Phase{Began, Done, Failed, Undone, Note}).Draw(t, "phase"),
		Note:  text.Draw(t, "note"), Error: text.Draw(t, "error"),
	}
	if rapid.Bool().Draw(t, "receipt") {
		e.Receipt = Receipt{ObjectID: text.Draw(t, "id"), Made: true, Values: map[string]string{text.Draw(t, "key"): text.Draw(t, "value")}}
	}
	return e
}

// Wherever a crash cuts the journal, all entries before the cut are read, none is
// invented, nothing is called damaged, and the next append follows on them.
func TestAJournalCutAnywhere(t *testing.T) {
	d := open(t)
	s := mustLock(t, d, "x")
	must(t, s.SaveAnswers(Answers{}))
	must(t, s.Close())
	path := filepath.Join(s.Folder, journalFile)
	rapid.Check(t, func(rt *rapid.T) {
		entries := rapid.SliceOfN(rapid.Custom(someEntry), 1, 4).Draw(rt, "entries")
		os.Remove(path)
		w := mustLock(t, d, "x")
		for _, e := range entries {
			must(t, w.Append(e))
		}
		must(t, w.Close())
		data, err := os.ReadFile(path)
		must(t, err)
		for cut := range len(data) + 1 {
			j := parseJournal(data[:cut])
			// An entry is whole with its last brace; its newline may be missing.
			whole := bytes.Count(data[:cut], []byte{'\n'})
			if cut < len(data) && data[cut] == '\n' {
				whole++
			}
			if diff := cmp.Diff(append([]Entry{}, entries[:whole]...), j.entries); diff != "" || j.bad != 0 || j.newer != 0 {
				rt.Fatalf("cut at %d of %d: damage %d, newer %d, %s", cut, len(data), j.bad, j.newer, diff)
			}
			// What the next append leaves is what a run that was not cut leaves.
			end := data[:j.size]
			if j.open {
				end = append(bytes.Clone(end), '\n')
			}
			if !bytes.Equal(end, linesOf(data, whole)) {
				rt.Fatalf("cut at %d: the next append would follow on %q", cut, end)
			}
		}
		cut := rapid.IntRange(0, len(data)).Draw(rt, "cut")
		must(t, os.WriteFile(path, data[:cut], 0o600))
		w = mustLock(t, d, "x")
		before := append([]Entry{}, w.Entries...)
		next := entry("connector", "after", Done)
		must(t, w.Append(next))
		must(t, w.Append(next))
		must(t, w.Close())
		got, err := d.Load("x")
		must(t, err)
		if diff := cmp.Diff(append(before, next, next), got.Entries); diff != "" || got.Damage != "" {
			rt.Fatalf("after an append at cut %d: %q %s", cut, got.Damage, diff)
		}
	})
}

func linesOf(data []byte, n int) []byte {
	return bytes.Join(bytes.SplitAfterN(data, []byte{'\n'}, n+1)[:n], nil)
}

func TestJournalsAsTheyAreFound(t *testing.T) {
	const a, b = `{"v":1,"phase":"began"}`, `{"v":1,"phase":"done"}`
	for name, c := range map[string]struct {
		text    string
		entries int
		bad     int
		newer   int
	}{
		"empty":                                {"", 0, 0, 0},
		"whole":                                {a + "\n" + b + "\n", 2, 0, 0},
		"no newline at the end":                {a + "\n" + b, 2, 0, 0},
		"torn at the end":                      {a + "\n" + b[:9], 1, 0, 0},
		"zeros after a power cut":              {a + "\n\x00\x00\x00\x00", 1, 0, 0},
		"zeros in the last line":               {a + "\n\x00\x00ne\"}\n", 1, 0, 0},
		"an editor's blank lines and CR":       {a + "\r\n\r\n" + b + "\r\n", 2, 0, 0},
		"garbage in the middle":                {a + "\ngarbage\n" + b + "\n", 2, 2, 0},
		"garbage in the first line":            {"gar\nbage\n" + b + "\n", 1, 1, 0},
		"garbage at the end, with its newline": {a + "\ngarbage\n", 1, 2, 0},
		"a line without a version":             {a + "\n{}\n", 1, 2, 0},
		"two entries on a line":                {a + "," + b + "\n", 0, 1, 0},
		"a newer line":                         {a + "\n" + `{"v":3,"phase":7}` + "\n" + b, 2, 0, 3},
	} {
		t.Run(name, func(t *testing.T) {
			j := parseJournal([]byte(c.text))
			if len(j.entries) != c.entries || j.bad != c.bad || j.newer != c.newer {
				t.Errorf("%d entries, bad line %d, newer %d", len(j.entries), j.bad, j.newer)
			}
		})
	}
}

// The torn end may be longer than what is written next.
func TestATornEndIsCut(t *testing.T) {
	d := open(t)
	s := mustLock(t, d, "x")
	must(t, s.Append(entry("connector", "one", Done)))
	must(t, s.Close())
	path := filepath.Join(s.Folder, journalFile)
	whole, err := os.ReadFile(path)
	must(t, err)
	must(t, os.WriteFile(path, append(whole, `{"v":1,"note":"`+strings.Repeat("torn", 1000)...), 0o600))
	s = mustLock(t, d, "x")
	must(t, s.Append(entry("connector", "two", Done)))
	now, err := os.ReadFile(path)
	must(t, err)
	if bytes.Contains(now, []byte("torn")) || bytes.Count(now, []byte{'\n'}) != 2 || !bytes.HasPrefix(now, whole) {
		t.Errorf("the journal is %.300q", now)
	}
}

func TestADamagedJournalIsToldAndSetAside(t *testing.T) {
	d := open(t)
	s := mustLock(t, d, "x")
	for _, step := range []string{"one", "two", "three"} {
		must(t, s.Append(entry("connector", step, Done)))
	}
	must(t, s.Close())
	path := filepath.Join(s.Folder, journalFile)
	data, err := os.ReadFile(path)
	must(t, err)
	data = bytes.Replace(data, []byte(`"step":"two"`), []byte(`"step":"t`), 1)
	must(t, os.WriteFile(path, data, 0o600))

	got, err := d.Load("x")
	must(t, err)
	if got.Damage != path+" is damaged at line 2" || len(got.Entries) != 2 {
		t.Errorf("Load: %q, %d entries", got.Damage, len(got.Entries))
	}
	if now, err := os.ReadFile(path); err != nil || !bytes.Equal(now, data) {
		t.Errorf("a reader touched the journal: %v", err)
	}

	s = mustLock(t, d, "x")
	aside := path + ".damaged-20261124t120000z"
	want := path + " is damaged at line 2; it was set aside as " + aside + ", and its readable lines were kept"
	if diff := cmp.Diff([]string{want}, s.SetAside); diff != "" {
		t.Error(diff)
	}
	if now, err := os.ReadFile(aside); err != nil || !bytes.Equal(now, data) {
		t.Errorf("set aside %q, %v", now, err)
	}
	must(t, s.Append(entry("connector", "four", Done)))
	must(t, s.Close())
	got, err = d.Load("x")
	must(t, err)
	var steps []string
	for _, e := range got.Entries {
		steps = append(steps, e.Step+string(e.Phase))
	}
	if diff := cmp.Diff("onedone threedone note fourdone", strings.Join(steps, " ")); diff != "" || got.Damage != "" {
		t.Errorf("%q %s", got.Damage, diff)
	}
	s = mustLock(t, d, "x")
	if len(s.SetAside) != 0 {
		t.Errorf("set aside again: %v", s.SetAside)
	}
}
