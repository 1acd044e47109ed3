package flows

import (
	"context"
	"errors"
	"strings"
	"testing"

	"authbird/clients"
	"authbird/doctor"
	"authbird/facts"
	"authbird/state"
)

// The engine's rules where a run was cut off in the middle of a change, or of
// a deed with parts.

// picky is a thing that wants to be asked about unless it is ours.
type picky struct{ thing }

func (s picky) Look(f *facts.Facts, past state.Receipt) Finding {
	found := s.thing.Look(f, past)
	if found.ObjectID != "" && past.ObjectID == "" {
		found.Verdict, found.Fields = Differs, []Field{{Name: "owner", Have: "somebody else", Want: "us"}}
	}
	return found
}

func TestWhatALostAnswerMadeIsNotAskedAbout(t *testing.T) {
	r := newRig(t, func(w *world) Step { return picky{thing{w: w, id: "a", want: "v"}} })
	r.journal.entries = []state.Entry{{Flow: "f", Step: "a", Phase: state.Began}}
	r.world.things["a"] = "v"
	if err := r.run(t); err != nil {
		t.Fatal(err)
	}
	if receipt, _ := r.journal.Last("a"); !receipt.Made || receipt.ObjectID != "a" || len(r.world.calls) != 0 {
		t.Errorf("receipt %+v, calls %v: want made by us, and nothing done again", receipt, r.world.calls)
	}
}

func TestWhatALostAnswerMadeOtherwiseIsOursAndAskedAbout(t *testing.T) {
	r := newRig(t, wanting("a"))
	r.journal.entries = []state.Entry{{Flow: "f", Step: "a", Phase: state.Began}}
	r.world.things["a"] = "half"
	asked := Finding{}
	r.Adopt = func(_ context.Context, _ About, found Finding) error { asked = found; return errors.New("no") }
	if err := r.run(t); StopOf(err).Reason != NeedsDecision || !asked.Ours {
		t.Errorf("got %v, asked %+v: want a question about a thing of ours", err, asked)
	}
}

// half is a change that came about in part, and whose answer got lost.
func (r *rig) half(then error) {
	tries := 0
	r.world.next = func(id string) (bool, error) {
		if tries++; tries == 1 {
			r.world.things[id] = "half"
			return false, lost()
		}
		return then == nil, then
	}
}

func TestUndoRestoresWhatStoodBeforeTheFirstAttempt(t *testing.T) {
	r := newRig(t, wanting("a"))
	r.world.things["a"] = "theirs"
	r.Adopt = func(context.Context, About, Finding) error { return nil }
	r.half(nil)
	if err := r.run(t); err != nil {
		t.Fatal(err)
	}
	if receipt, _ := r.journal.Last("a"); receipt.Made || receipt.Before["value"] != "theirs" {
		t.Errorf("receipt %+v: want what stood before the first attempt", receipt)
	}
	if err := r.TakeBack(t.Context(), r.flow); err != nil || r.world.things["a"] != "theirs" {
		t.Errorf("taken back (%v), it is %q", err, r.world.things["a"])
	}
}

func TestARefusalAfterALostChangeForgetsNothing(t *testing.T) {
	r := newRig(t, wanting("a"))
	r.world.things["a"] = "theirs"
	r.Adopt = func(context.Context, About, Finding) error { return nil }
	r.half(&clients.Error{Kind: clients.Refused, Op: "change it"})
	if err := r.run(t); clients.KindOf(err) != clients.Refused {
		t.Fatalf("got %v, want the refusal", err)
	}
	if began, open := r.journal.Begun("f", "a"); !open || began.Receipt.Before["value"] != "theirs" {
		t.Errorf("%s: want the entry open, with what stood before the first attempt (%+v)", r.journal.told(), began.Receipt)
	}
	if err := r.TakeBack(t.Context(), r.flow); err != nil || r.world.things["a"] != "theirs" {
		t.Errorf("taken back (%v), it is %q", err, r.world.things["a"])
	}
}

func TestWhatStoodThereAndWasOnlyBegunIsNotDeleted(t *testing.T) {
	r := newRig(t, wanting("a"))
	r.world.things["a"] = "theirs"
	r.journal.entries = []state.Entry{{Flow: "f", Step: "a", Phase: state.Began,
		Receipt: state.Receipt{ObjectID: "a", Before: map[string]string{"value": "theirs"}}}}
	if err := r.TakeBack(t.Context(), r.flow); err != nil {
		t.Fatal(err)
	}
	if r.world.things["a"] != "theirs" {
		t.Errorf("taken back, it is %q", r.world.things["a"])
	}
}

func TestTakingBackGoesFromTheLastStepToTheFirst(t *testing.T) {
	r := newRig(t, wanting("a"), wanting("b"), wanting("c"))
	if err := r.run(t); err != nil {
		t.Fatal(err)
	}
	r.world.calls = nil
	if err := r.TakeBack(t.Context(), r.flow); err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Join(r.world.calls, ", "), "undo c, undo b, undo a"; got != want {
		t.Errorf("calls: %s, want %s", got, want)
	}
}

func TestAnInterruptedProofIsNoVerdict(t *testing.T) {
	for name, c := range map[string]struct {
		verdict doctor.Verdict
		reason  Reason
	}{
		"a check failed":  {doctor.Fail, Interrupted},
		"all was proven":  {doctor.OK, -1},
		"nothing was cut": {doctor.Fail, NotProven},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, wanting("a"))
			ctx, cancel := context.WithCancel(t.Context())
			r.flow.Prove = func(context.Context, *facts.Facts) []doctor.Result {
				if c.reason != NotProven {
					cancel()
				}
				return []doctor.Result{{ID: "x", Verdict: c.verdict, Cause: "cancelled"}}
			}
			defer cancel()
			told := 0
			r.Watch = func(e Event) {
				if e.Phase == Checked {
					told++
				}
			}
			p, err := r.Plan(ctx, r.flow)
			if err != nil {
				t.Fatal(err)
			}
			_, err = r.Carry(ctx, r.flow, p)
			if reason := reasonOrNone(err); reason != c.reason || (told > 0) == (reason == Interrupted) {
				t.Errorf("got %v (reason %d) and %d checks told, want reason %d", err, reason, told, c.reason)
			}
		})
	}
}

func reasonOrNone(err error) Reason {
	if err == nil {
		return -1
	}
	return StopOf(err).Reason
}

// hidden is a thing that can't be seen while its server does not answer.
type hidden struct {
	thing
	away *bool
}

func (s hidden) About() About {
	about := s.thing.About()
	about.Where = AtAuthentik
	return about
}

func (s hidden) Look(f *facts.Facts, past state.Receipt) Finding {
	if *s.away {
		return unreadable("it", &clients.Error{Kind: clients.NotNow, Op: "read it"})
	}
	return s.thing.Look(f, past)
}

func TestWhatCouldNotBeSeenIsNotCalledFailed(t *testing.T) {
	away := false
	r := newRig(t, func(w *world) Step { return hidden{thing{w: w, id: "a", want: "v"}, &away} })
	r.world.next = func(string) (bool, error) { away = true; return true, lost() }
	if err := r.run(t); StopOf(err).Reason != CannotReach {
		t.Fatalf("got %v, want that it can't be reached", err)
	}
	if _, open := r.journal.Begun("f", "a"); !open {
		t.Fatalf("journal %s: want the entry open", r.journal.told())
	}
	if err := r.TakeBack(t.Context(), r.flow); StopOf(err).Reason != CannotReach || r.world.things["a"] == "" {
		t.Errorf("taken back: %v; want that it can't be, for nobody sees whether it is ours", err)
	}
	away = false
	if err := r.run(t); err != nil {
		t.Fatal(err)
	}
	if receipt, _ := r.journal.Last("a"); !receipt.Made {
		t.Errorf("journal %s: want it made by us", r.journal.told())
	}
}

func TestWhatStoodThereAndWasLeftIsNotTouchedByTakingBack(t *testing.T) {
	r := newRig(t, wanting("a"))
	r.world.things["a"] = "v"
	r.journal.entries = []state.Entry{{Flow: "f", Step: "a", Phase: state.Done, Receipt: state.Receipt{ObjectID: "a"}}}
	if err := r.TakeBack(t.Context(), r.flow); err != nil {
		t.Fatal(err)
	}
	if len(r.world.calls) != 0 || r.world.things["a"] != "v" {
		t.Errorf("calls %v, it is %q: want it left alone", r.world.calls, r.world.things["a"])
	}
	if _, phase := r.journal.Last("a"); phase != state.Undone {
		t.Errorf("journal %s: want it told", r.journal.told())
	}
}

func TestADeedIsNotDoneWhoseLineTheDiskRefuses(t *testing.T) {
	r := newRig(t, wanting("a"))
	r.Watch = func(e Event) {
		if e.Phase == Doing { // the run's own line was taken, the step's is not
			r.journal.broken = errors.New("no space left on device")
		}
	}
	if err := r.run(t); StopOf(err).Reason != NotWritten || len(r.world.calls) != 0 {
		t.Errorf("got %v, calls %v: want not written, and nothing done", err, r.world.calls)
	}
}
