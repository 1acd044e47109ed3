package cli

import console "golang.org/x/sys/windows"

// echoOff leaves line editing and Ctrl-C as they are, unlike raw mode.
func echoOff(fd int) error {
	var mode uint32
	h := console.Handle(fd)
	if err := console.GetConsoleMode(h, &mode); err != nil {
		return err
	}
	return console.SetConsoleMode(h, mode&^console.ENABLE_ECHO_INPUT)
}
