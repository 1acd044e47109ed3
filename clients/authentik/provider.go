package authentik

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"authbird/clients"
)

const (
	providers = "/providers/oauth2/"
	keyPairs  = "/crypto/certificatekeypairs/"
)

// RedirectURI is one entry of a provider's list.
type RedirectURI struct {
	MatchingMode string `json:"matching_mode"` // "strict", byte for byte, or "regex", a full match
	URL          string `json:"url"`
}

// Grant types, as providers list them from 2026.5 on. Always send them: from then on the default is none.
const (
	GrantAuthorizationCode = "authorization_code"
	GrantRefreshToken      = "refresh_token"
	GrantClientCredentials = "client_credentials"
	GrantPassword          = "password"
	GrantDeviceCode        = "urn:ietf:params:oauth:grant-type:device_code"
)

// The managed names of the scope mappings that Authentik ships.
const (
	ScopeOpenID        = "goauthentik.io/providers/oauth2/scope-openid"
	ScopeEmail         = "goauthentik.io/providers/oauth2/scope-email"
	ScopeProfile       = "goauthentik.io/providers/oauth2/scope-profile"
	ScopeOfflineAccess = "goauthentik.io/providers/oauth2/scope-offline_access"
	ScopeAPI           = "goauthentik.io/providers/oauth2/scope-authentik_api"
)

// InvalidationFlowSlug is the flow that a provider ends a session with.
const InvalidationFlowSlug = "default-provider-invalidation-flow"

// Provider is an OAuth2/OpenID provider. What the server leaves null is "" here. ClientSecret is a secret: keep it
// out of logs, plans and journals.
type Provider struct {
	PK                      int           `json:"pk"`
	Name                    string        `json:"name"`
	AuthenticationFlow      string        `json:"authentication_flow"`
	AuthorizationFlow       string        `json:"authorization_flow"`
	InvalidationFlow        string        `json:"invalidation_flow"`
	PropertyMappings        []string      `json:"property_mappings"` // pks
	AssignedApplicationSlug string        `json:"assigned_application_slug"`
	AssignedApplicationName string        `json:"assigned_application_name"`
	ClientType              string        `json:"client_type"` // "confidential" or "public"
	ClientID                string        `json:"client_id"`
	ClientSecret            string        `json:"client_secret"`
	AccessCodeValidity      string        `json:"access_code_validity"` // "minutes=1"
	AccessTokenValidity     string        `json:"access_token_validity"`
	RefreshTokenValidity    string        `json:"refresh_token_validity"`
	IncludeClaimsInIDToken  bool          `json:"include_claims_in_id_token"`
	SigningKey              string        `json:"signing_key"`    // pk
	EncryptionKey           string        `json:"encryption_key"` // pk
	RedirectURIs            []RedirectURI `json:"redirect_uris"`
	SubMode                 string        `json:"sub_mode"`
	IssuerMode              string        `json:"issuer_mode"`
	GrantTypes              []string      `json:"grant_types"` // nil: this server doesn't know the field; empty: none allowed
}

// ProvidersByName is the provider of exactly that name (case matters): none or one.
func (c *Client) ProvidersByName(ctx context.Context, name string) ([]Provider, error) {
	return exact(ctx, c, "look for the provider by its name", providers, "name", strings.TrimSpace(name),
		func(p Provider) string { return p.Name })
}

// ProvidersByClientID is the provider with exactly that client id: none or one.
func (c *Client) ProvidersByClientID(ctx context.Context, clientID string) ([]Provider, error) {
	return exact(ctx, c, "look for the provider by its client id", providers, "client_id", clientID,
		func(p Provider) string { return p.ClientID })
}

// Providers is all of them, at most 1,000.
func (c *Client) Providers(ctx context.Context) ([]Provider, error) {
	return list[Provider](ctx, c, "read the providers", providers, url.Values{"ordering": {"name"}})
}

// Provider reads one. Absent where there is none.
func (c *Client) Provider(ctx context.Context, pk int) (Provider, error) {
	var p Provider
	err := c.get(ctx, "read the provider", providers+strconv.Itoa(pk)+"/", nil, &p)
	return p, err
}

// ProviderSpec is a provider to create. GrantTypes and RedirectURIs must hold something: a newer server allows no
// login without the first, and with an empty list of the second any server keeps the first address that comes along.
type ProviderSpec struct {
	Name                   string        `json:"name"`
	AuthenticationFlow     string        `json:"authentication_flow,omitempty"` // pks
	AuthorizationFlow      string        `json:"authorization_flow"`
	InvalidationFlow       string        `json:"invalidation_flow"`
	ClientType             string        `json:"client_type"`
	ClientID               string        `json:"client_id"`
	ClientSecret           string        `json:"client_secret,omitempty"`
	RedirectURIs           []RedirectURI `json:"redirect_uris"`
	SigningKey             string        `json:"signing_key,omitempty"`
	PropertyMappings       []string      `json:"property_mappings,omitempty"`
	SubMode                string        `json:"sub_mode,omitempty"`
	IncludeClaimsInIDToken bool          `json:"include_claims_in_id_token"`
	AccessCodeValidity     string        `json:"access_code_validity,omitempty"`
	GrantTypes             []string      `json:"grant_types"`
}

// complete refuses a provider that would come into the world broken.
func (p ProviderSpec) complete(op string) error {
	message := ""
	switch {
	case len(p.GrantTypes) == 0:
		message = "a provider without grant types lets nobody in"
	case len(p.RedirectURIs) == 0:
		message = "a provider without redirect URIs takes the first that comes along"
	default:
		return nil
	}
	return &clients.Error{Kind: clients.Refused, Server: product, Op: op, Message: message}
}

// CreateProvider makes a provider alone: for an application that stands there already. A name or client id that is
// taken is Conflict.
func (c *Client) CreateProvider(ctx context.Context, p ProviderSpec) (Provider, error) {
	const op = "create the provider"
	var made Provider
	if err := p.complete(op); err != nil {
		return made, err
	}
	err := c.send(ctx, op, http.MethodPost, providers, p, &made, p.ClientSecret)
	return made, taken(ctx, err, c.providerLookups("", p))
}

// providerLookups finds the provider that holds a value of p which must be unique. The fields' names begin with prefix.
func (c *Client) providerLookups(prefix string, p ProviderSpec) map[string]lookup {
	return map[string]lookup{
		prefix + "name": func(ctx context.Context) (bool, error) { return some(c.ProvidersByName(ctx, p.Name)) },
		prefix + "client_id": func(ctx context.Context) (bool, error) {
			return some(c.ProvidersByClientID(ctx, p.ClientID))
		},
	}
}

// UpdateProvider sends just the changed fields, under the API's own names. Lists are replaced whole. A name or client
// id that another provider has is Conflict.
func (c *Client) UpdateProvider(ctx context.Context, pk int, changes map[string]any) (Provider, error) {
	var p Provider
	secret, _ := changes["client_secret"].(string)
	err := c.send(ctx, "change the provider", http.MethodPatch, providers+strconv.Itoa(pk)+"/", changes, &p, secret)
	name, _ := changes["name"].(string)
	id, _ := changes["client_id"].(string)
	return p, taken(ctx, err, c.providerLookups("", ProviderSpec{Name: name, ClientID: id}))
}

// DeleteProvider removes it; its application stays, with no provider.
func (c *Client) DeleteProvider(ctx context.Context, pk int) error {
	const op = "delete the provider"
	_, err := c.generated(op).ProvidersApi.ProvidersOauth2Destroy(ctx, int32(pk)).Execute()
	return c.settled(op, err)
}

// PreviewClaims is what the provider would tell of that user in an id token.
func (c *Client) PreviewClaims(ctx context.Context, providerPK, userPK int) (map[string]any, error) {
	var answer struct {
		Preview map[string]any `json:"preview"`
	}
	err := c.get(ctx, "preview the claims", providers+strconv.Itoa(providerPK)+"/preview_user/",
		url.Values{"for_user": {strconv.Itoa(userPK)}}, &answer)
	return answer.Preview, err
}

// ScopeMapping is one of the mappings that turn a scope into claims.
type ScopeMapping struct {
	PK        string `json:"pk"`
	Managed   string `json:"managed"` // "" for one that a person made
	Name      string `json:"name"`
	ScopeName string `json:"scope_name"`
}

// ScopeMappings is the mappings of those managed names, in their order and in one request; a name that the server
// lacks is left out.
func (c *Client) ScopeMappings(ctx context.Context, managed ...string) ([]ScopeMapping, error) {
	all, err := list[ScopeMapping](ctx, c, "read the scope mappings", "/propertymappings/provider/scope/", url.Values{"managed": managed})
	if err != nil {
		return nil, err
	}
	var found []ScopeMapping
	for _, name := range managed {
		for _, m := range all {
			if m.Managed == name {
				found = append(found, m)
				break
			}
		}
	}
	return found, nil
}

// KeyPair is a certificate with its key.
type KeyPair struct {
	PK         string `json:"pk"`
	Name       string `json:"name"`
	KeyType    string `json:"key_type"`    // "rsa", "ec", …; "" where the server doesn't say
	CertExpiry string `json:"cert_expiry"` // RFC 3339
	HasKey     bool   `json:"private_key_available"`
}

// UnmarshalJSON takes the key's type by its name before 2025.12 too.
func (k *KeyPair) UnmarshalJSON(b []byte) error {
	type plain KeyPair
	wire := struct {
		*plain
		Before2025_12 string `json:"private_key_type"`
	}{plain: (*plain)(k)}
	if err := json.Unmarshal(b, &wire); err != nil {
		return err
	}
	if k.KeyType == "" {
		k.KeyType = wire.Before2025_12
	}
	return nil
}

// SigningKeys is the key pairs that have a private key, by name.
func (c *Client) SigningKeys(ctx context.Context) ([]KeyPair, error) {
	all, err := list[KeyPair](ctx, c, "read the signing keys", keyPairs, url.Values{"has_key": {"true"}, "ordering": {"name"}})
	return slices.DeleteFunc(all, func(k KeyPair) bool { return !k.HasKey }), err
}

// CreateKeyPair has the server generate an RSA certificate of that name. A name that is taken is Conflict.
func (c *Client) CreateKeyPair(ctx context.Context, name string, days int) (KeyPair, error) {
	var made KeyPair
	err := c.send(ctx, "generate a signing key", http.MethodPost, keyPairs+"generate/", map[string]any{
		"common_name": name, "subject_alt_name": "", "validity_days": days, "alg": "rsa"}, &made)
	stands := func(ctx context.Context) (bool, error) {
		return some(exact(ctx, c, "look for the key", keyPairs, "name", name, func(k KeyPair) string { return k.Name }))
	}
	return made, taken(ctx, err, map[string]lookup{"name": stands, "common_name": stands})
}
