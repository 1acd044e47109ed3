package doctor

import (
	"fmt"
	"slices"
	"strings"

	"authbird/clients"
	"authbird/clients/netbird"
	"authbird/clients/oidc"
	"authbird/facts"
)

// connector asks about NetBird's side of the recommended mode.
func (c Case) connector() []Question {
	after := []string{idNetBird, idNetToken, idEmbedded}
	return []Question{
		ask(2, idConnector, "NetBird has the connector", NetBird, func(f *facts.Facts) Outcome { return connectorStands(f, c) }, after...),
		ask(2, idIssuer, "NetBird and Authentik name the same issuer", Between, func(f *facts.Facts) Outcome { return issuerSame(f, c) }, append(after, idConnector, idDiscovery, "issuer-mode")...),
		ask(2, idRestart, "NetBird runs on the connector as it is", NetBird, func(f *facts.Facts) Outcome { return proofRestart(f, c.Proven) }, append(after, idConnector, idIssuer)...),
		ask(2, idSecret, "Authentik accepts the client secret", Between, func(f *facts.Facts) Outcome { return clientSecret(f, c) }, idAuthentik, idProvider, idApplication, idDiscovery, idGrants, idRedirect, idEmbedded),
		ask(2, "login-start", "a login at NetBird leads to Authentik", Between, func(f *facts.Facts) Outcome { return loginStart(f, c) },
			append(after, idAuthentik, idConnector, idIssuer, idRestart, idProvider, idApplication, idDiscovery, idRedirect, idReach)...),
	}
}

// theConnector is the one that is examined.
func theConnector(f *facts.Facts, c Case) (netbird.IdentityProvider, bool) {
	for _, p := range f.NetBird.Providers.Value {
		if c.ConnectorID != "" && p.ID == c.ConnectorID {
			return p, true
		}
	}
	return netbird.IdentityProvider{}, false
}

func connectorStands(f *facts.Facts, c Case) Outcome {
	if !f.NetBird.Providers.OK() {
		return unreadAt(netBirdHealthy(f), f.NetBird.Providers.Err)
	}
	has, there := theConnector(f, c)
	if !there {
		o := Outcome{Verdict: Fail, Evidence: fmt.Sprintf("%d connectors, and none is this one", len(f.NetBird.Providers.Value)), Cause: "NetBird no longer has the connector to Authentik",
			Hits: "nobody can log in through Authentik", Repair: "connector"}
		if c.Found {
			o.Cause, o.Repair, o.Advice = "NetBird has no connector to this Authentik", "", "authbird setup connector makes one"
		} else {
			o.Advice = "a connector that is made anew has another id: whoever came by the old one comes back as a new user"
		}
		return o
	}
	if c.ClientID != "" && has.ClientID != c.ClientID {
		return Outcome{Verdict: Fail, Evidence: "client id " + clients.CleanN(has.ClientID, 48), Cause: "NetBird's connector has another client id than the provider", Hits: "every login ends at \"Client ID Error\"", Repair: "connector"}
	}
	return ok(fmt.Sprintf("%s, type %s", clients.Clean(has.Name), clients.Clean(has.Type)))
}

// issuerSame compares as NetBird does, byte for byte.
func issuerSame(f *facts.Facts, c Case) Outcome {
	has, there := theConnector(f, c)
	d := f.Authentik.Discovery
	if !there || !d.OK() || len(d.Value.Foreign) > 0 {
		return unread(d.Err)
	}
	if has.Issuer == d.Value.Issuer {
		return ok(clients.Clean(has.Issuer))
	}
	cause := fmt.Sprintf("NetBird's connector has the issuer %q instead of %q", clients.Clean(has.Issuer), clients.Clean(d.Value.Issuer))
	if strings.TrimRight(has.Issuer, "/") == strings.TrimRight(d.Value.Issuer, "/") {
		cause = "the issuer in NetBird's connector differs from Authentik's by a slash at the end, and both compare byte for byte"
	}
	return Outcome{Verdict: Fail, Evidence: "NetBird: " + clients.Clean(has.Issuer) + "; Authentik: " + clients.Clean(d.Value.Issuer), Cause: cause, Hits: "every login fails", Repair: "connector"}
}

// clientSecret is what Authentik makes of the secret that NetBird was given.
// NetBird itself tells nobody what it has.
func clientSecret(f *facts.Facts, c Case) Outcome {
	s := f.Proof.Secret
	if !s.OK() {
		if err := c.Here.Secret; err != nil && s.Err == nil {
			return Outcome{Verdict: Unknown, Evidence: clients.Clean(err.Error())}
		}
		return failedOrUnread(s.Err)
	}
	switch s.Value.Verdict {
	case oidc.SecretAccepted:
		return ok("the token endpoint took it")
	case oidc.SecretWrong:
		return Outcome{Verdict: Fail, Evidence: clients.Clean(s.Value.Evidence), Cause: "Authentik refuses the client secret that NetBird was given: it was changed in Authentik",
			Hits: "people see \"Authentication failed\" after they signed in", Repair: repairProvider("client_secret")}
	}
	return Outcome{Verdict: Unknown, Evidence: clients.Clean(s.Value.Evidence)}
}

func loginStart(f *facts.Facts, c Case) Outcome {
	s := f.Proof.Start
	if !s.Read {
		return unread(nil)
	}
	if s.Err != nil {
		return Outcome{Verdict: Fail, Evidence: clients.Clean(s.Err.Error()), Cause: "NetBird's embedded IdP doesn't begin a login by the connector",
			Hits: "people see an error page instead of Authentik", Advice: "restart NetBird: it reads the connector again when it starts, and logs why it can't use it"}
	}
	to := s.Value
	switch {
	case to.ClientID != c.ClientID || !clients.SameOrigin(to.Origin, f.Authentik.Discovery.Value.Issuer):
		return needsRestart(fmt.Sprintf("logins still go to %s with the client id %s", clients.Clean(to.Origin), clients.CleanN(to.ClientID, 48)))
	case f.Provider().PK != 0 && !slices.Contains(c.wanted(f), to.RedirectURI):
		if fits, known := matches(f.Provider().RedirectURIs, to.RedirectURI); known && !fits {
			return refusedRedirect(to.RedirectURI, "NetBird sends "+clients.Clean(to.RedirectURI), "NetBird wants people sent back to "+clients.Clean(to.RedirectURI)+", which the provider doesn't list")
		}
	}
	return ok("back to " + clients.Clean(to.RedirectURI))
}

// embeddedIdP is the preflight's check, and knows an IdP that hangs: it and the
// list of connectors get no answer while the rest of NetBird does.
func embeddedIdP(f *facts.Facts, c Case) Outcome {
	hangs := func(err error) bool { return clients.KindOf(err) == clients.Unreachable }
	if netBirdHealthy(f) && f.NetBird.Accounts.OK() && hangs(f.NetBird.Embedded.Err) && hangs(f.NetBird.Providers.Err) {
		return Outcome{Verdict: Fail, Blame: Person, Evidence: clients.Clean(f.NetBird.Embedded.Err.Error()), Cause: "NetBird's embedded IdP hangs while the rest of NetBird answers: on sqlite, a renewed login of a local user can do that",
			Hits: "nobody can log in until NetBird restarts", Advice: "restart NetBird (docker compose restart, where it runs in Docker)"}
	}
	return netBirdEmbedded(f, c.Wants)
}
