package cli

import (
	"context"
	"fmt"
	"io"
	"runtime/debug"

	"charm.land/fang/v2"
	mango "github.com/muesli/mango-cobra"
	"github.com/muesli/roff"
	"github.com/spf13/cobra"
)

// help draws a verb's help: in colour on a terminal that can, and else as plain
// text. Errors never go by that way: it asks the terminal for its background,
// and an error must not wait for an answer.
func (a *app) help(cmd *cobra.Command, _ []string) {
	if a.opts.json { // standard output belongs to the JSON lines
		cmd.Root().SetOut(a.Stderr)
	}
	if !a.StdoutTerminal || a.opts.json || a.lineMode() {
		plainHelp(cmd)
		return
	}
	root := cmd.Root()
	root.SetOut(a.terminal)
	root.SetArgs(append(verbPath(cmd), "--help"))
	quiet := func(io.Writer, fang.Styles, error) {}
	_ = fang.Execute(context.Background(), root, fang.WithoutVersion(), fang.WithoutManpage(), fang.WithErrorHandler(quiet))
}

func plainHelp(cmd *cobra.Command) {
	text := cmd.Long
	if text == "" {
		text = cmd.Short
	}
	out := cmd.OutOrStdout()
	if text != "" {
		_, _ = fmt.Fprintf(out, "%s\n\n", text)
	}
	_, _ = io.WriteString(out, cmd.UsageString())
}

// verbPath is the words that lead to a verb, without the program's name.
func verbPath(cmd *cobra.Command) []string {
	if !cmd.HasParent() {
		return nil
	}
	return append(verbPath(cmd.Parent()), cmd.Name())
}

func (a *app) manVerb() *cobra.Command {
	return &cobra.Command{
		Use:    "man",
		Short:  "the manual page, in roff",
		Hidden: true,
		Args:   noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			page, err := mango.NewManPage(1, cmd.Root())
			if err != nil {
				return fmt.Errorf("make the manual page: %w", err)
			}
			_, err = io.WriteString(a.Stdout, page.Build(roff.NewDocument()))
			return err
		},
	}
}

// versionOf is the release's version, or what the build knows of its source.
func versionOf(release string) string {
	if release != "" {
		return release
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}
