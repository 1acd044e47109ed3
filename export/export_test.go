package export_test

import (
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/zclconf/go-cty/cty"
	"pgregory.net/rapid"

	"authbird/export"
	"authbird/facts"
	"authbird/keystore"
	"authbird/sim"
	"authbird/state"
)

func seeded() io.Reader { return rand.NewChaCha8(sha256.Sum256([]byte("export"))) }

// object is something in Authentik whose every field is changed.
type object struct {
	what, path string
	// other are values that a field can take where any text, number or truth
	// can't; nil: the field is not changed here, for the reason beside it.
	other map[string]any
}

// told are fields that no request sets.
var told = []string{"pk", "num_pk", "brand_uuid", "uuid", "uid", "component", "verbose_name", "verbose_name_plural", "meta_model_name",
	"assigned_application_slug", "assigned_application_name", "assigned_backchannel_application_slug", "assigned_backchannel_application_name",
	"provider_obj", "backchannel_providers_obj", "policy_obj", "group_obj", "user_obj", "groups_obj", "roles_obj", "users_obj", "parents_obj",
	"children", "children_obj", "launch_url", "meta_icon_url", "avatar", "last_login", "date_joined", "password_change_date", "last_updated",
	"is_superuser", "background_url", "stages", "policies", "cache_count", "export_url", "policybindingmodel_ptr_id", "managed", "users"}

// TestEveryFieldThatIsChangedShows changes each field of each object of the
// setup at the server, and looks for the change in every export.
func TestEveryFieldThatIsChangedShows(t *testing.T) {
	for name, l := range map[string]*lab{"connector": connectorLab(t), "standalone": standaloneLab(t)} {
		s := l.standing()
		flow := func(slug string) any {
			for pk, have := range s.Flows {
				if have == slug {
					return pk
				}
			}
			t.Fatalf("no flow %s", slug)
			return nil
		}
		id := func(o map[string]any, field string) string { return fmt.Sprint(o[field]) }
		objects := []object{
			{"provider", "providers/oauth2/" + id(s.Provider, "pk"), map[string]any{
				"authentication_flow": nil, "authorization_flow": flow("default-provider-authorization-implicit-consent"),
				"invalidation_flow": flow("default-invalidation-flow"), "property_mappings": []any{}, "signing_key": nil, "encryption_key": s.Provider["signing_key"],
				"redirect_uris": []any{map[string]any{"matching_mode": "strict", "url": "https://other.example.com/cb"}},
				"client_type":   otherThan(s.Provider["client_type"], "public", "confidential"), "sub_mode": otherThan(s.Provider["sub_mode"], "user_email", "user_id"),
				"issuer_mode": "global", "logout_method": "frontchannel", "access_code_validity": "minutes=7", "access_token_validity": "minutes=7",
				"refresh_token_validity": "days=7", "refresh_token_threshold": "seconds=7", "client_id": nil, // by it the provider is found
				"jwt_federation_providers": []any{s.Provider["pk"]}, "jwt_federation_sources": nil, // the simulated Authentik has no sources
			}},
			{"application", "core/applications/" + id(s.Application, "slug"), map[string]any{
				"slug":     nil, // by it the application is found
				"provider": nil, "backchannel_providers": nil, "policy_engine_mode": "all", "meta_launch_url": "https://other.example.com/", "meta_icon": nil,
			}},
		}
		if len(s.Bindings) > 0 {
			objects = append(objects, object{"binding", "policies/bindings/" + id(s.Bindings[0], "pk"), map[string]any{
				"target": nil, "group": nil, "user": nil, "policy": nil, // what it binds to what; there is nothing else here
			}})
		}
		if name == "standalone" {
			objects = append(objects,
				object{"account", "core/users/" + id(s.Account, "pk"), map[string]any{
					"groups": []any{}, "roles": nil, "attributes": map[string]any{"other": true}, "type": "internal", "email": "other@example.com", "username": "Other"}},
				object{"token", "core/tokens/" + id(s.Token, "identifier"), map[string]any{
					"identifier": nil, "user": nil, "intent": nil, "expires": nil, "expiring": nil}}, // by them it is the setup's
				object{"group", "core/groups/" + id(s.Group, "pk"), map[string]any{"attributes": map[string]any{"other": true}, "roles": []any{}, "parents": nil}},
				object{"role", "rbac/roles/" + id(s.Role, "pk"), nil},
				object{"flow", "flows/instances/" + id(s.Flow, "slug"), map[string]any{
					"slug": nil, "designation": "authorization", "background": nil, "layout": "sidebar_left", "policy_engine_mode": "all",
					"denied_action": "continue", "authentication": "none"}},
				object{"brand", "core/brands/" + id(s.Brand, "brand_uuid"), map[string]any{
					"attributes": map[string]any{"other": true}, "branding_default_flow_background": nil /* always the same here */, "flow_authentication": nil, "flow_invalidation": nil, "flow_recovery": flow("default-invalidation-flow"),
					"flow_unenrollment": nil, "flow_user_settings": nil, "flow_device_code": nil, "default_application": nil, "web_certificate": nil,
					"client_certificates": nil, "domain": "other.example.com", "default": nil}})
		}
		for _, o := range objects {
			t.Run(name+"/"+o.what, func(t *testing.T) { l.changeEach(t, o) })
		}
	}
}

func otherThan(have any, one, two string) string {
	if have == one {
		return two
	}
	return one
}

// changeEach changes one field after the other, and puts it back.
func (l *lab) changeEach(t *testing.T, o object) {
	l.t = t
	path := "/api/v3/" + o.path + "/"
	var now map[string]any
	must(t, l.sim.Authentik.Request(http.MethodGet, path, nil, &now))
	changed, before := 0, l.texts()
	for field, have := range now {
		want, chosen := o.other[field]
		if slices.Contains(told, field) || field == "client_secret" || chosen && want == nil && (have == nil || !nullable(field)) {
			continue
		}
		if !chosen {
			switch x := have.(type) {
			case string:
				want = x + " another"
			case bool:
				want = !x
			case float64:
				want = x + 7
			default:
				continue
			}
		}
		keep := map[string]any{field: want}
		if o.what == "token" {
			keep["user"], keep["intent"] = now["user"], now["intent"]
		}
		if err := l.sim.Authentik.Request(http.MethodPatch, path, keep, nil); err != nil {
			t.Errorf("%s: %v", field, err)
			continue
		}
		changed++
		for format, text := range l.texts() {
			if text == before[format] {
				t.Errorf("%s %s: changed from %v to %v, and the %s says the same", o.what, field, have, want, format)
			}
		}
		keep[field] = have
		must(t, l.sim.Authentik.Request(http.MethodPatch, path, keep, nil))
	}
	if changed == 0 {
		t.Errorf("nothing of the %s was changed", o.what)
	}
}

// nullable are the fields that a test sets to nothing.
func nullable(field string) bool {
	return slices.Contains([]string{"authentication_flow", "signing_key"}, field)
}

func TestWhatNetBirdIsToldShows(t *testing.T) {
	l := connectorLab(t)
	before := l.standing()
	for field, change := range map[string]func(*facts.Standing){
		"name":      func(s *facts.Standing) { s.Connector.Name = "Other" },
		"issuer":    func(s *facts.Standing) { s.Connector.Issuer = "https://other.example.com/" },
		"client id": func(s *facts.Standing) { s.Connector.ClientID = "other" },
		"type":      func(s *facts.Standing) { s.Connector.Type = "authentik" },
		"id":        func(s *facts.Standing) { s.Connector.ID = "other" },
	} {
		after := before
		c := *before.Connector
		after.Connector = &c
		change(&after)
		shows(t, "the connector's "+field, before, after)
	}
	for name := range before.Settings {
		after := before
		after.Settings = map[string]any{}
		for k, v := range before.Settings {
			after.Settings[k] = v
		}
		after.Settings[name] = "other"
		if name == "extra" {
			after.Settings[name] = map[string]any{"user_approval_required": "other"}
		}
		shows(t, "the setting "+name, before, after)
	}
}

func shows(t *testing.T, what string, before, after facts.Standing) {
	t.Helper()
	was := texts(t, before)
	for format, text := range texts(t, after) {
		if text == was[format] {
			t.Errorf("%s changed, and the %s says the same", what, format)
		}
	}
}

func TestNoExportHoldsASecret(t *testing.T) {
	for name, l := range map[string]*lab{"connector": connectorLab(t), "standalone": standaloneLab(t)} {
		keys, err := l.bench.OpenKeys(t.Context(), keystore.File)
		must(t, err)
		secrets := []string{l.sim.AuthentikToken, l.sim.NetBirdToken}
		for _, credential := range []string{keystore.ClientSecret, keystore.AppPassword} {
			if value, err := keys.Get(t.Context(), setupName, credential); err == nil {
				secrets = append(secrets, value)
			}
		}
		var provider map[string]any
		must(t, l.sim.Authentik.Request(http.MethodGet, "/api/v3/providers/oauth2/"+fmt.Sprint(l.standing().Provider["pk"])+"/", nil, &provider))
		secrets = append(secrets, provider["client_secret"].(string))
		if len(secrets) < 4 {
			t.Fatalf("%s: there are too few secrets to look for", name)
		}
		for format, text := range l.texts() {
			for _, secret := range secrets {
				if strings.Contains(text, secret) {
					t.Errorf("%s: the %s holds a secret", name, format)
				}
			}
		}
	}
}

// TestTextsOfAServerStayTexts gives names what could end a string or a comment
// in one of the formats, and reads the exports as their own tools would.
func TestTextsOfAServerStayTexts(t *testing.T) {
	l := connectorLab(t)
	standing := l.standing()
	bash, bashErr := exec.LookPath("bash")
	hostile := []string{"${var.x}", "%{ if true }", "a\nb", "\"", "'; rm -rf /; '", "!Env X", "yes", "null", "1e3", "#", "\x1b[31m", "$(id)", "\u202e", "\\", "{{ x }}", "*a", "&a", "- a", "2026-01-01", ""}
	any := rapid.String().Filter(func(s string) bool { return !strings.ContainsRune(s, 0) })
	for seed := range 20 {
		hostile = append(hostile, any.Example(seed))
	}
	for _, text := range hostile {
		s := standing
		s.Application = clone(standing.Application)
		s.Application["meta_description"] = text
		s.Application["some_newer_field"] = text
		all := texts(t, s)
		if got := terraformValue(t, all[export.Terraform], "authentik_application", "meta_description"); got != cty.NormalizeString(text) { // as its language does with every text
			t.Errorf("terraform reads %q as %q", text, got)
		}
		if got := blueprintValue(t, all[export.Blueprint], "authentik_core.application", "meta_description"); got != text {
			t.Errorf("a blueprint's reader reads %q as %q", text, got)
		}
		if bashErr == nil {
			out, err := exec.Command(bash, "-c", `eval "$1"; printf %s "$AUTHENTIK_APPLICATION_META_DESCRIPTION"`, "bash", all[export.Env]).Output()
			if err != nil || string(out) != text {
				t.Errorf("bash reads %q as %q, %v", text, out, err)
			}
		}
	}
}

func clone(o map[string]any) map[string]any {
	out := map[string]any{}
	for k, v := range o {
		out[k] = v
	}
	return out
}

func TestEveryVersionIsExported(t *testing.T) {
	for _, version := range []string{"2024.12.3", "2025.6.4", "2025.12.0-rc1", "2026.2.0-rc1", "2026.5.0", "2026.8.1"} {
		t.Run(version, func(t *testing.T) {
			l := newLab(t, state.Connector, sim.Options{AuthentikVersion: version}, nil)
			for format, text := range l.texts() {
				if text == "" || !strings.HasSuffix(text, "\n") {
					t.Errorf("the %s is %q", format, text)
				}
			}
			checkTerraform(t, l.texts()[export.Terraform])
			checkBlueprint(t, l, l.texts()[export.Blueprint])
		})
	}
}
