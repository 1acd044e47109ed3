package hostfiles

import (
	"bytes"
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// seen is the value of a variable at some line, if the file alone tells it.
type seen struct {
	text  string
	known bool
}

type known map[string]seen

// eval is the value that bash gives an assignment, with env before it. It
// covers text, every kind of quotes and plain references, and says that it
// does not know the rest. (The parser's own expand package is not used: its
// Literal leaves the backslash of an escaped character in the value.)
func (s *script) eval(a assign, env known) seen {
	if a.word == nil {
		return seen{known: true}
	}
	if s.bad != 0 && bytes.IndexByte(s.text[a.value.start:a.value.end], s.bad) >= 0 {
		return seen{}
	}
	e := evaluation{env: env, unclear: s.unclear, ok: true}
	if first, ok := a.word.Parts[0].(*syntax.Lit); ok && strings.HasPrefix(first.Value, "~") {
		return seen{} // somebody's home folder
	}
	e.parts(a.word.Parts, false)
	if !e.ok {
		return seen{}
	}
	return seen{e.text.String(), true}
}

type evaluation struct {
	env     known
	unclear map[string]*KeyError
	text    strings.Builder
	ok      bool
}

func (e *evaluation) parts(parts []syntax.WordPart, quoted bool) {
	for _, part := range parts {
		switch p := part.(type) {
		case *syntax.Lit:
			if !quoted && strings.Contains(p.Value, ":~") {
				e.ok = false
			}
			e.text.WriteString(unescape(p.Value, quoted))
		case *syntax.SglQuoted:
			if !p.Dollar {
				e.text.WriteString(p.Value)
				continue
			}
			text, ok := ansi(p.Value)
			e.ok = e.ok && ok
			e.text.WriteString(text)
		case *syntax.DblQuoted:
			e.ok = e.ok && !p.Dollar // $"…" is translated by the locale
			e.parts(p.Parts, true)
		case *syntax.ParamExp:
			e.reference(p)
		default:
			e.ok = false
		}
	}
}

// reference follows $a and ${a:-text}, where the file itself sets a.
func (e *evaluation) reference(p *syntax.ParamExp) {
	if p.Param == nil || p.Excl || p.Length || p.Index != nil || p.Slice != nil || p.Repl != nil || p.Names != 0 {
		e.ok = false
		return
	}
	v := e.env[p.Param.Value]
	if !v.known || e.unclear[p.Param.Value] != nil {
		e.ok = false
		return
	}
	text := v.text
	if p.Exp != nil {
		other := ""
		if p.Exp.Word != nil {
			if other = p.Exp.Word.Lit(); other == "" || strings.ContainsAny(other, `\'"~`) {
				e.ok = false
				return
			}
		}
		switch p.Exp.Op {
		case syntax.DefaultUnset: // it is set
		case syntax.DefaultUnsetOrNull:
			if text == "" {
				text = other
			}
		case syntax.AlternateUnset:
			text = other
		case syntax.AlternateUnsetOrNull:
			if text != "" {
				text = other
			}
		default:
			e.ok = false
		}
	}
	e.text.WriteString(text)
}

// unescape takes the backslashes out of a literal as bash does: outside of
// quotes every one, in double quotes those before a character that needs it.
func unescape(s string, quoted bool) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) && (!quoted || strings.IndexByte("$`\"\\\n", s[i+1]) >= 0) {
			if i++; s[i] == '\n' {
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// ansi decodes $'…'; not ok are \u and \U, which depend on the
// locale, and \c and \x{, which depend on bash's version.
func ansi(s string) (text string, ok bool) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			b.WriteByte(s[i])
			continue
		}
		i++
		if at := strings.IndexByte(`abeEfnrtv\'"?`, s[i]); at >= 0 {
			b.WriteByte("\a\b\x1b\x1b\f\n\r\t\v\\'\"?"[at])
			continue
		}
		switch c := s[i]; {
		case c == 'u' || c == 'U' || c == 'c', c == 'x' && strings.HasPrefix(s[i+1:], "{"):
			return "", false
		case c >= '0' && c <= '7':
			n := digits(s[i:], 3, 8)
			v, _ := strconv.ParseUint(s[i:i+n], 8, 16)
			b.WriteByte(byte(v))
			i += n - 1
		case c == 'x' && digits(s[i+1:], 2, 16) > 0:
			n := digits(s[i+1:], 2, 16)
			v, _ := strconv.ParseUint(s[i+1:i+1+n], 16, 8)
			b.WriteByte(byte(v))
			i += n
		default:
			b.WriteByte('\\')
			b.WriteByte(c)
		}
	}
	text, _, _ = strings.Cut(b.String(), "\x00") // bash ends the string there
	return text, true
}

// digits counts the leading digits of a base, up to a limit.
func digits(s string, limit, base int) (n int) {
	for n < len(s) && n < limit {
		if _, err := strconv.ParseUint(s[n:n+1], base, 8); err != nil {
			break
		}
		n++
	}
	return n
}
