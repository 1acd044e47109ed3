package tui

import (
	"context"

	"authbird/clients/netbird"
	"authbird/doctor"
	"authbird/flows"
	"authbird/state"
)

// Servers looks at servers before there is a setup.
type Servers interface {
	SeeAuthentik(ctx context.Context, a state.Answers, token string) (flows.AuthentikSeen, error)
	SeeNetBird(ctx context.Context, a state.Answers, token string) (flows.NetBirdSeen, error)
	Choices(ctx context.Context, a state.Answers, t flows.Tokens) (flows.Choices, error)
}

// Door opens NetBird to a person who has no token.
type Door interface {
	StartDeviceLogin(ctx context.Context, a state.Answers) (netbird.DeviceLogin, error)
	// AwaitDeviceLogin polls until the person signed in, said no, or was too late.
	AwaitDeviceLogin(ctx context.Context, a state.Answers, d netbird.DeviceLogin) (token string, err error)
	MakeNetBirdToken(ctx context.Context, a state.Answers, token, name string, days int) (string, error)
	CreateOwner(ctx context.Context, a state.Answers, o flows.Owner) (token string, err error)
}

// Opener opens setups for writing.
type Opener interface {
	Defaults(mode state.Mode) state.Answers
	// Open locks the setup, made where it is new. The session tells ears what it
	// does and asks them.
	Open(ctx context.Context, name string, a state.Answers, t flows.Tokens, ears Ears) (Session, error)
}

// Ears are how a session speaks with a person.
type Ears struct {
	Watch  func(flows.Event)
	Adopt  func(context.Context, flows.About, flows.Finding) error
	GiveUp context.Context
}

// Doctor says what is wrong with a connection, and repairs it.
type Doctor interface {
	// Diagnose changes nothing. see hears each answer as it is there.
	Diagnose(ctx context.Context, p Patient, see func(doctor.Result)) (*flows.Diagnosis, error)
	// PlanRepair plans the repairs of those ids, nil for all, and locks the setup.
	PlanRepair(ctx context.Context, d *flows.Diagnosis, t flows.Tokens, ids []string, ears Ears) (Repair, error)
}

// Patient is a connection that the doctor looks at.
type Patient struct {
	Setup   string        // "": one that authbird did not make
	Answers state.Answers // of that one, as far as they are known
	Tokens  flows.Tokens
	Files   flows.DiagnoseOptions // what else is at hand
}

// Repair is a repair, planned.
type Repair interface {
	Plan() *flows.Plan
	// Carry does it, and says what a second look finds.
	Carry(ctx context.Context) ([]doctor.Result, error)
	Close() error
}

// Bench is where setups are worked on.
type Bench interface {
	Servers
	Door
	Opener
	Doctor
}

// Work is one setup's work.
type Work interface {
	Plan(ctx context.Context) (*flows.Plan, error)
	Carry(ctx context.Context, p *flows.Plan) ([]doctor.Result, error)
	// Where says in words where the setup's secrets are kept.
	Where() string
	Close() error
}

// Logins is the proof by a person who signs in.
type Logins interface {
	LoginLink() string
	WatchLogin(ctx context.Context, see func(flows.Sighting)) error
	Approve(ctx context.Context, userID string) error
	// NoteLogin writes down that a person was seen to sign in.
	NoteLogin(flows.Sighting) error
}

// Undoer takes a setup back.
type Undoer interface {
	// PlanRemoval says what goes, what is put back and what stays, and whether it
	// may be done at all.
	PlanRemoval(ctx context.Context) ([]flows.Removal, []doctor.Result, error)
	// Remove does it and says where the journal is kept. force is a person's
	// reason for doing it against the guard.
	Remove(ctx context.Context, force string) (archive string, err error)
}

// Renewer renews one credential of the setup.
type Renewer interface {
	// Renew says what that means, and changes nothing yet.
	Renew(ctx context.Context, credential string, o flows.RotateOptions) (Renewal, flows.Meaning, error)
}

// Renewal is a renewal that was planned.
type Renewal interface {
	Carry(ctx context.Context) (flows.Rotated, error)
}

// Session is one setup, opened.
type Session interface {
	Work
	Logins
	Undoer
	Renewer
}

// Shelf is where the setups are kept.
type Shelf interface {
	List() ([]*state.Setup, error)
	// Busy says which living run holds the setup; nil where none does.
	Busy(name string) *state.BusyError
}

// OnBench makes a Bench of the one that flows has.
func OnBench(b *flows.Bench) Bench { return bench{b} }

type bench struct{ *flows.Bench }

// SeeAuthentik is asked before NetBird's address is known, and flows wants two:
// NetBird is not asked anything there.
func (b bench) SeeAuthentik(ctx context.Context, a state.Answers, token string) (flows.AuthentikSeen, error) {
	if a.NetBirdURL == "" && a.NetBirdDomain == "" {
		a.NetBirdURL = a.AuthentikURL
	}
	return b.Bench.SeeAuthentik(ctx, a, token)
}

func (b bench) Open(ctx context.Context, name string, a state.Answers, t flows.Tokens, ears Ears) (Session, error) {
	s, err := b.Bench.Open(ctx, name, a, t)
	if err != nil {
		return nil, err
	}
	s.Watch, s.Adopt, s.GiveUp = ears.Watch, ears.Adopt, ears.GiveUp
	return session{s}, nil
}

// session is the one that flows has, with what the screens call otherwise.
type session struct{ *flows.Session }

func (s session) Renew(ctx context.Context, credential string, o flows.RotateOptions) (Renewal, flows.Meaning, error) {
	r, err := s.PlanRotation(ctx, credential, o)
	if r == nil {
		return nil, flows.Meaning{}, err
	}
	return r, r.Means, err
}

func (b bench) Diagnose(ctx context.Context, p Patient, see func(doctor.Result)) (*flows.Diagnosis, error) {
	o := p.Files
	o.Watch = see
	if p.Setup == "" {
		return b.Bench.DiagnoseFound(ctx, p.Answers, p.Tokens, o)
	}
	return b.Bench.Diagnose(ctx, p.Setup, p.Tokens, o)
}

func (b bench) PlanRepair(ctx context.Context, d *flows.Diagnosis, t flows.Tokens, ids []string, ears Ears) (Repair, error) {
	r, err := b.Bench.PlanRepair(ctx, d, t, ids)
	if err != nil {
		return nil, err
	}
	r.Watch, r.Adopt, r.GiveUp = ears.Watch, ears.Adopt, ears.GiveUp
	return r, nil
}
