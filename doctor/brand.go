package doctor

import (
	"fmt"
	"slices"

	"authbird/clients"
	"authbird/clients/authentik"
	"authbird/facts"
)

// deviceCodeFlow looks at the brand that answers at Authentik's address, which
// anybody may ask: whether it has a flow for codes, and whether that is one.
func deviceCodeFlow(f *facts.Facts) Outcome {
	if !f.Authentik.Brand.OK() {
		return failedOrUnread(f.Authentik.Brand.Err)
	}
	brand := f.Authentik.Brand.Value
	name := clients.Clean(brand.MatchedDomain)
	out := Outcome{Verdict: Fail, Repair: "brand", Hits: "people who sign a machine in with a code see a blank page, or \"404\" at /device"}
	if brand.FlowDeviceCode == "" {
		out.Evidence, out.Cause = "the brand "+name+" has none", "the brand that answers at this address has no device code flow"
		if other, there := otherBrand(f, brand.MatchedDomain); there {
			out.Evidence = fmt.Sprintf("the brand %s has one, but %s answers here", clients.Clean(other.Domain), name)
			out.Cause = "the device code flow is set on another brand than the one that answers at this address"
		}
		return out
	}
	i := slices.IndexFunc(f.Authentik.Flows.Value, func(x authentik.Flow) bool { return x.Slug == brand.FlowDeviceCode })
	if i < 0 {
		return ok("flow " + clients.Clean(brand.FlowDeviceCode))
	}
	if flow := f.Authentik.Flows.Value[i]; !ForDeviceCodes(flow) {
		out.Evidence = fmt.Sprintf("flow %s: designation %s, authentication %s, %d stages", clients.Clean(flow.Slug), clients.Clean(flow.Designation), clients.Clean(flow.Authentication), len(flow.Stages))
		out.Cause = "the brand's device code flow is a flow for something else"
		out.Hits = "people who enter a code are sent to set up an authenticator, sent home, or told \"Flow does not apply\""
		return out
	}
	return ok("flow " + clients.Clean(brand.FlowDeviceCode))
}

// ForDeviceCodes says whether a flow will do for codes: one with stages would
// send people somewhere else than to the code.
func ForDeviceCodes(flow authentik.Flow) bool {
	return flow.Designation == "stage_configuration" && flow.Authentication == "require_authenticated" && len(flow.Stages) == 0
}

func otherBrand(f *facts.Facts, domain string) (authentik.Brand, bool) {
	for _, b := range f.Authentik.Brands.Value {
		if b.Domain != domain && b.FlowDeviceCode != "" {
			return b, true
		}
	}
	return authentik.Brand{}, false
}

// manyPeople is how many must come from one address before it is taken for a
// proxy's.
const manyPeople = 3

// sharedAddress looks where people came from. The device endpoint itself is
// never asked: it counts.
func sharedAddress(f *facts.Facts) Outcome {
	if !f.Authentik.Events.OK() {
		return unread(f.Authentik.Events.Err)
	}
	people, addresses := map[int]bool{}, map[string]bool{}
	for _, e := range f.Authentik.Events.Value {
		people[e.User.PK], addresses[e.ClientIP] = true, true
	}
	if len(people) < manyPeople || len(addresses) != 1 {
		return ok("")
	}
	var at string
	for address := range addresses {
		at = clients.CleanN(address, 60)
	}
	return Outcome{Verdict: Warn, Evidence: fmt.Sprintf("the last %d people all came from %s", len(people), at),
		Cause:  "Authentik sees everybody at one address, most likely that of a proxy that it doesn't trust, and allows about 20 sign-ins with a code an hour for each address",
		Hits:   "signing machines in with a code ends at \"slow_down\" (429) once there are many",
		Advice: "let the proxy send X-Forwarded-For, and name its network to Authentik (AUTHENTIK_LISTEN__TRUSTED_PROXY_CIDRS)"}
}
