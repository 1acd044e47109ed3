package doctor

import (
	"slices"

	"authbird/facts"
)

// A Question is a check as the doctor asks it: when what it rests on has been
// read, and what must be well before a failure of it tells anything new.
type Question struct {
	Check
	Wave int // of the reading that its facts come with; 0: what is here
	// After lists the checks that explain a failure of this one: while one of
	// them fails, it is unknown.
	After []string
}

// ask makes a question of what a check consists of.
func ask(wave int, id, title string, group Group, judge func(*facts.Facts) Outcome, after ...string) Question {
	return Question{Check: Check{id, title, group, judge}, Wave: wave, After: after}
}

// Examine asks the questions of one wave. Before holds the results of earlier
// waves; an answer that another failure explains is no verdict of its own.
func Examine(questions []Question, wave int, f *facts.Facts, before []Result) []Result {
	all := slices.Clone(before)
	for _, q := range questions {
		if q.Wave == wave {
			r := Judge([]Check{q.Check}, f)[0]
			all = append(all, explained(r, q.After, all))
		}
	}
	return all[len(before):]
}

func explained(r Result, after []string, by []Result) Result {
	if r.Verdict != Fail && r.Verdict != Warn {
		return r
	}
	for _, b := range by {
		if b.Verdict == Fail && slices.Contains(after, b.ID) {
			return Result{ID: r.ID, Title: r.Title, Group: r.Group, Verdict: Unknown, Evidence: "it can't be told before this is well: " + b.Title}
		}
	}
	return r
}

// InOrder sorts results as the questions stand.
func InOrder(questions []Question, results []Result) []Result {
	out := make([]Result, 0, len(results))
	for _, q := range questions {
		for _, r := range results {
			if r.ID == q.ID {
				out = append(out, r)
			}
		}
	}
	return out
}
