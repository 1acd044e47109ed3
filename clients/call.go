package clients

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

const (
	answerLimit   = 4 << 20 // bytes of an answer, unless the call says otherwise
	backoffMin    = 250 * time.Millisecond
	backoffMax    = 4 * time.Second
	retryAtLatest = 30 * time.Second // a longer Retry-After is the caller's to wait for
)

// Call is one request to make.
type Call struct {
	Server string // "Authentik" or "NetBird", for errors
	Op     string // what is tried, in words, for errors: "create the provider"
	Method string
	URL    string
	Token  string      // sent as a bearer token; "" sends none
	Header http.Header // beside the usual ones
	Body   []byte      // sent as ContentType
	// ContentType is of Body; default application/json.
	ContentType string
	// Secrets are values in the request that must not come back in an error; Token is one without being named.
	Secrets []string
	// Mark is a header that each answer of the right product bears; a refusal without it is WrongServer.
	Mark string
	// Page says that redirects and web pages are answers here, not mistakes.
	Page bool
	// Once says that the call is not repeated: who polls asks again by himself.
	Once bool
	// Limit is the longest answer in bytes; default 4 MiB.
	Limit int64
}

// read reports whether the call changes nothing.
func (c Call) read() bool { return c.Method == http.MethodGet || c.Method == http.MethodHead }

// hide is the text without the call's secrets.
func (c Call) hide(text string) string {
	return mask(text, append([]string{c.Token}, c.Secrets...))
}

// Answer is what came back.
type Answer struct {
	Meta
	Body []byte
}

// JSON makes the call with in as its body (nil: none) and reads the answer into out (nil: it doesn't matter).
// A body that isn't the JSON that was meant is WrongServer on a read; on a write it is Unknown.
func (t *Transport) JSON(ctx context.Context, c Call, in, out any) (Answer, error) {
	if in != nil {
		body, err := json.Marshal(in)
		if err != nil {
			return Answer{}, fault(c, Refused, "the request can't be put into JSON", err)
		}
		c.Body = body
	}
	a, err := t.Do(ctx, c)
	if err != nil || out == nil {
		return a, err
	}
	if err := json.Unmarshal(a.Body, out); err != nil {
		kind := WrongServer
		if !c.read() {
			kind = Unknown
		}
		e := fault(c, kind, "the answer is not what this call answers", nil)
		e.Status = a.Status
		return a, e
	}
	return a, nil
}

// Do makes the call. Where there was an answer it is given back beside the error too.
func (t *Transport) Do(ctx context.Context, c Call) (Answer, error) {
	for n := 1; ; n++ {
		if err := ctx.Err(); err != nil {
			return Answer{}, cancelled(c, err)
		}
		a, resp, err := t.attempt(ctx, c, n)
		var failure *Error
		var again bool
		if err != nil {
			failure, again = t.noAnswer(ctx, c, err)
		} else {
			if failure = judge(c, a); failure == nil {
				return a, nil
			}
			again = mayRepeat(c, a)
		}
		if !again || c.Once || n >= t.opts.Attempts || t.again != nil && !t.again() {
			return a, failure
		}
		d := retryablehttp.DefaultBackoff(backoffMin, backoffMax, n-1, resp)
		if d < 0 || d > retryAtLatest {
			return a, failure
		}
		if err := t.opts.Wait(ctx, d); err != nil {
			return a, cancelled(c, err)
		}
	}
}

// mayRepeat decides by an answer whether the same request may be sent again.
func mayRepeat(c Call, a Answer) bool {
	switch a.Status {
	case http.StatusTooManyRequests:
		return true
	case http.StatusServiceUnavailable:
		return c.read() || a.Header.Get("Retry-After") != ""
	case http.StatusBadGateway, http.StatusGatewayTimeout:
		return c.read()
	}
	return false
}

// attemptError is why an attempt had no answer.
type attemptError struct {
	err  error
	sent bool // some of the request may have reached the server
}

func (e *attemptError) Error() string { return e.err.Error() }
func (e *attemptError) Unwrap() error { return e.err }

// noAnswer says what an attempt without an answer means, and whether to try again.
func (t *Transport) noAnswer(ctx context.Context, c Call, err error) (*Error, bool) {
	var a *attemptError
	sent := !errors.As(err, &a) || a.sent
	sentence, again := cause(err, hostOf(c.URL), t.opts.Timeout)
	if c.read() || !sent {
		if ctx.Err() != nil {
			return cancelled(c, ctx.Err()), false
		}
		if errors.Is(err, errTooLong) {
			return fault(c, WrongServer, sentence, nil), false
		}
		return fault(c, Unreachable, sentence, err), again
	}
	if ctx.Err() != nil {
		return fault(c, Unknown, "interrupted after it was sent", ctx.Err()), false
	}
	return fault(c, Unknown, "it was sent, but "+sentence, err), false
}

func cancelled(c Call, err error) *Error {
	if errors.Is(err, context.DeadlineExceeded) {
		return fault(c, Unreachable, "there was no time left for it", err)
	}
	return fault(c, Cancelled, "interrupted", err)
}

// fault is an error of that call. What lies beneath is kept for errors.Is only: its text may hold anything.
func fault(c Call, k Kind, message string, beneath error) *Error {
	return &Error{Kind: k, Server: c.Server, Op: c.Op, Method: c.Method, URL: c.hide(Redact(c.URL)),
		Message: c.hide(message), Err: sealed(beneath)}
}

// sealed keeps of an error what callers test for, and nothing of its text.
func sealed(err error) error {
	for _, known := range []error{context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, known) {
			return known
		}
	}
	return nil
}

func hostOf(rawURL string) string {
	if u, err := url.Parse(rawURL); err == nil {
		return u.Host
	}
	return "the server"
}

// attempt sends the request once, reads the whole answer, and tells the trace.
func (t *Transport) attempt(ctx context.Context, c Call, n int) (Answer, *http.Response, error) {
	ctx, cancel := context.WithTimeout(ctx, t.opts.Timeout)
	defer cancel()
	x := Exchange{Time: t.opts.Now(), Method: c.Method, URL: c.hide(Redact(c.URL)), Attempt: n}
	watch := &watcher{now: t.opts.Now}
	var sent atomic.Int64
	req, err := t.request(httptrace.WithClientTrace(ctx, watch.trace()), c, &sent)
	if err != nil {
		return Answer{}, nil, &attemptError{err: err}
	}
	var a Answer
	resp, err := t.base.RoundTrip(req)
	if err == nil {
		a, err = readAnswer(resp, c)
		a.At, a.RTT = watch.times(x.Time, t.opts.Now())
	}
	x.MS = float64(t.opts.Now().Sub(x.Time)) / float64(time.Millisecond)
	x.Sent, x.Received, x.Status = sent.Load(), int64(len(a.Body)), a.Status
	if err != nil {
		sentence, _ := cause(err, hostOf(c.URL), t.opts.Timeout)
		x.Error = c.hide(sentence)
		err = &attemptError{err: err, sent: t.maybeSent(watch, err)}
	}
	t.opts.Trace(x)
	return a, resp, err
}

// maybeSent is false only where it is certain that nothing reached the server: no connection was had.
func (t *Transport) maybeSent(w *watcher, err error) bool {
	if _, ours := t.base.(*http.Transport); ours {
		return w.connected()
	}
	return !isDial(err)
}

func (t *Transport) request(ctx context.Context, c Call, sent *atomic.Int64) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, c.Method, c.URL, nil)
	if err != nil {
		return nil, errors.New("the address can't be used")
	}
	if len(c.Body) > 0 {
		req.GetBody, req.ContentLength = body(c, sent), int64(len(c.Body))
		req.Body, _ = req.GetBody()
		req.Header.Set("Content-Type", "application/json")
		if c.ContentType != "" {
			req.Header.Set("Content-Type", c.ContentType)
		}
	}
	req.Header.Set("Accept", "application/json")
	if c.Page {
		req.Header.Set("Accept", "text/html, application/json;q=0.9, */*;q=0.5")
	}
	req.Header.Set("Accept-Language", "en")
	for name, values := range c.Header {
		req.Header[http.CanonicalHeaderKey(name)] = values
	}
	req.Header.Set("User-Agent", t.opts.UserAgent)
	if c.Token != "" {
		req.Header.Set("Authorization", "Bearer "+c.Token)
	}
	return req, nil
}

// readAnswer reads the body up to the limit. What was read before a cut is counted, and the answer's status told.
func readAnswer(resp *http.Response, c Call) (Answer, error) {
	defer resp.Body.Close()
	limit := c.Limit
	if limit <= 0 {
		limit = answerLimit
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	if err == nil && int64(len(body)) > limit {
		err = errTooLong
	}
	a := Answer{Meta: Meta{Status: resp.StatusCode, Header: resp.Header}, Body: body}
	if date, dateErr := http.ParseTime(resp.Header.Get("Date")); dateErr == nil {
		a.Date = date
	}
	if resp.TLS != nil && len(resp.TLS.PeerCertificates) > 0 {
		a.CertNotAfter = resp.TLS.PeerCertificates[0].NotAfter
	}
	return a, err
}

// counter counts the bytes of a request's body as they leave.
type counter struct {
	*bytes.Reader
	sent *atomic.Int64
}

func (c counter) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.sent.Add(int64(n))
	return n, err
}

// body gives the body's reader to the library, and another where it must send the body anew.
func body(c Call, sent *atomic.Int64) func() (io.ReadCloser, error) {
	return func() (io.ReadCloser, error) {
		sent.Store(0)
		return io.NopCloser(counter{bytes.NewReader(c.Body), sent}), nil
	}
}

// watcher notes when the request left and when the answer began.
type watcher struct {
	now         func() time.Time
	mu          sync.Mutex
	conn        bool
	sent, first time.Time
}

func (w *watcher) trace() *httptrace.ClientTrace {
	note := func(f func()) {
		w.mu.Lock()
		defer w.mu.Unlock()
		f()
	}
	return &httptrace.ClientTrace{
		GotConn:              func(httptrace.GotConnInfo) { note(func() { w.conn = true }) },
		WroteRequest:         func(httptrace.WroteRequestInfo) { note(func() { w.sent = w.now() }) },
		GotFirstResponseByte: func() { note(func() { w.first = w.now() }) },
	}
}

func (w *watcher) connected() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.conn
}

// times is when the request had left and how long the first byte took, with begin and end where no trace was had.
func (w *watcher) times(begin, end time.Time) (time.Time, time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.sent.IsZero() || w.first.Before(w.sent) {
		return begin, end.Sub(begin)
	}
	return w.sent, w.first.Sub(w.sent)
}
