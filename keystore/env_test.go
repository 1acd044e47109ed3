package keystore

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestVariable(t *testing.T) {
	for name, want := range map[string]string{
		ClientSecret: "AUTHBIRD_CLIENT_SECRET", AppPassword: "AUTHBIRD_APP_PASSWORD", AuthentikToken: "AUTHENTIK_TOKEN", NetBirdToken: "NETBIRD_TOKEN",
		ClientSecret + New: "AUTHBIRD_CLIENT_SECRET_NEW", NetBirdToken + Old: "NETBIRD_TOKEN_OLD", "ä=": "",
	} {
		if got := Variable(name); got != want {
			t.Errorf("Variable(%q) = %q", name, got)
		}
	}
}

func TestEnvironment(t *testing.T) {
	p := &person{}
	s := mustOpen(t, Options{Kind: Env, Say: p.say, Getenv: env("AUTHBIRD_CLIENT_SECRET", hush)})
	if s.Kind() != Env || s.Where() != "the environment" {
		t.Errorf("%s, %s", s.Kind(), s.Where())
	}
	must(t, s.Unlock(t.Context()))
	mustGet(t, s, ClientSecret, hush)
	must(t, s.Set(t.Context(), setup, ClientSecret, hush)) // it has that already
	err := s.Set(t.Context(), setup, ClientSecret, "another")
	if !errors.Is(err, ErrReadOnly) || !strings.HasSuffix(err.Error(), "AUTHBIRD_CLIENT_SECRET holds another value") || strings.Contains(err.Error(), "value another") {
		t.Errorf("Set = %v", err)
	}
	mustGet(t, s, ClientSecret, hush)

	_, err = s.Get(t.Context(), setup, AppPassword)
	if !errors.Is(err, ErrAbsent) || !strings.HasSuffix(err.Error(), "AUTHBIRD_APP_PASSWORD is not set") {
		t.Errorf("Get = %v", err)
	}
	must(t, s.Set(t.Context(), setup, AppPassword, "one"))
	must(t, s.Set(t.Context(), setup, AppPassword, "two"))
	mustGet(t, s, AppPassword, "two")
	must(t, s.Delete(t.Context(), setup, AppPassword))
	must(t, s.Delete(t.Context(), setup, AppPassword))
	must(t, s.Delete(t.Context(), setup, ClientSecret))
	for _, name := range []string{AppPassword, ClientSecret, "ä="} {
		if _, err := s.Get(t.Context(), setup, name); !errors.Is(err, ErrAbsent) {
			t.Errorf("Get(%s) = %v", name, err)
		}
	}
	if err := s.Set(t.Context(), setup, "ä=", hush); !errors.Is(err, ErrReadOnly) {
		t.Errorf("Set = %v", err)
	}
	want := []string{
		"The app-password of netbird.example.com is kept for this run only. Set AUTHBIRD_APP_PASSWORD for later runs.",
		"The app-password of netbird.example.com is kept for this run only. Set AUTHBIRD_APP_PASSWORD for later runs.",
		"The client-secret of netbird.example.com is not needed any more. Unset AUTHBIRD_CLIENT_SECRET.",
	}
	if diff := cmp.Diff(want, p.heard); diff != "" {
		t.Error(diff)
	}
}
