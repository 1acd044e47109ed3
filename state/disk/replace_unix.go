//go:build !windows

package disk

import (
	"path/filepath"

	"github.com/google/renameio/v2"
)

// replace writes beside the file and renames over it.
func replace(path string, data []byte) error {
	// The same folder is named so that TMPDIR has no say: a rename from another
	// file system is none.
	f, err := renameio.NewPendingFile(path,
		renameio.WithTempDir(filepath.Dir(path)), renameio.WithStaticPermissions(0o600))
	if err != nil {
		return err
	}
	defer f.Cleanup() // after success it does nothing
	if _, err := f.Write(data); err != nil {
		return err
	}
	return f.CloseAtomicallyReplace()
}
