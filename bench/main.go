//go:build linux

// Command bench measures what authbird costs a person who waits, and prints one
// table: requests and how many of them wait for one another, wall time at three
// latencies, own CPU time and peak memory of setups, the doctor and status, up
// to hundreds of setups; the start to the first frame; what a walk through the
// screens sends over SSH; and the size of the binary.
//
// It builds the binary that is shipped, and runs it as a process of its own
// against simulated servers in this one. Beside each wall time stands the bare
// lower bound: the same requests, with the same bodies, sent by a client that
// does nothing else, each as soon as what authbird had waited for is answered.
// All are medians. It promises nothing about real servers, which are slower.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"
)

func main() {
	runs := flag.Int("runs", 7, "runs of each measurement; the table has medians")
	binary := flag.String("binary", "", "authbird to measure; by default it is built")
	page := flag.String("page", "", "write the table, the date and the machine into this page too")
	flag.Parse()
	if err := run(*runs, *binary, *page); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(runs int, binary, page string) error {
	if runs < 1 {
		return fmt.Errorf("-runs must be at least 1")
	}
	dir, err := os.MkdirTemp("", "authbird-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if binary == "" {
		binary = filepath.Join(dir, "authbird")
		if err := build(binary); err != nil {
			return err
		}
	}
	b := &bench{runs: runs, binary: binary, dir: dir}
	if err := b.all(); err != nil {
		return err
	}
	fmt.Print(b.table.markdown())
	if page == "" {
		return nil
	}
	return writePage(page, b.table, machine(time.Now(), runs))
}

// build makes the binary as it is shipped.
func build(to string) error {
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", to, "authbird")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("build authbird: %w", err)
	}
	return nil
}

// bench is one run of all measurements.
type bench struct {
	runs        int
	binary, dir string
	table       table
}

// latencies are what every request to a server takes at least.
var latencies = []time.Duration{0, 50 * time.Millisecond, 200 * time.Millisecond}

// measurement is one that adds these rows to the table.
type measurement struct {
	rows    []string
	measure func() error
}

// measurements are all, in the table's order.
func (b *bench) measurements() []measurement {
	var out []measurement
	for _, s := range scenes() {
		rows := []string{s.name}
		if s.until != "" {
			rows = append(rows, s.until)
		}
		out = append(out, measurement{rows, func() error { return b.scene(s) }})
	}
	out = slices.Insert(out, 1, measurement{[]string{leastRow}, b.least})
	var walked []string
	for _, w := range walks() {
		walked = append(walked, w.row())
	}
	for _, q := range questions() {
		walked = append(walked, q.row())
	}
	return append(out, measurement{[]string{statusRow}, b.status}, measurement{[]string{frameRow}, b.frame},
		measurement{walked, b.walks}, measurement{[]string{sizeRow}, b.size})
}

// all measures everything.
func (b *bench) all() error {
	for _, m := range b.measurements() {
		fmt.Fprintf(os.Stderr, "bench: %s\n", m.rows[0]) // some of it takes a while
		if err := m.measure(); err != nil {
			return fmt.Errorf("%s: %w", m.rows[0], err)
		}
	}
	return nil
}

const sizeRow = "binary, stripped"

func (b *bench) size() error {
	info, err := os.Stat(b.binary)
	if err != nil {
		return err
	}
	b.table.add(sizeRow, cells{memory: bytesOf(info.Size())})
	return nil
}
