package cli_test

import (
	"fmt"
	"strings"
	"testing"

	"authbird/sim"
	"authbird/sim/fault"
)

// customers is a list of three: two NetBirds at one Authentik, and one pair of
// its own.
func customers(d *desk) (others []*sim.Sandbox, file string) {
	d.t.Helper()
	var b strings.Builder
	b.WriteString("setups:\n")
	for i, name := range []string{"acme", "beta", "gamma"} {
		s, err := sim.Start(sim.Options{})
		if err != nil {
			d.t.Fatal(err)
		}
		d.t.Cleanup(s.Close)
		others = append(others, s)
		d.env[strings.ToUpper(name)] = s.NetBirdToken
		authentik, token := others[0], "AK1"
		if i == 2 {
			authentik, token = s, "AK2"
		}
		d.env[token] = authentik.AuthentikToken
		fmt.Fprintf(&b, "  - setup: %s\n    slug: %s\n    name: %s\n    authentik-url: %s\n    authentik-token-env: %s\n    netbird-url: %s\n    netbird-token-env: %s\n",
			name, name, name, authentik.AuthentikURL, token, s.NetBirdURL, strings.ToUpper(name))
	}
	for _, name := range []string{"AUTHENTIK_TOKEN", "NETBIRD_TOKEN", "AUTHBIRD_AUTHENTIK_URL", "AUTHBIRD_NETBIRD_URL"} {
		d.forget(name)
	}
	return others, d.file("customers.yaml", b.String())
}

func TestAListIsSetUpAndOneThatFailsStopsNoneOfTheOthers(t *testing.T) {
	d := newDesk(t)
	others, list := customers(d)
	if err := others[1].NetBirdFaults.Order(fault.Fault{Kind: fault.Status, Status: 401, Times: -1, Body: `{"message":"token invalid","code":401}`}); err != nil {
		t.Fatal(err)
	}
	planned := d.authbird("plan", "--from", list, "--yes").want(5)
	if !strings.Contains(planned.out, "acme: nothing has changed yet: 5 to make") {
		t.Errorf("the plan:\n%s", planned.out)
	}
	got := d.authbird("setup", "--from", list, "--json").want(5)
	byName := map[string]map[string]any{}
	for _, line := range got.lines() {
		if line["kind"] == "outcome" {
			byName[line["setup"].(string)] = line
		}
	}
	if len(byName) != 3 || byName["acme"]["ok"] != true || byName["gamma"]["ok"] != true || byName["beta"]["exit"] != 5.0 {
		t.Errorf("outcomes %v", byName)
	}
	if got.result()["message"] != "2 of 3 setups came to a good end" {
		t.Errorf("result %v", got.result())
	}
	others[1].NetBirdFaults.Clear()
	again := d.authbird("setup", "--from", list, "--yes").want(0)
	if strings.Count(again.out, "nothing to do") != 2 || !strings.Contains(again.out, "done     beta: Authentik and NetBird are connected") || !strings.Contains(again.out, "all is well in 3 setups") {
		t.Errorf("again:\n%s", again.out)
	}
	for _, s := range others {
		if err := s.Login(t.Context(), sim.PersonUsername, sim.PersonPassword); err != nil {
			t.Error(err)
		}
	}
	status := d.authbird("status", "--json", "*a").want(0)
	if strings.Count(status.out, `"kind":"setup"`) != 2 {
		t.Errorf("status of *a:\n%s", status.out)
	}
	if one := d.authbird("status", "--json", "ac*").want(0); strings.Count(one.out, `"kind":"setup"`) != 1 {
		t.Errorf("status of ac*:\n%s", one.out)
	}
	d.authbird("status", "z*").want(2)
}

func TestAListThatIsIncompleteBeginsNothing(t *testing.T) {
	d := newDesk(t)
	_, list := customers(d)
	delete(d.env, "BETA")
	got := d.authbird("setup", "--from", list, "--yes").want(2)
	if !strings.Contains(got.human, "customers.yaml:9: the variable BETA is empty") || !strings.Contains(got.human, "nothing was begun") {
		t.Errorf("%s", got.human)
	}
	if out := d.authbird("status", "--json").want(0).out; strings.Contains(out, `"kind":"setup"`) {
		t.Errorf("something was begun: %s", out)
	}
	d.authbird("setup", "--from", list, "--sandbox").want(2)
	d.authbird("setup", "--from", list, "--jobs", "0").want(2)
	d.authbird("setup", "--from", list, "--setup", "x").want(2)
	d.authbird("setup", "--from", "nowhere.yaml").want(2)
}
