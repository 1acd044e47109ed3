package sshd

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	gossh "golang.org/x/crypto/ssh"

	"authbird/flows"
	"authbird/state"
)

func TestAPersonLooksInAndLeaves(t *testing.T) {
	h := newHost(t, nil)
	h.goodLogin()
	end := h.ends(1)[0]
	if end.Why != "left" || end.Started == nil || end.User != "somebody" || end.Key != gossh.FingerprintSHA256(h.key.PublicKey()) || end.Remote == "" || len(end.Did) != 0 {
		t.Errorf("the audit file says %+v", end)
	}
}

// setups are what stands in the folder of the host's key.
func (h *host) setups() []*state.Setup {
	h.t.Helper()
	p, err := h.server.meet(h.key.PublicKey())
	if err != nil {
		h.t.Fatal(err)
	}
	dir, err := state.Open(p.folder)
	if err != nil {
		h.t.Fatal(err)
	}
	all, err := dir.List()
	if err != nil {
		h.t.Fatal(err)
	}
	return all
}

func TestAWholeConnectorIsSetUpAndWrittenDown(t *testing.T) {
	for _, size := range []struct{ w, h int }{{80, 24}, {200, 60}} {
		h := newHost(t, nil)
		v := h.loginAs(h.key, size.w, size.h).toPlan()
		v.types("\r").sees("Everything is made and checked.").types("q")
		if err := v.leaves(); err != nil {
			t.Fatal(err)
		}
		if all := h.setups(); len(all) != 1 || all[0].Answers.Mode != state.Connector {
			t.Errorf("there stands %v", all)
		}
		end := h.ends(1)[0]
		for _, want := range []string{" provider done", " connector doing", " connector done", " done"} {
			if !slices.ContainsFunc(end.Did, func(s string) bool { return strings.HasSuffix(s, want) }) {
				t.Errorf("the audit file lacks %q: %v", want, end.Did)
			}
		}
		raw, err := os.ReadFile(h.server.Audit())
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{h.sim.AuthentikToken, h.sim.NetBirdToken} {
			if strings.Contains(string(raw), secret) {
				t.Error("a token is in the audit file")
			}
		}
		if info, err := os.Stat(h.server.Audit()); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("the audit file: %v, %v", info.Mode(), err)
		}
		h.goodLogin()
	}
}

func TestADroppedLineFinishesItsStepAndTheNextLoginGoesOn(t *testing.T) {
	h := newHost(t, nil)
	b := h.holds()
	v := h.login().toPlan().runs(b)
	v.conn.Close() // in the middle of the step
	if n := len(h.audited()); n == 0 {
		t.Fatal("nothing is written down")
	}
	close(b.released)
	end := h.ends(1)[0]
	if end.Why != errGone.Error() || !slices.ContainsFunc(end.Did, func(s string) bool { return strings.HasSuffix(s, "connector done") }) {
		t.Errorf("the step was not finished, or not told so: %+v", end)
	}
	if _, _, _, why, stopped := h.setups()[0].Interrupted(); !stopped || why != errGone.Error() {
		t.Fatalf("the run is said to have come to its end, without its proof, or to have stopped because %q", why)
	}
	v = h.login().sees("go on").types("\r").sees("Nothing is missing and nothing differs").types("\r").sees("Everything").sees("checked.").types("q")
	if err := v.leaves(); err != nil {
		t.Fatal(err)
	}
	if _, _, _, _, stopped := h.setups()[0].Interrupted(); stopped {
		t.Error("it did not go on to its end")
	}
}

func TestAStoppedServerWaitsForTheStep(t *testing.T) {
	h := newHost(t, nil)
	b := h.holds()
	v := h.login().toPlan().runs(b)
	h.stop()
	select {
	case err := <-h.ended:
		t.Fatalf("it did not wait: %v", err)
	case <-v.over:
		t.Fatal("the session did not wait")
	case <-time.After(50 * time.Millisecond): // long enough to be seen failing, and no matter if not
	}
	close(b.released)
	h.close()
	end := h.ends(1)[0]
	if end.Why != errStopping.Error() || !slices.ContainsFunc(end.Did, func(s string) bool { return strings.HasSuffix(s, "connector done") }) {
		t.Errorf("the audit file says %+v", end)
	}
	v.sees("the server was stopped. Log in again to go on.")
}

func TestAStoppedServerDoesNotWaitForWhoHasNotBegun(t *testing.T) {
	h := newHost(t, nil)
	c, err := h.dial(h.key)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, _, err := c.OpenChannel("session", nil); err != nil {
		t.Fatal(err)
	}
	h.close() // which takes less than the time to log in
}

func TestAStoppedServerDoesNotWaitForEver(t *testing.T) {
	h := newHost(t, func(o *Options) { o.Limits.Stop = time.Millisecond })
	b := h.holds() // never let go
	h.login().toPlan().runs(b)
	h.close()
	if end := h.ends(1)[0]; end.Why != errStopping.Error() {
		t.Errorf("the audit file says %+v", end)
	}
	if _, open := openEntry(h.setups()[0], "connector"); !open {
		t.Error("what became of the request is said to be known")
	}
}

// openEntry is the last entry of a step, and whether it is one without an end.
func openEntry(s *state.Setup, step string) (state.Entry, bool) {
	var last state.Entry
	for _, e := range s.Entries {
		if e.Step == step {
			last = e
		}
	}
	return last, last.Phase == state.Began
}

func TestTwoSessionsOnOneSetup(t *testing.T) {
	h := newHost(t, nil)
	b := h.holds()
	h.login().toPlan().runs(b)
	second := h.login().sees("in use by another authbird")
	second.types("\x03")
	if err := second.leaves(); err != nil {
		t.Fatal(err)
	}
	other := h.login().sees("new setup").types("n").sees("How shall").types("\r").sees("akadmin, superuser").types("\r")
	other.sees("Owner, owner").types("\r").sees("See the plan").types("\r").sees("is in use by another authbird").types("\x03")
	if err := other.leaves(); err != nil {
		t.Fatal(err)
	}
	close(b.released)
}

func TestEachKeyHasAFolderOfItsOwn(t *testing.T) {
	second, line := newKey(t)
	h := newHost(t, func(o *Options) { o.Allow = append(o.Allow, line) })
	v := h.login().toPlan().types("\r").sees("Everything is made and checked.").types("q")
	if err := v.leaves(); err != nil {
		t.Fatal(err)
	}
	v = h.loginAs(second, 80, 24).sees("Nothing is set up here yet").types("q")
	if err := v.leaves(); err != nil {
		t.Fatal(err)
	}
	folders, err := os.ReadDir(filepath.Join(h.dir, serveDir, peopleDir))
	if err != nil || len(folders) != 2 {
		t.Fatalf("%v, %v", folders, err)
	}
	for _, f := range folders {
		if info, err := f.Info(); err != nil || info.Mode().Perm() != 0o700 || len(f.Name()) != 64 {
			t.Errorf("%s: %v, %v", f.Name(), info.Mode(), err)
		}
	}
}

func TestASessionEndsByItself(t *testing.T) {
	for name, c := range map[string]struct {
		tweak func(*Options)
		why   error
		words string
	}{
		"idle":    {func(o *Options) { o.Limits.Idle = 300 * time.Millisecond }, errIdle, "nobody typed for 300ms"},
		"in time": {func(o *Options) { o.Limits.Total = 300 * time.Millisecond }, errTime, "lasts 300ms at most"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHost(t, c.tweak)
			v := h.login()
			if err := v.leaves(); err != nil {
				t.Fatal(err)
			}
			v.sees(c.words)
			if end := h.ends(1)[0]; end.Why != c.why.Error() {
				t.Errorf("the audit file says %q", end.Why)
			}
		})
	}
}

func TestThePlacesAreCounted(t *testing.T) {
	second, line := newKey(t)
	h := newHost(t, func(o *Options) {
		o.Allow = append(o.Allow, line)
		o.Limits.Sessions, o.Limits.PerKey = 2, 1
	})
	first := h.login().sees("new setup")
	if v := h.login(); v.leaves() == nil || !strings.Contains(v.errs.String(), "as many sessions as it may, which is 1") {
		t.Errorf("a second session of one key: %q", v.errs.String())
	}
	h.loginAs(second, 80, 24).sees("new setup")
	h.server.places.mostOne = 5 // nobody takes a place just now
	if v := h.login(); v.leaves() == nil || !strings.Contains(v.errs.String(), "all 2 places are taken") {
		t.Errorf("a third session: %q", v.errs.String())
	}
	first.types("q")
	if err := first.leaves(); err != nil {
		t.Fatal(err)
	}
	h.ends(1)
	h.eventually("the place is free", func() bool {
		h.server.places.mu.Lock()
		defer h.server.places.mu.Unlock()
		return h.server.places.all == 1
	})
	h.goodLogin()
}

func TestNobodyIsLetInWhoCannotBeWrittenDown(t *testing.T) {
	h := newHost(t, nil)
	h.goodLogin()
	h.ends(1)
	if err := h.server.audit.file.Close(); err != nil {
		t.Fatal(err)
	}
	v := h.login()
	if err := v.leaves(); err == nil || !strings.Contains(v.errs.String(), "can't be written down") {
		t.Errorf("%v: %q", err, v.errs.String())
	}
	h.stop()
	if err := <-h.ended; err == nil {
		t.Error("the server stopped without a word about its audit file")
	}
	h.once.Do(func() {})
}

func TestASizeInTheMiddle(t *testing.T) {
	h := newHost(t, nil)
	v := h.login().sees("new setup")
	for _, size := range []struct{ w, h int }{{40, 12}, {0, 0}, {1, 1}, {200, 60}, {1 << 20, 1 << 20}, {80, 24}} {
		if err := v.session.WindowChange(size.h, size.w); err != nil {
			t.Fatal(err)
		}
	}
	v.types("\r").sees("How shall they be joined?").types("\x03")
	if err := v.leaves(); err != nil {
		t.Fatal(err)
	}
}

func TestRefusedAnswersOfAPerson(t *testing.T) {
	s := &Server{o: Options{CAFile: "/etc/ca.pem", AuthentikURL: "https://auth.example.com", NetBirdURL: "https://netbird.example.com"}, folder: "/srv"}
	p := person{folder: "/srv/people/x", files: "/srv/people/x/files"}
	for name, c := range map[string]struct {
		a    state.Answers
		only bool
		ok   bool
	}{
		"nothing":                    {ok: true},
		"the screens' own":           {a: s.answers(p, state.Standalone), ok: true},
		"a command":                  {a: state.Answers{RestartCommand: "reboot"}},
		"management.json":            {a: state.Answers{NetBirdConfig: "/etc/netbird/management.json"}},
		"another CA file":            {a: state.Answers{CAFile: "/etc/shadow"}},
		"the operator's CA file":     {a: state.Answers{CAFile: "/etc/ca.pem"}, ok: true},
		"a key file":                 {a: state.Answers{KeystoreIdentity: "/root/.ssh/id"}},
		"the operator's keyring":     {a: state.Answers{Keystore: "keyring"}},
		"the operator's environment": {a: state.Answers{Keystore: "env"}},
		"the files":                  {a: state.Answers{Keystore: "file"}, ok: true},
		"setup.env elsewhere":        {a: state.Answers{EnvFile: "/etc/cron.d/x"}},
		"setup.env by dots":          {a: state.Answers{EnvFile: "/srv/people/x/files/../../y/files/z"}},
		"setup.env in the state":     {a: state.Answers{EnvFile: "/srv/people/x/setup.env"}},
		"a hidden setup.env":         {a: state.Answers{EnvFile: "/srv/people/x/files/.x"}},
		"a relative setup.env":       {a: state.Answers{EnvFile: "setup.env"}},
		"setup.env at its place":     {a: state.Answers{EnvFile: "/srv/people/x/files/my.env"}, ok: true},
		"another server":             {a: state.Answers{AuthentikURL: "http://169.254.169.254"}, only: true},
		"another NetBird":            {a: state.Answers{NetBirdURL: "https://evil.example.com"}, only: true},
		"another domain":             {a: state.Answers{NetBirdDomain: "evil.example.com"}, only: true},
		"the given servers": {a: state.Answers{AuthentikURL: "https://auth.example.com", NetBirdURL: "https://netbird.example.com", NetBirdDomain: "netbird.example.com"},
			only: true, ok: true},
	} {
		s.o.OnlyGiven = c.only
		if err := s.refuse(p, c.a); (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestABenchOfAPersonRunsNoCommand(t *testing.T) {
	h := newHost(t, nil)
	p, err := h.server.meet(h.key.PublicKey())
	if err != nil {
		t.Fatal(err)
	}
	b, err := h.server.bench(p)
	if err != nil {
		t.Fatal(err)
	}
	if b.Shell != nil || b.Docker != nil || b.Refuse == nil {
		t.Error("a command of this machine can be run or looked for")
	}
	_, err = b.Open(t.Context(), "x", state.Answers{RestartCommand: "reboot"}, flows.Tokens{})
	var stopped *flows.Stopped
	if !errors.As(err, &stopped) || stopped.Reason != flows.NeedsPerson {
		t.Errorf("open: %v", err)
	}
}
