package netbird_test

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"authbird/clients"
	"authbird/clients/netbird"
	simnetbird "authbird/sim/netbird"
)

const (
	ownerEmail    = "owner@example.com"
	ownerPassword = "0wner-pass-word"
	ownerToken    = "nbp_0123456789abcdefghijklmnopqrstuvwxyz"
)

// transport is one that never waits.
func transport(t *testing.T) *clients.Transport {
	t.Helper()
	tr, err := clients.New(clients.Options{Wait: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tr.CloseIdle)
	return tr
}

// at is a client of what h serves.
func at(t *testing.T, h http.Handler, token string) *netbird.Client {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	c, err := netbird.New(server.URL, token, transport(t))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// simulated is a simulated NetBird with an owner, unless change says otherwise, and a client with the owner's token.
func simulated(t *testing.T, change func(*simnetbird.Options)) (*netbird.Client, *simnetbird.Server) {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	o := simnetbird.Options{BaseURL: "http://" + server.Listener.Addr().String(), OwnerEmail: ownerEmail, OwnerPassword: ownerPassword, OwnerToken: ownerToken}
	if change != nil {
		change(&o)
	}
	s := simnetbird.New(o)
	if err := s.Err(); err != nil {
		t.Fatal(err)
	}
	server.Config.Handler = s
	server.Start()
	t.Cleanup(server.Close)
	c, err := netbird.New(server.URL, ownerToken, transport(t))
	if err != nil {
		t.Fatal(err)
	}
	return c, s
}

// says is a server that answers everything with that JSON.
func says(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json; charset=UTF-8")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

// issuer is an upstream provider that NetBird's look at the issuer is content with.
func issuer(t *testing.T) string {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	base := "http://" + server.Listener.Addr().String()
	server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/good/.well-known/openid-configuration" {
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(http.StatusNotFound)
			_, _ = w.Write([]byte("<!DOCTYPE html>\n<title>authentik</title>"))
			return
		}
		says(200, `{"issuer": "`+base+`/good", "authorization_endpoint": "`+base+`/good/authorize", "token_endpoint": "`+base+`/good/token", "jwks_uri": "`+base+`/good/keys"}`)(w, r)
	})
	server.Start()
	t.Cleanup(server.Close)
	return base + "/good"
}

// recorded is a server that answers everything with the exchange of that name; the recordings lie with the simulator.
func recorded(t *testing.T, file, name string) http.HandlerFunc {
	t.Helper()
	f, err := os.Open(filepath.Join("..", "..", "sim", "netbird", "testdata", file+".jsonl.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	unzipped, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(unzipped)
	lines.Buffer(nil, 8<<20)
	for lines.Scan() {
		var x struct {
			Name   string            `json:"name"`
			Status int               `json:"status"`
			Header map[string]string `json:"response_headers"`
			Body   json.RawMessage   `json:"response_body"`
		}
		if err := json.Unmarshal(lines.Bytes(), &x); err != nil {
			t.Fatal(err)
		}
		if x.Name != name {
			continue
		}
		return func(w http.ResponseWriter, _ *http.Request) {
			for key, value := range x.Header {
				w.Header().Set(key, value)
			}
			w.WriteHeader(x.Status)
			var text string
			if json.Unmarshal(x.Body, &text) == nil {
				x.Body = []byte(text)
			}
			_, _ = w.Write(x.Body)
		}
	}
	t.Fatalf("%s has no exchange %s", file, name)
	return nil
}

func wantKind(t *testing.T, err error, want clients.Kind) *clients.Error {
	t.Helper()
	if got := clients.KindOf(err); got != want {
		t.Errorf("kind %v, want %v: %v", got, want, err)
	}
	var e *clients.Error
	if !errors.As(err, &e) {
		return &clients.Error{}
	}
	return e
}

func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}
