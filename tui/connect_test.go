package tui

import (
	"crypto/x509"
	"errors"
	"strings"
	"testing"
	"time"

	"authbird/clients"
	"authbird/flows"
	"authbird/state"
)

// atAuthentik is a driver on the first screen of a walk that flags began.
func atAuthentik(t *testing.T, o Options) *driver {
	t.Helper()
	o.Start, o.Answers.Mode = StartWalk, state.Connector
	d := drive(t, o, 80, 24)
	d.has("Connect to Authentik")
	return d
}

// atNetBird is a driver on the second.
func atNetBird(t *testing.T, b *fakeBench, answers state.Answers, tokens flows.Tokens) *driver {
	t.Helper()
	answers.AuthentikURL, tokens.Authentik = "https://auth.example.com", goodToken
	d := atAuthentik(t, Options{Bench: b, Answers: answers, Tokens: tokens})
	d.until("Go on")
	d.keys("enter")
	d.until("Connect to NetBird")
	return d
}

func TestAnAddressIsCheckedWhenItIsLeft(t *testing.T) {
	d := atAuthentik(t, Options{})
	d.keys(`"auth.example.com"`)
	d.lacks("clock")
	d.keys("tab")
	d.until("clock 0.4 s apart")
	d.has("certificate good until 24 March 2027", "https://auth.example.com/if/admin/#/core/tokens")
}

func TestAnAnswerToAnAddressThatChangedSinceIsDropped(t *testing.T) {
	b := newFakeBench()
	s := newAuthentikScreen(draft{}, b, clock)
	next, _ := s.Open(t.Context())
	s = next.(authentikScreen)
	s.form.row(rowURL).field = s.form.row(rowURL).field.set("auth.example.com")
	if s.lookAddress() == nil {
		t.Fatal("nothing was asked")
	}
	old := authentikAnswered{seq: s.addr.seq, seen: b.authentik}
	s.forget()
	after, act := s.Update(room{width: 80}, old)
	if got := after.(authentikScreen); got.addr.stage != unasked || got.seen.URL != "" {
		t.Errorf("the old answer was taken: %+v", got.seen)
	}
	if _, ok := act.(stay); !ok {
		t.Errorf("it led to %T", act)
	}
}

func TestWhatTheServersSayIsShownWhereItBelongs(t *testing.T) {
	trouble := func(k clients.Kind, said string) error {
		return &clients.Error{Kind: k, Server: "Authentik", Op: "ask", Message: said}
	}
	for name, c := range map[string]struct {
		err  error
		want []string
	}{
		"nobody answers": {trouble(clients.Unreachable, "nothing listens there"), []string{"✗ nothing listens there", "does this machine reach it"}},
		"another server": {trouble(clients.WrongServer, "an HTML page: Welcome to nginx"), []string{"Welcome to nginx", "as a browser shows it"}},
		"a certificate of one's own": {&clients.Error{Kind: clients.Unreachable, Message: "self-signed", Err: x509.UnknownAuthorityError{}},
			[]string{"self-signed", "CA file"}},
		"no answer in time": {errors.New("it took too long"), []string{"it took too long"}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newFakeBench()
			b.errs["SeeAuthentik"] = c.err
			d := atAuthentik(t, Options{Bench: b})
			d.keys(`"auth.example.com"`, "tab")
			d.until("✗")
			d.has(c.want...)
		})
	}
}

func TestATokenIsToldForWhatItIs(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*flows.AuthentikSeen)
		want   string
	}{
		"it ends soon":         {func(s *flows.AuthentikSeen) { s.TokenExpires = now.Add(29 * time.Minute) }, "expires in 29 minutes: enough for this, not for renewing secrets later"},
		"it never ends":        {func(s *flows.AuthentikSeen) { s.TokenExpires = time.Time{} }, "doesn't expire"},
		"it ends next year":    {func(s *flows.AuthentikSeen) { s.TokenExpires = now.AddDate(1, 0, 0) }, "expires on 24 November 2027"},
		"it has ended":         {func(s *flows.AuthentikSeen) { s.TokenExpires = now.Add(-time.Hour) }, "has expired"},
		"of a lesser account":  {func(s *flows.AuthentikSeen) { s.Superuser = false }, "! akadmin: not a superuser"},
		"clocks are far apart": {func(s *flows.AuthentikSeen) { s.Clock = -42 * time.Second }, "! the clocks are 42 s apart"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newFakeBench()
			c.change(&b.authentik)
			d := atAuthentik(t, Options{Bench: b, Answers: state.Answers{AuthentikURL: "https://auth.example.com"}, Tokens: flows.Tokens{Authentik: goodToken}})
			d.until("akadmin")
			d.has(c.want)
		})
	}
}

func TestAWrongTokenIsSaidAndCanBeTypedAgain(t *testing.T) {
	d := atAuthentik(t, Options{Answers: state.Answers{AuthentikURL: "https://auth.example.com"}})
	d.until("clock")
	d.keys(`"wrong-one"`, "enter")
	d.until("Token invalid/expired")
	d.keys("up", "ctrl+u")
	d.lacks("Token invalid/expired")
	d.paste(goodToken)
	d.keys("enter")
	d.until("akadmin, superuser")
}

func TestGoingOnWaitsForTheCheckThatIsUnderWay(t *testing.T) {
	d := atAuthentik(t, Options{})
	d.keys(`"auth.example.com"`, "tab")
	d.paste(goodToken)
	d.keys("enter", "enter") // the check has only begun
	d.until("Connect to NetBird")
}

func TestPlainHTTPNeedsAYes(t *testing.T) {
	d := atAuthentik(t, Options{})
	d.keys(`"http://auth.example.com"`, "tab")
	d.has("http is only taken for this machine itself", "Over plain http")
	d.keys("right", "tab")
	d.until("clock 0.4 s apart")
	d.paste(goodToken)
	d.keys("enter")
	d.until("Go on")
	d.keys("enter")
	if a := d.p.draft.answers; !a.AllowHTTP || a.AuthentikURL != "http://auth.example.com" {
		t.Errorf("the answers are %+v", a)
	}
}

func TestBackKeepsWhatWasTyped(t *testing.T) {
	d := drive(t, Options{}, 80, 24)
	d.until("new setup")
	d.keys("enter", "enter", `"auth.example.com"`, "tab")
	d.until("clock")
	d.paste(goodToken)
	d.keys("enter")
	d.until("akadmin, superuser")
	d.keys("esc")
	d.has("How shall they be joined?")
	d.keys("enter")
	d.has("auth.example.com", strings.Repeat("•", len(goodToken)))
	d.until("Go on")
	d.keys("enter", `"netbird.exa"`, "esc", "enter")
	d.has("netbird.exa")
}

func TestNetBirdOffersOnlyTheWaysInThatItHas(t *testing.T) {
	t.Run("its own login is on", func(t *testing.T) {
		d := atNetBird(t, newFakeBench(), state.Answers{NetBirdURL: "https://netbird.example.com"}, flows.Tokens{})
		d.until("Sign in with a code")
		d.has("Access token")
		d.lacks("Create the owner")
	})
	t.Run("nobody owns it yet", func(t *testing.T) {
		b := newFakeBench()
		b.netbird.SetupRequired = true
		d := atNetBird(t, b, state.Answers{NetBirdURL: "https://netbird.example.com"}, flows.Tokens{})
		d.until("Create the owner")
		d.lacks("Sign in with a code", "Access token")
	})
	t.Run("its own login is off", func(t *testing.T) {
		b := newFakeBench()
		b.netbird.EmbeddedIdP = false
		d := atNetBird(t, b, state.Answers{NetBirdURL: "https://netbird.example.com"}, flows.Tokens{NetBird: goodToken})
		d.until("identity provider is off here")
		d.lacks("Sign in with a code", "Go on")
		d.keys("enter")
		d.has("Connect to NetBird")
	})
}

func TestTheFirstOwnerIsMadeOnce(t *testing.T) {
	b := newFakeBench()
	b.netbird.SetupRequired = true
	d := atNetBird(t, b, state.Answers{NetBirdURL: "https://netbird.example.com"}, flows.Tokens{})
	d.until("Create the owner")
	d.keys("enter")
	d.has("Create NetBird's owner")
	d.keys(`"ada@example.com"`, "tab", `"Ada"`, "tab", `"short"`, "tab", `"other"`, "tab", "enter")
	d.has("8 to 72 characters", "The two are not the same")
	d.keys("ctrl+u", `"`+ownerSecret+`"`, "tab", "ctrl+u", `"`+ownerSecret+`"`, "tab", "enter")
	d.until("the owner is made and signed in")
	if b.owner != (flows.Owner{Email: "ada@example.com", Name: "Ada", Password: ownerSecret}) {
		t.Errorf("the owner is %+v", b.owner)
	}
}

func TestACodeIsPolledLiveAndCanBeAskedForAgain(t *testing.T) {
	b := newFakeBench()
	b.errs["AwaitDeviceLogin"] = errors.New("the code has expired; ask for another")
	d := atNetBird(t, b, state.Answers{NetBirdURL: "https://netbird.example.com"}, flows.Tokens{})
	d.until("Sign in with a code")
	d.keys("enter")
	d.until("the code has expired")
	b.fail("AwaitDeviceLogin", nil)
	d.keys("enter")
	d.until("waiting for you to sign in")
	d.has("BDWP-HQPK")
	d.send(addressed{to: d.p.top().id, msg: secondPassed{}})
	b.signedIn <- goodToken
	d.until("signed in by code, good for a day")
}

func TestAnAccessTokenIsMadeWhereOneIsWished(t *testing.T) {
	b := newFakeBench()
	d := atNetBird(t, b, state.Answers{NetBirdURL: "https://netbird.example.com"}, flows.Tokens{})
	d.until("Sign in with a code")
	b.signedIn <- goodToken
	d.keys("enter")
	d.until("Keep access for later")
	d.keys("up", "right", "right")
	d.has("an access token for 7 days")
	d.keys("tab", "enter")
	d.until("See the plan")
	if !b.called("MakeNetBirdToken") {
		t.Error("no token was made")
	}
}

func TestATokenPastedOntoAButtonGoesIntoItsField(t *testing.T) {
	d := atNetBird(t, newFakeBench(), state.Answers{NetBirdURL: "https://netbird.example.com"}, flows.Tokens{})
	d.until("Sign in with a code")
	d.paste(goodToken)
	d.keys("enter")
	d.until("may change identity providers")
}
