package clients_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"authbird/clients"
)

func TestALibraryUsesTheTransport(t *testing.T) {
	var got *http.Request
	var body string
	w := serve(t, clients.Options{}, cut, func(rw http.ResponseWriter, r *http.Request) {
		got = r
		good(rw, r)
	}, answer(400, "application/json", `{"error":"invalid_grant","error_description":"no such code: geheim"}`))
	h := w.tr.HTTPClient(clients.Call{Server: "Authentik", Op: "redeem a code", Token: "the-token", Secrets: []string{"geheim"}})

	resp, err := h.Get(w.server.URL + "/a")
	if err != nil {
		t.Fatal(err)
	}
	b, _ := io.ReadAll(resp.Body)
	body = string(b)
	if resp.StatusCode != 200 || body != `{"ok":true}` || got.Header.Get("Authorization") != "Bearer the-token" {
		t.Errorf("%d %s, authorization %q", resp.StatusCode, body, got.Header.Get("Authorization"))
	}
	_, err = h.Post(w.server.URL+"/b", "application/x-www-form-urlencoded", strings.NewReader("code=geheim"))
	var e *clients.Error
	if !errors.As(err, &e) || e.Kind != clients.Refused || e.Op != "redeem a code" || e.Fields["error"][0] != "invalid_grant" || strings.Contains(err.Error(), "geheim") {
		t.Errorf("%v", err)
	}
	if hits, _, _ := w.seen(); hits != 3 {
		t.Errorf("%d requests, want 3: the cut one, again, and the refused one", hits)
	}
}
