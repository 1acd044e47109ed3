package flows_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"authbird/clients/authentik"
	"authbird/flows"
	"authbird/keystore"
	simauthentik "authbird/sim/authentik"
	"authbird/sim/fault"
)

// The rules of single steps where a run was cut off, or a person came between.

// stopAt lets a run be given up when a request comes, as a kill would: the
// journal has the beginning and no end.
func (l *lab) stopAt(method, path string) {
	l.t.Helper()
	ctx, cancel := context.WithCancel(l.t.Context())
	stop := func(_ string, r *http.Request) {
		if r.Method == method && strings.Contains(r.URL.Path, path) {
			cancel()
			_, _ = io.Copy(io.Discard, r.Body) // only then its end is noticed
			<-r.Context().Done()
			panic(http.ErrAbortHandler)
		}
	}
	l.before.Store(&stop)
	s := l.open()
	s.GiveUp = ctx
	p, err := s.Plan(l.t.Context())
	if err == nil {
		_, err = s.Carry(l.t.Context(), p)
	}
	l.before.Store(nil)
	l.must(s.Close())
	if flows.StopOf(err).Reason != flows.Interrupted {
		l.t.Fatalf("got %v, want it given up", err)
	}
}

// open opens the setup with nobody to ask, as --yes does.
func (l *lab) open() *flows.Session {
	l.t.Helper()
	s, err := l.bench.Open(l.t.Context(), setupName, l.answers, l.tokens)
	l.must(err)
	return s
}

func (l *lab) must(err error) {
	l.t.Helper()
	if err != nil {
		l.t.Fatal(err)
	}
}

// again runs the setup with nobody to ask.
func (l *lab) again() error {
	l.t.Helper()
	s := l.open()
	defer s.Close()
	p, err := s.Plan(l.t.Context())
	if err == nil {
		_, err = s.Carry(l.t.Context(), p)
	}
	return err
}

func (l *lab) remove() {
	l.t.Helper()
	s := l.open()
	defer s.Close()
	_, err := s.Remove(l.t.Context(), "")
	l.must(err)
}

func TestWhatWasOnlyBegunIsDoneWithoutAQuestion(t *testing.T) {
	for name, at := range map[string][2]string{
		"the brand's flow":    {http.MethodPatch, "/core/brands/"},
		"the role's right":    {http.MethodPost, "/assign/"},
		"the account":         {http.MethodPost, "/service_account/"},
		"the password's text": {http.MethodPost, "/set_key/"},
	} {
		t.Run(name, func(t *testing.T) {
			l := newStandaloneLab(t, "")
			l.answers.Rights = flows.RightsLeast
			before := l.authentik.Snapshot()
			l.stopAt(at[0], at[1])
			l.must(l.again())
			l.checkStandalone()
			l.remove()
			if !sameWorld(before, l.authentik.Snapshot()) {
				t.Error("taking back left something behind")
			}
		})
	}
}

func TestADeedWhoseSecondPartIsRefusedIsStillOurs(t *testing.T) {
	for name, path := range map[string]string{"a role without its right": "/api/v3/rbac/permissions/assigned_by_roles/*/assign/", "a token without its value": "/api/v3/core/tokens/*/set_key/"} {
		t.Run(name, func(t *testing.T) {
			l := newStandaloneLab(t, "")
			l.answers.Rights, l.adopt = flows.RightsLeast, true
			l.authentik.AddUser(simauthentik.User{Username: "Netbird", Name: "Theirs", Type: "service_account"})
			before := l.authentik.Snapshot()
			l.must(l.faults["authentik"].Order(fault.Fault{Method: http.MethodPost, Path: path, Kind: fault.Status, Status: 400, Times: -1}))
			if err := l.run(t.Context(), nil); err == nil {
				t.Fatal("the refusal was not told")
			}
			l.faults["authentik"].Clear()
			l.remove()
			if diff := cmp.Diff(before, l.authentik.Snapshot()); diff != "" {
				t.Errorf("taking back left something behind:\n%s", diff)
			}
		})
	}
}

func TestAProviderThatWasTakenOverKeepsItsAuthorizationFlow(t *testing.T) {
	l := newLab(t, labOptions{})
	c := l.authentikClient()
	all, err := c.Flows(t.Context())
	l.must(err)
	pk := func(slug string) string {
		for _, f := range all {
			if f.Slug == slug {
				return f.PK
			}
		}
		t.Fatalf("no flow %s", slug)
		return ""
	}
	implicit := pk("default-provider-authorization-implicit-consent")
	theirs, err := c.CreateProvider(t.Context(), authentik.ProviderSpec{Name: "NetBird", ClientType: "confidential", ClientID: "theirs", ClientSecret: "their-secret",
		AuthorizationFlow: implicit, InvalidationFlow: pk("default-provider-invalidation-flow"),
		GrantTypes: []string{authentik.GrantAuthorizationCode}, RedirectURIs: []authentik.RedirectURI{{MatchingMode: "strict", URL: "https://theirs.example.com/"}}})
	l.must(err)
	before := l.authentik.Snapshot()
	l.adopt = true
	l.mustRun()
	l.mustRun()
	now, err := c.Provider(t.Context(), theirs.PK)
	l.must(err)
	if now.AuthorizationFlow != implicit {
		t.Errorf("the authorization flow is %s, want the one that stood there", now.AuthorizationFlow)
	}
	l.remove()
	if diff := cmp.Diff(before, l.authentik.Snapshot()); diff != "" {
		t.Errorf("taking back left it otherwise:\n%s", diff)
	}
}

func TestABrandsFlowThatAPersonSetSinceIsLeftAlone(t *testing.T) {
	l := newStandaloneLab(t, "")
	l.mustRun()
	c := l.authentikClient()
	theirs, err := c.CreateFlow(t.Context(), authentik.FlowSpec{Name: "theirs", Slug: "theirs", Title: "Theirs",
		Designation: "stage_configuration", Authentication: "require_authenticated"})
	l.must(err)
	brands, err := c.Brands(t.Context(), "authentik-default")
	l.must(err)
	_, err = c.SetBrandDeviceFlow(t.Context(), brands[0].UUID, &theirs.PK)
	l.must(err)
	l.remove()
	if now, err := c.CurrentBrand(t.Context()); err != nil || now.FlowDeviceCode != "theirs" {
		t.Errorf("the brand has the flow %q (%v), want theirs", now.FlowDeviceCode, err)
	}
}

func TestSetupEnvIsNotTakenBackWhileItsPasswordCannotBeRead(t *testing.T) {
	l := newStandaloneLab(t, "")
	l.mustRun()
	entries, err := filepath.Glob(filepath.Join(l.bench.State.Path(), "keys", "*@app-password.age"))
	if err != nil || len(entries) != 1 {
		t.Fatal(entries, err)
	}
	kept, err := os.ReadFile(entries[0])
	l.must(err)
	l.must(os.WriteFile(entries[0], bytes.Repeat([]byte("x"), len(kept)), 0o600))
	s := l.open()
	_, err = s.Remove(t.Context(), "")
	l.must(s.Close())
	if err == nil {
		t.Error("taken back, though its line could not be told from others")
	}
	l.must(os.WriteFile(entries[0], kept, 0o600))
	l.remove()
	if _, err := os.Stat(l.answers.EnvFile); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("setup.env, which authbird made, was left (%v)", err)
	}
}

func TestTakingBackThatIsInterruptedBeforeItBeginsChangesNothing(t *testing.T) {
	l := newLab(t, labOptions{})
	l.mustRun()
	before := l.authentik.Snapshot()
	ctx, cancel := context.WithCancel(t.Context())
	stop := func(string, *http.Request) { cancel() }
	l.before.Store(&stop)
	s := l.open()
	defer s.Close()
	_, err := s.Remove(ctx, "")
	l.before.Store(nil)
	if flows.StopOf(err).Reason != flows.Interrupted || !sameWorld(before, l.authentik.Snapshot()) {
		t.Errorf("got %v, want it interrupted and nothing changed", err)
	}
}

func TestASecretIsKeptBeforeItIsSent(t *testing.T) {
	for name, c := range map[string]struct {
		lab    func(*testing.T) *lab
		path   string
		secret string
	}{
		"client secret": {func(t *testing.T) *lab { return newLab(t, labOptions{}) }, "/transactional/applications/", keystore.ClientSecret},
		"app password":  {func(t *testing.T) *lab { return newStandaloneLab(t, "") }, "/set_key/", keystore.AppPassword},
	} {
		t.Run(name, func(t *testing.T) {
			l := c.lab(t)
			sent := 0
			look := func(_ string, r *http.Request) {
				if !strings.Contains(r.URL.Path, c.path) {
					return
				}
				body, err := io.ReadAll(r.Body)
				r.Body = io.NopCloser(bytes.NewReader(body))
				store, openErr := l.bench.OpenKeys(l.t.Context(), keystore.File)
				if err != nil || openErr != nil {
					t.Error(err, openErr)
					return
				}
				kept, err := store.Get(l.t.Context(), setupName, c.secret)
				if err != nil || !bytes.Contains(body, []byte(kept)) {
					t.Errorf("what is sent is not what is kept (%v)", err)
				}
				sent++
			}
			l.before.Store(&look)
			l.mustRun()
			if sent != 1 {
				t.Errorf("sent %d times, want once", sent)
			}
		})
	}
}
