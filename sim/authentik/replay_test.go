package authentik

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// exchange is one line of a recording.
type exchange struct {
	Name            string            `json:"name"`
	Method          string            `json:"method"`
	URL             string            `json:"url"`
	Authorization   *string           `json:"authorization"`
	RequestHeaders  map[string]string `json:"request_headers"`
	RequestForm     bool              `json:"request_form"`
	RequestBody     any               `json:"request_body"`
	Status          *int              `json:"status"`
	ResponseHeaders map[string]string `json:"response_headers"`
	ResponseBody    any               `json:"response_body"`
}

// leaveOut are the lines that aren't compared, by their name or a part of their
// address, and why.
var leaveOut = map[string]string{
	"/api/v3/schema/":       "the schema is a file of its own, and no part of authbird asks for it",
	"/api/v3/admin/system/": "an echo of the recording machine's environment; no client may call it",
	"tokpatch-desc-only":    "akadmin had logged in with a browser in between, which wasn't recorded; TestTokenTraps has the same",
}

// recordings are the files with the version that each was recorded from.
var recordings = map[string]string{
	"authentik-2024.12.3":                           "2024.12.3",
	"authentik-2025.12":                             "2025.12.0-rc1",
	"authentik-2024.12.3-transactions-login-rights": "2024.12.3",
	"authentik-2025.12-transactions-login-rights":   "2025.12.0-rc1",
}

// TestConformance replays every recorded request in its order, and compares
// the answers with the recorded ones.
func TestConformance(t *testing.T) {
	for file, version := range recordings {
		t.Run(file, func(t *testing.T) {
			replayFile(t, filepath.Join("testdata", file+".jsonl"), version)
		})
	}
}

func replayFile(t *testing.T, path, version string) {
	t.Helper()
	lines := readRecording(t, path)
	r := newReplay(t, New(Options{Version: version, Token: "boot-token-0123456789abcdef"}), lines)
	matched, left := 0, 0
	for i, x := range lines {
		if why := leftOut(x); why != "" {
			left++
			continue
		}
		problems := r.step(x)
		if len(problems) == 0 {
			matched++
			continue
		}
		t.Errorf("line %d, %s: %s %s\n\t%s", i+1, x.Name, x.Method, x.URL, strings.Join(problems, "\n\t"))
	}
	t.Logf("%s: %d lines, %d replayed, %d matched, %d left out", filepath.Base(path), len(lines), len(lines)-left, matched, left)
}

func leftOut(x exchange) string {
	for part, why := range leaveOut {
		if x.Name == part || strings.Contains(x.URL, part) {
			return why
		}
	}
	return ""
}

func readRecording(t *testing.T, path string) []exchange {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out []exchange
	scan := bufio.NewScanner(f)
	scan.Buffer(nil, 16<<20)
	for scan.Scan() {
		var x exchange
		if err := json.Unmarshal(scan.Bytes(), &x); err != nil {
			t.Fatal(err)
		}
		out = append(out, x)
	}
	if err := scan.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// replay sends recorded requests to a server and keeps the map from recorded
// ids to the server's own.
type replay struct {
	t      *testing.T
	server http.Handler
	host   string
	ids    *idMap
	cookie map[string]string
}

var (
	hostPattern  = regexp.MustCompile(`http://(127\.0\.0\.1:\d+)`)
	tokenPattern = regexp.MustCompile(`"eyJ[\w-]+\.([\w-]+)\.`)
)

func newReplay(t *testing.T, server http.Handler, lines []exchange) *replay {
	r := &replay{t: t, server: server, ids: newIDMap(), cookie: map[string]string{}}
	for _, x := range lines {
		b, _ := json.Marshal(x.ResponseBody)
		if m := hostPattern.FindSubmatch(append(b, readTokens(b)...)); m != nil {
			r.host = string(m[1])
			break
		}
	}
	return r
}

// readTokens decodes what tokens there are in a text.
func readTokens(b []byte) []byte {
	var out []byte
	for _, m := range tokenPattern.FindAllSubmatch(b, -1) {
		out = append(out, decode(string(m[1]))...)
	}
	return out
}

// step replays one line and returns how the answer differs from the recorded.
func (r *replay) step(x exchange) []string {
	if x.Name == "device-throttled" {
		// The calls that used up the address's share weren't recorded.
		for range devicePerHour {
			r.send(x)
		}
	}
	got := r.send(x)
	c := &comparison{ids: r.ids}
	if x.Status != nil && got.Code != *x.Status {
		c.problem("status", "is %d, recorded %d; body %.300s", got.Code, *x.Status, got.Body.String())
		return c.problems
	}
	r.compareHeaders(c, x, got)
	if html, ok := x.ResponseBody.(map[string]any); ok && html["html_title"] != nil {
		title := titlePattern.FindStringSubmatch(got.Body.String())
		if title == nil || title[1] != html["html_title"] {
			c.problem("title", "is %q, recorded %q", title, html["html_title"])
		}
		return c.problems
	}
	if text, ok := x.ResponseBody.(string); ok && text == "" {
		if strings.HasPrefix(got.Body.String(), "{") {
			c.problem("body", "is %.200s, recorded none", got.Body.String())
		}
		return c.problems
	}
	var body any
	d := json.NewDecoder(got.Body)
	if err := d.Decode(&body); err != nil {
		c.problem("body", "is no JSON: %v", err)
		return c.problems
	}
	c.strict = *x.Status >= 400
	c.compare("", "", x.ResponseBody, body)
	return c.problems
}

var titlePattern = regexp.MustCompile(`<title>([^<]*)</title>`)

func (r *replay) compareHeaders(c *comparison, x exchange, got *httptest.ResponseRecorder) {
	for _, name := range []string{"Content-Type", "Allow", "Location"} {
		want, have := x.ResponseHeaders[strings.ToLower(name)], got.Header().Get(name)
		if name == "Location" {
			c.ids.learnText(want, have)
		}
		if want = c.ids.text(want); want != have {
			c.problem("header "+name, "is %q, recorded %q", have, want)
		}
	}
	if len(got.Header().Get("X-Authentik-Id")) != 32 {
		c.problem("header X-Authentik-Id", "is %q", got.Header().Get("X-Authentik-Id"))
	}
}

func (r *replay) send(x exchange) *httptest.ResponseRecorder {
	body, kind := r.body(x)
	req := httptest.NewRequest(x.Method, "http://"+r.host+r.ids.url(x.URL), strings.NewReader(body))
	req.RemoteAddr = "127.0.0.1:40000"
	if body != "" || x.RequestBody != nil {
		req.Header.Set("Content-Type", kind)
	}
	for k, v := range x.RequestHeaders {
		if strings.EqualFold(k, "host") {
			req.Host = v
			continue
		}
		req.Header.Set(k, v)
	}
	if language, ok := strings.CutPrefix(x.Name, "lang-"); ok {
		_, language, _ = strings.Cut(language, "-")
		req.Header.Set("Accept-Language", language)
	}
	if x.Authorization != nil {
		req.Header.Set("Authorization", r.authorization(*x.Authorization))
	}
	if strings.HasPrefix(x.Name, "login-") {
		for k, v := range r.cookie {
			req.AddCookie(&http.Cookie{Name: k, Value: v})
		}
	}
	got := httptest.NewRecorder()
	r.server.ServeHTTP(got, req)
	for _, k := range got.Result().Cookies() {
		r.cookie[k.Name] = k.Value
	}
	return got
}

func (r *replay) authorization(recorded string) string {
	if coded, ok := strings.CutPrefix(recorded, "Basic "); ok {
		raw, err := base64.StdEncoding.DecodeString(coded)
		if err != nil {
			r.t.Fatal(err)
		}
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(r.ids.text(string(raw))))
	}
	return r.ids.text(recorded)
}

func (r *replay) body(x exchange) (text, kind string) {
	if x.RequestBody == nil {
		return "", ""
	}
	if raw, ok := x.RequestBody.(string); ok {
		return raw, "application/json"
	}
	if x.RequestForm {
		form := url.Values{}
		for k, v := range x.RequestBody.(map[string]any) {
			form.Set(k, r.ids.text(v.(string)))
		}
		return form.Encode(), "application/x-www-form-urlencoded"
	}
	b, err := json.Marshal(r.ids.request("", x.RequestBody))
	if err != nil {
		r.t.Fatal(err)
	}
	return string(b), "application/json"
}

// idMap maps recorded ids to those of the server at hand.
type idMap struct {
	texts            map[string]string
	users, providers map[int]int
}

func newIDMap() *idMap {
	return &idMap{texts: map[string]string{}, users: map[int]int{}, providers: map[int]int{}}
}

var (
	idPattern  = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{64}|[0-9a-f]{32}`)
	numbered   = regexp.MustCompile(`/(users|oauth2)/(\d+)/`)
	userParams = regexp.MustCompile(`\b(for_user|user)=(\d+)`)
)

// text replaces what is known.
func (m *idMap) text(s string) string {
	if to, ok := m.texts[s]; ok {
		return to
	}
	s = idPattern.ReplaceAllStringFunc(s, func(id string) string {
		if to, ok := m.texts[id]; ok {
			return to
		}
		return id
	})
	for from, to := range m.texts {
		if len(from) >= 8 && len(from) < 2000 && strings.Contains(s, from) && !idPattern.MatchString(from) {
			s = strings.ReplaceAll(s, from, to)
		}
	}
	return s
}

func (m *idMap) url(s string) string {
	s = m.text(s)
	swap := func(ids map[int]int, n string) string {
		from, _ := strconv.Atoi(n)
		if to, ok := ids[from]; ok {
			return strconv.Itoa(to)
		}
		return n
	}
	s = numbered.ReplaceAllStringFunc(s, func(part string) string {
		f := numbered.FindStringSubmatch(part)
		ids := m.users
		if f[1] == "oauth2" {
			ids = m.providers
		}
		return "/" + f[1] + "/" + swap(ids, f[2]) + "/"
	})
	return userParams.ReplaceAllStringFunc(s, func(part string) string {
		f := userParams.FindStringSubmatch(part)
		return f[1] + "=" + swap(m.users, f[2])
	})
}

// request translates a recorded body.
func (m *idMap) request(key string, v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, x := range v {
			out[k] = m.request(k, x)
		}
		return out
	case []any:
		out := []any{}
		for _, x := range v {
			out = append(out, m.request(key, x))
		}
		return out
	case float64:
		if to, ok := m.numbers(key)[int(v)]; ok {
			return to
		}
		return v
	case string:
		return m.text(v)
	}
	return v
}

func (m *idMap) numbers(key string) map[int]int {
	switch key {
	case "user", "users", "pk", "user_pk":
		return m.users
	case "provider":
		return m.providers
	}
	return nil
}

// learnText learns the ids within two texts that are the same otherwise.
func (m *idMap) learnText(recorded, ours string) {
	const mark = "\x00"
	if idPattern.ReplaceAllString(recorded, mark) != idPattern.ReplaceAllString(ours, mark) {
		return
	}
	a, b := idPattern.FindAllString(recorded, -1), idPattern.FindAllString(ours, -1)
	for i := range a {
		if _, known := m.texts[a[i]]; !known && !strings.HasPrefix(a[i], "00000000-0000") {
			m.texts[a[i]] = b[i]
		}
	}
}
