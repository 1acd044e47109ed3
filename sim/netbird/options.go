// Package netbird simulates a NetBird management server with its embedded
// identity provider, in one process and one http.Handler.
//
// It is for everything of authbird that must be tried without a server: the
// sandbox, where a person plays the whole setup through, and the tests. It
// answers as the recorded server does, traps included: a connector that was
// opened ignores a PUT until a restart, duplicates are accepted, an issuer is
// really fetched, a user who comes by a connector waits for approval. What it
// promises is kept by the conformance test, which replays the recordings.
//
// It refuses to be a NetBird: there are no peers, no networks and no database,
// passwords are kept as they are, and nothing survives the process.
package netbird

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"authbird/sim/fault"
)

// DefaultVersion is the NetBird version that was recorded.
const DefaultVersion = "0.77.1"

// singleAccountDomain is the domain under which a self-hosted NetBird gathers
// everyone in one account.
const singleAccountDomain = "netbird.selfhosted"

// Options say how a NetBird server was configured. The zero value is a fresh
// combined server with its embedded identity provider on.
type Options struct {
	// BaseURL is the server's public URL, without a slash at its end.
	BaseURL string
	// Issuer is the embedded identity provider's, by default BaseURL/oauth2.
	Issuer string
	// Version is what the server calls itself. Endpoints and behaviour follow
	// it from 0.62.0 on. The default is DefaultVersion.
	Version string

	// OwnerEmail seeds an owner with a local password, in an account with a
	// domain. Empty: a fresh instance, where setup is required.
	OwnerEmail, OwnerName, OwnerPassword string
	// OwnerToken is the owner's personal access token, beginning with nbp_.
	OwnerToken string
	// DomainlessAccount seeds the owner as a setup with create_pat does: in an
	// account that has no domain, so that everyone else gets one of his own.
	DomainlessAccount bool
	// ApprovalOff seeds the account without the user approval that new
	// accounts require.
	ApprovalOff bool

	// EmbeddedIdPOff switches the embedded identity provider off.
	EmbeddedIdPOff bool
	// LocalAuthDisabled switches the local password login off (from 0.64.4).
	LocalAuthDisabled bool
	// Standalone makes it a management server that trusts one outside identity
	// provider, as management.json says. The embedded one is off then.
	Standalone *Standalone
	// SetupPAT honours create_pat in a setup (NB_SETUP_PAT_ENABLED).
	SetupPAT bool
	// PostgresIdP keeps the embedded identity provider on Postgres, where a
	// refresh for a local user works. On sqlite it hangs the provider.
	PostgresIdP bool
	// StoreKeyLost starts the server with another store encryption key than
	// the store was written with: no token is accepted any more.
	StoreKeyLost bool
	// RateBurst switches rate limiting on for personal access tokens: so many
	// requests at once, RatePerMinute after that (default 6).
	RateBurst, RatePerMinute int

	// Dashboard answers "/" with a small page from which a person can log in.
	// Without it "/" is 404, as it is on a server without its dashboard.
	Dashboard bool

	// HTTPClient fetches issuers and exchanges codes. The default has a limit
	// of ten seconds, as the server's has.
	HTTPClient *http.Client
	// Now is the clock, by default time.Now.
	Now func() time.Time
	// Rand is where ids, codes and keys come from, by default crypto/rand.
	Rand io.Reader
	// Faults stands in front of everything, if given.
	Faults *fault.Faults
}

// release is a version number as far as behaviour depends on it.
type release [3]int

func parseRelease(v string) release {
	var r release
	v, _, _ = strings.Cut(strings.TrimPrefix(v, "v"), "-")
	for i, part := range strings.SplitN(v, ".", 3) {
		n, err := strconv.Atoi(part)
		if err != nil {
			break
		}
		r[i] = n
	}
	return r
}

func (r release) atLeast(major, minor, patch int) bool {
	for i, want := range [3]int{major, minor, patch} {
		if r[i] != want {
			return r[i] > want
		}
	}
	return true
}

// The releases that changed what a client sees.
func (r release) checksIssuers() bool       { return r.atLeast(0, 62, 2) }
func (r release) skipsEmailVerified() bool  { return r.atLeast(0, 63, 0) }
func (r release) keepsEmptySecret() bool    { return r.atLeast(0, 64, 0) }
func (r release) knowsLocalAuthOff() bool   { return r.atLeast(0, 64, 4) }
func (r release) refusesTypeChanges() bool  { return r.atLeast(0, 70, 5) }
func (r release) makesTokensAtSetup() bool  { return r.atLeast(0, 70, 5) }
func (r release) knowsMFA() bool            { return r.atLeast(0, 71, 0) }
func (r release) hasEndpoint(a [3]int) bool { return r.atLeast(a[0], a[1], a[2]) }

func (o *Options) fill() error {
	if o.Version == "" {
		o.Version = DefaultVersion
	}
	if r := parseRelease(o.Version); r == (release{}) {
		return fmt.Errorf("version %q is not a NetBird version", o.Version)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.HTTPClient == nil {
		o.HTTPClient = &http.Client{Timeout: 10 * time.Second}
	}
	if o.OwnerName == "" {
		o.OwnerName = "Owner"
	}
	o.BaseURL = strings.TrimSuffix(o.BaseURL, "/")
	return nil
}

// issuer is the embedded identity provider's issuer as configured.
func (o *Options) issuer() string {
	if o.Issuer != "" {
		return o.Issuer
	}
	return o.BaseURL + "/oauth2"
}

// embedded says whether the embedded identity provider runs.
func (o *Options) embedded() bool { return !o.EmbeddedIdPOff && o.Standalone == nil }
