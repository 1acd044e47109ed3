package authentik

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// keepEvents bounds the memory of a server that runs for days.
const keepEvents = 10000

// modelOf names an object within an event.
func modelOf(app, model, name, pk string) map[string]any {
	return map[string]any{"pk": strings.ReplaceAll(pk, "-", ""), "app": app, "name": name, "model_name": model}
}

// record notes an event of a request.
func (s *Server) record(c *call, action, app string, u *user, context map[string]any) {
	full := map[string]any{}
	for k, v := range context {
		full[k] = v
	}
	args := map[string]any{}
	q := c.q
	if nested := c.flowQuery(); nested != nil {
		q = nested
	}
	for k, v := range q {
		args[k] = v[len(v)-1]
	}
	full["http_request"] = map[string]any{"args": args, "path": c.r.URL.Path, "method": c.r.Method, "request_id": c.id, "user_agent": c.r.UserAgent()}
	e := &event{PK: s.uuid(), Action: action, App: app, Context: full, User: map[string]any{}, ClientIP: c.address(), Created: s.now(), Brand: map[string]any{}}
	if u != nil {
		e.User = map[string]any{"pk": u.PK, "email": u.Email, "username": u.Username}
	}
	if b := s.brandFor(c.r.Host); b != nil {
		e.Brand = modelOf("authentik_brands", "brand", b.label(), b.UUID)
	}
	s.st.events = append(s.st.events, e)
	if len(s.st.events) > keepEvents {
		s.st.events = slices.Clone(s.st.events[keepEvents/10:])
	}
}

var eventActions = []string{
	"login", "login_failed", "logout", "user_write", "suspicious_request", "password_set", "secret_view", "secret_rotate",
	"invitation_used", "authorize_application", "source_linked", "impersonation_started", "impersonation_ended",
	"flow_execution", "policy_execution", "policy_exception", "property_mapping_exception", "system_task_execution",
	"system_task_exception", "system_exception", "configuration_error", "model_created", "model_updated", "model_deleted",
	"email_sent", "update_available", "export_ready", "custom_",
}

func (s *Server) eventModels() map[string]any {
	apps := []string{}
	for _, e := range s.st.events {
		if !slices.Contains(apps, e.App) {
			apps = append(apps, e.App)
		}
	}
	slices.Sort(apps)
	one := func(options any) map[string]any {
		return map[string]any{"type": "str", "nullable": false, "options": options}
	}
	return autocomplete("authentik_events.event", map[string]any{
		"action": one(eventActions), "event_uuid": one(nil), "app": one(apps), "client_ip": one(nil),
		"user": modelRelation("authentik_events.event_user"), "brand": modelRelation("authentik_events.event_brand"),
		"context": modelRelation("authentik_events.event_context"),
		"created": map[string]any{"type": "datetime", "nullable": false, "options": []any{}},
	})
}

func showEvent(e *event) any {
	return map[string]any{"pk": e.PK, "user": e.User, "action": e.Action, "app": e.App, "context": e.Context,
		"client_ip": e.ClientIP, "created": stamp(e.Created), "expires": stamp(e.Created.Add(365 * 24 * time.Hour)), "brand": e.Brand}
}

// listEvents lists events, the latest first. ?action= looks for a part of the
// action: "login" finds failed ones too.
func listEvents(c *call) reply {
	rows := slices.Clone(c.s.st.events)
	slices.Reverse(rows)
	part := func(field func(*event) string) func(*event, string) bool {
		return func(e *event, v string) bool { return strings.Contains(strings.ToLower(field(e)), strings.ToLower(v)) }
	}
	name := func(e *event) string { n, _ := e.User["username"].(string); return n }
	return list(c, lister[event]{
		rows: rows,
		order: map[string]func(a, b *event) int{
			"created": by(func(e *event) int64 { return e.Created.UnixNano() }), "action": by(func(e *event) string { return e.Action }),
		},
		search: func(e *event) []string { return []string{e.PK, name(e), e.Action, e.App, e.ClientIP} },
		filters: map[string]func(*event, string) bool{
			"action": part(func(e *event) string { return e.Action }), "username": part(name),
			"client_ip": part(func(e *event) string { return e.ClientIP }),
			"actions":   func(e *event, _ string) bool { return slices.Contains(c.q["actions"], e.Action) },
		},
		models: c.s.eventModels(),
		show:   func(e *event) any { return showEvent(e) },
	})
}

func getEvent(c *call) reply {
	if e := find(c.s.st.events, func(e *event) bool { return e.PK == c.args[0] }); e != nil {
		return reply{status: http.StatusOK, body: showEvent(e)}
	}
	return c.absent("Event")
}
