package flows

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"authbird/clients/authentik"
	"authbird/doctor"
	"authbird/facts"
	"authbird/keystore"
	"authbird/state"
)

// RotateOptions are what a person says about one renewal. They are not kept.
type RotateOptions struct {
	Wait          time.Duration // longest wait for NetBird's restart; 0: ten minutes
	NetBirdConfig string        // management.json to write a new app password into; empty: the setup's
	// Leak says that the old secret is in wrong hands: it ends first, and logins
	// or NetBird's calls fail until NetBird has the new one.
	Leak bool
	// Alone says that nobody is there who could restart NetBird or say that it
	// was.
	Alone bool
	// Restarted gives a person's word that NetBird has restarted; nil: nobody
	// gives it.
	Restarted <-chan struct{}
}

// DefaultWait is how long a restart is waited for.
const DefaultWait = 10 * time.Minute

// Meaning is what renewing a credential means, in sentences, before it is done.
type Meaning struct {
	What  []string // what will happen, in order
	Fails string   // what fails meanwhile, and for how long; empty: nothing
	Must  string   // what the person must do; empty: nothing
	Runs  string   // the command that will be run; empty: none
	Warn  string   // what is dangerous now; empty: nothing
}

// Rotation is the renewal of one credential of an opened setup.
type Rotation struct {
	Credential string
	Means      Meaning
	Plan       *Plan

	s      *Session
	work   *Work
	o      RotateOptions
	flow   Flow
	engine Engine
	run    *renewal
}

// Rotated is how a renewal came out.
type Rotated struct {
	Credential string
	Results    []doctor.Result
	// Proven says that a use of the new one was seen: a login, or a call of
	// NetBird's.
	Proven  bool
	Windows []Window // in which logins or NetBird could not be reached, as measured
	Remarks []string // what else a person should know or do
}

// renewal is what the steps of one rotation share.
type renewal struct {
	*Work
	id    string // the run's name in the journal
	flow  string
	o     RotateOptions
	leave context.Context
	shell func(context.Context) error // the restart command; nil: none
	pause func(context.Context, time.Duration) error
	known func() []state.Credential
	// alsoKept are the other setups of this machine that keep the same token.
	alsoKept func(name, token string) ([]string, error)
	amend    func(func(*state.Answers)) error // changes the setup's answers on disk
	watch    func(Event)
	tail     bool // the new one is in force; only the end is missing
	windows  []Window
	before   map[string]authentik.Event // logins until NetBird ran on the new secret; nil: not known
	last     *restartWatch              // the newest watch
	past     bool                       // NetBird has restarted with the new secret: there is no way back
	remarks  []string
}

func (r *renewal) say(about About, note string) {
	r.watch(Event{Phase: Waiting, Step: about, Finding: Finding{Verdict: Missing, Note: note}})
}

// write appends an entry of this rotation to the journal.
func (r *renewal) write(step string, phase state.Phase, receipt state.Receipt, note string) error {
	return r.Record.Append(state.Entry{Time: r.Now(), Run: r.id, Flow: r.flow, Step: step, Phase: phase, Receipt: receipt, Note: note})
}

func (r *renewal) remark(format string, args ...any) {
	r.remarks = append(r.remarks, fmt.Sprintf(format, args...))
}

// wait is how long a restart is waited for.
func (r *renewal) wait() time.Duration {
	if r.o.Wait > 0 {
		return r.o.Wait
	}
	return DefaultWait
}

// PlanRotation says what renewing a credential means. It changes nothing.
func (s *Session) PlanRotation(ctx context.Context, credential string, o RotateOptions) (*Rotation, error) {
	if err := s.mayRotate(credential); err != nil {
		return nil, err
	}
	if o.NetBirdConfig == "" {
		o.NetBirdConfig = first(s.begunWith(credential), s.Answers.NetBirdConfig)
	}
	r := s.rotation(credential, o)
	switch credential {
	case keystore.ClientSecret:
		r.flow = r.run.secretFlow()
	case keystore.AppPassword:
		r.flow = r.run.passwordFlow()
	case keystore.AuthentikToken:
		r.flow = r.run.authentikTokenFlow()
	case keystore.NetBirdToken:
		r.flow = r.run.netBirdTokenFlow()
	case keystore.SigningKey:
		r.flow = r.run.keyFlow()
	}
	var err error
	r.Plan, err = r.engine.Plan(ctx, r.flow)
	r.Means = r.meaning()
	if err != nil {
		return r, err
	}
	return r, r.possible()
}

// rotation is the renewal of a credential, without its steps.
func (s *Session) rotation(credential string, o RotateOptions) *Rotation {
	r := &Rotation{Credential: credential, s: s, o: o, work: s.workOn()}
	r.run = &renewal{Work: r.work, id: s.Run, flow: rotating(credential), o: o, leave: context.Background(), pause: s.bench.Wait, watch: func(e Event) { s.Watch(e) },
		known: func() []state.Credential { return slices.Clone(s.setup.Credentials) }, amend: s.amend, alsoKept: s.alsoKeptBy}
	if s.Answers.RestartCommand != "" && s.bench.Shell != nil {
		r.run.shell = r.restart
	}
	from, open := openRun(s.setup, rotating(credential))
	r.run.tail = open && s.inTail(from, rotating(credential))
	r.flow = Flow{Name: rotating(credential)}
	r.engine = s.Engine
	r.engine.Begin = nil
	r.engine.Watch = func(e Event) { s.Watch(e) }
	r.engine.Adopt = nil
	return r
}

// configKey is the receipt's value of the management.json that a renewal was
// begun with.
const configKey = "netbird_config"

// begunWith is the management.json of a renewal that goes on.
func (s *Session) begunWith(credential string) string {
	if credential != keystore.AppPassword {
		return ""
	}
	if began, open := s.setup.Begun(rotating(credential), stepNewPassword); open {
		return began.Receipt.Values[configKey]
	}
	receipt, _ := s.setup.Last(stepNewPassword)
	return receipt.Values[configKey]
}

// mayRotate stops where the credential can't be renewed at all.
func (s *Session) mayRotate(credential string) error {
	all := Renewals(s.setup, s.bench.Now())
	i := slices.IndexFunc(all, func(r Renewal) bool { return r.Name == credential })
	switch {
	case i < 0:
		return &Stopped{Reason: NeedsPerson, Err: fmt.Errorf("a %s setup has no %s", s.Answers.Mode, credential)}
	case all[i].Why != "":
		return &Stopped{Reason: NeedsPerson, Err: fmt.Errorf("the %s can't be renewed from here: %s", credential, all[i].Why)}
	}
	if other, ok := PendingRotation(s.setup); ok && other.Credential != credential {
		return unfinishedRenewal(other)
	}
	return s.keystoreTakes(credential)
}

// keystoreTakes stops where the keystore could not keep a new value: the only
// copy of it would end with the run.
func (s *Session) keystoreTakes(credential string) error {
	if s.keys.Kind() != keystore.Env || s.bench.Forgets || credential == keystore.SigningKey {
		return nil
	}
	return &Stopped{Reason: NeedsPerson, Err: errors.New("the secrets of this setup are in environment variables, which can't keep a new one"),
		Hints: []string{"nothing was changed; --keystore file keeps them in an encrypted file"}}
}

// inTail says whether the run that begins at an entry has the new one in force.
func (s *Session) inTail(from int, flow string) bool {
	for _, e := range s.setup.Entries[from:] {
		if e.Flow == flow && e.Step == stepRenewed {
			return true
		}
	}
	return false
}

// possible stops where nobody could restart NetBird, or nobody would see it.
func (r *Rotation) possible() error {
	if !r.run.o.Alone || r.run.shell != nil || r.run.tail || r.Credential != keystore.ClientSecret {
		return nil
	}
	if f := r.Plan.Facts; f.NetBird.Instance.OK() && f.NetBird.Instance.Value.Process.ID == "" {
		return &Stopped{Reason: NeedsPerson, Err: errors.New("a proxy in front of NetBird hides which process answers, so a restart can't be seen from here"),
			Hints: []string{"nothing was changed; --restart-command lets authbird restart NetBird, and at a terminal it asks you"}}
	}
	return nil
}

// Carry renews the credential. An error is a *Stopped. The person's Ctrl-C ends
// a wait for the restart; what stands then is safe and is said.
func (r *Rotation) Carry(ctx context.Context) (Rotated, error) {
	out := Rotated{Credential: r.Credential}
	if err := r.s.keys.Unlock(ctx); err != nil {
		return out, &Stopped{Reason: NotWritten, Err: fmt.Errorf("open the keystore: %w", err)}
	}
	r.run.leave = ctx
	if err := r.putRight(ctx); err != nil {
		return out, err
	}
	results, err := r.engine.Carry(ctx, r.flow, r.Plan)
	if err != nil && r.Credential == keystore.ClientSecret {
		err = r.afterStop(err)
	}
	out.Results, out.Windows, out.Remarks = results, r.run.windows, r.run.remarks
	if err != nil {
		stop := StopOf(err)
		_, stop.AtServers = openRun(r.s.setup, r.flow.Name) // then resume goes on with it
		return out, stop
	}
	if err := r.s.noteProof(); err != nil {
		return out, err
	}
	if err := r.noteOutage(); err != nil {
		return out, &Stopped{Reason: NotWritten, Err: err}
	}
	if r.Credential != keystore.ClientSecret {
		out.Proven = r.Credential != keystore.SigningKey
		return out, nil
	}
	out.Proven, err = r.loginSince(ctx)
	return out, err
}

// noteOutage keeps how long the restart took, for who asks before the next.
func (r *Rotation) noteOutage() error {
	if len(r.run.windows) == 0 || r.o.Leak { // a leak's waits for the person
		return nil
	}
	c := r.run.credential(r.Credential)
	c.Outage = r.run.windows[len(r.run.windows)-1].Length()
	return r.s.setup.SaveCredential(c)
}

// lastTime is how long the restart took at the last renewal, in words.
func (r *Rotation) lastTime() string {
	took := r.run.credential(r.Credential).Outage
	if took <= 0 {
		return ""
	}
	return fmt.Sprintf("; about %d s last time", int(math.Ceil(took.Seconds())))
}

// restart runs the command that the person gave.
func (r *Rotation) restart(ctx context.Context) error {
	output, err := r.s.bench.Shell(ctx, r.s.Answers.RestartCommand)
	if err == nil {
		return nil
	}
	if said := lastLine(output); said != "" {
		return fmt.Errorf("%w: %s", err, said)
	}
	return err
}

// amend changes the setup's answers, here and on disk, where what was given for
// this run only is left out.
func (s *Session) amend(change func(*state.Answers)) error {
	change(&s.Answers)
	kept := s.setup.Answers
	change(&kept)
	return s.setup.SaveAnswers(kept)
}

// KeepPolicy keeps what a person said for all renewals of the setup: the command
// that restarts NetBird, and after how many days a credential is due.
func (s *Session) KeepPolicy() error {
	command, every := s.Answers.RestartCommand, s.Answers.RotateEvery
	if was := s.setup.Answers; was.RestartCommand == command && was.RotateEvery == every {
		return nil
	}
	return s.amend(func(a *state.Answers) { a.RestartCommand, a.RotateEvery = command, every })
}

// workOn is the work of the setup's steps.
func (s *Session) workOn() *Work {
	return &Work{
		Setup: s.Name, Answers: s.Answers, Authentik: s.servers.authentik, NetBird: s.servers.netbird,
		Reader: s.bench.reader(s.servers), Secrets: setupSecrets{s.keys, s.Name}, Record: s.setup,
		Now: s.bench.Now, Rand: s.bench.Rand, Docker: s.bench.Docker, Shared: s.sharesAuthentik,
	}
}

// stepRenewed ends every rotation: what its steps left is put away.
const stepRenewed = "renewed"

// renewed forgets what a rotation needed on its way. It is begun only once the
// new one is in force, so a run that finds it begun goes on from here.
type renewed struct {
	*renewal
	credential string
	steps      []string // whose receipts end with the rotation
}

func (s renewed) About() About {
	return About{ID: stepRenewed, Title: "rotation", Where: Here, Object: s.credential,
		Why: "the old one is kept until here, so that there always is one that works"}
}

func (s renewed) Look(*facts.Facts, state.Receipt) Finding {
	for _, id := range s.steps {
		if r, _ := s.Record.Last(id); r.ObjectID != "" {
			return Finding{Verdict: Missing}
		}
	}
	return Finding{Verdict: InPlace}
}

func (s renewed) Do(ctx context.Context, _ *facts.Facts, _ Finding) (state.Receipt, error) {
	if err := s.Secrets.Delete(ctx, s.credential+keystore.New); err != nil {
		return state.Receipt{}, err
	}
	for _, id := range s.steps {
		if r, _ := s.Record.Last(id); r.ObjectID == "" {
			continue
		}
		if err := s.write(id, state.Undone, state.Receipt{}, "the rotation came to its end"); err != nil {
			return state.Receipt{}, err
		}
	}
	return state.Receipt{}, nil
}

func (s renewed) Undo(context.Context, state.Receipt) error { return nil }

// Takes says that nothing of it stands afterwards.
func (s renewed) Takes() {}
