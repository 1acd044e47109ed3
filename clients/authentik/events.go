package authentik

import (
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// Event is one line of Authentik's event log.
type Event struct {
	PK       string    `json:"pk"`
	Action   string    `json:"action"`
	Created  time.Time `json:"created"`
	User     EventUser `json:"-"`
	ClientIP string    `json:"client_ip"`
	// Application names what was authorised, for the action authorize_application; "" otherwise.
	Application string `json:"-"`
	// ClientID is the client id in the request behind the event, "" where it had none.
	ClientID string `json:"-"`
	// Token is the identifier of the token that somebody signed in with, for the action login; "" without one.
	Token string `json:"-"`
}

// EventUser is who caused an event.
type EventUser struct {
	PK       int    `json:"pk"`
	Username string `json:"username"`
	Email    string `json:"email"`
}

// UnmarshalJSON takes out of user and context what authbird reads. Both are free-form: what doesn't fit is left out.
func (e *Event) UnmarshalJSON(raw []byte) error {
	type plain Event
	wire := struct {
		*plain
		User    json.RawMessage `json:"user"`
		Context json.RawMessage `json:"context"`
	}{plain: (*plain)(e)}
	if err := json.Unmarshal(raw, &wire); err != nil {
		return err
	}
	var about struct {
		Authorized struct {
			Name string `json:"name"`
		} `json:"authorized_application"`
		Method struct {
			Identifier string `json:"identifier"`
		} `json:"auth_method_args"`
		Request struct {
			Args struct {
				ClientID string `json:"client_id"`
			} `json:"args"`
		} `json:"http_request"`
	}
	_ = json.Unmarshal(wire.User, &e.User)
	_ = json.Unmarshal(wire.Context, &about)
	e.Application, e.ClientID, e.Token = about.Authorized.Name, about.Request.Args.ClientID, about.Method.Identifier
	return nil
}

// Events is the newest events of one action ("authorize_application", "login", "secret_view"), newest first.
func (c *Client) Events(ctx context.Context, action string, limit int) ([]Event, error) {
	limit = min(max(limit, 1), pageSize)
	p, err := readPage[Event](ctx, c, "read the events", "/events/events/", url.Values{
		"action": {action}, "ordering": {"-created"}, "page_size": {strconv.Itoa(limit)}})
	return slices.DeleteFunc(p.Results, func(e Event) bool { return e.Action != action }), err
}

// Logins is that user's newest logins, newest first. A service account's say by which token, see Event.Token.
func (c *Client) Logins(ctx context.Context, username string, limit int) ([]Event, error) {
	limit = min(max(limit, 1), pageSize)
	p, err := readPage[Event](ctx, c, "read the logins", "/events/events/", url.Values{
		"action": {"login"}, "username": {username}, "ordering": {"-created"}, "page_size": {strconv.Itoa(limit)}})
	return slices.DeleteFunc(p.Results, func(e Event) bool { return e.Action != "login" || e.User.Username != username }), err
}
