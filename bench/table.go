//go:build linux

package main

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// columns are the table's head.
var columns = []string{"what", "requests", "in sequence", "0 ms", "50 ms", "200 ms", "CPU", "size", "over SSH"}

// cells are the figures of one row; empty where there is none.
type cells struct {
	requests, chain string
	walls           [3]string // at each latency
	cpu, memory     string
	ssh             string
}

// table is all that was measured.
type table struct{ rows [][]string }

func (t *table) add(what string, c cells) {
	t.rows = append(t.rows, append([]string{what, c.requests, c.chain}, append(c.walls[:], c.cpu, c.memory, c.ssh)...))
}

// markdown is the table, with its columns in line: it is read in terminals too.
func (t *table) markdown() string {
	widths := make([]int, len(columns))
	all := append([][]string{columns}, t.rows...)
	for _, row := range all {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	rule := make([]string, len(columns))
	for i, w := range widths {
		rule[i] = strings.Repeat("-", w)
	}
	var b strings.Builder
	for _, row := range slices.Insert(all, 1, rule) {
		for i, cell := range row {
			fmt.Fprintf(&b, "| %s%s ", cell, strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell)))
		}
		b.WriteString("|\n")
	}
	return b.String()
}

// In a page, the table stands between these.
const tableBegins, tableEnds = "<!-- the table: go run ./bench -page docs/benchmarks.md -->\n", "<!-- end of the table -->\n"

// writePage puts the table into a page, in place of the one that is there.
func writePage(path string, t table, measured string) error {
	raw, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, rest, begins := strings.Cut(string(raw), tableBegins)
	_, after, ends := strings.Cut(rest, tableEnds)
	if !begins || !ends {
		return fmt.Errorf("%s has no place for the table, between %s and %s", path, strings.TrimSpace(tableBegins), strings.TrimSpace(tableEnds))
	}
	text := before + tableBegins + measured + "\n\n" + t.markdown() + "\n" + tableEnds + after
	return os.WriteFile(path, []byte(text), 0o644)
}

// machine says when and on what it was measured.
func machine(now time.Time, runs int) string {
	cpu := "unknown processor"
	if raw, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		if m := regexp.MustCompile(`(?m)^model name\s*: (.+)$`).FindSubmatch(raw); m != nil {
			cpu = strings.Join(strings.Fields(string(m[1])), " ")
		}
	}
	commit := "unknown commit"
	if out, err := exec.Command("git", "rev-parse", "--short", "HEAD").Output(); err == nil {
		commit = "commit " + strings.TrimSpace(string(out))
	}
	load := "unknown"
	if raw, err := os.ReadFile("/proc/loadavg"); err == nil {
		load, _, _ = strings.Cut(string(raw), " ")
	}
	return fmt.Sprintf("Measured on %s: %s, %d cores (%s), %s/%s, %s; medians of %d runs; the machine's load at the end was %s.",
		now.UTC().Format("2 January 2006"), commit, runtime.NumCPU(), cpu, runtime.GOOS, runtime.GOARCH, runtime.Version(), runs, load)
}

func median[T ~int64](all []T) T {
	sorted := slices.Clone(all)
	slices.Sort(sorted)
	return sorted[len(sorted)/2]
}

// span words a time: milliseconds, and seconds from ten on.
func span(d time.Duration) string {
	if d >= 10*time.Second {
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	return fmt.Sprintf("%d ms", d.Round(time.Millisecond).Milliseconds())
}

// beside words a time with the bare one behind it.
func beside(d, bare time.Duration) string { return fmt.Sprintf("%s (%s)", span(d), span(bare)) }

func bytesOf(n int64) string {
	if n < 1e6 {
		return fmt.Sprintf("%.1f KB", float64(n)/1e3)
	}
	return fmt.Sprintf("%.1f MB", float64(n)/1e6)
}
