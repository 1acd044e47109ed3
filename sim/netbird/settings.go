package netbird

import (
	"net/http"
	"net/netip"
	"regexp"
	"strings"
	"sync"

	"github.com/netbirdio/netbird/shared/management/http/api"
)

// takeSettings turns a request into the settings that will stand: whatever is
// optional and missing is reset, which is why the whole object must be sent.
func takeSettings(in api.AccountSettings) (api.AccountSettings, error) {
	invalid := func(format string, args ...any) (api.AccountSettings, error) {
		return api.AccountSettings{}, refuse(http.StatusUnprocessableEntity, format, args...)
	}
	if in.PeerExposeEnabled && len(in.PeerExposeGroups) == 0 {
		return invalid("peer expose requires at least one group")
	}
	out := in
	for _, flag := range []**bool{
		&out.AgentNetworkOnly, &out.AutoUpdateAlways, &out.GroupsPropagationEnabled, &out.JwtGroupsEnabled,
		&out.LazyConnectionEnabled, &out.LocalMfaEnabled, &out.MetricsPushEnabled, &out.RoutingPeerDnsResolutionEnabled,
	} {
		if *flag == nil {
			*flag = ptr(false)
		}
	}
	for _, text := range []**string{&out.AutoUpdateVersion, &out.DnsDomain, &out.JwtGroupsClaimName} {
		if *text == nil {
			*text = ptr("")
		}
	}
	for _, list := range []**[]string{&out.Ipv6EnabledGroups, &out.JwtAllowGroups} {
		if *list == nil {
			*list = &[]string{}
		}
	}
	if v := *out.AutoUpdateVersion; v != "" && v != "latest" && v != "disabled" && parseRelease(v) == (release{}) {
		return api.AccountSettings{}, errInternal
	}
	if *out.AgentNetworkOnly && (out.DashboardFeatures == nil || out.DashboardFeatures.AgentNetwork == nil || !*out.DashboardFeatures.AgentNetwork) {
		return invalid("agent network only mode requires dashboard_features.agent_network to be enabled")
	}
	for _, n := range []struct {
		value **string
		v6    bool
	}{{&out.NetworkRange, false}, {&out.NetworkRangeV6, true}} {
		if *n.value == nil || **n.value == "" {
			*n.value = nil
			continue
		}
		prefix, err := netip.ParsePrefix(**n.value)
		switch {
		case err != nil:
			return invalid("invalid CIDR format: %v", err)
		case n.v6 != prefix.Addr().Is6() && n.v6:
			return invalid("network range must be an IPv6 address")
		case n.v6 != prefix.Addr().Is6():
			return invalid("network range must be an IPv4 address")
		}
		prefix = prefix.Masked()
		if why := unfitRange(prefix); why != "" {
			return invalid("%s", why)
		}
		*n.value = ptr(prefix.String())
	}
	return out, nil
}

// unfitRange says why a network range can't be one.
func unfitRange(p netip.Prefix) string {
	switch a := p.Addr(); {
	case a.IsLoopback():
		return "loopback address range not allowed"
	case a.IsMulticast():
		return "multicast address range not allowed"
	case a.IsLinkLocalUnicast():
		return "link-local address range not allowed"
	case a.Is4() && p.Bits() > 28:
		return "network range too small: minimum size is /28 for IPv4"
	case a.Is6() && p.Bits() > 120:
		return "network range too small: minimum size is /120 for IPv6"
	case a.Is6() && p.Bits() < 48:
		return "network range too large: maximum size is /48 for IPv6"
	}
	return ""
}

var domainName = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$`)
})

func checkSettings(a *account, in api.AccountSettings) error {
	invalid := func(format string, args ...any) error {
		return refuse(http.StatusUnprocessableEntity, format, args...)
	}
	switch {
	case in.PeerLoginExpiration > 180*24*3600:
		return invalid("peer login expiration can't be larger than 180 days")
	case in.PeerLoginExpiration < 3600:
		return invalid("peer login expiration can't be smaller than one hour")
	case *in.DnsDomain != "" && !domainName().MatchString(strings.ToLower(*in.DnsDomain)):
		return invalid("invalid domain \"%s\" provided for DNS domain", *in.DnsDomain)
	}
	for _, id := range *in.Ipv6EnabledGroups {
		if a.group(id) == nil {
			return invalid("IPv6 enabled group %s does not exist", id)
		}
	}
	return nil
}

// noteSettings writes an audit event for each switch that was turned.
func (s *Server) noteSettings(a *account, by string, before account) {
	old, now := before.settings, a.settings
	event := func(what, code string, meta map[string]string) { s.note(a.id, by, a.id, what, code, meta) }
	turned := func(was, is bool, what, code string) {
		switch {
		case is && !was:
			event(what+" enabled", code+".enable", nil)
		case was && !is:
			event(what+" disabled", code+".disable", nil)
		}
	}
	turned(*old.RoutingPeerDnsResolutionEnabled, *now.RoutingPeerDnsResolutionEnabled, "Account routing peer DNS resolution", "account.setting.routing.peer.dns.resolution")
	turned(*old.LazyConnectionEnabled, *now.LazyConnectionEnabled, "Account lazy connection", "account.setting.lazy.connection")
	turned(old.PeerLoginExpirationEnabled, now.PeerLoginExpirationEnabled, "Account peer login expiration", "account.setting.peer.login.expiration")
	if old.PeerLoginExpiration != now.PeerLoginExpiration {
		event("Account peer login expiration duration updated", "account.setting.peer.login.expiration.update", nil)
	}
	turned(*old.GroupsPropagationEnabled, *now.GroupsPropagationEnabled, "User group propagation", "account.setting.group.propagation")
	if *old.AutoUpdateVersion != *now.AutoUpdateVersion {
		event("Account AutoUpdate Version updated", "account.settings.auto.version.update", map[string]string{"version": *now.AutoUpdateVersion})
	}
	turned(*old.AutoUpdateAlways, *now.AutoUpdateAlways, "Account auto-update always", "account.setting.auto.update.always")
	turned(old.PeerExposeEnabled, now.PeerExposeEnabled, "Account peer expose", "account.setting.peer.expose")
	turned(*old.MetricsPushEnabled, *now.MetricsPushEnabled, "Account metrics push", "account.setting.metrics.push")
	if now.PeerInactivityExpirationEnabled && old.PeerInactivityExpiration != now.PeerInactivityExpiration {
		event("Account peer inactivity expiration duration updated", "account.peer.inactivity.expiration.update", nil)
	}
	if old.PeerInactivityExpirationEnabled && !now.PeerInactivityExpirationEnabled {
		event("Account peer inactivity expiration disabled", "account.peer.inactivity.expiration.disable", nil)
	}
	turned(*old.LocalMfaEnabled, *now.LocalMfaEnabled, "Account local MFA", "account.setting.local.mfa")
	if *old.DnsDomain != *now.DnsDomain {
		event("Account DNS domain updated", "account.dns.domain.update",
			map[string]string{"old_dns_domain": *old.DnsDomain, "new_dns_domain": *now.DnsDomain})
	}
	if before.netV4 != a.netV4 {
		event("Account network range updated", "account.network.range.update",
			map[string]string{"old_network_range": before.netV4, "new_network_range": a.netV4})
	}
	turned(len(*old.Ipv6EnabledGroups) > 0, len(*now.Ipv6EnabledGroups) > 0, "Account IPv6 overlay", "account.setting.ipv6")
	if was, is := rangeText(old.NetworkRangeV6), rangeText(now.NetworkRangeV6); was != is {
		event("Account network range updated", "account.network.range.update",
			map[string]string{"old_network_range_v6": was, "new_network_range_v6": is})
	}
}

// rangeText is how the server words a range, also the one that isn't there.
func rangeText(r *string) string {
	if r == nil {
		return "invalid Prefix"
	}
	return *r
}
