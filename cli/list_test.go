package cli

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"authbird/state"
)

func TestAListIsReadWithItsDefaults(t *testing.T) {
	file := filepath.Join(t.TempDir(), "customers.yaml")
	all, err := parseList(file, []byte(`
defaults: &shared
  authentik-url: https://auth.example.com/
  authentik-token-file: ak.token
  allow-group: [staff]
setups:
  - setup: acme
    netbird-url: https://netbird.acme.example
    netbird-token-env: ACME
    slug: acme
  - mode: standalone
    netbird-domain: vpn.beta.example
    service-account-rights: least
    env-file: beta/setup.env
    authentik-token-env: BETA
    allow-group: admins
`), map[string]string{"keystore": "file"})
	if err != nil {
		t.Fatal(err)
	}
	one, two := all[0], all[1]
	var a, b state.Answers
	b.Mode = state.Standalone
	one.opts.overlay(&a, one.given)
	two.opts.overlay(&b, two.given)
	dir := filepath.Dir(file)
	want := state.Answers{AuthentikURL: "https://auth.example.com", NetBirdURL: "https://netbird.acme.example", Slug: "acme", AllowGroups: []string{"staff"}, Keystore: "file"}
	if diff := cmp.Diff(want, a); diff != "" || one.opts.setup != "acme" || one.env["netbird-token-env"] != "ACME" || one.opts.authentikToken != filepath.Join(dir, "ak.token") {
		t.Errorf("%s %+v", diff, one)
	}
	want = state.Answers{Mode: state.Standalone, AuthentikURL: "https://auth.example.com", NetBirdDomain: "vpn.beta.example", Rights: "least",
		EnvFile: filepath.Join(dir, "beta/setup.env"), AllowGroups: []string{"admins"}, Keystore: "file"}
	if diff := cmp.Diff(want, b); diff != "" || two.env["authentik-token-env"] != "BETA" || two.line != 11 {
		t.Errorf("%s %+v", diff, two)
	}
}

func TestWhatIsWrongWithAListIsToldByItsLine(t *testing.T) {
	const head = "setups:\n  - netbird-url: https://a.example.com\n"
	for name, c := range map[string]struct{ text, want string }{
		"nothing":               {"", "is empty"},
		"no YAML":               {"setups: [", "list.yaml"},
		"no setups":             {"defaults: {}\n", "list.yaml:1: setups, a list"},
		"another key":           {"customers: []\nsetups: [{}]\n", `list.yaml:1: there is no "customers" here`},
		"an unknown key":        {head + "    netbird: x\n", `list.yaml:3: there is no key "netbird" for a connector setup`},
		"underscores":           {head + "    netbird_token_env: X\n", `list.yaml:3: no secret stands in this file`},
		"a near miss":           {head + "    allow_group: X\n", `list.yaml:3: there is no key "allow_group" for a connector setup; did you mean allow-group?`},
		"of the other mode":     {head + "    env-file: x\n", `list.yaml:3: there is no key "env-file" for a connector setup`},
		"a secret":              {head + "    netbird-token: nbp_hunter22\n", "list.yaml:3: no secret stands in this file"},
		"a run's flag":          {head + "    json: true\n", "list.yaml:3: json belongs to the command line"},
		"a key twice":           {head + "    slug: a\n    slug: b\n", "slug"},
		"a bad mode":            {head + "    mode: cloud\n", "list.yaml:3: mode: it is connector or standalone"},
		"a bad choice":          {head + "    connector-type: saml\n", "list.yaml:3: connector-type: it is authentik or oidc"},
		"a bad truth":           {head + "    adopt: perhaps\n", "list.yaml:3: adopt: it is true or false"},
		"a list for one":        {head + "    slug: [a, b]\n", "list.yaml:3: slug: it has one value"},
		"no value":              {head + "    slug:\n", "list.yaml:3: slug: it has one value"},
		"a bad address":         {"setups:\n  - slug: x\n    netbird-url: ftp://a\n", "list.yaml:3: netbird-url: "},
		"http over the network": {"setups:\n  - slug: x\n    authentik-url: http://auth.example.com\n", "list.yaml:3: authentik-url: http://auth.example.com would carry tokens"},
		"standard input":        {head + "    netbird-token-file: '-'\n", "list.yaml:3: netbird-token-file: a list can't read standard input"},
		"a bad default":         {"defaults:\n  colour: blue\n" + head, `list.yaml:2: there is no key "colour"`},
		"a setup that is none":  {"setups:\n  - acme\n", "list.yaml:2: a setup must be keys with values"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := parseList("list.yaml", []byte(c.text), nil)
			if err == nil || !strings.Contains(err.Error(), c.want) || exitOf(err) != exitUsage {
				t.Fatalf("got %v, want %s", err, c.want)
			}
			if strings.Contains(err.Error()+strings.Join(explain(err).Hints, ""), "hunter22") {
				t.Error("the error repeats a secret")
			}
		})
	}
}

func TestAllThatIsWrongIsToldAtOnce(t *testing.T) {
	_, err := parseList("list.yaml", []byte("setups:\n  - slug: [1, 2]\n  - nonsense: 1\n  - mode: x\n"), nil)
	out := explain(err)
	want := []string{`list.yaml:3: there is no key "nonsense" for a connector setup`, "list.yaml:4: mode: it is connector or standalone", "nothing was begun"}
	if diff := cmp.Diff(want, out.Hints); diff != "" || out.Message != "list.yaml:2: slug: it has one value" {
		t.Errorf("%s %s", out.Message, diff)
	}
}

func TestTwoEntriesForOneThingAreRefusedWithBothLines(t *testing.T) {
	entryAt := func(line int, name, netbird, slug, provider string) *entry {
		return &entry{line: line, mode: state.Connector, lines: map[string]int{"slug": line + 1}, job: &job{name: name,
			answers: state.Answers{AuthentikURL: "https://auth.example.com", NetBirdURL: netbird, Slug: slug, Name: provider}}}
	}
	for name, c := range map[string]struct {
		other *entry
		want  string
	}{
		"the name":     {entryAt(9, "a", "https://b", "b", "B"), `l.yaml:9: the name "a" is that of the setup at line 2 already`},
		"the NetBird":  {entryAt(9, "b", "https://a", "b", "B"), `l.yaml:9: NetBird https://a is that of the setup at line 2 already`},
		"the slug":     {entryAt(9, "b", "https://b", "a", "B"), `l.yaml:10: the slug "a" at https://auth.example.com is that of the setup at line 2 already; give each its own slug`},
		"the provider": {entryAt(9, "b", "https://b", "b", "A"), `l.yaml:9: the provider "A" at https://auth.example.com is that of the setup at line 2 already; give each its own name`},
	} {
		t.Run(name, func(t *testing.T) {
			err := oneOfAKind("l.yaml", []*entry{entryAt(2, "a", "https://a", "a", "A"), c.other})
			if err == nil || err.Error() != c.want {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

func TestSomeAreWorkedOnAtOnceAndToldInOrder(t *testing.T) {
	a, out, _ := testApp(t, nil, "--json")
	a.opts.jobs = 3
	var entries []*entry
	for _, name := range []string{"a", "b", "c", "d", "e", "f", "g"} {
		entries = append(entries, &entry{job: &job{name: name}})
	}
	var now, most atomic.Int32
	var three sync.WaitGroup
	three.Add(3)
	var first atomic.Int32
	all := a.eachOf(context.Background(), entries, func(_ context.Context, e *entry) outcome {
		if n := now.Add(1); n > most.Load() {
			most.Store(n)
		}
		if first.Add(1) <= 3 { // the first three wait for one another: so three are at once
			three.Done()
			three.Wait()
		}
		now.Add(-1)
		if e.job.name == "c" {
			return outcome{Setup: "c", Exit: exitReach, Message: "not reached"}
		}
		return outcome{Setup: e.job.name, Message: "well"}
	})
	if most.Load() != 3 {
		t.Errorf("%d at once, want 3", most.Load())
	}
	var order []string
	for _, o := range all {
		order = append(order, o.Setup)
	}
	if strings.Join(order, "") != "abcdefg" || strings.Count(out.String(), `"kind":"outcome"`) != 7 {
		t.Errorf("order %v\n%s", order, out)
	}
	last := lastOf(all)
	if last.Exit != exitReach || last.Message != "6 of 7 setups came to a good end" || last.Hints[0] != "c: not reached" {
		t.Errorf("%+v", last)
	}
}

func TestTheWorstExitCounts(t *testing.T) {
	for _, c := range [][]int{{0, 3, 3}, {3, 5, 5}, {5, 4, 4}, {4, 8, 8}, {8, 1, 1}, {1, 130, 130}, {1, 5, 1}} {
		if got := worse(c[0], c[1]); got != c[2] {
			t.Errorf("of %d and %d: %d, want %d", c[0], c[1], got, c[2])
		}
	}
}

func TestATokenOfTheEnvironmentGoesToOneAuthentikOnly(t *testing.T) {
	a, _, _ := testApp(t, map[string]string{"AUTHENTIK_TOKEN": "one", "MINE": "mine"})
	at := func(url, own string) *entry {
		e := &entry{job: &job{answers: state.Answers{AuthentikURL: url}}}
		e.job.tokens.Authentik = own
		return e
	}
	same := []*entry{at("https://a", ""), at("https://a", ""), at("https://b", "mine")}
	a.lendToken(same)
	if same[0].job.tokens.Authentik != "one" || same[1].job.tokens.Authentik != "one" || same[2].job.tokens.Authentik != "mine" {
		t.Error("those at one Authentik weren't lent its token")
	}
	several := []*entry{at("https://a", ""), at("https://b", "")}
	a.lendToken(several)
	if several[0].job.tokens.Authentik+several[1].job.tokens.Authentik != "" {
		t.Error("a token was lent to several servers")
	}
}

func TestAListThatIsTooLongIsNotRead(t *testing.T) {
	file := filepath.Join(t.TempDir(), "l.yaml")
	if err := os.WriteFile(file, make([]byte, longestList+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readList(file, nil); err == nil || !strings.Contains(err.Error(), "longer than a list can be") {
		t.Error(err)
	}
}
