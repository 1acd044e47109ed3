package netbird

import (
	"fmt"
	"html"
	"io"
	"net/http"
	"strings"
)

// pageData is what the one page of the embedded identity provider can hold.
type pageData struct {
	Heading, Text string
	Error         string
	PostURL       string
	Fields        []field
	Button        string
	Links         []link
}

type field struct{ Name, Label, Kind, Value string }

type link struct{ Text, URL string }

const pageHead = `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>NetBird</title>
<style>
body{font-family:system-ui,sans-serif;background:#181a1d;color:#e4e7e9;display:flex;justify-content:center;padding-top:10vh}
main{width:22rem;background:#25282d;border:1px solid #3f444b;border-radius:.6rem;padding:1.5rem}
h1{font-size:1.3rem;margin:0 0 .5rem}
label{display:block;margin-top:.8rem;font-size:.9rem}
input{width:100%;box-sizing:border-box;padding:.5rem;margin-top:.2rem}
button,a.choice{display:block;width:100%;box-sizing:border-box;margin-top:1rem;padding:.6rem;text-align:center;background:#f68330;color:#181a1d;border:0;border-radius:.3rem;text-decoration:none;font-size:1rem}
.error{margin-top:.8rem;padding:.6rem;border:1px solid #f87171;border-radius:.3rem}
dl{display:grid;grid-template-columns:auto 1fr;gap:.3rem 1rem} dd{margin:0;overflow-wrap:anywhere}
</style>
</head>
<body>
<main>
`

const pageFoot = `</main>
</body>
</html>
`

// page writes the page. It is written by hand because html/template makes the
// linker keep every method of everything, and the sandbox is part of the program.
func (s *Server) page(w http.ResponseWriter, status int, d pageData) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	io.WriteString(w, pageHead+d.body()+pageFoot)
}

func (d pageData) body() string {
	var b strings.Builder
	tag := func(format string, values ...string) {
		escaped := make([]any, len(values))
		for i, v := range values {
			escaped[i] = html.EscapeString(v)
		}
		fmt.Fprintf(&b, format+"\n", escaped...)
	}
	tag("<h1>%s</h1>", d.Heading)
	if d.Text != "" {
		tag("<p>%s</p>", d.Text)
	}
	if d.PostURL != "" {
		tag(`<form method="post" action="%s">`, d.PostURL)
	}
	if d.Error != "" {
		tag(`<div class="error">%s</div>`, d.Error)
	}
	if d.PostURL != "" {
		for _, f := range d.Fields {
			tag(`<label for="%s">%s</label>`, f.Name, f.Label)
			tag(`<input type="%s" id="%s" name="%s" value="%s" required>`, f.Kind, f.Name, f.Name, f.Value)
		}
		tag(`<button type="submit">%s</button>`, d.Button)
		tag("</form>")
	}
	for _, l := range d.Links {
		tag(`<a class="choice" href="%s">%s</a>`, l.URL, l.Text)
	}
	return b.String()
}

// errorPage is how the embedded identity provider tells a person what is wrong.
func (s *Server) errorPage(w http.ResponseWriter, status int, message string) {
	s.page(w, status, pageData{Heading: http.StatusText(status), Error: message})
}
