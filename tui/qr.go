package tui

import (
	"strings"

	tea "charm.land/bubbletea/v2"
	"rsc.io/qr"

	"charm.land/lipgloss/v2"
)

// quiet is the light border around a code, in modules.
const quiet = 2

// qrCode is a text as a square of modules, true is dark; nil where it is too
// long for a code.
func qrCode(text string) *qr.Code {
	code, err := qr.Encode(text, qr.L)
	if err != nil {
		return nil
	}
	return code
}

// qrFits says whether a text's code can be shown whole in this window.
func qrFits(r room, text string) bool {
	code := qrCode(text)
	if code == nil {
		return false
	}
	side := code.Size + 2*quiet
	return side <= r.width && (side+1)/2 <= r.window.height-4
}

// qrLines draws a code with two modules to a character. Its light modules are
// drawn as ink on a dark ground, and its dark ones on a light, so that it reads
// right even without colours.
func qrLines(code *qr.Code, dark bool) []string {
	light := func(x, y int) bool { return !code.Black(x-quiet, y-quiet) }
	side := code.Size + 2*quiet
	var out []string
	for y := 0; y < side; y += 2 {
		var b strings.Builder
		for x := range side {
			upper, lower := light(x, y) == dark, y+1 < side && light(x, y+1) == dark
			b.WriteString(half(upper, lower))
		}
		out = append(out, b.String())
	}
	return out
}

func half(upper, lower bool) string {
	switch {
	case upper && lower:
		return "█"
	case upper:
		return "▀"
	case lower:
		return "▄"
	}
	return " "
}

// qrScreen shows a link as a code, whole.
type qrScreen struct{ text string }

func newQRScreen(text string) qrScreen { return qrScreen{text} }

func (s qrScreen) Update(_ room, msg tea.Msg) (screen, action) {
	if _, ok := msg.(tea.KeyPressMsg); ok {
		return s, back{noEdit{}}
	}
	return s, stay{}
}

func (s qrScreen) Page(r room) page {
	sh := newSheet(r)
	code := qrCode(s.text)
	if code == nil || !qrFits(r, s.text) {
		sh.text(0, r.theme.text, wordsQRTooLarge)
		return sh.page(wordsScanWith, "")
	}
	style := lipgloss.NewStyle()
	if r.colour {
		style = style.Foreground(lipgloss.Color("#FFFFFF")).Background(lipgloss.Color("#000000"))
	}
	for _, line := range qrLines(code, r.dark || r.colour) {
		sh.raw(style.Render(line))
	}
	return sh.page(wordsScanWith, "")
}

func (qrScreen) Keys(room) []bind {
	return []bind{{id: "back", keys: keyEsc, label: "any key", does: "back"}}
}

func (qrScreen) Help() help { return help{} }
