package flows_test

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"authbird/flows"
	"authbird/sim/fault"
	simnetbird "authbird/sim/netbird"
	"authbird/state"
)

// Taking back, as it is planned: by the journal and by a look at the servers.

// removal is what the plan says of a step; "" for Will: nothing.
func (l *lab) removal(step string) flows.Removal {
	l.t.Helper()
	s := l.open()
	defer s.Close()
	what, _, err := s.PlanRemoval(l.t.Context())
	l.must(err)
	for _, r := range what {
		if r.Step.ID == step {
			return r
		}
	}
	return flows.Removal{}
}

func TestWhatSomebodyChangedSinceIsShownAndTheirsIsLeft(t *testing.T) {
	l := newLab(t, labOptions{})
	l.adopt = true
	l.must(l.authentik.Request(http.MethodPost, "/api/v3/core/applications/", map[string]any{"name": "Theirs", "slug": "netbird", "provider": nil}, nil))
	l.mustRun()
	c := l.authentikClient()
	if _, err := c.UpdateApplication(t.Context(), "netbird", map[string]any{"provider": nil}); err != nil {
		t.Fatal(err)
	}
	r := l.removal("application")
	if r.Will != flows.WillKeep || len(r.Fields) != 1 || r.Fields[0].Have != "none" {
		t.Errorf("the plan says %+v, want that it is left, with the field", r)
	}
	l.remove()
	if app, err := c.Application(t.Context(), "netbird"); err != nil || app.Provider != 0 {
		t.Errorf("the application has provider %d (%v), want it as its owner left it", app.Provider, err)
	}
}

func TestWhatIsGoneAlreadyIsSaid(t *testing.T) {
	l := newLab(t, labOptions{})
	l.mustRun()
	l.must(l.authentikClient().DeleteApplication(t.Context(), "netbird"))
	if r := l.removal("application"); r.Will != flows.WillFind {
		t.Errorf("the plan says %+v, want that it is gone", r)
	}
	l.remove()
}

func TestMembersThatSomebodyElsePutIntoOurGroupAreNamed(t *testing.T) {
	l := newStandaloneLab(t, "")
	l.answers.Rights = flows.RightsLeast
	l.mustRun()
	c := l.authentikClient()
	admin, err := c.UserByName(t.Context(), "akadmin")
	l.must(err)
	groups, err := c.GroupsByName(t.Context(), "Netbird user reader")
	l.must(err)
	l.must(c.AddGroupUser(t.Context(), groups[0].PK, admin.PK))
	if r := l.removal("reader-group"); len(r.Beside) != 1 || !strings.Contains(r.Beside[0], "akadmin") {
		t.Errorf("the plan says %+v, want the member named", r)
	}
}

func TestAPutBackManagementFileUnlocksTakingBack(t *testing.T) {
	l := newStandaloneLab(t, "")
	l.answers.NetBirdConfig = filepath.Join(t.TempDir(), "management.json")
	old, err := os.ReadFile(filepath.Join("..", "hostfiles", "testdata", "management.json"))
	l.must(err)
	l.must(os.WriteFile(l.answers.NetBirdConfig, old, 0o600))
	l.mustRun()
	s := l.open()
	_, err = s.Remove(t.Context(), "")
	l.must(s.Close())
	if flows.StopOf(err).Reason != flows.NeedsPerson {
		t.Fatalf("got %v, want it refused while NetBird runs on the file", err)
	}
	l.must(os.WriteFile(l.answers.NetBirdConfig, old, 0o600))
	l.remove()
	if left, err := filepath.Glob(l.answers.NetBirdConfig + "*"); err != nil || len(left) != 2 {
		t.Errorf("beside it stand %v, want the file and its first backup", left)
	}
}

func TestNoBackupKeepsTheAppPassword(t *testing.T) {
	l := newStandaloneLab(t, "")
	l.must(os.WriteFile(l.answers.EnvFile, []byte("NETBIRD_DOMAIN=\"a\"\nNETBIRD_IDP_MGMT_EXTRA_PASSWORD=\"old $X\"\n"), 0o600))
	l.adopt = true
	l.mustRun()
	r := l.removal("setup-env")
	if !strings.Contains(r.Why, "NETBIRD_IDP_MGMT_EXTRA_PASSWORD") || !strings.Contains(r.Why, ".authbird-") {
		t.Errorf("the plan says %q, want the line and the backup that alone has it named", r.Why)
	}
	data, err := os.ReadFile(l.answers.EnvFile)
	l.must(err)
	_, password, _ := bytes.Cut(data, []byte("NETBIRD_IDP_MGMT_EXTRA_PASSWORD="))
	password = bytes.Trim(bytes.SplitN(password, []byte("\n"), 2)[0], `"`)
	s := l.open()
	defer s.Close()
	if _, err := s.Remove(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	if len(s.Remains()) != 1 {
		t.Errorf("remaining %v, want the backup of what stood there before", s.Remains())
	}
	files, err := filepath.Glob(filepath.Join(filepath.Dir(l.answers.EnvFile), "*"))
	l.must(err)
	for _, name := range files {
		if data, _ := os.ReadFile(name); bytes.Contains(data, password) {
			t.Errorf("%s holds the app password", name)
		}
	}
}

// damage takes the lines about a step out of the journal, and puts one there
// that nobody can read.
func (l *lab) damage(steps ...string) {
	l.t.Helper()
	setup, err := l.bench.State.Load(setupName)
	l.must(err)
	path := filepath.Join(setup.Folder, "journal.jsonl")
	data, err := os.ReadFile(path)
	l.must(err)
	var out []byte
	for line := range bytes.Lines(data) {
		for _, step := range steps {
			if bytes.Contains(line, fmt.Appendf(nil, `"step":%q`, step)) {
				line = []byte("{]\n")
			}
		}
		out = append(out, line...)
	}
	l.must(os.WriteFile(path, out, 0o600))
}

func TestADamagedJournalForgetsNothing(t *testing.T) {
	l := newLab(t, labOptions{})
	before := l.placeless(l.authentik.Snapshot())
	l.mustRun()
	l.damage("application", "connector", "provider")
	stands := l.authentik.Snapshot()
	s := l.open()
	if aside := s.SetAside(); len(aside) != 1 || !strings.Contains(aside[0], "journal.jsonl.damaged-") {
		t.Errorf("set aside: %v", aside)
	}
	_, err := s.Remove(t.Context(), "")
	l.must(s.Close())
	stop := flows.StopOf(err)
	if stop.Reason != flows.NeedsDecision || !strings.Contains(stop.Error(), "application") || !strings.Contains(stop.Error(), "connector") {
		t.Fatalf("got %v, want that whose they are can't be told", err)
	}
	if !sameWorld(stands, l.authentik.Snapshot()) {
		t.Error("something was taken back all the same")
	}
	s = l.open()
	defer s.Close()
	s.Claim = true
	if _, err := s.Remove(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	if !sameWorld(before, l.placeless(l.authentik.Snapshot())) {
		t.Error("claimed, it was not all taken back")
	}
}

func TestALostJournalForgetsNothing(t *testing.T) {
	l := newStandaloneLab(t, "")
	l.mustRun()
	setup, err := l.bench.State.Load(setupName)
	l.must(err)
	l.must(os.Remove(filepath.Join(setup.Folder, "journal.jsonl")))
	s := l.open()
	_, err = s.Remove(t.Context(), "")
	l.must(s.Close())
	if flows.StopOf(err).Reason != flows.NeedsDecision {
		t.Fatalf("got %v, want a decision needed", err)
	}
	s = l.open()
	defer s.Close()
	s.Claim = true
	if _, err := s.Remove(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	c := l.authentikClient()
	if found, err := c.ProvidersByName(t.Context(), "NetBird"); err != nil || len(found) != 0 {
		t.Errorf("%d providers are left (%v)", len(found), err)
	}
	if _, err := c.UserByName(t.Context(), "Netbird"); err == nil {
		t.Error("the service account is left")
	}
}

func TestLostAnswersComeFromTheJournal(t *testing.T) {
	l := newLab(t, labOptions{})
	l.mustRun()
	setup, err := l.bench.State.Load(setupName)
	l.must(err)
	l.must(os.WriteFile(filepath.Join(setup.Folder, "setup.json"), []byte("{]"), 0o600))
	again, err := l.bench.State.Load(setupName)
	l.must(err)
	if again.Answers.AuthentikURL != setup.Answers.AuthentikURL || again.Answers.Mode != state.Connector {
		t.Errorf("answers %+v", again.Answers)
	}
	if !strings.HasSuffix(again.Damage, "the answers were taken from the journal") {
		t.Errorf("damage: %q", again.Damage)
	}
	l.answers = again.Answers
	netbird := l.netbird.Snapshot()
	l.must(l.again()) // with nothing to ask: what was sent is still recognised
	if diff := cmp.Diff(netbird, l.netbird.Snapshot()); diff != "" {
		t.Errorf("it changed something at NetBird:\n%s", diff)
	}
	l.remove()
}

func TestARoleThatMayMoreIsAskedAbout(t *testing.T) {
	l := newStandaloneLab(t, "")
	l.answers.Rights = flows.RightsLeast
	c := l.authentikClient()
	role, err := c.CreateRole(t.Context(), "Netbird user reader")
	l.must(err)
	l.must(c.AssignPermissions(t.Context(), role.PK, "authentik_core.view_user", "authentik_core.delete_user"))
	stop := flows.StopOf(l.run(t.Context(), nil))
	if stop.Reason != flows.NeedsDecision || !strings.Contains(stop.Finding.Fields[0].Have, "delete_user") || !strings.Contains(strings.Join(stop.Hints, " "), "--service-account NAME") {
		t.Fatalf("got %v, %+v, %v: want a question that names the permission and the flag", stop, stop.Finding, stop.Hints)
	}
	l.adopt = true
	l.mustRun()
	l.adopt = false
	l.mustRun() // what was agreed to is not asked again
	l.must(c.AssignPermissions(t.Context(), role.PK, "authentik_core.add_user"))
	if stop := flows.StopOf(l.again()); stop.Reason != flows.NeedsDecision || strings.Contains(stop.Finding.Fields[0].Have, "delete_user") {
		t.Errorf("got %v %+v: want a question about the new permission alone", stop, stop.Finding)
	}
}

func TestAServiceAccountThatIsASuperuserIsSaid(t *testing.T) {
	l := newStandaloneLab(t, "")
	l.answers.Rights = flows.RightsLeast
	c := l.authentikClient()
	account, err := c.CreateServiceAccount(t.Context(), "Netbird")
	l.must(err)
	groups, err := c.GroupsByName(t.Context(), "authentik Admins")
	l.must(err)
	l.must(c.AddGroupUser(t.Context(), groups[0].PK, account.PK))
	l.adopt = true
	said := ""
	l.must(l.run(t.Context(), func(e flows.Event) {
		if e.Check.ID == "proof-users" {
			said = e.Check.Evidence
		}
	}))
	if !strings.Contains(said, "superuser") {
		t.Errorf("the proof says %q", said)
	}
}

// An Authentik that was set up anew counts its objects from one.
func TestAnotherProviderOfThatNumberIsLeft(t *testing.T) {
	l := newLab(t, labOptions{})
	l.mustRun()
	c := l.authentikClient()
	ours, err := c.ProvidersByName(t.Context(), "NetBird")
	l.must(err)
	_, err = c.UpdateProvider(t.Context(), ours[0].PK, map[string]any{"client_id": "theirs"})
	l.must(err)
	l.remove()
	if p, err := c.Provider(t.Context(), ours[0].PK); err != nil || p.ClientID != "theirs" {
		t.Errorf("got %+v (%v), want it left", p, err)
	}
}

// localLoginOff has NetBird take nobody but by a connector.
func (l *lab) localLoginOff() {
	l.t.Helper()
	l.must(l.netbird.Reconfigure(func(o *simnetbird.Options) { o.LocalAuthDisabled = true }))
}

// takeBack takes the setup back, for a reason or for none.
func (l *lab) takeBack(force string) (archive string, err error) {
	l.t.Helper()
	s := l.open()
	defer s.Close()
	return s.Remove(l.t.Context(), force)
}

func TestTheLastWayInGoesForAReasonOnly(t *testing.T) {
	l := newLab(t, labOptions{})
	l.mustRun()
	l.localLoginOff()
	authentik, netbird := l.authentik.Snapshot(), l.netbird.Snapshot()
	if _, err := l.takeBack(""); err == nil || flows.StopOf(err).Reason != flows.NeedsPerson {
		t.Fatalf("got %v, want it refused", err)
	}
	if !sameWorld(authentik, l.authentik.Snapshot()) || !sameWorld(netbird, l.netbird.Snapshot()) {
		t.Error("refused, it changed something")
	}
	// Cut off behind the connector, the reason is kept and not asked for again:
	// what it was about is gone.
	l.must(l.faults["authentik"].Order(fault.Fault{Method: http.MethodDelete, Kind: fault.Status, Status: 400}))
	if _, err := l.takeBack("NetBird goes too"); err == nil {
		t.Fatal("the refusal was not told")
	}
	archive, err := l.takeBack("")
	l.must(err)
	if data, err := os.ReadFile(filepath.Join(archive, "journal.jsonl")); err != nil || !bytes.Contains(data, []byte("forced: NetBird goes too")) {
		t.Errorf("the journal doesn't keep the reason (%v)", err)
	}
}

func TestTheLastWayInIsKnownWhereItsAnswerWasLost(t *testing.T) {
	l := newLab(t, labOptions{})
	l.mustRun()
	begun := state.Entry{Flow: "connector", Step: "connector", Phase: state.Began}
	s, err := l.bench.State.Lock(setupName)
	l.must(err)
	l.must(s.Append(state.Entry{Flow: "connector", Step: "connector", Phase: state.Undone}))
	l.must(s.Append(begun))
	l.must(s.Close())
	l.localLoginOff()
	if _, err := l.takeBack(""); err == nil || flows.StopOf(err).Reason != flows.NeedsPerson {
		t.Errorf("got %v, want it refused", err)
	}
}

func TestAConnectorThatIsOnlyPutBackIsNoLastWayIn(t *testing.T) {
	l := newLab(t, labOptions{})
	l.adopt = true
	l.authentik.AddMany(1, 1)
	l.netbird.AddConnector(simnetbird.Connector{Name: "Authentik", Issuer: l.urls["authentik"] + "/application/o/app-00000/", ClientID: "theirs", ClientSecret: "their-secret"})
	if err := l.run(t.Context(), nil); err == nil || flows.StopOf(err).Reason != flows.NeedsPerson {
		t.Fatalf("got %v, want that NetBird must be restarted", err)
	}
	l.localLoginOff() // which restarts it
	l.mustRun()
	if _, err := l.takeBack(""); err != nil {
		t.Error(err)
	}
}
