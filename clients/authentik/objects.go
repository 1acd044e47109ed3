package authentik

import (
	"context"
	"encoding/json"
	"net/url"
	"strconv"
)

// Object is an object whole, as the server gave it, but for its secrets: for an export, which must show every field.
// Numbers are json.Number.
type Object map[string]any

// object reads one. Secrets are dropped here, so that nothing behind this can show them.
func (c *Client) object(ctx context.Context, op, path string, q url.Values) (Object, error) {
	var raw json.RawMessage
	if err := c.get(ctx, op, path, q, &raw); err != nil {
		return nil, err
	}
	o, err := readObject(raw)
	return o, classify(err)
}

func readObject(raw json.RawMessage) (Object, error) {
	var o Object
	if err := decodeNumbers(raw, &o); err != nil {
		return nil, err
	}
	delete(o, "client_secret")
	delete(o, "key")
	return o, nil
}

// ProviderObject is the OAuth2 provider of that number, without its secret.
func (c *Client) ProviderObject(ctx context.Context, pk int) (Object, error) {
	return c.object(ctx, "read the provider", providers+strconv.Itoa(pk)+"/", nil)
}

// ApplicationObject is the application of that slug.
func (c *Client) ApplicationObject(ctx context.Context, slug string) (Object, error) {
	const op = "read the application"
	at, err := applicationPath(op, slug)
	if err != nil {
		return nil, err
	}
	return c.object(ctx, op, at, nil)
}

// BindingObjects is what is bound to the target, an application's pk, in the order in which it is asked.
func (c *Client) BindingObjects(ctx context.Context, target string) ([]Object, error) {
	all, err := list[json.RawMessage](ctx, c, "read the bindings", bindings, url.Values{"target": {target}, "ordering": {"order"}})
	if err != nil {
		return nil, err
	}
	var out []Object
	for _, raw := range all {
		o, err := readObject(raw)
		if err != nil {
			return nil, err
		}
		if o["target"] == target {
			out = append(out, o)
		}
	}
	return out, nil
}

// UserObject is the user of that number.
func (c *Client) UserObject(ctx context.Context, pk int) (Object, error) {
	return c.object(ctx, "read the user", users+strconv.Itoa(pk)+"/", nil)
}

// TokenObject is the token of that identifier, without its key.
func (c *Client) TokenObject(ctx context.Context, identifier string) (Object, error) {
	return c.objectAt(ctx, "read the token", "/core/tokens/", identifier, nil)
}

// GroupObject is the group of that pk.
func (c *Client) GroupObject(ctx context.Context, pk string) (Object, error) {
	return c.objectAt(ctx, "read the group", groups, pk, nil)
}

// RoleObject is the role of that pk.
func (c *Client) RoleObject(ctx context.Context, pk string) (Object, error) {
	return c.objectAt(ctx, "read the role", roles, pk, nil)
}

// FlowObject is the flow of that slug.
func (c *Client) FlowObject(ctx context.Context, slug string) (Object, error) {
	return c.objectAt(ctx, "read the flow", "/flows/instances/", slug, nil)
}

// BrandObject is the brand of that uuid.
func (c *Client) BrandObject(ctx context.Context, uuid string) (Object, error) {
	return c.objectAt(ctx, "read the brand", "/core/brands/", uuid, nil)
}

func (c *Client) objectAt(ctx context.Context, op, path, id string, q url.Values) (Object, error) {
	at, err := segment(op, id)
	if err != nil {
		return nil, err
	}
	return c.object(ctx, op, path+at+"/", q)
}

// AllScopeMappings is every mapping that turns a scope into claims, a person's too.
func (c *Client) AllScopeMappings(ctx context.Context) ([]ScopeMapping, error) {
	return list[ScopeMapping](ctx, c, "read the scope mappings", "/propertymappings/provider/scope/", nil)
}
