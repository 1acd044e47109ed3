package doctor

import (
	"slices"
	"strings"

	"authbird/clients"
	"authbird/facts"
	"authbird/hostfiles"
)

// combinedFile looks at the config.yaml of NetBird's combined server.
func combinedFile(f *facts.Facts, c Case) Outcome {
	name := c.Here.Management
	if err := f.Local.Management.Err; err != nil {
		return unreadable(name, err)
	}
	has, err := hostfiles.ReadCombined(f.Local.Management.Value)
	switch {
	case err != nil:
		return Outcome{Verdict: Fail, Evidence: clients.Clean(err.Error()), Cause: "config.yaml is not one that NetBird's server can read", Hits: "NetBird doesn't start", Advice: "mend it, and restart NetBird"}
	case c.Standalone:
		return Outcome{Verdict: Unknown, Evidence: "it is of NetBird's combined server, where people log in by its embedded IdP"}
	}
	connectors := f.NetBird.Providers
	return judged(name, "", "mend it, and restart NetBird", []flaw{
		{has.Issuer != "" && !strings.HasSuffix(strings.TrimRight(has.Issuer, "/"), "/oauth2"), "server.auth.issuer is " + has.Issuer, "the issuer in config.yaml doesn't end in /oauth2, the only place where NetBird serves its embedded IdP", "nobody can log in"},
		{has.LocalAuthOff && connectors.OK() && len(connectors.Value) == 0, "server.auth.localAuthDisabled is true, and there is no connector", "config.yaml turns NetBird's own login off, and there is no connector to log in by", "NetBird doesn't start again"},
		{len(has.CLIRedirects) > 0 && !slices.Contains(has.CLIRedirects, "http://localhost:53000/"), "server.auth.cliRedirectURIs is " + strings.Join(has.CLIRedirects, ", "), "config.yaml doesn't list http://localhost:53000/, where NetBird's own clients receive a login", "logins from NetBird's desktop and mobile clients end at \"Unregistered redirect_uri\""},
	})
}
