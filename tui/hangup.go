package tui

import (
	"errors"
	"io"
	"os"
	"runtime"
)

// ErrGone says that the terminal went away while the program ran, and that no
// signal told of it: whoever started authbird kept that to himself.
var ErrGone = errors.New("the terminal went away")

// heardOut is a terminal's file that tells when nothing can come from it any
// more: reading a terminal ends only where it is gone.
type heardOut struct {
	*os.File
	gone func()
}

func (h heardOut) Read(p []byte) (int, error) {
	n, err := h.File.Read(p)
	if err == io.EOF || n == 0 && err != nil {
		h.gone()
	}
	return n, err
}

// hearOut makes a terminal tell when it is gone.
func hearOut(in io.Reader, gone func()) io.Reader {
	f, ok := in.(*os.File)
	if !ok || runtime.GOOS == "windows" { // its console knows no end
		return in
	}
	return heardOut{f, gone}
}
