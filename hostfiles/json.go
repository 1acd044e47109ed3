package hostfiles

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/tailscale/hujson"
)

// document is a JSON file as a tree that remembers every byte, so that what
// is not set comes out as it went in.
type document struct {
	tree hujson.Value
	unit string // one step of indentation, "" where the file has no lines
}

// parseDocument takes strict JSON only: the library below would take comments
// too, and NetBird does not. Errors name the place and never quote the text.
func parseDocument(src []byte) (*document, error) {
	var object map[string]json.RawMessage
	if err := json.Unmarshal(src, &object); err != nil {
		var syntax *json.SyntaxError
		switch {
		case !errors.As(err, &syntax):
			return nil, errors.New("it holds no JSON object")
		case bytes.Contains(src, []byte("{{")):
			return nil, fmt.Errorf("line %d: no JSON, perhaps because of a template ({{…}}) outside of a string; fill it in first", lineAt(src, int(syntax.Offset)))
		}
		return nil, fmt.Errorf("line %d: no JSON: %w", lineAt(src, int(syntax.Offset)), syntax)
	}
	if object == nil {
		return nil, errors.New("it holds no JSON object")
	}
	tree, err := hujson.Parse(src)
	if err != nil {
		return nil, errors.New("no JSON") // cannot be, after the above
	}
	d := &document{tree: tree}
	if members := tree.Value.(*hujson.Object).Members; len(members) > 0 {
		_, d.unit, _ = strings.Cut(string(members[0].Name.BeforeExtra), "\n")
	} else {
		d.unit = "    "
	}
	return d, nil
}

// member finds a field as encoding/json does, without regard to case, but for
// the keys of maps. A field that stands twice is refused: which one counts is
// nothing that a person would guess.
func member(o *hujson.Object, name string, exact bool) (*hujson.ObjectMember, error) {
	var found *hujson.ObjectMember
	for i := range o.Members {
		has := o.Members[i].Name.Value.(hujson.Literal).String()
		if has != name && (exact || !strings.EqualFold(has, name)) {
			continue
		}
		if found != nil {
			return nil, fmt.Errorf("%s stands twice", name)
		}
		found = &o.Members[i]
	}
	return found, nil
}

// at walks down a path of objects. It makes those that are missing or null if
// asked to, and gives nil for them otherwise.
func (d *document) at(path []string, create bool) (*hujson.Object, error) {
	o := d.tree.Value.(*hujson.Object)
	for depth, name := range path {
		m, err := member(o, name, false)
		if err != nil {
			return nil, err
		}
		if m == nil || isNull(m.Value) {
			if !create {
				return nil, nil
			}
			child := &hujson.Object{}
			if m == nil {
				d.insert(o, depth, name, child)
			} else {
				m.Value.Value = child
			}
			o = child
			continue
		}
		child, ok := m.Value.Value.(*hujson.Object)
		if !ok {
			return nil, fmt.Errorf(".%s is no object", strings.Join(path[:depth+1], "."))
		}
		o = child
	}
	return o, nil
}

func isNull(v hujson.Value) bool {
	l, ok := v.Value.(hujson.Literal)
	return ok && l.Kind() == 'n'
}

// insert adds a member at the end of an object, laid out like the others.
func (d *document) insert(o *hujson.Object, depth int, name string, value hujson.ValueTrimmed) {
	m := hujson.ObjectMember{
		Name:  hujson.Value{Value: hujson.String(name)},
		Value: hujson.Value{Value: value},
	}
	line := ""
	if d.unit != "" {
		line = "\n" + strings.Repeat(d.unit, depth)
		m.Name.BeforeExtra = hujson.Extra(line + d.unit)
		m.Value.BeforeExtra = hujson.Extra(" ")
	}
	if n := len(o.Members); n > 0 {
		last := &o.Members[n-1]
		m.Name.BeforeExtra = last.Name.BeforeExtra
		m.Value.BeforeExtra = last.Value.BeforeExtra
	} else {
		o.AfterExtra = hujson.Extra(line)
	}
	o.Members = append(o.Members, m)
}

// get is the source of a value, nil where there is none.
func (d *document) get(path []string) ([]byte, error) {
	o, err := d.at(path[:len(path)-1], false)
	if o == nil || err != nil {
		return nil, err
	}
	m, err := member(o, path[len(path)-1], isMapKey(path))
	if m == nil || err != nil {
		return nil, err
	}
	value := m.Value.Clone()
	value.BeforeExtra, value.AfterExtra = nil, nil
	return value.Pack(), nil
}

// set puts a value, given as JSON, at a path.
func (d *document) set(path []string, source []byte) error {
	value, err := hujson.Parse(source)
	if err != nil {
		return fmt.Errorf(".%s: %w", strings.Join(path, "."), err)
	}
	o, err := d.at(path[:len(path)-1], true)
	if err != nil {
		return err
	}
	name := path[len(path)-1]
	m, err := member(o, name, isMapKey(path))
	if err != nil {
		return err
	}
	if m == nil {
		d.insert(o, len(path)-1, name, value.Value)
		return nil
	}
	m.Value.Value = value.Value
	return nil
}

// isMapKey tells whether a path ends in a key of ExtraConfig, the one map
// among the fields of interest.
func isMapKey(path []string) bool {
	return len(path) > 1 && path[len(path)-2] == "ExtraConfig"
}

// encode is v as JSON, with <, > and & as they are.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSpace(b.Bytes()), nil
}
