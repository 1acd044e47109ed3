package tui

import (
	"fmt"
	"strings"
	"testing"

	"authbird/flows"
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
