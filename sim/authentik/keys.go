package authentik

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/md5"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// keyPair is a certificate, with its private key if it has one. Both are made
// when they are first looked at, because an RSA key takes a while.
type keyPair struct {
	PK, Name string
	Kind     string // "rsa" or "ec"
	HasKey   bool
	made     time.Time
	days     int
	load     func() *material
}

type material struct {
	cert   []byte // DER
	signer crypto.Signer
}

// rsaKeys are the private keys of the RSA certificates: the first of every
// server of this process is the same one, and so on. A thousand sandboxes then
// cost one key, and the certificates of one server never share theirs.
var rsaKeys struct {
	sync.Mutex
	made []func() crypto.Signer
}

func rsaKey(n int) crypto.Signer {
	rsaKeys.Lock()
	for len(rsaKeys.made) <= n {
		rsaKeys.made = append(rsaKeys.made, sync.OnceValue(newRSA))
	}
	key := rsaKeys.made[n]
	rsaKeys.Unlock()
	return key()
}

func newRSA() crypto.Signer {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic("authentik: RSA key: " + err.Error())
	}
	return key
}

func newEC() crypto.Signer {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic("authentik: EC key: " + err.Error())
	}
	return key
}

// newKeyPair makes a self-signed certificate over a key of that kind.
func (s *Server) newKeyPair(name, kind string, days int) *keyPair {
	k := &keyPair{PK: s.uuid(), Name: name, Kind: kind, HasKey: true, made: s.now().UTC().Truncate(time.Second), days: days}
	serial := new(big.Int).SetBytes(s.bytes(16))
	key := newEC
	if kind == "rsa" {
		n := s.st.rsaKeys
		s.st.rsaKeys++
		key = func() crypto.Signer { return rsaKey(n) }
	}
	k.load = sync.OnceValue(func() *material {
		signer := key()
		subject := pkix.Name{CommonName: name, Organization: []string{"authentik"}, OrganizationalUnit: []string{"Self-signed"}}
		tmpl := &x509.Certificate{SerialNumber: serial, Subject: subject, NotBefore: k.made, NotAfter: k.expiry(), DNSNames: []string{"authentik.local"}}
		der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, signer.Public(), signer)
		if err != nil {
			panic("authentik: certificate: " + err.Error())
		}
		return &material{cert: der, signer: signer}
	})
	s.st.keys = append(s.st.keys, k)
	return k
}

func (k *keyPair) expiry() time.Time { return k.made.AddDate(0, 0, k.days) }

// id is the key's "kid": 32 characters, and 86 from 2026.2 on.
func (k *keyPair) id(v version) string {
	if v.from(2026, 2) {
		sum := sha512.Sum512(k.load().cert)
		return base64.RawURLEncoding.EncodeToString(sum[:])
	}
	sum := md5.Sum(k.load().cert)
	return hex.EncodeToString(sum[:])
}

func (k *keyPair) algorithm() string {
	if k.Kind == "ec" {
		return "ES256"
	}
	return "RS256"
}

// jwk is the key as a JWKS has it. The certificate comes along always, also
// for an EC key.
func (k *keyPair) jwk(v version) map[string]any {
	m := k.load()
	b64 := base64.RawURLEncoding.EncodeToString
	thumb1, thumb256 := sha1.Sum(m.cert), sha256.Sum256(m.cert)
	out := map[string]any{"alg": k.algorithm(), "kid": k.id(v), "use": "sig",
		"x5c": []string{base64.StdEncoding.EncodeToString(m.cert)}, "x5t": b64(thumb1[:]), "x5t#S256": b64(thumb256[:])}
	switch pub := m.signer.Public().(type) {
	case *rsa.PublicKey:
		out["kty"], out["n"], out["e"] = "RSA", b64(pub.N.Bytes()), b64(big.NewInt(int64(pub.E)).Bytes())
	case *ecdsa.PublicKey:
		raw, err := pub.Bytes()
		if err != nil {
			panic("authentik: EC key: " + err.Error())
		}
		half := len(raw) / 2
		out["kty"], out["crv"], out["x"], out["y"] = "EC", "P-256", b64(raw[1:1+half]), b64(raw[1+half:])
	}
	return out
}

func fingerprint(sum []byte) string {
	parts := make([]string, len(sum))
	for i, b := range sum {
		parts[i] = fmt.Sprintf("%02x", b)
	}
	return strings.Join(parts, ":")
}

func (s *Server) showKeyPair(k *keyPair, details bool) any {
	base := apiPrefix + "crypto/certificatekeypairs/" + k.PK
	m := map[string]any{"pk": k.PK, "name": k.Name, "fingerprint_sha256": nil, "fingerprint_sha1": nil, "cert_expiry": nil,
		"cert_subject": nil, "private_key_available": k.HasKey, "certificate_download_url": base + "/view_certificate/?download",
		"private_key_download_url": base + "/view_private_key/?download", "managed": nil}
	var kind any
	if details {
		sum256, sum1 := sha256.Sum256(k.load().cert), sha1.Sum(k.load().cert)
		m["fingerprint_sha256"], m["fingerprint_sha1"] = fingerprint(sum256[:]), fingerprint(sum1[:])
		m["cert_expiry"] = k.expiry().Format(time.RFC3339)
		m["cert_subject"] = "OU=Self-signed,O=authentik,CN=" + k.Name
		if k.HasKey {
			kind = k.Kind
		}
	}
	if s.version.from(2025, 12) {
		m["key_type"] = kind
	} else {
		m["private_key_type"] = kind
	}
	return m
}

func listKeyPairs(c *call) reply {
	// From 2026.2 on the details are stored, and always shown.
	details := c.last("include_details") != "false" || c.s.version.from(2026, 2)
	return list(c, lister[keyPair]{
		rows:   sorted(c.s.st.keys, by(func(k *keyPair) string { return k.Name })),
		order:  map[string]func(a, b *keyPair) int{"name": by(func(k *keyPair) string { return k.Name })},
		search: func(k *keyPair) []string { return []string{k.Name} },
		filters: map[string]func(*keyPair, string) bool{
			"name": same(func(k *keyPair) string { return k.Name }), "has_key": flag(func(k *keyPair) bool { return k.HasKey }),
			"managed":  func(*keyPair, string) bool { return false },
			"key_type": func(k *keyPair, _ string) bool { return slices.Contains(c.q["key_type"], k.Kind) },
		},
		show: func(k *keyPair) any { return c.s.showKeyPair(k, details) },
	})
}

func getKeyPair(c *call) reply {
	if k := c.s.st.key(c.args[0]); k != nil {
		return reply{status: http.StatusOK, body: c.s.showKeyPair(k, true)}
	}
	return c.absent("CertificateKeyPair")
}

func (c *call) keyName(f *form, field string, k *keyPair) {
	f.text(field, &k.Name, textRule{required: true, check: func(name string) string {
		if find(c.s.st.keys, func(x *keyPair) bool { return x.Name == name && x.PK != k.PK }) != nil {
			return "This field must be unique."
		}
		return ""
	}})
}

func generateKeyPair(c *call) reply {
	f := c.form(false)
	want, days, alg, names := keyPair{}, 0, "rsa", ""
	c.keyName(f, "common_name", &want)
	f.text("subject_alt_name", &names, textRule{blank: true})
	f.number("validity_days", &days, true, 1)
	f.choice("alg", &alg, false, "rsa", "ecdsa")
	if f.bad() {
		return refused(f.errs)
	}
	kind := "rsa"
	if alg == "ecdsa" {
		kind = "ec"
	}
	return reply{status: http.StatusOK, body: c.s.showKeyPair(c.s.newKeyPair(want.Name, kind, days), true)}
}

func createKeyPair(c *call) reply {
	f, k := c.form(false), &keyPair{PK: c.s.uuid()}
	var cert, key string
	c.keyName(f, "name", k)
	f.text("certificate_data", &cert, textRule{required: true})
	f.text("key_data", &key, textRule{blank: true})
	m := &material{}
	if cert != "" {
		block, _ := pem.Decode([]byte(cert))
		if block != nil {
			if parsed, err := x509.ParseCertificate(block.Bytes); err == nil {
				m.cert, k.made = parsed.Raw, parsed.NotBefore
				k.days = int(parsed.NotAfter.Sub(parsed.NotBefore).Hours() / 24)
			}
		}
		if m.cert == nil {
			f.fail("certificate_data", "Unable to load certificate.")
		}
	}
	if key != "" {
		if m.signer = parseKey(key); m.signer == nil {
			f.fail("key_data", "Unable to load private key (possibly encrypted?).")
		}
	}
	if f.bad() {
		return refused(f.errs)
	}
	k.Kind, k.HasKey = "rsa", m.signer != nil
	if _, isEC := m.signer.(*ecdsa.PrivateKey); isEC {
		k.Kind = "ec"
	}
	k.load = func() *material { return m }
	c.s.st.keys = append(c.s.st.keys, k)
	return reply{status: http.StatusCreated, body: c.s.showKeyPair(k, true)}
}

func parseKey(text string) crypto.Signer {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil
	}
	if key, err := x509.ParsePKCS8PrivateKey(block.Bytes); err == nil {
		signer, _ := key.(crypto.Signer)
		return signer
	}
	if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return key
	}
	if key, err := x509.ParseECPrivateKey(block.Bytes); err == nil {
		return key
	}
	return nil
}

func changeKeyPair(c *call) reply {
	k := c.s.st.key(c.args[0])
	if k == nil {
		return c.absent("CertificateKeyPair")
	}
	f, n := c.form(c.r.Method == http.MethodPatch), *k
	c.keyName(f, "name", &n)
	if f.bad() {
		return refused(f.errs)
	}
	k.Name = n.Name
	return reply{status: http.StatusOK, body: c.s.showKeyPair(k, true)}
}

// deleteKeyPair removes a certificate; providers that used it are left without.
func deleteKeyPair(c *call) reply {
	st := c.s.st
	k := st.key(c.args[0])
	if k == nil {
		return c.absent("CertificateKeyPair")
	}
	st.keys = slices.DeleteFunc(st.keys, func(x *keyPair) bool { return x == k })
	for _, p := range st.providers {
		if p.SigningKey == k.PK {
			p.SigningKey = ""
		}
		if p.EncryptionKey == k.PK {
			p.EncryptionKey = ""
		}
	}
	return reply{status: http.StatusNoContent}
}
