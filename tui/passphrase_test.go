package tui

import (
	"context"
	"errors"
	"strings"
	"testing"

	"authbird/doctor"
	"authbird/flows"
	"authbird/keystore"
)

// Leaving at the question, or losing the terminal there, is an interruption and
// not the answer "none".
func TestLeavingAtThePassphraseIsAnInterruption(t *testing.T) {
	asker := NewAsker()
	d := drive(t, Options{Asker: asker}, 80, 24)
	d.until("new setup")
	got := make(chan error, 1)
	go func() {
		_, err := asker.Ask(t.Context(), keystore.Question{Where: "/home/ada/keys"})
		got <- err
	}()
	d.until("It opens the file")
	d.p.shut()
	if err := <-got; !errors.Is(err, context.Canceled) {
		t.Errorf("the answer is %v", err)
	}
}

// A new passphrase is looked at before it is given away, and asked for again
// where it does not do.
func TestANewPassphraseThatDoesNotDo(t *testing.T) {
	asker := NewAsker()
	d := drive(t, Options{Asker: asker}, 80, 24)
	d.until("new setup")
	got := make(chan string, 1)
	go func() {
		passphrase, _ := asker.Ask(t.Context(), keystore.Question{New: true, Where: "/home/ada/keys"})
		got <- passphrase
	}()
	d.until("esc give none")
	d.paste("seven77")
	d.keys("enter")
	d.paste("seven77")
	d.keys("enter")
	d.has("Fewer than 8 characters", "▸ Passphrase")
	d.paste("more")
	d.lacks("Fewer than 8 characters")
	d.keys("enter")
	d.keys("enter")
	d.has("not the same")
	d.paste("more")
	d.keys("enter")
	if passphrase := <-got; passphrase != "seven77more" {
		t.Errorf("it is %q", passphrase)
	}
}

func TestTroubleTellsNothingTwice(t *testing.T) {
	tr := newTrouble(&flows.Stopped{Reason: flows.NeedsPerson, Err: errors.New("no way"), Check: &doctor.Result{
		Title: "NetBird reaches Authentik", Verdict: doctor.Fail, Evidence: "connection timed out", Cause: "NetBird can't reach Authentik: connection timed out"}})
	sh := newSheet(room{width: 78, theme: newTheme(true)})
	tr.draw(sh)
	if n := strings.Count(strings.Join(sh.lines, "\n"), "timed out"); n != 1 {
		t.Errorf("told %d times:\n%s", n, strings.Join(sh.lines, "\n"))
	}
}

func TestAnInterruptedSetupHasItsPlanOnAKey(t *testing.T) {
	d := drive(t, Options{Shelf: &fakeShelf{setups: someSetups()}}, 80, 24)
	d.until("vpn.lab.example")
	d.keys("down")
	d.has("↵ go on", "p plan")
}
