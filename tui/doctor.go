package tui

import (
	"context"
	"slices"
	"time"

	tea "charm.land/bubbletea/v2"

	"authbird/doctor"
	"authbird/flows"
)

// doctorScreen looks at a connection and lists what it finds, by place and what
// is wrong first, as the answers come in. Each opens to all that is known of it,
// and leads to its repair where there is one.
type doctorScreen struct {
	doctor  Doctor
	reports reports
	draft   draft
	ctx     context.Context
	job     *job // the way for what is seen on the way
	looking bool
	seq     int
	results []doctor.Result // sorted
	found   *flows.Diagnosis
	trouble *trouble // it could not look
	at      string   // the id of the check under the cursor
	moved   bool     // the person put it there
	open    bool     // that check is shown whole
	all     bool     // checks that are well are listed too
	mended  bool     // it looked after a repair
	report  *reportPage
}

// reports are what a report needs of the world.
type reports struct {
	version string
	now     func() time.Time
	files   flows.DiagnoseOptions // what the doctor looks at too
	// save writes a report's file and says where; nil: it can't be.
	save func(setup string, text []byte) (string, error)
}

func newDoctorScreen(d draft, doc Doctor, r reports) doctorScreen {
	return doctorScreen{doctor: doc, reports: r, draft: d, job: newJob(d.setup())}
}

type (
	// examined is what a look found.
	examined struct {
		seq int
		d   *flows.Diagnosis
		err error
	}
	// mended is what the look after a repair found.
	mended struct{ results []doctor.Result }
	// diagnosed says what was found, for the last word on the normal screen.
	diagnosed struct{ d *flows.Diagnosis }
	// consult is the intent to ask the doctor about the setup of this walk.
	consult struct{}
)

func (diagnosed) intent() {}
func (consult) intent()   {}

func (s doctorScreen) Open(ctx context.Context) (screen, []tea.Cmd) {
	s.ctx = ctx
	cmd := s.look()
	return s, []tea.Cmd{cmd, s.job.listen(ctx)}
}

// Close waits for a look that is under way.
func (s doctorScreen) Close() tea.Cmd { return s.job.close() }

func (s *doctorScreen) look() tea.Cmd {
	s.looking, s.seq, s.results, s.trouble, s.open, s.mended, s.moved = true, s.seq+1, nil, nil, false, false, false
	s.job.drain()
	ctx, seq, j, doc := s.ctx, s.seq, s.job, s.doctor
	p := Patient{Setup: s.draft.setup(), Answers: s.draft.answers, Tokens: s.draft.tokens, Files: s.reports.files}
	if s.draft.found {
		p.Setup = ""
	}
	return func() tea.Msg {
		if !j.begin() {
			return examined{seq: seq, err: errClosed}
		}
		defer j.ended.Done()
		d, err := doc.Diagnose(ctx, p, func(r doctor.Result) { j.say(seen{seq, r}) })
		return examined{seq: seq, d: d, err: err}
	}
}

// seen is one answer while a look is under way.
type seen struct {
	seq int
	doctor.Result
}

func (s doctorScreen) Update(r room, msg tea.Msg) (screen, action) {
	switch msg := msg.(type) {
	case heard:
		for _, thing := range msg.things {
			if x, ok := thing.(seen); ok && x.seq == s.seq && s.looking {
				s.results = doctor.Sorted(append(slices.Clone(s.results), x.Result))
			}
		}
		s.stay()
		return s, do(s.job.listen(s.ctx))
	case examined:
		return s.know(msg)
	case mended:
		again := *s.found
		again.Results = msg.results
		if s.draft.found { // it is a setup from now on
			again.Setup, s.draft.found = s.draft.setup(), false
		}
		s, act := s.tell(&again)
		s.mended, s.open, s.moved = true, false, false
		return s, act
	case savedReport:
		if s.report != nil {
			s.report = &reportPage{mask: s.report.mask, saved: msg.path, err: msg.err}
		}
		return s, stay{}
	case tea.KeyPressMsg:
		return s.pressed(r, msg)
	}
	return s, stay{}
}

func (s doctorScreen) know(msg examined) (screen, action) {
	if msg.seq != s.seq {
		return s, stay{}
	}
	s.looking = false
	err := msg.err
	if msg.d != nil && err == nil {
		err = msg.d.CouldNotLook
	}
	if err != nil {
		t := newTrouble(err)
		t.looking = true
		t.remedies = slices.DeleteFunc(t.remedies, func(r remedy) bool {
			return r.act == (change{askOptions}) || r.act == (unmake{}) || r.act == (consult{})
		})
		s.trouble = &t
		return s, stay{}
	}
	return s.tell(msg.d)
}

// tell shows a diagnosis that is whole.
func (s doctorScreen) tell(d *flows.Diagnosis) (doctorScreen, action) {
	s.found, s.results = d, doctor.Sorted(d.Results)
	if s.draft.found { // by what the two are connected was found too
		s.draft.answers = d.Answers
	}
	s.stay()
	return s, diagnosed{d}
}

// listed are the checks that can be gone to.
func (s doctorScreen) listed() []doctor.Result {
	return slices.DeleteFunc(slices.Clone(s.results), s.counted)
}

// counted says that a check is only counted: one that is well and, while
// something is wrong that may hide it, one that could not be seen.
func (s doctorScreen) counted(r doctor.Result) bool {
	return !s.all && (r.Verdict == doctor.OK || r.Verdict == doctor.Unknown && doctor.Count(s.results)[doctor.Fail] > 0)
}

// index is where the cursor is in the list; -1 where there is nothing.
func (s doctorScreen) index() int {
	return slices.IndexFunc(s.listed(), func(r doctor.Result) bool { return r.ID == s.at })
}

// stay keeps the cursor where the person put it, and else puts it on the gravest.
func (s *doctorScreen) stay() {
	if list := s.listed(); (s.index() < 0 || !s.moved) && len(list) > 0 {
		worst := doctor.Count(list).Verdict()
		s.at = list[slices.IndexFunc(list, func(r doctor.Result) bool { return r.Verdict == worst })].ID
	}
}

func (s *doctorScreen) move(by int) {
	list := s.listed()
	if i := s.index() + by; i >= 0 && i < len(list) {
		s.at, s.moved = list[i].ID, true
	}
}

// chosen is the check under the cursor.
func (s doctorScreen) chosen() (doctor.Result, bool) {
	if i := s.index(); i >= 0 {
		return s.listed()[i], true
	}
	return doctor.Result{}, false
}

func (s doctorScreen) pressed(r room, msg tea.KeyPressMsg) (screen, action) {
	switch id := hit(msg, s.Keys(r)); id {
	case "back":
		if s.report != nil || s.open {
			s.report, s.open = nil, false
			return s, stay{}
		}
		return s, back{noEdit{}}
	case "quit":
		return s, leave{}
	case "open":
		s.open = true
	case "all":
		s.all = !s.all
		s.stay()
	case "again":
		cmd := s.look()
		return s, do(cmd)
	case "fix", "fix all":
		return s.mend(id == "fix")
	case "report":
		s.report = &reportPage{}
		return s, send{s.reportText()}
	case "save", "mask":
		return s.keepReport(id)
	case "up", "down", "choose":
		if s.trouble != nil {
			return s.remedied(msg)
		}
		s.move(map[string]int{"up": -1, "down": 1}[id])
	}
	return s, stay{}
}

// mend leads to the repair of the check under the cursor, or of all.
func (s doctorScreen) mend(one bool) (screen, action) {
	var ids []string
	if c, ok := s.chosen(); one && ok {
		ids = []string{c.Repair}
	}
	return s, push{newMendScreen(s.draft, s.doctor, s.found, ids)}
}

func (s doctorScreen) remedied(msg tea.KeyPressMsg) (screen, action) {
	t, act := s.trouble.update(msg)
	s.trouble = &t
	switch act.(type) {
	case nil:
		return s, stay{}
	case retry:
		cmd := s.look()
		return s, do(cmd)
	}
	return s, act
}

func (s doctorScreen) Keys(room) []bind {
	again := bind{id: "again", keys: []string{"r"}, label: "r", does: "again", more: "Look at both servers again."}
	switch {
	case s.trouble != nil:
		return append(s.trouble.keys(), bindBack(), bindQuit())
	case s.report != nil:
		return s.report.keys(s.reports.save != nil)
	case s.looking:
		return append([]bind{bindBack(), bindQuit()}, bindMove()...)
	}
	var out []bind
	c, ok := s.chosen()
	if ok && !s.open {
		out = append(out, bind{id: "open", keys: keyEnter, label: "↵", does: "details", more: "Show what was seen, the cause, who is hit and the repair."})
	}
	if ok && c.Repair != "" {
		out = append(out, bind{id: "fix", keys: []string{"f"}, label: "f", does: "fix this", more: "Show what would repair this, and ask."})
	}
	if repairs := flows.Repairs(s.found); len(repairs) > 1 && !s.open {
		out = append(out, bind{id: "fix all", keys: []string{"F"}, label: "F", does: "fix all", more: "Show what would repair all that can be repaired from here, and ask."})
	}
	out = append(out, bindBack())
	if !s.open {
		all := bind{id: "all", keys: []string{"a"}, label: "a", does: "all checks", more: "List the checks that are well, too."}
		if s.all {
			all.does = "fewer"
		}
		out = append(out, again, all)
	}
	out = append(out, bind{id: "report", keys: []string{"c"}, label: "c", does: "copy report",
		more: "Show a report without secrets and names, made for an issue, and send it to your terminal's clipboard (OSC 52)."}, bindQuit())
	return append(out, bindMove()...)
}

func (doctorScreen) Help() help { return helpDoctor }
