package tui

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"authbird/flows"
	"authbird/keystore"
	"authbird/state"
)

// standing is what a setup's own records tell of it, without asking a server.
type standing struct {
	state    setupState
	words    string // in a few words
	detail   string // in a sentence, for what stopped
	secret   string // the age of what NetBird signs in with
	removing bool   // it stopped while it was taken back
}

type setupState int

const (
	setupNew     setupState = iota // answers, and nothing made
	setupPart                      // stopped part-way
	setupWhole                     // came to its end
	setupTaken                     // taken back
	setupDamaged                   // its files can't be read
	setupBusy                      // another run works on it now
)

func standingOf(s *state.Setup, now time.Time) standing {
	if s.Damage != "" {
		return standing{state: setupDamaged, words: wordsDamaged, detail: said(s.Damage)}
	}
	if flow, step, when, why, ok := s.Interrupted(); ok {
		return standing{state: setupPart, words: stoppedAt(flow, step, since(now, when)), detail: sentence(why),
			removing: flow == flows.Removing, secret: secretAge(s, now)}
	}
	if len(s.Entries) == 0 {
		return standing{state: setupNew, words: wordsNotBegun}
	}
	last := s.Entries[len(s.Entries)-1]
	if last.Step == "" && last.Phase == state.Undone {
		return standing{state: setupTaken, words: fmt.Sprintf(wordsTakenBack, since(now, last.Time))}
	}
	return standing{state: setupWhole, words: provenWords(s, now, last.Time), secret: secretAge(s, now)}
}

// stoppedAt says in a few words what stopped, where and when.
func stoppedAt(flow, step, when string) string {
	switch {
	case flow == flows.Removing && step == "":
		return wordsStoppedBack + ", " + when
	case flow == flows.Removing:
		return fmt.Sprintf(wordsStoppedBackAt, stepName(step), when)
	case step == "":
		return fmt.Sprintf(wordsStoppedAt, when)
	}
	return fmt.Sprintf(wordsStoppedIn, stepName(step), when)
}

// standsAt says what stands at each side, in the order it was made.
func standsAt(s *state.Setup) []string {
	at := map[flows.Place][]string{}
	for _, e := range s.Entries {
		receipt, _ := s.Last(e.Step)
		side := placeOf(e.Step)
		if name := stepName(e.Step); e.Step != "" && receipt.ObjectID != "" && !slices.Contains(at[side], name) {
			at[side] = append(at[side], name)
		}
	}
	var out []string
	for _, side := range []flows.Place{flows.AtAuthentik, flows.AtNetBird, flows.Here} {
		if names := at[side]; len(names) > 0 {
			out = append(out, wordsAt[side]+": "+strings.Join(names, ", "))
		}
	}
	return out
}

// placeOf is the side of a step that the journal names. A step that isn't known
// here is Authentik's, where most are.
func placeOf(step string) flows.Place {
	switch step {
	case "connector":
		return flows.AtNetBird
	case "client-secret", "client-id", "app-password-secret", "setup-env", "management-json":
		return flows.Here
	}
	return flows.AtAuthentik
}

func provenWords(s *state.Setup, now, last time.Time) string {
	for _, c := range s.Credentials {
		if c.Name == keystore.ClientSecret && !c.Proven.IsZero() {
			return fmt.Sprintf(wordsCheckedAt, since(now, c.Proven))
		}
	}
	return fmt.Sprintf(wordsSetUpAt, since(now, last))
}

func secretAge(s *state.Setup, now time.Time) string {
	for _, c := range s.Credentials {
		if c.Name == keystore.ClientSecret && !c.Made.IsZero() {
			return fmt.Sprintf(wordsSecretAge, within(now.Sub(c.Made)))
		}
	}
	return ""
}

// keeps says whether the setup's keystore has that admin token.
func keeps(s *state.Setup, name string) bool {
	for _, c := range s.Credentials {
		if c.Name == name {
			return c.Kept
		}
	}
	return false
}

// stepName is a journal's key in words.
func stepName(id string) string {
	switch id {
	case "app-password-secret":
		return "app password"
	case "rights", "access":
		return "membership"
	case "setup-env", "management-json":
		return strings.Replace(strings.Replace(id, "-env", ".env", 1), "-json", ".json", 1)
	}
	return said(strings.ReplaceAll(id, "-", " "))
}

func (s setupState) sign(th theme) (string, style) {
	switch s {
	case setupPart, setupBusy:
		return signPart, th.accent
	case setupWhole:
		return signWhole, th.good
	case setupDamaged:
		return signWarn, th.trouble
	}
	return signNone, th.dim
}
