package keystore

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"os"
)

// Move brings the named secrets of a setup from one store to another: all are
// copied and read back before the first is deleted. A name that from does not have
// is left out. Interrupted at any point it has lost nothing and may be run again,
// as long as from is taken to be in force until it has returned nil: where both
// have a secret, from's counts.
func Move(ctx context.Context, from, to *Store, setup string, names []string) error {
	if to.kind == Env {
		return fmt.Errorf("move to the environment: %w", ErrReadOnly)
	}
	if samePlace(from, to) {
		return nil // and above all nothing deleted
	}
	var copied []string
	for _, name := range names {
		value, err := from.Get(ctx, setup, name)
		if errors.Is(err, ErrAbsent) {
			continue
		}
		if err != nil {
			return err
		}
		if err := to.Set(ctx, setup, name, value); err != nil {
			return err
		}
		back, err := to.Get(ctx, setup, name)
		if err != nil {
			return err
		}
		if subtle.ConstantTimeCompare([]byte(back), []byte(value)) != 1 {
			return fmt.Errorf("%s gives back another %s of %s than it was given; nothing was deleted", to.Where(), name, setup)
		}
		copied = append(copied, name)
	}
	for _, name := range copied {
		if err := from.Delete(ctx, setup, name); err != nil {
			return err
		}
	}
	return nil
}

// samePlace says whether what is written to one store is read from the other.
func samePlace(a, b *Store) bool {
	switch a := a.backend.(type) {
	case *fileStore:
		b, ok := b.backend.(*fileStore)
		return ok && sameFolder(a.dir, b.dir)
	case *ringStore:
		b, ok := b.backend.(*ringStore)
		return ok && sameFolder(a.dir, b.dir)
	}
	return false
}

func sameFolder(a, b string) bool {
	if a == b {
		return true
	}
	ia, aerr := os.Stat(a)
	ib, berr := os.Stat(b)
	return aerr == nil && berr == nil && os.SameFile(ia, ib)
}
