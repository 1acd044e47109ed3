package cli_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestTheDoctorRepairs(t *testing.T) {
	d := standingDesk(t)
	d.ill()
	fixed := d.authbird("doctor", "home", "--fix", "--yes", "--json").want(0)
	var kinds []string
	for _, line := range fixed.lines() {
		if kind := line["kind"].(string); !slices.Contains(kinds, kind) {
			kinds = append(kinds, kind)
		}
	}
	if got := strings.Join(kinds, " "); got != "check diagnosis plan step result" {
		t.Errorf("the kinds of lines, as they first came: %s", got)
	}
	if got := fixed.verdicts(); got["signing-key"] != "ok" {
		t.Errorf("after the repair: %v", got)
	}
	d.authbird("doctor", "home", "--yes").want(0)
	again := d.authbird("doctor", "home", "--fix", "--yes").want(0)
	if strings.Contains(again.out, "to change") {
		t.Errorf("a second repair has something to do:\n%s", again.out)
	}
}

func TestARepairIsAskedAboutLineByLine(t *testing.T) {
	d := standingDesk(t)
	d.ill()
	o := d.conversation("doctor home --fix", "no").want(1)
	for _, want := range []string{"signing key: have \"none\", want "} {
		if !strings.Contains(o.out, want) {
			t.Errorf("the plan lacks %q:\n%s", want, o.out)
		}
	}
	if !strings.Contains(o.human, "Repair it so? Answer yes or no. Enter alone means no.") || !strings.Contains(o.human, "nothing was changed") {
		t.Errorf("said:\n%s", o.human)
	}
	o = d.conversation("doctor home --fix --accessible", "yes").want(0)
	if !strings.Contains(o.human, "looked again") || !strings.Contains(o.out, "all is well") {
		t.Errorf("said:\n%s\n%s", o.human, o.out)
	}
	if strings.ContainsAny(o.out+o.human, "\x1b\r\b") {
		t.Errorf("the lines hold escapes:\n%q", o.out+o.human)
	}
}

func TestTheHomeScreenInWordsLeadsToTheDoctor(t *testing.T) {
	d := standingDesk(t)
	d.ill()
	o := d.conversation("--accessible", "1", "2", "yes").want(0)
	for _, want := range []string{"2  ask the doctor what is wrong", "Repair it so?", "looked again"} {
		if !strings.Contains(o.human, want) {
			t.Errorf("%q was not said:\n%s", want, o.human)
		}
	}
}

// A connection that authbird did not make is found by both addresses and
// repaired; the repair is a setup that can be taken back, and nothing else is.
func TestTheDoctorRepairsAConnectionThatItFound(t *testing.T) {
	d := standingDesk(t)
	if err := os.RemoveAll(filepath.Join(d.dir, "authbird")); err != nil {
		t.Fatal(err)
	}
	o := d.authbird("doctor").want(0)
	if !strings.Contains(o.out, "connector  Authentik") || !strings.Contains(o.out, "no API tells the secret") {
		t.Errorf("said:\n%s", o.out)
	}
	d.ill()
	o = d.authbird("doctor", "--json").want(1)
	if got := o.verdicts(); got["signing-key"] != "fail" || !strings.HasPrefix(o.result()["next"].(string), "authbird doctor --authentik-url http") {
		t.Errorf("%v, next %v", got, o.result()["next"])
	}
	if got := d.authbird("doctor", "--fix", "--yes", "--json").want(0).verdicts(); got["signing-key"] != "ok" {
		t.Errorf("after the repair: %v", got)
	}
	d.authbird("doctor", "--fix", "--yes").want(0)
	d.authbird("remove", "--yes").want(0)
	if got := d.authbird("doctor", "--json").want(1).verdicts(); got["signing-key"] != "fail" || got["connector"] != "ok" {
		t.Errorf("after the repair was taken back: %v", got)
	}
}
