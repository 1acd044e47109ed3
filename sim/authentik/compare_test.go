package authentik

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"sort"
	"strings"
	"testing"
)

// comparison holds an answer against the recorded one.
type comparison struct {
	ids      *idMap
	strict   bool // an error: its words must be the same
	problems []string
}

func (c *comparison) problem(where, format string, args ...any) {
	c.problems = append(c.problems, where+" "+fmt.Sprintf(format, args...))
}

// volatile are the fields whose value is of the moment or of the machine:
// there must be one of the same type.
var volatile = map[string]bool{
	"expires": true, "created": true, "date_joined": true, "last_login": true, "last_updated": true, "password_change_date": true,
	"exp": true, "iat": true, "auth_time": true, "cert_expiry": true, "cert_subject": true, "avatar": true, "pending_user_avatar": true,
	"fingerprint_sha256": true, "fingerprint_sha1": true, "kid": true, "n": true, "e": true, "x5c": true, "x5t": true, "x5t#S256": true,
	"num_pk": true, "request_id": true, "user_agent": true, "sentry_dsn": true, "id": true, "stages": true, "policies": true,
	"uid": true, "sid": true, "cache_count": true, "verification_uri_complete": true,
}

// secrets are the fields whose value is an id as a whole, to be remembered.
var secrets = []string{"access_token", "id_token", "refresh_token", "token", "key", "client_id", "client_secret", "device_code", "user_code"}

// naturalKeys tell the elements of a list apart, whatever its order.
var naturalKeys = []string{"slug", "username", "identifier", "domain", "managed", "client_id"}

var momentPattern = regexp.MustCompile(`\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?`)

// rowPattern is the row that a database's message spells out.
var rowPattern = regexp.MustCompile(`Failing row contains \(.*\)\.`)

func (c *comparison) compare(path, key string, want, have any) {
	switch want := want.(type) {
	case map[string]any:
		if have, ok := have.(map[string]any); ok {
			c.objects(path, want, have)
			return
		}
	case []any:
		if have, ok := have.([]any); ok {
			c.lists(path, key, want, have)
			return
		}
	case string:
		if have, ok := have.(string); ok {
			c.texts(path, key, want, have)
			return
		}
	case float64:
		if have, ok := have.(float64); ok {
			c.numbers(path, key, int(want), int(have))
			return
		}
	default:
		if want == have {
			return
		}
	}
	c.problem(path, "is %s, recorded %s", short(have), short(want))
}

func short(v any) string {
	b, _ := json.Marshal(v)
	return fmt.Sprintf("%.160s", b)
}

func (c *comparison) objects(path string, want, have map[string]any) {
	if u, ok := want["pk"].(float64); ok {
		if mine, ok := have["pk"].(float64); ok {
			ids := map[bool]map[int]int{true: c.ids.users, false: c.ids.providers}[want["username"] != nil]
			if _, known := ids[int(u)]; !known {
				ids[int(u)] = int(mine)
			}
		}
	}
	for k := range have {
		if _, ok := want[k]; !ok {
			c.problem(path+"."+k, "isn't in the recording (%s)", short(have[k]))
		}
	}
	for _, k := range sortedKeys(want) {
		if _, ok := have[k]; !ok {
			c.problem(path+"."+k, "is missing (recorded %s)", short(want[k]))
			continue
		}
		c.compare(path+"."+k, k, want[k], have[k])
	}
}

func sortedKeys(m map[string]any) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	sort.Strings(out)
	return out
}

func (c *comparison) lists(path, key string, want, have []any) {
	if strings.HasSuffix(path, ".app.options") {
		return // which kinds of events there were
	}
	if len(want) != len(have) {
		c.problem(path, "has %d elements, recorded %d: %s, recorded %s", len(have), len(want), short(have), short(want))
		return
	}
	if key == "scopes_supported" || key == "claims_supported" || key == "property_mappings" || key == "system_permissions" || key == "options" || key == "roles" {
		want, have = c.sortTexts(want, true), c.sortTexts(have, false)
	}
	have = pairUp(want, have)
	for i := range want {
		c.compare(fmt.Sprintf("%s[%d]", path, i), key, want[i], have[i])
	}
}

func (c *comparison) sortTexts(list []any, recorded bool) []any {
	out := slices.Clone(list)
	for i, v := range out {
		s, ok := v.(string)
		if !ok {
			return list
		}
		if recorded {
			out[i] = c.ids.text(s)
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].(string) < out[j].(string) })
	return out
}

// pairUp puts the elements of have in the order of want, by their names.
func pairUp(want, have []any) []any {
	name := func(v any) string {
		m, _ := v.(map[string]any)
		for _, k := range naturalKeys {
			if s, ok := m[k].(string); ok {
				return k + "=" + idPattern.ReplaceAllString(s, "")
			}
		}
		if s, ok := m["id"].(string); ok && m["name"] != nil {
			return "id=" + s
		}
		return ""
	}
	out := slices.Clone(have)
	for i, w := range want {
		if name(w) == "" {
			return have
		}
		j := slices.IndexFunc(out[i:], func(h any) bool { return name(h) == name(w) })
		if j < 0 {
			return have
		}
		out[i], out[i+j] = out[i+j], out[i]
	}
	return out
}

func (c *comparison) texts(path, key, want, have string) {
	switch {
	case volatile[key] && !c.strict:
		return
	case strings.Count(want, ".") == 2 && strings.HasPrefix(want, "eyJ"):
		c.ids.texts[want] = have
		c.tokens(path, want, have)
		return
	case slices.Contains(secrets, key):
		if _, known := c.ids.texts[want]; !known && want != have {
			c.ids.texts[want] = have
		}
	case key == "scope" || key == "scopes":
		want, have = sortWords(want), sortWords(have)
	}
	if key == "request_id" {
		return
	}
	c.ids.learnText(want, have)
	want = c.ids.text(want)
	for _, p := range []*regexp.Regexp{momentPattern, rowPattern} {
		want, have = p.ReplaceAllString(want, ""), p.ReplaceAllString(have, "")
	}
	if want != have {
		c.problem(path, "is %q, recorded %q", have, want)
	}
}

func sortWords(s string) string {
	words := strings.Fields(s)
	slices.Sort(words)
	return strings.Join(words, " ")
}

// tokens compares what two tokens say.
func (c *comparison) tokens(path, want, have string) {
	a, b := strings.Split(want, "."), strings.Split(have, ".")
	if len(b) != 3 {
		c.problem(path, "is no token: %s", have)
		return
	}
	for i, part := range []string{"header", "claims"} {
		var w, h any
		if json.Unmarshal(decode(a[i]), &w) != nil || json.Unmarshal(decode(b[i]), &h) != nil {
			c.problem(path, "has unreadable %s", part)
			return
		}
		c.compare(path+"("+part+")", part, w, h)
	}
}

func decode(s string) []byte {
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		return nil
	}
	return b
}

func (c *comparison) numbers(path, key string, want, have int) {
	if volatile[key] {
		return
	}
	ids := c.ids.numbers(key)
	if key == "pk" && ids != nil {
		return // learned with its object
	}
	if ids != nil {
		if to, known := ids[want]; known {
			want = to
		} else {
			ids[want] = have
			return
		}
	}
	if want != have {
		c.problem(path, "is %d, recorded %d", have, want)
	}
}

// TestComparisonFindsDifferences keeps the conformance test from passing
// because it looks at nothing.
func TestComparisonFindsDifferences(t *testing.T) {
	const recorded = `{"pk": 4, "name": "NetBird", "on": true, "list": ["a"], "none": null, "created": "2026-11-24T00:00:00Z"}`
	for answer, differs := range map[string]bool{
		recorded: false,
		`{"pk": 4, "name": "NetBird", "on": true, "list": ["a"], "none": null, "created": "2030-01-01T00:00:00Z"}`:         false,
		`{"pk": 4, "name": "other", "on": true, "list": ["a"], "none": null, "created": "2026-11-24T00:00:00Z"}`:           true,
		`{"pk": 4, "name": "NetBird", "on": false, "list": ["a"], "none": null, "created": "2026-11-24T00:00:00Z"}`:        true,
		`{"pk": 4, "name": "NetBird", "on": true, "list": [], "none": null, "created": "2026-11-24T00:00:00Z"}`:            true,
		`{"pk": 4, "name": "NetBird", "on": true, "list": ["a"], "none": "x", "created": "2026-11-24T00:00:00Z"}`:          true,
		`{"pk": 4, "name": "NetBird", "on": true, "list": ["a"], "none": null, "created": null}`:                           true,
		`{"pk": 4, "name": "NetBird", "on": true, "list": ["a"], "created": "2026-11-24T00:00:00Z"}`:                       true,
		`{"pk": 4, "name": "NetBird", "on": true, "list": ["a"], "none": null, "created": "2026-11-24T00:00:00Z", "x": 1}`: true,
	} {
		var want, have any
		if json.Unmarshal([]byte(recorded), &want) != nil || json.Unmarshal([]byte(answer), &have) != nil {
			t.Fatal("bad JSON")
		}
		c := &comparison{ids: newIDMap()}
		c.compare("", "", want, have)
		if (len(c.problems) > 0) != differs {
			t.Errorf("%s: %v", answer, c.problems)
		}
	}
}
