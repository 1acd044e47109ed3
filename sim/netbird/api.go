package netbird

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"path"
	"strings"
)

// call is one authenticated request to the API.
type call struct {
	r         *http.Request
	user      string // id of the caller
	accountID string
	path      map[string]string
}

// endpoint is one row of the API. A handler runs under the server's lock unless
// it is unlocked, and returns what is to be answered as JSON.
type endpoint struct {
	method, pattern string
	since           [3]int
	public          bool
	unlocked        bool
	idp             bool // needs the embedded identity provider's storage
	handle          func(*Server, *call) (any, error)
}

func endpoints() []endpoint {
	return []endpoint{
		{method: "GET", pattern: "instance", since: [3]int{0, 62, 0}, public: true, handle: (*Server).getInstance},
		{method: "POST", pattern: "setup", since: [3]int{0, 62, 0}, public: true, handle: (*Server).setup},
		{method: "GET", pattern: "instance/version", since: [3]int{0, 64, 2}, handle: (*Server).getVersion},
		{method: "GET", pattern: "users", unlocked: true, handle: (*Server).listUsers},
		{method: "POST", pattern: "users", unlocked: true, handle: (*Server).createUser},
		{method: "GET", pattern: "users/current", unlocked: true, handle: (*Server).currentUser},
		{method: "PUT", pattern: "users/{user}", unlocked: true, handle: (*Server).updateUser},
		{method: "DELETE", pattern: "users/{user}", handle: (*Server).deleteUser},
		{method: "POST", pattern: "users/{user}/invite", unlocked: true, handle: (*Server).inviteUser},
		{method: "POST", pattern: "users/{user}/approve", unlocked: true, handle: (*Server).approveUser},
		{method: "DELETE", pattern: "users/{user}/reject", handle: (*Server).rejectUser},
		{method: "GET", pattern: "users/{user}/tokens", handle: (*Server).listTokens},
		{method: "POST", pattern: "users/{user}/tokens", handle: (*Server).createToken},
		{method: "GET", pattern: "users/{user}/tokens/{token}", handle: (*Server).getToken},
		{method: "DELETE", pattern: "users/{user}/tokens/{token}", handle: (*Server).deleteToken},
		{method: "GET", pattern: "accounts", handle: (*Server).listAccounts},
		{method: "PUT", pattern: "accounts/{account}", handle: (*Server).updateAccount},
		{method: "DELETE", pattern: "accounts/{account}", handle: (*Server).deleteAccount},
		{method: "GET", pattern: "groups", handle: (*Server).listGroups},
		{method: "POST", pattern: "groups", handle: (*Server).createGroup},
		{method: "GET", pattern: "groups/{group}", handle: (*Server).getGroup},
		{method: "DELETE", pattern: "groups/{group}", handle: (*Server).deleteGroup},
		{method: "GET", pattern: "events/audit", handle: (*Server).listEvents},
		{method: "GET", pattern: "events", handle: (*Server).listEvents},
		{method: "GET", pattern: "identity-providers", since: [3]int{0, 62, 0}, idp: true, handle: (*Server).listIdPs},
		{method: "POST", pattern: "identity-providers", since: [3]int{0, 62, 0}, unlocked: true, handle: (*Server).createIdP},
		{method: "GET", pattern: "identity-providers/{idp}", since: [3]int{0, 62, 0}, idp: true, handle: (*Server).getIdP},
		{method: "PUT", pattern: "identity-providers/{idp}", since: [3]int{0, 62, 0}, unlocked: true, handle: (*Server).updateIdP},
		{method: "DELETE", pattern: "identity-providers/{idp}", since: [3]int{0, 62, 0}, idp: true, handle: (*Server).deleteIdP},
	}
}

// find picks the endpoint of a request. A path or a method that is none, and a
// path with a slash too many, is found nowhere.
func (s *Server) find(r *http.Request) (endpoint, map[string]string, bool) {
	parts := strings.Split(strings.TrimPrefix(r.URL.Path, "/api/"), "/")
	for _, e := range endpoints() {
		if e.method != r.Method || !s.ver().hasEndpoint(e.since) {
			continue
		}
		if vars, ok := matchPattern(e.pattern, parts); ok {
			return e, vars, true
		}
	}
	return endpoint{}, nil, false
}

func matchPattern(pattern string, parts []string) (map[string]string, bool) {
	want := strings.Split(pattern, "/")
	if len(want) != len(parts) {
		return nil, false
	}
	vars := map[string]string{}
	for i, w := range want {
		switch name, variable := strings.CutPrefix(w, "{"); {
		case variable && parts[i] != "":
			vars[strings.TrimSuffix(name, "}")] = parts[i]
		case w != parts[i]:
			return nil, false
		}
	}
	return vars, true
}

func (s *Server) serveAPI(w http.ResponseWriter, r *http.Request) {
	if clean := path.Clean(r.URL.Path); strings.Contains(r.URL.Path, "//") {
		w.Header().Set("Location", clean)
		w.WriteHeader(http.StatusMovedPermanently)
		return
	}
	s.mu.Lock()
	e, vars, ok := s.find(r)
	if !ok {
		s.mu.Unlock()
		notFound(w)
		return
	}
	w.Header().Set("X-Request-Id", s.proc.next(s.now()))
	s.mu.Unlock()

	c := &call{r: r, path: vars}
	if !e.public {
		if err := s.authenticate(c); err != nil {
			writeError(w, err)
			return
		}
	}
	if e.idp {
		s.idpStorage(r.Context())
	}
	answer, err := s.run(e, c)
	if err != nil {
		writeError(w, err)
		return
	}
	writeJSON(w, http.StatusOK, answer)
}

func (s *Server) run(e endpoint, c *call) (any, error) {
	if !e.unlocked {
		s.mu.Lock()
		defer s.mu.Unlock()
	}
	return e.handle(s, c)
}

type errorBody struct {
	Message string `json:"message"`
	Code    int    `json:"code"`
}

// refusal is an error that a client is told. Any other error is told as an
// internal one.
type refusal struct {
	status  int
	message string
	asIs    bool // not turned into lower case
}

func (e *refusal) Error() string { return e.message }

func refuse(status int, format string, args ...any) error {
	return &refusal{status: status, message: fmt.Sprintf(format, args...)}
}

// refuseAsIs is a 400 whose message the server does not turn into lower case.
func refuseAsIs(format string, args ...any) error {
	return &refusal{status: http.StatusBadRequest, message: fmt.Sprintf(format, args...), asIs: true}
}

var (
	errNoAuth       = refuse(http.StatusUnauthorized, "no valid authentication provided")
	errTokenInvalid = refuse(http.StatusUnauthorized, "token invalid")
	errDenied       = refuse(http.StatusForbidden, "permission denied")
	errAdminOnly    = refuse(http.StatusForbidden, "admin role required to perform this action")
	errBadJSON      = refuseAsIs("couldn't parse JSON request")
	errInternal     = errors.New("internal server error")
)

func writeError(w http.ResponseWriter, err error) {
	body := errorBody{Message: errInternal.Error(), Code: http.StatusInternalServerError}
	if r, ok := errors.AsType[*refusal](err); ok {
		body = errorBody{Message: err.Error(), Code: r.status}
		if !r.asIs {
			body.Message = strings.ToLower(body.Message)
		}
	}
	writeJSON(w, body.Code, body)
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(v)
}

// decode reads a request's body as the server does: the first JSON value in it,
// unknown fields ignored.
func (c *call) decode(into any) error {
	if err := json.NewDecoder(c.r.Body).Decode(into); err != nil {
		return errBadJSON
	}
	return nil
}

func userNotFound(id string) error { return refuse(http.StatusNotFound, "user: %s not found", id) }

func ptr[T any](v T) *T { return &v }
