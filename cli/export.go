package cli

import (
	"context"

	"github.com/spf13/cobra"

	config "authbird/export"
	"authbird/state"
)

func (a *app) exportVerb() *cobra.Command {
	verb := &cobra.Command{
		Use:   "export",
		Short: "what stands, as somebody else's configuration",
		Long:  "Reads a setup's objects from both servers and writes them as the configuration of another tool, to standard output. Secrets are variables in it. It changes nothing.",
		Args:  a.noVerb,
		RunE: a.verb(func(context.Context, []string) error {
			return &usageError{message: "as what?", hints: []string{"authbird export terraform, authbird export blueprint, or authbird export env"}}
		}),
	}
	for _, f := range []struct {
		format      config.Format
		short, long string
	}{
		{config.Terraform, "configuration for Terraform or OpenTofu, with import blocks",
			"Writes resources of the providers goauthentik/authentik and netbirdio/netbird for everything of the setup, with import blocks. What a provider has no argument for stands in a comment."},
		{config.Blueprint, "a blueprint of Authentik", "Writes a blueprint of the setup's objects in Authentik. What stands in NetBird is in a comment: no blueprint can hold it."},
		{config.Env, "environment lines", "Writes a line for each field of each object, for a shell."},
	} {
		verb.AddCommand(&cobra.Command{
			Use: string(f.format) + " [SETUP]", Short: f.short, Long: f.long,
			Args: oneSetup, ValidArgsFunction: a.completeSetups,
			RunE: a.verb(func(ctx context.Context, args []string) error { return a.export(ctx, f.format, args) }),
		})
	}
	return verb
}

func (a *app) export(ctx context.Context, format config.Format, args []string) error {
	if err := a.enterSandbox(); err != nil {
		return err
	}
	dir, err := a.state()
	if err != nil {
		return err
	}
	name := a.named(args)
	if name == "" {
		if name, err = a.onlySetup(dir); err != nil {
			return err
		}
	}
	stored, err := a.load(dir, name)
	if err != nil {
		return err
	}
	text, err := a.exported(ctx, format, stored)
	if err != nil {
		return ofSetup(name, err)
	}
	a.say.exported(name, string(format), text)
	if a.opts.json {
		a.last = outcome{Setup: name, Message: "nothing was changed"}
	}
	return nil
}

func (a *app) exported(ctx context.Context, format config.Format, stored *state.Setup) (string, error) {
	j, err := a.begin(a.lineAsks(), stored.Answers.Mode, stored)
	if err != nil {
		return "", err
	}
	if err := a.filled(ctx, j); err != nil {
		return "", err
	}
	s, err := a.open(ctx, j, nil)
	if err != nil {
		return "", err
	}
	defer s.Close()
	standing, err := s.Standing(ctx)
	if err != nil {
		return "", err
	}
	return config.Text(format, standing)
}
