package tui

import (
	"fmt"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"

	"authbird/flows"
	"authbird/keystore"
	"authbird/state"
)

func TestAClientSecretIsRenewedFromTheList(t *testing.T) {
	for _, size := range sizes {
		t.Run(fmt.Sprintf("%dx%d", size.w, size.h), func(t *testing.T) {
			b, o := standingBench()
			d := drive(t, o, size.w, size.h)
			d.until("o rotate")
			d.keys("o")
			d.until("client-secret")
			d.showing("rotate, list")
			d.has("▸", "client-secret", "NetBird's")
			d.keys("enter")
			d.until("Not now")
			d.showing("renew, asking")
			d.has("Fails meanwhile", "You must", "▸ Not now")
			d.keys("left", "enter")
			d.until("docker compose restart")
			d.showing("renew, waiting")
			d.has("✓ new client secret")
			d.keys("r")
			d.until("is renewed")
			d.has("logins could fail for 1.2 s", "https://netbird.example.com")
			b.sightings <- flows.Sighting{Kind: flows.SawAuthorised, Who: "ada"}
			d.until("ada signed in: proven")
			d.showing("renew, proven")
			d.keys("q")
			d.await("it leaves", func() bool { return d.quit })
			d.p.shut()
			got := d.p.ending()
			if !got.Done || len(got.Lines) != 1 || !strings.Contains(got.Lines[0], "the client-secret is renewed") {
				t.Errorf("the result is %+v", got)
			}
			if len(b.noted) != 1 {
				t.Errorf("%d logins written down, want the one that came", len(b.noted))
			}
		})
	}
}

// On a slow line keys come before the list does. None is lost.
func TestKeysTypedBeforeTheCredentialsAreThere(t *testing.T) {
	_, o := standingBench()
	d := drive(t, o, 80, 24)
	d.until("o rotate")
	r := d.p.room
	var s screen = newRotateScreen(o.Shelf, d.p.options.Now, "")
	for _, k := range []rune{tea.KeyDown, tea.KeyUp, tea.KeyEnter} {
		var act action
		if s, act = s.Update(r, tea.KeyPressMsg{Code: k}); act != (stay{}) {
			t.Fatalf("%v does something already: %v", k, act)
		}
	}
	setups, err := o.Shelf.List()
	if err != nil {
		t.Fatal(err)
	}
	s, act := s.Update(r, setupsRead{setups: setups})
	again, ok := act.(retype)
	if !ok || len(again.keys) != 3 {
		t.Fatalf("the keys are gone: %v", act)
	}
	for _, k := range again.keys {
		s, act = s.Update(r, k)
	}
	if one, ok := act.(renewOne); !ok || one.credential != "client-secret" {
		t.Errorf("they do %v", act)
	}
}

func TestLeavingBeforeTheRestartSaysWhatStands(t *testing.T) {
	_, o := standingBench()
	d := drive(t, o, 80, 24)
	d.until("o rotate")
	d.keys("o")
	d.until("client-secret")
	d.keys("enter")
	d.until("Not now")
	d.keys("left", "enter")
	d.until("docker compose restart")
	d.keys("ctrl+c")
	d.until("nothing has changed")
	d.showing("renew, left")
}

func TestANoRenewsNothing(t *testing.T) {
	b, o := standingBench()
	d := drive(t, o, 80, 24)
	d.until("o rotate")
	d.keys("o")
	d.until("client-secret")
	d.keys("down") // not kept: nothing to renew
	d.has("was not kept")
	d.lacks("what renewing means")
	d.keys("up", "enter")
	d.until("Not now")
	d.keys("enter")
	d.until("client-secret")
	if b.called("Carry") {
		t.Error("it was carried out")
	}
}

func TestWhatToTypeStaysWhileTheSameProcessAnswers(t *testing.T) {
	b, o := standingBench()
	b.says = "the same NetBird process still answers, so it has not restarted"
	d := drive(t, o, 80, 24)
	d.until("o rotate")
	d.keys("o")
	d.until("client-secret")
	d.keys("enter")
	d.until("Not now")
	d.keys("left", "enter")
	d.until("same NetBird process")
	d.has("docker compose restart")
}

func TestSecretsInWrongHandsAreRenewedOneAfterTheOther(t *testing.T) {
	for _, size := range sizes {
		t.Run(fmt.Sprintf("%dx%d", size.w, size.h), func(t *testing.T) {
			b, o := standingBench()
			s := o.Shelf.(*fakeShelf).setups[0]
			s.Credentials = append(s.Credentials, state.Credential{Name: keystore.AuthentikToken, Kept: true})
			d := drive(t, o, size.w, size.h)
			d.until("o rotate")
			d.keys("o")
			d.until("client-secret")
			d.keys("l")
			d.until("1 of 2")
			d.showing("leak, asking")
			d.has("authentik token", "netbird token was not kept")
			d.until("Not now")
			d.keys("left", "enter")
			d.until("docker compose restart")
			d.keys("r")
			d.until("next: the client secret")
			d.showing("leak, one done")
			d.keys("enter")
			d.until("2 of 2")
			d.has("client secret")
			b.mu.Lock()
			defer b.mu.Unlock()
			var renewed []string
			for _, r := range b.renewals {
				if renewed = append(renewed, r.credential); !r.o.Leak {
					t.Errorf("the %s is not renewed as leaked", r.credential)
				}
			}
			if fmt.Sprint(renewed) != "[authentik-token client-secret]" {
				t.Errorf("renewed %v", renewed)
			}
			if given := b.given[len(b.given)-1]; given.Authentik != "" || given.NetBird == "" {
				t.Error("the token that was renewed is used on")
			}
		})
	}
}

func TestASetupInTheGapSaysThatARestartWouldBreakLogins(t *testing.T) {
	_, o := standingBench()
	x := o.Shelf.(*fakeShelf).setups[0]
	const flow = "rotate-client-secret"
	x.Entries = append(x.Entries, state.Entry{Time: now, Run: "c", Flow: flow, Phase: state.Began},
		state.Entry{Time: now, Run: "c", Flow: flow, Step: "new-client-secret-netbird", Phase: state.Done, Receipt: state.Receipt{ObjectID: "x"}},
		state.Entry{Time: now, Run: "c", Flow: flow, Step: "new-client-secret-authentik", Phase: state.Began})
	d := drive(t, o, 80, 24)
	d.until("o rotate")
	d.has("a restart of NetBird now would break", "logins")
	d.keys("o")
	d.until("client-secret")
	d.has("stopped", "a restart of NetBird now would break")
}
