package netbird

import (
	"strings"
	"time"

	"github.com/netbirdio/netbird/shared/management/http/api"
)

// store is what a NetBird server keeps on disk: it outlives a restart. The
// server's lock guards it.
type store struct {
	accounts   []*account
	users      []*user
	events     []event
	connectors []*connector
	passwords  []*password

	requests map[string]*authRequest
	codes    map[string]*authCode
	refresh  map[string]*refreshToken
	offline  map[string]string // user, connector and client → the refresh token that counts
	devices  []*device
	totp     map[string]string // local user → TOTP secret
}

func newStore() *store {
	return &store{
		requests: map[string]*authRequest{},
		codes:    map[string]*authCode{},
		refresh:  map[string]*refreshToken{},
		offline:  map[string]string{},
		totp:     map[string]string{},
	}
}

type account struct {
	id, createdBy    string
	created          time.Time
	domain, category string
	primary          bool
	settings         api.AccountSettings
	netV4, netV6     string // what was allocated, shown where settings name none
	onboarding       api.AccountOnboarding
	groups           []*group
}

type group struct{ id, name, issued string }

type user struct {
	id, accountID    string
	role             string
	name, email      string
	service          bool
	autoGroups       []string
	blocked, pending bool
	created          time.Time
	tokens           []*token
}

type token struct {
	id, name, plain, createdBy string
	created, expires           time.Time
	used                       *time.Time
}

// connector is an identity provider as stored. What logins use may be older:
// see opened.
type connector struct {
	id, kind, name   string
	issuer           string
	clientID, secret string
}

// password is a local user of the embedded identity provider.
type password struct{ id, email, name, password string }

type event struct {
	id                int
	accountID         string
	at                time.Time
	activity, code    string
	initiator, target string
	meta              map[string]string
}

func (st *store) account(id string) *account {
	for _, a := range st.accounts {
		if a.id == id {
			return a
		}
	}
	return nil
}

func (st *store) user(id string) *user {
	for _, u := range st.users {
		if u.id == id {
			return u
		}
	}
	return nil
}

func (st *store) usersOf(accountID string) []*user {
	var out []*user
	for _, u := range st.users {
		if u.accountID == accountID {
			out = append(out, u)
		}
	}
	return out
}

func (st *store) connector(id string) *connector {
	for _, c := range st.connectors {
		if c.id == id {
			return c
		}
	}
	return nil
}

func (st *store) passwordByEmail(email string) *password {
	for _, p := range st.passwords {
		if strings.EqualFold(p.email, email) {
			return p
		}
	}
	return nil
}

func (a *account) group(id string) *group {
	for _, g := range a.groups {
		if g.id == id {
			return g
		}
	}
	return nil
}

func (a *account) groupNamed(name string) *group {
	for _, g := range a.groups {
		if g.name == name {
			return g
		}
	}
	return nil
}

func (u *user) adminPower() bool { return u.role == "owner" || u.role == "admin" }

// note appends an audit event.
func (s *Server) note(accountID, initiator, target, activity, code string, meta map[string]string) {
	s.st.events = append(s.st.events, event{
		id: len(s.st.events) + 1, accountID: accountID, at: s.now(),
		activity: activity, code: code, initiator: initiator, target: target, meta: meta,
	})
}
