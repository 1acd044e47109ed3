package flows

import (
	"context"
	"errors"
	"fmt"

	"authbird/facts"
	"authbird/hostfiles"
	"authbird/keystore"
	"authbird/state"
)

// EnvText is setup.env's lines of a standalone setup, with the app password
// from the keystore: for a person who asked to see them.
func (b *Bench) EnvText(ctx context.Context, name string) ([]byte, error) {
	setup, err := b.State.Load(name)
	if err != nil {
		return nil, err
	}
	if setup.Answers.Mode != state.Standalone {
		return nil, fmt.Errorf("%s is a connector setup, which has no setup.env", name)
	}
	keys, err := b.OpenKeys(ctx, keystore.Kind(setup.Answers.Keystore))
	if err != nil {
		return nil, err
	}
	password, err := keys.Get(ctx, name, keystore.AppPassword)
	if errors.Is(err, keystore.ErrAbsent) {
		return nil, fmt.Errorf("the app password of %s is not in %s: the setup is not that far yet; go on with: authbird resume", name, keys.Where())
	}
	if err != nil {
		return nil, err
	}
	setup.Answers.EnvSecret = EnvSecretWrite
	f := &facts.Facts{}
	f.Local.AppPassword = facts.Of(password, nil)
	return hostfiles.Text((&Work{Answers: setup.Answers, Record: setup}).EnvLines(f))
}
