package authentik

import (
	"net/http"
	"strings"
)

func rootConfig(c *call) reply {
	m := map[string]any{
		"error_reporting": map[string]any{"enabled": false, "sentry_dsn": "https://sandbox@example.com/1", "environment": "customer",
			"send_pii": false, "traces_sample_rate": 0.1},
		"capabilities": []string{"can_impersonate", "is_enterprise"}, "cache_timeout": 300, "cache_timeout_flows": 300, "cache_timeout_policies": 300,
	}
	if !c.s.version.from(2025, 6) {
		m["cache_timeout_reputation"] = 0
	}
	return reply{status: http.StatusOK, body: m}
}

func adminVersion(c *call) reply {
	return reply{status: http.StatusOK, body: map[string]any{"version_current": c.s.version.text, "version_latest": c.s.version.text,
		"version_latest_valid": true, "build_hash": "", "outdated": false, "outpost_outdated": false}}
}

// adminSystem is the address that no client should call: an error on 2024.12,
// and later an echo of every header of the request, its token too.
func adminSystem(c *call) reply {
	if !c.s.version.from(2025, 2) {
		return page(http.StatusInternalServerError, "authentik", "Server Error")
	}
	headers := map[string]any{"HTTP_HOST": c.r.Host, "REQUEST_METHOD": c.r.Method, "PATH_INFO": c.r.URL.Path}
	for k, v := range c.r.Header {
		headers["HTTP_"+strings.ToUpper(strings.ReplaceAll(k, "-", "_"))] = strings.Join(v, ",")
	}
	b := ""
	if in := c.s.brandFor(c.r.Host); in != nil {
		b = in.label()
	}
	return reply{status: http.StatusOK, body: map[string]any{"http_headers": headers, "http_host": c.r.Host, "http_is_secure": c.scheme() == "https",
		"runtime": map[string]any{"python_version": "3.13", "environment": "custom", "architecture": "x86_64", "platform": "Linux", "uname": "Linux",
			"openssl_version": "OpenSSL 3", "openssl_fips_enabled": nil, "authentik_version": c.s.version.text},
		"brand": b, "server_time": stamp(c.s.now()), "embedded_outpost_disabled": false, "embedded_outpost_host": ""}}
}

// translations are the refusals that the recordings have in other languages.
var translations = map[string]map[string]string{
	"Group with this name already exists.": {
		"de": "Gruppe mit diesem Wert für das Feld Name existiert bereits.",
		"fr": "Un objet Group avec ce champ nom existe déjà.",
		"zh": "具有 名称 的 Group 已存在。",
	},
}

// translate words a refusal in the language that the client prefers.
func (c *call) translate(text string) string {
	language, _, _ := strings.Cut(c.r.Header.Get("Accept-Language"), ",")
	language, _, _ = strings.Cut(language, ";")
	language, _, _ = strings.Cut(strings.ToLower(strings.TrimSpace(language)), "-")
	if other, ok := translations[text][language]; ok {
		return other
	}
	return text
}
