package clients_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"authbird/clients"
)

const page502 = "<html><head><title>502 Bad Gateway</title></head></html>"

// TestFaults: each row is a server that fails for a while, and what the transport makes of it.
func TestFaults(t *testing.T) {
	page := answer(502, "text/html", page502)
	busy := answer(429, "application/json", `{"detail":"slow down"}`)
	gone := answer(503, "text/html", "<title>maintenance</title>")
	rows := map[string]struct {
		method string
		steps  []http.HandlerFunc
		kind   clients.Kind // 0: it succeeds
		hits   int
		says   string
	}{
		"a read goes through at once":                                {"GET", []http.HandlerFunc{good}, 0, 1, ""},
		"a read survives a 502":                                      {"GET", []http.HandlerFunc{page, good}, 0, 2, ""},
		"a read survives two cut connections":                        {"GET", []http.HandlerFunc{cut, cut, good}, 0, 3, ""},
		"a read survives half an answer":                             {"GET", []http.HandlerFunc{half, good}, 0, 2, ""},
		"a read survives a 503 without Retry-After":                  {"GET", []http.HandlerFunc{gone, good}, 0, 2, ""},
		"a read that meets 502 each time is given up as unreachable": {"GET", []http.HandlerFunc{page}, clients.Unreachable, 4, `titled "502 Bad Gateway"`},
		"a read that is cut each time is given up as unreachable":    {"GET", []http.HandlerFunc{cut}, clients.Unreachable, 4, "closed the connection"},
		"a read that meets 429 each time is not now":                 {"GET", []http.HandlerFunc{busy}, clients.NotNow, 4, "come back later: slow down"},
		"a read that meets 500 is not repeated":                      {"GET", []http.HandlerFunc{answer(500, "application/json", `{"message":"internal server error"}`)}, clients.Unreachable, 1, "internal server error"},
		"a write that is cut is never sent again":                    {"POST", []http.HandlerFunc{cut, good}, clients.Unknown, 1, "it was sent, but"},
		"a write that gets half an answer is never sent again":       {"POST", []http.HandlerFunc{half, good}, clients.Unknown, 1, "it was sent, but"},
		"a write that meets a 502 page is unknown":                   {"PUT", []http.HandlerFunc{page, good}, clients.Unknown, 1, "502 Bad Gateway"},
		"a write that meets a 503 without Retry-After is unknown":    {"PATCH", []http.HandlerFunc{gone, good}, clients.Unknown, 1, "maintenance"},
		"a write that meets 500 is unknown":                          {"DELETE", []http.HandlerFunc{answer(500, "application/json", "{}"), good}, clients.Unknown, 1, ""},
		"a write that is told not now is sent again":                 {"POST", []http.HandlerFunc{busy, good}, 0, 2, ""},
		"a write that meets 503 with Retry-After is sent again":      {"POST", []http.HandlerFunc{answer(503, "text/plain", "", "Retry-After", "1"), good}, 0, 2, ""},
		"a write that is told not now each time is not now":          {"POST", []http.HandlerFunc{busy}, clients.NotNow, 4, ""},
		"a Retry-After beyond half a minute is the caller's to wait": {"GET", []http.HandlerFunc{answer(429, "text/plain", "", "Retry-After", "3600")}, clients.NotNow, 1, "in 1h0m0s"},
		"a Retry-After that overflows is not waited for":             {"GET", []http.HandlerFunc{answer(429, "text/plain", "", "Retry-After", "9223372036854775807")}, clients.NotNow, 1, ""},
		"a Retry-After that is nonsense gets the usual backoff":      {"GET", []http.HandlerFunc{answer(429, "text/plain", "", "Retry-After", "soon"), good}, 0, 2, ""},
		"a redirect is not followed":                                 {"GET", []http.HandlerFunc{answer(302, "text/html", "", "Location", "/login?next=/x&token=geheim")}, clients.WrongServer, 1, "/login"},
		"a redirect of a write is not followed":                      {"POST", []http.HandlerFunc{answer(307, "text/html", "", "Location", "https://elsewhere.example/in")}, clients.WrongServer, 1, "it sends on to https://elsewhere.example/in"},
		"a login page is not the API":                                {"GET", []http.HandlerFunc{answer(200, "text/html", "<!doctype html><title>Sign\n in</title>")}, clients.WrongServer, 1, `titled "Sign in"`},
		"a page in the place of a write's answer tells nothing":      {"POST", []http.HandlerFunc{answer(200, "text/html", "<!doctype html><title>Wait</title>")}, clients.Unknown, 1, `titled "Wait"`},
		"a page that calls itself JSON is a page":                    {"GET", []http.HandlerFunc{answer(200, "application/json", " <html><title>Trust me</title>")}, clients.WrongServer, 1, "Trust me"},
		"an answer that is no JSON is not the API":                   {"GET", []http.HandlerFunc{answer(200, "text/plain", "pong")}, clients.WrongServer, 1, ""},
		"an unreadable answer to a write leaves it unknown":          {"POST", []http.HandlerFunc{answer(200, "text/plain", "pong")}, clients.Unknown, 1, ""},
		"an answer that never ends is refused":                       {"GET", []http.HandlerFunc{answer(200, "application/json", `"`+strings.Repeat("a", 5<<20))}, clients.WrongServer, 1, "longer than it can be"},
		"an endless answer to a write leaves it unknown":             {"POST", []http.HandlerFunc{answer(200, "application/json", `"`+strings.Repeat("a", 5<<20))}, clients.Unknown, 1, ""},
		"a 400 is refused, and not repeated":                         {"POST", []http.HandlerFunc{answer(400, "application/json", `{"slug":["Application with this slug already exists."]}`)}, clients.Refused, 1, "slug: Application with this slug already exists."},
		"a 409 is a conflict":                                        {"POST", []http.HandlerFunc{answer(409, "application/json", `{"message":"x","code":409}`)}, clients.Conflict, 1, "(409): x"},
		"a JSON 404 is absent":                                       {"GET", []http.HandlerFunc{answer(404, "application/json", `{"detail":"Not found."}`)}, clients.Absent, 1, ""},
		"a bare 404 is a call that this version doesn't know":        {"GET", []http.HandlerFunc{answer(404, "text/plain", "404 page not found\n")}, clients.Unsupported, 1, ""},
		"a 204 needs no body":                                        {"DELETE", []http.HandlerFunc{func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }}, 0, 1, ""},
		"what an HTTPS port says to http is told by its title":       {"GET", []http.HandlerFunc{answer(400, "text/html", "<title>400 The plain HTTP request was sent to HTTPS port</title>")}, clients.WrongServer, 1, "HTTPS port"},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			w := serve(t, clients.Options{}, row.steps...)
			var out map[string]any
			into := any(&out)
			if row.method == http.MethodDelete {
				into = nil
			}
			_, err := w.tr.JSON(t.Context(), w.call(row.method), nil, into)
			if got := clients.KindOf(err); got != row.kind {
				t.Fatalf("kind %v, want %v: %v", got, row.kind, err)
			}
			hits, waits, exchanges := w.seen()
			if hits != row.hits || len(exchanges) != row.hits || len(waits) != row.hits-1 {
				t.Errorf("%d requests, %d traced, %d waits between; want %d requests", hits, len(exchanges), len(waits), row.hits)
			}
			if err != nil && (!strings.Contains(err.Error(), row.says) || strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), "geheim")) {
				t.Errorf("error %q, want one line with %q", err, row.says)
			}
			for i, x := range exchanges {
				if x.Attempt != i+1 || x.Method != row.method || x.Time.IsZero() {
					t.Errorf("exchange %d is %+v", i, x)
				}
			}
		})
	}
}

func TestAnErrorIsOneLineInWords(t *testing.T) {
	w := serve(t, clients.Options{}, answer(400, "application/json", `{"app":{"slug":["Application with this slug already exists."]},"provider":{"name":["taken"]}}`))
	call := w.call("POST")
	call.Op = "create the provider"
	_, err := w.tr.Do(t.Context(), call)
	want := "create the provider in Authentik: refused (400): app.slug: Application with this slug already exists.; provider.name: taken"
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	var e *clients.Error
	if !errors.As(err, &e) || len(e.Fields["app.slug"]) != 1 || len(e.Fields["provider.name"]) != 1 {
		t.Errorf("fields %v", e.Fields)
	}
}

func TestAServerIsNamedOnce(t *testing.T) {
	w := serve(t, clients.Options{}, answer(404, "application/json", `{"detail":"gone"}`))
	call := w.call("GET")
	call.Op = "find Authentik"
	if _, err := w.tr.Do(t.Context(), call); err == nil || err.Error() != "find Authentik: absent (404): gone" {
		t.Errorf("got %v", err)
	}
}

func TestRetriesBackOffAndHonourRetryAfter(t *testing.T) {
	w := serve(t, clients.Options{}, cut, cut, answer(429, "text/plain", "", "Retry-After", "7"), good)
	if _, err := w.tr.Do(t.Context(), w.call("GET")); err != nil {
		t.Fatal(err)
	}
	_, waits, _ := w.seen()
	want := []time.Duration{250 * time.Millisecond, 500 * time.Millisecond, 7 * time.Second}
	if fmt.Sprint(waits) != fmt.Sprint(want) {
		t.Errorf("waited %v, want %v", waits, want)
	}
}

func TestAHangEndsWithTheTimeout(t *testing.T) {
	for method, kind := range map[string]clients.Kind{"GET": clients.Unreachable, "POST": clients.Unknown} {
		synctest.Test(t, func(t *testing.T) {
			w := silent(t, clients.Options{Timeout: 20 * time.Second})
			began := time.Now()
			_, err := w.tr.Do(t.Context(), w.call(method))
			if clients.KindOf(err) != kind || !strings.Contains(err.Error(), "no answer from 127.0.0.1") || !strings.Contains(err.Error(), "within 20s") {
				t.Errorf("%s: %v, want %v", method, err, kind)
			}
			if hits, _, _ := w.seen(); hits != 1 || time.Since(began) != 20*time.Second {
				t.Errorf("%s: a hang was tried %d times, for %v", method, hits, time.Since(began))
			}
		})
	}
}

func TestNothingListens(t *testing.T) {
	for _, method := range []string{"GET", "POST"} {
		w := serve(t, clients.Options{}, good)
		call := w.call(method)
		call.URL = closedPort(t) + "/x"
		_, err := w.tr.Do(t.Context(), call)
		if clients.KindOf(err) != clients.Unreachable || !strings.Contains(err.Error(), "connection refused") {
			t.Errorf("%s: %v", method, err)
		}
		if _, waits, exchanges := w.seen(); len(exchanges) != 4 || len(waits) != 3 || exchanges[0].Status != 0 || exchanges[0].Error == "" || exchanges[0].Sent != 0 {
			t.Errorf("%s: exchanges %+v; want four attempts, since nothing was sent", method, exchanges)
		}
	}
}

func TestCancelling(t *testing.T) {
	rows := map[string]struct {
		method string
		kind   clients.Kind
	}{
		"a read that is interrupted is cancelled":                              {"GET", clients.Cancelled},
		"a write that is interrupted after it was sent has an unknown outcome": {"POST", clients.Unknown},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			w := serve(t, clients.Options{}, func(rw http.ResponseWriter, r *http.Request) {
				cancel()
				hang(rw, r)
			})
			_, err := w.tr.Do(ctx, w.call(row.method))
			if clients.KindOf(err) != row.kind || !errors.Is(err, context.Canceled) {
				t.Errorf("%v (%v), want %v and context.Canceled", err, clients.KindOf(err), row.kind)
			}
		})
	}
	t.Run("a write that was not begun is cancelled", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		w := serve(t, clients.Options{}, good)
		_, err := w.tr.Do(ctx, w.call("POST"))
		if hits, _, _ := w.seen(); hits != 0 || clients.KindOf(err) != clients.Cancelled || !errors.Is(err, context.Canceled) {
			t.Errorf("%d requests, %v", hits, err)
		}
	})
	t.Run("a wait between attempts can be interrupted", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		w := serve(t, clients.Options{Wait: func(ctx context.Context, _ time.Duration) error { cancel(); return ctx.Err() }}, cut)
		_, err := w.tr.Do(ctx, w.call("GET"))
		if hits, _, _ := w.seen(); hits != 1 || clients.KindOf(err) != clients.Cancelled || !errors.Is(err, context.Canceled) {
			t.Errorf("%d requests, %v", hits, err)
		}
	})
	t.Run("a deadline of the caller is a server out of reach", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			w := silent(t, clients.Options{})
			_, err := w.tr.Do(ctx, w.call("GET"))
			if clients.KindOf(err) != clients.Unreachable || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%v", err)
			}
		})
	})
}

func TestConnectionsAreKept(t *testing.T) {
	var mu sync.Mutex
	ports := map[string]bool{}
	w := serve(t, clients.Options{}, func(rw http.ResponseWriter, r *http.Request) {
		mu.Lock()
		ports[r.RemoteAddr] = true
		mu.Unlock()
		good(rw, r)
	})
	for range 10 {
		if _, err := w.tr.Do(t.Context(), w.call("GET")); err != nil {
			t.Fatal(err)
		}
	}
	if len(ports) != 1 {
		t.Errorf("ten requests used %d connections", len(ports))
	}
}

func TestWhatIsSent(t *testing.T) {
	var got *http.Request
	w := serve(t, clients.Options{UserAgent: "authbird/1.2"}, func(rw http.ResponseWriter, r *http.Request) {
		got = r
		good(rw, r)
	})
	call := w.call("POST")
	call.Token = "the-token"
	if _, err := w.tr.Do(t.Context(), call); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"Authorization": "Bearer the-token", "Accept": "application/json",
		"Accept-Language": "en", "User-Agent": "authbird/1.2", "Content-Type": "application/json"} {
		if g := got.Header.Get(name); g != want {
			t.Errorf("%s: %q, want %q", name, g, want)
		}
	}
}

func TestClockAndCount(t *testing.T) {
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	w := serve(t, clients.Options{Now: func() time.Time { return now }},
		answer(200, "application/json", `{"ok":true}`, "Date", now.Add(90*time.Second).Format(http.TimeFormat)))
	a, err := w.tr.Do(t.Context(), w.call("POST"))
	if err != nil {
		t.Fatal(err)
	}
	d, known := a.ClockDifference()
	if !known || d != 90*time.Second+500*time.Millisecond {
		t.Errorf("clock difference %v, %v", d, known)
	}
	_, _, x := w.seen()
	if x[0].Sent != 7 || x[0].Received != 11 || x[0].Status != 200 || !x[0].Time.Equal(now) {
		t.Errorf("exchange %+v", x[0])
	}
	if _, known := (clients.Meta{At: now}).ClockDifference(); known {
		t.Error("a clock without a Date is known")
	}
}
