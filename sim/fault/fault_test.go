package fault

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// world is a server that counts how often its handler ran, with faults in front.
func world(t *testing.T) (*Faults, string, func() int) {
	t.Helper()
	var mu sync.Mutex
	ran := 0
	f := New()
	s := httptest.NewServer(f.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		ran++
		mu.Unlock()
		w.WriteHeader(http.StatusCreated)
	})))
	t.Cleanup(s.Close)
	t.Cleanup(f.Clear)
	return f, s.URL, func() int { mu.Lock(); defer mu.Unlock(); return ran }
}

func order(t *testing.T, f *Faults, x Fault) {
	t.Helper()
	if err := f.Order(x); err != nil {
		t.Fatal(err)
	}
}

func send(t *testing.T, method, url string) (*http.Response, string, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader("body"))
	if err != nil {
		t.Fatal(err)
	}
	// A fresh connection for each, so that a cut one isn't silently retried.
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
	if err != nil {
		return nil, "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return resp, string(b), err
}

func TestStatusHitsAfterSkipAndThenStops(t *testing.T) {
	f, url, ran := world(t)
	order(t, f, Fault{Method: "PUT", Path: "/a/*", Skip: 1, Times: 2, Kind: Status, Status: 409})
	var got []int
	for range 4 {
		resp, _, err := send(t, "PUT", url+"/a/b")
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, resp.StatusCode)
	}
	resp, _, err := send(t, "GET", url+"/a/b")
	if err != nil || resp.StatusCode != 201 {
		t.Fatalf("GET: %v %v", resp, err)
	}
	if want := []int{201, 409, 409, 201}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if ran() != 3 {
		t.Errorf("handler ran %d times, want 3", ran())
	}
}

func TestAnswersInTheServersPlace(t *testing.T) {
	f, url, _ := world(t)
	f.SetErrorBody(func(int) string { return `{"detail":"no"}` })
	order(t, f, Fault{Path: "/s", Kind: Status})
	order(t, f, Fault{Path: "/h", Kind: HTML})
	order(t, f, Fault{Path: "/r", Kind: RateLimit, RetryAfter: "7"})
	resp, body, err := send(t, "GET", url+"/s")
	if err != nil || resp.StatusCode != 500 || body != `{"detail":"no"}` {
		t.Errorf("status: %v %q %v", resp, body, err)
	}
	resp, body, err = send(t, "GET", url+"/h")
	if err != nil || resp.StatusCode != 502 || !strings.Contains(body, "<title>502 Bad Gateway</title>") {
		t.Errorf("html: %v %q %v", resp, body, err)
	}
	resp, _, err = send(t, "GET", url+"/r")
	if err != nil || resp.StatusCode != 429 || resp.Header.Get("Retry-After") != "7" {
		t.Errorf("rate limit: %v %v", resp, err)
	}
}

func TestCutsLoseTheAnswer(t *testing.T) {
	for _, tt := range []struct {
		kind Kind
		ran  int
	}{{CutBefore, 0}, {CutAfter, 1}} {
		f, url, ran := world(t)
		order(t, f, Fault{Kind: tt.kind})
		if resp, _, err := send(t, "POST", url+"/x"); err == nil {
			t.Errorf("%s: answered %v", tt.kind, resp.Status)
		}
		if ran() != tt.ran {
			t.Errorf("%s: handler ran %d times, want %d", tt.kind, ran(), tt.ran)
		}
		if got := f.Requests(); len(got) != 1 || got[0].Status != 0 || got[0].Method != "POST" {
			t.Errorf("%s: requests %+v", tt.kind, got)
		}
	}
}

func TestHangEndsWithTheClientOrTheOrder(t *testing.T) {
	f, url, ran := world(t)
	order(t, f, Fault{Kind: Hang, Times: -1})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error)
	go func() {
		req, _ := http.NewRequestWithContext(ctx, "POST", url+"/x", strings.NewReader("{}"))
		_, err := http.DefaultTransport.RoundTrip(req)
		done <- err
	}()
	arrived(f, 1)
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want that the client gave up", err)
	}
	go func() { _, _, err := send(t, "GET", url+"/y"); done <- err }()
	arrived(f, 2)
	f.Clear()
	if err := <-done; err == nil {
		t.Error("a cleared hang was answered")
	}
	if ran() != 0 {
		t.Errorf("handler ran %d times", ran())
	}
}

// arrived waits until the server has seen so many requests.
func arrived(f *Faults, n int) {
	for len(f.Requests()) < n {
		runtime.Gosched()
	}
}

func TestSlowIsAnsweredOnceCleared(t *testing.T) {
	f, url, ran := world(t)
	order(t, f, Fault{Kind: Slow, DelayMS: int(time.Hour.Milliseconds())})
	done := make(chan error)
	go func() { _, _, err := send(t, "GET", url+"/x"); done <- err }()
	arrived(f, 1)
	if ran() != 0 {
		t.Error("a slow request was let through at once")
	}
	f.Clear()
	if err := <-done; err != nil || ran() != 1 {
		t.Errorf("a cleared slow request: %v, the handler ran %d times", err, ran())
	}
}

func TestSlowAndLatencyWait(t *testing.T) {
	f, url, _ := world(t)
	f.SetLatency(10 * time.Millisecond)
	order(t, f, Fault{Kind: Slow, DelayMS: 15})
	if _, _, err := send(t, "GET", url+"/x"); err != nil {
		t.Fatal(err)
	}
	got := f.Requests()[0]
	if d := got.End.Sub(got.Start); d < 25*time.Millisecond || got.Status != 201 {
		t.Errorf("took %v with status %d", d, got.Status)
	}
}

func TestOrdersWithoutMeaningAreRefused(t *testing.T) {
	for _, x := range []Fault{{}, {Kind: "explode"}, {Kind: Status, Status: 42}, {Kind: Slow, DelayMS: -1}, {Kind: Hang, Path: "/[**"}, {Kind: Hang, Times: -2}} {
		f := New()
		if err := f.Order(x); err == nil || len(f.List()) != 0 {
			t.Errorf("%+v: %v, %v", x, err, f.List())
		}
	}
}

func TestControlByHTTP(t *testing.T) {
	f, url, _ := world(t)
	post := func(body string) int {
		resp, err := http.Post(url+"/_sandbox/fault", "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.StatusCode
	}
	if got := post(`{"kind":"status","status":400,"path":"/q"}`); got != 204 {
		t.Errorf("order: %d", got)
	}
	for _, bad := range []string{`{"kind":"x"}`, `{"kind":"hang","tims":3}`, `{`} {
		if got := post(bad); got != 400 {
			t.Errorf("order %s: %d", bad, got)
		}
	}
	_, body, err := send(t, "GET", url+"/_sandbox/fault")
	if want := `[{"path":"/q","times":1,"kind":"status","status":400}]`; err != nil || strings.TrimSpace(body) != want {
		t.Errorf("list %q %v, want %q", body, err, want)
	}
	if resp, _, err := send(t, "DELETE", url+"/_sandbox/fault"); err != nil || resp.StatusCode != 204 {
		t.Errorf("clear: %v %v", resp, err)
	}
	if resp, _, err := send(t, "GET", url+"/q"); err != nil || resp.StatusCode != 201 {
		t.Errorf("after clear: %v %v", resp, err)
	}
	if n := len(f.Requests()); n != 1 {
		t.Errorf("%d requests counted, want 1", n)
	}
}

func TestMatchPath(t *testing.T) {
	for _, tt := range []struct {
		pattern, path string
		want          bool
	}{
		{"/api/v3/core/users/me/", "/api/v3/core/users/me/", true},
		{"/api/v3/core/*/", "/api/v3/core/users/", true},
		{"/api/v3/core/*", "/api/v3/core/users/", false},
		{"/api/v3/**", "/api/v3/core/users/", true},
		{"/api/v3/**", "/api/v3/", true},
		{"/api/v3/**", "/api/v2/core/", false},
		{"/api/v3/core/us**", "/api/v3/core/users/3/", true},
		{"/api/v3/core/us**", "/api/v3/core/groups/", false},
		{"/*/o/**", "/application/o/token/", true},
		{"**", "/anything/at/all", true},
	} {
		if got := matchPath(tt.pattern, tt.path); got != tt.want {
			t.Errorf("%s on %s: %v", tt.pattern, tt.path, got)
		}
	}
}

func TestLatencySparesTheOtherSimulator(t *testing.T) {
	f := New()
	f.SetLatency(time.Hour)
	h := f.Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set(Beside, "netbird")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code != http.StatusNoContent {
		t.Errorf("status %d", w.Code)
	}
}
