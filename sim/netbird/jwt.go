package netbird

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// claims are what a verified JWT says.
type claims map[string]any

func (c claims) text(name string) string {
	s, _ := c[name].(string)
	return s
}

// list is a claim that is a list of strings, or one string.
func (c claims) list(name string) []string {
	switch v := c[name].(type) {
	case string:
		return []string{v}
	case []any:
		var out []string
		for _, x := range v {
			if s, ok := x.(string); ok {
				out = append(out, s)
			}
		}
		return out
	}
	return nil
}

// signingKey is the embedded identity provider's key and its ID. The servers
// of a process share it, and it is made when it is first needed, because making
// it is what costs most here.
var signingKey = sync.OnceValues(func() (*rsa.PrivateKey, string) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(fmt.Sprintf("sim/netbird: no signing key: %v", err))
	}
	sum := sha1.Sum(key.N.Bytes())
	return key, hex.EncodeToString(sum[:])
})

// sign makes a JWT of the embedded identity provider.
func (s *Server) sign(payload any) (string, error) {
	key, kid := signingKey()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: key, KeyID: kid}}, nil)
	if err != nil {
		return "", err
	}
	b, err := json.Marshal(payload)
	if err != nil {
		return "", err
	}
	signed, err := signer.Sign(b)
	if err != nil {
		return "", err
	}
	return signed.CompactSerialize()
}

// userClaim is the claim that holds a user's id.
func (s *Server) userClaim() string {
	if st := s.opt().Standalone; st != nil && st.UserIDClaim != "" {
		return st.UserIDClaim
	}
	return "sub"
}

// verifyJWT checks signature, issuer, audience and times, without any leeway,
// against the embedded identity provider or the outside one.
func (s *Server) verifyJWT(ctx context.Context, raw string) (claims, error) {
	tok, err := jwt.ParseSigned(raw, []jose.SignatureAlgorithm{
		jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512, jose.ES256, jose.ES384, jose.ES512,
	})
	if err != nil {
		return nil, err
	}
	key, issuer, audiences, err := s.keyFor(ctx, tok.Headers[0].KeyID)
	if err != nil {
		return nil, err
	}
	var all claims
	var std jwt.Claims
	if err := tok.Claims(key, &all, &std); err != nil {
		return nil, err
	}
	now := s.now()
	switch {
	case std.Issuer != issuer:
		return nil, fmt.Errorf("token has issuer %q", std.Issuer)
	case !slices.ContainsFunc(audiences, std.Audience.Contains):
		return nil, fmt.Errorf("token has audience %q", std.Audience)
	case std.Expiry != nil && !now.Before(std.Expiry.Time()):
		return nil, errors.New("token is expired")
	case std.NotBefore != nil && now.Before(std.NotBefore.Time()):
		return nil, errors.New("token is not valid yet")
	case std.IssuedAt != nil && now.Before(std.IssuedAt.Time()):
		return nil, errors.New("token used before issued")
	}
	return all, nil
}

// keyFor is the key with which a JWT must verify, with the issuer and the
// audiences that are accepted.
func (s *Server) keyFor(ctx context.Context, kid string) (key any, issuer string, audiences []string, err error) {
	s.mu.Lock()
	out := s.outside
	issuer = s.opt().issuer()
	embedded := s.opt().embedded()
	s.mu.Unlock()
	switch {
	case out != nil:
		key, err = out.key(ctx, kid)
		return key, out.issuer, out.audiences, err
	case !embedded:
		return nil, "", nil, errors.New("unable to find appropriate key")
	}
	private, ownKid := signingKey()
	if kid != ownKid {
		return nil, "", nil, errors.New("unable to find appropriate key")
	}
	return &private.PublicKey, issuer, []string{clientDashboard, clientCLI}, nil
}

// idToken are the claims of the embedded identity provider's tokens.
type idToken struct {
	Issuer            string   `json:"iss"`
	Subject           string   `json:"sub"`
	Audience          string   `json:"aud"`
	Expiry            int64    `json:"exp"`
	IssuedAt          int64    `json:"iat"`
	ID                string   `json:"jti"`
	Nonce             string   `json:"nonce,omitempty"`
	AuthTime          int64    `json:"auth_time,omitempty"`
	AccessTokenHash   string   `json:"at_hash,omitempty"`
	CodeHash          string   `json:"c_hash,omitempty"`
	Email             string   `json:"email,omitempty"`
	EmailVerified     *bool    `json:"email_verified,omitempty"`
	Groups            []string `json:"groups,omitempty"`
	Name              string   `json:"name,omitempty"`
	PreferredUsername string   `json:"preferred_username,omitempty"`

	Federated *federatedClaims `json:"federated_claims,omitempty"`
}

// federatedClaims tell which upstream's user it is.
type federatedClaims struct {
	ConnectorID string `json:"connector_id,omitempty"`
	UserID      string `json:"user_id,omitempty"`
}

const tokenLife = 24 * time.Hour

// halfHash is at_hash and c_hash: the left half of the hash.
func halfHash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}
