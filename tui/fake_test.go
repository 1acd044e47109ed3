package tui

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"authbird/clients"
	"authbird/clients/netbird"
	"authbird/doctor"
	"authbird/facts"
	"authbird/flows"
	"authbird/state"
)

// now is when every test is.
var now = time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)

func clock() time.Time { return now }

// fakeBench is both servers and the work on them, with a memory: what a run
// made stands at the next look.
type fakeBench struct {
	mu        sync.Mutex
	authentik flows.AuthentikSeen
	netbird   flows.NetBirdSeen
	errs      map[string]error // by call
	choices   flows.Choices
	login     netbird.DeviceLogin
	signedIn  chan string // a token, when the person has signed in with a code
	steps     []fakeStep
	checks    []doctor.Result
	proof     []doctor.Result
	made      map[string]bool
	stopAt    map[string]error // a step's failure, once
	hold      chan struct{}    // a run waits for it before each step
	leaving   chan struct{}    // a session waits for it before it is closed
	sightings chan flows.Sighting
	noted     []flows.Sighting
	approved  []string
	calls     []string
	open      int
	given     []flows.Tokens
	owner     flows.Owner
	guard     []doctor.Result // before a removal
	flow      string          // connector
	forced    string          // the reason that was given
	ills      []doctor.Result // what the doctor finds
	blind     error           // why it can't look
	patients  []Patient
	repairs   [][]string // the ids that were planned
	renewals  []fakeRenewal
	says      string // what a renewal says while it waits for the restart
}

const (
	goodToken   = "good-token-of-an-admin"
	ownerSecret = "a very secret password"
)

func newFakeBench() *fakeBench {
	return &fakeBench{
		authentik: flows.AuthentikSeen{
			URL: "https://auth.example.com", Version: "2025.12.1", Username: "akadmin", Superuser: true, TokenKnown: true,
			TokenExpires: now.Add(29 * time.Minute), Clock: 400 * time.Millisecond, CertNotAfter: now.AddDate(0, 4, 0),
			TokenPage: "https://auth.example.com/if/admin/#/core/tokens",
		},
		netbird: flows.NetBirdSeen{
			URL: "https://netbird.example.com", Version: "0.77.1", User: "Ada", Role: "owner", EmbeddedIdP: true, MayWrite: true,
			Domain: "example.com", CertNotAfter: now.AddDate(0, 2, 0), TokenPage: "https://netbird.example.com/team/users",
		},
		errs: map[string]error{},
		choices: flows.Choices{
			AuthorizationFlows: []flows.Choice{
				{Value: "default-provider-authorization-explicit-consent", Label: "default-provider-authorization-explicit-consent", Note: "Authorize Application"},
				{Value: "default-provider-authorization-implicit-consent", Label: "default-provider-authorization-implicit-consent", Note: "Authorize Application"},
			},
			SigningKeys: []flows.Choice{{Value: "authentik Self-signed Certificate", Label: "authentik Self-signed Certificate", Note: "until 3 March 2027"}},
			Groups:      []flows.Choice{{Value: "staff", Label: "staff"}, {Value: "authentik Admins", Label: "authentik Admins"}},
		},
		login: netbird.DeviceLogin{
			DeviceCode: "a-secret-device-code", UserCode: "BDWP-HQPK", URL: "https://netbird.example.com/oauth2/device",
			CompleteURL: "https://netbird.example.com/oauth2/device?user_code=BDWP-HQPK", Interval: 5 * time.Second, ExpiresIn: 300 * time.Second,
		},
		signedIn:  make(chan string, 1),
		steps:     fakeSteps(),
		checks:    fakeChecks(),
		proof:     []doctor.Result{{ID: "redirect", Title: "Authentik takes NetBird's redirect URI", Group: doctor.Between, Verdict: doctor.OK}},
		made:      map[string]bool{},
		ills:      ills(),
		stopAt:    map[string]error{},
		sightings: make(chan flows.Sighting, 8),
	}
}

func fakeSteps() []fakeStep {
	return []fakeStep{
		{about: flows.About{ID: "client-secret", Title: "client secret", Where: flows.Here, Object: "client-secret", Makes: "64 letters and digits, kept in the keystore",
			Why: "NetBird proves to Authentik with it that it is NetBird; it is kept before it is used, so that an interruption loses nothing"}},
		{about: flows.About{ID: "provider", Title: "provider", Where: flows.AtAuthentik, Object: "NetBird", Makes: `confidential, RS256 with "authentik Self-signed Certificate"`,
			Why: "it signs people in for NetBird; Authentik leaves its signing key, scope mappings and redirect URIs out by default, so authbird sets all three"}},
		{about: flows.About{ID: "application", Title: "application", Where: flows.AtAuthentik, Object: "netbird", Makes: "NetBird, for everyone", With: "provider",
			Why: "Authentik hands a provider out only through an application; its slug is part of the issuer"}},
		{about: flows.About{ID: "redirect-uri", Title: "redirect URI", Where: flows.AtAuthentik, Object: "https://netbird.example.com/oauth2/callback", Makes: "written with the provider", With: "provider"}},
		{about: flows.About{ID: "connector", Title: "connector", Where: flows.AtNetBird, Object: "Authentik", Makes: "type authentik",
			Why: "it puts Authentik on NetBird's login page, beside NetBird's own login"}},
	}
}

func fakeChecks() []doctor.Result {
	return []doctor.Result{
		{ID: "token", Title: "Authentik's token is a superuser's", Group: doctor.Authentik, Verdict: doctor.OK, Evidence: "akadmin"},
		{ID: "approval", Title: "New users are let in", Group: doctor.NetBird, Verdict: doctor.Warn, Cause: "new users wait for approval", Advice: "approve the first one here, after the sign-in"},
	}
}

// fakeStep is one step; found is what stands before anything was made.
type fakeStep struct {
	about flows.About
	found flows.Finding
}

func (s fakeStep) About() flows.About { return s.about }

func (s fakeStep) Look(*facts.Facts, state.Receipt) flows.Finding { return s.found }

func (s fakeStep) Do(context.Context, *facts.Facts, flows.Finding) (state.Receipt, error) {
	return state.Receipt{}, errors.New("the fake session does it")
}

func (s fakeStep) Undo(context.Context, state.Receipt) error { return nil }

func (b *fakeBench) call(name string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.calls = append(b.calls, name)
	return b.errs[name]
}

// called says whether a call was made.
func (b *fakeBench) called(name string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Contains(b.calls, name)
}

// fail makes a call fail from now on; nil mends it.
func (b *fakeBench) fail(name string, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.errs[name] = err
}

func (b *fakeBench) SeeAuthentik(ctx context.Context, a state.Answers, token string) (flows.AuthentikSeen, error) {
	if err := b.call("SeeAuthentik"); err != nil {
		return flows.AuthentikSeen{}, err
	}
	seen := b.authentik
	if token == "" {
		seen.Version, seen.Username, seen.Superuser, seen.TokenKnown = "", "", false, false
	} else if token != goodToken {
		return flows.AuthentikSeen{}, &clients.Error{Kind: clients.Unauthorised, Server: "Authentik", Op: "ask who this is", Status: 403, Message: "Token invalid/expired"}
	}
	return seen, nil
}

func (b *fakeBench) SeeNetBird(ctx context.Context, a state.Answers, token string) (flows.NetBirdSeen, error) {
	if err := b.call("SeeNetBird"); err != nil {
		return flows.NetBirdSeen{}, err
	}
	b.mu.Lock()
	seen := b.netbird
	b.mu.Unlock()
	if token == "" {
		seen.User, seen.Role, seen.MayWrite, seen.Version, seen.Domain = "", "", false, "", ""
	} else if token != goodToken {
		return seen, &clients.Error{Kind: clients.Unauthorised, Server: "NetBird", Op: "ask who this is", Status: 401, Message: "token invalid"}
	}
	return seen, nil
}

func (b *fakeBench) Choices(context.Context, state.Answers, flows.Tokens) (flows.Choices, error) {
	return b.choices, b.call("Choices")
}

func (b *fakeBench) StartDeviceLogin(context.Context, state.Answers) (netbird.DeviceLogin, error) {
	return b.login, b.call("StartDeviceLogin")
}

func (b *fakeBench) AwaitDeviceLogin(ctx context.Context, a state.Answers, d netbird.DeviceLogin) (string, error) {
	if err := b.call("AwaitDeviceLogin"); err != nil {
		return "", err
	}
	select {
	case token := <-b.signedIn:
		return token, nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

func (b *fakeBench) MakeNetBirdToken(_ context.Context, _ state.Answers, token, name string, days int) (string, error) {
	return goodToken, b.call("MakeNetBirdToken")
}

func (b *fakeBench) CreateOwner(_ context.Context, _ state.Answers, o flows.Owner) (string, error) {
	err := b.call("CreateOwner")
	b.mu.Lock()
	b.owner = o
	b.netbird.SetupRequired = b.netbird.SetupRequired && err != nil
	b.mu.Unlock()
	return goodToken, err
}

func (b *fakeBench) Defaults(mode state.Mode) state.Answers { return (&flows.Bench{}).Defaults(mode) }

func (b *fakeBench) Open(_ context.Context, name string, a state.Answers, t flows.Tokens, ears Ears) (Session, error) {
	if err := b.call("Open"); err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.open++
	b.given = append(b.given, t)
	return &fakeSession{bench: b, ears: ears}, nil
}

// fakeSession does its bench's steps one after the other.
type fakeSession struct {
	bench *fakeBench
	ears  Ears
}

func (s *fakeSession) look(step fakeStep) flows.Finding {
	s.bench.mu.Lock()
	defer s.bench.mu.Unlock()
	switch {
	case s.bench.made[step.about.ID]:
		return flows.Finding{Verdict: flows.InPlace, Ours: true}
	case step.found.Verdict == "":
		return flows.Finding{Verdict: flows.Missing}
	}
	return step.found
}

func (s *fakeSession) Plan(ctx context.Context) (*flows.Plan, error) {
	p := &flows.Plan{Flow: cmp.Or(s.bench.flow, "connector"), Checks: s.bench.checks}
	if err := s.bench.call("Plan"); err != nil {
		return p, err
	}
	for _, step := range s.bench.steps {
		p.Steps = append(p.Steps, flows.Planned{Step: step, Finding: s.look(step)})
	}
	return p, nil
}

func (s *fakeSession) Carry(ctx context.Context, p *flows.Plan) ([]doctor.Result, error) {
	if err := s.bench.call("Carry"); err != nil {
		return nil, err
	}
	for _, c := range p.Conflicts() {
		if err := s.ears.Adopt(ctx, c.Step.About(), c.Finding); err != nil {
			return nil, &flows.Stopped{Reason: flows.NeedsDecision, Step: c.Step.About(), Finding: c.Finding, Err: err}
		}
	}
	var stands []string
	for _, step := range s.bench.steps {
		stop := func(r flows.Reason, err error) error {
			return &flows.Stopped{Reason: r, Step: step.about, Err: err, Stands: stands}
		}
		found := s.look(step)
		if found.Verdict != flows.InPlace {
			s.ears.Watch(flows.Event{Phase: flows.Doing, Step: step.about, Finding: found})
		}
		if s.bench.hold != nil {
			select {
			case <-s.bench.hold:
			case <-s.ears.GiveUp.Done():
				return nil, stop(flows.OutcomeUnknown, s.ears.GiveUp.Err())
			}
		}
		if ctx.Err() != nil {
			return nil, &flows.Stopped{Reason: flows.Interrupted, Err: ctx.Err(), Stands: stands}
		}
		s.bench.mu.Lock()
		err := s.bench.stopAt[step.about.ID]
		delete(s.bench.stopAt, step.about.ID)
		s.bench.made[step.about.ID] = s.bench.made[step.about.ID] || err == nil
		s.bench.mu.Unlock()
		if err != nil {
			return nil, stop(reasonOf(err), err)
		}
		stands = append(stands, step.about.Title+" "+step.about.Object+" at "+string(step.about.Where))
		s.ears.Watch(flows.Event{Phase: flows.Done, Step: step.about, Elapsed: 400 * time.Millisecond})
	}
	for _, c := range s.bench.proof {
		s.ears.Watch(flows.Event{Phase: flows.Checked, Check: c})
	}
	return s.bench.proof, nil
}

func (s *fakeSession) Where() string { return "the login keyring" }

func (s *fakeSession) Close() error {
	if s.bench.leaving != nil {
		<-s.bench.leaving
	}
	s.bench.mu.Lock()
	defer s.bench.mu.Unlock()
	s.bench.open--
	return nil
}

func (s *fakeSession) LoginLink() string { return "https://netbird.example.com" }

func (s *fakeSession) WatchLogin(ctx context.Context, see func(flows.Sighting)) error {
	if err := s.bench.call("WatchLogin"); err != nil {
		return err
	}
	for {
		select {
		case x := <-s.bench.sightings:
			see(x)
		case <-ctx.Done():
			return nil
		}
	}
}

func (s *fakeSession) Approve(_ context.Context, userID string) error {
	err := s.bench.call("Approve")
	s.bench.mu.Lock()
	defer s.bench.mu.Unlock()
	s.bench.approved = append(s.bench.approved, userID)
	return err
}

func (s *fakeSession) NoteLogin(x flows.Sighting) error {
	s.bench.mu.Lock()
	defer s.bench.mu.Unlock()
	s.bench.noted = append(s.bench.noted, x)
	return nil
}

// fakeShelf is a list of setups.
type fakeShelf struct {
	setups []*state.Setup
	err    error
	busy   map[string]*state.BusyError
}

func (f *fakeShelf) List() ([]*state.Setup, error) { return f.setups, f.err }

func (f *fakeShelf) Busy(name string) *state.BusyError { return f.busy[name] }

// someSetups are one of each state.
func someSetups() []*state.Setup {
	at := func(d time.Duration) time.Time { return now.Add(-d) }
	answers := func(host string) state.Answers {
		return state.Answers{Mode: state.Connector, AuthentikURL: "https://auth." + host, NetBirdURL: "https://netbird." + host, Name: "NetBird", Slug: "netbird"}
	}
	day := 24 * time.Hour
	return []*state.Setup{
		{Name: "netbird.example.com", Answers: answers("example.com"),
			Entries: []state.Entry{
				{Time: at(41 * day), Run: "a", Flow: "connector", Phase: state.Began},
				{Time: at(41 * day), Run: "a", Flow: "connector", Step: "connector", Phase: state.Done, Receipt: state.Receipt{ObjectID: "x", Made: true}},
				{Time: at(41 * day), Run: "a", Flow: "connector", Phase: state.Done}},
			Credentials: []state.Credential{{Name: "client-secret", Made: at(41 * day), Proven: at(3 * time.Hour), UsedBy: "NetBird's connector Authentik"}}},
		{Name: "vpn.lab.example", Answers: answers("lab.example"),
			Entries: []state.Entry{
				{Time: at(16 * time.Hour), Run: "b", Flow: "connector", Phase: state.Began},
				{Time: at(16 * time.Hour), Run: "b", Flow: "connector", Step: "provider", Phase: state.Done, Receipt: state.Receipt{ObjectID: "7", Made: true}},
				{Time: at(16 * time.Hour), Run: "b", Flow: "connector", Step: "connector", Phase: state.Began}}},
		{Name: "broken.example", Damage: "journal.jsonl, line 3: not JSON"},
		{Name: "fresh.example", Answers: answers("fresh.example")},
	}
}

func (s *fakeSession) PlanRemoval(context.Context) ([]flows.Removal, []doctor.Result, error) {
	if err := s.bench.call("PlanRemoval"); err != nil {
		return nil, nil, err
	}
	s.bench.mu.Lock()
	defer s.bench.mu.Unlock()
	var out []flows.Removal
	for _, step := range slices.Backward(s.bench.steps) {
		if !s.bench.made[step.about.ID] {
			continue
		}
		r := flows.Removal{Step: step.about, Will: flows.WillDelete, ObjectID: "x", Why: "authbird made it"}
		if step.found.Verdict == flows.Differs {
			r.Will, r.Why = flows.WillRestore, "it stood there before; what authbird changed is put back"
		}
		out = append(out, r)
	}
	return out, s.bench.guard, nil
}

// Remove takes back what was made, last step first, and stops like a run does.
func (s *fakeSession) Remove(ctx context.Context, force string) (string, error) {
	if err := s.bench.call("Remove"); err != nil {
		return "", err
	}
	s.bench.mu.Lock()
	s.bench.forced = force
	s.bench.mu.Unlock()
	for _, step := range slices.Backward(s.bench.steps) {
		if s.bench.hold != nil {
			<-s.bench.hold
		}
		s.bench.mu.Lock()
		err, made := s.bench.stopAt[step.about.ID], s.bench.made[step.about.ID]
		delete(s.bench.stopAt, step.about.ID)
		if err == nil && ctx.Err() == nil {
			s.bench.made[step.about.ID] = false
		}
		s.bench.mu.Unlock()
		if ctx.Err() != nil {
			return "", &flows.Stopped{Reason: flows.Interrupted, Err: ctx.Err(), Stands: []string{"provider"}}
		}
		if err != nil {
			return "", &flows.Stopped{Reason: reasonOf(err), Step: step.about, Err: err, Stands: []string{step.about.Title}}
		}
		if made {
			s.ears.Watch(flows.Event{Phase: flows.Undone, Step: step.about})
		}
	}
	return "/home/ada/.local/state/authbird/archive/netbird.example.com-20261124", nil
}

// fakeRenewal is a renewal of the bench's: it tells its steps, and waits where
// the bench holds it.
type fakeRenewal struct {
	s          *fakeSession
	credential string
	o          flows.RotateOptions
}

func (s *fakeSession) Renew(_ context.Context, credential string, o flows.RotateOptions) (Renewal, flows.Meaning, error) {
	if err := s.bench.call("Renew"); err != nil {
		return nil, flows.Meaning{}, err
	}
	s.bench.mu.Lock()
	s.bench.renewals = append(s.bench.renewals, fakeRenewal{s, credential, o})
	s.bench.mu.Unlock()
	return fakeRenewal{s, credential, o}, flows.Meaning{
		What: []string{"a new secret is made and kept beside the old one", "NetBird restarts"}, Fails: "logins through Authentik, while NetBird restarts",
		Must: "restart NetBird when authbird says so"}, nil
}

func (r fakeRenewal) Carry(ctx context.Context) (flows.Rotated, error) {
	about := flows.About{ID: "new", Title: "new client secret", Where: flows.AtNetBird}
	r.s.ears.Watch(flows.Event{Phase: flows.Done, Step: about})
	about.ID, about.Where = "new-authentik", flows.AtAuthentik
	r.s.ears.Watch(flows.Event{Phase: flows.Doing, Step: about})
	r.s.ears.Watch(flows.Event{Phase: flows.Waiting, Step: about, Finding: flows.Finding{Note: flows.RestartHow}})
	if r.s.bench.says != "" {
		r.s.ears.Watch(flows.Event{Phase: flows.Waiting, Step: about, Finding: flows.Finding{Note: r.s.bench.says}})
	}
	select {
	case <-r.o.Restarted:
	case <-ctx.Done():
		return flows.Rotated{}, &flows.Stopped{Reason: flows.NeedsPerson, Step: about, Err: errors.New("NetBird was not restarted: you left before; the old client secret is in force, and nothing has changed")}
	}
	at := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	return flows.Rotated{Credential: r.credential, Windows: []flows.Window{{From: at, To: at.Add(1200 * time.Millisecond)}}}, nil
}
