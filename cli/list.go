package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v4"

	"authbird/clients"
	"authbird/state"
)

// A list of setups is a YAML file for people who run many:
//
//	defaults:                            # for every setup below; optional
//	  authentik-url: https://auth.example.com
//	  authentik-token-file: authentik.token
//	setups:
//	  - setup: acme                      # its name; by default NetBird's host
//	    mode: connector                  # or standalone; connector by default
//	    netbird-url: https://netbird.acme.example
//	    netbird-token-env: ACME_NETBIRD_TOKEN
//	    allow-group: [acme-staff]
//
// Each key is a flag of setup, without its dashes; besides those there are mode,
// authentik-token-env and netbird-token-env. No secret stands in the file.

// longestList is far beyond any list that a person keeps.
const longestList = 1 << 20

// runFlags belong to the run and not to a setup.
var runFlags = []string{"yes", "json", "accessible", "plain", "trace", "timeout", "sandbox", "state-dir", "from", "jobs", "help"}

// fileFlags name files, which are looked for from the list's folder.
var fileFlags = []string{"authentik-token-file", "netbird-token-file", "ca-file", "keystore-identity", "env-file", "netbird-config"}

// entry is one setup of a list.
type entry struct {
	line  int
	mode  state.Mode
	opts  options
	given map[string]string // as of an app: which flags the list sets
	lines map[string]int    // of each key
	env   map[string]string // authentik-token-env, netbird-token-env
	job   *job
}

// listError is everything that is wrong with a list, each with its line.
type listError struct {
	file     string
	problems []listProblem
}

type listProblem struct {
	line int
	text string
}

func (e *listError) Error() string { return e.at(0) }

func (e *listError) at(i int) string {
	return fmt.Sprintf("%s:%d: %s", e.file, e.problems[i].line, e.problems[i].text)
}

func (e *listError) addf(line int, format string, args ...any) {
	e.problems = append(e.problems, listProblem{line, clients.Clean(fmt.Sprintf(format, args...))})
}

// usage is the error that a person is told: the first problem, and the others
// below it.
func (e *listError) usage() error {
	if len(e.problems) == 0 {
		return nil
	}
	slices.SortStableFunc(e.problems, func(a, b listProblem) int { return a.line - b.line })
	u := &usageError{message: e.at(0)}
	for i := 1; i < len(e.problems); i++ {
		u.hints = append(u.hints, e.at(i))
	}
	u.hints = append(u.hints, "nothing was begun")
	return u
}

// readList reads a list of setups. base is what the command line says for all
// of them.
func readList(file string, base map[string]string) ([]*entry, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, usagef("--from: %v", err)
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, longestList+1))
	switch {
	case err != nil:
		return nil, usagef("--from: %v", err)
	case len(raw) > longestList:
		return nil, usagef("--from: %s is longer than a list can be (%d bytes)", file, longestList)
	}
	return parseList(file, raw, base)
}

func parseList(file string, raw []byte, base map[string]string) ([]*entry, error) {
	p := &listParser{listError: listError{file: file}, base: base}
	var doc yaml.Node
	if err := yaml.Unmarshal(raw, &doc); err != nil {
		return nil, usagef("--from: %s: %s", file, oneLine(clients.Clean(err.Error())))
	}
	if len(doc.Content) == 0 {
		return nil, usagef("--from: %s is empty", file)
	}
	top := p.pairs(doc.Content[0], "the file")
	var defaults, setups *yaml.Node
	for _, pair := range top {
		switch pair.key.Value {
		case "defaults":
			defaults = pair.value
		case "setups":
			setups = pair.value
		default:
			p.addf(pair.key.Line, "there is no %q here; a list has defaults and setups", pair.key.Value)
		}
	}
	if setups == nil || setups.Kind != yaml.SequenceNode || len(setups.Content) == 0 {
		p.addf(doc.Content[0].Line, "setups, a list with an entry for each setup, is missing")
		return nil, p.usage()
	}
	var shared []pair
	if defaults != nil {
		shared = p.pairs(defaults, "defaults")
	}
	var out []*entry
	for _, node := range setups.Content {
		if e := p.entry(node, shared); e != nil {
			out = append(out, e)
		}
	}
	return out, p.usage()
}

// pair is a key of a mapping with its value.
type pair struct{ key, value *yaml.Node }

type listParser struct {
	listError
	base map[string]string
}

// pairs are the keys of a mapping, none twice.
func (p *listParser) pairs(n *yaml.Node, what string) []pair {
	n = resolved(n)
	if n.Kind != yaml.MappingNode {
		p.addf(n.Line, "%s must be keys with values", what)
		return nil
	}
	var out []pair
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], resolved(n.Content[i+1])
		if line, twice := seen[key.Value]; twice {
			p.addf(key.Line, "%q stands here again; it stood at line %d", key.Value, line)
			continue
		}
		seen[key.Value] = key.Line
		out = append(out, pair{key, value})
	}
	return out
}

func resolved(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

// entry reads one setup: what the command line says for all, the defaults over
// it, and the entry's own over both.
func (p *listParser) entry(n *yaml.Node, shared []pair) *entry {
	own := p.pairs(n, "a setup")
	if own == nil {
		return nil
	}
	e := &entry{line: n.Line, mode: state.Connector, given: map[string]string{}, lines: map[string]int{}, env: map[string]string{}}
	for _, pair := range slices.Concat(shared, own) {
		if pair.key.Value == "mode" {
			e.mode = state.Mode(pair.value.Value)
			if e.mode != state.Connector && e.mode != state.Standalone {
				p.addf(pair.value.Line, "mode: it is connector or standalone")
				return nil
			}
		}
	}
	flags := pflag.NewFlagSet("entry", pflag.ContinueOnError)
	e.opts.common(flags)
	e.opts.modeFlags(e.mode)(flags)
	for name, value := range p.base {
		if flags.Set(name, value) == nil {
			e.given[name] = byFlag
		}
	}
	for i, pair := range slices.Concat(shared, own) {
		p.set(e, flags, pair, i < len(shared))
	}
	if e.opts.timeout == 0 {
		e.opts.timeout = defaultTimeout
	}
	if err := e.opts.check(e.given); err != nil {
		key, _, _ := strings.Cut(strings.TrimPrefix(err.Error(), "--"), ":")
		p.addf(e.at(key), "%s", strings.TrimPrefix(err.Error(), "--"))
	}
	return e
}

// at is the line of a key, or the entry's own.
func (e *entry) at(key string) int {
	if line := e.lines[key]; line > 0 {
		return line
	}
	return e.line
}

// set gives one key its value.
func (p *listParser) set(e *entry, flags *pflag.FlagSet, of pair, shared bool) {
	key, line := of.key.Value, of.key.Line
	e.lines[key] = line
	switch key {
	case "mode":
		return
	case "authentik-token-env", "netbird-token-env":
		if of.value.Kind != yaml.ScalarNode || of.value.Value == "" {
			p.addf(line, "%s: it is the name of a variable", key)
			return
		}
		e.env[key] = of.value.Value
		return
	}
	flag := flags.Lookup(key)
	switch {
	case slices.Contains(runFlags, key):
		p.addf(line, "%s belongs to the command line, not to a setup", key)
		return
	case flag == nil && secretFlag(key):
		p.addf(line, "no secret stands in this file; name a file (authentik-token-file, netbird-token-file) or a variable (authentik-token-env, netbird-token-env)")
		return
	case flag == nil && shared: // of the other mode
		if !knownKey(key) {
			p.addf(line, "there is no key %q%s", key, likeKey(key))
		}
		return
	case flag == nil:
		p.addf(line, "there is no key %q for a %s setup%s", key, e.mode, likeKey(key))
		return
	}
	values, ok := scalars(of.value)
	list, many := flag.Value.(pflag.SliceValue)
	switch {
	case !ok || len(values) != 1 && !many:
		p.addf(of.value.Line, "%s: it has one value", key)
		return
	case many:
		if err := list.Replace(values); err != nil {
			p.addf(of.value.Line, "%s: %v", key, err)
		}
	default:
		if err := setTwin(flag, p.place(key, values[0])); err != nil {
			p.addf(of.value.Line, "%s: %v", key, err)
		}
	}
	e.given[key] = byFlag
	if strings.HasSuffix(key, "-token-file") {
		delete(e.env, strings.TrimSuffix(key, "file")+"env")
		if values[0] == "-" {
			p.addf(of.value.Line, "%s: a list can't read standard input", key)
		}
	}
}

// place is a file's name as it is found from the list's folder.
func (p *listParser) place(key, value string) string {
	if !slices.Contains(fileFlags, key) || value == "" || value == "-" || filepath.IsAbs(value) {
		return value
	}
	return absolute(filepath.Join(filepath.Dir(p.file), value))
}

// scalars are the values of a node that is a value or a list of values.
func scalars(n *yaml.Node) ([]string, bool) {
	if n.Kind == yaml.ScalarNode {
		return []string{n.Value}, n.Tag != "!!null"
	}
	if n.Kind != yaml.SequenceNode {
		return nil, false
	}
	out := []string{}
	for _, c := range n.Content {
		if c = resolved(c); c.Kind != yaml.ScalarNode || c.Tag == "!!null" {
			return nil, false
		}
		out = append(out, c.Value)
	}
	return out, true
}

// knownKey says whether setups of any mode have such a key.
func knownKey(key string) bool {
	var o options
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	o.connector(flags)
	other := pflag.NewFlagSet("", pflag.ContinueOnError)
	o.standalone(other)
	return flags.Lookup(key) != nil || other.Lookup(key) != nil
}

// likeKey suggests the key that was probably meant.
func likeKey(key string) string {
	meant := strings.TrimLeft(strings.ReplaceAll(strings.ToLower(key), "_", "-"), "-")
	var o options
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	o.common(flags)
	if meant != key && (knownKey(meant) || flags.Lookup(meant) != nil) {
		return "; did you mean " + meant + "?"
	}
	return ""
}

// oneOfAKind refuses entries that would work on the same thing.
func oneOfAKind(file string, all []*entry) error {
	problems := listError{file: file}
	seen := map[string]*entry{}
	for _, e := range all {
		n := e.job.answers
		netbird := "NetBird " + first(n.NetBirdURL, n.NetBirdDomain)
		for _, thing := range []struct{ what, key string }{
			{"the name " + strconv.Quote(e.job.name), "setup"},
			{netbird, first(map[bool]string{true: "netbird-url"}[n.NetBirdURL != ""], "netbird-domain")},
			{"the slug " + strconv.Quote(n.Slug) + " at " + n.AuthentikURL, "slug"},
			{"the provider " + strconv.Quote(n.Name) + " at " + n.AuthentikURL, "name"},
			{"the service account " + strconv.Quote(n.ServiceAccount) + " at " + n.AuthentikURL, "service-account"},
		} {
			if thing.key == "service-account" && e.mode != state.Standalone {
				continue
			}
			if other := seen[thing.what]; other != nil {
				problems.addf(e.at(thing.key), "%s is that of the setup at line %d already%s", thing.what, other.line, remedy(thing.key))
				break // the others follow from it
			}
			seen[thing.what] = e
		}
	}
	return problems.usage()
}

func remedy(key string) string {
	if key == "slug" || key == "name" || key == "service-account" {
		return "; give each its own " + key
	}
	return ""
}

func first(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

// tokenOf reads one of an entry's tokens; empty where it names none.
func (a *app) tokenOf(e *entry, server string) (string, error) {
	variable, path := e.env[server+"-token-env"], e.opts.authentikToken
	if server == "netbird" {
		path = e.opts.netbirdFile
	}
	if variable != "" {
		token, err := cleanToken(variable, a.Getenv(variable))
		if err == nil && token == "" {
			err = errors.New("the variable " + variable + " is empty")
		}
		return token, err
	}
	if path == "" {
		return "", nil
	}
	return a.token(server+"-token-file", path, "")
}
