package clients

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Clean makes text that came from a server fit for a terminal and for one line: control, bidirectional and
// zero-width characters are gone, runs of white space are one space, and invalid UTF-8 is replaced.
func Clean(s string) string {
	if isClean(s) {
		return s
	}
	var b strings.Builder
	space := false
	for _, r := range strings.ToValidUTF8(s, "\uFFFD") {
		switch {
		case unicode.IsSpace(r):
			space = b.Len() > 0
			continue
		case unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co, unicode.Cs), invisible(r):
			continue
		}
		if space {
			b.WriteByte(' ')
			space = false
		}
		b.WriteRune(r)
	}
	return b.String()
}

// isClean says at a glance that Clean would change nothing: words of visible
// ASCII characters with one blank between them.
func isClean(s string) bool {
	blank := true // before s: none may come first
	for i := range len(s) {
		switch {
		case s[i] > ' ' && s[i] < 0x7F:
			blank = false
		case s[i] == ' ' && !blank:
			blank = true
		default:
			return false
		}
	}
	return s == "" || !blank
}

// invisible holds what draws nothing and is no format character by its category: fillers, variation selectors.
func invisible(r rune) bool {
	switch r {
	case 0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFFA0:
		return true
	}
	return r >= 0xFE00 && r <= 0xFE0F || r >= 0xE0100 && r <= 0xE01EF
}

// CleanN is Clean, cut to at most max characters; a cut is shown by a trailing "…".
func CleanN(s string, max int) string {
	s = Clean(s)
	if max <= 0 || utf8.RuneCountInString(s) <= max {
		return s
	}
	runes := []rune(s)
	return strings.TrimRight(string(runes[:max-1]), " ") + "…"
}

var (
	markup = regexp.MustCompile(`(?s)<[!/?a-zA-Z].*`)
	title  = regexp.MustCompile(`(?is)<title[^>]*>(.*?)</title`)
)

// Reason is server text without the web page that may be quoted in it, cut to the length of a sentence or two.
func Reason(s string) string {
	if cut := markup.ReplaceAllString(s, ""); cut != s {
		s = strings.TrimRight(cut, " :\t\r\n") + "…"
	}
	return CleanN(s, 300)
}

// pageTitle is the title of an HTML page, "" where it has none.
func pageTitle(body []byte) string {
	if m := title.FindSubmatch(body); m != nil {
		return CleanN(string(m[1]), 80)
	}
	return ""
}

// mask removes the secrets from s, in whatever case a server gives them back, and as they look inside a URL.
func mask(s string, secrets []string) string {
	for _, secret := range secrets {
		if len(secret) < 4 {
			continue
		}
		for _, form := range forms(secret) {
			if !strings.Contains(strings.ToLower(s), strings.ToLower(form)) {
				continue
			}
			s = regexp.MustCompile(`(?i)`+regexp.QuoteMeta(form)).ReplaceAllLiteralString(s, "***")
		}
	}
	return s
}
