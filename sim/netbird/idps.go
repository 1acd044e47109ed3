package netbird

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/netbirdio/netbird/shared/management/http/api"
)

// localConnector is the embedded identity provider's own password login.
const localConnector = "local"

// idpAnswer is a connector as the API shows it: never with its secret.
func idpAnswer(c connector) api.IdentityProvider {
	return api.IdentityProvider{Id: &c.id, Type: api.IdentityProviderType(c.kind), Name: c.name, Issuer: c.issuer, ClientId: c.clientID}
}

// stored is a connector as it comes back from the store, which forgets the
// issuer of the kinds that have a built-in one.
func stored(c connector) connector {
	if builtInIssuer(c.kind) {
		c.issuer = ""
	}
	return c
}

func builtInIssuer(kind string) bool { return kind == "google" || kind == "microsoft" }

var errNeedsEmbedded = refuse(http.StatusInternalServerError, "identity provider management requires embedded IdP")

func (s *Server) listIdPs(c *call) (any, error) {
	if err := s.may(c, "identity_providers", opRead); err != nil {
		return nil, err
	}
	out := []api.IdentityProvider{}
	if !s.opt().embedded() {
		return out, nil
	}
	for _, x := range s.st.connectors {
		out = append(out, idpAnswer(stored(*x)))
	}
	return out, nil
}

func (s *Server) getIdP(c *call) (any, error) {
	if err := s.may(c, "identity_providers", opRead); err != nil {
		return nil, err
	}
	if !s.opt().embedded() {
		return nil, errNeedsEmbedded
	}
	x, ok := s.anyConnector(c.path["idp"])
	if !ok {
		return nil, refuse(http.StatusNotFound, "identity provider not found")
	}
	return idpAnswer(stored(x)), nil
}

// anyConnector finds a connector, the local one too unless it is off.
func (s *Server) anyConnector(id string) (connector, bool) {
	if id == localConnector && !s.localAuthOff() {
		return connector{id: localConnector, kind: localConnector, name: "Email"}, true
	}
	if x := s.st.connector(id); x != nil {
		return *x, true
	}
	return connector{}, false
}

// wanted reads a request for a connector and checks it, the issuer included,
// without holding the lock.
func (s *Server) wanted(c *call, op operation) (connector, error) {
	var req api.IdentityProviderRequest
	if err := c.decode(&req); err != nil {
		return connector{}, err
	}
	s.mu.Lock()
	err := s.may(c, "identity_providers", op)
	s.mu.Unlock()
	if err != nil {
		return connector{}, err
	}
	x := connector{kind: string(req.Type), name: req.Name, issuer: req.Issuer, clientID: req.ClientId, secret: req.ClientSecret}
	if err := checkConnector(x); err != nil {
		return x, refuse(http.StatusUnprocessableEntity, "%s", err)
	}
	if x.issuer != "" && s.ver().checksIssuers() {
		if err := s.checkIssuer(c.r.Context(), x.issuer); err != nil {
			return x, refuse(http.StatusUnprocessableEntity, "%s", err)
		}
	}
	if !s.opt().embedded() {
		return x, errNeedsEmbedded
	}
	s.idpStorage(c.r.Context())
	return x, nil
}

func checkConnector(x connector) error {
	kinds := []string{"oidc", "zitadel", "entra", "google", "okta", "pocketid", "microsoft", "authentik", "keycloak", "adfs"}
	u, err := url.Parse(x.issuer)
	switch {
	case x.name == "":
		return errors.New("identity provider name is required")
	case x.kind == "":
		return errors.New("identity provider type is required")
	case !slices.Contains(kinds, x.kind):
		return errors.New("unsupported identity provider type")
	case !builtInIssuer(x.kind) && x.issuer == "":
		return errors.New("identity provider issuer is required")
	case x.issuer != "" && (err != nil || u.Scheme == "" || u.Host == ""):
		return errors.New("identity provider issuer must be a valid URL")
	case x.clientID == "":
		return errors.New("identity provider client ID is required")
	}
	return nil
}

// checkIssuer fetches an issuer's discovery, whoever's host that is, follows
// redirects, and wants the issuer back byte for byte.
func (s *Server) checkIssuer(ctx context.Context, issuer string) error {
	unreachable := func(format string, args ...any) error {
		return fmt.Errorf("identity provider issuer is unreachable: "+format, args...)
	}
	where := strings.TrimSuffix(issuer, "/") + "/.well-known/openid-configuration"
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, where, nil)
	if err != nil {
		return unreachable("%v", err)
	}
	resp, err := s.opt().HTTPClient.Do(req)
	if err != nil {
		return unreachable("%v", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return unreachable("unable to read response body: %v", err)
	}
	if resp.StatusCode != http.StatusOK {
		return unreachable("%s: %s", resp.Status, body)
	}
	var p struct {
		Issuer string `json:"issuer"`
	}
	if err := json.Unmarshal(body, &p); err != nil {
		return unreachable("failed to decode provider discovery object: %v", discoveryError(err))
	}
	if p.Issuer != issuer {
		return fmt.Errorf("identity provider issuer does not match the issuer returned by the provider: expected %q got %q", issuer, p.Issuer)
	}
	return nil
}

// discoveryError words a JSON error as the real server does, whose struct has a
// name where ours has none.
func discoveryError(err error) error {
	if t, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && t.Field == "" {
		return fmt.Errorf("json: cannot unmarshal %s into Go value of type server.oidcProviderJSON", t.Value)
	}
	return err
}

func (s *Server) createIdP(c *call) (any, error) {
	x, err := s.wanted(c, opCreate)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	x.id = s.proc.next(s.now())
	if x.kind != "oidc" {
		x.id = x.kind + "-" + x.id
	}
	s.st.connectors = append(s.st.connectors, &x)
	s.note(c.accountID, c.user, x.id, "Identity provider created", "identityprovider.create", idpMeta(x))
	return idpAnswer(x), nil
}

func idpMeta(x connector) map[string]string {
	return map[string]string{"name": x.name, "type": x.kind, "issuer": x.issuer}
}

// updateIdP changes what is stored. A connector that logins have opened goes on
// with what it was opened with.
func (s *Server) updateIdP(c *call) (any, error) {
	x, err := s.wanted(c, opUpdate)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	x.id = c.path["idp"]
	failed := func(why string) error {
		return refuse(http.StatusInternalServerError, "failed to update identity provider: failed to update connector: %s", why)
	}
	old, ok := s.anyConnector(x.id)
	switch {
	case !ok:
		return nil, failed("not found")
	case old.kind != x.kind && (s.ver().refusesTypeChanges() || old.id == localConnector):
		return nil, failed("connector type change not allowed")
	}
	kept := s.st.connector(x.id)
	kept.kind, kept.name, kept.clientID = x.kind, x.name, x.clientID
	if x.issuer != "" {
		kept.issuer = x.issuer
	}
	if x.secret != "" || !s.ver().keepsEmptySecret() {
		kept.secret = x.secret
	}
	s.note(c.accountID, c.user, x.id, "Identity provider updated", "identityprovider.update", idpMeta(x))
	return idpAnswer(x), nil
}

func (s *Server) deleteIdP(c *call) (any, error) {
	if err := s.may(c, "identity_providers", opDelete); err != nil {
		return nil, err
	}
	if !s.opt().embedded() {
		return nil, errNeedsEmbedded
	}
	x, ok := s.anyConnector(c.path["idp"])
	switch {
	case !ok:
		return nil, refuse(http.StatusNotFound, "identity provider not found")
	case x.id == localConnector:
		return nil, refuse(http.StatusInternalServerError, "failed to delete identity provider: cannot delete the local password connector")
	}
	s.st.connectors = slices.DeleteFunc(s.st.connectors, func(y *connector) bool { return y.id == x.id })
	s.note(c.accountID, c.user, x.id, "Identity provider deleted", "identityprovider.delete", idpMeta(stored(x)))
	return struct{}{}, nil
}
