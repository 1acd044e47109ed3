package netbird

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/rs/xid"
)

// comparison gathers what differs between an answer and the recorded one.
type comparison struct {
	r        *replay
	problems []string
}

// process checks that our process changes where the recorded one did, and that
// within one the counter grows.
func (c *comparison) process(got, want string) {
	g, err1 := xid.FromString(got)
	w, err2 := xid.FromString(want)
	if err1 != nil || err2 != nil {
		c.bad("x-request-id %q, want one like %q", got, want)
		return
	}
	ours, known := c.r.processes[w.Pid()]
	switch {
	case !known && slices.Contains(slices.Collect(maps.Values(c.r.processes)), g.Pid()):
		c.bad("no restart is to be seen in the x-request-id")
	case known && ours != g.Pid():
		c.bad("a restart is to be seen in the x-request-id")
	case known && (g.Counter()-c.r.counter)&0xffffff > 100:
		c.bad("the counter in the x-request-id jumps from %d to %d", c.r.counter, g.Counter())
	}
	c.r.processes[w.Pid()], c.r.counter = g.Pid(), g.Counter()
}

func (c *comparison) bad(format string, args ...any) {
	c.problems = append(c.problems, fmt.Sprintf(format, args...))
}

// learn notes that where the recorded server said want, ours says got.
func (c *comparison) learn(got, want string) {
	if got != want && len(want) >= 6 {
		c.r.ids[want] = got
	}
}

var title = regexp.MustCompile(`(?s)<title>(.*?)</title>`)

func (c *comparison) body(got []byte, want any) {
	switch w := want.(type) {
	case string:
		if strings.HasPrefix(w, "<a href=") {
			return // the link of a redirect, compared as its location
		}
		if string(got) != w {
			c.bad("body %q, want %q", got, w)
		}
	case map[string]any:
		if wanted, html := w["html_title"]; html {
			m := title.FindSubmatch(got)
			if m == nil || string(m[1]) != wanted {
				c.bad("page without the title %q: %.200s", wanted, got)
			}
			return
		}
		c.json(got, want)
	case []any:
		c.json(got, want)
	case nil:
		if s := strings.TrimSpace(string(got)); s != "" && s != "null" {
			c.bad("body %q, want none", s)
		}
	}
}

func (c *comparison) json(body []byte, want any) {
	var got any
	d := json.NewDecoder(bytes.NewReader(body))
	if err := d.Decode(&got); err != nil {
		c.bad("body is no JSON: %v: %.200s", err, body)
		return
	}
	c.value("", got, want)
}

// made are the fields whose values each server makes for itself. They are
// learnt, not compared.
var made = []string{
	"id", "user_id", "created_by", "initiator_id", "target_id", "group_id", "plain_token", "personal_access_token",
	"access_token", "id_token", "refresh_token", "device_code", "user_code", "kid", "n", "password",
	"network_range", "network_range_v6", "new_network_range_v6", "auto_groups", "ipv6_enabled_groups",
}

func (c *comparison) value(where string, got, want any) {
	switch w := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok {
			c.bad("%s is a %T, want an object", where, got)
			return
		}
		for k := range g {
			if _, ok := w[k]; !ok {
				c.bad("%s.%s should not be there", where, k)
			}
		}
		for _, k := range slices.Sorted(maps.Keys(w)) {
			if v, ok := g[k]; ok {
				c.value(where+"."+k, v, w[k])
			} else {
				c.bad("%s.%s is missing", where, k)
			}
		}
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) != len(w) {
			c.bad("%s is %v, want %d elements", where, got, len(w))
			return
		}
		alike(g)
		alike(w)
		for i := range w {
			c.value(fmt.Sprintf("%s[%d]", where, i), g[i], w[i])
		}
	case string:
		g, ok := got.(string)
		if !ok {
			c.bad("%s is a %T, want a string", where, got)
			return
		}
		c.text(where, g, w)
	default:
		if got != want {
			c.bad("%s is %v, want %v", where, got, want)
		}
	}
}

// alike orders a list of users or of events, which the server gives in no
// order of its own or in one that depends on how fast it wrote them.
func alike(list []any) {
	key := func(x any) string {
		m, ok := x.(map[string]any)
		if !ok {
			return ""
		}
		if _, event := m["activity"]; event {
			delete(m, "id")
			meta, _ := m["meta"].(map[string]any)
			return fmt.Sprint(m["activity"], "/", m["initiator_name"], "/", meta["name"], "/", meta["type"], "/", meta["username"], "/", meta["group"])
		}
		if _, user := m["is_service_user"]; user {
			return fmt.Sprint(m["email"], "/", m["name"], "/", m["role"])
		}
		return ""
	}
	slices.SortStableFunc(list, func(a, b any) int { return strings.Compare(key(a), key(b)) })
}

var address = regexp.MustCompile(`127\.0\.0\.1:\d+`)

func (c *comparison) text(where, got, want string) {
	field := regexp.MustCompile(`\[\d+\]$`).ReplaceAllString(where, "")
	field = field[strings.LastIndex(field, ".")+1:]
	at, err := time.Parse(time.RFC3339, want)
	switch {
	case err == nil:
		ours, err := time.Parse(time.RFC3339, got)
		if err != nil || ours.IsZero() != at.IsZero() {
			c.bad("%s is %q, want a time like %q", where, got, want)
		}
	case slices.Contains(made, field):
		if (got == "") != (want == "") {
			c.bad("%s is %q, want one like %q", where, got, want)
		}
		c.learn(got, want)
		if anyJWT.MatchString(want) {
			c.claims(where, got, want)
		}
	case field == "message":
		lower := c.r.ours(want)
		for _, k := range slices.SortedFunc(maps.Keys(c.r.ids), func(a, b string) int { return len(b) - len(a) }) {
			lower = strings.ReplaceAll(lower, strings.ToLower(k), strings.ToLower(c.r.ids[k]))
		}
		if address.ReplaceAllString(got, "HOST") != address.ReplaceAllString(lower, "HOST") {
			c.bad("%s is %q, want %q", where, got, lower)
		}
	default:
		if w := c.r.ours(want); got != w {
			c.bad("%s is %q, want %q", where, got, w)
		}
	}
}

// claims compares what two JWTs say, but for times and ids.
func (c *comparison) claims(where, got, want string) {
	read := func(s string) map[string]any {
		m := anyJWT.FindStringSubmatch(s)
		if m == nil {
			return nil
		}
		var out map[string]any
		if b, err := base64.RawURLEncoding.DecodeString(m[1]); err != nil || json.Unmarshal(b, &out) != nil {
			return nil
		}
		for _, k := range []string{"exp", "iat", "auth_time", "jti", "at_hash", "c_hash", "sub"} {
			if _, ok := out[k]; ok {
				out[k] = true
			}
		}
		return out
	}
	c.value(where+" claims", any(read(got)), any(read(want)))
}

// location compares a redirect: where to, with which parameters. What is a
// secret or an id is learnt.
func (c *comparison) location(got, want string) {
	want = c.r.ours(want)
	g, err1 := url.Parse(got)
	w, err2 := url.Parse(want)
	if err1 != nil || err2 != nil || g.Scheme != w.Scheme || g.Host != w.Host || g.Path != w.Path {
		c.bad("location %q, want %q", got, want)
		return
	}
	gq, wq := g.Query(), w.Query()
	for k, v := range wq {
		if !gq.Has(k) {
			c.bad("location lacks %s", k)
			continue
		}
		ours, theirs := gq.Get(k), v[0]
		if slices.Contains([]string{"state", "code", "code_challenge", "hmac", "req"}, k) {
			c.learn(ours, theirs)
			continue
		}
		if ours != theirs {
			c.bad("location has %s=%q, want %q", k, ours, theirs)
		}
	}
	for k := range gq {
		if !wq.Has(k) {
			c.bad("location has %s=%q too much", k, gq.Get(k))
		}
	}
}
