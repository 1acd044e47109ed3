package flows

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"authbird/clients"
	"authbird/doctor"
	"authbird/facts"
	"authbird/state"
)

// world is a server with memory: what stands, by step id.
type world struct {
	things map[string]string // id → value
	calls  []string
	// next, when set, decides what becomes of the next request: how it ends,
	// and whether it took effect.
	next func(id string) (took bool, err error)
}

// thing is a step that wants world.things[id] to be want.
type thing struct {
	w     *world
	id    string
	want  string
	with  string
	makes []string // other things that the same request makes
}

func (s thing) About() About { return About{ID: s.id, Title: s.id, Object: s.id, With: s.with} }

func (s thing) Look(*facts.Facts, state.Receipt) Finding {
	have, stands := s.w.things[s.id]
	switch {
	case !stands:
		return Finding{Verdict: Missing}
	case have != s.want:
		return Finding{Verdict: Differs, ObjectID: s.id, Fields: []Field{{"value", have, s.want}},
			Intent: state.Receipt{Before: map[string]string{"value": have}}}
	}
	return Finding{Verdict: InPlace, ObjectID: s.id}
}

func (s thing) Do(_ context.Context, _ *facts.Facts, found Finding) (state.Receipt, error) {
	s.w.calls = append(s.w.calls, "do "+s.id)
	took, err := true, error(nil)
	if s.w.next != nil {
		took, err = s.w.next(s.id)
	}
	if took {
		s.w.things[s.id] = s.want
		for _, id := range s.makes {
			s.w.things[id] = "v"
		}
	}
	return state.Receipt{ObjectID: s.id, Made: found.ObjectID == ""}, err
}

func (s thing) Undo(_ context.Context, r state.Receipt) error {
	s.w.calls = append(s.w.calls, "undo "+s.id)
	if r.Made {
		delete(s.w.things, s.id)
	} else {
		s.w.things[s.id] = r.Before["value"]
	}
	return nil
}

// memoryJournal is a journal without a disk.
type memoryJournal struct {
	entries []state.Entry
	broken  error
}

func (j *memoryJournal) Append(e state.Entry) error {
	if j.broken != nil {
		return j.broken
	}
	j.entries = append(j.entries, e)
	return nil
}

func (j *memoryJournal) Begun(flow, step string) (state.Entry, bool) {
	for _, e := range slices.Backward(j.entries) {
		if e.Flow == flow && e.Step == step && e.Phase != state.Note {
			return e, e.Phase == state.Began
		}
	}
	return state.Entry{}, false
}

func (j *memoryJournal) Last(step string) (state.Receipt, state.Phase) {
	var receipt state.Receipt
	var phase state.Phase
	for _, e := range j.entries {
		if e.Step != step {
			continue
		}
		if phase = e.Phase; phase == state.Done || phase == state.Undone {
			receipt = e.Receipt
		}
	}
	return receipt, phase
}

func (j *memoryJournal) told() string {
	var words []string
	for _, e := range j.entries {
		if e.Step == "" {
			continue
		}
		words = append(words, e.Step+" "+string(e.Phase))
	}
	return strings.Join(words, ", ")
}

type rig struct {
	*Engine
	world   *world
	journal *memoryJournal
	flow    Flow
}

func newRig(t *testing.T, steps ...func(*world) Step) *rig {
	t.Helper()
	w := &world{things: map[string]string{}}
	j := &memoryJournal{}
	r := &rig{world: w, journal: j, Engine: &Engine{
		Journal: j, Run: "test", Watch: func(Event) {}, Now: func() time.Time { return time.Unix(1, 0) },
	}}
	r.flow = Flow{Name: "f", Survey: func(context.Context) *facts.Facts { return &facts.Facts{} },
		Preflight: func(*facts.Facts) []doctor.Result { return nil }}
	for _, s := range steps {
		r.flow.Steps = append(r.flow.Steps, s(w))
	}
	return r
}

func wanting(id string) func(*world) Step {
	return func(w *world) Step { return thing{w: w, id: id, want: "v"} }
}

func (r *rig) run(t *testing.T) error {
	t.Helper()
	p, err := r.Plan(t.Context(), r.flow)
	if err != nil {
		return err
	}
	_, err = r.Carry(t.Context(), r.flow, p)
	return err
}

func lost() error { return &clients.Error{Kind: clients.Unknown, Op: "make it"} }

func TestAnUndisturbedRunWritesBeganBeforeEachDeedAndDoneAfterIt(t *testing.T) {
	r := newRig(t, wanting("a"), wanting("b"))
	if err := r.run(t); err != nil {
		t.Fatal(err)
	}
	if got, want := r.journal.told(), "a began, a done, b began, b done"; got != want {
		t.Errorf("journal: %s, want %s", got, want)
	}
	if err := r.run(t); err != nil {
		t.Fatal(err)
	}
	if got := len(r.world.calls); got != 2 {
		t.Errorf("the second run did something: %v", r.world.calls)
	}
}

func TestALostAnswerThatTookEffectIsOursAndNotRepeated(t *testing.T) {
	r := newRig(t, wanting("a"))
	r.world.next = func(string) (bool, error) { return true, lost() }
	if err := r.run(t); err != nil {
		t.Fatal(err)
	}
	if len(r.world.calls) != 1 {
		t.Errorf("calls %v, want one", r.world.calls)
	}
	if receipt, phase := r.journal.Last("a"); phase != state.Done || !receipt.Made {
		t.Errorf("receipt %+v %s, want done and made by us", receipt, phase)
	}
}

func TestALostAnswerThatTookNoEffectIsRepeatedOnce(t *testing.T) {
	r := newRig(t, wanting("a"))
	tries := 0
	r.world.next = func(string) (bool, error) {
		if tries++; tries == 1 {
			return false, lost()
		}
		return true, nil
	}
	if err := r.run(t); err != nil {
		t.Fatal(err)
	}
	if got, want := r.journal.told(), "a began, a failed, a began, a done"; got != want {
		t.Errorf("journal: %s, want %s", got, want)
	}
}

func TestAnAnswerThatIsLostTwiceIsLookedForAndTold(t *testing.T) {
	r := newRig(t, wanting("a"))
	r.world.next = func(string) (bool, error) {
		return false, &clients.Error{Kind: clients.Unknown, Op: "make it", Message: "the disk is full"}
	}
	err := r.run(t)
	var s *Stopped
	if !errors.As(err, &s) || s.Reason != OutcomeUnknown || !strings.Contains(err.Error(), "the disk is full") || !strings.Contains(err.Error(), "nothing came of it") {
		t.Errorf("got %v: want what the server said, and what became of it", err)
	}
	if got, want := r.journal.told(), "a began, a failed, a began, a failed"; got != want {
		t.Errorf("journal: %s, want %s", got, want)
	}

	r = newRig(t, wanting("a"))
	tries := 0
	r.world.next = func(string) (bool, error) { tries++; return tries == 2, lost() }
	if err := r.run(t); err != nil || tries != 2 {
		t.Errorf("%v after %d tries: want what the second one made to be found", err, tries)
	}
}

func TestAKillAfterTheDeedIsSettledAsOursByTheNextRun(t *testing.T) {
	r := newRig(t, wanting("a"))
	r.journal.entries = []state.Entry{{Flow: "f", Step: "a", Phase: state.Began}}
	r.world.things["a"] = "v"
	if err := r.run(t); err != nil {
		t.Fatal(err)
	}
	if receipt, _ := r.journal.Last("a"); !receipt.Made || len(r.world.calls) != 0 {
		t.Errorf("receipt %+v, calls %v: want made by us, and nothing done again", receipt, r.world.calls)
	}
}

func TestWhatStoodThereBeforeWeBeganIsNeverOurs(t *testing.T) {
	r := newRig(t, wanting("a"))
	r.world.things["a"] = "theirs"
	r.Adopt = func(context.Context, About, Finding) error { return nil }
	r.world.next = func(string) (bool, error) { return true, lost() }
	if err := r.run(t); err != nil {
		t.Fatal(err)
	}
	if receipt, _ := r.journal.Last("a"); receipt.Made || receipt.Before["value"] != "theirs" {
		t.Errorf("receipt %+v: want not made by us, and the old value kept", receipt)
	}
	if err := r.TakeBack(t.Context(), r.flow); err != nil {
		t.Fatal(err)
	}
	if r.world.things["a"] != "theirs" {
		t.Errorf("after taking back it is %q", r.world.things["a"])
	}
}

func TestARefusalOfAForeignObjectLeavesNoTrace(t *testing.T) {
	r := newRig(t, wanting("a"), wanting("b"))
	r.world.things["b"] = "theirs"
	err := r.run(t)
	var s *Stopped
	if !errors.As(err, &s) || s.Reason != NeedsDecision {
		t.Fatalf("got %v, want a decision needed", err)
	}
	if len(r.journal.entries) != 0 || len(r.world.calls) != 0 {
		t.Errorf("journal %s, calls %v: want none, the question comes before every deed", r.journal.told(), r.world.calls)
	}
}

func TestARefusedRequestClosesItsEntryAndSaysWhatStands(t *testing.T) {
	r := newRig(t, wanting("a"), wanting("b"))
	r.world.next = func(id string) (bool, error) {
		if id == "b" {
			return false, &clients.Error{Kind: clients.Refused, Op: "make b"}
		}
		return true, nil
	}
	err := r.run(t)
	var s *Stopped
	if !errors.As(err, &s) || s.Reason != WentWrong || !s.PartWay() {
		t.Fatalf("got %#v, want part-way and gone wrong", err)
	}
	if got, want := r.journal.told(), "a began, a done, b began, b failed"; got != want {
		t.Errorf("journal: %s, want %s", got, want)
	}
}

func TestOneRequestThatMakesTwoThingsIsSettledForBoth(t *testing.T) {
	r := newRig(t,
		func(w *world) Step { return thing{w: w, id: "a", want: "v", makes: []string{"b"}} },
		func(w *world) Step { return thing{w: w, id: "b", want: "v", with: "a"} })
	if err := r.run(t); err != nil {
		t.Fatal(err)
	}
	if receipt, _ := r.journal.Last("b"); !receipt.Made {
		t.Errorf("the thing made along is not ours: %s", r.journal.told())
	}
	if len(r.world.calls) != 1 {
		t.Errorf("calls %v, want one", r.world.calls)
	}
}

func TestNothingIsDoneThatTheJournalCannotWrite(t *testing.T) {
	r := newRig(t, wanting("a"))
	r.journal.broken = errors.New("no space left on device")
	err := r.run(t)
	var s *Stopped
	if !errors.As(err, &s) || s.Reason != NotWritten || len(r.world.calls) != 0 {
		t.Errorf("got %v, calls %v: want not written, and nothing done", err, r.world.calls)
	}
}

func TestAnInterruptionStopsBetweenStepsOnly(t *testing.T) {
	r := newRig(t, wanting("a"), wanting("b"))
	ctx, cancel := context.WithCancel(t.Context())
	r.world.next = func(string) (bool, error) { cancel(); return true, nil }
	p, err := r.Plan(ctx, r.flow)
	if err != nil {
		t.Fatal(err)
	}
	_, err = r.Carry(ctx, r.flow, p)
	var s *Stopped
	if !errors.As(err, &s) || s.Reason != Interrupted {
		t.Fatalf("got %v, want interrupted", err)
	}
	if got, want := r.journal.told(), "a began, a done"; got != want {
		t.Errorf("journal: %s, want %s", got, want)
	}
}

func TestAStepThatDoesNotStandAfterwardsIsNotTicked(t *testing.T) {
	r := newRig(t, wanting("a"))
	r.world.next = func(string) (bool, error) { return false, nil }
	err := r.run(t)
	var s *Stopped
	if !errors.As(err, &s) || s.Reason != NotAsMeant {
		t.Errorf("got %v, want not as meant", err)
	}
}
