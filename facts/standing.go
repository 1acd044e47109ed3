package facts

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"sync"

	"authbird/clients/authentik"
	"authbird/clients/netbird"
)

// StandingAsk names a setup's objects, as its journal knows them; an empty name
// is an object that the setup doesn't have.
type StandingAsk struct {
	ClientID    string // of the provider
	Slug        string // of the application
	Account     string // pk of the service account
	Token       string // identifier of its app password
	Role, Group string // pks, of the least rights
	Flow        string // slug of the device code flow
	Brand       string // uuid
	Connector   string // id
	Settings    bool   // NetBird's account belongs to the setup
}

// Standing is a setup's objects whole, as the servers gave them: for an export.
// No secret is in it.
type Standing struct {
	AuthentikURL, NetBirdURL     string
	AuthentikVersion             string
	Provider, Application        authentik.Object
	Bindings                     []authentik.Object // everything that is bound, whoever did it
	Account, Token, Role, Group  authentik.Object   // nil where the setup has none
	Flow, Brand                  authentik.Object
	Permissions                  []string // of the role
	Connector                    *netbird.IdentityProvider
	NetBirdAccount               string
	Settings                     map[string]any    // of NetBird's account; nil where they are not the setup's
	Flows, Mappings, Keys, Names map[string]string // pk → slug, managed or name: what the objects refer to
}

// gather runs reads side by side and keeps their errors.
type gather struct {
	wave
	mu   sync.Mutex
	errs []error
}

func (g *gather) read(call func() error) {
	g.ask(func() {
		if err := call(); err != nil {
			g.mu.Lock()
			defer g.mu.Unlock()
			g.errs = append(g.errs, err)
		}
	})
}

func (g *gather) wait() error {
	g.Wait()
	return errors.Join(g.errs[:min(1, len(g.errs))]...) // one says enough
}

// into makes a read of a call whose answer goes there.
func into[T any](to *T, call func() (T, error)) func() error {
	return func() (err error) {
		*to, err = call()
		return err
	}
}

// Standing reads a setup's objects whole, in two waves.
func (r *Reader) Standing(ctx context.Context, ask StandingAsk) (Standing, error) {
	s := Standing{AuthentikURL: r.Authentik.BaseURL(), NetBirdURL: r.NetBird.BaseURL()}
	var g gather
	g.read(into(&s.AuthentikVersion, func() (string, error) { return r.Authentik.Version(ctx) }))
	g.read(func() error { return r.standingProvider(ctx, ask.ClientID, &s) })
	g.read(func() error { return r.standingApplication(ctx, ask.Slug, &s) })
	r.referred(ctx, &g, &s)
	object := func(id string, to *authentik.Object, call func(context.Context, string) (authentik.Object, error)) {
		if id != "" {
			g.read(into(to, func() (authentik.Object, error) { return call(ctx, id) }))
		}
	}
	object(ask.Account, &s.Account, func(ctx context.Context, id string) (authentik.Object, error) {
		pk, err := strconv.Atoi(id)
		if err != nil {
			return nil, err
		}
		return r.Authentik.UserObject(ctx, pk)
	})
	object(ask.Token, &s.Token, r.Authentik.TokenObject)
	object(ask.Group, &s.Group, r.Authentik.GroupObject)
	object(ask.Flow, &s.Flow, r.Authentik.FlowObject)
	object(ask.Brand, &s.Brand, r.Authentik.BrandObject)
	object(ask.Role, &s.Role, r.Authentik.RoleObject)
	if ask.Role != "" {
		g.read(into(&s.Permissions, func() ([]string, error) { return r.Authentik.RolePermissions(ctx, ask.Role) }))
	}
	r.standingNetBird(ctx, &g, ask, &s)
	if err := g.wait(); err != nil {
		return s, err
	}
	return s, r.nameGroups(ctx, &s)
}

func (r *Reader) standingProvider(ctx context.Context, clientID string, s *Standing) error {
	found, err := r.Authentik.ProvidersByClientID(ctx, clientID)
	if err != nil {
		return err
	}
	if len(found) == 0 {
		return errors.New("the setup's provider does not stand in Authentik any more; authbird resume makes it again")
	}
	s.Provider, err = r.Authentik.ProviderObject(ctx, found[0].PK)
	return err
}

func (r *Reader) standingApplication(ctx context.Context, slug string, s *Standing) (err error) {
	if s.Application, err = r.Authentik.ApplicationObject(ctx, slug); err != nil {
		return err
	}
	pk, _ := s.Application["pk"].(string)
	s.Bindings, err = r.Authentik.BindingObjects(ctx, pk)
	return err
}

// referred reads how the things are called that objects name by number.
func (r *Reader) referred(ctx context.Context, g *gather, s *Standing) {
	g.read(func() error {
		all, err := r.Authentik.Flows(ctx)
		s.Flows = map[string]string{}
		for _, f := range all {
			s.Flows[f.PK] = f.Slug
		}
		return err
	})
	g.read(func() error {
		all, err := r.Authentik.AllScopeMappings(ctx)
		s.Mappings = map[string]string{}
		for _, m := range all {
			if s.Mappings[m.PK] = m.Managed; m.Managed == "" {
				s.Mappings[m.PK] = m.Name
			}
		}
		return err
	})
	g.read(func() error {
		all, err := r.Authentik.SigningKeys(ctx)
		s.Keys = map[string]string{}
		for _, k := range all {
			s.Keys[k.PK] = k.Name
		}
		return err
	})
}

func (r *Reader) standingNetBird(ctx context.Context, g *gather, ask StandingAsk, s *Standing) {
	if ask.Connector != "" {
		g.read(func() error {
			c, err := r.NetBird.IdentityProvider(ctx, ask.Connector)
			s.Connector = &c
			return err
		})
	}
	if !ask.Settings {
		return
	}
	g.read(func() error {
		accounts, err := r.NetBird.Accounts(ctx)
		if err != nil || len(accounts) == 0 {
			return err
		}
		s.NetBirdAccount = accounts[0].ID
		return decodeNumbers(accounts[0].Raw, &s.Settings)
	})
}

// nameGroups reads the names of the groups that bindings and the service
// account refer to.
func (r *Reader) nameGroups(ctx context.Context, s *Standing) error {
	s.Names = map[string]string{}
	wanted := map[string]bool{}
	for _, b := range s.Bindings {
		if pk, ok := b["group"].(string); ok {
			wanted[pk] = true
		}
	}
	if list, ok := s.Account["groups"].([]any); ok {
		for _, pk := range list {
			if text, ok := pk.(string); ok {
				wanted[text] = true
			}
		}
	}
	var g gather
	var mu sync.Mutex
	for pk := range wanted {
		g.read(func() error {
			group, err := r.Authentik.Group(ctx, pk)
			mu.Lock()
			defer mu.Unlock()
			s.Names[pk] = group.Name
			return err
		})
	}
	return g.wait()
}

// decodeNumbers reads JSON and keeps its numbers as they are written.
func decodeNumbers(raw []byte, to any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	return d.Decode(to)
}
