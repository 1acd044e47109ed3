package tui

import (
	"context"
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"authbird/doctor"
	"authbird/flows"
	"authbird/state"
)

// planScreen opens the setup, reads both servers and shows what would be done.
// It changes nothing on them.
type planScreen struct {
	opener  Opener
	draft   draft
	ctx     context.Context
	stage   stage
	seq     int
	job     *job
	plan    *flows.Plan
	where   string // the secrets are kept, in words
	trouble trouble
	explain bool
	command bool
	handed  bool // the job went to another screen: it isn't ours to close
}

func newPlanScreen(d draft, opener Opener) planScreen {
	return planScreen{opener: opener, draft: d, job: newJob(d.setup())}
}

// planned is what came of opening and reading.
type planned struct {
	seq   int
	plan  *flows.Plan
	where string // the secrets are kept, in words
	err   error
}

func (s planScreen) Open(ctx context.Context) (screen, []tea.Cmd) {
	s.ctx = ctx
	cmd := s.read()
	return s, []tea.Cmd{cmd}
}

// read opens the setup where it isn't open yet, and plans.
func (s *planScreen) read() tea.Cmd {
	s.stage, s.seq = asking, s.seq+1
	ctx, seq, j, opener, d := s.ctx, s.seq, s.job, s.opener, s.draft
	return func() tea.Msg {
		if err := j.open(ctx, opener, d); err != nil {
			return planned{seq: seq, err: err}
		}
		plan, err := j.plan(ctx)
		return planned{seq: seq, plan: plan, where: j.session.Where(), err: err}
	}
}

func (s planScreen) Close() tea.Cmd {
	if s.handed {
		return nil
	}
	return s.job.close()
}

func (s planScreen) Update(r room, msg tea.Msg) (screen, action) {
	switch msg := msg.(type) {
	case planned:
		if msg.seq != s.seq {
			return s, stay{}
		}
		s.plan, s.where, s.stage = msg.plan, msg.where, met
		if msg.err != nil {
			s.stage, s.trouble = failed, newTrouble(msg.err)
			s.trouble.looking = true
		}
		return s, stay{}
	case adoptAnswered:
		return s.adopted(msg)
	case tea.KeyPressMsg:
		return s.pressed(r, msg)
	}
	return s, stay{}
}

func (s planScreen) pressed(r room, msg tea.KeyPressMsg) (screen, action) {
	switch hit(msg, s.Keys(r)) {
	case "back":
		if s.command {
			s.command = false
			return s, stay{}
		}
		return s, back{noEdit{}}
	case "quit":
		return s, leave{}
	case "do":
		return s.begin()
	case "prove":
		s.handed = true
		return s, prove{job: s.job, plan: s.plan}
	case "explain":
		s.explain = !s.explain
	case "command":
		s.command = true
		return s, send{s.commandLine()}
	case "options":
		return s, change{askOptions}
	case "look":
		cmd := s.read()
		return s, do(cmd)
	case "up", "down", "choose":
		return s.remedied(msg)
	}
	return s, stay{}
}

func (s planScreen) remedied(msg tea.KeyPressMsg) (screen, action) {
	var act action
	s.trouble, act = s.trouble.update(msg)
	switch act.(type) {
	case nil:
		return s, stay{}
	case retry:
		cmd := s.read()
		return s, do(cmd)
	}
	return s, act
}

// begin asks about everything that stood there before, and then starts.
func (s planScreen) begin() (screen, action) {
	for _, c := range s.plan.Conflicts() {
		if !s.job.mayChange(c) {
			return s, push{newAdoptScreen(c.Step.About(), c.Finding, false)}
		}
	}
	s.handed = true
	return s, start{job: s.job, plan: s.plan}
}

func (s planScreen) adopted(msg adoptAnswered) (screen, action) {
	switch msg.choice {
	case adoptYes:
		s.job.allow(msg.about.ID, msg.finding.Fields)
		return s.begin()
	case adoptOther:
		return s, change{askOptions}
	}
	return s, stay{}
}

func (s planScreen) commandLine() string { return flows.CommandLine(s.draft.answers, s.draft.setup()) }

func (s planScreen) Page(r room) page {
	sh := newSheet(r)
	if s.stage == asking || s.stage == unasked {
		words := wordsPlanReading
		if s.draft.answers.Mode == state.Standalone {
			words = wordsPlanReadOne
		}
		sh.sign(0, signWorking, r.theme.accent, r.theme.text, words)
		return sh.page(wordsPlanTitle, wordsNothingDone)
	}
	if s.stage == failed {
		s.trouble.draw(sh)
		return sh.page(wordsTroubleTitle, wordsNothingDone)
	}
	if s.command {
		drawCommand(sh, s.commandLine(), s.draft.answers.Mode)
		return sh.page(wordsCommandTitle, "")
	}
	title := wordsPlanTitle
	if !s.plan.Changes() {
		title = wordsPlanDoneTitle
		words := wordsNothingToDo
		if s.draft.unproven {
			words = wordsNothingButProof
		}
		sh.sign(0, signGood, r.theme.good, r.theme.text, words)
	}
	for _, g := range s.groups() {
		s.drawGroup(sh, g)
	}
	return sh.page(title, wordsNothingDone)
}

// drawCommand shows a command line whole.
func drawCommand(sh *sheet, line string, mode state.Mode) {
	sh.text(0, sh.theme.dim, wordsSent)
	sh.gap()
	sh.command(0, said(line))
	sh.gap()
	sh.text(0, sh.theme.dim, tokenWords(mode))
}

// tokenWords say where the command's tokens come from.
func tokenWords(mode state.Mode) string {
	if mode == state.Standalone {
		return wordsEnvToken
	}
	return wordsCommandTokens
}

// planGroup is what the plan says of one place.
type planGroup struct {
	name, address string
	place         flows.Place
	checks        []doctor.Group
}

func (s planScreen) groups() []planGroup {
	return []planGroup{
		{"Authentik", s.draft.answers.AuthentikURL, flows.AtAuthentik, []doctor.Group{doctor.Authentik}},
		{"NetBird", s.draft.netbirdAt(), flows.AtNetBird, []doctor.Group{doctor.NetBird, doctor.Between}},
		{wordsHere, s.where, flows.Here, []doctor.Group{doctor.Here}},
	}
}

func (s planScreen) drawGroup(sh *sheet, g planGroup) {
	th := sh.theme
	steps := s.stepsAt(g.place)
	checks := s.checksOf(g.checks)
	if len(steps) == 0 && len(checks) == 0 {
		return
	}
	sh.gap()
	address := said(g.address)
	if address != "" {
		address = "  " + address
	}
	sh.parts(part{th.strong, g.name}, part{th.dim, address})
	titles, objects := 0, 0
	for _, p := range steps {
		titles = max(titles, ansi.StringWidth(said(p.Step.About().Title)))
		objects = max(objects, ansi.StringWidth(objectOf(p.Step.About())))
	}
	for _, p := range steps {
		s.drawStep(sh, p, min(titles, 24), min(objects, 24))
	}
	for _, c := range checks {
		drawCheck(sh, 2, c, s.explain)
	}
}

func (s planScreen) stepsAt(place flows.Place) []flows.Planned {
	var out []flows.Planned
	for _, p := range s.plan.Steps {
		if p.Step.About().Where == place {
			out = append(out, p)
		}
	}
	return out
}

// checksOf are those worth reading: all that are not well, and with explain all.
func (s planScreen) checksOf(groups []doctor.Group) []doctor.Result {
	var out []doctor.Result
	for _, g := range groups {
		for _, c := range s.plan.Checks {
			if c.Group == g && (s.explain || c.Verdict != doctor.OK) {
				out = append(out, c)
			}
		}
	}
	return out
}

func (s planScreen) drawStep(sh *sheet, p flows.Planned, titles, objects int) {
	th := sh.theme
	about := p.Step.About()
	mark, style := findingSign(th, p.Finding.Verdict)
	title, object := said(about.Title), objectOf(about)
	detail := said(about.Makes)
	if p.Finding.Verdict == flows.InPlace {
		detail = wordsRunInPlace
	}
	head := title
	if sh.width >= narrow {
		head = pad(title, titles) + "  "
		if objects > 0 {
			head += pad(object, objects) + "  "
		}
		sh.hang(2, part{style, mark + " " + head}, th.dim, detail)
	} else {
		sh.sign(2, mark, style, th.text, strings.TrimSuffix(title+" · "+object, " · "))
		sh.text(4, th.dim, detail)
	}
	drawFields(sh, about.Where, p.Finding)
	switch {
	case p.Settle:
		sh.text(6, th.dim, wordsSettled)
	case p.Finding.Verdict == flows.Differs && p.Finding.Ours:
		sh.sign(6, signWarn, th.trouble, th.text, wordsOursChanged)
	case p.Finding.Verdict == flows.Differs:
		sh.sign(6, signWarn, th.trouble, th.text, wordsForeign)
	}
	switch note := p.Finding.Note; {
	case note == "":
	case p.Finding.Verdict == flows.InPlace:
		sh.text(6, th.dim, said(note))
	default: // something to know before it is made
		sh.sign(4, signWarn, th.trouble, th.text, saidAt(note, longestNote))
	}
	if s.explain && about.Why != "" {
		sh.text(6, th.text, sentence(about.Why))
	}
}

// longestNote is for several sentences of this program's own.
const longestNote = 1200

// objectOf is what a step's object is called there, where that says more than
// the step's title.
func objectOf(about flows.About) string {
	object := said(about.Object)
	if strings.EqualFold(strings.ReplaceAll(object, "-", " "), about.Title) {
		return ""
	}
	return object
}

func findingSign(th theme, v flows.Verdict) (string, style) {
	switch v {
	case flows.Missing:
		return signNew, th.good
	case flows.Differs:
		return signChange, th.accent
	case flows.InPlace:
		return signSame, th.dim
	}
	return signWarn, th.trouble
}

// drawCheck writes one check's answer; whole says more than its title where all
// is well too.
func drawCheck(sh *sheet, indent int, c doctor.Result, whole bool) {
	th := sh.theme
	mark, st := verdictSign(th, c.Verdict)
	words := said(c.Title)
	if c.Verdict != doctor.OK && c.Cause != "" {
		words = sentence(c.Cause)
	}
	sh.sign(indent, mark, st, th.text, words)
	if c.Verdict == doctor.OK && !whole {
		return
	}
	sh.text(indent+2, th.dim, saidAt(c.Seen(), longestSaid))
	if c.Advice != "" && c.Verdict != doctor.OK {
		sh.text(indent+2, th.text, sentence(c.Advice))
	}
}

func verdictSign(th theme, v doctor.Verdict) (string, style) {
	switch v {
	case doctor.OK:
		return signGood, th.good
	case doctor.Fail:
		return signBad, th.trouble
	case doctor.Unknown:
		return signUnsure, th.dim
	}
	return signWarn, th.trouble
}

func (s planScreen) Keys(r room) []bind {
	switch s.stage {
	case failed:
		return append(s.trouble.keys(), bindBack(), bindQuit())
	case met:
		if s.command {
			return []bind{bindBack()}
		}
		return s.readyKeys()
	}
	return []bind{bindBack(), bindQuit()}
}

func (s planScreen) readyKeys() []bind {
	out := []bind{{id: "do", keys: keyEnter, label: "↵", does: "do it"}}
	switch {
	case s.plan.Changes():
	case s.draft.unproven: // the run that stopped comes to its end by its proof
		out[0].does = "prove it"
	default:
		out = []bind{{id: "prove", keys: keyEnter, label: "↵", does: "go on"}}
	}
	explain := bind{id: "explain", keys: []string{"e"}, label: "e", does: "explain", more: "Say why each step is needed, and what was checked."}
	if s.explain {
		explain.does = "less"
	}
	return append(out, bindBack(), explain,
		bind{id: "command", keys: []string{"c"}, label: "c", does: "copy as command", more: "Show the command that does the same, and send it to your terminal's clipboard (OSC 52)."},
		bind{id: "options", keys: []string{"o"}, label: "o", does: "options", more: "Change what was chosen for this setup.", quiet: !s.draft.stands},
		bind{id: "look", keys: []string{"l"}, label: "l", does: "look again", quiet: true},
		bindQuit())
}

func (planScreen) Help() help { return helpPlan }

// mayChange says that a yes to this conflict was given.
func (j *job) mayChange(p flows.Planned) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	fields, yes := j.allowed[p.Step.About().ID]
	return yes && fmt.Sprint(fields) == fmt.Sprint(p.Finding.Fields)
}
