// Package docs_test runs the documentation: every command block of its pages,
// by a shell, with the real program against simulated servers; and it compares
// every verb, flag and exit code that a page names with the program.
//
// A page's commands are in blocks tagged sh (they must succeed) or console
// (after each line that begins with "$ " stands what it prints; … stands for
// anything). A block that can't be run says why, after its tag:
//
//	```sh norun: needs Docker
//
// In blocks, https://auth.example.com and https://netbird.example.com are the
// simulated servers, and so are the NetBirds of acme and beta. Their tokens are
// in authentik.token, netbird.token, acme.token and beta.token, and in the
// environment.
package docs_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/rogpeppe/go-internal/testscript"

	"authbird/cli"
	"authbird/sim"
	simauthentik "authbird/sim/authentik"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"authbird": func() { os.Exit(cli.Run(context.Background(), cli.OS("v0.0.0-test"))) },
	})
}

// block is a code block of a page.
type block struct {
	line   int
	lang   string
	reason string // why it is not run; "" where it is
	text   string
	fenced bool
}

var fence = regexp.MustCompile("^```(\\w*)(?: norun: (.+))?$")

// blocks are the code blocks of a page, fenced or indented.
func blocks(t *testing.T, page string) []block {
	t.Helper()
	raw, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	var out []block
	var open *block
	blank := true
	for i, line := range strings.Split(string(raw), "\n") {
		m := fence.FindStringSubmatch(line)
		switch {
		case open != nil && open.fenced && line == "```":
			out, open = append(out, *open), nil
		case open != nil && open.fenced:
			open.text += line + "\n"
		case m != nil:
			open = &block{line: i + 1, lang: m[1], reason: m[2], fenced: true}
		case strings.HasPrefix(line, "```"):
			t.Errorf("%s:%d: a fence of another kind: %s", page, i+1, line)
		case strings.HasPrefix(line, "    ") && (blank || open != nil):
			if open == nil {
				open = &block{line: i + 1}
			}
			open.text += strings.TrimPrefix(line, "    ") + "\n"
		case open != nil && line != "":
			out, open = append(out, *open), nil
		}
		blank = line == ""
	}
	if open != nil {
		t.Errorf("%s:%d: the block doesn't end", page, open.line)
	}
	return out
}

func pages(t *testing.T) []string {
	t.Helper()
	all, err := filepath.Glob("*.md")
	if err != nil || len(all) < 5 {
		t.Fatalf("%d pages, %v", len(all), err)
	}
	return all
}

// site is where a page's commands run: a folder, and servers that it knows by
// their names.
type site struct {
	t     *testing.T
	dir   string
	env   []string
	names map[string]string // what a page writes → where it is
}

func newSite(t *testing.T, page string) *site {
	t.Helper()
	s := &site{t: t, dir: t.TempDir(), names: map[string]string{}}
	raw, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	for _, server := range []struct{ name, token string }{{"netbird.example.com", "netbird.token"}, {"netbird.acme.example", "acme.token"}, {"netbird.beta.example", "beta.token"}} {
		if !bytes.Contains(raw, []byte("https://"+server.name)) && server.token != "netbird.token" {
			continue
		}
		box, err := sim.Start(sim.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(box.Close)
		s.file(server.token, box.NetBirdToken)
		s.names["https://"+server.name] = box.NetBirdURL
		if server.token == "netbird.token" {
			s.main(box)
		}
	}
	return s
}

// main is the pair that the environment speaks of.
func (s *site) main(box *sim.Sandbox) {
	s.file("authentik.token", box.AuthentikToken)
	s.names["https://auth.example.com"] = box.AuthentikURL
	for user, groups := range map[string][]string{sim.PersonUsername: {"netbird-users"}, "carol": {"netbird-admins"}} {
		box.Authentik.AddUser(simauthentik.User{Username: user, Name: user, Email: user + "@example.com", Password: sim.PersonPassword, Groups: groups})
	}
	id, err := age.GenerateX25519Identity()
	if err != nil {
		s.t.Fatal(err)
	}
	s.env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + s.dir, "XDG_STATE_HOME=" + filepath.Join(s.dir, ".state"), "TERM=dumb",
		"AUTHBIRD_KEYSTORE=file", "AUTHBIRD_KEYSTORE_IDENTITY=" + s.file(".key", id.String()),
		"AUTHENTIK_TOKEN=" + box.AuthentikToken, "NETBIRD_TOKEN=" + box.NetBirdToken,
	}
}

func (s *site) file(name, content string) string {
	s.t.Helper()
	path := filepath.Join(s.dir, name)
	if err := os.WriteFile(path, []byte(content+"\n"), 0o600); err != nil {
		s.t.Fatal(err)
	}
	return path
}

// here is a page's text with the simulated servers in it, and there the way
// back.
func (s *site) here(text string) string {
	for name, url := range s.names {
		text = strings.ReplaceAll(text, name, url)
	}
	return text
}

func (s *site) there(text string) string {
	for name, url := range s.names {
		text = strings.ReplaceAll(text, url, name)
		text = strings.ReplaceAll(text, strings.TrimPrefix(url, "http://"), strings.TrimPrefix(name, "https://"))
	}
	return text
}

// run lets a shell do what a block says, where the block before it left off.
func (s *site) run(options, script string) (string, error) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 5*time.Minute)
	defer cancel()
	kept := filepath.Join(s.dir, ".shell")
	cmd := exec.CommandContext(ctx, "bash", "-c", options+`
[ ! -f "$1" ] || . "$1"
eval "$2"
{ declare -px; printf 'cd %q\n' "$PWD"; } > "$1"`, "bash", kept, s.here(script))
	cmd.Dir, cmd.Env = s.dir, s.env
	out, err := cmd.CombinedOutput()
	return s.there(string(out)), err
}

// TestEveryCommandBlockRuns runs the pages.
func TestEveryCommandBlockRuns(t *testing.T) {
	if _, err := exec.LookPath("bash"); err != nil {
		t.Skip("no bash here")
	}
	for _, page := range pages(t) {
		t.Run(page, func(t *testing.T) {
			t.Parallel()
			var s *site
			for _, b := range blocks(t, page) {
				if b.lang != "sh" && b.lang != "console" || b.reason != "" {
					continue
				}
				if s == nil {
					s = newSite(t, page)
				}
				if _, err := exec.LookPath("curl"); err != nil && strings.Contains(b.text, "curl ") {
					t.Skip("no curl here")
				}
				if b.lang == "sh" {
					if out, err := s.run("set -eo pipefail", b.text); err != nil {
						t.Fatalf("%s:%d: %v\n%s\n%s", page, b.line, err, b.text, out)
					}
					continue
				}
				for _, x := range exchanges(t, page, b) {
					out, _ := s.run("", x.command)
					if !matches(x.prints, out) {
						t.Fatalf("%s:%d: %s\nprints\n%s\nand the page says\n%s", page, x.line, x.command, out, x.prints)
					}
				}
			}
		})
	}
}

// exchange is a command of a console block with what it prints.
type exchange struct {
	line            int
	command, prints string
}

func exchanges(t *testing.T, page string, b block) []exchange {
	t.Helper()
	var out []exchange
	for i, line := range strings.SplitAfter(b.text, "\n") {
		command, is := strings.CutPrefix(line, "$ ")
		switch {
		case is:
			out = append(out, exchange{line: b.line + 1 + i, command: command})
		case len(out) == 0 && strings.TrimSpace(line) != "":
			t.Fatalf("%s:%d: a console block begins with a command after $", page, b.line)
		case len(out) > 0:
			last := &out[len(out)-1]
			if strings.HasSuffix(last.command, "\\\n") && last.prints == "" {
				last.command += line
				continue
			}
			last.prints += line
		}
	}
	return out
}

// matches compares what was printed with what a page says: … stands for
// anything, over lines where it stands alone.
func matches(want, got string) bool {
	var pattern strings.Builder
	for line := range strings.Lines(strings.TrimSpace(want) + "\n") {
		if line == "…\n" {
			pattern.WriteString(`(?:.*\n)*`)
			continue
		}
		pattern.WriteString(strings.ReplaceAll(regexp.QuoteMeta(line), "…", `.*`))
	}
	return regexp.MustCompile(`^` + pattern.String() + `$`).MatchString(strings.TrimSpace(got) + "\n")
}

func TestWhatAConsoleBlockSaysIsCompared(t *testing.T) {
	for _, c := range []struct {
		want, got string
		fits      bool
	}{
		{"done", "done\n", true}, {"done", "done it", false}, {"a … c", "a b c", true}, {"a … c", "a\nc", false},
		{"a\n…\nc", "a\nb\nb\nc", true}, {"a\n…\nc", "a\nc", true}, {"…", "", true}, {"x", "", false}, {"(a)", "(a)", true},
	} {
		if matches(c.want, c.got) != c.fits {
			t.Errorf("%q and %q: want %v", c.want, c.got, c.fits)
		}
	}
}

// indented are the pages whose indented blocks are held against the program's
// flags, but not run.
var indented = map[string]bool{
	"ssh.md": true, "serve.md": true,
}

// TestEveryBlockSaysWhatItIs: a block has a tag and, where it is not run, a
// reason.
func TestEveryBlockSaysWhatItIs(t *testing.T) {
	for _, page := range pages(t) {
		for _, b := range blocks(t, page) {
			switch {
			case !b.fenced && indented[page], page == "design.md":
			case !b.fenced:
				t.Errorf("%s:%d: an indented block; fence it, and tag it sh, console or what it is", page, b.line)
			case b.lang == "":
				t.Errorf("%s:%d: a block without a tag", page, b.line)
			}
		}
	}
}
