package hostfiles

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func put(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil { // whatever the umask says
		t.Fatal(err)
	}
}

func get(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// names lists a folder, sorted.
func names(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return strings.Join(all, " ")
}

func mode(t *testing.T, path string, want os.FileMode) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm() != want {
		t.Errorf("%s has mode %v, not %v", path, info.Mode().Perm(), want)
	}
}

func TestWriteNewFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "setup.env")
	backup, err := Write(path, []byte("new"), WriteOptions{Now: noon})
	if err != nil || backup != "" || names(t, dir) != "setup.env" || get(t, path) != "new" {
		t.Errorf("%q, %v, %s", backup, err, names(t, dir))
	}
	mode(t, path, 0o600)
}

func TestWriteKeepsABackup(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "setup.env")
	put(t, path, "old", 0o644)
	first, err := Write(path, []byte("new"), WriteOptions{Now: noon})
	if err != nil {
		t.Fatal(err)
	}
	second, err := Write(path, []byte("newer"), WriteOptions{Now: noon})
	if err != nil {
		t.Fatal(err)
	}
	if want := "setup.env setup.env.authbird-20261124T120000Z-2.bak setup.env.authbird-20261124T120000Z.bak"; names(t, dir) != want {
		t.Errorf("left %s", names(t, dir))
	}
	if get(t, path) != "newer" || get(t, first) != "old" || get(t, second) != "new" {
		t.Errorf("%q, %q, %q", get(t, path), get(t, first), get(t, second))
	}
	for _, name := range []string{path, first, second} {
		mode(t, name, 0o600)
	}
}

func TestWriteAfterAKilledOne(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "setup.env")
	put(t, path, "old", 0o600)
	put(t, path+".authbird-20261124T110000Z.bak", "old", 0o600)
	for _, name := range []string{".setup.env1234567890123", ".setup.env.authbird-20261124T110000Z.bak1234567890123", ".setup.env20261124", ".setup.env.mine"} {
		put(t, filepath.Join(dir, name), "hush", 0o600)
	}
	backup, err := Write(path, []byte("new"), WriteOptions{Now: noon})
	if err != nil || backup != path+".authbird-20261124T110000Z.bak" {
		t.Errorf("%q, %v", backup, err)
	}
	if want := ".setup.env.mine .setup.env20261124 setup.env setup.env.authbird-20261124T110000Z.bak"; names(t, dir) != want {
		t.Errorf("left %s", names(t, dir))
	}
}

func TestWriteTheSameIsNothingButTheMode(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "setup.env")
	put(t, path, "same", 0o644)
	backup, err := Write(path, []byte("same"), WriteOptions{Now: noon})
	if err != nil || backup != "" || names(t, dir) != "setup.env" {
		t.Errorf("%q, %v, %s", backup, err, names(t, dir))
	}
	mode(t, path, 0o600)
}

func TestWriteKeepsTheModeOnRequest(t *testing.T) {
	path := filepath.Join(t.TempDir(), "management.json")
	put(t, path, "old", 0o640)
	backup, err := Write(path, []byte("new"), WriteOptions{Now: noon, KeepMode: true})
	if err != nil {
		t.Fatal(err)
	}
	mode(t, path, 0o640)
	mode(t, backup, 0o600)
}

func TestWriteFollowsSymlinks(t *testing.T) {
	for name, exists := range map[string]bool{"to a file": true, "to nothing yet": false} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			etc := filepath.Join(dir, "etc")
			if err := os.MkdirAll(filepath.Join(etc, "sub"), 0o700); err != nil {
				t.Fatal(err)
			}
			real := filepath.Join(etc, "real.env")
			if exists {
				put(t, real, "old", 0o600)
			}
			// A folder that is a link itself: the next link goes out of its target.
			if err := os.Symlink(filepath.Join(etc, "sub"), filepath.Join(dir, "link")); err != nil {
				t.Skip("no symlinks here")
			}
			path := filepath.Join(dir, "link", "setup.env")
			if err := os.Symlink("../real.env", path); err != nil {
				t.Fatal(err)
			}
			if _, err := Write(path, []byte("new"), WriteOptions{Now: noon}); err != nil {
				t.Fatal(err)
			}
			if info, err := os.Lstat(path); err != nil || info.Mode()&os.ModeSymlink == 0 || get(t, real) != "new" {
				t.Errorf("%v, %v", info, err)
			}
			if has := strings.Contains(names(t, etc), "real.env.authbird-"); has != exists {
				t.Errorf("beside the real file: %s", names(t, etc))
			}
		})
	}
}

func TestWriteRefuses(t *testing.T) {
	dir := t.TempDir()
	loop := filepath.Join(dir, "loop")
	if err := os.Symlink("loop", loop); err != nil {
		t.Skip("no symlinks here")
	}
	for path, want := range map[string]string{
		dir:                               "not a regular file",
		filepath.Join(dir, "absent", "x"): "no such file or directory",
		loop:                              "too many levels of symbolic links",
	} {
		_, err := Write(path, []byte("new"), WriteOptions{Now: noon})
		if err == nil || runtime.GOOS != "windows" && err.Error() != "cannot write "+path+", nothing was changed: "+want {
			t.Errorf("%s: %v", path, err)
		}
	}
	if names(t, dir) != "loop" {
		t.Errorf("left %s", names(t, dir))
	}
}
