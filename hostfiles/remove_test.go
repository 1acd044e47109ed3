package hostfiles

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRemove(t *testing.T) {
	ours := []Line{{Key: "A", Value: "ours", Comment: "# why"}}
	type result struct{ Rest, Removed, Kept string }
	for name, c := range map[string]struct {
		have   string
		lines  []Line
		before map[string]string
		want   result
	}{
		"a line of its own":           {"X=1\nA=\"ours\"\nY=2\n", ours, nil, result{"X=1\nY=2\n", "A", ""}},
		"with our comment":            {"X=1\n# why\nA=ours\nY=2\n", ours, nil, result{"X=1\nY=2\n", "A", ""}},
		"with our comment first":      {"# why\nA=ours", ours, nil, result{"", "A", ""}},
		"another's comment stays":     {"# mine\nA=ours # mine too\n", ours, nil, result{"# mine\n # mine too\n", "A", ""}},
		"exported, with a semicolon":  {"export A=ours;\nY=2\n", ours, nil, result{"Y=2\n", "A", ""}},
		"an earlier value":            {"X=1\nA=\"ours\" # mine\n", ours, map[string]string{"A": "it's $old"}, result{"X=1\nA='it'\\''s $old' # mine\n", "A", ""}},
		"an earlier empty value":      {"A=\"ours\"\n", ours, map[string]string{"A": ""}, result{"A=\"\"\n", "A", ""}},
		"beside another, put back":    {"X=1 A=ours\n", ours, map[string]string{"A": "old"}, result{"X=1 A=\"old\"\n", "A", ""}},
		"beside another, not ours":    {"X=1 A=ours\n", ours, nil, result{"X=1 A=ours\n", "", "A"}},
		"behind another":              {"X=1; A=ours\n", ours, nil, result{"X=1; A=ours\n", "", "A"}},
		"before another":              {"A=ours; X=1\n", ours, nil, result{"A=ours; X=1\n", "", "A"}},
		"changed by now":              {"A=theirs\n", ours, map[string]string{"A": "old"}, result{"A=theirs\n", "", "A"}},
		"in a condition by now":       {"if true; then A=ours; fi\n", ours, nil, result{"if true; then A=ours; fi\n", "", "A"}},
		"gone by now":                 {"X=1\n", ours, map[string]string{"A": "old"}, result{"X=1\n", "", ""}},
		"the last of two":             {"A=old\nA=ours\n", ours, nil, result{"A=old\n", "A", ""}},
		"ours but set again since":    {"A=ours\nA=theirs\n", ours, nil, result{"A=ours\nA=theirs\n", "", "A"}},
		"by a reference":              {"B=ours\nA=$B\n", ours, nil, result{"B=ours\n", "A", ""}},
		"in a file from Windows":      {"X=1\r\nA=\"ours\"\nY=2\r\n", ours, nil, result{"X=1\r\nY=2\r\n", "A", ""}},
		"a secret that is not known":  {"A=\n", []Line{{Key: "A", Secret: true}}, nil, result{"A=\n", "", "A"}},
		"an omitted secret":           {"A=\"${A:-}\"\n", []Line{{Key: "A", Secret: true, Omit: true}}, nil, result{"", "A", ""}},
		"an omitted one, filled in":   {"A=pw\n", []Line{{Key: "A", Value: "pw", Secret: true, Omit: true}}, nil, result{"", "A", ""}},
		"an omitted one, not as ours": {"A=other\n", []Line{{Key: "A", Value: "pw", Secret: true, Omit: true}}, nil, result{"A=other\n", "", "A"}},
	} {
		t.Run(name, func(t *testing.T) {
			rest, removed, kept, err := Remove([]byte(c.have), c.lines, c.before)
			if err != nil {
				t.Fatal(err)
			}
			got := result{Rest: string(rest)}
			for _, key := range removed {
				got.Removed += key
			}
			for _, key := range kept {
				got.Kept += key
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	if rest, _, _, err := Remove([]byte("A=\"\n"), ours, nil); err == nil || rest != nil {
		t.Errorf("a file that bash cannot read: %q, %v", rest, err)
	}
}

func TestRead(t *testing.T) {
	have := `A=1
export B="two $A" C=$'t\x68\162ee\n\z'
EMPTY=
D=$B-${A:-no}${EMPTY-no}
A=\o\ n\\e
E=${EMPTY:-nothing}${A:+ and}${A+ set}
F="\$A \` + "`" + ` \" \\ \x"
REF=$HOME DEFAULT=${UNSET:-x} OPTION="${A:-'q'}" LENGTH=${#A} TILDE=~/x PATHS=a:~/x UNICODE=$'\u00e9' TRANSLATED=$"x"
COMMAND=$(date)
SUM=$((1+1))
BY_COMMAND=x; read BY_COMMAND
LIST=(1 2)
MORE=a; MORE+=b
if true; then MAYBE=1; fi
FOLLOWS=$MAYBE
`
	want := map[string]string{
		"A": `o n\e`, "B": "two 1", "C": "three\n\\z", "D": "two 1-1", "EMPTY": "", "E": "nothing and set", "F": "$A ` \" \\ \\x",
	}
	got, err := Read([]byte(have))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	needBash(t)
	var keys []string
	for key := range want {
		keys = append(keys, key)
	}
	if diff := cmp.Diff(want, sourced(t, t.TempDir(), []byte(have), keys)); diff != "" {
		t.Errorf("bash sees (-want +got):\n%s", diff)
	}
}
