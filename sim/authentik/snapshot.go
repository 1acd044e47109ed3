package authentik

import (
	"fmt"
	"slices"
)

// Snapshot is the whole state as plain maps, to be compared with another
// server's by go-cmp. Random ids are left out, references are by name, and of
// secrets only the length is told. Moments, events, sessions and issued tokens
// aren't in it.
func (s *Server) Snapshot() any {
	s.mu.Lock()
	defer s.mu.Unlock()
	return map[string]any{
		"users": s.snapUsers(), "groups": s.snapGroups(), "roles": s.snapRoles(), "tokens": s.snapTokens(),
		"flows": s.snapFlows(), "mappings": s.snapMappings(), "keys": s.snapKeys(), "brands": s.snapBrands(),
		"providers": s.snapProviders(), "applications": s.snapApps(),
	}
}

func length(secret string) string { return fmt.Sprintf("%d characters", len(secret)) }

func (s *Server) snapUsers() map[string]any {
	out := map[string]any{}
	for _, u := range s.st.users {
		name := u.Username
		if u.Type == typeOutpost {
			name = "embedded outpost"
		}
		groups := []string{}
		for _, g := range s.st.groupsOf[u.PK] {
			groups = append(groups, g.Name)
		}
		slices.Sort(groups)
		out[name] = map[string]any{"name": u.Name, "email": u.Email, "path": u.Path, "type": u.Type, "active": u.Active,
			"password": length(u.Password), "attributes": u.Attributes, "groups": groups}
	}
	return out
}

func (s *Server) snapGroups() []any {
	out := []any{}
	for _, g := range sorted(s.st.groups, by(func(g *group) string { return g.Name })) {
		users, roles, above := []string{}, []string{}, []string{}
		for _, pk := range g.Users {
			users = append(users, s.st.users[pk].Username)
		}
		for _, pk := range g.Roles {
			roles = append(roles, s.st.role(pk).Name)
		}
		for _, pk := range g.Parents {
			above = append(above, s.st.group(pk).Name)
		}
		slices.Sort(users)
		slices.Sort(roles)
		out = append(out, map[string]any{"name": g.Name, "superuser": g.Superuser, "users": users, "roles": roles, "parents": above, "attributes": g.Attributes})
	}
	return out
}

func (s *Server) snapRoles() map[string]any {
	out := map[string]any{}
	for _, r := range s.st.roles {
		held := []string{}
		for p := range r.Permissions {
			held = append(held, p)
		}
		slices.Sort(held)
		out[r.Name] = held
	}
	return out
}

func (s *Server) snapTokens() map[string]any {
	out := map[string]any{}
	for _, t := range s.st.tokens {
		name, owner := t.Identifier, s.st.users[t.User]
		ownerName := owner.Username
		if owner.Type == typeOutpost {
			name, ownerName = "embedded outpost", "embedded outpost"
		}
		out[name] = map[string]any{"intent": t.Intent, "user": ownerName, "description": t.Description, "expiring": t.Expiring, "key": length(t.Key)}
	}
	return out
}

func (s *Server) snapFlows() map[string]any {
	out := map[string]any{}
	for _, f := range s.st.flows {
		out[f.Slug] = map[string]any{"name": f.Name, "title": f.Title, "designation": f.Designation, "authentication": f.Authn,
			"denied": f.Denied, "layout": f.Layout, "mode": f.PolicyMode, "stages": len(f.Stages)}
	}
	return out
}

func (s *Server) snapMappings() map[string]any {
	out := map[string]any{}
	for _, m := range s.st.mappings {
		out[m.Name] = map[string]any{"managed": m.Managed, "scope": m.Scope, "description": m.Description, "expression": m.Expression}
	}
	return out
}

func (s *Server) snapKeys() map[string]any {
	out := map[string]any{}
	for _, k := range s.st.keys {
		out[k.Name] = map[string]any{"kind": k.Kind, "private": k.HasKey}
	}
	return out
}

func (s *Server) flowSlug(pk string) string {
	if f := s.st.flow(pk); f != nil {
		return f.Slug
	}
	return ""
}

func (s *Server) keyName(pk string) string {
	if k := s.st.key(pk); k != nil {
		return k.Name
	}
	return ""
}

func (s *Server) snapBrands() map[string]any {
	out := map[string]any{}
	for _, b := range s.st.brands {
		flows := map[string]string{}
		for _, field := range brandFlows {
			flows[field] = s.flowSlug(b.Flows[field])
		}
		out[b.Domain] = map[string]any{"default": b.Default, "title": b.Title, "flows": flows, "attributes": b.Attributes}
	}
	return out
}

func (s *Server) snapProviders() map[string]any {
	out := map[string]any{}
	for _, p := range s.st.providers {
		uris := []string{}
		for _, u := range p.RedirectURIs {
			uris = append(uris, u.Mode+" "+u.URL)
		}
		out[p.Name] = map[string]any{"authentication flow": s.flowSlug(p.AuthenticationFlow), "authorization flow": s.flowSlug(p.AuthorizationFlow),
			"invalidation flow": s.flowSlug(p.InvalidationFlow), "scopes": s.scopesOf(p), "client type": p.ClientType,
			"client id": length(p.ClientID), "client secret": length(p.ClientSecret), "code": p.CodeValidity, "access": p.AccessValidity,
			"refresh": p.RefreshValidity, "claims in id token": p.ClaimsInIDToken, "signing key": s.keyName(p.SigningKey),
			"encryption key": s.keyName(p.EncryptionKey), "redirect uris": uris, "logout": p.LogoutMethod + " " + p.LogoutURI,
			"subject": p.SubMode, "issuer": p.IssuerMode, "grants": slices.Clone(p.GrantTypes)}
	}
	return out
}

func (s *Server) snapApps() map[string]any {
	out := map[string]any{}
	for _, a := range s.st.apps {
		provider := ""
		if p := s.st.provByPK[a.Provider]; p != nil {
			provider = p.Name
		}
		bindings := []any{}
		for _, b := range s.st.bindings {
			if b.Target != a.PK {
				continue
			}
			one := map[string]any{"negate": b.Negate, "enabled": b.Enabled, "order": b.Order, "timeout": b.Timeout}
			if g := s.st.group(b.Group); g != nil {
				one["group"] = g.Name
			}
			if u := s.st.users[b.User]; u != nil {
				one["user"] = u.Username
			}
			bindings = append(bindings, one)
		}
		out[a.Slug] = map[string]any{"name": a.Name, "provider": provider, "launch url": a.LaunchURL, "new tab": a.OpenInNewTab,
			"description": a.Description, "publisher": a.Publisher, "icon": a.Icon, "mode": a.PolicyMode, "group": a.Group, "bindings": bindings}
	}
	return out
}
