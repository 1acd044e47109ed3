package tui

import (
	"fmt"
	"path/filepath"
	"strings"

	"authbird/doctor"
	"authbird/flows"
	"authbird/state"
)

// What plan and end show of a standalone setup besides what all setups have.

// netbirdAt is NetBird's address, as far as it is known.
func (d draft) netbirdAt() string {
	if d.answers.Mode == state.Standalone && d.answers.NetBirdDomain != "" {
		return "https://" + d.answers.NetBirdDomain
	}
	return d.answers.NetBirdURL
}

// drawFields shows differences, and of an object that is missing what it is made
// with; those of a file as the lines that come and change.
func drawFields(sh *sheet, where flows.Place, found flows.Finding) {
	th := sh.theme
	for _, f := range found.Fields {
		switch {
		case where != flows.Here && found.Verdict == flows.Missing:
			sh.hang(6, part{th.dim, said(f.Name) + ": "}, th.text, said(f.Want))
		case where != flows.Here:
			sh.text(6, th.text, fieldWords(f))
		case f.Have == "":
			sh.sign(4, signNew, th.good, th.text, said(f.Name)+" = "+said(f.Want))
		default:
			sh.sign(4, signChange, th.accent, th.text, fieldWords(f))
		}
	}
}

// drawNext says where the values are, and what NetBird's guide does next.
func (s doneScreen) drawNext(sh *sheet) {
	th, a := sh.theme, s.answers
	sh.text(0, th.text, wordsDoneReady)
	sh.gap()
	sh.text(0, th.strong, wordsDoneValues)
	sh.path(said(a.EnvFile))
	if a.NetBirdConfig != "" {
		sh.path(said(a.NetBirdConfig))
	}
	sh.gap()
	sh.text(0, th.strong, wordsDoneNext)
	if a.NetBirdConfig != "" {
		sh.text(2, th.dim, wordsDonePatched)
		for _, line := range flows.Next(a, s.name, s.plan.Facts) {
			sh.command(2, said(line))
		}
		return
	}
	sh.text(2, th.dim, wordsDoneInFolder)
	if dir := filepath.Dir(a.EnvFile); filepath.IsAbs(dir) {
		sh.command(2, "cd "+shellWord(said(dir)))
	}
	for _, line := range flows.Next(a, s.name, s.plan.Facts) {
		sh.command(2, said(line))
	}
	if a.EnvSecret == flows.EnvSecretOmit {
		sh.text(2, th.dim, wordsDoneOmitted)
	}
}

// drawProven lists the checks that were well; the others are drawn with their
// causes.
func (s doneScreen) drawProven(sh *sheet) {
	first := true
	for _, c := range s.results {
		if c.Verdict != doctor.OK {
			continue
		}
		if first {
			sh.gap()
			sh.text(0, sh.theme.strong, wordsDoneProven)
			first = false
		}
		drawCheck(sh, 2, c, false)
	}
}

// standaloneLines are for the normal screen.
func standaloneLines(a state.Answers, next []string) []string {
	if a.Mode != state.Standalone {
		return nil
	}
	words, file := wordsLineGuide, a.EnvFile
	if a.NetBirdConfig != "" {
		words, file = wordsLinePatched, a.NetBirdConfig
	}
	return []string{fmt.Sprintf(wordsLineEnvFile, said(a.EnvFile)), fmt.Sprintf(words, said(filepath.Dir(file)), said(strings.Join(next, " && ")))}
}

// shellWord quotes a path for a shell, where it needs that.
func shellWord(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("/._-+@", r)
	}
	if strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
