package export_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"filippo.io/age"

	"authbird/clients"
	"authbird/export"
	"authbird/facts"
	"authbird/flows"
	"authbird/keystore"
	"authbird/sim"
	"authbird/state"
)

// lab is a setup that stands between simulated servers.
type lab struct {
	t       *testing.T
	sim     *sim.Sandbox
	bench   *flows.Bench
	answers state.Answers
}

const setupName = "lab"

func newLab(t *testing.T, mode state.Mode, o sim.Options, choose func(*state.Answers)) *lab {
	t.Helper()
	s, err := sim.Start(o)
	must(t, err)
	t.Cleanup(s.Close)
	folder := t.TempDir()
	dir, err := state.Open(filepath.Join(folder, "state"))
	must(t, err)
	id, err := age.GenerateX25519Identity()
	must(t, err)
	key := filepath.Join(folder, "key")
	must(t, os.WriteFile(key, []byte(id.String()+"\n"), 0o600))
	l := &lab{t: t, sim: s, bench: &flows.Bench{
		State: dir, Now: time.Now,
		OpenKeys: func(ctx context.Context, _ keystore.Kind) (*keystore.Store, error) {
			return keystore.Open(ctx, keystore.Options{Kind: keystore.File, Dir: dir.Path(), Identity: key})
		},
		Transport: func(ca string) (*clients.Transport, error) {
			return clients.New(clients.Options{CAFile: ca, Timeout: time.Minute})
		},
		Wait: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
	}}
	l.bench.Rand = seeded()
	l.answers = l.bench.Defaults(mode)
	l.answers.AuthentikURL, l.answers.NetBirdURL = s.AuthentikURL, s.NetBirdURL
	if mode == state.Standalone {
		l.answers.NetBirdURL, l.answers.NetBirdDomain, l.answers.EnvFile = "", "netbird.example.com", filepath.Join(folder, "setup.env")
	}
	if choose != nil {
		choose(&l.answers)
	}
	session := l.open()
	defer session.Close()
	session.Adopt = func(context.Context, flows.About, flows.Finding) error { return nil }
	p, err := session.Plan(t.Context())
	must(t, err)
	_, err = session.Carry(t.Context(), p)
	must(t, err)
	return l
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (l *lab) open() *flows.Session {
	l.t.Helper()
	s, err := l.bench.Open(l.t.Context(), setupName, l.answers, flows.Tokens{Authentik: l.sim.AuthentikToken, NetBird: l.sim.NetBirdToken})
	must(l.t, err)
	return s
}

func (l *lab) standing() facts.Standing {
	l.t.Helper()
	s := l.open()
	defer s.Close()
	standing, err := s.Standing(l.t.Context())
	must(l.t, err)
	return standing
}

// texts are the exports in every format.
func (l *lab) texts() map[export.Format]string {
	l.t.Helper()
	return texts(l.t, l.standing())
}

func texts(t *testing.T, s facts.Standing) map[export.Format]string {
	t.Helper()
	out := map[export.Format]string{}
	for _, f := range export.Formats {
		text, err := export.Text(f, s)
		must(t, err)
		out[f] = text
	}
	return out
}

// connectorLab has all that a connector setup can have.
func connectorLab(t *testing.T) *lab {
	return newLab(t, state.Connector, sim.Options{}, func(a *state.Answers) {
		a.ConnectorType, a.AllowGroups, a.GroupSync = "oidc", []string{"authentik Admins"}, flows.GroupSyncOn
	})
}

// standaloneLab has all that a standalone setup can have.
func standaloneLab(t *testing.T) *lab {
	return newLab(t, state.Standalone, sim.Options{}, func(a *state.Answers) {
		a.Rights, a.AllowGroups = flows.RightsLeast, []string{"authentik Admins"}
	})
}
