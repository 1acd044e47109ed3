package netbird

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/netbirdio/netbird/shared/management/http/api"
	"github.com/rs/xid"
)

func TestEndpointsCameWithTheirVersions(t *testing.T) {
	for _, x := range []struct {
		version, path string
		want          int
	}{
		{"0.61.9", "/api/instance", 404},
		{"0.61.9", "/api/identity-providers", 404},
		{"0.62.0", "/api/instance", 200},
		{"0.62.0", "/api/identity-providers", 200},
		{"0.64.1", "/api/instance/version", 404},
		{"0.64.2", "/api/instance/version", 200},
		{"0.78.3", "/api/instance/version", 200},
	} {
		t.Run(x.version+x.path, func(t *testing.T) {
			w := newWorld(t, func(o *Options) { o.Version = x.version })
			if got := w.send("GET", x.path, ownerToken, ""); got.status != x.want {
				t.Errorf("status %d, want %d", got.status, x.want)
			}
		})
	}
}

func TestVersionsChangeBehaviour(t *testing.T) {
	const unreachable = `{"type":"authentik","name":"A","issuer":"http://127.0.0.1:9/x/","client_id":"c","client_secret":"s"}`
	t.Run("0.62.0 checks no issuer", func(t *testing.T) {
		w := newWorld(t, func(o *Options) { o.Version = "0.62.0" })
		if got := w.send("POST", "/api/identity-providers", ownerToken, unreachable); got.status != 200 {
			t.Errorf("status %d: %s", got.status, got.body)
		}
	})
	for version, want := range map[string]string{"0.63.9": "", "0.64.0": "kept"} {
		t.Run(version+" and an empty secret", func(t *testing.T) {
			w := newWorld(t, func(o *Options) { o.Version = version })
			id := w.s.AddConnector(Connector{Name: "A", Issuer: w.url + "/oauth2", ClientID: "c", ClientSecret: "kept"})
			body := fmt.Sprintf(`{"type":"authentik","name":"B","issuer":%q,"client_id":"c"}`, w.url+"/oauth2")
			if got := w.send("PUT", "/api/identity-providers/"+id, ownerToken, body); got.status != 200 {
				t.Fatalf("status %d: %s", got.status, got.body)
			}
			if c, _ := w.s.Connector(id); c.ClientSecret != want || c.Name != "B" {
				t.Errorf("stored %+v, want the secret %q", c, want)
			}
		})
	}
	t.Run("0.70.4 has no MFA setting", func(t *testing.T) {
		w := newWorld(t, func(o *Options) { o.Version = "0.70.4" })
		if got := w.send("GET", "/api/accounts", ownerToken, ""); strings.Contains(got.body, "local_mfa_enabled") {
			t.Errorf("it is there: %s", got.body)
		}
	})
}

func TestRestartIsSeenFromOutside(t *testing.T) {
	w := newWorld(t, nil)
	id := func() xid.ID {
		x, err := xid.FromString(w.send("GET", "/api/instance", "", "").header.Get("X-Request-Id"))
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	first, second := id(), id()
	if first.Pid() != second.Pid() || second.Counter() != first.Counter()+1 {
		t.Errorf("within one process: %d/%d, then %d/%d", first.Pid(), first.Counter(), second.Pid(), second.Counter())
	}
	if got := w.send("GET", "/_sandbox/restart", "", ""); got.status != http.StatusMethodNotAllowed {
		t.Errorf("GET of the restart: %d", got.status)
	}
	if got := w.send("POST", "/_sandbox/restart", "", ""); got.status != http.StatusOK {
		t.Fatalf("restart: %d %s", got.status, got.body)
	}
	if third := id(); third.Pid() == second.Pid() {
		t.Errorf("after a restart the process is still %d", third.Pid())
	}
	if got := w.send("GET", "/api/users", ownerToken, ""); got.status != http.StatusOK {
		t.Errorf("after a restart the token is refused: %d", got.status)
	}
}

func TestServerThatCanNotBootCutsEveryConnection(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.LocalAuthDisabled = true })
	if err := w.s.Err(); err == nil || !strings.Contains(err.Error(), "no other identity providers configured") {
		t.Errorf("Err: %v", err)
	}
	if got, err := w.try("GET", "/api/instance", "", ""); err == nil {
		t.Errorf("it answered %d", got.status)
	}
	if err := w.s.Reconfigure(func(o *Options) { o.LocalAuthDisabled = false }); err != nil {
		t.Fatal(err)
	}
	if got := w.send("GET", "/api/instance", "", ""); got.status != http.StatusOK {
		t.Errorf("after the repair: %d", got.status)
	}
}

// A slow issuer must not hold up anything else.
func TestNoLockIsHeldWhileAnIssuerIsFetched(t *testing.T) {
	asked, release := make(chan struct{}), make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		close(asked)
		<-release
		json.NewEncoder(rw).Encode(map[string]string{"issuer": "http://" + r.Host + "/x/"})
	}))
	defer slow.Close()
	w := newWorld(t, nil)
	done := make(chan response)
	go func() {
		got, err := w.try("POST", "/api/identity-providers", ownerToken,
			fmt.Sprintf(`{"type":"authentik","name":"A","issuer":"%s/x/","client_id":"c","client_secret":"s"}`, slow.URL))
		if err != nil {
			t.Error(err)
		}
		done <- got
	}()
	<-asked
	if got := w.send("GET", "/api/identity-providers", ownerToken, ""); got.status != 200 || strings.TrimSpace(got.body) != "[]" {
		t.Errorf("meanwhile the list is %d %s", got.status, got.body)
	}
	close(release)
	if got := <-done; got.status != http.StatusOK {
		t.Errorf("create: %d %s", got.status, got.body)
	}
}

func TestSecondFactor(t *testing.T) {
	w := newWorld(t, nil)
	w.s.st.accounts[0].settings.LocalMfaEnabled = ptr(true)
	form := url.Values{"login": {ownerMail}, "password": {ownerPass}}
	got := w.send("POST", w.passwordForm("openid"), "", form.Encode())
	page := got.location.String()
	if !strings.Contains(page, "/oauth2/mfa/totp?") {
		t.Fatalf("after the password: %s", page)
	}
	secret := regexp.MustCompile(`[A-Z2-7]{32}`).FindString(w.send("GET", page, "", "").body)
	if got := w.send("POST", page, "", "totp=000000"); got.status != 200 || !strings.Contains(got.body, "Invalid code") {
		t.Errorf("a wrong code: %d %s", got.status, got.body)
	}
	right := ""
	for n := range 1000000 {
		if code := fmt.Sprintf("%06d", n); validTOTP(secret, code, w.now) {
			right = code
			break
		}
	}
	got = w.send("POST", page, "", "totp="+right)
	if got.location == nil {
		t.Fatalf("the right code: %d %s", got.status, got.body)
	}
	got = w.send("GET", got.location.String(), "", "")
	if got.location == nil {
		t.Fatalf("approval: %d %s", got.status, got.body)
	}
	if tokens := w.redeem(got.location); tokens.IDToken == "" {
		t.Error("no token")
	}
}

func TestTOTPOfTheRFC(t *testing.T) {
	// RFC 6238, appendix B, SHA-1, cut to six digits.
	const secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
	if !validTOTP(secret, "081804", time.Unix(1111111109, 0)) || validTOTP(secret, "081804", time.Unix(1111111109+120, 0)) {
		t.Error("the RFC's code does not count, or counts for too long")
	}
}

func TestRefreshOnPostgres(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.PostgresIdP = true })
	first := w.ownerLogin("openid email profile offline_access")
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {first.RefreshToken}, "client_id": {clientCLI}}
	var second tokenAnswerBody
	w.send("POST", "/oauth2/token", "", form.Encode()).json(t, &second)
	if second.RefreshToken == first.RefreshToken || second.RefreshToken == "" {
		t.Errorf("refresh token %q after %q", second.RefreshToken, first.RefreshToken)
	}
	if got := w.send("GET", "/api/users/current", second.IDToken, ""); got.status != 200 {
		t.Errorf("the new token: %d %s", got.status, got.body)
	}
	if got := w.send("POST", "/oauth2/token", "", form.Encode()); got.status != 400 {
		t.Errorf("the old refresh token: %d %s", got.status, got.body)
	}
}

func TestHungProviderComesBackWithARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // a minute passes once nobody has anything to do
		s := New(Options{BaseURL: "http://netbird.test", OwnerEmail: ownerMail, OwnerPassword: ownerPass, OwnerToken: ownerToken, Rand: rand.NewChaCha8([32]byte{1})})
		ask := func(path string) (status int, cut any) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			r := httptest.NewRequestWithContext(ctx, "GET", path, nil)
			r.Header.Set("Authorization", "Bearer "+ownerToken)
			w := httptest.NewRecorder()
			defer func() {
				status, cut = w.Code, recover()
				if (cut != nil) != (ctx.Err() != nil) {
					t.Errorf("%s was cut off with %v when the client's time was %v", path, cut, ctx.Err())
				}
			}()
			s.ServeHTTP(w, r)
			return
		}
		s.HangIdP()
		if status, cut := ask("/api/groups"); status != 200 || cut != nil {
			t.Errorf("groups: %d %v", status, cut)
		}
		if status, cut := ask("/oauth2/keys"); cut != http.ErrAbortHandler {
			t.Errorf("the keys did not hang: %d %v", status, cut)
		}
		if err := s.Restart(); err != nil {
			t.Fatal(err)
		}
		if status, cut := ask("/oauth2/keys"); status != 200 || cut != nil {
			t.Errorf("after the restart: %d %v", status, cut)
		}
	})
}

func TestWhatTheAPIRefuses(t *testing.T) {
	w := newWorld(t, nil)
	add := func(u User) string {
		id, err := w.s.AddUser(u)
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	admin := add(User{Name: "adm", Role: "admin", Email: "adm@example.com", Token: "nbp_admin"})
	add(User{Name: "plain", Role: "user", Email: "plain@example.com", Token: "nbp_plain"})
	add(User{Name: "late", Token: "nbp_late", TokenDays: -1})
	waiting := add(User{Name: "waiting", Email: "w@example.com", Pending: true, Token: "nbp_waiting"})
	robot := add(User{Name: "robot", Role: "admin", Service: true, Token: "nbp_robot"})
	owner := w.s.st.accounts[0].createdBy
	for _, x := range []struct {
		name, method, path, token, body string
		status                          int
		message                         string
	}{
		{"an expired token", "GET", "/api/users", "nbp_late", "", 401, "token invalid"},
		{"a plain user lists connectors", "GET", "/api/identity-providers", "nbp_plain", "", 403, "permission denied"},
		{"a plain user makes a token", "POST", "/api/users/" + admin + "/tokens", "nbp_plain", `{"name":"x","expires_in":1}`, 403, "permission denied"},
		{"a waiting user", "GET", "/api/users", "nbp_waiting", "", 403, "failed to validate user permissions: user is pending approval"},
		{"a waiting user looks at himself", "GET", "/api/users/current", "nbp_waiting", "", 403, "user is blocked"},
		{"a waiting user's groups", "GET", "/api/groups", "nbp_waiting", "", 403, "user is pending approval"},
		{"a service user looks at himself", "GET", "/api/users/current", "nbp_robot", "", 403, "permission denied"},
		{"another person's token", "POST", "/api/users/" + owner + "/tokens", "nbp_admin", `{"name":"x","expires_in":1}`, 403, "admin role required to perform this action"},
		{"an admin blocks himself", "PUT", "/api/users/" + admin, "nbp_admin", `{"role":"admin","auto_groups":[],"is_blocked":true}`, 403, "failed to process update for user " + admin + ": admins can't block or unblock themselves"},
		{"an admin blocks the owner", "PUT", "/api/users/" + owner, "nbp_admin", `{"role":"owner","auto_groups":[],"is_blocked":true}`, 403, "failed to process update for user " + strings.ToLower(owner) + ": unable to block owner user"},
		{"no groups in an update", "PUT", "/api/users/" + robot, "nbp_admin", `{"role":"admin"}`, 400, "auto_groups field can't be absent"},
		{"an unknown role in an update", "PUT", "/api/users/" + robot, "nbp_admin", `{"role":"god","auto_groups":[]}`, 422, "invalid user role"},
		{"an unknown user", "PUT", "/api/users/nobody", "nbp_admin", `{"role":"user","auto_groups":[]}`, 404, "user: nobody not found"},
		{"an unknown group", "PUT", "/api/users/" + robot, "nbp_admin", `{"role":"admin","auto_groups":["g"]}`, 422, "failed to process update for user " + robot + ": provided group id g in the user " + robot + " update doesn't exist"},
		{"deleting oneself", "DELETE", "/api/users/" + admin, "nbp_admin", "", 422, "self deletion is not allowed"},
		{"deleting the owner", "DELETE", "/api/users/" + owner, "nbp_admin", "", 403, "can't delete a user with the owner role"},
		{"rejecting one who does not wait", "DELETE", "/api/users/" + robot + "/reject", "nbp_admin", "", 422, "user " + robot + " is not pending approval"},
		{"inviting a known address", "POST", "/api/users", "nbp_admin", `{"role":"user","name":"x","email":"OWNER@example.com","auto_groups":[],"is_service_user":false}`, 409, "can't invite a user with an existing netbird account"},
		{"another account's settings", "PUT", "/api/accounts/other", "nbp_admin", `{"settings":{"peer_login_expiration":86400}}`, 403, "failed to validate user permissions: user is not part of this account"},
		{"a login expiration of a year", "PUT", "/api/accounts/" + w.s.st.accounts[0].id, "nbp_admin", `{"settings":{"peer_login_expiration":31536000}}`, 422, "peer login expiration can't be larger than 180 days"},
		{"a filter that is none", "GET", "/api/users?service_user=perhaps", "nbp_admin", "", 422, "invalid service_user query parameter"},
		{"a setup again", "POST", "/api/setup", "", `{"email":"a@example.com","name":"a","password":"12345678"}`, 412, "setup already completed"},
		{"a group twice", "POST", "/api/groups", "nbp_admin", `{"name":"All"}`, 409, "group with name all already exists"},
	} {
		t.Run(x.name, func(t *testing.T) {
			got := w.send(x.method, x.path, x.token, x.body)
			if got.status != x.status || got.message() != x.message {
				t.Errorf("%d %q, want %d %q", got.status, got.message(), x.status, x.message)
			}
		})
	}
	if got := w.send("DELETE", "/api/users/"+waiting+"/reject", "nbp_admin", ""); got.status != 200 {
		t.Errorf("reject: %d %s", got.status, got.body)
	}
	if w.s.st.user(waiting) != nil {
		t.Error("the rejected user is still there")
	}
}

func TestUnblockingLetsAWaitingUserIn(t *testing.T) {
	w := newWorld(t, nil)
	id, err := w.s.AddUser(User{Name: "waiting", Pending: true, Token: "nbp_waiting"})
	if err != nil {
		t.Fatal(err)
	}
	if got := w.send("PUT", "/api/users/"+id, ownerToken, `{"role":"user","auto_groups":[],"is_blocked":false}`); got.status != 200 {
		t.Fatalf("%d %s", got.status, got.body)
	}
	if got := w.send("GET", "/api/users/current", "nbp_waiting", ""); got.status != 200 {
		t.Errorf("%d %s", got.status, got.body)
	}
}

func TestSettingsThatAreLeftOutAreReset(t *testing.T) {
	w := newWorld(t, nil)
	var accounts []api.Account
	w.send("GET", "/api/accounts", ownerToken, "").json(t, &accounts)
	var got api.Account
	w.send("PUT", "/api/accounts/"+accounts[0].Id, ownerToken, `{"settings":{"peer_login_expiration":86400}}`).json(t, &got)
	if *got.Settings.GroupsPropagationEnabled || got.Settings.RegularUsersViewBlocked || len(*got.Settings.Ipv6EnabledGroups) != 0 {
		t.Errorf("they stand: %+v", got.Settings)
	}
	if !got.Settings.Extra.UserApprovalRequired {
		t.Error("the approval, which stands in an object of its own, was reset too")
	}
}

func TestOwnerOfADomainlessAccount(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.DomainlessAccount = true })
	var accounts []api.Account
	w.send("GET", "/api/accounts", ownerToken, "").json(t, &accounts)
	if accounts[0].Domain != "" || accounts[0].DomainCategory != "" {
		t.Errorf("domain %q, category %q", accounts[0].Domain, accounts[0].DomainCategory)
	}
}

func TestEmbeddedIdPOff(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.EmbeddedIdPOff = true })
	if got := w.send("GET", "/oauth2/.well-known/openid-configuration", "", ""); got.status != 404 {
		t.Errorf("discovery: %d", got.status)
	}
	if got := w.send("GET", "/api/identity-providers", ownerToken, ""); got.status != 200 || strings.TrimSpace(got.body) != "[]" {
		t.Errorf("list: %d %s", got.status, got.body)
	}
	if got := w.send("DELETE", "/api/identity-providers/x", ownerToken, ""); got.status != 500 || got.message() != "identity provider management requires embedded idp" {
		t.Errorf("delete: %d %s", got.status, got.body)
	}
	var accounts []api.Account
	w.send("GET", "/api/accounts", ownerToken, "").json(t, &accounts)
	if *accounts[0].Settings.EmbeddedIdpEnabled {
		t.Error("the settings say it is on")
	}
}

func TestSnapshotsOfTwoWorldsCompare(t *testing.T) {
	build := func(seed byte) any {
		w := newWorld(t, func(o *Options) { o.Rand = rand.NewChaCha8([32]byte{seed}) })
		w.s.AddConnector(Connector{Name: "A", Issuer: w.url + "/application/o/netbird/", ClientID: string(seed), ClientSecret: "x"})
		w.send("POST", "/api/users", ownerToken, `{"role":"admin","name":"sa","is_service_user":true,"auto_groups":[]}`)
		return w.s.Snapshot()
	}
	a, b := build(2), build(3)
	if d := cmp.Diff(a, b); d != "" {
		t.Errorf("two worlds made alike differ:\n%s", d)
	}
	w := newWorld(t, nil)
	if cmp.Equal(a, w.s.Snapshot()) {
		t.Error("a world without a connector looks the same")
	}
}
