package cli

import (
	"encoding/csv"
	"errors"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// byFlag is where a value came from when it was not the environment.
const byFlag = "flag"

// variable is the environment twin of a flag.
func variable(flag string) string {
	return "AUTHBIRD_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// twins gives each flag that was not set on the command line the value of its
// environment twin, and remembers where each value came from. An empty
// variable is none.
func (a *app) twins(flags *pflag.FlagSet) error {
	var failed error
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Changed {
			a.given[f.Name] = byFlag
			return
		}
		value := a.Getenv(variable(f.Name))
		if value == "" || f.Name == "help" || f.Name == "version" {
			return
		}
		if err := setTwin(f, value); err != nil && failed == nil {
			failed = usagef("%s: %v", variable(f.Name), err)
		}
		a.given[f.Name] = variable(f.Name)
	})
	return failed
}

// setTwin sets a flag from a variable. A list is separated by commas, with
// quotes around a name that holds one.
func setTwin(f *pflag.Flag, value string) error {
	if list, ok := f.Value.(pflag.SliceValue); ok {
		names, err := csv.NewReader(strings.NewReader(value)).Read()
		if err != nil {
			return errors.New("it is a list of names with commas between them, and quotes around a name that holds one")
		}
		return list.Replace(names)
	}
	err := f.Value.Set(value)
	if err == nil {
		return nil
	}
	switch f.Value.Type() {
	case "bool":
		return errors.New("it is true or false")
	case "duration":
		return errors.New("it is a time such as 20s or 1m30s")
	case "int":
		return errors.New("it is a number")
	}
	return err
}

// flagOr names a flag as it was given: the variable, where it came from there.
func flagOr(flag string, given map[string]string) string {
	if from := given[flag]; from != "" && from != byFlag {
		return from
	}
	return "--" + flag
}

// wantsJSON looks for --json before the flags are parsed, because their errors
// are told in JSON too.
func wantsJSON(args []string, getenv func(string) string) bool {
	wants, _ := strconv.ParseBool(getenv(variable("json")))
	for _, arg := range args {
		name, value, has := strings.Cut(arg, "=")
		switch {
		case arg == "--":
			return wants
		case name != "--json":
		case !has:
			wants = true
		default:
			if on, err := strconv.ParseBool(value); err == nil {
				wants = on
			}
		}
	}
	return wants
}

// secretFlag says that a flag, which authbird does not have, was meant to
// carry a secret.
func secretFlag(name string) bool {
	name = strings.ToLower(strings.TrimLeft(name, "-"))
	for _, word := range []string{"token", "secret", "pass", "pat", "key"} {
		if strings.Contains(name, word) {
			return true
		}
	}
	return false
}

// flagError words what the flag parser refuses, and never repeats a value that
// may have been a secret.
func flagError(_ *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	var invalid *pflag.InvalidValueError
	var valueless *pflag.ValueRequiredError
	switch {
	case errors.As(err, &unknown):
		return unknownFlag(unknown)
	case errors.As(err, &invalid):
		flag := invalid.GetFlag()
		cause := setTwin(flag, invalid.GetValue())
		if cause == nil {
			cause = errors.New("this value can't be read")
		}
		return usagef("--%s: %v", flag.Name, cause)
	case errors.As(err, &valueless):
		return usagef("--%s needs a value", valueless.GetSpecifiedName())
	}
	return usagef("a flag can't be read; flags look like --name or --name value")
}

func unknownFlag(err *pflag.NotExistError) error {
	name, meant := err.GetSpecifiedName(), err.GetSpecifiedName()
	if short := err.GetSpecifiedShortnames(); short != "" {
		name = "-" + name
		meant, _, _ = strings.Cut(short, "=")
	} else {
		name = "--" + name
	}
	if secretFlag(meant) {
		return &usageError{
			message: "a token or password is never an argument: every program on this machine could read it",
			hints: []string{
				"tokens come from AUTHENTIK_TOKEN and NETBIRD_TOKEN, or from --authentik-token-file and --netbird-token-file (- is standard input)",
				"a passphrase comes from the file that AUTHBIRD_PASSPHRASE_FILE names",
				"what was just typed may be in the shell's history: better make a new one",
			},
		}
	}
	return &usageError{message: "unknown flag " + name, hints: []string{"authbird --help lists the verbs and flags"}}
}

// noArguments is for verbs that take none. The argument itself is not
// repeated: it may have been meant for a field that hides it.
func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return usagef("%s takes no further argument", cmd.CommandPath())
}

func oneSetup(cmd *cobra.Command, args []string) error {
	if len(args) <= 1 {
		return nil
	}
	return usagef("%s takes one setup", cmd.CommandPath())
}

// noVerb refuses words that are no verb.
func (a *app) noVerb(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var verbs []string
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			verbs = append(verbs, c.Name())
		}
	}
	message := "there is no such verb"
	if looksLikeWord(args[0]) {
		message = "there is no verb " + args[0]
	}
	hints := []string{cmd.CommandPath() + " knows: " + strings.Join(verbs, ", ")}
	cmd.SuggestionsMinimumDistance = 2
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		hints = append(hints, "did you mean "+cmd.CommandPath()+" "+near[0]+"?")
	}
	return &usageError{message: message, hints: hints}
}

// looksLikeWord says that a text is short and plain enough to be a misspelt
// verb and no secret.
func looksLikeWord(s string) bool {
	return len(s) <= 14 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz-") == ""
}
