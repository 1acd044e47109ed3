package doctor

import (
	"strings"
	"testing"

	"authbird/clients/authentik"
	"authbird/facts"
)

// Of an application that is closed to the service account the group is blamed
// only where it isn't in it.
func TestWhyTheServiceAccountIsShutOut(t *testing.T) {
	for name, c := range map[string]struct {
		passing bool
		groups  []string // of the account
		bound   bool     // the application is for the group staff
		want    Verdict
		says    string
	}{
		"let in":                      {passing: true, groups: []string{"staff"}, bound: true, want: OK},
		"outside the group":           {bound: true, want: Fail, says: "for a group only"},
		"in the group, but a policy":  {groups: []string{"staff"}, bound: true, want: Fail, says: "a policy"},
		"no group at all, a policy":   {want: Fail, says: "a policy"},
		"in another group than bound": {groups: []string{"others"}, bound: true, want: Fail, says: "for a group only"},
	} {
		f := &facts.Facts{}
		f.Authentik.Account = facts.Of(authentik.User{PK: 5, Username: "Netbird", Active: true, Groups: c.groups}, nil)
		f.Authentik.Bindings = facts.Of([]authentik.Binding(nil), nil)
		if c.bound {
			f.Authentik.Bindings.Value = []authentik.Binding{{Enabled: true, Group: "staff", GroupName: "staff"}}
		}
		f.Authentik.Access = facts.Of(authentik.Access{Passing: c.passing, Messages: []string{"no"}}, nil)
		if o := accountAccess(f, Case{Proven: Proven{Account: "Netbird"}}); o.Verdict != c.want || !strings.Contains(o.Cause, c.says) {
			t.Errorf("%s: %s, %q", name, o.Verdict, o.Cause)
		}
	}
}
