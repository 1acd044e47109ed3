package authentik

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"
)

// User is an account to seed.
type User struct {
	Username, Name, Email string
	Password              string // "" is none that could be typed
	Type                  string // "" is internal
	Superuser             bool   // a member of authentik Admins
	Inactive              bool
	Groups                []string // by name; those that don't exist are made
}

// AddUser makes an account and returns its number. A user name that is taken
// is changed to what u says.
func (s *Server) AddUser(u User) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.addUser(u).PK
}

func (s *Server) addUser(u User) *user {
	n := s.st.usersBy[u.Username]
	if n == nil {
		n = s.newUser(u.Username, u.Name, u.Email)
		s.st.putUser(n)
	}
	n.Name, n.Password, n.Active = u.Name, u.Password, !u.Inactive
	if n.Email != u.Email {
		s.st.forgetMail(n)
		n.Email = u.Email
		s.st.putUser(n)
	}
	if u.Type != "" {
		n.Type = u.Type
	}
	groups := u.Groups
	if u.Superuser {
		groups = append(slices.Clone(groups), "authentik Admins")
	}
	for _, name := range groups {
		s.st.join(s.groupNamed(name), n.PK)
	}
	s.st.forgetLists()
	return n
}

func (s *Server) groupNamed(name string) *group {
	if g := find(s.st.groups, func(g *group) bool { return g.Name == name }); g != nil {
		return g
	}
	return s.newGroup(name, false)
}

// Token is a token to seed.
type Token struct {
	Identifier, User string    // User by name
	Intent           string    // "" is api; app_password is the other
	Key              string    // "" makes one
	Expires          time.Time // zero: it doesn't expire
}

// AddToken makes a token and returns its key. An unknown user is an error.
func (s *Server) AddToken(t Token) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.st.usersBy[t.User]
	if u == nil {
		return "", fmt.Errorf("no user %q", t.User)
	}
	if t.Intent == "" {
		t.Intent = intentAPI
	}
	n := s.newToken(t.Identifier, t.Intent, u)
	n.Expires, n.Expiring = t.Expires, !t.Expires.IsZero()
	if t.Key != "" {
		n.Key = t.Key
	}
	if old := s.st.tokens[n.Identifier]; old != nil {
		s.st.dropToken(old)
	}
	s.st.putToken(n)
	return n.Key, nil
}

// ExpireToken makes a token expire at the given time.
func (s *Server) ExpireToken(identifier string, at time.Time) error {
	return s.edit("token "+identifier, func() bool {
		t := s.st.tokens[identifier]
		if t != nil {
			t.Expiring, t.Expires = true, at
		}
		return t != nil
	})
}

// SetActive enables or disables an account.
func (s *Server) SetActive(username string, active bool) error {
	return s.edit("user "+username, func() bool {
		u := s.st.usersBy[username]
		if u != nil {
			u.Active = active
		}
		return u != nil
	})
}

// Leave takes an account out of a group.
func (s *Server) Leave(group, username string) error {
	return s.edit("membership of "+username+" in "+group, func() bool {
		u := s.st.usersBy[username]
		if u == nil {
			return false
		}
		for _, g := range slices.Clone(s.st.groupsOf[u.PK]) {
			if g.Name == group {
				s.st.leave(g, u.PK)
				return true
			}
		}
		return false
	})
}

// edit changes the state under the lock. What isn't there is an error.
func (s *Server) edit(what string, change func() bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	ok := change()
	s.st.forgetLists()
	if !ok {
		return fmt.Errorf("no %s", what)
	}
	return nil
}

// Request sends one API request as akadmin, around faults, and decodes the
// answer's body into out unless that is nil. An answer of 400 or more is an
// error with its body.
func (s *Server) Request(method, path string, body, out any) error {
	raw, err := json.Marshal(body)
	if err != nil {
		return err
	}
	req, err := http.NewRequest(method, "http://localhost"+path, bytes.NewReader(raw))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	s.mu.Lock()
	var key string
	for _, t := range s.st.tokens {
		if t.Identifier == "authentik-bootstrap-token" {
			key = t.Key
		}
	}
	s.mu.Unlock()
	req.Header.Set("Authorization", "Bearer "+key)
	got := &memory{header: http.Header{}}
	s.serve(got, req)
	if got.status >= http.StatusBadRequest {
		return fmt.Errorf("%s %s: %d %s", method, path, got.status, bytes.TrimSpace(got.body.Bytes()))
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(got.body.Bytes(), out)
}

// memory is a ResponseWriter for an answer that stays in the process.
type memory struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (m *memory) Header() http.Header         { return m.header }
func (m *memory) WriteHeader(status int)      { m.status = status }
func (m *memory) Write(b []byte) (int, error) { return m.body.Write(b) }

// SetProvider changes fields of the provider of that name, as a PATCH by
// akadmin would: {"sub_mode": "hashed_user_id"}, {"grant_types": []string{}},
// {"issuer_mode": "global"}, {"redirect_uris": …}, {"client_type": "public"}.
func (s *Server) SetProvider(name string, fields map[string]any) error {
	s.mu.Lock()
	p := s.st.provByName[name]
	s.mu.Unlock()
	if p == nil {
		return fmt.Errorf("no provider %q", name)
	}
	return s.Request(http.MethodPatch, apiPrefix+"providers/oauth2/"+itoa(p.PK)+"/", fields, nil)
}

// SetApplication changes fields of an application, as a PATCH by akadmin would.
func (s *Server) SetApplication(slug string, fields map[string]any) error {
	return s.Request(http.MethodPatch, apiPrefix+"core/applications/"+url.PathEscape(slug)+"/", fields, nil)
}

func (s *Server) editProvider(name string, change func(*provider) bool) error {
	return s.edit("such thing with provider "+name, func() bool {
		p := s.st.provByName[name]
		return p != nil && change(p)
	})
}

// DropSigningKey leaves a provider without a key: HS256, and JWKS {}.
func (s *Server) DropSigningKey(name string) error {
	return s.editProvider(name, func(p *provider) bool { p.SigningKey = ""; return true })
}

// UseECKey makes an EC key pair and lets the provider sign with it.
func (s *Server) UseECKey(name string) error {
	return s.editProvider(name, func(p *provider) bool {
		p.SigningKey = s.newKeyPair("EC for "+name, "ec", 365).PK
		return true
	})
}

// AddKeyPair makes a certificate with a private key, "rsa" or "ec", and
// returns its pk.
func (s *Server) AddKeyPair(name, kind string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.newKeyPair(name, kind, 365).PK
}

// UseEncryptionKey lets the provider encrypt its tokens, so that nobody else
// can read them.
func (s *Server) UseEncryptionKey(name string) error {
	return s.editProvider(name, func(p *provider) bool { p.EncryptionKey = s.st.keys[0].PK; return true })
}

// RemoveMapping takes a scope from a provider.
func (s *Server) RemoveMapping(name, scope string) error {
	return s.editProvider(name, func(p *provider) bool {
		before := len(p.Mappings)
		p.Mappings = slices.DeleteFunc(slices.Clone(p.Mappings), func(pk string) bool { return s.st.mapping(pk).Scope == scope })
		return len(p.Mappings) < before
	})
}

// Unlink leaves an application without its provider.
func (s *Server) Unlink(slug string) error {
	return s.SetApplication(slug, map[string]any{"provider": nil})
}

// BindGroup lets only that group use an application. The group is made if
// there is none of that name.
func (s *Server) BindGroup(slug, group string) error {
	return s.edit("application "+slug, func() bool {
		a := s.st.appBySlug[slug]
		if a == nil {
			return false
		}
		b := s.newBinding()
		b.Target, b.Group = a.PK, s.groupNamed(group).PK
		s.st.bindings = append(s.st.bindings, b)
		return true
	})
}

// AddFlow makes a flow without stages.
func (s *Server) AddFlow(slug, designation, authentication string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.newFlow()
	f.Slug, f.Name, f.Title, f.Designation, f.Authn = slug, slug, slug, designation, authentication
	s.st.flows = append(s.st.flows, f)
}

// SetBrand makes or changes a brand: the device flow in force at the hosts
// that its domain is for, "" is none.
func (s *Server) SetBrand(domain, deviceFlow string) error {
	return s.edit("flow "+deviceFlow, func() bool {
		b := find(s.st.brands, func(b *brand) bool { return b.Domain == domain })
		if b == nil {
			b = s.newBrand(domain)
			s.st.brands = append(s.st.brands, b)
		}
		f := s.st.flowBySlug(deviceFlow)
		b.Flows["flow_device_code"] = ""
		if f != nil {
			b.Flows["flow_device_code"] = f.PK
		}
		return f != nil || deviceFlow == ""
	})
}

// SetScheme makes the server believe that it is reached by that scheme, as
// behind a proxy that forgets X-Forwarded-Proto; "" asks the request again.
func (s *Server) SetScheme(scheme string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forced = scheme
}

// AddMany makes users ("user-00000" and so on, with an e-mail address each)
// and applications with a provider each ("app-00000").
func (s *Server) AddMany(users, applications int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range users {
		name := fmt.Sprintf("user-%05d", i)
		s.addUser(User{Username: name, Name: "User " + itoa(i), Email: name + "@example.com"})
	}
	flowPK := func(slug string) string { return s.st.flowBySlug(slug).PK }
	for i := range applications {
		p, a := s.newProvider(), s.newApp()
		p.Name, a.Name, a.Slug = fmt.Sprintf("Provider %05d", i), fmt.Sprintf("App %05d", i), fmt.Sprintf("app-%05d", i)
		p.AuthorizationFlow = flowPK("default-provider-authorization-implicit-consent")
		p.InvalidationFlow = flowPK("default-provider-invalidation-flow")
		p.RedirectURIs = []redirectURI{{Mode: matchingStrict, URL: "https://" + a.Slug + ".example.com/callback", Type: "authorization"}}
		s.addProvider(p)
		a.Provider = p.PK
		s.st.putApp(a)
	}
}

// NoteLogin puts into the event log that a user logged in to the application
// of that client id, from an address.
func (s *Server) NoteLogin(clientID, username, address string) error {
	return s.edit("user "+username, func() bool {
		u := s.st.usersBy[username]
		if u == nil {
			return false
		}
		s.st.events = append(s.st.events, &event{
			PK: s.uuid(), Action: "authorize_application", App: "authentik.providers.oauth2.views.authorize", ClientIP: address, Created: s.now(),
			User:    map[string]any{"pk": u.PK, "email": u.Email, "username": u.Username},
			Context: map[string]any{"http_request": map[string]any{"args": map[string]any{"client_id": clientID}}}, Brand: map[string]any{},
		})
		return true
	})
}

// SetTokenKey gives a token another key: as if somebody had typed the wrong
// password.
func (s *Server) SetTokenKey(identifier, key string) error {
	return s.edit("token "+identifier, func() bool {
		t := s.st.tokens[identifier]
		if t == nil {
			return false
		}
		s.st.dropToken(t)
		t.Key = key
		s.st.putToken(t)
		return true
	})
}
