package flows

import (
	"slices"
	"time"

	"authbird/clients/netbird"
	"authbird/doctor"
	"authbird/facts"
	"authbird/keystore"
	"authbird/state"
)

// The policy of renewal, where a setup has none of its own.
const (
	RotateEvery  = 180                 // days after which a credential is due
	BeforeExpiry = 30 * 24 * time.Hour // and how long before its end at the latest
)

// Due is when a credential should be renewed; zero: its age isn't known and it
// never ends.
func Due(c state.Credential, a state.Answers) time.Time {
	days := a.RotateEvery
	if days <= 0 {
		days = RotateEvery
	}
	var due time.Time
	if !c.Made.IsZero() && c.Name != keystore.SigningKey { // a certificate has no age that matters
		due = c.Made.AddDate(0, 0, days)
	}
	if end := c.Expires; !end.IsZero() && (due.IsZero() || end.Add(-BeforeExpiry).Before(due)) {
		due = end.Add(-BeforeExpiry)
	}
	return due
}

// Renewal is one credential of a setup, as the rotation sees it.
type Renewal struct {
	state.Credential
	Setup   string
	Due     time.Time // zero: never
	Overdue bool
	Known   bool // it is there; else Why says why not
	// Why says why it can't be renewed from here; empty: it can.
	Why string
	// Stopped says that a rotation of it was begun and has not come to its end.
	Stopped bool
	// RestartBreaks says that NetBird was given a client secret that Authentik
	// doesn't have: a restart of NetBird now would break logins.
	RestartBreaks bool
}

// Endless says that it surely never expires. Every access token of NetBird does.
func (r Renewal) Endless() bool {
	return r.Known && r.Expires.IsZero() && !r.EndUnknown && r.Name != keystore.SigningKey && r.Name != keystore.NetBirdToken
}

// credentialsOf are the names of what can be renewed of a setup. NetBird's API is
// not needed in standalone mode, but a token for it may be kept there too.
func credentialsOf(s *state.Setup) []string {
	if s.Answers.Mode != state.Standalone {
		return []string{keystore.ClientSecret, keystore.AuthentikToken, keystore.NetBirdToken, keystore.SigningKey}
	}
	names := []string{keystore.AppPassword, keystore.AuthentikToken}
	if slices.ContainsFunc(s.Credentials, func(c state.Credential) bool { return c.Name == keystore.NetBirdToken && c.Kept }) {
		names = append(names, keystore.NetBirdToken)
	}
	return append(names, keystore.SigningKey)
}

// Renewals lists a setup's credentials. It asks neither a server nor the
// keystore.
func Renewals(s *state.Setup, now time.Time) []Renewal {
	names := credentialsOf(s)
	out := make([]Renewal, 0, len(names))
	for _, name := range names {
		i := slices.IndexFunc(s.Credentials, func(c state.Credential) bool { return c.Name == name })
		r := Renewal{Setup: s.Name, Credential: state.Credential{Name: name}}
		if i >= 0 {
			r.Credential, r.Known = s.Credentials[i], true
		}
		r.Due = Due(r.Credential, s.Answers)
		r.Overdue = !r.Due.IsZero() && !now.Before(r.Due)
		r.Why = whyNot(s, r.Credential, i >= 0)
		_, r.Stopped = openRun(s, rotating(name))
		r.RestartBreaks = name == keystore.ClientSecret && inGap(s)
		out = append(out, r)
	}
	return out
}

func whyNot(s *state.Setup, c state.Credential, known bool) string {
	switch c.Name {
	case keystore.AuthentikToken, keystore.NetBirdToken:
		if !known || !c.Kept {
			return "it was not kept, so it can't be renewed from here; --keep-admin-tokens keeps it at the next setup or resume"
		}
		return ""
	case keystore.SigningKey:
		if receipt, _ := s.Last(stepProvider); receipt.ObjectID == "" {
			return "the setup has no provider yet"
		}
		return ""
	}
	if !known {
		return "the setup has none yet"
	}
	return ""
}

// Leaked is what to renew of a setup whose secrets are in wrong hands, the most
// powerful first, and which of its secrets only a person can end.
func Leaked(all []Renewal) (order, yours []string) {
	for _, name := range []string{keystore.AuthentikToken, keystore.NetBirdToken, keystore.AppPassword, keystore.ClientSecret} {
		i := slices.IndexFunc(all, func(r Renewal) bool { return r.Name == name })
		switch {
		case i < 0:
		case all[i].Why == "":
			order = append(order, name)
		default:
			yours = append(yours, name)
		}
	}
	return order, yours
}

// rotating is the flow that renews a credential.
func rotating(credential string) string { return "rotate-" + credential }

// Rotating is the credential that a flow of the journal renews; false where it
// is no rotation.
func Rotating(flow string) (credential string, ok bool) {
	for _, name := range []string{keystore.ClientSecret, keystore.AppPassword, keystore.AuthentikToken, keystore.NetBirdToken, keystore.SigningKey} {
		if flow == rotating(name) {
			return name, true
		}
	}
	return "", false
}

// openRun is where the entries of a flow begin that no run has brought to its
// end yet; false where the last run came to its end, or none was.
func openRun(s *state.Setup, flow string) (from int, open bool) {
	for i, e := range s.Entries {
		switch {
		case e.Step != "" || e.Phase == state.Note:
		case e.Flow == Removing && (e.Phase == state.Done || e.Phase == state.Undone):
			open = false
		case e.Flow != flow:
		case e.Phase == state.Done || e.Phase == state.Undone:
			open = false
		case e.Phase == state.Began && !open:
			from, open = i, true
		}
	}
	return from, open
}

// Unrotated says what of a rotation stands half done on a setup.
type Unrotated struct {
	Credential string
	Since      time.Time
	// RestartBreaks says that NetBird was given a client secret that Authentik
	// doesn't have: a restart of NetBird now would break logins.
	RestartBreaks bool
}

// PendingRotation tells of a rotation that was begun on a setup and has not come
// to its end; false where there is none. `authbird resume` goes on with it.
func PendingRotation(s *state.Setup) (Unrotated, bool) {
	for _, name := range credentialsOf(s) {
		from, open := openRun(s, rotating(name))
		if !open {
			continue
		}
		return Unrotated{Credential: name, Since: s.Entries[from].Time, RestartBreaks: name == keystore.ClientSecret && inGap(s)}, true
	}
	return Unrotated{}, false
}

// inGap says that NetBird may have a client secret that Authentik has not.
func inGap(s *state.Setup) bool {
	flow := rotating(keystore.ClientSecret)
	_, sent := s.Begun(flow, stepNewSecretNetBird)
	told, _ := s.Last(stepNewSecretNetBird)
	known, _ := s.Last(stepNewSecretAuthentik)
	return (sent || told.ObjectID != "") && known.ObjectID == ""
}

// gapOf says how a setup in the gap stands, by the NetBird process that answers
// now.
func gapOf(s *state.Setup, now facts.Fact[netbird.Instance]) doctor.Gap {
	if !inGap(s) {
		return doctor.NoGap
	}
	told, _ := s.Last(stepNewSecretNetBird)
	began, open := s.Begun(rotating(keystore.ClientSecret), stepNewSecretNetBird)
	if open {
		told = began.Receipt
	}
	process, there := readProcess(told.Values[changedIn])
	same, known := now.Value.Process.SameRun(process)
	switch {
	case !there || !now.OK() || !known || open && !same:
		return doctor.GapUnsure
	case same:
		return doctor.GapOpen
	}
	return doctor.GapEntered
}

// PendingRotation is [PendingRotation] of a setup by its name.
func (b *Bench) PendingRotation(name string) (Unrotated, bool, error) {
	s, err := b.State.Load(name)
	if err != nil {
		return Unrotated{}, false, err
	}
	u, ok := PendingRotation(s)
	return u, ok, nil
}
