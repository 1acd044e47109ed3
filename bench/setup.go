//go:build linux

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"

	"authbird/sim"
)

// took is what one run cost.
type took struct {
	steps  time.Duration // until the last step stood
	whole  time.Duration // until the process had ended, checks and all
	cpu    time.Duration
	memory int64 // peak resident, bytes
}

// setupOnce runs a setup by flags against fresh servers. The secrets stay in
// the process, so that no keystore is measured.
func setupOnce(binary, dir string, latency time.Duration) (took, error) {
	s, err := sim.Start(sim.Options{Latency: latency})
	if err != nil {
		return took{}, err
	}
	defer s.Close()
	state, err := os.MkdirTemp(dir, "state-")
	if err != nil {
		return took{}, err
	}
	cmd := exec.Command(binary, "setup", "connector", "--json", "--keystore", "env", "--state-dir", state)
	cmd.Env = append(os.Environ(),
		"AUTHBIRD_AUTHENTIK_URL="+s.AuthentikURL, "AUTHBIRD_NETBIRD_URL="+s.NetBirdURL,
		"AUTHENTIK_TOKEN="+s.AuthentikToken, "NETBIRD_TOKEN="+s.NetBirdToken)
	var out, people bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &people
	start := time.Now()
	if err := cmd.Run(); err != nil {
		return took{}, fmt.Errorf("%w\n%s", err, people.String())
	}
	t := took{whole: time.Since(start)}
	usage := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	t.memory = usage.Maxrss * 1024
	t.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	last, err := lastStep(&out)
	t.steps = last.Sub(start)
	return t, err
}

// lastStep is when the last step was told to be done.
func lastStep(out *bytes.Buffer) (time.Time, error) {
	var last time.Time
	for lines := bufio.NewScanner(out); lines.Scan(); {
		var line struct {
			Time        time.Time
			Kind, Phase string
		}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			return last, fmt.Errorf("read the run's lines: %w", err)
		}
		if line.Kind == "step" && line.Phase == "done" {
			last = line.Time
		}
	}
	if last.IsZero() {
		return last, fmt.Errorf("the run told of no step")
	}
	return last, nil
}
