package hostfiles

import (
	"bytes"
	"strings"
)

// Remove takes the lines out of a setup.env again, each only where bash still
// sees our value there, with the comment above it if it is ours; keys named
// in before get that value back instead. Pass the lines of the keys that
// Merge's changes named, and as before the values that stood there
// ([Before]); what else stands stays byte for byte.
//
// Removed are the keys taken out or put back, kept those that hold another
// value by now or share their line with something else. A key that no longer
// stands is neither. A secret's earlier value is in no Change, so it comes
// back only from the backup that [Write] made.
func Remove(existing []byte, lines []Line, before map[string]string) (rest []byte, removed, kept []string, err error) {
	s, err := parse(existing)
	if err != nil {
		return nil, nil, nil, err
	}
	m := merging{script: s, touched: map[string]bool{}}
	env, ours := known{}, map[string]bool{}
	for i, a := range s.assigns {
		v := s.eval(a, env)
		env[a.key] = v
		if at := order(lines, a.key); at >= 0 && i == s.last(a.key) {
			ours[a.key] = holds(lines[at], v, string(s.src[a.value.start:a.value.end]))
		}
	}
	for _, l := range lines {
		i := s.last(l.Key)
		if i < 0 && s.unclear[l.Key] == nil {
			continue
		}
		if s.unclear[l.Key] != nil || !ours[l.Key] || !m.takeOut(l, s.assigns[i], before) {
			kept = append(kept, l.Key)
			continue
		}
		removed = append(removed, l.Key)
	}
	rest = m.apply(existing)
	if err := m.verify(rest); err != nil {
		return nil, nil, nil, err
	}
	return rest, removed, kept, nil
}

// Before is what Remove puts back after these changes: the values that stood
// there, but for secrets, and for values that only a running shell could tell.
func Before(changes []Change) map[string]string {
	before := map[string]string{}
	for _, c := range changes {
		if !c.Missing && !c.Secret && !c.Unclear {
			before[c.Key] = c.Have
		}
	}
	return before
}

// holds tells whether what stands is what Merge would have written.
func holds(l Line, v seen, source string) bool {
	if l.Omit && (source == l.source() || v == seen{known: true}) {
		return true
	}
	return v.known && v.text == l.Value && (!l.Secret || l.Value != "")
}

// takeOut removes one assignment or puts its earlier value back; false where
// it is not alone on its line.
func (m *merging) takeOut(l Line, a assign, before map[string]string) bool {
	if earlier, ok := before[l.Key]; ok {
		m.edits = append(m.edits, edit{a.value, quote(earlier), ofValue})
		m.touched[l.Key] = true
		m.expect = append(m.expect, expectation{l.Key, seen{earlier, true}})
		return true
	}
	start, end := lineStart(m.src, a.stmt.start), lineEnd(m.src, a.stmt.end)
	behind := bytes.TrimLeft(m.src[a.stmt.end:end], " \t")
	if !a.alone || m.continued(start) || len(bytes.TrimLeft(m.src[start:a.stmt.start], " \t")) > 0 {
		return false
	}
	switch strings.TrimRight(string(behind), "\r\n") {
	case "", ";":
	default:
		if behind[0] != '#' {
			return false
		}
		end = a.stmt.end // a person's comment stays
	}
	if above := lineStart(m.src, max(start-1, 0)); l.Comment != "" && start > 0 && strings.TrimRight(string(m.src[above:start]), "\r\n") == l.Comment {
		start = above
	}
	m.edits = append(m.edits, edit{span{start, end}, "", ofLine})
	m.touched[l.Key] = true
	return true
}
