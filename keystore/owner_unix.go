//go:build !windows

package keystore

import (
	"io/fs"
	"os"
	"syscall"
)

// foreign says whether a file belongs to a user who is neither us nor root. Root is
// not asked: it may be at work for somebody else.
func foreign(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && os.Geteuid() != 0 && stat.Uid != 0 && int(stat.Uid) != os.Geteuid()
}

func openToOthers(info fs.FileInfo) bool { return info.Mode().Perm()&0o077 != 0 }
