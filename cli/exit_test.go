package cli

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"authbird/clients"
	"authbird/flows"
	"authbird/keystore"
	"authbird/state"
)

func TestExitCodes(t *testing.T) {
	stopped := func(reason flows.Reason, stands ...string) error {
		return &flows.Stopped{Reason: reason, Err: errors.New("it ended"), Stands: stands, AtServers: len(stands) > 0}
	}
	const made = `provider "NetBird" at Authentik`
	for _, c := range []struct {
		when string
		err  error
		want int
	}{
		{"all is well", nil, 0},
		{"an argument is wrong or missing", usagef("missing"), 2},
		{"no passphrase, and nobody may be asked", keystore.ErrNoPassphrase, 2},
		{"no passphrase, told by the engine", &flows.Stopped{Reason: flows.NotWritten, Err: fmt.Errorf("open: %w", keystore.ErrNoPassphrase)}, 2},
		{"a request was refused", stopped(flows.WentWrong), 1},
		{"a request was refused part-way", stopped(flows.WentWrong, made), 8},
		{"something outside must be put right", stopped(flows.NeedsPerson), 3},
		{"something outside must be put right part-way", stopped(flows.NeedsPerson, made), 3},
		{"a foreign object without --adopt", stopped(flows.NeedsDecision), 3},
		{"a foreign object without --adopt part-way", stopped(flows.NeedsDecision, made), 3},
		{"the token lacks rights", stopped(flows.NotAuthorised), 4},
		{"the token ended part-way", stopped(flows.NotAuthorised, made), 8},
		{"a server is not there", stopped(flows.CannotReach), 5},
		{"a server went away part-way", stopped(flows.CannotReach, made), 8},
		{"no answer told what became of a request", stopped(flows.OutcomeUnknown), 8},
		{"done, but something else stands there", stopped(flows.NotAsMeant), 1},
		{"done, but something else stands there, part-way", stopped(flows.NotAsMeant, made), 8},
		{"the disk is full", stopped(flows.NotWritten), 1},
		{"the disk became full part-way", stopped(flows.NotWritten, made), 8},
		{"Ctrl-C before anything", errInterrupted, 130},
		{"Ctrl-C in a read", context.Canceled, 130},
		{"Ctrl-C part-way", stopped(flows.Interrupted, made), 130},
		{"Ctrl-C twice", &gaveUpError{stopped(flows.OutcomeUnknown)}, 130},
		{"the person left", errLeft, 130},
		{"Ctrl-C at the passphrase", &flows.Stopped{Reason: flows.NotWritten, Err: fmt.Errorf("open: %w", errInterrupted)}, 130},
		{"the input ended at a question", errEnd, 2},
		{"everything stands and a check failed", stopped(flows.NotProven, made), 1},
		{"another run has the setup", &state.BusyError{Setup: "a"}, 3},
		{"a newer authbird wrote the state", &state.NewerError{File: "a"}, 3},
		{"the keyring is locked", keystore.ErrLocked, 3},
		{"there is no keyring", keystore.ErrUnavailable, 3},
		{"the passphrase is wrong", keystore.ErrPassphrase, 3},
		{"a look: token refused", &clients.Error{Kind: clients.Unauthorised}, 4},
		{"a look: lacks rights", &clients.Error{Kind: clients.Forbidden}, 4},
		{"a look: nobody there", &clients.Error{Kind: clients.Unreachable}, 5},
		{"a look: another server", &clients.Error{Kind: clients.WrongServer}, 5},
		{"a look: not now", &clients.Error{Kind: clients.NotNow}, 5},
		{"a look: too old", &clients.Error{Kind: clients.Unsupported}, 3},
		{"a look: refused", &clients.Error{Kind: clients.Refused}, 1},
		{"anything else", errors.New("anything else"), 1},
	} {
		t.Run(c.when, func(t *testing.T) {
			if got := exitOf(ofSetup("s", c.err)); got != c.want {
				t.Errorf("exit %d, want %d", got, c.want)
			}
		})
	}
}

func TestAFailureSaysWhatStandsAndWhatToType(t *testing.T) {
	err := ofSetup("netbird.example.com", &flows.Stopped{
		Reason: flows.CannotReach, Step: flows.About{Title: "connector"}, Err: errors.New("NetBird\ncan't be reached"),
		Stands: []string{`provider "NetBird" at Authentik`}, AtServers: true, Hints: []string{"look whether it runs", "authbird resume"},
	})
	want := outcome{
		Setup: "netbird.example.com", Exit: 8, Message: "connector: NetBird can't be reached",
		Hints: []string{`stands now: provider "NetBird" at Authentik`, "look whether it runs"},
		Next:  "authbird resume netbird.example.com",
	}
	if diff := cmp.Diff(want, explain(err)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestTheSecondCtrlCSaysThatTheOutcomeIsUnknown(t *testing.T) {
	out := explain(ofSetup("s", &gaveUpError{&flows.Stopped{Reason: flows.OutcomeUnknown, Err: errors.New("cut")}}))
	if out.Exit != 130 || out.Next != "authbird resume s" || out.Message != "given up at once: what became of the last request is unknown, and the next run looks" {
		t.Errorf("got %+v", out)
	}
}
