//go:build unix

package cli

import "golang.org/x/sys/unix"

// echoOff leaves line editing and Ctrl-C as they are, unlike raw mode.
func echoOff(fd int) error {
	t, err := unix.IoctlGetTermios(fd, getTermios)
	if err != nil {
		return err
	}
	t.Lflag &^= unix.ECHO
	t.Lflag |= unix.ECHONL | unix.ICANON | unix.ISIG
	return unix.IoctlSetTermios(fd, setTermios, t)
}
