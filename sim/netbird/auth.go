package netbird

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"
)

// authenticate finds out who calls: by a personal access token or by a JWT. The
// first JWT of a person makes the user.
func (s *Server) authenticate(c *call) error {
	header := strings.Split(c.r.Header.Get("Authorization"), " ")
	scheme := strings.ToLower(header[0])
	if len(header) >= 2 && scheme == "bearer" && strings.HasPrefix(header[1], "nbp_") {
		scheme = "token"
	}
	if (scheme == "bearer" || scheme == "token") && len(header) != 2 {
		return errTokenInvalid
	}
	switch scheme {
	case "bearer":
		if err := s.authenticateJWT(c, header[1]); err != nil {
			return errTokenInvalid
		}
		return nil
	case "token":
		return s.authenticatePAT(c, header[1])
	}
	return errNoAuth
}

// bucket is what is left of a token's rate limit.
type bucket struct {
	left float64
	at   time.Time
}

// allow counts a request of a token. Only personal access tokens are limited,
// and Terraform never is.
func (s *Server) allow(r *http.Request, plain string) bool {
	if s.opt().RateBurst <= 0 || strings.Contains(strings.ToLower(r.UserAgent()), "terraform") {
		return true
	}
	perMinute := s.opt().RatePerMinute
	if perMinute <= 0 {
		perMinute = 6
	}
	now := s.now()
	b, ok := s.buckets[plain]
	if !ok {
		b = &bucket{left: float64(s.opt().RateBurst), at: now}
		s.buckets[plain] = b
	}
	b.left = min(float64(s.opt().RateBurst), b.left+now.Sub(b.at).Minutes()*float64(perMinute))
	b.at = now
	if b.left < 1 {
		return false
	}
	b.left--
	return true
}

func (s *Server) authenticatePAT(c *call, plain string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.allow(c.r, plain) {
		return refuse(http.StatusTooManyRequests, "too many requests")
	}
	if s.opt().StoreKeyLost {
		return errTokenInvalid
	}
	for _, u := range s.st.users {
		for _, t := range u.tokens {
			if t.plain != plain {
				continue
			}
			now := s.now()
			if now.After(t.expires) {
				return errTokenInvalid
			}
			t.used = &now
			c.user, c.accountID = u.id, u.accountID
			return nil
		}
	}
	return errTokenInvalid
}

var errKeyLost = errors.New("the store's encryption key does not fit")

func (s *Server) authenticateJWT(c *call, raw string) error {
	claims, err := s.verifyJWT(c.r.Context(), raw)
	if err != nil {
		return err
	}
	who := person{id: claims.text(s.userClaim()), email: claims.text("email"), name: claims.text("name")}
	if who.id == "" {
		return errors.New("user ID claim token value is empty")
	}
	s.mu.Lock()
	if s.opt().StoreKeyLost {
		s.mu.Unlock()
		return errKeyLost
	}
	accountID := s.accountOf(who)
	s.mu.Unlock()

	// A standalone server tells its identity provider which account the user has;
	// if it can't, the user stays but is not let in.
	if err := s.registerOutside(c.r.Context(), accountID); err != nil {
		return err
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	u, a := s.st.user(who.id), s.st.account(accountID)
	if u == nil || a == nil {
		return userNotFound(who.id)
	}
	if connectorOf(u.id) != localConnector && *a.settings.JwtGroupsEnabled {
		groups := claims.list(*a.settings.JwtGroupsClaimName)
		if allowed := *a.settings.JwtAllowGroups; len(allowed) > 0 && !slices.ContainsFunc(groups, func(g string) bool { return slices.Contains(allowed, g) }) {
			return errors.New("user does not belong to any of the allowed JWT groups")
		}
		s.syncGroups(u, a, groups)
	}
	c.user, c.accountID = u.id, accountID
	return nil
}

// person is who a JWT speaks of.
type person struct{ id, email, name string }

// accountOf is the account of a person, who is added to it, or given one of his
// own, if he is new.
func (s *Server) accountOf(who person) string {
	domain, category := "", ""
	if s.singleAccount {
		// Everyone belongs to the domain of the account there is. If that account
		// has none, everyone is on his own.
		domain, category = singleAccountDomain, "private"
		if st := s.opt().Standalone; st != nil && st.SingleAccountDomain != "" {
			domain = st.SingleAccountDomain
		}
		if len(s.st.accounts) > 0 {
			domain = s.st.accounts[0].domain
		}
	}
	if u := s.st.user(who.id); u != nil {
		return u.accountID
	}
	if category != "private" || domain == "" {
		return s.newAccount(who.id, strings.ToLower(domain), "", who.email, who.name).id
	}
	for _, a := range s.st.accounts {
		if a.domain == domain && a.category == "private" && a.primary {
			s.join(a, who)
			return a.id
		}
	}
	a := s.newAccount(who.id, strings.ToLower(domain), category, who.email, who.name)
	s.note(a.id, who.id, who.id, "User joined", "user.join", nil)
	return a.id
}

// join adds a person to an account, to wait there if the account wants it so.
func (s *Server) join(a *account, who person) {
	u := &user{id: who.id, accountID: a.id, role: "user", name: who.name, email: who.email, created: s.now()}
	var meta map[string]string
	if a.settings.Extra != nil && a.settings.Extra.UserApprovalRequired {
		u.blocked, u.pending = true, true
		meta = map[string]string{"pending_approval": "true"}
	}
	s.st.users = append(s.st.users, u)
	s.note(a.id, u.id, u.id, "User joined", "user.join", meta)
}

// syncGroups makes the user's groups that came from JWTs those of this one.
func (s *Server) syncGroups(u *user, a *account, names []string) {
	if *a.settings.JwtGroupsClaimName == "" {
		return
	}
	before := u.autoGroups
	var after, have []string
	for _, id := range before {
		g := a.group(id)
		switch {
		case g == nil:
		case g.issued != "jwt":
			after = append(after, id)
		case slices.Contains(names, g.name):
			after, have = append(after, id), append(have, g.name)
		}
	}
	for _, name := range names {
		if slices.Contains(have, name) {
			continue
		}
		g := a.groupNamed(name)
		if g == nil {
			g = &group{id: s.proc.next(s.now()), name: name, issued: "jwt"}
			a.groups = append(a.groups, g)
		}
		if g.issued == "jwt" {
			after, have = append(after, g.id), append(have, name)
		}
	}
	if slices.Equal(before, after) {
		return
	}
	u.autoGroups = after
	s.noteGroups(u.id, u, before)
}
