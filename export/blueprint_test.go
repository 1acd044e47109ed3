package export_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"authbird/export"
	"authbird/sim/schema"
)

// blueprintEntry is an entry as YAML has it, with its tags.
type blueprintEntry struct {
	Model       string    `yaml:"model"`
	ID          string    `yaml:"id"`
	State       string    `yaml:"state"`
	Identifiers yaml.Node `yaml:"identifiers"`
	Attrs       yaml.Node `yaml:"attrs"`
}

func parseBlueprint(t reporter, text string) []blueprintEntry {
	t.Helper()
	var doc struct {
		Version  int `yaml:"version"`
		Metadata struct {
			Name string `yaml:"name"`
		} `yaml:"metadata"`
		Entries []blueprintEntry `yaml:"entries"`
	}
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatalf("it is no YAML: %v\n%s", err, text)
	}
	if doc.Version != 1 || doc.Metadata.Name == "" || len(doc.Entries) == 0 {
		t.Fatalf("it is no blueprint: %+v", doc)
	}
	return doc.Entries
}

func blueprintValue(t reporter, text, model, field string) string {
	t.Helper()
	for _, e := range parseBlueprint(t, text) {
		if e.Model != model {
			continue
		}
		for i := 0; i+1 < len(e.Attrs.Content); i += 2 {
			if e.Attrs.Content[i].Value == field {
				if tag := e.Attrs.Content[i+1].Tag; tag != "!!str" {
					t.Fatalf("%s is a %s", field, tag)
				}
				return e.Attrs.Content[i+1].Value
			}
		}
	}
	t.Fatalf("no %s", field)
	return ""
}

// bodies are the request schemas that each model's importer reads its fields
// with, and the fields that it reads in blueprints only.
var bodies = map[string]struct {
	request string
	only    []string
}{
	"authentik_flows.flow":                      {"FlowRequest", nil},
	"authentik_providers_oauth2.oauth2provider": {"OAuth2ProviderRequest", nil},
	"authentik_core.application":                {"ApplicationRequest", nil},
	"authentik_rbac.role":                       {"RoleRequest", []string{"permissions"}},
	"authentik_core.group":                      {"GroupRequest", nil},
	"authentik_core.user":                       {"UserRequest", nil},
	"authentik_core.token":                      {"TokenRequest", []string{"key"}},
	"authentik_policies.policybinding":          {"PolicyBindingRequest", nil},
	"authentik_brands.brand":                    {"BrandRequest", nil},
}

// addresses are where the objects of a model are listed, for what !Find looks
// for.
var addresses = map[string]string{
	"authentik_flows.flow": "flows/instances/", "authentik_crypto.certificatekeypair": "crypto/certificatekeypairs/",
	"authentik_providers_oauth2.scopemapping": "propertymappings/provider/scope/", "authentik_core.group": "core/groups/",
}

// checkBlueprint holds a blueprint against the schemas that Authentik
// publishes: its importer reads each entry's fields with the same serializers
// as the API. What an entry refers to must be found.
func checkBlueprint(t *testing.T, l *lab, text string) {
	t.Helper()
	seen := map[string]bool{}
	for _, e := range parseBlueprint(t, text) {
		of, known := bodies[e.Model]
		if !known || e.State != "present" || seen[e.ID] || len(e.Identifiers.Content) == 0 {
			t.Errorf("entry %+v", e)
			continue
		}
		body := map[string]any{}
		for _, part := range []yaml.Node{e.Identifiers, e.Attrs} {
			for i := 0; i+1 < len(part.Content); i += 2 {
				field := part.Content[i].Value
				if _, twice := body[field]; twice {
					t.Errorf("%s has %s twice", e.ID, field)
				}
				body[field] = l.value(t, seen, part.Content[i+1])
			}
		}
		for _, field := range of.only {
			delete(body, field)
		}
		delete(body, "meta_hide") // newer than the schema
		delete(body, "flow_lockdown")
		if err := schema.AuthentikBody(of.request, body); err != nil {
			t.Errorf("%s: %v", e.ID, err)
		}
		seen[e.ID] = true
	}
}

// value is what Authentik would make of a node: of a reference the right kind
// of id.
func (l *lab) value(t *testing.T, seen map[string]bool, n *yaml.Node) any {
	t.Helper()
	const uuid = "00000000-0000-4000-8000-000000000000"
	switch n.Tag {
	case "!KeyOf":
		if !seen[n.Value] {
			t.Errorf("!KeyOf %s: no entry before it has that id", n.Value)
		}
		if strings.HasPrefix(n.Value, "provider-") || strings.HasPrefix(n.Value, "account-") {
			return float64(1)
		}
		return uuid
	case "!Env":
		return "a secret"
	case "!Find":
		var out struct {
			Results []map[string]any `json:"results"`
		}
		model, by, value := n.Content[0].Value, n.Content[1].Content[0].Value, n.Content[1].Content[1].Value
		if err := l.sim.Authentik.Request(http.MethodGet, "/api/v3/"+addresses[model]+"?"+url.Values{by: {value}}.Encode(), nil, &out); err != nil {
			t.Error(err)
		}
		found := 0
		for _, r := range out.Results {
			if r[by] == value {
				found++
			}
		}
		if found != 1 {
			t.Errorf("!Find %s by %s %q: %d of them", model, by, value, found)
		}
		return uuid
	}
	switch n.Kind {
	case yaml.SequenceNode:
		out := []any{}
		for _, c := range n.Content {
			out = append(out, l.value(t, seen, c))
		}
		return out
	case yaml.MappingNode:
		out := map[string]any{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			out[n.Content[i].Value] = l.value(t, seen, n.Content[i+1])
		}
		return out
	}
	var v any
	if err := n.Decode(&v); err != nil {
		t.Error(err)
	}
	if i, ok := v.(int); ok {
		return float64(i)
	}
	return v
}

func TestABlueprintIsAsAuthentiksSchemaSays(t *testing.T) {
	for name, l := range map[string]*lab{"connector": connectorLab(t), "standalone": standaloneLab(t)} {
		t.Run(name, func(t *testing.T) { checkBlueprint(t, l, l.texts()[export.Blueprint]) })
	}
}
