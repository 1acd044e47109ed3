package authentik

import (
	"net/http"
	"slices"
	"strings"
)

const brandLogo = "/static/dist/assets/icons/icon_left_brand.svg"

var brandFlows = []string{"flow_authentication", "flow_invalidation", "flow_recovery", "flow_unenrollment", "flow_user_settings", "flow_device_code"}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// label is what a brand is called in events and lists of uses.
func (b *brand) label() string {
	if b.Default {
		return "Default brand"
	}
	return "Brand " + b.Domain
}

func (s *Server) newBrand(domain string) *brand {
	return &brand{UUID: s.uuid(), Domain: domain, Title: "authentik", Logo: brandLogo, Favicon: "/static/dist/assets/icons/icon.png",
		Background: flowBackground, Flows: map[string]string{}, Attributes: map[string]any{}}
}

func (s *Server) showBrand(b *brand) map[string]any {
	m := map[string]any{"brand_uuid": b.UUID, "domain": b.Domain, "default": b.Default, "branding_title": b.Title,
		"branding_logo": b.Logo, "branding_favicon": b.Favicon, "default_application": orNull(b.Application),
		"web_certificate": orNull(b.Certificate), "attributes": b.Attributes}
	for _, field := range brandFlows {
		m[field] = orNull(b.Flows[field])
	}
	if s.version.from(2025, 4) {
		m["branding_custom_css"], m["branding_default_flow_background"] = b.CSS, b.Background
	}
	if s.version.from(2025, 6) {
		m["client_certificates"] = append([]string{}, b.ClientCertificates...)
	}
	return m
}

func listBrands(c *call) reply {
	return list(c, lister[brand]{
		rows:   sorted(c.s.st.brands, by(func(b *brand) string { return b.Domain })),
		order:  map[string]func(a, b *brand) int{"domain": by(func(b *brand) string { return b.Domain })},
		search: func(b *brand) []string { return []string{b.Domain, b.Title} },
		filters: map[string]func(*brand, string) bool{
			"domain": same(func(b *brand) string { return b.Domain }), "default": flag(func(b *brand) bool { return b.Default }),
			"brand_uuid":       same(func(b *brand) string { return b.UUID }),
			"flow_device_code": same(func(b *brand) string { return b.Flows["flow_device_code"] }),
		},
		show: func(b *brand) any { return c.s.showBrand(b) },
	})
}

func getBrand(c *call) reply {
	if b := c.s.st.brand(c.args[0]); b != nil {
		return reply{status: http.StatusOK, body: c.s.showBrand(b)}
	}
	return c.absent("Brand")
}

func (c *call) readBrand(b *brand, partial bool) map[string]any {
	f, st := c.form(partial), c.s.st
	f.text("domain", &b.Domain, textRule{required: true, check: func(domain string) string {
		if find(st.brands, func(x *brand) bool { return x.Domain == domain && x.UUID != b.UUID }) != nil {
			return "This field must be unique."
		}
		return ""
	}})
	f.flag("default", &b.Default)
	f.text("branding_title", &b.Title, textRule{})
	f.text("branding_logo", &b.Logo, textRule{})
	f.text("branding_favicon", &b.Favicon, textRule{})
	f.text("branding_custom_css", &b.CSS, textRule{blank: true})
	for _, field := range brandFlows {
		pk := b.Flows[field]
		f.pk(field, &pk, false, true, func(pk string) bool { return st.flow(pk) != nil })
		b.Flows[field] = pk
	}
	f.pk("default_application", &b.Application, false, true, func(pk string) bool { return st.appByPK[pk] != nil })
	f.pk("web_certificate", &b.Certificate, false, true, func(pk string) bool { return st.key(pk) != nil })
	f.object("attributes", &b.Attributes)
	if b.Default && find(st.brands, func(x *brand) bool { return x.Default && x.UUID != b.UUID }) != nil {
		f.fail("default", "Only a single brand can be set as default.")
	}
	if f.bad() {
		return f.errs
	}
	return nil
}

func createBrand(c *call) reply {
	b := c.s.newBrand("")
	if errs := c.readBrand(b, false); errs != nil {
		return refused(errs)
	}
	c.s.st.brands = append(c.s.st.brands, b)
	return reply{status: http.StatusCreated, body: c.s.showBrand(b)}
}

func changeBrand(c *call) reply {
	b := c.s.st.brand(c.args[0])
	if b == nil {
		return c.absent("Brand")
	}
	n := *b
	n.Flows = map[string]string{}
	for k, v := range b.Flows {
		n.Flows[k] = v
	}
	if errs := c.readBrand(&n, c.r.Method == http.MethodPatch); errs != nil {
		return refused(errs)
	}
	*b = n
	return reply{status: http.StatusOK, body: c.s.showBrand(b)}
}

func deleteBrand(c *call) reply {
	st := c.s.st
	b := st.brand(c.args[0])
	if b == nil {
		return c.absent("Brand")
	}
	st.brands = slices.DeleteFunc(st.brands, func(x *brand) bool { return x == b })
	return reply{status: http.StatusNoContent}
}

// brandFor is the brand in force at a host: the one with the longest domain
// that the host ends with, or else the default one. From 2026.2 on a domain
// must be the host itself or a parent domain of it.
func (s *Server) brandFor(host string) *brand {
	if i := strings.LastIndexByte(host, ':'); i > strings.LastIndexByte(host, ']') {
		host = host[:i]
	}
	var best *brand
	for _, b := range s.st.brands {
		fits := strings.HasSuffix(host, b.Domain)
		if s.version.from(2026, 2) {
			fits = host == b.Domain || strings.HasSuffix(host, "."+b.Domain)
		}
		if fits && (best == nil || len(b.Domain) > len(best.Domain)) {
			best = b
		}
	}
	if best == nil {
		best = find(s.st.brands, func(b *brand) bool { return b.Default })
	}
	return best
}

func currentBrand(c *call) reply {
	b := c.s.brandFor(c.r.Host)
	if b == nil {
		// What is served when every brand has been deleted.
		b = &brand{Domain: "fallback", Title: "authentik", Logo: brandLogo, Favicon: "/static/dist/assets/icons/icon.png"}
	}
	m := map[string]any{"matched_domain": b.Domain, "branding_title": b.Title, "branding_logo": b.Logo, "branding_favicon": b.Favicon,
		"ui_footer_links": []any{}, "ui_theme": "automatic", "default_locale": ""}
	for _, field := range brandFlows {
		if f := c.s.st.flow(b.Flows[field]); f != nil {
			m[field] = f.Slug
		}
	}
	v := c.s.version
	if v.from(2025, 4) {
		m["branding_custom_css"] = b.CSS
	}
	if v.from(2025, 10) {
		m["flags"] = map[string]any{"policies_buffered_access_view": false, "flows_refresh_others": false}
	}
	if v.from(2026, 2) {
		m["flags"].(map[string]any)["enterprise_audit_include_expanded_diff"] = false
		m["branding_logo_themed_urls"], m["branding_favicon_themed_urls"] = nil, nil
	}
	return reply{status: http.StatusOK, body: m}
}
