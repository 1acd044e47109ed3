package netbird

import (
	"net/http"
	"net/mail"
	"time"

	"github.com/netbirdio/netbird/shared/management/http/api"
)

func (s *Server) getInstance(*call) (any, error) {
	return api.InstanceStatus{SetupRequired: s.setupRequired}, nil
}

func (s *Server) getVersion(*call) (any, error) {
	return api.InstanceVersionInfo{ManagementCurrentVersion: s.opt().Version}, nil
}

// setup makes the first owner. With create_pat it also makes his account, which
// then has no domain: that is the trap.
func (s *Server) setup(c *call) (any, error) {
	var req api.SetupRequest
	if err := c.decode(&req); err != nil {
		return nil, refuse(http.StatusBadRequest, "invalid request body")
	}
	withToken := req.CreatePat != nil && *req.CreatePat && s.opt().SetupPAT && s.ver().makesTokensAtSetup()
	days := 1
	if withToken && req.PatExpireIn != nil {
		days = *req.PatExpireIn
	}
	if withToken && (days < 1 || days > 365) {
		return nil, refuse(http.StatusUnprocessableEntity, "pat_expire_in must be between 1 and 365")
	}
	if !s.opt().embedded() {
		return nil, errInternal
	}
	if err := checkSetup(req); err != nil {
		return nil, err
	}
	if !s.setupRequired || len(s.st.accounts) > 0 || len(s.st.passwords) > 0 {
		s.setupRequired = false
		return nil, refuse(http.StatusPreconditionFailed, "setup already completed")
	}
	if s.localAuthOff() {
		return nil, errInternal
	}
	s.setupRequired = false
	id := s.addPassword(req.Email, req.Name, req.Password)
	answer := api.SetupResponse{Email: req.Email, UserId: id}
	if withToken {
		s.newAccount(id, "", "", req.Email, req.Name)
		t := s.addToken(s.st.user(id), id, "setup-token", days)
		answer.PersonalAccessToken = &t.plain
	}
	return answer, nil
}

func checkSetup(req api.SetupRequest) error {
	invalid := func(why string) error { return refuse(http.StatusUnprocessableEntity, "%s", why) }
	switch {
	case req.Email == "":
		return invalid("email is required")
	case !validEmail(req.Email):
		return invalid("invalid email format")
	case req.Name == "":
		return invalid("name is required")
	case req.Password == "":
		return invalid("password is required")
	case len(req.Password) < 8:
		return invalid("password must be at least 8 characters")
	case len(req.Password) > 72:
		return invalid("password must be at most 72 characters")
	}
	return nil
}

func validEmail(s string) bool {
	_, err := mail.ParseAddress(s)
	return err == nil
}

// addPassword makes a local user and returns the id he will have in NetBird.
func (s *Server) addPassword(email, name, pass string) string {
	p := &password{id: newUUID(s.rand), email: email, name: name, password: pass}
	s.st.passwords = append(s.st.passwords, p)
	return subject(p.id, localConnector)
}

func (s *Server) addToken(u *user, by, name string, days int) *token {
	t := &token{
		id: s.proc.next(s.now()), name: name, plain: newPAT(s.rand), createdBy: by,
		created: s.now(), expires: s.now().AddDate(0, 0, days),
	}
	u.tokens = append(u.tokens, t)
	s.note(u.accountID, by, u.id, "Personal access token created", "personal.access.token.create", tokenMeta(t, u))
	return t
}

// seedOwner makes what a careful person has after setup: an owner in an account
// with a domain, and a token that lives a year.
func (s *Server) seedOwner() {
	o := s.opt()
	id := s.addPassword(o.OwnerEmail, o.OwnerName, o.OwnerPassword)
	domain, category := singleAccountDomain, "private"
	if o.DomainlessAccount {
		domain, category = "", ""
	}
	if st := o.Standalone; st != nil && st.SingleAccountDomain != "" {
		domain = st.SingleAccountDomain
	}
	a := s.newAccount(id, domain, category, o.OwnerEmail, o.OwnerName)
	a.settings.Extra.UserApprovalRequired = !o.ApprovalOff
	if o.OwnerToken != "" {
		u := s.st.user(id)
		u.tokens = append(u.tokens, &token{
			id: s.proc.next(s.now()), name: "seed", plain: o.OwnerToken, createdBy: id,
			created: s.now(), expires: s.now().Add(365 * 24 * time.Hour),
		})
	}
}
