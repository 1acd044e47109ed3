package netbird

import (
	"fmt"
	"net/http"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/netbirdio/netbird/shared/management/http/api"
)

// newAccount makes an account with its owner.
func (s *Server) newAccount(ownerID, domain, category, email, name string) *account {
	a := &account{id: s.proc.next(s.now()), createdBy: ownerID, created: s.now(), domain: domain, category: category, primary: category == "private"}
	b := random(s.rand, 8)
	a.netV4 = fmt.Sprintf("100.%d.0.0/16", 64+int(b[0])%64)
	a.netV6 = netip.PrefixFrom(netip.AddrFrom16([16]byte{0xfd, b[1], b[2], b[3], b[4], b[5], b[6], b[7]}), 64).String()
	all := &group{id: s.proc.next(s.now()), name: "All", issued: "api"}
	a.groups = []*group{all}
	a.onboarding = api.AccountOnboarding{OnboardingFlowPending: true, SignupFormPending: true}
	a.settings = api.AccountSettings{
		AgentNetworkOnly: ptr(false), AutoUpdateAlways: ptr(false), AutoUpdateVersion: ptr("disabled"), DnsDomain: ptr(""),
		Extra:                    &api.AccountExtraSettings{UserApprovalRequired: true},
		GroupsPropagationEnabled: ptr(true), Ipv6EnabledGroups: &[]string{all.id},
		JwtAllowGroups: &[]string{}, JwtGroupsClaimName: ptr(""), JwtGroupsEnabled: ptr(false),
		LazyConnectionEnabled: ptr(true), LocalMfaEnabled: ptr(false), MetricsPushEnabled: ptr(false),
		PeerInactivityExpiration: 600, PeerLoginExpiration: 86400, PeerLoginExpirationEnabled: true,
		RegularUsersViewBlocked: true, RoutingPeerDnsResolutionEnabled: ptr(true),
	}
	s.st.accounts = append(s.st.accounts, a)
	s.st.users = append(s.st.users, &user{id: ownerID, accountID: a.id, role: "owner", name: name, email: email})
	s.note(a.id, ownerID, a.id, "Account created", "account.create", nil)
	return a
}

func (s *Server) listAccounts(c *call) (any, error) {
	for _, module := range []string{"accounts", "settings"} {
		if err := s.may(c, module, opRead); err != nil {
			return nil, err
		}
	}
	a := s.st.account(c.accountID)
	shown := s.accountAnswer(a, a.settings)
	shown.Settings.EmbeddedIdpEnabled = ptr(s.opt().embedded())
	shown.Settings.LocalAuthDisabled = ptr(s.localAuthOff())
	if shown.Settings.NetworkRange == nil {
		shown.Settings.NetworkRange = &a.netV4
	}
	if shown.Settings.NetworkRangeV6 == nil {
		shown.Settings.NetworkRangeV6 = &a.netV6
	}
	return []api.Account{shown}, nil
}

// accountAnswer is an account as a PUT answers it: what runs only in memory is
// false there, whatever is true.
func (s *Server) accountAnswer(a *account, settings api.AccountSettings) api.Account {
	settings.EmbeddedIdpEnabled, settings.LocalAuthDisabled = ptr(false), ptr(false)
	if !s.ver().knowsMFA() {
		settings.LocalMfaEnabled = nil
	}
	return api.Account{
		Id: a.id, CreatedAt: a.created, CreatedBy: a.createdBy,
		Domain: a.domain, DomainCategory: a.category, Onboarding: a.onboarding, Settings: settings,
	}
}

func (s *Server) updateAccount(c *call) (any, error) {
	var req api.AccountRequest
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	fresh, err := takeSettings(req.Settings)
	if err != nil {
		return nil, err
	}
	target := &call{r: c.r, user: c.user, accountID: c.path["account"]}
	if err := s.mayWrapped(target, "settings", opUpdate); err != nil {
		return nil, err
	}
	a := s.st.account(target.accountID)
	if req.Onboarding != nil {
		a.onboarding = *req.Onboarding
	}
	if err := checkSettings(a, fresh); err != nil {
		return nil, err
	}
	if fresh.Extra == nil {
		fresh.Extra = a.settings.Extra
	}
	old := a.settings
	a.settings = fresh
	s.noteSettings(a, c.user, old)
	return s.accountAnswer(a, fresh), nil
}

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
		*n.value = ptr(prefix.Masked().String())
	}
	return out, nil
}

var domainName = regexp.MustCompile(`^([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$`)

func checkSettings(a *account, in api.AccountSettings) error {
	invalid := func(format string, args ...any) error {
		return refuse(http.StatusUnprocessableEntity, format, args...)
	}
	switch {
	case in.PeerLoginExpiration > 180*24*3600:
		return invalid("peer login expiration can't be larger than 180 days")
	case in.PeerLoginExpiration < 3600:
		return invalid("peer login expiration can't be smaller than one hour")
	case *in.DnsDomain != "" && !domainName.MatchString(strings.ToLower(*in.DnsDomain)):
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
func (s *Server) noteSettings(a *account, by string, old api.AccountSettings) {
	turned := func(before, after bool, what, code string) {
		if before == after {
			return
		}
		if after {
			s.note(a.id, by, a.id, what+" enabled", code+".enable", nil)
		} else {
			s.note(a.id, by, a.id, what+" disabled", code+".disable", nil)
		}
	}
	now := a.settings
	turned(*old.RoutingPeerDnsResolutionEnabled, *now.RoutingPeerDnsResolutionEnabled, "Account routing peer DNS resolution", "account.setting.routing.peer.dns.resolution")
	turned(*old.LazyConnectionEnabled, *now.LazyConnectionEnabled, "Account lazy connection", "account.setting.lazy.connection")
	turned(old.PeerLoginExpirationEnabled, now.PeerLoginExpirationEnabled, "Account peer login expiration", "account.setting.peer.login.expiration")
	if old.PeerLoginExpiration != now.PeerLoginExpiration {
		s.note(a.id, by, a.id, "Account peer login expiration duration updated", "account.setting.peer.login.expiration.update", nil)
	}
	turned(*old.GroupsPropagationEnabled, *now.GroupsPropagationEnabled, "User group propagation", "account.setting.group.propagation")
	turned(*old.LocalMfaEnabled, *now.LocalMfaEnabled, "Account local MFA", "account.setting.local.mfa")
	if *old.DnsDomain != *now.DnsDomain {
		s.note(a.id, by, a.id, "Account DNS domain updated", "account.dns.domain.update",
			map[string]string{"old_dns_domain": *old.DnsDomain, "new_dns_domain": *now.DnsDomain})
	}
	turned(len(*old.Ipv6EnabledGroups) > 0, len(*now.Ipv6EnabledGroups) > 0, "Account IPv6 overlay", "account.setting.ipv6")
	before, after := "invalid Prefix", "invalid Prefix"
	if old.NetworkRangeV6 != nil {
		before = *old.NetworkRangeV6
	}
	if now.NetworkRangeV6 != nil {
		after = *now.NetworkRangeV6
	}
	if before != after {
		s.note(a.id, by, a.id, "Account network range updated", "account.network.range.update",
			map[string]string{"old_network_range_v6": before, "new_network_range_v6": after})
	}
}

func (s *Server) listGroups(c *call) (any, error) {
	if err := s.mayGroups(c); err != nil {
		return nil, err
	}
	a := s.st.account(c.accountID)
	out := []api.Group{}
	name := c.r.URL.Query().Get("name")
	for _, g := range a.groups {
		if name == "" || g.name == name {
			out = append(out, groupAnswer(g))
		}
	}
	if name != "" && len(out) == 0 {
		return nil, groupNotFound(name)
	}
	return out, nil
}

// mayGroups is check without a wrapping, as reading groups answers it.
func (s *Server) mayGroups(c *call) error {
	allowed, err := s.check(c, "groups", opRead)
	if err != nil {
		return err
	}
	if !allowed {
		return errDenied
	}
	return nil
}

func (s *Server) getGroup(c *call) (any, error) {
	if err := s.mayGroups(c); err != nil {
		return nil, err
	}
	g := s.st.account(c.accountID).group(c.path["group"])
	if g == nil {
		return nil, groupNotFound(c.path["group"])
	}
	return groupAnswer(g), nil
}

func (s *Server) createGroup(c *call) (any, error) {
	var req api.GroupRequest
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	if req.Name == "" {
		return nil, refuse(http.StatusUnprocessableEntity, "group name shouldn't be empty")
	}
	if err := s.may(c, "groups", opCreate); err != nil {
		return nil, err
	}
	a := s.st.account(c.accountID)
	if a.groupNamed(req.Name) != nil {
		return nil, refuse(http.StatusConflict, "group with name %s already exists", req.Name)
	}
	g := &group{id: s.proc.next(s.now()), name: req.Name, issued: "api"}
	a.groups = append(a.groups, g)
	s.note(a.id, c.user, g.id, "Group created", "group.add", map[string]string{"name": g.name})
	return groupAnswer(g), nil
}

func (s *Server) deleteGroup(c *call) (any, error) {
	if err := s.may(c, "groups", opDelete); err != nil {
		return nil, err
	}
	a := s.st.account(c.accountID)
	g := a.group(c.path["group"])
	switch {
	case g == nil:
		return nil, refuse(http.StatusBadRequest, "group: %s not found", c.path["group"])
	case g.name == "All":
		return nil, refuse(http.StatusBadRequest, "deleting group ALL is not allowed")
	}
	a.groups = slices.DeleteFunc(a.groups, func(x *group) bool { return x == g })
	s.note(a.id, c.user, g.id, "Group deleted", "group.delete", map[string]string{"name": g.name})
	return struct{}{}, nil
}

func groupNotFound(id string) error { return refuse(http.StatusNotFound, "group: %s not found", id) }

func groupAnswer(g *group) api.Group {
	return api.Group{Id: g.id, Name: g.name, Issued: ptr(api.GroupIssued(g.issued))}
}
