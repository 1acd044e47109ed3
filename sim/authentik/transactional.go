package authentik

import (
	"fmt"
	"net/http"
	"slices"
)

// providerModels are the kinds that a transaction can name. Only OAuth2 ones
// can be made here.
var providerModels = []string{
	"authentik_providers_ldap.ldapprovider", providerModel, "authentik_providers_proxy.proxyprovider",
	"authentik_providers_rac.racprovider", "authentik_providers_radius.radiusprovider",
	"authentik_providers_saml.samlprovider", "authentik_providers_scim.scimprovider",
}

// transactionalCreate makes a provider, an application and its bindings, all
// or nothing. It answers with no ids.
func transactionalCreate(c *call) reply {
	f := c.form(false)
	app, errs := c.nested(f, "app")
	if errs == nil {
		errs = map[string]any{}
	}
	model := ""
	f.choice(modelProviderKey, &model, true, providerModels...)
	prov, provErrs := c.nested(f, "provider")
	for k, v := range provErrs {
		errs[k] = v
	}
	for k, v := range f.errs {
		errs[k] = v
	}
	if len(errs) > 0 {
		return refused(errs)
	}
	a, p := c.s.newApp(), c.s.newProvider()
	if out, bad := c.checkApp(a, app); bad {
		return out
	}
	if model != providerModel {
		return wrong(modelProviderKey, "only OAuth2 providers can be made by the simulator")
	}
	if out, bad := c.checkNewProvider(p, prov); bad {
		return out
	}
	bindings, out, bad := c.newBindings(f.in["policy_bindings"])
	if bad {
		return out
	}
	if !c.may("authentik_providers_oauth2.add_oauth2provider") {
		return reply{status: http.StatusForbidden, body: map[string]any{"provider": "User lacks permission to create " + model}}
	}
	if !c.may("authentik_core.add_application") {
		return reply{status: http.StatusForbidden, body: map[string]any{"app": "User lacks permission to create authentik_core.application"}}
	}
	c.s.addProvider(p)
	a.Provider = p.PK
	c.s.st.putApp(a)
	for _, b := range bindings {
		b.Target = a.PK
		c.s.st.bindings = append(c.s.st.bindings, b)
	}
	return reply{status: http.StatusOK, body: map[string]any{"applied": true, "logs": []any{}}}
}

// nested reads a field that must be an object.
func (c *call) nested(f *form, name string) (map[string]any, map[string]any) {
	v, ok := f.value(name, true, false)
	if !ok {
		return nil, nil
	}
	m, isMap := v.(map[string]any)
	if !isMap {
		return nil, map[string]any{name: map[string]any{"non_field_errors": []string{"Invalid data. Expected a dictionary, but got " + pythonType(v) + "."}}}
	}
	return m, nil
}

// within runs a check on a part of the body and puts its errors under a name.
func (c *call) within(name string, part map[string]any, check func() map[string]any) (reply, bool) {
	whole := c.body
	c.body = part
	errs := check()
	c.body = whole
	if errs != nil {
		return refused(map[string]any{name: errs}), true
	}
	return reply{}, false
}

func (c *call) checkApp(a *application, body map[string]any) (reply, bool) {
	return c.within("app", body, func() map[string]any {
		errs := c.readApp(a, false)
		a.Provider = 0
		return errs
	})
}

// checkNewProvider refuses a provider as the plain create does, but for a name
// that is taken, which it words as its importer does.
func (c *call) checkNewProvider(p *provider, body map[string]any) (reply, bool) {
	return c.within("provider", body, func() map[string]any {
		errs := c.readProvider(p, false)
		if name, _ := body["name"].(string); c.s.st.provByName[name] != nil {
			return map[string]any{"name": []string{"State is set to must_created and object exists already"}}
		}
		return errs
	})
}

func (c *call) newBindings(v any) ([]*binding, reply, bool) {
	if v == nil {
		return nil, reply{}, false
	}
	items, ok := v.([]any)
	if !ok {
		return nil, wrong("policy_bindings", fmt.Sprintf("Expected a list of items but got type %q.", pythonType(v))), true
	}
	var out []*binding
	errs, bad := []any{}, false
	for _, item := range items {
		m, _ := item.(map[string]any)
		b := c.s.newBinding()
		var wrong map[string]any
		c.within("", m, func() map[string]any { wrong = c.readBinding(b, false, false); return nil })
		if wrong == nil {
			wrong = map[string]any{}
		}
		bad = bad || len(wrong) > 0
		errs, out = append(errs, wrong), append(out, b)
	}
	if bad {
		return nil, refused(map[string]any{"policy_bindings": errs}), true
	}
	return slices.Clip(out), reply{}, false
}
