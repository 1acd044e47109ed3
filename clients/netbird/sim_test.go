package netbird_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"

	"authbird/clients"
	"authbird/clients/netbird"
	"authbird/sim/fault"
	simnetbird "authbird/sim/netbird"
)

var versions = []string{"0.62.0", "0.62.2", "0.64.0", "0.65.0", "0.70.5", "0.77.1", "0.78.0"}

func TestALifeOnEachVersion(t *testing.T) {
	for _, version := range versions {
		t.Run(version, func(t *testing.T) {
			ctx := t.Context()
			c, s := simulated(t, func(o *simnetbird.Options) { o.Version = version })
			v, err := c.Version(ctx)
			if version < "0.64.2" {
				wantKind(t, err, clients.Unsupported)
			} else if err != nil || v != version {
				t.Errorf("version %s, %v", v, err)
			}
			i := must(c.Instance(ctx))(t)
			if i.SetupRequired || i.Process.ID == "" {
				t.Errorf("instance %+v", i)
			}
			spec := netbird.IdentityProviderSpec{Type: netbird.TypeAuthentik, Name: "Authentik", Issuer: issuer(t), ClientID: "cid", ClientSecret: "secret-0123"}
			p := must(c.CreateIdentityProvider(ctx, spec))(t)
			if !strings.HasPrefix(p.ID, "authentik-") || p.Issuer != spec.Issuer {
				t.Errorf("connector %+v", p)
			}
			spec.Name, spec.ClientSecret = "Renamed", "another-0123"
			if q := must(c.UpdateIdentityProvider(ctx, p.ID, spec))(t); q.ID != p.ID || q.Name != "Renamed" {
				t.Errorf("connector %+v", q)
			}
			if q := must(c.IdentityProvider(ctx, p.ID))(t); q.Name != "Renamed" {
				t.Errorf("connector %+v", q)
			}
			if c, _ := s.Connector(p.ID); s.Opened(p.ID) || c.ClientSecret != "another-0123" {
				t.Errorf("the connector was opened, or has the old secret: %+v", c)
			}
			idp := must(c.EmbeddedIdP(ctx))(t)
			back := must(c.StartLogin(ctx, idp.Issuer, p.ID))(t)
			if back.RedirectURI != idp.RedirectURI() || back.RedirectURI != c.BaseURL()+"/oauth2/callback" || back.ClientID == "" || back.Origin == "" || !s.Opened(p.ID) {
				t.Errorf("a login starts as %+v, by discovery %s", back, idp.RedirectURI())
			}
			if err := c.DeleteIdentityProvider(ctx, p.ID); err != nil {
				t.Error(err)
			}
			wantKind(t, c.DeleteIdentityProvider(ctx, p.ID), clients.Absent)
			_, err = c.UpdateIdentityProvider(ctx, p.ID, spec)
			wantKind(t, err, clients.Absent)
			_, err = c.StartLogin(ctx, idp.Issuer, p.ID)
			wantKind(t, err, clients.Refused)

			reach, err := c.ProbeReach(ctx, strings.Replace(spec.Issuer, "/good", "/application/o/nonsense/", 1))
			if version == "0.62.0" {
				wantKind(t, err, clients.Unsupported)
			} else if err != nil || !reach.Reached || reach.Status != 404 || !reach.LooksAuthentik {
				t.Errorf("reach %+v, %v", reach, err)
			}
			if left := must(c.IdentityProviders(ctx))(t); len(left) != 0 {
				t.Errorf("left behind: %+v", left)
			}
			if err := s.Restart(); err != nil {
				t.Fatal(err)
			}
			if same, known := must(c.Instance(ctx))(t).Process.SameRun(i.Process); same || !known {
				t.Error("a restart was not seen")
			}
		})
	}
}

func TestAccountAndTokens(t *testing.T) {
	ctx := t.Context()
	c, s := simulated(t, nil)
	a := must(c.Accounts(ctx))(t)[0]
	if !a.Settings.UserApprovalRequired || a.Settings.EmbeddedIdP == nil || !*a.Settings.EmbeddedIdP {
		t.Errorf("settings %+v", a.Settings)
	}
	raw := must(netbird.PatchSettings(a.Raw, map[string]any{"extra.user_approval_required": false}))(t)
	if err := c.SaveAccount(ctx, a.ID, raw); err != nil {
		t.Fatal(err)
	}
	if b := must(c.Accounts(ctx))(t)[0]; b.Settings.UserApprovalRequired || !*b.Settings.EmbeddedIdP {
		t.Errorf("settings %+v", b.Settings)
	}
	me := must(c.CurrentUser(ctx))(t)
	tok := must(c.CreateToken(ctx, me.ID, "authbird", 30))(t)
	if u := must(c.WithToken(tok.Key).CurrentUser(ctx))(t); u.ID != me.ID {
		t.Errorf("the new token is %+v's", u)
	}
	if n := len(must(c.Tokens(ctx, me.ID))(t)); n != 2 {
		t.Errorf("%d tokens", n)
	}
	if err := c.DeleteToken(ctx, me.ID, tok.ID); err != nil {
		t.Error(err)
	}
	_, err := c.WithToken(tok.Key).CurrentUser(ctx)
	wantKind(t, err, clients.Unauthorised)

	if _, err := s.AddUser(simnetbird.User{Name: "robot", Role: "admin", Service: true, Token: "nbp_robot0123456789012345678901234567890"}); err != nil {
		t.Fatal(err)
	}
	robot := c.WithToken("nbp_robot0123456789012345678901234567890")
	_, err = robot.CurrentUser(ctx)
	wantKind(t, err, clients.Forbidden)
	if u := must(robot.ServiceUsers(ctx))(t); len(u) != 1 || !u[0].Current || !u[0].ServiceUser || u[0].Role != "admin" {
		t.Errorf("service users %+v", u)
	}
}

func TestAFreshInstance(t *testing.T) {
	ctx := t.Context()
	c, _ := simulated(t, func(o *simnetbird.Options) { o.OwnerEmail, o.OwnerToken = "", "" })
	c.SetToken("")
	if !must(c.Instance(ctx))(t).SetupRequired {
		t.Error("a fresh instance needs no setup")
	}
	_, err := c.Setup(ctx, ownerEmail, "Owner", "short")
	wantKind(t, err, clients.Refused)
	must(c.Setup(ctx, ownerEmail, "Owner", ownerPassword))(t)
	_, err = c.Setup(ctx, ownerEmail, "Owner", ownerPassword)
	wantKind(t, err, clients.Conflict)

	idp := must(c.EmbeddedIdP(ctx))(t)
	_, err = c.SignIn(ctx, idp, ownerEmail, "wrong-pass-word")
	wantKind(t, err, clients.Refused)
	c.SetToken(must(c.SignIn(ctx, idp, ownerEmail, ownerPassword))(t))
	if u := must(c.CurrentUser(ctx))(t); u.Email != ownerEmail || u.Role != "owner" {
		t.Errorf("owner %+v", u)
	}
	if a := must(c.Accounts(ctx))(t)[0]; a.DomainCategory != "private" || a.Domain == "" {
		t.Errorf("account %+v", a)
	}
}

func TestSignInWithACode(t *testing.T) {
	ctx := t.Context()
	c, _ := simulated(t, nil)
	idp := must(c.EmbeddedIdP(ctx))(t)
	d := must(c.StartDeviceLogin(ctx, idp))(t)
	if d.UserCode == "" || d.Interval.Seconds() != 5 || d.ExpiresIn.Minutes() != 5 || !strings.HasPrefix(d.CompleteURL, c.BaseURL()) {
		t.Errorf("device login %+v", d)
	}
	if p := must(c.PollDeviceLogin(ctx, idp, d))(t); p.State != netbird.DevicePending || p.Token != "" {
		t.Errorf("poll %+v", p)
	}
	if p := must(c.PollDeviceLogin(ctx, idp, d))(t); p.State != netbird.DeviceSlowDown {
		t.Errorf("a poll too soon %+v", p)
	}
	rows := map[string]struct {
		answer http.HandlerFunc
		state  netbird.DeviceState
		kind   clients.Kind
	}{
		"too late":              {says(400, `{"error": "expired_token"}`), netbird.DeviceExpired, 0},
		"denied":                {says(400, `{"error": "access_denied"}`), netbird.DeviceDenied, 0},
		"signed in":             {says(200, `{"id_token": "a.b.c"}`), netbird.DeviceDone, 0},
		"a code that's unknown": {says(400, `{"error": "invalid_grant"}`), 0, clients.Refused},
		"a server's fault":      {says(500, `{"error": "server_error"}`), 0, clients.Unknown},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			c := at(t, row.answer, "")
			p, err := c.PollDeviceLogin(ctx, netbird.EmbeddedIdP{TokenEndpoint: c.BaseURL() + "/oauth2/token"}, d)
			wantKind(t, err, row.kind)
			if p.State != row.state {
				t.Errorf("poll %+v", p)
			}
		})
	}
}

// TestAddressesElsewhere: an embedded provider that calls itself something else is not followed there.
func TestAddressesElsewhere(t *testing.T) {
	ctx := t.Context()
	var mu sync.Mutex
	hits := 0
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		hits++
		mu.Unlock()
		says(200, `{"device_code": "x", "id_token": "x"}`)(w, r)
	}))
	defer elsewhere.Close()
	c, _ := simulated(t, nil)
	idp := netbird.EmbeddedIdP{Issuer: elsewhere.URL, TokenEndpoint: elsewhere.URL + "/token", DeviceEndpoint: elsewhere.URL + "/device"}
	_, device := c.StartDeviceLogin(ctx, idp)
	_, poll := c.PollDeviceLogin(ctx, idp, netbird.DeviceLogin{DeviceCode: "x"})
	_, start := c.StartLogin(ctx, idp.Issuer, "x")
	_, sign := c.SignIn(ctx, idp, ownerEmail, ownerPassword)
	for name, err := range map[string]error{"device": device, "poll": poll, "start": start, "sign in": sign} {
		if wantKind(t, err, clients.WrongServer); err == nil || !strings.Contains(err.Error(), c.BaseURL()) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if hits != 0 {
		t.Errorf("%d requests went elsewhere", hits)
	}
}

func TestLostAnswers(t *testing.T) {
	ctx := t.Context()
	faults := fault.New()
	c, _ := simulated(t, func(o *simnetbird.Options) { o.Faults = faults })
	spec := netbird.IdentityProviderSpec{Type: netbird.TypeAuthentik, Name: "Authentik", Issuer: issuer(t), ClientID: "cid", ClientSecret: "secret-0123"}
	for i, kind := range []fault.Kind{"cut-before", "cut-after"} {
		if err := faults.Order(fault.Fault{Method: http.MethodPost, Path: "/api/identity-providers", Kind: kind}); err != nil {
			t.Fatal(err)
		}
		_, err := c.CreateIdentityProvider(ctx, spec)
		wantKind(t, err, clients.Unknown)
		if n := len(must(c.IdentityProviders(ctx))(t)); n != i {
			t.Errorf("%s: %d connectors, want %d: a create must not be sent again", kind, n, i)
		}
	}
}

// TestAServerOfALaterYear: other values, fields nobody has heard of, nulls.
func TestAServerOfALaterYear(t *testing.T) {
	ctx := t.Context()
	c, s := simulated(t, func(o *simnetbird.Options) { o.Version = "0.99.0" })
	optional := map[string]bool{"auto_groups": true, "email": false, "last_login": true, "jwt_allow_groups": true, "onboarding": true, "is_service_user": true, "idp_id": true}
	var later func(any) any
	later = func(v any) any {
		switch v := v.(type) {
		case []any:
			for i := range v {
				v[i] = later(v[i])
			}
		case map[string]any:
			for key, value := range v {
				switch {
				case key == "status" || key == "role" || key == "issued" || key == "type":
					v[key] = "quantum"
				case key == "dns":
					v[key] = "read-only" // a module whose rights are told otherwise
				case optional[key]:
					v[key] = nil
				default:
					v[key] = later(value)
				}
			}
			v["quantum"] = map[string]any{"entangled": []any{1, "two", nil}}
		}
		return v
	}
	future := at(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := httptest.NewRecorder()
		s.ServeHTTP(rec, r)
		body := rec.Body.Bytes()
		var v any
		if rec.Code < 300 && json.Unmarshal(body, &v) == nil {
			body, _ = json.Marshal(later(v))
		}
		for name, values := range rec.Header() {
			w.Header()[name] = values
		}
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		w.WriteHeader(rec.Code)
		_, _ = io.Copy(w, bytes.NewReader(body))
	}), ownerToken)

	if i := must(future.Instance(ctx))(t); i.SetupRequired || i.Process.ID == "" {
		t.Errorf("instance %+v", i)
	}
	if v := must(future.Version(ctx))(t); v != "0.99.0" {
		t.Errorf("version %s", v)
	}
	u := must(future.CurrentUser(ctx))(t)
	if u.Role != "quantum" || !u.May("identity_providers", "create") || u.May("dns", "read") || u.IdPID != "" {
		t.Errorf("user %+v", u)
	}
	p := must(future.CreateIdentityProvider(ctx, netbird.IdentityProviderSpec{Type: netbird.TypeAuthentik, Name: "A", Issuer: issuer(t), ClientID: "c", ClientSecret: "secret-0123"}))(t)
	if list := must(future.IdentityProviders(ctx))(t); p.ID == "" || len(list) != 1 || list[0].Type != "quantum" || list[0].ID != p.ID {
		t.Errorf("connectors %+v", list)
	}
	a := must(future.Accounts(ctx))(t)[0]
	if a.DomainCategory != "private" || !bytes.Contains(a.Raw, []byte("entangled")) || a.Settings.JWTAllowGroups != nil {
		t.Errorf("account %+v", a)
	}
	patched := must(netbird.PatchSettings(a.Raw, map[string]any{"extra.user_approval_required": false}))(t)
	if !bytes.Contains(patched, []byte("entangled")) {
		t.Errorf("a setting of a later year got lost: %s", patched)
	}
	must(future.CreateToken(ctx, must(c.CurrentUser(ctx))(t).ID, "x", 1))(t)
	must(future.EmbeddedIdP(ctx))(t)
}

func TestFiftyThousandUsers(t *testing.T) {
	one := `{"id": "CgN1LTESHmF1dGhlbnRpay1kYzJjOXVscW1kMnB2cmw5ZW4yZw", "email": "somebody.with.a.name@example.com", "name": "Somebody With A Name", "role": "user", "status": "active", "auto_groups": [], "is_current": false, "is_service_user": false, "is_blocked": false, "last_login": "0001-01-01T00:00:00Z", "issued": "api", "pending_approval": false}`
	body := "[" + strings.Repeat(one+",", 49_999) + one + "]"
	users := must(at(t, says(200, body), "t").Users(t.Context()))(t)
	if len(users) != 50_000 || users[49_999].Role != "user" {
		t.Errorf("%d users", len(users))
	}
}

func TestNamesStayInTheirPlace(t *testing.T) {
	var seen []string
	c := at(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = append(seen, r.URL.EscapedPath())
		says(200, "{}")(w, r)
	}), "t")
	ctx := t.Context()
	const id, escaped = "a/../b?c#d", "a%2F..%2Fb%3Fc%23d"
	_, _ = c.IdentityProvider(ctx, id)
	_ = c.DeleteToken(ctx, id, id)
	_, _ = c.ApproveUser(ctx, id)
	_ = c.SaveAccount(ctx, id, json.RawMessage("{}"))
	want := "/api/identity-providers/" + escaped + " /api/users/" + escaped + "/tokens/" + escaped + " /api/users/" + escaped + "/approve /api/accounts/" + escaped
	if got := strings.Join(seen, " "); got != want {
		t.Errorf("asked for %s\nwant      %s", got, want)
	}
	seen = nil
	for _, id := range []string{"", ".", ".."} {
		_, read := c.IdentityProvider(ctx, id)
		_, write := c.UpdateIdentityProvider(ctx, id, netbird.IdentityProviderSpec{})
		for _, err := range []error{read, write, c.DeleteIdentityProvider(ctx, id), c.DeleteToken(ctx, "x", id), c.DeleteToken(ctx, id, "x"), c.SaveAccount(ctx, id, nil)} {
			wantKind(t, err, clients.Absent)
		}
	}
	if len(seen) != 0 {
		t.Errorf("asked for %s", seen)
	}
}

func TestSecretsStayInside(t *testing.T) {
	const secret = "Sekret-4711-<&>"
	c := at(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		told, _ := json.Marshal(map[string]any{"message": strings.ToLower(string(body)) + r.Header.Get("Authorization"), "code": 422})
		says(http.StatusUnprocessableEntity, string(told))(w, r)
	}), "token-4711")
	ctx := t.Context()
	_, create := c.CreateIdentityProvider(ctx, netbird.IdentityProviderSpec{ClientSecret: secret})
	_, update := c.UpdateIdentityProvider(ctx, "x", netbird.IdentityProviderSpec{ClientSecret: secret})
	_, setup := c.Setup(ctx, "a@b.c", "A", secret)
	_, poll := c.PollDeviceLogin(ctx, netbird.EmbeddedIdP{TokenEndpoint: c.BaseURL() + "/oauth2/token"}, netbird.DeviceLogin{DeviceCode: secret})
	for name, err := range map[string]error{"create": create, "update": update, "setup": setup, "poll": poll} {
		if wantKind(t, err, clients.Refused); err == nil || strings.Contains(err.Error(), "4711") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
