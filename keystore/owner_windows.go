package keystore

import "io/fs"

// Windows keeps owners and rights in lists that the file mode does not show; the
// user's own folders are closed to others by what they inherit.
func foreign(fs.FileInfo) bool { return false }

func openToOthers(fs.FileInfo) bool { return false }
