package tui

import (
	"crypto/x509"
	"slices"
	"testing"

	"authbird/clients"
	"authbird/state"
)

// guestOptions are those of a person who comes by SSH.
func guestOptions(b *fakeBench) Options {
	a := given().Answers
	a.CAFile = "/etc/operator.pem"
	return Options{Bench: b, Folder: "/srv/guest", Guest: true, Start: StartWalk, Answers: a}
}

// guestDraft is what the options screen of a guest is made from.
func guestDraft(mode state.Mode) draft {
	a := newFakeBench().Defaults(mode)
	a.RestartCommand, a.NetBirdConfig, a.Keystore, a.CAFile = "reboot", "/etc/netbird/management.json", "file", "/etc/operator.pem"
	return draft{guest: true, folder: "/srv/guest", answers: a}
}

func TestAGuestIsNotAskedAboutThisMachine(t *testing.T) {
	for _, mode := range []state.Mode{state.Connector, state.Standalone} {
		s := newOptionsScreen(guestDraft(mode), newFakeBench())
		var seen []string
		s.form.at = 0
		for at := -1; at != s.form.at; s.form.step(1) {
			at = s.form.at
			seen = append(seen, s.form.focused().id)
		}
		for id := range withheld {
			if slices.Contains(seen, id) {
				t.Errorf("%s: a guest is asked for %s", mode, id)
			}
		}
		if !slices.Contains(seen, rowSlug) || !slices.Contains(seen, rowKeep) {
			t.Errorf("%s: a guest is asked for %v only", mode, seen)
		}
		was, now := guestDraft(mode).answers, s.edit().answers
		if now.RestartCommand != was.RestartCommand || now.NetBirdConfig != was.NetBirdConfig || now.Keystore != was.Keystore {
			t.Errorf("%s: what nobody was asked has changed: %+v", mode, now)
		}
	}
}

func TestAGuestDoesNotSeeTheCertificateFile(t *testing.T) {
	for _, size := range sizes {
		b := newFakeBench()
		d := drive(t, guestOptions(b), size.w, size.h)
		d.until("clock 0.4 s apart")
		d.lacks("/etc/operator.pem", wordsCAFile)
	}
	b := newFakeBench()
	b.errs["SeeAuthentik"] = &clients.Error{Kind: clients.Unreachable, Message: "self-signed", Err: x509.UnknownAuthorityError{}}
	d := drive(t, guestOptions(b), 80, 24)
	d.until("self-signed")
	d.lacks("/etc/operator.pem", wordsCAFile)
}

func TestAGuestsSetupEnvHasNoFolder(t *testing.T) {
	d := guestDraft(state.Standalone)
	d.answers.EnvFile = "/srv/guest/setup.env"
	s := newOptionsScreen(d, newFakeBench())
	if shown := s.form.row(rowEnvFile).field.Value(); shown != "setup.env" {
		t.Errorf("the screen shows %s", shown)
	}
	if file := s.edit().answers.EnvFile; file != d.answers.EnvFile {
		t.Errorf("untouched, it is %s", file)
	}
	for typed, want := range map[string]string{
		"other.env": "", "../../etc/passwd": wordsGuestFileName, "/etc/passwd": wordsGuestFileName, "~/x": wordsGuestFileName, ".ssh": wordsGuestFileName,
	} {
		if got := s.problemOf(rowEnvFile, typed); got != want {
			t.Errorf("%s: %q", typed, got)
		}
	}
}

func TestPlainFile(t *testing.T) {
	for name, want := range map[string]bool{
		"setup.env": true, "A-b_1.env": true, "": false, ".": false, "..": false, ".ssh": false, "a/b": false, `a\b`: false, "a b": false,
		"é": false, "a\x00": false, "-x": false,
	} {
		if PlainFile(name) != want {
			t.Errorf("PlainFile(%q) = %v", name, !want)
		}
	}
}
