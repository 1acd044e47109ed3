package netbird

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"slices"

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
	s.st.users = append(s.st.users, &user{id: ownerID, accountID: a.id, role: "owner", name: name, email: email, created: s.now()})
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
	old := *a
	a.settings = fresh
	if fresh.NetworkRange != nil {
		a.netV4 = *fresh.NetworkRange
	}
	s.noteSettings(a, c.user, old)
	return s.accountAnswer(a, fresh), nil
}

// deleteAccount deletes an account with all its people, for its owner.
func (s *Server) deleteAccount(c *call) (any, error) {
	a := s.st.account(c.path["account"])
	if a == nil {
		return nil, refuse(http.StatusNotFound, "account not found: %s", c.path["account"])
	}
	target := &call{r: c.r, user: c.user, accountID: a.id}
	if err := s.mayWrapped(target, "accounts", opDelete); errors.Is(err, errDenied) {
		return nil, refuse(http.StatusForbidden, "user is not allowed to delete account. Only account owner can delete account")
	} else if err != nil {
		return nil, err
	}
	for _, u := range s.st.usersOf(a.id) {
		s.forgetPassword(u.id)
	}
	s.st.users = slices.DeleteFunc(s.st.users, func(u *user) bool { return u.accountID == a.id })
	s.st.accounts = slices.DeleteFunc(s.st.accounts, func(x *account) bool { return x == a })
	return struct{}{}, nil
}
