package hostfiles

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func read(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestTextIsTheDocumentedBlock(t *testing.T) {
	got, err := Text(Standalone(setup))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(read(t, "documented.env")), string(got)); diff != "" {
		t.Errorf("not as NetBird's page has it (-page +ours):\n%s", diff)
	}
}

func TestMergeEdits(t *testing.T) {
	one := []Line{{Key: "A", Value: "new"}}
	for name, c := range map[string]struct {
		have  string
		lines []Line
		want  string
	}{
		"a new file":                               {"", one, "A=\"new\"\n"},
		"a bare value in place":                    {"X=1\nA=old\nY=2\n", one, "X=1\nA=\"new\"\nY=2\n"},
		"single quotes, exported, with a comment":  {"export A='old'  # why\nY=2\n", one, "export A=\"new\"  # why\nY=2\n"},
		"an empty value at the end of the file":    {"B=1\nA=", []Line{{Key: "A", Value: "new"}, {Key: "C", Value: "c"}}, "B=1\nA=\"new\"\nC=\"c\"\n"},
		"the last of several, as bash goes by it":  {"A=1\nA=2\nB=$A\n", one, "A=1\nA=\"new\"\nB=$A\n"},
		"two on a line":                            {"X=1 A=2; Y=3\n", one, "X=1 A=\"new\"; Y=3\n"},
		"no newline at the end":                    {"X=1", one, "X=1\nA=\"new\"\n"},
		"two added without a newline at the end":   {"X=1", []Line{{Key: "A", Value: "a"}, {Key: "B", Value: "b"}}, "X=1\nA=\"a\"\nB=\"b\"\n"},
		"below where it is commented out":          {"X=1\n # export A=\"a\"\nY=2\n", one, "X=1\n # export A=\"a\"\nA=\"new\"\nY=2\n"},
		"below a comment that ends the file":       {"X=1\n#A=a", one, "X=1\n#A=a\nA=\"new\"\n"},
		"a comment in a here-document is none":     {"X=$(cat <<E\n#A=a\nE\n)\n", one, "X=$(cat <<E\n#A=a\nE\n)\nA=\"new\"\n"},
		"a comment inside a block is none":         {"if true; then\n#A=a\n:\nfi\n", one, "if true; then\n#A=a\n:\nfi\nA=\"new\"\n"},
		"a value of two lines":                     {"A='x\ny'\nB=1\n", one, "A=\"new\"\nB=1\n"},
		"a value that stands is left as it is":     {"A='new' # mine\n", one, "A='new' # mine\n"},
		"a reference that comes to the same":       {"B=old\nA=$B\n", []Line{{Key: "B", Value: "new"}, {Key: "A", Value: "new"}}, "B=\"new\"\nA=$B\n"},
		"a reference to the environment":           {"A=$HOME\n", []Line{{Key: "A", Value: ""}}, "A=\"\"\n"},
		"a default where there is none":            {"X=1\n", []Line{{Key: "A", Value: "d", Default: true}}, "X=1\nA=\"d\"\n"},
		"a default where it is empty":              {"A=\"\"\n", []Line{{Key: "A", Value: "d", Default: true}}, "A=\"d\"\n"},
		"a default where a person decided":         {"A=mine\n", []Line{{Key: "A", Value: "d", Default: true}}, "A=mine\n"},
		"a default where the environment does":     {"A=$DOMAIN\n", []Line{{Key: "A", Value: "d", Default: true}}, "A=$DOMAIN\n"},
		"a comment above what is added":            {"X=1\n", []Line{{Key: "A", Value: "a", Comment: "# why"}}, "X=1\n# why\nA=\"a\"\n"},
		"a comment above what is changed":          {"X=1\nA=b\n", []Line{{Key: "A", Value: "a", Comment: "# why"}}, "X=1\n# why\nA=\"a\"\n"},
		"a comment that stands already":            {"# why\nA=b\n", []Line{{Key: "A", Value: "a", Comment: "# why"}}, "# why\nA=\"a\"\n"},
		"a line goes above the next one's comment": {"#B=\nA=b\n", []Line{{Key: "A", Value: "a", Comment: "# why"}, {Key: "B", Value: "b"}}, "#B=\nB=\"b\"\n# why\nA=\"a\"\n"},
		"Windows line ends":                        {"X=1\r\nA=old\r\nY=2\r\n", one, "X=1\r\nA=\"new\"\nY=2\r\n"},
		"Windows line ends, the value right":       {"A=new\r\n", one, "A=\"new\"\n"},
		"Windows line ends, quoted":                {"A=\"old\"\r\n# end\r\n", one, "A=\"new\"\n# end\r\n"},
		"Latin-1 in a comment and a value":         {"# f\xfcr\nX=\xe9\nA=1\n", one, "# f\xfcr\nX=\xe9\nA=\"new\"\n"},
		"an omitted secret is taken out": {"A=old\n", []Line{{Key: "A", Value: "pw", Secret: true, Omit: true, Comment: "# how"}},
			"# how\nA=\"${A:-}\"\n"},
		"an omitted secret that a person filled in": {"A=\"pw\"\n", []Line{{Key: "A", Value: "pw", Secret: true, Omit: true, Comment: "# how"}}, "A=\"pw\"\n"},
		"an omitted secret set twice": {"A=older\nA=old\n", []Line{{Key: "A", Value: "pw", Secret: true, Omit: true}},
			"A=older\nA=\"\"\n"},
	} {
		t.Run(name, func(t *testing.T) {
			got, changes, err := Merge([]byte(c.have), c.lines)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, string(got)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if (len(changes) > 0) != (c.have != c.want) {
				t.Errorf("changes %+v for an edit from %q to %q", changes, c.have, c.want)
			}
			again, changes, err := Merge(got, c.lines)
			if err != nil || string(again) != string(got) || len(changes) > 0 {
				t.Errorf("merged again: %q, %+v, %v", again, changes, err)
			}
		})
	}
}

func TestMergeRefuses(t *testing.T) {
	for name, c := range map[string]struct{ have, want string }{
		"an open quote":          {"X=1\nA=\"old\nB=2\n", "line 2: bash cannot read this file: what is opened here"},
		"a stray bracket":        {"X=1\nA=p(w\n", "line 2, column"},
		"an if":                  {"X=1\nif true; then\n  A=1\nfi\n", "line 3: A is set inside a condition"},
		"a condition":            {"[ -f x ] && A=1\n", "line 1: A is set inside a condition"},
		"a function":             {"f() { A=1; }\n", "line 1: A is set inside"},
		"a subshell":             {"(A=1)\n", "line 1: A is set inside"},
		"an addition":            {"A=1\nA+=2\n", "line 2: A is added to with +="},
		"an array":               {"A=(1 2)\n", "line 1: A is an array"},
		"an element":             {"A[0]=1\n", "line 1: A is an array"},
		"a command":              {"A=$(pass netbird)\n", "line 1: A is set by a command"},
		"a command in quotes":    {"A=\"x`pass netbird`\"\n", "line 1: A is set by a command"},
		"arithmetic":             {"A=$((1+1))\n", "line 1: A is set by arithmetic"},
		"a setting expansion":    {"A=${B:=1}\n", "line 1: A is set by an expansion"},
		"set by an expansion":    {": ${A:=1}\n", "line 1: A is set by an expansion"},
		"unquoted spaces":        {"A=openid profile\n", "line 1: A stands before another command"},
		"unset":                  {"A=1\nunset A\n", "line 2: A is changed by unset"},
		"read":                   {"read -r A < f\n", "line 1: A is changed by read"},
		"a loop":                 {"for A in 1; do :; done\n", "line 1: A is the variable of a loop"},
		"arithmetic that sets":   {"((A=1))\n", "line 1: A stands in arithmetic"},
		"readonly":               {"readonly A=1\n", "line 1: A is declared with readonly"},
		"an attribute":           {"declare -i A=1\n", "line 1: A is declared with declare"},
		"an export of anything":  {"export \"A=1\"\n", "line 1: A is set inside"},
		"an eval":                {"eval 'A=1'\n", "line 1: A is changed by eval"},
		"an early end":           {"X=1\nreturn 0\n", "line 2: the file ends itself here"},
		"a backslash at the end": {"X=1\\", "the file cannot be edited safely"},
		"a NUL":                  {"X=1\x00\n", "line 1: a NUL byte"},
	} {
		t.Run(name, func(t *testing.T) {
			got, changes, err := Merge([]byte(c.have), []Line{{Key: "A", Value: "new"}})
			if err == nil {
				t.Fatalf("merged to %q", got)
			}
			if got != nil || changes != nil {
				t.Errorf("an error and yet %q, %+v", got, changes)
			}
			if !strings.HasPrefix(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("said %q, not %q", err, c.want)
			}
			var key *KeyError
			if errors.As(err, &key) && key.Key != "A" {
				t.Errorf("names %q", key.Key)
			}
		})
	}
}

func TestMergeRefusesValues(t *testing.T) {
	for name, lines := range map[string][]Line{
		"a NUL":                  {{Key: "A", Value: "hush\x00"}},
		"a template":             {{Key: "A", Value: "hush{{"}},
		"a name that is none":    {{Key: "A-B"}},
		"a comment of two lines": {{Key: "A", Comment: "# a\nrm -rf x"}},
		"a comment that is none": {{Key: "A", Comment: "rm -rf x"}},
		"a key twice":            {{Key: "A"}, {Key: "A"}},
	} {
		if _, _, err := Merge(nil, lines); err == nil || strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestOtherKeysMayBeAnything(t *testing.T) {
	have := "B=$(date)\nif true; then C=1; fi\nD+=x\nE=(1 2)\nsource other.env\nreadonly F=1\n"
	got, _, err := Merge([]byte(have), []Line{{Key: "A", Value: "new"}})
	if err != nil || string(got) != have+"A=\"new\"\n" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestSecretsStayOutOfChanges(t *testing.T) {
	have := "NETBIRD_IDP_MGMT_EXTRA_PASSWORD='old hush'\nNETBIRD_MGMT_IDP=$OTHER\nNETBIRD_USE_AUTH0=true\n"
	_, changes, err := Merge([]byte(have), Standalone(Values{Authentik: "https://a", Slug: "n", ClientID: "c", Password: "new hush"}))
	if err != nil {
		t.Fatal(err)
	}
	var shown []Change
	for _, c := range changes {
		if !c.Missing {
			shown = append(shown, c)
		}
	}
	want := []Change{
		{Key: "NETBIRD_USE_AUTH0", Have: "true", Want: "false"},
		{Key: "NETBIRD_MGMT_IDP", Have: "$OTHER", Want: "authentik", Unclear: true},
		{Key: "NETBIRD_IDP_MGMT_EXTRA_PASSWORD", Have: "(secret)", Want: "(secret)", Secret: true},
	}
	if diff := cmp.Diff(want, shown); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestWarnings(t *testing.T) {
	for name, c := range map[string]struct{ have, want string }{
		"Windows line ends":   {"X=1\nY=2\r\n", "line 2: the file has Windows line ends"},
		"a byte order mark":   {"\ufeffX=1\n", "line 1: the file begins with a byte order mark"},
		"another file":        {"X=1\n. ./other.env\n", "line 2: the file runs other text here"},
		"another domain":      {"NETBIRD_DOMAIN=vpn.example.org\n", `NETBIRD_DOMAIN is "vpn.example.org", not "netbird.example.com"`},
		"nothing to speak of": {"NETBIRD_DOMAIN=netbird.example.com\n", ""},
	} {
		got := strings.Join(Warnings([]byte(c.have), Standalone(setup)), "\n")
		if !strings.HasPrefix(got, c.want) || (c.want == "") != (got == "") {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestExampleFileEndToEnd(t *testing.T) {
	needBash(t)
	example, lines := read(t, "netbird/setup.env.example"), Standalone(setup)
	for name, file := range map[string][]byte{
		"as shipped":             example,
		"with Windows line ends": []byte(strings.ReplaceAll(string(example), "\n", "\r\n")),
	} {
		t.Run(name, func(t *testing.T) {
			merged, _, err := Merge(file, lines)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(wanted(lines), sourced(t, t.TempDir(), merged, keysOf(lines))); diff != "" {
				t.Errorf("bash sees (-want +got):\n%s", diff)
			}
			if name == "as shipped" {
				if diff := cmp.Diff(string(read(t, "example.merged.env")), string(merged)); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			}
		})
	}
}

func TestOmittedSecretComesFromTheEnvironment(t *testing.T) {
	needBash(t)
	v := setup
	v.OmitPassword = true
	text, err := Text(Standalone(v))
	if err != nil || strings.Contains(string(text), v.Password) {
		t.Fatalf("%s, %v", text, err)
	}
	for environ, want := range map[string]string{"X=1": "", keyPassword + "=given": "given"} {
		if got := sourced(t, t.TempDir(), text, []string{keyPassword}, environ); got[keyPassword] != want {
			t.Errorf("with %s bash sees %q", environ, got[keyPassword])
		}
	}
}
