package hostfiles

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Values is what a standalone setup puts into setup.env.
type Values struct {
	Authentik      string // its base URL, with or without a slash at the end
	Slug           string // of the application
	ClientID       string
	ServiceAccount string // its name at Authentik; "" is Netbird, as documented
	Password       string // the service account's app password
	OmitPassword   bool   // leave the password out of the file, see Line.Omit
	Domain         string // NetBird's, without scheme; "" writes no NETBIRD_DOMAIN
}

// A Line is one variable of setup.env as it should stand.
type Line struct {
	Key     string
	Value   string
	Comment string // the comment line above it, with its #, or ""

	// Secret keeps the value out of every Change.
	Secret bool
	// Default writes the value only where the file has none, or an empty one:
	// what else stands there is a person's decision.
	Default bool
	// Omit leaves the value out of the file: unless it stands there already,
	// the key becomes empty, or what the environment of configure.sh holds
	// under the same name. NetBird refuses to start with an empty password
	// ("Password is missing"), so a forgotten one lets nobody in.
	Omit bool
}

// The two keys that the code has to know; the others are only written.
const (
	keyDomain   = "NETBIRD_DOMAIN"
	keyPassword = "NETBIRD_IDP_MGMT_EXTRA_PASSWORD"
)

const (
	promptComment = "# Needs disabling due to issue with IdP. Learn more: https://github.com/netbirdio/netbird/issues/3654"
	omitComment   = `# Left out on request. To run configure.sh with it: set -a; eval "$(authbird env)"; set +a; ./configure.sh`
)

// PasswordKey is the variable of the app password: the one line that a
// rotation changes.
const PasswordKey = keyPassword

// Standalone is step 6 of NetBird's page on Authentik: its keys, in its order
// and with its values. NETBIRD_DOMAIN, without which configure.sh stops, goes
// before them as a Default line; the page takes it for granted.
func Standalone(v Values) []Line {
	account := v.ServiceAccount
	if account == "" {
		account = "Netbird"
	}
	password := Line{Key: keyPassword, Value: v.Password, Secret: true}
	if v.OmitPassword {
		password.Omit, password.Comment = true, omitComment
	}
	var lines []Line
	if v.Domain != "" {
		lines = append(lines, Line{Key: keyDomain, Value: v.Domain, Default: true})
	}
	return append(lines,
		Line{Key: "NETBIRD_AUTH_OIDC_CONFIGURATION_ENDPOINT", Value: strings.TrimRight(v.Authentik, "/") + "/application/o/" + v.Slug + "/.well-known/openid-configuration"},
		Line{Key: "NETBIRD_USE_AUTH0", Value: "false"},
		Line{Key: "NETBIRD_AUTH_CLIENT_ID", Value: v.ClientID},
		Line{Key: "NETBIRD_AUTH_SUPPORTED_SCOPES", Value: "openid profile email offline_access api"},
		Line{Key: "NETBIRD_AUTH_AUDIENCE", Value: v.ClientID},
		Line{Key: "NETBIRD_AUTH_DEVICE_AUTH_CLIENT_ID", Value: v.ClientID},
		Line{Key: "NETBIRD_AUTH_DEVICE_AUTH_AUDIENCE", Value: v.ClientID},
		Line{Key: "NETBIRD_AUTH_REDIRECT_URI", Value: "/auth"},
		Line{Key: "NETBIRD_AUTH_SILENT_REDIRECT_URI", Value: "/silent-auth"},
		Line{Key: "NETBIRD_MGMT_IDP", Value: "authentik"},
		Line{Key: "NETBIRD_IDP_MGMT_CLIENT_ID", Value: v.ClientID},
		Line{Key: "NETBIRD_IDP_MGMT_EXTRA_USERNAME", Value: account},
		password,
		Line{Key: "NETBIRD_AUTH_PKCE_DISABLE_PROMPT_LOGIN", Value: "true", Comment: promptComment},
	)
}

// Text is a setup.env of these lines alone.
func Text(lines []Line) ([]byte, error) {
	text, _, err := Merge(nil, lines)
	return text, err
}

// source is the right-hand side that stands in the file for a line.
func (l Line) source() string {
	if l.Omit {
		// Bash sees an empty value, unless it was given one from outside.
		return `"${` + l.Key + `:-}"`
	}
	return quote(l.Value)
}

// want is the value that bash sees of source in an empty environment.
func (l Line) want() string {
	if l.Omit {
		return ""
	}
	return l.Value
}

// check refuses what no line of setup.env can carry safely.
func (l Line) check() error {
	switch {
	case !validName(l.Key):
		return fmt.Errorf("%q is no name of a variable", l.Key)
	case strings.ContainsRune(l.Value, 0):
		return fmt.Errorf("the value for %s holds a NUL byte, which no shell variable can", l.Key)
	case strings.Contains(l.Value, "{{"):
		return fmt.Errorf("the value for %s holds {{, which NetBird would take for a template when it starts", l.Key)
	case strings.ContainsAny(l.Comment, "\r\n") || l.Comment != "" && l.Comment[0] != '#':
		return fmt.Errorf("the comment for %s is not one comment line", l.Key)
	}
	return nil
}

func validName(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		letter := c == '_' || c|0x20 >= 'a' && c|0x20 <= 'z'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return s != ""
}

// quote writes a value so that bash sees it byte for byte: as the
// documentation writes it where that is safe, in single quotes otherwise, and
// with escapes where a byte cannot stand in a line of text. mvdan.cc/sh's own
// Quote is not used: it spells some characters as \u, which bash renders by
// the locale of the day.
func quote(v string) string {
	if v == "true" || v == "false" {
		return v
	}
	plain, printable := true, utf8.ValidString(v)
	for _, r := range v {
		if r < ' ' || r > '~' || strings.ContainsRune("$`\"\\!", r) {
			plain = false
		}
		if !unicode.IsPrint(r) {
			printable = false
		}
	}
	switch {
	case plain:
		return `"` + v + `"`
	case printable:
		return "'" + strings.ReplaceAll(v, "'", `'\''`) + "'"
	}
	return escaped(v)
}

// escaped is v in $'…', every byte that is not printable as three octal
// digits, which no following digit can lengthen.
func escaped(v string) string {
	var b strings.Builder
	b.WriteString("$'")
	for i, size := 0, 0; i < len(v); i += size {
		var r rune
		r, size = utf8.DecodeRuneInString(v[i:])
		switch {
		case r == '\'' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case unicode.IsPrint(r) && !(r == utf8.RuneError && size == 1):
			b.WriteRune(r)
		default:
			for _, c := range []byte(v[i : i+size]) {
				fmt.Fprintf(&b, `\%03o`, c)
			}
		}
	}
	b.WriteByte('\'')
	return b.String()
}
