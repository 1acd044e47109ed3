//go:build linux

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"authbird/sim"
)

// scene is a run of authbird whose requests are counted and whose time is
// taken.
type scene struct {
	name    string
	args    []string
	setups  int      // how many stand before it
	before  []string // the run that brings the first of them about
	creates bool     // it needs fresh servers each time
	until   string   // a row of its own for the time until the last step stood
	runs    int      // at most; 0: any number
	// each: what it asks is what these arguments ask of one setup, once for each.
	each []string
}

// manySetups is how many the doctor looks at in one run.
const manySetups = 200

func scenes() []scene {
	connector, standalone := []string{"setup", "connector", "--setup", firstSetup}, []string{"setup", "standalone", "--setup", firstSetup, "--netbird-domain", "netbird.example.com"}
	return []scene{
		{name: "connector: setup", args: connector, creates: true, until: "connector: until it stands"},
		{name: "connector: nothing to do", args: connector, before: connector, setups: 1},
		{name: "standalone: setup", args: standalone, creates: true},
		{name: "standalone: nothing to do", args: standalone, before: standalone, setups: 1},
		{name: "doctor, 1 setup", args: []string{"doctor"}, before: connector, setups: 1},
		{name: fmt.Sprintf("doctor, %d setups", manySetups), args: []string{"doctor", "--all"}, before: connector, setups: manySetups, runs: 3, each: []string{"doctor", firstSetup}},
	}
}

// shape is what a scene asks of the servers.
type shape struct {
	from *sim.Sandbox // of whom it was asked
	all  []*exchange
}

// whileCounting is long enough for what overlaps to be told from what waits,
// also on a machine that is busy.
const whileCounting = 200 * time.Millisecond

// scene measures one and adds its row.
func (b *bench) scene(s scene) error {
	g, err := b.ground(s)
	if err != nil {
		return err
	}
	defer g.close()
	asked, err := g.shape(s)
	if err != nil {
		return err
	}
	total, sequence := len(asked.all), strconv.Itoa(chain(asked.all))
	if s.each != nil {
		one := s
		one.args, one.setups = s.each, 1
		if asked, err = g.shape(one); err != nil {
			return err
		}
		if total != len(asked.all)*s.setups {
			return fmt.Errorf("it asked %d times, and not %d for each of %d", total, len(asked.all), s.setups)
		}
		sequence = strconv.Itoa(chain(asked.all)) + " each"
	}
	row, until := cells{requests: strconv.Itoa(total), chain: sequence}, cells{}
	var cpu []time.Duration
	var memory []int64
	for i, latency := range latencies {
		authbird, bare, err := b.timed(s, g, asked, latency)
		if err != nil {
			return fmt.Errorf("latency %v: %w", latency, err)
		}
		var whole, steps []time.Duration
		for _, t := range authbird {
			whole, steps = append(whole, t.whole), append(steps, t.steps)
			cpu, memory = append(cpu, t.cpu), append(memory, t.memory)
		}
		row.walls[i], until.walls[i] = beside(median(whole), median(bare)), span(median(steps))
	}
	row.cpu, row.memory = span(median(cpu)), bytesOf(median(memory))
	b.table.add(s.name, row)
	if s.until != "" {
		b.table.add(s.until, until)
	}
	return nil
}

// timed runs a scene, and its requests alone, at one latency.
func (b *bench) timed(s scene, g *ground, asked shape, latency time.Duration) (authbird []took, bare []time.Duration, err error) {
	runs := b.runs
	if s.runs > 0 {
		runs = min(runs, s.runs)
	}
	for range runs {
		t, err := b.once(s, g, latency)
		if err != nil {
			return nil, nil, err
		}
		d, err := b.bare(s, g, asked, latency)
		if err != nil {
			return nil, nil, fmt.Errorf("the same requests alone: %w", err)
		}
		authbird, bare = append(authbird, t), append(bare, d)
	}
	return authbird, bare, nil
}

// once runs a scene on the ground that stands, or on a new one.
func (b *bench) once(s scene, g *ground, latency time.Duration) (took, error) {
	if s.creates {
		fresh, err := b.ground(s)
		if err != nil {
			return took{}, err
		}
		defer fresh.close()
		g = fresh
	}
	g.slow(latency)
	defer g.slow(0)
	return g.scene(s)
}

// bare sends a scene's requests by themselves.
func (b *bench) bare(s scene, g *ground, asked shape, latency time.Duration) (time.Duration, error) {
	if !s.creates {
		g.slow(latency)
		defer g.slow(0)
		if s.each == nil {
			return replay(asked.all, nil, false)
		}
		return replayEach(asked.all, s.setups)
	}
	fresh, err := b.ground(s)
	if err != nil {
		return 0, err
	}
	defer fresh.close()
	fresh.slow(latency)
	return replay(asked.all, moved(asked.from, fresh.sim), true)
}

// together is how many setups the doctor looks at at once.
const together = 16

// replayEach sends the same again and again, as often at once as the doctor
// looks at setups.
func replayEach(all []*exchange, times int) (time.Duration, error) {
	var g errgroup.Group
	g.SetLimit(together)
	start := time.Now()
	for range times {
		g.Go(func() error {
			_, err := replay(all, nil, false)
			return err
		})
	}
	err := g.Wait()
	return time.Since(start), err
}

// shape records what a scene asks.
func (g *ground) shape(s scene) (shape, error) {
	g.slow(whileCounting)
	defer g.slow(0)
	all, err := g.seen.record(func() error {
		_, err := g.scene(s)
		return err
	})
	if err == nil && len(all) == 0 {
		err = fmt.Errorf("it asked nothing")
	}
	return shape{from: g.sim, all: all}, err
}

// scene runs authbird, and looks whether it did what it should.
func (g *ground) scene(s scene) (took, error) {
	t, out, err := g.run(append(slices.Clone(s.args), "--json")...)
	if err != nil {
		return t, err
	}
	well, steps := 0, 0
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		var x struct {
			Time                 time.Time
			Kind, Verdict, Phase string
		}
		if err := json.Unmarshal(lines.Bytes(), &x); err != nil {
			return t, fmt.Errorf("read what %v printed: %w", s.args, err)
		}
		switch {
		case x.Kind == "diagnosis" && x.Verdict == "ok":
			well++
		case x.Kind == "step" && x.Phase == "done":
			steps, t.steps = steps+1, x.Time.Sub(t.start)
		}
	}
	switch {
	case s.creates && steps == 0:
		return t, fmt.Errorf("%v made nothing", s.args)
	case s.args[0] == "doctor" && well != s.setups:
		return t, fmt.Errorf("the doctor found %d of %d setups well", well, s.setups)
	}
	return t, nil
}
