package doctor

import (
	"time"

	"authbird/facts"
)

// Case is what an examined connection is compared with, beside the facts.
type Case struct {
	Wants
	Proven
	Standalone bool
	AskNetBird bool // NetBird's API was asked; always so in connector mode
	Found      bool // authbird did not make the connection
	Domain     string
	Strict     bool // the redirect URIs are listed one by one

	OmitsPassword bool   // setup.env was written without it
	Identifier    string // of the service account's app password, "" where it isn't known

	Here Locally
}

// Locally is what this machine knows of a setup.
type Locally struct {
	Stopped     string // what is unfinished: "setup", "removal", "renewal of the client secret"; "" nothing
	At, Why     string // the step, and why
	Since       time.Time
	Damage      string // the state that could not be read
	Next        string // the command that goes on
	Gap         Gap
	Secret      error // why the secret is not at hand; nil: it is, or none is needed
	SecretName  string
	Credentials []Age
	EnvFile     string // its name, where it was read
	Management  string
	Log         string
}

// Gap says that NetBird was given a client secret that Authentik doesn't have,
// by a renewal that was stopped, and whether NetBird uses it: it does so from
// its next restart on.
type Gap int

const (
	NoGap      Gap = iota
	GapOpen        // the same NetBird process still runs, on the old one
	GapUnsure      // it can't be seen whether NetBird has restarted
	GapEntered     // NetBird has restarted
)

// Age is what is known of a credential without it.
type Age struct {
	Name               string
	Made, Expires, Due time.Time // zero: not known, never, none
}

// The ids of the checks that others wait for.
const (
	idAuthentik   = "authentik-answers"
	idAuthToken   = "authentik-token"
	idNetBird     = "netbird-answers"
	idNetToken    = "netbird-token"
	idProvider    = "provider"
	idApplication = "application"
	idDiscovery   = "discovery"
	idSigningKey  = "signing-key"
	idRedirect    = "redirect-uri"
	idEncryption  = "encryption"
	idGrants      = "grant-types"
	idConnector   = "connector"
	idIssuer      = "issuer"
	idRestart     = "netbird-restart"
	idEmbedded    = "netbird-embedded"
	idAPIScope    = "api-scope"
	idAccess      = "access"
	idPassword    = "app-password"
	idAccount     = "service-account"
	idReach       = "reach"
	idSecret      = "client-secret"
	idAPIPort     = "api-port"
)

// Questions is all that the doctor asks of a connection, in the order in which
// it is told. What the documentation's troubleshooting names comes before what
// it doesn't.
func Questions(c Case) []Question {
	var out []Question
	out = append(out, c.here()...)
	out = append(out, c.servers()...)
	out = append(out, c.redirects()...)
	out = append(out, c.silent()...)
	if c.Standalone {
		out = append(out, c.account()...)
	} else {
		out = append(out, c.connector()...)
	}
	out = append(out, c.provider()...)
	if c.AskNetBird {
		out = append(out, c.tenant()...)
	}
	return c.mendable(append(out, c.files()...))
}

// servers asks whether both answer and take the tokens: the preflight's own
// checks.
func (c Case) servers() []Question {
	out := []Question{
		ask(1, idAuthentik, "Authentik answers", Authentik, func(f *facts.Facts) Outcome { return authentikDown(f, c) }),
		ask(1, idAuthToken, "the token is good at Authentik", Authentik, func(f *facts.Facts) Outcome { return authentikToken(f, c.Wants) }, idAuthentik),
		ask(1, "authentik-version", "Authentik's version is supported", Authentik, authentikVersion, idAuthentik, idAuthToken),
		ask(1, "authentik-rights", "the token may see what the doctor looks at", Authentik, authentikRights, idAuthentik, idAuthToken),
		ask(1, "authentik-token-end", "the Authentik token lives long enough", Authentik, authentikTokenEnd),
	}
	if !c.AskNetBird {
		return out
	}
	out = append(out,
		ask(2, idAPIPort, "NetBird's API is where its address says", NetBird, apiPort),
		ask(2, idNetBird, "NetBird answers", NetBird, func(f *facts.Facts) Outcome { return netBirdAnswers(f, c.Wants) }, idAPIPort),
		ask(2, idNetToken, "the token is good at NetBird", NetBird, func(f *facts.Facts) Outcome { return netBirdToken(f, c.Wants) }, idNetBird, idAPIPort),
		ask(2, "netbird-version", "NetBird's version is good", NetBird, netBirdRelease, idNetBird, idNetToken),
		ask(2, "netbird-token-end", "the NetBird token lives long enough", NetBird, netBirdTokenEnd),
		ask(2, "clocks", "the clocks agree", Between, func(f *facts.Facts) Outcome { return clocksApart(f, c) }),
	)
	if !c.Standalone {
		out = append(out,
			ask(2, "netbird-rights", "the token may see and change connectors", NetBird, netBirdRights, idNetBird, idNetToken),
			ask(2, idEmbedded, "NetBird's embedded IdP is on", NetBird, func(f *facts.Facts) Outcome { return embeddedIdP(f, c) }, idNetBird, idNetToken),
			ask(2, idReach, "NetBird reaches Authentik", Between, reach, idNetBird, idNetToken, idEmbedded, idAuthentik, "netbird-rights"),
		)
	}
	return append(out, ask(2, "netbird-domain", "NetBird's account has a domain", NetBird, netBirdDomain, idNetBird, idNetToken))
}

// redirects is the documentation's first heading: invalid redirect URI.
func (c Case) redirects() []Question {
	out := []Question{
		ask(2, idRedirect, "Authentik sends people back to NetBird", Between, func(f *facts.Facts) Outcome { return redirectURI(f, c) }, idAuthentik, idProvider, idApplication, idDiscovery),
	}
	if c.Standalone {
		out = append(out, ask(2, "client-redirect", "NetBird's own clients may be sent back to", Between, func(f *facts.Facts) Outcome { return clientRedirect(f, c) }, idProvider, idApplication))
	} else {
		out = append(out, ask(2, "logout-redirect", "people may be sent back after a logout", Between, func(f *facts.Facts) Outcome { return logoutRedirect(f) }, idProvider, idApplication))
	}
	return append(out, ask(2, "redirect-too-wide", "nobody else may receive logins", Between, func(f *facts.Facts) Outcome { return tooWide(f, c) }, idProvider))
}

// silent is its second: authentication fails silently.
func (c Case) silent() []Question {
	return []Question{
		ask(1, idProvider, "the provider stands", Authentik, func(f *facts.Facts) Outcome { return providerStands(f, c) }, idAuthentik, idAuthToken),
		ask(1, idApplication, "the application hands out the provider", Authentik, applicationLinked, idAuthentik, idAuthToken, idProvider),
		ask(1, idDiscovery, "the discovery document is as NetBird needs it", Authentik, discoveryFit, idAuthentik, idProvider, idApplication),
		ask(2, idSigningKey, "logins are signed with RSA", Authentik, func(f *facts.Facts) Outcome { return signingKey(f, c) }, idAuthentik, idProvider, idApplication, idDiscovery),
		ask(1, "signing-certificate", "the signing certificate is valid", Authentik, signingCertificate, idSigningKey),
	}
}
