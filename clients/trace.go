package clients

import (
	"encoding/json"
	"io"
	"net/url"
	"strings"
	"sync"
	"time"
)

// Exchange is one attempt of one HTTP request as --trace writes it: never a body, never a token, the query
// values of secrets masked.
type Exchange struct {
	Time     time.Time `json:"time"`     // when it began
	MS       float64   `json:"ms"`       // how long it took, milliseconds
	Method   string    `json:"method"`   //
	URL      string    `json:"url"`      // redacted
	Status   int       `json:"status"`   // 0: no answer
	Attempt  int       `json:"attempt"`  // from 1
	Sent     int64     `json:"sent"`     // bytes of the request's body
	Received int64     `json:"received"` // bytes of the answer's body
	Error    string    `json:"error"`    // why there was no answer, in one line
}

// NewTracer writes each exchange as one JSON line, as it ends. It may be called from several goroutines;
// a write that fails is not reported: a trace must not stop the work.
func NewTracer(w io.Writer) func(Exchange) {
	var mu sync.Mutex
	return func(x Exchange) {
		line, err := json.Marshal(x)
		if err != nil {
			return
		}
		mu.Lock()
		defer mu.Unlock()
		_, _ = w.Write(append(line, '\n'))
	}
}

// secretQuery names the query parameters whose values are nobody's business, in lower case.
var secretQuery = map[string]bool{
	"code": true, "token": true, "access_token": true, "id_token": true, "refresh_token": true, "id_token_hint": true,
	"client_secret": true, "secret": true, "password": true, "key": true, "state": true, "nonce": true,
	"code_verifier": true, "code_challenge": true, "device_code": true, "user_code": true, "assertion": true,
	"client_assertion": true, "hmac": true, "session_state": true,
}

// Redact is the URL with the query values of secrets, any password and the fragment masked.
func Redact(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return "(an address that can't be read)"
	}
	if u.User != nil {
		u.User = url.User("***")
	}
	if u.Fragment != "" {
		u.Fragment, u.RawFragment = "***", ""
	}
	u.RawQuery = redactQuery(u.RawQuery)
	return Clean(u.String())
}

// redactQuery masks values in place, so that the order and the spelling of the rest stay as they were sent.
func redactQuery(raw string) string {
	if raw == "" {
		return ""
	}
	pairs := strings.Split(raw, "&")
	for i, pair := range pairs {
		name, value, _ := strings.Cut(pair, "=")
		plain, err := url.QueryUnescape(name)
		switch {
		case err != nil || secretQuery[strings.ToLower(plain)]:
			pairs[i] = name + "=***"
		case strings.Contains(value, "%3F") || strings.Contains(value, "%3f") || strings.ContainsRune(value, '?'):
			// An address within the address (next=/authorize/?state=…) may hold the same secrets.
			if inner, err := url.QueryUnescape(value); err == nil {
				pairs[i] = name + "=" + url.QueryEscape(Redact(inner))
			}
		}
	}
	return strings.Join(pairs, "&")
}

// forms are the spellings that a secret may take inside a text: as it is, in a query, in JSON.
func forms(secret string) []string {
	all := []string{secret}
	if q := url.QueryEscape(secret); q != secret {
		all = append(all, q)
	}
	if p := url.PathEscape(secret); p != secret {
		all = append(all, p)
	}
	if j, err := json.Marshal(secret); err == nil && string(j[1:len(j)-1]) != secret {
		all = append(all, string(j[1:len(j)-1]))
	}
	return all
}
