package authentik

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"
)

const (
	intentAPI         = "api"
	intentAppPassword = "app_password"
	// tokenLife is what a token lives that was given no life of its own.
	tokenLife = 30 * time.Minute
	// serviceAccountLife is what a service account's app password lives.
	serviceAccountLife = 360 * 24 * time.Hour
)

var tokenIntents = []string{"verification", intentAPI, "recovery", intentAppPassword}

func (t *token) expired(now time.Time) bool {
	return t.Expiring && !t.Expires.IsZero() && !t.Expires.After(now)
}

func (s *Server) showToken(t *token) map[string]any {
	m := map[string]any{"pk": t.PK, "managed": nil, "identifier": t.Identifier, "intent": t.Intent, "user": t.User,
		"user_obj": s.showUser(s.st.users[t.User]), "description": t.Description, "expires": stamp(t.Expires), "expiring": t.Expiring}
	if t.Managed != "" {
		m["managed"] = t.Managed
	}
	return m
}

// visible are the tokens that the caller may see: all, or its own.
func (c *call) visible() []*token {
	all := c.s.superuser(c.user) || c.may("authentik_core.view_token")
	var out []*token
	for _, t := range c.s.st.tokens {
		if all || t.User == c.user.PK {
			out = append(out, t)
		}
	}
	return sorted(out, by(func(t *token) string { return t.Identifier }))
}

func listTokens(c *call) reply {
	s := c.s
	return list(c, lister[token]{
		rows: c.visible(),
		order: map[string]func(a, b *token) int{
			"identifier": by(func(t *token) string { return t.Identifier }),
			"expires":    by(func(t *token) int64 { return t.Expires.UnixNano() }),
		},
		search: func(t *token) []string {
			return []string{t.Identifier, t.Intent, s.st.users[t.User].Username, t.Description}
		},
		filters: map[string]func(*token, string) bool{
			"identifier": same(func(t *token) string { return t.Identifier }), "intent": same(func(t *token) string { return t.Intent }),
			"user__username": same(func(t *token) string { return s.st.users[t.User].Username }),
			"description":    same(func(t *token) string { return t.Description }), "managed": same(func(t *token) string { return t.Managed }),
			"expiring": flag(func(t *token) bool { return t.Expiring }),
		},
		show: func(t *token) any { return s.showToken(t) },
	})
}

// theToken is the token that the path names, if the caller may see it.
func (c *call) theToken() *token {
	t := c.s.st.tokens[c.args[0]]
	if t == nil || t.User != c.user.PK && !c.may("authentik_core.view_token") {
		return nil
	}
	return t
}

func getToken(c *call) reply {
	t := c.theToken()
	if t == nil {
		return c.absent("Token")
	}
	return reply{status: http.StatusOK, body: c.s.showToken(t)}
}

// readToken applies a body to t. What a body leaves out falls back to the
// caller and to the intent api, also in a PATCH: that is how a careless PATCH
// moves a token or turns an app password into an API token.
func (c *call) readToken(t *token, partial bool) map[string]any {
	f, st := c.form(partial), c.s.st
	f.text("identifier", &t.Identifier, textRule{required: true, max: 255, check: func(s string) string {
		if text := slugRule(`"`, `"`)(s); text != "" {
			return text
		}
		if other := st.tokens[s]; other != nil && other.PK != t.PK {
			return "Token with this identifier already exists."
		}
		return ""
	}})
	intent, owner := intentAPI, c.user.PK
	f.choice("intent", &intent, false, tokenIntents...)
	f.numberPK("user", &owner, false, false, func(pk int) bool { return st.users[pk] != nil })
	f.text("description", &t.Description, textRule{blank: true})
	f.flag("expiring", &t.Expiring)
	expires := f.moment("expires")
	if f.bad() {
		return f.errs
	}
	most := c.s.now().Add(tokenLife)
	switch {
	case intent != intentAPI && intent != intentAppPassword:
		f.fail("intent", "Invalid intent "+intent)
	case intent == intentAppPassword && expires.After(most):
		f.fail("expires", "Token expires exceeds maximum lifetime ("+most.UTC().Format("2006-01-02 15:04:05.000000-07:00")+" UTC).")
	case intent == intentAPI:
		expires = most
	}
	if f.bad() {
		return f.errs
	}
	switch {
	case !expires.IsZero():
		t.Expires = expires
	case t.Expiring && t.Expires.IsZero():
		t.Expires = most
	}
	t.Intent, t.User = intent, owner
	return nil
}

// moment reads a field with a date and time; the zero time is none.
func (f *form) moment(name string) time.Time {
	v, ok := f.value(name, false, true)
	if !ok || v == nil {
		return time.Time{}
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04:05"} {
		if t, err := time.Parse(layout, fmt.Sprint(v)); err == nil {
			return t
		}
	}
	f.fail(name, "Datetime has wrong format. Use one of these formats instead: YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z].")
	return time.Time{}
}

func (s *Server) newToken(identifier, intent string, owner *user) *token {
	return &token{PK: s.uuid(), Identifier: identifier, Intent: intent, Key: s.text(60, letters), User: owner.PK,
		Expires: s.now().Add(tokenLife), Expiring: true}
}

func createToken(c *call) reply {
	t := c.s.newToken("", intentAPI, c.user)
	t.Expires = time.Time{}
	if errs := c.readToken(t, false); errs != nil {
		return refused(errs)
	}
	if !c.s.superuser(c.user) {
		// Whatever was asked for: it is the caller's own, and it expires.
		t.User, t.Expiring, t.OwnerSees = c.user.PK, true, true
		c.s.managedRole(c.user)
	}
	c.s.st.putToken(t)
	return reply{status: http.StatusCreated, body: c.s.showToken(t)}
}

func changeToken(c *call) reply {
	t := c.theToken()
	if t == nil {
		return c.absent("Token")
	}
	n := *t
	if errs := c.readToken(&n, c.r.Method == http.MethodPatch); errs != nil {
		return refused(errs)
	}
	c.s.st.dropToken(t)
	*t = n
	c.s.st.putToken(t)
	return reply{status: http.StatusOK, body: c.s.showToken(t)}
}

func deleteToken(c *call) reply {
	t := c.theToken()
	if t == nil {
		return c.absent("Token")
	}
	c.s.st.dropToken(t)
	return reply{status: http.StatusNoContent}
}

// keyOf finds the token whose key is to be read or set, or says why not.
func (c *call) keyOf(permission string) (*token, reply) {
	t := c.theToken()
	if t == nil && c.s.st.tokens[c.args[0]] != nil && c.s.version.from(2026, 2) {
		return nil, forbidden()
	}
	if t == nil {
		return nil, c.absent("Token")
	}
	if !c.may(permission) && !(permission == "authentik_core.view_token_key" && t.OwnerSees && t.User == c.user.PK) {
		return nil, forbidden()
	}
	return t, reply{}
}

func viewTokenKey(c *call) reply {
	t, out := c.keyOf("authentik_core.view_token_key")
	if t == nil {
		return out
	}
	c.s.record(c, "secret_view", "authentik.core.api.tokens", c.user, map[string]any{"secret": modelOf("authentik_core", "token", t.Identifier, t.PK)})
	return reply{status: http.StatusOK, body: map[string]any{"key": t.Key}}
}

func setTokenKey(c *call) reply {
	t, out := c.keyOf("authentik_core.set_token_key")
	if t == nil {
		return out
	}
	f, key := c.form(false), ""
	f.text("key", &key, textRule{required: true, check: func(key string) string {
		if other := c.s.st.tokensKey[key]; other != nil && other != t {
			return "Token with this key already exists."
		}
		return ""
	}})
	if f.bad() {
		return refused(f.errs)
	}
	delete(c.s.st.tokensKey, t.Key)
	t.Key = key
	c.s.st.tokensKey[key] = t
	return reply{status: http.StatusNoContent}
}

var notSlug = regexp.MustCompile(`[^a-z0-9_\s-]+`)

// slugify is Django's.
func slugify(s string) string {
	s = notSlug.ReplaceAllString(strings.ToLower(s), "")
	return strings.Trim(regexp.MustCompile(`[-\s]+`).ReplaceAllString(s, "-"), "-_")
}

func createServiceAccount(c *call) reply {
	s, st := c.s, c.s.st
	f, name := c.form(false), ""
	newer := s.version.from(2025, 12)
	if _, given := c.body["name"]; !given && !newer {
		st.nextUser++
		return wrong("non_field_errors", "null value in column \"username\" of relation \"authentik_core_user\" violates not-null constraint\nDETAIL:  Failing row contains (null).")
	}
	withGroup, expiring := false, true
	f.text("name", &name, textRule{required: true, max: 150})
	f.flag("create_group", &withGroup)
	f.flag("expiring", &expiring)
	expires := f.moment("expires")
	if f.bad() {
		return refused(f.errs)
	}
	identifier := slugify("service-account-" + name + "-password")
	if out, taken := c.serviceAccountTaken(name, identifier, withGroup); taken {
		return out
	}
	u := s.newUser(name, name, "")
	u.Type, u.Path, u.Attributes = typeServiceAccount, pathServiceAccounts, map[string]any{tokenExpires: expiring}
	st.putUser(u)
	t := s.newToken(identifier, intentAppPassword, u)
	t.Expiring, t.Expires = expiring, expires
	if expires.IsZero() {
		t.Expires = s.now().Add(serviceAccountLife)
	}
	st.putToken(t)
	body := map[string]any{"username": name, "user_uid": u.UID, "user_pk": u.PK, "token": t.Key}
	if withGroup {
		g := s.newGroup(name, false)
		st.join(g, u.PK)
		body["group_pk"] = g.PK
	}
	return reply{status: http.StatusOK, body: body}
}

// serviceAccountTaken says what is taken already. Where the database refuses,
// the user's number is used up. Before 2025.12 that was the
// database's own message, and a group of the same name was no hindrance.
func (c *call) serviceAccountTaken(name, identifier string, withGroup bool) (reply, bool) {
	st, newer := c.s.st, c.s.version.from(2025, 12)
	database := func(constraint, column, value string) (reply, bool) {
		return wrong("non_field_errors", fmt.Sprintf("duplicate key value violates unique constraint %q\nDETAIL:  Key (%s)=(%s) already exists.", constraint, column, value)), true
	}
	const exists = "A user/group with these details already exists"
	switch {
	case st.usersBy[name] != nil && newer:
		return wrong("name", "This field must be unique."), true
	case st.usersBy[name] != nil:
		st.nextUser++
		return database("authentik_core_user_username_key", "username", name)
	case st.tokens[identifier] != nil && newer:
		st.nextUser++
		return wrong("non_field_errors", exists), true
	case st.tokens[identifier] != nil:
		st.nextUser++
		return database("authentik_core_token_identifier_af152015_uniq", "identifier", identifier)
	case withGroup && newer && find(st.groups, func(g *group) bool { return g.Name == name }) != nil:
		st.nextUser++
		return wrong("non_field_errors", exists), true
	}
	return reply{}, false
}
