package cli

import (
	"bytes"
	"context"
	"strings"
	"sync"
	"time"

	"authbird/clients"
)

// keptOutput is how much of a command's output is kept: the end of it.
const keptOutput = 4 << 10

// runRestart runs the command that a person gave for restarting NetBird. It knows
// no token that this run was given, reads nothing from the terminal, and what it
// prints is cleaned before anybody sees it.
func (a *app) runRestart(ctx context.Context, command string) (string, error) {
	cmd := shell(ctx, command)
	cmd.Env = append([]string{}, withoutSecrets(a.Environ)...)
	apart(cmd) // a Ctrl-C is meant for authbird
	cmd.WaitDelay = 2 * time.Second
	var out tail
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	if err != nil && ctx.Err() != nil {
		err = ctx.Err()
	}
	return out.lines(), err
}

// tail keeps the end of what is written.
type tail struct {
	mu   sync.Mutex
	kept []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.kept = append(t.kept, p...)
	if n := len(t.kept) - keptOutput; n > 0 {
		t.kept = append([]byte(nil), t.kept[n:]...)
	}
	return len(p), nil
}

// lines is the text without what a terminal would obey.
func (t *tail) lines() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var out []string
	for line := range bytes.Lines(t.kept) {
		if text := clients.CleanN(string(line), 300); text != "" {
			out = append(out, text)
		}
	}
	return strings.Join(out, "\n")
}
