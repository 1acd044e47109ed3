package authentik

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// deviceCode is a device's wish to be let in.
type deviceCode struct {
	code, userCode string
	provider       int
	scopes         []string
	user           int // 0: pending
	at             time.Time
	expires        time.Time
}

const (
	// devicePerHour is how many codes one address gets in an hour.
	devicePerHour  = 20
	deviceInterval = 5 // seconds
)

// throttles counts a request for a device code and tells whether it is one
// too many.
func (c *call) throttles() bool {
	from, now := c.address(), c.s.now()
	recent := slices.DeleteFunc(c.s.st.throttled[from], func(t time.Time) bool { return now.Sub(t) >= time.Hour })
	if len(recent) >= devicePerHour {
		c.s.st.throttled[from] = recent
		return true
	}
	c.s.st.throttled[from] = append(recent, now)
	return false
}

// deviceError is an error of the device endpoint, which had no body before
// 2025.
func (c *call) deviceError(status int, code string) reply {
	if !c.s.version.from(2025, 2) {
		return reply{status: status}
	}
	return c.tokenError(status, code)
}

// deviceAuthorization hands out a device code, also where the brand has no
// flow that a person could enter it in.
func (c *call) deviceAuthorization() reply {
	if c.throttles() {
		return c.deviceError(http.StatusTooManyRequests, "slow_down")
	}
	if !c.isForm() {
		return c.deviceError(http.StatusBadRequest, "invalid_request")
	}
	id, _ := c.clientAuth()
	p := c.s.st.provByID[id]
	if p == nil || c.s.st.appByProv[p.PK] == nil {
		return c.deviceError(http.StatusBadRequest, "invalid_client")
	}
	if c.s.version.knowsGrants() && !slices.Contains(p.GrantTypes, grantDevice) {
		return c.deviceError(http.StatusBadRequest, "invalid_grant")
	}
	valid := life(p.CodeValidity)
	d := &deviceCode{code: c.s.text(128, deviceAlphabet), userCode: c.s.text(9, digits), provider: p.PK,
		scopes: c.overlap(p, strings.Fields(c.r.PostForm.Get("scope")), false), expires: c.s.now().Add(valid)}
	c.s.st.devices[d.code] = d
	at := c.base() + "/device"
	return reply{status: http.StatusOK, plain: true, body: map[string]any{"device_code": d.code, "user_code": d.userCode,
		"verification_uri": at, "verification_uri_complete": at + "?code=" + d.userCode, "expires_in": int(valid.Seconds()), "interval": deviceInterval}}
}

func (c *call) deviceGrant(p *provider) (reply, string) {
	st := c.s.st
	d := st.devices[c.r.PostForm.Get("device_code")]
	switch {
	case d == nil || d.provider != p.PK || d.user != 0 && st.users[d.user] == nil:
		return reply{}, "invalid_grant"
	case !c.s.now().Before(d.expires):
		return reply{}, "expired_token"
	case d.user == 0:
		return reply{}, "authorization_pending"
	}
	delete(st.devices, d.code)
	return c.issue(p, &grant{user: d.user, scopes: d.scopes, authenticated: d.at}), ""
}

// deviceByUserCode finds the code that a person typed.
func (s *Server) deviceByUserCode(typed string) *deviceCode {
	for _, d := range s.st.devices {
		if d.userCode == strings.TrimSpace(typed) && s.now().Before(d.expires) {
			return d
		}
	}
	return nil
}

// devicePage is /device. That the brand has no flow for it shows only to who
// is logged in.
func (c *call) devicePage() reply {
	u := c.browserUser()
	if u == nil {
		return c.toLogin(c.r.URL.RequestURI())
	}
	b := c.s.brandFor(c.r.Host)
	if b == nil || c.s.st.flow(b.Flows["flow_device_code"]) == nil {
		return reply{status: http.StatusNotFound}
	}
	s := c.session()
	if d := c.s.deviceByUserCode(c.last("code")); d != nil {
		return c.startDevice(s, u, d)
	}
	f := c.s.st.flow(b.Flows["flow_device_code"])
	s.plans[f.Slug] = &plan{stage: stageDeviceCode, user: u.PK, username: u.Username}
	return redirect("/if/flow/" + f.Slug + "/")
}

// startDevice leads a person from a device's code to the consent.
func (c *call) startDevice(s *session, u *user, d *deviceCode) reply {
	p := c.s.st.provByPK[d.provider]
	a := c.s.st.appByProv[d.provider]
	if p == nil || a == nil || u == nil || !c.s.passes(a, u) {
		return denied()
	}
	f := c.s.st.flow(p.AuthorizationFlow)
	if f == nil {
		return denied()
	}
	next := &plan{user: u.PK, username: u.Username, device: d, token: c.s.uuid(), stage: stageConsent,
		ask: &ask{provider: p.PK, app: a, scopes: d.scopes}}
	if len(f.Stages) == 0 {
		next.stage = stageDone
	}
	s.plans[f.Slug] = next
	return redirect("/if/flow/" + f.Slug + "/")
}
