//go:build linux

package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// listed is how many setups status tells of.
const listed = 500

var statusRow = fmt.Sprintf("status, %d setups", listed)

// status measures the list of many setups, beside reading the same files.
func (b *bench) status() error {
	g, err := b.ground(scene{before: []string{"setup", "connector", "--setup", firstSetup}, setups: 1})
	if err != nil {
		return err
	}
	defer g.close()
	for i := 1; i < listed; i++ {
		if err := copySetup(g.state, fmt.Sprintf("lab-%d", i)); err != nil {
			return err
		}
	}
	var wall, cpu, bare []time.Duration
	var memory []int64
	for range b.runs {
		t, _, err := g.run("status")
		if err != nil {
			return err
		}
		read, err := readAll(filepath.Join(g.state, "setups"))
		if err != nil {
			return err
		}
		wall, cpu, memory, bare = append(wall, t.whole), append(cpu, t.cpu), append(memory, t.memory), append(bare, read)
	}
	b.table.add(statusRow, cells{
		requests: "0", chain: "0", walls: [3]string{beside(median(wall), median(bare))}, cpu: span(median(cpu)), memory: bytesOf(median(memory)),
	})
	return nil
}

// readAll is how long it takes to read every file below a folder.
func readAll(folder string) (time.Duration, error) {
	start := time.Now()
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		_, err = os.ReadFile(path)
		return err
	})
	return time.Since(start), err
}
