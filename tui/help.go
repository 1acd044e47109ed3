package tui

import (
	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
)

// The help overlay: what the screen is for, and every key that works on it now.

func (p *program) helpPage() page {
	l := p.top()
	sh := newSheet(p.room)
	h := l.screen.Help()
	for i, t := range h.text {
		if i > 0 {
			sh.gap()
		}
		sh.text(0, p.room.theme.text, t)
	}
	sh.gap()
	sh.text(0, p.room.theme.strong, wordsKeys)
	keys := append(l.screen.Keys(p.room), p.scrollBinds()...)
	keys = append(keys, bind{id: "leave", label: "ctrl+c", does: wordsCtrlC})
	width := 0
	for _, b := range keys {
		width = max(width, ansi.StringWidth(b.label))
	}
	seen := map[string]bool{}
	for _, b := range keys {
		if seen[b.label] {
			continue
		}
		seen[b.label] = true
		words := b.does
		if b.more != "" {
			words = b.more
		}
		sh.hang(2, part{p.room.theme.key, pad(b.label, width+2)}, p.room.theme.text, words)
	}
	return sh.page(h.title, "authbird "+said(p.options.Version))
}

func (p *program) scrollBinds() []bind {
	_, f := p.draw()
	if f.total <= f.height {
		return nil
	}
	return []bind{{id: "scroll", label: "pgup pgdn", does: wordsScroll}}
}

func (p *program) helpView() tea.View {
	v, _ := p.composeHelp()
	return v
}

func (p *program) composeHelp() (tea.View, frame) {
	back := bind{id: "help", label: "esc", does: "back"}
	return compose(p.room, p.helpPage(), footer(p.room, nil, back), p.helpBase, false)
}

// helpKey scrolls the help; any other key closes it.
func (p *program) helpKey(msg tea.KeyPressMsg) {
	_, f := p.composeHelp()
	last := max(0, f.total-f.height)
	switch msg.String() {
	case "down", "j":
		p.helpBase = min(f.top+1, last)
	case "up", "k":
		p.helpBase = max(f.top-1, 0)
	case "pgdown", "space":
		p.helpBase = min(f.top+f.height-1, last)
	case "pgup":
		p.helpBase = max(f.top-f.height+1, 0)
	default:
		p.help = false
	}
}
