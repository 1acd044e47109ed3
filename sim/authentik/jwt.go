package authentik

import (
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdsa"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"slices"
	"strings"
	"time"
)

const acr = "goauthentik.io/providers/oauth2/default"

// claimNames are the claims that the managed mappings give, by scope.
var claimNames = map[string][]string{
	"email":        {"email", "email_verified"},
	"profile":      {"name", "given_name", "preferred_username", "nickname", "groups"},
	"entitlements": {"entitlements", "roles"},
	"ak_proxy":     {"ak_proxy"},
}

// subject is the user's "sub" with a provider.
func subject(p *provider, u *user) string {
	switch p.SubMode {
	case "user_id":
		return itoa(u.PK)
	case "user_uuid":
		return u.UUID
	case "user_username":
		return u.Username
	case "user_email":
		return u.Email
	case "user_upn":
		if upn, ok := u.Attributes["upn"].(string); ok {
			return upn
		}
	}
	return u.UID
}

// idClaims are the claims that every token has.
func (c *call) idClaims(p *provider, u *user, issued, expires, authenticated time.Time) map[string]any {
	return map[string]any{"iss": c.issuer(p), "sub": subject(p, u), "aud": p.ClientID, "exp": expires.Unix(),
		"iat": issued.Unix(), "auth_time": authenticated.Unix(), "acr": acr}
}

// scopesOf are the scopes of a provider's mappings, in order.
func (s *Server) scopesOf(p *provider) []string {
	out := []string{}
	for _, pk := range p.Mappings {
		if m := s.st.mapping(pk); m != nil {
			out = append(out, m.Scope)
		}
	}
	slices.Sort(out)
	return out
}

// scopeClaims adds the claims of the scopes, by the provider's mappings.
func (c *call) scopeClaims(p *provider, u *user, scopes []string, to map[string]any) {
	for _, scope := range c.providerScopes(p) {
		if !slices.Contains(scopes, scope) {
			continue
		}
		switch scope {
		case "email":
			to["email"], to["email_verified"] = u.Email, !c.s.version.from(2025, 10)
		case "profile":
			groups := []string{}
			for _, g := range sorted(c.s.st.groupsOf[u.PK], by(func(g *group) string { return g.Name })) {
				groups = append(groups, g.Name)
			}
			to["name"], to["given_name"], to["preferred_username"], to["nickname"], to["groups"] = u.Name, u.Name, u.Username, u.Username, groups
		case "entitlements":
			to["entitlements"], to["roles"] = []string{}, []string{}
		case "ak_proxy":
			to["ak_proxy"] = map[string]any{"user_attributes": u.Attributes, "is_superuser": c.s.superuser(u)}
		}
	}
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// jwt signs claims with the provider's key, or with its client secret if it
// has none, and encrypts them if it has a key for that.
func (s *Server) jwt(p *provider, claims map[string]any) string {
	header := map[string]any{"alg": "HS256", "typ": "JWT"}
	k := s.signs(p)
	if k != nil {
		header["alg"], header["kid"] = k.algorithm(), k.id(s.version)
	}
	signed := b64(mustJSON(header)) + "." + b64(mustJSON(claims))
	var signature []byte
	if k == nil {
		mac := hmac.New(sha256.New, []byte(p.ClientSecret))
		mac.Write([]byte(signed))
		signature = mac.Sum(nil)
	} else {
		signature = sign(k.load().signer, []byte(signed))
	}
	token := signed + "." + b64(signature)
	if e := s.st.key(p.EncryptionKey); e != nil {
		if pub, ok := e.load().signer.Public().(*rsa.PublicKey); ok {
			return encrypt(pub, e.id(s.version), token)
		}
	}
	return token
}

func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic("authentik: claims: " + err.Error())
	}
	return b
}

func sign(key crypto.Signer, text []byte) []byte {
	sum := sha256.Sum256(text)
	if ec, ok := key.(*ecdsa.PrivateKey); ok {
		r, s, err := ecdsa.Sign(rand.Reader, ec, sum[:])
		if err != nil {
			panic("authentik: signature: " + err.Error())
		}
		out := make([]byte, 64)
		r.FillBytes(out[:32])
		s.FillBytes(out[32:])
		return out
	}
	out, err := key.Sign(rand.Reader, sum[:], crypto.SHA256)
	if err != nil {
		panic("authentik: signature: " + err.Error())
	}
	return out
}

// encrypt wraps a token as a JWE with RSA-OAEP-256 and A256CBC-HS512, which is
// what a provider with an encryption key hands out.
func encrypt(pub *rsa.PublicKey, kid, token string) string {
	header := b64(mustJSON(map[string]any{"alg": "RSA-OAEP-256", "enc": "A256CBC-HS512", "cty": "JWT", "typ": "JWE", "kid": kid}))
	keys := make([]byte, 64+aes.BlockSize)
	_, _ = rand.Read(keys)
	cek, iv := keys[:64], keys[64:]
	wrapped, err := rsa.EncryptOAEP(sha256.New(), rand.Reader, pub, cek, nil)
	if err != nil {
		panic("authentik: encryption: " + err.Error())
	}
	block, err := aes.NewCipher(cek[32:])
	if err != nil {
		panic("authentik: encryption: " + err.Error())
	}
	pad := aes.BlockSize - len(token)%aes.BlockSize
	text := append([]byte(token), []byte(strings.Repeat(string(rune(pad)), pad))...)
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(text, text)
	mac := hmac.New(sha512.New, cek[:32])
	mac.Write([]byte(header))
	mac.Write(iv)
	mac.Write(text)
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(len(header))*8))
	return strings.Join([]string{header, b64(wrapped), b64(iv), b64(text), b64(mac.Sum(nil)[:32])}, ".")
}

// life reads "hours=3;minutes=1"; what was stored is known to be right.
func life(text string) time.Duration {
	units := map[string]time.Duration{"microseconds": time.Microsecond, "milliseconds": time.Millisecond, "seconds": time.Second,
		"minutes": time.Minute, "hours": time.Hour, "days": 24 * time.Hour, "weeks": 7 * 24 * time.Hour}
	var out time.Duration
	for part := range strings.SplitSeq(text, ";") {
		unit, amount, _ := strings.Cut(part, "=")
		var n float64
		_ = json.Unmarshal([]byte(amount), &n)
		out += time.Duration(n * float64(units[unit]))
	}
	return out
}
