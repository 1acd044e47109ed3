//go:build !windows

package hostfiles

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/google/renameio/v2"
)

// replace puts a new file in the place of path in one step. The temporary
// file stands in the same folder: it holds secrets, and /tmp is not theirs.
func replace(path string, data []byte, mode fs.FileMode, old fs.FileInfo) error {
	file, err := renameio.NewPendingFile(path, renameio.WithTempDir(filepath.Dir(path)), renameio.WithStaticPermissions(private))
	if err != nil {
		return err
	}
	defer file.Cleanup()
	if _, err := file.Write(data); err != nil {
		return err
	}
	if err := giveTo(file.File, old); err != nil {
		return err
	}
	// After the owner: to change the owner may clear bits of the mode.
	if err := file.Chmod(mode); err != nil {
		return err
	}
	return file.CloseAtomicallyReplace()
}

// giveTo gives a file the owner and group of another. What is not allowed is
// left: the file then belongs to whoever runs authbird, and is as private.
func giveTo(file *os.File, other fs.FileInfo) error {
	if other == nil {
		return nil
	}
	owner, ok := other.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	err := file.Chown(int(owner.Uid), int(owner.Gid))
	if errors.Is(err, fs.ErrPermission) {
		return nil
	}
	return err
}

// syncFolder puts a folder's new names on disk. Some file systems know no
// such thing, which is no failure.
func syncFolder(dir string) error {
	folder, err := os.Open(dir)
	if err != nil {
		return nil // it may be written to and not read
	}
	defer folder.Close()
	if err := folder.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) && !errors.Is(err, syscall.ENOTSUP) {
		return err
	}
	return nil
}
