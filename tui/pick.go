package tui

import (
	"fmt"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"authbird/flows"
)

// pickScreen chooses one or more entries of a list that can be long. Typing
// narrows it down.
type pickScreen struct {
	id     string
	title  string
	all    []flows.Choice
	chosen []string
	many   bool
	more   string // said where the list isn't whole; what is typed can then be taken
	filter field
	at     int
}

func newPickScreen(id, title string, all []flows.Choice, chosen []string, many bool, more string) pickScreen {
	s := pickScreen{id: id, title: title, all: all, chosen: slices.Clone(chosen), many: many, more: more, filter: newField("", wordsPickFilter)}
	for i, c := range s.entries() {
		if slices.Contains(chosen, c.Value) {
			s.at = i
			break
		}
	}
	return s
}

// picked is what was chosen.
type picked struct {
	id     string
	values []string
}

// entries are those that fit what was typed, and where the list isn't whole,
// the typed text itself.
func (s pickScreen) entries() []flows.Choice {
	typed := strings.ToLower(s.filter.Value())
	var out []flows.Choice
	exact := false
	for _, c := range s.all {
		if typed == "" || strings.Contains(strings.ToLower(c.Label+" "+c.Note), typed) {
			out = append(out, c)
			exact = exact || c.Value == s.filter.Value()
		}
	}
	for _, v := range s.chosen {
		if typed == "" && !slices.ContainsFunc(s.all, func(c flows.Choice) bool { return c.Value == v }) {
			out = append(out, flows.Choice{Value: v, Label: said(v)})
		}
	}
	if s.more != "" && typed != "" && !exact {
		out = append(out, flows.Choice{Value: s.filter.Value(), Label: fmt.Sprintf(wordsPickTyped, said(s.filter.Value()))})
	}
	return out
}

func (s pickScreen) Update(r room, msg tea.Msg) (screen, action) {
	k, ok := msg.(tea.KeyPressMsg)
	if !ok {
		if _, paste := msg.(tea.PasteMsg); paste {
			s.filter, s.at = s.filter.Update(msg), 0
		}
		return s, stay{}
	}
	entries := s.entries()
	switch hit(k, s.Keys(r)) {
	case "back":
		return s, back{noEdit{}}
	case "clear":
		s.filter, s.at = s.filter.set(""), 0
	case "up":
		s.at = max(s.at-1, 0)
	case "down":
		s.at = min(s.at+1, max(len(entries)-1, 0))
	case "mark":
		s.toggle(entries[s.at].Value)
	case "take":
		if !s.many {
			return s, answer{picked{s.id, []string{entries[s.at].Value}}}
		}
		return s, answer{picked{s.id, s.chosen}}
	default:
		before := s.filter.Exact()
		s.filter = s.filter.Update(msg)
		if s.filter.Exact() != before {
			s.at = 0
		}
	}
	return s, stay{}
}

func (s *pickScreen) toggle(value string) {
	if i := slices.Index(s.chosen, value); i >= 0 {
		s.chosen = slices.Delete(slices.Clone(s.chosen), i, i+1)
		return
	}
	s.chosen = append(slices.Clone(s.chosen), value)
}

func (s pickScreen) Page(r room) page {
	sh := newSheet(r)
	text, x := s.filter.view(r.theme, min(r.width-2, 40), true)
	if s.filter.empty() {
		text = render(r.theme.dim, wordsPickFilter)
	}
	sh.caret = &cursor{x: 2 + x, line: 0}
	sh.raw("  " + text)
	sh.gap()
	entries := s.entries()
	if len(entries) == 0 {
		sh.text(2, r.theme.dim, wordsPickNone)
	}
	for i, c := range entries {
		if i != s.at {
			s.draw(sh, r, c, false)
			continue
		}
		sh.focused(func() { s.draw(sh, r, c, true) })
	}
	if s.more != "" {
		sh.gap()
		sh.text(2, r.theme.dim, s.more)
	}
	return sh.page(s.title, "")
}

func (s pickScreen) draw(sh *sheet, r room, c flows.Choice, focused bool) {
	mark, style := "  ", r.theme.text
	if focused {
		mark, style = signHere+" ", r.theme.accent
	}
	box := ""
	if s.many {
		box = "[ ] "
		if slices.Contains(s.chosen, c.Value) {
			box = "[x] "
		}
	}
	parts := []part{{style, mark + box + said(c.Label)}}
	if c.Note != "" {
		parts = append(parts, part{r.theme.dim, "  " + said(c.Note)})
	}
	sh.parts(parts...)
}

func (s pickScreen) Keys(room) []bind {
	n := len(s.entries())
	var out []bind
	if s.many {
		if n > 0 {
			out = append(out, bind{id: "mark", keys: []string{"space"}, label: "space", does: "mark"})
		}
		out = append(out, bind{id: "take", keys: keyEnter, label: "↵", does: "take these"})
	} else if n > 0 {
		out = append(out, bind{id: "take", keys: keyEnter, label: "↵", does: "take this"})
	}
	leave := bindBack()
	if !s.filter.empty() {
		leave = bind{id: "clear", keys: keyEsc, label: "esc", does: "show all"}
	}
	return append(out,
		bind{id: "up", keys: keyUp, label: "↑", does: "up", quiet: true},
		bind{id: "down", keys: keyDown, label: "↓", does: "down", quiet: true},
		leave)
}

func (s pickScreen) Typing() bool { return !s.filter.empty() }

func (pickScreen) Help() help { return helpPick }
