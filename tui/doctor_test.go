package tui

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"authbird/clients"
	"authbird/doctor"
	"authbird/flows"
	"authbird/state"
)

func TestTheDoctorListsWhatIsWrongFirst(t *testing.T) {
	for _, size := range sizes {
		t.Run(fmt.Sprintf("%dx%d", size.w, size.h), func(t *testing.T) {
			b := newFakeBench()
			d := drive(t, Options{Bench: b, Shelf: &fakeShelf{setups: someSetups()}, Tokens: flows.Tokens{Authentik: goodToken, NetBird: goodToken}}, size.w, size.h)
			d.until("look again")
			d.keys("d")
			d.until("2 wrong, 1 note, 1 unseen, 2 well")
			d.showing("doctor, list")
			d.has("▸ ✗ The provider NetBird has no signing key.", "! The Authentik token ends in 5m.", "✗ Another redirect URI is registered.",
				"? 1 unseen", "✓ 1 well", "2 repairs can be done from here")
			d.lacks("Authentik answers", "The clocks agree")
			d.keys("a")
			d.has("✓ Authentik answers.", "? The clocks agree.", "▸ ✗ The provider")
			d.keys("enter")
			d.showing("doctor, details")
			d.has("The provider NetBird has no signing key.", "Check the login is signed with RSA: wrong", "signing_key: null", "Nobody can sign in through Authentik.", "f puts the provider right")
			d.keys("down")
			d.has("The Authentik token ends in 5m.", "make another")
			d.keys("down", "down", "down", "down", "down")
			d.has("no Date header")
			d.keys("esc", "up", "up", "up", "up", "up", "up")
			d.has("▸ ✗ The provider")
			d.keys("a", "esc")
			d.until("new setup")
			if got := b.patients[0]; got.Setup != "netbird.example.com" || got.Tokens.NetBird != goodToken {
				t.Errorf("the doctor was asked about %+v", got)
			}
		})
	}
}

func TestAnswersAreShownAsTheyCome(t *testing.T) {
	b := newFakeBench()
	b.hold = make(chan struct{})
	d := drive(t, examinedOptions(b), 80, 24)
	d.until("looking at both servers… 2 answered")
	d.has("1 well")
	d.lacks("signing key", "f fix", "c copy")
	close(b.hold)
	d.until("2 wrong")
	d.has("signing key")
}

func TestAllIsWell(t *testing.T) {
	b := newFakeBench()
	b.ills = b.ills[:2]
	d := drive(t, examinedOptions(b), 80, 24)
	d.until("All is well: 2 checks.")
	d.lacks("↵ details", "fix")
	d.keys("a")
	d.has("▸ ✓ Authentik answers.")
	d.keys("enter")
	d.has("Authentik answers: well")
}

func TestOneIsRepairedAndThenAll(t *testing.T) {
	for _, size := range sizes {
		t.Run(fmt.Sprintf("%dx%d", size.w, size.h), func(t *testing.T) {
			b := newFakeBench()
			b.steps[1].found = foreign()
			d := drive(t, examinedOptions(b), size.w, size.h)
			d.until("2 wrong")
			d.keys("f")
			d.until("Leave it as it is")
			d.showing("repair, asking")
			d.has("~ provider NetBird in Authentik", "signing key", "nothing → ", "authentik Self-signed Certificate", "not made by authbird", "▸ Leave it as it is")
			d.lacks("redirect URI https://netbird.example.com/oauth2/callback in Authentik")
			d.keys("enter")
			d.until("2 wrong")
			if b.made["provider"] {
				t.Fatal("a no repaired it")
			}
			d.keys("f")
			d.until("Leave it as it is")
			d.keys("left", "enter")
			d.until("Repaired, and looked again just now.")
			d.showing("doctor, after a repair")
			d.has("1 wrong, 1 note, 1 unseen, 3 well", "1 repair can be done")
			d.keys("r")
			d.until("1 wrong, 1 note, 1 unseen, 3 well")
			d.lacks("Repaired, and")
			if got := b.repairs[0]; len(got) != 1 || got[0] != "provider" {
				t.Errorf("planned %v", got)
			}
		})
	}
	b := newFakeBench()
	d := drive(t, examinedOptions(b), 80, 24)
	d.until("F fix all")
	d.keys("F")
	d.until("Leave it as it is")
	d.has("+ provider", "+ redirect URI")
	d.keys("left", "enter")
	d.until("1 note, 1 unseen, 4 well")
	d.lacks("fix")
}

func TestARepairStopsBetweenTwoObjectsAndGoesOn(t *testing.T) {
	b := newFakeBench()
	d := drive(t, examinedOptions(b), 80, 24)
	d.until("F fix all")
	b.hold = make(chan struct{}, 4)
	d.keys("F")
	d.until("Leave it as it is")
	d.keys("left", "enter")
	d.until("repairing…")
	d.keys("ctrl+c")
	d.has("Stopping after this step")
	b.hold <- struct{}{}
	d.until("as you asked")
	d.has("Go on")
	d.lacks("Change an answer", "Ask the doctor")
	d.keys("enter")
	d.until("Leave it as it is")
	close(b.hold)
	d.keys("left", "enter")
	d.until("4 well")
}

func TestARefusedRepairSaysWhy(t *testing.T) {
	b := newFakeBench()
	d := drive(t, examinedOptions(b), 80, 24)
	d.until("F fix all")
	b.stopAt["provider"] = &clients.Error{Kind: clients.Refused, Server: "Authentik", Message: "no such key"}
	d.keys("f")
	d.until("Leave it as it is")
	d.keys("left", "enter")
	d.until("no such key")
	d.has("✗ provider")
	d.keys("ctrl+c")
	d.await("it leaves", func() bool { return d.quit })
	d.p.shut()
	if got := d.p.ending(); got.Err == nil {
		t.Errorf("the result is %+v", got)
	}
}

func TestWhatChangedSinceTheQuestionIsNotOverwritten(t *testing.T) {
	b := newFakeBench()
	b.steps[1].found = foreign()
	d := drive(t, examinedOptions(b), 80, 24)
	d.until("2 wrong")
	d.keys("f")
	d.until("Leave it as it is")
	b.mu.Lock()
	b.steps[1].found.Fields = append(b.steps[1].found.Fields[:1:1], flows.Field{Name: "sub mode", Have: "user_id", Want: "hashed"})
	b.mu.Unlock()
	d.keys("left", "enter")
	d.until("changed by someone meanwhile")
	if b.made["provider"] {
		t.Error("it was changed")
	}
}

func TestTheDoctorCannotLook(t *testing.T) {
	b := newFakeBench()
	b.blind = &clients.Error{Kind: clients.Unauthorised, Server: "NetBird", Message: "token invalid"}
	d := drive(t, examinedOptions(b), 80, 24)
	d.until("▸ Give another token for NetBird")
	d.showing("doctor, blind")
	d.has("The doctor could not look", "token invalid")
	d.lacks("Take back", "Change an answer")
	b.mu.Lock()
	b.blind = nil
	b.mu.Unlock()
	d.keys("down", "enter")
	d.until("2 wrong")
}

func TestTheReportIsCopiedMaskedAndSaved(t *testing.T) {
	b := newFakeBench()
	var saved []string
	o := examinedOptions(b)
	fails := errors.New("no space left on device")
	o.SaveReport = func(setup string, text []byte) (string, error) {
		saved = append(saved, setup+"\n"+string(text))
		return "/srv/authbird-doctor.md", fails
	}
	d := drive(t, o, 80, 24)
	d.until("2 wrong")
	_, cmd := d.p.Update(press("c"))
	sent := fmt.Sprint(cmd())
	for _, want := range []string{"# authbird doctor", "no signing key", "`2025.12.1`"} {
		if !strings.Contains(sent, want) {
			t.Errorf("what was sent lacks %q: %s", want, sent)
		}
	}
	d.showing("report")
	d.has("if it takes it", "# authbird doctor", "netbird.example.com")
	d.keys("m")
	d.lacks("netbird.example.com")
	d.has("netbird.invalid")
	d.keys("m", "s")
	d.until("No space left on device.")
	fails = nil
	d.keys("s")
	d.until("Written, readable for you only:")
	d.has("/srv/authbird-doctor.md")
	if len(saved) != 2 || !strings.HasPrefix(saved[1], "netbird.example.com\n# authbird doctor") {
		t.Errorf("saved %q", saved)
	}
	d.keys("esc", "esc")
	d.until("new setup")
}

func TestAConnectionThatAuthbirdDidNotMakeIsExamined(t *testing.T) {
	b := newFakeBench()
	o := examinedOptions(b)
	o.Setup, o.Answers = "", state.Answers{AuthentikURL: "https://auth.other.example", NetBirdURL: "https://nb.other.example"}
	d := drive(t, o, 80, 24)
	d.until("2 wrong")
	if got := b.patients[0]; got.Setup != "" || got.Answers.NetBirdURL != "https://nb.other.example" {
		t.Errorf("the doctor was asked about %+v", got)
	}
	d.keys("q")
	d.await("it leaves", func() bool { return d.quit })
	d.p.shut()
	if got := d.p.ending(); got.Found == nil || len(got.Found.Results) != len(b.ills) ||
		strings.Join(got.Lines, "\n") != "The same as a command: authbird doctor --authentik-url https://auth.other.example --netbird-url https://nb.other.example" {
		t.Errorf("the result is %+v", got)
	}
}

func TestTheDoctorIsOfferedWhereARunStopped(t *testing.T) {
	b := newFakeBench()
	d := atPlan(t, b)
	b.mu.Lock()
	b.stopAt["connector"] = &clients.Error{Kind: clients.Refused, Server: "NetBird", Message: "issuer is unreachable"}
	b.mu.Unlock()
	d.keys("enter")
	d.until("Ask the doctor what is wrong")
	d.keys("down", "enter")
	d.until("1 note, 1 unseen, 4 well")
}

func TestTheDoctorsTextsCannotReachTheTerminalRaw(t *testing.T) {
	b := newFakeBench()
	for i := range b.ills {
		b.ills[i].Title, b.ills[i].Cause, b.ills[i].Evidence, b.ills[i].Advice, b.ills[i].Hits = hostile, hostile, hostile, hostile, hostile
	}
	d := drive(t, examinedOptions(b), 80, 24)
	d.until("2 wrong")
	for _, key := range []string{"a", "enter", "esc", "c"} {
		_, cmd := d.p.Update(press(key))
		if cmd != nil {
			if msg := fmt.Sprint(cmd()); strings.ContainsAny(msg, "\x1b\x07\u202e\u200b") {
				t.Errorf("the clipboard is sent %q", msg)
			}
		}
		if got := d.p.View().Content; strings.Contains(got, "\x1b]52") || strings.Contains(got, "\x1b[2J") || strings.ContainsAny(got, "\u202e\u200b\x07") {
			t.Errorf("%s shows %q", key, got)
		}
	}
}

// The doctor's screens in states that a person sees, for the tests of all
// screens.
func doctorScreens(b *fakeBench, d draft) map[string]screen {
	d.name = "netbird.example.com"
	found := &flows.Diagnosis{Setup: d.name, Results: b.ills, AuthentikVersion: "2025.12.1", NetBirdVersion: "0.77.1"}
	list := newDoctorScreen(d, b, reports{version: "v1", now: clock, save: func(string, []byte) (string, error) { return "", nil }})
	list, _ = list.tell(found)
	looking := list
	looking.looking = true
	opened := list
	opened.open = true
	everything := list
	everything.all = true
	report := list
	report.report = &reportPage{}
	well := list
	well, _ = well.tell(&flows.Diagnosis{Results: []doctor.Result{{ID: "x", Title: "x", Group: doctor.Here, Verdict: doctor.OK}}})
	blind := list
	tr := newTrouble(&flows.Stopped{Reason: flows.CannotReach, Err: errors.New("no route")})
	blind.trouble = &tr
	mend := newMendScreen(d, b, found, []string{"provider", "redirect-uri"})
	repair := &fakeRepair{fakeSession: &fakeSession{bench: b, ears: mend.job.ears()}, found: found, ids: mend.ids}
	repair.plan = repair.survey()
	mend.job.repair = repair
	mend.stage, mend.ask = mendAsking, newAsk(room{width: 78, theme: newTheme(true)}, "", wordsMendAsk, wordsMendYes, wordsMendNo)
	going := mend
	going.stage = mendGoing
	stopped := mend
	stopped.stage, stopped.trouble = mendStopped, newTrouble(&flows.Stopped{Reason: flows.WentWrong, Err: errors.New("refused")})
	return map[string]screen{
		"doctor": list, "doctor, looking": looking, "doctor, one": opened, "doctor, all": everything, "doctor, report": report, "doctor, well": well,
		"doctor, blind": blind, "repair": mend, "repair, going": going, "repair, stopped": stopped,
	}
}
