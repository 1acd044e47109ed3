package tui

import (
	"context"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
)

// Far is a terminal at the other end of a connection. Nothing here can be asked
// of it: its size comes with it, and its colours are told from Options.Env.
type Far struct {
	Size    Size
	Resized <-chan Size // may be closed
	Colours colorprofile.Profile
}

// Size is a terminal's, in columns and rows; both are above nothing.
type Size struct{ Width, Height int }

// options are nothing without a Far.
func (f *Far) options() []tea.ProgramOption {
	if f == nil {
		return nil
	}
	return []tea.ProgramOption{tea.WithWindowSize(f.Size.Width, f.Size.Height), tea.WithColorProfile(f.Colours)}
}

// follow tells the program of new sizes until ctx ends.
func (f *Far) follow(ctx context.Context, send func(tea.Msg)) {
	if f == nil {
		return
	}
	for {
		select {
		case size, more := <-f.Resized:
			if !more {
				return
			}
			send(tea.WindowSizeMsg{Width: size.Width, Height: size.Height})
		case <-ctx.Done():
			return
		}
	}
}
