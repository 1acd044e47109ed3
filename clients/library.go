package clients

import (
	"bytes"
	"io"
	"net/http"
)

// HTTPClient is the transport for a library that wants an *http.Client. Each of its requests is made as the call
// template says (server, words, token, secrets, mark, limit), with the library's own method, address, headers and
// body; a failed one comes back as an *Error inside the library's error, for errors.As. The library sees only
// answers that are good.
func (t *Transport) HTTPClient(template Call) *http.Client {
	return &http.Client{
		Transport:     roundTripper{t: t, call: template},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

type roundTripper struct {
	t    *Transport
	call Call
}

// RoundTrip makes the request as the template says.
func (r roundTripper) RoundTrip(req *http.Request) (*http.Response, error) {
	c := r.call
	c.Method, c.URL, c.Header = req.Method, req.URL.String(), req.Header.Clone()
	if req.Body != nil {
		body, err := io.ReadAll(req.Body)
		req.Body.Close()
		if err != nil {
			return nil, err
		}
		c.Body, c.ContentType = body, req.Header.Get("Content-Type")
	}
	a, err := r.t.Do(req.Context(), c)
	if err != nil {
		return nil, err
	}
	return &http.Response{
		Status: http.StatusText(a.Status), StatusCode: a.Status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: a.Header, Body: io.NopCloser(bytes.NewReader(a.Body)), ContentLength: int64(len(a.Body)), Request: req,
	}, nil
}
