package tui

import (
	"fmt"
	"testing"
)

func TestAWholeSetupFromAnEmptyHomeToTheProof(t *testing.T) {
	for _, size := range sizes {
		t.Run(fmt.Sprintf("%dx%d", size.w, size.h), func(t *testing.T) {
			d := drive(t, Options{}, size.w, size.h)
			d.until("new setup")
			d.showing("home")
			d.keys("enter")
			d.showing("mode")
			d.has("Connector", "recommended")
			d.lacks("Standalone")
			d.keys("enter")
			d.has("Connect to Authentik")
			d.keys(`"auth.example.com"`, "tab")
			d.until("clock 0.4 s apart")
			d.showing("authentik, address checked")
			d.paste(goodToken + "\n")
			d.keys("enter")
			d.until("akadmin, superuser")
			d.showing("authentik, token checked")
			d.keys("enter")
			d.has("Connect to NetBird")
			d.keys(`"netbird.example.com"`, "enter")
			d.until("Sign in with a code")
			d.showing("netbird")
			d.keys("enter")
			d.until("BDWP-HQPK")
			d.showing("device")
			d.bench.signedIn <- goodToken
			d.until("signed in by code")
			d.showing("netbird, in")
			d.keys("enter")
			d.until("See the plan")
			d.settle()
			d.showing("options")
			d.keys("enter")
			d.until("What will happen")
			d.until("provider")
			d.showing("plan")
			d.keys("enter")
			d.until("Everything is made and checked")
			d.showing("run")
			d.keys("enter")
			d.until("waiting for somebody")
			d.showing("proof")
			d.keys("enter")
			d.has("Done")
			d.showing("done")
		})
	}
}
