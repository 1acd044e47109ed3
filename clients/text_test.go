package clients_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"authbird/clients"
)

func TestClean(t *testing.T) {
	rows := map[string]struct{ in, want string }{
		"plain text stays":                   {"NetBird – für alle", "NetBird – für alle"},
		"escape sequences lose their escape": {"a\x1b[31mred\x1b]0;title\x07b", "a[31mred]0;titleb"},
		"C1 controls go":                     {"a\u009b31mb", "a31mb"},
		"lines become one":                   {"one\r\n\ttwo\u2028three\n", "one two three"},
		"bidirectional marks go":             {"abc\u202egnp.exe\u2066x\u2069", "abcgnp.exex"},
		"zero width goes":                    {"pay\u200bpal\ufeff\u2060\u00ad", "paypal"},
		"fillers and variation selectors go": {"a\u3164b\ufe0fc\U000e0100d\U000e0041", "abcd"},
		"private use goes":                   {"a\ue000b", "ab"},
		"broken UTF-8 is shown as such":      {"a\xff\xfeb", "a\uFFFDb"},
		"nothing stays nothing":              {" \n\t", ""},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			if got := clients.Clean(row.in); got != row.want {
				t.Errorf("Clean(%q) = %q, want %q", row.in, got, row.want)
			}
		})
	}
	if got := clients.CleanN("fünf  und zwanzig", 6); got != "fünf…" {
		t.Errorf("CleanN cuts to %q", got)
	}
	if got := clients.CleanN("genau", 5); got != "genau" {
		t.Errorf("CleanN cuts what fits: %q", got)
	}
}

func FuzzClean(f *testing.F) {
	f.Add("a\x1b[31m\u202e\u200b\n")
	f.Fuzz(func(t *testing.T, s string) {
		got := clients.Clean(s)
		if strings.ContainsAny(got, "\n\r\t\x1b\x00\u202e\u200b") || clients.Clean(got) != got {
			t.Errorf("Clean(%q) = %q", s, got)
		}
	})
}

func TestReasonCutsThePageThatNetBirdQuotes(t *testing.T) {
	said := "identity provider issuer is unreachable: 404 not found: <!doctype html>\n<html>" + strings.Repeat("x", 4800) + "</html>"
	if got := clients.Reason(said); got != "identity provider issuer is unreachable: 404 not found…" {
		t.Errorf("got %q", got)
	}
	if got := clients.Reason("a < b"); got != "a < b" {
		t.Errorf("got %q", got)
	}
}

func TestBaseURL(t *testing.T) {
	rows := map[string]struct{ in, want string }{
		"a bare host is https":                      {"auth.example.com", "https://auth.example.com"},
		"a slash at the end goes":                   {"https://auth.example.com/", "https://auth.example.com"},
		"a page of the admin interface is the host": {"https://auth.example.com/if/admin/#/core/providers", "https://auth.example.com"},
		"a port stays":                              {"https://host:9443", "https://host:9443"},
		"a bare host may have a port":               {"localhost:9443", "https://localhost:9443"},
		"the scheme's own port goes":                {"https://Auth.Example.com:443/x?y", "https://auth.example.com"},
		"http stays http":                           {"HTTP://127.0.0.1:9000", "http://127.0.0.1:9000"},
		"the port of http goes":                     {"http://127.0.0.1:80", "http://127.0.0.1"},
		"IPv6 keeps its brackets":                   {"https://[::1]:9443/", "https://[::1]:9443"},
		"spaces around go":                          {"  auth.example.com\n", "https://auth.example.com"},
		"nothing is refused":                        {" ", ""},
		"a user name is refused":                    {"https://me@auth.example.com", ""},
		"a password is refused":                     {"https://me:secret@auth.example.com", ""},
		"another scheme is refused":                 {"ftp://auth.example.com", ""},
		"javascript is refused":                     {"javascript://auth.example.com", ""},
		"no host is refused":                        {"https:///path", ""},
		"a space inside is refused":                 {"https://auth example.com", ""},
		"an escape is refused":                      {"https://auth\x1b.example.com", ""},
		"a backslash is refused":                    {`https://auth.example.com\@evil.example`, ""},
		"a port beyond all ports is refused":        {"https://auth.example.com:70000", ""},
		"port 0 is refused":                         {"https://auth.example.com:0", ""},
		"broken IPv6 is refused":                    {"https://[::1", ""},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			got, err := clients.BaseURL(row.in)
			if got != row.want || (err == nil) != (row.want != "") {
				t.Errorf("BaseURL(%q) = %q, %v; want %q", row.in, got, err, row.want)
			}
			if err != nil && strings.Contains(err.Error(), "secret") {
				t.Errorf("the error gives the password away: %v", err)
			}
		})
	}
}

func TestInsecureBeyondLoopback(t *testing.T) {
	for url, want := range map[string]bool{
		"https://auth.example.com": false, "http://127.0.0.1:9000": false, "http://127.9.9.9": false, "http://[::1]:80": false,
		"http://localhost:8080": false, "http://a.localhost": false, "http://auth.example.com": true, "http://10.0.0.1": true,
		"http://localhost.example.com": true, "HTTP://192.168.1.1": true, "http://127.0.0.1.example.com": true,
	} {
		if got := clients.InsecureBeyondLoopback(url); got != want {
			t.Errorf("%s: %v, want %v", url, got, want)
		}
	}
}

func TestSameOrigin(t *testing.T) {
	const base = "https://auth.example.com"
	for target, follow := range map[string]bool{
		base + "/jwks/":                       true,
		"https://auth.example.com:443/jwks/":  true,
		"HTTPS://AUTH.example.com/jwks/":      true,
		"http://auth.example.com/jwks/":       false,
		"https://auth.example.com:8443/jwks/": false,
		"https://auth.example.com.evil/":      false,
		"https://auth.example.com@evil/":      false,
		"//auth.example.com/":                 false,
		"/jwks/":                              false,
		"":                                    false,
	} {
		if got := clients.SameOrigin(base, target); got != follow {
			t.Errorf("%s: %v, want %v", target, got, follow)
		}
	}
}

func TestRedact(t *testing.T) {
	rows := map[string]struct{ in, want string }{
		"what is no secret stays in its order": {"https://a/x?b=2&a=1&client_id=c", "https://a/x?b=2&a=1&client_id=c"},
		"secrets of OAuth are masked": {"https://a/cb?code=1&state=2&client_secret=3&code_verifier=4&token=5&scope=openid",
			"https://a/cb?code=***&state=***&client_secret=***&code_verifier=***&token=***&scope=openid"},
		"case and escapes don't hide a name":      {"https://a/?CODE=1&cl%69ent_secret=2", "https://a/?CODE=***&cl%69ent_secret=***"},
		"an address within the address is masked": {"https://a/?next=%2Fauthorize%2F%3Fstate%3Dgeheim%26x%3D1", "https://a/?next=%2Fauthorize%2F%3Fstate%3D%2A%2A%2A%26x%3D1"},
		"a password is masked":                    {"https://me:geheim@a/", "https://%2A%2A%2A@a/"},
		"a fragment is masked":                    {"https://a/#access_token=1", "https://a/#%2A%2A%2A"},
		"what can't be read is not shown":         {"https://a/%zz?code=1", "(an address that can't be read)"},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			got := clients.Redact(row.in)
			if got != row.want && got != strings.ReplaceAll(row.want, "%2A%2A%2A", "***") {
				t.Errorf("Redact(%q) = %q, want %q", row.in, got, row.want)
			}
		})
	}
}

func TestTracer(t *testing.T) {
	var buf bytes.Buffer
	trace := clients.NewTracer(&buf)
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			trace(clients.Exchange{Time: time.Date(2026, 11, 24, 1, 2, 3, 456e6, time.UTC), MS: 1.5, Method: "GET", URL: "https://a/", Status: 200, Attempt: i, Sent: 1, Received: 2})
		})
	}
	wg.Wait()
	lines := strings.Split(strings.TrimSpace(buf.String()), "\n")
	if len(lines) != 20 {
		t.Fatalf("%d lines", len(lines))
	}
	var got map[string]any
	if err := json.Unmarshal([]byte(lines[0]), &got); err != nil {
		t.Fatal(err)
	}
	delete(got, "attempt")
	want := map[string]any{"time": "2026-11-24T01:02:03.456Z", "ms": 1.5, "method": "GET", "url": "https://a/", "status": 200.0,
		"sent": 1.0, "received": 2.0, "error": ""}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}
