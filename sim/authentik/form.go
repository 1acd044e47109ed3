package authentik

import (
	"encoding/json"
	"fmt"
	"math"
	"net/mail"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// form checks the fields of a body one by one, and collects what is wrong with
// them in the words of the real server. With partial set no field is required.
type form struct {
	s       *Server
	in      map[string]any
	partial bool
	errs    map[string]any
}

func (c *call) form(partial bool) *form {
	return &form{s: c.s, in: c.body, partial: partial, errs: map[string]any{}}
}

func (f *form) fail(field, text string) { f.errs[field] = []string{text} }
func (f *form) bad() bool               { return len(f.errs) > 0 }

// value returns a field's value if there is one to look at. nullable says
// whether null may stand for nothing; then the value is nil.
func (f *form) value(name string, required, nullable bool) (any, bool) {
	v, given := f.in[name]
	switch {
	case !given && required && !f.partial:
		f.fail(name, "This field is required.")
	case given && v == nil && !nullable:
		f.fail(name, "This field may not be null.")
	case given:
		return v, true
	}
	return nil, false
}

type textRule struct {
	required, blank, null bool
	max                   int // characters, 0 is unbounded
	raw                   bool
	check                 func(string) string // "" is fine
}

// text reads a text field into to, which stays as it is if none was given.
func (f *form) text(name string, to *string, rule textRule) {
	v, ok := f.value(name, rule.required, rule.null)
	if !ok {
		return
	}
	var s string
	switch v := v.(type) {
	case nil:
		*to = ""
		return
	case string:
		s = v
	case json.Number:
		s = v.String()
	default:
		f.fail(name, "Not a valid string.")
		return
	}
	if !rule.raw {
		s = strings.TrimSpace(s)
	}
	switch {
	case strings.ContainsRune(s, 0):
		f.fail(name, "Null characters are not allowed.")
	case s == "" && !rule.blank:
		f.fail(name, "This field may not be blank.")
	case rule.max > 0 && len([]rune(s)) > rule.max:
		f.fail(name, fmt.Sprintf("Ensure this field has no more than %d characters.", rule.max))
	default:
		if s != "" && rule.check != nil {
			if text := rule.check(s); text != "" {
				f.fail(name, text)
				return
			}
		}
		*to = s
	}
}

// choice reads a field that takes one of some values.
func (f *form) choice(name string, to *string, required bool, of ...string) {
	v, ok := f.value(name, required, false)
	if !ok {
		return
	}
	s, isText := v.(string)
	if !isText || !slices.Contains(of, s) {
		f.fail(name, fmt.Sprintf("%q is not a valid choice.", fmt.Sprint(v)))
		return
	}
	*to = s
}

func (f *form) flag(name string, to *bool) {
	v, ok := f.value(name, false, false)
	if !ok {
		return
	}
	switch strings.ToLower(fmt.Sprint(v)) {
	case "true", "1", "yes", "on", "t", "y":
		*to = true
	case "false", "0", "no", "off", "f", "n":
		*to = false
	default:
		f.fail(name, "Must be a valid boolean.")
	}
}

func (f *form) number(name string, to *int, required bool, least int) {
	v, ok := f.value(name, required, false)
	if !ok {
		return
	}
	n, err := strconv.Atoi(fmt.Sprint(v))
	switch {
	case err != nil:
		f.fail(name, "A valid integer is required.")
	case n < least:
		f.fail(name, fmt.Sprintf("Ensure this value is greater than or equal to %d.", least))
	case n > math.MaxInt32:
		f.fail(name, fmt.Sprintf("Ensure this value is less than or equal to %d.", math.MaxInt32))
	default:
		*to = n
	}
}

func (f *form) object(name string, to *map[string]any) {
	v, ok := f.value(name, false, false)
	if !ok {
		return
	}
	m, isMap := v.(map[string]any)
	if !isMap {
		f.fail(name, "Value must be a dictionary, and not have any duplicate keys.")
		return
	}
	*to = m
}

// pk reads a field that names an object by its UUID; has tells whether there
// is one.
func (f *form) pk(name string, to *string, required, nullable bool, has func(string) bool) {
	v, ok := f.value(name, required, nullable)
	if !ok {
		return
	}
	if v == nil || v == "" && nullable {
		*to = ""
		return
	}
	if text := f.badPK(v, has); text != "" {
		f.fail(name, text)
		return
	}
	*to = strings.ToLower(v.(string))
}

func (f *form) badPK(v any, has func(string) bool) string {
	s, ok := v.(string)
	switch {
	case !ok || !isUUID(s):
		return fmt.Sprintf("“%v” is not a valid UUID.", v)
	case !has(strings.ToLower(s)):
		return fmt.Sprintf("Invalid pk %q - object does not exist.", s)
	}
	return ""
}

// pks reads a list of such names.
func (f *form) pks(name string, to *[]string, has func(string) bool) {
	items, ok := f.items(name, false)
	if !ok {
		return
	}
	out := []string{}
	for _, v := range items {
		if text := f.badPK(v, has); text != "" {
			f.fail(name, text)
			return
		}
		if s := strings.ToLower(v.(string)); !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	*to = out
}

// numberPK reads a field that names an object by its number.
func (f *form) numberPK(name string, to *int, required, nullable bool, has func(int) bool) {
	v, ok := f.value(name, required, nullable)
	if !ok {
		return
	}
	if v == nil {
		*to = 0
		return
	}
	n, text := badNumberPK(v, has)
	if text != "" {
		f.fail(name, text)
		return
	}
	*to = n
}

func badNumberPK(v any, has func(int) bool) (int, string) {
	switch v.(type) {
	case json.Number, string:
	default:
		return 0, "Incorrect type. Expected pk value, received " + pythonType(v) + "."
	}
	n, err := strconv.Atoi(fmt.Sprint(v))
	if err != nil {
		return 0, "Incorrect type. Expected pk value, received " + pythonType(v) + "."
	}
	if !has(n) {
		return 0, fmt.Sprintf("Invalid pk \"%d\" - object does not exist.", n)
	}
	return n, ""
}

func (f *form) numberPKs(name string, to *[]int, has func(int) bool) {
	items, ok := f.items(name, false)
	if !ok {
		return
	}
	out := []int{}
	for _, v := range items {
		n, text := badNumberPK(v, has)
		if text != "" {
			f.fail(name, text)
			return
		}
		if !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	*to = out
}

// texts reads a list of texts, each one of the given ones.
func (f *form) texts(name string, to *[]string, of ...string) {
	items, ok := f.items(name, false)
	if !ok {
		return
	}
	out := []string{}
	for i, v := range items {
		s, isText := v.(string)
		if !isText || !slices.Contains(of, s) {
			f.errs[name] = map[string]any{strconv.Itoa(i): []string{fmt.Sprintf("%q is not a valid choice.", fmt.Sprint(v))}}
			return
		}
		out = append(out, s)
	}
	*to = out
}

// items reads a field that must be a list.
func (f *form) items(name string, required bool) ([]any, bool) {
	v, ok := f.value(name, required, false)
	if !ok {
		return nil, false
	}
	list, isList := v.([]any)
	if !isList {
		f.fail(name, `Expected a list of items but got type "`+pythonType(v)+`".`)
		return nil, false
	}
	return list, true
}

var (
	uuidPattern     = regexp.MustCompile(`^(?i)[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$`)
	slugPattern     = regexp.MustCompile(`^[-a-zA-Z0-9_]+$`)
	durationPattern = regexp.MustCompile(`^(\w+=-?\d+(\.\d+)?;?)+$`)
)

func isUUID(s string) bool { return uuidPattern.MatchString(s) }

// slugRule words its refusal with straight quotes where the field is the
// serializer's own, and with curly ones where it is the model's.
func slugRule(open, shut string) func(string) string {
	return func(s string) string {
		if slugPattern.MatchString(s) {
			return ""
		}
		return "Enter a valid " + open + "slug" + shut + " consisting of letters, numbers, underscores or hyphens."
	}
}

func emailRule(s string) string {
	a, err := mail.ParseAddress(s)
	if err != nil || a.Address != s || !strings.Contains(s[strings.LastIndexByte(s, '@')+1:], ".") {
		return "Enter a valid email address."
	}
	return ""
}

func urlRule(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || !slices.Contains([]string{"http", "https", "ftp", "ftps"}, u.Scheme) {
		return "Enter a valid URL."
	}
	return ""
}

var durationUnits = []string{"microseconds", "milliseconds", "seconds", "minutes", "hours", "days", "weeks"}

func durationRule(s string) string {
	refusal := s + " is not in the correct format of 'hours=3;minutes=1'."
	if !durationPattern.MatchString(s) {
		return refusal
	}
	for part := range strings.SplitSeq(strings.Trim(s, ";"), ";") {
		if unit, _, _ := strings.Cut(part, "="); !slices.Contains(durationUnits, unit) {
			return refusal
		}
	}
	return ""
}

// pythonType names a value's type as the real server does.
func pythonType(v any) string {
	switch v := v.(type) {
	case nil:
		return "NoneType"
	case string:
		return "str"
	case bool:
		return "bool"
	case json.Number:
		if strings.ContainsAny(v.String(), ".eE") {
			return "float"
		}
		return "int"
	case []any:
		return "list"
	case map[string]any:
		return "dict"
	}
	return "object"
}
