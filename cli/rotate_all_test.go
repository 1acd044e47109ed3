package cli_test

import (
	"os"
	"strings"
	"testing"

	"authbird/sim"
	"authbird/sim/fault"
)

// outcomes are the ends that a run told of, by the setup's name.
func (o outcome) outcomes() map[string]map[string]any {
	byName := map[string]map[string]any{}
	for _, line := range o.lines() {
		if line["kind"] == "outcome" {
			byName[line["setup"].(string)] = line
		}
	}
	return byName
}

// keptCustomers are three setups whose admin tokens are kept.
func keptCustomers(t *testing.T) (*desk, []*sim.Sandbox) {
	t.Helper()
	d := newDesk(t)
	others, list := customers(d)
	raw, err := os.ReadFile(list)
	if err != nil {
		t.Fatal(err)
	}
	d.authbird("setup", "--from", d.file("kept.yaml", "defaults:\n  keep-admin-tokens: true\n"+string(raw)), "--yes").want(0)
	return d, others
}

func TestOneThingIsRenewedInAllSetupsAndOneThatFailsStopsNoneOfTheOthers(t *testing.T) {
	d, others := keptCustomers(t)
	if err := others[1].NetBirdFaults.Order(fault.Fault{Kind: fault.Status, Status: 401, Times: -1, Body: `{"message":"token invalid","code":401}`}); err != nil {
		t.Fatal(err)
	}
	got := d.authbird("rotate", "--all", "netbird-token", "--json").want(5)
	ends := got.outcomes()
	if len(ends) != 3 || ends["acme"]["ok"] != true || ends["gamma"]["ok"] != true || ends["beta"]["exit"] != 5.0 {
		t.Errorf("outcomes %v", ends)
	}
	if got.result()["message"] != "2 of 3 setups came to a good end" {
		t.Errorf("result %v", got.result())
	}
	others[1].NetBirdFaults.Clear()
	again := d.authbird("rotate", "--all", "b*", "netbird-token", "--yes").want(0)
	if !strings.Contains(again.out, "1 credential renewed") || strings.Contains(again.out, "acme") {
		t.Errorf("with a pattern:\n%s", again.out)
	}
}

// A token of the environment is for one server, and these are at several.
func TestATokenThatWasGivenGoesToNoOtherServer(t *testing.T) {
	d, _ := keptCustomers(t)
	d.env["NETBIRD_TOKEN"], d.env["AUTHENTIK_TOKEN"] = "nbp_somebody-elses", "somebody-elses"
	d.env["AUTHBIRD_NETBIRD_URL"] = "http://127.0.0.1:1"
	d.authbird("rotate", "--all", "netbird-token", "--yes").want(0)
}

func TestWhatNeedsARestartIsLeftAloneWhereNobodyRestarts(t *testing.T) {
	d, _ := keptCustomers(t)
	got := d.authbird("rotate", "--all", "client-secret", "netbird-token", "--json").want(3)
	for name, end := range got.outcomes() {
		hints := strings.Join(strs(end["hints"]), "\n")
		if end["exit"] != 3.0 || !strings.Contains(end["message"].(string), "NetBird must be restarted") ||
			!strings.Contains(hints, "rotate "+name+" client-secret") || !strings.Contains(hints, "the netbird-token is renewed") {
			t.Errorf("%s: %v", name, end)
		}
	}
	if n := len(got.outcomes()); n != 3 {
		t.Errorf("%d outcomes", n)
	}
}

func TestWhatDoesNotGoWithAllIsRefused(t *testing.T) {
	d, _ := keptCustomers(t)
	for args, want := range map[string]string{
		"--all --yes":                        "which credential shall --all renew?",
		"--all-due --all --yes":              "leave out --all",
		"--all netbird-token --jobs 0 --yes": "--jobs must be 1 or more",
		"--all x* netbird-token --yes":       "no setup has a name that fits",
		"--all netbird-token --yes --netbird-config management.json": "names the file of one NetBird",
	} {
		if got := d.authbird(append([]string{"rotate"}, strings.Fields(args)...)...).want(2); !strings.Contains(got.human, want) {
			t.Errorf("%s: %s", args, got.human)
		}
	}
	none := d.authbird("rotate", "--all", "app-password", "--yes").want(0)
	if !strings.Contains(none.out, "none of 3 setups has that to renew") {
		t.Errorf("said:\n%s", none.out)
	}
	d.authbird("status", "--all", "--json").want(0)
}

func strs(list any) []string {
	var out []string
	if all, ok := list.([]any); ok {
		for _, x := range all {
			out = append(out, x.(string))
		}
	}
	return out
}
