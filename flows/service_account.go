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
	"authbird/keystore"
	"authbird/state"
)

// clientID makes the public provider's client id, which is no secret, before
// the request that uses it leaves.
type clientID struct{ *Work }

func (s clientID) About() About {
	return About{ID: stepClientID, Title: "client id", Where: Here, Object: "client id",
		Why:   "it is how the provider is found again, whatever happens to an answer",
		Makes: "40 letters and digits"}
}

func (s clientID) Look(f *facts.Facts, past state.Receipt) Finding {
	if theirs, ok := foreignProvider(f, s.clientID()); ok && past.Values["client_id"] == "" {
		return Finding{Verdict: InPlace, Note: fmt.Sprintf("the one of the provider %q would be taken over", theirs.Name)}
	}
	if id := past.Values["client_id"]; id != "" {
		return Finding{Verdict: InPlace, ObjectID: id}
	}
	return Finding{Verdict: Missing}
}

func (s clientID) Do(_ context.Context, f *facts.Facts, _ Finding) (state.Receipt, error) {
	id, err := randomText(s.Rand, clientIDLength)
	f.Ask.ClientID = id
	return state.Receipt{ObjectID: id, Made: true, Values: map[string]string{"client_id": id}}, err
}

func (s clientID) Undo(context.Context, state.Receipt) error { return nil }

// appPasswordSecret makes the app password and stores it, before Authentik
// hears of it.
type appPasswordSecret struct{ *Work }

func (s appPasswordSecret) About() About {
	return About{ID: stepAppPasswordSecret, Title: "app password", Where: Here, Object: keystore.AppPassword,
		Why:   "NetBird signs in to Authentik's API with it; letters and digits only, because setup.env and management.json both interpret other characters",
		Makes: "64 letters and digits, kept in the keystore"}
}

func (s appPasswordSecret) Look(f *facts.Facts, past state.Receipt) Finding {
	if past.Digest == "" {
		return Finding{Verdict: Missing}
	}
	return inKeystore(keystore.AppPassword, f.Local.AppPassword)
}

func (s appPasswordSecret) Do(ctx context.Context, f *facts.Facts, _ Finding) (state.Receipt, error) {
	secret, err := randomText(s.Rand, clientSecretLength)
	if err != nil {
		return state.Receipt{}, err
	}
	receipt, err := s.keepSecret(ctx, keystore.AppPassword, secret, "NetBird's management server, as "+s.Answers.ServiceAccount)
	f.Local.AppPassword = facts.Of(secret, nil)
	return receipt, err
}

func (s appPasswordSecret) Undo(ctx context.Context, _ state.Receipt) error {
	return s.Secrets.Delete(ctx, keystore.AppPassword)
}

// serviceAccount brings the account about that NetBird reads users with.
type serviceAccount struct{ *Work }

func (s serviceAccount) About() About {
	return About{ID: stepServiceAccount, Title: "service account", Where: AtAuthentik, Object: s.Answers.ServiceAccount,
		Why:   "NetBird reads the names and addresses of people through it",
		Makes: "without a group and without an end"}
}

func (s serviceAccount) Look(f *facts.Facts, past state.Receipt) Finding {
	if f.Authentik.Account.Absent() {
		if t := f.Authentik.AccountToken; t.OK() && !past.Made {
			return Finding{Verdict: Blocked, Note: fmt.Sprintf("a service account %q exists, whose name differs in upper and lower case only; name it, or another, with --service-account", clients.Clean(t.Value.Username))}
		}
		return Finding{Verdict: Missing}
	}
	if err := f.Authentik.Account.Err; err != nil {
		return unreadable("the service account", err)
	}
	u := f.Authentik.Account.Value
	found := Finding{Verdict: InPlace, ObjectID: strconv.Itoa(u.PK)}
	if past.ObjectID == "" {
		found.Fields = append(found.Fields, Field{Name: "owner", Have: "made by somebody else", Want: "used by this setup, with an app password of its own"})
	}
	if u.Type != "" && u.Type != "service_account" {
		return Finding{Verdict: Blocked, ObjectID: found.ObjectID,
			Note: fmt.Sprintf("%q is the name of a person (%s) in Authentik; choose another with --service-account", clients.Clean(u.Username), clients.Clean(u.Type))}
	}
	if !u.Active {
		found.Intent.Before = map[string]string{"is_active": "false"}
		found.Fields = append(found.Fields, Field{Name: "active", Have: "no", Want: "yes"})
	}
	if len(found.Fields) > 0 {
		found.Verdict = Differs
	}
	return found
}

func (s serviceAccount) Do(ctx context.Context, f *facts.Facts, found Finding) (state.Receipt, error) {
	receipt := state.Receipt{ObjectID: found.ObjectID, Made: found.ObjectID == ""}
	if found.ObjectID != "" {
		if !f.Authentik.Account.Value.Active {
			if err := s.Authentik.ActivateUser(ctx, f.Authentik.Account.Value.PK, true); err != nil {
				return receipt, err
			}
			f.Authentik.Account.Value.Active = true
		}
		return receipt, nil
	}
	made, err := s.Authentik.CreateServiceAccount(ctx, s.Answers.ServiceAccount)
	if err != nil {
		return receipt, err
	}
	receipt.ObjectID = strconv.Itoa(made.PK)
	f.Authentik.Account = facts.Of(authentik.User{PK: made.PK, Username: made.Username, Active: true, Type: "service_account"}, nil)
	f.Authentik.Passwords = facts.Of([]authentik.Token{{Identifier: authentik.TokenIdentifier(s.Answers.ServiceAccount), Intent: authentik.IntentAppPassword, User: made.PK}}, nil)
	return receipt, nil
}

// Undo deletes an account that was made; Authentik deletes its tokens with it.
func (s serviceAccount) Undo(ctx context.Context, r state.Receipt) error {
	pk, err := strconv.Atoi(r.ObjectID)
	if err != nil {
		return err
	}
	if r.Made {
		u, err := s.Authentik.User(ctx, pk)
		if err != nil {
			return err
		}
		if u.Username != s.Answers.ServiceAccount || u.Type != "" && u.Type != "service_account" {
			return nil // another user by now: an Authentik that was set up anew counts from one
		}
		return s.Authentik.DeleteUser(ctx, pk)
	}
	if r.Before["is_active"] == "false" {
		return s.Authentik.ActivateUser(ctx, pk, false)
	}
	return nil
}

// appPassword gives the service account an app password of our value. On an
// account that authbird made it is the one that Authentik made with it; on a
// foreign one it is a further one, so that nothing that uses the account breaks.
type appPassword struct{ *Work }

func (s appPassword) About() About {
	return About{ID: stepAppPassword, Title: "app password", Where: AtAuthentik, Object: s.identifier(),
		Why:   "an app password, unlike the account's own, is what Authentik takes from a program",
		Makes: "the value from the keystore, without an end at Authentik"}
}

// identifier is the token's name at Authentik.
func (s appPassword) identifier() string {
	if made, _ := s.Record.Last(stepAppPassword); made.ObjectID != "" { // another one after a rotation
		return made.ObjectID
	}
	if account, _ := s.Record.Last(stepServiceAccount); account.ObjectID != "" && !account.Made {
		return "authbird-" + strings.ToLower(s.Answers.ServiceAccount) + "-" + strings.ToLower(cut(s.clientID(), 8))
	}
	return authentik.TokenIdentifier(s.Answers.ServiceAccount)
}

func cut(s string, n int) string { return s[:min(n, len(s))] }

// Look can't read the value; that it was set is in the journal, by its digest,
// and the proof tries it. So the value is set again wherever in doubt.
func (s appPassword) Look(f *facts.Facts, past state.Receipt) Finding {
	t, stands := s.find(f)
	if !stands || !f.Local.AppPassword.OK() || past.Digest != s.Record.Digest(f.Local.AppPassword.Value) {
		return Finding{Verdict: Missing, ObjectID: t.Identifier}
	}
	found := Finding{Verdict: InPlace, ObjectID: t.Identifier}
	if t.Expiring {
		found.Verdict = Differs
		found.Fields = append(found.Fields, Field{Name: "ends", Have: t.Expires.Format("2 January 2006"), Want: "never"})
	}
	return found
}

func (s appPassword) find(f *facts.Facts) (authentik.Token, bool) {
	tokens := f.Authentik.Passwords.Value
	i := slices.IndexFunc(tokens, func(t authentik.Token) bool { return t.Identifier == s.identifier() })
	if i < 0 {
		return authentik.Token{}, false
	}
	return tokens[i], true
}

func (s appPassword) Do(ctx context.Context, f *facts.Facts, _ Finding) (state.Receipt, error) {
	account := f.Authentik.Account.Value
	password := f.Local.AppPassword
	if !password.OK() || account.PK == 0 {
		return state.Receipt{}, fmt.Errorf("the app password or its account is not there")
	}
	t, stands := s.find(f)
	if !stands {
		var err error
		t, err = s.Authentik.CreateToken(ctx, authentik.TokenSpec{Identifier: s.identifier(), Intent: authentik.IntentAppPassword,
			User: account.PK, Description: "NetBird, by authbird"})
		if err != nil {
			return state.Receipt{}, err
		}
		f.Authentik.Passwords.Value = append(f.Authentik.Passwords.Value, t)
		err = s.fill(ctx, f, t)
		return s.receipt(t, password.Value), unseen(err) // whatever became of its value, the token is ours
	}
	return s.receipt(t, password.Value), s.fill(ctx, f, t)
}

func (s appPassword) receipt(t authentik.Token, password string) state.Receipt {
	return state.Receipt{ObjectID: t.Identifier, Made: true, Digest: s.Record.Digest(password)}
}

// fill gives a token our value and no end.
func (s appPassword) fill(ctx context.Context, f *facts.Facts, t authentik.Token) error {
	if t.Expiring {
		never := false
		changed, err := s.Authentik.UpdateToken(ctx, t.Identifier, authentik.TokenChange{User: f.Authentik.Account.Value.PK, Intent: authentik.IntentAppPassword, Expiring: &never})
		if err != nil {
			return err
		}
		for i := range f.Authentik.Passwords.Value {
			if f.Authentik.Passwords.Value[i].Identifier == t.Identifier {
				f.Authentik.Passwords.Value[i] = changed
			}
		}
	}
	return s.Authentik.SetTokenKey(ctx, t.Identifier, f.Local.AppPassword.Value)
}

// Undo deletes the token, unless it went with the account.
func (s appPassword) Undo(ctx context.Context, r state.Receipt) error {
	return s.Authentik.DeleteToken(ctx, r.ObjectID)
}
