package netbird

import (
	"fmt"
	"net/url"
	"slices"
	"sort"
	"strings"
)

// Connector is an identity provider to put into the store, as if someone had
// made it by the API.
type Connector struct {
	ID           string // made up if empty
	Type         string // "authentik" if empty
	Name, Issuer string
	ClientID     string
	ClientSecret string
}

// AddConnector stores a connector without asking its issuer anything, and
// returns its id. It can so be one that the API would have refused.
func (s *Server) AddConnector(c Connector) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.Type == "" {
		c.Type = "authentik"
	}
	if c.ID == "" {
		c.ID = s.proc.next(s.now())
		if c.Type != "oidc" {
			c.ID = c.Type + "-" + c.ID
		}
	}
	s.st.connectors = append(s.st.connectors, &connector{
		id: c.ID, kind: c.Type, name: c.Name, issuer: c.Issuer, clientID: c.ClientID, secret: c.ClientSecret,
	})
	return c.ID
}

// Connector returns a connector as stored, with its secret, which no API gives.
func (s *Server) Connector(id string) (Connector, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.st.connector(id)
	if c == nil {
		return Connector{}, false
	}
	return Connector{ID: c.id, Type: c.kind, Name: c.name, Issuer: c.issuer, ClientID: c.clientID, ClientSecret: c.secret}, true
}

// Opened says whether this process has opened a connector, so that a change of
// it has no effect until a restart.
func (s *Server) Opened(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.opened[id] != nil
}

// User is a user to put into the first account.
type User struct {
	ID               string // made up if empty; see Subject
	Role             string // "user" if empty
	Name, Email      string
	Service          bool
	Blocked, Pending bool
	Token            string // a personal access token for him, if not empty
	TokenDays        int    // how long it lives, in days; below zero it has expired; 0 is a year
}

// Subject is the id of a user who came by a connector.
func Subject(upstreamSub, connectorID string) string { return subject(upstreamSub, connectorID) }

// AddUser puts a user into the first account and returns his id. There must be
// an account: seed an owner.
func (s *Server) AddUser(u User) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.st.accounts) == 0 {
		return "", fmt.Errorf("add user %s: there is no account yet", u.Name)
	}
	a := s.st.accounts[0]
	if u.ID == "" {
		u.ID = newUUID(s.rand)
	}
	if u.Role == "" {
		u.Role = "user"
	}
	x := &user{
		id: u.ID, accountID: a.id, role: u.Role, name: u.Name, email: u.Email,
		service: u.Service, blocked: u.Blocked || u.Pending, pending: u.Pending, created: s.now(),
	}
	if u.Token != "" {
		days := u.TokenDays
		if days == 0 {
			days = 365
		}
		x.tokens = []*token{{
			id: s.proc.next(s.now()), name: "seed", plain: u.Token, createdBy: a.createdBy,
			created: s.now(), expires: s.now().AddDate(0, 0, days),
		}}
	}
	s.st.users = append(s.st.users, x)
	return x.id, nil
}

// World is a server's whole state in a form that two servers can be compared
// by: what each makes for itself, ids, secrets and times, is left out.
type World struct {
	Accounts   []WorldAccount
	Connectors []WorldConnector
	LocalUsers []string
	Events     []string
}

// WorldAccount is an account with its people.
type WorldAccount struct {
	Domain, Category string
	Settings         map[string]string
	Groups           []string
	Users            []WorldUser
}

// WorldUser is a user.
type WorldUser struct {
	Name, Email, Role         string
	Service, Blocked, Pending bool
	Groups                    []string
	Tokens                    []string
}

// WorldConnector is a connector. Of its issuer only the path is compared.
type WorldConnector struct {
	Type, Name, IssuerPath string
	ClientID, Secret       bool // there is one
}

// Snapshot returns the state as a World.
func (s *Server) Snapshot() any {
	s.mu.Lock()
	defer s.mu.Unlock()
	var w World
	for _, a := range s.st.accounts {
		x := WorldAccount{Domain: a.domain, Category: a.category, Settings: worldSettings(a)}
		for _, g := range a.groups {
			x.Groups = append(x.Groups, g.name+" ("+g.issued+")")
		}
		for _, u := range s.st.usersOf(a.id) {
			x.Users = append(x.Users, worldUser(a, u))
		}
		sort.Slice(x.Users, func(i, j int) bool {
			return x.Users[i].Email+x.Users[i].Name < x.Users[j].Email+x.Users[j].Name
		})
		w.Accounts = append(w.Accounts, x)
	}
	for _, c := range s.st.connectors {
		issuer := c.issuer
		if u, err := url.Parse(c.issuer); err == nil {
			issuer = u.Path
		}
		w.Connectors = append(w.Connectors, WorldConnector{Type: c.kind, Name: c.name, IssuerPath: issuer, ClientID: c.clientID != "", Secret: c.secret != ""})
	}
	for _, p := range s.st.passwords {
		w.LocalUsers = append(w.LocalUsers, p.email)
	}
	for _, e := range s.st.events {
		w.Events = append(w.Events, e.code)
	}
	slices.Sort(w.Events)
	return w
}

func worldUser(a *account, u *user) WorldUser {
	x := WorldUser{Name: u.name, Email: u.email, Role: u.role, Service: u.service, Blocked: u.blocked, Pending: u.pending}
	for _, id := range u.autoGroups {
		if g := a.group(id); g != nil {
			x.Groups = append(x.Groups, g.name)
		}
	}
	for _, t := range u.tokens {
		x.Tokens = append(x.Tokens, t.name)
	}
	slices.Sort(x.Groups)
	slices.Sort(x.Tokens)
	return x
}

// worldSettings are the settings that authbird reads or writes.
func worldSettings(a *account) map[string]string {
	st := a.settings
	return map[string]string{
		"user_approval_required": fmt.Sprint(st.Extra.UserApprovalRequired),
		"jwt_groups_enabled":     fmt.Sprint(*st.JwtGroupsEnabled),
		"jwt_groups_claim_name":  *st.JwtGroupsClaimName,
		"jwt_allow_groups":       strings.Join(*st.JwtAllowGroups, ","),
		"local_mfa_enabled":      fmt.Sprint(*st.LocalMfaEnabled),
		"peer_login_expiration":  fmt.Sprint(st.PeerLoginExpiration),
		"dns_domain":             *st.DnsDomain,
	}
}
