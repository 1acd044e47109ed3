//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"filippo.io/age"

	"authbird/keystore"
	"authbird/sim"
)

// doctorRow measures the doctor over many setups that share two servers.
func doctorRow(binary, dir string, setups int, latency time.Duration) error {
	c, err := newClinic(binary, dir, setups, latency)
	if err != nil {
		return err
	}
	defer c.sim.Close()
	t, diagnosed, err := c.examine()
	if err != nil {
		return err
	}
	if diagnosed != setups {
		return fmt.Errorf("%d of %d setups were diagnosed", diagnosed, setups)
	}
	fmt.Printf("doctor --all          %d setups at %d ms latency: %.1f s wall, %.1f s CPU, %.1f MB peak memory\n",
		setups, latency.Milliseconds(), t.whole.Seconds(), t.cpu.Seconds(), float64(t.memory)/1e6)
	return nil
}

// clinic is a state folder with many setups.
type clinic struct {
	sim           *sim.Sandbox
	binary, state string
	env           []string
}

// newClinic makes one setup and copies it: each has its own secret in the
// keystore, as if it had been set up.
func newClinic(binary, dir string, setups int, latency time.Duration) (*clinic, error) {
	s, err := sim.Start(sim.Options{})
	if err != nil {
		return nil, err
	}
	c := &clinic{sim: s, binary: binary, env: append(os.Environ(),
		"AUTHBIRD_AUTHENTIK_URL="+s.AuthentikURL, "AUTHBIRD_NETBIRD_URL="+s.NetBirdURL,
		"AUTHENTIK_TOKEN="+s.AuthentikToken, "NETBIRD_TOKEN="+s.NetBirdToken)}
	if c.state, err = os.MkdirTemp(dir, "state-"); err != nil {
		return c, err
	}
	key, err := age.GenerateX25519Identity()
	if err != nil {
		return c, err
	}
	identity := filepath.Join(c.state, "key")
	if err := os.WriteFile(identity, []byte(key.String()+"\n"), 0o600); err != nil {
		return c, err
	}
	c.env = append(c.env, "AUTHBIRD_KEYSTORE=file", "AUTHBIRD_KEYSTORE_IDENTITY="+identity)
	if _, _, err := c.run("setup", "connector", "--setup", "lab-0"); err != nil {
		return c, err
	}
	if err := c.copies(identity, setups); err != nil {
		return c, err
	}
	s.AuthentikFaults.SetLatency(latency)
	s.NetBirdFaults.SetLatency(latency)
	return c, nil
}

func (c *clinic) copies(identity string, setups int) error {
	ctx := context.Background()
	keys, err := keystore.Open(ctx, keystore.Options{Kind: keystore.File, Dir: c.state, Identity: identity})
	if err != nil {
		return err
	}
	secret, err := keys.Get(ctx, "lab-0", keystore.ClientSecret)
	if err != nil {
		return err
	}
	first := filepath.Join(c.state, "setups", "lab-0")
	raw, err := os.ReadFile(filepath.Join(first, "setup.json"))
	if err != nil {
		return err
	}
	for i := 1; i < setups; i++ {
		name := fmt.Sprintf("lab-%d", i)
		to := filepath.Join(c.state, "setups", name)
		if err := os.CopyFS(to, os.DirFS(first)); err != nil {
			return err
		}
		named := bytes.Replace(raw, []byte(`"lab-0"`), []byte(`"`+name+`"`), 1)
		if err := os.WriteFile(filepath.Join(to, "setup.json"), named, 0o600); err != nil {
			return err
		}
		if err := keys.Set(ctx, name, keystore.ClientSecret, secret); err != nil {
			return err
		}
	}
	return nil
}

// examine runs the doctor over all setups and counts those it diagnosed.
func (c *clinic) examine() (took, int, error) {
	t, out, err := c.run("doctor", "--all")
	if err != nil {
		return t, 0, err
	}
	diagnosed := 0
	for _, line := range bytes.Split(out, []byte("\n")) {
		var x struct {
			Kind, Verdict, Error string
		}
		if json.Unmarshal(line, &x) == nil && x.Kind == "diagnosis" && x.Verdict == "ok" {
			diagnosed++
		}
	}
	return t, diagnosed, nil
}

func (c *clinic) run(args ...string) (took, []byte, error) {
	cmd := exec.Command(c.binary, append(args, "--json", "--state-dir", c.state)...)
	cmd.Env = c.env
	var out, people bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &people
	start := time.Now()
	if err := cmd.Run(); err != nil {
		return took{}, nil, fmt.Errorf("%v: %w\n%s", args, err, people.String())
	}
	usage := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	return took{whole: time.Since(start), cpu: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), memory: usage.Maxrss * 1024}, out.Bytes(), nil
}
