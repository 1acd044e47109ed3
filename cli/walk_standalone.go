package cli

import (
	"cmp"
	"context"
	"fmt"
	"strconv"

	"authbird/clients"
	"authbird/flows"
	"authbird/state"
)

// standaloneWords says in one line what is proposed.
func standaloneWords(n state.Answers) string {
	words := fmt.Sprintf("the service account %q with the rights %s, redirect URIs %s, values into %s", n.ServiceAccount, n.Rights, n.RedirectMode, n.EnvFile)
	if n.EnvSecret == flows.EnvSecretOmit {
		words += " but for the app password"
	}
	if n.NetBirdConfig != "" {
		words += ", and " + n.NetBirdConfig + " patched"
	}
	return words
}

// askStandalone asks what only a standalone setup has. found is a management.json
// of a NetBird that stands.
func (a *app) askStandalone(ctx context.Context, n *state.Answers, found string) error {
	for _, ask := range []func() error{
		func() error { return a.askText(ctx, "Name of the service account?", &n.ServiceAccount) },
		func() error {
			return a.askChoice(ctx, "Which rights for it?", &n.Rights, []flows.Choice{
				{Value: flows.RightsAdmins, Label: "administrator, as documented", Note: "it could change everything in Authentik"},
				{Value: flows.RightsLeast, Label: "reading users only", Note: "all that NetBird needs"},
			})
		},
		func() error {
			return a.askChoice(ctx, "Which redirect URIs?", &n.RedirectMode, []flows.Choice{
				{Value: flows.RedirectsDocumented, Label: "everything below NetBird's domain", Note: "as documented"},
				{Value: flows.RedirectsStrict, Label: "just the addresses that NetBird uses", Note: "safer"},
			})
		},
		func() error {
			return a.askChoice(ctx, "Which device code flow for the brand?", &n.DeviceFlow, []flows.Choice{
				{Value: flows.DeviceFlowKeep, Label: "keep one that it has already"},
				{Value: flows.DeviceFlowReplace, Label: "always default-device-code-flow", Note: "taking back gives the brand its old one"},
			})
		},
		func() error { return a.askFiles(ctx, n, found) },
	} {
		if err := ask(); err != nil {
			return err
		}
	}
	return nil
}

// askFiles asks about the files on NetBird's host.
func (a *app) askFiles(ctx context.Context, n *state.Answers, found string) error {
	if err := a.askText(ctx, "Where is setup.env, or shall it be?", &n.EnvFile); err != nil {
		return err
	}
	n.EnvFile = absolute(n.EnvFile)
	err := a.askChoice(ctx, "The app password in it?", &n.EnvSecret, []flows.Choice{
		{Value: flows.EnvSecretWrite, Label: "written, as documented", Note: "readable for the file's owner only"},
		{Value: flows.EnvSecretOmit, Label: "left out", Note: "authbird env gives it to configure.sh"},
	})
	if err != nil || found == "" || n.NetBirdConfig != "" {
		return err
	}
	a.lines.say("NetBird's configuration stands at %s. Patched, it keeps all else, and configure.sh need not run again.", clients.Clean(found))
	yes, err := a.lines.confirm(ctx, "Patch it?", false)
	if err == nil && yes {
		n.NetBirdConfig = found
	}
	return err
}

// askDays asks when credentials are due; the default is not kept as a choice.
func (a *app) askDays(ctx context.Context, days *int) error {
	standing := strconv.Itoa(cmp.Or(*days, flows.RotateEvery))
	typed, err := a.lines.ask(ctx, "After how many days are credentials due for renewal?", standing, func(s string) error {
		if n, err := strconv.Atoi(s); err != nil || n < 1 || n > mostDays {
			return fmt.Errorf("a number of days, from 1 to %d", mostDays)
		}
		return nil
	})
	if err == nil && typed != standing {
		*days, err = strconv.Atoi(typed)
	}
	return err
}
