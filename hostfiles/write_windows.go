package hostfiles

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// replace puts a new file in the place of path in one step, as far as Windows
// knows one: MoveFileEx replaces an existing file.
func replace(path string, data []byte, _ fs.FileMode, _ fs.FileInfo) error {
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return nil
}

// giveTo does nothing: a file here has the owner and the access list that
// its folder hands down.
func giveTo(*os.File, fs.FileInfo) error { return nil }

// syncFolder does nothing: Windows has no way to ask for it.
func syncFolder(string) error { return nil }
