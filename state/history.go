package state

import (
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"
)

// Begun is the entry that began a step of a flow and has no end yet: the step was
// under way when the run was cut off, or its answer was lost. Only a look at the
// servers tells which.
func (s *Setup) Begun(flow, step string) (Entry, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := len(s.Entries) - 1; i >= 0; i-- {
		e := s.Entries[i]
		if e.Flow == flow && e.Step == step && e.Phase != Note {
			return e, e.Phase == Began
		}
	}
	return Entry{}, false
}

// Last is what the journal knows of a step, in whatever flow: the receipt that
// stands (of its newest Done, unless it was Undone since; a later Began or Failed
// takes nothing away) and the phase of its newest entry, "" if there is none.
func (s *Setup) Last(step string) (Receipt, Phase) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var phase Phase
	for i := len(s.Entries) - 1; i >= 0; i-- {
		e := s.Entries[i]
		if e.Step != step || e.Phase == Note {
			continue
		}
		if phase == "" {
			phase = e.Phase
		}
		switch e.Phase {
		case Done:
			return e.Receipt, phase
		case Undone:
			return Receipt{}, phase
		}
	}
	return Receipt{}, phase
}

// Steps are the ids of all steps that the journal tells of, in the order of
// their first entries.
func (s *Setup) Steps() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for _, e := range s.Entries {
		if e.Step != "" && !slices.Contains(out, e.Step) {
			out = append(out, e.Step)
		}
	}
	return out
}

// keptAnswers is the value of a run's first line that holds the answers it went
// by, so that a setup.json that is lost can be made again.
const keptAnswers = "answers"

// Keep puts the answers into the receipt of a run's first line.
func (a Answers) Keep() Receipt {
	text, err := json.Marshal(a)
	if err != nil { // nothing in them can't be written
		return Receipt{}
	}
	return Receipt{Values: map[string]string{keptAnswers: string(text)}}
}

// keptSalt is the value beside them that holds the salt of the digests, in hex:
// without it every digest in the journal would be another secret's.
const keptSalt = "salt"

// withSalt puts the salt beside the answers that a run's first line keeps.
func (s *Setup) withSalt(r Receipt) Receipt {
	if r.Values[keptAnswers] == "" {
		return r
	}
	r.Values = maps.Clone(r.Values)
	r.Values[keptSalt] = hex.EncodeToString(s.salt)
	return r
}

// recover takes the answers, and the salt of the digests, from the newest run in
// the journal that tells them.
func (s *Setup) recover() bool {
	for _, e := range slices.Backward(s.Entries) {
		text := e.Receipt.Values[keptAnswers]
		if e.Step != "" || text == "" {
			continue
		}
		var a Answers
		if json.Unmarshal([]byte(text), &a) == nil && a.Mode != "" {
			s.Answers = a
			if salt, err := hex.DecodeString(e.Receipt.Values[keptSalt]); err == nil && len(salt) > 0 {
				s.salt = salt
			}
			return true
		}
	}
	return false
}

// Mode is the answers' mode or, where the answers are lost, the one of the flow
// that the journal tells of; "" where neither is known.
func (s *Setup) Mode() Mode {
	if s.Answers.Mode != "" {
		return s.Answers.Mode
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.Entries {
		if m := Mode(e.Flow); m == Connector || m == Standalone {
			return m
		}
	}
	return ""
}

// lostLine begins the note of a journal of which lines could not be read.
const lostLine = "the journal was damaged: "

// Lost says, in words, that a part of the journal is not there any more, so that
// something may stand of which it does not tell; "" is the normal case.
func (s *Setup) Lost() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.Entries {
		if e.Phase == Note && e.Flow == "" && strings.HasPrefix(e.Note, lostLine) {
			return e.Note
		}
	}
	if s.saved && len(s.Entries) == 0 && len(s.Credentials) > 0 {
		return "the journal of this setup is gone"
	}
	return ""
}

// flowRemove is the flow whose end leaves nothing to go on with.
const flowRemove = "remove"

// Interrupted tells of the run that somebody should go on with: the newest that did
// not come to its end, where no later run of the same flow did either and the setup
// was not taken back since. Step is the one it stopped at or, where it stopped
// between two, the last one done ("" if none was); when is its last sign of life;
// why is a sentence's worth, without names of steps. Whether that run is still alive
// is [Dir.Busy]'s to say.
//
// A run that writes entries about itself (no Step) has come to its end when it says
// Done or Undone; one that does not, when its last step is Done or Undone.
func (s *Setup) Interrupted() (flow, step string, when time.Time, why string, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	runs := map[string]*run{} // by flow: its newest
	for i := range s.Entries {
		e := &s.Entries[i]
		if e.Phase == Note || e.Flow == "" {
			continue
		}
		r := runs[e.Flow]
		if r == nil || r.id != e.Run {
			r = &run{id: e.Run}
			runs[e.Flow] = r
		}
		r.take(e)
		if e.Step == "" && (e.Phase == Undone || e.Phase == Done && e.Flow == flowRemove) {
			clear(runs)
		}
	}
	for name, r := range runs {
		if r.ended() || ok && (r.when.Before(when) || r.when.Equal(when) && name > flow) {
			continue
		}
		flow, step, when, why, ok = name, r.step, r.when, r.why(), true
	}
	return flow, step, when, why, ok
}

// run is what the entries of one run of one flow add up to.
type run struct {
	id     string
	when   time.Time
	step   string   // where it stands
	steps  []*Entry // the newest entry of each step, newest last
	speaks bool     // there are entries about the run itself
	self   Entry    // the newest of them
}

func (r *run) take(e *Entry) {
	r.when = e.Time
	if e.Step == "" {
		r.speaks, r.self = true, *e
		return
	}
	r.steps = slices.DeleteFunc(r.steps, func(old *Entry) bool { return old.Step == e.Step })
	r.steps = append(r.steps, e)
	r.step = r.last().Step
}

// last is the newest step that did not end well, else the newest step. Steps may be
// under way side by side.
func (r *run) last() Entry {
	for _, e := range slices.Backward(r.steps) {
		if e.Phase == Began || e.Phase == Failed {
			return *e
		}
	}
	if len(r.steps) == 0 {
		return Entry{}
	}
	return *r.steps[len(r.steps)-1]
}

func (r *run) ended() bool {
	phase := r.last().Phase
	if r.speaks {
		phase = r.self.Phase
	}
	return phase == Done || phase == Undone
}

// why says why the run stopped, as far as the journal knows.
func (r *run) why() string {
	for _, e := range []Entry{r.self, r.last()} {
		if e.Phase != Failed {
			continue
		}
		if e.Error != "" {
			return e.Error
		}
		if e.Note != "" {
			return e.Note
		}
	}
	switch {
	case r.last().Phase == Began:
		return "it was cut off, or the answer was lost"
	case r.step == "":
		return "it was cut off before the first step"
	}
	return "it was cut off between two steps"
}
