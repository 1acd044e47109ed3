package netbird

import (
	"html"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

var formOrLink = regexp.MustCompile(`(?:action|href)="([^"]+)"`)

func TestDashboardLogin(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.Dashboard = true })
	w.s.AddConnector(Connector{Name: "Authentik", Issuer: "http://127.0.0.1:9/", ClientID: "c"})
	page := w.send("GET", "/", "", "")
	if page.status != 200 || !strings.Contains(page.body, `href="/?login"`) {
		t.Fatalf("%d %s", page.status, page.body)
	}
	chooser := w.send("GET", w.send("GET", "/?login", "", "").location.String(), "", "")
	if !strings.Contains(chooser.body, "Continue with Authentik") {
		t.Errorf("the chooser lacks the connector: %s", chooser.body)
	}
	local := html.UnescapeString(formOrLink.FindStringSubmatch(chooser.body)[1])
	form := w.send("GET", local, "", "").location.String()
	back := w.send("POST", form, "", url.Values{"login": {ownerMail}, "password": {ownerPass}}.Encode())
	done := w.send("GET", back.location.String(), "", "")
	if done.status != 200 || !strings.Contains(done.body, "You are logged in") || !strings.Contains(done.body, ownerMail) {
		t.Errorf("%d %s", done.status, done.body)
	}
	if again := w.send("GET", back.location.String(), "", ""); again.status == 200 {
		t.Error("the same login worked twice")
	}
}

func TestWithoutADashboardTheRootIsNothing(t *testing.T) {
	w := newWorld(t, nil)
	for _, path := range []string{"/", "/nb-auth", "/auth", "/oauth2/", "/api/", "/api/users/"} {
		if got := w.send("GET", path, "", ""); got.status != 404 || got.body != "404 page not found\n" {
			t.Errorf("%s: %d %q", path, got.status, got.body)
		}
	}
}
