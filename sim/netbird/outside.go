package netbird

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/netbirdio/netbird/shared/management/http/api"
)

// profile is what the outside identity provider knows of a user.
type profile struct{ id, email, name string }

// everyone reads all users, page by page, optionally by e-mail.
func (o *outside) everyone(ctx context.Context, email string) ([]profile, error) {
	base, err := url.Parse(o.manager.Issuer)
	if err != nil {
		return nil, err
	}
	var out []profile
	for page := 1; page > 0; {
		token, err := o.bearer(ctx)
		if err != nil {
			return nil, err
		}
		q := url.Values{"page": {strconv.Itoa(page)}}
		if email != "" {
			q = url.Values{"email": {email}}
		}
		where := url.URL{Scheme: base.Scheme, Host: base.Host, Path: "/api/v3/core/users/", RawQuery: q.Encode()}
		var list struct {
			Pagination struct {
				Next float64 `json:"next"`
			} `json:"pagination"`
			Results []struct {
				PK    int    `json:"pk"`
				Name  string `json:"name"`
				Email string `json:"email"`
			} `json:"results"`
		}
		if err := o.getJSON(ctx, where.String(), token, &list); err != nil {
			return nil, err
		}
		for _, u := range list.Results {
			out = append(out, profile{id: strconv.Itoa(u.PK), email: u.Email, name: u.Name})
		}
		if page = int(list.Pagination.Next); email != "" {
			page = 0
		}
	}
	return out, nil
}

// warmUp fills the cache at the start. That it fails is only logged.
func (o *outside) warmUp(ctx context.Context, s *Server) {
	if o.manager == nil {
		return
	}
	all, err := o.everyone(ctx, "")
	if err != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, p := range all {
		if u := s.st.user(p.id); u != nil {
			o.cache[u.accountID] = append(o.cache[u.accountID], p)
		}
	}
}

// load returns what is known of an account's users, and asks again, twice at
// most, while one of them is unknown.
func (o *outside) load(ctx context.Context, accountID string, ids []string) ([]profile, error) {
	o.mu.Lock()
	known, cached := o.cache[accountID]
	o.mu.Unlock()
	for try := 0; ; try++ {
		complete := !slices.ContainsFunc(ids, func(id string) bool {
			return !slices.ContainsFunc(known, func(p profile) bool { return p.id == id })
		})
		if (cached && complete) || try == 3 || (cached && try == 2) {
			return known, nil
		}
		all, err := o.everyone(ctx, "")
		if err != nil {
			return nil, err
		}
		known = slices.DeleteFunc(all, func(p profile) bool { return !slices.Contains(ids, p.id) })
		o.mu.Lock()
		o.cache[accountID] = known
		o.mu.Unlock()
		cached = true
	}
}

// registerOutside is what a standalone server does for each JWT: it looks its
// user up at the identity provider.
func (s *Server) registerOutside(ctx context.Context, accountID string) error {
	_, err := s.profiles(ctx, accountID)
	return err
}

// profiles is the view on an account's users through the identity provider. An
// embedded one keeps names in the store, so there is nothing to look up.
func (s *Server) profiles(ctx context.Context, accountID string) (view, error) {
	s.mu.Lock()
	out := s.outside
	var ids []string
	for _, u := range s.st.usersOf(accountID) {
		if !u.service {
			ids = append(ids, u.id)
		}
	}
	s.mu.Unlock()
	if out == nil || out.manager == nil {
		return view{}, nil
	}
	known, err := out.load(ctx, accountID, ids)
	if err != nil {
		return view{}, errInternal
	}
	return view{lookedUp: len(known) > 0, known: known}, nil
}

// view shows users with the names that the identity provider gave.
type view struct {
	lookedUp bool
	known    []profile
}

func (v view) find(u user) (profile, bool) {
	i := slices.IndexFunc(v.known, func(p profile) bool { return p.id == u.id })
	if i < 0 {
		return profile{}, false
	}
	return v.known[i], true
}

// showOne shows a user by himself: as stored, if the provider doesn't know him.
func (v view) showOne(u user, caller string) api.User {
	if p, ok := v.find(u); ok {
		u.name, u.email = p.name, p.email
	}
	return userAnswer(&u, caller)
}

// show shows a user in a list, where of one whom the provider doesn't know only
// the least is told, not even that he is blocked.
func (v view) show(u user, caller string) api.User {
	if _, ok := v.find(u); ok || !v.lookedUp {
		return v.showOne(u, caller)
	}
	if !u.service {
		u.name = ""
	}
	u.blocked, u.pending = false, false
	a := userAnswer(&u, caller)
	a.Issued = ptr("")
	return a
}

// inviteOutside is an invitation on a server that can't make users.
func (s *Server) inviteOutside(c *call, u *user) (any, error) {
	s.mu.Lock()
	out := s.outside
	s.mu.Unlock()
	if out == nil || out.manager == nil {
		return nil, refuse(http.StatusPreconditionFailed, "IdP manager must be enabled to send user invites")
	}
	if err := checkInvite(u); err != nil {
		return nil, err
	}
	s.mu.Lock()
	err := s.may(c, "users", opCreate)
	s.mu.Unlock()
	if err != nil {
		return nil, err
	}
	known, err := s.profiles(c.r.Context(), c.accountID)
	if err != nil {
		return nil, err
	}
	there := slices.ContainsFunc(known.known, func(p profile) bool { return p.email == u.email })
	if !there {
		found, err := out.everyone(c.r.Context(), u.email)
		if err != nil {
			return nil, errInternal
		}
		there = len(found) > 0
	}
	if there {
		return nil, refuse(http.StatusConflict, "can't invite a user with an existing NetBird account")
	}
	return nil, errInternal
}
