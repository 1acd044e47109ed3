//go:build unix

package state

import (
	"io/fs"

	"golang.org/x/sys/unix"
)

// readFile reads a whole file into a buffer, with half of the system calls that
// os.ReadFile makes: listing hundreds of setups is mostly reading small files.
func readFile(path string, into []byte) ([]byte, error) {
	fd, err := again(func() (int, error) { return unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0) })
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	defer unix.Close(fd)
	data := into[:0]
	for {
		if len(data) == cap(data) {
			data = append(data, 0)[:len(data)]
		}
		n, err := again(func() (int, error) { return unix.Read(fd, data[len(data):cap(data)]) })
		if err != nil {
			return nil, &fs.PathError{Op: "read", Path: path, Err: err}
		}
		if n == 0 {
			return data, nil
		}
		data = data[:len(data)+n]
	}
}

// again asks the system until no signal comes between.
func again(ask func() (int, error)) (int, error) {
	for {
		n, err := ask()
		if err != unix.EINTR {
			return n, err
		}
	}
}
