// Package clients carries every HTTP request that authbird makes, and says of each failed one what kind of
// failure it was.
//
// It promises: a call has a timeout and can be cancelled; reads are tried again where that can help, writes only
// where nothing was sent or the server said "not now", so a create is never sent twice; a redirect is never
// followed; an answer is read up to a limit; an error is one line, in words, without a secret in it; and the
// trace holds neither bodies nor tokens. It refuses to guess: a write that was sent and got no telling answer is
// Unknown, and the caller looks.
//
// The rooms below, authentik, netbird and oidc, say what is asked of whom. None of them knows a flow.
package clients

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"time"
)

// Options shape a Transport. The zero value is ready for use.
type Options struct {
	CAFile    string                                           // PEM certificates to trust beside the system's
	Timeout   time.Duration                                    // for each attempt; default 20 s
	UserAgent string                                           // default "authbird"
	Trace     func(Exchange)                                   // hears of every attempt; nil: none
	Base      http.RoundTripper                                // nil: keep-alive, proxies from the environment
	Wait      func(ctx context.Context, d time.Duration) error // between attempts; nil: a timer
	Now       func() time.Time                                 // nil: time.Now
	Attempts  int                                              // at most, for what may be tried again; default 4
}

// Transport sends requests. It is safe for concurrent use, and one is meant to serve a whole run.
type Transport struct {
	opts  Options
	base  http.RoundTripper
	again func() bool // asked before a request is tried again; nil: it is
}

// New builds a Transport. It fails only where CAFile can't be read or holds no certificate.
func New(o Options) (*Transport, error) {
	if o.Timeout <= 0 {
		o.Timeout = 20 * time.Second
	}
	if o.UserAgent == "" {
		o.UserAgent = "authbird"
	}
	if o.Attempts <= 0 {
		o.Attempts = 4
	}
	if o.Wait == nil {
		o.Wait = Wait
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Trace == nil {
		o.Trace = func(Exchange) {}
	}
	t := &Transport{opts: o, base: o.Base}
	if t.base == nil {
		base, err := newBase(o.CAFile)
		if err != nil {
			return nil, err
		}
		t.base = base
	}
	return t, nil
}

func newBase(caFile string) (*http.Transport, error) {
	conf := &tls.Config{MinVersion: tls.VersionTLS12}
	if caFile != "" {
		pool, err := roots(caFile)
		if err != nil {
			return nil, err
		}
		conf.RootCAs = pool
	}
	return &http.Transport{
		Proxy:                  proxy,
		DialContext:            (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSClientConfig:        conf,
		TLSHandshakeTimeout:    10 * time.Second,
		ForceAttemptHTTP2:      true,
		MaxIdleConns:           64,
		MaxIdleConnsPerHost:    32,
		IdleConnTimeout:        30 * time.Second,
		MaxResponseHeaderBytes: 1 << 20,
	}, nil
}

// roots is the system's authorities and those of the file.
func roots(caFile string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(caFile)
	if err != nil {
		return nil, fmt.Errorf("read the CA file: %w", err)
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("read the CA file: %s holds no certificate in PEM form", caFile)
	}
	return pool, nil
}

// proxy is the environment's choice. The library's own error quotes the address, which may hold a password.
func proxy(r *http.Request) (*url.URL, error) {
	u, err := http.ProxyFromEnvironment(r)
	if err != nil {
		return nil, errors.New("the proxy that the environment names is no address")
	}
	return u, nil
}

// Wait waits for so long, or until ctx is done.
func Wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// Heard is the same transport, connections included, with one more listener of every attempt, and somebody to ask
// whether one that failed may be tried again (nil: nobody).
func (t *Transport) Heard(by func(Exchange), again func() bool) *Transport {
	o, first := t.opts, t.opts.Trace
	o.Trace = func(x Exchange) {
		first(x)
		by(x)
	}
	return &Transport{opts: o, base: t.base, again: again}
}

// CloseIdle closes the connections that nobody uses.
func (t *Transport) CloseIdle() {
	if c, ok := t.base.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// Meta is what an answer tells beside its body: for the clock, the certificate and the process behind it.
type Meta struct {
	Date         time.Time     // the server's clock by its Date header, zero without one
	At           time.Time     // our clock when the request had been sent
	RTT          time.Duration // from then to the first byte of the answer
	CertNotAfter time.Time     // end of the server certificate's life, zero over http
	Status       int
	Header       http.Header
}

// ClockDifference is how far the server's clock is ahead of ours (negative: behind), as exact as the Date
// header's whole seconds allow: half a second to either side. False where the answer had no Date.
func (m Meta) ClockDifference() (time.Duration, bool) {
	if m.Date.IsZero() || m.At.IsZero() {
		return 0, false
	}
	// Date was cut to its second when the server wrote it, halfway through the round trip.
	return m.Date.Add(500 * time.Millisecond).Sub(m.At.Add(m.RTT / 2)), true
}
