package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"authbird/keystore"
	"authbird/state"
)

func (a *app) keystoreVerb() *cobra.Command {
	verb := &cobra.Command{Use: "keystore", Short: "where secrets are kept", Args: a.noVerb, RunE: a.verb(noKeystoreVerb)}
	verb.AddCommand(&cobra.Command{
		Use:       "move keyring|file",
		Short:     "bring a setup's secrets to another keystore",
		Long:      "Copies a setup's secrets to the other keystore, reads them back, and only then deletes them from the one they were in. --setup names the setup where there is more than one.",
		Args:      moveTarget,
		ValidArgs: []string{string(keystore.Keyring), string(keystore.File)},
		RunE:      a.verb(a.move),
	})
	return verb
}

func noKeystoreVerb(context.Context, []string) error {
	return &usageError{message: "what about the keystore?", hints: []string{"authbird keystore move keyring, or authbird keystore move file"}}
}

func moveTarget(_ *cobra.Command, args []string) error {
	if len(args) == 1 && (args[0] == string(keystore.Keyring) || args[0] == string(keystore.File)) {
		return nil
	}
	return usagef("keystore move needs the place to move to: keyring or file")
}

func (a *app) move(ctx context.Context, args []string) error {
	if a.opts.sandbox {
		return usagef("the sandbox keeps its secrets in memory; there is nothing to move")
	}
	bench, err := a.bench(a.askerFor(a.lineAsks()))
	if err != nil {
		return err
	}
	name, err := a.onlySetup(bench.State)
	if err != nil {
		return err
	}
	s, err := bench.State.Lock(name)
	if err != nil {
		return ofSetup(name, err)
	}
	defer s.Close()
	from, to := keystore.Kind(s.Answers.Keystore), keystore.Kind(args[0])
	if from == to {
		a.last = outcome{Setup: name, Message: fmt.Sprintf("nothing to do: the secrets of %s are in the %s already", name, to)}
		return nil
	}
	source, err := bench.OpenKeys(ctx, from)
	if err != nil {
		return ofSetup(name, err)
	}
	target, err := bench.OpenKeys(ctx, to)
	if err != nil {
		return ofSetup(name, err)
	}
	if err := a.moveAll(ctx, s, source, target); err != nil {
		return ofSetup(name, err)
	}
	a.last = outcome{Setup: name, Message: fmt.Sprintf("the secrets of %s are in %s now", name, target.Where())}
	return nil
}

// moveAll moves what the setup has, and notes where it is now.
func (a *app) moveAll(ctx context.Context, s *state.Setup, from, to *keystore.Store) error {
	var held []string
	for _, c := range s.Credentials {
		if c.Kept {
			held = append(held, c.Name, c.Name+keystore.New, c.Name+keystore.Old)
		}
	}
	if err := keystore.Move(ctx, from, to, s.Name, held); err != nil {
		return err
	}
	answers := s.Answers
	answers.Keystore = string(to.Kind())
	if err := s.SaveAnswers(answers); err != nil {
		return err
	}
	for _, c := range s.Credentials {
		c.Backend = string(to.Kind())
		if err := s.SaveCredential(c); err != nil {
			return err
		}
	}
	return nil
}

// lineAsks is who is asked by verbs that have no screen of their own.
func (a *app) lineAsks() asking {
	if a.asks() == askNobody {
		return askNobody
	}
	return askLines
}

// onlySetup is the setup that --setup names, or the only one there is.
func (a *app) onlySetup(dir *state.Dir) (string, error) {
	if a.opts.setup != "" {
		s, err := a.load(dir, a.opts.setup)
		if err != nil {
			return "", err
		}
		return s.Name, nil
	}
	all, err := dir.List()
	if err != nil {
		return "", err
	}
	switch len(all) {
	case 0:
		return "", &usageError{message: "there is no setup yet", hints: []string{"authbird setup connector begins one"}}
	case 1:
		return all[0].Name, nil
	}
	return "", &usageError{message: "which setup?", hints: []string{"--setup " + strings.Join(names(all), ", or --setup ")}}
}
