package flows

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"authbird/clients"
	"authbird/clients/authentik"
	"authbird/clients/netbird"
	"authbird/keystore"
	"authbird/state"
)

// What a watch for the first login can see.
const (
	SawAuthorised = "authorised" // Authentik signed a person in for NetBird
	SawPending    = "pending"    // NetBird knows the person, who waits for approval
	SawBlocked    = "blocked"    // NetBird knows the person and keeps them out
	SawLetIn      = "let in"     // NetBird let the person in
)

// Sighting is one thing seen of a login.
type Sighting struct {
	Kind   string
	Who    string // cleaned
	UserID string // at NetBird; empty for what Authentik saw
	When   time.Time
}

// watchPause is how long the watch waits between two looks.
const watchPause = 2 * time.Second

// LoginLink is where a person signs in to prove the setup, on any device.
func (s *Session) LoginLink() string { return s.servers.netbird.BaseURL() }

// blindLooks is after how many looks without an answer the watch ends: both
// servers may be away for a moment, as behind a proxy that restarts.
const blindLooks = 10

// WatchLogin looks out for a login by the connector, and tells each new
// sighting once, until the context ends. What was there at the first successful
// look at a side is no news. A side that may not be read is left out; where
// neither may be, the error says so.
func (s *Session) WatchLogin(ctx context.Context, see func(Sighting)) error {
	w := &loginWatch{Session: s, see: see, events: map[string]bool{}, users: map[string]netbird.User{}, came: map[string]bool{}}
	for blind := 0; ; {
		err := w.look(ctx)
		if blind++; err == nil {
			blind = 0
		}
		if err != nil && ctx.Err() == nil && (!mayPass(err) || blind == blindLooks) {
			return err
		}
		if err := s.bench.Wait(ctx, watchPause); err != nil {
			return nil
		}
	}
}

// loginWatch remembers what it has seen.
type loginWatch struct {
	*Session
	see               func(Sighting)
	events            map[string]bool         // of Authentik
	users             map[string]netbird.User // of NetBird, as last seen
	came              map[string]bool         // users who logged in while it watched
	hasEvents, hasAll bool                    // a side was read before
}

func (w *loginWatch) look(ctx context.Context) error {
	events, err1 := w.servers.authentik.Events(ctx, "authorize_application", 20)
	if err1 == nil {
		w.lookAtEvents(events)
	}
	users, err2 := w.servers.netbird.Users(ctx)
	if err2 == nil {
		w.lookAtUsers(users)
	}
	if err1 != nil && err2 != nil {
		return errors.Join(err1, err2)
	}
	return nil
}

func (w *loginWatch) lookAtEvents(events []authentik.Event) {
	for _, e := range events {
		ours := e.ClientID == w.clientID() || e.ClientID == "" && e.Application == w.Answers.Name
		if ours && !w.events[e.PK] && w.hasEvents {
			w.see(Sighting{Kind: SawAuthorised, Who: clients.Clean(first(e.User.Username, e.User.Email)), When: e.Created})
		}
		w.events[e.PK] = true
	}
	w.hasEvents = true
}

// lookAtUsers tells of a user who is new or has logged in again. An approval
// alone is no login; of somebody who came while it watched it is the end of one.
func (w *loginWatch) lookAtUsers(users []netbird.User) {
	for _, u := range users {
		if u.IdPID != w.connectorID() || u.IdPID == "" {
			continue
		}
		before, known := w.users[u.ID]
		w.users[u.ID] = u
		arrived := !known || u.LastLogin.After(before.LastLogin)
		if !w.hasAll || !arrived && (stateOf(before) == stateOf(u) || !w.came[u.ID]) {
			continue
		}
		w.came[u.ID] = true
		w.see(Sighting{Kind: stateOf(u), Who: clients.Clean(first(u.Email, u.Name, u.ID)), UserID: u.ID, When: u.LastLogin})
	}
	w.hasAll = true
}

func stateOf(u netbird.User) string {
	switch {
	case u.PendingApproval:
		return SawPending
	case u.Blocked:
		return SawBlocked
	}
	return SawLetIn
}

func (s *Session) clientID() string {
	return (&Work{Answers: s.Answers, Record: s.setup}).clientID()
}

func (s *Session) connectorID() string {
	receipt, _ := s.setup.Last(stepConnector)
	return receipt.ObjectID
}

// Approve lets a pending user in.
func (s *Session) Approve(ctx context.Context, userID string) error {
	_, err := s.servers.netbird.ApproveUser(ctx, userID)
	return err
}

// NoteLogin writes down that a login was seen arriving: the client secret is
// proven by a person, and the one that a rotation had put aside is forgotten.
func (s *Session) NoteLogin(seen Sighting) error {
	if err := s.forgetOld(context.Background()); err != nil && !errors.Is(err, keystore.ErrReadOnly) {
		return err
	}
	return s.setup.Append(state.Entry{
		Time: s.bench.Now(), Run: s.Run, Flow: s.flow.Name, Step: keystore.ClientSecret, Phase: state.Note,
		Note: "a login was seen: " + seen.Kind,
	})
}

// StartDeviceLogin asks NetBird's embedded IdP for a code that a person enters
// on any device.
func (b *Bench) StartDeviceLogin(ctx context.Context, a state.Answers) (netbird.DeviceLogin, error) {
	s, err := b.servers(a, Tokens{})
	if err != nil {
		return netbird.DeviceLogin{}, err
	}
	idp, err := s.netbird.EmbeddedIdP(ctx)
	if err != nil {
		return netbird.DeviceLogin{}, err
	}
	return s.netbird.StartDeviceLogin(ctx, idp)
}

// AwaitDeviceLogin polls until the person has signed in; the token is good for
// a day.
func (b *Bench) AwaitDeviceLogin(ctx context.Context, a state.Answers, d netbird.DeviceLogin) (string, error) {
	s, err := b.servers(a, Tokens{})
	if err != nil {
		return "", err
	}
	idp, err := s.netbird.EmbeddedIdP(ctx)
	if err != nil {
		return "", err
	}
	pause, end := d.Interval, b.Now().Add(d.ExpiresIn)
	for b.Now().Before(end) {
		if err := b.Wait(ctx, pause); err != nil {
			return "", err
		}
		poll, err := s.netbird.PollDeviceLogin(ctx, idp, d)
		switch {
		case ctx.Err() != nil:
			return "", ctx.Err()
		case mayPass(err): // the person is still at it, and the code still good
			continue
		case err != nil:
			return "", err
		}
		switch poll.State {
		case netbird.DeviceDone:
			return poll.Token, nil
		case netbird.DeviceDenied:
			return "", errors.New("NetBird refused the sign-in with a code")
		case netbird.DeviceExpired:
			return "", errors.New("the code has expired; ask for another")
		case netbird.DeviceSlowDown:
			pause += 5 * time.Second
		}
	}
	return "", errors.New("the code has expired; ask for another")
}

// mayPass says that the same question may be answered a moment later: nothing
// answered, or something on the way did.
func mayPass(err error) bool {
	switch clients.KindOf(err) {
	case clients.Unreachable, clients.Unknown, clients.NotNow:
		return true
	}
	return false
}

// MakeNetBirdToken makes a personal access token for whom the given token
// belongs to, for 1 to 365 days.
func (b *Bench) MakeNetBirdToken(ctx context.Context, a state.Answers, token, name string, days int) (string, error) {
	s, err := b.servers(a, Tokens{NetBird: token})
	if err != nil {
		return "", err
	}
	me := b.reader(s).NetBirdUser(ctx)
	if me.Err != nil {
		return "", me.Err
	}
	before, listErr := s.netbird.Tokens(ctx, me.Value.ID)
	made, err := s.netbird.CreateToken(ctx, me.Value.ID, name, days)
	if clients.KindOf(err) == clients.Unknown && listErr == nil {
		forgetToken(ctx, s.netbird, me.Value.ID, name, before)
	}
	return made.Key, err
}

// forgetToken deletes the token of that name whose answer, and so its key, was
// lost. Where that fails it stays, of use to nobody, until it ends.
func forgetToken(ctx context.Context, c *netbird.Client, userID, name string, before []netbird.Token) {
	now, err := c.Tokens(ctx, userID)
	if err != nil {
		return
	}
	for _, t := range now {
		older := slices.ContainsFunc(before, func(b netbird.Token) bool { return b.ID == t.ID })
		if t.Name == name && !older {
			_ = c.DeleteToken(ctx, userID, t.ID)
		}
	}
}

// Owner is the first person of a fresh NetBird. The password has 8 to 72
// characters.
type Owner struct{ Email, Name, Password string }

// CreateOwner makes the owner of a fresh NetBird in the order that leaves the
// account with a domain: the owner first, then a login, then the first call of
// the API. The token is good for a day. Where the answer to the first was lost,
// or an earlier attempt got that far, the login tells whether the owner is this
// one.
func (b *Bench) CreateOwner(ctx context.Context, a state.Answers, o Owner) (string, error) {
	s, err := b.servers(a, Tokens{})
	if err != nil {
		return "", err
	}
	_, setupErr := s.netbird.Setup(ctx, o.Email, o.Name, o.Password)
	switch clients.KindOf(setupErr) {
	case 0, clients.Unknown, clients.Conflict:
	default:
		return "", setupErr
	}
	token, err := s.firstLogin(ctx, o)
	switch {
	case err != nil && setupErr != nil:
		return "", setupErr
	case err != nil:
		return "", fmt.Errorf("the owner was made, but could not be signed in: %v; go back and sign in with a code", err)
	}
	return token, nil
}

// firstLogin signs the owner in and makes the first call of the API, which
// makes the account.
func (s servers) firstLogin(ctx context.Context, o Owner) (string, error) {
	idp, err := s.netbird.EmbeddedIdP(ctx)
	if err != nil {
		return "", err
	}
	token, err := s.netbird.SignIn(ctx, idp, o.Email, o.Password)
	if err != nil {
		return "", err
	}
	s.netbird.SetToken(token)
	_, err = s.netbird.CurrentUser(ctx)
	return token, err
}
