package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"authbird/doctor"
	"authbird/flows"
)

func TestOnlyChangesAreToldAfterTheFirstLook(t *testing.T) {
	look := func(verdict doctor.Verdict, cause string) *flows.Diagnosis {
		return &flows.Diagnosis{Setup: "home", Results: []doctor.Result{
			{ID: "clocks", Title: "the clocks agree", Group: doctor.Between, Verdict: doctor.OK},
			{ID: "key", Title: "logins are signed", Group: doctor.Authentik, Verdict: verdict, Cause: cause},
		}}
	}
	blind := &flows.Diagnosis{Setup: "home", CouldNotLook: errors.New("no route")}
	rounds := []*flows.Diagnosis{
		look(doctor.OK, ""), look(doctor.OK, ""), look(doctor.Fail, "the key is gone"), look(doctor.Fail, "the key is gone"),
		look(doctor.Fail, "the key is EC"), blind, blind, look(doctor.Fail, "the key is EC"), look(doctor.OK, ""),
	}
	var said bytes.Buffer
	var hooks []string
	at := 0
	var waited []time.Duration
	now := time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)
	w := watcher{
		tell: &plainVoice{out: &said, people: &said, now: func() time.Time { return now }}, period: time.Minute,
		look: func(_ context.Context, tell func(*flows.Diagnosis)) error {
			fmt.Fprintf(&said, "look %d\n", at)
			tell(rounds[at])
			return nil
		},
		wait: func(_ context.Context, d time.Duration) error {
			waited = append(waited, d)
			if at++; at == len(rounds) {
				return context.Canceled
			}
			return nil
		},
		hook: func(_ context.Context, setup string, v doctor.Verdict) {
			hooks = append(hooks, fmt.Sprintf("%d %s %s", at, setup, v))
		},
	}
	if err := w.run(t.Context()); !errors.Is(err, errInterrupted) {
		t.Errorf("it ended with %v", err)
	}
	want := `look 0
home
Authentik
  well     1 check
Between them
  well     1 check
look 1
look 2
2026-11-24 10:00:00  home  1 wrong, 1 well
  wrong    logins are signed
    cause   the key is gone
look 3
look 4
2026-11-24 10:00:00  home  1 wrong, 1 well
  wrong    logins are signed
    cause   the key is EC
look 5
2026-11-24 10:00:00  home  could not look: no route
look 6
look 7
2026-11-24 10:00:00  home  1 wrong, 1 well
look 8
2026-11-24 10:00:00  home  2 well
  well     logins are signed  (was wrong)
`
	if diff := cmp.Diff(want, said.String()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"2 home fail", "4 home fail", "5 home unknown", "7 home fail", "8 home ok"}, hooks); diff != "" {
		t.Error(diff)
	}
	if len(waited) != len(rounds) || waited[0] != time.Minute {
		t.Errorf("waited %v", waited)
	}
}

func TestAWatchThatBeginsWithTroubleRunsItsCommand(t *testing.T) {
	for name, d := range map[string]*flows.Diagnosis{
		"home fail":    {Setup: "home", Results: []doctor.Result{{ID: "x", Verdict: doctor.Fail, Group: doctor.Here}}},
		"home unknown": {Setup: "home", CouldNotLook: errors.New("no route")},
		"":             {Setup: "home", Results: []doctor.Result{{ID: "x", Verdict: doctor.OK, Group: doctor.Here}}},
	} {
		var said bytes.Buffer
		got := ""
		w := watcher{tell: &plainVoice{out: &said, people: &said, now: time.Now}, before: map[string]*flows.Diagnosis{},
			hook: func(_ context.Context, setup string, v doctor.Verdict) { got = setup + " " + string(v) }}
		w.heed(t.Context(), d)
		if got != name {
			t.Errorf("the command heard %q, want %q", got, name)
		}
	}
}

func TestTheCommandsEnvironmentHoldsNoSecret(t *testing.T) {
	got := withoutSecrets(func() []string {
		return []string{"PATH=/bin", "AUTHENTIK_TOKEN=a", "NETBIRD_TOKEN=b", "NETBIRD_TOKEN_NEW=c", "AUTHBIRD_CLIENT_SECRET=d", "AUTHBIRD_PASSPHRASE_FILE=e", "LANG=C"}
	})
	if strings.Join(got, " ") != "PATH=/bin LANG=C" {
		t.Errorf("it holds %q", got)
	}
}
