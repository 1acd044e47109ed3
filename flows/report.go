package flows

import (
	"fmt"
	"net/url"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"

	"authbird/clients"
	"authbird/doctor"
)

// ReportOptions say what a report of the doctor may tell.
type ReportOptions struct {
	Version   string    // of authbird
	At        time.Time // when it was looked
	Names     bool      // people's names and addresses stay in
	MaskHosts bool      // the servers' names and addresses are left out
	Secrets   []string  // what must not be in it, though nothing puts it there
}

// Report is what the doctor found as a page in Markdown, made to be pasted into
// an issue: versions, verdicts, evidence and repairs, one part for each
// diagnosis. No secret is in it and, unless asked for, nobody's name. What
// servers said stands in it as text that Markdown does not read.
func Report(all []*Diagnosis, o ReportOptions) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "# authbird doctor\n\nauthbird %s on %s/%s, %s\n", mdCode(o.Version), runtime.GOOS, runtime.GOARCH, o.At.UTC().Format("2006-01-02 15:04 MST"))
	for _, d := range all {
		r := newRedactor(d, o)
		r.diagnosis(&b, d)
	}
	return []byte(b.String())
}

func (r *redactor) diagnosis(b *strings.Builder, d *Diagnosis) {
	name := d.Setup
	if name == "" {
		name = "a connection that authbird did not make"
	}
	fmt.Fprintf(b, "\n## %s\n\n", r.text(name))
	row := func(label, value string) {
		if value != "" {
			fmt.Fprintf(b, "- %s: %s\n", label, value)
		}
	}
	row("mode", r.text(string(d.Answers.Mode)))
	row("Authentik", r.server(d.AuthentikVersion, d.Answers.AuthentikURL))
	row("NetBird", r.server(d.NetBirdVersion, first(d.Answers.NetBirdURL, d.Answers.NetBirdDomain)))
	row("checks", doctor.Count(d.Results).String())
	if d.CouldNotLook != nil {
		row("could not look", r.text(d.CouldNotLook.Error()))
	}
	sorted := doctor.Sorted(d.Results)
	for _, g := range doctor.Groups() {
		r.group(b, g, sorted)
	}
}

// group writes one group's results: those that are not well with all that is
// known, the others by their evidence.
func (r *redactor) group(b *strings.Builder, g doctor.Group, sorted []doctor.Result) {
	name := string(g)
	begun := false
	for _, c := range sorted {
		if c.Group != g {
			continue
		}
		if !begun {
			fmt.Fprintf(b, "\n### %s\n\n", strings.ToUpper(name[:1])+name[1:])
			begun = true
		}
		fmt.Fprintf(b, "- **%s** %s (%s)", c.Verdict.Words(), r.text(c.Title), mdCode(clients.Clean(c.ID)))
		if c.Verdict == doctor.OK {
			if c.Evidence != "" {
				fmt.Fprintf(b, ": %s", r.code(c.Evidence))
			}
			b.WriteString("\n")
			continue
		}
		b.WriteString("\n")
		line := func(label, value string) {
			if value != "" {
				fmt.Fprintf(b, "  - %s: %s\n", label, value)
			}
		}
		line("cause", r.text(c.Cause))
		line("seen", r.code(c.Evidence))
		line("hits", r.text(c.Hits))
		line("repair", mdCode(clients.Clean(c.Repair)))
		line("to do", r.text(c.Advice))
	}
}

func (r *redactor) server(version, address string) string {
	var parts []string
	if version != "" {
		parts = append(parts, r.code(version))
	}
	if address != "" {
		parts = append(parts, "at "+r.code(address))
	}
	return strings.Join(parts, " ")
}

// Brief is the diagnosis without what was read of the servers: enough to tell
// and to report, of many at once.
func (d *Diagnosis) Brief() *Diagnosis {
	out := *d
	out.people, out.facts = d.whom(), nil
	return &out
}

// whom lists the people whose names a text of the diagnosis may hold. Accounts
// of services, and those that every server has, are nobody's.
func (d *Diagnosis) whom() []string {
	out := slices.Clone(d.people)
	f := d.facts
	if f == nil {
		return out
	}
	seen := map[string]bool{"": true, "akadmin": true, "admin": true}
	add := func(person bool, names ...string) {
		for _, n := range names {
			if n = clients.Clean(n); person && len(n) >= 2 && !seen[n] {
				out, seen[n] = append(out, n), true
			}
		}
	}
	add(f.Authentik.Me.Value.Type != "service_account", f.Authentik.Me.Value.Username, f.Authentik.Me.Value.Name)
	for _, u := range append(slices.Clone(f.Proof.Users.Value), f.Authentik.Account.Value) {
		add(u.Type != "service_account" && u.Type != "internal_service_account", u.Username, u.Name)
	}
	for _, u := range append(slices.Clone(f.NetBird.Users.Value), f.NetBird.Me.Value) {
		add(!u.ServiceUser, u.Name)
	}
	return out
}

// redactor takes out of texts what a report may not tell.
type redactor struct {
	secrets []string
	people  []string
	hosts   [][2]string // a name and what stands for it
	names   bool
	mask    bool
}

func newRedactor(d *Diagnosis, o ReportOptions) *redactor {
	r := &redactor{names: o.Names, mask: o.MaskHosts}
	for _, s := range o.Secrets {
		if len(s) >= 4 {
			r.secrets = append(r.secrets, s)
		}
	}
	longestFirst := func(a, b string) int { return len(b) - len(a) }
	slices.SortFunc(r.secrets, longestFirst)
	r.people = d.whom()
	slices.SortFunc(r.people, longestFirst)
	if o.MaskHosts {
		r.host(d.Answers.AuthentikURL, "authentik.invalid")
		r.host(d.Answers.NetBirdURL, "netbird.invalid")
		r.host(d.Answers.NetBirdDomain, "netbird.invalid")
		for _, h := range slices.Clone(r.hosts) { // the domain that both are in
			if _, domain, ok := strings.Cut(h[0], "."); ok && strings.Contains(domain, ".") && !addresses.MatchString(h[0]) {
				r.hosts = append(r.hosts, [2]string{domain, "domain.invalid"})
			}
		}
	}
	return r
}

func (r *redactor) host(address, stand string) {
	host := address
	if u, err := url.Parse(address); err == nil && u.Host != "" {
		host = u.Hostname()
	}
	if host != "" {
		r.hosts = append(r.hosts, [2]string{host, stand})
	}
}

// What looks like a secret, whoever put it there; what names a person; and what
// names a machine.
var (
	secretive = regexp.MustCompile(`eyJ[\w-]+\.[\w-]+(\.[\w-]*)?|\bnbp_\w+|\bak_\w{16,}|[A-Za-z0-9_-]{48,}`)
	mails     = regexp.MustCompile(`[\w.+-]+@[\w-]+(\.[\w-]+)*`)
	folders   = regexp.MustCompile(`(/home/|/Users/|\\Users\\)[^/\\\s"']+`)
	urlHosts  = regexp.MustCompile(`(https?://)([^/\s"'?#]+)`)
	addresses = regexp.MustCompile(`\b\d{1,3}(\.\d{1,3}){3}\b|\[?[0-9a-fA-F]{0,4}(:[0-9a-fA-F]{0,4}){3,7}\]?`)
)

// hide is a cleaned text without what may not be told.
func (r *redactor) hide(s string) string {
	s = clients.Clean(s)
	for _, secret := range r.secrets {
		s = strings.ReplaceAll(s, secret, "***")
	}
	s = secretive.ReplaceAllString(s, "***")
	if !r.names {
		s = mails.ReplaceAllString(s, "(address)")
		s = folders.ReplaceAllString(s, "${1}(name)")
		for _, p := range r.people {
			if strings.Contains(s, p) {
				s = wholeWord(p).ReplaceAllLiteralString(s, "(name)")
			}
		}
	}
	if r.mask {
		for _, h := range r.hosts {
			s = regexp.MustCompile(`(?i)`+regexp.QuoteMeta(h[0])).ReplaceAllLiteralString(s, h[1])
		}
		s = urlHosts.ReplaceAllStringFunc(s, r.otherHost)
		s = addresses.ReplaceAllLiteralString(s, "(address)")
	}
	return s
}

// otherHost masks the host of a URL that is none of the setup's own.
func (r *redactor) otherHost(s string) string {
	m := urlHosts.FindStringSubmatch(s)
	if strings.Contains(m[2], ".invalid") || strings.HasPrefix(m[2], "localhost") {
		return s
	}
	return m[1] + "host.invalid"
}

// wholeWord finds a name, but not in the middle of another word.
func wholeWord(name string) *regexp.Regexp {
	edge := func(c byte) string {
		if c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' {
			return `\b`
		}
		return "" // \b knows only these
	}
	return regexp.MustCompile(edge(name[0]) + regexp.QuoteMeta(name) + edge(name[len(name)-1]))
}

// text is a sentence in Markdown.
func (r *redactor) text(s string) string { return mdText(r.hide(s)) }

// code is what was seen, verbatim.
func (r *redactor) code(s string) string { return mdCode(r.hide(s)) }

// mdText escapes what Markdown and the sites that draw it would read: marks,
// HTML, and an @ that would call somebody.
func mdText(s string) string {
	var b strings.Builder
	for _, c := range s {
		switch {
		case c == '@':
			b.WriteString("(at)")
			continue
		case c == '<':
			b.WriteString("&lt;")
			continue
		case strings.ContainsRune("\\`*_[]#|~>", c):
			b.WriteByte('\\')
		}
		b.WriteRune(c)
	}
	return b.String()
}

// mdCode is a code span that holds a text as it is, backticks too.
func mdCode(s string) string {
	if s == "" {
		return ""
	}
	fence := "`"
	for strings.Contains(s, fence) {
		fence += "`"
	}
	pad := ""
	if strings.HasPrefix(s, "`") || strings.HasSuffix(s, "`") {
		pad = " "
	}
	return fence + pad + s + pad + fence
}

// ReportName is a name for a report's file.
func ReportName(setup string, at time.Time) string {
	safe := strings.Map(func(c rune) rune {
		if c == '.' || c == '-' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' {
			return c
		}
		return '-'
	}, setup)
	return "authbird-doctor-" + strings.Trim(first(safe, "found"), ".-") + "-" + at.UTC().Format("20060102-150405") + ".md"
}
