package netbird

import (
	"maps"
	"slices"
	"strconv"

	"github.com/netbirdio/netbird/shared/management/http/api"
)

// listEvents is the audit log, newest first. Who did it and to whom is filled in
// from the users as they are now.
func (s *Server) listEvents(c *call) (any, error) {
	if err := s.may(c, "events", opRead); err != nil {
		return nil, err
	}
	out := []api.Event{}
	for _, e := range slices.Backward(s.st.events) {
		if e.accountID != c.accountID {
			continue
		}
		a := api.Event{
			Id: strconv.Itoa(e.id), Activity: e.activity, ActivityCode: api.EventActivityCode(e.code),
			InitiatorId: e.initiator, TargetId: e.target, Timestamp: e.at, Meta: map[string]string{},
		}
		maps.Copy(a.Meta, e.meta)
		if u := s.st.user(e.initiator); u != nil {
			a.InitiatorEmail, a.InitiatorName = u.email, u.name
		}
		if u := s.st.user(e.target); u != nil {
			a.Meta["email"], a.Meta["username"] = u.email, u.name
		}
		out = append(out, a)
	}
	return out, nil
}
