package export

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"authbird/facts"
)

// models are what blueprints call a kind of object, and by which fields an
// object is found again.
var models = map[kind]struct {
	name        string
	identifiers []string
}{
	kindFlow:        {"authentik_flows.flow", []string{"slug"}},
	kindProvider:    {"authentik_providers_oauth2.oauth2provider", []string{"name"}},
	kindApplication: {"authentik_core.application", []string{"slug"}},
	kindRole:        {"authentik_rbac.role", []string{"name"}},
	kindGroup:       {"authentik_core.group", []string{"name"}},
	kindAccount:     {"authentik_core.user", []string{"username"}},
	kindToken:       {"authentik_core.token", []string{"identifier"}},
	kindBinding:     {"authentik_policies.policybinding", []string{"target", "order", "group", "user", "policy"}},
	kindBrand:       {"authentik_brands.brand", []string{"domain"}},
}

// outsideModels are the models of what stands outside of the export, and the
// field that it is found by.
var outsideModels = map[string][2]string{
	"flow": {"authentik_flows.flow", "slug"}, "key": {"authentik_crypto.certificatekeypair", "name"},
	"mapping": {"authentik_providers_oauth2.scopemapping", "managed"}, "group": {"authentik_core.group", "name"},
}

// envOf is the variable of Authentik's worker that a secret comes from.
func envOf(s secret) string { return "NETBIRD_" + strings.ToUpper(string(s)) }

func blueprint(s facts.Standing, all []resource) (string, error) {
	entries := &yaml.Node{Kind: yaml.SequenceNode}
	var notes []string
	var secrets []string
	for _, r := range all {
		if models[r.kind].name == "" {
			notes = append(notes, apart(r)...)
			continue
		}
		for _, name := range sortedKeys(r.told) {
			notes = append(notes, fmt.Sprintf("Also so on the server, and settable by no entry: %s %s: %s", r.kind, name, plain(r.told[name])))
		}
		for _, name := range r.names() {
			if hidden, ok := r.fields[name].(secret); ok {
				secrets = append(secrets, envOf(hidden))
			}
		}
		entries.Content = append(entries.Content, entry(r))
	}
	name := "NetBird"
	if text(s.Application["name"]) != "" {
		name = text(s.Application["name"])
	}
	doc := mapping("version", scalar(json.Number("1")), "metadata", mapping("name", scalar(name)), "entries", entries)
	body, err := yaml.Dump(doc, yaml.WithV4Defaults(), yaml.WithIndent(2), yaml.WithLineWidth(-1))
	if err != nil {
		return "", fmt.Errorf("write the blueprint: %w", err)
	}
	head := []string{"An Authentik blueprint (version " + s.AuthentikVersion + "): Customization, Blueprints, or /blueprints of the worker."}
	if len(secrets) > 0 {
		slices.Sort(secrets)
		head = append(head, "Secrets come from the environment of Authentik's worker: "+strings.Join(slices.Compact(secrets), ", ")+".",
			"While one is missing, Authentik applies nothing of this.")
	}
	return "# yaml-language-server: $schema=https://goauthentik.io/blueprints/schema.json\n" + heading(s, append(head, notes...)...) + string(body), nil
}

// apart tells of an object that is NetBird's, which no blueprint can hold.
func apart(r resource) []string {
	lines := []string{fmt.Sprintf("Not in a blueprint, because it stands in NetBird: the %s %s", r.kind, r.id)}
	for _, fields := range []map[string]any{r.fields, r.told} {
		for _, name := range sortedKeys(fields) {
			if _, hidden := fields[name].(secret); !hidden {
				lines = append(lines, "  "+name+": "+plain(fields[name]))
			}
		}
	}
	return lines
}

// entry is one object of a blueprint.
func entry(r resource) *yaml.Node {
	m := models[r.kind]
	identifiers, attrs := mapping(), mapping()
	for _, name := range r.names() {
		value := r.fields[name]
		to := attrs
		if slices.Contains(m.identifiers, name) {
			if value == nil {
				continue
			}
			to = identifiers
		}
		to.Content = append(to.Content, scalar(name), node(value))
	}
	return mapping("model", scalar(m.name), "id", scalar(blueprintID(r.kind, r.label)), "state", scalar("present"),
		"identifiers", identifiers, "attrs", attrs)
}

func blueprintID(k kind, label string) string { return string(k) + "-" + label }

// mapping is a node of pairs: a name and a node each.
func mapping(pairs ...any) *yaml.Node {
	n := &yaml.Node{Kind: yaml.MappingNode}
	for i := 0; i+1 < len(pairs); i += 2 {
		n.Content = append(n.Content, scalar(pairs[i]), pairs[i+1].(*yaml.Node))
	}
	return n
}

// scalar is a node of a text, a number, a truth or nothing.
func scalar(v any) *yaml.Node {
	n := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str"}
	switch x := v.(type) {
	case string:
		n.Value = x
	case bool:
		n.Tag, n.Value = "!!bool", fmt.Sprint(x)
	case json.Number:
		n.Tag, n.Value = "!!int", x.String()
		if strings.ContainsAny(n.Value, ".eE") {
			n.Tag = "!!float"
		}
	default:
		n.Tag, n.Value = "!!null", "null"
	}
	return n
}

func node(v any) *yaml.Node {
	switch x := v.(type) {
	case ref:
		return referenceNode(x)
	case secret:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!Env", Value: envOf(x), Style: yaml.TaggedStyle}
	case []any:
		n := &yaml.Node{Kind: yaml.SequenceNode}
		if len(x) == 0 {
			n.Style = yaml.FlowStyle
		}
		for _, one := range x {
			n.Content = append(n.Content, node(one))
		}
		return n
	case map[string]any:
		n := mapping()
		if len(x) == 0 {
			n.Style = yaml.FlowStyle
		}
		for _, name := range sortedKeys(x) {
			n.Content = append(n.Content, scalar(name), node(x[name]))
		}
		return n
	}
	return scalar(v)
}

// referenceNode names another entry, or finds what stands outside; where it
// has no name, its id stands as it is.
func referenceNode(r ref) *yaml.Node {
	if r.kind != "" {
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!KeyOf", Value: blueprintID(r.kind, labelOf(r.kind)), Style: yaml.TaggedStyle}
	}
	m, known := outsideModels[r.what]
	if !known || r.name == "" {
		if r.what == "account" || r.what == "provider" {
			return scalar(json.Number(r.id))
		}
		return scalar(r.id)
	}
	by := m[1]
	if r.what == "mapping" && !strings.HasPrefix(r.name, "goauthentik.io/") {
		by = "name"
	}
	return &yaml.Node{Kind: yaml.SequenceNode, Tag: "!Find", Style: yaml.FlowStyle | yaml.TaggedStyle, Content: []*yaml.Node{
		scalar(m[0]), {Kind: yaml.SequenceNode, Style: yaml.FlowStyle, Content: []*yaml.Node{scalar(by), scalar(r.name)}},
	}}
}
