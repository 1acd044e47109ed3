package cli_test

import (
	"strings"
	"testing"
)

// conversation runs the line prompter with these lines as a person's answers.
func (d *desk) conversation(verb string, answers ...string) outcome {
	d.t.Helper()
	d.terminal = true
	d.env["TERM"] = "dumb"
	d.stdin = strings.NewReader(strings.Join(answers, "\n") + "\n")
	return d.authbird(strings.Fields(verb)...)
}

// forget takes out of the environment what the person is to be asked for.
func (d *desk) forget(names ...string) {
	for _, name := range names {
		delete(d.env, name)
	}
}

func TestEverythingIsAskedLineByLine(t *testing.T) {
	d := newDesk(t)
	d.forget("AUTHBIRD_AUTHENTIK_URL", "AUTHBIRD_NETBIRD_URL", "AUTHENTIK_TOKEN", "NETBIRD_TOKEN", "AUTHBIRD_KEYSTORE", "AUTHBIRD_KEYSTORE_IDENTITY")
	o := d.conversation("setup connector --keystore file",
		"http://127.0.0.1:1", d.sim.AuthentikURL, // the first one is nobody
		"wrong", d.sim.AuthentikToken,
		d.sim.NetBirdURL, "2", d.sim.NetBirdToken, // paste a token
		"yes",                                       // the options
		"yes",                                       // do it
		"short",                                     // a passphrase of the new keystore
		passphrase, "wrong", passphrase, passphrase, // and another
		"", // no proof
	).want(0)
	for _, said := range []string{
		"Where is Authentik?", "That does not do:", "Authentik answers at " + d.sim.AuthentikURL, "signed in as akadmin",
		"1  sign in with a code", "2  paste an access token", "This is the plan; nothing has changed yet.", "to make    provider",
		"That does not do: a passphrase of less than 8 characters is soon guessed: take a longer one", "The two are not the same.",
		"Do it? Answer yes or no. Enter alone means yes.", "open this on any device and sign in by Authentik", d.sim.NetBirdURL,
	} {
		if !strings.Contains(o.human, said) {
			t.Errorf("%q was not said:\n%s", said, o.human)
		}
	}
	if strings.ContainsAny(o.out+o.human, "\x1b\r\b") {
		t.Errorf("the lines hold escapes or move the cursor:\n%q", o.out+o.human)
	}
	if !strings.Contains(o.out, "Authentik and NetBird are connected") {
		t.Errorf("the result is not on standard output:\n%s", o.out)
	}
}

func TestTheInputEndsAtAQuestion(t *testing.T) {
	d := newDesk(t)
	d.forget("AUTHBIRD_NETBIRD_URL")
	o := d.conversation("setup connector").want(2)
	if !strings.Contains(o.human, "authbird: missing: --netbird-url") {
		t.Errorf("the flag is not named:\n%s", o.human)
	}
}

func TestNoAtThePlanLeavesNoTrace(t *testing.T) {
	d := newDesk(t)
	d.conversation("setup connector", "yes", "no").want(130)
	if o := d.authbird("status").want(0); !strings.Contains(o.out, "there is no setup yet") {
		t.Errorf("something is left:\n%s", o.out)
	}
	if got := len(d.clientSecrets()); got != 0 {
		t.Errorf("Authentik has %d providers", got)
	}
}

// Somebody else's provider is asked about, with have and want, and no leaves
// it as it was.
func TestAForeignObjectIsAskedAbout(t *testing.T) {
	d := newDesk(t)
	d.authbird("setup", "connector", "--yes", "--setup", "first").want(0)
	d.env["AUTHBIRD_STATE_DIR"] = d.dir + "/another"
	o := d.conversation("setup connector --connector-name Other --slug other", "yes", "yes", "no").want(3)
	if !strings.Contains(o.human, "May it be taken over and changed so? Answer yes or no. Enter alone means no.") {
		t.Errorf("it was not asked:\n%s", o.human)
	}
}

// What no server would take is asked for again, and not found out at the end.
func TestASlugIsJudgedWhereItIsAsked(t *testing.T) {
	d := newDesk(t)
	o := d.conversation("setup connector", "no", "Acme", "bad slug!", "token", "acme").want(2) // the input ends at the next question
	for _, said := range []string{`That does not do: the slug "bad slug!" has more in it`, `That does not do: the slug "token" is one of Authentik's own`} {
		if !strings.Contains(o.human, said) {
			t.Errorf("%q was not said:\n%s", said, o.human)
		}
	}
	if strings.Count(o.human, "Slug of the application?") != 3 {
		t.Errorf("it was not asked three times:\n%s", o.human)
	}
}

func TestHomeInWords(t *testing.T) {
	d := newDesk(t)
	d.authbird("setup", "connector", "--yes", "--setup", "first").want(0)
	o := d.conversation("", "q").want(130)
	for _, said := range []string{"Here: 1 setup.", "1  first, complete, no login seen yet", "2  a new setup"} {
		if !strings.Contains(o.human, said) {
			t.Errorf("%q was not said:\n%s", said, o.human)
		}
	}
}

// A simulated person signs in, waits for approval, is approved and signs in
// again.
func TestALoginIsWatchedAndApproved(t *testing.T) {
	d := newDesk(t)
	d.terminal = true
	d.env["TERM"] = "dumb"
	keys := newKeyboard()
	d.stdin = keys
	d.hears = func(said string) {
		switch {
		case strings.HasPrefix(said, "Is that right?"), strings.HasPrefix(said, "Do it?"):
			keys.enter("yes")
		case strings.HasPrefix(said, "What is seen of it"):
			keys.enter("s")
		case strings.Contains(said, "who waits for approval"):
			keys.enter("a")
		case strings.Contains(said, "is approved"):
			keys.enter("s")
		case strings.Contains(said, "That is proof"):
			keys.enter("")
		}
	}
	d.authbird("setup", "connector", "--sandbox").want(0)
}
