package hostfiles

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"mvdan.cc/sh/v3/syntax"
)

// script is a setup.env as bash reads it: which plain assignments stand in it,
// and where, and which variables are set in ways that only a running shell
// can tell.
type script struct {
	src  []byte
	text []byte // src as it was parsed, of the same length
	cr   byte   // stands in text for a carriage return, 0 if there is none
	bad  byte   // stands in text for a byte that is no UTF-8, 0 if there is none

	assigns  []assign             // at the top level, in order
	comments []span               // at the top level, from # to the end of the line
	unclear  map[string]*KeyError // variables set otherwise, the first place of each
	quits    int                  // line of the last unconditional exit, return or exec; 0: none
	runs     int                  // line of the last source, . or eval; 0: none
}

type span struct{ start, end int } // byte offsets

// assign is one KEY=value or export KEY=value that runs exactly once.
type assign struct {
	key   string
	word  *syntax.Word // nil: KEY= with nothing behind it
	value span         // the source of the value
	stmt  span         // of the statement it stands in
	alone bool         // nothing else stands in that statement
	line  int
}

// parse reads a setup.env. Its errors name the line and never quote the text,
// which may hold secrets.
func parse(src []byte) (*script, error) {
	if i := bytes.IndexByte(src, 0); i >= 0 {
		return nil, fmt.Errorf("line %d: a NUL byte; this is no text file", lineAt(src, i))
	}
	s := &script{src: src, unclear: map[string]*KeyError{}}
	if err := s.disguise(); err != nil {
		return nil, err
	}
	file, err := syntax.NewParser(syntax.Variant(syntax.LangBash), syntax.KeepComments(true)).Parse(bytes.NewReader(s.text), "")
	if err != nil {
		var bad syntax.ParseError
		if !errors.As(err, &bad) {
			return nil, fmt.Errorf("bash cannot read this file")
		}
		if bad.Incomplete || strings.HasPrefix(bad.Text, "reached") {
			return nil, fmt.Errorf("line %d: bash cannot read this file: what is opened here (a quote, a bracket, a block) is never closed", bad.Pos.Line())
		}
		return nil, fmt.Errorf("line %d, column %d: bash cannot read this file", bad.Pos.Line(), bad.Pos.Col())
	}
	s.undisguise(file)
	last := 0
	for _, st := range file.Stmts {
		s.statement(st)
		for _, c := range st.Comments { // those above it and the one behind it
			if at := int(c.Pos().Offset()); at < int(st.Pos().Offset()) || at >= int(st.End().Offset()) {
				s.comments = append(s.comments, span{at, int(c.End().Offset())})
			}
		}
		last = int(st.End().Offset())
	}
	for _, c := range file.Last {
		if at := int(c.Pos().Offset()); at >= last {
			s.comments = append(s.comments, span{at, int(c.End().Offset())})
		}
	}
	return s, nil
}

// disguise makes text of src. The parser takes CR LF for a line's end and
// refuses what is no UTF-8; bash takes both for ordinary characters. So each
// goes in as a control character that the file does not use.
func (s *script) disguise() error {
	s.text = s.src
	carriage, latin := bytes.IndexByte(s.src, '\r') >= 0, !utf8.Valid(s.src)
	if !carriage && !latin {
		return nil
	}
	var free []byte
	for c := byte(1); c < ' '; c++ {
		if (c < '\t' || c > '\r') && bytes.IndexByte(s.src, c) < 0 {
			free = append(free, c)
		}
	}
	if len(free) < 2 {
		return errors.New("too many control characters; this is no setup.env")
	}
	s.text = bytes.Clone(s.src)
	if carriage {
		s.cr = free[0]
		s.text = bytes.ReplaceAll(s.text, []byte{'\r'}, []byte{s.cr})
	}
	if latin {
		s.bad = free[1]
		for i, size := 0, 0; i < len(s.text); i += size {
			var r rune
			if r, size = utf8.DecodeRune(s.text[i:]); r == utf8.RuneError && size == 1 {
				s.text[i] = s.bad
			}
		}
	}
	return nil
}

// undisguise puts carriage returns back into what the parser has read.
func (s *script) undisguise(file *syntax.File) {
	if s.cr == 0 {
		return
	}
	back := func(text string) string { return strings.ReplaceAll(text, string(rune(s.cr)), "\r") }
	syntax.Walk(file, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.Lit:
			n.Value = back(n.Value)
		case *syntax.SglQuoted:
			n.Value = back(n.Value)
		}
		return true
	})
}

// statement sorts one statement of the top level.
func (s *script) statement(st *syntax.Stmt) {
	within := span{int(st.Pos().Offset()), int(st.End().Offset())}
	if st.Negated || st.Background || st.Coprocess || len(st.Redirs) > 0 {
		s.complex(st, "")
		return
	}
	switch cmd := st.Cmd.(type) {
	case *syntax.CallExpr:
		if len(cmd.Args) == 0 {
			for _, as := range cmd.Assigns {
				s.plain(as, within, len(cmd.Assigns) == 1)
			}
			return
		}
		switch cmd.Args[0].Lit() {
		case "exit", "return", "exec":
			s.quits = int(cmd.Pos().Line())
		}
		for _, as := range cmd.Assigns {
			s.uncertain(as.Name.Value, as.Pos(), "stands before another command, so it is set for that command only (a value with spaces needs quotes)")
		}
	case *syntax.DeclClause:
		if exports(cmd) {
			named := 0
			for _, as := range cmd.Args {
				if as.Name != nil {
					named++
				}
			}
			for _, as := range cmd.Args {
				if as.Name != nil && !as.Naked {
					s.plain(as, within, named == 1)
				}
			}
			return
		}
	}
	s.complex(st, "")
}

// setters are the commands that set or unset variables by name.
var setters = []string{"unset", "read", "mapfile", "readarray", "getopts", "printf", "eval", "command", "builtin", "trap"}

// command notes what a command may do to variables.
func (s *script) command(cmd *syntax.CallExpr) {
	if len(cmd.Args) == 0 {
		return
	}
	name := cmd.Args[0].Lit()
	if name == "source" || name == "." || name == "eval" {
		s.runs = int(cmd.Pos().Line())
	}
	if slices.Contains(setters, name) {
		for _, w := range cmd.Args[1:] {
			s.mentions(w, "is changed by "+name)
		}
	}
}

// exports tells whether a declaration does no more than set and export.
func exports(d *syntax.DeclClause) bool {
	switch d.Variant.Value {
	case "export", "declare", "typeset":
	default:
		return false
	}
	for _, as := range d.Args {
		if as.Name != nil {
			continue
		}
		option := as.Value.Lit()
		if option == "--" {
			continue
		}
		if d.Variant.Value == "export" || len(option) < 2 || strings.Trim(option[1:], "gx") != "" || option[0] != '-' {
			return false
		}
	}
	return true
}

// plain takes an assignment that runs exactly once, unless its value does
// more than hold a value.
func (s *script) plain(as *syntax.Assign, within span, alone bool) {
	switch {
	case as.Append:
		s.uncertain(as.Name.Value, as.Pos(), "is added to with +=")
		return
	case as.Array != nil || as.Index != nil:
		s.uncertain(as.Name.Value, as.Pos(), "is an array")
		return
	}
	start := int(as.Name.End().Offset()) + 1
	a := assign{
		key: as.Name.Value, word: as.Value, value: span{start, start},
		stmt: within, alone: alone, line: int(as.Pos().Line()),
	}
	if as.Value != nil {
		a.value = span{int(as.Value.Pos().Offset()), int(as.Value.End().Offset())}
		if why := acts(as.Value); why != "" {
			s.uncertain(a.key, as.Pos(), why)
			s.complexWord(as.Value)
			return
		}
	}
	s.assigns = append(s.assigns, a)
}

// acts says what a value does besides holding text, "" if nothing: such a
// value must not be replaced, because more than the value would go.
func acts(w *syntax.Word) (why string) {
	syntax.Walk(w, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.CmdSubst, *syntax.ProcSubst:
			why = "is set by a command"
		case *syntax.ArithmExp:
			why = "is set by arithmetic"
		case *syntax.ParamExp:
			if n.Exp != nil {
				switch n.Exp.Op {
				case syntax.AssignUnset, syntax.AssignUnsetOrNull, syntax.ErrorUnset, syntax.ErrorUnsetOrNull:
					why = "is set by an expansion that sets another variable or stops"
				}
			}
		}
		return why == ""
	})
	return why
}

func (s *script) complexWord(w *syntax.Word) {
	s.complex(w, "is set by an expansion")
}

// complex finds every variable that something below n may set.
func (s *script) complex(n syntax.Node, why string) {
	syntax.Walk(n, func(n syntax.Node) bool {
		said := why
		if said == "" {
			said = "is set inside a condition, a loop, a function or another command"
		}
		switch n := n.(type) {
		case *syntax.Assign:
			if n.Name != nil && !n.Naked {
				s.uncertain(n.Name.Value, n.Pos(), said)
			} else if n.Name == nil && n.Value != nil {
				s.mentions(n.Value, said)
			}
		case *syntax.DeclClause: // readonly KEY, declare -i KEY: the name itself is changed
			for _, as := range n.Args {
				if as.Name != nil && n.Variant.Value != "export" && n.Variant.Value != "local" {
					s.uncertain(as.Name.Value, as.Pos(), "is declared with "+n.Variant.Value)
				}
			}
		case *syntax.WordIter:
			s.uncertain(n.Name.Value, n.Pos(), "is the variable of a loop")
		case *syntax.ParamExp:
			if n.Param != nil && n.Exp != nil && (n.Exp.Op == syntax.AssignUnset || n.Exp.Op == syntax.AssignUnsetOrNull) {
				s.uncertain(n.Param.Value, n.Pos(), "is set by an expansion")
			}
		case *syntax.ArithmCmd, *syntax.ArithmExp, *syntax.LetClause:
			s.mentions(n, "stands in arithmetic")
		case *syntax.CallExpr:
			s.command(n)
		}
		return true
	})
}

// mentions takes every name that stands anywhere in the text below n.
func (s *script) mentions(n syntax.Node, why string) {
	text := string(s.text[n.Pos().Offset():n.End().Offset()])
	for _, name := range strings.FieldsFunc(text, func(r rune) bool {
		return !validName("_" + string(r))
	}) {
		if validName(name) {
			s.uncertain(name, n.Pos(), why)
		}
	}
}

func (s *script) uncertain(name string, at syntax.Pos, why string) {
	if s.unclear[name] == nil {
		s.unclear[name] = &KeyError{Line: int(at.Line()), Key: name, Why: why}
	}
}

func lineAt(src []byte, offset int) int { return 1 + bytes.Count(src[:offset], []byte{'\n'}) }
