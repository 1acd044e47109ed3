package clients

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"time"
)

// errTooLong is an answer beyond the limit.
var errTooLong = errors.New("the answer is too long")

// cause says in one sentence why there was no answer, and whether trying again could help.
func cause(err error, host string, timeout time.Duration) (sentence string, again bool) {
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "proxyconnect" {
		inner, _ := cause(op.Err, "the proxy", timeout)
		return "through the proxy that the environment names: " + inner, false
	}
	if s := certificateCause(err, host); s != "" {
		return s, false
	}
	var dns *net.DNSError
	if errors.As(err, &dns) {
		if dns.IsNotFound {
			return fmt.Sprintf("the name %s is not known here", CleanN(host, 120)), false
		}
		return fmt.Sprintf("the name service doesn't answer for %s", CleanN(host, 120)), !dns.IsTimeout
	}
	switch {
	case errors.Is(err, errTooLong):
		return "the answer is longer than it can be", false
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded), isTimeout(err):
		return fmt.Sprintf("no answer from %s within %s", CleanN(host, 120), timeout), false
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Sprintf("nothing listens at %s (connection refused)", CleanN(host, 120)), true
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return fmt.Sprintf("there is no route to %s", CleanN(host, 120)), true
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Sprintf("%s closed the connection without a whole answer", CleanN(host, 120)), true
	case strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		return fmt.Sprintf("%s speaks http there, not https", CleanN(host, 120)), false
	case strings.Contains(err.Error(), "Proxy Authentication Required"):
		return "the proxy that the environment names wants a password", false
	}
	return "the connection failed: " + CleanN(lastCause(err), 160), true
}

// certificateCause is the sentence for what is wrong with the TLS handshake, "" where nothing is.
func certificateCause(err error, host string) string {
	var (
		authority x509.UnknownAuthorityError
		name      x509.HostnameError
		invalid   x509.CertificateInvalidError
		record    tls.RecordHeaderError
		alert     tls.AlertError
	)
	switch {
	case errors.As(err, &name):
		return fmt.Sprintf("the certificate of %s is for %s", CleanN(host, 120), certificateNames(name.Certificate))
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired && invalid.Cert != nil:
		if time.Now().Before(invalid.Cert.NotBefore) {
			return fmt.Sprintf("the certificate of %s begins on %s; or is the clock here slow?", CleanN(host, 120), invalid.Cert.NotBefore.Format(time.DateOnly))
		}
		return fmt.Sprintf("the certificate of %s ended on %s; or is the clock here fast?", CleanN(host, 120), invalid.Cert.NotAfter.Format(time.DateOnly))
	case errors.As(err, &invalid):
		return fmt.Sprintf("the certificate of %s may not be used for this", CleanN(host, 120))
	case errors.As(err, &authority):
		if c := authority.Cert; c != nil && c.Subject.String() == c.Issuer.String() {
			return fmt.Sprintf("the certificate of %s is self-signed, and this machine doesn't trust it", CleanN(host, 120))
		}
		return fmt.Sprintf("the certificate of %s comes from an authority that this machine doesn't trust", CleanN(host, 120))
	case errors.As(err, &record):
		return fmt.Sprintf("%s doesn't speak https there", CleanN(host, 120))
	case errors.As(err, &alert):
		return fmt.Sprintf("%s refused the TLS handshake", CleanN(host, 120))
	}
	return ""
}

func certificateNames(c *x509.Certificate) string {
	if c == nil {
		return "another host"
	}
	names := append([]string{}, c.DNSNames...)
	for _, ip := range c.IPAddresses {
		names = append(names, ip.String())
	}
	if len(names) == 0 {
		return "no host by name"
	}
	return CleanN(strings.Join(names, ", "), 120) + " only"
}

func isTimeout(err error) bool {
	var t interface{ Timeout() bool }
	return errors.As(err, &t) && t.Timeout()
}

// lastCause is the innermost error's text: the outer ones repeat addresses.
func lastCause(err error) string {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err.Error()
		}
		err = inner
	}
}

// isDial reports whether err arose before a connection stood.
func isDial(err error) bool {
	var op *net.OpError
	var dns *net.DNSError
	return errors.As(err, &dns) || errors.As(err, &op) && (op.Op == "dial" || op.Op == "proxyconnect")
}
