//go:build unix

package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/charmbracelet/x/vt"
	"github.com/creack/pty"

	"authbird/flows"
	"authbird/sim/fault"
	"authbird/state"
	"authbird/tui"
)

const (
	width, height = 80, 24
	enter         = "\r"
)

// camera is a terminal that the program runs in.
type camera struct {
	master *os.File
	mu     sync.Mutex
	emu    *vt.Emulator
	drawn  chan struct{}
	ended  chan error
}

func record(o tui.Options) (*camera, error) {
	master, slave, err := pty.Open()
	if err != nil {
		return nil, err
	}
	if err := pty.Setsize(slave, &pty.Winsize{Rows: height, Cols: width}); err != nil {
		return nil, err
	}
	c := &camera{master: master, emu: vt.NewEmulator(width, height), drawn: make(chan struct{}, 1), ended: make(chan error, 1)}
	go io.Copy(master, c.emu)
	go c.draw()
	o.In, o.Out, o.Env = slave, slave, []string{"TERM=xterm-256color", "COLORTERM=truecolor"}
	go func() {
		_, err := tui.Run(context.Background(), o)
		c.ended <- err
		slave.Close()
	}()
	return c, nil
}

func (c *camera) draw() {
	chunk := make([]byte, 32<<10)
	for {
		n, err := c.master.Read(chunk)
		c.mu.Lock()
		_, _ = c.emu.Write(chunk[:n])
		c.mu.Unlock()
		select {
		case c.drawn <- struct{}{}:
		default:
		}
		if err != nil {
			return
		}
	}
}

// sees waits until all words are on the screen and nothing more is drawn.
func (c *camera) sees(words ...string) error {
	late := time.After(time.Minute)
	still := time.NewTimer(time.Hour)
	for {
		c.mu.Lock()
		screen := strings.Join(strings.Fields(c.emu.String()), " ")
		c.mu.Unlock()
		missing := ""
		for _, w := range words {
			if !strings.Contains(screen, w) {
				missing = w
			}
		}
		if missing == "" {
			still.Reset(500 * time.Millisecond)
		}
		select {
		case <-c.drawn:
		case <-still.C:
			return nil
		case <-late:
			return fmt.Errorf("%q is not there:\n%s", missing, c.emu.String())
		}
	}
}

// scene is a walk through screens, some of which are kept as pictures.
type scene struct {
	sees  string
	shot  string // the picture's name
	types string
	then  func()
}

func play(o tui.Options, frames map[string][]byte, scenes []scene) error {
	c, err := record(o)
	if err != nil {
		return err
	}
	defer c.master.Close()
	for _, s := range scenes {
		if err := c.sees(strings.Split(s.sees, "|")...); err != nil {
			return err
		}
		if s.shot != "" {
			c.mu.Lock()
			frames[s.shot] = svg(c.emu)
			c.mu.Unlock()
		}
		if s.then != nil {
			s.then()
		}
		if _, err := io.WriteString(c.master, s.types); err != nil {
			return err
		}
	}
	select {
	case err := <-c.ended:
		return err
	case <-time.After(time.Minute):
		return fmt.Errorf("the program does not end")
	}
}

// shoot makes all pictures.
func shoot() (map[string][]byte, error) {
	dir, err := os.MkdirTemp("", "authbird-pictures-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	w, err := newWorld(dir)
	if err != nil {
		return nil, err
	}
	frames := map[string][]byte{}
	if err := w.connector(frames); err != nil {
		return nil, fmt.Errorf("the connector setup: %w", err)
	}
	if err := w.standalone(frames, dir); err != nil {
		return nil, fmt.Errorf("the standalone setup: %w", err)
	}
	return frames, nil
}

func (w *world) options() tui.Options {
	return tui.Options{
		Bench: homely{tui.OnBench(w.bench)}, Shelf: w.bench.State, Now: w.now.now, Modes: []state.Mode{state.Connector, state.Standalone},
		Tokens: flows.Tokens{Authentik: adminToken, NetBird: ownerToken}, Folder: "/root",
	}
}

// connector is the whole setup, with NetBird's way to Authentik cut at first.
func (w *world) connector(frames map[string][]byte) error {
	w.cutWay(true)
	o := w.options()
	o.Start, o.Answers = tui.StartWalk, state.Answers{Mode: state.Connector, AuthentikURL: "https://" + authentikHost, NetBirdURL: "https://" + netbirdHost}
	return play(o, frames, []scene{
		{sees: "Connect to Authentik|▸ Go on", types: enter},
		{sees: "Connect to NetBird|▸ Go on", shot: "connect", types: enter},
		{sees: "▸ See the plan", types: enter},
		{sees: "NetBird can't reach Authentik|▸ Try again", shot: "trouble", then: func() { w.cutWay(false) }, types: enter},
		{sees: "What will happen|↵ do it", shot: "plan", types: enter},
		{sees: "Everything is made and checked", shot: "run", types: enter},
		{sees: "waiting for somebody", shot: "proof", types: enter},
		{sees: "is set up", shot: "done", types: enter},
	})
}

// standalone is another setup that stops on the way, and home a day later.
func (w *world) standalone(frames map[string][]byte, dir string) error {
	order := fault.Fault{Method: "POST", Path: "/api/v3/core/users/service_account/", Kind: fault.Status, Status: 403, Body: `{"detail":"You do not have permission to perform this action."}`, Times: -1}
	if err := w.akFault.Order(order); err != nil {
		return err
	}
	o := w.options()
	o.Start = tui.StartWalk
	o.Answers = state.Answers{Mode: state.Standalone, AuthentikURL: "https://" + authentikHost, NetBirdDomain: "vpn.lab.example", EnvFile: dir + "/setup.env", Name: "Lab", Slug: "lab"}
	err := play(o, frames, []scene{
		{sees: "Connect to Authentik|▸ Go on", types: enter},
		{sees: "vpn.lab.example|▸ Go on", types: enter},
		{sees: "▸ See the plan", types: enter},
		{sees: "What will happen|↵ do it", types: enter},
		{sees: "Stands: ", types: "\x03"},
	})
	if err != nil {
		return err
	}
	w.akFault.Clear()
	w.now.pass(17 * time.Hour)
	return play(w.options(), frames, []scene{
		{sees: "netbird.example.com|vpn.lab.example", types: "\x1b[B"},
		{sees: "▸ vpn.lab.example|↵ go on", shot: "home", types: "q"},
	})
}
