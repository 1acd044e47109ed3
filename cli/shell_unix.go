//go:build unix

package cli

import (
	"os/exec"
	"syscall"
)

// apart puts a command into a group of its own, which the terminal's Ctrl-C
// doesn't reach; what it started ends with it.
func apart(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
}
