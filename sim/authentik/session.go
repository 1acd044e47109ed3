package authentik

import (
	"net/http"
	"time"
)

// keepSessions is how many sessions there may be before those of nobody go.
const keepSessions = 4096

const sessionCookie = "authentik_session"

// session is what the server remembers of one browser.
type session struct {
	key      string
	user     int // 0: not logged in
	loggedIn time.Time
	loginID  string           // changes with every login
	prompted string           // the login at which prompt=login was last obeyed
	login    string           // the flow that the application's provider wants
	wanted   string           // the name of the application that led to the login
	plans    map[string]*plan // by the flow's slug
}

// plan is how far a browser got in one flow.
type plan struct {
	stage    string
	username string // as typed
	user     int    // 0: nobody of that name
	token    string // of the consent
	ask      *ask   // what is being authorized
	device   *deviceCode
}

// session returns the browser's session, or nil.
func (c *call) session() *session {
	if c.sess == nil {
		if cookie, err := c.r.Cookie(sessionCookie); err == nil {
			c.sess = c.s.st.sessions[cookie.Value]
		}
	}
	return c.sess
}

// startSession returns the browser's session and makes one where there is none.
func (c *call) startSession() *session {
	if s := c.session(); s != nil {
		return s
	}
	c.sess = &session{plans: map[string]*plan{}}
	c.rekey(c.sess)
	return c.sess
}

// rekey gives a session a new key, as a login does.
func (c *call) rekey(s *session) {
	all := c.s.st.sessions
	delete(all, s.key)
	for key, old := range all {
		if len(all) < keepSessions {
			break
		}
		if old.user == 0 {
			delete(all, key)
		}
	}
	s.key = c.s.text(32, letters)
	c.s.st.sessions[s.key] = s
	c.setCookie = s.key
}

// logIn makes u the session's user.
func (c *call) logIn(s *session, u *user) {
	s.user, s.loggedIn, s.loginID = u.PK, c.s.now(), c.s.hex(8)
	u.LastLogin = s.loggedIn
	c.rekey(s)
	args := map[string]any{}
	if c.s.version.from(2025, 4) {
		args["known_device"] = false
	}
	c.s.record(c, "login", "authentik.events.signals", u, map[string]any{"auth_method": "password", "auth_method_args": args})
}

// browserUser is who is logged in with the browser that asks, or nil.
func (c *call) browserUser() *user {
	s := c.session()
	if s == nil || s.user == 0 {
		return nil
	}
	if u := c.s.st.users[s.user]; u != nil && u.Active {
		return u
	}
	return nil
}

func (c *call) logOut() {
	if s := c.session(); s != nil {
		delete(c.s.st.sessions, s.key)
		c.sess = nil
	}
}

// isForm tells whether the request carries a form, and reads it.
func (c *call) isForm() bool {
	if c.r.Method != http.MethodPost {
		return false
	}
	return c.r.ParseForm() == nil
}
