//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"syscall"
	"time"

	"filippo.io/age"

	"authbird/keystore"
	"authbird/sim"
)

// ground is both servers and a state folder, on which authbird is run.
type ground struct {
	binary, dir, state string
	sim                *sim.Sandbox
	seen               *recorder
	env                []string
}

// ground brings about what a scene begins with.
func (b *bench) ground(s scene) (*ground, error) {
	g, err := b.bareGround(s.creates)
	if err != nil || s.before == nil {
		return g, err
	}
	if _, _, err := g.run(s.before...); err != nil {
		return g, errors.Join(err, g.close())
	}
	if err := copies(g.state, s.setups); err != nil {
		return g, errors.Join(err, g.close())
	}
	return g, nil
}

// bareGround has no setup yet. The secrets of what is made anew each time stay
// in the process, so that no keystore is measured; else an age key opens them.
func (b *bench) bareGround(envKeystore bool) (*ground, error) {
	g := &ground{binary: b.binary, seen: &recorder{}}
	var err error
	if g.sim, err = sim.Start(sim.Options{Front: g.seen.front}); err != nil {
		return nil, err
	}
	if g.dir, err = os.MkdirTemp(b.dir, "ground-"); err != nil {
		return nil, err
	}
	g.state = filepath.Join(g.dir, "state")
	g.env = append(os.Environ(),
		"AUTHBIRD_AUTHENTIK_URL="+g.sim.AuthentikURL, "AUTHBIRD_NETBIRD_URL="+g.sim.NetBirdURL,
		"AUTHENTIK_TOKEN="+g.sim.AuthentikToken, "NETBIRD_TOKEN="+g.sim.NetBirdToken, "AUTHBIRD_STATE_DIR="+g.state)
	if envKeystore {
		g.env = append(g.env, "AUTHBIRD_KEYSTORE=env")
	} else if err := g.ageKey(); err != nil {
		return nil, err
	}
	return g, g.warm()
}

// identity is the age key that opens a state folder's secrets.
func identity(state string) string { return filepath.Join(filepath.Dir(state), "identity") }

func (g *ground) ageKey() error {
	key, err := age.GenerateX25519Identity()
	if err != nil {
		return err
	}
	g.env = append(g.env, "AUTHBIRD_KEYSTORE=file", "AUTHBIRD_KEYSTORE_IDENTITY="+identity(g.state))
	return os.WriteFile(identity(g.state), []byte(key.String()+"\n"), 0o600)
}

// warm lets the simulated Authentik make its signing keys, which takes longer
// than all the rest, before any clock runs.
func (g *ground) warm() error {
	req, err := http.NewRequest(http.MethodGet, g.sim.AuthentikURL+"/api/v3/crypto/certificatekeypairs/?page_size=100", nil)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+g.sim.AuthentikToken)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the simulated Authentik lists no keys: %s", resp.Status)
	}
	return nil
}

func (g *ground) slow(latency time.Duration) {
	g.sim.AuthentikFaults.SetLatency(latency)
	g.sim.NetBirdFaults.SetLatency(latency)
}

func (g *ground) close() error {
	g.sim.Close()
	return os.RemoveAll(g.dir)
}

// took is what one run cost.
type took struct {
	start  time.Time
	steps  time.Duration // until the last step was told to be done
	whole  time.Duration // until the process had ended, checks and all
	cpu    time.Duration
	memory int64 // peak resident, bytes
}

func (g *ground) run(args ...string) (took, []byte, error) {
	cmd := exec.Command(g.binary, args...)
	cmd.Env, cmd.Dir = g.env, g.dir
	var out, people bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &people
	forget()
	t := took{start: time.Now()}
	if err := cmd.Run(); err != nil {
		return t, nil, fmt.Errorf("authbird %v: %w\n%s", args, err, people.String())
	}
	t.whole = time.Since(t.start)
	t.memory = cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss * 1024
	t.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	return t, out.Bytes(), nil
}

// forget lets the peak memory of this process begin anew: that of a child
// counts from its parent's.
func forget() {
	debug.FreeOSMemory()
	_ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0)
}

// firstSetup is the setup that others are copies of.
const firstSetup = "lab-0"

// copies makes more setups of the first in a state folder: each has its own
// secret in the keystore, as if it had been set up.
func copies(state string, setups int) error {
	if setups < 2 {
		return nil
	}
	ctx := context.Background()
	keys, err := keystore.Open(ctx, keystore.Options{Kind: keystore.File, Dir: state, Identity: identity(state)})
	if err != nil {
		return err
	}
	secret, err := keys.Get(ctx, firstSetup, keystore.ClientSecret)
	if err != nil {
		return err
	}
	for i := 1; i < setups; i++ {
		name := fmt.Sprintf("lab-%d", i)
		if err := copySetup(state, name); err != nil {
			return err
		}
		if err := keys.Set(ctx, name, keystore.ClientSecret, secret); err != nil {
			return err
		}
	}
	return nil
}

func copySetup(state, name string) error {
	from, to := filepath.Join(state, "setups", firstSetup), filepath.Join(state, "setups", name)
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		return err
	}
	path := filepath.Join(to, "setup.json")
	raw, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	named := bytes.Replace(raw, []byte(`"`+firstSetup+`"`), []byte(`"`+name+`"`), 1)
	if err := os.WriteFile(path, named, 0o600); err != nil {
		return err
	}
	return filepath.WalkDir(to, func(path string, d fs.DirEntry, err error) error { // as authbird leaves them
		if err != nil || d.IsDir() {
			return err
		}
		return os.Chmod(path, 0o600)
	})
}
