package sshd

import (
	"bytes"
	"crypto/rsa"
	"fmt"
	"net/netip"
	"path"
	"strings"
	"time"

	gossh "golang.org/x/crypto/ssh"
)

// key is one line of an authorized_keys file: who may come, and when.
type key struct {
	public gossh.PublicKey
	from   *origins  // nil: from anywhere
	until  time.Time // zero: for ever
}

// admits says whether the key may be used now, from that address.
func (k key) admits(from netip.Addr, now time.Time) bool {
	return (k.until.IsZero() || now.Before(k.until)) && (k.from == nil || k.from.match(from))
}

// leastRSA is the least length of an RSA key, in bits.
const leastRSA = 2048

// parseKeys reads an authorized_keys file. Every line must be one that is
// wholly understood and kept: the error names the line.
func parseKeys(data []byte, loc *time.Location) ([]key, error) {
	var out []key
	n := 0
	for line := range bytes.Lines(data) {
		n++
		line = bytes.TrimSpace(line)
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		k, err := parseKey(line, loc)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		out = append(out, k)
	}
	return out, nil
}

func parseKey(line []byte, loc *time.Location) (key, error) {
	public, _, options, rest, err := gossh.ParseAuthorizedKey(line)
	if err != nil || len(rest) > 0 {
		return key{}, fmt.Errorf("this is no public key as ssh-keygen writes it (ssh-ed25519 AAAA… name)")
	}
	k := key{public: public}
	if err := k.strong(); err != nil {
		return key{}, err
	}
	var restricted, pty bool
	for _, option := range options {
		if err := k.keep(option, loc, &restricted, &pty); err != nil {
			return key{}, err
		}
	}
	if restricted && !pty {
		return key{}, fmt.Errorf("the option restrict forbids a terminal, which these screens need; write restrict,pty")
	}
	return k, nil
}

func (k key) strong() error {
	if _, ok := k.public.(*gossh.Certificate); ok {
		return fmt.Errorf("this is a certificate; authbird serve takes plain public keys")
	}
	if c, ok := k.public.(gossh.CryptoPublicKey); ok {
		if r, ok := c.CryptoPublicKey().(*rsa.PublicKey); ok && r.N.BitLen() < leastRSA {
			return fmt.Errorf("an RSA key of %d bits is too short; it needs %d, or take ed25519", r.N.BitLen(), leastRSA)
		}
	}
	return nil
}

// needless are the options that forbid what nobody gets here anyway.
var needless = map[string]bool{
	"no-agent-forwarding": true, "no-port-forwarding": true, "no-x11-forwarding": true, "no-user-rc": true,
}

// refusals say why an option is not kept; a key that has it is refused rather
// than let in without it.
var refusals = map[string]string{
	"command":           "authbird serve shows its own screens and runs no command",
	"environment":       "authbird serve sets no variable",
	"no-pty":            "these screens need a terminal",
	"cert-authority":    "authbird serve takes plain public keys and no certificates",
	"principals":        "authbird serve takes plain public keys and no certificates",
	"verify-required":   "authbird serve can't see whether the key asked for its PIN",
	"no-touch-required": "authbird serve always wants the touch",
	"agent-forwarding":  "authbird serve forwards nothing",
	"port-forwarding":   "authbird serve forwards nothing",
	"x11-forwarding":    "authbird serve forwards nothing",
	"permitopen":        "authbird serve forwards nothing",
	"permitlisten":      "authbird serve forwards nothing",
	"tunnel":            "authbird serve forwards nothing",
	"user-rc":           "authbird serve runs no file of the user's",
}

// keep takes one option in, or says why not.
func (k *key) keep(option string, loc *time.Location, restricted, pty *bool) error {
	name, value, _ := strings.Cut(option, "=")
	name = strings.ToLower(name)
	value = strings.Trim(value, `"`)
	var err error
	switch {
	case needless[name]:
	case name == "restrict":
		*restricted = true
	case name == "pty":
		*pty = true
	case name == "from":
		k.from, err = parseOrigins(value)
	case name == "expiry-time":
		k.until, err = parseExpiry(value, loc)
	case refusals[name] != "":
		return fmt.Errorf("the option %s is not kept here: %s", name, refusals[name])
	default:
		return fmt.Errorf("the option %q is not known here, and is not ignored", clip(name))
	}
	if err != nil {
		return fmt.Errorf("the option %s: %w", name, err)
	}
	return nil
}

// parseExpiry reads YYYYMMDD[HHMM[SS]] with or without a Z, as sshd does.
func parseExpiry(value string, loc *time.Location) (time.Time, error) {
	if utc, ok := strings.CutSuffix(strings.ToUpper(value), "Z"); ok {
		value, loc = utc, time.UTC
	}
	for _, layout := range []string{"20060102", "200601021504", "20060102150405"} {
		if t, err := time.ParseInLocation(layout, value, loc); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("it is a time as YYYYMMDD, YYYYMMDDHHMM or YYYYMMDDHHMMSS, with a Z for UTC")
}

// origins are the addresses of a from= option.
type origins struct{ all []origin }

type origin struct {
	not     bool
	network netip.Prefix // where it is one
	pattern string       // with * and ?, else
}

// parseOrigins reads addresses, networks and address patterns. Names of hosts
// are refused: whoever holds an address's reverse DNS could take any name.
func parseOrigins(list string) (*origins, error) {
	out := &origins{}
	for _, text := range strings.Split(list, ",") {
		text = strings.TrimSpace(text)
		var o origin
		text, o.not = strings.CutPrefix(text, "!")
		prefix, notPrefix := netip.ParsePrefix(text)
		addr, notAddr := netip.ParseAddr(text)
		switch {
		case notPrefix == nil:
			o.network = netip.PrefixFrom(prefix.Addr().Unmap(), prefix.Bits())
		case notAddr == nil:
			o.network = netip.PrefixFrom(addr.Unmap(), addr.Unmap().BitLen())
		case text != "" && strings.Trim(text, "0123456789abcdefABCDEF.:*?") == "" && strings.ContainsAny(text, "*?"):
			o.pattern = strings.ToLower(text)
		default:
			return nil, fmt.Errorf("%q is no address, network or address pattern; names of hosts are not looked up", clip(text))
		}
		out.all = append(out.all, o)
	}
	return out, nil
}

// match is true where one of them holds the address and none that begins with !
// does.
func (o *origins) match(addr netip.Addr) bool {
	found := false
	for _, one := range o.all {
		if !one.holds(addr.Unmap().WithZone("")) {
			continue
		}
		if one.not {
			return false
		}
		found = true
	}
	return found
}

func (o origin) holds(addr netip.Addr) bool {
	if o.pattern == "" {
		return o.network.Contains(addr)
	}
	ok, err := path.Match(o.pattern, addr.String()) // an address has no slash and a pattern no bracket
	return err == nil && ok
}

// clip shortens a text of the operator's file for an error.
func clip(s string) string {
	if len(s) > 40 {
		return s[:40] + "…"
	}
	return s
}
