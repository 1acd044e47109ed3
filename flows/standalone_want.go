package flows

import (
	"fmt"
	"regexp"

	"authbird/clients/authentik"
	"authbird/facts"
)

// codeValidity is how long a code may take to be redeemed; Authentik's own
// minute is too short for a person with a second factor, and it is the device
// code's life too.
const codeValidity = "minutes=10"

// clientLoopback is where NetBird's own clients receive a login.
const clientLoopback = "http://localhost:53000"

// standaloneProvider is the provider that the answers ask for in standalone
// mode: public, and with the subject that NetBird can look a user up by.
func (w *Work) standaloneProvider(f *facts.Facts) (authentik.ProviderSpec, error) {
	spec, err := w.baseProvider(f, standaloneMappings)
	if err != nil {
		return spec, err
	}
	spec.ClientType, spec.SubMode, spec.AccessCodeValidity = "public", "user_id", codeValidity
	spec.RedirectURIs = w.standaloneRedirects()
	spec.GrantTypes = []string{
		authentik.GrantAuthorizationCode, authentik.GrantRefreshToken, authentik.GrantClientCredentials,
		authentik.GrantPassword, authentik.GrantDeviceCode,
	}
	return spec, nil
}

// standaloneRedirects are the redirect URIs: as documented, a pattern for
// everything below the domain, quoted so that a dot is a dot; or just the
// addresses that NetBird's dashboard and clients use.
func (w *Work) standaloneRedirects() []authentik.RedirectURI {
	loopback := authentik.RedirectURI{MatchingMode: "strict", URL: clientLoopback}
	if w.Answers.RedirectMode != RedirectsStrict {
		return []authentik.RedirectURI{{MatchingMode: "regex", URL: fmt.Sprintf("https://%s/.*", regexp.QuoteMeta(w.Answers.NetBirdDomain))}, loopback}
	}
	var out []authentik.RedirectURI
	for _, uri := range w.usedRedirects() {
		out = append(out, authentik.RedirectURI{MatchingMode: "strict", URL: uri})
	}
	return out
}

// usedRedirects are the addresses that NetBird sends people back to: the
// dashboard's two, and its clients' (with a slash only where the list is
// strict; the documented one has it without).
func (w *Work) usedRedirects() []string {
	at := "https://" + w.Answers.NetBirdDomain
	out := []string{at + "/auth", at + "/silent-auth", clientLoopback}
	if w.Answers.RedirectMode == RedirectsStrict {
		out = append(out, clientLoopback+"/")
	}
	return out
}
