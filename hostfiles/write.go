package hostfiles

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// WriteOptions are what Write cannot know.
type WriteOptions struct {
	Now time.Time // names the backup
	// KeepMode leaves an existing file's mode as it is, where a server under
	// another account reads the file by its group. Else the mode becomes 0600.
	KeepMode bool
}

// ErrUnconfirmed is in the error of a Write that wrote the file, of which only
// the disk's word for the folder is missing.
var ErrUnconfirmed = errors.New("the disk did not confirm it")

// private is the mode of a file that may hold a secret.
const private fs.FileMode = 0o600

// Write replaces a file whole, or not at all, and makes it where there is
// none; a symlink is followed and stays one. The file keeps its owner where
// this process may give it away. Where the content changes, the old one stands
// beside it in NAME.authbird-TIME.bak, mode 0600, whose path is returned; with
// the same content nothing is written, and "" is returned. File and folder
// are on disk before Write returns.
//
// After an error the old file stands as it was and no backup is left behind,
// except where the error says that only the last step, telling the disk about
// the folder, failed.
//
// What a Write that was killed left beside the file is taken away, and the
// backup that it had made serves this one.
//
// A container that has the single file mounted sees the new one when the
// container is restarted, which NetBird needs in any case.
func Write(path string, data []byte, o WriteOptions) (backup string, err error) {
	real, err := follow(path)
	if err != nil {
		return "", failed(path, err)
	}
	Sweep(real)
	old, info, err := readOld(real)
	if err != nil {
		return "", failed(path, err)
	}
	mode := private
	if info != nil && o.KeepMode {
		mode = info.Mode().Perm()
	}
	if info != nil && bytes.Equal(old, data) {
		if info.Mode().Perm() != mode {
			if err := os.Chmod(real, mode); err != nil {
				return "", failed(path, err)
			}
		}
		return "", nil
	}
	kept := false
	if info != nil {
		if backup, kept, err = keep(real, old, info, o.Now); err != nil {
			return "", failed(path, err)
		}
	}
	if err := replace(real, data, mode, info); err != nil {
		if backup != "" && !kept {
			err = errors.Join(err, os.Remove(backup))
		}
		return "", failed(path, err)
	}
	if err := syncFolder(filepath.Dir(real)); err != nil {
		return backup, fmt.Errorf("%s is written, but %w: %w", path, ErrUnconfirmed, cause(err))
	}
	return backup, nil
}

func failed(path string, err error) error {
	return fmt.Errorf("cannot write %s, nothing was changed: %w", path, cause(err))
}

// cause drops the names of temporary files, which tell a person nothing.
func cause(err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		return at.Err
	}
	var link *os.LinkError
	if errors.As(err, &link) {
		return link.Err
	}
	return err
}

// follow is the file that a path stands for, symlinks followed, also those
// whose target does not exist yet.
func follow(path string) (string, error) {
	for range 40 {
		folder, err := filepath.EvalSymlinks(filepath.Dir(path))
		if err != nil {
			return "", err
		}
		path = filepath.Join(folder, filepath.Base(path))
		target, err := os.Readlink(path)
		if err != nil { // no link, or nothing there
			return path, nil
		}
		if !filepath.IsAbs(target) {
			target = filepath.Join(folder, target)
		}
		path = target
	}
	return "", errors.New("too many levels of symbolic links")
}

// readOld reads what stands; a nil info means nothing does.
func readOld(path string) ([]byte, fs.FileInfo, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, nil, errors.New("not a regular file")
	}
	old, err := os.ReadFile(path)
	return old, info, err
}
