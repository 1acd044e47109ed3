package flows_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"authbird/clients/authentik"
	"authbird/flows"
	"authbird/state"
)

func newStandaloneLab(t *testing.T, version string) *lab {
	t.Helper()
	l := newLab(t, labOptions{version: version, mode: state.Standalone, schemas: true})
	l.answers.NetBirdDomain = "netbird.example.com"
	l.answers.NetBirdURL = ""
	l.answers.EnvFile = filepath.Join(t.TempDir(), "setup.env")
	return l
}

// sourced is what bash sees of a setup.env.
func sourced(t *testing.T, path, name string) string {
	t.Helper()
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("no bash here")
	}
	out, err := exec.Command(bash, "-c", `. "$1" && printf %s "${!2}"`, "bash", path, name).Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func TestStandaloneOnEveryVersionAndWithEachChoice(t *testing.T) {
	for name, choose := range map[string]func(*state.Answers){
		"as documented": func(*state.Answers) {},
		"least rights":  func(a *state.Answers) { a.Rights = flows.RightsLeast },
		"strict URIs":   func(a *state.Answers) { a.RedirectMode = flows.RedirectsStrict },
		"a group":       func(a *state.Answers) { a.AllowGroups = []string{"staff"} },
		"all at once": func(a *state.Answers) {
			a.Rights, a.RedirectMode, a.AllowGroups = flows.RightsLeast, flows.RedirectsStrict, []string{"staff"}
		},
	} {
		for _, version := range []string{"2024.12.3", "2025.12.0-rc1", "2026.2.0-rc1", "2026.5.0"} {
			t.Run(name+" on "+version, func(t *testing.T) {
				l := newStandaloneLab(t, version)
				choose(&l.answers)
				if _, err := l.authentikClient().CreateGroup(t.Context(), "staff", nil, nil); err != nil {
					t.Fatal(err)
				}
				start := l.authentik.Snapshot()
				l.mustRun()
				l.checkStandalone()
				first := l.authentik.Snapshot()
				l.mustRun()
				if !sameWorld(first, l.authentik.Snapshot()) {
					t.Error("the second run changed something")
				}
				s, err := l.bench.Open(t.Context(), setupName, l.answers, l.tokens)
				if err != nil {
					t.Fatal(err)
				}
				defer s.Close()
				if _, err := s.Remove(t.Context(), ""); err != nil {
					t.Fatal(err)
				}
				if !sameWorld(start, l.authentik.Snapshot()) {
					t.Error("taking back left something behind")
				}
				if _, err := os.Stat(l.answers.EnvFile); err == nil {
					t.Error("setup.env, which authbird made, was left")
				}
			})
		}
	}
}

func (l *lab) checkStandalone() {
	l.t.Helper()
	providers, err := l.authentikClient().ProvidersByName(l.t.Context(), "NetBird")
	if err != nil || len(providers) != 1 {
		l.t.Fatalf("%d providers, %v; want one", len(providers), err)
	}
	p := providers[0]
	if p.ClientType != "public" || p.SubMode != "user_id" || p.AccessCodeValidity != "minutes=10" || len(p.PropertyMappings) != 5 {
		l.t.Errorf("provider %+v", p)
	}
	documented := authentik.RedirectURI{MatchingMode: "regex", URL: `https://netbird\.example\.com/.*`}
	if has := p.RedirectURIs[0] == documented; has != (l.answers.RedirectMode == flows.RedirectsDocumented) {
		l.t.Errorf("redirect URIs %v with mode %s", p.RedirectURIs, l.answers.RedirectMode)
	}
	if got := sourced(l.t, l.answers.EnvFile, "NETBIRD_AUTH_CLIENT_ID"); got != p.ClientID {
		l.t.Errorf("setup.env has the client id %q, want %q", got, p.ClientID)
	}
	password := sourced(l.t, l.answers.EnvFile, "NETBIRD_IDP_MGMT_EXTRA_PASSWORD")
	if len(password) != 64 || bytes.Contains(l.journal(), []byte(password)) {
		l.t.Errorf("the app password has %d characters, or stands in the state", len(password))
	}
}

func TestADeviceFlowThatIsSetIsKept(t *testing.T) {
	l := newStandaloneLab(t, "")
	c := l.authentikClient()
	theirs, err := c.CreateFlow(t.Context(), authentik.FlowSpec{Name: "theirs", Slug: "theirs", Title: "Theirs",
		Designation: "stage_configuration", Authentication: "require_authenticated"})
	if err != nil {
		t.Fatal(err)
	}
	brands, err := c.Brands(t.Context(), "authentik-default")
	if err != nil || len(brands) != 1 {
		t.Fatal(brands, err)
	}
	if _, err := c.SetBrandDeviceFlow(t.Context(), brands[0].UUID, &theirs.PK); err != nil {
		t.Fatal(err)
	}
	l.mustRun()
	now, err := c.CurrentBrand(t.Context())
	if err != nil || now.FlowDeviceCode != "theirs" {
		t.Errorf("the brand has the flow %q (%v), want theirs kept", now.FlowDeviceCode, err)
	}
}

func TestSetupEnvKeepsWhatElseStandsInIt(t *testing.T) {
	l := newStandaloneLab(t, "")
	old := "# mine\nexport NETBIRD_DOMAIN='netbird.example.com'\nNETBIRD_LETSENCRYPT_EMAIL=\"me@example.com\"\nNETBIRD_USE_AUTH0=true"
	if err := os.WriteFile(l.answers.EnvFile, []byte(old), 0o644); err != nil {
		t.Fatal(err)
	}
	l.mustRun()
	now, err := os.ReadFile(l.answers.EnvFile)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(string(now), "# mine\nexport NETBIRD_DOMAIN='netbird.example.com'\nNETBIRD_LETSENCRYPT_EMAIL=\"me@example.com\"\n") {
		t.Errorf("other lines were changed:\n%s", now)
	}
	if got := sourced(t, l.answers.EnvFile, "NETBIRD_USE_AUTH0"); got != "false" {
		t.Errorf("NETBIRD_USE_AUTH0 is %q", got)
	}
	backups, err := filepath.Glob(l.answers.EnvFile + ".authbird-*.bak")
	if err != nil || len(backups) != 1 {
		t.Fatalf("backups %v, %v; want one", backups, err)
	}
	if kept, err := os.ReadFile(backups[0]); err != nil || string(kept) != old {
		t.Errorf("the backup holds %q (%v)", kept, err)
	}
}

func TestTheSecretCanBeLeftOutOfSetupEnv(t *testing.T) {
	l := newStandaloneLab(t, "")
	l.answers.EnvSecret = flows.EnvSecretOmit
	l.mustRun()
	if got := sourced(t, l.answers.EnvFile, "NETBIRD_IDP_MGMT_EXTRA_PASSWORD"); got != "" {
		t.Error("the app password is in setup.env")
	}
}

func TestWhatAStandaloneSetupCosts(t *testing.T) {
	t.Parallel()
	newStandaloneLab(t, "").costs(40, 10)
	l := newStandaloneLab(t, "")
	l.answers.Rights, l.answers.RedirectMode = flows.RightsLeast, flows.RedirectsStrict
	l.costs(48, 12)
}

func TestMatrixStandalone(t *testing.T) { matrix(t, state.Standalone) }
