//go:build unix

package main

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"image/color"
	"strings"

	uv "github.com/charmbracelet/ultraviolet"
	"github.com/charmbracelet/x/vt"
)

// The measures of a picture, in pixels: a character's cell, and the border.
const (
	cellWidth, cellHeight = 8.0, 17.0
	border                = 14.0
	ground, ink           = "#16181d", "#d7dae0"
)

// svg draws what the emulator shows. Every run of text is given its length, so
// that columns stand below each other in whatever font there is.
func svg(emu *vt.Emulator) []byte {
	var b bytes.Buffer
	w, h := width*cellWidth+2*border, height*cellHeight+2*border
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%.0f" height="%.0f" viewBox="0 0 %.0f %.0f">`+"\n", w, h, w, h)
	fmt.Fprintf(&b, `<rect width="%.0f" height="%.0f" rx="6" fill="%s"/>`+"\n", w, h, ground)
	fmt.Fprintf(&b, `<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="13.3" fill="%s" xml:space="preserve">`+"\n", ink)
	for y := range height {
		for x := 0; x < width; {
			run := runAt(emu, x, y)
			run.write(&b, x, y)
			x += run.columns
		}
	}
	b.WriteString("</g>\n</svg>\n")
	return b.Bytes()
}

// textRun is neighbouring cells that look alike.
type textRun struct {
	text    string
	columns int
	style   uv.Style
}

func runAt(emu *vt.Emulator, x, y int) textRun {
	text, style, n := cellAt(emu, x, y)
	run := textRun{text: text, style: style, columns: n}
	blank := strings.TrimSpace(text) == ""
	for x+run.columns < width {
		text, style, n := cellAt(emu, x+run.columns, y)
		if look(style) != look(run.style) || (strings.TrimSpace(text) == "") != blank && (blank || look(run.style) != look(uv.Style{})) {
			break
		}
		run.text, run.columns = run.text+text, run.columns+n
	}
	return run
}

func cellAt(emu *vt.Emulator, x, y int) (string, uv.Style, int) {
	c := emu.CellAt(x, y)
	if c == nil || c.Content == "" {
		return " ", uv.Style{}, 1
	}
	return c.Content, c.Style, max(c.Width, 1)
}

// look is how a style looks, as attributes.
func look(s uv.Style) string {
	var out string
	if s.Fg != nil {
		out += fmt.Sprintf(` fill="%s"`, hex(s.Fg))
	}
	if s.Attrs&uv.AttrBold != 0 {
		out += ` font-weight="bold"`
	}
	if s.Underline != uv.UnderlineNone {
		out += ` text-decoration="underline"`
	}
	return out
}

func hex(c color.Color) string {
	r, g, b, _ := c.RGBA()
	return fmt.Sprintf("#%02x%02x%02x", r>>8, g>>8, b>>8)
}

func (t textRun) write(b *bytes.Buffer, x, y int) {
	text := strings.TrimRight(t.text, " ")
	columns := t.columns - (len(t.text) - len(text))
	if lead := len(text) - len(strings.TrimLeft(text, " ")); lead > 0 {
		text, x, columns = text[lead:], x+lead, columns-lead
	}
	if text == "" {
		return
	}
	fmt.Fprintf(b, `<text x="%.0f" y="%.1f" textLength="%.0f"%s>`, border+float64(x)*cellWidth, border+float64(y)*cellHeight+13, float64(columns)*cellWidth, look(t.style))
	_ = xml.EscapeText(b, []byte(text)) // a buffer takes everything
	b.WriteString("</text>\n")
}
