package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"authbird/sim"
)

func (a *app) sandboxVerb() *cobra.Command {
	verb := &cobra.Command{
		Use:   "sandbox",
		Short: "simulated Authentik and NetBird to try things on",
		Long: "Runs a simulated Authentik and a simulated NetBird on loopback ports, prints the environment that reaches them once both answer, and stays until Ctrl-C. " +
			"The ports answer POST /_sandbox/fault (orders a fault), and NetBird's POST /_sandbox/restart.",
		Example: "authbird sandbox > sandbox.env &\n. ./sandbox.env && authbird setup connector --yes",
		Args:    noArguments,
		RunE:    a.verb(a.sandbox),
	}
	f := verb.Flags()
	f.SortFlags = false
	f.IntVar(&a.opts.authentikPort, "authentik-port", 0, "port of the simulated Authentik; 0 takes a free one")
	f.IntVar(&a.opts.netbirdPort, "netbird-port", 0, "port of the simulated NetBird; 0 takes a free one")
	f.StringVar(&a.opts.authentikVersion, "authentik-version", "", "version of Authentik to behave as")
	f.StringVar(&a.opts.netbirdVersion, "netbird-version", "", "version of NetBird to behave as")
	f.DurationVar(&a.opts.latency, "latency", 0, "added to every answer, such as 200ms")
	f.BoolVar(&a.opts.fresh, "fresh", false, "a NetBird without an owner")
	return verb
}

// sandbox runs both servers until it is told to stop, which is its good end.
func (a *app) sandbox(ctx context.Context, _ []string) error {
	for flag, port := range map[string]int{"authentik-port": a.opts.authentikPort, "netbird-port": a.opts.netbirdPort} {
		if port < 0 || port > 65535 {
			return usagef("%s is a number from 0 to 65535", flagOr(flag, a.given))
		}
	}
	if a.opts.latency < 0 {
		return usagef("%s can't be negative", flagOr("latency", a.given))
	}
	s, err := a.startSandbox()
	if err != nil {
		return err
	}
	defer s.Close()
	if a.opts.json {
		a.say.(*jsonVoice).sandbox(s)
	} else {
		for _, v := range exports(s) {
			printLine(a.Stdout, fmt.Sprintf("export %s=%s", v.name, quote(v.value)))
		}
	}
	<-ctx.Done()
	return nil
}

type export struct{ name, value string }

// exports is the environment that reaches the sandbox. Its tokens open nothing
// but the simulators of this process.
func exports(s *sim.Sandbox) []export {
	all := []export{
		{"AUTHBIRD_AUTHENTIK_URL", s.AuthentikURL}, {"AUTHBIRD_NETBIRD_URL", s.NetBirdURL},
		{"AUTHENTIK_TOKEN", s.AuthentikToken},
	}
	if s.NetBirdToken != "" { // a fresh NetBird has nobody who could have one
		all = append(all, export{"NETBIRD_TOKEN", s.NetBirdToken})
	}
	return all
}

func (a *app) startSandbox() (*sim.Sandbox, error) {
	s, err := sim.Start(sim.Options{
		AuthentikPort: a.opts.authentikPort, NetBirdPort: a.opts.netbirdPort,
		AuthentikVersion: a.opts.authentikVersion, NetBirdVersion: a.opts.netbirdVersion,
		Latency: a.opts.latency, Fresh: a.opts.fresh, Now: a.Now, Rand: a.Rand,
	})
	if err != nil {
		return nil, fmt.Errorf("start the sandbox: %w", err)
	}
	return s, nil
}

// enterSandbox brings up, with --sandbox, a world that is thrown away at the
// end: both servers, the state, and a keystore in memory. What the environment
// says of real servers is set aside.
func (a *app) enterSandbox() error {
	if !a.opts.sandbox || a.world != nil {
		return nil
	}
	s, err := a.startSandbox()
	if err != nil {
		return err
	}
	a.atEnd(s.Close)
	folder, err := os.MkdirTemp("", "authbird-sandbox-")
	if err != nil {
		return fmt.Errorf("make the sandbox's state folder: %w", err)
	}
	a.atEnd(func() { _ = os.RemoveAll(folder) })
	a.world = s
	a.opts.stateDir = folder
	a.opts.authentikURL, a.opts.netbirdURL = s.AuthentikURL, s.NetBirdURL
	a.opts.authentikToken, a.opts.netbirdFile, a.opts.caFile = "", "", ""
	a.given["authentik-url"], a.given["netbird-url"] = byFlag, byFlag
	delete(a.given, "ca-file")
	if a.given["env-file"] != byFlag {
		a.opts.envFile = filepath.Join(folder, "setup.env")
		a.given["env-file"] = byFlag
	}
	if a.given["keystore"] != byFlag {
		a.opts.keystore, a.opts.keystoreIdentity = "env", ""
		a.given["keystore"] = byFlag
		delete(a.given, "keystore-identity")
	}
	return nil
}
