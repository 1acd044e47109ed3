package netbird

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// exchange is one line of a recording.
type exchange struct {
	Name            string            `json:"name"`
	Method          string            `json:"method"`
	URL             string            `json:"url"`
	Authorization   string            `json:"authorization"`
	RequestHeaders  map[string]string `json:"request_headers"`
	RequestForm     bool              `json:"request_form"`
	RequestBody     json.RawMessage   `json:"request_body"`
	Status          *int              `json:"status"`
	ResponseHeaders map[string]string `json:"response_headers"`
	ResponseBody    any               `json:"response_body"`
}

func readRecording(t *testing.T, name string) []exchange {
	t.Helper()
	f, err := os.Open("testdata/" + name + ".jsonl.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var out []exchange
	lines := bufio.NewScanner(z)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		var e exchange
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			t.Fatal(err)
		}
		out = append(out, e)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// stage is something that the recorder did to the servers between two requests.
type stage struct {
	at     int            // before the exchange with this index
	do     func(*replay)  // to other servers and to the database, first
	fresh  bool           // a new server with an empty store
	change func(*Options) // its configuration, or that of a restart
}

// replay sends a recording's requests to a simulated server and compares.
type replay struct {
	t        *testing.T
	base     string // the URL that the recorded server had
	all      []exchange
	server   *Server
	front    atomic.Pointer[Server] // the same, for requests
	upstream *provider
	clock    atomic.Int64      // in seconds
	ids      map[string]string // recorded → ours
	client   *http.Client
	last     string                 // the authorization that was sent last
	arrived  atomic.Pointer[func()] // called when the next request is there

	processes map[uint16]uint16 // recorded → ours, from the x-request-id
	counter   int32

	replayed, matched, upstreams int
}

func newReplay(t *testing.T, file, base string, up *provider) *replay {
	r := &replay{t: t, base: base, all: readRecording(t, file), upstream: up, ids: map[string]string{}, processes: map[uint16]uint16{}}
	r.clock.Store(1795474663)
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if given := r.arrived.Swap(nil); given != nil {
			(*given)()
		}
		r.front.Load().ServeHTTP(w, req)
	}))
	t.Cleanup(front.Close)
	t.Cleanup(front.CloseClientConnections)
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	listeners := map[string]string{u.Host: front.Listener.Addr().String()}
	maps.Copy(listeners, up.listeners)
	transport := &http.Transport{
		DisableKeepAlives: true,
		// The recorder's network had a proxy that refused every outside host.
		Proxy: func(req *http.Request) (*url.URL, error) {
			if strings.HasPrefix(req.URL.Host, "127.0.0.1:") {
				return nil, nil
			}
			return url.Parse("http://127.0.0.1:9")
		},
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			if there, ok := listeners[addr]; ok {
				addr = there
			}
			var d net.Dialer
			return d.DialContext(ctx, network, addr)
		},
	}
	r.client = &http.Client{Transport: transport, Timeout: patience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return r
}

// patience is more than any answer takes, on however busy a machine.
const patience = 2 * time.Minute

// neverAnswers is the server's way out, where one issuer never answers: the
// server gives up after ten seconds, which no test waits for.
type neverAnswers struct{ http.RoundTripper }

func (n neverAnswers) RoundTrip(req *http.Request) (*http.Response, error) {
	if strings.HasPrefix(req.URL.Path, "/hang/") {
		return nil, errors.New("context deadline exceeded (Client.Timeout exceeded while awaiting headers)")
	}
	return n.RoundTripper.RoundTrip(req)
}

func (r *replay) now() time.Time { return time.Unix(r.clock.Load(), 0) }

func (r *replay) options() Options {
	return Options{
		BaseURL: r.base, Now: r.now,
		HTTPClient: &http.Client{Transport: neverAnswers{r.client.Transport}, Timeout: patience},
	}
}

func (r *replay) enter(s stage) {
	if s.do != nil {
		s.do(r)
	}
	switch {
	case s.fresh:
		o := r.options()
		if s.change != nil {
			s.change(&o)
		}
		r.server = New(o)
		r.front.Store(r.server)
	case s.change != nil:
		if err := r.server.Reconfigure(s.change); err != nil {
			r.t.Fatalf("restart before %d: %v", s.at, err)
		}
	}
}

func (r *replay) run(stages []stage) {
	for i, e := range r.all {
		if d, err := http.ParseTime(e.ResponseHeaders["date"]); err == nil && d.After(r.now()) {
			r.clock.Store(d.Unix())
		}
		for _, s := range stages {
			if s.at == i {
				r.enter(s)
			}
		}
		if strings.HasPrefix(e.URL, "http") && !strings.HasPrefix(e.URL, r.base) {
			r.upstreams++
			r.upstream.next, r.upstream.code = r.claimsFor(i), codeIn(e.ResponseHeaders["location"])
		} else {
			r.replayed++
		}
		if problems := r.one(e); len(problems) > 0 {
			r.t.Errorf("#%d %s %s %s\n\t%s", i, e.Name, e.Method, e.URL, strings.Join(problems, "\n\t"))
		} else if !strings.HasPrefix(e.URL, "http") || strings.HasPrefix(e.URL, r.base) {
			r.matched++
		}
	}
	r.t.Logf("replayed %d, matched %d, left out 0; %d more were answered by the test's own upstream", r.replayed, r.matched, r.upstreams)
}

// codeIn is the code in a redirect.
func codeIn(location string) string {
	u, err := url.Parse(location)
	if err != nil {
		return ""
	}
	return u.Query().Get("code")
}

func (r *replay) one(e exchange) []string {
	resp, body, err := r.send(e)
	switch {
	case e.Status == nil && errors.Is(err, errGaveUp):
		return nil
	case e.Status == nil:
		return []string{fmt.Sprintf("want no answer, got %v %v", resp, err)}
	case err != nil:
		return []string{err.Error()}
	}
	var c comparison
	c.r = r
	if resp.StatusCode != *e.Status {
		c.bad("status %d, want %d: %.300s", resp.StatusCode, *e.Status, body)
	}
	for name, want := range e.ResponseHeaders {
		got := resp.Header.Get(name)
		switch name {
		case "location":
			c.location(got, want)
		case "content-type":
			if got != want {
				c.bad("content-type %q, want %q", got, want)
			}
		case "x-request-id":
			c.process(got, want)
		}
	}
	if _, want := e.ResponseHeaders["x-request-id"]; !want && resp.Header.Get("X-Request-Id") != "" {
		c.bad("an x-request-id that was not there")
	}
	c.body(body, e.ResponseBody)
	return c.problems
}

// errGaveUp ends a request that the recorded server never answered.
var errGaveUp = errors.New("no answer came")

// send sends a recorded request with our ids in it. One that was never answered
// is given up a while after it has arrived.
func (r *replay) send(e exchange) (*http.Response, []byte, error) {
	where := r.ours(e.URL)
	if !strings.HasPrefix(where, "http") {
		where = r.base + where
	}
	var body io.Reader
	headers := http.Header{}
	for k, v := range e.RequestHeaders {
		headers.Set(k, v)
	}
	if len(e.RequestBody) > 0 && string(e.RequestBody) != "null" {
		sent := r.ours(string(e.RequestBody))
		var text string
		var fields map[string]string
		switch {
		case json.Unmarshal([]byte(sent), &text) == nil:
			body = strings.NewReader(text)
		case e.RequestForm || strings.Contains(where, "/oauth2/") || headers.Get("Content-Type") == "application/x-www-form-urlencoded":
			if err := json.Unmarshal([]byte(sent), &fields); err != nil {
				return nil, nil, err
			}
			form := url.Values{}
			for k, v := range fields {
				form.Set(k, v)
			}
			headers.Set("Content-Type", "application/x-www-form-urlencoded")
			body = strings.NewReader(form.Encode())
		default:
			body = strings.NewReader(sent)
		}
	}
	ctx := r.t.Context()
	if e.Status == nil {
		var cancel context.CancelCauseFunc
		ctx, cancel = context.WithCancelCause(ctx)
		defer cancel(nil)
		giveUp := func() { time.AfterFunc(300*time.Millisecond, func() { cancel(errGaveUp) }) }
		r.arrived.Store(&giveUp)
	}
	req, err := http.NewRequestWithContext(ctx, e.Method, where, body)
	if err != nil {
		return nil, nil, err
	}
	req.Header = headers
	switch {
	case e.Authorization != "":
		r.last = r.authorization(e.Authorization)
		req.Header.Set("Authorization", r.last)
	case e.Status == nil:
		// Of a request without an answer the recorder kept no headers.
		req.Header.Set("Authorization", r.last)
	}
	resp, err := r.client.Do(req)
	if err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	return resp, answer, err
}

// ours puts our ids in the place of the recorded ones.
func (r *replay) ours(s string) string {
	known := slices.SortedFunc(maps.Keys(r.ids), func(a, b string) int { return len(b) - len(a) })
	for _, k := range known {
		s = strings.ReplaceAll(s, k, r.ids[k])
	}
	return s
}

var anyJWT = regexp.MustCompile(`eyJ[\w-]+\.([\w-]+)\.[\w-]*`)

// authorization puts our tokens in place. A JWT that no server gave out, because
// the recorder had made it himself, is made here in the same way.
func (r *replay) authorization(s string) string {
	found := anyJWT.FindStringSubmatch(s)
	if found == nil || r.ids[found[0]] != "" {
		return r.ours(s)
	}
	payload, err := base64.RawURLEncoding.DecodeString(found[1])
	if err != nil {
		r.t.Fatal(err)
	}
	sign := r.server.sign
	if r.server.opt().Standalone != nil {
		sign = r.upstream.sign
	}
	made, err := sign(json.RawMessage(r.ours(string(payload))))
	if err != nil {
		r.t.Fatal(err)
	}
	return strings.ReplaceAll(s, found[0], made)
}
