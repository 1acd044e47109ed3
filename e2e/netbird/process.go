package netbird

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"authbird/e2e/web"
)

const (
	// legacyPort is a second gRPC port that both servers open whatever the
	// configuration says, so only one server fits into a namespace at a time.
	legacyPort = 33073
	// patience is how long a server may take to boot, and how long to stop.
	patience = 30 * time.Second
	// between two looks at a server that isn't there yet.
	between = 50 * time.Millisecond
)

// process is a server that can be stopped and started again with the same
// arguments, its data kept. Its output goes to one file over all its lives.
type process struct {
	t       testing.TB
	name    string
	args    []string
	env     []string
	logPath string
	ready   string // answers 200 when the server serves
	// container: the server is process 1 of a process namespace of its own in
	// each of its lives, as it is in a container.
	container bool

	mu     sync.Mutex
	cmd    *exec.Cmd
	exited chan struct{} // closed when cmd has ended
}

// binary is the path of a program that e2e/run has built.
func binary(t testing.TB, name string) string {
	t.Helper()
	folder := os.Getenv("AUTHBIRD_E2E_BIN")
	if folder == "" {
		t.Fatal("AUTHBIRD_E2E_BIN is not set: these tests are started by e2e/run, which builds the servers first")
	}
	return filepath.Join(folder, name)
}

// onlyLoopback refuses to boot a server that would listen on a real network.
func onlyLoopback(t testing.TB) {
	t.Helper()
	interfaces, err := net.Interfaces()
	if err != nil {
		t.Fatalf("list the network interfaces: %v", err)
	}
	for _, i := range interfaces {
		if i.Flags&net.FlagUp != 0 && i.Flags&net.FlagLoopback == 0 {
			t.Fatalf("interface %s is up: NetBird listens on every interface, so these tests run in a namespace of their own, by e2e/run", i.Name)
		}
	}
}

// freePorts finds n TCP ports that nobody listens on.
func freePorts(t testing.TB, n int) []int {
	t.Helper()
	ports := make([]int, 0, n)
	for range n {
		l, err := net.Listen("tcp", ":0")
		if err != nil {
			t.Fatalf("find a free port: %v", err)
		}
		defer l.Close()
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports
}

// environment is all that a server sees of ours: no proxies, no tokens.
func environment(extra ...string) []string {
	return append([]string{
		"PATH=" + os.Getenv("PATH"),
		"HOME=" + os.TempDir(),
		"NB_DISABLE_GEOLOCATION=true",
	}, extra...)
}

// start boots the server and waits until it serves. A server that ends before
// is an error with its last words.
func (p *process) start() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	output, err := os.OpenFile(p.logPath, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer output.Close()
	p.cmd = exec.Command(binary(p.t, p.name), p.args...)
	p.cmd.Env = p.env
	p.cmd.Stdout, p.cmd.Stderr = output, output
	// A test that is killed takes its server with it.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if p.container {
		p.cmd.SysProcAttr.Cloneflags = syscall.CLONE_NEWPID
	}
	if err := p.cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", p.name, err)
	}
	exited := make(chan struct{})
	p.exited = exited
	go func(cmd *exec.Cmd) {
		_ = cmd.Wait() // its exit code says nothing that its log doesn't
		close(exited)
	}(p.cmd)
	return p.untilReady()
}

func (p *process) untilReady() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	tick := time.NewTicker(between)
	defer tick.Stop()
	for {
		answer, err := web.Call(ctx, http.MethodGet, p.ready, "", nil)
		if err == nil && answer.Status == http.StatusOK {
			return nil
		}
		select {
		case <-p.exited:
			return fmt.Errorf("%s ended at its start: %s", p.name, p.lastWords())
		case <-ctx.Done():
			return fmt.Errorf("%s did not serve %s within %s: %s", p.name, p.ready, patience, p.lastWords())
		case <-tick.C:
		}
	}
}

// stop ends the server as a container runtime does: SIGTERM, then SIGKILL.
func (p *process) stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil || p.cmd.Process == nil {
		return
	}
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.exited:
	case <-time.After(patience):
		_ = p.cmd.Process.Kill()
		<-p.exited
	}
	p.cmd = nil
}

// restart stops the server and starts it again with its data.
func (p *process) restart() error {
	p.stop()
	if err := p.start(); err != nil {
		return fmt.Errorf("restart: %w", err)
	}
	return nil
}

// restartCommand is a shell command that has the test restart the server, until
// the test ends.
func (p *process) restartCommand(t testing.TB) string {
	t.Helper()
	button := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if err := p.restart(); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	}))
	t.Cleanup(button.Close)
	return "curl --fail --silent --show-error " + button.URL
}

func (p *process) logs() string {
	content, err := os.ReadFile(p.logPath)
	if err != nil {
		return err.Error()
	}
	return string(content)
}

// lastWords is the end of the log, for a message.
func (p *process) lastWords() string {
	lines := strings.Split(strings.TrimSpace(p.logs()), "\n")
	return strings.Join(lines[max(0, len(lines)-12):], "\n")
}

// run starts the server, and has it stopped and its log shown as the test
// ends or fails.
func (p *process) run() {
	p.t.Helper()
	onlyLoopback(p.t)
	p.t.Cleanup(func() {
		p.stop()
		if p.t.Failed() {
			p.t.Logf("the last of %s's log:\n%s", p.name, p.lastWords())
		}
	})
	if err := p.start(); err != nil {
		p.t.Fatal(err)
	}
}
