package doctor

import (
	"slices"
	"strconv"
	"strings"
)

// Groups are the places where checks look, in the order in which people are
// told of them.
func Groups() []Group { return []Group{Authentik, NetBird, Between, Here} }

// gravity orders verdicts: what is wrong first, what is well last.
var gravity = []Verdict{Fail, Warn, Unknown, OK}

// Sorted sorts results for a reader: by group, and in each what is wrong
// first. Results of the same verdict keep their order.
func Sorted(results []Result) []Result {
	out := slices.Clone(results)
	slices.SortStableFunc(out, func(a, b Result) int {
		if n := slices.Index(Groups(), a.Group) - slices.Index(Groups(), b.Group); n != 0 {
			return n
		}
		return slices.Index(gravity, a.Verdict) - slices.Index(gravity, b.Verdict)
	})
	return out
}

// Tally is how many results there are of each verdict.
type Tally map[Verdict]int

// Count tallies results.
func Count(results []Result) Tally {
	t := Tally{}
	for _, r := range results {
		t[r.Verdict]++
	}
	return t
}

// Verdict is the gravest there is; of no results, OK.
func (t Tally) Verdict() Verdict {
	for _, v := range gravity {
		if t[v] > 0 {
			return v
		}
	}
	return OK
}

// Words names a verdict as people are told it.
func (v Verdict) Words() string {
	switch v {
	case Fail:
		return "wrong"
	case Warn:
		return "note"
	case Unknown:
		return "unseen"
	}
	return "well"
}

// String counts in words, what is wrong first: "1 wrong, 2 notes, 30 well".
func (t Tally) String() string {
	var out []string
	for _, v := range gravity {
		switch n := t[v]; {
		case n == 0 && (v != OK || len(out) > 0):
		case v == Warn && n > 1:
			out = append(out, strconv.Itoa(n)+" notes")
		default:
			out = append(out, strconv.Itoa(n)+" "+v.Words())
		}
	}
	return strings.Join(out, ", ")
}
