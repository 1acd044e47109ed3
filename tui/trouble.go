package tui

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"authbird/clients"
	"authbird/doctor"
	"authbird/flows"
)

// remedy is one thing to do about trouble.
type remedy struct {
	label string
	act   action
}

// retry is the intent of the remedy that the screen itself carries out.
type retry struct{}

func (retry) intent() {}

// trouble says what failed, what stands and what to do, in that order, with the
// cursor on the most likely remedy.
type trouble struct {
	stop     *flows.Stopped
	remedies []remedy
	at       int
	moved    bool // the cursor was: until then what failed is kept in sight
	looking  bool // it stopped while looking: nothing was changed
}

// newTrouble judges an error. What was made can be taken back.
func newTrouble(err error) trouble {
	var stop *flows.Stopped
	if !errors.As(err, &stop) {
		stop = &flows.Stopped{Reason: reasonOf(err), Err: err}
	}
	all := remedies(stop)
	if len(stop.Stands) > 0 {
		if stop.Reason == flows.WentWrong || stop.Reason == flows.NotAsMeant || stop.Reason == flows.NotProven || stop.Reason == flows.NeedsPerson {
			all = slices.Insert(all, 1, remedy{wordsAskDoctor, consult{}})
		}
		all = append(all, remedy{wordsTakeBack, unmake{}})
	}
	return trouble{stop: stop, remedies: all}
}

func reasonOf(err error) flows.Reason {
	switch clients.KindOf(err) {
	case clients.Unauthorised, clients.Forbidden:
		return flows.NotAuthorised
	case clients.Unreachable, clients.WrongServer, clients.NotNow:
		return flows.CannotReach
	}
	return flows.WentWrong
}

// remedies lists what can be done, the most likely first.
func remedies(s *flows.Stopped) []remedy {
	again := remedy{wordsRetry, retry{}}
	stop := remedy{wordsStopHere, leave{s}}
	answers := remedy{wordsChangeAnswer, change{askOptions}}
	switch s.Reason {
	case flows.NeedsDecision:
		return []remedy{{wordsOtherNames, change{askOptions}}, again, stop}
	case flows.NotAuthorised:
		return append(atServer(s, wordsOtherToken), again, stop)
	case flows.CannotReach:
		return append([]remedy{again}, append(atServer(s, wordsOtherAddress), stop)...)
	case flows.OutcomeUnknown:
		return []remedy{{wordsLookAgain, retry{}}, stop}
	case flows.Interrupted:
		return []remedy{{wordsGoOnRun, retry{}}, stop}
	case flows.NotWritten:
		return []remedy{again, {wordsOtherStore, change{askOptions}}, stop}
	}
	return []remedy{again, answers, stop}
}

// atServer leads to the screens of the servers that the trouble is about: of
// both, where it doesn't say.
func atServer(s *flows.Stopped, label string) []remedy {
	where := whereOf(s)
	var out []remedy
	if where != "NetBird" {
		out = append(out, remedy{fmt.Sprintf(label, "Authentik"), change{askAuthentik}})
	}
	if where != "Authentik" {
		out = append(out, remedy{fmt.Sprintf(label, "NetBird"), change{askNetBird}})
	}
	return out
}

func whereOf(s *flows.Stopped) string {
	var e *clients.Error
	if errors.As(s.Err, &e) && e.Server != "" {
		return e.Server
	}
	if s.Check != nil && (s.Check.Group == doctor.Authentik || s.Check.Group == doctor.NetBird) {
		return string(s.Check.Group)
	}
	return string(s.Step.Where)
}

// update moves the cursor, or gives the remedy that was chosen.
func (t trouble) update(msg tea.KeyPressMsg) (trouble, action) {
	switch hit(msg, t.keys()) {
	case "up":
		t.at, t.moved = max(t.at-1, 0), true
	case "down":
		t.at, t.moved = min(t.at+1, len(t.remedies)-1), true
	case "choose":
		return t, t.remedies[t.at].act
	}
	return t, nil
}

func (t trouble) keys() []bind {
	choose := bind{id: "choose", keys: keyEnter, label: "↵", does: strings.ToLower(t.remedies[t.at].label[:1]) + t.remedies[t.at].label[1:]}
	return append([]bind{choose}, bindMove()...)
}

func (t trouble) draw(s *sheet) {
	th, head := s.theme, len(s.lines)
	title := said(t.stop.Step.Title)
	what, advice := errorWords(t.stop.Err)
	if c := t.stop.Check; c != nil {
		title, what = said(c.Title), sentence(c.Cause)
	}
	if t.stop.Reason == flows.Interrupted {
		title, what = wordsStoppedByYou, ""
	}
	if title == "" {
		title, what = what, ""
	}
	s.sign(0, signBad, th.trouble, th.strong, title)
	s.text(2, th.text, what)
	t.drawCheck(s)
	for _, f := range t.stop.Finding.Fields {
		s.text(4, th.dim, fieldWords(f))
	}
	s.gap()
	t.drawStands(s)
	if advice != "" && t.stop.Check == nil {
		s.text(2, th.text, advice)
	}
	s.gap()
	for i, r := range t.remedies {
		if i != t.at {
			s.text(2, th.text, r.label)
			continue
		}
		s.focused(func() { s.sign(0, signHere, th.accent, th.accent, r.label) })
	}
	if !t.moved {
		s.focus.from = head
	}
}

func (t trouble) drawCheck(s *sheet) {
	c := t.stop.Check
	if c == nil {
		return
	}
	lines := []struct{ head, words string }{{wordsItSaid, c.Seen()}, {wordsHits, c.Hits}, {wordsToDo, c.Advice}}
	for _, l := range lines {
		if l.words != "" {
			s.hang(2, part{s.theme.dim, l.head}, s.theme.text, saidAt(l.words, longestSaid))
		}
	}
}

func (t trouble) drawStands(s *sheet) {
	if t.looking && len(t.stop.Stands) == 0 {
		s.text(2, s.theme.text, wordsLookedOnly)
		return
	}
	if len(t.stop.Stands) == 0 {
		s.text(2, s.theme.text, wordsStandsNone)
		return
	}
	head := wordsStands
	for _, what := range t.stop.Stands {
		s.hang(2, part{s.theme.dim, head}, s.theme.text, said(what))
		head = strings.Repeat(" ", len(wordsStands))
	}
}

func fieldWords(f flows.Field) string {
	have := said(f.Have)
	if have == "" {
		have = "nothing"
	}
	want := said(f.Want)
	if want == "" {
		want = "nothing"
	}
	return said(f.Name) + ": " + have + " → " + want
}
