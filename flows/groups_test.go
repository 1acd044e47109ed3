package flows_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"authbird/clients/netbird"
	"authbird/flows"
	"authbird/sim"
	simauthentik "authbird/sim/authentik"
	simnetbird "authbird/sim/netbird"
)

// groupsLab is a connector setup that stands, with alice in netbird-users and
// bob in no group.
func groupsLab(t *testing.T) *lab {
	t.Helper()
	l := newLab(t, labOptions{}) // the published schema forbids the nulls of the settings that NetBird itself answers
	for _, name := range []string{"netbird-users", "netbird-admins"} {
		if _, err := l.authentikClient().CreateGroup(t.Context(), name, nil, nil); err != nil {
			t.Fatal(err)
		}
	}
	l.authentik.AddUser(simauthentik.User{Username: "alice", Name: "Alice", Email: "alice@example.com", Password: "Al1ce-pass-word", Groups: []string{"netbird-users"}})
	l.authentik.AddUser(simauthentik.User{Username: "bob", Name: "Bob", Email: "bob@example.com", Password: "B0b-pass-word"})
	l.mustRun()
	return l
}

// groups carries out what the answers say of groups, with nobody to ask.
func (l *lab) groups() (*flows.Plan, error) {
	l.t.Helper()
	s := l.open()
	defer s.Close()
	s.OnlyGroups()
	p, err := s.Plan(l.t.Context())
	if err == nil {
		_, err = s.Carry(l.t.Context(), p)
	}
	return p, err
}

func (l *lab) mustGroups() {
	l.t.Helper()
	if _, err := l.groups(); err != nil {
		l.t.Fatalf("groups: %v\n%s", err, strings.Join(flows.StopOf(err).Hints, "\n"))
	}
}

// login lets a person of Authentik in, past an approval.
func (l *lab) login(username, password string) sim.LoginResult {
	l.t.Helper()
	in := sim.LoginRequest{NetBirdURL: l.answers.NetBirdURL, Username: username, Password: password}
	got, err := sim.Login(l.t.Context(), in)
	if err != nil {
		l.t.Fatal(err)
	}
	if got.Outcome != sim.Pending {
		return got
	}
	users, err := l.netbirdClient().Users(l.t.Context())
	l.must(err)
	for _, u := range users {
		if u.PendingApproval {
			_, err := l.netbirdClient().ApproveUser(l.t.Context(), u.ID)
			l.must(err)
		}
	}
	got, err = sim.Login(l.t.Context(), in)
	l.must(err)
	return got
}

func (l *lab) account() netbird.Account {
	l.t.Helper()
	accounts, err := l.netbirdClient().Accounts(l.t.Context())
	l.must(err)
	return accounts[0]
}

func TestGroupsGetFromAuthentikIntoNetBirdWithALogin(t *testing.T) {
	l := groupsLab(t)
	l.answers.GroupSync = flows.GroupSyncOn
	l.mustGroups()
	if got := l.login("alice", "Al1ce-pass-word"); got.Outcome != sim.Admitted {
		t.Fatalf("alice: %+v", got)
	}
	groups, err := l.netbirdClient().Groups(t.Context())
	l.must(err)
	if !slices.ContainsFunc(groups, func(g netbird.Group) bool { return g.Name == "netbird-users" && g.Issued == "jwt" }) {
		t.Errorf("alice's login brought no group: %+v", groups)
	}
	s := l.open()
	defer s.Close()
	s.OnlyGroups()
	p, err := s.Plan(t.Context())
	l.must(err)
	results, err := s.Carry(t.Context(), p)
	l.must(err)
	if p.Changes() {
		t.Error("a second run would change something")
	}
	for _, r := range results {
		if r.ID == "group-sync" && !strings.Contains(r.Evidence, "netbird-users") {
			t.Errorf("the proof doesn't see what the login brought: %+v", r)
		}
	}
}

func TestWhoMayLogInIsChangedOnASetupThatStands(t *testing.T) {
	l := groupsLab(t)
	for _, step := range []struct {
		allow      []string
		alice, bob bool
	}{
		{[]string{"netbird-users"}, true, false},
		{[]string{"netbird-admins"}, false, false},
		{[]string{"netbird-admins", "netbird-users"}, true, false},
		{nil, true, true},
	} {
		l.answers.AllowGroups = step.allow
		l.mustGroups()
		for who, may := range map[string]bool{"alice": step.alice, "bob": step.bob} {
			user, err := l.authentikClient().UserByName(t.Context(), who)
			l.must(err)
			access, err := l.authentikClient().CheckAccess(t.Context(), "netbird", user.PK)
			l.must(err)
			if access.Passing != may {
				t.Errorf("allowed %v: %s may open it is %v, want %v", step.allow, who, access.Passing, may)
			}
		}
	}
}

// settings are the account's settings but for those three.
func otherSettings(t *testing.T, a netbird.Account) map[string]any {
	t.Helper()
	var all map[string]any
	if err := json.Unmarshal(a.Raw, &all); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"jwt_groups_enabled", "jwt_groups_claim_name", "jwt_allow_groups"} {
		delete(all, key)
	}
	return all
}

func TestNothingElseOfNetBirdsSettingsChanges(t *testing.T) {
	l := groupsLab(t)
	account := l.account()
	odd, err := netbird.PatchSettings(account.Raw, map[string]any{
		"peer_login_expiration": 7200, "dns_domain": "mesh.example.com", "extra.user_approval_required": false,
		"peer_inactivity_expiration_enabled": true, "lazy_connection_enabled": false, "auto_update_version": "latest",
	})
	l.must(err)
	l.must(l.netbirdClient().SaveAccount(t.Context(), account.ID, odd))
	before, world := otherSettings(t, l.account()), l.netbird.Snapshot()
	l.answers.GroupSync, l.answers.LetIn = flows.GroupSyncOn, []string{"netbird-users"}
	l.mustGroups()
	if have := l.account().Settings; !have.JWTGroups || have.JWTGroupsClaim != "groups" || !slices.Equal(have.JWTAllowGroups, []string{"netbird-users"}) {
		t.Errorf("settings %+v", have)
	}
	if diff := cmp.Diff(before, otherSettings(t, l.account())); diff != "" {
		t.Errorf("other settings changed: %s", diff)
	}
	l.answers.GroupSync, l.answers.LetIn = flows.GroupSyncOff, nil
	l.mustGroups()
	l.answers.GroupSync = flows.GroupSyncOn
	l.mustGroups()
	l.remove()
	after := l.netbird.Snapshot().(simnetbird.World)
	if diff := cmp.Diff(world.(simnetbird.World).Accounts[0].Settings, after.Accounts[0].Settings); diff != "" {
		t.Errorf("taking back left something: %s", diff)
	}
}

func TestAListThatLetsNoAdministratorInIsRefused(t *testing.T) {
	l := groupsLab(t)
	setup, err := l.bench.State.Load(setupName)
	l.must(err)
	receipt, _ := setup.Last("connector")
	sub := func(username string) string {
		user, err := l.authentikClient().UserByName(t.Context(), username)
		l.must(err)
		providers, err := l.authentikClient().ProvidersByName(t.Context(), "NetBird")
		l.must(err)
		claims, err := l.authentikClient().PreviewClaims(t.Context(), providers[0].PK, user.PK)
		l.must(err)
		return claims["sub"].(string)
	}
	add := func(username, role string) {
		_, err := l.netbird.AddUser(simnetbird.User{ID: simnetbird.Subject(sub(username), receipt.ObjectID), Role: role, Name: username, Email: username + "@example.com"})
		l.must(err)
	}
	add("bob", "admin")
	l.answers.GroupSync, l.answers.LetIn = flows.GroupSyncOn, []string{"netbird-users"}
	s := l.open()
	s.OnlyGroups()
	p, err := s.Plan(t.Context())
	l.must(err)
	l.must(s.Close())
	if note := p.Steps[0].Finding.Note; !strings.HasPrefix(note, "would no longer get in: bob@example.com; no login has brought a group") {
		t.Errorf("with a local owner: note %q", note)
	}

	before := l.netbird.Snapshot()
	l.must(l.netbird.Reconfigure(func(o *simnetbird.Options) { o.LocalAuthDisabled = true }))
	_, err = l.groups()
	if stop := flows.StopOf(err); stop.Reason != flows.NeedsPerson || !strings.Contains(stop.Error(), "nobody who administers NetBird could log in any more") {
		t.Fatalf("with nobody left: %v", err)
	}
	if !sameWorld(before, l.netbird.Snapshot()) {
		t.Error("a refused list was written")
	}
	add("alice", "admin") // who is in the group
	if _, err = l.groups(); !strings.Contains(flows.StopOf(err).Error(), "it isn't seen that alice@example.com could still log in") {
		t.Fatalf("before any login brought a group: %v", err)
	}
	l.answers.LetIn = nil
	l.mustGroups()
	if got := l.login("alice", "Al1ce-pass-word"); got.Outcome != sim.Admitted {
		t.Fatalf("alice: %+v", got)
	}
	l.answers.LetIn = []string{"netbird-users"}
	l.mustGroups()
	if got := l.login("alice", "Al1ce-pass-word"); got.Outcome != sim.Admitted {
		t.Errorf("alice is locked out: %+v", got)
	}
	if got := l.login("bob", "B0b-pass-word"); got.Outcome != sim.Refused || got.Message != "token invalid" {
		t.Errorf("bob got in: %+v", got)
	}
}

func TestGroupSettingsOfSomebodyElseNeedAYes(t *testing.T) {
	l := groupsLab(t)
	account := l.account()
	theirs, err := netbird.PatchSettings(account.Raw, map[string]any{"jwt_groups_enabled": true, "jwt_groups_claim_name": "roles"})
	l.must(err)
	l.must(l.netbirdClient().SaveAccount(t.Context(), account.ID, theirs))
	before := l.netbird.Snapshot()
	l.answers.GroupSync = flows.GroupSyncOn
	if _, err := l.groups(); flows.StopOf(err).Reason != flows.NeedsDecision {
		t.Fatalf("got %v, want a question", err)
	}
	if !sameWorld(before, l.netbird.Snapshot()) {
		t.Error("no answer, and something was changed")
	}
}

func TestWhatIsSeenOfGroups(t *testing.T) {
	l := groupsLab(t)
	l.answers.AllowGroups, l.answers.GroupSync, l.answers.LetIn = []string{"netbird-users"}, flows.GroupSyncOn, []string{"netbird-users"}
	l.mustGroups()
	s := l.open()
	defer s.Close()
	s.OnlyGroups()
	seen, err := s.SeeGroups(t.Context())
	l.must(err)
	want := flows.GroupsSeen{Application: "netbird", Allowed: []string{"netbird-users"}, Sync: true, Claim: "groups", NetBirdOnly: []string{"netbird-users"}, SyncRead: true}
	if diff := cmp.Diff(want, seen); diff != "" {
		t.Error(diff)
	}
}

func TestTheServiceAccountFollowsTheGroups(t *testing.T) {
	l := newStandaloneLab(t, "")
	for _, name := range []string{"a", "b"} {
		if _, err := l.authentikClient().CreateGroup(t.Context(), name, nil, nil); err != nil {
			t.Fatal(err)
		}
	}
	before := l.authentik.Snapshot()
	l.answers.AllowGroups = []string{"a"}
	l.mustRun()
	l.answers.AllowGroups = []string{"b"}
	l.mustGroups()
	account, err := l.authentikClient().UserByName(t.Context(), l.answers.ServiceAccount)
	l.must(err)
	for name, member := range map[string]bool{"a": false, "b": true} {
		groups, err := l.authentikClient().GroupsByName(t.Context(), name)
		l.must(err)
		if slices.Contains(account.Groups, groups[0].PK) != member {
			t.Errorf("member of %s is %v", name, !member)
		}
	}
	l.remove()
	if !sameWorld(before, l.authentik.Snapshot()) {
		t.Error("taking back left something behind")
	}
}

func TestALostAnswerOfTheSettingsIsLookedFor(t *testing.T) {
	l := groupsLab(t)
	before := l.netbird.Snapshot()
	l.answers.GroupSync = flows.GroupSyncOn
	l.stopAt("PUT", "/api/accounts/")
	l.must(l.again())
	if !l.account().Settings.JWTGroups {
		t.Error("it was not done")
	}
	l.remove()
	if diff := cmp.Diff(before.(simnetbird.World).Accounts[0].Settings, l.netbird.Snapshot().(simnetbird.World).Accounts[0].Settings); diff != "" {
		t.Error(diff)
	}
}
