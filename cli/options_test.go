package cli

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// The flags that the contract of the command line promises.
const (
	commonFlags = "setup authentik-url netbird-url ca-file allow-http keystore keystore-identity state-dir yes json accessible plain trace timeout sandbox authentik-token-file netbird-token-file"
	setupFlags  = "name slug authorization-flow signing-key allow-group group-sync netbird-allow-group connector-name connector-type adopt keep-admin-tokens restart-command rotate-every"
)

func testApp(t *testing.T, env map[string]string, args ...string) (*app, *bytes.Buffer, *bytes.Buffer) {
	t.Helper()
	var out, people bytes.Buffer
	return newApp(World{
		Args: args, Stdin: strings.NewReader(""), Stdout: &out, Stderr: &people,
		Getenv: func(name string) string { return env[name] },
		Now:    func() time.Time { return time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC) }, Rand: strings.NewReader(""),
	}), &out, &people
}

// verbAt finds a verb by its words.
func verbAt(t *testing.T, root *cobra.Command, words string) *cobra.Command {
	t.Helper()
	cmd, rest, err := root.Find(strings.Fields(words))
	if err != nil || len(rest) > 0 {
		t.Fatalf("no verb %q: %v", words, err)
	}
	return cmd
}

func TestFlagsAreThoseOfTheContract(t *testing.T) {
	a, _, _ := testApp(t, nil)
	root := a.root()
	for verb, promised := range map[string]string{
		"setup connector": commonFlags + " " + setupFlags,
		"plan connector":  commonFlags + " " + setupFlags,
		"resume":          commonFlags + " adopt keep-admin-tokens restart-command rotate-every wait",
		"rotate":          commonFlags + " restart-command rotate-every wait netbird-config all-due all jobs leak",
		"status":          commonFlags + " all",
		"groups":          commonFlags + " allow-group group-sync netbird-allow-group adopt",
		"doctor":          commonFlags + " fix all strict report names mask-hosts watch on-change netbird-config netbird-log env-file slug service-account netbird-domain",
		"keystore move":   commonFlags,
		"sandbox":         commonFlags + " authentik-port netbird-port authentik-version netbird-version latency fresh",
	} {
		cmd := verbAt(t, root, verb)
		_ = cmd.ParseFlags(nil) // makes the inherited flags its own
		want := map[string]bool{}
		for _, name := range strings.Fields(promised) {
			want[name] = true
		}
		got := map[string]bool{}
		cmd.Flags().VisitAll(func(f *pflag.Flag) { got[f.Name] = true })
		delete(got, "help")
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("flags of %s (-promised +there)\n%s", verb, diff)
		}
	}
}

// Every flag takes its value from its environment twin, and prefers its own.
func TestEachFlagHasAnEnvironmentTwinAndWins(t *testing.T) {
	first := map[string][2]string{
		"bool": {"true", "false"}, "duration": {"7s", "9s"}, "int": {"7", "9"}, "string": {"one", "two"},
		"keyring|file|env": {"file", "env"}, "authentik|oidc": {"oidc", "authentik"}, "on|off": {"on", "off"}, "stringArray": {"one", "two"},
	}
	list := func(f *pflag.Flag) string { return strings.Trim(f.Value.String(), "[]") }
	for _, verb := range []string{"setup connector", "sandbox"} {
		a, _, _ := testApp(t, nil)
		cmd := verbAt(t, a.root(), verb)
		_ = cmd.ParseFlags(nil)
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if f.Name == "help" {
				return
			}
			t.Run(verb+" --"+f.Name, func(t *testing.T) {
				values, known := first[f.Value.Type()]
				if !known {
					t.Fatalf("a flag of a kind that this test doesn't know: %s", f.Value.Type())
				}
				twin := strings.ToUpper("authbird_" + strings.ReplaceAll(f.Name, "-", "_"))
				for _, args := range [][]string{nil, {"--" + f.Name + "=" + values[1]}} {
					a, _, _ := testApp(t, map[string]string{twin: values[0]})
					cmd := verbAt(t, a.root(), verb)
					if err := cmd.ParseFlags(args); err != nil {
						t.Fatal(err)
					}
					if err := a.twins(cmd.Flags()); err != nil {
						t.Fatal(err)
					}
					want, from := values[0], twin
					if args != nil {
						want, from = values[1], byFlag
					}
					if got := list(cmd.Flags().Lookup(f.Name)); got != want || a.given[f.Name] != from {
						t.Errorf("with %s=%s and %v: %q from %q, want %q from %q", twin, values[0], args, got, a.given[f.Name], want, from)
					}
				}
			})
		})
	}
}

func TestAListInAVariableHasCommasAndQuotes(t *testing.T) {
	a, _, _ := testApp(t, map[string]string{"AUTHBIRD_ALLOW_GROUP": `admins,"people, other",VPN users`})
	cmd := verbAt(t, a.root(), "setup connector")
	_ = cmd.ParseFlags(nil)
	if err := a.twins(cmd.Flags()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"admins", "people, other", "VPN users"}, a.opts.allowGroups); diff != "" {
		t.Error(diff)
	}
}

func TestAVariableThatCannotBeReadIsNamed(t *testing.T) {
	for name, value := range map[string]string{
		"AUTHBIRD_YES": "perhaps", "AUTHBIRD_TIMEOUT": "soon", "AUTHBIRD_ALLOW_GROUP": `"open`,
		"AUTHBIRD_KEYSTORE": "drawer", "AUTHBIRD_CONNECTOR_TYPE": "saml", "AUTHBIRD_AUTHENTIK_URL": "ftp://x",
	} {
		t.Run(name, func(t *testing.T) {
			a, _, people := testApp(t, map[string]string{name: value}, "setup", "connector")
			if exit := runApp(a); exit != exitUsage || !strings.HasPrefix(people.String(), "authbird: "+name+": ") {
				t.Errorf("exit %d\n%s", exit, people)
			}
		})
	}
}

// runApp does what Run does, on an app that a test holds.
func runApp(a *app) int { return Run(context.Background(), a.worldAgain()) }

// worldAgain is the world that an app was made of.
func (a *app) worldAgain() World {
	w := a.World
	w.Stdout, w.Stderr = a.terminal, unwrap(a.Stderr)
	return w
}

func unwrap(w io.Writer) io.Writer { return w.(*stream).w }

func TestASecretOnTheCommandLineIsRefusedAndNotRepeated(t *testing.T) {
	const secret = "s3cr3t-v4lue"
	for _, args := range []string{
		"setup connector --authentik-token=" + secret, "setup connector --authentik-token " + secret,
		"--netbird-token=" + secret, "-token=" + secret, "--passphrase=" + secret, "--client-secret " + secret,
		"setup connector " + secret, "status a " + secret, "setup connector --json --netbird-token=" + secret,
		"resume --token " + secret, secret, "setup " + secret, "--=" + secret, "keystore move " + secret,
	} {
		t.Run(args, func(t *testing.T) {
			a, out, people := testApp(t, nil, strings.Fields(args)...)
			if exit := runApp(a); exit != exitUsage {
				t.Errorf("exit %d, want %d", exit, exitUsage)
			}
			if both := out.String() + people.String(); strings.Contains(both, secret) {
				t.Errorf("repeats it:\n%s", both)
			}
			if strings.Contains(args, "token") && !strings.Contains(people.String(), "AUTHENTIK_TOKEN") {
				t.Errorf("does not say where tokens go:\n%s", people)
			}
		})
	}
}

func TestASetupsQuotedNameInTheNextCommand(t *testing.T) {
	if got := resumeCommand("it's $HOME"); got != `authbird resume "it's \$HOME"` {
		t.Errorf("got %s", got)
	}
}
