package export

import (
	"fmt"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"authbird/facts"
)

// prefixes begin the names of a kind's lines.
var prefixes = map[kind]string{
	kindFlow: "AUTHENTIK_DEVICE_FLOW_", kindProvider: "AUTHENTIK_PROVIDER_", kindApplication: "AUTHENTIK_APPLICATION_",
	kindRole: "AUTHENTIK_ROLE_", kindGroup: "AUTHENTIK_GROUP_", kindAccount: "AUTHENTIK_ACCOUNT_", kindToken: "AUTHENTIK_TOKEN_",
	kindBrand: "AUTHENTIK_BRAND_", kindConnector: "NETBIRD_CONNECTOR_", kindSettings: "NETBIRD_SETTINGS_",
}

// env is a line for each field: texts as they are, lists and objects as JSON.
func env(s facts.Standing, all []resource) string {
	var b strings.Builder
	b.WriteString(heading(s, "Lines for a shell: set -a; . ./this-file; set +a. Lists are JSON; what is named by number on the server is named by its name.",
		"Secrets come from the variables CLIENT_SECRET and APP_PASSWORD, where you set them before."))
	b.WriteString("AUTHENTIK_URL=" + quote(s.AuthentikURL) + "\n")
	if s.Connector != nil || s.Settings != nil {
		b.WriteString("NETBIRD_URL=" + quote(s.NetBirdURL) + "\n")
	}
	bindings := 0
	for _, r := range all {
		prefix := prefixes[r.kind]
		if r.kind == kindBinding {
			bindings++
			prefix = fmt.Sprintf("AUTHENTIK_BINDING_%d_", bindings)
		}
		b.WriteString(prefix + "ID=" + quote(r.id) + "\n")
		for _, fields := range []map[string]any{r.fields, r.told} {
			for _, name := range sortedKeys(fields) {
				b.WriteString(prefix + strings.ToUpper(notLabel.ReplaceAllString(name, "_")) + "=" + shell(fields[name]) + "\n")
			}
		}
	}
	return b.String()
}

func shell(v any) string {
	switch x := v.(type) {
	case secret:
		return `"${` + strings.ToUpper(string(x)) + `:-}"`
	case nil:
		return "''"
	}
	return quote(plain(v))
}

// quote makes a word for any POSIX shell or, where it has characters that can't
// be written for one, for bash.
func quote(s string) string {
	for _, lang := range []syntax.LangVariant{syntax.LangPOSIX, syntax.LangBash} {
		if q, err := syntax.Quote(s, lang); err == nil {
			return q
		}
	}
	return "''" // a NUL byte: no shell can hold it
}
