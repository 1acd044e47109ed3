package export_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclparse"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"authbird/export"
	"authbird/sim"
	"authbird/state"
)

// reporter is a test, or one of a property's.
type reporter interface {
	Helper()
	Fatalf(string, ...any)
}

func parseTerraform(t reporter, text string) *hclsyntax.Body {
	t.Helper()
	f, diags := hclparse.NewParser().ParseHCL([]byte(text), "main.tf")
	if diags.HasErrors() {
		t.Fatalf("it is no HCL: %v\n%s", diags, text)
	}
	return f.Body.(*hclsyntax.Body)
}

// terraformValue is the text of an argument that is a plain text.
func terraformValue(t reporter, text, typ, arg string) string {
	t.Helper()
	for _, b := range parseTerraform(t, text).Blocks {
		if b.Type == "resource" && b.Labels[0] == typ {
			v, diags := b.Body.Attributes[arg].Expr.Value(nil)
			if diags.HasErrors() {
				t.Fatalf("%s: %v", arg, diags)
			}
			return v.AsString()
		}
	}
	t.Fatalf("no %s", typ)
	return ""
}

// required are the arguments that each resource must have, by the
// documentation of both providers.
var required = map[string][]string{
	"authentik_provider_oauth2":      {"authorization_flow", "client_id", "invalidation_flow", "name"},
	"authentik_application":          {"name", "slug"},
	"authentik_policy_binding":       {"order", "target"},
	"authentik_user":                 {"username"},
	"authentik_token":                {"identifier", "user"},
	"authentik_group":                {"name"},
	"authentik_rbac_role":            {"name"},
	"authentik_rbac_permission_role": {"permission", "role"},
	"authentik_flow":                 {"designation", "name", "slug", "title"},
	"authentik_brand":                {"domain"},
	"netbird_identity_provider":      {"client_id", "client_secret", "issuer", "name", "type"},
	"netbird_account_settings":       {},
}

// checkTerraform holds a configuration against what can be known without the
// providers: it parses, each resource is one that they have, with what it must
// have, each but the unimportable has its import, and nothing refers to what
// isn't there.
func checkTerraform(t *testing.T, text string) {
	t.Helper()
	body := parseTerraform(t, text)
	there, imported := map[string]bool{}, map[string]bool{}
	for _, b := range body.Blocks {
		switch b.Type {
		case "resource", "data", "variable":
			address := strings.Join(b.Labels, ".")
			if b.Type != "resource" {
				address = map[string]string{"data": "data", "variable": "var"}[b.Type] + "." + address
			}
			if there[address] {
				t.Errorf("%s is there twice", address)
			}
			there[address] = true
		case "import":
			imported[addressOf(b.Body.Attributes["to"].Expr)] = true
		}
		if b.Type != "resource" {
			continue
		}
		args, known := required[b.Labels[0]]
		if !known {
			t.Errorf("there is no resource %s", b.Labels[0])
		}
		for _, arg := range args {
			if b.Body.Attributes[arg] == nil {
				t.Errorf("%s lacks %s", b.Labels[0], arg)
			}
		}
	}
	for address := range there {
		if strings.HasPrefix(address, "authentik_") && !imported[address] && !strings.HasPrefix(address, "authentik_rbac_permission_role.") {
			t.Errorf("%s has no import", address)
		}
	}
	for _, traversal := range traversals(body) {
		n := 2
		if traversal.RootName() == "data" {
			n = 3
		}
		if address := addressOfTraversal(traversal, n); !there[address] && address != "string" {
			t.Errorf("%s is referred to, and isn't there", address)
		}
	}
}

func addressOf(e hclsyntax.Expression) string {
	return addressOfTraversal(e.(*hclsyntax.ScopeTraversalExpr).Traversal, 2)
}

func addressOfTraversal(tr hcl.Traversal, n int) string {
	parts := []string{tr.RootName()}
	for _, step := range tr[1:] {
		if a, ok := step.(hcl.TraverseAttr); ok {
			parts = append(parts, a.Name)
		}
	}
	return strings.Join(parts[:min(n, len(parts))], ".")
}

func traversals(body *hclsyntax.Body) []hcl.Traversal {
	var out []hcl.Traversal
	for _, a := range body.Attributes {
		out = append(out, a.Expr.Variables()...)
	}
	for _, b := range body.Blocks {
		out = append(out, traversals(b.Body)...)
	}
	return out
}

func TestTerraformParsesAndRefersToWhatIsThere(t *testing.T) {
	for name, l := range map[string]*lab{"connector": connectorLab(t), "standalone": standaloneLab(t)} {
		t.Run(name, func(t *testing.T) { checkTerraform(t, l.texts()[export.Terraform]) })
	}
}

func TestAConnectorThatTheProviderDoesNotTakeStaysOutside(t *testing.T) {
	l := newLab(t, state.Connector, sim.Options{}, nil) // of the type authentik
	text := l.texts()[export.Terraform]
	if strings.Contains(text, `resource "netbird_identity_provider"`) || !strings.Contains(text, "stays outside of Terraform") {
		t.Error(text)
	}
	checkTerraform(t, text)
}

// TestTerraformTakesIt asks the real program, where there is one: how it would
// format the text and, where AUTHBIRD_TERRAFORM_PLUGINS names a folder with
// both providers' programs, whether they take it.
func TestTerraformTakesIt(t *testing.T) {
	program := ""
	for _, name := range []string{"tofu", "terraform"} {
		if path, err := exec.LookPath(name); err == nil && program == "" {
			program = path
		}
	}
	if program == "" {
		t.Skip("neither tofu nor terraform is here")
	}
	for name, l := range map[string]*lab{"connector": connectorLab(t), "standalone": standaloneLab(t)} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			text := withoutVersions(l.texts()[export.Terraform])
			must(t, os.WriteFile(filepath.Join(dir, "main.tf"), []byte(text), 0o600))
			run := func(args ...string) {
				t.Helper()
				cmd := exec.Command(program, append([]string{"-chdir=" + dir}, args...)...)
				cmd.Env = append(os.Environ(), "TF_CLI_CONFIG_FILE="+cliConfig(t, dir), "CHECKPOINT_DISABLE=1")
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Errorf("%s: %v\n%s", strings.Join(args, " "), err, out)
				}
			}
			run("fmt", "-check", "-diff", "main.tf")
			if os.Getenv("AUTHBIRD_TERRAFORM_PLUGINS") != "" {
				run("validate")
			}
		})
	}
}

// withoutVersions leaves the required versions out: programs that were built
// here have none.
func withoutVersions(text string) string {
	lines := slices.DeleteFunc(strings.SplitAfter(text, "\n"), func(line string) bool {
		return strings.HasPrefix(strings.TrimSpace(line), `version = "~>`)
	})
	return strings.Replace(strings.Join(lines, ""), "source  =", "source =", 1)
}

func cliConfig(t *testing.T, dir string) string {
	t.Helper()
	config := ""
	if plugins := os.Getenv("AUTHBIRD_TERRAFORM_PLUGINS"); plugins != "" {
		config = "provider_installation {\n  dev_overrides {\n    \"goauthentik/authentik\" = \"" + plugins + "\"\n    \"netbirdio/netbird\" = \"" + plugins + "\"\n  }\n  direct {}\n}\n"
	}
	path := filepath.Join(dir, "cli.rc")
	must(t, os.WriteFile(path, []byte(config), 0o600))
	return path
}
