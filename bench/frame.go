//go:build linux

package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"github.com/creack/pty"
)

const frameRow = "start to first frame"

// frame is what it took until the first frame was drawn.
type frame struct {
	wall, cpu time.Duration
	memory    int64
}

// frame measures the start to the first frame, beside the start of a process
// that does nothing.
func (b *bench) frame() error {
	var wall, cpu, bare []time.Duration
	var memory []int64
	for range b.runs {
		f, err := firstFrame(b.binary, b.dir)
		if err != nil {
			return err
		}
		start := time.Now()
		if err := exec.Command("/bin/true").Run(); err != nil {
			return err
		}
		wall, cpu, memory, bare = append(wall, f.wall), append(cpu, f.cpu), append(memory, f.memory), append(bare, time.Since(start))
	}
	b.table.add(frameRow, cells{
		requests: "0", chain: "0", walls: [3]string{beside(median(wall), median(bare))}, cpu: span(median(cpu)), memory: bytesOf(median(memory)),
	})
	return nil
}

// firstFrame starts the home screen in a terminal of 80 by 24 that answers no
// query, and waits until its title is drawn.
func firstFrame(binary, dir string) (frame, error) {
	state, err := os.MkdirTemp(dir, "state-")
	if err != nil {
		return frame{}, err
	}
	cmd := exec.Command(binary, "--state-dir", state)
	cmd.Env = append(os.Environ(), "TERM=xterm-256color")
	start := time.Now()
	terminal, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 24, Cols: 80})
	if err != nil {
		return frame{}, err
	}
	defer terminal.Close()
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	if err := terminal.SetReadDeadline(start.Add(20 * time.Second)); err != nil {
		return frame{}, err
	}
	var drawn bytes.Buffer
	chunk := make([]byte, 32<<10)
	for !bytes.Contains(drawn.Bytes(), []byte("authbird")) {
		n, err := terminal.Read(chunk)
		drawn.Write(chunk[:n])
		if err != nil {
			return frame{}, fmt.Errorf("%w before the first frame: %q", err, drawn.String())
		}
	}
	f := frame{wall: time.Since(start)}
	if f.cpu, err = cpuOf(cmd.Process.Pid); err != nil {
		return f, err
	}
	f.memory, err = peakOf(cmd.Process.Pid)
	return f, err
}

// cpuOf is the time that all threads of a process have run so far.
func cpuOf(pid int) (time.Duration, error) {
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	if err != nil || len(files) == 0 {
		return 0, fmt.Errorf("read the threads of process %d: %v", pid, err)
	}
	var sum time.Duration
	for _, path := range files {
		content, err := os.ReadFile(path)
		if err != nil {
			continue // the thread has ended
		}
		ran, _, _ := bytes.Cut(content, []byte(" "))
		ns, err := strconv.ParseInt(string(ran), 10, 64)
		if err != nil {
			return 0, fmt.Errorf("read %s: %w", path, err)
		}
		sum += time.Duration(ns)
	}
	return sum, nil
}

// peakOf is the most memory that a process has had so far.
func peakOf(pid int) (int64, error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	_, rest, _ := bytes.Cut(raw, []byte("VmHWM:"))
	var kb int64
	if _, err := fmt.Sscan(string(rest), &kb); err != nil {
		return 0, fmt.Errorf("read the memory of process %d: %w", pid, err)
	}
	return kb * 1024, nil
}
