package flows

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"authbird/clients"
	"authbird/clients/authentik"
	"authbird/facts"
	"authbird/state"
)

// membership puts the service account into a group.
type membership struct {
	*Work
	id    string
	group string
	why   string
	with  string // the step that makes the group with its member
}

func (s membership) About() About {
	return About{ID: s.id, Title: "membership", Where: AtAuthentik, Object: s.group, Why: s.why, With: s.with,
		Makes: s.Answers.ServiceAccount + " becomes a member"}
}

func (s membership) Look(f *facts.Facts, _ state.Receipt) Finding {
	g, ok := groupNamed(f, s.group)
	if !ok {
		if s.group == s.readerName() {
			return Finding{Verdict: Missing}
		}
		return Finding{Verdict: Blocked, Note: fmt.Sprintf("Authentik has no group %q", s.group)}
	}
	if !slices.Contains(f.Authentik.Account.Value.Groups, g.PK) {
		return Finding{Verdict: Missing, Intent: state.Receipt{Values: map[string]string{"user": strconv.Itoa(f.Authentik.Account.Value.PK)}}}
	}
	return Finding{Verdict: InPlace, ObjectID: g.PK}
}

func (s membership) Do(ctx context.Context, f *facts.Facts, _ Finding) (state.Receipt, error) {
	g, ok := groupNamed(f, s.group)
	if !ok {
		return state.Receipt{}, fmt.Errorf("the group %q is not there", s.group)
	}
	account := f.Authentik.Account.Value.PK
	if err := s.Authentik.AddGroupUser(ctx, g.PK, account); err != nil {
		return state.Receipt{}, err
	}
	f.Authentik.Account = facts.Of(s.Authentik.User(ctx, account))
	return state.Receipt{ObjectID: g.PK, Made: true, Values: map[string]string{"user": strconv.Itoa(account)}}, unseen(f.Authentik.Account.Err)
}

func (s membership) Undo(ctx context.Context, r state.Receipt) error {
	user, err := strconv.Atoi(r.Values["user"])
	if err != nil {
		account, _ := s.Record.Last(stepServiceAccount)
		if user, err = strconv.Atoi(account.ObjectID); err != nil {
			return err
		}
	}
	return s.Authentik.RemoveGroupUser(ctx, r.ObjectID, user)
}

// mayReadUsers is the one permission that NetBird's calls need.
const mayReadUsers = "authentik_core.view_user"

// readerRole is a role that may read users and nothing else.
type readerRole struct{ *Work }

func (s readerRole) About() About {
	return About{ID: stepRole, Title: "role", Where: AtAuthentik, Object: s.readerName(),
		Why:   "instead of making the service account an administrator: reading users is all that NetBird needs",
		Makes: "with the permission to view users, and no other"}
}

func (s readerRole) Look(f *facts.Facts, past state.Receipt) Finding {
	role, ok := s.find(f)
	switch {
	case !ok:
		return Finding{Verdict: Missing}
	case !slices.Contains(f.Authentik.Permissions.Value, mayReadUsers):
		if past.Made {
			return Finding{Verdict: Missing}
		}
		return Finding{Verdict: Differs, ObjectID: role.PK, Fields: []Field{{Name: "permissions", Have: "without " + mayReadUsers, Want: mayReadUsers}}}
	}
	if more := s.more(f, past); len(more) > 0 {
		return Finding{Verdict: Differs, ObjectID: role.PK, Fields: []Field{{Name: "permissions", Have: clients.Clean(few(more)) + " besides", Want: mayReadUsers + " alone; what else it may stays on a yes"}}}
	}
	return Finding{Verdict: InPlace, ObjectID: role.PK}
}

// agreedKey is the receipt's value that lists what else the role may, to which
// somebody said yes.
const agreedKey = "agreed"

// more are the permissions that the role has and this setup does not need, but
// for those that somebody said yes to.
func (s readerRole) more(f *facts.Facts, past state.Receipt) []string {
	agreed := strings.Fields(past.Values[agreedKey])
	var out []string
	for _, p := range f.Authentik.Permissions.Value {
		if p != mayReadUsers && !slices.Contains(agreed, p) {
			out = append(out, p)
		}
	}
	return out
}

func (s readerRole) find(f *facts.Facts) (authentik.Role, bool) {
	for _, r := range f.Authentik.Roles[s.readerName()].Value {
		if r.Name == s.readerName() {
			return r, true
		}
	}
	return authentik.Role{}, false
}

// Do may be called again between making the role and giving it its permission.
func (s readerRole) Do(ctx context.Context, f *facts.Facts, _ Finding) (state.Receipt, error) {
	role, ok := s.find(f)
	if !ok {
		var err error
		if role, err = s.Authentik.CreateRole(ctx, s.readerName()); err != nil {
			return state.Receipt{}, err
		}
		f.Authentik.Roles[s.readerName()] = facts.Of([]authentik.Role{role}, nil)
	}
	if err := s.Authentik.AssignPermissions(ctx, role.PK, mayReadUsers); err != nil {
		if !ok { // the role stands, and is ours
			err = unseen(err)
		}
		return state.Receipt{}, err
	}
	receipt := state.Receipt{ObjectID: role.PK, Made: !ok}
	more := s.more(f, state.Receipt{})
	if ok && len(more) > 0 {
		receipt.Values = map[string]string{agreedKey: strings.Join(more, " ")}
	}
	f.Authentik.Permissions = facts.Of(append(more, mayReadUsers), nil)
	return receipt, nil
}

func (s readerRole) Undo(ctx context.Context, r state.Receipt) error {
	if !r.Made {
		return nil
	}
	return s.Authentik.DeleteRole(ctx, r.ObjectID)
}

// readerGroup hands the role to its members.
type readerGroup struct{ *Work }

func (s readerGroup) About() About {
	return About{ID: stepReaderGroup, Title: "group", Where: AtAuthentik, Object: s.readerName(),
		Why: "Authentik gives roles to groups", Makes: "with the role, for the service account alone"}
}

func (s readerGroup) Look(f *facts.Facts, _ state.Receipt) Finding {
	g, ok := groupNamed(f, s.readerName())
	if !ok {
		return Finding{Verdict: Missing}
	}
	role, _ := readerRole(s).find(f)
	if role.PK == "" || !slices.Contains(g.Roles, role.PK) {
		return Finding{Verdict: Blocked, ObjectID: g.PK, Note: fmt.Sprintf("the group %q stands there without the role of that name; give it the role, or choose another --service-account", g.Name)}
	}
	return Finding{Verdict: InPlace, ObjectID: g.PK}
}

func (s readerGroup) Do(ctx context.Context, f *facts.Facts, _ Finding) (state.Receipt, error) {
	role, ok := readerRole(s).find(f)
	if !ok {
		return state.Receipt{}, fmt.Errorf("the role %q is not there", s.readerName())
	}
	account := f.Authentik.Account.Value.PK
	g, err := s.Authentik.CreateGroup(ctx, s.readerName(), []int{account}, []string{role.PK})
	if err != nil {
		return state.Receipt{}, err
	}
	f.Authentik.Groups[s.readerName()] = facts.Of([]authentik.Group{g}, nil)
	f.Authentik.Account = facts.Of(s.Authentik.User(ctx, account))
	return state.Receipt{ObjectID: g.PK, Made: true}, unseen(f.Authentik.Account.Err)
}

func (s readerGroup) Undo(ctx context.Context, r state.Receipt) error {
	return s.Authentik.DeleteGroup(ctx, r.ObjectID)
}
