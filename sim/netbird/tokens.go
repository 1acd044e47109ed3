package netbird

import (
	"net/http"
	"slices"
	"strconv"

	"github.com/netbirdio/netbird/shared/management/http/api"
)

func tokenAnswer(t *token) api.PersonalAccessToken {
	return api.PersonalAccessToken{
		Id: t.id, Name: t.name, CreatedAt: t.created, CreatedBy: t.createdBy, ExpirationDate: t.expires, LastUsed: t.used,
	}
}

func tokenMeta(t *token, u *user) map[string]string {
	return map[string]string{"name": t.name, "is_service_user": strconv.FormatBool(u.service), "user_name": serviceName(u)}
}

// tokenOwner is the user of the path, if the caller may touch his tokens: his
// own, or as an admin a service user's.
func (s *Server) tokenOwner(c *call, op operation) (*user, error) {
	if err := s.may(c, "pats", op); err != nil {
		return nil, err
	}
	me, u := s.st.user(c.user), s.st.user(c.path["user"])
	switch {
	case u == nil:
		return nil, userNotFound(c.path["user"])
	case u.accountID != c.accountID:
		return nil, errDenied
	case me != u && !(me.adminPower() && u.service):
		return nil, errAdminOnly
	}
	return u, nil
}

func (s *Server) listTokens(c *call) (any, error) {
	u, err := s.tokenOwner(c, opRead)
	if err != nil {
		return nil, err
	}
	var out []api.PersonalAccessToken // none is null, not an empty list
	for _, t := range u.tokens {
		out = append(out, tokenAnswer(t))
	}
	return out, nil
}

func (s *Server) createToken(c *call) (any, error) {
	var req api.PersonalAccessTokenRequest
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	if req.Name == "" {
		return nil, refuse(http.StatusUnprocessableEntity, "token name can't be empty")
	}
	if req.ExpiresIn < 1 || req.ExpiresIn > 365 {
		return nil, refuse(http.StatusUnprocessableEntity, "expiration has to be between 1 and 365")
	}
	u, err := s.tokenOwner(c, opCreate)
	if err != nil {
		return nil, err
	}
	t := s.addToken(u, c.user, req.Name, req.ExpiresIn)
	return api.PersonalAccessTokenGenerated{PersonalAccessToken: tokenAnswer(t), PlainToken: t.plain}, nil
}

func (s *Server) findToken(c *call, op operation) (*user, *token, error) {
	u, err := s.tokenOwner(c, op)
	if err != nil {
		return nil, nil, err
	}
	for _, t := range u.tokens {
		if t.id == c.path["token"] {
			return u, t, nil
		}
	}
	return nil, nil, refuse(http.StatusNotFound, "PAT: %s not found", c.path["token"])
}

func (s *Server) getToken(c *call) (any, error) {
	_, t, err := s.findToken(c, opRead)
	if err != nil {
		return nil, err
	}
	return tokenAnswer(t), nil
}

func (s *Server) deleteToken(c *call) (any, error) {
	u, t, err := s.findToken(c, opDelete)
	if err != nil {
		return nil, err
	}
	u.tokens = slices.DeleteFunc(u.tokens, func(x *token) bool { return x == t })
	s.note(u.accountID, c.user, u.id, "Personal access token deleted", "personal.access.token.delete", tokenMeta(t, u))
	return struct{}{}, nil
}
