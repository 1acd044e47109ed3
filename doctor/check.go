// Package doctor judges what was read of an Authentik, a NetBird and what
// joins them. Each check is one question with a verdict, the evidence it rests
// on, the cause in one sentence and, where there is one, the repair.
//
// Checks are pure: they read facts and nothing else, so the preflight before a
// setup, the proof after it and the doctor are the same questions at different
// times. A check names its repair by the id of a step and knows no step.
package doctor

import "authbird/facts"

// Verdict is what a check concluded.
type Verdict string

const (
	OK      Verdict = "ok"
	Warn    Verdict = "warn"
	Fail    Verdict = "fail"
	Unknown Verdict = "unknown" // what it rests on could not be read
)

// Blame is what kind of trouble a failed check is; it decides the exit code.
type Blame int

const (
	Standing    Blame = iota // something stands wrong; a person or a repair must act
	NotAllowed               // a token is missing, wrong, expired or lacks rights
	Unreachable              // a server could not be reached or is not what was meant
	Person                   // a person must do something outside first
)

// Group is where a check looks.
type Group string

const (
	Authentik Group = "Authentik"
	NetBird   Group = "NetBird"
	Between   Group = "between them"
	Here      Group = "here"
)

// Result is the answer to one check.
type Result struct {
	ID       string  `json:"id"`
	Title    string  `json:"title"`
	Group    Group   `json:"group"`
	Verdict  Verdict `json:"verdict"`
	Evidence string  `json:"evidence,omitempty"` // what was seen, cleaned of control characters
	Cause    string  `json:"cause,omitempty"`    // one sentence
	Hits     string  `json:"hits,omitempty"`     // what it means for users, one sentence
	Repair   string  `json:"repair,omitempty"`   // the id of a step that repairs it
	Advice   string  `json:"advice,omitempty"`   // what a person types or clicks, where no step repairs it
	Blame    Blame   `json:"-"`
}

// A Check is one question about the facts.
type Check struct {
	ID    string
	Title string
	Group Group
	Judge func(*facts.Facts) Outcome
}

// Outcome is a Result without what the check itself knows.
type Outcome struct {
	Verdict                               Verdict
	Evidence, Cause, Hits, Repair, Advice string
	Blame                                 Blame
}

// Judge asks every check of the list and returns the answers in its order.
func Judge(checks []Check, f *facts.Facts) []Result {
	out := make([]Result, 0, len(checks))
	for _, c := range checks {
		o := c.Judge(f)
		out = append(out, Result{
			ID: c.ID, Title: c.Title, Group: c.Group, Verdict: o.Verdict, Evidence: o.Evidence,
			Cause: o.Cause, Hits: o.Hits, Repair: o.Repair, Advice: o.Advice, Blame: o.Blame,
		})
	}
	return out
}

// Worst returns the first result of the gravest verdict, and false where all
// is well.
func Worst(results []Result) (Result, bool) {
	for _, v := range []Verdict{Fail, Unknown, Warn} {
		for _, r := range results {
			if r.Verdict == v {
				return r, true
			}
		}
	}
	return Result{}, false
}
