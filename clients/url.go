package clients

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// BaseURL makes the address that a person typed into scheme://host[:port], without a path: "auth.example.com",
// "https://auth.example.com/if/admin/" and "https://auth.example.com:443" are all https://auth.example.com.
// Refused are user names in the address, schemes other than http and https, and what names no host.
func BaseURL(input string) (string, error) {
	s := strings.TrimSpace(input)
	if s == "" {
		return "", errors.New("the address is empty")
	}
	if strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == 0x7f || r == '\\' }) {
		return "", errors.New("the address holds a character that no address has")
	}
	if !strings.Contains(s, "://") {
		s = "https://" + s
	}
	u, err := url.Parse(s)
	if err != nil {
		return "", errors.New("this is no address")
	}
	u.Scheme = strings.ToLower(u.Scheme)
	switch {
	case u.Scheme != "https" && u.Scheme != "http":
		return "", fmt.Errorf("the address begins with %s://, not with https://", CleanN(u.Scheme, 20))
	case u.User != nil:
		return "", errors.New("the address holds a user name; leave it out")
	case u.Hostname() == "":
		return "", errors.New("the address names no host")
	}
	host, err := hostPort(u)
	if err != nil {
		return "", err
	}
	return u.Scheme + "://" + host, nil
}

// hostPort is the host in lower case, with the port where it is not the scheme's own.
func hostPort(u *url.URL) (string, error) {
	host, port := strings.ToLower(u.Hostname()), u.Port()
	if strings.Contains(host, ":") {
		if _, err := netip.ParseAddr(host); err != nil {
			return "", errors.New("the address holds a broken IPv6 address")
		}
		host = "[" + host + "]"
	}
	if port != "" {
		if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
			return "", errors.New("the address has a port that can't be")
		}
	}
	if port == "" || port == defaultPort(u.Scheme) {
		return host, nil
	}
	return host + ":" + port, nil
}

func defaultPort(scheme string) string {
	switch scheme {
	case "https":
		return "443"
	case "http":
		return "80"
	}
	return ""
}

// InsecureBeyondLoopback reports whether url is http to a host that is not this machine. Callers decide.
func InsecureBeyondLoopback(rawURL string) bool {
	u, err := url.Parse(rawURL)
	if err != nil || !strings.EqualFold(u.Scheme, "http") {
		return false
	}
	host := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return false
	}
	ip := net.ParseIP(host)
	return ip == nil || !ip.IsLoopback()
}

// SameOrigin reports whether both addresses have the same scheme, host and port (the default port may be left out).
func SameOrigin(a, b string) bool {
	x, errX := origin(a)
	y, errY := origin(b)
	return errX == nil && errY == nil && x == y
}

func origin(raw string) (string, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return "", err
	}
	if u.Hostname() == "" || u.User != nil {
		return "", errors.New("no host, or a user name")
	}
	u.Scheme = strings.ToLower(u.Scheme)
	host, err := hostPort(u)
	return u.Scheme + "://" + host, err
}

// destination is where a redirect leads, without its query, for a sentence.
func destination(from, location string) string {
	base, err := url.Parse(from)
	if err != nil || location == "" {
		return "nowhere"
	}
	u, err := base.Parse(location)
	if err != nil {
		return "an address that can't be read"
	}
	u.RawQuery, u.Fragment, u.User = "", "", nil
	return CleanN(u.String(), 160)
}
