package flows_test

import (
	"context"
	"errors"
	"testing"

	"authbird/flows"
	"authbird/keystore"
	"authbird/state"
)

func TestRefusedAnswersReachNothing(t *testing.T) {
	l := newLab(t, labOptions{})
	no := errors.New("not here")
	l.bench.Refuse = func(a state.Answers) error {
		if a.RestartCommand != "" {
			return no
		}
		return nil
	}
	l.bench.OpenKeys = func(context.Context, keystore.Kind) (*keystore.Store, error) {
		t.Error("the keystore was opened")
		return nil, errors.New("no keystore")
	}
	a := l.answers
	a.RestartCommand = "reboot"
	ctx := t.Context()
	_, open := l.bench.Open(ctx, "x", a, l.tokens)
	_, authentik := l.bench.SeeAuthentik(ctx, a, "")
	_, netbird := l.bench.SeeNetBird(ctx, a, "")
	_, choices := l.bench.Choices(ctx, a, l.tokens)
	_, login := l.bench.StartDeviceLogin(ctx, a)
	_, owner := l.bench.CreateOwner(ctx, a, flows.Owner{})
	for name, err := range map[string]error{"Open": open, "SeeAuthentik": authentik, "SeeNetBird": netbird, "Choices": choices, "StartDeviceLogin": login, "CreateOwner": owner} {
		var stopped *flows.Stopped
		if !errors.Is(err, no) || !errors.As(err, &stopped) || stopped.Reason != flows.NeedsPerson {
			t.Errorf("%s: %v", name, err)
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.sent) > 0 {
		t.Errorf("%d requests went out", len(l.sent))
	}
}
