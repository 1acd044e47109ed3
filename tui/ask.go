package tui

import (
	"errors"
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"
	"charm.land/huh/v2"
	"charm.land/lipgloss/v2"
)

// ask is a question before something is done that can't be undone: a reason,
// where one is needed, and a yes or no whose cursor is on the no. It is a form of
// huh inside a screen; the screen hands it every message and draws its lines.
type ask struct {
	form   *huh.Form
	theme  *theme // read at each drawing: the background may be told late
	answer *asked
}

type asked struct {
	reason string
	yes    bool
}

// newAsk makes the question. A needed reason comes first; "" asks for none.
func newAsk(r room, reason, question, yes, no string) ask {
	th := r.theme
	a := ask{theme: &th, answer: &asked{}}
	var fields []huh.Field
	if reason != "" {
		fields = append(fields, huh.NewInput().Title(reason).Prompt("").Value(&a.answer.reason).CharLimit(200).Validate(reasonGiven))
	}
	fields = append(fields, huh.NewConfirm().Title(question).Affirmative(yes).Negative(no).
		WithButtonAlignment(lipgloss.Left).Value(&a.answer.yes))
	a.form = huh.NewForm(huh.NewGroup(fields...)).WithAccessible(false).WithShowHelp(false).WithShowErrors(true).
		WithKeyMap(askKeys()).WithTheme(huh.ThemeFunc(func(bool) *huh.Styles { return askStyles(*a.theme) }))
	return a
}

// reasonGiven refuses an empty reason.
func reasonGiven(s string) error {
	if strings.TrimSpace(s) == "" {
		return errors.New(wordsRemoveEmpty)
	}
	return nil
}

// askKeys are huh's, without ctrl+c, which is the program's, and without the
// letters that answer at once: those may have been typed for another screen.
func askKeys() *huh.KeyMap {
	k := huh.NewDefaultKeyMap()
	k.Quit.SetEnabled(false)
	k.Confirm.Accept.SetEnabled(false)
	k.Confirm.Reject.SetEnabled(false)
	k.Confirm.Toggle = key.NewBinding(key.WithKeys("left", "right", "space", "h", "l"))
	k.Confirm.Prev = key.NewBinding(key.WithKeys("shift+tab", "up"))
	k.Input.Next = key.NewBinding(key.WithKeys("enter", "tab", "down"))
	return k
}

func askStyles(th theme) *huh.Styles {
	s := huh.ThemeBase(true)
	plain := lipgloss.NewStyle()
	s.FieldSeparator = plain.SetString("\n")
	s.Focused.Base, s.Focused.Card = plain, plain
	s.Focused.Title, s.Focused.Description = th.strong, th.dim
	s.Focused.ErrorIndicator = plain
	s.Focused.ErrorMessage = th.trouble.SetString(signBad)
	s.Focused.FocusedButton = th.accent.SetString(signHere).MarginRight(2)
	s.Focused.BlurredButton = th.text.SetString(" ").MarginRight(2)
	s.Focused.TextInput = huh.TextInputStyles{Cursor: plain, CursorText: plain, Placeholder: th.dim, Prompt: plain, Text: th.input}
	s.Blurred = s.Focused
	s.Blurred.Title = th.dim
	s.Blurred.FocusedButton = th.text.SetString(signHere).MarginRight(2)
	return s
}

// open begins the form in a room.
func (a ask) open(r room) []tea.Cmd { return []tea.Cmd{a.form.Init(), a.resize(r)} }

// resize hands the form the room for a body, not the window.
func (a ask) resize(r room) tea.Cmd {
	*a.theme = r.theme
	a.form.WithWidth(max(r.width, 1))
	return a.update(tea.WindowSizeMsg{Width: max(r.width, 1), Height: 40})
}

func (a ask) update(msg tea.Msg) tea.Cmd {
	_, cmd := a.form.Update(msg)
	return cmd
}

// done says that the question is answered, and how.
func (a ask) done() (asked, bool) { return *a.answer, a.form.State == huh.StateCompleted }

// typing says that letters are text now.
func (a ask) typing() bool {
	_, input := a.form.GetFocusedField().(*huh.Input)
	return input && a.form.State == huh.StateNormal
}

func (a ask) draw(s *sheet) {
	*a.theme = s.theme
	a.form.WithWidth(s.width)
	lines := strings.Split(strings.TrimRight(a.form.View(), "\n "), "\n")
	s.focused(func() {
		for _, l := range lines {
			s.raw(strings.TrimRight(l, " "))
		}
	})
}

func (a ask) keys() []bind {
	if a.typing() {
		return []bind{{id: "ask", label: "↵", does: "next"}}
	}
	return []bind{{id: "ask", label: "↵", does: "choose"}, {id: "ask", label: "← →", does: "change"}}
}
