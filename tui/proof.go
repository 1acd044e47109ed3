package tui

import (
	"context"
	"fmt"

	tea "charm.land/bubbletea/v2"

	"authbird/doctor"
	"authbird/flows"
)

// proofScreen waits with the person for a first sign-in and tells what both
// servers see of it. Everything is made already: leaving it is fine.
type proofScreen struct {
	job      *job
	plan     *flows.Plan
	results  []doctor.Result
	simulate func(context.Context) error
	ctx      context.Context
	link     string
	seen     []flows.Sighting
	approved map[string]bool // user ids that were approved here
	busy     string          // what is under way, in words
	problem  error           // of an approval or a simulated sign-in
	lost     error           // of the watching
	copied   bool
	handed   bool
}

func newProofScreen(a prove, simulate func(context.Context) error) proofScreen {
	return proofScreen{job: a.job, plan: a.plan, results: a.results, simulate: simulate, approved: map[string]bool{}}
}

type (
	watchEnded struct{ err error }
	wasDone    struct {
		approved string // the user id; "": it was a simulated sign-in
		err      error
	}
)

func (s proofScreen) Open(ctx context.Context) (screen, []tea.Cmd) {
	s.ctx = ctx
	s.link = s.job.session.LoginLink()
	return s, []tea.Cmd{s.watch(), s.job.listen(ctx)}
}

func (s proofScreen) watch() tea.Cmd {
	ctx, j := s.ctx, s.job
	return func() tea.Msg { return watchEnded{j.watch(ctx)} }
}

func (s proofScreen) Close() tea.Cmd {
	if s.handed {
		return nil
	}
	return s.job.close()
}

func (s proofScreen) Update(r room, msg tea.Msg) (screen, action) {
	switch msg := msg.(type) {
	case heard:
		for _, thing := range msg.things {
			switch thing := thing.(type) {
			case flows.Sighting:
				s.seen = append(s.seen[:len(s.seen):len(s.seen)], thing)
			case noted:
				s.problem = thing.err
			}
		}
		return s, do(s.job.listen(s.ctx))
	case watchEnded:
		if s.ctx.Err() == nil {
			s.lost = msg.err
		}
	case noted:
		s.problem = msg.err
	case wasDone:
		return s.done(msg)
	case tea.KeyPressMsg:
		return s.pressed(hit(msg, s.Keys(r)))
	}
	return s, stay{}
}

func (s proofScreen) done(msg wasDone) (screen, action) {
	s.busy, s.problem = "", msg.err
	if msg.approved != "" && msg.err == nil {
		approved := map[string]bool{msg.approved: true}
		for id := range s.approved {
			approved[id] = true
		}
		s.approved = approved
	}
	return s, stay{}
}

func (s proofScreen) pressed(id string) (screen, action) {
	switch id {
	case "next":
		s.handed = true
		who, waits := s.pending()
		end := finish{job: s.job, plan: s.plan, results: s.results, login: s.letIn()}
		if waits {
			end.waits = name(who)
		}
		return s, end
	case "copy":
		s.copied = true
		return s, send{s.link}
	case "qr":
		return s, push{newQRScreen(said(s.link))}
	case "approve":
		who, _ := s.pending()
		s.busy, s.problem = fmt.Sprintf(wordsApproving, name(who)), nil
		ctx, j, user := s.ctx, s.job, who.UserID
		return s, do(func() tea.Msg { return wasDone{approved: user, err: j.approve(ctx, user)} })
	case "simulate":
		s.busy, s.problem = wordsSimulating, nil
		ctx, simulate := s.ctx, s.simulate
		return s, do(func() tea.Msg { return wasDone{err: simulate(ctx)} })
	case "again":
		s.lost = nil
		return s, do(s.watch())
	}
	return s, stay{}
}

// letIn is who was let in, "" while nobody was.
func (s proofScreen) letIn() string {
	for _, x := range s.seen {
		if x.Kind == flows.SawLetIn {
			return name(x)
		}
	}
	return ""
}

// pending is the first person who waits for approval.
func (s proofScreen) pending() (flows.Sighting, bool) {
	for _, x := range s.seen {
		if x.Kind == flows.SawPending && x.UserID != "" && !s.approved[x.UserID] {
			return x, true
		}
	}
	return flows.Sighting{}, false
}

func name(x flows.Sighting) string {
	if who := said(x.Who); who != "" {
		return who
	}
	return wordsSomebody
}

func (s proofScreen) Page(r room) page {
	th := r.theme
	sh := newSheet(r)
	sh.text(0, th.text, wordsProofOpen)
	sh.gap()
	sh.link(said(s.link))
	sh.gap()
	if who := r.actors.Person; who != "" {
		sh.text(0, th.dim, fmt.Sprintf(wordsActor, who))
		sh.gap()
	}
	if s.copied {
		sh.text(0, th.dim, wordsCopied)
		sh.gap()
	}
	for _, x := range s.seen {
		s.drawSighting(sh, x)
	}
	sh.focused(func() { s.drawState(sh) })
	sh.gap()
	if s.letIn() == "" {
		sh.text(0, th.dim, wordsProofSkip)
	}
	return sh.page(wordsProofTitle, "")
}

func (s proofScreen) drawSighting(sh *sheet, x flows.Sighting) {
	th := sh.theme
	switch x.Kind {
	case flows.SawAuthorised:
		sh.sign(0, signGood, th.good, th.text, fmt.Sprintf(wordsSawAuthorised, name(x)))
	case flows.SawPending:
		if s.approved[x.UserID] {
			sh.sign(0, signGood, th.good, th.text, fmt.Sprintf(wordsApproved, name(x)))
			return
		}
		sh.sign(0, signPart, th.accent, th.text, fmt.Sprintf(wordsSawPending, name(x)))
	case flows.SawLetIn:
		sh.sign(0, signGood, th.good, th.text, fmt.Sprintf(wordsSawLetIn, name(x)))
	case flows.SawBlocked:
		sh.sign(0, signBad, th.trouble, th.text, fmt.Sprintf(wordsSawBlocked, name(x)))
	}
}

func (s proofScreen) drawState(sh *sheet) {
	th := sh.theme
	if s.problem != nil {
		what, advice := errorWords(s.problem)
		sh.sign(0, signBad, th.trouble, th.text, what)
		if advice != "" {
			sh.text(2, th.dim, advice)
		}
	}
	switch {
	case s.busy != "":
		sh.sign(0, signWorking, th.accent, th.text, s.busy)
	case s.lost != nil:
		what, _ := errorWords(s.lost)
		sh.sign(0, signWarn, th.trouble, th.text, wordsWatchLost+what)
	case s.letIn() != "":
		sh.sign(0, signWhole, th.good, th.strong, wordsProven)
	default:
		sh.sign(0, signWorking, th.accent, th.text, wordsProofWaiting)
	}
}

func (s proofScreen) Keys(r room) []bind {
	next := bind{id: "next", keys: keyEnter, label: "↵", does: "skip", more: "Go on without a sign-in. What was made stands."}
	if s.letIn() != "" {
		next.does, next.more = "go on", ""
	}
	out := []bind{next}
	if who, ok := s.pending(); ok && s.busy == "" {
		approve := bind{id: "approve", keys: []string{"a"}, label: "a", does: "approve " + ansiCut(name(who), 20)}
		out = append([]bind{approve}, out...)
	}
	if s.lost != nil {
		out = append(out, bind{id: "again", keys: []string{"w"}, label: "w", does: "watch again"})
	}
	out = append(out, bind{id: "copy", keys: []string{"c"}, label: "c", does: "copy the link", more: "Send the link to your terminal's clipboard (OSC 52)."})
	if qrFits(r, said(s.link)) {
		out = append(out, bind{id: "qr", keys: []string{"r"}, label: "r", does: "QR code"})
	}
	if s.simulate != nil && s.busy == "" {
		out = append(out, bind{id: "simulate", keys: []string{"s"}, label: "s", does: "simulate a sign-in", more: "A simulated person signs in through Authentik."})
	}
	return out
}

func (proofScreen) Help() help { return helpProof }
