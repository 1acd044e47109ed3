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

// frame is what it took until the first frame was drawn.
type frame struct{ wall, cpu time.Duration }

func firstFrames(runs int, binary, dir string) (frame, error) {
	var wall, cpu []time.Duration
	for range runs {
		f, err := firstFrame(binary, dir)
		if err != nil {
			return frame{}, err
		}
		wall, cpu = append(wall, f.wall), append(cpu, f.cpu)
	}
	return frame{wall: median(wall), cpu: median(cpu)}, nil
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
	f.cpu, err = cpuOf(cmd.Process.Pid)
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
