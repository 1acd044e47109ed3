package cli

import "golang.org/x/sys/windows"

// echoOff leaves line editing and Ctrl-C as they are, unlike raw mode.
func echoOff(fd int) error {
	var mode uint32
	h := windows.Handle(fd)
	if err := windows.GetConsoleMode(h, &mode); err != nil {
		return err
	}
	return windows.SetConsoleMode(h, mode&^windows.ENABLE_ECHO_INPUT)
}
