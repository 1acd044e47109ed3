package disk

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestWriteFile(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	if err := MakeDir(dir); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "f")
	outside := filepath.Join(t.TempDir(), "outside")
	if err := os.WriteFile(outside, []byte("theirs"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, path); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"one", "two", ""} {
		if err := WriteFile(path, []byte(text)); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != text {
			t.Errorf("read %q, %v", got, err)
		}
	}
	info, err := os.Lstat(path)
	if err != nil || info.Mode() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if got, err := os.ReadFile(outside); err != nil || string(got) != "theirs" {
		t.Errorf("the link was followed: %q, %v", got, err)
	}
	// A file that was open to others is not any more.
	if err := os.Chmod(path, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := WriteFile(path, nil); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if err := Remove(path); err != nil {
		t.Error(err)
	}
	if err := Remove(path); err != nil {
		t.Error(err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 0 {
		t.Errorf("left %v, %v", entries, err)
	}
}

func TestSweepTakesWhatAKilledWriteLeft(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"f", ".f", ".f123", ".f12a", ".fx123", ".g123", "f123"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	Sweep(filepath.Join(dir, "f"))
	Sweep(filepath.Join(dir, "none", "f"))
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var left []string
	for _, e := range entries {
		left = append(left, e.Name())
	}
	if got, want := strings.Join(left, " "), ".f .f12a .fx123 .g123 f f123"; got != want {
		t.Errorf("left %s, want %s", got, want)
	}
}

func TestAFailedWriteLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	// A folder stands where the file should be: the last act, the rename, fails.
	if err := MakeDir(filepath.Join(dir, "f", "full")); err != nil {
		t.Fatal(err)
	}
	if err := WriteFile(filepath.Join(dir, "f"), []byte("x")); err == nil {
		t.Error("wrote over a folder")
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("left %v, %v", entries, err)
	}
	if err := WriteFile(filepath.Join(dir, "none", "f"), nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("WriteFile = %v", err)
	}
}

func TestMakeDir(t *testing.T) {
	dir := t.TempDir()
	deep := filepath.Join(dir, "a", "b")
	for range 2 {
		if err := MakeDir(deep); err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range []string{deep, filepath.Dir(deep)} {
		if info, err := os.Stat(p); err != nil || info.Mode() != os.ModeDir|0o700 {
			t.Errorf("%v, %v", info.Mode(), err)
		}
	}
	file := filepath.Join(dir, "f")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{file, filepath.Join(file, "x")} {
		if err := MakeDir(p); err == nil {
			t.Errorf("MakeDir(%s) took a file for a folder", p)
		}
	}
}

func TestSafeName(t *testing.T) {
	for name, want := range map[string]string{
		"netbird.example.com":      "netbird.example.com",
		"netbird.example.com:8443": "netbird.example.com_3a8443",
		"Lab":                      "_4cab",
		"a_b":                      "a_5fb",
		".":                        "_2e",
		"..":                       "_2e_2e",
		".x.":                      "_2ex_2e",
		"../x":                     "_2e._2fx",
		"nul":                      "_6eul",
		"com1.txt":                 "_63om1.txt",
		"com":                      "com",
		"console":                  "console",
		"é":                        "_c3_a9",
	} {
		if got, err := SafeName(name); err != nil || got != want {
			t.Errorf("SafeName(%q) = %q, %v", name, got, err)
		}
	}
	for _, name := range []string{"", "a\x00", "\n", "\x7f", "\xff", "a\u200bb", "\u202e", "\u2028"} {
		if got, err := SafeName(name); err == nil || strings.ContainsAny(err.Error(), "\x00\n\u202e") {
			t.Errorf("SafeName(%q) = %q, %v", name, got, err)
		}
	}
}

func TestSafeNamesAreSafeAndTellApart(t *testing.T) {
	safe := regexp.MustCompile(`^[a-z0-9_-]([a-z0-9._-]*[a-z0-9_-])?$`)
	owner := map[string]string{}
	names := rapid.OneOf(rapid.String(), rapid.StringMatching(`[a-c._A-C/-]{1,6}`), rapid.StringMatching(`(con|aux|com1|a)(\.[a-z]*)?`),
		rapid.StringMatching(`[aA_]{100,300}`))
	rapid.Check(t, func(t *rapid.T) {
		name := names.Draw(t, "name")
		got, err := SafeName(name)
		if err != nil {
			return
		}
		if !safe.MatchString(got) || len(got) > maxSafe || device(got) {
			t.Fatalf("SafeName(%q) = %q", name, got)
		}
		if other, ok := owner[got]; ok && other != name {
			t.Fatalf("%q and %q are both %q", name, other, got)
		}
		owner[got] = name
		if back, ok := NameOf(got); ok != !strings.Contains(got, "__") || ok && back != name {
			t.Fatalf("NameOf(%q) = %q, %v; it was made of %q", got, back, ok, name)
		}
	})
	for _, text := range []string{"", "A", "_", "_2", "_zz", "_61", ".x", "x.", "nul", "a b"} {
		if name, ok := NameOf(text); ok {
			t.Errorf("NameOf(%q) = %q", text, name)
		}
	}
}
