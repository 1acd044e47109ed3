package tui

// What the NetBird screen says of what it knows.

// show brings the rows in line with what is known.
func (s *netbirdScreen) show() {
	s.showAddress()
	s.showWays()
	s.showToken()
	label := wordsCheck
	if s.ready() {
		label = wordsGoOn
	}
	s.form.row(rowGo).label = label
	s.form.row(rowGo).hidden = s.form.row(rowSecret).hidden
	if s.form.focused().hidden {
		s.form.focus(rowURL)
	}
}

func (s *netbirdScreen) showAddress() {
	r := s.form.row(rowURL)
	switch s.addr.stage {
	case failed:
		r.notes = errorNotes(s.addr.err)
		if untrusted(s.addr.err) {
			s.form.row(rowCA).hidden = false
		}
	case met:
		r.notes = answersNote(s.now(), "NetBird", s.seen.Version, s.seen.Clock, s.seen.CertNotAfter)
		if !s.usable() {
			r.notes = append(r.notes, note{sign: signBad, tone: toneTrouble, words: wordsNoIdP})
		}
	}
}

// showWays offers the ways in that this NetBird has, while none was taken.
func (s *netbirdScreen) showWays() {
	open := s.addr.stage == met && s.usable()
	inside := s.token.stage == met || s.token.stage == asking
	code, owner := s.form.row(rowByCode), s.form.row(rowOwner)
	code.hidden = !open || inside || s.seen.SetupRequired || !s.seen.EmbeddedIdP
	owner.hidden = !open || inside || !s.seen.SetupRequired
	s.form.row(rowSecret).hidden = open && s.seen.SetupRequired
	s.form.row(rowLasting).hidden = s.signIn == "" || s.token.stage != met
	if s.form.focused().id == rowSecret && s.form.row(rowSecret).field.empty() {
		s.form.focus(rowByCode)
		s.form.focus(rowOwner)
	}
}

func (s *netbirdScreen) showToken() {
	r := s.form.row(rowSecret)
	switch s.token.stage {
	case asking:
	case failed:
		if r.notes = errorNotes(s.token.err); s.addr.stage == failed {
			r.notes = nil // said of the address already
		}
	case met:
		r.notes = s.tokenNotes()
	default:
		r.notes = nil
		if s.addr.stage == met && s.seen.TokenPage != "" && r.field.empty() {
			r.notes = []note{{words: wordsPATWhere}, {words: said(s.seen.TokenPage), link: true}}
		}
	}
}

func (s *netbirdScreen) tokenNotes() []note {
	who := said(s.seen.User)
	if s.seen.Role != "" {
		who += ", " + said(s.seen.Role)
	}
	out := note1(signGood, toneGood, who+": "+wordsMayWrite)
	if !s.seen.MayWrite {
		out = note1(signWarn, toneTrouble, who+": "+wordsMayNotWrite)
	}
	if s.signIn != "" {
		out = append(out, note{words: s.signIn})
	}
	return out
}
