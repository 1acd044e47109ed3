package netbird

import (
	"encoding/base32"
	"errors"
	"net/http"
	"strings"
	"testing"

	"authbird/e2e/browser"
	"authbird/e2e/web"
)

func TestAFreshServerWaitsForItsOwner(t *testing.T) {
	s := Start(t, Options{Fresh: true})
	if got := setupRequired(t, s); !got {
		t.Fatal("setup_required is false on a fresh server")
	}
	s.SetUp(t)
	if got := setupRequired(t, s); got {
		t.Fatal("setup_required is still true after the setup")
	}
	var accounts []struct {
		Domain   string `json:"domain"`
		Category string `json:"domain_category"`
	}
	get(t, s, "/api/accounts", &accounts)
	if len(accounts) != 1 || accounts[0].Domain == "" || accounts[0].Category != "private" {
		t.Fatalf("accounts are %+v, want one with a domain, private", accounts)
	}
	var version struct {
		Current string `json:"management_current_version"`
	}
	get(t, s, "/api/instance/version", &version)
	if !strings.HasPrefix(version.Current, "0.") {
		t.Fatalf("the server says it is version %q, want a release", version.Current)
	}
}

func TestARestartKeepsTheData(t *testing.T) {
	s := Start(t, Options{})
	s.Restart(t)
	var me struct {
		ID string `json:"id"`
	}
	get(t, s, "/api/users/current", &me)
	if me.ID != s.OwnerID {
		t.Fatalf("after the restart the token belongs to %q, want %q", me.ID, s.OwnerID)
	}
}

// A restart shows in X-Request-Id, an xid. On a plain host its process part
// changes. In a container the server is process 1 in each life, so that part
// stays and only the counter, which starts anywhere, tells.
func TestARestartIsSeenInTheRequestIDs(t *testing.T) {
	for _, c := range []struct {
		name      string
		container bool
	}{{"on a host", false}, {"in a container", true}} {
		t.Run(c.name, func(t *testing.T) {
			s := Start(t, Options{Container: c.container})
			first, second := requestID(t, s), requestID(t, s)
			if first.process != second.process || second.counter != (first.counter+1)%(1<<24) {
				t.Fatalf("one process answered %+v and then %+v, want the counter to go up by one", first, second)
			}
			s.Restart(t)
			third := requestID(t, s)
			if samePart := third.process == second.process; samePart != c.container {
				t.Errorf("process part before and after the restart: %x and %x", second.process, third.process)
			}
			// Of 16 million values 16 are near: a fair server fails this once in
			// a million runs.
			if ahead := (third.counter - second.counter) & (1<<24 - 1); ahead < 16 {
				t.Errorf("the counter went from %d to %d over a restart, want a jump", second.counter, third.counter)
			}
		})
	}
}

func TestAWrongPasswordEndsTheLoginWithThePagesWords(t *testing.T) {
	s := Start(t, Options{})
	_, err := browser.Login(t.Context(), browser.NetBirdCLI(s.URL, "local"),
		browser.Person{Name: s.Owner.Name, Password: "wrong"})
	var refused *browser.Refused
	if !errors.As(err, &refused) || refused.Status != http.StatusUnauthorized {
		t.Fatalf("the login said %v, want a refusal with status 401", err)
	}
}

func setupRequired(t *testing.T, s *Server) bool {
	t.Helper()
	var instance struct {
		Required bool `json:"setup_required"`
	}
	get(t, s, "/api/instance", &instance)
	return instance.Required
}

// xid is a request id taken apart: rs/xid writes time (4 bytes), machine (3),
// process (2) and counter (3).
type xid struct {
	process string
	counter int
}

func requestID(t *testing.T, s *Server) xid {
	t.Helper()
	answer, err := web.Call(t.Context(), http.MethodGet, s.URL+"/api/instance", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	id := answer.Header.Get("X-Request-Id")
	raw, err := base32.NewEncoding("0123456789abcdefghijklmnopqrstuv").WithPadding(base32.NoPadding).DecodeString(id)
	if err != nil || len(raw) != 12 {
		t.Fatalf("X-Request-Id is %q, which is no xid: %v", id, err)
	}
	return xid{process: string(raw[7:9]), counter: int(raw[9])<<16 | int(raw[10])<<8 | int(raw[11])}
}

// get reads one object as the owner.
func get(t *testing.T, s *Server, path string, into any) {
	t.Helper()
	answer, err := web.Call(t.Context(), http.MethodGet, s.URL+path, s.OwnerToken, nil)
	if err == nil {
		err = answer.Into(into)
	}
	if err != nil {
		t.Fatalf("GET %s: %v", path, err)
	}
}
