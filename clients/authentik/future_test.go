package authentik_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	simauthentik "authbird/sim/authentik"
)

// enums are fields whose values a newer server may add to.
var enums = map[string]bool{
	"matching_mode": true, "client_type": true, "sub_mode": true, "issuer_mode": true, "logout_method": true, "designation": true,
	"authentication": true, "layout": true, "denied_action": true, "policy_engine_mode": true, "compatibility_mode": true,
	"type": true, "key_type": true, "ui_theme": true, "component": true, "capabilities": true,
}

// optional are fields that a newer server may leave null.
var optional = map[string]bool{
	"email": true, "name": false, "meta_launch_url": true, "description": true, "last_login": true, "expires": true, "groups": true,
	"stages": true, "system_permissions": true, "roles": true, "user_obj": true, "group_obj": true, "messages": true, "logs": true,
	"outdated": true, "build_hash": true, "version_latest": true, "cert_expiry": true, "title": true, "client_ip": true, "context": true,
}

// future makes of every answer what a server of a later year might say: other values in enums, nulls where something
// stood, fields and whole objects that nobody has heard of.
func future(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := httptest.NewRecorder()
		next.ServeHTTP(rec, r)
		body := rec.Body.Bytes()
		var v any
		if strings.HasPrefix(rec.Header().Get("Content-Type"), "application/json") && json.Unmarshal(body, &v) == nil && rec.Code < 300 {
			body, _ = json.Marshal(later(v))
		}
		for name, values := range rec.Header() {
			w.Header()[name] = values
		}
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		w.WriteHeader(rec.Code)
		_, _ = bytes.NewReader(body).WriteTo(w)
	})
}

func later(v any) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = later(v[i])
		}
	case map[string]any:
		for key, value := range v {
			_, isText := value.(string)
			switch {
			case enums[key] && isText:
				v[key] = "quantum_" + key
			case optional[key]:
				v[key] = nil
			default:
				v[key] = later(value)
			}
		}
		v["quantum"] = map[string]any{"entangled": []any{1, "two", nil}}
		v["version_of_everything"] = 42
	}
	return v
}

// TestAServerOfALaterYear: reads survive what no one could know, and writes still work.
func TestAServerOfALaterYear(t *testing.T) {
	ctx := t.Context()
	s := simauthentik.New(simauthentik.Options{Version: "2031.4.0", Token: adminToken})
	c := at(t, future(s), adminToken)
	if v := must(c.Version(ctx))(t); v != "2031.4.0" {
		t.Errorf("version %s", v)
	}
	if h := must(c.Hello(ctx))(t); !h.IsAuthentik {
		t.Errorf("hello %+v", h)
	}
	if me := must(c.Me(ctx))(t); me.Username != "akadmin" || !me.Superuser || me.Type != "quantum_type" {
		t.Errorf("me %+v", me)
	}
	if err := c.CreateApplication(ctx, transaction(t, c, "NetBird", "netbird", "cid")); err != nil {
		t.Fatal(err)
	}
	p := must(c.ProvidersByClientID(ctx, "cid"))(t)[0]
	if p.Name != "NetBird" || p.ClientType != "quantum_client_type" || p.RedirectURIs[0].MatchingMode != "quantum_matching_mode" || len(p.GrantTypes) != 2 {
		t.Errorf("provider %+v", p)
	}
	if a := must(c.Application(ctx, "netbird"))(t); a.Provider != p.PK || a.PolicyEngineMode != "quantum_policy_engine_mode" || a.LaunchURL != "" {
		t.Errorf("application %+v", a)
	}
	must(c.UpdateProvider(ctx, p.PK, map[string]any{"name": "NetBird 2"}))(t)
	g := must(c.CreateGroup(ctx, "g", nil, nil))(t)
	must(c.CreateBinding(ctx, must(c.Application(ctx, "netbird"))(t).PK, g.PK, 0))(t)
	if b := must(c.Bindings(ctx, must(c.Application(ctx, "netbird"))(t).PK))(t); len(b) != 1 || b[0].Group != g.PK {
		t.Errorf("bindings %+v", b)
	}
	must(c.CheckAccess(ctx, "netbird", 3))(t)
	sa := must(c.CreateServiceAccount(ctx, "Netbird"))(t)
	if err := c.AddGroupUser(ctx, g.PK, sa.PK); err != nil {
		t.Error(err)
	}
	if u := must(c.UserByName(ctx, "Netbird"))(t); u.PK != sa.PK || u.Type != "quantum_type" || u.Groups != nil {
		t.Errorf("user %+v", u)
	}
	if err := c.SetTokenKey(ctx, "service-account-netbird-password", "our-own-key-0123456789"); err != nil {
		t.Error(err)
	}
	if key := must(c.ViewTokenKey(ctx, "service-account-netbird-password"))(t); key != "our-own-key-0123456789" {
		t.Errorf("key %s", key)
	}
	if tok := must(c.Token(ctx, "service-account-netbird-password"))(t); tok.Expiring || !tok.Expires.IsZero() || tok.User != sa.PK {
		t.Errorf("token %+v", tok)
	}
	if k := must(c.SigningKeys(ctx))(t); len(k) == 0 || k[0].KeyType != "quantum_key_type" {
		t.Errorf("keys %+v", k)
	}
	role := must(c.CreateRole(ctx, "r"))(t)
	if err := c.AssignPermissions(ctx, role.PK, "authentik_core.view_user"); err != nil {
		t.Error(err)
	}
	must(c.RolePermissions(ctx, role.PK))(t)
	must(c.CurrentBrand(ctx))(t)
	must(c.Brands(ctx, ""))(t)
	must(c.Events(ctx, "login", 5))(t)
}
