package flows

import (
	"errors"
	"strings"
	"testing"
	"time"

	"authbird/clients/authentik"
	"authbird/clients/netbird"
	"authbird/doctor"
	"authbird/facts"
	"authbird/state"
)

var reportedAt = time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)

// reported is a diagnosis with a word of everything that may not be told.
func reported() *Diagnosis {
	f := &facts.Facts{}
	f.Authentik.Me.Value = authentik.Me{Username: "ada.l", Name: "Ada Lovelace", Type: "internal"}
	f.Proof.Users.Value = []authentik.User{{Username: "Netbird", Type: "service_account"}, {Username: "bob", Name: "Bob"}}
	f.NetBird.Users.Value = []netbird.User{{Name: "Grace Hopper"}, {Name: "robot", ServiceUser: true}}
	return &Diagnosis{
		Setup: "netbird.corp.example", AuthentikVersion: "2025.12.1", NetBirdVersion: "0.77.1", facts: f,
		Answers: state.Answers{Mode: state.Connector, AuthentikURL: "https://auth.corp.example", NetBirdURL: "https://netbird.corp.example"},
		Results: []doctor.Result{
			{ID: "token", Title: "the token is good", Group: doctor.Authentik, Verdict: doctor.OK, Evidence: "it is ada.l's"},
			{ID: "key", Title: "logins are signed", Group: doctor.Authentik, Verdict: doctor.Fail, Repair: "provider",
				Cause:    "Ada Lovelace <ada@corp.example> took the key; see #12 and @octocat *now* <img src=x>",
				Evidence: "`key`: null at https://auth.corp.example/x, 10.1.2.3, /home/ada/setup.env, nbp_0123456789abcdef, eyJhbGciOi.eyJzdWIi.c2ln, hunter2 hunter2",
				Hits:     "Grace Hopper and Bob, not Bobby; robot and Netbird stay"},
			{ID: "here", Title: "the clock", Group: doctor.Here, Verdict: doctor.Warn, Cause: "evil\x1b[31m\u202etext\nnext", Advice: "look at https://elsewhere.example/y"},
		},
	}
}

func TestAReportTellsWhatIsWrongAndNobodysNameOrSecret(t *testing.T) {
	o := ReportOptions{Version: "v1.2.3", At: reportedAt, Secrets: []string{"hunter2", ""}}
	text := string(Report([]*Diagnosis{reported()}, o))
	for _, want := range []string{
		"# authbird doctor\n", "`v1.2.3`", "2026-11-24 10:00 UTC", "## netbird.corp.example", "Authentik: `2025.12.1` at `https://auth.corp.example`",
		"checks: 1 wrong, 1 note, 1 well", "### Authentik", "### Here", "- **wrong** logins are signed (`key`)", "  - repair: `provider`", "`` `key`: null",
		"Bobby", "robot and Netbird stay", `\#12`, "(at)octocat", `\*now\*`, "&lt;img",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("lacks %q:\n%s", want, text)
		}
	}
	for _, never := range []string{"Lovelace", "ada.l", "ada@", "/home/ada", "Grace", "Bob,", "hunter2", "nbp_0", "eyJ", "@octocat", "<img", "\x1b", "\u202e"} {
		if strings.Contains(text, never) {
			t.Errorf("tells %q:\n%s", never, text)
		}
	}
	if i, j := strings.Index(text, "**wrong**"), strings.Index(text, "**well**"); i > j {
		t.Error("what is well comes first")
	}
}

func TestAReportWithNamesAndOneWithoutServers(t *testing.T) {
	named := string(Report([]*Diagnosis{reported()}, ReportOptions{At: reportedAt, Names: true}))
	for _, want := range []string{"Ada Lovelace", "ada(at)corp.example", "Grace Hopper", "it is ada.l's"} {
		if !strings.Contains(named, want) {
			t.Errorf("lacks %q:\n%s", want, named)
		}
	}
	masked := string(Report([]*Diagnosis{reported()}, ReportOptions{At: reportedAt, MaskHosts: true}))
	for _, never := range []string{"corp.example", "10.1.2.3", "elsewhere.example"} {
		if strings.Contains(masked, never) {
			t.Errorf("tells %q:\n%s", never, masked)
		}
	}
	for _, want := range []string{"netbird.invalid", "https://authentik.invalid/x", "https://host.invalid/y"} {
		if !strings.Contains(masked, want) {
			t.Errorf("lacks %q:\n%s", want, masked)
		}
	}
}

func TestAReportOfSeveralAfterTheirFactsWereLetGo(t *testing.T) {
	blind := &Diagnosis{CouldNotLook: errors.New("nobody listens"), Answers: state.Answers{AuthentikURL: "http://127.0.0.1:1"}}
	brief := reported().Brief()
	if brief.facts != nil {
		t.Error("the facts are kept")
	}
	text := string(Report([]*Diagnosis{brief, blind}, ReportOptions{At: reportedAt}))
	for _, want := range []string{"## netbird.corp.example", "## a connection that authbird did not make", "could not look: nobody listens"} {
		if !strings.Contains(text, want) {
			t.Errorf("lacks %q:\n%s", want, text)
		}
	}
	if strings.Contains(text, "Grace") {
		t.Error("a name is told once the facts are gone")
	}
}

func TestAReportsFileHasASafeName(t *testing.T) {
	for setup, want := range map[string]string{
		"netbird.example.com:8443": "authbird-doctor-netbird.example.com-8443-20261124-100000.md",
		"../../etc/x":              "authbird-doctor-etc-x-20261124-100000.md", "": "authbird-doctor-found-20261124-100000.md",
	} {
		if got := ReportName(setup, reportedAt); got != want {
			t.Errorf("%q is kept as %q, want %q", setup, got, want)
		}
	}
}
