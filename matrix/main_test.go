//go:build linux && amd64

package matrix

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// authbird is the authbird that every case runs.
var authbird string

// TestMain builds authbird, unless AUTHBIRD_MATRIX_BINARY names one, and tells
// the count at the end.
func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	if os.Getenv("AUTHBIRD_MATRIX") == "" {
		fmt.Println("skipped: the matrix takes minutes; matrix/run runs it")
		return 0
	}
	if authbird = os.Getenv("AUTHBIRD_MATRIX_BINARY"); authbird == "" {
		dir, err := os.MkdirTemp("", "authbird-matrix")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		authbird = filepath.Join(dir, "authbird")
		build := exec.Command("go", "build", "-o", authbird, "authbird")
		build.Stderr = os.Stderr
		if err := build.Run(); err != nil {
			fmt.Fprintln(os.Stderr, "build authbird:", err)
			return 1
		}
	}
	// Where there is a file system in memory the cases write there: every line
	// of a journal waits for the disk.
	if dir, err := os.MkdirTemp("/dev/shm", "authbird-"); err == nil {
		defer os.RemoveAll(dir)
		os.Setenv("TMPDIR", dir)
	}
	code := m.Run()
	fmt.Print(tally.String())
	return code
}

// whole says that nothing is left out.
func whole() bool { return os.Getenv("AUTHBIRD_MATRIX") == "all" }

// tally counts the cases of all tests.
var tally = &count{flows: map[string]*figures{}}

type figures struct{ cases, converged, worst int }

type count struct {
	mu    sync.Mutex
	order []string
	flows map[string]*figures
}

func (c *count) of(flow string) *figures {
	if c.flows[flow] == nil {
		c.flows[flow] = &figures{}
		c.order = append(c.order, flow)
	}
	return c.flows[flow]
}

// add counts a case of the flow; what it returns is called at the case's end.
func (c *count) add(flow string, t *testing.T) func() {
	c.mu.Lock()
	defer c.mu.Unlock()
	f := c.of(flow)
	f.cases++
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if !t.Failed() {
			f.converged++
		}
	}
}

// resumed notes how often a case of the flow had to be run again.
func (c *count) resumed(flow string, times int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.of(flow).worst = max(c.of(flow).worst, times)
}

func (c *count) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var text string
	var all figures
	for _, name := range c.order {
		f := c.flows[name]
		text += fmt.Sprintf("%-42s %5d cases, %5d converged, at most %d more runs\n", name, f.cases, f.converged, f.worst)
		all.cases, all.converged, all.worst = all.cases+f.cases, all.converged+f.converged, max(all.worst, f.worst)
	}
	return text + fmt.Sprintf("%d cases, %d converged, at most %d more runs\n", all.cases, all.converged, all.worst)
}
