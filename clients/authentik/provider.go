package authentik

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
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
	p, err := list[Provider](ctx, c, "look for the provider", "providers/oauth2/", url.Values{"name": {name}})
	return only(p.Results, func(x Provider) bool { return x.Name == name }), err
}

// ProvidersByClientID is the provider with exactly that client id: none or one.
func (c *Client) ProvidersByClientID(ctx context.Context, clientID string) ([]Provider, error) {
	p, err := list[Provider](ctx, c, "look for the provider", "providers/oauth2/", url.Values{"client_id": {clientID}})
	return only(p.Results, func(x Provider) bool { return x.ClientID == clientID }), err
}

// Provider reads one. Absent where there is none.
func (c *Client) Provider(ctx context.Context, pk int) (Provider, error) {
	var p Provider
	err := c.get(ctx, "read the provider", providerPath(pk), nil, &p)
	return p, err
}

func providerPath(pk int) string { return "providers/oauth2/" + strconv.Itoa(pk) + "/" }

// UpdateProvider sends just the changed fields, under the API's own names. Lists are replaced whole.
func (c *Client) UpdateProvider(ctx context.Context, pk int, changes map[string]any) (Provider, error) {
	var p Provider
	secret, _ := changes["client_secret"].(string)
	err := c.send(ctx, "change the provider", http.MethodPatch, providerPath(pk), changes, &p, secret)
	return p, err
}

// DeleteProvider removes it; its application stays, with no provider.
func (c *Client) DeleteProvider(ctx context.Context, pk int) error {
	return c.remove(ctx, "delete the provider", providerPath(pk))
}

// PreviewClaims is what the provider would tell of that user in an id token.
func (c *Client) PreviewClaims(ctx context.Context, providerPK, userPK int) (map[string]any, error) {
	var answer struct {
		Preview map[string]any `json:"preview"`
	}
	err := c.get(ctx, "preview the claims", providerPath(providerPK)+"preview_user/", url.Values{"for_user": {strconv.Itoa(userPK)}}, &answer)
	return answer.Preview, err
}

// ScopeMapping is one of the mappings that turn a scope into claims.
type ScopeMapping struct {
	PK        string `json:"pk"`
	Managed   string `json:"managed"` // "" for one that a person made
	Name      string `json:"name"`
	ScopeName string `json:"scope_name"`
}

// ScopeMappings is the mappings of those managed names, in one request; a name that the server lacks is left out.
func (c *Client) ScopeMappings(ctx context.Context, managed ...string) ([]ScopeMapping, error) {
	p, err := list[ScopeMapping](ctx, c, "look for the scope mappings", "propertymappings/provider/scope/", url.Values{"managed": managed, "page_size": {"100"}})
	return only(p.Results, func(m ScopeMapping) bool { return slices.Contains(managed, m.Managed) }), err
}

// KeyPair is a certificate with its key.
type KeyPair struct {
	PK         string `json:"pk"`
	Name       string `json:"name"`
	KeyType    string `json:"key_type"`    // "rsa", "ec", …; "" where the server doesn't say
	CertExpiry string `json:"cert_expiry"` // RFC 3339
	HasKey     bool   `json:"private_key_available"`
}

// SigningKeys is the key pairs that have a private key, by name.
func (c *Client) SigningKeys(ctx context.Context) ([]KeyPair, error) {
	p, err := list[KeyPair](ctx, c, "look for the signing keys", "crypto/certificatekeypairs/",
		url.Values{"has_key": {"true"}, "include_details": {"true"}, "ordering": {"name"}, "page_size": {"100"}})
	return only(p.Results, func(k KeyPair) bool { return k.HasKey }), err
}

// UnmarshalJSON reads the type of the key under both of its names: private_key_type became key_type in 2025.12.
func (k *KeyPair) UnmarshalJSON(data []byte) error {
	type plain KeyPair
	both := struct {
		*plain
		Older string `json:"private_key_type"`
	}{plain: (*plain)(k)}
	if err := json.Unmarshal(data, &both); err != nil {
		return err
	}
	if k.KeyType == "" {
		k.KeyType = both.Older
	}
	return nil
}

// CreateKeyPair has the server generate an RSA certificate of that name.
func (c *Client) CreateKeyPair(ctx context.Context, name string, days int) (KeyPair, error) {
	var k KeyPair
	body := map[string]any{"common_name": name, "subject_alt_name": "", "validity_days": days, "alg": "rsa"}
	err := c.send(ctx, "generate a certificate", http.MethodPost, "crypto/certificatekeypairs/generate/", body, &k)
	return k, err
}
