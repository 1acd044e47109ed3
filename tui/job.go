package tui

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"sync"

	tea "charm.land/bubbletea/v2"

	"authbird/doctor"
	"authbird/flows"
	"authbird/state"
)

// job is a session that is open, and the two ways between it and the screens:
// what it says is kept in a queue, and what it asks waits for an answer. The
// engine never waits for a screen to draw.
type job struct {
	name    string
	session Session
	ended   sync.WaitGroup // work that is under way
	closed  bool
	gone    sync.Once
	outcome error  // of the last run
	archive string // where the journal is kept, once the setup is taken back
	ran     bool
	renewed string // the credential that the last run renewed

	mu      sync.Mutex
	queue   []any // flows.Event and adoptAsked, in order
	wake    chan struct{}
	allowed map[string][]flows.Field

	giveUp  context.Context
	abandon context.CancelFunc
}

// adoptAsked is the engine's one question, while the engine waits.
type adoptAsked struct {
	about   flows.About
	finding flows.Finding
	reply   chan error
}

// heard is everything that was said since the last time.
type heard struct{ things []any }

func newJob(name string) *job {
	giveUp, abandon := context.WithCancel(context.Background())
	return &job{
		name: name, wake: make(chan struct{}, 1), allowed: map[string][]flows.Field{},
		giveUp: giveUp, abandon: abandon,
	}
}

func (j *job) ears() Ears {
	return Ears{Watch: func(e flows.Event) { j.say(e) }, Adopt: j.adopt, GiveUp: j.giveUp}
}

func (j *job) say(thing any) {
	j.mu.Lock()
	j.queue = append(j.queue, thing)
	j.mu.Unlock()
	select {
	case j.wake <- struct{}{}:
	default:
	}
}

func (j *job) drain() []any {
	j.mu.Lock()
	defer j.mu.Unlock()
	out := j.queue
	j.queue = nil
	return out
}

// listen waits until something is said, and brings all of it.
func (j *job) listen(ctx context.Context) tea.Cmd {
	return func() tea.Msg {
		select {
		case <-j.wake:
			return heard{j.drain()}
		case <-ctx.Done():
			return nil
		}
	}
}

// allow notes a yes to what a finding shows.
func (j *job) allow(id string, fields []flows.Field) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.allowed[id] = slices.Clone(fields)
}

// errDeclined is the answer no.
var errDeclined = errors.New("it stands there already, and you chose to leave it as it is")

// adopt is the engine's question. A yes that was given to the same differences
// is not asked for again.
func (j *job) adopt(ctx context.Context, about flows.About, finding flows.Finding) error {
	j.mu.Lock()
	fields, yes := j.allowed[about.ID]
	j.mu.Unlock()
	if yes && reflect.DeepEqual(fields, slices.Clone(finding.Fields)) {
		return nil
	}
	asked := adoptAsked{about: about, finding: finding, reply: make(chan error, 1)}
	j.say(asked)
	select {
	case err := <-asked.reply:
		return err
	case <-ctx.Done():
		return ctx.Err()
	case <-j.giveUp.Done():
		return j.giveUp.Err()
	}
}

// begin says whether work may begin: not on a session that was closed. Who was
// told yes says end.
func (j *job) begin() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closed {
		return false
	}
	j.ended.Add(1)
	return true
}

var errClosed = errors.New("the setup was closed")

// open opens the session, where it isn't open yet.
func (j *job) open(ctx context.Context, opener Opener, d draft) error {
	if !j.begin() {
		return errClosed
	}
	defer j.ended.Done()
	if j.session != nil {
		return nil
	}
	session, err := opener.Open(ctx, j.name, d.answers, d.tokens, j.ears())
	if err == nil {
		j.session = session
	}
	return err
}

func (j *job) plan(ctx context.Context) (*flows.Plan, error) {
	if !j.begin() {
		return nil, errClosed
	}
	defer j.ended.Done()
	return j.session.Plan(ctx)
}

func (j *job) carry(ctx context.Context, p *flows.Plan) ([]doctor.Result, error) {
	if !j.begin() {
		return nil, errClosed
	}
	defer j.ended.Done()
	results, err := j.session.Carry(ctx, p)
	j.mu.Lock()
	j.outcome, j.ran = err, true
	j.mu.Unlock()
	return results, err
}

// came is how the last run came out; false where none did.
func (j *job) came() (error, bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.outcome, j.ran
}

// noted is what came of writing a login down.
type noted struct{ err error }

// watch tells the queue who signs in. The first who is let in is written down.
func (j *job) watch(ctx context.Context) error {
	if !j.begin() {
		return errClosed
	}
	defer j.ended.Done()
	seen := false
	return j.session.WatchLogin(ctx, func(s flows.Sighting) {
		if s.Kind == flows.SawLetIn && !seen {
			seen = true
			j.say(noted{j.session.NoteLogin(s)})
		}
		j.say(s)
	})
}

func (j *job) approve(ctx context.Context, userID string) error {
	if !j.begin() {
		return errClosed
	}
	defer j.ended.Done()
	return j.session.Approve(ctx, userID)
}

// close waits for what is under way and gives the setup free. Who closes again
// waits until it is free.
func (j *job) close() tea.Cmd {
	return func() tea.Msg {
		j.mu.Lock()
		j.closed = true
		j.mu.Unlock()
		j.gone.Do(func() {
			j.ended.Wait()
			j.abandon()
			if j.session != nil {
				_ = j.session.Close() // the lock ends with the process at the latest
			}
		})
		return nil
	}
}

// oneAtATime lets a setup be opened only when the one before is closed, so that
// a screen that was left doesn't lock out the next.
type oneAtATime struct {
	Opener
	turn chan struct{}
}

func newOneAtATime(o Opener) oneAtATime { return oneAtATime{o, make(chan struct{}, 1)} }

func (o oneAtATime) Open(ctx context.Context, name string, a state.Answers, t flows.Tokens, ears Ears) (Session, error) {
	select {
	case o.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	session, err := o.Opener.Open(ctx, name, a, t, ears)
	if err != nil {
		<-o.turn
		return nil, err
	}
	return turn{session, o.turn}, nil
}

// doctorInTurn lets a repair lock its setup only when the session before it is
// closed.
type doctorInTurn struct {
	Doctor
	turn chan struct{}
}

func (d doctorInTurn) PlanRepair(ctx context.Context, found *flows.Diagnosis, t flows.Tokens, ids []string, ears Ears) (Repair, error) {
	select {
	case d.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	repair, err := d.Doctor.PlanRepair(ctx, found, t, ids, ears)
	if err != nil {
		<-d.turn
		return nil, err
	}
	return repairTurn{repair, d.turn}, nil
}

type repairTurn struct {
	Repair
	held chan struct{}
}

func (t repairTurn) Close() error {
	defer func() { <-t.held }()
	return t.Repair.Close()
}

// turn ends when the session is closed.
type turn struct {
	Session
	held chan struct{}
}

func (t turn) Close() error {
	defer func() { <-t.held }()
	return t.Session.Close()
}
