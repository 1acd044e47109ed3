//go:build linux

// Command bench measures what authbird costs a person who waits: a setup by
// flags at several latencies, beside the least that any program could take;
// the start to the first frame; peak memory; the size of the binary; and the
// doctor over many setups.
//
// It builds the binary that is shipped, runs it as a process of its own
// against fresh simulated servers, and prints one table of medians. It
// promises nothing about real servers, which are slower than these.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"text/tabwriter"
	"time"
)

func main() {
	runs := flag.Int("runs", 7, "runs of each measurement; the table has medians")
	binary := flag.String("binary", "", "authbird to measure; by default it is built")
	flag.Parse()
	if err := bench(*runs, *binary); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func bench(runs int, binary string) error {
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
	info, err := os.Stat(binary)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "setup by flags\tleast\twithout checks\tratio\twith checks\tratio\tCPU\tpeak memory")
	for _, latency := range []time.Duration{0, 50 * time.Millisecond, 200 * time.Millisecond} {
		if err := setupRow(w, runs, binary, dir, latency); err != nil {
			return fmt.Errorf("latency %v: %w", latency, err)
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	first, err := firstFrames(runs, binary, dir)
	if err != nil {
		return fmt.Errorf("first frame: %w", err)
	}
	fmt.Printf("\nstart to first frame  %s wall, %s CPU\n", ms(first.wall), ms(first.cpu))
	fmt.Printf("binary                %.1f MB\n", float64(info.Size())/1e6)
	if err := doctorRow(binary, dir, manySetups, 50*time.Millisecond); err != nil {
		return err
	}
	fmt.Println()
	return sentBytes(os.Stdout, binary)
}

// manySetups is how many setups the doctor looks at in one run.
const manySetups = 200

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

func setupRow(w *tabwriter.Writer, runs int, binary, dir string, latency time.Duration) error {
	var least, steps, whole, cpu []time.Duration
	var memory []int64
	for range runs {
		bound, err := lowerBound(latency)
		if err != nil {
			return fmt.Errorf("the least: %w", err)
		}
		took, err := setupOnce(binary, dir, latency)
		if err != nil {
			return fmt.Errorf("setup: %w", err)
		}
		least = append(least, bound)
		steps, whole = append(steps, took.steps), append(whole, took.whole)
		cpu, memory = append(cpu, took.cpu), append(memory, took.memory)
	}
	bound := median(least)
	_, err := fmt.Fprintf(w, "%d ms latency\t%s\t%s\t%.2f\t%s\t%.2f\t%s\t%.1f MB\n", latency.Milliseconds(),
		ms(bound), ms(median(steps)), ratio(median(steps), bound), ms(median(whole)), ratio(median(whole), bound),
		ms(median(cpu)), float64(median(memory))/1e6)
	return err
}

func median[T time.Duration | int64](all []T) T {
	sorted := slices.Clone(all)
	slices.Sort(sorted)
	return sorted[len(sorted)/2]
}

func ratio(a, b time.Duration) float64 { return float64(a) / float64(b) }

func ms(d time.Duration) string { return fmt.Sprintf("%.0f ms", float64(d.Microseconds())/1000) }
