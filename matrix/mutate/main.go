// Command mutate shows that the tests hold the engine's rules: it breaks one
// rule after the other, in a copy that only the compiler sees (go test
// -overlay), runs the tests that are to notice, and says which one went red.
//
// It ends non-zero where a mutation survives, no longer applies or does not
// compile, and where a test that is to notice does not pass unbroken. It
// changes nothing in the work tree, and refuses to guess: a mutation names the
// text that it replaces, which must stand in its file exactly once.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// mutation is one broken rule.
type mutation struct {
	rule  string // what it breaks, in words
	file  string // from the module's root
	edits []edit
	test  string // the package of the tests, from the module's root
	names string // of the tests that are to notice, as go test -run takes them
}

type edit struct{ old, new string }

// run tries the mutations whose rule contains one of the words, or all.
func run(ctx context.Context, words []string, out io.Writer) error {
	root, err := moduleRoot(ctx)
	if err != nil {
		return err
	}
	chosen := slices.DeleteFunc(slices.Clone(mutations), func(m mutation) bool { return !m.named(words) })
	if err := unbroken(ctx, root, chosen); err != nil {
		return err
	}
	red, errs := make([][]string, len(chosen)), make([]error, len(chosen))
	var all errgroup.Group
	all.SetLimit(runtime.GOMAXPROCS(0))
	for i, m := range chosen {
		all.Go(func() error {
			red[i], errs[i] = m.try(ctx, root)
			return nil
		})
	}
	_ = all.Wait()
	caught := 0
	for i, m := range chosen {
		if errs[i] != nil {
			errs[i] = fmt.Errorf("%s: %w", m.rule, errs[i])
			fmt.Fprintf(out, "NOT caught  %v\n", errs[i])
			continue
		}
		caught++
		fmt.Fprintf(out, "caught      %s: %s\n", m.rule, strings.Join(red[i], ", "))
	}
	fmt.Fprintf(out, "%d mutations, %d caught\n", len(chosen), caught)
	return errors.Join(errs...)
}

// named says that the rule contains one of the words; without words each does.
func (m mutation) named(words []string) bool {
	return len(words) == 0 || slices.ContainsFunc(words, func(w string) bool { return strings.Contains(m.rule, w) })
}

func moduleRoot(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return "", fmt.Errorf("find the module: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}

// unbroken insists that all tests that are to notice pass as things are: a test
// that is red anyway notices nothing.
func unbroken(ctx context.Context, root string, chosen []mutation) error {
	byPackage := map[string][]string{}
	var order []string
	for _, m := range chosen {
		if byPackage[m.test] == nil {
			order = append(order, m.test)
		}
		byPackage[m.test] = append(byPackage[m.test], m.names)
	}
	for _, pkg := range order {
		out, err := test(ctx, root, pkg, strings.Join(byPackage[pkg], "|"))
		if err != nil {
			return fmt.Errorf("the tests of %s do not pass unbroken: %w\n%s", pkg, err, out)
		}
	}
	for _, m := range chosen {
		out, err := exec.CommandContext(ctx, "go", "test", "-C", root, "-list", m.names, "./"+m.test).Output()
		if err != nil || !strings.Contains(string(out), "Test") {
			return fmt.Errorf("%s has no test %s", m.test, m.names)
		}
	}
	return nil
}

func test(ctx context.Context, root, pkg, names string, flags ...string) (string, error) {
	args := append([]string{"test", "-C", root, "-count=1", "-vet=off", "-v", "-run", "^(" + names + ")$"}, flags...)
	out, err := exec.CommandContext(ctx, "go", append(args, "./"+pkg)...).CombinedOutput()
	return string(out), err
}

var failure = regexp.MustCompile(`(?m)^--- FAIL: (\S+)`)

// try breaks the rule and returns the tests that went red.
func (m mutation) try(ctx context.Context, root string) (red []string, err error) {
	dir, err := os.MkdirTemp("", "authbird-mutate")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	overlay, err := m.overlay(root, dir)
	if err != nil {
		return nil, err
	}
	out, err := test(ctx, root, m.test, m.names, "-overlay", overlay)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	for _, found := range failure.FindAllStringSubmatch(out, -1) {
		red = append(red, found[1])
	}
	switch {
	case err == nil:
		return nil, errors.New("it survives: " + m.names + " passes")
	case len(red) == 0:
		return nil, fmt.Errorf("no test ran (%w):\n%s", err, out)
	}
	return red, nil
}

// broken is the file's text with the rule broken in it.
func (m mutation) broken(text string) (string, error) {
	for _, e := range m.edits {
		if n := strings.Count(text, e.old); n != 1 {
			return "", fmt.Errorf("it does not apply: %q stands %d times in %s", e.old, n, m.file)
		}
		text = strings.Replace(text, e.old, e.new, 1)
	}
	return text, nil
}

// overlay writes the broken file and the list that shows it to the compiler.
func (m mutation) overlay(root, dir string) (string, error) {
	path := filepath.Join(root, filepath.FromSlash(m.file))
	data, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	text, err := m.broken(string(data))
	if err != nil {
		return "", err
	}
	broken := filepath.Join(dir, filepath.Base(path))
	if err := os.WriteFile(broken, []byte(text), 0o600); err != nil {
		return "", err
	}
	list, err := json.Marshal(map[string]map[string]string{"Replace": {path: broken}})
	if err != nil {
		return "", err
	}
	name := filepath.Join(dir, "overlay.json")
	return name, os.WriteFile(name, list, 0o600)
}
