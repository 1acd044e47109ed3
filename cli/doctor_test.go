package cli_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"authbird/sim"
	"authbird/sim/fault"
)

// standing is a desk with a setup that is whole.
func standingDesk(t *testing.T) *desk {
	t.Helper()
	d := newDesk(t)
	d.authbird("setup", "connector", "--yes", "--setup", "home").want(0)
	return d
}

// ill takes the signing key away, so that nobody can log in.
func (d *desk) ill() {
	d.t.Helper()
	if err := d.sim.Authentik.DropSigningKey("NetBird"); err != nil {
		d.t.Fatal(err)
	}
}

// verdicts are the checks of a run in JSON, by id; the last counts.
func (o outcome) verdicts() map[string]string {
	out := map[string]string{}
	for _, line := range o.lines() {
		if line["kind"] == "check" {
			out[line["id"].(string)] = line["verdict"].(string)
		}
	}
	return out
}

func TestTheDoctorNamesTheCause(t *testing.T) {
	d := standingDesk(t)
	d.ill()
	o := d.authbird("doctor", "home").want(1)
	for _, want := range []string{"\n  wrong ", "\n    cause ", "\n    repair  --fix (provider"} {
		if !strings.Contains(o.out, want) {
			t.Errorf("does not say %q:\n%s", want, o.out)
		}
	}
	for _, want := range []string{"authbird: ", " wrong, ", "to go on: authbird doctor home --fix"} {
		if !strings.Contains(o.human, want) {
			t.Errorf("does not say %q:\n%s", want, o.human)
		}
	}
	first := d.authbird("doctor", "home", "--json").want(1)
	if got := first.verdicts(); got["signing-key"] != "fail" || got["authentik-answers"] != "ok" {
		t.Errorf("the verdicts are %v", got)
	}
	if r := first.result(); r["next"] != "authbird doctor home --fix" || r["exit"] != 1.0 {
		t.Errorf("the result is %v", r)
	}

}

func TestTheDoctorAsksForForgottenTokens(t *testing.T) {
	d := standingDesk(t)
	d.forget("AUTHENTIK_TOKEN", "NETBIRD_TOKEN")
	o := d.conversation("doctor home", d.sim.AuthentikToken, d.sim.NetBirdToken).want(0)
	if !strings.Contains(o.human, "Authentik's token? Type - to look without it") || !strings.Contains(o.out, "all is well") {
		t.Errorf("said:\n%s\n%s", o.human, o.out)
	}
	o = d.conversation("doctor home", "-", d.sim.NetBirdToken).want(1)
	if !strings.Contains(o.out, "Authentik") {
		t.Errorf("said:\n%s", o.out)
	}
}

func TestNobodyIsThereToLookAt(t *testing.T) {
	d := standingDesk(t)
	d.sim.Close()
	o := d.authbird("doctor", "home", "--json").want(5)
	if r := o.result(); r["ok"] != false {
		t.Errorf("the result is %v", r)
	}
}

// Notes end with 3 under --strict only.
func TestNotesCountWhenStrict(t *testing.T) {
	s, err := sim.Start(sim.Options{AuthentikVersion: "2027.1.0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	d := newDesk(t)
	d.sim = s
	d.env["AUTHBIRD_AUTHENTIK_URL"], d.env["AUTHBIRD_NETBIRD_URL"] = s.AuthentikURL, s.NetBirdURL
	d.env["AUTHENTIK_TOKEN"], d.env["NETBIRD_TOKEN"] = s.AuthentikToken, s.NetBirdToken
	d.authbird("setup", "connector", "--yes", "--setup", "home").want(0)
	o := d.authbird("doctor", "home").want(0)
	if !strings.Contains(o.out, "\n  note ") || !strings.Contains(o.out, "1 note, ") {
		t.Errorf("said:\n%s", o.out)
	}
	d.authbird("doctor", "home", "--strict").want(3)
	d.authbird("doctor", "--all", "--strict").want(3)
}

// One that fails, one whose files are damaged and one that can't be reached
// stop none of the others.
func TestAllSetupsAreLookedAtWhateverBecomesOfOne(t *testing.T) {
	d := standingDesk(t)
	for _, name := range []string{"away", "gone", "whole"} {
		d.copySetup("home", name)
	}
	d.editAnswers("away", func(a map[string]any) {
		a["authentik_url"], a["netbird_url"] = "http://127.0.0.1:1", "http://127.0.0.1:1"
	})
	for _, file := range []string{"setup.json", "journal.jsonl"} { // either would tell of the other
		if err := os.WriteFile(filepath.Join(d.dir, "authbird", "setups", "gone", file), []byte("not JSON\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	o := d.authbird("doctor", "--all", "--json")
	verdicts := map[string]string{}
	for _, line := range o.lines() {
		if line["kind"] == "diagnosis" {
			verdicts[line["setup"].(string)] = line["verdict"].(string)
		}
	}
	if o.exit != 5 || verdicts["home"] != "ok" || verdicts["whole"] != "unknown" || verdicts["away"] != "unknown" || verdicts["gone"] != "unknown" {
		t.Errorf("exit %d, %v\n%s", o.exit, verdicts, o.human)
	}
	if !strings.Contains(o.human, "gone could not be looked at: its files can't be read: ") {
		t.Errorf("said:\n%s", o.human)
	}
	d.ill()
	o = d.authbird("doctor", "--all").want(1)
	if !strings.Contains(o.human, "home: 1 wrong") || !strings.Contains(o.human, "away could not be looked at") {
		t.Errorf("said:\n%s", o.human)
	}
	if o = d.authbird("doctor", "--all", "who*").want(1); strings.Contains(o.out, "home") || !strings.Contains(o.out, "whole") {
		t.Errorf("a pattern looks at:\n%s", o.out)
	}
}

// A token that was given belongs to one server and is sent to no other.
func TestAGivenTokenIsNotSentToOtherServers(t *testing.T) {
	d := standingDesk(t)
	other, err := sim.Start(sim.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(other.Close)
	d.copySetup("home", "other")
	d.editAnswers("other", func(a map[string]any) { a["authentik_url"], a["netbird_url"] = other.AuthentikURL, other.NetBirdURL })
	tell := func(o outcome) map[string]string {
		out := map[string]string{}
		for _, line := range o.lines() {
			if line["kind"] == "check" && (line["id"] == "authentik-token" || line["id"] == "netbird-token") {
				out[fmt.Sprint(line["setup"], " ", line["id"])] = line["evidence"].(string) + line["cause"].(string)
			}
		}
		return out
	}
	got := tell(d.authbird("doctor", "--all", "--json"))
	if !strings.Contains(got["home authentik-token"], "akadmin") {
		t.Errorf("home was not sent its own token: %v", got)
	}
	if other := got["other authentik-token"]; other == "" || strings.Contains(other, "invalid") {
		t.Errorf("another server was sent the token: %v", got)
	}
	d.forget("AUTHBIRD_AUTHENTIK_URL", "AUTHBIRD_NETBIRD_URL")
	if got := tell(d.authbird("doctor", "--all", "--json")); strings.Contains(got["home authentik-token"], "akadmin") {
		t.Errorf("a token of nobody's was sent: %v", got)
	}
}

func TestTheWatchTellsAndEndsBySignal(t *testing.T) {
	for signal, exit := range map[os.Signal]int{os.Interrupt: 130, syscall.SIGTERM: 0} {
		d := standingDesk(t)
		d.ill()
		told := filepath.Join(d.dir, "told")
		d.outHears = func(said string) {
			if strings.Contains(said, `"kind":"diagnosis"`) {
				d.signals <- signal
			}
		}
		args := []string{"doctor", "home", "--watch", "--json"}
		if runtime.GOOS != "windows" {
			args = append(args, "--on-change", `printf '%s %s' "$AUTHBIRD_SETUP" "$AUTHBIRD_VERDICT" > `+told+`; env >> `+told)
			d.outHears = nil
			d.env["PATH"] = os.Getenv("PATH")
			args[len(args)-1] += `; echo done >&2`
			d.hears = func(said string) {
				if strings.Contains(said, "done") {
					d.signals <- signal
				}
			}
		}
		o := d.authbird(args...).want(exit)
		if got := o.verdicts()["signing-key"]; got != "fail" {
			t.Errorf("%v: the first look is not told whole: %s", signal, o.out)
		}
		if runtime.GOOS == "windows" {
			continue
		}
		text, err := os.ReadFile(told)
		if err != nil || !strings.HasPrefix(string(text), "home fail") {
			t.Errorf("%v: the command told %q, %v", signal, text, err)
		}
		for name, secret := range d.secrets() {
			if strings.Contains(string(text), secret) {
				t.Errorf("%v: the command was given %s", signal, name)
			}
		}
	}
}

// Whatever the doctor is asked to say, no secret is in it.
func TestNoSecretIsToldByTheDoctor(t *testing.T) {
	d := standingDesk(t)
	d.ill()
	w := d.watch()
	report := filepath.Join(d.dir, "report.md")
	for _, args := range []string{"home", "home --json", "home --report " + report, "home --report -", "--all --json", "home --fix --yes --json", "home --fix --yes"} {
		w.anyRun(append([]string{"doctor"}, strings.Fields(args)...)...)
	}
	if order := (fault.Fault{Path: "/api/v3/core/users/me/", Times: -1, Kind: fault.Status, Status: 500, Body: `{"detail":"` + d.sim.AuthentikToken + `"}`}); d.sim.AuthentikFaults.Order(order) != nil {
		t.Fatal("no fault")
	}
	w.anyRun("doctor", "home", "--json")
	w.nothingFound()
}

// What a server says reaches neither stream raw.
func TestControlCharactersAreCleanedFromWhatTheDoctorTells(t *testing.T) {
	d := standingDesk(t)
	evil := "evil\x1b[2J\u202e\u200bname"
	if err := d.sim.Authentik.SetProvider("NetBird", map[string]any{"name": evil}); err != nil {
		t.Fatal(err)
	}
	for _, args := range []string{"home", "home --json", "home --report -", "home --fix --yes"} {
		o := d.authbird(append([]string{"doctor"}, strings.Fields(args)...)...)
		if strings.ContainsAny(o.out+o.human, "\x1b\u202e\u200b") || strings.Contains(o.out, `\u001b`) {
			t.Errorf("%s tells %q", args, o.out+o.human)
		}
	}
}

// copySetup makes another setup of one. The secrets of the one stay its own, so
// what rests on them is unknown of the other.
func (d *desk) copySetup(from, to string) {
	d.t.Helper()
	setups := filepath.Join(d.dir, "authbird", "setups")
	if err := os.CopyFS(filepath.Join(setups, to), os.DirFS(filepath.Join(setups, from))); err != nil {
		d.t.Fatal(err)
	}
	d.edit(to, func(f map[string]any) { f["name"] = to })
}

func (d *desk) editAnswers(setup string, change func(map[string]any)) {
	d.t.Helper()
	d.edit(setup, func(f map[string]any) { change(f["answers"].(map[string]any)) })
}

func (d *desk) edit(setup string, change func(map[string]any)) {
	d.t.Helper()
	path := filepath.Join(d.dir, "authbird", "setups", setup, "setup.json")
	raw, err := os.ReadFile(path)
	var f map[string]any
	if err == nil {
		err = json.Unmarshal(raw, &f)
	}
	if err == nil {
		change(f)
		raw, err = json.Marshal(f)
	}
	if err := errors.Join(err, os.WriteFile(path, raw, 0o600)); err != nil {
		d.t.Fatal(err)
	}
}
