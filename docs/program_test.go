package docs_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"authbird/cli"
	"authbird/doctor"
)

// verb is a verb of the program, as its help tells it.
type verb struct {
	words string // after authbird; "" is the program itself
	short string
	flags []flagLine
	own   int // how many of the flags are not every verb's
}

type flagLine struct{ name, kind, help string }

// help is what the program says with --help.
func help(t *testing.T, words ...string) string {
	t.Helper()
	var out bytes.Buffer
	exit := cli.Run(context.Background(), cli.World{
		Args: append(slices.Clone(words), "--help"), Stdin: strings.NewReader(""), Stdout: &out, Stderr: &out,
		Getenv: func(string) string { return "" }, Now: time.Now, Rand: rand.Reader, Version: "v0.0.0-test",
	})
	if exit != 0 {
		t.Fatalf("authbird %s --help: exit %d\n%s", strings.Join(words, " "), exit, out.String())
	}
	return out.String()
}

var (
	flagOf = regexp.MustCompile(`^\s+(?:-\w, )?--([\w-]+)(?: (\S+))?\s{2,}(.+)$`)
	verbOf = regexp.MustCompile(`^  ([a-z-]+)\s+(.+)$`)
)

// verbs are all verbs of the program, each with its flags.
func verbs(t *testing.T, words ...string) []verb {
	t.Helper()
	v := verb{words: strings.Join(words, " ")}
	var below []string
	part, shorts := "", map[string]string{}
	for _, line := range strings.Split(help(t, words...), "\n") {
		if strings.HasSuffix(line, ":") && !strings.HasPrefix(line, " ") {
			part = line
			continue
		}
		if m := flagOf.FindStringSubmatch(line); m != nil && strings.Contains(part, "Flags") && m[1] != "help" && m[1] != "version" {
			v.flags = append(v.flags, flagLine{m[1], m[2], m[3]})
			if part == "Flags:" && v.words != "" {
				v.own++
			}
		}
		if m := verbOf.FindStringSubmatch(line); m != nil && part == "Available Commands:" && m[1] != "help" && m[1] != "completion" {
			below, shorts[m[1]] = append(below, m[1]), m[2]
		}
	}
	out := []verb{v}
	for _, name := range below {
		sub := verbs(t, append(slices.Clone(words), name)...)
		sub[0].short = shorts[name]
		out = append(out, sub...)
	}
	return out
}

// TestEveryCommandInAPageIsOneOfTheProgram looks at what is called authbird and
// what has two dashes, in blocks and in the text.
func TestEveryCommandInAPageIsOneOfTheProgram(t *testing.T) {
	byWords := map[string]verb{}
	any := map[string]bool{"help": true, "version": true}
	for _, v := range verbs(t) {
		byWords[v.words] = v
		for _, f := range v.flags {
			any[f.name] = true
		}
	}
	code := regexp.MustCompile("`[^`\n]+`")
	all := append(pages(t), filepath.Join("..", "README.md"))
	for _, page := range all {
		raw, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		text := strings.ReplaceAll(string(raw), "\\\n", " ")
		var spans []string
		for _, b := range blocks(t, page) {
			if b.lang != "" && b.lang != "sh" && b.lang != "console" {
				continue
			}
			spans = append(spans, strings.Split(regexp.MustCompile(`\\\n\s*`).ReplaceAllString(b.text, " "), "\n")...)
		}
		spans = append(spans, code.FindAllString(text, -1)...)
		for _, span := range spans {
			checkSpan(t, page, strings.Trim(span, "`"), byWords, any)
		}
	}
}

var anyFlag = regexp.MustCompile(`(?:^|[\s(])--([a-z][a-z-]+)`)

func checkSpan(t *testing.T, page, span string, byWords map[string]verb, any map[string]bool) {
	t.Helper()
	words := strings.Fields(strings.TrimPrefix(span, "$ "))
	i := slices.Index(words, "authbird")
	if i < 0 {
		if m := anyFlag.FindStringSubmatch(span); m != nil && strings.HasPrefix(span, "--") && !any[m[1]] {
			t.Errorf("%s: there is no flag --%s", page, m[1])
		}
		return
	}
	v, at := byWords[""], i+1
	for ; at < len(words); at++ {
		sub, known := byWords[strings.TrimSpace(v.words+" "+strings.TrimRight(words[at], ",.;)"))]
		if !known {
			break
		}
		v = sub
	}
	for _, w := range words[at:] {
		if w == "|" || w == ">" || w == "&&" || w == ";" || w == "&" || strings.HasPrefix(w, "$(") {
			break
		}
		name, isFlag := strings.CutPrefix(w, "--")
		name, _, _ = strings.Cut(strings.TrimRight(name, ",.;)\""), "=")
		if isFlag && name != "" && name != "help" && name != "version" && !slices.ContainsFunc(v.flags, func(f flagLine) bool { return f.name == name }) {
			t.Errorf("%s: authbird %s has no flag --%s\n%s", page, v.words, name, span)
		}
	}
}

var update = flag.Bool("update", false, "write docs/reference.md anew")

// TestTheReferenceIsTheProgram: the page with all verbs, flags and exit codes is
// made of the program.
func TestTheReferenceIsTheProgram(t *testing.T) {
	want := reference(t)
	if *update {
		if err := os.WriteFile("reference.md", []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile("reference.md")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(have)); diff != "" {
		t.Errorf("reference.md (-program +page): go test ./docs -run Reference -update writes it anew\n%s", diff)
	}
}

func reference(t *testing.T) string {
	var b strings.Builder
	b.WriteString("# Reference\n\nMade of the program; a test keeps it so. Each flag has an environment twin: `--authentik-url` is\n" +
		"`AUTHBIRD_AUTHENTIK_URL`; a flag wins. Tokens come from `AUTHENTIK_TOKEN` and `NETBIRD_TOKEN`, from files, from the\nkeystore, or from a masked field, never from a command line.\n\n## Exit codes\n\n| code | means |\n|---|---|\n")
	for _, c := range exitCodes(t) {
		fmt.Fprintf(&b, "| %s | %s |\n", c[0], c[1])
	}
	b.WriteString("\nOf several setups the worst counts. `doctor` ends with 1 where a check failed, with 3 for notes where `--strict` is\ngiven, and with 4 or 5 where it could not look at all.\n")
	for _, v := range verbs(t) {
		if v.words == "" {
			b.WriteString("\n## Every verb\n\n")
			table(&b, v.flags)
			continue
		}
		fmt.Fprintf(&b, "\n## authbird %s\n\n%s.\n", v.words, strings.TrimSuffix(v.short, "."))
		if v.own > 0 {
			b.WriteString("\n")
			table(&b, v.flags[:v.own])
		}
	}
	return b.String()
}

func table(b *strings.Builder, flags []flagLine) {
	b.WriteString("| flag | means |\n|---|---|\n")
	for _, f := range flags {
		name := "--" + f.name
		if f.kind != "" {
			name += " " + strings.NewReplacer("stringArray", "TEXT", "string", "TEXT", "duration", "TIME", "int", "NUMBER").Replace(f.kind)
		}
		fmt.Fprintf(b, "| `%s` | %s |\n", strings.ReplaceAll(name, "|", "\\|"), strings.ReplaceAll(strings.TrimSpace(f.help), "|", "\\|"))
	}
}

// exitCodes are the constants of the program, with what is said beside them.
func exitCodes(t *testing.T) [][2]string {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), filepath.Join("..", "cli", "exit.go"), nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	var out [][2]string
	ast.Inspect(f, func(n ast.Node) bool {
		if v, ok := n.(*ast.ValueSpec); ok && len(v.Values) == 1 && strings.HasPrefix(v.Names[0].Name, "exit") {
			if lit, ok := v.Values[0].(*ast.BasicLit); ok && v.Comment != nil {
				out = append(out, [2]string{lit.Value, strings.TrimSpace(v.Comment.Text())})
			}
		}
		return true
	})
	if len(out) < 8 {
		t.Fatalf("found %d exit codes only", len(out))
	}
	return out
}

// TestEveryPageIsInTheIndexAndEveryLinkLeadsSomewhere.
func TestEveryPageIsInTheIndexAndEveryLinkLeadsSomewhere(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	for _, page := range append(pages(t), filepath.Join("..", "README.md"), filepath.Join("..", "CONTRIBUTING.md")) {
		raw, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		linked := map[string]bool{}
		for _, m := range link.FindAllStringSubmatch(string(raw), -1) {
			to, _, _ := strings.Cut(m[1], "#")
			if strings.Contains(to, "://") || to == "" {
				continue
			}
			linked[to] = true
			if _, err := os.Stat(filepath.Join(filepath.Dir(page), to)); err != nil {
				t.Errorf("%s links to %s, which isn't there", page, to)
			}
		}
		if page == "README.md" {
			for _, other := range pages(t) {
				if other != page && !linked[other] {
					t.Errorf("README.md, the index, doesn't link to %s", other)
				}
			}
		}
	}
}

// A picture that is on no page is made for nobody.
func TestEveryPictureIsOnAPage(t *testing.T) {
	pictures, err := filepath.Glob("*.svg")
	if err != nil || len(pictures) == 0 {
		t.Fatalf("no picture is here: %v", err)
	}
	shown := ""
	for _, page := range append(pages(t), filepath.Join("..", "README.md")) {
		raw, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		shown += string(raw)
	}
	for _, picture := range pictures {
		if !strings.Contains(shown, picture+")") {
			t.Errorf("%s is on no page", picture)
		}
	}
}

// TestTheDoctorsPageHasEveryCheck: each check of the doctor is on the page of
// symptoms, and each that the page's tables name is one.
func TestTheDoctorsPageHasEveryCheck(t *testing.T) {
	raw, err := os.ReadFile("doctor.md")
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, standalone := range []bool{false, true} {
		c := doctor.Case{Standalone: standalone, AskNetBird: true, Here: doctor.Locally{EnvFile: "x", Management: "x", Log: "x"}}
		for _, q := range doctor.Questions(c) {
			known[q.ID] = true
			if !strings.Contains(string(raw), "`"+q.ID+"`") {
				t.Errorf("doctor.md doesn't name the check %s: %s", q.ID, q.Title)
				raw = append(raw, "`"+q.ID+"`"...) // once is enough
			}
		}
	}
	id := regexp.MustCompile("`([a-z]+(?:-[a-z]+)*)`")
	column := -1
	for line := range strings.Lines(string(raw)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if at := slices.IndexFunc(cells, func(c string) bool { return strings.TrimSpace(c) == "check" }); at >= 0 {
			column = at
		}
		if !strings.HasPrefix(line, "|") || column < 0 || column >= len(cells) {
			continue
		}
		for _, m := range id.FindAllStringSubmatch(cells[column], -1) {
			if !known[m[1]] {
				t.Errorf("doctor.md names the check %s, which there is not", m[1])
			}
		}
	}
}
