package cli_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"authbird/sim"
)

// renewing is a desk at which a connector stands, whose tokens were forgotten,
// and the lines that a person types there.
func renewing(t *testing.T) (*desk, *keyboard) {
	d := lineDesk(t)
	stands(d)
	k := newKeyboard()
	d.stdin, d.terminal, d.env["TERM"] = k, true, "dumb"
	return d, k
}

// A client secret is renewed by questions and answers, also from home: the
// tokens are asked for, NetBird is restarted when that is said, and the login
// that proves it is waited for.
func TestAClientSecretIsRenewedInLines(t *testing.T) {
	for verb, before := range map[string][]string{"rotate client-secret": nil, "": {"1", "3", "1"}} {
		t.Run("authbird "+verb, func(t *testing.T) {
			d, k := renewing(t)
			was := d.clientSecrets()
			for _, line := range append(before, with(tokens(d), "yes")...) {
				k.enter(line)
			}
			d.hears = func(said string) {
				switch {
				case strings.Contains(said, "restart NetBird now"):
					if err := d.sim.NetBird.Restart(); err != nil {
						t.Error(err)
					}
				case strings.Contains(said, "Enter alone ends the watch"):
					k.enter("")
				}
			}
			o := d.authbird(strings.Fields(verb)...).want(0)
			if !strings.Contains(o.out, "the client-secret is renewed") || strings.ContainsAny(o.out+o.human, "\x1b\r\b\a\t") {
				t.Errorf("it says %q, %q", o.out, o.human)
			}
			if cmp.Equal(was, d.clientSecrets()) {
				t.Error("Authentik has the old one")
			}
		})
	}
}

// Who answers no, or leaves while NetBird is to restart, leaves all as it was.
func TestARenewalThatIsLeftInLines(t *testing.T) {
	for name, c := range map[string]struct {
		yes  string
		left string // typed when the restart is waited for
		exit int
	}{
		"no":                       {"no", "", 130},
		"q at the question":        {"q", "", 130},
		"q while it is waited for": {"yes", "q", 3},
	} {
		t.Run(name, func(t *testing.T) {
			d, k := renewing(t)
			was := d.clientSecrets()
			for _, line := range with(tokens(d), c.yes) {
				k.enter(line)
			}
			d.hears = func(said string) {
				if c.left != "" && strings.Contains(said, "restart NetBird now") {
					k.enter(c.left)
				}
			}
			d.authbird("rotate", "client-secret").want(c.exit)
			if diff := cmp.Diff(was, d.clientSecrets()); diff != "" {
				t.Errorf("Authentik was changed:\n%s", diff)
			}
			if err := d.sim.NetBird.Restart(); err != nil {
				t.Fatal(err)
			}
			got, err := sim.Login(t.Context(), sim.LoginRequest{NetBirdURL: d.sim.NetBirdURL, Username: sim.PersonUsername, Password: sim.PersonPassword})
			if err != nil || got.Outcome != sim.Admitted && got.Outcome != sim.Pending {
				t.Errorf("nobody can sign in afterwards: %+v, %v", got, err)
			}
		})
	}
}
