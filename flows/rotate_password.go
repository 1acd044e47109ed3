package flows

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"authbird/clients"
	"authbird/clients/authentik"
	"authbird/doctor"
	"authbird/facts"
	"authbird/hostfiles"
	"authbird/keystore"
	"authbird/state"
)

// The steps of a new app password: the journal's keys, never to be changed.
const (
	stepNewPassword           = "new-app-password"
	stepNewPasswordAuthentik  = "new-app-password-authentik"
	stepNewPasswordTried      = "new-app-password-tried"
	stepNewPasswordEnv        = "new-app-password-env"
	stepNewPasswordManagement = "new-app-password-management"
	stepNewPasswordRestart    = "new-app-password-restart"
	stepNewPasswordInForce    = "new-app-password-in-force"
	stepOldPassword           = "old-app-password"
)

// passwordFlow renews the app password of a standalone setup. Authentik knows
// both until NetBird is seen to sign in with the new one, so that no call of
// NetBird's is ever refused.
func (r *renewal) passwordFlow() Flow {
	flow := Flow{
		Name: r.flow, Survey: r.surveyPassword, Prove: r.provePassword,
		Preflight: func(f *facts.Facts) []doctor.Result {
			return judged(doctor.StandalonePreflight(r.standaloneWants()), f, "authentik-answers", "authentik-token", "authentik-version", "authentik-rights")
		},
	}
	end := renewed{r, keystore.AppPassword, []string{stepNewPassword, stepNewPasswordAuthentik, stepNewPasswordTried, stepNewPasswordEnv,
		stepNewPasswordManagement, stepNewPasswordRestart, stepNewPasswordInForce, stepOldPassword}}
	if r.tail {
		flow.Steps = []Step{end}
		return flow
	}
	flow.Steps = []Step{newSecret{r, stepNewPassword, keystore.AppPassword}, passwordAtAuthentik{r}, passwordTried{r}}
	if r.Answers.EnvSecret != EnvSecretOmit && r.Answers.EnvFile != "" {
		flow.Steps = append(flow.Steps, passwordInFile{r, stepNewPasswordEnv, "setup.env", r.Answers.EnvFile})
	}
	if r.o.NetBirdConfig != "" {
		flow.Steps = append(flow.Steps, passwordInFile{r, stepNewPasswordManagement, "management.json", r.o.NetBirdConfig})
	}
	restart := awaitRestart{renewal: r, id: stepNewPasswordRestart, told: r.fileTold, stays: "both app passwords are good until then; restart NetBird, then go on",
		why: "NetBird reads the app password when it starts; until then it goes on with the old one, which stays good"}
	forget, inForce := oldPassword{r}, passwordInForce{r}
	if r.o.Leak { // the old one must end, whatever becomes of NetBird's calls
		restart.stays = "NetBird's calls to Authentik fail until it has restarted with the new one: restart it, then go on"
		flow.Steps = append(flow.Steps, inForce, forget, restart, end)
	} else {
		flow.Steps = append(flow.Steps, restart, inForce, forget, end)
	}
	return flow
}

func (r *renewal) surveyPassword(ctx context.Context) *facts.Facts {
	f := r.surveyStandalone(ctx)
	f.Local.Renewed = facts.Of(r.Secrets.Get(ctx, keystore.AppPassword+keystore.New))
	if r.o.NetBirdConfig != "" {
		f.Local.Management = readFile(r.o.NetBirdConfig)
	}
	f.NetBird.Instance = facts.Of(r.NetBird.Glance(ctx))
	return f
}

// provePassword makes NetBird's own calls with the new app password.
func (r *renewal) provePassword(ctx context.Context, f *facts.Facts) []doctor.Result {
	p := &standaloneProof{Work: r.Work}
	r.Reader.ProveServiceAccount(ctx, f, p.ask(f))()
	return judged(doctor.StandaloneProof(doctor.Proven{Account: r.Answers.ServiceAccount}), f, "proof-service-account", "proof-users")
}

// passwordAtAuthentik gives the service account a second app password.
type passwordAtAuthentik struct{ *renewal }

func (s passwordAtAuthentik) About() About {
	return About{ID: stepNewPasswordAuthentik, Title: "second app password", Where: AtAuthentik, Object: s.Answers.ServiceAccount,
		Why:   "both are good until NetBird uses the new one, so that none of its calls is refused",
		Makes: "the new value, without an end at Authentik"}
}

func (s passwordAtAuthentik) Look(f *facts.Facts, past state.Receipt) Finding {
	if err := f.Authentik.Passwords.Err; err != nil {
		return unreadable("the service account's app passwords", err)
	}
	fresh := f.Local.Renewed
	if !fresh.OK() {
		return Finding{Verdict: Missing}
	}
	name := s.tokenName(fresh.Value)
	t, stands := tokenNamed(f.Authentik.Passwords.Value, name)
	found := Finding{Verdict: InPlace, ObjectID: t.Identifier}
	if !stands || past.Digest != s.Record.Digest(fresh.Value) {
		found.Verdict = Missing
	}
	if current, _ := s.Record.Last(stepAppPassword); current.ObjectID != name {
		found.Intent.Values = map[string]string{oldToken: current.ObjectID}
	}
	return found
}

// oldToken is the receipt's value that names the token which the new one
// replaces. It is known before anything is replaced and kept until the end.
const oldToken = "old_token"

// tokenName is what a renewed secret's token is called at Authentik: another
// name each time, and the same for the same secret, so that it is found again.
func (r *renewal) tokenName(secret string) string {
	setup := strings.Map(func(c rune) rune { // Authentik wants a slug
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' {
			return c
		}
		return '-'
	}, strings.ToLower(r.Setup))
	return "authbird-" + cut(setup, 40) + "-" + cut(r.Record.Digest(secret), 12)
}

func tokenNamed(all []authentik.Token, identifier string) (authentik.Token, bool) {
	i := slices.IndexFunc(all, func(t authentik.Token) bool { return t.Identifier == identifier })
	if i < 0 {
		return authentik.Token{}, false
	}
	return all[i], true
}

func (s passwordAtAuthentik) Do(ctx context.Context, f *facts.Facts, found Finding) (state.Receipt, error) {
	fresh, account := f.Local.Renewed, f.Authentik.Account.Value
	if !fresh.OK() || account.PK == 0 {
		return state.Receipt{}, errors.New("the new app password or its account is not there")
	}
	name := s.tokenName(fresh.Value)
	receipt := state.Receipt{ObjectID: name, Made: true, Digest: s.Record.Digest(fresh.Value)}
	if found.ObjectID == "" {
		t, err := s.Authentik.CreateToken(ctx, authentik.TokenSpec{Identifier: name, Intent: authentik.IntentAppPassword, User: account.PK, Description: "NetBird, by authbird"})
		if err != nil {
			return receipt, err
		}
		f.Authentik.Passwords.Value = append(f.Authentik.Passwords.Value, t)
		return receipt, unseen(s.Authentik.SetTokenKey(ctx, name, fresh.Value))
	}
	return receipt, s.Authentik.SetTokenKey(ctx, name, fresh.Value)
}

func (s passwordAtAuthentik) Undo(ctx context.Context, r state.Receipt) error {
	return s.Authentik.DeleteToken(ctx, r.ObjectID)
}

// passwordTried proves the new app password with NetBird's own calls, before
// NetBird hears of it.
type passwordTried struct{ *renewal }

func (s passwordTried) About() About {
	return About{ID: stepNewPasswordTried, Title: "trial", Where: AtAuthentik, Object: s.Answers.ServiceAccount,
		Why: "NetBird's own calls must work with the new app password before NetBird gets it", Makes: "nothing"}
}

func (s passwordTried) Look(f *facts.Facts, past state.Receipt) Finding {
	if fresh := f.Local.Renewed; fresh.OK() && past.Digest == s.Record.Digest(fresh.Value) {
		return Finding{Verdict: InPlace, ObjectID: s.Answers.ServiceAccount}
	}
	return Finding{Verdict: Missing}
}

// lastLogin is the receipt's value of the newest sign-in that is authbird's own.
const lastLogin = "last_login"

func (s passwordTried) Do(ctx context.Context, f *facts.Facts, _ Finding) (state.Receipt, error) {
	tried := *f
	tried.Local.AppPassword = f.Local.Renewed
	if err := proofError(s.provePassword(ctx, &tried)); err != nil {
		return state.Receipt{}, err
	}
	receipt := state.Receipt{ObjectID: s.Answers.ServiceAccount, Digest: s.Record.Digest(f.Local.Renewed.Value), Values: map[string]string{}}
	events, err := s.Authentik.Logins(ctx, s.Answers.ServiceAccount, 1)
	if err == nil && len(events) > 0 {
		receipt.Values[lastLogin] = events[0].PK
	}
	return receipt, nil
}

func (s passwordTried) Undo(context.Context, state.Receipt) error { return nil }

// passwordInFile writes the new app password into one of NetBird's files, and
// nothing else.
type passwordInFile struct {
	*renewal
	id, title, path string
}

func (s passwordInFile) About() About {
	return About{ID: s.id, Title: s.title, Where: Here, Object: s.path,
		Why: "NetBird has its app password from there; the rest of the file stays, and the old one is kept beside it"}
}

// fact is the file as it was read.
func (s passwordInFile) fact(f *facts.Facts) *facts.Fact[[]byte] {
	if s.id == stepNewPasswordEnv {
		return &f.Local.EnvFile
	}
	return &f.Local.Management
}

// edited is the file with the new app password in it.
func (s passwordInFile) edited(f *facts.Facts) ([]byte, []hostfiles.Change, error) {
	old := s.fact(f).Value
	if s.id == stepNewPasswordManagement {
		return hostfiles.PatchAppPassword(old, f.Local.Renewed.Value)
	}
	with := &facts.Facts{}
	with.Local.AppPassword = f.Local.Renewed
	return hostfiles.Merge(old, slices.DeleteFunc(s.EnvLines(with), func(l hostfiles.Line) bool { return l.Key != hostfiles.PasswordKey }))
}

func (s passwordInFile) Look(f *facts.Facts, _ state.Receipt) Finding {
	switch err := s.fact(f).Err; {
	case errors.Is(err, fs.ErrNotExist) && s.id == stepNewPasswordEnv:
		return Finding{Verdict: InPlace, Note: s.path + " is no longer there: authbird env gives its lines"}
	case err != nil:
		return Finding{Verdict: Blocked, Note: s.path + " can't be read: " + pathReason(err)}
	}
	if !f.Local.Renewed.OK() {
		return Finding{Verdict: Missing}
	}
	_, changes, err := s.edited(f)
	switch {
	case err != nil:
		return Finding{Verdict: Blocked, Note: s.path + ": " + clients.Clean(err.Error())}
	case len(changes) == 0:
		return Finding{Verdict: InPlace, ObjectID: s.path}
	}
	return Finding{Verdict: Missing, ObjectID: s.path}
}

func (s passwordInFile) Do(ctx context.Context, f *facts.Facts, _ Finding) (state.Receipt, error) {
	edited, _, err := s.edited(f)
	if err != nil {
		return state.Receipt{}, err
	}
	backup, err := hostfiles.Write(s.path, edited, hostfiles.WriteOptions{Now: s.Now(), KeepMode: s.id == stepNewPasswordManagement})
	if err != nil {
		return state.Receipt{}, written(err)
	}
	*s.fact(f) = readFile(s.path)
	f.NetBird.Instance = facts.Of(s.NetBird.Glance(ctx)) // the process that has still read the old one
	return state.Receipt{ObjectID: s.path, Values: map[string]string{
		"backup": backup, changedIn: writeProcess(f.NetBird.Instance.Value.Process)}}, s.fact(f).Err
}

func (s passwordInFile) Undo(context.Context, state.Receipt) error { return nil }

// fileTold is the NetBird process that ran when its files were written.
func (r *renewal) fileTold() string {
	for _, step := range []string{stepNewPasswordManagement, stepNewPasswordEnv} {
		if receipt, _ := r.Record.Last(step); receipt.Values[changedIn] != "" {
			return receipt.Values[changedIn]
		}
	}
	return ""
}

// passwordInForce makes the new app password the setup's.
type passwordInForce struct{ *renewal }

func (s passwordInForce) About() About {
	return About{ID: stepNewPasswordInForce, Title: "app password", Where: Here, Object: keystore.AppPassword,
		Why: "from here on it is the setup's; the old one is kept aside until NetBird is seen to use the new one"}
}

func (s passwordInForce) Look(f *facts.Facts, past state.Receipt) Finding {
	if now := f.Local.AppPassword; now.OK() && past.Digest == s.Record.Digest(now.Value) && past.Digest != "" {
		return Finding{Verdict: InPlace, ObjectID: keystore.AppPassword}
	}
	return Finding{Verdict: Missing}
}

func (s passwordInForce) Do(ctx context.Context, f *facts.Facts, _ Finding) (state.Receipt, error) {
	made, _ := s.Record.Last(stepNewPasswordAuthentik)
	current, _ := s.Record.Last(stepAppPassword)
	receipt, err := s.inForce(ctx, keystore.AppPassword, f.Local.AppPassword, f.Local.Renewed, "NetBird's management server, as "+s.Answers.ServiceAccount)
	if err != nil {
		return receipt, err
	}
	secret, _ := s.Record.Last(stepAppPasswordSecret)
	secret.Digest, current.Digest, current.ObjectID, current.Made = receipt.Digest, receipt.Digest, made.ObjectID, true
	if err := s.write(stepAppPasswordSecret, state.Done, secret, "a new app password"); err != nil {
		return receipt, err
	}
	if err := s.write(stepAppPassword, state.Done, current, "a new app password"); err != nil {
		return receipt, err
	}
	f.Local.AppPassword = f.Local.Renewed
	return receipt, nil
}

func (s passwordInForce) Undo(context.Context, state.Receipt) error { return nil }

// oldPassword deletes the old app password, once NetBird has been seen to sign in
// with the new one.
type oldPassword struct{ *renewal }

func (s oldPassword) About() About {
	return About{ID: stepOldPassword, Title: "old app password", Where: AtAuthentik, Object: s.Answers.ServiceAccount,
		Why:   "it is deleted once Authentik has seen NetBird sign in with the new one",
		Makes: "deleted when it is no longer used"}
}

// Patience is how long NetBird's use of the new one is waited for.
func (s oldPassword) Patience() time.Duration { return s.wait() }

func (s oldPassword) identifier() string {
	made, _ := s.Record.Last(stepNewPasswordAuthentik)
	return made.Values[oldToken]
}

func (s oldPassword) Look(f *facts.Facts, past state.Receipt) Finding {
	if past.ObjectID != "" {
		return Finding{Verdict: InPlace, ObjectID: past.ObjectID}
	}
	return Finding{Verdict: Missing}
}

func (s oldPassword) Do(ctx context.Context, f *facts.Facts, _ Finding) (state.Receipt, error) {
	old := s.identifier()
	if old == "" {
		return state.Receipt{}, errors.New("the journal doesn't name the old app password; delete it in Authentik")
	}
	if !s.o.Leak {
		if err := s.untilUnused(ctx, f); err != nil {
			return state.Receipt{}, err
		}
	}
	if err := s.Authentik.DeleteToken(ctx, old); err != nil && clients.KindOf(err) != clients.Absent {
		return state.Receipt{}, err
	}
	if err := s.forgetBackups(ctx); err != nil {
		return state.Receipt{}, unseen(err)
	}
	if err := s.Secrets.Delete(ctx, keystore.AppPassword+keystore.Old); err != nil {
		return state.Receipt{}, err
	}
	return state.Receipt{ObjectID: old}, nil
}

// forgetBackups deletes the backups beside NetBird's files that hold the old app
// password: they were made by renewing it, and nothing comes back from them.
func (s oldPassword) forgetBackups(ctx context.Context) error {
	value, err := s.Secrets.Get(ctx, keystore.AppPassword+keystore.Old)
	if errors.Is(err, keystore.ErrAbsent) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, file := range []string{s.Answers.EnvFile, s.o.NetBirdConfig} {
		if file == "" {
			continue
		}
		if _, err := hostfiles.Forget(file, value); err != nil {
			return fmt.Errorf("delete the backups of %s with the old app password: %w", file, err)
		}
	}
	return nil
}

// untilUnused waits until the newest sign-in of the service account that isn't
// authbird's own was by the new app password.
func (s oldPassword) untilUnused(ctx context.Context, f *facts.Facts) error {
	made, _ := s.Record.Last(stepNewPasswordAuthentik)
	tried, _ := s.Record.Last(stepNewPasswordTried)
	until := s.Now().Add(s.wait())
	said := false
	for {
		events, err := s.Authentik.Logins(ctx, s.Answers.ServiceAccount, 20)
		switch {
		case clients.KindOf(err) == clients.Forbidden:
			return s.stays("the token may not read Authentik's events, so it can't be seen whether NetBird still uses the old one")
		case err != nil:
			return err
		case len(events) > 0 && events[0].PK != tried.Values[lastLogin] && events[0].Token == made.ObjectID:
			return nil
		}
		if !said {
			said = true
			s.say(s.About(), "NetBird has not signed in with the new app password yet")
		}
		if s.leave.Err() != nil || s.Now().After(until) {
			return s.stays("NetBird was not seen to sign in with the new one")
		}
		if err := s.pause(ctx, loginPause); err != nil {
			return err
		}
	}
}

func (s oldPassword) stays(why string) error {
	return &Stopped{Reason: NeedsPerson, Err: fmt.Errorf("the old one was not deleted: %s; both are good", why),
		Hints: []string{"once NetBird has restarted with the new one: authbird resume"}}
}

func (s oldPassword) Undo(context.Context, state.Receipt) error { return nil }
