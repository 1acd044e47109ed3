package netbird

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestConfigureFillsInWhatTheSetupEnvSays(t *testing.T) {
	provider := discovery(t)
	c, err := Configure(t, setupEnv(t, provider, "letters0and1digits"))
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(c.ManagementJSON())
	if err != nil {
		t.Fatal(err)
	}
	var written struct {
		IdpManagerConfig struct {
			ManagerType  string
			ClientConfig struct{ Issuer, ClientID, GrantType string }
			ExtraConfig  struct{ Username, Password string }
		}
		HttpConfig struct{ AuthIssuer, AuthAudience, OIDCConfigEndpoint string }
	}
	if err := json.Unmarshal(content, &written); err != nil {
		t.Fatal(err)
	}
	idp, web := written.IdpManagerConfig, written.HttpConfig
	for _, f := range []struct{ field, have, want string }{
		{"ManagerType", idp.ManagerType, "authentik"},
		{"ClientConfig.Issuer", idp.ClientConfig.Issuer, provider + "/application/o/netbird/"},
		{"ClientConfig.ClientID", idp.ClientConfig.ClientID, "the-client"},
		{"ClientConfig.GrantType", idp.ClientConfig.GrantType, "client_credentials"},
		{"ExtraConfig.Username", idp.ExtraConfig.Username, "Netbird"},
		{"ExtraConfig.Password", idp.ExtraConfig.Password, "letters0and1digits"},
		{"AuthIssuer", web.AuthIssuer, provider + "/application/o/netbird/"},
		{"AuthAudience", web.AuthAudience, "the-client"},
		{"OIDCConfigEndpoint", web.OIDCConfigEndpoint, provider + "/application/o/netbird/.well-known/openid-configuration"},
	} {
		if f.have != f.want {
			t.Errorf("%s is %q, want %q", f.field, f.have, f.want)
		}
	}
}

func TestConfigureWithAQuoteInThePasswordFails(t *testing.T) {
	_, err := Configure(t, setupEnv(t, discovery(t), `with"quote`))
	if err == nil {
		t.Fatal("configure.sh took a setup.env whose password ends its own quotes")
	}
	if strings.Contains(err.Error(), "No such file") {
		t.Fatalf("configure.sh failed for want of a file: %v", err)
	}
}

// discovery serves the discovery document of an Authentik's application.
func discovery(t *testing.T) string {
	t.Helper()
	served := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		base := "http://" + r.Host + "/application/o/"
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]string{
			"issuer":                        base + "netbird/",
			"authorization_endpoint":        base + "authorize/",
			"token_endpoint":                base + "token/",
			"device_authorization_endpoint": base + "device/",
			"jwks_uri":                      base + "netbird/jwks/",
		})
	}))
	t.Cleanup(served.Close)
	return served.URL
}

// setupEnv writes a setup.env by hand, in the order of NetBird's guide.
func setupEnv(t *testing.T, provider, password string) string {
	t.Helper()
	content := fmt.Sprintf(`NETBIRD_DOMAIN="netbird.example.com"
NETBIRD_AUTH_OIDC_CONFIGURATION_ENDPOINT="%s/application/o/netbird/.well-known/openid-configuration"
NETBIRD_USE_AUTH0=false
NETBIRD_AUTH_CLIENT_ID="the-client"
NETBIRD_AUTH_SUPPORTED_SCOPES="openid profile email offline_access api"
NETBIRD_AUTH_AUDIENCE="the-client"
NETBIRD_MGMT_IDP="authentik"
NETBIRD_IDP_MGMT_CLIENT_ID="the-client"
NETBIRD_IDP_MGMT_EXTRA_USERNAME="Netbird"
NETBIRD_IDP_MGMT_EXTRA_PASSWORD="%s"
`, provider, password)
	path := filepath.Join(t.TempDir(), "setup.env")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
