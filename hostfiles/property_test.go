package hostfiles

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// hostile is a value as nobody should choose one, without what check refuses.
func hostile() *rapid.Generator[string] {
	bits := []string{
		"$", "$HOME", "$(touch x)", "`id`", "'", "''", `"`, `\`, `\\`, `\n`, " ", "  ", "\t", "\n", "\r", "\r\n", "!", "!!",
		"-n", "--", "#", " # x", ";", "&", "|", "<(x)", "~", "~root", "*", "?", "[a]", "{a,b}", "=", "%s", "é", "日本", "🙂", "\u202e", "\u200b",
		"\u00ad", "\xff", "\xe9", "\x01", "\x7f", "\x1b[31m", "7", "077", "x", "abcDEF123", "netbird.example.com", "true", "false", "\ufeff",
	}
	return rapid.Custom(func(t *rapid.T) string {
		v := strings.Join(rapid.SliceOfN(rapid.SampledFrom(bits), 0, 6).Draw(t, "bits"), "")
		return strings.ReplaceAll(v, "{{", "{")
	})
}

// foreign are the keys of other people's lines in a drawn file.
var foreign = []string{"NETBIRD_TURN_DOMAIN", "OTHER", "EMPTY", "LAST"}

// anyFile draws a setup.env that bash can read and Merge may edit.
func anyFile(ours []string) *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		windows := rapid.Bool().Draw(t, "windows")
		styles := []string{
			"%s=bare", "%s=", "%s=\"double quoted\"", "%s='single quoted'", "export %s=exported", "export %s='x y' Z=1", "%s=$'a\\tb\\x41\\101\\u00e9'",
			"  %s=indented", "%s=\"a # b\" # behind", "%s='it'\\''s'", "%s=a\\ b", "%s=\"${OTHER:-none}\"", "%s=$OTHER", "%s=x; LAST=1", "LAST=2 %s='same line'",
			"declare -x %s=declared", "%s='two\nlines'", "%s=é\u202e", "%s=\"\\$5 \\\" \\\\ \\x\"", "%s='$(id) `id`'", "%s=pre\"$OTHER\"'post'",
		}
		others := []string{"# a comment", "", "#", "   ", "# %s=\"commented out\"", "#export %s=x", "OTHER=\"one\"", "EMPTY=", "NETBIRD_TURN_DOMAIN='turn'", "true", "OTHER='$x' # %s=1"}
		if !windows {
			others = append(others, "if true; then\n  OTHER=in\nfi", "cat <<EOF\n# %s=no\n%s=no\nEOF", "OTHER=\\\ncontinued", "f() {\n# %s=no\n:; }", "# f\xfcr \xe9")
		}
		var lines []string
		for range rapid.IntRange(0, 12).Draw(t, "lines") {
			from := others
			if rapid.Bool().Draw(t, "ours") {
				from = styles
			}
			key := rapid.SampledFrom(ours).Draw(t, "key")
			lines = append(lines, strings.ReplaceAll(rapid.SampledFrom(from).Draw(t, "line"), "%s", key))
		}
		text := strings.Join(lines, "\n")
		if rapid.Bool().Draw(t, "final newline") {
			text += "\n"
		}
		if windows {
			text = strings.ReplaceAll(text, "\n", "\r\n")
		}
		return text
	})
}

func anySetup(t *rapid.T) []Line {
	v := Values{
		Authentik: "https://" + hostile().Draw(t, "authentik"), Slug: "netbird", ClientID: hostile().Draw(t, "client"),
		ServiceAccount: hostile().Draw(t, "account"), Password: hostile().Draw(t, "password"),
		OmitPassword: rapid.Bool().Draw(t, "omit"), Domain: hostile().Draw(t, "domain"),
	}
	return Standalone(v)
}

func TestBashSeesWhatWasMeant(t *testing.T) {
	needBash(t)
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		lines := anySetup(t)
		have := anyFile(append(keysOf(lines), "OTHER")).Draw(t, "file")
		merged, changes, err := Merge([]byte(have), lines)
		if err != nil {
			t.Fatalf("%v", err)
		}
		keys := append(keysOf(lines), foreign...)
		before, after := sourced(t, dir, []byte(have), keys), sourced(t, dir, merged, keys)
		known, err := Read([]byte(have))
		if err != nil {
			t.Fatalf("%v", err)
		}
		for _, l := range lines {
			want := l.want()
			now, stands := before[l.Key]
			_, told := known[l.Key]
			if l.Default && stands && (!told || strings.Trim(now, "\r") != "") || l.Omit && now == l.Value {
				want = now
			}
			if got, set := after[l.Key]; !set || got != want {
				t.Fatalf("bash sees %s=%q, wanted %q, in\n%s", l.Key, got, want, merged)
			}
		}
		for _, key := range foreign {
			if before[key] != after[key] {
				t.Fatalf("%s was %q and is %q", key, before[key], after[key])
			}
		}
		againText, again, err := Merge(merged, lines)
		if err != nil || string(againText) != string(merged) || len(again) > 0 {
			t.Fatalf("merged again: %v, %+v\n%q", err, again, againText)
		}
		for _, c := range changes {
			if c.Secret && (c.Have != "" && c.Have != masked || c.Want != "" && c.Want != masked) {
				t.Fatalf("a secret in %+v", c)
			}
		}
	})
}

func TestReadAgreesWithBash(t *testing.T) {
	needBash(t)
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		ours := []string{"A", "B", "OTHER"}
		have := anyFile(ours).Draw(t, "file")
		values, err := Read([]byte(have))
		if err != nil {
			t.Fatalf("%v", err)
		}
		bash := sourced(t, dir, []byte(have), append(ours, foreign...))
		for key, value := range values {
			if bash[key] != value && key != "Z" {
				t.Fatalf("%s is %q to bash and %q to us", key, bash[key], value)
			}
		}
	})
}

// TestOtherBytesStay takes our lines out of both texts: what is left must be
// the same, byte for byte.
func TestOtherBytesStay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lines := anySetup(t)
		have := anyFile([]string{"OTHER", "A"}).Draw(t, "file") // none of our keys stands
		have = strings.ReplaceAll(have, "# A=", "# "+lines[3].Key+"=")
		merged, _, err := Merge([]byte(have), lines)
		if err != nil {
			t.Fatalf("%v", err)
		}
		var rest strings.Builder
		for _, line := range strings.SplitAfter(string(merged), "\n") {
			key, _, _ := strings.Cut(line, "=")
			bare := strings.TrimSuffix(line, "\n")
			if order(lines, key) < 0 && bare != promptComment && bare != omitComment {
				rest.WriteString(line)
			}
		}
		if got := rest.String(); got != have && got != have+"\n" {
			t.Fatalf("(-have +left):\n%s", cmp.Diff(have, got))
		}
	})
}

func TestRemoveUndoesMerge(t *testing.T) {
	needBash(t)
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		lines := anySetup(t)
		have := anyFile(append(keysOf(lines), "OTHER")).Draw(t, "file")
		merged, changes, err := Merge([]byte(have), lines)
		if err != nil {
			t.Fatalf("%v", err)
		}
		var made []Line
		unclear := map[string]bool{}
		for _, c := range changes {
			made = append(made, lines[order(lines, c.Key)])
			unclear[c.Key] = c.Unclear || c.Secret
		}
		rest, _, kept, err := Remove(merged, made, Before(changes))
		if err != nil {
			t.Fatalf("%v", err)
		}
		keys := append(keysOf(lines), foreign...)
		before, after := sourced(t, dir, []byte(have), keys), sourced(t, dir, rest, keys)
		for _, key := range keys {
			if !unclear[key] && before[key] != after[key] {
				t.Fatalf("%s was %q and is %q (kept %q) in\n%s", key, before[key], after[key], kept, rest)
			}
		}
	})
}

func TestEverySingleByteSurvives(t *testing.T) {
	needBash(t)
	var lines []Line
	want := map[string]string{}
	for c := 1; c < 256; c++ {
		for i, value := range []string{string([]byte{byte(c)}), string([]byte{'a', byte(c), '7', '\''})} {
			l := Line{Key: fmt.Sprintf("K%d_%d", c, i), Value: value}
			lines, want[l.Key] = append(lines, l), value
		}
	}
	text, err := Text(lines)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, sourced(t, t.TempDir(), text, keysOf(lines))); diff != "" {
		t.Errorf("bash sees (-want +got):\n%s", diff)
	}
	values, err := Read(text)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, values); diff != "" {
		t.Errorf("Read sees (-want +got):\n%s", diff)
	}
}
