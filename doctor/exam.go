package doctor

import "authbird/facts"

// Case is what an examined connection is compared with.
type Case struct {
	Wants
	Proven
	Standalone bool
	AskNetBird bool // NetBird's API was asked; always so in connector mode
}

// Questions is all that the doctor asks of a connection.
func Questions(c Case) []Question {
	qs := []Question{
		ask(1, "authentik-answers", "Authentik answers", Authentik, func(f *facts.Facts) Outcome { return authentikAnswers(f, c.Wants) }),
		ask(1, "authentik-token", "the token is good at Authentik", Authentik, authentikToken, "authentik-answers"),
		ask(1, "authentik-version", "Authentik's version is supported", Authentik, authentikVersion, "authentik-answers", "authentik-token"),
		ask(1, "authentik-rights", "the token may see what the doctor looks at", Authentik, authentikRights, "authentik-answers", "authentik-token"),
		ask(1, "authentik-token-end", "the token lives long enough", Authentik, authentikTokenEnd),
	}
	if c.AskNetBird {
		qs = append(qs,
			ask(1, "netbird-answers", "NetBird answers", NetBird, func(f *facts.Facts) Outcome { return netBirdAnswers(f, c.Wants) }),
			ask(1, "netbird-token", "the token is good at NetBird", NetBird, netBirdToken, "netbird-answers"),
			ask(1, "netbird-version", "NetBird's version is supported", NetBird, netBirdVersion, "netbird-answers", "netbird-token"),
			ask(1, "clocks", "the clocks agree", Between, clocks),
		)
	}
	if !c.Standalone {
		qs = append(qs,
			ask(1, "netbird-rights", "the token may make connectors", NetBird, netBirdRights, "netbird-answers", "netbird-token"),
			ask(1, "netbird-embedded", "NetBird's embedded IdP is on", NetBird, func(f *facts.Facts) Outcome { return netBirdEmbedded(f, c.Wants) }, "netbird-answers", "netbird-token"),
			ask(1, "netbird-domain", "NetBird's account has a domain", NetBird, netBirdDomain, "netbird-answers", "netbird-token"),
			ask(1, "reach", "NetBird reaches Authentik", Between, reach, "netbird-answers", "netbird-token"),
			ask(2, "connector", "NetBird keeps the connector as meant", NetBird, func(f *facts.Facts) Outcome { return proofConnector(f, c.Proven) }, "netbird-answers", "netbird-token"),
			ask(2, "client-secret", "Authentik accepts the client secret", Between, proofSecret),
			ask(2, "login-start", "a login starts at NetBird and leads to Authentik", Between, func(f *facts.Facts) Outcome { return proofStart(f, c.Proven) }),
		)
	} else {
		qs = append(qs,
			ask(2, "service-account", "the service account gets a token", Between, func(f *facts.Facts) Outcome { return proofToken(f, c.Proven) }),
			ask(2, "users", "the service account may read users", Between, func(f *facts.Facts) Outcome { return proofUsers(f, c.Proven) }),
		)
	}
	return append(qs,
		ask(2, "discovery", "the discovery document is as NetBird needs it", Authentik, func(f *facts.Facts) Outcome { return proofHTTPS(f) }, "authentik-answers"),
		ask(2, "signing-key", "the login is signed with RSA", Authentik, proofKeys, "authentik-answers", "discovery"),
		ask(2, "redirect-uri", "Authentik accepts each redirect URI of NetBird", Between, func(f *facts.Facts) Outcome { return proofRedirects(f, c.Proven) }, "authentik-answers", "discovery"),
	)
}
