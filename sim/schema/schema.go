// Package schema holds what authbird sends against the schemas that Authentik
// and NetBird publish, as they ship in the Go modules that authbird is built
// with. Only tests import it.
//
// It looks at request bodies of the two APIs: is the address known, is the body
// as its schema says, and does it name no field that the schema doesn't have,
// because Authentik drops such a field without a word. What is right although a
// schema says otherwise is listed in one place each, with its reason.
//
// It never changes a request and never refuses one: what it finds is reported,
// and the server behind it answers.
package schema

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
)

// published is a schema with what it lacks.
type published struct {
	doc    *openapi3.T
	prefix string // of the addresses it is about
	below  string // what of the address the schema leaves out
	// newer are fields that servers know and the schema doesn't, by the last
	// name of the object's schema or the field that holds the object.
	newer map[string][]string
	// parts validates a body piece by piece where its schema can't be.
	parts map[string]func(p *published, body any) error
}

var authentikSchema = sync.OnceValues(func() (*published, error) {
	doc, err := load("goauthentik.io/api/v3", "schema.yml")
	return &published{doc: doc, prefix: "/api/v3/", below: "/api/v3",
		newer: map[string][]string{
			// Known from 2026.5 on, and then needed; older servers drop it.
			"OAuth2ProviderRequest":        {"grant_types"},
			"PatchedOAuth2ProviderRequest": {"grant_types"},
		},
		parts: map[string]func(*published, any) error{
			// The kind of the provider stands beside it, and not within it as
			// the schema's discriminator has it.
			"/core/transactional/applications/": transaction,
		}}, err
})

var netbirdSchema = sync.OnceValues(func() (*published, error) {
	doc, err := load("github.com/netbirdio/netbird", "shared/management/http/api/openapi.yml")
	if err != nil {
		return nil, err
	}
	// Accepted by servers since 0.62.0, though the published list lacks it.
	kinds := doc.Components.Schemas["IdentityProviderType"].Value
	kinds.Enum = append(kinds.Enum, "authentik")
	return &published{doc: doc, prefix: "/api/",
		newer: map[string][]string{
			// Settings are sent back as they were read, whatever a server of
			// another version has in them.
			"settings": {"*"},
		}}, nil
})

// Authentik reports every request to Authentik's API whose body isn't as the
// published schema says.
func Authentik(next http.Handler, report func(error)) http.Handler {
	return check(authentikSchema, next, report)
}

// NetBird reports every request to NetBird's API whose body isn't as the
// published schema says.
func NetBird(next http.Handler, report func(error)) http.Handler {
	return check(netbirdSchema, next, report)
}

// AuthentikBody holds the body of a request of that name in Authentik's
// published schema ("OAuth2ProviderRequest") against it: its types, and that it
// names no field that the schema doesn't have.
func AuthentikBody(name string, body map[string]any) error {
	p, err := authentikSchema()
	if err != nil {
		return err
	}
	of := p.doc.Components.Schemas[name]
	if of == nil {
		return fmt.Errorf("the schema has no %s", name)
	}
	for field := range body {
		if of.Value.Properties[field] == nil && !slices.Contains(p.newer[name], field) {
			return fmt.Errorf("%s has no field %s", name, field)
		}
	}
	return of.Value.VisitJSON(body)
}

func check(get func() (*published, error), next http.Handler, report func(error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p, err := get()
		if err != nil {
			report(err)
		} else if err := p.look(r); err != nil {
			report(fmt.Errorf("%s %s: %w", r.Method, r.URL.Path, err))
		}
		next.ServeHTTP(w, r)
	})
}

// load reads a schema out of a module's folder.
func load(module, file string) (*openapi3.T, error) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", module).Output()
	if err != nil {
		return nil, fmt.Errorf("folder of module %s: %w", module, err)
	}
	doc, err := openapi3.NewLoader().LoadFromFile(filepath.Join(strings.TrimSpace(string(out)), file))
	if err != nil {
		return nil, fmt.Errorf("schema of %s: %w", module, err)
	}
	return doc, nil
}

// look checks one request and leaves its body to be read again.
func (p *published) look(r *http.Request) error {
	if !strings.HasPrefix(r.URL.Path, p.prefix) || r.Method == http.MethodGet || r.Method == http.MethodHead {
		return nil
	}
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	r.Body = io.NopCloser(bytes.NewReader(raw))
	path := strings.TrimPrefix(r.URL.Path, p.below)
	template, op := p.find(r.Method, path)
	if op == nil {
		return fmt.Errorf("the schema has no such address")
	}
	if op.RequestBody == nil || op.RequestBody.Value.GetMediaType("application/json") == nil {
		if len(bytes.TrimSpace(raw)) > 0 {
			return fmt.Errorf("the schema has no body for it")
		}
		return nil
	}
	if len(raw) == 0 {
		if op.RequestBody.Value.Required {
			return fmt.Errorf("the schema wants a body")
		}
		return nil
	}
	var body any
	if err := json.Unmarshal(raw, &body); err != nil {
		return fmt.Errorf("body: %w", err)
	}
	if parts := p.parts[template]; parts != nil {
		return parts(p, body)
	}
	return p.validate("", op.RequestBody.Value.GetMediaType("application/json").Schema, body)
}

// find returns the operation for an address, the one with the fewest
// parameters where several fit.
func (p *published) find(method, path string) (string, *openapi3.Operation) {
	var best string
	var op *openapi3.Operation
	fewest := -1
	for template, item := range p.doc.Paths.Map() {
		n, ok := fits(template, path)
		if got := item.GetOperation(method); ok && got != nil && (fewest < 0 || n < fewest) {
			best, op, fewest = template, got, n
		}
	}
	return best, op
}

// fits tells whether a path is of a template, and with how many parameters.
func fits(template, path string) (int, bool) {
	a, b := strings.Split(template, "/"), strings.Split(path, "/")
	if len(a) != len(b) {
		return 0, false
	}
	parameters := 0
	for i := range a {
		if strings.HasPrefix(a[i], "{") && b[i] != "" {
			parameters++
		} else if a[i] != b[i] {
			return 0, false
		}
	}
	return parameters, true
}

// validate holds a value against a schema; field is the name it goes by.
func (p *published) validate(field string, schema *openapi3.SchemaRef, v any) error {
	if err := schema.Value.VisitJSON(v, openapi3.VisitAsRequest(), openapi3.MultiErrors()); err != nil {
		return err
	}
	return p.noStrangers(field, schema, v)
}

// noStrangers reports fields that the schema doesn't have.
func (p *published) noStrangers(field string, schema *openapi3.SchemaRef, v any) error {
	switch v := v.(type) {
	case []any:
		if schema.Value.Items == nil {
			return nil
		}
		for _, x := range v {
			if err := p.noStrangers(field, schema.Value.Items, x); err != nil {
				return err
			}
		}
	case map[string]any:
		known := properties(schema)
		if known == nil {
			return nil
		}
		allowed := append(p.newer[field], p.newer[schema.Ref[strings.LastIndexByte(schema.Ref, '/')+1:]]...)
		for name, x := range v {
			sub, ok := known[name]
			if !ok && !contains(allowed, name) {
				return fmt.Errorf("field %q isn't in the schema", name)
			}
			if ok {
				if err := p.noStrangers(name, sub, x); err != nil {
					return fmt.Errorf("%s: %w", name, err)
				}
			}
		}
	}
	return nil
}

func contains(allowed []string, name string) bool {
	for _, a := range allowed {
		if a == name || a == "*" {
			return true
		}
	}
	return false
}

// properties are the fields of an object's schema, or nil where it takes any.
func properties(schema *openapi3.SchemaRef) openapi3.Schemas {
	s := schema.Value
	if len(s.OneOf) > 0 || len(s.AnyOf) > 0 {
		return nil
	}
	out := openapi3.Schemas{}
	for name, sub := range s.Properties {
		out[name] = sub
	}
	for _, part := range s.AllOf {
		for name, sub := range properties(part) {
			out[name] = sub
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// transaction checks the parts of a transactional create by themselves.
func transaction(p *published, body any) error {
	m, ok := body.(map[string]any)
	if !ok {
		return fmt.Errorf("body is no object")
	}
	if m["provider_model"] != "authentik_providers_oauth2.oauth2provider" {
		return fmt.Errorf("provider_model %v", m["provider_model"])
	}
	schemas := p.doc.Components.Schemas
	named := func(name string) *openapi3.SchemaRef {
		return &openapi3.SchemaRef{Ref: "#/components/schemas/" + name, Value: schemas[name].Value}
	}
	for name, part := range m {
		var err error
		switch name {
		case "app":
			err = p.validate(name, named("ApplicationRequest"), part)
		case "provider":
			err = p.validate(name, named("OAuth2ProviderRequest"), part)
		case "policy_bindings":
			err = p.validate(name, schemas["TransactionApplicationRequest"].Value.Properties["policy_bindings"], part)
		case "provider_model":
		default:
			err = fmt.Errorf("field isn't in the schema")
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	for _, name := range []string{"app", "provider"} {
		if m[name] == nil {
			return fmt.Errorf("%s is missing", name)
		}
	}
	return nil
}

// AuthentikFields are the fields that a request of that name has in Authentik's
// published schema.
func AuthentikFields(name string) ([]string, error) {
	p, err := authentikSchema()
	if err != nil {
		return nil, err
	}
	of := p.doc.Components.Schemas[name]
	if of == nil {
		return nil, fmt.Errorf("the schema has no %s", name)
	}
	out := slices.Clone(p.newer[name])
	for field := range of.Value.Properties {
		out = append(out, field)
	}
	slices.Sort(out)
	return out, nil
}
