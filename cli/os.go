package cli

import (
	"crypto/rand"
	"errors"
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/term"

	"authbird/clients"
)

// errPipe is what a write says when its reader has gone, as head does.
var errPipe error = syscall.EPIPE

// OS is the real world. From here on SIGINT, SIGTERM and SIGHUP are heard
// rather than obeyed, and a closed pipe is a failed write rather than the end
// of the process.
func OS(version string) World {
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	w := World{
		Args:           os.Args[1:],
		Stdin:          os.Stdin,
		Stdout:         os.Stdout,
		Stderr:         os.Stderr,
		StdinTerminal:  isTerminal(os.Stdin),
		StdoutTerminal: isTerminal(os.Stdout),
		StderrTerminal: isTerminal(os.Stderr),
		Getenv:         os.Getenv,
		Environ:        os.Environ,
		Signals:        signals,
		Now:            time.Now,
		Wait:           clients.Wait,
		Rand:           rand.Reader,
		Version:        version,
	}
	if w.StdinTerminal {
		w.Hide = hideInput
	}
	return w
}

func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

// hideInput stops the terminal from showing what is typed, until show is
// called.
func hideInput() (show func(), err error) {
	fd := int(os.Stdin.Fd())
	before, err := term.GetState(fd)
	if err != nil {
		return nil, err
	}
	if err := echoOff(fd); err != nil {
		return nil, errors.Join(err, term.Restore(fd, before))
	}
	return func() { _ = term.Restore(fd, before) }, nil
}
