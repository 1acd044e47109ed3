package tui

import (
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
)

func TestASelectionGoesRoundAndKeepsToItsValues(t *testing.T) {
	s := newSelection("b", "a", "the first", "b", "the second", "c", "the third")
	for _, want := range []string{"c", "a", "b"} {
		if s.step(1); s.chosen() != want {
			t.Fatalf("after a step it is %q, not %q", s.chosen(), want)
		}
	}
	if s.step(-1); s.chosen() != "a" {
		t.Errorf("a step back leads to %q", s.chosen())
	}
	if got := newSelection("newer than this program", "a", "the first").chosen(); got != "a" {
		t.Errorf("an unknown value is %q", got)
	}
}

func TestASelectionIsDrawnWholeInAnyWidth(t *testing.T) {
	s := newSelection("long", "long", "everything below the domain, as documented")
	for width := 12; width < 60; width += 3 {
		lines := s.lines(newTheme(true), width, true)
		for _, l := range lines {
			if ansi.StringWidth(l) > width {
				t.Errorf("%q is wider than %d", ansi.Strip(l), width)
			}
		}
		got := strings.Join(strings.Fields(ansi.Strip(strings.Join(lines, " "))), " ")
		if got != "‹ everything below the domain, as documented ›" {
			t.Errorf("in %d columns it is %q", width, got)
		}
	}
	many := newSelection("g", "a", "one", "b", "two", "c", "three", "d", "four", "e", "five", "f", "six", "g", "seven")
	many.step(1)
	many.step(-1)
	if got := ansi.Strip(strings.Join(many.lines(newTheme(true), 20, true), "")); got != "‹ seven ›" {
		t.Errorf("the last of many is %q", got)
	}
	if got := ansi.Strip(strings.Join(s.lines(newTheme(true), 60, false), "")); got != "everything below the domain, as documented" {
		t.Errorf("without the focus it is %q", got)
	}
}

func TestLettersAndSlashesAreNoKeysOfAChoice(t *testing.T) {
	f := form{rows: []row{choice("x", "X", "", "a", "a", "one", "b", "two")}}
	for _, k := range []tea.KeyPressMsg{press("/"), press("x"), press("g"), press("G")} {
		f, _ = f.update(k)
	}
	if f.row("x").value() != "a" {
		t.Errorf("it is %q", f.row("x").value())
	}
	if f, ev := f.update(press("right")); ev.changed != "x" || f.row("x").value() != "b" {
		t.Errorf("the arrow leads to %q, %+v", f.row("x").value(), ev)
	}
}
