package doctor

import (
	"fmt"
	"slices"

	"authbird/clients"
	"authbird/clients/netbird"
	"authbird/clients/oidc"
	"authbird/facts"
)

// Proven is what the proof of a connector setup compares with.
type Proven struct {
	ConnectorID string
	ClientID    string
	Changed     bool            // the connector was changed, rather than made, by a PUT
	ChangedIn   netbird.Process // the process that was told
	Issuer      string          // as stored at NetBird
	RedirectURI string          // as NetBird's embedded IdP has it
	Registered  []string        // redirect URIs that the provider has
	RedirectFix string          // the id of the step that writes a redirect URI back
	Account     string          // standalone: the service account
	Least       bool            // standalone: it is meant to read users and nothing else
}

// Proof is what shows, without a person, that a finished connector works.
func Proof(p Proven) []Check {
	return append(AuthentikProof(p),
		Check{"proof-connector", "NetBird keeps the connector as meant", NetBird, func(f *facts.Facts) Outcome { return proofConnector(f, p) }},
		Check{"proof-restart", "NetBird runs on the connector as it is", NetBird, func(f *facts.Facts) Outcome { return proofRestart(f, p) }},
		Check{"proof-login", "a login starts at NetBird and leads to Authentik", Between, func(f *facts.Facts) Outcome { return proofStart(f, p) }},
	)
}

// AuthentikProof is the part of the proof that asks Authentik alone, and leaves
// NetBird's connector unopened.
func AuthentikProof(p Proven) []Check {
	return []Check{
		{"proof-discovery", "the discovery document is as NetBird needs it", Authentik, proofDiscovery},
		{"proof-keys", "the login is signed with RSA", Authentik, proofKeys},
		{"proof-redirect", "Authentik accepts NetBird's redirect URI", Between, func(f *facts.Facts) Outcome { return proofAllowed(f, p) }},
		{"proof-look-alike", "Authentik refuses another redirect URI", Between, proofRefused},
		{"proof-secret", "Authentik accepts the client secret", Between, proofSecret},
	}
}

func proofDiscovery(f *facts.Facts) Outcome {
	d := f.Authentik.Discovery
	if d.Absent() {
		return Outcome{Verdict: Fail, Cause: "Authentik has no discovery document for the application", Hits: "every login fails", Repair: "application"}
	}
	if d.Err != nil {
		return failed(d.Err, "")
	}
	if len(d.Value.Foreign) > 0 {
		return Outcome{Verdict: Fail, Evidence: "issuer " + clients.Clean(d.Value.Issuer),
			Cause:  "Authentik's discovery names another address than the one you gave",
			Hits:   "NetBird compares the issuer byte for byte, and browsers are sent to that other address",
			Advice: "let the proxy in front of Authentik pass on Host and X-Forwarded-Proto, or use the address that Authentik names"}
	}
	return ok("issuer " + clients.Clean(d.Value.Issuer))
}

func proofKeys(f *facts.Facts) Outcome {
	if !f.Proof.Keys.OK() {
		return failedOrUnread(f.Proof.Keys.Err)
	}
	for _, k := range f.Proof.Keys.Value {
		if k.Type == "RSA" {
			return ok("RS256, key " + clients.CleanN(k.ID, 12))
		}
	}
	if len(f.Proof.Keys.Value) == 0 {
		return Outcome{Verdict: Fail, Evidence: "the key set is empty", Cause: "the provider has no signing key, so Authentik signs with the client secret (HS256), which NetBird refuses", Hits: "every login fails", Repair: "provider"}
	}
	return Outcome{Verdict: Fail, Evidence: "key type " + clients.Clean(f.Proof.Keys.Value[0].Type), Cause: "the provider's signing key is not RSA, and NetBird refuses any other kind", Hits: "every login fails", Repair: "provider"}
}

func failedOrUnread(err error) Outcome {
	if err == nil {
		return Outcome{Verdict: Unknown}
	}
	return failed(err, "")
}

func proofAllowed(f *facts.Facts, p Proven) Outcome {
	return judgeRedirect(f.Proof.Allowed, p.RedirectURI, p)
}

func judgeRedirect(a facts.Fact[oidc.Authorization], uri string, p Proven) Outcome {
	if !a.OK() {
		return failedOrUnread(a.Err)
	}
	switch a.Value.Verdict {
	case oidc.Allowed:
		return ok(uri)
	case oidc.RedirectRefused:
		return Outcome{Verdict: Fail, Evidence: a.Value.Evidence, Cause: "Authentik refuses NetBird's redirect URI " + clients.Clean(uri), Hits: "people see \"Redirect URI Error\"", Repair: p.RedirectFix}
	case oidc.ClientUnknown:
		return Outcome{Verdict: Fail, Evidence: a.Value.Evidence, Cause: "Authentik doesn't know the client id", Hits: "every login fails", Repair: "provider"}
	case oidc.NotLinked:
		return Outcome{Verdict: Fail, Evidence: a.Value.Evidence, Cause: "the provider has no application", Hits: "every login ends at \"Permission denied\"", Repair: "application"}
	}
	return Outcome{Verdict: Unknown, Evidence: a.Value.Evidence}
}

func proofRefused(f *facts.Facts) Outcome {
	a := f.Proof.Refused
	if !a.OK() {
		return failedOrUnread(a.Err)
	}
	switch a.Value.Verdict {
	case oidc.RedirectRefused:
		return ok("a look-alike host was refused")
	case oidc.Allowed:
		return Outcome{Verdict: Fail, Evidence: a.Value.Evidence, Cause: "Authentik accepts a redirect URI on another host", Hits: "somebody else's site could receive logins", Repair: "redirect-uri"}
	}
	return Outcome{Verdict: Unknown, Evidence: a.Value.Evidence}
}

func proofSecret(f *facts.Facts) Outcome {
	s := f.Proof.Secret
	if !s.OK() {
		return failedOrUnread(s.Err)
	}
	switch s.Value.Verdict {
	case oidc.SecretAccepted:
		return ok("the token endpoint took it")
	case oidc.SecretWrong:
		return Outcome{Verdict: Fail, Evidence: s.Value.Evidence, Cause: "Authentik refuses the client secret that NetBird was given", Hits: "people see \"Authentication failed\" after they signed in", Repair: "provider"}
	}
	return Outcome{Verdict: Unknown, Evidence: s.Value.Evidence}
}

func proofConnector(f *facts.Facts, p Proven) Outcome {
	if !f.NetBird.Providers.OK() {
		return failedOrUnread(f.NetBird.Providers.Err)
	}
	i := slices.IndexFunc(f.NetBird.Providers.Value, func(c netbird.IdentityProvider) bool { return c.ID == p.ConnectorID })
	if i < 0 {
		return Outcome{Verdict: Fail, Cause: "NetBird no longer lists the connector", Hits: "nobody can log in by it", Repair: "connector"}
	}
	c := f.NetBird.Providers.Value[i]
	if c.Issuer != p.Issuer {
		return Outcome{Verdict: Fail, Evidence: clients.Clean(c.Issuer), Cause: fmt.Sprintf("NetBird's connector has the issuer %q instead of %q", clients.Clean(c.Issuer), clients.Clean(p.Issuer)), Hits: "every login fails", Repair: "connector"}
	}
	return ok(fmt.Sprintf("%s, type %s", clients.Clean(c.Name), clients.Clean(c.Type)))
}

func proofStart(f *facts.Facts, p Proven) Outcome {
	s := f.Proof.Start
	if !s.OK() {
		return failedOrUnread(s.Err)
	}
	to := s.Value
	switch {
	case to.ClientID != p.ClientID || !clients.SameOrigin(to.Origin, p.Issuer):
		return needsRestart(fmt.Sprintf("logins still go to %s with the client id %s", clients.Clean(to.Origin), clients.CleanN(to.ClientID, 48)))
	case !slices.Contains(p.Registered, to.RedirectURI):
		return Outcome{Verdict: Fail, Evidence: clients.Clean(to.RedirectURI), Cause: "NetBird sends people back to " + clients.Clean(to.RedirectURI) + ", which the provider doesn't list", Hits: "people see \"Redirect URI Error\"", Repair: p.RedirectFix}
	}
	return ok("back to " + clients.Clean(to.RedirectURI))
}

// proofRestart looks whether NetBird runs on what it was told. A change of a
// connector that was opened counts only after a restart, and whether one was
// can be seen by the process that answers.
func proofRestart(f *facts.Facts, p Proven) Outcome {
	if !p.Changed {
		return ok("")
	}
	now := f.NetBird.Instance
	if !now.OK() {
		return failedOrUnread(now.Err)
	}
	same, known := now.Value.Process.SameRun(p.ChangedIn)
	switch {
	case !known:
		return Outcome{Verdict: Warn, Evidence: "a proxy hides which process answers", Cause: "the connector was changed, and NetBird goes on with the old values until it restarts; whether it did can't be seen from here",
			Advice: "if NetBird hasn't restarted since, restart it"}
	case same:
		return needsRestart("the same NetBird process still runs")
	}
	return ok("NetBird has restarted since the connector was changed")
}

func needsRestart(evidence string) Outcome {
	return Outcome{Verdict: Fail, Blame: Person, Evidence: evidence,
		Cause:  "the connector was changed, and NetBird goes on with the old values until it restarts",
		Hits:   "logins through Authentik may fail until then",
		Advice: "restart NetBird (docker compose restart, where it runs in Docker), then: authbird resume"}
}
