package tui

import (
	"strings"
	"testing"

	"authbird/flows"
	"authbird/state"
)

// atOptions leads to the options of a connector setup by flags.
func atOptions(t *testing.T, o Options) *driver {
	t.Helper()
	d := drive(t, o, 80, 24)
	d.until("Go on")
	d.keys("enter")
	d.until("may change identity providers")
	d.keys("enter")
	d.until("See the plan")
	d.gone("reading the lists")
	return d
}

func TestGroupsOfNetBirdAreAskedAboutOnlyWhereItTakesThemOver(t *testing.T) {
	d := atOptions(t, given())
	d.lacks(wordsOptLetIn)
	d.keys("down", "down", "down", "down", "down", "down", "down", "down")
	d.has(wordsOptSyncWhy)
	d.keys("right")
	d.has(wordsOptLetIn)
	d.keys("down", "enter", "space", "enter")
	d.has("staff")
	d.keys("up", "up", "up", "up", "up", "up", "up", "up", "up", "enter")
	d.until("What will happen")
	if a := d.p.draft.answers; a.GroupSync != flows.GroupSyncOn || strings.Join(a.LetIn, ",") != "staff" {
		t.Errorf("the answers are %+v", a)
	}
}

func TestWithoutGroupSyncNobodyIsKeptOutByNetBird(t *testing.T) {
	o := given()
	o.Answers.GroupSync, o.Answers.LetIn = flows.GroupSyncOn, []string{"staff"}
	o.Answers.Mode = state.Connector
	d := atOptions(t, o)
	d.keys("down", "down", "down", "down", "down", "down", "down", "down", "right")
	d.lacks(wordsOptLetIn)
	d.keys("up", "up", "up", "up", "up", "up", "up", "up", "enter")
	d.until("What will happen")
	if a := d.p.draft.answers; a.GroupSync != flows.GroupSyncOff || len(a.LetIn) != 0 {
		t.Errorf("the answers are %+v", a)
	}
}
