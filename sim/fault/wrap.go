package fault

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
)

// controlPath is where the faults of a running sandbox are ordered.
const controlPath = "/_sandbox/fault"

// Wrap returns next with the faults in front of it. It also serves
// /_sandbox/fault itself: POST orders one fault (a JSON Fault), DELETE clears,
// GET lists what stands. Those requests are neither counted nor delayed.
func (f *Faults) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == controlPath {
			f.control(w, r)
			return
		}
		seen, hit, latency, released := f.begin(r)
		status := 0
		defer func() { f.end(seen, status) }()
		if !pause(r, latency, nil) {
			return
		}
		switch hit.Kind {
		case Hang:
			hang(r, released)
			cut(w)
		case CutBefore:
			cut(w)
		case CutAfter:
			next.ServeHTTP(&deaf{header: http.Header{}}, r)
			cut(w)
		case Status, HTML, RateLimit:
			status = f.refuse(w, hit)
		default:
			if !pause(r, time.Duration(hit.DelayMS)*time.Millisecond, released) {
				return
			}
			watched := &watch{ResponseWriter: w, status: http.StatusOK}
			next.ServeHTTP(watched, r)
			status = watched.status
		}
	})
}

// pause waits for d, but not once released is closed, and tells whether the
// client is still there.
func pause(r *http.Request, d time.Duration, released <-chan struct{}) bool {
	if d <= 0 {
		return true
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-released:
		return true
	case <-r.Context().Done():
		return false
	}
}

// hang holds a request until its client has gone or the faults are cleared.
func hang(r *http.Request, released <-chan struct{}) {
	// The server notices a client's going only once the body has been read.
	_, _ = io.Copy(io.Discard, r.Body)
	select {
	case <-r.Context().Done():
	case <-released:
	}
}

// cut closes the connection without an answer.
func cut(w http.ResponseWriter) {
	if h, ok := w.(http.Hijacker); ok {
		if conn, _, err := h.Hijack(); err == nil {
			_ = conn.Close()
			return
		}
	}
	// HTTP/2 can't be hijacked; this ends the stream, and is not logged.
	panic(http.ErrAbortHandler)
}

// refuse answers in the simulator's place and returns the status it gave.
func (f *Faults) refuse(w http.ResponseWriter, hit Fault) int {
	status, body, kind := hit.Status, hit.Body, "application/json"
	switch hit.Kind {
	case HTML:
		kind = "text/html; charset=utf-8"
		if status == 0 {
			status = http.StatusBadGateway
		}
		if body == "" {
			body = fmt.Sprintf("<html>\r\n<head><title>%[1]d %[2]s</title></head>\r\n<body>\r\n<center><h1>%[1]d %[2]s</h1></center>\r\n</body>\r\n</html>\r\n", status, http.StatusText(status))
		}
	case RateLimit:
		status = http.StatusTooManyRequests
	default:
		if status == 0 {
			status = http.StatusInternalServerError
		}
	}
	if body == "" {
		body = f.bodyFor(status)
	}
	w.Header().Set("Content-Type", kind)
	if hit.RetryAfter != "" {
		w.Header().Set("Retry-After", hit.RetryAfter)
	}
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
	return status
}

func (f *Faults) bodyFor(status int) string {
	f.mu.Lock()
	body := f.errorBody
	f.mu.Unlock()
	if body != nil {
		return body(status)
	}
	return fmt.Sprintf(`{"message":%q,"code":%d}`, http.StatusText(status), status)
}

func (f *Faults) control(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodGet:
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(f.List())
	case http.MethodDelete:
		f.Clear()
		w.WriteHeader(http.StatusNoContent)
	case http.MethodPost:
		var x Fault
		d := json.NewDecoder(r.Body)
		d.DisallowUnknownFields()
		err := d.Decode(&x)
		if err == nil {
			err = f.Order(x)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	default:
		w.Header().Set("Allow", "GET, POST, DELETE")
		http.Error(w, "GET lists the faults, POST orders one, DELETE clears them", http.StatusMethodNotAllowed)
	}
}

// watch notes the status that a handler gave.
type watch struct {
	http.ResponseWriter
	status int
	wrote  bool
}

func (w *watch) WriteHeader(status int) {
	if !w.wrote {
		w.status, w.wrote = status, true
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *watch) Write(b []byte) (int, error) {
	w.wrote = true
	return w.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the real writer.
func (w *watch) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// deaf takes an answer that nobody will get.
type deaf struct{ header http.Header }

func (d *deaf) Header() http.Header         { return d.header }
func (d *deaf) WriteHeader(int)             {}
func (d *deaf) Write(b []byte) (int, error) { return len(b), nil }
