package doctor

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"authbird/clients"
	"authbird/clients/authentik"
	"authbird/clients/oidc"
	"authbird/facts"
)

// dashboardPaths are where NetBird's dashboard receives a login, in standalone
// mode.
var dashboardPaths = []string{"/auth", "/silent-auth"}

// loopback is where NetBird's own clients receive a login: without a slash, as
// its configure.sh writes it.
const loopback = "http://localhost:53000"

// wanted are the addresses that NetBird sends people back to after a login.
func (c Case) wanted(f *facts.Facts) []string {
	if !c.Standalone {
		if f.NetBird.Embedded.OK() {
			return []string{f.NetBird.Embedded.Value.RedirectURI()}
		}
		return nil
	}
	var out []string
	for _, path := range dashboardPaths {
		if c.Domain != "" {
			out = append(out, "https://"+c.Domain+path)
		}
	}
	return out
}

func redirectURI(f *facts.Facts, c Case) Outcome {
	p, o, is := stands(f)
	if !is {
		return o
	}
	wanted := c.wanted(f)
	if len(wanted) == 0 {
		return unread(f.NetBird.Embedded.Err)
	}
	if len(p.RedirectURIs) == 0 {
		return refusedRedirect(wanted[0], "the provider lists no redirect URI", "the provider lists no redirect URI, so Authentik would store the first one that comes along, whosever it is")
	}
	for _, uri := range wanted {
		if judged, known := matches(p.RedirectURIs, uri); known && !judged {
			return refusedRedirect(uri, "the provider lists "+listed(p.RedirectURIs), whyRefused(p.RedirectURIs, uri))
		}
	}
	for _, r := range f.Proof.Redirects {
		if r.OK() && slices.Contains(wanted, r.URI) && r.Value.Verdict == oidc.RedirectRefused {
			return refusedRedirect(r.URI, clients.Clean(r.Value.Evidence), "Authentik refuses NetBird's redirect URI "+clients.Clean(r.URI))
		}
	}
	return ok(clients.Clean(strings.Join(wanted, ", ")))
}

func refusedRedirect(uri, evidence, cause string) Outcome {
	return Outcome{Verdict: Fail, Evidence: evidence, Cause: cause, Hits: "people see \"Redirect URI Error\" instead of the login (NetBird wants to be sent back to " + clients.Clean(uri) + ")", Repair: "redirect-uri"}
}

// whyRefused names the mistake that is behind most refusals.
func whyRefused(list []authentik.RedirectURI, uri string) string {
	for _, u := range list {
		switch {
		case u.MatchingMode == "strict" && strings.TrimRight(u.URL, "/") == strings.TrimRight(uri, "/"):
			return "the redirect URI in the provider differs from NetBird's by a slash at the end, and Authentik compares byte for byte"
		case u.MatchingMode == "strict" && strings.EqualFold(u.URL, uri):
			return "the redirect URI in the provider differs from NetBird's in upper and lower case, and Authentik compares byte for byte"
		case u.MatchingMode == "strict" && strings.ContainsAny(u.URL, `*\$^`) && pattern(u.URL, uri):
			return "the redirect URI in the provider is a pattern, but is saved as strict, so Authentik compares it byte for byte"
		}
	}
	return "the provider doesn't list NetBird's redirect URI " + clients.Clean(uri)
}

func clientRedirect(f *facts.Facts, c Case) Outcome {
	p, o, is := stands(f)
	if !is {
		return o
	}
	if len(p.RedirectURIs) == 0 {
		return unread(nil) // told already
	}
	if fits, known := matches(p.RedirectURIs, loopback); fits || !known {
		return ok(loopback)
	}
	return Outcome{Verdict: Fail, Evidence: "the provider lists " + listed(p.RedirectURIs), Cause: "the provider doesn't list " + loopback + ", where NetBird's own clients receive a login",
		Hits: "logins from NetBird's desktop and mobile clients end at \"Redirect URI Error\"", Repair: "redirect-uri"}
}

func logoutRedirect(f *facts.Facts) Outcome {
	p, o, is := stands(f)
	if !is || !f.NetBird.Embedded.OK() {
		return o
	}
	if len(p.RedirectURIs) == 0 {
		return unread(nil)
	}
	uri := f.NetBird.Embedded.Value.LogoutURI()
	if fits, known := matches(p.RedirectURIs, uri); fits || !known {
		return ok(clients.Clean(uri))
	}
	return Outcome{Verdict: Fail, Evidence: "the provider lists " + listed(p.RedirectURIs), Cause: "the provider doesn't list " + clients.Clean(uri) + ", where NetBird wants people after a logout",
		Hits: "a logout ends at an error page", Repair: "redirect-uri"}
}

// tooWide looks whether somebody else's address would be allowed.
func tooWide(f *facts.Facts, c Case) Outcome {
	p, o, is := stands(f)
	if !is {
		return o
	}
	for _, uri := range c.wanted(f) {
		for _, u := range p.RedirectURIs {
			for _, strange := range lookAlikes(uri) {
				if u.MatchingMode == "regex" && pattern(u.URL, strange) {
					return wide("the pattern " + clients.CleanN(u.URL, 120) + " allows " + clients.Clean(strange))
				}
			}
		}
	}
	return ok("")
}

func wide(evidence string) Outcome {
	return Outcome{Verdict: Warn, Evidence: evidence, Cause: "a redirect URI in the provider is so wide that somebody else's address would be allowed",
		Hits: "who makes people open a prepared link could receive their login", Advice: "in Authentik, narrow that pattern to NetBird's own address, with a backslash before each dot of it"}
}

// lookAlikes are somebody else's addresses that a careless pattern takes for
// this one.
func lookAlikes(uri string) []string {
	out := []string{strings.Replace(uri, "://", "://not-", 1)}
	if twin := Twin(uri); twin != "" {
		out = append(out, twin)
	}
	return out
}

// Twin is the address with a letter for the first dot of its host, which
// somebody else may own and a pattern with a bare dot allows; "" where the host
// has no dot.
func Twin(uri string) string {
	scheme, rest, _ := strings.Cut(uri, "://")
	host, path, _ := strings.Cut(rest, "/")
	if !strings.Contains(host, ".") {
		return ""
	}
	return scheme + "://" + strings.Replace(host, ".", "x", 1) + "/" + path
}

// matches judges as Authentik does: strict is byte for byte, a pattern must fit
// as a whole. A pattern that only Python understands leaves it open.
func matches(list []authentik.RedirectURI, uri string) (fits, known bool) {
	known = true
	for _, u := range list {
		if u.MatchingMode != "regex" {
			if u.URL == uri {
				return true, true
			}
			continue
		}
		if _, err := regexp.Compile(u.URL); err != nil {
			known = false
		} else if pattern(u.URL, uri) {
			return true, true
		}
	}
	return false, known
}

// Allows says that a list of redirect URIs lets people go back to an address.
func Allows(list []authentik.RedirectURI, uri string) bool {
	fits, _ := matches(list, uri)
	return fits
}

// pattern says whether a pattern fits the whole of an address.
func pattern(expr, uri string) bool {
	re, err := regexp.Compile(`^(?:` + expr + `)$`)
	return err == nil && re.MatchString(uri)
}

// listed is the list as a person reads it.
func listed(list []authentik.RedirectURI) string {
	words := make([]string, 0, len(list))
	for _, u := range list {
		words = append(words, fmt.Sprintf("%s (%s)", clients.CleanN(u.URL, 120), clients.CleanN(u.MatchingMode, 20)))
	}
	return clients.CleanN(strings.Join(words, ", "), 400)
}
