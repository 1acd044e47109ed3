package authentik

import (
	"encoding/json"
	"html"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// maxBody bounds what is read of a request, in bytes.
const maxBody = 4 << 20

// call is one request while it is answered.
type call struct {
	s    *Server
	r    *http.Request
	id   string // the answer's x-authentik-id
	at   time.Time
	q    url.Values
	args []string // what stood for {} in the path
	user *user    // nil: nobody
	sess *session // nil: none yet
	body map[string]any
	// setCookie is the session key to hand out with the answer.
	setCookie string
}

// reply is an answer before it is written. A nil body is an empty one.
type reply struct {
	status int
	body   any
	page   string // HTML instead of a body
	header map[string]string
	plain  bool // JSON without a charset, as outside of the API
}

// detail is an error in one sentence.
func detail(status int, text string) reply {
	return reply{status: status, body: map[string]any{"detail": text}}
}

// refused is a validation error.
func refused(errs map[string]any) reply { return reply{status: http.StatusBadRequest, body: errs} }

// wrong is a validation error of one field.
func wrong(field, text string) reply { return refused(map[string]any{field: []string{text}}) }

func redirect(to string) reply {
	return reply{status: http.StatusFound, header: map[string]string{"Location": to}}
}

// page is an HTML page with a title and one sentence.
func page(status int, title, text string) reply {
	return reply{status: status, page: "<!DOCTYPE html>\n<html><head><title>" + html.EscapeString(title) +
		"</title></head><body><h1>" + html.EscapeString(text) + "</h1></body></html>\n"}
}

// notFoundPage is what any address gets that leads nowhere.
func notFoundPage() reply { return page(http.StatusNotFound, "authentik", "Not found") }

func (c *call) write(w http.ResponseWriter, out reply) {
	h := w.Header()
	h.Set("X-Authentik-Id", c.id)
	h.Set("Date", c.at.UTC().Format(http.TimeFormat))
	for k, v := range out.header {
		h.Set(k, v)
	}
	if c.setCookie != "" {
		http.SetCookie(w, &http.Cookie{Name: sessionCookie, Value: c.setCookie, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: c.scheme() == "https"})
	}
	if out.body == nil {
		if h.Get("Content-Type") == "" && out.status != http.StatusNoContent {
			h.Set("Content-Type", "text/html; charset=utf-8")
		}
		w.WriteHeader(out.status)
		_, _ = io.WriteString(w, out.page)
		return
	}
	h.Set("Content-Type", "application/json; charset=utf-8")
	if out.plain {
		h.Set("Content-Type", "application/json")
	}
	w.WriteHeader(out.status)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	_ = e.Encode(out.body)
}

func (c *call) scheme() string {
	if c.s.forced != "" {
		return c.s.forced
	}
	if p := c.r.Header.Get("X-Forwarded-Proto"); p != "" {
		return p
	}
	if c.r.TLS != nil {
		return "https"
	}
	return "http"
}

// base is the server's address as this request reached it. X-Forwarded-Host
// doesn't count.
func (c *call) base() string { return c.scheme() + "://" + c.r.Host }

func (c *call) address() string {
	host := c.r.RemoteAddr
	if i := strings.LastIndexByte(host, ':'); i >= 0 {
		host = host[:i]
	}
	return strings.Trim(host, "[]")
}

// accepts tells whether the client takes JSON.
func (c *call) acceptsJSON() bool {
	accept := c.r.Header.Get("Accept")
	if accept == "" {
		return true
	}
	for part := range strings.SplitSeq(accept, ",") {
		kind, _, _ := strings.Cut(strings.TrimSpace(part), ";")
		switch strings.TrimSpace(kind) {
		case "*/*", "application/*", "application/json":
			return true
		}
	}
	return false
}

// readBody reads a JSON object into c.body. The second result is false if the
// request was refused with the first.
func (c *call) readBody() (reply, bool) {
	raw, err := io.ReadAll(c.r.Body)
	if err != nil {
		return detail(http.StatusBadRequest, "Request body could not be read."), false
	}
	c.body = map[string]any{}
	kind, _, _ := strings.Cut(c.r.Header.Get("Content-Type"), ";")
	if kind = strings.TrimSpace(kind); kind != "application/json" {
		if len(raw) == 0 {
			return reply{}, true
		}
		return detail(http.StatusUnsupportedMediaType, `Unsupported media type "`+kind+`" in request.`), false
	}
	if len(raw) == 0 {
		return reply{}, true
	}
	d := json.NewDecoder(strings.NewReader(string(raw)))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil || d.InputOffset() < int64(len(strings.TrimRight(string(raw), " \t\r\n"))) {
		return detail(http.StatusBadRequest, "JSON parse error - "+jsonError(raw, err, d.InputOffset())), false
	}
	m, ok := v.(map[string]any)
	if !ok {
		return wrong("non_field_errors", "Invalid data. Expected a dictionary, but got "+pythonType(v)+"."), false
	}
	c.body = m
	return reply{}, true
}

// jsonError words a syntax error as the server's parser does.
func jsonError(raw []byte, err error, offset int64) string {
	what, at := "unexpected character", int(offset)
	if syntax, ok := err.(*json.SyntaxError); ok {
		at = int(syntax.Offset) - 1
	}
	if err == io.ErrUnexpectedEOF || err == io.EOF || at >= len(raw) {
		what, at = "unexpected end of data", len(raw)
	}
	before := string(raw[:max(at, 0)])
	line := strings.Count(before, "\n") + 1
	column := at - strings.LastIndexByte(before, '\n')
	return what + ": line " + strconv.Itoa(line) + " column " + strconv.Itoa(column) + " (char " + strconv.Itoa(at) + ")"
}
