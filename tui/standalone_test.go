package tui

import (
	"fmt"
	"strings"
	"testing"

	"authbird/doctor"
	"authbird/facts"
	"authbird/flows"
	"authbird/state"
)

// standaloneBench is a bench with the steps of the other mode.
func standaloneBench() *fakeBench {
	b := newFakeBench()
	b.flow = string(state.Standalone)
	b.steps = []fakeStep{
		b.steps[1],
		{about: flows.About{ID: "service-account", Title: "service account", Where: flows.AtAuthentik, Object: "Netbird", Makes: "without a group and without an end"}},
		{about: flows.About{ID: "setup-env", Title: "setup.env", Where: flows.Here, Object: "/srv/netbird/setup.env", Makes: "the keys of NetBird's documentation"},
			found: flows.Finding{Verdict: flows.Missing, Note: "configure.sh would empty the key in artifacts/management.json that NetBird's database is encrypted with",
				Fields: []flows.Field{{Name: "NETBIRD_USE_AUTH0", Want: "false"}, {Name: "NETBIRD_MGMT_IDP", Have: "keycloak", Want: "authentik"}}}},
	}
	b.checks = nil
	b.proof = []doctor.Result{{ID: "users", Title: "the service account may read users", Group: doctor.Authentik, Verdict: doctor.OK},
		{ID: "device", Title: "a sign-in with a code can be started", Group: doctor.Authentik, Verdict: doctor.Warn, Cause: "20 an hour for one address"}}
	return b
}

func standaloneOptions(b *fakeBench) Options {
	return Options{Bench: b, Modes: []state.Mode{state.Connector, state.Standalone}, Folder: "/srv/netbird"}
}

func TestAWholeStandaloneSetup(t *testing.T) {
	for _, size := range sizes {
		t.Run(fmt.Sprintf("%dx%d", size.w, size.h), func(t *testing.T) {
			b := standaloneBench()
			d := drive(t, standaloneOptions(b), size.w, size.h)
			d.until("new setup")
			d.keys("enter", "down")
			d.has("Authentik is the only login.", "setup.env changes")
			d.keys("enter", `"auth.example.com"`, "tab")
			d.until("clock 0.4 s apart")
			d.paste(goodToken)
			d.keys("enter")
			d.until("akadmin, superuser")
			d.keys("enter")
			d.has("NetBird's domain")
			d.keys("enter", "enter")
			d.has("Type NetBird's domain first.")
			d.keys(`"https://netbird.example.com/"`, "tab")
			d.has("NetBird will be at https://netbird.example.com")
			d.showing("domain")
			d.keys("enter")
			d.until("See the plan")
			d.gone("reading the lists")
			d.showing("options")
			d.has("Service account Netbird", "/srv/netbird/setup.env", "Name of this setup netbird.example.com", "Keep Authentik's token")
			d.lacks("Button on the login page", "NetBird restarts with")
			d.keys("enter")
			d.until("NETBIRD_MGMT_IDP")
			d.has("+ NETBIRD_USE_AUTH0 = false", "~ NETBIRD_MGMT_IDP: keycloak → authentik", "! configure.sh would empty the key")
			d.showing("plan")
			d.keys("enter")
			d.until("Everything is made and checked")
			d.lacks("first sign-in")
			d.keys("enter")
			d.showing("done")
			d.has("/srv/netbird/setup.env", "./configure.sh cd artifacts docker compose up -d", "+ setup.env", "✓ the service account may read users",
				"20 an hour", "--netbird-domain", "Come back with: authbird")
			d.lacks("Nobody has signed in", "NETBIRD_TOKEN")
			d.keys("q")
			d.await("it leaves", func() bool { return d.quit })
			got := strings.Join(d.p.ending().Lines, "\n")
			if !strings.Contains(got, "NetBird's values are in /srv/netbird/setup.env") || strings.Contains(got, "First sign-in") {
				t.Errorf("the lines are %s", got)
			}
			if b.called("SeeNetBird") || b.called("WatchLogin") {
				t.Error("NetBird was asked")
			}
		})
	}
}

// atStandaloneOptions leads to the options by flags.
func atStandaloneOptions(t *testing.T, b *fakeBench, o Options) *driver {
	t.Helper()
	o.Start, o.Tokens = StartWalk, flows.Tokens{Authentik: goodToken}
	o.Answers = state.Answers{Mode: state.Standalone, AuthentikURL: "https://auth.example.com", NetBirdURL: "https://netbird.example.com"}
	d := drive(t, o, 80, 24)
	d.until("Go on")
	d.keys("enter")
	d.has("NetBird will be at https://netbird.example.com")
	d.keys("enter")
	d.until("See the plan")
	d.gone("reading the lists")
	return d
}

func TestStandaloneOptionsSayWhatEachChoiceMeans(t *testing.T) {
	b := standaloneBench()
	d := atStandaloneOptions(t, b, standaloneOptions(b))
	d.keys("down", "down", "down", "down", "down", "down", "down")
	d.has("could change everything in Authentik")
	d.keys("right")
	d.has("may read users and nothing else")
	d.keys("down")
	d.has("any page of NetBird's domain")
	d.keys("right")
	d.has("Exactly the four addresses")
	d.keys("down")
	d.has("that Authentik's brand has already stays")
	d.keys("right")
	d.has("taking back gives it its old flow")
	d.keys("down", "end")
	for range len("/srv/netbird/setup.env") {
		d.keys("backspace")
	}
	d.keys(`"~/x"`, "down")
	d.has("Type the whole path")
	d.keys("right")
	d.has("stays in the keystore")
	d.keys("up", "end", "backspace", "backspace", "backspace", `"conf/setup.env"`, "down", "down", `"m.json"`, "down", "up")
	for range 15 {
		d.keys("up")
	}
	d.keys("enter")
	d.until("do it")
	a := d.p.draft.answers
	if a.Rights != flows.RightsLeast || a.RedirectMode != flows.RedirectsStrict || a.DeviceFlow != flows.DeviceFlowReplace || a.EnvSecret != flows.EnvSecretOmit ||
		a.EnvFile != "/srv/netbird/conf/setup.env" || a.NetBirdConfig != "/srv/netbird/m.json" || a.ConnectorName != "" {
		t.Errorf("the answers are %+v", a)
	}
	d.keys("c")
	d.has("--service-account-rights least", "--redirect-mode strict", "--env-secret omit", "--device-flow")
	d.lacks("NETBIRD_TOKEN", "--connector-name")
}

// A NetBird that is set up already may have its configuration patched by one
// key, and no path is typed.
func TestAConfigurationThatStandsMayBePatched(t *testing.T) {
	const stands = "/srv/netbird/artifacts/management.json"
	b := standaloneBench()
	b.choices.Management = stands
	d := atStandaloneOptions(t, b, standaloneOptions(b))
	for range 12 {
		d.keys("down")
	}
	d.has("NetBird's configuration stands at "+stands, "management.json none: configure.sh makes it")
	d.keys("right")
	d.has(stands + " gets the values of the identity provider")
	d.lacks("none: configure.sh makes it")
	for range 12 {
		d.keys("up")
	}
	d.keys("enter")
	d.until("do it")
	if got := d.p.draft.answers.NetBirdConfig; got != stands {
		t.Errorf("what is patched is %q", got)
	}
}

func TestHowLongASecretIsGood(t *testing.T) {
	for name, c := range map[string]struct {
		typed string
		want  int
		says  string
	}{
		"as proposed":    {"180", 0, ""},
		"a quarter":      {"90", 90, "--rotate-every 90"},
		"no number":      {"soon", 0, "A number of days, from 1 to 3650."},
		"less than none": {"0", 0, "A number of days, from 1 to 3650."},
	} {
		t.Run(name, func(t *testing.T) {
			b := standaloneBench()
			d := atStandaloneOptions(t, b, standaloneOptions(b))
			for range 16 {
				d.keys("down")
			}
			d.has("Secrets are due after", "authbird reminds you")
			d.keys("end", "backspace", "backspace", "backspace", `"`+c.typed+`"`)
			for range 16 {
				d.keys("up")
			}
			d.keys("enter")
			if strings.HasPrefix(c.says, "A number") {
				d.has(c.says)
				return
			}
			d.until("do it")
			d.keys("c")
			d.has(c.says)
			if got := d.p.draft.answers.RotateEvery; got != c.want {
				t.Errorf("it is due after %d days", got)
			}
		})
	}
}

func TestAnOmittedSecretAndAPatchedConfigurationChangeWhatComesNext(t *testing.T) {
	risk := &facts.Facts{Local: facts.Local{AtRisk: facts.Of("configure.sh would blank the key", nil)}}
	for name, c := range map[string]struct {
		answers state.Answers
		facts   *facts.Facts
		has     []string
		lacks   string
	}{
		"set up already": {state.Answers{Mode: state.Standalone, EnvFile: "/srv/setup.env"}, risk,
			[]string{"cd /srv cp artifacts/management.json management.json ./configure.sh cd artifacts"}, "restart management"},
		"omitted": {state.Answers{Mode: state.Standalone, EnvFile: "/srv/my netbird/setup.env", EnvSecret: flows.EnvSecretOmit}, nil,
			[]string{"cd '/srv/my netbird'", `eval "$(authbird env netbird.example.com)"`, "./configure.sh"}, "restart management"},
		"patched": {state.Answers{Mode: state.Standalone, EnvFile: "/srv/setup.env", NetBirdConfig: "/srv/artifacts/management.json"}, nil,
			[]string{"/srv/artifacts/management.json", "docker compose restart management"}, "./configure.sh"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newDoneScreen(finish{job: newJob("netbird.example.com"), plan: &flows.Plan{Facts: c.facts}}, "", "authbird setup standalone --yes")
			s.answers = c.answers
			d := drive(t, Options{}, 80, 24)
			d.p.stack = append(d.p.stack, layer{id: 99, screen: s, end: func() {}})
			d.has(c.has...)
			d.lacks(c.lacks)
		})
	}
}

func TestANameThatASetupOfTheOtherModeHasIsNotTaken(t *testing.T) {
	b := standaloneBench()
	o := standaloneOptions(b)
	o.Shelf = &fakeShelf{setups: someSetups()}
	d := atStandaloneOptions(t, b, o)
	d.has("Name of this setup netbird.example.com-standalone")
	for range 13 {
		d.keys("down")
	}
	d.has("How authbird calls it")
	d.keys("end")
	for range len("-standalone") {
		d.keys("backspace")
	}
	d.keys("down")
	d.has("A connector setup has this name already")
	for range 16 {
		d.keys("up")
	}
	d.keys("enter")
	d.lacks("What will happen")
}

func TestChangingTheModeDropsWhatOnlyTheOtherHas(t *testing.T) {
	b := standaloneBench()
	d := drive(t, standaloneOptions(b), 80, 24)
	d.until("new setup")
	d.keys("enter", "enter", "esc", "down", "enter")
	if a := d.p.draft.answers; a.ConnectorName != "" || a.ServiceAccount != "Netbird" {
		t.Errorf("the answers are %+v", a)
	}
	d.keys("esc", "up", "enter")
	if a := d.p.draft.answers; a.ServiceAccount != "" || a.EnvFile != "" || a.DeviceFlow != "" || a.ConnectorName != "Authentik" {
		t.Errorf("the answers are %+v", a)
	}
}

func TestAStandaloneSetupAsksForAuthentiksTokenOnly(t *testing.T) {
	b := standaloneBench()
	s := &state.Setup{Name: "vpn.lab.example", Answers: state.Answers{Mode: state.Standalone, AuthentikURL: "https://auth.lab.example",
		NetBirdDomain: "vpn.lab.example", EnvFile: "/srv/setup.env"}}
	o := standaloneOptions(b)
	o.Shelf = &fakeShelf{setups: []*state.Setup{s}}
	d := drive(t, o, 80, 24)
	d.until("https://vpn.lab.example")
	d.keys("enter")
	d.until("Connect to Authentik")
	d.paste(goodToken)
	d.keys("enter")
	d.until("akadmin")
	d.keys("enter")
	d.until("do it")
	d.keys("o")
	d.until("See the plan")
	d.lacks("Name of this setup")
}
