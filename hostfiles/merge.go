package hostfiles

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Merge brings the lines into a setup.env; nil is a new file.
//
// A key that stands is changed where it stands, its last assignment if there
// are several, since that is the one bash goes by; one that stands commented
// out gets its place below that comment; the others go to the end, in order.
// All else stays byte for byte (but a missing newline at the end of the file,
// where something follows). What is written ends in a bare newline also in a
// file with Windows line ends, see [Warnings].
//
// The changes are those that bash will see. Merging again makes none. An
// error, often a *KeyError, means that the file cannot be edited safely; it
// names line and key.
func Merge(existing []byte, lines []Line) (merged []byte, changes []Change, err error) {
	s, err := parse(existing)
	if err != nil {
		return nil, nil, err
	}
	for i, l := range lines {
		if err := l.check(); err != nil {
			return nil, nil, err
		}
		if slices.ContainsFunc(lines[:i], func(o Line) bool { return o.Key == l.Key }) {
			return nil, nil, fmt.Errorf("%s is asked for twice", l.Key)
		}
		if bad := s.unclear[l.Key]; bad != nil {
			return nil, nil, bad
		}
	}
	if s.quits > 0 {
		return nil, nil, fmt.Errorf("line %d: the file ends itself here, and what follows is never read; take that line out", s.quits)
	}
	m := merging{script: s, touched: map[string]bool{}}
	m.standing(lines)
	for _, l := range lines {
		if s.last(l.Key) < 0 {
			m.add(l)
		}
	}
	merged = m.apply(existing)
	if err := m.verify(merged); err != nil {
		return nil, nil, err
	}
	slices.SortStableFunc(m.changes, func(a, b Change) int { return cmp.Compare(order(lines, a.Key), order(lines, b.Key)) })
	return merged, m.changes, nil
}

func order(lines []Line, key string) int {
	return slices.IndexFunc(lines, func(l Line) bool { return l.Key == key })
}

// last is the index of the assignment that bash goes by, -1 if there is none.
func (s *script) last(key string) int {
	for i := len(s.assigns) - 1; i >= 0; i-- {
		if s.assigns[i].key == key {
			return i
		}
	}
	return -1
}

func (s *script) count(key string) (n int) {
	for _, a := range s.assigns {
		if a.key == key {
			n++
		}
	}
	return n
}

// merging collects the edits of one file.
type merging struct {
	*script
	edits   []edit
	changes []Change
	touched map[string]bool // keys whose source is edited
	expect  []expectation
	ended   bool // the file's last line has its newline
}

type edit struct {
	at   span // what goes; empty for an insertion
	text string
	rank rank
}

// rank orders edits at one place: a value that is empty at the end of the
// file comes before what follows it, a comment stays with the line below it.
type rank int

const (
	ofValue rank = iota
	ofLine
	ofComment
)

// expectation is a value that bash must see in the end.
type expectation struct {
	key  string
	want seen
}

// standing goes through the file as bash does, once with the values as they
// were and once as they become, and edits what needs it.
func (m *merging) standing(lines []Line) {
	was, is := known{}, known{}
	for i, a := range m.assigns {
		before, now := m.eval(a, was), m.eval(a, is)
		was[a.key] = before
		is[a.key] = now
		at := order(lines, a.key)
		if at < 0 || i != m.last(a.key) {
			continue
		}
		l, source := lines[at], string(m.src[a.value.start:a.value.end])
		want := m.decide(l, source, before, now)
		if want.source != source {
			m.replace(l, a, want.source)
		}
		is[a.key] = want.value
		m.expect = append(m.expect, expectation{a.key, want.value})
		if want.source != source || before != want.value {
			have := before.text
			if !before.known {
				have = source
			}
			m.changes = append(m.changes, Change{Key: a.key, Have: have, Want: want.value.text, Unclear: !before.known, Secret: l.Secret}.shown())
		}
	}
}

// decision is what stands for a key in the end: its source and its value.
type decision struct {
	source string
	value  seen
}

// decide says what a line that stands becomes.
func (m *merging) decide(l Line, source string, before, now seen) decision {
	stays := decision{source, now}
	switch {
	case l.Default && !(before.known && strings.TrimRight(before.text, "\r") == ""):
		return stays
	case now.known && now.text == l.Value && (!l.Omit || l.Value != ""):
		return stays
	case l.Omit && m.count(l.Key) > 1:
		// An earlier value of the same file must not come back.
		return decision{`""`, seen{known: true}}
	case l.Omit:
		return decision{l.source(), seen{}}
	}
	return decision{l.source(), seen{l.Value, true}}
}

// replace edits a value in place, with its comment above where there is none.
func (m *merging) replace(l Line, a assign, source string) {
	m.edits = append(m.edits, edit{a.value, source, ofValue})
	m.touched[l.Key] = true
	start := lineStart(m.src, a.stmt.start)
	if l.Comment != "" && start == a.stmt.start && !m.continued(start) && !m.hasLine(l.Comment) {
		m.edits = append(m.edits, edit{span{start, start}, l.Comment + "\n", ofComment})
	}
}

// add writes a line that the file lacks.
func (m *merging) add(l Line) {
	at := len(m.src)
	if place, ok := m.commentedOut(l.Key); ok {
		at = place
	}
	text := l.Key + "=" + l.source() + "\n"
	if l.Comment != "" && !m.hasLine(l.Comment) {
		text = l.Comment + "\n" + text
	}
	if at > 0 && m.src[at-1] != '\n' && !m.ended {
		text, m.ended = "\n"+text, true
	}
	m.edits = append(m.edits, edit{span{at, at}, text, ofLine})
	m.touched[l.Key] = true
	m.expect = append(m.expect, expectation{l.Key, seen{l.want(), !l.Omit}})
	m.changes = append(m.changes, Change{Key: l.Key, Want: l.want(), Missing: true, Secret: l.Secret}.shown())
}

// commentedOut finds the last comment that holds an assignment of key and
// stands alone on its line, and gives the offset behind that line.
func (s *script) commentedOut(key string) (offset int, ok bool) {
	pattern := regexp.MustCompile(`^#+[ \t]*(export[ \t]+)?` + regexp.QuoteMeta(key) + `=`)
	for _, c := range s.comments {
		if len(bytes.TrimLeft(s.src[lineStart(s.src, c.start):c.start], " \t")) == 0 && pattern.Match(s.src[c.start:c.end]) {
			offset, ok = lineEnd(s.src, c.start), true
		}
	}
	return offset, ok
}

// hasLine tells whether a comment stands in the file as a line.
func (s *script) hasLine(comment string) bool {
	return slices.ContainsFunc(s.comments, func(c span) bool {
		return string(bytes.TrimSuffix(s.src[c.start:c.end], []byte("\r"))) == comment
	})
}

// continued tells whether the line before an offset ends in a backslash.
func (s *script) continued(start int) bool {
	return start > 1 && s.src[start-2] == '\\'
}

// lineStart is the offset of the first byte of the line that holds offset.
func lineStart(src []byte, offset int) int {
	return bytes.LastIndexByte(src[:offset], '\n') + 1
}

// lineEnd is the offset behind the newline that ends the line at offset.
func lineEnd(src []byte, offset int) int {
	if n := bytes.IndexByte(src[offset:], '\n'); n >= 0 {
		return offset + n + 1
	}
	return len(src)
}

// apply makes the edited file; edits at one place stay in their order.
func (m *merging) apply(src []byte) []byte {
	slices.SortStableFunc(m.edits, func(a, b edit) int {
		return cmp.Or(cmp.Compare(a.at.start, b.at.start), cmp.Compare(a.rank, b.rank))
	})
	var out bytes.Buffer
	from := 0
	for _, e := range m.edits {
		out.Write(src[from:e.at.start])
		out.WriteString(e.text)
		from = e.at.end
	}
	out.Write(src[from:])
	return out.Bytes()
}

// verify reads the edited file as bash will: every value must be the one
// meant, and every other assignment must stand as it stood.
func (m *merging) verify(edited []byte) error {
	unsafe := errors.New("the file cannot be edited safely: an edit would change how bash reads the rest of it (look for a backslash at the end of a line)")
	after, err := parse(edited)
	if err != nil {
		return unsafe
	}
	if !slices.Equal(m.script.others(m.touched), after.others(m.touched)) {
		return unsafe
	}
	values := after.values()
	for _, x := range m.expect {
		if text, found := values[x.key]; found != x.want.known || text != x.want.text {
			return fmt.Errorf("%s cannot be set safely: bash would not read what was meant", x.key)
		}
	}
	return nil
}

// others are the assignments that were not edited, as they stand.
func (s *script) others(edited map[string]bool) (sources []string) {
	for _, a := range s.assigns {
		if !edited[a.key] {
			sources = append(sources, a.key+"="+string(s.src[a.value.start:a.value.end]))
		}
	}
	return sources
}
