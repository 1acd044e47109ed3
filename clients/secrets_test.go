package clients_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"authbird/clients"
)

const (
	bearer   = "Bearer-Secret-7d8f1c"
	password = `pass word"&<7d8f1c>ü`
)

// TestSecretsStayInside: a server that gives back all it was told, in every way of failing. Neither the error, nor
// what lies beneath it, nor the trace may hold the token, the password, or any secret of the query.
func TestSecretsStayInside(t *testing.T) {
	echo := func(status int, contentType string, format func(string) string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			told := r.Header.Get("Authorization") + " " + r.URL.String() + " " + password
			w.Header().Set("Content-Type", contentType)
			w.Header().Set("Location", "https://elsewhere.example/"+url.PathEscape(password)+"?token="+bearer)
			w.WriteHeader(status)
			_, _ = io.WriteString(w, format(told))
		}
	}
	object := func(s string) string {
		b, _ := json.Marshal(map[string]any{"detail": s, "client_secret": []string{s}})
		return string(b)
	}
	lower := func(s string) string { return object(strings.ToLower(s)) }
	page := func(s string) string { return "<html><title>" + s + "</title>" + s }
	steps := map[string]http.HandlerFunc{"cut": cut, "half": half, "hang": hang}
	for _, status := range []int{200, 302, 400, 401, 403, 404, 405, 409, 422, 429, 500, 502, 503} {
		steps[fmt.Sprint(status, " JSON")] = echo(status, "application/json", object)
		steps[fmt.Sprint(status, " lower case")] = echo(status, "application/json", lower)
		steps[fmt.Sprint(status, " page")] = echo(status, "text/html", page)
		steps[fmt.Sprint(status, " text")] = echo(status, "text/plain", func(s string) string { return s })
	}
	for name, step := range steps {
		for _, method := range []string{"GET", "POST"} {
			t.Run(method+" "+name, bubble(func(t *testing.T) {
				var trace bytes.Buffer
				w := &world{t: t, server: &httptest.Server{URL: "http://127.0.0.1"}}
				tracer := clients.NewTracer(&trace)
				tr := w.transport(clients.Options{Base: newPipes(t, step)})
				call := w.call(method)
				call.URL += "?code=" + bearer + "&client_id=me&client_secret=" + url.QueryEscape(password) + "&x=" + url.QueryEscape(password)
				call.Token, call.Secrets = bearer, []string{password}
				var out []int
				_, err := tr.JSON(t.Context(), call, nil, &out)
				if err == nil {
					t.Fatal("it succeeded")
				}
				_, _, exchanges := w.seen()
				for _, x := range exchanges {
					tracer(x)
				}
				texts := []string{err.Error(), fmt.Sprintf("%+v %#v", err, err), trace.String()}
				for e := err; e != nil; e = errors.Unwrap(e) {
					texts = append(texts, e.Error())
				}
				var e *clients.Error
				if errors.As(err, &e) {
					texts = append(texts, fmt.Sprintf("%+v", *e))
				}
				for _, text := range texts {
					for _, secret := range []string{bearer, password, url.QueryEscape(password), url.PathEscape(password), "7d8f1c"} {
						if strings.Contains(strings.ToLower(text), strings.ToLower(secret)) {
							t.Errorf("%q is in %s", secret, text)
						}
					}
				}
				if trace.Len() == 0 || strings.Count(trace.String(), "\n") != len(exchanges) {
					t.Errorf("the trace is %q", trace.String())
				}
			}))
		}
	}
}

func TestProxyPasswordsStayInside(t *testing.T) {
	t.Setenv("HTTPS_PROXY", "http://me:geheim@[broken")
	w := serve(t, clients.Options{}, good)
	call := w.call("GET")
	call.URL = "https://auth.example.com/"
	_, err := w.tr.Do(t.Context(), call)
	if err == nil || strings.Contains(fmt.Sprintf("%v %+v", err, err), "geheim") {
		t.Errorf("error %v", err)
	}
}
