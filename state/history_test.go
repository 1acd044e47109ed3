package state

import (
	"strings"
	"testing"
	"time"
)

// story makes entries of lines "run flow step phase [error]", a minute apart; the
// step "-" is the run itself.
func story(text string) *Setup {
	s := &Setup{}
	for i, line := range strings.Split(strings.TrimSpace(text), "\n") {
		f := strings.Fields(line)
		e := Entry{Time: noon.Add(time.Duration(i) * time.Minute), Run: f[0], Flow: f[1], Step: f[2], Phase: Phase(f[3])}
		if e.Step == "-" {
			e.Step = ""
		}
		e.Error = strings.Join(f[4:], " ")
		s.Entries = append(s.Entries, e)
	}
	return s
}

func TestInterrupted(t *testing.T) {
	const cut, between = "it was cut off, or the answer was lost", "it was cut off between two steps"
	for name, c := range map[string]struct {
		story           string
		flow, step, why string
		minute          int
	}{
		"a run that came to its end": {
			"1 connector - began\n1 connector provider began\n1 connector provider done\n1 connector - done", "", "", "", 0},
		"killed in a step": {
			"1 connector - began\n1 connector provider began", "connector", "provider", cut, 1},
		"killed between two steps": {
			"1 connector - began\n1 connector provider began\n1 connector provider done", "connector", "provider", between, 2},
		"killed before the first step": {
			"1 connector - began", "connector", "", "it was cut off before the first step", 0},
		"stopped for a reason": {
			"1 connector - began\n1 connector provider done\n1 connector - failed the SSH line dropped", "connector", "provider", "the SSH line dropped", 2},
		"refused": {
			"1 connector - began\n1 connector provider began\n1 connector provider failed token lacks rights", "connector", "provider", "token lacks rights", 2},
		"refused, tried again in the same run, done": {
			"1 connector provider began\n1 connector provider failed x\n1 connector provider began\n1 connector provider done", "", "", "", 0},
		"of two steps at once one hangs": {
			"1 connector - began\n1 connector a began\n1 connector b began\n1 connector b done", "connector", "a", cut, 3},
		"taken up by a second run": {
			"1 connector - began\n1 connector a began\n2 connector - began\n2 connector a done\n2 connector - done", "", "", "", 0},
		"a rotation after it does not make it whole": {
			"1 connector - began\n1 connector a began\n2 rotate - began\n2 rotate s done\n2 rotate - done", "connector", "a", cut, 1},
		"the newer of two": {
			"1 connector - began\n1 connector a began\n2 rotate - began\n2 rotate s began", "rotate", "s", cut, 3},
		"removed since": {
			"1 connector - began\n1 connector a began\n2 remove - began\n2 remove a undone\n2 remove - done", "", "", "", 0},
		"taken back since": {
			"1 connector - began\n1 connector a began\n1 connector a undone\n1 connector - undone", "", "", "", 0},
		"a removal cut short": {
			"1 connector - done\n2 remove - began\n2 remove a began", "remove", "a", cut, 2},
		"notes change nothing": {
			"1 connector - began\n1 connector - done\n1 connector x note\n2 doctor - note", "", "", "", 0},
		"runs that say nothing of themselves": {
			"1 connector a began\n1 connector a done\n2 rotate s began", "rotate", "s", cut, 2},
	} {
		t.Run(name, func(t *testing.T) {
			flow, step, when, why, ok := story(c.story).Interrupted()
			if flow != c.flow || step != c.step || why != c.why || ok != (c.flow != "") {
				t.Errorf("%q, %q, %q, %v", flow, step, why, ok)
			}
			if ok && !when.Equal(noon.Add(time.Duration(c.minute)*time.Minute)) {
				t.Errorf("when = %v", when)
			}
		})
	}
	if _, _, _, _, ok := new(Setup).Interrupted(); ok {
		t.Error("an empty journal was interrupted")
	}
}

func TestBegun(t *testing.T) {
	s := story(`1 connector a began
1 connector a done
1 connector b began
1 connector b note
1 connector c began
1 connector c failed
1 rotate a began`)
	for _, c := range []struct {
		flow, step string
		want       bool
	}{{"connector", "a", false}, {"connector", "b", true}, {"connector", "c", false}, {"rotate", "a", true}, {"rotate", "z", false}} {
		if e, ok := s.Begun(c.flow, c.step); ok != c.want || ok && (e.Phase != Began || e.Step != c.step || e.Flow != c.flow) {
			t.Errorf("Begun(%s, %s) = %+v, %v", c.flow, c.step, e, ok)
		}
	}
}

func TestLast(t *testing.T) {
	s := story(`1 connector a began
1 connector a done
2 connector a began
2 connector a failed
2 connector a note
1 connector b done
3 remove b undone
4 connector b began
1 connector c began`)
	for i := range s.Entries {
		s.Entries[i].Receipt.ObjectID = s.Entries[i].Run
	}
	for step, want := range map[string]struct {
		id    string
		phase Phase
	}{"a": {"1", Failed}, "b": {"", Began}, "c": {"", Began}, "d": {"", ""}} {
		if r, phase := s.Last(step); r.ObjectID != want.id || phase != want.phase {
			t.Errorf("Last(%s) = %+v, %s", step, r, phase)
		}
	}
}
