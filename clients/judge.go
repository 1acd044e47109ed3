package clients

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"sort"
	"strings"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

// judge says what an answer means: nil where it is the one that was asked for.
func judge(c Call, a Answer) *Error {
	if a.Status < 200 || a.Status > 299 || isPage(a) {
		a.Body = []byte(c.hide(string(a.Body))) // before anything is cut: half a secret would not be known for one
	}
	switch {
	case a.Status >= 500:
		return serverFault(c, a)
	case c.Page && a.Status < 500 && a.Status != http.StatusTooManyRequests:
		return nil
	case a.Status == http.StatusTooManyRequests:
		return notNow(c, a)
	case a.Status >= 300 && a.Status < 400:
		return answered(c, a, WrongServer, "it sends on to "+destination(c.URL, a.Header.Get("Location")))
	case a.Status >= 200 && a.Status < 300:
		return judgeGood(c, a)
	}
	return judgeRefusal(c, a)
}

// judgeGood looks whether a 2xx is JSON, or nothing, as an API answers. Who put a page in the place of a write's
// answer doesn't tell whether the write got through.
func judgeGood(c Call, a Answer) *Error {
	if len(bytes.TrimSpace(a.Body)) == 0 || !isPage(a) {
		return nil
	}
	kind := WrongServer
	if !c.read() {
		kind = Unknown
	}
	return answered(c, a, kind, "a web page came back"+titled(a))
}

// judgeRefusal tells the 4xx apart, by status alone and by who answers: a page, a bare word or a 401 without the
// product's mark comes from something in front of it. (JSON without the mark may be the product behind a proxy that
// drops headers.)
func judgeRefusal(c Call, a Answer) *Error {
	if c.Mark != "" && a.Header.Get(c.Mark) == "" && (!isObject(a.Body) || a.Status == http.StatusUnauthorized) {
		return answered(c, a, WrongServer, fmt.Sprintf("what answers is not %s, or something stands in front of it%s", c.Server, titled(a)))
	}
	page := isPage(a)
	switch {
	case page && c.Mark == "":
		return answered(c, a, WrongServer, "a web page came back"+titled(a))
	case a.Status == http.StatusNotFound && !isObject(a.Body), a.Status == http.StatusMethodNotAllowed:
		return answered(c, a, Unsupported, "this version doesn't know the call")
	}
	e := answered(c, a, refusalKind(a.Status), "")
	e.Fields = fields(c, a.Body)
	e.Message = sentence(e.Fields)
	if e.Message == "" && !page {
		e.Message = Reason(string(a.Body))
	}
	return e
}

func refusalKind(status int) Kind {
	switch status {
	case http.StatusUnauthorized:
		return Unauthorised
	case http.StatusForbidden:
		return Forbidden
	case http.StatusNotFound, http.StatusGone:
		return Absent
	case http.StatusConflict, http.StatusPreconditionFailed:
		return Conflict
	}
	return Refused
}

// serverFault is a 5xx: on a write nobody knows what became of it, unless the server asks to come back later; a read
// changed nothing, and has only failed.
func serverFault(c Call, a Answer) *Error {
	if a.Status == http.StatusServiceUnavailable && (c.read() || a.Header.Get("Retry-After") != "") {
		return notNow(c, a)
	}
	kind := Unknown
	if c.read() {
		kind = Unreachable
	}
	e := answered(c, a, kind, "")
	if isPage(a) {
		e.Message = "a web page came back" + titled(a)
		return e
	}
	e.Fields = fields(c, a.Body)
	if e.Message = sentence(e.Fields); e.Message == "" {
		e.Message = Reason(string(a.Body))
	}
	return e
}

func notNow(c Call, a Answer) *Error {
	e := answered(c, a, NotNow, "the server asks to come back later")
	if a.Header.Get("Retry-After") != "" {
		resp := &http.Response{StatusCode: a.Status, Header: a.Header}
		if d := retryablehttp.DefaultBackoff(0, 0, 0, resp); d > 0 {
			e.RetryAfter = d
			e.Message += fmt.Sprintf(", in %s", d.Round(time.Second))
		}
	}
	if m := sentence(fields(c, a.Body)); m != "" {
		e.Message += ": " + m
	}
	return e
}

func answered(c Call, a Answer, k Kind, message string) *Error {
	e := fault(c, k, message, nil)
	e.Status = a.Status
	return e
}

// titled is the title of the page in the answer, for the end of a sentence.
func titled(a Answer) string {
	if t := pageTitle(a.Body); isPage(a) && t != "" {
		return fmt.Sprintf(", titled %q", t)
	}
	return ""
}

// isPage reports whether the answer is a web page, by what it says it is or by how it begins.
func isPage(a Answer) bool {
	if bytes.HasPrefix(bytes.TrimSpace(a.Body), []byte("<")) {
		return true
	}
	return strings.HasPrefix(a.Header.Get("Content-Type"), "text/html") && !isObject(a.Body)
}

func isObject(body []byte) bool {
	b := bytes.TrimSpace(body)
	return len(b) > 0 && (b[0] == '{' || b[0] == '[')
}

// fields is what a server says in its JSON, by field; nested names are joined by a dot. The keys under which both
// servers put a sentence about the whole request (detail, message, error…) are fields like any other.
func fields(c Call, body []byte) map[string][]string {
	var v any
	if !isObject(body) || json.Unmarshal(body, &v) != nil {
		return nil
	}
	all := map[string][]string{}
	collect(c, all, "", v, 0)
	return all
}

func collect(c Call, into map[string][]string, name string, v any, depth int) {
	if depth > 5 || len(into) > 40 {
		return
	}
	switch v := v.(type) {
	case string:
		if s := Reason(c.hide(v)); s != "" {
			into[name] = append(into[name], s)
		}
	case []any:
		for _, item := range v {
			collect(c, into, name, item, depth+1)
		}
	case map[string]any:
		if s, ok := v["string"].(string); ok { // a login stage's {"string": …, "code": …}
			collect(c, into, name, s, depth+1)
			return
		}
		for key, item := range v {
			key = CleanN(c.hide(key), 60)
			if name != "" {
				key = name + "." + key
			}
			collect(c, into, key, item, depth+1)
		}
	}
}

// whole names the fields that speak of the request as a whole, so that their name adds nothing.
var whole = map[string]bool{
	"": true, "detail": true, "message": true, "error": true, "error_description": true, "non_field_errors": true,
}

// silent names the fields that no person wants to read.
var silent = map[string]bool{"request_id": true, "code": true}

// sentence puts the fields into one line, in the order of their names.
func sentence(fields map[string][]string) string {
	names := make([]string, 0, len(fields))
	for name := range fields {
		names = append(names, name)
	}
	sort.Strings(names)
	var parts []string
	for _, name := range names {
		text := strings.Join(fields[name], " ")
		switch {
		case silent[name]:
		case whole[name]:
			parts = append(parts, text)
		default:
			parts = append(parts, name+": "+text)
		}
	}
	return CleanN(strings.Join(parts, "; "), 400)
}
