package flows

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"authbird/clients"
	"authbird/clients/authentik"
	"authbird/clients/netbird"
	"authbird/doctor"
	"authbird/facts"
	"authbird/keystore"
	"authbird/state"
)

// The steps of new admin tokens: the journal's keys, never to be changed.
const (
	stepNewAuthentikToken     = "new-authentik-token"
	stepNewAuthentikTokenMade = "new-authentik-token-made"
	stepNewNetBirdToken       = "new-netbird-token"
	stepTokenInForce          = "-in-force" // behind the credential's name
	stepOldToken              = "-old"
)

// patDays is how long NetBird lets a token live at most.
const patDays = 365

// authentikTokenFlow renews the API token that is kept, by itself: the new one
// has the same owner and so the same rights.
func (r *renewal) authentikTokenFlow() Flow {
	flow := Flow{
		Name: r.flow,
		Survey: func(ctx context.Context) *facts.Facts {
			r.useKept(ctx)
			f := r.Reader.AuthentikToken(ctx)
			f.Local.Renewed = facts.Of(r.Secrets.Get(ctx, keystore.AuthentikToken+keystore.New))
			return f
		},
		Preflight: func(f *facts.Facts) []doctor.Result {
			return judged(doctor.Preflight(r.wants()), f, "authentik-answers", "authentik-token", "authentik-version")
		},
	}
	forget := oldAdminToken{r, keystore.AuthentikToken, AtAuthentik}
	in := tokenInForce{r, keystore.AuthentikToken, stepNewAuthentikTokenMade}
	end := renewed{r, keystore.AuthentikToken, []string{stepNewAuthentikToken, stepNewAuthentikTokenMade, in.About().ID, forget.About().ID}}
	flow.Steps = []Step{newSecret{r, stepNewAuthentikToken, keystore.AuthentikToken}, newAuthentikToken{r}, in, forget, end}
	if r.tail {
		flow.Steps = []Step{end}
	}
	return flow
}

// netBirdTokenFlow renews the access token that is kept, by itself.
func (r *renewal) netBirdTokenFlow() Flow {
	flow := Flow{
		Name: r.flow,
		Survey: func(ctx context.Context) *facts.Facts {
			r.useKept(ctx)
			f := r.Reader.NetBirdToken(ctx)
			f.Local.Renewed = facts.Of(r.Secrets.Get(ctx, keystore.NetBirdToken+keystore.New))
			return f
		},
		Preflight: func(f *facts.Facts) []doctor.Result {
			return judged(doctor.Preflight(r.wants()), f, "netbird-answers", "netbird-token", "netbird-version")
		},
	}
	forget := oldAdminToken{r, keystore.NetBirdToken, AtNetBird}
	in := tokenInForce{r, keystore.NetBirdToken, stepNewNetBirdToken}
	end := renewed{r, keystore.NetBirdToken, []string{stepNewNetBirdToken, in.About().ID, forget.About().ID}}
	flow.Steps = []Step{newNetBirdToken{r}, in, forget, end}
	if r.tail {
		flow.Steps = []Step{end}
	}
	return flow
}

// useKept lets this rotation speak with the tokens that are kept, whatever was
// given by the environment: the kept one is what is renewed.
func (r *renewal) useKept(ctx context.Context) {
	if token, err := r.Secrets.Get(ctx, keystore.AuthentikToken); err == nil {
		r.Authentik = r.Authentik.WithToken(token)
		r.Reader.Authentik = r.Authentik
	}
	if token, err := r.Secrets.Get(ctx, keystore.NetBirdToken); err == nil {
		r.NetBird = r.NetBird.WithToken(token)
		r.Reader.NetBird = r.NetBird
	}
}

// credential is what is known of one now.
func (r *renewal) credential(name string) state.Credential {
	for _, c := range r.known() {
		if c.Name == name {
			return c
		}
	}
	return state.Credential{Name: name}
}

// newAuthentikToken makes the second token, of our value.
type newAuthentikToken struct{ *renewal }

func (s newAuthentikToken) About() About {
	return About{ID: stepNewAuthentikTokenMade, Title: "new API token", Where: AtAuthentik, Object: "authbird",
		Why: "the old one makes it and stays until the new one has been tried", Makes: "without an end at Authentik; authbird says when it is due"}
}

func (s newAuthentikToken) Look(f *facts.Facts, past state.Receipt) Finding {
	if err := f.Authentik.Tokens.Err; err != nil {
		return unreadable("the API tokens", err)
	}
	fresh := f.Local.Renewed
	if !fresh.OK() {
		return Finding{Verdict: Missing}
	}
	t, stands := tokenNamed(f.Authentik.Tokens.Value, s.tokenName(fresh.Value))
	if stands && past.Digest == s.Record.Digest(fresh.Value) {
		return Finding{Verdict: InPlace, ObjectID: t.Identifier}
	}
	return Finding{Verdict: Missing, ObjectID: t.Identifier}
}

func (s newAuthentikToken) Do(ctx context.Context, f *facts.Facts, found Finding) (state.Receipt, error) {
	fresh := f.Local.Renewed
	if !fresh.OK() || !f.Authentik.Me.OK() {
		return state.Receipt{}, errors.New("the new token or its owner is not known")
	}
	name := s.tokenName(fresh.Value)
	receipt := state.Receipt{ObjectID: name, Made: true, Digest: s.Record.Digest(fresh.Value)}
	if found.ObjectID == "" {
		t, err := s.Authentik.CreateToken(ctx, authentik.TokenSpec{Identifier: name, Intent: authentik.IntentAPI, User: f.Authentik.Me.Value.PK, Description: "authbird"})
		if err != nil {
			return receipt, err
		}
		f.Authentik.Tokens.Value = append(f.Authentik.Tokens.Value, t)
	}
	if err := s.Authentik.SetTokenKey(ctx, name, fresh.Value); err != nil {
		return receipt, unseen(err)
	}
	return receipt, nil
}

func (s newAuthentikToken) Undo(ctx context.Context, r state.Receipt) error {
	return s.Authentik.DeleteToken(ctx, r.ObjectID)
}

// newNetBirdToken makes the second token, whose value NetBird chooses. It is not
// used here, so that one whose answer was lost is known by never having been.
type newNetBirdToken struct{ *renewal }

func (s newNetBirdToken) About() About {
	return About{ID: stepNewNetBirdToken, Title: "new access token", Where: AtNetBird, Object: s.name(),
		Why: "the old one makes it and stays until the new one has been tried", Makes: fmt.Sprintf("for %d days, which is the longest that NetBird allows", patDays)}
}

// name is the same for all tokens of this setup on this machine, and no other's.
func (s newNetBirdToken) name() string { return "authbird " + cut(s.Record.Digest(s.Setup), 8) }

func (s newNetBirdToken) Look(f *facts.Facts, past state.Receipt) Finding {
	if err := f.NetBird.Tokens.Err; err != nil {
		return unreadable("the access tokens", err)
	}
	fresh := f.Local.Renewed
	for _, t := range f.NetBird.Tokens.Value {
		if fresh.OK() && t.ID == past.ObjectID && past.Digest == s.Record.Digest(fresh.Value) {
			return Finding{Verdict: InPlace, ObjectID: t.ID}
		}
	}
	return Finding{Verdict: Missing}
}

// Do first deletes what an earlier attempt made whose answer never came: nobody
// knows its value.
func (s newNetBirdToken) Do(ctx context.Context, f *facts.Facts, _ Finding) (state.Receipt, error) {
	me := f.NetBird.Me.Value.ID
	for _, t := range f.NetBird.Tokens.Value {
		inUse := s.credential(keystore.NetBirdToken).ID
		if t.Name != s.name() || t.ID == inUse || inUse == "" && !t.LastUsed.IsZero() {
			continue
		}
		if err := s.NetBird.DeleteToken(ctx, me, t.ID); err != nil && clients.KindOf(err) != clients.Absent {
			return state.Receipt{}, err
		}
	}
	made, err := s.NetBird.CreateToken(ctx, me, s.name(), patDays)
	if err != nil {
		return state.Receipt{}, err
	}
	if err := s.Secrets.Set(ctx, keystore.NetBirdToken+keystore.New, made.Key); err != nil {
		return state.Receipt{}, errors.Join(fmt.Errorf("store the new access token: %w", err), s.NetBird.DeleteToken(ctx, me, made.ID))
	}
	f.Local.Renewed = facts.Of(made.Key, nil)
	f.NetBird.Tokens.Value = append(f.NetBird.Tokens.Value, made.Token)
	receipt := state.Receipt{ObjectID: made.ID, Made: true, Digest: s.Record.Digest(made.Key),
		Values: map[string]string{expiresKey: made.Expires.UTC().Format(time.RFC3339)}}
	return receipt, nil
}

func (s newNetBirdToken) Undo(context.Context, state.Receipt) error { return nil }

// expiresKey is the receipt's value of a token's end.
const expiresKey = "expires"

// tokenInForce tries the new token and makes it the one that is kept.
type tokenInForce struct {
	*renewal
	name, made string // the credential, and the step that made its new token
}

func (s tokenInForce) About() About {
	return About{ID: s.name + stepTokenInForce, Title: words(s.name), Where: Here, Object: s.name, Why: "from here on authbird uses the new one"}
}

func (s tokenInForce) Look(f *facts.Facts, past state.Receipt) Finding {
	if past.Digest != "" && f.Local.Renewed.OK() && past.Digest == s.Record.Digest(f.Local.Renewed.Value) {
		return Finding{Verdict: InPlace, ObjectID: s.name}
	}
	return Finding{Verdict: Missing, Intent: state.Receipt{Values: s.oldID()}}
}

// oldID names the token that is replaced, where authbird made it.
func (s tokenInForce) oldID() map[string]string {
	made, _ := s.Record.Last(s.made)
	if id := s.credential(s.name).ID; id != "" && id != made.ObjectID {
		return map[string]string{oldToken: id}
	}
	return nil
}

func (s tokenInForce) Do(ctx context.Context, f *facts.Facts, found Finding) (state.Receipt, error) {
	if err := s.try(ctx, f.Local.Renewed.Value); err != nil {
		return state.Receipt{}, fmt.Errorf("the new one was made and doesn't work; the old one still does: %w", err)
	}
	old := facts.Of(s.Secrets.Get(ctx, s.name))
	made, _ := s.Record.Last(s.made)
	receipt, err := s.inForce(ctx, s.name, old, f.Local.Renewed, "authbird")
	if err != nil {
		return receipt, err
	}
	receipt.Values = found.Intent.Values
	c := s.credential(s.name)
	c.ID, c.Proven = made.ObjectID, s.Now()
	c.Expires, _ = time.Parse(time.RFC3339, made.Values[expiresKey])
	return receipt, s.Record.SaveCredential(c)
}

// try asks whose the new token is.
func (s tokenInForce) try(ctx context.Context, token string) error {
	if s.name == keystore.AuthentikToken {
		_, err := s.Authentik.WithToken(token).Me(ctx)
		return err
	}
	reader := facts.Reader{NetBird: s.NetBird.WithToken(token), Now: s.Now}
	return reader.NetBirdUser(ctx).Err
}

func (s tokenInForce) Undo(context.Context, state.Receipt) error { return nil }

// oldAdminToken deletes the token that was replaced.
type oldAdminToken struct {
	*renewal
	name  string
	where Place
}

func (s oldAdminToken) About() About {
	return About{ID: s.name + stepOldToken, Title: "old " + words(s.name), Where: s.where, Object: s.name,
		Why: "nobody needs it any more", Makes: "deleted"}
}

func (s oldAdminToken) Look(_ *facts.Facts, past state.Receipt) Finding {
	if past.ObjectID != "" {
		return Finding{Verdict: InPlace, ObjectID: past.ObjectID}
	}
	return Finding{Verdict: Missing}
}

func (s oldAdminToken) Do(ctx context.Context, f *facts.Facts, _ Finding) (state.Receipt, error) {
	s.useKept(ctx) // the new one
	in, _ := s.Record.Last(s.name + stepTokenInForce)
	old, err := s.Secrets.Get(ctx, s.name+keystore.Old)
	if errors.Is(err, keystore.ErrAbsent) {
		return state.Receipt{ObjectID: s.name}, nil // an earlier attempt came so far
	}
	if err != nil {
		return state.Receipt{}, err
	}
	stays, err := s.stays(old)
	if err != nil {
		return state.Receipt{}, err
	}
	if stays {
		return state.Receipt{ObjectID: s.name}, s.Secrets.Delete(ctx, s.name+keystore.Old)
	}
	if s.where == AtAuthentik {
		err = s.endAuthentik(ctx, f, in.Values[oldToken], old)
	} else {
		err = s.endNetBird(ctx, f, in.Values[oldToken], old)
	}
	if err != nil && clients.KindOf(err) != clients.Absent {
		return state.Receipt{}, err
	}
	return state.Receipt{ObjectID: s.name}, s.Secrets.Delete(ctx, s.name+keystore.Old)
}

// stays says that the old token must not be deleted yet, because other setups
// use it. One in wrong hands goes all the same.
func (s oldAdminToken) stays(old string) (bool, error) {
	others, err := s.alsoKept(s.name, old)
	switch {
	case err != nil || len(others) == 0:
		return false, err
	case s.o.Leak:
		s.remark("the old %s was that of %s too, and is gone: authbird resume with another one and --keep-admin-tokens", words(s.name), strings.Join(others, ", "))
		return false, nil
	}
	s.remark("the old %s stays, because %s uses it too; it goes when the last setup has renewed its own", words(s.name), strings.Join(others, ", "))
	return true, nil
}

// endAuthentik deletes the token of that value: nothing says which of its
// owner's it is, so their keys are looked at.
func (s oldAdminToken) endAuthentik(ctx context.Context, f *facts.Facts, id, old string) error {
	if id != "" {
		return s.Authentik.DeleteToken(ctx, id)
	}
	var unread error
	for _, t := range f.Authentik.Tokens.Value {
		key, err := s.Authentik.ViewTokenKey(ctx, t.Identifier)
		switch {
		case err == nil && key == old:
			return s.Authentik.DeleteToken(ctx, t.Identifier)
		case err != nil && clients.KindOf(err) != clients.Absent:
			unread = err
		}
	}
	if unread != nil {
		return unread
	}
	s.remark("the old API token was not found among its owner's at Authentik: delete it there yourself")
	return nil
}

// endNetBird deletes the token of that value: the one whose last use changes
// when it is used. Where another's changes too, a person must say which it is.
func (s oldAdminToken) endNetBird(ctx context.Context, f *facts.Facts, id, old string) error {
	me := f.NetBird.Me.Value.ID
	if id == "" {
		before, err := s.NetBird.Tokens(ctx, me)
		if err != nil {
			return err
		}
		if _, err := s.NetBird.WithToken(old).Tokens(ctx, me); err != nil {
			if clients.KindOf(err) == clients.Unauthorised {
				err = nil // it is no token any more
			}
			return err
		}
		after, err := s.NetBird.Tokens(ctx, me)
		if err != nil {
			return err
		}
		id = onlyUsed(before, after, s.credential(keystore.NetBirdToken).ID)
	}
	if id == "" {
		s.remark("which of the access tokens in NetBird is the old one can't be seen: delete it there yourself")
		return nil
	}
	return s.NetBird.DeleteToken(ctx, me, id)
}

// onlyUsed is the one token, besides the new one, that was used in between.
func onlyUsed(before, after []netbird.Token, fresh string) string {
	var used []string
	for _, t := range after {
		i := slices.IndexFunc(before, func(b netbird.Token) bool { return b.ID == t.ID })
		if t.ID != fresh && i >= 0 && !t.LastUsed.Equal(before[i].LastUsed) {
			used = append(used, t.ID)
		}
	}
	if len(used) != 1 {
		return ""
	}
	return used[0]
}

func (s oldAdminToken) Undo(context.Context, state.Receipt) error { return nil }
