package tui

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"authbird/clients"
	"authbird/doctor"
	"authbird/flows"
	"authbird/state"
)

// standing is a bench on which everything stands, and options to begin with the
// list of setups.
func standingBench() (*fakeBench, Options) {
	b := newFakeBench()
	for _, s := range b.steps {
		b.made[s.about.ID] = true
	}
	b.steps[2].found = foreign()
	b.guard = []doctor.Result{{ID: "connector-users", Title: "whose identity goes with the connector", Verdict: doctor.Warn,
		Cause: "2 users came by this connector; they lose their identity"}}
	return b, Options{Bench: b, Shelf: &fakeShelf{setups: someSetups()}, Tokens: flows.Tokens{Authentik: goodToken, NetBird: goodToken}}
}

func TestASetupIsTakenBackAfterAYes(t *testing.T) {
	for _, size := range sizes {
		t.Run(fmt.Sprintf("%dx%d", size.w, size.h), func(t *testing.T) {
			b, o := standingBench()
			d := drive(t, o, size.w, size.h)
			d.until("x take back")
			d.keys("x")
			d.until("Leave it as it is")
			d.showing("remove, asking")
			d.has("Goes", "- provider", "~ application", "it stood there before", "lose their identity", "▸ Leave it as it is", "secrets are forgotten")
			d.keys("left")
			d.has("▸ Take it back")
			d.keys("enter")
			d.until("is taken back")
			d.showing("remove, done")
			d.has("✓ provider", "✓ application", "netbird.example.com-20261124")
			d.keys("q")
			d.await("it leaves", func() bool { return d.quit })
			d.p.shut()
			got := d.p.ending()
			if !got.Done || len(got.Lines) != 1 || !strings.Contains(got.Lines[0], "taken back; the journal is kept in /home/ada") {
				t.Errorf("the result is %+v", got)
			}
			if b.made["provider"] {
				t.Error("the provider still stands")
			}
		})
	}
}

func TestANoLeavesEverythingAsItIs(t *testing.T) {
	for _, no := range []string{"enter", "esc"} {
		b, o := standingBench()
		d := drive(t, o, 80, 24)
		d.until("x take back")
		d.keys("x")
		d.until("Leave it as it is")
		d.keys("y") // answers nothing by itself
		d.has("▸ Leave it as it is")
		d.keys(no)
		d.until("look again")
		if b.called("Remove") {
			t.Errorf("%s took it back", no)
		}
		d.keys("enter")
		d.until("Everything is in place")
	}
}

func TestTheLastWayInIsTakenAwayForAReasonOnly(t *testing.T) {
	b, o := standingBench()
	b.guard = append(b.guard, doctor.Result{ID: "last-way-in", Title: "somebody can still log in to NetBird", Verdict: doctor.Fail,
		Cause: "this connector is NetBird's only login", Evidence: "local login is off"})
	d := drive(t, o, 40, 12)
	d.until("x take back")
	d.keys("x")
	d.until("type why")
	d.has("This connector is NetBird's only login.")
	d.keys("enter")
	d.until("without a reason it isn't done")
	d.keys("enter", `"moving? away"`, "enter")
	d.until("▸ Leave it as it is")
	d.await("the reason is taken", func() bool { return !strings.Contains(d.text(), "↵ next") })
	d.keys("left", "enter")
	d.until("is taken back")
	if b.forced != "moving? away" {
		t.Errorf("the reason is %q", b.forced)
	}
}

func TestTakingBackStopsBetweenTwoObjectsAndGoesOn(t *testing.T) {
	b, o := standingBench()
	b.hold = make(chan struct{}, 16)
	d := drive(t, o, 80, 24)
	d.until("x take back")
	d.keys("x")
	d.until("Leave it as it is")
	d.keys("left", "enter")
	d.until("taking back…")
	d.keys("ctrl+c")
	d.has("Stopping after this object")
	b.hold <- struct{}{}
	d.until("as you asked")
	d.has("Look again and go on taking back", "Stands: provider")
	d.lacks("Take back what was made", "Change an answer")
	close(b.hold)
	d.keys("enter")
	d.until("Leave it as it is")
	d.keys("left", "enter")
	d.until("is taken back")
}

func TestARefusedRemovalSaysWhatStillStands(t *testing.T) {
	b, o := standingBench()
	b.stopAt["provider"] = &clients.Error{Kind: clients.Refused, Server: "Authentik", Message: "in use"}
	d := drive(t, o, 80, 24)
	d.until("x take back")
	d.keys("x")
	d.until("Leave it as it is")
	d.keys("left", "enter")
	d.until("in use")
	d.has("✗ provider", "Stands: provider", "✓ connector")
	d.keys("ctrl+c")
	d.await("it leaves", func() bool { return d.quit })
	d.p.shut()
	if got := d.p.ending(); got.Done || got.Err == nil || !strings.Contains(strings.Join(got.Lines, "\n"), "authbird resume netbird.example.com") {
		t.Errorf("the result is %+v", got)
	}
}

func TestAnInterruptedRemovalIsGoneOnWith(t *testing.T) {
	b, o := standingBench()
	at := now.Add(-2 * time.Hour)
	o.Shelf = &fakeShelf{setups: []*state.Setup{{Name: "vpn.lab.example",
		Answers: state.Answers{Mode: state.Connector, AuthentikURL: "https://auth.lab.example", NetBirdURL: "https://vpn.lab.example"},
		Entries: []state.Entry{
			{Time: at, Run: "a", Flow: "connector", Step: "provider", Phase: state.Done, Receipt: state.Receipt{ObjectID: "7", Made: true}},
			{Time: at, Run: "a", Flow: "connector", Phase: state.Done},
			{Time: at, Run: "b", Flow: flows.Removing, Phase: state.Began},
			{Time: at, Run: "b", Flow: flows.Removing, Step: "connector", Phase: state.Undone},
			{Time: at, Run: "b", Flow: flows.Removing, Phase: state.Failed, Error: "the line dropped"},
		}}}}
	o.Tokens.Authentik, o.Tokens.NetBird = "", ""
	d := drive(t, o, 80, 24)
	d.until("stopped while taking back at connector, today 08:00")
	d.has("Why The line dropped.", "Stands in Authentik: provider", "↵ go on", "p set up again")
	d.keys("enter")
	d.until("Connect to Authentik")
	d.paste(goodToken)
	d.keys("enter")
	d.until("akadmin")
	d.keys("enter")
	d.until("Connect to NetBird")
	d.paste(goodToken)
	d.keys("enter")
	d.until("may change identity providers")
	d.keys("enter")
	d.until("Leave it as it is")
	d.keys("left", "enter")
	d.until("is taken back")
	if b.made["provider"] {
		t.Error("the provider still stands")
	}
}

func TestAStoppedRunCanBeTakenBackAtOnce(t *testing.T) {
	b := newFakeBench()
	d := atPlan(t, b)
	b.mu.Lock()
	b.stopAt["connector"] = &clients.Error{Kind: clients.Refused, Server: "NetBird", Message: "issuer is unreachable"}
	b.mu.Unlock()
	d.keys("enter")
	d.until("Take back what was made")
	d.keys("down", "down", "down", "down", "enter")
	d.until("Leave it as it is")
	d.has("- provider")
	d.keys("left", "enter")
	d.until("is taken back")
	d.keys("enter")
	d.until("new setup")
}

func TestStepsAreCalledByWords(t *testing.T) {
	for id, want := range map[string]string{"setup-env": "setup.env", "management-json": "management.json", "rights": "membership", "client-id": "client id"} {
		if got := stepName(id); got != want {
			t.Errorf("%q is called %q", id, got)
		}
	}
}
