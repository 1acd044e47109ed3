// Package disk writes the few files that authbird may never lose: replaced
// whole, private to their owner, and on the disk before the call returns. It also
// turns names that people choose into names that every file system takes.
//
// It promises that after a crash a file is either what it was or what was
// written, and that a failed write (full disk, read-only folder) leaves the file
// that was there and nothing beside it. It knows nothing of what the files mean,
// and it refuses to follow a link that stands in a file's place: the link is
// replaced, what it pointed to is not touched.
package disk

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// MakeDir makes a folder and those above it, mode 0700, and sees to it that each
// one it made is on disk. A folder that is there keeps its mode.
func MakeDir(path string) error {
	info, err := os.Stat(path)
	if err == nil {
		if !info.IsDir() {
			return fmt.Errorf("%s is not a folder", path)
		}
		return nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	parent := filepath.Dir(path)
	if parent != path {
		if err := MakeDir(parent); err != nil {
			return err
		}
	}
	// Another process may have made it in between.
	if err := os.Mkdir(path, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return SyncDir(parent)
}

// SyncDir puts a folder's entries on disk: without it a file that was made,
// renamed or removed may be as it was after a power cut. Windows has no such call
// and needs none.
func SyncDir(path string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}

// WriteFile replaces the file at path, or makes it, mode 0600. Its folder must
// exist.
func WriteFile(path string, data []byte) error {
	if err := replace(path, data); err != nil {
		return err
	}
	return SyncDir(filepath.Dir(path))
}

// Remove deletes a file and puts that on disk. A file that is not there is no
// error.
func Remove(path string) error {
	if err := os.Remove(path); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	}
	return SyncDir(filepath.Dir(path))
}
