//go:build unix

// Command pictures draws the pictures of the README: it runs the program in a
// pseudo-terminal of 80 by 24, against both simulated servers, and writes what
// an emulator has drawn as SVG into docs/. Clock, randomness and addresses are
// fixed, so the same program gives the same bytes; with -check it writes nothing
// and fails where a picture is no longer what the program shows.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

func main() {
	check := flag.Bool("check", false, "write nothing; fail where a picture differs")
	dir := flag.String("dir", "docs", "where the pictures are")
	flag.Parse()
	if err := run(*dir, *check); err != nil {
		fmt.Fprintln(os.Stderr, "pictures:", err)
		os.Exit(1)
	}
}

func run(dir string, check bool) error {
	frames, err := shoot()
	if err != nil {
		return err
	}
	var all []error
	for _, name := range slices.Sorted(keys(frames)) {
		path := filepath.Join(dir, name+".svg")
		if !check {
			all = append(all, os.WriteFile(path, frames[name], 0o644))
			continue
		}
		stands, err := os.ReadFile(path)
		if err != nil || !bytes.Equal(stands, frames[name]) {
			all = append(all, fmt.Errorf("%s is not what the program shows: go run ./docs/pictures", path))
		}
	}
	return errors.Join(all...)
}

func keys(m map[string][]byte) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}
