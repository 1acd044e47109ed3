// Package web makes plain JSON calls for the journeys. It is for tests to look
// at a server with their own eyes: it shares no code with authbird's clients,
// so a mistake there can't hide itself here. It promises that every call ends
// within ten seconds and that no answer is taken for another; it refuses to
// retry and to follow redirects.
package web

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Timeout ends every call. Both servers answer on loopback, so a call that
// takes this long hangs.
const Timeout = 10 * time.Second

var client = &http.Client{
	Timeout: Timeout,
	CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	},
}

// Answer is what a server said.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Call sends one request with a JSON body (nil: none) and, where token isn't
// empty, as "Authorization: Bearer". The error is of the connection only: any
// status is an answer.
func Call(ctx context.Context, method, address, token string, body any) (Answer, error) {
	var reader io.Reader
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return Answer{}, fmt.Errorf("encode the body of %s %s: %w", method, address, err)
		}
		reader = bytes.NewReader(encoded)
	}
	request, err := http.NewRequestWithContext(ctx, method, address, reader)
	if err != nil {
		return Answer{}, err
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	return send(request)
}

// Form posts a form, as OAuth endpoints want it.
func Form(ctx context.Context, address string, values url.Values) (Answer, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(values.Encode()))
	if err != nil {
		return Answer{}, err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return send(request)
}

func send(request *http.Request) (Answer, error) {
	response, err := client.Do(request)
	if err != nil {
		return Answer{}, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return Answer{}, fmt.Errorf("read the answer of %s %s: %w", request.Method, request.URL, err)
	}
	return Answer{Status: response.StatusCode, Header: response.Header, Body: body}, nil
}

// Into decodes the body of a 2xx answer; any other status is an error that
// quotes the answer.
func (a Answer) Into(out any) error {
	if a.Status < 200 || a.Status > 299 {
		return fmt.Errorf("status %d: %s", a.Status, a.Short())
	}
	if err := json.Unmarshal(a.Body, out); err != nil {
		return fmt.Errorf("decode %q: %w", a.Short(), err)
	}
	return nil
}

// Short is the body, cut for a test's message.
func (a Answer) Short() string {
	const most = 300
	text := strings.TrimSpace(string(a.Body))
	if len(text) > most {
		return text[:most] + "…"
	}
	return text
}
