//go:build unix

package cli_test

import (
	"strings"
	"testing"

	"authbird/sim/fault"
)

// A person gives both tokens and a new passphrase in masked fields, and none
// of them, nor the secret that is made, is ever drawn or left on the disk.
func TestNoSecretIsDrawnOnTheFullScreen(t *testing.T) {
	d := newDesk(t)
	d.forget("AUTHENTIK_TOKEN", "NETBIRD_TOKEN", "AUTHBIRD_KEYSTORE_IDENTITY")
	w := d.watch()
	x := d.start("setup", "connector", "--trace", d.dir+"/trace.jsonl")
	x.sees("Connect to Authentik", "▸ API token").types(d.sim.AuthentikToken + enter)
	x.sees("akadmin, superuser", "▸ Go on").types(enter)
	x.sees("▸ Sign in with a code").types(down)
	x.sees("▸ Access token").types(d.sim.NetBirdToken + enter)
	x.sees("Owner, owner", "▸ Go on").types(enter)
	x.sees("▸ See the plan").types(enter)
	x.sees("+ connector", "↵ do it").types(enter)
	x.sees("▸ Passphrase", "give none").types(passphrase + enter)
	x.sees("▸ Once more").types(passphrase + enter)
	x.sees("Everything is made and checked", "↵ first sign-in").types(enter)
	x.sees("waiting for somebody", "↵ skip").types(enter)
	x.sees("is set up", "↵ leave").types(enter)
	x.ends(0)
	w.said.WriteString(x.written())
	w.nothingFound()
}

// The same in words, with the echo of the terminal off where it must be.
func TestNoSecretIsEchoedLineByLine(t *testing.T) {
	d := newDesk(t)
	d.forget("AUTHENTIK_TOKEN", "NETBIRD_TOKEN", "AUTHBIRD_KEYSTORE_IDENTITY")
	w := d.watch()
	x := d.start("setup", "connector", "--accessible", "--trace", d.dir+"/trace.jsonl")
	x.hears("The API token of Authentik? What you type is not shown.").types(d.sim.AuthentikToken + enter)
	x.hears("How do you sign in to NetBird?").types("2" + enter)
	x.hears("The access token of NetBird? What you type is not shown.").types(d.sim.NetBirdToken + enter)
	x.hears("Is that right?").types("yes" + enter)
	x.hears("Do it?").types("yes" + enter)
	x.hears("New passphrase? What you type is not shown.").types(passphrase + enter)
	x.hears("The same passphrase again? What you type is not shown.").types(passphrase + enter)
	x.hears("Enter alone ends the watch.").types(enter)
	x.ends(0)
	w.said.WriteString(x.written())
	w.nothingFound()
	if !strings.Contains(x.written(), "yes\r\n") {
		t.Errorf("the terminal did not show what it should:\n%s", x.written())
	}
}

// A terminal that goes away in the middle of a step is one SIGHUP: the step is
// finished, and the next run goes on.
func TestATerminalThatGoesAwayEndsNothingHalfway(t *testing.T) {
	for _, args := range []string{"setup connector --yes --setup home", "setup connector --accessible --setup home"} {
		t.Run(args, func(t *testing.T) {
			d := newDesk(t)
			// Nothing tells that authbird heard of it: its terminal is gone.
			order := fault.Fault{Method: "PUT", Path: "/api/v3/core/transactional/applications/", Kind: fault.Slow, DelayMS: 2000}
			if err := d.sim.AuthentikFaults.Order(order); err != nil {
				t.Fatal(err)
			}
			x := d.start(strings.Fields(args)...)
			if strings.Contains(args, "accessible") {
				x.hears("Is that right?").types("yes" + enter)
				x.hears("Do it?").types("yes" + enter)
			}
			x.hears("doing    provider").tty.Close()
			x.ends(130)
			o := d.authbird("status").want(0)
			if !strings.Contains(o.out, "stopped at") || !strings.Contains(o.out, "provider") {
				t.Errorf("the provider is not known to stand:\n%s", o.out)
			}
			d.authbird("resume", "--yes").want(0)
		})
	}
}

// Home is there at once, and q leaves it with nothing done.
func TestHomeOpensAndLeaves(t *testing.T) {
	d := newDesk(t)
	x := d.start()
	x.sees("authbird", "q quit").types("q")
	x.ends(0)
}

// Ctrl-C at the questions leaves the terminal as it was.
func TestCtrlCAtAQuestion(t *testing.T) {
	d := newDesk(t)
	d.forget("AUTHENTIK_TOKEN")
	x := d.start("setup", "connector", "--accessible")
	x.hears("The API token of Authentik?").types(ctrlC)
	x.ends(130)
	if want := "authbird: interrupted; nothing was begun"; !strings.Contains(x.written(), want) {
		t.Errorf("does not say %q:\n%s", want, x.written())
	}
}

// rotate without a credential opens the credentials of all setups, and renews from
// there.
func TestRotateOpensTheCredentials(t *testing.T) {
	d := standingDesk(t)
	x := d.start("rotate")
	x.sees("Credentials", "▸ home", "client-secret", "q quit").types(enter)
	x.sees("Renew the client secret of home", "Renew it now?").types("\x03")
	x.ends(0)
	// A flag that the screen would not heed is not lost.
	x = d.start("rotate", "--rotate-every", "90")
	x.hears("Which is to be renewed?").types("\x03")
	x.ends(130)
}
