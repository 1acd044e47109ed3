package authentik

import (
	"context"
	"net/http"
	"net/url"
	"slices"
)

const roles = "/rbac/roles/"

// Role is a bundle of permissions.
type Role struct {
	PK   string `json:"pk"`
	Name string `json:"name"`
}

// RolesByName is the role of exactly that name: none or one. Servers before 2025.12 filter by search alone, which
// finds a part of a name as well.
func (c *Client) RolesByName(ctx context.Context, name string) ([]Role, error) {
	all, err := list[Role](ctx, c, "look for the role", roles, url.Values{"name": {name}, "search": {name}})
	return slices.DeleteFunc(all, func(r Role) bool { return r.Name != name }), err
}

// CreateRole makes an empty role. A name that is taken is Conflict.
func (c *Client) CreateRole(ctx context.Context, name string) (Role, error) {
	var made Role
	err := c.send(ctx, "create the role", http.MethodPost, roles, map[string]any{"name": name}, &made)
	return made, taken(ctx, err, map[string]lookup{"name": func(ctx context.Context) (bool, error) {
		return some(c.RolesByName(ctx, name))
	}})
}

// AssignPermissions gives the role permissions such as "authentik_core.view_user"; also those it has.
func (c *Client) AssignPermissions(ctx context.Context, rolePK string, permissions ...string) error {
	const op = "give the role its permissions"
	id, err := segment(op, rolePK)
	if err != nil {
		return err
	}
	return c.send(ctx, op, http.MethodPost, "/rbac/permissions/assigned_by_roles/"+id+"/assign/",
		map[string]any{"permissions": permissions}, nil)
}

// RolePermissions is the permissions that the role has on whole models, such as "authentik_core.view_user".
func (c *Client) RolePermissions(ctx context.Context, rolePK string) ([]string, error) {
	type permission struct {
		App  string `json:"app_label"`
		Code string `json:"codename"`
	}
	all, err := list[permission](ctx, c, "read the role's permissions", "/rbac/permissions/", url.Values{"role": {rolePK}})
	names := make([]string, len(all))
	for i, p := range all {
		names[i] = p.App + "." + p.Code
	}
	return names, err
}

// DeleteRole removes one.
func (c *Client) DeleteRole(ctx context.Context, pk string) error {
	const op = "delete the role"
	if _, err := segment(op, pk); err != nil {
		return err
	}
	_, err := c.generated(op).RbacApi.RbacRolesDestroy(ctx, pk).Execute()
	return c.settled(op, err)
}
