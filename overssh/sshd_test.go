//go:build unix

package overssh

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"time"
)

// server is an OpenSSH server on a loopback port, with a host key of its own,
// that lets in whoever has the key.
type server struct {
	cmd  *exec.Cmd
	said bytes.Buffer
	port string
	key  string // the file of the private key
	user string
}

const serverConfig = `ListenAddress 127.0.0.1
Port %s
HostKey %s
PidFile none
AuthorizedKeysFile %s
AuthenticationMethods publickey
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
StrictModes no
PrintMotd no
PrintLastLog no
AcceptEnv COLORTERM NO_COLOR
MaxStartups 100
`

// startServer starts the server with its files in a folder.
func startServer(dir string) (*server, error) {
	who, err := user.Current()
	if err != nil {
		return nil, err
	}
	s := &server{key: filepath.Join(dir, "key"), user: who.Username}
	host := filepath.Join(dir, "host")
	for _, file := range []string{s.key, host} {
		if out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", file).CombinedOutput(); err != nil {
			return nil, fmt.Errorf("make the key %s: %w: %s", file, err, out)
		}
	}
	if s.port, err = freePort(); err != nil {
		return nil, err
	}
	config := filepath.Join(dir, "sshd_config")
	if err := os.WriteFile(config, fmt.Appendf(nil, serverConfig, s.port, host, s.key+".pub"), 0o600); err != nil {
		return nil, err
	}
	s.cmd = exec.Command("/usr/sbin/sshd", "-D", "-e", "-f", config)
	s.cmd.Stderr = &s.said
	if err := s.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start sshd: %w", err)
	}
	ended := make(chan struct{})
	go func() { _ = s.cmd.Wait(); close(ended) }()
	if err := s.await(ended); err != nil {
		s.stop()
		<-ended
		return nil, fmt.Errorf("%w: %s", err, s.said.String())
	}
	return s, nil
}

// await tries until the server greets.
func (s *server) await(ended <-chan struct{}) error {
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	late := time.After(patience)
	for {
		if c, err := net.Dial("tcp", "127.0.0.1:"+s.port); err == nil {
			greeting := make([]byte, 4)
			_, err := c.Read(greeting)
			c.Close()
			if err == nil && strings.HasPrefix(string(greeting), "SSH-") {
				return nil
			}
		}
		select {
		case <-again.C:
		case <-ended:
			return errors.New("sshd ended at once")
		case <-late:
			return errors.New("sshd does not greet")
		}
	}
}

func (s *server) stop() { _ = s.cmd.Process.Kill() }

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, err
}

// ssh is the client's command line that runs a command line of the shell in a
// terminal on the server; port "" is the server's own.
func (s *server) ssh(port, command string) *exec.Cmd {
	if port == "" {
		port = s.port
	}
	return exec.Command("ssh", "-tt", "-q", "-F", "none", "-i", s.key, "-p", port, "-e", "none",
		"-o", "IdentitiesOnly=yes", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "GlobalKnownHostsFile=/dev/null",
		"-o", "BatchMode=yes", "-o", "SendEnv=COLORTERM NO_COLOR", "-o", "Compression=no",
		s.user+"@127.0.0.1", command)
}
