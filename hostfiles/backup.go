package hostfiles

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// How a backup's name goes on after the file's own.
const backupMark, backupEnd = ".authbird-", ".bak"

// keep writes the backup, whole or not at all, under a name that nothing has
// yet. There already is one where a run was killed before it replaced the file.
func keep(path string, old []byte, info fs.FileInfo, now time.Time) (name string, there bool, err error) {
	if name := backupOf(path, old); name != "" {
		return name, true, nil
	}
	base := path + backupMark + now.UTC().Format("20060102T150405Z")
	name = base + backupEnd
	for n := 2; stands(name); n++ {
		name = fmt.Sprintf("%s-%d%s", base, n, backupEnd)
	}
	if err := replace(name, old, private, info); err != nil {
		return "", false, err
	}
	return name, false, nil
}

func stands(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// backupOf is a backup that holds just this; "" if there is none.
func backupOf(path string, old []byte) string {
	for _, e := range beside(path) {
		if strings.HasPrefix(e.Name(), filepath.Base(path)+backupMark) && strings.HasSuffix(e.Name(), backupEnd) {
			name := filepath.Join(filepath.Dir(path), e.Name())
			if data, err := os.ReadFile(name); err == nil && bytes.Equal(data, old) {
				return name
			}
		}
	}
	return ""
}

// fewDigits is less than a temporary file's name has behind the file's own, and
// more than a person would put there.
const fewDigits = 12

// Sweep deletes what a Write of the file left beside it when the process was
// killed: temporary files, which may hold a secret.
func Sweep(path string) {
	path, err := follow(path)
	if err != nil {
		return
	}
	for _, e := range beside(path) {
		rest, ours := strings.CutPrefix(e.Name(), "."+filepath.Base(path))
		name := strings.TrimRight(rest, "0123456789")
		backup := strings.HasPrefix(name, backupMark) && strings.HasSuffix(name, backupEnd)
		if ours && len(rest)-len(name) >= fewDigits && (name == "" || backup) {
			os.Remove(filepath.Join(filepath.Dir(path), e.Name()))
		}
	}
}

// beside are the regular files in a file's folder.
func beside(path string) []fs.DirEntry {
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return nil // it may be written to and not read
	}
	var out []fs.DirEntry
	for _, e := range entries {
		if e.Type().IsRegular() {
			out = append(out, e)
		}
	}
	return out
}

// Forget deletes those backups of the file that hold the secret, and names the
// others, oldest first. The file itself is not looked at.
func Forget(path, secret string) (kept []string, err error) {
	path, err = follow(path)
	if err != nil {
		return nil, err
	}
	for _, e := range beside(path) {
		if !strings.HasPrefix(e.Name(), filepath.Base(path)+backupMark) || !strings.HasSuffix(e.Name(), backupEnd) {
			continue
		}
		name := filepath.Join(filepath.Dir(path), e.Name())
		data, err := os.ReadFile(name)
		switch {
		case err != nil:
			return kept, err
		case secret == "" || !bytes.Contains(data, []byte(secret)):
			kept = append(kept, name)
		default:
			if err := os.Remove(name); err != nil {
				return kept, err
			}
		}
	}
	return kept, nil
}
