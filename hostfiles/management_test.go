package hostfiles

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var discovered = ManagementValues{
	ConfigEndpoint:        "https://auth.example.com/application/o/netbird/.well-known/openid-configuration",
	Issuer:                "https://auth.example.com/application/o/netbird/",
	KeysLocation:          "https://auth.example.com/application/o/netbird/jwks/",
	TokenEndpoint:         "https://auth.example.com/application/o/token/",
	AuthorizationEndpoint: "https://auth.example.com/application/o/authorize/",
	DeviceEndpoint:        "https://auth.example.com/application/o/device/",
	ClientID:              "client123",
	ServiceAccount:        "Netbird",
	Password:              "s3cretS3cret",
}

func TestPatchManagement(t *testing.T) {
	patched, changes, err := PatchManagement(read(t, "management.json"), discovered)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(read(t, "management.patched.json")), string(patched)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, c := range changes {
		if strings.Contains(c.Have+c.Want, "hush") || strings.Contains(c.Have+c.Want, discovered.Password) {
			t.Errorf("a secret in %+v", c)
		}
	}
	if want := (Change{Key: ".HttpConfig.AuthIssuer", Have: "https://old.example.com/", Want: discovered.Issuer}); len(changes) == 0 || changes[0] != want {
		t.Errorf("changes %+v", changes)
	}
	again, changes, err := PatchManagement(patched, discovered)
	if err != nil || string(again) != string(patched) || len(changes) > 0 {
		t.Errorf("patched again: %+v, %v", changes, err)
	}
}

func TestReadManagement(t *testing.T) {
	got, err := ReadManagement(read(t, "management.patched.json"))
	if err != nil {
		t.Fatal(err)
	}
	want := Management{
		ManagementValues: discovered, ManagerType: "authentik", GrantType: "client_credentials",
		Audience: "client123", ManagerIssuer: discovered.Issuer, KeyRefresh: true,
		DeviceClientID: "client123", DeviceAudience: "client123", DeviceProvider: "hosted",
		PKCEClientID: "client123", PKCEAudience: "client123", PKCEScope: scopes,
		RedirectURLs: []string{"http://localhost:53000", "http://localhost:54000"}, DisablePromptLogin: true, EncryptionKey: true,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestPatchAppPassword(t *testing.T) {
	have := string(read(t, "management.patched.json"))
	patched, changes, err := PatchAppPassword([]byte(have), "n3xt")
	if err != nil {
		t.Fatal(err)
	}
	if want := strings.Replace(have, `"s3cretS3cret"`, `"n3xt"`, 1); string(patched) != want {
		t.Errorf("(-want +got):\n%s", cmp.Diff(want, string(patched)))
	}
	want := []Change{{Key: ".IdpManagerConfig.ExtraConfig.Password", Have: "(secret)", Want: "(secret)", Secret: true}}
	if diff := cmp.Diff(want, changes); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestPatchLaysOutLikeTheFile(t *testing.T) {
	for name, c := range map[string]struct{ have, want string }{
		"compact":           {`{"IdpManagerConfig":{"ManagerType":"authentik"}}`, `{"IdpManagerConfig":{"ManagerType":"authentik","ExtraConfig":{"Password":"n3xt"}}}`},
		"tabs":              {"{\n\t\"IdpManagerConfig\": {\n\t\t\"ManagerType\": \"authentik\"\n\t}\n}\n", "{\n\t\"IdpManagerConfig\": {\n\t\t\"ManagerType\": \"authentik\",\n\t\t\"ExtraConfig\": {\n\t\t\t\"Password\": \"n3xt\"\n\t\t}\n\t}\n}\n"},
		"as NetBird folds":  {`{"idpmanagerconfig":{"managertype":"authentik","extraconfig":{"password":"other","Password":"x"}}}`, `{"idpmanagerconfig":{"managertype":"authentik","extraconfig":{"password":"other","Password":"n3xt"}}}`},
		"null as an object": {`{"IdpManagerConfig":{"ManagerType":"authentik","ExtraConfig": null }}`, `{"IdpManagerConfig":{"ManagerType":"authentik","ExtraConfig": {"Password":"n3xt"} }}`},
	} {
		got, _, err := PatchAppPassword([]byte(c.have), "n3xt")
		if err != nil || string(got) != c.want {
			t.Errorf("%s: %s, %v", name, got, err)
		}
	}
}

func TestPatchRefuses(t *testing.T) {
	file := func(from, to string) string {
		return strings.Replace(string(read(t, "management.patched.json")), from, to, 1)
	}
	bad := discovered
	bad.Password = "a{{hush"
	empty := discovered
	empty.KeysLocation = ""
	for name, c := range map[string]struct {
		have   string
		values ManagementValues
		want   string
	}{
		"a template in a value":       {file("", ""), bad, "the value for .IdpManagerConfig.ExtraConfig.Password holds {{"},
		"an empty endpoint":           {file("", ""), empty, "the keys location for management.json is empty"},
		"a value from a template":     {file(`"s3cretS3cret"`, `"{{ .PW }}"`), discovered, ".IdpManagerConfig.ExtraConfig.Password is filled in by a template"},
		"a template outside a string": {file(`"s3cretS3cret"`, `{{ .PW }}`), discovered, "line 32: no JSON, perhaps because of a template"},
		"no JSON":                     {file(`"HttpConfig": {`, `"HttpConfig": {,`), discovered, "line 12: no JSON: invalid character"},
		"JSON with comments":          {file("{", "{ // mine"), discovered, "line 1: no JSON"},
		"cut short":                   {file("", "")[:300], discovered, "line"},
		"empty":                       {"", discovered, "line 1: no JSON"},
		"a list":                      {"[]", discovered, "it holds no JSON object"},
		"null":                        {"null", discovered, "it holds no JSON object"},
		"another kind":                {file(`"HttpConfig": {`, `"HttpConfig": 7, "X": {`), discovered, "line 12: .HttpConfig is a number"},
		"a field twice":               {file(`"HttpConfig": {`, `"httpconfig": {}, "HttpConfig": {`), discovered, "HttpConfig stands twice"},
		"the embedded provider":       {file("{", `{"EmbeddedIdP": {"Enabled": true},`), discovered, "this management.json turns the embedded identity provider on"},
	} {
		got, changes, err := PatchManagement([]byte(c.have), c.values)
		if err == nil || got != nil || changes != nil {
			t.Errorf("%s: %s, %v", name, got, err)
			continue
		}
		if !strings.HasPrefix(err.Error(), c.want) || strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: said %q, not %q", name, err, c.want)
		}
	}
	if _, _, err := PatchAppPassword(read(t, "management.json"), "n3xt"); err == nil || err.Error() != `.IdpManagerConfig.ManagerType is "none", not authentik` {
		t.Errorf("another manager: %v", err)
	}
	if _, _, err := PatchAppPassword(read(t, "management.patched.json"), ""); err == nil {
		t.Error("took an empty password")
	}
}

// TestNetBirdReadsWhatWasMeant patches with values that no one should choose.
func TestNetBirdReadsWhatWasMeant(t *testing.T) {
	files := []string{string(read(t, "management.json")), string(read(t, "management.patched.json")), "{}", "{\n}", `{"HttpConfig":null}`}
	rapid.Check(t, func(t *rapid.T) {
		value := func(name string) string {
			return "x" + strings.ToValidUTF8(hostile().Draw(t, name), "")
		}
		m := ManagementValues{
			ConfigEndpoint: value("config"), Issuer: value("issuer"), KeysLocation: value("keys"), TokenEndpoint: value("token"),
			AuthorizationEndpoint: value("authorize"), DeviceEndpoint: value("device"), ClientID: value("client"),
			ServiceAccount: value("account"), Password: value("password"),
		}
		have := rapid.SampledFrom(files).Draw(t, "file")
		patched, _, err := PatchManagement([]byte(have), m)
		if err != nil {
			t.Fatalf("%v", err)
		}
		got, err := ReadManagement(patched)
		if err != nil || got.ManagementValues != m {
			t.Fatalf("%v (-want +got):\n%s", err, cmp.Diff(m, got.ManagementValues))
		}
		if strings.Contains(string(patched), "{{") {
			t.Fatalf("a template in %s", patched)
		}
		if again, changes, err := PatchManagement(patched, m); err != nil || string(again) != string(patched) || len(changes) > 0 {
			t.Fatalf("patched again: %+v, %v", changes, err)
		}
		if !json.Valid(patched) {
			t.Fatalf("no JSON: %s", patched)
		}
	})
}

func TestEncryptionKeyAtRisk(t *testing.T) {
	const one, other, none = `{"DataStoreEncryptionKey":"one"}`, `{"DataStoreEncryptionKey":"other"}`, `{"DataStoreEncryptionKey":""}`
	for name, c := range map[string]struct{ made, kept, want string }{
		"a first run":            {"", "", ""},
		"a second run":           {one, "", "configure.sh would blank the key"},
		"the key is kept":        {one, one, ""},
		"another key is kept":    {one, other, "configure.sh would replace the key"},
		"an empty key is kept":   {one, none, "configure.sh would blank the key"},
		"no key to lose":         {none, "", ""},
		"what a failed run left": {"not json", "", ""},
	} {
		dir := t.TempDir()
		if err := os.Mkdir(filepath.Join(dir, "artifacts"), 0o700); err != nil {
			t.Fatal(err)
		}
		if c.made != "" {
			put(t, filepath.Join(dir, "artifacts", "management.json"), c.made, 0o600)
		}
		if c.kept != "" {
			put(t, filepath.Join(dir, "management.json"), c.kept, 0o600)
		}
		got, err := EncryptionKeyAtRisk(dir)
		if err != nil || !strings.HasPrefix(got, c.want) || (c.want == "") != (got == "") {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if got, err := EncryptionKeyAtRisk(filepath.Join(t.TempDir(), "absent")); got != "" || err != nil {
		t.Errorf("no folder at all: %q, %v", got, err)
	}
}
