package tui

import (
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"

	"authbird/clients"
	"authbird/flows"
	"authbird/state"
)

func TestTheLastWordsAreOfTheSetupThatRan(t *testing.T) {
	b := newFakeBench()
	d := atPlan(t, b)
	d.keys("enter")
	d.until("Everything is made and checked")
	d.keys("enter")
	d.until("waiting for somebody")
	d.keys("enter")
	d.until("Come back with")
	d.keys("h")
	d.until("new setup")
	d.p.draft = draft{answers: state.Answers{Mode: state.Standalone, EnvFile: "/srv/netbird/setup.env"}} // another walk, which is left
	d.keys("ctrl+c")
	d.await("it leaves", func() bool { return d.quit })
	words := strings.Join(d.p.ending().Lines, "\n")
	if !strings.Contains(words, "is set up") || strings.Contains(words, "setup.env") {
		t.Errorf("the last words are\n%s", words)
	}
}

func TestAPasswordMayBeginWithAQuestionMark(t *testing.T) {
	b := newFakeBench()
	b.netbird.SetupRequired = true
	d := atNetBird(t, b, state.Answers{NetBirdURL: "https://netbird.example.com"}, flows.Tokens{})
	d.until("Create the owner")
	d.keys("enter")
	d.has("Create NetBird's owner")
	d.keys(`"ada@example.com"`, "tab", `"Ada"`, "tab", `"?`+ownerSecret+`"`, "tab", `"?`+ownerSecret+`"`, "tab", "enter")
	d.until("the owner is made and signed in")
	if b.owner.Password != "?"+ownerSecret {
		t.Errorf("the password has %d characters, not %d", len(b.owner.Password), len(ownerSecret)+1)
	}
}

func TestASandboxSaysWhoCanSignInAndThatNothingIsKept(t *testing.T) {
	b := newFakeBench()
	o := given()
	o.Bench, o.Sandbox, o.Tokens.NetBird = b, true, ""
	o.Actors = Actors{Owner: "ada with the password one", Person: "alice with the password two"}
	d := drive(t, o, 80, 24)
	d.until("Go on")
	d.keys("enter")
	d.until("Sign in with a code")
	d.keys("enter")
	d.until("waiting for you to sign in")
	d.has("In the sandbox that is ada with the password one.")
	b.signedIn <- goodToken
	d.until("signed in by code, good for a day")
	d.keys("enter")
	d.until("See the plan")
	d.keys("enter")
	d.until("redirect URI")
	d.keys("enter")
	d.until("Everything is made and checked")
	d.keys("enter")
	d.until("waiting for somebody")
	d.has("In the sandbox that is alice with the password two.")
	d.keys("enter")
	d.until("end with authbird")
	d.lacks("Come back with")
}

func TestWhatFailedIsInSightUntilTheCursorMoves(t *testing.T) {
	b := newFakeBench()
	d := atPlan(t, b)
	b.mu.Lock()
	b.stopAt["connector"] = &clients.Error{Kind: clients.Refused, Server: "NetBird", Message: "issuer is unreachable"}
	b.mu.Unlock()
	d.send(tea.WindowSizeMsg{Width: 40, Height: 12})
	d.keys("enter")
	d.until("▸ Try again")
	if !strings.Contains(d.text(), "issuer is unreachable") {
		t.Errorf("what failed is out of sight:\n%s", d.text())
	}
	d.keys("down")
	if !strings.Contains(d.text(), "▸ Ask the doctor") {
		t.Errorf("the cursor is out of sight:\n%s", d.text())
	}
}

func TestAnotherPageOfAScreenBeginsAtItsHead(t *testing.T) {
	d := atPlan(t, newFakeBench())
	d.send(tea.WindowSizeMsg{Width: 40, Height: 12})
	d.keys("pgdown", "pgdown", "c")
	if !strings.Contains(d.text(), "Sent to your terminal's clipboard") {
		t.Errorf("the page begins elsewhere:\n%s", d.text())
	}
}

func TestThePlanShowsWhatAMissingObjectIsMadeWith(t *testing.T) {
	b := newFakeBench()
	b.steps[1].found = flows.Finding{Verdict: flows.Missing, Fields: []flows.Field{{Name: "redirect URIs", Want: "https://netbird.example.com/oauth2/callback"}}}
	d := atPlan(t, b)
	d.has("+ provider", "redirect URIs: https://netbird.example.com/oauth2/callback")
	d.lacks("→")
}

func TestASlugOfAuthentiksOwnIsNotTaken(t *testing.T) {
	d := drive(t, given(), 80, 24)
	d.until("Go on")
	d.keys("enter")
	d.until("may change identity providers")
	d.keys("enter")
	d.until("See the plan")
	d.gone("reading the lists")
	d.keys("down", "down", "ctrl+u", `"token"`, "down")
	d.has(`The slug "token" is one of Authentik's own addresses.`)
}
