package authentik_test

import (
	"bufio"
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
	"authbird/clients/authentik"
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
func at(t *testing.T, h http.Handler, token string) *authentik.Client {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	c, err := authentik.New(server.URL, token, transport(t))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// says is a server that answers everything with that JSON, as an Authentik.
func says(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Authentik-Id", "0123")
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

// exchange is what a real server was recorded saying.
type exchange struct {
	Name   string            `json:"name"`
	Status int               `json:"status"`
	Header map[string]string `json:"response_headers"`
	Body   json.RawMessage   `json:"response_body"`
}

// recorded is a server that answers everything with the exchange of that name; the recordings lie with the simulator.
func recorded(t *testing.T, file, name string) http.HandlerFunc {
	t.Helper()
	f, err := os.Open(filepath.Join("..", "..", "sim", "authentik", "testdata", file+".jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 8<<20)
	for lines.Scan() {
		var x exchange
		if err := json.Unmarshal(lines.Bytes(), &x); err != nil {
			t.Fatal(err)
		}
		if x.Name == name {
			return x.serve
		}
	}
	t.Fatalf("%s has no exchange %s", file, name)
	return nil
}

func (x exchange) serve(w http.ResponseWriter, _ *http.Request) {
	for key, value := range x.Header {
		w.Header().Set(key, value)
	}
	w.WriteHeader(x.Status)
	var page struct {
		Title string `json:"html_title"`
	}
	switch {
	case json.Unmarshal(x.Body, &page) == nil && page.Title != "":
		_, _ = w.Write([]byte("<html><title>" + page.Title + "</title>"))
	case x.Status != http.StatusNoContent && string(x.Body) != `""`:
		_, _ = w.Write(x.Body)
	}
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

func (x exchange) serveFunc() http.HandlerFunc { return x.serve }
