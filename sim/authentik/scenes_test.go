package authentik

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestScenes(t *testing.T) {
	w := newWorld(t, "")
	w.link(nil)
	key, err := w.sim.AddToken(Token{Identifier: "alices", User: "alice"})
	if err != nil {
		t.Fatal(err)
	}
	discovery := func() (out struct {
		Issuer string   `json:"issuer"`
		Scopes []string `json:"scopes_supported"`
	}) {
		w.call("GET", "/application/o/netbird/.well-known/openid-configuration", "", nil, &out)
		return out
	}
	me := func() int { return w.call("GET", "/api/v3/core/users/me/", key, nil, nil).StatusCode }
	steps := []struct {
		name string
		do   func() error
		look func() any
		want any
	}{
		{"a token expires", func() error { return w.sim.ExpireToken("alices", time.Now().Add(-time.Minute)) }, func() any { return me() }, 403},
		{"and lives again", func() error { return w.sim.ExpireToken("alices", time.Now().Add(time.Minute)) }, func() any { return me() }, 200},
		{"an account is disabled", func() error { return w.sim.SetActive("alice", false) }, func() any { return me() }, 403},
		{"the proxy forgets the scheme", func() error { w.sim.SetScheme("https"); return nil }, func() any { return discovery().Issuer[:8] }, "https://"},
		{"the issuer is global", func() error {
			w.sim.SetScheme("")
			return w.sim.SetProvider("NetBird", map[string]any{"issuer_mode": "global"})
		}, func() any { return discovery().Issuer }, w.url + "/"},
		{"a mapping is gone", func() error { return w.sim.RemoveMapping("NetBird", "email") }, func() any { return len(discovery().Scopes) }, 4},
		{"the link is gone", func() error { return w.sim.Unlink("netbird") }, func() any {
			return w.call("GET", "/application/o/netbird/jwks/", "", nil, nil).StatusCode
		}, 404},
	}
	for _, s := range steps {
		if err := s.do(); err != nil {
			t.Fatalf("%s: %v", s.name, err)
		}
		if got := s.look(); got != s.want {
			t.Errorf("%s: %v, want %v", s.name, got, s.want)
		}
	}
	for name, err := range map[string]error{
		"provider": w.sim.DropSigningKey("nobody"), "user": w.sim.SetActive("nobody", true), "token": w.sim.ExpireToken("none", time.Now()),
		"application": w.sim.BindGroup("none", "g"), "flow": w.sim.SetBrand("x", "none"), "membership": w.sim.Leave("none", "alice"),
	} {
		if err == nil {
			t.Errorf("an unknown %s is no error", name)
		}
	}
}

func TestSnapshotTellsWorldsApart(t *testing.T) {
	a, b := newWorld(t, ""), newWorld(t, "")
	a.link(map[string]any{"client_id": "one", "client_secret": "aaaaaa"})
	b.link(map[string]any{"client_id": "two", "client_secret": "bbbbbb"})
	if diff := cmp.Diff(a.sim.Snapshot(), b.sim.Snapshot()); diff != "" {
		t.Errorf("the same deeds: %s", diff)
	}
	for name, change := range map[string]func(*Server) error{
		"a binding": func(s *Server) error { return s.BindGroup("netbird", "people") },
		"a key":     func(s *Server) error { return s.DropSigningKey("NetBird") },
		"a user":    func(s *Server) error { s.AddUser(User{Username: "bob"}); return nil },
		"a token":   func(s *Server) error { _, err := s.AddToken(Token{Identifier: "x", User: "alice"}); return err },
		"a brand":   func(s *Server) error { return s.SetBrand("authentik-default", "default-password-change") },
	} {
		before := b.sim.Snapshot()
		if err := change(b.sim); err != nil {
			t.Fatal(err)
		}
		if cmp.Diff(before, b.sim.Snapshot()) == "" {
			t.Errorf("%s made no difference", name)
		}
	}
}

// TestManyAtOnce is for the race detector, and for what must be unique.
func TestManyAtOnce(t *testing.T) {
	w := newWorld(t, "")
	w.link(nil)
	var wg sync.WaitGroup
	made := make(chan error, 32)
	for i := range 32 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			made <- w.sim.Request("POST", "/api/v3/core/groups/", map[string]any{"name": fmt.Sprintf("group-%d", i/4)}, nil)
			w.call("GET", "/application/o/netbird/jwks/", "", nil, nil)
			w.call("GET", "/api/v3/core/groups/", adminKey, nil, nil)
			w.sim.Snapshot()
		}()
	}
	wg.Wait()
	close(made)
	good := 0
	for err := range made {
		if err == nil {
			good++
		}
	}
	if good != 8 {
		t.Errorf("%d groups of 8 names were made", good)
	}
}

func TestBigDirectory(t *testing.T) {
	w := newWorld(t, "")
	w.sim.AddMany(50000, 5000)
	type page struct {
		Pagination struct{ Count int }
		Results    []map[string]any
	}
	for path, want := range map[string]int{
		"core/users/?username=user-49999":                            1,
		"core/users/?email=user-00007@example.com":                   1,
		"core/users/?search=user-4999":                               10,
		"core/users/?page=2501":                                      50003,
		"providers/oauth2/?name=Provider 04999":                      1,
		"providers/oauth2/?ordering=-name":                           5000,
		"core/applications/?slug=app-04999&superuser_full_list=true": 1,
		"core/groups/?search=none":                                   0,
	} {
		var got page
		w.admin("GET", apiPrefix+escape(path), nil, &got)
		if got.Pagination.Count != want {
			t.Errorf("%s: %d, want %d", path, got.Pagination.Count, want)
		}
	}
}

func BenchmarkBigDirectory(b *testing.B) {
	s := New(Options{Token: adminKey})
	s.AddMany(50000, 5000)
	for _, path := range []string{
		"core/users/me/", "core/users/?username=user-49999", "core/users/?page=2000", "core/users/?search=user-4999",
		"providers/oauth2/?client_id=none", "providers/oauth2/?name=Provider 04999", "providers/oauth2/?page=100",
		"core/applications/app-04999/", "core/applications/?superuser_full_list=true", "core/tokens/",
	} {
		b.Run(path, func(b *testing.B) {
			for b.Loop() {
				if err := s.Request("GET", apiPrefix+escape(path), nil, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
