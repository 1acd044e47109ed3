package authentik

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/coreos/go-oidc/v3/oidc"
)

func TestLoginByForms(t *testing.T) {
	for _, version := range []string{"2024.12.3", "2025.12.0-rc1", "2026.2.0-rc1", "2026.5.0"} {
		t.Run(version, func(t *testing.T) {
			w := newWorld(t, version)
			w.link(nil)
			b := w.browser()
			b.open(authorizeURL(w.url, nil))
			b.submit(map[string]string{"uid_field": "alice", "password": "wrong"})
			if b.status != 200 || !strings.Contains(b.page, "Invalid password") {
				t.Fatalf("a wrong password gave %d at %s: %s", b.status, b.at, b.page)
			}
			b.login()
			if !strings.Contains(b.page, "sign into NetBird") {
				t.Fatalf("no consent at %s: %s", b.at, b.page)
			}
			b.submit(nil)
			got := w.token(codeForm(b.at.Query().Get("code")))
			provider, err := oidc.NewProvider(context.Background(), w.url+"/application/o/netbird/")
			if err != nil {
				t.Fatal(err)
			}
			id, err := provider.Verifier(&oidc.Config{ClientID: "cid"}).Verify(context.Background(), got.ID)
			if err != nil {
				t.Fatal(err)
			}
			var claims struct {
				Email    string `json:"email"`
				Verified bool   `json:"email_verified"`
			}
			if err := id.Claims(&claims); err != nil || claims.Email != "alice@example.com" || claims.Verified != (version == "2024.12.3") {
				t.Errorf("claims %+v, %v", claims, err)
			}
			if again := w.token(codeForm(b.at.Query().Get("code"))); again.Error != "invalid_grant" {
				t.Errorf("the code again: %+v", again)
			}
			actions := []string{}
			for _, e := range w.sim.st.events {
				actions = append(actions, e.Action)
			}
			if want := []string{"login_failed", "login", "authorize_application"}; !slices.Equal(actions, want) {
				t.Errorf("events %v, want %v", actions, want)
			}
			// The second time nobody is asked.
			b.open(authorizeURL(w.url, nil))
			if !strings.HasPrefix(b.at.String(), callback) {
				t.Errorf("asked again at %s", b.at)
			}
		})
	}
}

func TestPKCE(t *testing.T) {
	w := newWorld(t, "")
	w.link(map[string]any{"client_type": "public"})
	sum := sha256.Sum256([]byte("a verifier"))
	more := url.Values{"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"}}
	for verifier, want := range map[string]string{"a verifier": "", "another": "invalid_grant", "": "invalid_grant"} {
		form := codeForm(w.browser().code(more))
		form.Del("client_secret")
		form.Set("code_verifier", verifier)
		if got := w.token(form); got.Error != want {
			t.Errorf("verifier %q: %q, want %q", verifier, got.Error, want)
		}
	}
	form := codeForm(w.browser().code(nil))
	form.Set("code_verifier", "of no challenge")
	if got := w.token(form); got.Error != "invalid_grant" {
		t.Errorf("a verifier without a challenge: %q", got.Error)
	}
}

func TestRefresh(t *testing.T) {
	w := newWorld(t, "")
	w.link(nil)
	if got := w.token(codeForm(w.browser().code(nil))); got.Refresh != "" {
		t.Error("a refresh token without offline_access")
	}
	first := w.token(codeForm(w.browser().code(url.Values{"scope": {"openid offline_access"}})))
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {first.Refresh}, "client_id": {"cid"}, "client_secret": {"secret"}}
	second := w.token(form)
	if second.Access == "" || second.Refresh == "" || second.Refresh == first.Refresh {
		t.Fatalf("refreshed: %+v", second)
	}
	if again := w.token(form); again.Error != "invalid_grant" {
		t.Errorf("a used refresh token: %q", again.Error)
	}
	form.Set("refresh_token", second.Refresh)
	form.Set("client_secret", "wrong")
	if got := w.token(form); got.Error != "invalid_client" {
		t.Errorf("a wrong secret: %q", got.Error)
	}
}

func TestSigningKeys(t *testing.T) {
	w := newWorld(t, "2026.2.0-rc1")
	w.link(nil)
	var jwks struct{ Keys []map[string]any }
	if err := w.sim.UseECKey("NetBird"); err != nil {
		t.Fatal(err)
	}
	w.call("GET", "/application/o/netbird/jwks/", "", nil, &jwks)
	if len(jwks.Keys) != 1 || jwks.Keys[0]["kty"] != "EC" || jwks.Keys[0]["x5c"] == nil || len(jwks.Keys[0]["kid"].(string)) != 86 {
		t.Errorf("EC: %v", jwks)
	}
	provider, err := oidc.NewProvider(context.Background(), w.url+"/application/o/netbird/")
	if err != nil {
		t.Fatal(err)
	}
	got := w.token(codeForm(w.browser().code(nil)))
	if _, err := provider.Verifier(&oidc.Config{ClientID: "cid", SupportedSigningAlgs: []string{"ES256"}}).Verify(context.Background(), got.ID); err != nil {
		t.Error(err)
	}
	if err := w.sim.DropSigningKey("NetBird"); err != nil {
		t.Fatal(err)
	}
	var none map[string]any
	w.call("GET", "/application/o/netbird/jwks/", "", nil, &none)
	if len(none) != 0 {
		t.Errorf("JWKS without a key: %v", none)
	}
	if got := w.token(codeForm(w.browser().code(nil))); !strings.Contains(string(decode(strings.Split(got.ID, ".")[0])), "HS256") {
		t.Errorf("without a key: %s", got.ID)
	}
	if err := w.sim.UseEncryptionKey("NetBird"); err != nil {
		t.Fatal(err)
	}
	if got := w.token(codeForm(w.browser().code(nil))); strings.Count(got.ID, ".") != 4 {
		t.Errorf("with an encryption key: %s", got.ID)
	}
}

func TestPromptLoginAsksTwice(t *testing.T) {
	w := newWorld(t, "")
	w.link(nil)
	b := w.browser()
	b.open(authorizeURL(w.url, url.Values{"prompt": {"login"}}))
	b.login()
	if !strings.Contains(b.page, "Password") {
		t.Fatalf("after the first login: %s", b.page)
	}
	b.login()
	if !strings.Contains(b.page, "sign into NetBird") {
		t.Errorf("after the second login: %s", b.page)
	}
}

func TestAuthorizeVerdicts(t *testing.T) {
	w := newWorld(t, "")
	w.link(nil)
	probe := func(more url.Values) (int, string, string) {
		t.Helper()
		b := w.browser()
		req := authorizeURL(w.url, more)
		resp, err := b.client.Get(req)
		if err != nil {
			t.Fatal(err)
		}
		var page strings.Builder
		buf := make([]byte, 4096)
		n, _ := resp.Body.Read(buf)
		page.Write(buf[:n])
		resp.Body.Close()
		return resp.StatusCode, resp.Header.Get("Location"), page.String()
	}
	if code, to, _ := probe(url.Values{"prompt": {"none"}}); code != 302 || !strings.HasPrefix(to, callback+"?error=login_required&") {
		t.Errorf("prompt=none: %d %s", code, to)
	}
	if code, _, page := probe(url.Values{"redirect_uri": {callback + "/"}}); code != 400 || !strings.Contains(page, "Redirect URI Error") {
		t.Errorf("another place: %d %s", code, page)
	}
	if code, _, page := probe(url.Values{"client_id": {"nobody"}}); code != 400 || !strings.Contains(page, "Client ID Error") {
		t.Errorf("another client: %d %s", code, page)
	}
	if err := w.sim.Unlink("netbird"); err != nil {
		t.Fatal(err)
	}
	if code, _, page := probe(nil); code != 200 || !strings.Contains(page, "Permission denied") {
		t.Errorf("not linked: %d %s", code, page)
	}
	// The real server looks at the session before it looks for the application.
	if code, to, _ := probe(url.Values{"prompt": {"none"}}); code != 302 || !strings.Contains(to, "login_required") {
		t.Errorf("not linked, prompt=none: %d %s", code, to)
	}
}

func TestEmptyRedirectListTakesTheFirst(t *testing.T) {
	w := newWorld(t, "")
	w.link(map[string]any{"redirect_uris": []any{}})
	w.browser().open(authorizeURL(w.url, url.Values{"redirect_uri": {"https://thief.example/cb"}}))
	if got := w.sim.st.provByName["NetBird"].RedirectURIs; len(got) != 1 || got[0].URL != "https://thief.example/cb" {
		t.Errorf("stored %v", got)
	}
}

func TestPolicyKeepsPeopleOut(t *testing.T) {
	w := newWorld(t, "")
	w.link(nil)
	if err := w.sim.BindGroup("netbird", "netbird-users"); err != nil {
		t.Fatal(err)
	}
	b := w.browser()
	b.open(authorizeURL(w.url, nil))
	b.login()
	if b.status != 200 || !strings.Contains(b.page, "Permission denied") {
		t.Errorf("out of the group: %d %s", b.status, b.page)
	}
	w.sim.AddUser(User{Username: "alice", Name: "Alice", Email: "alice@example.com", Password: "correct horse", Groups: []string{"netbird-users"}})
	if code := w.browser().code(nil); code == "" {
		t.Error("in the group: no code")
	}
}
