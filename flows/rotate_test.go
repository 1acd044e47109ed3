package flows_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"authbird/clients/authentik"
	"authbird/flows"
	"authbird/keystore"
	"authbird/sim"
	simauthentik "authbird/sim/authentik"
	"authbird/sim/fault"
	"authbird/state"
)

// hands is a clock that goes on only where somebody waits, so that no test does.
// It stands still while the command that restarts NetBird runs.
type hands struct {
	mu      sync.Mutex
	now     time.Time
	command chan struct{} // closed when it has ended; nil: there is none
}

func (h *hands) Now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(time.Millisecond)
	return h.now
}

func (h *hands) Wait(ctx context.Context, d time.Duration) error {
	h.mu.Lock()
	h.now = h.now.Add(d)
	running := h.command
	h.mu.Unlock()
	if running != nil {
		select {
		case <-running:
		case <-ctx.Done():
		}
	}
	return ctx.Err()
}

// runs says that a command will run, until what it gives is called.
func (h *hands) runs() (ended func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.command = make(chan struct{})
	return sync.OnceFunc(func() { close(h.command) })
}

// byHand gives the lab a clock that the test has in its hands.
func (l *lab) byHand() {
	l.hands = &hands{now: time.Now()}
	l.bench.Now, l.bench.Wait = l.hands.Now, l.hands.Wait
}

// command has the next rotations restart NetBird by a command that does so.
func (l *lab) command(do func() error) {
	l.answers.RestartCommand, l.restart = "restart netbird", do
}

// standing is a connector setup that a person has logged in by.
func standing(t *testing.T) *lab {
	t.Helper()
	l := newLab(t, labOptions{})
	l.byHand()
	l.authentik.AddUser(simauthentik.User{Username: sim.PersonUsername, Name: "Alice", Email: sim.PersonEmail, Password: sim.PersonPassword})
	l.mustRun()
	l.command(l.netbird.Restart)
	if _, err := l.signsIn(); err != nil {
		t.Fatal(err)
	}
	return l
}

// signsIn is a person's whole way in; it gives the user's id at NetBird.
func (l *lab) signsIn() (string, error) {
	l.t.Helper()
	got, err := sim.Login(l.t.Context(), sim.LoginRequest{NetBirdURL: l.urls["netbird"], Username: sim.PersonUsername, Password: sim.PersonPassword})
	if err == nil && got.Outcome == sim.Refused {
		err = errors.New(got.Message)
	}
	return got.Email + got.UserID, err
}

// rotate renews one credential, as `authbird rotate` does.
func (l *lab) rotate(ctx context.Context, credential string, o flows.RotateOptions, watch func(flows.Event)) (flows.Rotated, error) {
	if l.hands != nil && l.answers.RestartCommand != "" {
		ended := l.hands.runs()
		defer ended()
		l.bench.Shell = func(context.Context, string) (string, error) {
			defer ended()
			return "restarting", l.restart()
		}
	}
	s, err := l.bench.Open(ctx, setupName, l.answers, l.tokens)
	if err != nil {
		return flows.Rotated{}, err
	}
	defer s.Close()
	if watch != nil {
		s.Watch = watch
	}
	r, err := s.PlanRotation(ctx, credential, o)
	if err != nil {
		return flows.Rotated{}, err
	}
	return r.Carry(ctx)
}

// alone is a rotation that nobody watches.
var alone = flows.RotateOptions{Wait: 5 * time.Second, Alone: true}

func (l *lab) mustRotate(credential string, o flows.RotateOptions) flows.Rotated {
	l.t.Helper()
	out, err := l.rotate(l.t.Context(), credential, o, nil)
	if err != nil {
		l.t.Fatalf("rotate %s: %v\n%s", credential, err, strings.Join(flows.StopOf(err).Hints, "\n"))
	}
	return out
}

// secret is what the keystore has; "" for nothing.
func (l *lab) secret(name string) string {
	l.t.Helper()
	store, err := l.bench.OpenKeys(l.t.Context(), keystore.File)
	if err != nil {
		l.t.Fatal(err)
	}
	value, err := store.Get(l.t.Context(), setupName, name)
	if err != nil && !errors.Is(err, keystore.ErrAbsent) {
		l.t.Fatal(err)
	}
	return value
}

// clientSecrets are the one that Authentik has and the one that NetBird keeps.
func (l *lab) clientSecrets() (authentik, netbird string) {
	l.t.Helper()
	providers, err := l.authentikClient().ProvidersByName(l.t.Context(), "NetBird")
	if err != nil || len(providers) != 1 {
		l.t.Fatal(providers, err)
	}
	made, _ := l.load().Last("connector")
	c, _ := l.netbird.Connector(made.ObjectID)
	return providers[0].ClientSecret, c.ClientSecret
}

func (l *lab) load() *state.Setup {
	l.t.Helper()
	s, err := l.bench.State.Load(setupName)
	if err != nil {
		l.t.Fatal(err)
	}
	return s
}

// settled sees that nothing is left of a rotation but its result, and that the
// setup is as it wants itself.
func (l *lab) settled(what string) {
	l.t.Helper()
	l.answers.RestartCommand = "" // the setup itself has none
	s := l.load()
	if flow, step, _, why, open := s.Interrupted(); open {
		l.t.Errorf("%s: the journal calls %s interrupted at %s: %s", what, flow, step, why)
	}
	if l.secret(keystore.ClientSecret+keystore.New)+l.secret(keystore.AppPassword+keystore.New) != "" {
		l.t.Errorf("%s: a new secret is still kept beside the one in force", what)
	}
	open, err := l.bench.Open(l.t.Context(), setupName, l.answers, l.tokens)
	if err != nil {
		l.t.Fatal(err)
	}
	defer open.Close()
	p, err := open.Plan(l.t.Context())
	if err != nil || p.Changes() {
		l.t.Errorf("%s: the setup would change again: %v", what, err)
	}
	authentik, netbird := l.clientSecrets()
	if kept := l.secret(keystore.ClientSecret); kept != authentik || kept != netbird {
		l.t.Errorf("%s: the keystore, Authentik and NetBird have different client secrets", what)
	}
	for _, value := range []string{authentik, netbird} {
		if bytes.Contains(l.journal(), []byte(value)) {
			l.t.Errorf("%s: a client secret stands in the state folder", what)
		}
	}
}

func TestAClientSecretIsRenewedWithTheRestart(t *testing.T) {
	l := standing(t)
	who, err := l.signsIn()
	if err != nil {
		t.Fatal(err)
	}
	old := l.secret(keystore.ClientSecret)
	out := l.mustRotate(keystore.ClientSecret, alone)
	if l.secret(keystore.ClientSecret) == old {
		t.Fatal("the old secret is still the setup's")
	}
	if len(out.Windows) != 1 || out.Windows[0].Length() <= 0 || out.Windows[0].Length() > 5*time.Second {
		t.Errorf("logins could fail in %v, want one short window", out.Windows)
	}
	if out.Proven {
		t.Error("proven, and nobody has logged in")
	}
	if l.secret(keystore.ClientSecret+keystore.Old) != old {
		t.Error("the old secret is not kept aside, though nobody has logged in")
	}
	again, err := l.signsIn()
	if err != nil || again != who {
		t.Errorf("after the rotation %q logs in as %q: %v", who, again, err)
	}
	l.settled("after the rotation")
}

func TestALoginAfterTheRestartProvesTheNewSecret(t *testing.T) {
	l := standing(t)
	wait := l.bench.Wait
	l.bench.Wait = func(ctx context.Context, d time.Duration) error {
		if d == time.Second { // while a login is looked for
			if _, err := l.signsIn(); err != nil {
				t.Error(err)
			}
		}
		return wait(ctx, d)
	}
	if out := l.mustRotate(keystore.ClientSecret, alone); !out.Proven {
		t.Fatal("a login came and was not seen")
	}
	if l.secret(keystore.ClientSecret+keystore.Old) != "" {
		t.Error("the old secret is kept though the new one is proven")
	}
}

func TestWithoutARestartNothingHasChanged(t *testing.T) {
	for name, c := range map[string]struct {
		command func() error
		leave   bool
	}{
		"nobody restarts":                     {},
		"the command does nothing":            {command: func() error { return nil }},
		"the command fails":                   {command: func() error { return errors.New("exit status 1") }},
		"the person leaves":                   {leave: true},
		"the command is for something behind": {command: func() error { return errors.New("no such service") }},
	} {
		t.Run(name, func(t *testing.T) {
			l := standing(t)
			l.answers.RestartCommand = ""
			if c.command != nil {
				l.command(c.command)
			}
			old := l.secret(keystore.ClientSecret)
			ctx, cancel := context.WithCancel(t.Context())
			_, err := l.rotate(ctx, keystore.ClientSecret, alone, func(e flows.Event) {
				if c.leave && e.Phase == flows.Waiting {
					cancel()
				}
			})
			cancel()
			stop := flows.StopOf(err)
			if err == nil || stop.Reason != flows.NeedsPerson || stop.PartWay() {
				t.Fatalf("ended with %v (reason %d, part-way %v)", err, stop.Reason, stop.PartWay())
			}
			authentik, netbird := l.clientSecrets()
			if authentik != old || netbird != old || l.secret(keystore.ClientSecret) != old {
				t.Error("somewhere the old secret is no longer in force")
			}
			l.settled(name)
			for range 2 {
				if _, err := l.signsIn(); err != nil {
					t.Errorf("a login fails: %v", err)
				}
				if err := l.netbird.Restart(); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

func TestAProxyThatWasGoneForAMomentIsNoRestart(t *testing.T) {
	l := standing(t)
	l.answers.RestartCommand = ""
	old := l.secret(keystore.ClientSecret)
	patched := 0
	watch := func(place string, r *http.Request) {
		if place == "authentik" && r.Method == http.MethodPatch {
			patched++
		}
	}
	var once sync.Once
	_, err := l.rotate(t.Context(), keystore.ClientSecret, alone, func(e flows.Event) {
		if e.Phase == flows.Waiting {
			once.Do(func() {
				l.before.Store(&watch)
				_ = l.faults["netbird"].Order(fault.Fault{Path: "/api/instance", Kind: fault.HTML, Status: 502, Times: 4})
			})
		}
	})
	l.before.Store(nil)
	if err == nil {
		t.Fatal("a restart was seen where there was none")
	}
	if patched != 2 {
		t.Errorf("Authentik was changed %d times, want once there and once back", patched)
	}
	if authentik, _ := l.clientSecrets(); authentik != old {
		t.Error("Authentik was left with the new secret")
	}
	l.settled("after the proxy's blip")
}

// giveUp stops a rotation as kill -9 does, at the first event that it likes.
func (l *lab) giveUp(o flows.RotateOptions, at func(flows.Event) bool) error {
	l.t.Helper()
	s, err := l.bench.Open(l.t.Context(), setupName, l.answers, l.tokens)
	if err != nil {
		l.t.Fatal(err)
	}
	defer s.Close()
	ctx, cancel := context.WithCancel(l.t.Context())
	defer cancel()
	s.GiveUp = ctx
	s.Watch = func(e flows.Event) {
		if at(e) {
			cancel()
		}
	}
	r, err := s.PlanRotation(l.t.Context(), keystore.ClientSecret, o)
	if err != nil {
		l.t.Fatal(err)
	}
	_, err = r.Carry(l.t.Context())
	return err
}

func waiting(e flows.Event) bool { return e.Phase == flows.Waiting }

func TestAfterAKillInTheGapTheOldSecretIsPutBackFirst(t *testing.T) {
	l := standing(t)
	restart := l.answers.RestartCommand
	l.answers.RestartCommand = ""
	if err := l.giveUp(alone, waiting); err == nil {
		t.Fatal("not stopped")
	}
	pending, ok := flows.PendingRotation(l.load())
	if !ok || !pending.RestartBreaks || pending.Credential != keystore.ClientSecret {
		t.Fatalf("what stands half done is %+v, %v", pending, ok)
	}
	if authentik, netbird := l.clientSecrets(); authentik == netbird {
		t.Fatal("the case is no gap")
	}
	if err := l.run(t.Context(), nil); err == nil || flows.StopOf(err).Reason != flows.NeedsPerson {
		t.Errorf("a setup goes on over a rotation that was stopped: %v", err)
	}
	var order []string
	watch := func(place string, r *http.Request) {
		if r.Method == http.MethodPut || r.Method == http.MethodPatch {
			order = append(order, place)
		}
	}
	l.before.Store(&watch)
	l.answers.RestartCommand = restart
	l.mustRotate(keystore.ClientSecret, alone)
	l.before.Store(nil)
	if got := strings.Join(order, " "); got != "netbird netbird authentik" {
		t.Errorf("changed in the order %s, want NetBird put back, told anew, then Authentik", got)
	}
	if _, err := l.signsIn(); err != nil {
		t.Error(err)
	}
	l.settled("after the resumed rotation")
}

// A keystore that has lost the secrets is no dead end: what Authentik has is in force.
func TestAClientSecretThatTheKeystoreLostIsRenewed(t *testing.T) {
	for _, gap := range []bool{false, true} {
		l := standing(t)
		restart := l.answers.RestartCommand
		if l.answers.RestartCommand = ""; gap && l.giveUp(alone, waiting) == nil {
			t.Fatal("not stopped")
		}
		old, _ := l.clientSecrets()
		store, err := l.bench.OpenKeys(t.Context(), keystore.File)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{keystore.ClientSecret, keystore.ClientSecret + keystore.New} {
			if err := store.Delete(t.Context(), setupName, name); err != nil {
				t.Fatal(err)
			}
		}
		l.answers.RestartCommand = restart
		l.mustRotate(keystore.ClientSecret, alone)
		if now := l.secret(keystore.ClientSecret); now == old || now == "" {
			t.Errorf("in a gap %v: no new secret is kept", gap)
		}
		if _, err := l.signsIn(); err != nil {
			t.Errorf("in a gap %v: %v", gap, err)
		}
		l.settled("after the renewal")
	}
}

func TestAfterAKillInTheGapAndARestartItGoesForward(t *testing.T) {
	l := standing(t)
	l.answers.RestartCommand = ""
	if err := l.giveUp(alone, waiting); err == nil {
		t.Fatal("not stopped")
	}
	if err := l.netbird.Restart(); err != nil {
		t.Fatal(err)
	}
	if _, err := l.signsIn(); err == nil {
		t.Fatal("a login works in the gap, so the case is none")
	}
	l.mustRotate(keystore.ClientSecret, alone) // nobody has to restart it once more
	if _, err := l.signsIn(); err != nil {
		t.Error(err)
	}
	l.settled("after the resumed rotation")
}

func TestALeakedSecretEndsFirst(t *testing.T) {
	l := standing(t)
	o := alone
	o.Leak = true
	l.answers.RestartCommand = ""
	old := l.secret(keystore.ClientSecret)
	_, err := l.rotate(t.Context(), keystore.ClientSecret, o, nil)
	if err == nil || flows.StopOf(err).Reason != flows.NeedsPerson {
		t.Fatalf("without a restart it ended with %v", err)
	}
	if hints := flows.StopOf(err).Hints; len(hints) == 0 || !strings.Contains(hints[0], "fail until NetBird has restarted") {
		t.Errorf("what fails is not said: %v", hints)
	}
	if authentik, _ := l.clientSecrets(); authentik == old {
		t.Fatal("the leaked secret is still good at Authentik")
	}
	if err := l.hands.Wait(t.Context(), time.Minute); err != nil { // of the person
		t.Fatal(err)
	}
	l.command(l.netbird.Restart)
	out := l.mustRotate(keystore.ClientSecret, alone)
	if len(out.Windows) == 0 || out.Windows[len(out.Windows)-1].Length() < time.Minute {
		t.Errorf("logins failed for more than a minute, and it says %v", out.Windows)
	}
	if _, err := l.signsIn(); err != nil {
		t.Error(err)
	}
	l.settled("after the leak")
}

// hiding has NetBird behind a proxy that takes the request ids away.
func (l *lab) hiding() {
	l.t.Helper()
	to, err := url.Parse(l.urls["netbird"])
	if err != nil {
		l.t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{
		Rewrite:        func(r *httputil.ProxyRequest) { r.SetURL(to); r.Out.Host = to.Host },
		ModifyResponse: func(r *http.Response) error { r.Header.Del("X-Request-Id"); return nil },
	}
	srv := httptest.NewServer(proxy)
	l.t.Cleanup(srv.Close)
	l.answers.NetBirdURL = srv.URL
	l.netbird.SetBaseURL(srv.URL)
	l.urls["netbird"] = srv.URL
}

func TestBehindAProxyThatHidesTheProcessTheWordCounts(t *testing.T) {
	l := newLab(t, labOptions{})
	l.byHand()
	l.authentik.AddUser(simauthentik.User{Username: sim.PersonUsername, Name: "Alice", Email: sim.PersonEmail, Password: sim.PersonPassword})
	l.hiding()
	l.mustRun()
	if _, err := l.rotate(t.Context(), keystore.ClientSecret, alone, nil); err == nil || flows.StopOf(err).Reason != flows.NeedsPerson {
		t.Fatalf("with nobody there it ended with %v", err)
	}
	word := make(chan struct{}, 1)
	var once sync.Once
	_, err := l.rotate(t.Context(), keystore.ClientSecret, flows.RotateOptions{Wait: time.Minute, Restarted: word}, func(e flows.Event) {
		if e.Phase == flows.Waiting {
			once.Do(func() {
				_ = l.netbird.Restart()
				word <- struct{}{}
			})
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.signsIn(); err != nil {
		t.Error(err)
	}
	l.command(l.netbird.Restart)
	l.mustRotate(keystore.ClientSecret, alone) // the command's end counts
	if _, err := l.signsIn(); err != nil {
		t.Error(err)
	}
	l.settled("behind the proxy")
}

// signIn has NetBird's management server sign in, as it does when it starts, with
// what setup.env says.
func (l *lab) signIn() error {
	form := url.Values{"grant_type": {"client_credentials"}, "scope": {"goauthentik.io/api"}}
	for field, name := range map[string]string{"client_id": "NETBIRD_AUTH_CLIENT_ID", "username": "NETBIRD_IDP_MGMT_EXTRA_USERNAME", "password": "NETBIRD_IDP_MGMT_EXTRA_PASSWORD"} {
		form.Set(field, sourced(l.t, l.answers.EnvFile, name))
	}
	resp, err := http.PostForm(l.urls["authentik"]+"/application/o/token/", form)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return errors.New(resp.Status)
	}
	return nil
}

func TestAnAppPasswordIsRenewedWithoutARefusedCall(t *testing.T) {
	l := newStandaloneLab(t, "")
	l.byHand()
	l.mustRun()
	old := l.secret(keystore.AppPassword)
	l.command(func() error { return l.signIn() })
	refused := 0
	out := l.mustRotate(keystore.AppPassword, alone)
	for _, r := range l.faults["authentik"].Requests() {
		if r.Path == "/application/o/token/" && r.Status >= 400 {
			refused++
		}
	}
	if refused > 0 {
		t.Errorf("Authentik refused %d sign-ins", refused)
	}
	if !out.Proven || l.secret(keystore.AppPassword) == old || l.secret(keystore.AppPassword+keystore.Old) != "" {
		t.Errorf("proven %v; old in force %v; old kept %v", out.Proven, l.secret(keystore.AppPassword) == old, l.secret(keystore.AppPassword+keystore.Old) != "")
	}
	tokens := l.tokensOf("Netbird")
	if len(tokens) != 1 || strings.HasPrefix(tokens[0], "service-account") {
		t.Errorf("app passwords afterwards: %v", tokens)
	}
	beside, err := filepath.Glob(l.answers.EnvFile + "*")
	l.must(err)
	for _, name := range beside {
		if data, _ := os.ReadFile(name); strings.Contains(string(data), old) {
			t.Errorf("%s holds the old app password", name)
		}
	}
	if err := l.signIn(); err != nil {
		t.Error(err)
	}
	l.answers.RestartCommand = ""
	l.mustRun() // nothing to do
	data, err := os.ReadFile(l.answers.EnvFile)
	if err != nil || !bytes.Contains(data, []byte(l.secret(keystore.AppPassword))) {
		t.Error("setup.env has another app password than the keystore")
	}
}

func TestAnOldAppPasswordStaysWhileNetBirdUsesIt(t *testing.T) {
	l := newStandaloneLab(t, "")
	l.byHand()
	l.mustRun()
	l.command(func() error { return nil }) // restarted, and it has not signed in
	_, err := l.rotate(t.Context(), keystore.AppPassword, alone, nil)
	if err == nil || flows.StopOf(err).Reason != flows.NeedsPerson {
		t.Fatalf("ended with %v", err)
	}
	if tokens := l.tokensOf("Netbird"); len(tokens) != 2 {
		t.Fatalf("app passwords: %v, want both", tokens)
	}
	if err := l.signIn(); err != nil {
		t.Fatal(err)
	}
	l.mustRotate(keystore.AppPassword, alone)
	if tokens := l.tokensOf("Netbird"); len(tokens) != 1 {
		t.Fatalf("app passwords: %v, want the new one", tokens)
	}
}

func (l *lab) tokensOf(username string) []string {
	l.t.Helper()
	all, err := l.authentikClient().Tokens(l.t.Context(), authentik.TokenFilter{Intent: authentik.IntentAppPassword, Username: username})
	if err != nil {
		l.t.Fatal(err)
	}
	var out []string
	for _, token := range all {
		out = append(out, token.Identifier)
	}
	return out
}

func TestKeptAdminTokensAreRenewed(t *testing.T) {
	l := standing(t)
	if _, err := l.rotate(t.Context(), keystore.AuthentikToken, alone, nil); err == nil || flows.StopOf(err).Reason != flows.NeedsPerson {
		t.Errorf("a token that was not kept: %v", err)
	}
	l.answers.KeepAdminTokens = true
	l.mustRun()
	for range 2 { // a token of a person's, then one of authbird's
		for name, was := range map[string]string{keystore.AuthentikToken: l.secret(keystore.AuthentikToken), keystore.NetBirdToken: l.secret(keystore.NetBirdToken)} {
			out := l.mustRotate(name, alone)
			now := l.secret(name)
			if now == "" || now == was || l.secret(name+keystore.Old)+l.secret(name+keystore.New) != "" || len(out.Remarks) > 0 {
				t.Errorf("%s: changed %v, %v", name, now != was, out.Remarks)
			}
		}
		l.tokens = flows.Tokens{} // those of the keystore
		l.mustRun()
	}
	for _, r := range flows.Renewals(l.load(), time.Now()) {
		if r.Name == keystore.NetBirdToken && (r.Expires.IsZero() || r.Due.After(r.Expires)) {
			t.Errorf("NetBird's token ends %v and is due %v", r.Expires, r.Due)
		}
	}
}

func TestASigningKeyIsRenewed(t *testing.T) {
	for _, mode := range []state.Mode{state.Connector, state.Standalone} {
		t.Run(string(mode), func(t *testing.T) {
			l := matrixLab(t, mode)
			l.mustRun()
			before := renewalOf(t, l.load(), keystore.SigningKey)
			out := l.mustRotate(keystore.SigningKey, alone)
			after := renewalOf(t, l.load(), keystore.SigningKey)
			if before.Expires.IsZero() || !after.Expires.After(before.Expires) || len(out.Remarks) != 1 {
				t.Errorf("ended %v, ends %v; %v", before.Expires, after.Expires, out.Remarks)
			}
			l.mustRun()
			if r := l.removal("new-signing-key"); r.Will != flows.WillKeep || !strings.HasPrefix(r.Step.Object, "NetBird 20") {
				t.Errorf("taking back says of the key that was made: %+v", r)
			}
		})
	}
}

// Keys are called after the second in which they are made. Another one in that
// second is another key.
func TestASigningKeyIsRenewedTwiceInASecond(t *testing.T) {
	l := matrixLab(t, state.Connector)
	l.mustRun()
	now := time.Now()
	l.bench.Now = func() time.Time { return now }
	var ids []string
	for range 3 {
		l.mustRotate(keystore.SigningKey, alone)
		ids = append(ids, renewalOf(t, l.load(), keystore.SigningKey).ID)
	}
	if slices.Sort(ids); len(slices.Compact(ids)) != 3 {
		t.Errorf("the keys are %q", ids)
	}
}

func renewalOf(t *testing.T, s *state.Setup, name string) flows.Renewal {
	t.Helper()
	for _, r := range flows.Renewals(s, time.Now()) {
		if r.Name == name {
			return r
		}
	}
	t.Fatal("no " + name)
	return flows.Renewal{}
}
