package flows_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"authbird/doctor"
	"authbird/flows"
	"authbird/keystore"
	simauthentik "authbird/sim/authentik"
	"authbird/state"
)

func resultOf(t *testing.T, d *flows.Diagnosis, id string) doctor.Result {
	t.Helper()
	i := slices.IndexFunc(d.Results, func(r doctor.Result) bool { return r.ID == id })
	if i < 0 {
		t.Fatalf("the doctor did not ask %s", id)
	}
	return d.Results[i]
}

func TestTheDoctorPutsAnOldSecretBackBeforeARestartBreaksLogins(t *testing.T) {
	l := standing(t)
	l.answers.RestartCommand = ""
	old := l.secret(keystore.ClientSecret)
	if err := l.giveUp(alone, waiting); err == nil {
		t.Fatal("not stopped")
	}
	if r := renewalOf(t, l.load(), keystore.ClientSecret); !r.RestartBreaks {
		t.Error("the list of credentials doesn't say that a restart breaks logins")
	}
	d := l.diagnose()
	found := resultOf(t, d, "unfinished")
	if found.Verdict != doctor.Fail || found.Repair != doctor.RepairOldSecret || !strings.Contains(found.Hits, "a restart of NetBird now would break logins") {
		t.Errorf("the doctor says %+v", found)
	}
	if err := l.fix(d); err != nil {
		t.Fatalf("the repair: %v", err)
	}
	if authentik, netbird := l.clientSecrets(); authentik != old || netbird != old {
		t.Error("a server has another secret than before")
	}
	if err := l.netbird.Restart(); err != nil {
		t.Fatal(err)
	}
	if _, err := l.signsIn(); err != nil {
		t.Errorf("a login after the restart: %v", err)
	}
	l.settled("after the repair")
	if open, ok := flows.PendingRotation(l.load()); ok {
		t.Errorf("still pending: %+v", open)
	}
}

func TestAfterTheRestartTheDoctorOnlyLeadsForward(t *testing.T) {
	l := standing(t)
	l.answers.RestartCommand = ""
	if err := l.giveUp(alone, waiting); err == nil {
		t.Fatal("not stopped")
	}
	if err := l.netbird.Restart(); err != nil {
		t.Fatal(err)
	}
	d := l.diagnose()
	found := resultOf(t, d, "unfinished")
	if found.Repair != "" || !strings.Contains(found.Hits, "logins through Authentik fail until") || found.Advice != "authbird resume "+setupName {
		t.Errorf("the doctor says %+v", found)
	}
	// Half of a renewal is no fault that another repair may undo.
	d.Results = append(d.Results, doctor.Result{ID: "client-secret", Verdict: doctor.Fail, Repair: "provider.client_secret"})
	if _, err := l.bench.PlanRepair(t.Context(), d, l.tokens, nil); err == nil || flows.StopOf(err).Reason != flows.NeedsPerson {
		t.Errorf("a repair over the renewal: %v", err)
	}
}

func TestWhatIsDueByThePolicyIsTold(t *testing.T) {
	l := standing(t)
	s, err := l.bench.State.Lock(setupName)
	if err != nil {
		t.Fatal(err)
	}
	c := s.Credentials[slices.IndexFunc(s.Credentials, func(c state.Credential) bool { return c.Name == keystore.ClientSecret })]
	c.Made = time.Now().AddDate(0, 0, -flows.RotateEvery-1)
	if err := s.SaveCredential(c); err != nil {
		t.Fatal(err)
	}
	s.Close()
	if r := resultOf(t, l.diagnose(), "credentials"); r.Verdict != doctor.Warn || !strings.Contains(r.Evidence, "client-secret was due on") {
		t.Errorf("the doctor says %+v", r)
	}
}

func TestAKeptTokenTellsWhenItEnds(t *testing.T) {
	soon := time.Now().Add(30 * time.Minute).UTC().Truncate(time.Second)
	l := standing(t)
	l.answers.KeepAdminTokens = true
	key, err := l.authentik.AddToken(simauthentik.Token{Identifier: "short", User: "akadmin", Expires: soon})
	if err != nil {
		t.Fatal(err)
	}
	l.tokens.Authentik = key // beside the one without an end
	l.mustRun()
	authentik := renewalOf(t, l.load(), keystore.AuthentikToken)
	if !authentik.Expires.Equal(soon) || authentik.Endless() {
		t.Errorf("the API token ends %v, want %v", authentik.Expires, soon)
	}
	if !authentik.Overdue {
		t.Error("a token that ends in half an hour is not due")
	}
	netbird := renewalOf(t, l.load(), keystore.NetBirdToken)
	if netbird.Expires.IsZero() || netbird.ID == "" {
		t.Errorf("the access token is %+v", netbird)
	}
	l.tokens = flows.Tokens{}
	l.mustRotate(keystore.AuthentikToken, alone)
	if after := renewalOf(t, l.load(), keystore.AuthentikToken); !after.Endless() || after.Overdue {
		t.Errorf("after the renewal it is %+v", after)
	}
}

func TestATokenThatAnotherSetupKeepsIsNotDeletedUnderIt(t *testing.T) {
	l := standing(t)
	l.answers.KeepAdminTokens = true
	l.mustRun()
	old := l.secret(keystore.AuthentikToken)
	other, err := l.bench.State.Lock("other")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if err := other.SaveAnswers(l.answers); err != nil {
		t.Fatal(err)
	}
	kept := state.Credential{Name: keystore.AuthentikToken, Digest: other.Digest(old), Kept: true}
	if err := other.SaveCredential(kept); err != nil {
		t.Fatal(err)
	}
	out := l.mustRotate(keystore.AuthentikToken, alone)
	if _, err := l.authentikClient().WithToken(old).Me(t.Context()); err != nil {
		t.Errorf("the other setup's token is gone: %v", err)
	}
	if len(out.Remarks) != 1 || !strings.Contains(out.Remarks[0], "other") {
		t.Errorf("it is not said: %v", out.Remarks)
	}
	if l.secret(keystore.AuthentikToken) == old || l.secret(keystore.AuthentikToken+keystore.Old) != "" {
		t.Error("the setup itself was not renewed")
	}
}

func TestHowLongTheLastRestartTookIsToldBeforeTheNext(t *testing.T) {
	l := standing(t)
	means := func() flows.Meaning {
		s, err := l.bench.Open(t.Context(), setupName, l.answers, l.tokens)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		r, err := s.PlanRotation(t.Context(), keystore.ClientSecret, alone)
		if err != nil {
			t.Fatal(err)
		}
		return r.Means
	}
	if m := means(); strings.Contains(m.Fails, "last time") {
		t.Errorf("before the first renewal it says %q", m.Fails)
	}
	l.mustRotate(keystore.ClientSecret, alone)
	if m := means(); !strings.Contains(m.Fails, "about 1 s last time") {
		t.Errorf("before the second it says %q", m.Fails)
	}
}
