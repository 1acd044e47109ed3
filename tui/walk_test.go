package tui

import (
	"errors"
	"strings"
	"testing"

	"authbird/clients"
	"authbird/doctor"
	"authbird/flows"
	"authbird/state"
)

// atPlan is a driver that flags brought straight to a plan.
func atPlan(t *testing.T, b *fakeBench) *driver {
	t.Helper()
	o := given()
	o.Bench = b
	d := drive(t, o, 80, 24)
	d.until("Go on")
	d.keys("enter")
	d.until("may change identity providers")
	d.keys("enter")
	d.until("See the plan")
	d.keys("enter")
	d.until("redirect URI")
	return d
}

// foreign is a provider of that name that authbird didn't make.
func foreign() flows.Finding {
	return flows.Finding{Verdict: flows.Differs, Fields: []flows.Field{
		{Name: "signing key", Have: "", Want: "authentik Self-signed Certificate"},
		{Name: "redirect URIs", Have: "https://old.example.com/cb", Want: "https://netbird.example.com/oauth2/callback"},
	}}
}

func TestOptionsAreChosenFromWhatTheServersHave(t *testing.T) {
	o := given()
	d := drive(t, o, 80, 24)
	d.until("Go on")
	d.keys("enter")
	d.until("may change identity providers")
	d.keys("enter")
	d.until("See the plan")
	d.gone("reading the lists")
	d.keys("down", "ctrl+u", `"Acme VPN"`, "down", "ctrl+u", `"bad slug"`, "down")
	d.has("Letters, digits, - and _ only")
	d.keys("up", "ctrl+u", `"acme"`, "down", "enter")
	d.has("explicit-consent", "implicit-consent")
	d.keys(`"impl"`, "enter", "down", "enter", "down", "enter", "down", "enter", "space", "down", "space", "enter")
	d.has("authentik Self-signed Certificate", "staff, authentik Admins")
	d.keys("up", "up", "up", "up", "up", "up", "enter")
	d.until("What will happen")
	a := d.p.draft.answers
	if a.Name != "Acme VPN" || a.Slug != "acme" || a.AuthorizationFlow != "default-provider-authorization-implicit-consent" ||
		a.SigningKey != "authentik Self-signed Certificate" || strings.Join(a.AllowGroups, ",") != "staff,authentik Admins" {
		t.Errorf("the answers are %+v", a)
	}
	d.keys("esc")
	d.has("Acme VPN", "staff, authentik Admins")
}

func TestListsThatCannotBeReadAreSaidAndReadAgain(t *testing.T) {
	b := newFakeBench()
	b.errs["Choices"] = errors.New("no answer in time")
	o := given()
	o.Bench = b
	d := drive(t, o, 80, 24)
	d.until("Go on")
	d.keys("enter")
	d.until("may change identity providers")
	d.keys("enter")
	d.until("The lists can't be read")
	b.fail("Choices", nil)
	d.keys("down", "enter")
	d.gone("The lists can't be read")
}

func TestThePlanShowsHaveAndWantAndChangesNothing(t *testing.T) {
	b := newFakeBench()
	b.steps[1].found = foreign()
	b.made["client-secret"] = true
	d := atPlan(t, b)
	d.has("nothing is changed yet", "~ provider", "signing key: nothing → authentik Self-signed Certificate",
		"stands there already, not made by authbird", "= client secret in place", "! New users wait for approval", "+ connector")
	d.lacks("It signs people in")
	d.keys("e")
	d.has("It signs people in for NetBird", "✓ Authentik's token is a superuser's")
	d.keys("c")
	d.has("authbird setup connector --authentik-url https://auth.example.com", "Sent to your terminal's clipboard", "AUTHENTIK_TOKEN")
	d.keys("esc")
	d.has("What will happen")
	if b.called("Carry") {
		t.Error("something was done")
	}
}

func TestAForeignObjectIsAskedAboutBeforeAnythingIsDone(t *testing.T) {
	start := func(t *testing.T) (*driver, *fakeBench) {
		b := newFakeBench()
		b.steps[1].found = foreign()
		d := atPlan(t, b)
		d.keys("enter")
		d.has("It stands there already", "redirect URIs: https://old.example.com/cb → https://netbird.example.com/oauth2/callback")
		if b.called("Carry") {
			t.Error("something was done")
		}
		return d, b
	}
	t.Run("the answer at hand leaves it as it is", func(t *testing.T) {
		d, b := start(t)
		d.keys("enter")
		d.has("What will happen")
		if b.called("Carry") {
			t.Error("something was done")
		}
	})
	t.Run("taken over", func(t *testing.T) {
		d, _ := start(t)
		d.keys("down", "enter")
		d.until("Everything is made and checked")
	})
	t.Run("other names", func(t *testing.T) {
		d, _ := start(t)
		d.keys("down", "down", "enter")
		d.until("See the plan")
		d.has("Provider and application")
	})
}

func TestAQuestionInARunTakesNoKeysThatWereTypedBefore(t *testing.T) {
	b := newFakeBench()
	d := atPlan(t, b)
	b.mu.Lock()
	b.steps[1].found = foreign() // since the plan was read
	b.mu.Unlock()
	d.p.top().screen = func() screen {
		s := d.p.top().screen.(planScreen)
		p := *s.plan
		p.Steps = append([]flows.Planned(nil), p.Steps...)
		p.Steps[1].Finding = foreign()
		s.handed = true
		return s
	}()
	s := d.p.top().screen.(planScreen)
	plan := *s.plan
	plan.Steps[1].Finding = foreign()
	d.run(d.p.act(d.p.top().id, start{job: s.job, plan: &plan}))
	d.until("It stands there already")
	d.keys("down", "enter", "enter", "esc")
	d.has("It stands there already", "▸ Stop here")
	d.until("↵ choose") // a moment without keys has passed
	d.keys("down", "enter")
	d.until("Everything is made and checked")
}

func TestARunTicksAndGoesOnToTheProof(t *testing.T) {
	b := newFakeBench()
	b.hold = make(chan struct{}, 16)
	d := atPlan(t, b)
	d.keys("enter")
	b.hold <- struct{}{}
	d.until("› provider")
	d.has("✓ client secret", "· connector", "It signs people in for NetBird")
	d.keys("w")
	d.lacks("It signs people in")
	close(b.hold)
	d.until("Everything is made and checked")
	d.has("✓ Authentik takes NetBird's redirect URI")
}

func TestACheckThatCouldNotBeMadeIsNotCalledMade(t *testing.T) {
	b := newFakeBench()
	b.proof = append(b.proof, doctor.Result{ID: "secret", Title: "Authentik accepts the client secret", Verdict: doctor.Unknown, Evidence: "no answer"})
	d := atPlan(t, b)
	d.keys("enter")
	d.until("Everything is made. 1 check could not be made.")
	d.has("? Authentik accepts the client secret no answer")
}

func TestCtrlCStopsBetweenStepsAndThenGivesUp(t *testing.T) {
	t.Run("once", func(t *testing.T) {
		b := newFakeBench()
		b.hold = make(chan struct{}, 16)
		d := atPlan(t, b)
		d.keys("enter")
		b.hold <- struct{}{}
		d.until("› provider")
		d.keys("ctrl+c")
		d.has("Stopping after this step")
		b.hold <- struct{}{}
		d.until("Stopped between two steps")
		d.has("Stands: client secret", "Go on")
		close(b.hold)
		d.keys("enter")
		d.until("Everything is made and checked")
	})
	t.Run("twice", func(t *testing.T) {
		b := newFakeBench()
		b.hold = make(chan struct{}, 16)
		d := atPlan(t, b)
		d.keys("enter")
		b.hold <- struct{}{}
		d.until("› provider")
		d.keys("ctrl+c", "ctrl+c")
		d.until("Look again and go on")
		close(b.hold)
		d.keys("enter")
		d.until("do it") // the setup is opened anew
		d.keys("enter")
		d.until("Everything is made and checked")
	})
	t.Run("and thrice it leaves", func(t *testing.T) {
		b := newFakeBench()
		b.hold = make(chan struct{}, 16)
		d := atPlan(t, b)
		d.keys("enter")
		b.hold <- struct{}{}
		d.until("› provider")
		d.keys("ctrl+c", "ctrl+c")
		d.until("Look again and go on")
		d.keys("ctrl+c")
		d.await("it leaves", func() bool { return d.quit })
		d.p.shut()
		got := d.p.ending()
		if got.Done || got.Err == nil || !strings.Contains(strings.Join(got.Lines, "\n"), "authbird resume netbird.example.com") {
			t.Errorf("the result is %+v", got)
		}
	})
}

func TestTroubleSaysWhatStandsAndHasTheLikelyRemedyAtHand(t *testing.T) {
	for name, c := range map[string]struct {
		err   error
		likes string
		leads string
	}{
		"refused":         {&clients.Error{Kind: clients.Refused, Server: "NetBird", Message: "issuer is unreachable"}, "▸ Try again", "Everything is made and checked"},
		"the token ended": {&clients.Error{Kind: clients.Unauthorised, Server: "NetBird", Message: "token invalid"}, "▸ Give another token for NetBird", "Connect to NetBird"},
		"no way there":    {&clients.Error{Kind: clients.Unreachable, Server: "NetBird", Message: "no route"}, "▸ Try again", "Everything is made and checked"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newFakeBench()
			d := atPlan(t, b)
			b.mu.Lock()
			b.stopAt["connector"] = c.err
			b.mu.Unlock()
			d.keys("enter")
			d.until(c.likes)
			d.has("✗ connector", "Stands: client secret", "Stop here")
			d.keys("enter")
			d.until(c.leads)
		})
	}
}

func TestWhatAPreflightFindsStopsThePlan(t *testing.T) {
	b := newFakeBench()
	b.errs["Plan"] = &flows.Stopped{Reason: flows.NeedsPerson, Err: errors.New("the account has no domain"),
		Check: &doctor.Result{ID: "domain", Title: "NetBird's account has a domain", Group: doctor.NetBird, Verdict: doctor.Fail,
			Cause: "it was made with a token and no login", Hits: "every user gets an account of their own", Advice: "sign in to the dashboard once"}}
	o := given()
	o.Bench = b
	d := drive(t, o, 80, 24)
	d.until("Go on")
	d.keys("enter")
	d.until("may change identity providers")
	d.keys("enter")
	d.until("See the plan")
	d.keys("enter")
	d.until("NetBird's account has a domain")
	d.has("It was made with a token and no login.", "every user gets an account", "sign in to the dashboard once", "Nothing was changed", "▸ Try again")
	b.fail("Plan", nil)
	d.keys("enter")
	d.until("What will happen")
}

func TestTheProofTellsWhatTheServersSee(t *testing.T) {
	b := newFakeBench()
	d := atPlan(t, b)
	d.keys("enter")
	d.until("Everything is made and checked")
	d.keys("enter")
	d.until("waiting for somebody")
	d.has("https://netbird.example.com", "You may skip this")
	d.lacks("simulate")
	b.sightings <- flows.Sighting{Kind: flows.SawAuthorised, Who: "alice"}
	d.until("Authentik saw alice authorise NetBird")
	b.sightings <- flows.Sighting{Kind: flows.SawPending, Who: "alice@example.com", UserID: "u1"}
	d.until("waits for approval")
	d.has("a approve alice@example.com")
	d.keys("a")
	d.until("is approved")
	b.sightings <- flows.Sighting{Kind: flows.SawLetIn, Who: "alice@example.com", UserID: "u1"}
	d.until("Proven")
	d.keys("enter")
	d.has("alice@example.com signed in through Authentik")
	d.await("the login is noted", func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		return len(b.noted) == 1 && len(b.approved) == 1 && b.approved[0] == "u1"
	})
	d.keys("q")
	d.await("it leaves", func() bool { return d.quit })
	got := d.p.ending()
	if !got.Done || got.Setup != "netbird.example.com" || got.Lines[0] != "netbird.example.com is set up." {
		t.Errorf("the result is %+v", got)
	}
}

func TestAStoppedSetupIsGoneOnWithWithoutAskingAgain(t *testing.T) {
	b := newFakeBench()
	b.made["client-secret"], b.made["provider"] = true, true
	o := Options{Bench: b, Shelf: &fakeShelf{setups: someSetups()}, Start: StartSetup, Setup: "vpn.lab.example",
		Tokens: flows.Tokens{Authentik: goodToken, NetBird: goodToken}}
	d := drive(t, o, 80, 24)
	d.until("+ connector")
	d.has("What will happen", "= provider", "in place", "https://auth.lab.example")
	d.keys("enter")
	d.until("Everything is made and checked")
}

// lockShelf calls a setup busy for as long as a session of the bench is open, as
// the lock does.
type lockShelf struct {
	fakeShelf
	bench *fakeBench
}

func (s *lockShelf) Busy(name string) *state.BusyError {
	s.bench.mu.Lock()
	defer s.bench.mu.Unlock()
	if s.bench.open == 0 {
		return nil
	}
	return &state.BusyError{Setup: name}
}

func TestHomeDoesNotTakeWhatWasJustLeftForAnotherRun(t *testing.T) {
	o := given()
	o.Start, o.Setup = StartSetup, "vpn.lab.example"
	bench := newFakeBench()
	bench.leaving = make(chan struct{})
	o.Bench, o.Shelf = bench, &lockShelf{fakeShelf{setups: someSetups()}, bench}
	d := drive(t, o, 80, 24)
	d.until("What will happen")
	d.until("do it")
	d.keys("esc")
	d.settle()
	close(bench.leaving)
	d.until("take back")
	d.lacks(wordsBusy)
}

func TestATokenThatIsMissingIsAskedForAndNothingElse(t *testing.T) {
	setups := someSetups()
	setups[1].Credentials = []state.Credential{{Name: "authentik-token", Kept: true}}
	d := drive(t, Options{Shelf: &fakeShelf{setups: setups}}, 80, 24)
	d.until("vpn.lab.example")
	d.keys("down", "enter")
	d.until("Connect to NetBird")
	d.paste(goodToken)
	d.keys("enter")
	d.until("may change identity providers")
	d.keys("enter")
	d.until("What will happen")
	d.keys("esc", "esc")
	d.until("stopped at connector")
	d.has("▸ vpn.lab.example")
}

func TestWhereNothingIsMissingThereIsNothingToDo(t *testing.T) {
	b := newFakeBench()
	for _, s := range b.steps {
		b.made[s.about.ID] = true
	}
	d := drive(t, Options{Bench: b, Shelf: &fakeShelf{setups: someSetups()}, Start: StartSetup, Setup: "netbird.example.com",
		Tokens: flows.Tokens{Authentik: goodToken, NetBird: goodToken}}, 80, 24)
	d.until("Everything is in place")
	d.lacks("do it")
	d.keys("enter")
	d.until("waiting for somebody")
	d.keys("enter")
	d.has("is in place, as it was")
}

func TestTheOptionsOfASetupThatStandsCanBeChanged(t *testing.T) {
	d := drive(t, Options{Shelf: &fakeShelf{setups: someSetups()}, Start: StartSetup, Setup: "vpn.lab.example",
		Tokens: flows.Tokens{Authentik: goodToken, NetBird: goodToken}}, 80, 24)
	d.until("do it")
	d.has("Here the login keyring")
	d.keys("o")
	d.until("See the plan")
	d.gone("reading the lists")
	d.lacks("Name of this setup")
	d.keys("down", "down", "down", "down", "down", "enter", "space", "enter")
	d.has("staff")
	d.keys("up", "up", "up", "up", "up", "enter")
	d.until("do it")
	if got := d.p.draft; got.setup() != "vpn.lab.example" || strings.Join(got.answers.AllowGroups, "") != "staff" {
		t.Errorf("the draft is %+v", got)
	}
}

func TestATokenOfTheKeystoreThatIsRefusedIsAskedFor(t *testing.T) {
	b := newFakeBench()
	b.fail("Plan", &clients.Error{Kind: clients.Unauthorised, Server: "NetBird", Message: "token invalid"})
	setups := someSetups()
	setups[1].Credentials = []state.Credential{{Name: "authentik-token", Kept: true}, {Name: "netbird-token", Kept: true}}
	d := drive(t, Options{Bench: b, Shelf: &fakeShelf{setups: setups}, Start: StartSetup, Setup: "vpn.lab.example"}, 80, 24)
	d.until("▸ Give another token for NetBird")
	b.fail("Plan", nil)
	d.keys("enter")
	d.until("How do you sign in")
	d.paste(goodToken)
	d.keys("enter")
	d.until("Go on")
	d.keys("enter")
	d.until("do it")
	if got := b.given[len(b.given)-1].NetBird; got != goodToken {
		t.Errorf("the session was given %q", got)
	}
}
