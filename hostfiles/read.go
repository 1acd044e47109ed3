package hostfiles

import (
	"bytes"
	"fmt"
)

// Read gives the values of a setup.env as bash sees them: the last assignment
// of each variable, references to variables of the same file followed. Left
// out is what depends on more than the file (a command, a condition, the
// environment). In a file with Windows line ends the values end in a carriage
// return, because bash reads them so.
func Read(existing []byte) (map[string]string, error) {
	s, err := parse(existing)
	if err != nil {
		return nil, err
	}
	return s.values(), nil
}

// values are the known ones after the last line.
func (s *script) values() map[string]string {
	env := known{}
	for _, a := range s.assigns {
		env[a.key] = s.eval(a, env)
	}
	values := map[string]string{}
	for key, v := range env {
		if v.known && s.unclear[key] == nil {
			values[key] = v.text
		}
	}
	return values
}

// Warnings are sentences about a setup.env that Merge would leave as it is
// and that a person should know of; nil where there is nothing to say, or
// where the file cannot be read at all.
func Warnings(existing []byte, lines []Line) []string {
	s, err := parse(existing)
	if err != nil {
		return nil
	}
	var warnings []string
	if s.cr != 0 {
		warnings = append(warnings, fmt.Sprintf(
			"line %d: the file has Windows line ends, and bash takes each carriage return for a part of the value; the lines written here end without, the others want: sed -i 's/\\r$//' setup.env",
			lineAt(existing, bytes.IndexByte(existing, '\r'))))
	}
	if bytes.HasPrefix(existing, []byte("\xef\xbb\xbf")) {
		warnings = append(warnings, "line 1: the file begins with a byte order mark, which bash takes for a part of the first word")
	}
	if s.runs > 0 {
		warnings = append(warnings, fmt.Sprintf("line %d: the file runs other text here, which may set the same variables again", s.runs))
	}
	values := s.values()
	for _, l := range lines {
		if have := values[l.Key]; l.Default && have != "" && have != l.Value {
			warnings = append(warnings, fmt.Sprintf("%s is %q, not %q as in this setup; it is left as it is", l.Key, have, l.Value))
		}
	}
	return warnings
}
