package flows_test

import (
	"os"
	"strings"
	"testing"

	"authbird/doctor"
	"authbird/flows"
	"authbird/hostfiles"
	simnetbird "authbird/sim/netbird"
	"authbird/state"
)

// stranger is what somebody says of the lab's connection who did not make it
// with authbird: where both servers are and, in standalone mode, what lies on
// NetBird's host.
func (l *lab) stranger() (state.Answers, flows.DiagnoseOptions) {
	l.t.Helper()
	a, o := l.answers, l.options
	if s, err := l.bench.State.Load(setupName); err == nil {
		a = s.Answers // a scene may have moved a server
	}
	if a.Mode == state.Standalone {
		o.EnvFile = a.EnvFile
	}
	return state.Answers{AuthentikURL: a.AuthentikURL, NetBirdURL: a.NetBirdURL, NetBirdDomain: a.NetBirdDomain, AllowHTTP: a.AllowHTTP}, o
}

func (l *lab) diagnoseFound() (*flows.Diagnosis, error) {
	a, o := l.stranger()
	return l.bench.DiagnoseFound(l.t.Context(), a, l.tokens, o)
}

// forgotten is a lab whose connection stands while nothing here knows of it.
func forgotten(t *testing.T, mode state.Mode) *lab {
	t.Helper()
	l := sceneLab(t, scene{mode: mode})
	l.bench = l.newBench()
	return l
}

// found looks, and wants nothing wrong.
func (l *lab) found() *flows.Diagnosis {
	l.t.Helper()
	d, err := l.diagnoseFound()
	if err != nil {
		l.t.Fatalf("%v %v", err, flows.StopOf(err).Hints)
	}
	return d
}

func wrong(d *flows.Diagnosis) (out []string) {
	for _, r := range d.Results {
		if r.Verdict == doctor.Fail || r.Verdict == doctor.Warn {
			out = append(out, r.ID+": "+r.Cause)
		}
	}
	return out
}

func TestAConnectionThatAuthbirdDidNotMakeIsFound(t *testing.T) {
	t.Parallel()
	for _, mode := range []state.Mode{state.Connector, state.Standalone} {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			l := forgotten(t, mode)
			before := l.authentik.Snapshot()
			l.slow()
			since := l.requests()
			d := l.found()
			if bad := wrong(d); len(bad) > 0 {
				t.Errorf("a healthy connection: %s", bad)
			}
			n, c := l.requests()-since, l.chain(since)
			t.Logf("%d requests, %d in sequence", n, c)
			if c > 5 || n > 36 || d.Requests != n {
				t.Errorf("%d requests (told %d), %d in sequence; want at most 36 and 5", n, d.Requests, c)
			}
			if d.Setup != "" || d.Answers.Mode != mode || d.Answers.Slug != "netbird" || d.Answers.Name != "NetBird" {
				t.Errorf("found %q %+v", d.Setup, d.Answers)
			}
			if !sameWorld(before, l.authentik.Snapshot()) {
				t.Error("looking changed something")
			}
			if all, err := l.bench.State.List(); err != nil || len(all) != 0 {
				t.Errorf("looking left %d setups, %v", len(all), err)
			}
		})
	}
}

// Names of a person's own choice: the slug, the provider, the connector, the
// service account.
func TestFoundUnderOtherNames(t *testing.T) {
	t.Parallel()
	l := newLab(t, labOptions{})
	l.answers.Slug, l.answers.Name, l.answers.ConnectorName = "vpn-login", "VPN", "Company login"
	l.mustRun()
	l.bench = l.newBench()
	d := l.found()
	if bad := wrong(d); len(bad) > 0 || d.Answers.Slug != "vpn-login" || d.Answers.Name != "VPN" || d.Answers.ConnectorName != "Company login" {
		t.Errorf("%s, %+v", bad, d.Answers)
	}
	// A connector that was made by hand, with a mistake in each place.
	for name, spoil := range map[string]func(c *simnetbird.Connector){
		"issuer":    func(c *simnetbird.Connector) { c.Issuer = strings.TrimSuffix(c.Issuer, "/") },
		"connector": func(c *simnetbird.Connector) { c.ClientID = "mistyped" },
	} {
		var was simnetbird.Connector
		if err := l.netbird.EditConnector(l.connectorID(), func(c *simnetbird.Connector) { was = *c; spoil(c) }); err != nil {
			t.Fatal(err)
		}
		if bad := wrong(l.found()); len(bad) != 1 || !strings.HasPrefix(bad[0], name+": ") {
			t.Errorf("%s: it names %s", name, bad)
		}
		if err := l.netbird.EditConnector(l.connectorID(), func(c *simnetbird.Connector) { *c = was }); err != nil {
			t.Fatal(err)
		}
	}
}

// Which of two connectors is meant is asked, not guessed.
func TestOfTwoConnectionsThePersonChooses(t *testing.T) {
	t.Parallel()
	l := newLab(t, labOptions{})
	l.mustRun()
	l.answers.Slug, l.answers.Name, l.answers.ConnectorName = "second", "Second", "Second"
	l.bench = l.newBench()
	l.bench.Rand = seeded("second")
	l.mustRun()
	l.bench = l.newBench()
	_, err := l.diagnoseFound()
	if stop := flows.StopOf(err); err == nil || stop.Reason != flows.NeedsPerson || !strings.Contains(strings.Join(stop.Hints, " "), "--slug second") {
		t.Fatalf("%v", err)
	}
	a, o := l.stranger()
	a.Slug = "second"
	d, err := l.bench.DiagnoseFound(t.Context(), a, l.tokens, o)
	if err != nil || d.Answers.Name != "Second" || len(wrong(d)) > 0 {
		t.Fatalf("%v %+v", err, d)
	}
	if got := flows.DoctorCommand(d); !strings.HasSuffix(got, " --slug second") {
		t.Errorf("the command is %q", got)
	}
}

func TestWhereNothingIsConnectedOneCauseIsNamed(t *testing.T) {
	t.Parallel()
	l := newLab(t, labOptions{})
	if bad := wrong(l.found()); len(bad) != 1 || !strings.HasPrefix(bad[0], "connector: NetBird has no connector to this Authentik") {
		t.Errorf("%s", bad)
	}
}

// Of an address where something else than NetBird answers no mode is concluded,
// and so no repair named.
func TestAnAddressThatIsNotNetBirds(t *testing.T) {
	t.Parallel()
	l := forgotten(t, state.Connector)
	a, o := l.stranger()
	a.NetBirdURL = a.AuthentikURL
	d, err := l.bench.DiagnoseFound(t.Context(), a, l.tokens, o)
	if err != nil {
		t.Fatal(err)
	}
	if bad := wrong(d); len(bad) != 1 || !strings.HasPrefix(bad[0], "netbird-answers: ") || len(flows.Repairs(d)) > 0 {
		t.Errorf("it names %s, repairs %s", bad, flows.Repairs(d))
	}
}

// Without tokens what anybody may ask is still looked at, and nothing false is
// said.
func TestFoundWithoutTokens(t *testing.T) {
	t.Parallel()
	l := forgotten(t, state.Connector)
	for name, tokens := range map[string]flows.Tokens{"none": {}, "NetBird's": {NetBird: ownerToken}, "Authentik's": {Authentik: adminToken}} {
		l.tokens = tokens
		for _, bad := range wrong(l.found()) {
			if !strings.Contains(bad, "-token: ") && !strings.HasPrefix(bad, "authentik-rights") {
				t.Errorf("with tokens %s it says %s", name, bad)
			}
		}
	}
}

// A repair of such a connection is journaled as a setup of its own, which makes
// it undoable; what stood before stays.
func TestAFoundConnectionIsRepaired(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		mode  state.Mode
		spoil func(*lab) error
		after func(*lab) error
	}{
		"no signing key": {mode: state.Connector, spoil: func(l *lab) error { return l.authentik.DropSigningKey("NetBird") }},
		"redirect URI": {mode: state.Connector, spoil: func(l *lab) error {
			return l.provider(redirects("strict", l.answers.NetBirdURL+"/oauth2/callback/", l.answers.NetBirdURL+"/oauth2/logout/callback"))
		}},
		"issuer without its slash": {mode: state.Connector, spoil: func(l *lab) error {
			return l.netbird.EditConnector(l.connectorID(), func(c *simnetbird.Connector) { c.Issuer = strings.TrimSuffix(c.Issuer, "/") })
		}, after: func(l *lab) error { return l.netbird.Restart() }},
		"application not linked": {mode: state.Connector, spoil: func(l *lab) error { return l.authentik.Unlink("netbird") }},
		"no scope mapping":       {mode: state.Standalone, spoil: func(l *lab) error { return l.authentik.RemoveMapping("NetBird", "goauthentik.io/api") }},
		"no device code flow":    {mode: state.Standalone, spoil: func(l *lab) error { return l.authentik.SetBrand("authentik-default", "") }},
		"not in the group":       {mode: state.Standalone, spoil: func(l *lab) error { return l.authentik.BindGroup("netbird", "staff") }},
		"setup.env's audience": {mode: state.Standalone, spoil: func(l *lab) error {
			return l.edit(`NETBIRD_AUTH_AUDIENCE="`, `NETBIRD_AUTH_AUDIENCE="not-`)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := forgotten(t, c.mode)
			if err := c.spoil(l); err != nil {
				t.Fatal(err)
			}
			d := l.found()
			if len(wrong(d)) != 1 {
				t.Fatalf("it names %s", wrong(d))
			}
			if err := l.fix(d); err != nil {
				t.Fatalf("%v %v", err, flows.StopOf(err).Hints)
			}
			if c.after != nil {
				if err := c.after(l); err != nil {
					t.Fatal(err)
				}
			}
			setups, err := l.bench.State.List()
			if err != nil || len(setups) != 1 {
				t.Fatalf("%d setups, %v", len(setups), err)
			}
			again, err := l.bench.Diagnose(t.Context(), setups[0].Name, l.tokens, l.options)
			if err != nil || len(wrong(again)) > 0 {
				t.Errorf("after the repair: %v %s", err, wrong(again))
			}
			for _, step := range setups[0].Steps() {
				if r, _ := setups[0].Last(step); r.Made && (step == "provider" || step == "application" || step == "connector") {
					t.Errorf("%s is taken for authbird's own", step)
				}
			}
		})
	}
}

// With NetBird's management.json at hand the app password is tried, and a new
// one is written there.
func TestAFoundAppPasswordIsTriedAndReplaced(t *testing.T) {
	t.Parallel()
	l := newLab(t, labOptions{mode: state.Standalone})
	l.answers.NetBirdDomain, l.answers.EnvFile = "netbird.example.com", t.TempDir()+"/setup.env"
	l.answers.NetBirdConfig = managementOf(t)
	l.mustRun()
	config := l.answers.NetBirdConfig
	l.bench = l.newBench()
	look := func() *flows.Diagnosis {
		a, _ := l.stranger()
		d, err := l.bench.DiagnoseFound(t.Context(), a, l.tokens, flows.DiagnoseOptions{NetBirdConfig: config})
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	d := look()
	if bad := wrong(d); len(bad) > 0 || d.Answers.Mode != state.Standalone || d.Answers.ServiceAccount != "Netbird" {
		t.Fatalf("%s %+v", bad, d.Answers)
	}
	if err := l.authentik.SetTokenKey(appPasswordToken, "the-account-password-0123"); err != nil {
		t.Fatal(err)
	}
	before := management(t, config).Password
	d = look()
	if bad := wrong(d); len(bad) != 1 || !strings.HasPrefix(bad[0], "app-password: ") {
		t.Fatalf("it names %s", bad)
	}
	if err := l.fix(d); err != nil {
		t.Fatalf("%v %v", err, flows.StopOf(err).Hints)
	}
	now := management(t, config)
	if now.Password == before || now.Password == "" || !now.EncryptionKey {
		t.Errorf("management.json was not given the new one: %v", now.Password == before)
	}
}

// managementOf is a management.json as NetBird's script leaves it, for nobody.
func managementOf(t *testing.T) string {
	t.Helper()
	path := t.TempDir() + "/management.json"
	text := `{"DataStoreEncryptionKey": "0123456789abcdef0123456789abcdef0123456789a=", "HttpConfig": {}, "IdpManagerConfig": {"ManagerType": "none"},
 "DeviceAuthorizationFlow": {"Provider": "none"}, "PKCEAuthorizationFlow": {"ProviderConfig": {}}}`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func management(t *testing.T, path string) hostfiles.Management {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	m, err := hostfiles.ReadManagement(data)
	if err != nil {
		t.Fatal(err)
	}
	return m
}
