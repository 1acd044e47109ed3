package state

import (
	"errors"
	"fmt"

	"authbird/state/disk"
)

// Peek opens a setup for reading only, or begins one that is nowhere on disk:
// for a plan, which writes nothing, not even a lock, and works in a folder that
// can't be written to. *NewerError if a newer authbird wrote it. Files that are
// damaged stay where they are and are told in Damage.
//
// It waits for nobody: another run may be at work on the setup meanwhile.
func (d *Dir) Peek(name string) (*Setup, error) {
	safe, err := disk.SafeName(name)
	if err != nil {
		return nil, err
	}
	s, r := d.read(safe)
	for _, p := range r.problems {
		var newer *NewerError
		if errors.As(p, &newer) {
			return nil, fmt.Errorf("open setup %s: %w", name, p)
		}
	}
	s.Name, s.Damage = name, r.text()
	return s, nil
}
