package disk

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Sweep deletes what writes of the file at path left beside it when the process
// was killed in the middle of one: files with a dot before its name and a number
// behind it. Nobody may be writing the file meanwhile, and the folder must be
// ours. What can't be deleted stays for the next time.
func Sweep(path string) {
	folder, name := filepath.Split(path)
	entries, err := os.ReadDir(filepath.Clean(folder))
	if err != nil {
		return // no folder, nothing left in it; or one whose next use says why
	}
	for _, e := range entries {
		number, ok := strings.CutPrefix(e.Name(), "."+name)
		if ok && e.Type() == fs.FileMode(0) && number != "" && strings.Trim(number, "0123456789") == "" {
			os.Remove(filepath.Join(folder, e.Name()))
		}
	}
}
