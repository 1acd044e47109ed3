package netbird

import (
	"fmt"
	"net/http"
)

// SetAccount gives the first account another domain and category: what a setup
// with create_pat leaves behind has neither.
func (s *Server) SetAccount(domain, category string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.st.accounts) == 0 {
		return fmt.Errorf("there is no account yet")
	}
	s.st.accounts[0].domain, s.st.accounts[0].category = domain, category
	return nil
}

// SetOwner makes a user the owner of the account, and who was it a user.
func (s *Server) SetOwner(id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.st.user(id)
	if u == nil {
		return userNotFound(id)
	}
	for _, other := range s.st.usersOf(u.accountID) {
		if other.role == "owner" {
			other.role = "admin"
		}
	}
	u.role = "owner"
	return nil
}

// EditConnector changes a connector as stored, past every check of the API: as
// an older version took it, or a hand in the database. A connector that was
// opened is forgotten, as after a restart.
func (s *Server) EditConnector(id string, change func(*Connector)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.st.connector(id)
	if c == nil {
		return fmt.Errorf("no connector %q", id)
	}
	x := Connector{ID: c.id, Type: c.kind, Name: c.name, Issuer: c.issuer, ClientID: c.clientID, ClientSecret: c.secret}
	change(&x)
	c.kind, c.name, c.issuer, c.clientID, c.secret = x.Type, x.Name, x.Issuer, x.ClientID, x.ClientSecret
	delete(s.opened, id)
	return nil
}

// DropConnector removes a connector as the API does.
func (s *Server) DropConnector(id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, c := range s.st.connectors {
		if c.id == id {
			s.st.connectors = append(s.st.connectors[:i:i], s.st.connectors[i+1:]...)
			delete(s.opened, id)
			return nil
		}
	}
	return fmt.Errorf("no connector %q", id)
}

// AddGroup makes a group as a person does in the dashboard.
func (s *Server) AddGroup(name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.st.accounts) == 0 {
		return fmt.Errorf("there is no account yet")
	}
	a := s.st.accounts[0]
	a.groups = append(a.groups, &group{id: s.proc.next(s.now()), name: name, issued: "api"})
	return nil
}

// CutOff makes every address unreachable from NetBird's own network, for the
// reason that is given.
func (s *Server) CutOff(reason error) error {
	return s.Reconfigure(func(o *Options) { o.HTTPClient = &http.Client{Transport: noWay{reason}} })
}

type noWay struct{ reason error }

func (n noWay) RoundTrip(*http.Request) (*http.Response, error) { return nil, n.reason }
