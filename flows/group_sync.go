package flows

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"authbird/clients"
	"authbird/clients/netbird"
	"authbird/facts"
	"authbird/state"
)

// groupSync is the step that has NetBird take groups over, or no longer; none
// where the answers leave it as it stands and no earlier run changed it.
func (w *Work) groupSync() []Step {
	past, _ := w.Record.Last(stepGroupSync)
	if w.Answers.GroupSync == "" && past.ObjectID == "" {
		return nil
	}
	return []Step{syncStep{w}}
}

// syncStep sets the three settings of NetBird's account that are about groups
// in logins, and no other: the settings are read, changed and written whole,
// because NetBird resets what is left out.
type syncStep struct{ *Work }

func (s syncStep) About() About {
	makes := "groups come from Authentik with each login"
	if s.Answers.GroupSync == GroupSyncOff {
		makes = "groups stay as they are, whatever a login says"
	}
	if only := s.Answers.LetIn; len(only) > 0 && s.Answers.GroupSync == GroupSyncOn {
		makes += "; only members of " + strings.Join(only, ", ") + " get in"
	}
	return About{ID: stepGroupSync, Title: "group sync", Where: AtNetBird, Object: "the account's settings", Makes: makes,
		Why: "NetBird ignores the groups that Authentik tells of a person unless its account is set to take them over"}
}

// syncSettings are the three settings as they stand or are wanted.
type syncSettings struct {
	enabled bool
	claim   string
	allow   []string
}

func settingsOf(a netbird.Account) syncSettings {
	return syncSettings{a.Settings.JWTGroups, a.Settings.JWTGroupsClaim, a.Settings.JWTAllowGroups}
}

// The keys of what the journal keeps of them.
const (
	syncEnabled = "jwt_groups_enabled"
	syncClaim   = "jwt_groups_claim_name"
	syncAllow   = "jwt_allow_groups"
)

func (x syncSettings) keep() map[string]string {
	list, _ := json.Marshal(notNil(x.allow))
	return map[string]string{syncEnabled: strconv.FormatBool(x.enabled), syncClaim: x.claim, syncAllow: string(list)}
}

func notNil(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

// kept reads what keep wrote; there is nothing where authbird never changed it.
func kept(values map[string]string) (x syncSettings, there bool) {
	if _, there = values[syncEnabled]; !there {
		return x, false
	}
	x.enabled, x.claim = values[syncEnabled] == "true", values[syncClaim]
	_ = json.Unmarshal([]byte(values[syncAllow]), &x.allow)
	return x, true
}

func (x syncSettings) equal(y syncSettings) bool {
	return x.enabled == y.enabled && x.claim == y.claim && slices.Equal(x.allow, y.allow)
}

func (x syncSettings) fields(want syncSettings) []Field {
	var out []Field
	add := func(name, have, want string) {
		if have != want {
			out = append(out, Field{Name: name, Have: have, Want: want})
		}
	}
	add("groups from logins", onOff(x.enabled), onOff(want.enabled))
	add("claim", orNone(clients.Clean(x.claim)), orNone(want.claim))
	add("who gets in", whoGetsIn(x.allow), whoGetsIn(want.allow))
	return out
}

func onOff(on bool) string {
	if on {
		return GroupSyncOn
	}
	return GroupSyncOff
}

func whoGetsIn(allow []string) string {
	if len(allow) == 0 {
		return "everyone"
	}
	return "members of " + clients.Clean(strings.Join(allow, ", "))
}

// want is what the answers ask for. What they don't speak of goes back to what
// stood there before authbird came, or stays.
func (s syncStep) want(have syncSettings, past state.Receipt) syncSettings {
	want := have
	ours, changed := kept(past.Values)
	before, _ := kept(past.Before)
	if changed && slices.Equal(have.allow, ours.allow) {
		want.allow = before.allow
	}
	switch s.Answers.GroupSync {
	case GroupSyncOn:
		want.enabled, want.claim = true, groupsClaim
		if only := s.Answers.LetIn; len(only) > 0 {
			want.allow = only
		}
	case GroupSyncOff:
		want.enabled = false
		if changed && have.claim == ours.claim {
			want.claim = before.claim
		}
	default: // as it was before an earlier run
		if changed && have.equal(ours) {
			want = before
		}
	}
	return want
}

func (s syncStep) Look(f *facts.Facts, past state.Receipt) Finding {
	if err := f.NetBird.Accounts.Err; err != nil {
		return unreadable("the settings of NetBird's account", err)
	}
	if len(f.NetBird.Accounts.Value) == 0 {
		return Finding{Verdict: Blocked, Note: "NetBird shows this token no account; use a token of an owner or an admin"}
	}
	account := f.NetBird.Accounts.Value[0]
	have := settingsOf(account)
	want := s.want(have, past)
	fields := have.fields(want)
	found := Finding{Verdict: InPlace, ObjectID: account.ID}
	if len(fields) == 0 {
		return found
	}
	note, safe := s.guard(f, want)
	if !safe {
		return Finding{Verdict: Blocked, ObjectID: account.ID, Note: note}
	}
	found.Note, found.Intent = note, state.Receipt{Before: have.keep()}
	ours, changed := kept(past.Values)
	untouched := !have.enabled && have.claim == "" && len(have.allow) == 0
	if found.Verdict = Missing; !untouched && !(changed && have.equal(ours)) {
		found.Verdict, found.Fields = Differs, fields
	}
	return found
}

// guard says who would no longer get in, and whether anybody who administers
// NetBird still would. People of NetBird's own login are not asked for groups.
func (s syncStep) guard(f *facts.Facts, want syncSettings) (note string, safe bool) {
	if !want.enabled || len(want.allow) == 0 {
		return "", true
	}
	if err := f.NetBird.Users.Err; err != nil {
		return "who administers NetBird could not be read, so the list of groups that get in is not set: " + clients.Clean(err.Error()), false
	}
	// Authentik tells the groups, but NetBird's dashboard may not ask for them.
	arrive := slices.ContainsFunc(f.NetBird.Groups.Value, func(g netbird.Group) bool { return g.Issued == "jwt" })
	var out, unsure []string
	for _, a := range f.NetBird.Admins {
		who := clients.Clean(first(a.User.Email, a.User.Name, a.User.ID))
		member := slices.ContainsFunc(a.Groups.Value, func(g string) bool { return slices.Contains(want.allow, g) })
		switch {
		case a.Local && len(f.NetBird.Accounts.Value) > 0 && !f.NetBird.Accounts.Value[0].Settings.LocalAuthDisabled, member && arrive:
			safe = true
		case member:
			unsure = append(unsure, who)
		default:
			out = append(out, who)
		}
	}
	var notes []string
	if len(out) > 0 {
		notes = append(notes, "would no longer get in: "+strings.Join(out, ", "))
	}
	if !arrive {
		notes = append(notes, "no login has brought a group to NetBird yet; see one with --group-sync on alone first, or nobody may get in by Authentik")
	}
	switch {
	case safe:
		return strings.Join(notes, "; "), true
	case len(unsure) > 0:
		return fmt.Sprintf("no login has brought a group to NetBird yet, so it isn't seen that %s could still log in: switch on --group-sync alone, log in once, and then set the list",
			strings.Join(unsure, ", ")), false
	}
	return fmt.Sprintf("nobody who administers NetBird could log in any more: %s must first be in one of %s",
		strings.Join(out, ", "), strings.Join(want.allow, ", ")), false
}

// Do reads the settings again, changes three of them and sends all back.
func (s syncStep) Do(ctx context.Context, f *facts.Facts, found Finding) (state.Receipt, error) {
	past, _ := s.Record.Last(stepGroupSync)
	account, err := s.account(ctx, found.ObjectID)
	if err != nil {
		return state.Receipt{}, err
	}
	if have, was := settingsOf(account), settingsOf(f.NetBird.Accounts.Value[0]); !have.equal(was) {
		return state.Receipt{}, errors.New("somebody changed these settings just now; run it again")
	}
	want := s.want(settingsOf(account), past)
	if err := s.save(ctx, account, want); err != nil {
		return state.Receipt{}, err
	}
	receipt := state.Receipt{ObjectID: account.ID, Values: want.keep()}
	f.NetBird.Accounts = facts.Of(s.NetBird.Accounts(ctx))
	return receipt, unseen(f.NetBird.Accounts.Err)
}

func (s syncStep) account(ctx context.Context, id string) (netbird.Account, error) {
	accounts, err := s.NetBird.Accounts(ctx)
	if err != nil {
		return netbird.Account{}, err
	}
	for _, a := range accounts {
		if a.ID == id {
			return a, nil
		}
	}
	return netbird.Account{}, errors.New("the account is not there any more")
}

func (s syncStep) save(ctx context.Context, account netbird.Account, want syncSettings) error {
	whole, err := netbird.PatchSettings(account.Raw, map[string]any{
		syncEnabled: want.enabled, syncClaim: want.claim, syncAllow: notNil(want.allow),
	})
	if err != nil {
		return err
	}
	return s.NetBird.SaveAccount(ctx, account.ID, whole)
}

// Undo gives back what stood there before, of the settings that still are as
// authbird set them.
func (s syncStep) Undo(ctx context.Context, r state.Receipt) error {
	before, changed := kept(r.Before)
	ours, set := kept(r.Values)
	if !changed {
		return nil
	}
	account, err := s.account(ctx, r.ObjectID)
	if err != nil {
		return err
	}
	want := settingsOf(account)
	if !set { // the answer was lost: what was meant is not known, so all that differs goes back
		ours = want
	}
	if want.enabled == ours.enabled {
		want.enabled = before.enabled
	}
	if want.claim == ours.claim {
		want.claim = before.claim
	}
	if slices.Equal(want.allow, ours.allow) {
		want.allow = before.allow
	}
	if want.equal(settingsOf(account)) {
		return nil
	}
	return s.save(ctx, account, want)
}
